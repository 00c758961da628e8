"""After a write: what the element shows of it, held against what was sent, before anybody calls it done."""

from datetime import datetime

import structlog

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.cases import CaseStatus
from bridge.core.decision import Took
from bridge.core.delivery import Verification, verify
from bridge.core.elements import Element
from bridge.core.errors import OutcomeUnknown
from bridge.core.mapping import Verb
from bridge.core.operations import Outcome
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.endings import changed, lost, refuse, took
from bridge.steps.drivers.altinn2.looking import copy_named, decided, or_none
from bridge.steps.drivers.altinn2.recovery import already_applied, is_our_write
from bridge.steps.drivers.altinn2.requests import LOOK_BACK
from bridge.steps.drivers.altinn2.signatures import has_signed_it
from bridge.steps.drivers.altinn2.verification import missing_values

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def read_back(delivery: Delivery, location_id: str | None) -> datetime | None:
    """
    End, after a yes, with what the element shows, or the copy that the answer named.

    Raises:
        OutcomeUnknown: It shows nothing of what was sent.
        UpstreamError: It could not be read.
    """
    bridge, operation = delivery.bridge, delivery.operation
    after = None if location_id is None else or_none(lambda: copy_named(delivery, location_id))
    if after is None:
        after = or_none(lambda: bridge.altinn2.read(ElementKey.of(operation.required_case), content=False))
    if after is None and delivery.action.verb is not Verb.DELETE:
        after = bridge.altinn2.find_archived(
            ElementKey.of(operation.required_case), since=operation.accepted_at - LOOK_BACK
        )
    match decided(delivery, after):
        case Took() as result:
            return confirmed(delivery, result, after)
        case _ if after is not None and was_lost(delivery, after):
            return lost(delivery, after)
        case _:
            # It said yes, and nothing moved: that is for the next try to look into.
            raise OutcomeUnknown("Altinn 2", "accepted a PUT, but the element does not show it", under_way=False)


def confirmed(delivery: Delivery, result: Took, after: Element | None) -> datetime | None:
    """
    End as done only when all that was carried is seen to be there, and to be ours.

    Raises:
        UpstreamError: It could not be read.
        Incomparable: A form cannot be compared, so nobody can say whose it is.
    """
    bridge, operation, manifest = delivery.bridge, delivery.operation, delivery.operation.manifest
    if manifest is None or result.outcome is not Outcome.DONE:
        return took(delivery, result, after)
    if after is not None and after.listed_attachments is None:
        key = ElementKey.of(after.case)
        after = or_none(lambda: bridge.altinn2.read(key, content=False))
    shown = Verification.NOT_SHOWN if after is None else verify(manifest, after)
    if after is None or shown is Verification.NOT_SHOWN:
        # A service that keeps no copy answers a completing PUT without Location (facts/altinn2.md 2.7).
        log.info("what was sent cannot be looked at any more: the service keeps no copy")
        return took(delivery, result, after)
    silent = operation.sending_at if operation.answered_at is None else None
    if silent and not is_our_write(delivery, after, exactly=delivery.may_arrive):
        settled = silent + bridge.settle
        return settled if bridge.clock() < settled else changed(delivery, after)
    if shown is Verification.LOST:
        return lost(delivery, after)
    if gone := missing_values(delivery, after):
        return lost(delivery, after, gone)
    return took(delivery, result, after)


def repeated(delivery: Delivery, result: Took, element: Element | None) -> datetime | None:
    """End as done before; not where other content stands there, or where it was not this person who signed."""
    if not already_applied(delivery, element):
        return refuse(delivery, "element_wrong_state", element=element, state=result.state)
    if result.state is CaseStatus.ARCHIVED and not has_signed_it(delivery):
        return refuse(delivery, "signature_not_needed", element=element, state=result.state)
    return confirmed(delivery, result, element)


def was_lost(delivery: Delivery, element: Element) -> bool:
    """Whether a PUT that went out left the element without something, wherever it took it."""
    operation = delivery.operation
    if operation.manifest is None or operation.sending_at is None or operation.built_on == element.last_changed:
        return False
    return verify(operation.manifest, element) is Verification.LOST


def left_behind(delivery: Delivery, element: Element) -> bool:
    """Whether what changed an element that was to be completed was our own PUT, which did not complete it."""
    operation = delivery.operation
    if delivery.action.verb is not Verb.PUT or operation.sending_at is None or delivery.may_arrive:
        return False
    return operation.answered_at is not None or is_our_write(delivery, element, exactly=True)
