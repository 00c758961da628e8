"""Dialogporten's GraphQL: what end users' clients ask for and change, executed by graphql-core (facts 4.2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import Route, TooLarge, as_json, read_body
from bridge.sandbox.dialogporten import search as search
from bridge.sandbox.dialogporten.binding import Query
from bridge.sandbox.dialogporten.catalogue import limits, parties
from bridge.sandbox.dialogporten.end_user_api import (
    LEVEL_TOO_LOW,
    MOST_LABELLED,
    looked_up_by,
    opened,
    resources_of,
    searched,
    visible,
)
from bridge.sandbox.dialogporten.graphql_types import schema
from bridge.sandbox.dialogporten.http import DialogSystem
from bridge.sandbox.dialogporten.json_reader import NotJson, parsed
from bridge.sandbox.dialogporten.labels import bulk_faults, faults
from bridge.sandbox.dialogporten.model import Intent, Problem
from bridge.sandbox.dialogporten.views import Reader

_LIMIT = 1_000_000
_MOST_TOKENS = 20_000

Resolver = Callable[..., Any]


class NotAnswered(Exception):
    """The request cannot be executed; nothing was."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__("; ".join(each.message for each in errors))
        self.errors = errors

    def as_json(self) -> Mapping[str, Any]:
        """The body of the answer."""
        return {"errors": [each.formatted for each in self.errors]}


def _refused(message: str, code: str) -> NotAnswered:
    return NotAnswered(GraphQLError(message, extensions={"code": code}))


class GraphQl:
    """``/graphql``; *api* is the system that it belongs to."""

    def __init__(self, api: DialogSystem) -> None:
        self._api = api

    def routes(self) -> Iterable[Route]:
        """List what is answered here."""
        return (Route("POST", "/graphql", self.answer),)

    def answer(self, request: Request) -> Response:
        """Run one operation; what is wrong with the request is told with 400, what is wrong with the data with 200."""
        reader = self._api.reader(request)
        try:
            document, operation, variables = _read(request)
        except NotAnswered as error:
            return as_json(400, error.as_json())
        result = execute_sync(
            schema(),
            document,
            root_value=_Roots(self._api, reader).by_name(),
            variable_values=dict(variables),
            operation_name=operation.name.value if operation.name else None,
        )
        return as_json(200, result.formatted)


def _read(request: Request) -> tuple[DocumentNode, OperationDefinitionNode, Mapping[str, Any]]:
    try:
        body = parsed(read_body(request, _LIMIT))
    except (NotJson, TooLarge) as error:
        raise _refused("The request is not JSON.", "HC0012") from error
    text = body.get("query") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise _refused("The query is missing.", "HC0009")
    variables, name = body.get("variables") or {}, body.get("operationName")
    if not isinstance(variables, dict) or not isinstance(name, str | None):
        raise _refused("The variables are no object, or the operation's name is no text.", "HC0012")
    document = _document(text)
    operation = get_operation_ast(document, name)
    if operation is None:
        raise _refused("Name the one operation that shall be run.", "HC0010")
    if operation.operation is OperationType.SUBSCRIPTION:
        raise _refused("Subscriptions have a stream of their own.", "HC0033")
    coerced = get_variable_values(schema(), operation.variable_definitions, variables)
    if isinstance(coerced, list):
        raise NotAnswered(*coerced)
    return document, operation, variables


def _document(text: str) -> DocumentNode:
    try:
        document = parse(text, max_tokens=_MOST_TOKENS)
        errors = validate(schema(), document)
    except GraphQLError as error:
        raise NotAnswered(error) from error
    except RecursionError as error:
        raise _refused("The document is nested too deeply.", "HC0011") from error
    if errors:
        raise NotAnswered(*errors)
    return document


def subscription(text: str, dialog_id: str) -> Callable[[str], Mapping[str, Any]]:
    """
    What makes an event's answer from its type, as a subscription to a dialog's events asks for it.

    Raises:
        NotAnswered: The document is none.
    """
    document = _document(text)
    operation = get_operation_ast(document)
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        raise _refused("One subscription is what this stream is for.", "HC0033")

    def event(kind: str) -> Mapping[str, Any]:
        happened = {"id": dialog_id, "type": kind}
        return execute_sync(schema(), document, root_value={"dialogEvents": happened}).formatted

    return event


