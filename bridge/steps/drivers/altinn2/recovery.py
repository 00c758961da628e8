"""What stands there of forms that were sent: whether it is ours, what is left to write, and the way back."""

from datetime import datetime

import structlog

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.cases import CaseStatus
from bridge.core.delivery import Verification, manifest_of, verify
from bridge.core.elements import Element, Form
from bridge.core.errors import OutcomeUnknown, Rejected, Unreachable, UpstreamError
from bridge.core.mapping import FormSource
from bridge.core.operations import Outcome
from bridge.core.problems import Problem, Refusal
from bridge.forms.altinn2_equivalence import washed_differences
from bridge.forms.diff import Change, differences
from bridge.forms.xml.input import Unreadable
from bridge.parts import Bridge
from bridge.steps.arrivals import latest_arrival
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.endings import changed, end
from bridge.steps.drivers.altinn2.refusals import note, problem_of
from bridge.steps.drivers.altinn2.verification import Incomparable, paired
from bridge.steps.drivers.altinn2.waiting import waits
from bridge.steps.forms.build import wanted_forms

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def is_our_write(delivery: Delivery, after: Element, *, exactly: bool) -> bool:
    """
    Whether what moved an element was our PUT, which nobody answered, or somebody else's.

    Ours shows every form that was sent, and none that was to change as it was before. *exactly* takes no other value in
    a draft for one that Altinn 2 calculated: while ours may still arrive, it may be what somebody else wrote.

    Raises:
        Unreachable: The forms cannot be read now.
        Incomparable: They cannot be read at all, or not be compared.
    """
    bridge, operation = delivery.bridge, delivery.operation
    if not operation.sent_forms:
        return True
    try:
        shown = bridge.altinn2.read_contents(after, attached=False).forms
    except UpstreamError as error:
        if isinstance(error, Unreachable):
            raise
        log.error("the forms could not be read back, and whose they are is unknown", why=str(error))
        raise Incomparable(after, operation.sent_forms[0]) from error
    filling = after.state is CaseStatus.FORM_FILLING
    if len(shown) < len(operation.sent_forms) or (filling and len(shown) > len(operation.sent_forms)):
        return False
    before = {form.form_id: form for form in operation.held_forms}
    for form, twin in paired(operation.sent_forms, shown):
        if twin is None:
            return False
        was = before.get(form.form_id)
        try:
            if not form.data or matches_sent(bridge, form, twin, was=was):
                continue
            if filling and exactly:
                return False
            if (was is not None and was.data == twin.data) or (filling and Change.LOST in _changes(bridge, form, twin)):
                return False
        except Unreadable as error:
            raise Incomparable(after, form) from error
    return True


def already_applied(delivery: Delivery, after: Element | None) -> bool:
    """
    Whether what came with a press is there already, where the element is beyond taking it.

    It is where the same was sent and done before, and where the element shows it; one that is not to be found, *after*
    None, shows nothing.

    Raises:
        Unreachable: The forms cannot be read now.
    """
    bridge, operation = delivery.bridge, delivery.operation
    if delivery.action.form is not FormSource.BODY or operation.body is None:
        return True
    with bridge.store.reading() as tx:
        if tx.done_before(operation):
            return True
    if after is None:
        return False
    try:
        whole = bridge.altinn2.read(ElementKey.of(after.case), content=False) if after.listed_forms is None else after
        held = bridge.altinn2.read_contents(whole, attached=False).forms
        wanted = wanted_forms(delivery, held)
        sent = delivery.sent()
    except (Rejected, Refusal) as error:
        log.info("it cannot be seen whether what was sent is there already", why=type(error).__name__)
        return False
    pairs = zip(wanted, held, strict=True) if len(wanted) == len(held) else None
    same = pairs is not None and all(holds_same(bridge, form, twin) for form, twin in pairs)
    return same and verify(manifest_of(0, sent.attachments), whole) is Verification.WHOLE


