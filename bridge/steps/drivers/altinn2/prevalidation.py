"""Before a completion, have Altinn 2's own validation say whether it would take what the element holds."""

from dataclasses import replace

import structlog

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.delivery import Event
from bridge.core.elements import Element, Form
from bridge.core.errors import Missing, Rejected
from bridge.core.mapping import ActionMapping, AfterUpdate, ServiceMapping
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.delivery import PlannedWrite
from bridge.steps.drivers.altinn2.refusals import findings_at, refusal_of
from bridge.steps.drivers.altinn2.requests import DraftPut, write_content

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def prevalidated(
    bridge: Bridge,
    mapping: ServiceMapping,
    action: ActionMapping,
    *,
    building: DraftPut,
    saved: bool,
    call: PlannedWrite,
) -> PlannedWrite:
    """
    *call*, which completes, once Altinn 2 has no fault to find; what it does not hold yet is saved first.

    Altinn 2 judges what an element holds and nothing else. *saved* says that it holds what is wanted.

    Raises:
        Refusal: ``form_refused``, with the paths that Altinn 2 names.
    """
    if not action.altinn_validation or call.event is Event.SENT_FORMS:
        return call
    if not saved and (building.attachments or changes(building)):
        draft = write_content(bridge, mapping, replace(action, after=AfterUpdate.KEEP_AS_DRAFT), building=building)
        return replace(draft, event=Event.SENT_DRAFT)
    refuse_what_altinn_refuses(bridge, building.element)
    return call


def changes(building: DraftPut) -> tuple[Form, ...]:
    """The forms that are not as the element holds them: changed, new, and those to be taken away."""
    held = {form.form_id: form for form in building.held.forms}
    kept = {form.form_id for form in building.forms}
    changed = [form for form in building.forms if form.form_id is None or held[form.form_id].data != form.data]
    return (*changed, *(form for form in building.held.forms if form.form_id not in kept))


def refuse_what_altinn_refuses(bridge: Bridge, element: Element) -> None:
    """Have Altinn 2 judge what *element* holds. Raises Refusal ``form_refused``, with the paths that it names."""
    try:
        verdict = bridge.altinn2.validate(ElementKey.of(element.case))
    except Missing as error:
        # The element was there a moment ago: what is missing is the question.
        raise Refusal("upstream_refused", 502) from error
    except Rejected as error:
        raise refusal_of(error) from error
    if not verdict.sound or verdict.errors:
        raise Refusal("form_refused", 422, findings=findings_at(verdict.errors))
    if verdict.warnings:
        log.info("Altinn 2 has warnings and takes the form", warnings=len(verdict.warnings))
