"""Who works on an operation, and what they may write: one worker at a time, one operation of a dialog at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bridge.core.cases import ArchivedCopy
from bridge.core.changes import OperationChange
from bridge.core.errors import BridgeError
from bridge.core.operations import Operation, Outcome, Stage, Upload
from bridge.engine import Attempt
from bridge.parts import Bridge
from bridge.storage.dead_letters import ERASED
from bridge.storage.store import Transaction
from bridge.storage.uploads import Uploads

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

NOTHING_MORE = OperationChange()


class LeaseLost(BridgeError):
    """Another worker holds the operation now: stop, and write nothing more."""


def acquire(bridge: Bridge, operation_id: UUID, attempt: int) -> Operation | None:
    """
    Take hold of an operation for this worker.

    None when there is nothing to do in this run: it is finished, a later attempt was asked for, or an earlier
    operation of its dialog is not finished. In the last case it is parked, and asked for when that one ends.
    """
    now = bridge.clock()
    with bridge.store.transaction() as tx:
        operation = tx.operation(operation_id)
        if operation is None or operation.stage is Stage.FINISHED or operation.attempt != attempt:
            return None
        tx.lock_dialog(operation.dialog_id)
        if tx.earlier_unfinished(operation):
            tx.update(operation.id, now=now, waiting=True)
            return None
        tx.acquire(operation.id, holder=bridge.holder, now=now)
        return operation


def write(
    bridge: Bridge,
    operation: Operation,
    change: OperationChange,
    *,
    copy: ArchivedCopy | None = None,
    signed_anew: bool = False,
    brought: Sequence[Upload] = (),
) -> Operation:
    """
    Record how far *operation* is: on its row, on its dialog's link the archived *copy*, what it *brought* on theirs.

    All or nothing: after a crash between them nothing would look for the copy again. *signed_anew* says that what was
    signed before counts no more. The result is the operation as it stands then.

    Raises:
        LeaseLost: It is no longer ours, and nothing was recorded.
    """
    now = bridge.clock()
    if change.stage is Stage.SYNC:
        # Telling has a time of its own: what took a day to be carried out, or to fail, is told for another.
        change = replace(change, tried_since=now)
    if change.outcome in (Outcome.DONE, Outcome.REPEATED):
        # A no to a later try, noted while the first one was still out, is no longer true.
        change = replace(change, problem=None)
    with bridge.store.transaction() as tx:
        record(bridge, tx, operation, change=change, now=now)
        for upload in brought:
            Uploads(tx).brought(upload, now=now)
        if copy is not None:
            tx.record_archive(operation.dialog_id, copy)
        if signed_anew:
            tx.forget_signers(operation.required_case)
    return change.to(operation)


def record(bridge: Bridge, tx: Transaction, operation: Operation, *, change: OperationChange, now: datetime) -> None:
    """Record *change* within a transaction of the caller's. Raises LeaseLost where the operation is not ours."""
    if not tx.update(operation.id, now=now, held_by=bridge.holder, **change.values()):
        raise LeaseLost(str(operation.id))


def ask_again(bridge: Bridge, operation: Operation, *, moment: datetime, failed: str | None) -> None:
    """Leave *operation* to a later run, not before *moment*; *failed* says why, if something did."""
    now = bridge.clock()
    failure = NOTHING_MORE if failed is None else OperationChange(tries=operation.tries + 1, last_error=failed)
    with bridge.store.transaction() as tx:
        attempt = operation.attempt + 1
        if not tx.update(operation.id, now=now, held_by=bridge.holder, attempt=attempt, **failure.values()):
            return
        bridge.queue.enqueue(tx.connection, next_run(operation, delay=max(moment - now, timedelta(0))))


def finish(bridge: Bridge, operation: Operation, also: OperationChange) -> None:
    """
    Close *operation* with what is *also* written, erase who asked and what they sent, and let the dialog's next begin.

    Who signed is remembered, as a digest, as long as the signature counts, or nobody knows whether it took.
    """
    given = operation.outcome is Outcome.DONE
    uncertain = operation.outcome is Outcome.GIVEN_UP and operation.sending_at is not None
    signer = operation.signer if given or uncertain else ""
    _close(bridge, operation, {**ERASED, "signer": signer, **also.values()})


def set_aside(
    bridge: Bridge, operation: Operation, *, stage: Stage, why: str, also: OperationChange = NOTHING_MORE
) -> None:
    """
    Make *operation* a dead letter, which goes on with *stage* when an operator says so, and let the next one begin.

    It keeps who asked, and as long as it was not carried out what they sent.
    """
    sent = {"body": None, "manifest": None, "sent_forms": None} if stage is Stage.SYNC else {}
    dead = {"dead_at": bridge.clock(), "dead_stage": stage, "dead_why": why}
    _close(bridge, operation, {**dead, **sent, **also.values()})
    log.error("set aside until an operator decides: altinn-bridge operations show", why=why, stage=stage.value)


def _close(bridge: Bridge, operation: Operation, values: Mapping[str, object]) -> None:
    now = bridge.clock()
    with bridge.store.transaction() as tx:
        tx.lock_dialog(operation.dialog_id)
        written = tx.update(
            operation.id, now=now, held_by=bridge.holder, stage=Stage.FINISHED, finished_at=now, **values
        )
        if not written:
            raise LeaseLost(str(operation.id))
        following = tx.next_waiting(operation.dialog_id)
        if following is not None:
            tx.update(following.id, now=now, waiting=False, attempt=following.attempt + 1)
            bridge.queue.enqueue(tx.connection, next_run(following))
    bridge.finished.tell(operation.id)
    if following is not None:
        bridge.wake()


def run_of(operation: Operation) -> Attempt:
    """Make the run of the operation's present attempt."""
    return Attempt(
        operation_id=operation.id,
        attempt=operation.attempt,
        dialog_id=operation.dialog_id,
        sequence=operation.sequence,
    )


def next_run(operation: Operation, *, delay: timedelta = timedelta(0)) -> Attempt:
    """Make the run that comes after the operation's present attempt."""
    return Attempt(
        operation_id=operation.id,
        attempt=operation.attempt + 1,
        dialog_id=operation.dialog_id,
        sequence=operation.sequence,
        caller=operation.actor or "",
        rank=1,  # It has waited already.
        delay=delay,
    )
