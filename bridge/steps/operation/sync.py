"""How an operation ended goes into its dialog, without losing what others wrote meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bridge.core.cases import ArchivedCopy, CaseStatus
from bridge.core.changes import OperationChange
from bridge.core.dialog_plan import history_plan
from bridge.core.dialogs import DialogChange
from bridge.core.errors import Conflict, Missing, Rejected, Unreachable
from bridge.core.ladder import Rung, Step, history, step_on, without_history
from bridge.core.operations import FROZEN, TOLD_IN_PART, Operation, Outcome, Stage
from bridge.core.states import change_for
from bridge.parts import Bridge
from bridge.steps.dialog.deferred_activities import keep_for_later, without_names
from bridge.steps.dialog.update import (
    apply,
    delete_after_update,
    ended_before,
    note_thrown_away,
    plan_step,
    step_below,
    template_context,
)
from bridge.steps.drivers.registry import cases_of
from bridge.steps.lease import finish, set_aside
from bridge.steps.operation.agreed import telling

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

QUICK_TRIES = 5
"""How often a lost race is run again at once; after that it waits like any failure."""
SERVER_ERRORS, SERVER_TRIES = 2, 5
"""After so many answers 5xx to a PATCH in one try, and so many tries before it, less is written."""


@dataclass(slots=True)
class _Way:
    """How far down the ladder a sync has come, and whether it names who acted."""

    rung: Rung = Rung.WHOLE
    keys: Sequence[str] = ()
    refusal: Rejected | None = None
    named: bool = True
    server_errors: int = 0
    left_out: tuple[str, ...] = ()

    def step(self, whole: DialogChange) -> Step:
        """What to write next. Raises the last refusal where nothing is left."""
        step = step_on(whole, self.rung, self.keys)
        if self.refusal is not None:
            down = step_below(step, self.refusal)
            if down is None:
                raise self.refusal
            step, self.rung, self.keys, self.refusal = down, down.rung, self.refusal.keys, None
        self.left_out = step.left_out
        return step


def sync(bridge: Bridge, operation: Operation) -> datetime | None:
    """
    Bring the dialog up to date, and close the operation.

    The activity's id belongs to the operation, so a dialog that holds it was brought up to date, by whomever. Where
    Dialogporten does not take the whole, less and less of it is written.

    Raises:
        UpstreamError: The dialog could not be read or written; the next try reads first.
    """
    way, races = _Way(), 0
    while races < QUICK_TRIES:
        try:
            _update(bridge, operation, way)
        except Missing as error:
            # Nobody is left to read it: the outcome is in our own row.
            log.warning("the dialog is no longer there", reason=error.reason)
            way.rung, way.left_out = Rung.WHOLE, ()
        except Conflict as error:
            races += 1
            way.server_errors += error.status is not None and error.status >= 500
            if way.server_errors >= SERVER_ERRORS and operation.tries >= SERVER_TRIES:
                # It can be read, and every write of ours breaks it: that may be what we write.
                way.refusal = Rejected(error.system, error.detail, status=error.status, reason="server_error")
                way.server_errors = 0
            continue
        except Rejected as error:
            if error is way.refusal:
                raise
            if error.reason == "already_exists" and way.rung is not Rung.HISTORY:
                races += 1
                continue
            if error.reason == "name_lookup_failed" and way.named:
                way.named = False
                continue
            if error.reason == "frozen":
                # Only Altinn can thaw it (facts/dialogporten.md 2.6), so waiting would help nobody.
                log.error("the dialog is frozen, and was not told")
                _close(bridge, operation, aside=FROZEN)
                return None
            if error.reason != "already_exists":
                way.refusal = error
                continue
        if way.rung > Rung.WHOLE:
            bridge.metrics.left_out.labels(operation.service_resource, way.rung.name.lower()).inc()
        in_part = way.rung is Rung.HISTORY
        _close(bridge, operation, aside=TOLD_IN_PART if in_part else None, left_out=way.left_out)
        return None
    broken = way.server_errors > 0
    raise Unreachable("Dialogporten", "every write breaks it" if broken else "others kept writing to the dialog")


def why_given_up(operation: Operation) -> str:
    """Under which code a given up operation is found by an operator."""
    return "given_up" if operation.problem is None else operation.problem.code


def _update(bridge: Bridge, operation: Operation, way: _Way) -> None:
    unreadable = way.refusal is not None and way.refusal.reason == "unreadable"
    dialog = None
    if way.rung is not Rung.HISTORY and not unreadable:
        dialog = bridge.dialogporten.get(operation.dialog_id)
        if dialog.deleted_at is not None:
            log.warning("the dialog is deleted")
            way.rung, way.left_out = Rung.WHOLE, ()
            return
    change = _change(bridge, operation)
    step = way.step(change)
    if not way.named:
        step = _without_names(bridge, operation, step)
    plan = history_plan(operation.dialog_id, step) if dialog is None else plan_step(bridge, dialog, step)
    apply(bridge, plan)
    thrown_away = change.state == CaseStatus.DELETED.value and operation.outcome in _THROWN_AWAY
    if operation.case is not None and thrown_away:
        # Before the dialog goes: a run among drafts that meets it must not take this for somebody else's deletion.
        note_thrown_away(bridge, operation.dialog_id, operation.case)
    if change.deletes:
        delete_after_update(bridge, operation.dialog_id)


def _without_names(bridge: Bridge, operation: Operation, step: Step) -> Step:
    log.warning("no name was found for who acted; that is told later")
    keep_for_later(bridge, operation.dialog_id, step.change)
    return replace(step, change=without_names(step.change))


def _change(bridge: Bridge, operation: Operation) -> DialogChange:
    """What the dialog shall say of how the operation ended."""
    (mapping, action), offering = telling(bridge, operation)
    outcome = operation.outcome or Outcome.GIVEN_UP
    change = change_for(
        subject=template_context(
            bridge,
            mapping,
            operation.dialog_id,
            message_id=None if operation.case is None else operation.case.key,
            archived=_archived(operation),
            results=operation.results,
            offering=offering,
        ),
        action=action,
        outcome=outcome,
        code=None if operation.problem is None else operation.problem.code,
        state=CaseStatus(operation.state_after or CaseStatus.UNKNOWN.value),
        operation_id=str(operation.id),
        accepted_at=operation.accepted_at,
        actor=operation.actor or "",
        ended=ended_before(bridge, operation.dialog_id) if outcome in (Outcome.REFUSED, Outcome.GIVEN_UP) else (),
    )
    if _spoken_after(bridge, operation):
        # What was pressed later is written: how the dialog is left is not for this one to say.
        change = history(change)
    return without_history(change) if operation.left_out else change


_THROWN_AWAY = (Outcome.DONE, Outcome.REPEATED)


def _spoken_after(bridge: Bridge, operation: Operation) -> bool:
    if operation.sequence == 1:
        return False
    with bridge.store.reading() as tx:
        return tx.told_after(operation)


def _close(bridge: Bridge, operation: Operation, *, aside: str | None = None, left_out: tuple[str, ...] = ()) -> None:
    """Close the operation; *aside* says why an operator has to look at it before it is over."""
    said = OperationChange(left_out=list(left_out) or None)
    if operation.outcome is Outcome.GIVEN_UP and operation.dismissed_at is None:
        # The dialog says so, and nothing of what was accepted is lost with it.
        set_aside(bridge, operation, stage=Stage.DELIVER, why=why_given_up(operation), also=said)
    elif aside is not None:
        set_aside(bridge, operation, stage=Stage.SYNC, why=aside, also=said)
    else:
        finish(bridge, operation, said)
    outcome = "none" if operation.outcome is None else operation.outcome.value
    seconds = (bridge.clock() - operation.accepted_at).total_seconds()
    problem = None if operation.problem is None else operation.problem.code
    bridge.metrics.visible.labels(operation.service_resource, operation.action, outcome).observe(seconds)
    bridge.metrics.finished.labels(operation.service_resource, operation.action, outcome, problem or "").inc()
    log.info(
        "finished",
        action=operation.action,
        dialog=str(operation.dialog_id),
        outcome=outcome,
        problem=problem,
        milliseconds=round(seconds * 1000),
    )


def _archived(operation: Operation) -> ArchivedCopy | None:
    if operation.archived_id is None or operation.case is None:
        return None
    return cases_of(operation.case).archived_copy(operation.archived_id)
