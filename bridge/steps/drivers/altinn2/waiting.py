"""What stands before a delivery, or may still arrive: when to look again, and what the dialog is told meanwhile."""

from datetime import datetime, timedelta

import structlog

from bridge.core.changes import OperationChange
from bridge.core.decision import SOONEST, look_again
from bridge.core.problems import Refusal
from bridge.steps.arrivals import living_uploads, upload_silence
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.attachments import look_for_uploads
from bridge.steps.meanwhile import Behind, Open, tell_if_open, tell_what_is_open

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

UPLOAD_PAUSE, LONGEST_UPLOAD_PAUSE = timedelta(seconds=1), timedelta(seconds=5)
"""How long an operation waits before it looks again for an attachment that is on its way: at first, and at most."""


def before_delivery(delivery: Delivery) -> datetime | None:
    """
    When to look again for what must end first; None where nothing stands before the delivery.

    Raises:
        Refusal: ``upload_under_way``.
        UpstreamError: Altinn 2 could not be asked.
    """
    moment = _behind_upload(delivery)
    if moment is not None:
        return moment
    behind = _others_out(delivery)
    return None if behind is None else held_back(delivery, behind)


def _behind_upload(delivery: Delivery) -> datetime | None:
    """
    When to look again for an attachment that is on its way to the element: a PUT would overwrite it.

    None where there is none. It began before the press, since none begins beside one. One that does not move is taken
    for dead in a while; one that moves for longer than that ends the waiting.
    """
    bridge, operation = delivery.bridge, delivery.operation
    now, since = bridge.clock(), operation.awaits_upload_since
    with bridge.store.reading() as tx:
        uploading = tx.uploading(operation.required_case, living_uploads(bridge))
    if not uploading:
        if since is not None:
            delivery.recorded(OperationChange(awaits_upload_since=None))
        return None
    if since is None:
        log.info("waits for an attachment that is on its way", dialog=str(operation.dialog_id))
        delivery.recorded(OperationChange(awaits_upload_since=now))
        return now + UPLOAD_PAUSE
    if now - since > upload_silence(bridge):
        log.warning("an attachment is on its way for too long to wait for it", dialog=str(operation.dialog_id))
        raise Refusal("upload_under_way", 409)
    return now + min(max(UPLOAD_PAUSE, (now - since) / 5), LONGEST_UPLOAD_PAUSE)


def _others_out(delivery: Delivery) -> Behind | None:
    """What else nobody answered and may arrive at the element, and until when; None where nothing may."""
    bridge, operation, now = delivery.bridge, delivery.operation, delivery.bridge.clock()
    with bridge.store.reading() as tx:
        if tx.others_out(operation, since=now, now=now):
            return Behind(Open.OPERATION, tx.others_arrive_until(operation, now=now))
    until = max((until for _, until in look_for_uploads(bridge, operation.required_case)), default=None)
    return None if until is None else Behind(Open.ATTACHMENT, until)


def held_back(delivery: Delivery, behind: Behind) -> datetime:
    """Wait for what else may arrive at the element; the dialog is told, since that may take its time."""
    bridge, now = delivery.bridge, delivery.bridge.clock()
    if now >= delivery.operation.accepted_at + bridge.settle:
        tell_what_is_open(bridge, delivery.operation, behind.what, until=behind.until)
    soon = now + max(bridge.settle, SOONEST)
    return soon if behind.until is None else min(behind.until, soon)


def waits(delivery: Delivery, moment: datetime | None = None) -> datetime:
    """Wait for the delivery's own write until *moment*, or until it is time to look again; the dialog is told."""
    bridge = delivery.bridge
    tell_if_open(bridge, delivery.operation)
    return moment or look_again(delivery.operation, now=bridge.clock(), settle=bridge.settle)
