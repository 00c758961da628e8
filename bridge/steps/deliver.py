"""Bring an operation to Altinn 2: read, decide, build, check, say what will be sent, send, read back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bridge.core.altinn_dates import OSLO
from bridge.core.decision import Decision, Refuse, Send, Took, Uncertain, WaitUntil, decide
from bridge.core.elements import Element, Form, PutMessage, archive_reference
from bridge.core.errors import BridgeError, Finding, Missing, OutcomeUnknown, Rejected, Unreachable
from bridge.core.mapping import ActionMapping, FormKind, FormSource, ServiceMapping, Validation
from bridge.core.operations import Operation, Outcome, Problem, Stage
from bridge.core.templates import template_values
from bridge.forms.fields import PlaceMissing, set_values
from bridge.forms.reading import Unreadable, to_utf8
from bridge.parts import Bridge
from bridge.steps.holding import write

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

LOOK_BACK = timedelta(days=90)
"""How far back an archived copy is looked for; the list of Altinn 2 is cut by a limit that only dates get round."""

REFUSALS = {
    "form_invalid": Problem(code="form_refused", status=422),
    "gone": Problem(code="upstream_gone", status=410),
    "not_found": Problem(code="element_gone", status=410),
}
"""Altinn 2's refusals that a sender can do something about, or should know; all others are one."""


