"""``target: altinn3``: the form goes to the app, its results into the dialog, and nothing to Altinn 2."""

from collections.abc import Callable
from datetime import datetime

import structlog

from bridge.core.altinn2_errors import problem_for
from bridge.core.elements import Element, ElementState, Form
from bridge.core.errors import Rejected
from bridge.core.mapping import ActionMapping, FormKind, FormSource, ServiceMapping
from bridge.core.operations import Operation, Outcome, Stage
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.forms.build import check_forms, wanted_forms
from bridge.steps.forms.request_body import sent_content
from bridge.steps.lease import write

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def calculate_only(
    bridge: Bridge,
    operation: Operation,
    mapping: ServiceMapping,
    action: ActionMapping,
    read: Callable[[], Element | None],
) -> datetime | None:
    """
    Have the form calculated and checked; *read* gives the element, wherever it is. Always None: it has ended.

    Raises:
        UpstreamError: The app, or Altinn 2, could not be asked; nothing was done.
    """
    try:
        held = _held(bridge, mapping, action, operation, read)
        # Of what an element holds beside the main form, nothing is calculated.
        forms = wanted_forms(bridge, operation, mapping, action, (held,))
        check_forms(bridge, mapping, action, forms)
    except Refusal as refusal:
        return _end(bridge, operation, Outcome.REFUSED, refusal.problem)
    except Rejected as error:
        log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
        return _end(bridge, operation, Outcome.REFUSED, problem_for(error.reason))
    return _end(bridge, operation, Outcome.DONE, None)


def _held(
    bridge: Bridge,
    mapping: ServiceMapping,
    action: ActionMapping,
    operation: Operation,
    read: Callable[[], Element | None],
) -> Form:
    """Give the main form: the element's, or an empty one in whose place the caller's comes. Raises Refusal."""
    if action.form is FormSource.BODY:
        _refuse_more_than_a_form(operation)
        spec = next(spec for spec in mapping.forms if spec.kind is FormKind.MAIN)
        return Form(
            kind=spec.kind, data_format_id=spec.data_format_id, data_format_version=spec.data_format_version, data=""
        )
    if operation.element is None:
        # The mapping asked for no element when it was accepted.
        raise Refusal("not_linked", 404)
    element, service = read(), mapping.altinn2
    if element is None or element.state is ElementState.DELETED:
        raise Refusal("element_gone", 410)
    if service is None or (element.service_code, element.service_edition) != (
        service.service_code,
        service.service_edition,
    ):
        raise Refusal("other_service_edition", 409)
    forms = bridge.altinn2.read_contents(element, attached=False).forms
    main = next((form for form in forms if form.kind is FormKind.MAIN), None)
    if main is None:
        raise Refusal("element_wrong_state", 409)
    return main


def _refuse_more_than_a_form(operation: Operation) -> None:
    sent = sent_content(operation.body)
    if sent.attachments:
        raise Refusal("attachments_not_taken", 422)
    if sent.removed or any(form.kind is not FormKind.MAIN for form in sent.forms):
        raise Refusal("message_invalid", 400, facts={"where": "forms: only the MainForm"})


def _end(bridge: Bridge, operation: Operation, outcome: Outcome, problem: Problem | None) -> datetime | None:
    write(
        bridge,
        operation,
        stage=Stage.SYNC,
        outcome=outcome,
        problem=problem,
        state_after=ElementState.CALCULATED.value if problem is None else None,
        tries=0,
    )
    return None
