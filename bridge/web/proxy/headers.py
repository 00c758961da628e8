"""Which headers go on to an app, and which come back from it (RFC 9110, 7.6)."""

import re
from collections.abc import Collection, Iterable, Iterator

import structlog

from bridge.core.problems import Refusal

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")

Header = tuple[str, str]

# RFC 9110, 7.6.1; and what others claim of the way here, which the app might believe.
_NOT_PASSED = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "host",
        "content-length",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-real-ip",
        # End-user systems of Altinn 2 send it, and Altinn 3 answers 410 to it (facts 4.3).
        "x-altinn-enterpriseuser-authentication",
    }
)
# The server that passes the answer on writes its own.
_NOT_RETURNED = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "trailer",
        "upgrade",
        "date",
        "server",
    }
)
# What goes on beside the bridge's own token: what the form is, how to answer, and whose it is. An app may believe any
# other header, and would believe the bridge.
_PASSED_WITH_OWN_TOKEN = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "content-type",
        "party",
        "prefer",
        "traceparent",
        "tracestate",
        "user-agent",
    }
)
_BOUND_TO_ROOT = "__host-"
"""A browser keeps a cookie of such a name for the whole host only (RFC 6265bis, 4.1.3.2)."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[ \t\x21-\x7e\x80-\xff]*")


def passed_on(headers: Iterable[Header], *, own: bool, besides: Collection[str] = ()) -> list[Header]:
    """
    What goes on: all but what belongs to this connection, and *besides*.

    Beside the bridge's *own* token only what is known goes.
    """
    headers = list(headers)
    left_out = {*_NOT_PASSED, *_of_this_connection(headers), *besides}
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in left_out and (not own or name.lower() in _PASSED_WITH_OWN_TOKEN)
    ]


def returned(headers: Iterable[Header], *, app: str, own: bool) -> Iterator[Header]:
    """
    What comes back from *app*.

    A cookie is the caller's and this app's: all apps share the bridge's host, so it is bound to the app's own path;
    and what an app sets beside the bridge's *own* token is the bridge's.

    Raises:
        Refusal: 502 where a header is none, so that no server would send it.
    """
    headers = list(headers)
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers):
        log.warning("an app's answer has a header that is none", app=app)
        raise Refusal("app_answer_invalid", 502)
    left_out = {*_NOT_RETURNED, *_of_this_connection(headers)}
    lengths = [value.strip() for name, value in headers if name.lower() == "content-length"]
    if any(name.lower() == "transfer-encoding" for name, _ in headers) or not all(map(str.isdecimal, lengths)):
        # Chunks say better how long it is (RFC 9112, 6.3).
        left_out.add("content-length")
    for name, value in headers:
        if name.lower() in left_out:
            continue
        if name.lower() != "set-cookie":
            yield name, value
            continue
        cookie, *attributes = (part.strip() for part in value.split(";"))
        if own or cookie.lower().startswith(_BOUND_TO_ROOT):
            log.info("a cookie of an app was left out", app=app)
            continue
        kept = [each for each in attributes if each.partition("=")[0].strip().lower() not in ("path", "domain")]
        yield name, "; ".join((cookie, *kept, f"Path=/{app}"))


def phrase(reason: str) -> str:
    """A status' words, or none where they cannot be sent."""
    return reason if _VALUE.fullmatch(reason) else ""


def _of_this_connection(headers: Iterable[Header]) -> set[str]:
    """Name what an answer or request says itself to be for this connection alone."""
    named = ",".join(value for name, value in headers if name.lower() == "connection")
    return {each.strip().lower() for each in named.split(",")}
