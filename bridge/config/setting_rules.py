"""What settings need of each other: one rule for each thing that can be wrong between them."""

import ipaddress
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bridge.config.setting import PREFIX
from bridge.config.setting_choices import Altinn2Login, Environment, WorkerMode
from bridge.config.setting_declarations import SETTINGS, DeclaredSettings
from bridge.config.setting_kinds import ADDRESSES
from bridge.core.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must not be, at which setting it is told, and what to write instead."""

    name: str
    at: str
    """The field of the setting that has the fault."""
    beside: tuple[str, ...]
    """The fields of the others that it looks at."""
    broken: Callable[[DeclaredSettings], bool]
    words: str
    """With values of the settings in braces: ``{it.max_body}``."""


def broken_rules(settings: DeclaredSettings, known: Collection[str]) -> Iterator[Fault]:
    """The faults between *settings*, of which those in *known* have no fault of their own: no rule looks at others."""
    for rule in RULES:
        if {rule.at, *rule.beside} <= set(known) and rule.broken(settings):
            yield Fault(where=f"{PREFIX}{rule.at.upper()}", message=rule.words.format(it=settings))


def _login_by_user(settings: DeclaredSettings) -> bool:
    return settings.altinn2_login is not Altinn2Login.ORGANISATION


_WITH_THE_LOGIN = "must be given with BRIDGE_ALTINN2_LOGIN={it.altinn2_login.value}"


def _https(field: str) -> Rule:
    return Rule(
        name=f"https-{field}",
        at=field,
        beside=("environment",),
        broken=lambda it: it.environment is not Environment.SANDBOX and any(_plain_http(it, field)),
        words="write https://: plain http would show tokens and forms on the way",
    )


def _loopback(field: str) -> Rule:
    return Rule(
        name=f"loopback-{field}",
        at=field,
        beside=("environment",),
        broken=lambda it: it.environment is Environment.SANDBOX and not all(map(_is_loopback, _plain_http(it, field))),
        words="the sandbox takes http:// for this machine only: write https://",
    )


def _plain_http(settings: DeclaredSettings, field: str) -> Iterator[str]:
    value: object = getattr(settings, field)
    urls = value if isinstance(value, tuple) else (value,)
    return (url for url in urls if isinstance(url, str) and url.startswith("http://"))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_WITH_ADDRESSES = [each.field for each in SETTINGS if each.kind in ADDRESSES]

RULES: tuple[Rule, ...] = (
    Rule(
        name="one-web-process-on-sqlite",
        at="web_processes",
        beside=("database_url",),
        broken=lambda it: not it.on_postgresql and it.web_processes > 1,
        words="SQLite serves one process: write 1, or use PostgreSQL",
    ),
    Rule(
        name="worker-embedded-on-sqlite",
        at="worker",
        beside=("database_url",),
        broken=lambda it: not it.on_postgresql and it.worker is WorkerMode.SEPARATE,
        words="SQLite serves one process: write embedded, or use PostgreSQL",
    ),
    Rule(
        name="threads-beyond-waiting",
        at="threads",
        beside=("max_waiting",),
        broken=lambda it: it.threads <= it.max_waiting,
        words=(
            "write more than BRIDGE_MAX_WAITING, which is {it.max_waiting}: "
            "others would not be answered while they wait"
        ),
    ),
    Rule(
        name="time-for-a-second-try",
        at="give_up_after",
        beside=("retry_first",),
        broken=lambda it: it.give_up_after <= it.retry_first,
        words="write more than BRIDGE_RETRY_FIRST, which is {it.retry_first:g}: nothing would be tried twice",
    ),
    Rule(
        name="form-within-body",
        at="max_form",
        beside=("max_body",),
        broken=lambda it: it.max_form > it.max_body,
        words="write at most BRIDGE_MAX_BODY, which is {it.max_body}",
    ),
    Rule(
        name="login-needs-user",
        at="altinn2_user",
        beside=("altinn2_login",),
        broken=lambda it: _login_by_user(it) and it.altinn2_user is None,
        words=_WITH_THE_LOGIN,
    ),
    Rule(
        name="login-needs-password",
        at="altinn2_password",
        beside=("altinn2_login",),
        broken=lambda it: _login_by_user(it) and it.altinn2_password is None,
        words=_WITH_THE_LOGIN,
    ),
    Rule(
        name="login-needs-certificate",
        at="altinn2_certificate",
        beside=("altinn2_login",),
        broken=lambda it: it.altinn2_login is Altinn2Login.CERTIFICATE and it.altinn2_certificate is None,
        words=_WITH_THE_LOGIN,
    ),
    Rule(
        name="health-apart",
        at="health_listen",
        beside=("listen",),
        broken=lambda it: it.health_listen == it.listen,
        words="write another address than that of BRIDGE_LISTEN",
    ),
    Rule(
        name="drafts-need-public-url",
        at="public_url",
        beside=("drafts_every",),
        broken=lambda it: it.drafts_every > 0 and it.public_url is None,
        words="must be given with BRIDGE_DRAFTS_EVERY: the buttons lead there",
    ),
    *(make(field) for field in _WITH_ADDRESSES for make in (_https, _loopback)),
)
