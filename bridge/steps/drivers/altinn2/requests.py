"""What is sent to Altinn 2, built on what was read: nothing that must survive is left out."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bridge.adapters.altinn2.messages import put_body
from bridge.adapters.altinn2.metadata import action_faults
from bridge.adapters.altinn2.orders import ElementKey, PutMessage, SignatureSpec
from bridge.adapters.altinn2.streams import base64_length
from bridge.core.attachment_rules import check_attachment, missing_types
from bridge.core.cases import CaseStatus
from bridge.core.delivery import Event, Manifest, manifest_of
from bridge.core.elements import Attachment, Element, Form, Listed
from bridge.core.errors import OutcomeUnknown, Unreachable
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    AttachmentRule,
    FormSource,
    ServiceMapping,
    Signed,
    Supply,
    Verb,
)
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.delivery import PlannedWrite

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

LOOK_BACK = timedelta(days=90)
"""How far back an archived copy is looked for; the list of Altinn 2 is cut by a limit that only dates get round."""

_OPERATORS = frozenset({"service_not_in_force", "no_signing_step", "payment_needed"})
"""What nobody who presses can mend: the mapping says otherwise than the service's metadata."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DraftPut:
    """What a PUT is built of: the element, what was read of it, the forms as they shall be, attachments to add."""

    element: Element
    held: Element
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]


def can_be_carried(bridge: Bridge, element: Element) -> bool:
    """Whether the attachments that an element lists fit into a PUT; one of unknown size is fetched to see."""
    sizes = [each.size or 0 for each in element.listed_attachments or ()]
    return sum(map(base64_length, sizes)) <= bridge.settings.altinn2_max_put


def refuse_other_service(mapping: ServiceMapping, element: Element) -> Altinn2Service:
    """The service of *mapping*. Raises Refusal ``other_service_edition`` where *element* is of another one."""
    service = mapping.altinn2
    if service is None or (element.service_code, element.service_edition) != (
        service.service_code,
        service.service_edition,
    ):
        raise Refusal("other_service_edition", 409)
    return service


def refuse_what_rest_cannot_do(
    bridge: Bridge, service: Altinn2Service, action: ActionMapping, *, element: Element, level: int
) -> None:
    """
    Refuse what does not fit the service as its metadata has it, for who pressed with *level*. Raises Refusal.

    Payment shows in metadata and in the element's own links; that others sign shows nowhere (facts/altinn2.md 2.8).
    """
    if all(action.after.value):
        if service.others_sign and element.state is not CaseStatus.SIGNING:
            raise Refusal("others_must_sign", 409)
        if element.payment:
            raise Refusal("payment_needed", 409)
    known = bridge.services.find(service.service_code, service.service_edition)
    for fault in () if known is None else action_faults(action, known, level=level, now=bridge.clock()):
        if fault.problem.code in _OPERATORS:
            log.warning("the mapping does not go with the service", action=action.name, why=fault.message)
        raise Refusal.of(fault.problem)


def one_signature(bridge: Bridge, mapping: ServiceMapping) -> bool:
    """
    Whether one signature archives, so that a repeated PUT cannot give another one.

    What metadata does not tell, or does not tell now, is not known: the mapping's own word is one where it is silent.
    """
    service = mapping.altinn2
    if service is not None and service.signing_steps > 1:
        return False
    known = None if service is None else bridge.services.find(service.service_code, service.service_edition)
    return known is not None and bool(known.steps) and known.signing_steps <= 1


def rules_for(bridge: Bridge, mapping: ServiceMapping) -> tuple[AttachmentRule, ...]:
    """The rules for attachments: the mapping's, or else those of the service's metadata."""
    service = mapping.altinn2
    if mapping.attachment_rules or service is None:
        return mapping.attachment_rules
    known = bridge.services.find(service.service_code, service.service_edition)
    return () if known is None else known.attachment_rules


