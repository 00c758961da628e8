"""Answers that are no answers become errors of ``core.errors``, by the catalogue of ``core/altinn2_errors``."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

from bridge.adapters.altinn2.wire import SYSTEM, field, is_html, json_or_none
from bridge.adapters.http.call import Answer, retry_after
from bridge.core.altinn2_errors import Next, known_words, row_for
from bridge.core.errors import (
    BridgeError,
    CredentialsRefused,
    Missing,
    OutcomeUnknown,
    Rejected,
    Unreachable,
    UpstreamError,
)
from bridge.core.ids import mask_identity_numbers
from bridge.core.upstream_pause import Why

# Names and positions only: a predicate could hold a value.
_XPATH = re.compile(r"/?[\w.:*-]+(?:\[\d{1,6}\])?(?:/@?[\w.:*-]+(?:\[\d{1,6}\])?)*")
# Whoever writes a form or a path makes up its own: no reader knows what they stand for.
_PREFIX = re.compile(r"(?<![^/@])[\w.-]+:")
_CLOSED = re.compile(
    r"altinn\s*(?:2|ii)\s+(?:er|ble|vart|is|was|has\s+been)\s+(?:nå\s+|no\s+|now\s+)?"
    r"(?:stengt|avviklet|avvikla|avslutta|avsluttet|lagt\s+ned|closed|shut\s+down|discontinued|retired)"
)
MAINTENANCE_TAKES = timedelta(minutes=1)
"""How long a system that is down for maintenance is left alone where it does not say."""
_PAGE = 64 * 1024
_MAINTENANCE = re.compile(r"vedlike?hald|vedlikehold|maintenance")
_NOT_FOR_GOOD = re.compile(r"vedlike?hald|vedlikehold|maintenance|type=[\"']?password")


class UnsafeUpdate(BridgeError, ValueError):
    """An order whose PUT would delete what Altinn 2 holds; nothing was sent."""


class ListTruncated(Rejected):
    """Altinn 2 left elements out of a list, however narrow it was asked for: not being in it proves nothing."""


def raise_for(answer: Answer, *, writes: bool, now: datetime, html: bool = False) -> None:
    """
    Raise what *answer* stands for, unless it is a good one; with *html* a page is a good one, too.

    Raises:
        UpstreamError: By the catalogue; a page in the place of an answer is a login page or the closed system.
    """
    if is_html(answer) and not html:
        page = answer.body.decode("utf-8", "replace").casefold()
        if _CLOSED.search(page) and not _NOT_FOR_GOOD.search(page):
            raise Rejected(SYSTEM, "a page says that it is closed", status=answer.status, reason="gone")
        if answer.status < 300:
            raise Unreachable(SYSTEM, "login page", status=answer.status)
    if answer.status >= 300:
        raise failure(answer, writes=writes, now=now)


def pause_in(answer: Answer, now: datetime) -> tuple[timedelta, Why] | None:
    """Say for how long *answer* asks to be left alone, and why; None where it does not."""
    if answer.status not in (429, 503):
        return None
    wait = retry_after(answer.headers, now)
    page = answer.body[:_PAGE].decode("utf-8", "replace") if is_html(answer) else ""
    if answer.status == 503 and _MAINTENANCE.search(f"{_explanation(answer)} {page}".casefold()):
        return wait or MAINTENANCE_TAKES, Why.MAINTENANCE
    return (wait, Why.THROTTLED) if wait else None


def failure(answer: Answer, *, writes: bool, now: datetime) -> UpstreamError:
    """Give the error for *answer*. Its detail is for the operator: its kind, and the words that quote nobody."""
    explanation = _explanation(answer)
    status, row = answer.status, row_for(answer.status, explanation)
    detail = f"{status} {row.reason}: {known_words(explanation)}"[:300]
    match row.writing if writes else row.reading:
        case Next.UNREACHABLE:
            detail = "login page" if row.reason == "login_page" else detail
            return Unreachable(SYSTEM, detail, status=status, retry_after=retry_after(answer.headers, now))
        case Next.UNKNOWN:
            return OutcomeUnknown(SYSTEM, detail, status=status)
        case Next.REJECTED:
            keys = _invalid_paths(answer) if row.reason == "form_invalid" else ()
            return Rejected(SYSTEM, detail, status=status, reason=row.reason, keys=keys)
        case Next.CREDENTIALS:
            return CredentialsRefused(SYSTEM, detail, status=status, reason=row.reason)
        case Next.MISSING:
            return Missing(SYSTEM, detail, status=status, reason=row.reason)
        case other:
            assert_never(other)


def paths_in(body: object, name: str = "ValidationErrors") -> tuple[str, ...]:
    """Give where a form is at fault, in the body's three known envelopes; messages may hold values and stay out."""
    errors = field(body, name) if isinstance(body, Mapping) else body
    if not isinstance(errors, list):
        return ()
    entries = [entry for entry in errors if isinstance(entry, Mapping)]
    found = [field(entry, "FieldXPath") or field(entry, "FieldName") for entry in entries]
    paths = [mask_identity_numbers(path) for path in found if isinstance(path, str) and _XPATH.fullmatch(path)]
    return tuple(dict.fromkeys(_PREFIX.sub("", path) for path in paths))


def _invalid_paths(answer: Answer) -> tuple[str, ...]:
    return paths_in(json_or_none(answer))


def _explanation(answer: Answer) -> str:
    """Give the reason phrase, and the message of the newer APIs' error model where that stands in the body."""
    body = json_or_none(answer)
    message = field(body, "ErrorMessage") if isinstance(body, Mapping) else None
    if isinstance(message, str) and message not in answer.reason:
        return f"{answer.reason} {message}"
    return answer.reason
