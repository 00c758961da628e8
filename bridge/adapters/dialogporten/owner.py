"""Dialogporten's service-owner API: one dialog made, read, changed and deleted (facts/dialogporten.md 2)."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import requests
from requests.auth import AuthBase

from bridge.adapters.dialogporten.errors import (
    SYSTEM,
    existing_id,
    failure,
    json_or_none,
    met_another_write,
    problem_in,
)
from bridge.adapters.http.call import Answer, call, renewing
from bridge.core.clock import Clock
from bridge.core.dialogs import Activity, Dialog, activity_to_json, dialog_from_json
from bridge.core.errors import Missing, OutcomeUnknown, Rejected, Unreachable

OTHER_DIALOG = "it answered with another dialog than was asked for"

# A dialog and its transmissions grow without a documented limit; what is sent is 20 MB at most.
_DIALOG_BYTES = 64 * 1024 * 1024

# Of writes that meet at a dialog one gets through (facts/dialogporten.md 14.1), so that of eight the last has its try.
_TRIES = 8


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
    token is refused is made once more with a new one. *timeout* is seconds for one whole call, with all its tries.
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
        body = json_or_none(answer.body)
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
        result = self._created(own, body, silent=silent)
        if result.dialog_id is None:
            # The same words for the key of a deleted dialog, and of one that was made at the same moment: that one
            # has a name for who asks later.
            result = self._created(own, body, silent=silent)
        return result

    def _created(self, own: UUID, body: Mapping[str, object], *, silent: bool) -> CreateResult:
        answer = self._answer("POST", self._dialogs, writes=True, body=body, silent=silent)
        if 200 <= answer.status < 300:
            return CreateResult(dialog_id=own, made=True)
        error = failure(answer, writes=True, clock=self._clock)
        if not isinstance(error, Rejected) or error.reason != "already_exists":
            raise error
        if answer.status == 409:
            # A key of a living dialog; its id may one day stand in a member of its own (facts/dialogporten.md 2.6).
            return CreateResult(dialog_id=existing_id(answer.body), made=False)
        known = any("('id')" in text for text in problem_in(answer.body).texts)
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

        for left in reversed(range(_TRIES)):
            began = self._monotonic()
            answer = renewing(self._auth, once)
            ended = self._monotonic()
            # Nothing was written, and what names no revision does not depend on what others wrote. A try that may
            # be cut short is not begun: what became of it nobody could say.
            if (
                not left
                or not writes
                or revision is not None
                or not met_another_write(answer)
                or ends - ended < ended - began
            ):
                break
        return answer


def _revision(answer: Answer) -> str | None:
    return answer.headers.get("Etag", "").strip().removeprefix("W/").strip('"').lower() or None