def write_to_element(bridge: Bridge, action: ActionMapping, element: Element) -> PlannedWrite:
    """
    Delete, confirm or archive the element.

    Raises:
        Refusal: It is not of the kind that this can be done with.
    """
    correspondence = element.type.casefold() == "correspondence"
    if action.verb is not Verb.DELETE and not correspondence:
        raise Refusal("element_wrong_state", 409)

    def send() -> str | None:
        match action.verb:
            case Verb.DELETE:
                bridge.altinn2.delete(ElementKey.of(element.case))
            case Verb.CONFIRM:
                bridge.altinn2.confirm(ElementKey.of(element.case))
            case _:
                return bridge.altinn2.archive(ElementKey.of(element.case)).location_id
        return None

    return PlannedWrite(event=Event.SENT_WHOLE, manifest=None, send=send)


def write_signature(bridge: Bridge, action: ActionMapping, element: Element) -> PlannedWrite:
    """Sign what is in signing, without any content: the one bare PUT that is safe (facts/altinn2.md 0.5)."""
    order = replace(_bare(element, AfterUpdate.SIGN_AND_ARCHIVE), bare=False, signature=_signature(action, element))
    return _put(bridge, order, Event.SENT_SIGNATURE, manifest=_manifest(element))


def complete_verified(bridge: Bridge, action: ActionMapping, element: Element, *, manifest: Manifest) -> PlannedWrite:
    """Complete what is in form filling and was proved to survive it."""
    return _put(bridge, _bare(element, action.after), Event.SENT_SIGNATURE, manifest=manifest)


def write_content(
    bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, building: DraftPut
) -> PlannedWrite:
    """
    Replace all forms and attachments, or where these are too large to be carried, complete around them.

    Raises:
        Refusal: An attachment breaks a rule, is missing, or cannot be carried.
    """
    element = building.element
    added = _added(bridge, mapping, action, building=building)
    listed = {each.id: each for each in element.listed_attachments or ()}
    replaced = {_name(each) for each in added}
    present = Counter(each.attachment_type.casefold() for each in added)
    held = _held(bridge, building) if added or rules_for(bridge, mapping) else building.held.attachments
    kept = [each for each in held if _name(each) not in replaced]
    present.update(each.attachment_type.casefold() for each in kept)
    if action.after.value[0] and (missing := missing_types(rules_for(bridge, mapping), present)):
        raise Refusal("attachment_missing", 422, facts={"types": ", ".join(missing)})
    if len(building.held.attachments) < len(listed):
        return _around(bridge, mapping, action, building=building, added=added)
    order = PutMessage(
        key=ElementKey.of(element.case),
        service_code=element.service_code,
        service_edition=element.service_edition,
        forms=building.forms,
        attachments=(*kept, *added),
        after=action.after,
    )
    if len(put_body(order)) > bridge.settings.altinn2_max_put:
        return _around(bridge, mapping, action, building=building, added=added)
    call = _put(bridge, order, Event.SENT_WHOLE, manifest=manifest_of(len(order.forms), order.attachments))
    return replace(call, before=replaced_forms(building))


def _around(
    bridge: Bridge,
    mapping: ServiceMapping,
    action: ActionMapping,
    *,
    building: DraftPut,
    added: tuple[Attachment, ...],
) -> PlannedWrite:
    """
    Leave the attachments where they are: change the forms one by one, or complete without content.

    Completing is a call of its own, after a read has shown that all forms are there; and nothing is signed before
    another has proved that it left the attachments in place.

    Raises:
        Refusal: ``too_large_to_carry``: the service does not allow it, so the person is sent to Altinn.
    """
    element, service = building.element, mapping.altinn2
    complete = action.after.value[0]
    kept = {form.form_id for form in building.forms}
    others = None in kept or any(form.form_id not in kept for form in building.held.forms)
    if others or added or (complete and (service is None or not service.bare_completion)):
        raise Refusal("too_large_to_carry", 409, facts={"page": element.page or ""})
    before = replaced_forms(building)
    if complete and not before:
        return complete_without_content(bridge, action, element)
    ids = {form.form_id for form in before}
    changed = [form for form in building.forms if form.form_id in ids]

    def send() -> None:
        for at, form in enumerate(changed):
            try:
                bridge.altinn2.update_form(ElementKey.of(element.case), form)
            except Unreachable as error:
                if not at:
                    raise
                detail = f"some forms are written, others not: {error.detail}"
                raise OutcomeUnknown(error.system, detail, under_way=False) from error

    return PlannedWrite(
        event=Event.SENT_FORMS, manifest=_manifest(element), send=send, forms=building.forms, before=before
    )


