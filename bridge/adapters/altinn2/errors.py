"""
Altinn 2's answers that are no answers: from status and reason phrase to what to do next (facts/altinn2.md 5).

Where the facts give no wording, the phrases are guesses by Altinn 2's own words (its engine's business errors), and
an answer that no row knows is refused.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import assert_never

from bridge.adapters.altinn2.phrases import known_words
from bridge.adapters.altinn2.wire import SYSTEM, field, is_html, json_or_none
from bridge.adapters.http.call import Answer, retry_after
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


class Next(Enum):
    """What an answer means for the call: errors of ``core.errors``, by name."""

    UNREACHABLE = "nothing was done"
    UNKNOWN = "it may have been done"
    REJECTED = "it will not be done"
    CREDENTIALS = "the bridge itself was refused"
    MISSING = "it is not there"


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class Row:
    """One kind of answer: statuses *first* to *last* whose phrase holds *phrase*, case aside."""

    first: int
    last: int
    phrase: str
    reading: Next
    writing: Next
    reason: str


_LATER, _UNKNOWN, _NO, _MISSING = Next.UNREACHABLE, Next.UNKNOWN, Next.REJECTED, Next.MISSING
_US = Next.CREDENTIALS

CATALOGUE: Sequence[Row] = (
    Row(300, 399, "", _LATER, _LATER, "login_page"),
    Row(400, 401, "form validation failed", _NO, _NO, "form_invalid"),  # 401 until release 20.5.
    Row(400, 400, "header 'apikey'", _US, _US, "not_configured"),
    Row(400, 400, "user profile could not be found", _NO, _NO, "no_profile"),
    Row(400, 400, "for top query", _NO, _NO, "bad_query"),
    Row(400, 400, "could not find property", _NO, _NO, "bad_query"),
    Row(400, 400, "syntax error at position", _NO, _NO, "bad_query"),
    # The form set (release 18.4), by the words of the facts: their exact text is not known.
    Row(400, 400, "mainform", _NO, _NO, "form_set"),
    Row(400, 400, "subform", _NO, _NO, "form_set"),
    # Payment, others' signatures, the element's own state: the engine's errors 14, 60035, 60036 and 60037.
    Row(400, 409, "payment", _NO, _NO, "payment"),
    Row(400, 409, "signature of others", _NO, _NO, "others_sign"),
    Row(400, 409, "already signed", _NO, _NO, "already_signed"),
    Row(400, 409, "already been archived", _NO, _NO, "already_archived"),
    Row(413, 413, "", _NO, _NO, "attachment_refused"),
    Row(400, 409, "attachment", _NO, _NO, "attachment_refused"),
    Row(400, 409, "file", _NO, _NO, "attachment_refused"),
    Row(401, 401, "certificate", _US, _US, "not_authenticated"),
    Row(401, 401, "level", _NO, _NO, "level_too_low"),
    Row(401, 401, "nivå", _NO, _NO, "level_too_low"),
    Row(401, 401, "", _US, _US, "not_authenticated"),
    Row(403, 403, "api key", _US, _US, "not_configured"),
    Row(403, 403, "authenticated", _US, _US, "not_authenticated"),  # Since release 21.7.
    Row(403, 403, "", _NO, _NO, "forbidden"),
    Row(404, 404, "", _MISSING, _MISSING, "not_found"),
    Row(408, 408, "", _LATER, _UNKNOWN, "timeout"),
    # For one element it may also be how an a-id answers once it is archived (facts/altinn2.md 10).
    Row(410, 410, "", _MISSING, _NO, "gone"),
    Row(429, 429, "", _LATER, _LATER, "too_many_requests"),
    Row(503, 503, "", _LATER, _LATER, "unavailable"),
    Row(500, 599, "", _LATER, _UNKNOWN, "server_error"),
    Row(0, 999, "", _NO, _NO, "rejected"),
)
"""The first row that fits counts."""


class UnsafeUpdate(BridgeError, ValueError):
    """An order whose PUT would delete what Altinn 2 holds; nothing was sent."""


class ListTruncated(Rejected):
    """Altinn 2 left elements out of a list, however narrow it was asked for: not being in it proves nothing."""


def raise_for(answer: Answer, *, writes: bool, now: datetime, html: bool = False) -> None:
    """
    Raise what *answer* stands for, unless it is a good one; with *html* a page is a good one, too.

    Raises:
        UpstreamError: By ``CATALOGUE``; a page in the place of an answer is a login page or the closed system.
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
    """For how long *answer* asks to be left alone, and why; None where it does not."""
    if answer.status not in (429, 503):
        return None
    wait = retry_after(answer.headers, now)
    page = answer.body[:_PAGE].decode("utf-8", "replace") if is_html(answer) else ""
    if answer.status == 503 and _MAINTENANCE.search(f"{_explanation(answer)} {page}".casefold()):
        return wait or MAINTENANCE_TAKES, Why.MAINTENANCE
    return (wait, Why.THROTTLED) if wait else None


def failure(answer: Answer, *, writes: bool, now: datetime) -> UpstreamError:
    """The error for *answer*. Its detail is for the operator: its kind, and the words that quote nobody."""
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


def row_for(status: int, phrase: str) -> Row:
    """What *status* with *phrase* (the reason phrase, and what an error body explains) means."""
    words = phrase.casefold()
    return next(row for row in CATALOGUE if row.first <= status <= row.last and row.phrase in words)


def paths_in(body: object, name: str = "ValidationErrors") -> tuple[str, ...]:
    """Where a form is at fault, in the body's three known envelopes; messages may hold values and stay out."""
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
    """The reason phrase, and the message of the newer APIs' error model where that stands in the body."""
    body = json_or_none(answer)
    message = field(body, "ErrorMessage") if isinstance(body, Mapping) else None
    if isinstance(message, str) and message not in answer.reason:
        return f"{answer.reason} {message}"
    return answer.reason
