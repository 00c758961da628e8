"""Dialogporten's service-owner API: one dialog made, read, changed and deleted (facts/dialogporten.md 2)."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_never
from uuid import UUID

import requests
from requests.auth import AuthBase

from bridge.adapters.http.call import Answer, call, renewing, retry_after
from bridge.core.clock import Clock
from bridge.core.dialogs import Activity, Dialog, activity_to_json, dialog_from_json
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
OTHER_DIALOG = "it answered with another dialog than was asked for"

# A dialog and its transmissions grow without a documented limit; what is sent is 20 MB at most.
_DIALOG_BYTES = 64 * 1024 * 1024

# Of writes that meet at a dialog one gets through (facts/dialogporten.md 14.1), so that of eight the last has a turn.
_TURNS = 8

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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
class _Problem:
    """A problem document's ``errors``: keys without what stands before them, and all texts in small letters."""

    keys: tuple[str, ...]
    texts: tuple[str, ...]


def _any(_: _Problem) -> bool:
    return True


def _unsaid(problem: _Problem) -> bool:
    """Without a word, since it was not even asked what the call is about (facts/dialogporten.md 2.2)."""
    return not problem.keys


def _under(*tails: str) -> Callable[[_Problem], bool]:
    """Keys carry a prefix that differs between calls, so their last part counts (facts/dialogporten.md 2.5)."""
    return lambda problem: any(_tail(key) in tails for key in problem.keys)


def _saying(words: str) -> Callable[[_Problem], bool]:
    return lambda problem: bool(problem.texts) and all(words in text for text in problem.texts)


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class _Row:
    first: int
    last: int
    fits: Callable[[_Problem], bool]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResult:
    """
    What a POST came to. *made* is False when a dialog stood there already: under *dialog_id*, or, where that is None,
    a deleted one under an id that Dialogporten does not tell.
    """

    dialog_id: UUID | None
    made: bool