class _Stop(BridgeError):
    """The action cannot go on, for a reason that the sender is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def deliver(bridge: Bridge, operation: Operation) -> datetime | None:
    """
    Take the element where the action wants it. None when that has ended, well or badly; else when to look again.

    Raises:
        UpstreamError: Altinn 2 could not be asked, or its answer is unknown; the next try reads back first.
    """
    mapping = bridge.mappings.get(operation.service_resource)
    action = None if mapping is None else mapping.actions.get(operation.action)
    if mapping is None or action is None:
        # An operator took it away with work left: it may come back, and the press must not be lost.
        raise Unreachable("mappings", f"no mapping has the action {operation.action} any more")
    try:
        element = _read(bridge, operation)
    except Rejected as error:
        return _refused(bridge, operation, error)
    if operation.built_on is None and element is not None:
        operation = replace(operation, built_on=element.last_changed)
    match decide(action, operation, element, now=bridge.clock(), settle=bridge.settle):
        case Took() as took:
            return _took(bridge, operation, took)
        case WaitUntil(moment):
            return moment
        case Refuse(code, status):
            return _end(bridge, operation, Outcome.REFUSED, Problem(code=code, status=status), element=element)
        case Uncertain():
            log.error("the outcome of a PUT is uncertain: the element and its archived copy are both gone")
            return _end(bridge, operation, Outcome.GIVEN_UP, Problem(code="outcome_uncertain", status=504))
        case Send():
            assert element is not None  # noqa: S101 - decide() sends only what it has seen
            return _send(bridge, operation, mapping, action, element)


def _read(bridge: Bridge, operation: Operation) -> Element | None:
    """Read the element; if it has left its place, its archived copy."""
    try:
        return bridge.altinn2.read(operation.element, content=True)
    except Missing:
        pass
    if operation.archived_id is not None:
        return bridge.altinn2.read(replace(operation.element, message_id=operation.archived_id), content=False)
    with bridge.store.reading() as tx:
        link = tx.link(operation.dialog_id)
    if link is not None and link.archived_id is not None:
        return bridge.altinn2.read(replace(operation.element, message_id=link.archived_id), content=False)
    return bridge.altinn2.find_archived(operation.element, since=operation.accepted_at - LOOK_BACK)


def _send(
    bridge: Bridge, operation: Operation, mapping: ServiceMapping, action: ActionMapping, element: Element
) -> datetime | None:
    try:
        order = _order(bridge, operation, mapping, action, element)
    except _Stop as stop:
        return _end(bridge, operation, Outcome.REFUSED, stop.problem, element=element)
    # From here on a crash leaves a trace: whoever takes over sees that a PUT may be out, and reads before sending.
    write(bridge, operation, sending_at=bridge.clock(), built_on=element.last_changed, answered_at=None)
    try:
        receipt = bridge.altinn2.put(order)
    except OutcomeUnknown:
        raise
    except Unreachable:
        # It never left us, so the next try need not wait for it to settle.
        write(bridge, operation, sending_at=operation.sending_at)
        raise
    except Rejected as error:
        # An earlier PUT of ours, or somebody else, may have brought the element there meanwhile.
        if isinstance(took := _look_again(bridge, operation, action), Took):
            return _took(bridge, operation, took)
        return _refused(bridge, operation, error, element=element)
    write(bridge, operation, answered_at=bridge.clock(), archived_id=receipt.location_id)
    return _read_back(bridge, operation, action, element, receipt.location_id)


def _look_again(bridge: Bridge, operation: Operation, action: ActionMapping) -> Decision:
    element = _read(bridge, operation)
    return decide(action, operation, element, now=bridge.clock(), settle=bridge.settle)


def _order(
    bridge: Bridge, operation: Operation, mapping: ServiceMapping, action: ActionMapping, element: Element
) -> PutMessage:
    """
    Build the PUT: all forms and attachments that must survive, and the form checked.

    Raises:
        _Stop: The form has faults, or is not one of the service's.
    """
    service = mapping.altinn2
    if service is None or (element.service_code, element.service_edition) != (
        service.service_code,
        service.service_edition,
    ):
        raise _Stop(Problem(code="element_wrong_state", status=409))
    forms = tuple(_prepared(bridge, operation, action, form) for form in element.forms)
    if action.form is not FormSource.NONE:
        _check(bridge, mapping, action, forms)
    return PutMessage(
        key=operation.element,
        service_code=element.service_code,
        service_edition=element.service_edition,
        forms=() if action.form is FormSource.NONE else forms,
        attachments=() if action.form is FormSource.NONE else element.attachments,
        after=action.after,
    )


def _prepared(bridge: Bridge, operation: Operation, action: ActionMapping, form: Form) -> Form:
    if form.kind is not FormKind.MAIN:
        return form
    if action.form is FormSource.BODY and operation.body is not None:
        try:
            form = replace(form, data=to_utf8(operation.body, bridge.schemas.limits).decode())
        except Unreadable as error:
            problem = Problem(code="form_invalid", status=422, findings=(error.finding,))
            raise _Stop(problem) from error
    if action.sets:
        with bridge.store.reading() as tx:
            link = tx.link(operation.dialog_id)
        values = template_values(
            party="" if link is None else link.party,
            dialog_id=operation.dialog_id,
            action=operation.action,
            now=bridge.clock().astimezone(OSLO),
        )
        try:
            form = replace(form, data=set_values(form.data, action.sets, values, limits=bridge.schemas.limits))
        except PlaceMissing as error:
            problem = Problem(code="form_value_missing", status=422, facts={"path": str(error.args[0])})
            raise _Stop(problem) from error
        except Unreadable as error:
            raise _Stop(Problem(code="form_invalid", status=422, findings=(error.finding,))) from error
    return form


def _check(bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, forms: tuple[Form, ...]) -> None:
    findings: list[Finding] = []
    for form in forms:
        spec = mapping.form_spec(form.kind, form.data_format_id, form.data_format_version)
        if spec is None:
            name = f"{form.data_format_id}/{form.data_format_version}"
            raise _Stop(Problem(code="form_unknown", status=422, facts={"form": name}))
        if spec.schema is not None and action.validate is not Validation.OFF:
            findings += bridge.schemas.check(spec.schema, form.data)
    if findings and action.validate is Validation.STRICT:
        raise _Stop(Problem(code="form_invalid", status=422, findings=tuple(findings)))
    if findings:
        log.warning("the form has faults and is sent all the same", faults=len(findings))


def _read_back(
    bridge: Bridge, operation: Operation, action: ActionMapping, before: Element, location_id: str | None
) -> datetime | None:
    key = operation.element if location_id is None else replace(operation.element, message_id=location_id)
    after = _or_none(lambda: bridge.altinn2.read(key, content=False))
    if after is None:
        after = bridge.altinn2.find_archived(operation.element, since=operation.accepted_at - LOOK_BACK)
    sent = replace(operation, sending_at=bridge.clock(), answered_at=bridge.clock())
    match decide(action, sent, after, now=bridge.clock(), settle=bridge.settle):
        case Took() as took:
            if after is not None and action.form is not FormSource.NONE:
                _compare(before, after)
            return _took(bridge, operation, took)
        case _:
            # It said yes, and nothing moved: that is for the next try to look into.
            raise OutcomeUnknown("Altinn 2", "accepted a PUT, but the element does not show it")


def _compare(before: Element, after: Element) -> None:
    """Cry out when something that was there before is not there any more."""
    for name, there, here in (
        ("forms", len(before.forms), after.form_count),
        ("attachments", len(before.attachments), after.attachment_count),
    ):
        if here is not None and here < there:
            log.error("something was lost on the way", what=name, before=there, after=here)


def _refused(
    bridge: Bridge, operation: Operation, error: Rejected, *, element: Element | None = None
) -> datetime | None:
    """End with Altinn 2's no; where an earlier PUT may be out and cannot be looked after, as uncertain."""
    log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
    if operation.sending_at is not None and element is None:
        return _end(bridge, operation, Outcome.GIVEN_UP, Problem(code="outcome_uncertain", status=504))
    problem = REFUSALS.get(error.reason, Problem(code="upstream_refused", status=502))
    findings = tuple(Finding(path=path, rule="refused_by_altinn") for path in error.keys)
    return _end(bridge, operation, Outcome.REFUSED, replace(problem, findings=findings), element=element)


def _or_none(read: Callable[[], Element]) -> Element | None:
    try:
        return read()
    except Missing:
        return None


def _took(bridge: Bridge, operation: Operation, took: Took) -> datetime | None:
    write(
        bridge,
        operation,
        stage=Stage.SYNC,
        outcome=took.outcome,
        state_after=took.state.value,
        archived_id=took.archived_id,
        tries=0,
    )
    if took.archived_id is not None:
        with bridge.store.transaction() as tx:
            tx.record_archive(operation.dialog_id, took.archived_id, archive_reference(took.archived_id))
    return None


def _end(
    bridge: Bridge, operation: Operation, outcome: Outcome, problem: Problem, *, element: Element | None = None
) -> datetime | None:
    write(
        bridge,
        operation,
        stage=Stage.SYNC,
        outcome=outcome,
        problem=problem,
        state_after=None if element is None else element.state.value,
        tries=0,
    )
    return None
