"""The environment becomes one value, or a list of everything wrong with it."""

import json
from pathlib import Path

import pytest

from bridge.config.setting_choices import Environment, WorkerMode
from bridge.config.setting_declarations import SETTINGS
from bridge.config.setting_rules import RULES, Rule
from bridge.config.settings import Settings
from bridge.core.errors import ConfigurationError
from bridge.core.secret import Secret

KEY = json.dumps({"kty": "RSA", "kid": "invented", "n": "AQAB", "e": "AQAB", "d": "not-a-key-at-all"})
TT02 = {
    "BRIDGE_ENVIRONMENT": "tt02",
    "BRIDGE_ALTINN2_API_KEY": "0A1B-invented",
    "BRIDGE_MASKINPORTEN_CLIENT_ID": "invented-client",
    "BRIDGE_MASKINPORTEN_KEY": KEY,
}
SANDBOX = TT02 | {
    "BRIDGE_ENVIRONMENT": "sandbox",
    "BRIDGE_ALTINN2_URL": "http://127.0.0.1:9001/api/",
    "BRIDGE_ALTINN3_APPS_URL": "http://localhost:9002/{org}/{app}",
    "BRIDGE_PLATFORM_URL": "http://127.0.0.1:9002",
    "BRIDGE_DIALOGPORTEN_URL": "http://127.0.0.1:9003/dialogporten",
    "BRIDGE_MASKINPORTEN_URL": "http://[::1]:9004",
}


