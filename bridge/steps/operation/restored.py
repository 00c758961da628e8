"""Hold what a restored store would do again."""

import structlog

from bridge.core.errors import UpstreamError
from bridge.core.ids import derived_id
from bridge.core.operations import HELD, Operation, Outcome, Stage
from bridge.parts import Bridge
from bridge.steps.lease import set_aside
from bridge.storage.dead_letters import DeadLetters
from bridge.storage.mark import Found

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

HELD_AT_ONCE = 500
_TOLD = (Outcome.DONE, Outcome.REPEATED, Outcome.REFUSED)


def hold(bridge: Bridge, found: Found) -> int:
    """Hold what was accepted before the restore and never sent, until an operator releases it; say how much."""
    held, some = 0, HELD_AT_ONCE
    while some == HELD_AT_ONCE:
        with bridge.store.transaction() as tx:
            some = len(
                DeadLetters(tx).hold_unsent(now=bridge.clock(), accepted_until=found.accepted_until, limit=HELD_AT_ONCE)
            )
        held += some
    log.error(
        "the store was restored: what was accepted before and never sent is held until it is released",
        why=found.why.value,
        held=held,
    )
    return held


def held_as_told(bridge: Bridge, operation: Operation) -> bool:
    """
    Hold an operation of which its dialog tells already, and say whether it was.

    Its activity's id is nobody else's, so the store that does not know of it is older than the dialog. Asked for
    what comes to be sent late, and not for what an operator let go on; a dialog that cannot be read holds up nothing.
    """
    if operation.sending_at is not None or operation.tried_since is not None:
        return False
    try:
        dialog = bridge.dialogporten.get(operation.dialog_id)
    except UpstreamError as error:
        log.warning("a dialog was not looked at before a late press", why=error.detail)
        return False
    ids = {derived_id(operation.accepted_at, str(operation.id), each.value) for each in _TOLD}
    if not ids & dialog.activity_ids:
        return False
    log.error("the dialog tells of an operation that the store has not carried out: it was restored")
    set_aside(bridge, operation, stage=Stage.DELIVER, why=HELD)
    return True
