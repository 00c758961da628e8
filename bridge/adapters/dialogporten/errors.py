"""What Dialogporten's answers that are no success mean, by one table (facts/dialogporten.md 1.4-1.6, 2.10, 7)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import assert_never
from uuid import UUID

from bridge.adapters.http.call import Answer, retry_after
from bridge.core.clock import Clock
from bridge.core.errors import (
    Conflict,
    CredentialsRefused,
    Missing,
    OutcomeUnknown,
    Rejected,
    Unreachable,
    UpstreamError,
)
from bridge.core.ids import mask_identity_numbers

SYSTEM = "Dialogporten"

_UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY = re.compile(r"[\w.$\[\]-]{0,200}")


class _Next(Enum):
    """What an answer means for the call: errors of ``core.errors``, by name."""

    UNREACHABLE = "nothing was done"
    UNKNOWN = "it may have been done"
    REJECTED = "it will not be done"
    CONFLICT = "somebody else was first"
    MISSING = "it is not there"
    CREDENTIALS = "the bridge itself was refused"


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """A problem document's ``errors``: keys without what stands before them, and all texts in small letters."""

    keys: tuple[str, ...]
    texts: tuple[str, ...]


def _any(_: ProblemDocument) -> bool:
    return True


def _unsaid(problem: ProblemDocument) -> bool:
    """Without a word, since it was not even asked what the call is about (facts/dialogporten.md 2.2)."""
    return not problem.keys


def _under(*tails: str) -> Callable[[ProblemDocument], bool]:
    """Keys carry a prefix that differs between calls, so their last part counts (facts/dialogporten.md 2.5)."""
    return lambda problem: any(_tail(key) in tails for key in problem.keys)


def _saying(words: str) -> Callable[[ProblemDocument], bool]:
    return lambda problem: bool(problem.texts) and all(words in text for text in problem.texts)


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class _Row:
    first: int
    last: int
    fits: Callable[[ProblemDocument], bool]
    reading: _Next
    writing: _Next
    reason: str


_LATER, _UNKNOWN, _NO, _MISSING = _Next.UNREACHABLE, _Next.UNKNOWN, _Next.REJECTED, _Next.MISSING
_CONFLICT, _US = _Next.CONFLICT, _Next.CREDENTIALS

ERRORS: Sequence[_Row] = (
    _Row(300, 399, _any, _LATER, _LATER, "redirect"),
    _Row(400, 400, _any, _NO, _NO, "invalid"),
    _Row(401, 401, _any, _US, _US, "not_authenticated"),
    _Row(403, 403, _saying("frozen"), _NO, _NO, "frozen"),
    _Row(403, 403, _unsaid, _US, _US, "scope_missing"),
    _Row(403, 403, _any, _NO, _NO, "forbidden"),
    _Row(404, 404, _any, _MISSING, _MISSING, "not_found"),
    _Row(408, 408, _any, _LATER, _UNKNOWN, "timeout"),
    _Row(409, 409, _under("idempotentkey"), _NO, _NO, "already_exists"),
    # The empty key, and whatever else is new: read again, compute again.
    _Row(409, 409, _any, _CONFLICT, _CONFLICT, "conflict"),
    _Row(410, 410, _any, _MISSING, _MISSING, "deleted"),
    _Row(412, 412, _any, _CONFLICT, _CONFLICT, "conflict"),
    _Row(413, 413, _any, _NO, _NO, "too_large"),
    _Row(422, 422, _saying("already exists"), _NO, _NO, "already_exists"),
    _Row(422, 422, _under("actorid"), _NO, _NO, "name_lookup_failed"),
    _Row(422, 422, _any, _NO, _NO, "unprocessable"),
    _Row(429, 429, _any, _LATER, _LATER, "too_many_requests"),
    _Row(503, 503, _any, _LATER, _LATER, "unavailable"),
    _Row(500, 599, _any, _LATER, _UNKNOWN, "server_error"),
    _Row(0, 999, _any, _NO, _NO, "rejected"),
)
"""What to do next by status and problem; the first row that fits counts (facts/dialogporten.md 1.4-1.6, 2.10, 7)."""


def failure(answer: Answer, *, writes: bool, clock: Clock) -> UpstreamError:
    """What an answer that is no success means, by ``ERRORS``."""
    status, problem = answer.status, problem_in(answer.body)
    row = next(row for row in ERRORS if row.first <= status <= row.last and row.fits(problem))
    # The texts may quote what was sent, so only the keys are told.
    keys = tuple(mask_identity_numbers(key) for key in problem.keys if _KEY.fullmatch(key))
    detail = f"{status} {row.reason}" + (f" ({', '.join(keys[:20])})" if any(keys) else "")
    match row.writing if writes else row.reading:
        case _Next.UNREACHABLE:
            return Unreachable(SYSTEM, detail, status=status, retry_after=retry_after(answer.headers, clock()))
        case _Next.UNKNOWN:
            return OutcomeUnknown(SYSTEM, detail, status=status)
        case _Next.REJECTED:
            return Rejected(SYSTEM, detail, status=status, reason=row.reason, keys=keys)
        case _Next.CONFLICT:
            return Conflict(SYSTEM, detail, status=status, reason=row.reason, keys=keys)
        case _Next.CREDENTIALS:
            return CredentialsRefused(SYSTEM, detail, status=status, reason=row.reason)
        case _Next.MISSING:
            return Missing(SYSTEM, detail, status=status, reason=row.reason, keys=keys)
        case other:
            assert_never(other)


def problem_in(body: bytes) -> ProblemDocument:
    """The errors of a problem document, or of the plain dictionary that answers a patch which does not apply."""
    document = json_or_none(body)
    errors = document.get("errors", document if "title" not in document else {}) if isinstance(document, dict) else {}
    if not isinstance(errors, Mapping):
        return ProblemDocument((), ())
    texts = [text for value in errors.values() for text in (value if isinstance(value, list) else [value])]
    return ProblemDocument(
        tuple(str(key) for key in errors), tuple(text.casefold() for text in texts if isinstance(text, str))
    )


def met_another_write(answer: Answer) -> bool:
    """Whether a write came to nothing because another one was under way."""
    return answer.status == 409 and problem_in(answer.body).keys == ("",)


def existing_id(body: bytes) -> UUID | None:
    """The id of the dialog that has the key: a member of its own, or the end of the text."""
    document = json_or_none(body)
    named = document.get("dialogId") if isinstance(document, Mapping) else None
    texts = [named] if isinstance(named, str) else problem_in(body).texts
    found = [match for text in texts for match in _UUID_TEXT.findall(text.casefold())]
    # A key may itself look like an id, so the last one counts, where the text tells of the dialog.
    return UUID(found[-1]) if found else None


def _tail(key: str) -> str:
    return key.rpartition(".")[2].partition("[")[0].casefold()


def json_or_none(body: bytes) -> object:
    """*body* as JSON; None where it is none."""
    try:
        return json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
