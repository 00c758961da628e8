"""Hold what a restored store would do again."""

import structlog

from bridge.parts import Bridge
from bridge.storage.dead_letters import DeadLetters
from bridge.storage.mark import Found

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

HELD_AT_ONCE = 500


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
