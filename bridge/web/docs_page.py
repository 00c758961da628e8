"""What ``/docs`` shows: the description of the routes, and what is configured here, as rows for its template."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bridge.config.routes import Routes
from bridge.core.calculations import AppRoute, DataTypeRoute, TokenUse
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    FormSource,
    Narrowed,
    ServiceMapping,
    Supply,
    Validation,
    Verb,
)
from bridge.core.targets import Target
from bridge.web.openapi import Json

_SCHEMES = {
    "dialogToken": "a dialog token",
    "altinnToken": "the caller's Altinn token",
    "altinnCookie": "a browser's login",
    "proxyKey": "the proxy key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One or more methods of an address that mean the same."""

    anchor: str
    methods: tuple[str, ...]
    path: str
    described: Json
    opened_by: str
    curl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a JSON body."""

    name: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One configured action of a service, in words."""

    name: str
    title: str
    does: str
    requires: tuple[str, str]
    """What the token must hold, and the claim that holds it."""
    level: int
    body: str
    checked: str
    attachments: str
    curl: str


# What can be called


def calls(document: Json, tag: str) -> list[Call]:
    """The calls of one tag; methods that are described alike are one."""
    found: list[Call] = []
    for path, methods in document["paths"].items():
        alike: list[tuple[Json, list[str]]] = []
        for method, described in methods.items():
            if tag not in described["tags"]:
                continue
            bare = {**described, "operationId": ""}
            same = next((names for each, names in alike if {**each, "operationId": ""} == bare), None)
            if same is None:
                alike.append((described, [method.upper()]))
            else:
                same.append(method.upper())
        found += [_call(path, tuple(names), described) for described, names in alike]
    return found


def _call(path: str, methods: tuple[str, ...], described: Json) -> Call:
    schemes = [_SCHEMES[name] for each in described["security"] for name in each]
    return Call(
        anchor=described["operationId"],
        methods=methods,
        path=path,
        described=described,
        opened_by=" or ".join(schemes) or "nothing: it is open",
        curl=_curl(path, methods[0], described),
    )


def _curl(path: str, method: str, described: Json) -> str:
    parameters = described.get("parameters", ())
    for each in parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(each["example"]))
    media: str = next(iter(described.get("requestBody", {}).get("content", ())), "")
    # A file that is sent as it is has its name and type in the query.
    named = media == "application/octet-stream"
    wanted = [each for each in parameters if each["in"] == "query" and "example" in each]
    query = "&".join(f"{each['name']}={each['example']}" for each in wanted if named or each.get("required"))
    lines = [f'curl {"" if method == "GET" else f"-X {method} "}"$BRIDGE{path}{"?" + query if query else ""}"']
    if described["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    # Whether an action takes a body is the mapping's to say, and shown with it.
    if media and described["tags"] != ["actions"]:
        lines += _data(media)
    return " \\\n  ".join(lines)


def _data(media: str) -> list[str]:
    name = {"application/octet-stream": "plan.pdf", "application/json": "form.json"}.get(media, "form.xml")
    return [f"-H 'Content-Type: {media}'", f"--data-binary @{name}"]


def shown(example: object) -> str:
    """The example as it would be sent."""
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=2)


def schema_of(entry: Json) -> list[str]:
    """Name the schemas that a body may have."""
    schema = entry["schema"]
    names = [
        each.get("$ref", "").rpartition("/")[2] for each in (schema, *schema.get("anyOf", schema.get("oneOf", ())))
    ]
    return [name for name in names if name]


# Bodies


def members(schema: Json) -> list[Member]:
    """The members of a JSON body, those of its parts after a dot."""
    return list(_members(schema, ""))


def _members(schema: Json, head: str) -> Iterator[Member]:
    variants: Sequence[Json] = schema.get("oneOf", ())
    merged: dict[str, Json] = {}
    needed: list[set[str]] = []
    for each in variants or (schema,):
        merged = {**each.get("properties", {}), **merged}
        needed.append(set(each.get("required", ())))
    required = set.intersection(*needed)
    for name, each in merged.items():
        yield Member(
            name=f"{head}{name}", kind=_kind(each), required=name in required, text=each.get("description", "")
        )
        below = each.get("items", each)
        if "$ref" not in below and ("properties" in below or "oneOf" in below):
            yield from _members(below, f"{head}{name}{'[]' if 'items' in each else ''}.")


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"])) if len(schema["enum"]) < 8 else "one of its codes"
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    kinds = schema.get("type", "object")
    named = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{named} ({schema['format']})" if "format" in schema else named


# What is configured


def actions(mapping: ServiceMapping, *, as_json: bool) -> list[Action]:
    """Tell the actions of a service, in the order of its file; *as_json* says whether forms in JSON can be taken."""
    return [_action(mapping, each, as_json=as_json) for each in mapping.actions.values()]


