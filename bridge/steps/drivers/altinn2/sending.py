"""One write: recorded before it is sent, sent, and its answer recorded, whichever it is."""

from dataclasses import replace
from datetime import datetime

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.cases import CaseStatus
from bridge.core.decision import Took
from bridge.core.delivery import LOOKED_AT, Phase
from bridge.core.elements import Element, aim
from bridge.core.errors import Missing, OutcomeUnknown, Rejected, Unreachable
from bridge.core.operations import Outcome
from bridge.core.problems import Refusal
from bridge.steps.arrivals import latest_arrival
from bridge.steps.delivery import Delivery, PlannedWrite
from bridge.steps.dialog.look import DialogLook
from bridge.steps.drivers.altinn2.endings import end, refused
from bridge.steps.drivers.altinn2.looking import decided, read
from bridge.steps.drivers.altinn2.planning import planned
from bridge.steps.drivers.altinn2.reading_back import confirmed, read_back, repeated
from bridge.steps.drivers.altinn2.refusals import note, problem_of
from bridge.steps.drivers.altinn2.waiting import held_back
from bridge.steps.meanwhile import Behind


def send(delivery: Delivery, element: Element, *, looked_at: datetime) -> datetime | None:
    """
    Send what is next, unless something else of ours was at work on *element* since it was *looked_at*.

    Raises:
        UpstreamError: It did not leave, or no answer came; which of them is recorded.
    """
    try:
        write = _planned_and_looked(delivery, element)
    except Refusal as refusal:
        return end(delivery, Outcome.REFUSED, refusal.problem, element=element)
    before = delivery
    until = latest_arrival(before.bridge)
    match before.set_out(write, built_on=element.last_changed, until=until, since=looked_at):
        case Behind() as behind:
            return held_back(before, behind)
        case delivery:
            return _sent(delivery, write, element, before=before)


def _planned_and_looked(delivery: Delivery, element: Element) -> PlannedWrite:
    write = planned(delivery, element)
    # A draft can be saved again; whatever else is done stays done, and somebody has to be told of it.
    draft = aim(delivery.action) is CaseStatus.FORM_FILLING
    look = None if draft else DialogLook(delivery.bridge, delivery.operation.dialog_id, delivery.action)
    _still_the_same(delivery, element)
    if look is not None:
        look.refuse_what_it_forbids()
    return write


def _still_the_same(delivery: Delivery, element: Element) -> None:
    """
    Look once more before sending: building took time, and a PUT overwrites what came meanwhile.

    Raises:
        Refusal: Somebody changed the element; what was built on it is not sent.
        Unreachable: It may have been an earlier PUT of ours: look at it as a whole.
    """
    try:
        now = delivery.bridge.altinn2.read(ElementKey.of(delivery.operation.required_case), content=False)
    except Missing as error:
        raise Unreachable(error.system, "the element left its place while a PUT was built") from error
    same = (now.last_changed, now.state, now.listed_forms, now.listed_attachments) == (
        element.last_changed,
        element.state,
        element.listed_forms,
        element.listed_attachments,
    )
    if not same and delivery.operation.sending_at is not None:
        raise Unreachable("Altinn 2", "the element changed while a PUT was built")
    if not same:
        raise Refusal("element_changed", 409)


def _sent(delivery: Delivery, write: PlannedWrite, element: Element, *, before: Delivery) -> datetime | None:
    bridge = delivery.bridge
    try:
        location_id = write.send()
    except OutcomeUnknown as error:
        delivery.unanswered(bridge.clock() + bridge.late if error.under_way else before.operation.may_arrive_until)
        raise
    except Unreachable:
        delivery.never_left(before)
        raise
    except Rejected as error:
        return _rejected(delivery, error, element, before=before)
    if location_id == delivery.operation.required_case.key:
        # A PUT that archives nothing may answer with the element's own address.
        location_id = None
    delivery = delivery.answered(location_id)
    if delivery.phase in LOOKED_AT:
        return delivery.operation.answered_at
    return read_back(delivery, location_id)


def _rejected(delivery: Delivery, error: Rejected, element: Element, *, before: Delivery) -> datetime | None:
    """This write is at its end; an earlier one may still arrive, and is not sent a third time."""
    delivery = delivery.refused(before, problem_of(error))
    after = read(delivery)
    if delivery.phase is Phase.UPDATING_FORMS and after is not None and after.state is CaseStatus.FORM_FILLING:
        note(error)
        delivery.form_refused(problem_of(error))
        return delivery.bridge.clock()
    # An earlier PUT of ours, or somebody else, may have brought the element there meanwhile.
    again = decided(delivery, after)
    signed_by_others = delivery.action.signs and before.operation.sending_at is None
    if isinstance(again, Took) and signed_by_others and again.state is CaseStatus.ARCHIVED and after is not None:
        # Nothing of ours was out but this one, and its signature was not taken.
        return repeated(delivery, replace(again, outcome=Outcome.REPEATED), after)
    if isinstance(again, Took) and not signed_by_others:
        return confirmed(delivery, again, after)
    # Where it stood before is not where it stands, if it is not there any more.
    return refused(before, error, element=None if after is None else element)
