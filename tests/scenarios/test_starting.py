"""A process says what it is when it starts, and in the log, line by line, why it does not."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bridge.core.errors import ConfigurationError, Fault, Unreachable
from bridge.core.secret import Secret
from bridge.serving import refuse_taken
from bridge.starting import say_parts, say_start, told_in_the_log
from bridge.wiring import credential_faults
from tests.scenarios.stage import Stage


def test_each_fault_is_a_line_of_the_log():
    """And the process ends with 2, without a traceback."""
    faults = [Fault(where="BRIDGE_LISTEN", message="write host:port"), Fault(where="m.yaml:1:1", message="it is empty")]

    with capture_logs() as lines, pytest.raises(SystemExit) as ended, told_in_the_log():
        raise ConfigurationError(faults)

    assert ended.value.code == 2
    assert [(each["where"], each["fault"]) for each in lines] == [
        ("BRIDGE_LISTEN", "write host:port"),
        ("m.yaml:1:1", "it is empty"),
    ]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unreachable("the database", "it is starting up"), {"system": "the database", "why": "it is starting up"}),
        (sa.exc.TimeoutError("secret"), {"why": "the database: others hold it, and did not let go in time"}),
        (RuntimeError("secret"), {"error": "RuntimeError"}),
    ],
)
def test_what_is_away_or_unforeseen_is_a_line_as_well(error: Exception, told: dict[str, str]):
    """It ends with 1: the same start may go well later. What an error quotes is not told."""
    with capture_logs() as lines, pytest.raises(SystemExit) as ended, told_in_the_log():
        raise error

    assert ended.value.code == 1
    assert len(lines) == 1
    assert told.items() <= lines[0].items()
    assert "secret" not in str(lines)


def test_a_start_says_where_it_listens_and_whom_it_talks_to(stage: Stage):
    """Everything that an operator would ask first, and no password."""
    settings = replace(stage.settings, database_url="postgresql+psycopg://me:hemmelig@db.example.no:5433/bridge")

    with capture_logs() as lines:
        say_start("altinn-bridge serve", settings, listens=["127.0.0.1:8080"])

    start, talks = lines
    assert start["process"] == "altinn-bridge serve"
    assert start["listens"] == ["127.0.0.1:8080"]
    assert start["database"] == "postgresql db.example.no:5433/bridge"
    assert talks["altinn2"] == settings.altinn2_url
    assert talks["dialogporten"] == settings.dialogporten_url
    assert "hemmelig" not in str(lines)


def test_a_start_says_which_services_it_knows(stage: Stage):
    """By their files, with the service of Altinn 2 and the actions."""
    with capture_logs() as lines:
        say_parts(stage.bridge)

    assert [(each["service"], each["altinn2"], each["actions"]) for each in lines] == [
        ("urn:altinn:resource:serveringsbevilling", "5701/1", ["submit", "send-to-signing", "sign"])
    ]
    assert Path(lines[0]["file"]).name == "serveringsbevilling.yaml"


def test_an_address_that_is_taken_is_told_at_once():
    """With the setting that names it, and the reason."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"

        with pytest.raises(ConfigurationError) as refused:
            refuse_taken({"BRIDGE_LISTEN": "127.0.0.1:0", "BRIDGE_HEALTH_LISTEN": taken})

    (fault,) = refused.value.faults
    assert fault.where == "BRIDGE_HEALTH_LISTEN"
    assert fault.message == f"nobody can listen at {taken}: Address already in use"


@pytest.mark.parametrize(
    ("content", "expected"),
    [("no PEM", "must hold a certificate and the key"), (None, "it cannot be read: No such file or directory")],
)
def test_a_certificate_that_cannot_be_used_is_told(stage: Stage, tmp_path: Path, content: str | None, expected: str):
    """Before anybody is shown it, and without its content."""
    path = tmp_path / "client.pem"
    if content is not None:
        path.write_text(content)

    (fault,) = credential_faults(replace(stage.settings, altinn2_certificate=path))

    assert fault.where == "BRIDGE_ALTINN2_CERTIFICATE"
    assert expected in fault.message


def test_a_key_that_only_looks_like_one_is_told(stage: Stage):
    """The shape of a JWK passes the settings; that it is no key shows when it is read."""
    key = '{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB","d":"AQAB"}'

    (fault,) = credential_faults(replace(stage.settings, maskinporten_key=Secret(key)))

    assert str(fault) == "BRIDGE_MASKINPORTEN_KEY: it looks like a JWK and cannot be read as a private RSA key"