def complete_without_content(bridge: Bridge, action: ActionMapping, element: Element) -> PlannedWrite:
    """Complete an element that holds what is wanted, without content and without a signature."""
    event = Event.SENT_WHOLE if action.after is AfterUpdate.SEND_TO_SIGNING else Event.SENT_COMPLETION
    order = replace(_bare(element, AfterUpdate.SEND_TO_SIGNING), bare=True)
    return _put(bridge, order, event, manifest=_manifest(element))


def replaced_forms(building: DraftPut) -> tuple[Form, ...]:
    """The element's own forms for which others are to be written: what a roll-back writes again."""
    wanted = {form.form_id: form.data for form in building.forms}
    return tuple(form for form in building.held.forms if form.form_id in wanted and wanted[form.form_id] != form.data)


def _held(bridge: Bridge, building: DraftPut) -> tuple[Attachment, ...]:
    """The attachments that are there: as they were read, or else as they are listed."""
    if len(building.held.attachments) == len(building.element.listed_attachments or ()):
        return building.held.attachments
    return bridge.altinn2.list_attachments(ElementKey.of(building.element.case))


def _added(
    bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, building: DraftPut
) -> tuple[Attachment, ...]:
    """Hold what was sent along against the rules. Raises Refusal."""
    if not building.attachments:
        return ()
    policy = action.attachment_policy
    if policy is None or Supply.BODY not in policy.supplies:
        raise Refusal("attachments_not_taken", 422)
    allowed = {each.casefold() for each in policy.types}
    sent = {_name(each) for each in building.attachments}
    present = Counter(each.attachment_type.casefold() for each in _held(bridge, building) if _name(each) not in sent)
    for each in building.attachments:
        if each.attachment_type.casefold() not in allowed:
            raise Refusal("attachment_type", 422, facts={"rule": f"types: {', '.join(policy.types)}"})
        check_attachment(
            rules_for(bridge, mapping),
            attachment_type=each.attachment_type,
            file_name=each.file_name,
            size=each.size,
            present=present[each.attachment_type.casefold()],
            largest=bridge.settings.altinn2_max_attachment,
        )
        present[each.attachment_type.casefold()] += 1
    return building.attachments


def _name(each: Attachment) -> tuple[str, str]:
    return each.attachment_type.casefold(), each.file_name


def _bare(element: Element, after: AfterUpdate) -> PutMessage:
    return PutMessage(
        key=ElementKey.of(element.case),
        service_code=element.service_code,
        service_edition=element.service_edition,
        forms=(),
        attachments=(),
        after=after,
        bare=element.state is not CaseStatus.SIGNING,
    )


def _manifest(element: Element) -> Manifest:
    return manifest_of(len(element.listed_forms or ()), element.listed_attachments or ())


def _signature(action: ActionMapping, element: Element) -> SignatureSpec | None:
    if action.signed is Signed.ALL or action.form is not FormSource.NONE:
        return None

    def covered(each: Listed) -> bool:
        return each.locked or (action.signed is Signed.DEFAULT and each.by_default)

    return SignatureSpec(
        form_ids=tuple(each.id for each in element.listed_forms or () if covered(each)),
        attachment_ids=tuple(each.id for each in element.listed_attachments or () if covered(each)),
    )


def _put(bridge: Bridge, order: PutMessage, event: Event, *, manifest: Manifest) -> PlannedWrite:
    def send() -> str | None:
        return bridge.altinn2.put(order).location_id

    return PlannedWrite(event=event, manifest=manifest, send=send, forms=order.forms)
