"""What a step writes of an operation, as one value: by its members, and for each event of a delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any

from bridge.core.delivery import Event, Manifest, Phase, step
from bridge.core.elements import Form
from bridge.core.operations import Operation, Outcome, Stage
from bridge.core.problems import Problem


class Kept(Enum):
    """Marks a member that keeps the value which its row has."""

    KEPT = "kept"


KEPT = Kept.KEPT


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OperationChange:
    """Members of an operation's row that are written together; None is written, ``KEPT`` is not."""

    stage: Stage | Kept = KEPT
    outcome: Outcome | Kept = KEPT
    problem: Problem | Kept | None = KEPT
    state_after: str | Kept | None = KEPT
    archived_id: str | Kept | None = KEPT
    left_on: datetime | Kept | None = KEPT
    tries: int | Kept = KEPT
    tried_since: datetime | Kept = KEPT
    last_error: str | Kept | None = KEPT
    sending_at: datetime | Kept | None = KEPT
    answered_at: datetime | Kept | None = KEPT
    may_arrive_until: datetime | Kept | None = KEPT
    uncertain_at: datetime | Kept | None = KEPT
    built_on: datetime | Kept | None = KEPT
    manifest: Manifest | Kept | None = KEPT
    sent_forms: tuple[Form, ...] | Kept = KEPT
    """Written together with ``held_forms``, which lie with them."""
    held_forms: tuple[Form, ...] | Kept = KEPT
    awaits_upload_since: datetime | Kept | None = KEPT
    differences: Mapping[str, object] | Kept = KEPT
    results: Mapping[str, str] | Kept = KEPT
    left_out: Sequence[str] | Kept | None = KEPT

    def __repr__(self) -> str:
        return f"OperationChange({', '.join(self.values())})"

    def values(self) -> dict[str, Any]:
        """The members that are written, by their names."""
        named = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: value for name, value in named if value is not KEPT}

    def to(self, operation: Operation) -> Operation:
        """*operation* as it stands once this is written."""
        return replace(operation, **self.values())


def set_out(
    operation: Operation,
    event: Event,
    *,
    now: datetime,
    until: datetime,
    built_on: datetime | None,
    manifest: Manifest | None,
    forms: tuple[Form, ...],
    before: tuple[Form, ...],
) -> OperationChange:
    """
    A write is about to set out: it may take effect *until*, and *manifest* and *forms* are to be there then.

    *before* are those of the forms that are there now, as they are. A write without forms leaves both as they were
    kept: a signature may follow the forms that it signs.
    """
    following = step(operation.phase, event).phase
    resumed = operation.phase is Phase.UPDATING_FORMS or not forms
    return OperationChange(
        sending_at=now,
        may_arrive_until=until,
        # Until now the dialog may have been told of others' writes only.
        uncertain_at=None if operation.sending_at is None else operation.uncertain_at,
        built_on=built_on,
        answered_at=None,
        manifest=None if manifest is None else manifest.in_phase(following),
        sent_forms=forms or operation.sent_forms,
        held_forms=operation.held_forms if resumed else before,
    )


def set_out_again(operation: Operation, *, now: datetime, until: datetime) -> OperationChange:
    """A form sets out that is put back."""
    step(operation.phase, Event.SENT_BACK)
    return OperationChange(sending_at=now, may_arrive_until=until)


def answered(operation: Operation, *, at: datetime, archived_id: str | None) -> OperationChange:
    """The write was answered with a yes, and with the id of a copy where it made one."""
    step(operation.phase, Event.ANSWERED)
    return OperationChange(answered_at=at, archived_id=archived_id, may_arrive_until=None)


def never_left(operation: Operation, before: Operation) -> OperationChange:
    """The write did not leave us: only what was out *before* is out, so the next try need not wait for it to settle."""
    step(operation.phase, Event.NEVER_LEFT)
    if operation.phase is Phase.ROLLING_BACK:
        return OperationChange(may_arrive_until=None)
    return OperationChange(sending_at=before.sending_at, may_arrive_until=before.may_arrive_until)


def unanswered(operation: Operation, *, until: datetime | None) -> OperationChange:
    """No answer came, and the write may take effect *until*; None where it is at its end."""
    step(operation.phase, Event.UNKNOWN)
    return OperationChange(may_arrive_until=until)


def refused(operation: Operation, before: Operation, *, now: datetime, problem: Problem) -> OperationChange:
    """The write was refused, and is at its end; one from *before* may still arrive, and is not sent a third time."""
    step(operation.phase, Event.REFUSED)
    if operation.phase is Phase.ROLLING_BACK:
        return OperationChange(may_arrive_until=None)
    until = before.may_arrive_until
    open_ = until is not None and now < until
    return OperationChange(may_arrive_until=until, problem=problem if open_ else KEPT)


def form_refused(operation: Operation, *, problem: Problem) -> OperationChange:
    """One form was refused after others were written, which are now to be put back."""
    following = step(operation.phase, Event.FORM_REFUSED).phase
    manifest = operation.manifest
    return OperationChange(manifest=None if manifest is None else manifest.in_phase(following), problem=problem)


def seen(operation: Operation, event: Event, *, last_changed: datetime | None) -> OperationChange:
    """
    What was written is seen, or that it does not matter any more: nothing is out, and what follows is built on that.

    Once what was completed was seen whole its forms have been compared, and a no to a repeat of it is not true.
    """
    following = step(operation.phase, event).phase
    whole = event is Event.SEEN_WHOLE
    return OperationChange(
        sending_at=None,
        answered_at=None,
        may_arrive_until=None,
        built_on=last_changed,
        manifest=None if operation.manifest is None else operation.manifest.in_phase(following),
        sent_forms=() if whole else KEPT,
        held_forms=() if whole else KEPT,
        problem=None if whole else KEPT,
    )


def ended(
    operation: Operation,
    *,
    outcome: Outcome,
    state_after: str | None,
    archived_id: str | Kept | None = KEPT,
    problem: Problem | Kept | None = KEPT,
    left_on: datetime | Kept | None = KEPT,
) -> OperationChange:
    """It has ended, and the dialog is to be told."""
    step(operation.phase, Event.ENDED)
    return OperationChange(
        stage=Stage.SYNC,
        outcome=outcome,
        state_after=state_after,
        archived_id=archived_id,
        problem=problem,
        left_on=left_on,
        may_arrive_until=None,
        tries=0,
    )
