"""What was written and asks for more: once it is seen to be there, the delivery goes on to its next phase."""

from bridge.core.cases import CaseStatus
from bridge.core.delivery import Event, Phase, Verification, verify
from bridge.core.elements import Element
from bridge.core.errors import BridgeError, Finding
from bridge.core.problems import Refusal
from bridge.forms.xml.input import Unreadable
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.attachments import brought_by
from bridge.steps.drivers.altinn2.recovery import holds_same, matches_sent
from bridge.steps.drivers.altinn2.verification import Incomparable, missing_values
from bridge.steps.forms.build import wanted_forms


class Lost(BridgeError):
    """What was carried is not there any more."""

    def __init__(self, element: Element, gone: tuple[Finding, ...] = ()) -> None:
        super().__init__("lost")
        self.element, self.gone = element, gone


class Changed(BridgeError):
    """Somebody else changed the element while ours was on its way."""

    def __init__(self, element: Element) -> None:
        super().__init__("changed")
        self.element = element


def advanced(delivery: Delivery, element: Element | None) -> Delivery:
    """
    The delivery in its next phase, where *element* shows what was written and waited for; else as it is.

    Raises:
        Lost: Something that was there is not there any more.
        Changed: Somebody else wrote between.
        Unreachable: The forms cannot be read now.
        Incomparable: One of them cannot be compared.
    """
    if delivery.operation.sending_at is None or element is None:
        return delivery
    match delivery.phase:
        case Phase.UPDATING_FORMS:
            return _after_form_updates(delivery, element)
        case Phase.SAVING:
            return _after_draft_saved(delivery, element)
        case Phase.COMPLETING_WITHOUT_SIGNATURE:
            return _after_completion(delivery, element)
        case _:
            return delivery


def _after_completion(delivery: Delivery, element: Element) -> Delivery:
    """Go on to the signature where the PUT that completes without carrying attachments left them in place."""
    operation = delivery.operation
    moved = element.last_changed != operation.built_on
    if not moved or (element.state is CaseStatus.FORM_FILLING and operation.answered_at is None):
        return delivery
    if element.state not in (CaseStatus.SIGNING, CaseStatus.FORM_FILLING):
        return delivery
    if not _is_whole(delivery, element):
        raise Lost(element)
    if gone := missing_values(delivery, element):
        raise Lost(element, gone)
    return delivery.seen(Event.SEEN_WHOLE, element)


def _after_draft_saved(delivery: Delivery, element: Element) -> Delivery:
    """
    Go on to Altinn 2's own validation where the draft is there that it is asked about.

    An element that moved without an answer was changed by us if making what is wanted of what is held changes nothing;
    else by somebody else.
    """
    if element.last_changed == delivery.operation.built_on:
        return delivery
    if element.state is not CaseStatus.FORM_FILLING:
        # Somebody else took it on, and it is judged as if nothing had been sent.
        return delivery.seen(Event.TAKEN_ON, element)
    ours = delivery.operation.answered_at is not None or _holds_what_is_wanted(delivery, element)
    if not ours or not _is_whole(delivery, element):
        return delivery
    return delivery.seen(Event.DRAFT_SEEN, element, brought=brought_by(delivery, element))


def _holds_what_is_wanted(delivery: Delivery, element: Element) -> bool:
    held = delivery.bridge.altinn2.read_contents(element, attached=False).forms
    try:
        wanted = wanted_forms(delivery, held)
    except Refusal:
        return False
    return len(held) == len(wanted) and all(
        holds_same(delivery.bridge, one, other) for one, other in zip(wanted, held, strict=True)
    )


def _after_form_updates(delivery: Delivery, element: Element) -> Delivery:
    """Go on to completing once every form is there; until then, what is not there yet is written again."""
    operation, manifest = delivery.operation, delivery.operation.manifest
    if element.state is not CaseStatus.FORM_FILLING:
        return delivery.seen(Event.TAKEN_ON, element)
    more = manifest is not None and len(element.listed_attachments or ()) > len(manifest.files)
    if more or not _is_whole(delivery, element):
        raise Changed(element)
    # What was answered with a yes is there: what was lost of it all the same is told by whoever compares it.
    if operation.answered_at is None and _one_is_missing(delivery, element):
        return delivery.on(element.last_changed)
    advanced = delivery.seen(Event.FORMS_SEEN, element)
    # By when they were answered: a draft that was sent just now is taken for ours.
    if gone := missing_values(delivery, element):
        raise Lost(element, gone)
    return advanced


def _one_is_missing(delivery: Delivery, element: Element) -> bool:
    """
    Whether a form still is as it was before.

    Raises:
        Changed: One is neither as it was nor as it was sent.
    """
    bridge, operation = delivery.bridge, delivery.operation
    shown = {form.form_id: form for form in bridge.altinn2.read_contents(element, attached=False).forms}
    before = {form.form_id: form for form in operation.held_forms}
    missing = False
    for form in operation.sent_forms:
        twin, was = shown.get(form.form_id), before.get(form.form_id)
        if twin is None:
            raise Changed(element)
        try:
            if matches_sent(bridge, form, twin, was=was):
                continue
        except Unreadable as error:
            raise Incomparable(element, form) from error
        if was is None or was.data != twin.data:
            raise Changed(element)
        missing = True
    return missing


def _is_whole(delivery: Delivery, element: Element) -> bool:
    manifest = delivery.operation.manifest
    return manifest is not None and verify(manifest, element) is Verification.WHOLE