def remaining_forms(delivery: Delivery, held: tuple[Form, ...]) -> tuple[Form, ...]:
    """The forms to write; one that arrived already is given as it is shown, so that it is not written again."""
    bridge, operation = delivery.bridge, delivery.operation
    shown = {form.form_id: form for form in held}
    before = {form.form_id: form for form in operation.held_forms}

    def as_shown(form: Form) -> Form:
        twin = shown.get(form.form_id)
        try:
            stands = twin is not None and matches_sent(bridge, form, twin, was=before.get(form.form_id))
        except Unreadable:
            return form  # Written again: that it stands there cannot be seen.
        return twin if stands and twin is not None else form

    return tuple(map(as_shown, operation.sent_forms))


def matches_sent(bridge: Bridge, form: Form, shown: Form, *, was: Form | None) -> bool:
    """
    Whether *form* is what is shown, less what Altinn 2 may do to it.

    What is shown just as it *was* was not written, also where the change is one that Altinn 2 might make itself: a
    value taken out, or the case of a letter.

    Raises:
        Unreadable: It cannot be said.
    """
    if was is not None and was.data == shown.data:
        return holds_same(bridge, form, was)
    return not _changes(bridge, form, shown)


def holds_same(bridge: Bridge, form: Form, other: Form) -> bool:
    """Whether two forms are known to hold the same values."""
    try:
        return not differences(form.data, other.data, limits=bridge.schemas.limits)
    except Unreadable:
        return form.data == other.data


def _changes(bridge: Bridge, form: Form, shown: Form) -> set[Change]:
    """What became of a form. Raises Unreadable where that cannot be said."""
    if form.data == shown.data:
        return set()
    return {each.change for each in washed_differences(form.data, shown.data, limits=bridge.schemas.limits)}


def roll_back(delivery: Delivery, element: Element | None) -> datetime | None:
    """
    Put the forms back, and end with the no that was noted; with an alarm where they cannot be put back.

    Raises:
        UpstreamError: They could not be read or written; the next try reads first.
    """
    problem = delivery.operation.problem or Problem(code="upstream_refused", status=502)
    if element is None:
        return end(delivery, Outcome.REFUSED, problem)
    if element.state is not CaseStatus.FORM_FILLING:
        return changed(delivery, element)
    try:
        left = _forms_to_roll_back(delivery)
        if left and delivery.may_arrive:
            # One of these may be on its way: written again, it could overwrite what comes after us.
            return waits(delivery)
        for form in left or ():
            _roll_back_form(delivery, form)
    except Rejected as error:
        note(error)
        left = None
    if left is not None:
        return end(delivery, Outcome.REFUSED, problem, element=element, landed=True)
    log.error("some forms of a draft are written and others not, and they cannot be put back")
    return end(delivery, Outcome.GIVEN_UP, Problem(code="content_lost", status=502), element=element)


def _forms_to_roll_back(delivery: Delivery) -> tuple[Form, ...] | None:
    """
    The forms that were written and are not yet what they were before; None where one of them cannot be put back.

    Raises:
        UpstreamError: They cannot be read now.
    """
    bridge, operation = delivery.bridge, delivery.operation
    element = bridge.altinn2.read(ElementKey.of(operation.required_case), content=False)
    shown = {form.form_id: form for form in bridge.altinn2.read_contents(element, attached=False).forms}
    wanted = {form.form_id: form for form in operation.sent_forms}
    left: list[Form] = []
    for was in operation.held_forms:
        now = shown.get(was.form_id)
        if now is None or holds_same(bridge, was, now):
            continue
        try:
            ours = matches_sent(bridge, wanted[was.form_id], now, was=was)
        except Unreadable:
            return None
        if not ours:
            return None  # Neither what was nor what we wrote: it is somebody else's now.
        left.append(was)
    return tuple(left)


def _roll_back_form(delivery: Delivery, form: Form) -> None:
    bridge, before = delivery.bridge, delivery
    delivery = delivery.set_out_again(latest_arrival(bridge))
    try:
        bridge.altinn2.update_form(ElementKey.of(delivery.operation.required_case), form)
    except OutcomeUnknown as error:
        delivery.unanswered(bridge.clock() + bridge.late if error.under_way else None)
        raise
    except Rejected as error:
        delivery.refused(before, problem_of(error))
        raise
    except UpstreamError:
        delivery.never_left(before)
        raise
