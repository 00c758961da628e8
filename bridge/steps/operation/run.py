"""One try of an operation: deliver, then sync, each recorded by the engine and told by our own row."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bridge.core.changes import OperationChange
from bridge.core.decision import look_again, may_arrive
from bridge.core.errors import Paused, Rejected, UpstreamError, place_of
from bridge.core.operations import NOT_TOLD, TOLD_IN_PART, Operation, Outcome, Stage
from bridge.core.problems import Problem
from bridge.core.retry import GiveUp, TryAt
from bridge.engine import Step
from bridge.parts import Bridge
from bridge.steps.alarm import alarm
from bridge.steps.lease import LeaseLost, acquire, ask_again, set_aside, write
from bridge.steps.operation.agreed import MappingGone
from bridge.steps.operation.deliver import deliver
from bridge.steps.operation.sync import sync, why_given_up
from bridge.storage.trouble import is_the_stores

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

ON = "on"
LATER = "later"
"""What a step answers to the engine: go on, or leave it to a later run."""

REFUSED_TRIES = 3
"""So often Dialogporten is asked to take what it refuses; then somebody has to look, and what waits behind goes on."""


def run_operation(bridge: Bridge, operation_id: UUID, attempt: int, *, step: Step) -> None:
    """Take the operation as far as it goes now. What cannot be done now is asked for again, with a wait."""
    with structlog.contextvars.bound_contextvars(operation=str(operation_id)):
        if step("deliver", lambda: _try(bridge, operation_id, attempt, stage=Stage.DELIVER, work=deliver)) == LATER:
            return
        step("sync", lambda: _try(bridge, operation_id, attempt, stage=Stage.SYNC, work=sync))


def _try(
    bridge: Bridge,
    operation_id: UUID,
    attempt: int,
    *,
    stage: Stage,
    work: Callable[[Bridge, Operation], datetime | None],
) -> str:
    operation = acquire(bridge, operation_id, attempt)
    if operation is None:
        return LATER
    if operation.stage is not stage:
        return ON
    failure: UpstreamError | None = None
    try:
        moment = work(bridge, operation)
        if moment is None:
            return ON
        bridge.metrics.retries.labels(stage.value, "settling").inc()
        ask_again(bridge, operation, moment=moment, failed=None)
        return LATER  # noqa: TRY300 - the way on is above
    except LeaseLost:
        log.warning("another worker took the operation over")
        return LATER
    except Paused as error:
        # Held back, which is no failed try. It looks again in time for a pause that is lifted by hand.
        log.info("held back", stage=stage.value, why=error.detail)
        wait = min(error.retry_after or timedelta(0), timedelta(seconds=bridge.settings.pause_look))
        bridge.metrics.retries.labels(stage.value, "paused").inc()
        ask_again(bridge, operation, moment=bridge.clock() + wait * (1 + bridge.jitter() / 10), failed=None)
        return LATER
    except UpstreamError as error:
        alarm(bridge, error)
        failure, why = error, f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 - the worker's outermost frame: nothing accepted may be lost to a fault
        # The text of an unforeseen error may hold anything; its type and place may not.
        failure, why = None, type(error).__name__
        log.error("a step failed unexpectedly", stage=stage.value, error=why, at=place_of(error))
        if not is_the_stores(error):
            bridge.metrics.unexpected.labels("step").inc()
    return _after_failure(bridge, operation, stage, failure=failure, why=why)


def _after_failure(
    bridge: Bridge, operation: Operation, stage: Stage, *, failure: UpstreamError | None, why: str
) -> str:
    decision = bridge.retry.after(
        failure,
        tries=operation.tries + 1,
        since=operation.tried_since or operation.accepted_at,
        now=bridge.clock(),
        jitter=bridge.jitter(),
    )
    if isinstance(decision, GiveUp):
        # This try may have sent something itself.
        with bridge.store.reading() as tx:
            operation = tx.operation(operation.id) or operation
    if isinstance(decision, GiveUp) and may_arrive(operation, bridge.clock()):
        # Whatever is told now, what is out may still make it untrue.
        decision = TryAt(look_again(operation, now=bridge.clock(), settle=bridge.settle))
    if stage is Stage.SYNC and isinstance(failure, Rejected) and operation.tries + 1 >= REFUSED_TRIES:
        decision = GiveUp()
    match decision:
        case TryAt(moment):
            log.warning("will be tried again", stage=stage.value, why=why, tries=operation.tries + 1)
            bridge.metrics.retries.labels(stage.value, "failure").inc()
            ask_again(bridge, operation, moment=moment, failed=why)
            return LATER
        case GiveUp() if stage is Stage.DELIVER:
            log.error("given up", stage=stage.value, why=why, tries=operation.tries + 1)
            code = "mapping_changed" if isinstance(failure, MappingGone) else "given_up"
            if operation.sending_at is not None:
                code = "outcome_uncertain"
            problem = Problem(code=code, status=409 if code == "mapping_changed" else 504)
            given_up = OperationChange(
                stage=Stage.SYNC, outcome=Outcome.GIVEN_UP, problem=problem, tries=0, last_error=why
            )
            write(bridge, operation, given_up)
            return ON
        case GiveUp():
            # The dialog cannot be told: the outcome stays as it is, and an operator may have it told later.
            log.error("the dialog could not be told", why=why, tries=operation.tries + 1)
            undone = operation.outcome is Outcome.GIVEN_UP and operation.dismissed_at is None
            set_aside(
                bridge,
                operation,
                stage=Stage.DELIVER if undone else Stage.SYNC,
                why=why_given_up(operation) if undone else TOLD_IN_PART if operation.left_out else NOT_TOLD,
                also=OperationChange(last_error=why),
            )
            return ON
