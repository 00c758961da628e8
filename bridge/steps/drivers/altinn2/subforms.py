"""One subform added, changed or taken away by a call of its own, which leaves the rest of the element alone."""

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.delivery import Event, manifest_of
from bridge.core.elements import Form, Sent
from bridge.core.mapping import ActionMapping, AfterUpdate, FormKind, SubformRight
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.delivery import PlannedWrite
from bridge.steps.drivers.altinn2.prevalidation import changes
from bridge.steps.drivers.altinn2.requests import DraftPut, replaced_forms


def refuse_what_is_not_allowed(action: ActionMapping, sent: Sent) -> None:
    """Hold what was asked for against the mapping's ``subforms``. Raises Refusal."""
    prefilled = any(not form.data for form in sent.forms)
    for wanted, right in ((prefilled, SubformRight.PREFILL), (bool(sent.removed), SubformRight.REMOVE)):
        if wanted and right not in action.subforms:
            raise Refusal("subforms_not_allowed", 422, facts={"rule": f"subforms: [{right.value}]"})


def subform_call(bridge: Bridge, action: ActionMapping, building: DraftPut) -> PlannedWrite | None:
    """
    The call that changes the only subform to be changed in a draft; None where it takes a PUT of the whole.

    Raises:
        Refusal: A subform that Altinn 2 is to fill in does not come alone: no PUT can ask for that.
    """
    changed = changes(building)
    draft = action.after in (AfterUpdate.KEEP_AS_DRAFT, AfterUpdate.BACK_TO_FORM_FILLING)
    alone = draft and not building.attachments and len(changed) == 1 and changed[0].kind is FormKind.SUB
    if not alone:
        if any(not form.data for form in building.forms):
            where = "forms: a subform without FormData comes alone, into a draft"
            raise Refusal("message_invalid", 400, facts={"where": where})
        return None
    (form,) = changed
    manifest = manifest_of(len(building.forms), building.element.listed_attachments or ())
    return PlannedWrite(
        event=Event.SENT_WHOLE,
        manifest=manifest,
        send=lambda: _send(bridge, building, form),
        forms=building.forms,
        before=replaced_forms(building),
    )


def _send(bridge: Bridge, building: DraftPut, form: Form) -> None:
    key = ElementKey.of(building.element.case)
    if form.form_id is None:
        bridge.altinn2.add_subform(key, form)
    elif form in building.forms:
        bridge.altinn2.update_form(key, form)
    else:
        bridge.altinn2.delete_subform(key, form)
