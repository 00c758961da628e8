"""Dialogporten's GraphQL queries: the roots that end-user systems ask for; the rest is refused (facts 4.2)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox import dialog_search as search
from bridge.sandbox.dialog_binding import Query
from bridge.sandbox.dialog_catalogue import limits, parties
from bridge.sandbox.dialog_end_user_api import LEVEL_TOO_LOW, opened, searched
from bridge.sandbox.dialog_json import NotJson, parsed
from bridge.sandbox.dialog_model import Problem
from bridge.sandbox.dialog_owner_api import TOO_BROAD, too_broad
from bridge.sandbox.dialog_views import Reader
from bridge.sandbox.wire import Route, TooLarge, as_json, read_body

if TYPE_CHECKING:
    from bridge.sandbox.dialogporten import Dialogporten

_LIMIT = 1_000_000
_DEEPEST = 15
# Each type's fields. ``=T`` is an object, ``=[T]`` a list, with ``?`` one that may be absent; ``@`` marks an enum.
TYPES: Mapping[str, str] = {
    "Queries": "dialogById=DialogByIdPayload searchDialogs=SearchDialogsPayload parties=[AuthorizedParty]"
    " limits=Limits",
    "Limits": "endUserSearch=EndUserSearchLimits serviceOwnerSearch=ServiceOwnerSearchLimits",
    "EndUserSearchLimits": "maxPartyFilterValues maxServiceResourceFilterValues maxOrgFilterValues"
    " maxExtendedStatusFilterValues",
    "ServiceOwnerSearchLimits": "maxPartyFilterValues maxServiceResourceFilterValues maxExtendedStatusFilterValues",
    "AuthorizedParty": "hasOnlyAccessToSubParties subParties=?[AuthorizedSubParty] party partyUuid partyId name"
    " dateOfBirth partyType isDeleted hasKeyRole isCurrentEndUser isMainAdministrator isAccessManager",
    "AuthorizedSubParty": "party partyUuid partyId name dateOfBirth partyType isDeleted hasKeyRole isCurrentEndUser"
    " isMainAdministrator isAccessManager",
    "SearchDialogsPayload": "items=?[SearchDialog] hasNextPage continuationToken orderBy=[SearchDialogSortType]"
    " errors=[SearchDialogError]",
    "SearchDialogSortType": "createdAt@ updatedAt@ dueAt@ contentUpdatedAt@",
    "SearchDialogError": "message",
    "SearchDialogValidationError": "message",
    "SearchDialogContinuationTokenParsingError": "message",
    "SearchDialogOrderByParsingError": "message",
    "SearchDialogDomainError": "message",
    "SearchDialogForbidden": "message",
    "SearchDialog": "id org serviceResource serviceResourceType party progress process precedingProcess"
    " guiAttachmentCount extendedStatus externalReference createdAt updatedAt contentUpdatedAt dueAt status@"
    " hasUnopenedContent isApiOnly fromServiceOwnerTransmissionsCount fromPartyTransmissionsCount"
    " latestActivity=Activity content=SearchContent seenSinceLastUpdate=[SeenLog] seenSinceLastContentUpdate=[SeenLog]"
    " isContentSeen endUserContext=EndUserContext",
    "SearchContent": "title=ContentValue summary=ContentValue senderName=ContentValue extendedStatus=ContentValue",
    "DialogByIdPayload": "dialog=Dialog errors=[DialogByIdError]",
    "DialogByIdError": "message",
    "DialogByIdNotFound": "message",
    "DialogByIdDeleted": "message",
    "DialogByIdForbidden": "message",
    "DialogByIdForbiddenAuthLevelTooLow": "message",
    "DialogByIdNotVisible": "message visibleFrom",
    "DialogByIdExpired": "message expiredAt",
    "Dialog": "id revision org serviceResource serviceResourceType party progress process precedingProcess"
    " extendedStatus externalReference dueAt expiresAt createdAt updatedAt contentUpdatedAt dialogToken status@"
    " hasUnopenedContent fromServiceOwnerTransmissionsCount fromPartyTransmissionsCount isApiOnly content=Content"
    " attachments=[Attachment] guiActions=[GuiAction] apiActions=[ApiAction] activities=[Activity]"
    " seenSinceLastUpdate=[SeenLog] seenSinceLastContentUpdate=[SeenLog] isContentSeen transmissions=[Transmission]"
    " endUserContext=EndUserContext",
    "Content": "title=ContentValue summary=ContentValue senderName=ContentValue additionalInfo=ContentValue"
    " extendedStatus=ContentValue mainContentReference=ContentValue",
    "ContentValue": "value=[Localization] mediaType isAuthorized",
    "Localization": "value languageCode",
    "Attachment": "id displayName=[Localization] name urls=[AttachmentUrl] expiresAt",
    "AttachmentUrl": "id url mediaType consumerType@",
    "GuiAction": "id action url authorizationAttribute isAuthorized isDeleteDialogAction priority@ httpMethod@"
    " title=[Localization] prompt=?[Localization]",
    "ApiAction": "id action authorizationAttribute isAuthorized name endpoints=[ApiActionEndpoint]",
    "ApiActionEndpoint": "id version url httpMethod@ documentationUrl requestSchema responseSchema deprecated sunsetAt",
    "Activity": "id createdAt extendedType type@ transmissionId performedBy=Actor description=[Localization]",
    "Actor": "actorType@ actorId actorName",
    "SeenLog": "id seenAt seenBy=Actor isViaServiceOwner isCurrentEndUser",
    "EndUserContext": "revision systemLabels@",
    "Transmission": "id createdAt authorizationAttribute isAuthorized extendedType externalReference"
    " relatedTransmissionId type@ sender=Actor isOpened content=TransmissionContent attachments=[Attachment]"
    " navigationalActions=[TransmissionNavigationalAction]",
    "TransmissionContent": "title=ContentValue summary=ContentValue contentReference=ContentValue",
    "TransmissionNavigationalAction": "title=[Localization] url expiresAt",
}
_TOKEN = re.compile(
    r'(?P<skip>[\s,\ufeff]+|#[^\n]*)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)'
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\.\.\.|[{}()\[\]:!=$@|&])"
)


class NotAnswered(ValueError):
    """The document cannot be read, or asks for what is not here; *code* is the server's word for it."""

    def __init__(self, message: str, code: str = "HC0014") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One selected field; *on* is set for a fragment, whose fields stand for themselves."""

    name: str
    alias: str
    arguments: Mapping[str, Any]
    fields: "tuple[Field, ...]"
    on: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that the request gives beside the document."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a document, with the defaults of its variables."""

    kind: str
    name: str
    defaults: Mapping[str, Any]
    fields: tuple[Field, ...]


