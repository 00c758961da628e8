"""``/actions`` and ``/operations``."""

from uuid import UUID

import orjson
import sqlalchemy as sa
from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from bridge.adapters.dialogporten.tokens import authorize
from bridge.core.callers import Caller
from bridge.core.mapping import ActionMapping
from bridge.core.operations import Link, Operation, Outcome, Stage
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.forms.request_body import form_or_message, in_its_charset
from bridge.steps.meanwhile import Behind, Open, waits_for
from bridge.steps.operation.submit import Accepted, action_for, link_for, submit
from bridge.web.callers import READ, caller_of, permitted
from bridge.web.problems import language, problem_body, problem_response
from bridge.web.request_io import read_body

actions = Blueprint("actions", __name__)


@actions.route("/actions/<uuid:dialog_id>/<name>", methods=["POST", "PUT", "DELETE"])
def press(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """Accept a write action, or say what stands in its way."""
    bridge: Bridge = current_app.extensions["bridge"]
    caller = caller_of(bridge)
    action = permitted(bridge, caller, dialog_id, name=name)
    link = link_for(bridge, caller, element=action.needs_element)
    accepted = _accepted(bridge, caller, action, link=link)
    finished = bridge.finished.wait(
        accepted.operation_id, seconds=bridge.settings.answer_within, begin=bridge.wake, caller=caller.actor
    )
    answer = _outcome(bridge, accepted.operation_id) if finished else _under_way(accepted.operation_id)
    bridge.metrics.write_actions.labels(link.service_resource, name, str(answer.status_code)).inc()
    return answer


def _accepted(bridge: Bridge, caller: Caller, action: ActionMapping, *, link: Link) -> Accepted:
    """The press as it was taken down, its body with it; the body's room in memory is free again after that."""
    with bridge.rooms.bodies.load() as load:
        body = read_body(request, limit=bridge.settings.max_body, load=load)
        if body is not None:
            body = in_its_charset(request.content_type or "", body)
            mapping, _ = action_for(bridge, caller, action.name)
            body = form_or_message(bridge, mapping, action, link=link, media_type=request.mimetype, body=body)
        with bridge.rooms.accepting:
            return submit(bridge, caller=caller, action=action, link=link, body=body, language=language())


@actions.get("/operations/<uuid:operation_id>")
def show(operation_id: UUID) -> ResponseReturnValue:
    """Tell how far an operation is, to whoever may read its dialog: the button may be gone by now."""
    bridge: Bridge = current_app.extensions["bridge"]
    caller = caller_of(bridge)
    with bridge.store.reading() as tx:
        operation = tx.operation(operation_id)
    if operation is None or operation.dialog_id != caller.dialog_id:
        raise Refusal("unknown_operation", 404)
    link = link_for(bridge, caller, element=False)
    authorize(
        caller,
        dialog_id=operation.dialog_id,
        service_resource=operation.service_resource,
        party=link.party,
        requirement=READ,
        minimum_level=0,
    )
    return Response(orjson.dumps(_document(operation, waits_for(bridge, operation))), content_type="application/json")


def _under_way(operation_id: UUID) -> Response:
    headers = {"Location": f"/operations/{operation_id}", "Operation-Id": str(operation_id), "Retry-After": "1"}
    return Response(status=202, headers=headers)


def _outcome(bridge: Bridge, operation_id: UUID) -> Response:
    try:
        with bridge.store.reading() as tx:
            operation = tx.operation(operation_id)
    except sa.exc.SQLAlchemyError:
        # What came of it cannot be read now; that it was accepted stands.
        operation = None
    if operation is None or operation.outcome is None:
        return _under_way(operation_id)
    if operation.outcome in (Outcome.DONE, Outcome.REPEATED):
        return Response(status=204)
    return problem_response(operation.problem or Problem(code="given_up", status=504))


def _document(operation: Operation, behind: Behind | None) -> dict[str, object]:
    document: dict[str, object] = {
        "id": str(operation.id),
        "dialogId": str(operation.dialog_id),
        "action": operation.action,
        # What is held has no outcome yet, though nobody works on it now.
        "status": "finished" if operation.stage is Stage.FINISHED and operation.outcome is not None else "underWay",
        "acceptedAt": operation.accepted_at.isoformat(),
    }
    if behind is not None:
        document["waitsFor"] = "attachment" if behind.what is Open.ATTACHMENT else "earlierOperation"
        if behind.until is not None:
            document["waitsUntil"] = behind.until.isoformat()
    if operation.outcome is not None:
        document["outcome"] = _OUTCOMES[operation.outcome]
    elif operation.may_arrive_until is not None and operation.uncertain_at is not None:
        # Nobody answered, and it may still take effect: neither done nor not done.
        document["uncertainUntil"] = operation.may_arrive_until.isoformat()
    if operation.differences:
        document["differences"] = operation.differences
    if operation.finished_at is not None and operation.outcome is not None:
        document["finishedAt"] = operation.finished_at.isoformat()
    if operation.problem is not None and operation.outcome in (Outcome.REFUSED, Outcome.GIVEN_UP):
        document["problem"] = problem_body(operation.problem, language())
    return document


_OUTCOMES = {
    Outcome.DONE: "done",
    Outcome.REPEATED: "repeated",
    Outcome.REFUSED: "refused",
    Outcome.GIVEN_UP: "givenUp",
}
