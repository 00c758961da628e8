"""Tell the dialog how an operation ended, without losing what others wrote meanwhile."""

from datetime import datetime

import structlog

from bridge.core.elements import ElementState
from bridge.core.errors import Conflict, Missing, Rejected, Unreachable
from bridge.core.operations import Operation, Outcome, Stage
from bridge.core.states import change_for
from bridge.parts import Bridge
from bridge.steps.agreed import telling
from bridge.steps.holding import finish, set_aside
from bridge.steps.naming import keep_for_later, without_names
from bridge.steps.telling import delete_told, ended_before, subject_of, tell

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

QUICK_TRIES = 5
"""How often a lost race is run again at once; after that it waits like any failure."""


def sync(bridge: Bridge, operation: Operation) -> datetime | None:
    """
    Bring the dialog up to date, and close the operation.

    The activity's id belongs to the operation, so a dialog that holds it was told already, by whomever.

    Raises:
        UpstreamError: The dialog could not be read or written; the next try reads first.
    """
    named = True
    for _ in range(QUICK_TRIES):
        try:
            _tell(bridge, operation, named=named)
        except Missing as error:
            # Nobody is left to tell: the outcome stands in our own row.
            log.warning("the dialog is no longer there", reason=error.reason)
        except Conflict:
            continue
        except Rejected as error:
            if error.reason == "already_exists":
                continue
            if error.reason == "name_lookup_failed" and named:
                named = False
                continue
            if error.reason != "frozen":
                raise
            # Only Altinn can thaw it (facts/dialogporten.md 2.6), so waiting would help nobody.
            log.error("the dialog is frozen, and was not told")
        _close(bridge, operation)
        return None
    raise Unreachable("Dialogporten", "others kept writing to the dialog")


def why_given_up(operation: Operation) -> str:
    """Say under which code a given up operation is found by an operator."""
    return "given_up" if operation.problem is None else operation.problem.code


def _tell(bridge: Bridge, operation: Operation, *, named: bool) -> None:
    dialog = bridge.dialogporten.get(operation.dialog_id)
    if dialog.deleted_at is not None:
        log.warning("the dialog is deleted")
        return
    (mapping, action), offering = telling(bridge, operation)
    outcome = operation.outcome or Outcome.GIVEN_UP
    change = change_for(
        subject=subject_of(
            bridge,
            mapping,
            operation.dialog_id,
            message_id=None if operation.element is None else operation.element.message_id,
            archived_id=operation.archived_id,
            results=operation.results,
            offering=offering,
        ),
        action=action,
        outcome=outcome,
        code=None if operation.problem is None else operation.problem.code,
        state=ElementState(operation.state_after or ElementState.UNKNOWN.value),
        operation_id=str(operation.id),
        accepted_at=operation.accepted_at,
        actor=operation.actor or "",
        ended=outcome in (Outcome.REFUSED, Outcome.GIVEN_UP) and ended_before(bridge, dialog.id),
    )
    if not named:
        log.warning("no name was found for who acted; that is told later")
        keep_for_later(bridge, operation.dialog_id, change)
        change = without_names(change)
    tell(bridge, dialog, change)
    if change.deletes:
        delete_told(bridge, dialog.id)


def _close(bridge: Bridge, operation: Operation) -> None:
    if operation.outcome is Outcome.GIVEN_UP and operation.dismissed_at is None:
        # The dialog says so, and nothing of what was accepted is lost with it.
        set_aside(bridge, operation, stage=Stage.DELIVER, why=why_given_up(operation))
    else:
        finish(bridge, operation)
    outcome = "none" if operation.outcome is None else operation.outcome.value
    seconds = (bridge.clock() - operation.accepted_at).total_seconds()
    bridge.metrics.visible.labels(operation.service_resource, operation.action, outcome).observe(seconds)
    log.info(
        "finished",
        action=operation.action,
        dialog=str(operation.dialog_id),
        outcome=outcome,
        problem=None if operation.problem is None else operation.problem.code,
        milliseconds=round(seconds * 1000),
    )