class _Reader:
    """Reads one document from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise NotAnswered(f"Unexpected character at {at}.", "HC0011")
            if found.lastgroup != "skip":
                self._tokens.append(found.group())
            at = found.end()
        self._at = self._depth = 0
        self._fragments: dict[str, tuple[str, tuple[Field, ...]]] = {}

    def document(self) -> tuple[list[Operation], Mapping[str, tuple[str, tuple[Field, ...]]]]:
        operations = []
        while self._at < len(self._tokens):
            if self._peek() == "{":
                operations.append(Operation(kind="query", name="", defaults={}, fields=self._selection()))
            elif self._peek() == "fragment":
                self._next()
                name = self._name()
                self._expect("on")
                self._fragments[name] = (self._name(), self._selection())
            else:
                operations.append(self._operation())
        return operations, self._fragments

    def _operation(self) -> Operation:
        kind = self._name()
        if kind not in ("query", "mutation", "subscription"):
            raise NotAnswered(f"Unexpected {kind}.", "HC0011")
        name = "" if self._peek() in ("{", "(") else self._name()
        defaults: dict[str, Any] = {}
        if self._peek() == "(":
            self._next()
            while self._peek() != ")":
                self._expect("$")
                variable = self._name()
                self._expect(":")
                while self._peek() not in ("$", ")", "="):
                    self._next()
                if self._peek() == "=":
                    self._next()
                    defaults[variable] = self._value()
            self._next()
        return Operation(kind=kind, name=name, defaults=defaults, fields=self._selection())

    def _selection(self) -> tuple[Field, ...]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotAnswered(f"The document is nested more than {_DEEPEST} deep.", "HC0025")
        self._expect("{")
        found: list[Field] = []
        while self._peek() != "}":
            found.append(self._fragment() if self._peek() == "..." else self._field())
        self._next()
        self._depth -= 1
        if not found:
            raise NotAnswered("A selection is empty.", "HC0011")
        return tuple(found)

    def _fragment(self) -> Field:
        self._next()
        if self._peek() == "on":
            self._next()
            on = self._name()
            return Field(name="", alias="", arguments={}, fields=self._selection(), on=on)
        name = self._name()
        return Field(name=name, alias="", arguments={}, fields=(), on="")

    def _field(self) -> Field:
        name = alias = self._name()
        if self._peek() == ":":
            self._next()
            name = self._name()
        arguments: dict[str, Any] = {}
        if self._peek() == "(":
            self._next()
            while self._peek() != ")":
                key = self._name()
                self._expect(":")
                arguments[key] = self._value()
            self._next()
        fields = self._selection() if self._peek() == "{" else ()
        return Field(name=name, alias=alias, arguments=arguments, fields=fields)

    def _value(self) -> Any:
        part = self._next()
        if part == "$":
            return Variable(self._name())
        if part == "[":
            items = []
            while self._peek() != "]":
                items.append(self._value())
            self._next()
            return items
        if part == "{":
            members: dict[str, Any] = {}
            while self._peek() != "}":
                key = self._name()
                self._expect(":")
                members[key] = self._value()
            self._next()
            return members
        if part.startswith('"'):
            return _unquoted(part)
        if re.fullmatch(r"-?\d+", part):
            return int(part)
        return {"true": True, "false": False, "null": None}.get(part, part)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise NotAnswered("The document ends too soon.", "HC0011")
        self._at += 1
        return self._tokens[self._at - 1]

    def _name(self) -> str:
        token = self._next()
        if not re.fullmatch(r"[A-Za-z_]\w*", token):
            raise NotAnswered(f"Expected a name, found {token}.", "HC0011")
        return token

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise NotAnswered(f"Expected {sign}.", "HC0011")


def _unquoted(token: str) -> str:
    try:
        return str(parsed(token.encode()))
    except NotJson:
        raise NotAnswered("A text is not well-formed.", "HC0011") from None


def type_of(owner: str, name: str) -> tuple[str, str]:
    """
    Say a field's kind (empty, ``@``, ``=``, ``=[`` or ``=?[``) and the type of its value.

    Raises:
        NotAnswered: The type has no such field.
    """
    for each in TYPES[owner].split():
        found = re.fullmatch(r"(\w+)(@|=\??\[?)?(\w+)?\]?", each)
        if found is not None and found[1] == name:
            return found[2] or "", found[3] or ""
    raise NotAnswered(f"The field `{name}` does not exist on the type `{owner}`.")


class GraphQl:
    """POST ``/graphql``; *api* is the system that it belongs to."""

    def __init__(self, api: "Dialogporten") -> None:
        self._api = api
        self._roots: Mapping[str, Callable[[Reader, Mapping[str, Any]], Any]] = {
            "dialogById": self._dialog,
            "searchDialogs": self._search,
            "parties": lambda reader, _: parties(api.world.dialogporten, reader),
            "limits": lambda _, __: limits(),
        }

    def routes(self) -> Iterable[Route]:
        """List what is answered here."""
        return (Route("POST", "/graphql", self.answer),)

    def answer(self, request: Request) -> Response:
        """Run one query; what is wrong with the document is told with 400, what is wrong with the data with 200."""
        reader = self._api.reader(request)
        try:
            data = self._run(request, reader)
        except NotAnswered as error:
            return as_json(400, {"errors": [{"message": str(error), "extensions": {"code": error.code}}]})
        return as_json(200, {"data": data})

    def _run(self, request: Request, reader: Reader) -> dict[str, Any]:
        try:
            body = parsed(read_body(request, _LIMIT))
        except (NotJson, TooLarge) as error:
            raise NotAnswered("The request is not JSON.", "HC0012") from error
        text = body.get("query") if isinstance(body, dict) else None
        if not isinstance(text, str):
            raise NotAnswered("The query is missing.", "HC0009")
        operations, fragments = _Reader(text).document()
        wanted = body.get("operationName")
        chosen = [each for each in operations if wanted is None or each.name == wanted]
        if len(chosen) != 1:
            raise NotAnswered("Name the one operation that shall be run.", "HC0010")
        if chosen[0].kind != "query":
            raise NotAnswered(f"Only queries are answered here, and no {chosen[0].kind}.", "HC0033")
        given = body.get("variables") or {}
        if not isinstance(given, dict):
            raise NotAnswered("The variables are no object.", "HC0012")
        variables = {**chosen[0].defaults, **given}

        def resolve(field: Field) -> Any:
            if field.name not in self._roots:
                raise NotAnswered(f"The field `{field.name}` does not exist on the type `Queries`.")
            return self._roots[field.name](reader, _filled(field.arguments, variables))

        try:
            return _projected(resolve, "Queries", chosen[0].fields, fragments)
        except RecursionError:
            raise NotAnswered("A fragment contains itself.", "HC0015") from None

    def _dialog(self, reader: Reader, arguments: Mapping[str, Any]) -> Any:
        try:
            dialog_id = str(arguments["dialogId"]).lower()
            return {"dialog": opened(self._api.world, dialog_id, reader, self._api.host), "errors": []}
        except KeyError:
            raise NotAnswered("The argument `dialogId` is required.", "HC0020") from None
        except Problem as found:
            return {"dialog": None, "errors": [self._refusal(dialog_id, found)]}

    def _refusal(self, dialog_id: str, found: Problem) -> dict[str, Any]:
        message = next(iter((found.errors or {}).values()), [""])[0]
        dialog = self._api.world.dialogporten.find(dialog_id)
        if found.headers and dialog is not None:
            return {"__typename": "DialogByIdNotVisible", "message": message, "visibleFrom": dialog.visible_from}
        too_low = message == LEVEL_TOO_LOW
        forbidden = "DialogByIdForbiddenAuthLevelTooLow" if too_low else "DialogByIdForbidden"
        names = {410: "DialogByIdDeleted", 403: forbidden}
        return {"__typename": names.get(found.status, "DialogByIdNotFound"), "message": message}

    def _search(self, reader: Reader, arguments: Mapping[str, Any]) -> Any:
        wanted = arguments.get("input")
        if not isinstance(wanted, dict):
            raise NotAnswered("The argument `input` is required.", "HC0020")
        unknown = sorted(set(wanted) - search.END_USER.filters)
        if unknown:
            raise NotAnswered(f"The field `{unknown[0]}` does not exist on the input type `SearchDialogInput`.")
        found = search.asked(Query({name: _texts(name, value) for name, value in wanted.items()}), search.END_USER)
        if too_broad(self._api, found):
            return _not_found([{"__typename": "SearchDialogDomainError", "message": TOO_BROAD["Search"][0]}])
        if found.errors:
            kinds = {
                "continuationToken": "SearchDialogContinuationTokenParsingError",
                "orderBy": "SearchDialogOrderByParsingError",
            }
            return _not_found(
                [
                    {"__typename": kinds.get(key, "SearchDialogValidationError"), "message": message}
                    for key, messages in found.errors.items()
                    for message in messages
                ]
            )
        page, items = searched(self._api.world, found, reader)
        names = {"createdat": "createdAt", "updatedat": "updatedAt", "dueat": "dueAt"}
        order = [
            {names.get(each.key, "contentUpdatedAt"): "Desc" if each.descending else "Asc"}
            for each in found.order
            if each.key != "id"
        ]
        return {
            "items": items,
            "hasNextPage": page.has_next,
            "continuationToken": page.token,
            "orderBy": order,
            "errors": [],
        }


def _not_found(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"items": None, "hasNextPage": False, "continuationToken": None, "orderBy": [], "errors": list(errors)}


def _texts(name: str, value: Any) -> list[str]:
    """Write a member of the input as the REST API has it in its query."""
    if value is None:
        return []
    if name == "orderBy":
        pairs = [pair for each in value for pair in each.items()]
        if any(len(each) != 1 for each in value):
            raise NotAnswered("Set only one property per object of `orderBy`.", "HC0020")
        return [",".join(f"{key}_{direction.lower()}" for key, direction in pairs)] if pairs else []
    if name in ("status", "systemLabel"):
        return [str(each).replace("_", "") for each in value]
    if isinstance(value, bool):
        return [str(value).lower()]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:
    match value:
        case Variable(name):
            return variables.get(name)
        case dict():
            return {key: _filled(each, variables) for key, each in value.items()}
        case list():
            return [_filled(each, variables) for each in value]
        case _:
            return value


def _projected(
    value: Any, owner: str, fields: Sequence[Field], fragments: Mapping[str, tuple[str, tuple[Field, ...]]]
) -> dict[str, Any]:
    """Give of an object (or, at the root, a function of the field) what was selected, in the order of selection."""
    name = owner if callable(value) else value.get("__typename", owner)
    result: dict[str, Any] = {}
    for field in fields:
        if field.on is not None:
            on, inner = (field.on, field.fields) if field.on else fragments.get(field.name, ("", ()))
            if on not in TYPES or (not inner):
                raise NotAnswered(f"There is no fragment or type `{on or field.name}`.")
            if on in (name, owner):
                result |= _projected(value, name, inner, fragments)
            else:
                _projected({}, on, inner, fragments)
            continue
        if field.name == "__typename":
            result[field.alias] = name
            continue
        kind, inner_type = type_of(owner, field.name)
        if bool(field.fields) != bool(inner_type):
            words = "has no selection" if inner_type else "has no fields to select"
            raise NotAnswered(f"The field `{field.name}` of `{owner}` {words}.")
        held = value(field) if callable(value) else value.get(field.name)
        result[field.alias] = _shown(held, kind, inner_type, field, fragments)
    return result


def _shown(
    held: Any, kind: str, inner: str, field: Field, fragments: Mapping[str, tuple[str, tuple[Field, ...]]]
) -> Any:
    if not inner:
        return _constant(held) if kind == "@" else held
    if held is None:
        # So that a document is judged whole, whatever the data.
        _projected({}, inner, field.fields, fragments)
        return [] if kind == "=[" else None
    if isinstance(held, list):
        return [_projected(each, inner, field.fields, fragments) for each in held]
    return _projected(held, inner, field.fields, fragments)


def _constant(value: Any) -> Any:
    """Write an enum as GraphQL has it: ``InProgress`` is ``IN_PROGRESS``, ``GET`` stays."""
    if isinstance(value, list):
        return [_constant(each) for each in value]
    return None if value is None else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value).upper()