class DialogportenClient:
    """
    A service owner's access to its dialogs.

    *base_url* is what stands before ``/api/v1``. *auth* adds the bearer token; where it is renewable, a call whose
    token is refused is made once more with a new one. *timeout* is seconds for one whole call, with all its turns.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        auth: AuthBase | None,
        clock: Clock,
        timeout: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._auth, self._clock, self._timeout = session, auth, clock, timeout
        self._monotonic = monotonic
        self._dialogs = f"{base_url.rstrip('/')}/api/v1/serviceowner/dialogs"

    def get(self, dialog_id: UUID, *, within: float | None = None) -> Dialog:
        """
        The dialog; a soft-deleted one as well, with ``deleted_at``. *within* is seconds, where less than usual.

        Raises:
            Missing: It is not there, or another service owner's (``not_found``).
            Rejected: ``forbidden``, or an answer that cannot be a dialog (``unreadable``).
            CredentialsRefused: The token, or its scopes: ``not_authenticated``, ``scope_missing``. So for every call.
            Unreachable: Ask again later; also where the answer is another dialog.
        """
        answer = self._call("GET", f"{self._dialogs}/{dialog_id}", writes=False, within=within)
        body = _json(answer.body)
        if not isinstance(body, Mapping):
            raise Unreachable(SYSTEM, "the answer is not a JSON object", status=answer.status)
        try:
            dialog = dialog_from_json(body, revision=_revision(answer))
        except ValueError as error:
            # Not attached: it may quote what it could not read.
            detail = f"the dialog cannot be read ({type(error).__name__})"
            raise Rejected(SYSTEM, detail, status=answer.status, reason="unreadable") from None
        if dialog.id != dialog_id:
            # Whatever mixed up the answers, a cache or a proxy: nothing of it is used, and it may be right next time.
            raise Unreachable(SYSTEM, OTHER_DIALOG, status=answer.status)
        return dialog

    def create(self, body: Mapping[str, object], *, silent: bool) -> CreateResult:
        """
        Make the dialog of *body*, which names its own ``id`` and ``idempotentKey``, so that a repeat is recognised.

        Raises:
            Rejected: ``invalid``, ``unprocessable``, ``forbidden`` and others; a dialog that stands already is none.
            Unreachable: Nothing was written; try later.
            OutcomeUnknown: It may have been made: send the same again.
        """
        own = UUID(str(body["id"]))
        stands = self._created(own, body, silent=silent)
        if stands.dialog_id is None:
            # The same words for the key of a deleted dialog, and of one that was made at the same moment: that one
            # has a name for who asks later.
            stands = self._created(own, body, silent=silent)
        return stands

    def _created(self, own: UUID, body: Mapping[str, object], *, silent: bool) -> CreateResult:
        answer = self._answer("POST", self._dialogs, writes=True, body=body, silent=silent)
        if 200 <= answer.status < 300:
            return CreateResult(dialog_id=own, made=True)
        error = failure(answer, writes=True, clock=self._clock)
        if not isinstance(error, Rejected) or error.reason != "already_exists":
            raise error
        if answer.status == 409:
            # A key of a living dialog; its id may one day stand in a member of its own (facts/dialogporten.md 2.6).
            return CreateResult(dialog_id=_existing_id(answer.body), made=False)
        known = any("('id')" in text for text in _problem(answer.body).texts)
        return CreateResult(dialog_id=own if known else None, made=False)

    def delete(self, dialog_id: UUID, *, revision: str, silent: bool) -> None:
        """
        Delete a dialog softly; one that is deleted already is a success.

        Raises:
            Conflict: The dialog has another revision.
            Missing: It is not there (``not_found``).
            Rejected, Unreachable, OutcomeUnknown: As for ``patch``.
        """
        try:
            self._call("DELETE", f"{self._dialogs}/{dialog_id}", writes=True, revision=revision, silent=silent)
        except Missing as error:
            if error.reason != "deleted":
                raise

    def restore(self, dialog_id: UUID) -> None:
        """
        Undo a soft deletion; a dialog that is not deleted stays as it is.

        Raises:
            Conflict, Missing, Rejected, Unreachable, OutcomeUnknown: As for ``patch``.
        """
        self._call("POST", f"{self._dialogs}/{dialog_id}/actions/restore", writes=True)

    def patch(
        self, dialog_id: UUID, operations: Sequence[Mapping[str, object]], *, revision: str, silent: bool
    ) -> str | None:
        """
        Apply RFC 6902 *operations* to the dialog as it stood at *revision*, all of them or none.

        Returns the new revision, or None where nothing changed: Dialogporten found no difference, and so told
        nobody. Without operations nothing is sent.

        Raises:
            Conflict: The dialog has another revision: read again, compute again.
            Missing: It is not there (``not_found``), or no longer (``deleted``).
            Rejected: ``already_exists`` (an earlier attempt got through: read again), ``name_lookup_failed`` (no name
                found for an actor; may be tried again much later), ``invalid``, ``frozen`` and others.
            Unreachable: Nothing was written; try later.
            OutcomeUnknown: It may have been written: read again.
        """
        if not operations:
            return None
        answer = self._call(
            "PATCH",
            f"{self._dialogs}/{dialog_id}",
            writes=True,
            body=list(operations),
            revision=revision,
            silent=silent,
        )
        after = _revision(answer)
        if after is None:
            raise OutcomeUnknown(SYSTEM, "the answer names no revision", status=answer.status)
        return None if after == revision.lower() else after

    def add_activity(self, dialog_id: UUID, activity: Activity, *, revision: str | None, silent: bool) -> None:
        """
        Append one activity; *revision* None leaves it open what the dialog says meanwhile.

        Raises:
            Conflict, Missing, Unreachable, OutcomeUnknown: As for ``patch``.
            Rejected: ``already_exists`` means that it stands there already; the others as for ``patch``.
        """
        self._call(
            "POST",
            f"{self._dialogs}/{dialog_id}/activities",
            writes=True,
            body=activity_to_json(activity),
            revision=revision,
            silent=silent,
        )

    def add_label(self, dialog_id: UUID, label: str) -> None:
        """
        Add one service-owner label, which changes neither the dialog's revision nor anything that its users see.

        Raises:
            Rejected: ``invalid``: it stands there already, or there are too many.
            Conflict, Missing, Unreachable, OutcomeUnknown: As for ``patch``.
        """
        self._call("POST", f"{self._dialogs}/{dialog_id}/context/labels", writes=True, body={"value": label})

    def _call(
        self,
        method: str,
        url: str,
        *,
        writes: bool,
        body: object = None,
        revision: str | None = None,
        silent: bool = False,
        within: float | None = None,
    ) -> Answer:
        answer = self._answer(method, url, writes=writes, body=body, revision=revision, silent=silent, within=within)
        if not 200 <= answer.status < 300:
            raise failure(answer, writes=writes, clock=self._clock)
        return answer

    def _answer(
        self,
        method: str,
        url: str,
        *,
        writes: bool,
        body: object = None,
        revision: str | None = None,
        silent: bool = False,
        within: float | None = None,
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if revision is not None:
            headers["If-Match"] = revision  # A bare UUID: quotes are refused (facts/dialogporten.md 2.3).

        ends = self._monotonic() + (self._timeout if within is None else min(within, self._timeout))

        def once() -> Answer:
            return call(
                self._session,
                method,
                url,
                system=SYSTEM,
                writes=writes,
                headers=headers,
                params={"isSilentUpdate": "true"} if silent else None,
                data=None if body is None else json.dumps(body).encode(),
                auth=self._auth,
                deadline_seconds=max(0.001, ends - self._monotonic()),
                max_bytes=_DIALOG_BYTES,
            )

        for left in reversed(range(_TURNS)):
            began = self._monotonic()
            answer = renewing(self._auth, once)
            ended = self._monotonic()
            # Nothing was written, and what names no revision does not depend on what others wrote. A turn that may
            # be cut short is not begun: what became of it nobody could say.
            if not left or not writes or revision is not None or not _met(answer) or ends - ended < ended - began:
                break
        return answer


def failure(answer: Answer, *, writes: bool, clock: Clock) -> UpstreamError:
    """What an answer that is no success means, by the table above."""
    status, problem = answer.status, _problem(answer.body)
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


def _problem(body: bytes) -> _Problem:
    """The errors of a problem document, or of the plain dictionary that answers a patch which does not apply."""
    document = _json(body)
    errors = document.get("errors", document if "title" not in document else {}) if isinstance(document, dict) else {}
    if not isinstance(errors, Mapping):
        return _Problem((), ())
    texts = [text for value in errors.values() for text in (value if isinstance(value, list) else [value])]
    return _Problem(
        tuple(str(key) for key in errors), tuple(text.casefold() for text in texts if isinstance(text, str))
    )


def _met(answer: Answer) -> bool:
    """Whether a write came to nothing because another one was under way."""
    return answer.status == 409 and _problem(answer.body).keys == ("",)


def _existing_id(body: bytes) -> UUID | None:
    """The id of the dialog that has the key: a member of its own, or the end of the text."""
    document = _json(body)
    told = document.get("dialogId") if isinstance(document, Mapping) else None
    texts = [told] if isinstance(told, str) else _problem(body).texts
    found = [match for text in texts for match in _UUID.findall(text.casefold())]
    # A key may itself look like an id, so the last one counts, where the text tells of the dialog.
    return UUID(found[-1]) if found else None


def _tail(key: str) -> str:
    return key.rpartition(".")[2].partition("[")[0].casefold()


def _revision(answer: Answer) -> str | None:
    return answer.headers.get("Etag", "").strip().removeprefix("W/").strip('"').lower() or None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
