"""While a write may still arrive: say what is waited for, in the dialog too, and never that nothing was sent."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import structlog

from bridge.core.changes import OperationChange
from bridge.core.decision import may_arrive
from bridge.core.dialogs import SERVICE_OWNER, Activity
from bridge.core.errors import Conflict, Rejected, UpstreamError
from bridge.core.ids import derived_id
from bridge.core.operations import Operation, Stage
from bridge.core.targets import Target
from bridge.core.texts.states import TEXTS
from bridge.parts import Bridge
from bridge.steps.arrivals import upload_silence
from bridge.steps.lease import write
from bridge.storage.uploads import Uploads

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


class Open(Enum):
    """What is not known yet; the value is the key of its text."""

    OUTCOME = "outcome_open"
    """Whether the operation's own write reached Altinn 2."""
    ATTACHMENT = "waits_for_attachment"
    """Whether an attachment did. Nothing of the operation was sent."""
    OPERATION = "waits_for_operation"
    """Whether another operation's write did. Nothing of this one was sent."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What an operation waits for, and how long at most; *until* None where nobody can say."""

    what: Open
    until: datetime | None


def waits_for(bridge: Bridge, operation: Operation) -> Behind | None:
    """What stands before *operation*; None where nothing does."""
    if operation.stage is not Stage.DELIVER or operation.outcome is not None:
        return None
    if operation.waiting:
        return Behind(Open.OPERATION, None)
    if operation.awaits_upload_since is not None:
        return Behind(Open.ATTACHMENT, operation.awaits_upload_since + upload_silence(bridge))
    meaning = operation.meaning
    if operation.case is None or (meaning is not None and meaning.target is Target.ALTINN3):
        return None
    now = bridge.clock()
    with bridge.store.reading() as tx:
        uploads = max((until for _, until in Uploads(tx).out(operation.required_case, now=now)), default=None)
        others = tx.others_arrive_until(operation, now=now)
    if others is not None:
        return Behind(Open.OPERATION, others)
    return None if uploads is None else Behind(Open.ATTACHMENT, uploads)


def tell_what_is_open(bridge: Bridge, operation: Operation, what: Open, *, until: datetime | None) -> None:
    """
    Add one activity to the dialog, once: it ends the wait of the page that pressed, and keeps its user from repeating.

    What fails is tried at the next look, and holds nothing up.
    """
    if operation.uncertain_at is not None:
        return
    now = bridge.clock()
    activity = Activity(
        id=derived_id(operation.accepted_at, str(operation.id), what.value),
        type="Information",
        created_at=now,
        performed_by=SERVICE_OWNER,
        description=TEXTS[what.value],
    )
    log.warning("a write may still arrive, and nothing else is sent for its element", what=what.value, until=until)
    try:
        bridge.dialogporten.add_activity(operation.dialog_id, activity, revision=None, silent=True)
    except Conflict:
        log.warning("the dialog could not be told what is open", what=what.value, why="Conflict")
        return
    except Rejected as error:
        # It stands there already, or cannot: the dialog is told at the end all the same.
        log.info("the dialog was not told what is open", what=what.value, reason=error.reason)
    except UpstreamError as error:
        log.warning("the dialog could not be told what is open", what=what.value, why=type(error).__name__)
        return
    write(bridge, operation, OperationChange(uncertain_at=now))


def tell_if_open(bridge: Bridge, operation: Operation) -> None:
    """Tell the dialog that the outcome is not known yet, once the operation's write has had its usual time."""
    now, sent = bridge.clock(), operation.sending_at
    if sent is not None and may_arrive(operation, now) and now >= sent + bridge.settle:
        tell_what_is_open(bridge, operation, Open.OUTCOME, until=operation.may_arrive_until)