def faults(environ: dict[str, str]) -> dict[str, str]:
    """Read *environ*, which has faults, and give them by variable."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environ(environ)
    return {fault.where: fault.message for fault in caught.value.faults}


def test_an_environment_chooses_urls_and_origins():
    """The addresses of tt02 are those of the facts, and the issuer follows Dialogporten."""
    settings = Settings.from_environ(TT02)

    assert settings.environment is Environment.TT02
    assert settings.altinn2_url == "https://tt02.altinn.no/api"
    assert settings.altinn3_apps_url == "https://{org}.apps.tt02.altinn.no/{org}/{app}"
    assert settings.dialogporten_issuer == "https://platform.tt02.altinn.no/dialogporten/api/v1"
    assert settings.maskinporten_url == "https://test.maskinporten.no"
    assert settings.allowed_origins == ("https://af.tt02.altinn.no",)


def test_production_differs_from_tt02_everywhere():
    """No address of the test environment is left in production."""
    settings = Settings.from_environ(TT02 | {"BRIDGE_ENVIRONMENT": "production"})

    assert settings.altinn2_url == "https://www.altinn.no/api"
    assert settings.maskinporten_url == "https://maskinporten.no"
    assert "tt02" not in repr(settings).replace("'tt02'", "")


def test_each_default_can_be_overridden():
    """What is given comes before what the environment chooses."""
    settings = Settings.from_environ(
        TT02
        | {
            "BRIDGE_DIALOGPORTEN_URL": "https://dialogporten.example/",
            "BRIDGE_DIALOGPORTEN_ISSUER": "https://issuer.example/api/v1",
            "BRIDGE_ALLOWED_ORIGINS": "https://one.example, https://two.example",
            "BRIDGE_ANSWER_WITHIN": "0.5",
        }
    )

    assert settings.dialogporten_url == "https://dialogporten.example"
    assert settings.dialogporten_issuer == "https://issuer.example/api/v1"
    assert settings.allowed_origins == ("https://one.example", "https://two.example")
    assert settings.answer_within == 0.5


def test_the_sandbox_takes_loopback_addresses():
    """On one machine plain http is enough."""
    settings = Settings.from_environ(SANDBOX)

    assert settings.altinn2_url == "http://127.0.0.1:9001/api"
    assert settings.allowed_origins == ()


def test_every_fault_is_told_at_once():
    """An operator corrects all in one go."""
    found = faults(
        {
            "BRIDGE_ENVIRONMENT": "test",
            "BRIDGE_ALLOWED_ORIGINS": "*",
            "BRIDGE_ANSWER_WITHIN": "11",
            "BRIDGE_LISTEN": "8080",
            "BRIDGE_MAPPING": "mappings",
        }
    )

    assert set(found) == {
        "BRIDGE_ENVIRONMENT",
        "BRIDGE_ALLOWED_ORIGINS",
        "BRIDGE_ANSWER_WITHIN",
        "BRIDGE_LISTEN",
        "BRIDGE_MAPPING",
        "BRIDGE_ALTINN2_API_KEY",
        "BRIDGE_MASKINPORTEN_CLIENT_ID",
        "BRIDGE_MASKINPORTEN_KEY",
    }
    assert found["BRIDGE_MAPPING"].endswith("did you mean BRIDGE_MAPPINGS?")


def test_the_sandbox_has_no_default_addresses():
    """A sandbox that is not told where things are must not reach the real ones."""
    found = faults(TT02 | {"BRIDGE_ENVIRONMENT": "sandbox"})

    assert set(found) == {name for name in SANDBOX if name.endswith("_URL")}


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("BRIDGE_ALTINN2_URL", "http://tt02.altinn.no/api", "https://"),
        ("BRIDGE_ALLOWED_ORIGINS", "http://localhost:3000", "https://"),
        ("BRIDGE_ALLOWED_ORIGINS", "https://af.altinn.no/inbox", "without a path"),
        ("BRIDGE_ALLOWED_ORIGINS", "https://*.altinn.no", "name each origin"),
        ("BRIDGE_PLATFORM_URL", "https://user:hidden@platform.example", "without a user name"),
        ("BRIDGE_PLATFORM_URL", "platform.example", "such as https://"),
        ("BRIDGE_PLATFORM_URL", "https://platform.example:99999", "such as https://"),
        ("BRIDGE_ALTINN3_APPS_URL", "https://apps.example/{org}", "{app}"),
        ("BRIDGE_ALTINN3_APPS_URL", "https://apps.example/{org}/{application}", "{app}"),
        ("BRIDGE_DATABASE_URL", "mysql://host/base", "postgresql://"),
        ("BRIDGE_DATABASE_URL", "sqlite:///:memory:", "sqlite:///file"),
        ("BRIDGE_WEB_PROCESSES", "2", "PostgreSQL"),
        ("BRIDGE_WORKER", "separate", "PostgreSQL"),
        ("BRIDGE_WORKER", "inside", "'embedded' or 'separate'"),
        ("BRIDGE_THREADS", "32", "more than BRIDGE_MAX_WAITING"),
        ("BRIDGE_RETRY_FIRST", "1e3", "a number from"),
        ("BRIDGE_MAX_FORM", "20000001", "at most BRIDGE_MAX_BODY"),
        ("BRIDGE_MAX_BODY", "²", "a whole number"),
        ("BRIDGE_MAPPINGS", "no/such/folder", "no folder"),
        ("BRIDGE_LISTEN", "0.0.0.0:0", "host:port"),
        ("BRIDGE_LOG_LEVEL", "loud", "debug"),
    ],
)
def test_a_wrong_value_is_told_with_a_remedy(variable: str, value: str, hint: str):
    """The fault names the variable and says what to write."""
    found = faults(TT02 | {variable: value})

    assert list(found) == [variable]
    assert hint in found[variable]


def test_the_sandbox_refuses_plain_http_elsewhere():
    """Only this machine is reached without TLS, also in a sandbox."""
    found = faults(SANDBOX | {"BRIDGE_PLATFORM_URL": "http://127.0.0.1.example:80"})

    assert list(found) == ["BRIDGE_PLATFORM_URL"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("-----BEGIN PRIVATE KEY-----", "JWK"),
        ("[]", "RSA"),
        (KEY.replace("RSA", "EC"), "RSA"),
        (KEY.replace("kid", "id"), "no kid"),
        (KEY.replace('"d"', '"p"'), "not a private key"),
    ],
    ids=["pem", "list", "elliptic", "no-kid", "public"],
)
def test_a_key_of_wrong_shape_is_never_quoted(key: str, hint: str):
    """What is wrong with a key is told without a piece of it."""
    message = faults(TT02 | {"BRIDGE_MASKINPORTEN_KEY": key})["BRIDGE_MASKINPORTEN_KEY"]

    assert hint in message
    assert "not-a-key-at-all" not in message


def test_a_secret_is_read_from_a_file(tmp_path: Path):
    """The line break at the end of the file is not part of the secret."""
    (tmp_path / "key").write_text("from-a-file\n")
    environ = {name: value for name, value in TT02.items() if name != "BRIDGE_ALTINN2_API_KEY"}

    settings = Settings.from_environ(environ | {"BRIDGE_ALTINN2_API_KEY_FILE": str(tmp_path / "key")})

    assert settings.altinn2_api_key == Secret("from-a-file")


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("BRIDGE_ALTINN2_API_KEY_FILE", "not both"),
        ("BRIDGE_DATABASE_URL_FILE", "cannot be read"),
        ("BRIDGE_LISTEN_FILE", "only secrets"),
    ],
)
def test_a_file_is_refused_with_a_reason(tmp_path: Path, variable: str, hint: str):
    """Both at once, a missing file, and a file for what is no secret."""
    found = faults(TT02 | {variable: str(tmp_path / "missing")})

    assert list(found) == [variable]
    assert hint in found[variable]


def test_no_secret_shows_in_repr():
    """Settings may be printed."""
    settings = Settings.from_environ(
        TT02 | {"BRIDGE_DATABASE_URL": "postgresql://bridge:pa:ss@w@db.example/bridge?password=hidden"}
    )

    shown = f"{settings!r} {settings} {settings.altinn2_api_key}"

    assert "db.example" in shown
    assert not [secret for secret in ("pa:ss", "hidden", "0A1B", "not-a-key") if secret in shown]


def test_postgresql_changes_who_does_the_work():
    """With a database server there are several processes and workers of their own."""
    settings = Settings.from_environ(TT02 | {"BRIDGE_DATABASE_URL": "postgresql://bridge@db.example/bridge"})

    assert settings.database_url == "postgresql+psycopg://bridge@db.example/bridge"
    assert settings.on_postgresql
    assert (settings.web_processes, settings.worker) == (2, WorkerMode.SEPARATE)


def test_sqlite_is_the_default_store():
    """Without a database there is one process that does everything."""
    settings = Settings.from_environ(TT02 | {"BRIDGE_WORKER": "", "BRIDGE_THREADS": " "})

    assert settings.database_url == "sqlite:///bridge.sqlite"
    assert (settings.web_processes, settings.worker, settings.threads) == (1, WorkerMode.EMBEDDED, 64)


POSTGRESQL = {"BRIDGE_DATABASE_URL": "postgresql://bridge@db.example/bridge"}
BREAKING = {
    "one-web-process-on-sqlite": {"BRIDGE_WEB_PROCESSES": "2"},
    "worker-embedded-on-sqlite": {"BRIDGE_WORKER": "separate"},
    "threads-beyond-waiting": {"BRIDGE_THREADS": "8", "BRIDGE_MAX_WAITING": "8"},
    "time-for-a-second-try": {"BRIDGE_GIVE_UP_AFTER": "2", "BRIDGE_RETRY_FIRST": "2"},
    "form-within-body": {"BRIDGE_MAX_FORM": "11", "BRIDGE_MAX_BODY": "10"},
    "login-needs-user": {"BRIDGE_ALTINN2_LOGIN": "password", "BRIDGE_ALTINN2_PASSWORD": "invented"},
    "login-needs-password": {"BRIDGE_ALTINN2_LOGIN": "enterprise_user", "BRIDGE_ALTINN2_USER": "invented"},
    "login-needs-certificate": {
        "BRIDGE_ALTINN2_LOGIN": "certificate",
        "BRIDGE_ALTINN2_USER": "invented",
        "BRIDGE_ALTINN2_PASSWORD": "invented",
    },
    "health-apart": {"BRIDGE_HEALTH_LISTEN": "127.0.0.1:9", "BRIDGE_LISTEN": "127.0.0.1:9"},
    "drafts-need-public-url": {"BRIDGE_DRAFTS_EVERY": "60"},
    "https-altinn2_url": {"BRIDGE_ALTINN2_URL": "http://altinn2.example"},
    "https-altinn3_apps_url": {"BRIDGE_ALTINN3_APPS_URL": "http://apps.example/{org}/{app}"},
    "https-platform_url": {"BRIDGE_PLATFORM_URL": "http://platform.example"},
    "https-dialogporten_url": {
        "BRIDGE_DIALOGPORTEN_URL": "http://dialogporten.example",
        "BRIDGE_DIALOGPORTEN_ISSUER": "https://dialogporten.example",
    },
    "https-dialogporten_issuer": {"BRIDGE_DIALOGPORTEN_ISSUER": "http://dialogporten.example"},
    "https-maskinporten_url": {"BRIDGE_MASKINPORTEN_URL": "http://maskinporten.example"},
    "https-allowed_origins": {"BRIDGE_ALLOWED_ORIGINS": "https://one.example, http://two.example"},
    "https-public_url": {"BRIDGE_PUBLIC_URL": "http://bridge.example"},
}
"""What breaks each rule in tt02; those of the sandbox are broken by the same addresses."""


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_a_broken_rule_is_told_once(rule: Rule):
    """At its setting and nowhere else, also when another setting has a fault of its own."""
    there = SANDBOX if rule.name.startswith("loopback-") else TT02
    breaking = BREAKING[rule.name.replace("loopback-", "https-")]

    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environ(there | breaking | {"BRIDGE_LOG_LEVEL": "loud"})

    told = [fault.where for fault in caught.value.faults]
    assert told == ["BRIDGE_LOG_LEVEL", f"BRIDGE_{rule.at.upper()}"]


def test_every_rule_has_a_name_and_looks_at_settings():
    """A rule about what is no setting would never be broken."""
    fields = {each.field for each in SETTINGS}

    assert {name for rule in RULES for name in (rule.at, *rule.beside)} <= fields
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        ({"BRIDGE_DRAFTS_EVERY": "60", "BRIDGE_PUBLIC_URL": "bridge.example"}, "such as https://"),
        (
            {"BRIDGE_ALTINN2_LOGIN": "password", "BRIDGE_ALTINN2_PASSWORD": "a\tb", "BRIDGE_ALTINN2_USER": "x"},
            "printable",
        ),
    ],
)
def test_what_is_wrong_is_not_called_missing(environ: dict[str, str], hint: str):
    """One fault for one mistake: who wrote a wrong address is not told to give one."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environ(TT02 | environ)

    (fault,) = caught.value.faults
    assert hint in fault.message


@pytest.mark.parametrize("variable", [each.name for each in SETTINGS if each.kind.limits is not None])
def test_limits_are_told_as_they_are_taken(variable: str):
    """A limit can be copied out of the fault: it has no exponent."""
    (setting,) = (each for each in SETTINGS if each.name == variable)
    message = faults(TT02 | {variable: "-1"})[variable]

    for limit in message.rpartition(" from ")[2].split(" to "):
        setting.kind.parse(limit)
