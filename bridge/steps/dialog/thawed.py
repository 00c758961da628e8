"""Syncs that met a frozen dialog are tried again: Dialogporten says nowhere that one was thawed."""

import structlog

from bridge.core.operations import FROZEN
from bridge.parts import Bridge
from bridge.steps.lease import run_of
from bridge.storage.dead_letters import CannotBeDone, DeadLetters, Kind

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

AT_ONCE = 200


def retry_frozen(bridge: Bridge) -> int:
    """Let what waits for a frozen dialog try again, the oldest first; how much. What is frozen still comes back."""
    with bridge.store.reading() as tx:
        found = DeadLetters(tx).entries([Kind.DEAD], why=FROZEN, limit=AT_ONCE)
    asked = 0
    for entry in found:
        try:
            with bridge.store.transaction() as tx:
                operation = DeadLetters(tx).reopen(entry.operation.id, now=bridge.clock(), held=False)
                bridge.queue.enqueue(tx.connection, run_of(operation))
        except CannotBeDone as error:
            log.info("a frozen dialog is left for later", operation=str(entry.operation.id), why=str(error))
            continue
        asked += 1
    if asked:
        bridge.wake()
    return asked
