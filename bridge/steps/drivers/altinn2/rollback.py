"""Altinn 2 took some of an element's forms and not all: those that were written become again what they were."""

from datetime import datetime

import structlog

from bridge.core.elements import Element, ElementState, Form
from bridge.core.errors import OutcomeUnknown, Rejected, UpstreamError
from bridge.core.operations import Outcome
from bridge.core.problems import Problem
from bridge.forms.xml.input import Unreadable
from bridge.steps.arrivals import latest_arrival
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.endings import changed, end, problem_of
from bridge.steps.drivers.altinn2.recovery import holds_same, matches_sent
from bridge.steps.drivers.altinn2.waiting import waits

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def roll_back(delivery: Delivery, element: Element | None) -> datetime | None:
    """
    Put the forms back, and end with the no that was noted; with an alarm where they cannot be put back.

    Raises:
        UpstreamError: They could not be read or written; the next try reads first.
    """
    problem = delivery.operation.problem or Problem(code="upstream_refused", status=502)
    if element is None:
        return end(delivery, Outcome.REFUSED, problem)
    if element.state is not ElementState.FORM_FILLING:
        return changed(delivery, element)
    try:
        left = _forms_to_roll_back(delivery)
        if left and delivery.may_arrive:
            # One of these may be on its way: written again, it could overwrite what comes after us.
            return waits(delivery)
        for form in left or ():
            _put_back(delivery, form)
    except Rejected as error:
        log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
        left = None
    if left is not None:
        return end(delivery, Outcome.REFUSED, problem, element=element, landed=True)
    log.error("some forms of a draft are written and others not, and they cannot be put back")
    return end(delivery, Outcome.GIVEN_UP, Problem(code="content_lost", status=502), element=element)


def _forms_to_roll_back(delivery: Delivery) -> tuple[Form, ...] | None:
    """
    Give the forms that were written and are not yet what they were before; None where one of them cannot be put back.

    Raises:
        UpstreamError: They cannot be read now.
    """
    bridge, operation = delivery.bridge, delivery.operation
    element = bridge.altinn2.read(operation.key, content=False)
    shown = {form.form_id: form for form in bridge.altinn2.read_contents(element, attached=False).forms}
    wanted = {form.form_id: form for form in operation.sent_forms}
    left: list[Form] = []
    for was in operation.held_forms:
        now = shown.get(was.form_id)
        if now is None or holds_same(bridge, was, now):
            continue
        try:
            ours = matches_sent(bridge, wanted[was.form_id], now, was)
        except Unreadable:
            return None
        if not ours:
            return None  # Neither what was nor what we wrote: it is somebody else's now.
        left.append(was)
    return tuple(left)


def _put_back(delivery: Delivery, form: Form) -> None:
    bridge, before = delivery.bridge, delivery
    delivery = delivery.set_out_again(latest_arrival(bridge))
    try:
        bridge.altinn2.update_form(delivery.operation.key, form)
    except OutcomeUnknown as error:
        delivery.unanswered(bridge.clock() + bridge.late if error.under_way else None)
        raise
    except Rejected as error:
        delivery.refused(before, problem_of(error))
        raise
    except UpstreamError:
        delivery.never_left(before)
        raise