def _action(mapping: ServiceMapping, action: ActionMapping, *, as_json: bool) -> Action:
    return Action(
        name=action.name,
        title="" if action.button is None else action.button.title.get("en", ""),
        does=_does(mapping, action),
        requires=_requires(action),
        level=action.minimum_level,
        body=_body(action, as_json=as_json),
        checked=_checked(action),
        attachments=_attachments(action),
        curl=_curl_of(action),
    )


_VERBS: Mapping[Verb, str] = {
    Verb.CONFIRM: "Confirms the correspondence.",
    Verb.ARCHIVE: "Archives the correspondence.",
}
_AFTER: Mapping[AfterUpdate, str] = {
    AfterUpdate.KEEP_AS_DRAFT: "Saves the form and leaves it a draft.",
    AfterUpdate.BACK_TO_FORM_FILLING: "Saves the form and leaves it in form filling.",
    AfterUpdate.SEND_TO_SIGNING: "Completes the form and sends it to signing.",
    AfterUpdate.SIGN_AND_ARCHIVE: "Completes, signs and archives the form.",
}


def _does(mapping: ServiceMapping, action: ActionMapping) -> str:
    app = "" if mapping.altinn3 is None else f"{mapping.altinn3.org}/{mapping.altinn3.app}"
    if action.target is Target.ALTINN3:
        return f"Has the app {app} calculate the form."
    if action.verb is Verb.DELETE:
        return f"Deletes the element{' and its dialog' if action.deletes_dialog else ''}."
    if action.verb in _VERBS:
        return _VERBS[action.verb]
    if action.form is FormSource.NONE and action.signs:
        return "Signs what waits for a signature, and archives it."
    before = f" Before that the app {app} calculates it." if action.calculate else ""
    return _AFTER[action.after] + before


def _requires(action: ActionMapping) -> tuple[str, str]:
    """What a token must hold, and in which of its claims."""
    if isinstance(action.requires, Narrowed):
        return action.requires.token_ref or "the id of the button", "e"
    return str(action.requires), "a"


def _body(action: ActionMapping, *, as_json: bool) -> str:
    if action.form is not FormSource.BODY:
        return "none: " + ("what Altinn 2 holds is used" if action.form is FormSource.MESSAGE else "no form is sent")
    kinds = ("application/xml", "text/xml", *(("application/json",) if as_json else ()))
    return f"the form as {', '.join(kinds)}; or a Message as application/hal+json"


def _checked(action: ActionMapping) -> str:
    if action.form is FormSource.NONE:
        return "no form is checked"
    return {
        Validation.STRICT: "faults of the form stop it (422)",
        Validation.WARN: "faults of the form are noted and stop nothing",
        Validation.OFF: "the form is not checked",
    }[action.validate]


def _attachments(action: ActionMapping) -> str:
    if action.attachment_policy is None:
        return ""
    ways = {Supply.BODY: "in the message", Supply.UPLOAD: "by …/attachments"}
    policy = action.attachment_policy
    return f"{', '.join(policy.types)}, {' or '.join(ways[each] for each in policy.supplies)}"


def _curl_of(action: ActionMapping) -> str:
    lines = [f'curl -X POST "$BRIDGE/actions/$DIALOG/{action.name}"', '-H "Authorization: Bearer $TOKEN"']
    if action.form is FormSource.BODY:
        lines += _data("application/xml")
    return " \\\n  ".join(lines)


_TOKENS: Mapping[TokenUse, str] = {
    TokenUse.CALLER: "the caller's own Altinn token or login; the app judges it",
    TokenUse.BRIDGE: "the proxy key; the app sees the bridge's own token",
    TokenUse.DIALOG: "a dialog token; the app sees the bridge's own token",
}


def apps(routes: Routes) -> list[Json]:
    """Tell the apps that calculate, by name."""
    return [_app(route) for _, route in sorted(routes.items())]


def _app(route: AppRoute) -> Json:
    opened = _TOKENS[route.token]
    if route.dialog is not None:
        opened += f" (of {route.dialog.service_resource}, level {route.dialog.minimum_level} or higher)"
    data_types = list(route.data_types.values())
    name = data_types[0].data_type if data_types else "…"
    anonymous = "/anonymous" if route.anonymous else ""
    lines = [f'curl -X PUT "$BRIDGE/{route.name}/v1/data{anonymous}?dataType={name}"']
    lines += [] if route.anonymous else ['-H "Authorization: Bearer $TOKEN"']
    return {
        "name": route.name,
        "opened_by": opened,
        "anonymous": route.anonymous,
        "data_types": [(each.data_type, _held(each)) for each in data_types],
        "others": _held(route.defaults),
        "curl": " \\\n  ".join([*lines, *_data("application/json")]),
    }


def _held(data_type: DataTypeRoute) -> str:
    schemas = ", ".join(name for name, _ in data_type.pins)
    return f"checked against {schemas} ({data_type.validate.value})" if schemas else "not checked"
