"""While a write may still arrive: say in the dialog that nobody knows yet, and never that nothing was sent."""

import structlog

from bridge.core.dialogs import SERVICE_OWNER, Activity
from bridge.core.errors import Rejected, UpstreamError
from bridge.core.ids import derived_id
from bridge.core.operations import Operation
from bridge.core.states import TEXTS
from bridge.parts import Bridge
from bridge.steps.holding import write

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

OPEN = "outcome_open"


def tell_that_it_is_open(bridge: Bridge, operation: Operation) -> None:
    """
    Add one activity to the dialog, once: it ends the wait of the page that pressed, and keeps its user from repeating.

    What fails is tried at the next look, and holds nothing up.
    """
    if operation.uncertain_at is not None:
        return
    now = bridge.clock()
    activity = Activity(
        id=derived_id(operation.accepted_at, str(operation.id), OPEN),
        type="Information",
        created_at=now,
        performed_by=SERVICE_OWNER,
        description=TEXTS[OPEN],
    )
    log.warning("a write may still arrive, and nothing else is sent for its element", until=operation.may_arrive_until)
    try:
        bridge.dialogporten.add_activity(operation.dialog_id, activity, revision=None, silent=True)
    except Rejected as error:
        # It stands there already, or cannot: the dialog is told at the end all the same.
        log.info("the dialog was not told that the outcome is open", reason=error.reason)
    except UpstreamError as error:
        log.warning("the dialog could not be told that the outcome is open", why=type(error).__name__)
        return
    write(bridge, operation, uncertain_at=now)
