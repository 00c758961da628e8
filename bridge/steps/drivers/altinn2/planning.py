"""Which write is next: the whole, built on what was read and checked, or only what is to be done with the element."""

from dataclasses import replace

from bridge.core.cases import CaseStatus
from bridge.core.delivery import Phase
from bridge.core.elements import Element, Sent
from bridge.core.mapping import FormSource, Verb
from bridge.steps.delivery import Delivery, PlannedWrite
from bridge.steps.drivers.altinn2.prevalidation import prevalidated, refuse_what_altinn_refuses
from bridge.steps.drivers.altinn2.recovery import remaining_forms
from bridge.steps.drivers.altinn2.requests import (
    DraftPut,
    can_be_carried,
    complete_verified,
    complete_without_content,
    refuse_other_service,
    refuse_what_rest_cannot_do,
    write_content,
    write_signature,
    write_to_element,
)
from bridge.steps.drivers.altinn2.subforms import refuse_what_is_not_allowed, subform_call
from bridge.steps.forms.build import check_forms, wanted_forms


def planned(delivery: Delivery, element: Element) -> PlannedWrite:
    """
    Plan what is sent, for the phase that the delivery is in.

    Raises:
        Refusal: The action does not fit the element, or the form has faults.
        UpstreamError: What is to be carried could not be read, or the app did not answer.
    """
    bridge, action = delivery.bridge, delivery.action
    service = refuse_other_service(delivery.mapping, element)
    if action.verb is not Verb.PUT:
        return write_to_element(bridge, action, element)
    level = action.minimum_level if delivery.operation.level is None else delivery.operation.level
    refuse_what_rest_cannot_do(bridge, service, action, element=element, level=level)
    if action.form is FormSource.NONE or element.state is CaseStatus.SIGNING:
        return write_signature(bridge, action, element)
    manifest = delivery.operation.manifest
    if manifest is not None and delivery.phase is Phase.ATTACHMENTS_VERIFIED:
        return complete_verified(bridge, action, element, manifest=manifest)
    if delivery.phase is Phase.WRITTEN:
        if action.altinn_validation:
            refuse_what_altinn_refuses(bridge, element)
        return complete_without_content(bridge, action, element)
    return _content(delivery, element)


def _content(delivery: Delivery, element: Element) -> PlannedWrite:
    saved = delivery.phase is Phase.SAVED
    if saved:
        # What Altinn 2 is asked about is what is completed: nothing is put in any more.
        as_held = replace(delivery.action, form=FormSource.MESSAGE, set_values=(), calculate=False)
        delivery = replace(delivery, action=as_held, sent=lambda: Sent((), ()))
    bridge, mapping, action, sent = delivery.bridge, delivery.mapping, delivery.action, delivery.sent()
    refuse_what_is_not_allowed(action, sent)
    carried = bridge.altinn2.read_contents(element, attached=can_be_carried(bridge, element))
    resumed = delivery.phase is Phase.UPDATING_FORMS and delivery.operation.sending_at is not None
    # Where some of them are written already: made anew of those, the others might be others.
    forms = remaining_forms(delivery, carried.forms) if resumed else wanted_forms(delivery, carried.forms)
    check_forms(delivery, forms, held=carried.forms)
    building = DraftPut(element=element, held=carried, forms=forms, attachments=sent.attachments)
    if not resumed and (call := subform_call(bridge, action, building)) is not None:
        return call
    call = write_content(bridge, mapping, action, building=building)
    return prevalidated(bridge, mapping, action, building=building, saved=saved, call=call)
