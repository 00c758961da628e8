"""Where an element stands: read in its place or as its archived copy, and what is known of one that is gone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.changes import OperationChange
from bridge.core.decision import Decision, Ended, decide
from bridge.core.elements import Element
from bridge.core.errors import Missing, Rejected, Unreachable, UpstreamError
from bridge.core.mapping import Verb
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery
from bridge.steps.dialog.ended import sent_before
from bridge.steps.drivers.altinn2.requests import LOOK_BACK, one_signature
from bridge.steps.meanwhile import tell_if_open

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def looked(delivery: Delivery) -> Element | None:
    """
    The element as it is; the dialog is told where a write may still arrive and nobody can see whether it did.

    Raises:
        UpstreamError: As for ``read``.
    """
    try:
        return read(delivery)
    except Unreachable:
        tell_if_open(delivery.bridge, delivery.operation)
        raise


def read(delivery: Delivery) -> Element | None:
    """
    The element without its content; if it has left its place, its archived copy.

    Raises:
        UpstreamError: Altinn 2 could not be asked.
    """
    bridge, operation = delivery.bridge, delivery.operation
    try:
        return bridge.altinn2.read(ElementKey.of(operation.required_case), content=False)
    except Missing:
        pass
    archived_id = operation.archived_id
    if archived_id is None and (link := delivery.link()) is not None:
        archived_id = link.archived_id
    # A copy may be gone as well: what is known without it is for the decision.
    copy = None if archived_id is None else or_none(lambda: copy_named(delivery, archived_id))
    return copy or bridge.altinn2.find_archived(
        ElementKey.of(operation.required_case), since=operation.accepted_at - LOOK_BACK
    )


def copy_named(delivery: Delivery, archived_id: str) -> Element | None:
    """The archived copy of that id; None where it is no copy of the operation's element."""
    operation = delivery.operation
    copy = delivery.bridge.altinn2.read(
        replace(ElementKey.of(operation.required_case), message_id=archived_id), content=False
    )
    if copy.is_of(operation.required_case):
        return copy
    log.error("the archived copy that Altinn 2 named is another element's", element=operation.required_case.key)
    if operation.archived_id == archived_id:
        delivery.recorded(OperationChange(archived_id=None))
    return None


def or_none(look: Callable[[], Element | None]) -> Element | None:
    """What *look* reads; None where Altinn 2 has nothing there."""
    try:
        return look()
    except Missing:
        return None


def decided(delivery: Delivery, element: Element | None) -> Decision:
    """Decide what to do about *element*, as it was just read."""
    bridge, operation, now = delivery.bridge, delivery.operation, delivery.bridge.clock()
    # Metadata is asked for only where it counts.
    one = not delivery.may_arrive or one_signature(bridge, delivery.mapping)
    ended = None if element is not None else _how_it_ended(delivery)
    return decide(delivery.action, operation, element, now=now, settle=bridge.settle, one_signature=one, ended=ended)


def _how_it_ended(delivery: Delivery) -> Ended | None:
    """
    How an element ended that is not to be found. What Altinn 2 answered with a yes needs no other witness.

    Raises:
        Unreachable: Altinn 2 does not list its bin now.
    """
    bridge, operation = delivery.bridge, delivery.operation
    if operation.answered_at is not None:
        return None
    ended = sent_before(bridge, operation.dialog_id, operation.required_case, but=operation.id)
    if ended is not None or delivery.action.verb is not Verb.DELETE:
        return ended
    try:
        since = operation.accepted_at - LOOK_BACK
        deleted = _deleted_before(bridge, operation.required_case, but=operation.id, since=since)
    except Rejected as error:
        log.warning("it cannot be seen whether an element that is gone was deleted", reason=error.reason)
        return None
    return Ended(CaseStatus.DELETED) if deleted else None


def _deleted_before(bridge: Bridge, case: CaseRef, *, but: UUID, since: datetime) -> bool:
    """
    Whether the element was deleted: by a press here that left it so last, or it lies in the bin since *since*.

    Raises:
        UpstreamError: Altinn 2 does not list its bin.
    """
    with bridge.store.reading() as tx:
        seen = (each for each in tx.last_states(case, but=but) if each != CaseStatus.UNKNOWN.value)
        last = next(seen, None)
    return last == CaseStatus.DELETED.value or bridge.altinn2.in_trash(ElementKey.of(case), since=since)


def first_look(delivery: Delivery, element: Element) -> Delivery:
    """
    The delivery with what it is built on, at its first look at *element*: what others changed since is not overwritten.

    A look that comes late, as after an outage or on a store that was restored, sees what became of the element since
    the press; where that was not a press before this one, what it is built on is gone, and the acceptance stands for
    it.
    """
    bridge, operation = delivery.bridge, delivery.operation
    latest = operation.accepted_at + timedelta(seconds=bridge.settings.clock_skew)
    if element.last_changed > latest:
        with bridge.store.reading() as tx:
            ours = tx.moved_by_us(operation)
        if not ours:
            return delivery.on(operation.accepted_at)
    return delivery.on(element.last_changed)


def is_late(delivery: Delivery) -> bool:
    """Whether so much time has passed since the press that others may have acted on the case."""
    skew = timedelta(seconds=delivery.bridge.settings.clock_skew)
    return delivery.bridge.clock() > delivery.operation.accepted_at + skew


@contextmanager
def kept(delivery: Delivery) -> Iterator[None]:
    """Record what the first look showed where a system fails before anything else is recorded."""
    operation = delivery.operation
    try:
        yield
    except UpstreamError:
        if operation.built_on is not None:
            with delivery.bridge.store.transaction() as tx:
                tx.keep_first_look(operation.id, operation.built_on)
        raise
