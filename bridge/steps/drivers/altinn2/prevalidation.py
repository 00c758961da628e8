"""Before a completion, have Altinn 2's own validation say whether it would take what the element holds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from bridge.core.altinn2_errors import problem_for
from bridge.core.delivery import Phase, Verification, verify
from bridge.core.elements import Element, ElementState, Form
from bridge.core.errors import Finding, Missing, Rejected
from bridge.core.mapping import ActionMapping, AfterUpdate, ServiceMapping
from bridge.core.operations import Operation
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.drivers.altinn2.attachments import note_brought
from bridge.steps.drivers.altinn2.recovery import holds_same
from bridge.steps.drivers.altinn2.requests import DraftPut, PlannedWrite, write_content
from bridge.steps.lease import write

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def prevalidated(
    bridge: Bridge,
    mapping: ServiceMapping,
    action: ActionMapping,
    building: DraftPut,
    *,
    saved: bool,
    call: PlannedWrite,
) -> PlannedWrite:
    """
    Give *call*, which completes, once Altinn 2 has no fault to find; what it does not hold yet is saved first.

    Altinn 2 judges what an element holds and nothing else. *saved* says that it holds what is wanted.

    Raises:
        Refusal: ``form_refused``, with the paths that Altinn 2 names.
    """
    writing = call.manifest is not None and call.manifest.phase is Phase.UPDATING_FORMS
    if not action.altinn_validation or writing:
        return call
    if not saved and (building.attachments or changes(building)):
        draft = write_content(bridge, mapping, replace(action, after=AfterUpdate.KEEP_AS_DRAFT), building)
        manifest = None if draft.manifest is None else draft.manifest.in_phase(Phase.SAVING)
        return replace(draft, manifest=manifest)
    refuse_what_altinn_refuses(bridge, building.element)
    return call


def changes(building: DraftPut) -> tuple[Form, ...]:
    """Give the forms that are not as the element holds them: changed, new, and those to be taken away."""
    held = {form.form_id: form for form in building.held.forms}
    kept = {form.form_id for form in building.forms}
    changed = [form for form in building.forms if form.form_id is None or held[form.form_id].data != form.data]
    return (*changed, *(form for form in building.held.forms if form.form_id not in kept))


def after_draft_saved(
    bridge: Bridge,
    operation: Operation,
    element: Element | None,
    build: Callable[[tuple[Form, ...]], tuple[Form, ...]],
) -> Operation:
    """
    Go on to the question where the draft is there.

    An element that moved without an answer was changed by us if *build*, which makes what is wanted of what is held,
    finds nothing to change; else by somebody else.
    """
    manifest = operation.manifest
    if manifest is None or operation.sending_at is None or element is None:
        return operation
    if element.last_changed == operation.built_on:
        return operation
    if element.state is ElementState.FORM_FILLING:
        ours = operation.answered_at is not None or _holds(bridge, element, build)
        if not ours or verify(manifest, element) is not Verification.WHOLE:
            return operation
        note_brought(bridge, operation, element)
    # In any other state somebody else took it on, and it is judged as if nothing had been sent.
    phase = Phase.SAVED if element.state is ElementState.FORM_FILLING else Phase.WHOLE
    changed: dict[str, Any] = {
        "sending_at": None,
        "answered_at": None,
        "may_arrive_until": None,
        "built_on": element.last_changed,
        "manifest": manifest.in_phase(phase),
    }
    write(bridge, operation, **changed)
    return replace(operation, **changed)


def _holds(bridge: Bridge, element: Element, build: Callable[[tuple[Form, ...]], tuple[Form, ...]]) -> bool:
    held = bridge.altinn2.read_contents(element, attached=False).forms
    try:
        wanted = build(held)
    except Refusal:
        return False
    return len(held) == len(wanted) and all(
        holds_same(bridge, one, other) for one, other in zip(wanted, held, strict=True)
    )


def refuse_what_altinn_refuses(bridge: Bridge, element: Element) -> None:
    """Have Altinn 2 judge what *element* holds. Raises Refusal ``form_refused``, with the paths that it names."""
    try:
        verdict = bridge.altinn2.validate(element.key)
    except Missing as error:
        # The element was there a moment ago: what is missing is the question.
        raise Refusal("upstream_refused", 502) from error
    except Rejected as error:
        log.warning("Altinn 2 would not validate", reason=error.reason, detail=error.detail)
        raise Refusal.of(problem_for(error.reason)) from error
    if not verdict.sound or verdict.errors:
        findings = tuple(Finding(path=path, rule="refused_by_altinn") for path in verdict.errors)
        raise Refusal("form_refused", 422, findings=findings)
    if verdict.warnings:
        log.info("Altinn 2 has warnings and takes the form", warnings=len(verdict.warnings))