class _Roots:
    """The fields of queries and mutations, for one reader."""

    def __init__(self, api: DialogSystem, reader: Reader) -> None:
        self._api, self._reader, self._world = api, reader, api.world

    def by_name(self) -> Mapping[str, Resolver]:
        """What graphql-core calls for each field at the root."""
        return {
            "dialogById": self._dialog,
            "searchDialogs": self._search,
            "dialogLookup": self._look_up,
            "parties": lambda _: parties(self._world.dialogporten, self._reader),
            "limits": lambda _: limits(),
            "serviceResources": self._resources,
            "setSystemLabel": self._label,
            "bulkSetSystemLabels": self._label_many,
        }

    def _dialog(self, _: Any, *, dialogId: str) -> Any:  # noqa: N803 - the argument's name in the schema
        dialog_id = dialogId.lower()
        try:
            return {"dialog": opened(self._world, dialog_id, self._reader, host=self._api.host), "errors": []}
        except Problem as found:
            return {"dialog": None, "errors": [self._not_shown(dialog_id, found)]}

    def _not_shown(self, dialog_id: str, found: Problem) -> Mapping[str, Any]:
        message = _words(found)
        dialog = self._world.dialogporten.find(dialog_id)
        if found.status == 404 and dialog is not None and found.headers:
            return {"__typename": "DialogByIdNotVisible", "message": message, "visibleFrom": dialog.visible_from}
        if found.status == 404 and dialog is not None and dialog.body["expiresAt"] is not None:
            return {"__typename": "DialogByIdExpired", "message": message, "expiredAt": dialog.body["expiresAt"]}
        forbidden = "ForbiddenAuthLevelTooLow" if message == LEVEL_TOO_LOW else "Forbidden"
        kind = {410: "Deleted", 403: forbidden}.get(found.status, "NotFound")
        return {"__typename": f"DialogById{kind}", "message": message}

    def _search(self, _: Any, *, input: Mapping[str, Any]) -> Any:  # noqa: A002
        if any(len(_set(each)) > 1 for each in input.get("orderBy") or ()):
            return _nothing("OrderByParsingError", ["Set only one property per object of `orderBy`."])
        asked = {name: _as_query(name, value) for name, value in input.items()}
        found = search.asked(Query(asked), search.END_USER)
        if search.too_broad(found, self._world.switches):
            return _nothing("DomainError", search.TOO_BROAD["Search"])
        if found.errors:
            kinds = {"continuationToken": "ContinuationTokenParsingError", "orderBy": "OrderByParsingError"}
            key, messages = next(iter(found.errors.items()))
            return _nothing(kinds.get(key, "ValidationError"), messages)
        page, items = searched(self._world, found, self._reader)
        return {
            "items": items,
            "hasNextPage": page.has_next,
            "continuationToken": page.token,
            "orderBy": [
                {_ORDERS[each.key]: "Desc" if each.descending else "Asc"} for each in found.order if each.key in _ORDERS
            ],
            "errors": [],
        }

    def _look_up(self, _: Any, *, instanceRef: str) -> Any:  # noqa: N803
        try:
            return {"lookup": looked_up_by(self._api, self._reader, instanceRef), "errors": []}
        except Problem as found:
            kinds = {400: "ValidationError", 403: "Forbidden"}
            return {"lookup": None, "errors": _errors("DialogLookup", kinds.get(found.status, "NotFound"), [found])}

    def _resources(self, _: Any, *, includeUnauthorized: bool, parties: Sequence[str] | None = None) -> Any:  # noqa: N803
        items = resources_of(self._api, None if includeUnauthorized else self._reader, parties or ())
        return {"isFullCatalogueFallback": False, "items": items}

    def _label(self, _: Any, *, input: Mapping[str, Any]) -> Any:  # noqa: A002
        def change() -> None:
            held = visible(self._world, input["dialogId"].lower(), self._reader)
            wrong = faults({**input, "systemLabels": []})
            if wrong:
                raise Problem(400, wrong)
            self._world.dialogporten.change_labels(
                held.id,
                *(input["addLabels"], input["removeLabels"]),
                actor=self._reader.actor,
                intent=Intent(if_match=None, read=held),
            )

        return _changed("SetSystemLabel", change, {403: "Forbidden", 404: "EntityNotFound", 410: "EntityDeleted"})

    def _label_many(self, _: Any, *, input: Mapping[str, Any]) -> Any:  # noqa: A002
        pairs = [(each["dialogId"].lower(), each.get("enduserContextRevision")) for each in input["dialogs"]]

        def change() -> None:
            dialogs = [{"dialogId": dialog_id, "endUserContextRevision": revision} for dialog_id, revision in pairs]
            wrong = bulk_faults({**input, "systemLabels": [], "dialogs": dialogs}, most=MOST_LABELLED)
            if wrong:
                raise Problem(400, wrong)
            for dialog_id, _ in pairs:
                visible(self._world, dialog_id, self._reader)
            self._world.dialogporten.change_many_labels(
                pairs, input["addLabels"], input["removeLabels"], actor=self._reader.actor
            )

        return _changed("BulkSetSystemLabel", change, dict.fromkeys((403, 404, 410), "NotFound"))


_ORDERS = {"createdat": "createdAt", "updatedat": "updatedAt", "dueat": "dueAt", "contentupdatedat": "contentUpdatedAt"}


def _changed(name: str, change: Callable[[], None], kinds: Mapping[int, str]) -> Mapping[str, Any]:
    try:
        change()
    except Problem as found:
        named = {400: "ValidationError", 409: "ConflictError", 412: "ConcurrencyError", 422: "DomainError", **kinds}
        return {"success": False, "errors": _errors(name, named.get(found.status, "DomainError"), [found])}
    return {"success": True, "errors": []}


def _errors(name: str, kind: str, found: Iterable[Problem | str]) -> list[Mapping[str, str]]:
    texts = [each if isinstance(each, str) else _words(each) for each in found]
    return [{"__typename": f"{name}{kind}", "message": message} for message in texts]


def _nothing(kind: str, messages: Iterable[str]) -> Mapping[str, Any]:
    return {"items": None, "hasNextPage": False, "orderBy": [], "errors": _errors("SearchDialog", kind, messages)}


def _words(found: Problem) -> str:
    return next(iter((found.errors or {}).values()), [""])[0]


def _set(order: Mapping[str, str | None]) -> Mapping[str, str]:
    return {name: direction for name, direction in order.items() if direction is not None}


def _as_query(name: str, value: Any) -> list[str]:
    """A member of the input as the REST API has it in its query."""
    if value is None:
        return []
    if name == "orderBy":
        pairs = [pair for each in value for pair in _set(each).items()]
        return [",".join(f"{key}_{direction.lower()}" for key, direction in pairs)] if pairs else []
    if isinstance(value, bool):
        return [str(value).lower()]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
