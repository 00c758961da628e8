"""What the description of the bridge's routes is put together from (OpenAPI 3.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
ID: Json = {"type": "string", "format": "uuid"}
MOMENT: Json = {"type": "string", "format": "date-time"}

DIALOG: Sequence[Json] = ({"dialogToken": []},)
"""What opens a route: here a dialog token."""
APP: Sequence[Json] = ({"altinnToken": []}, {"altinnCookie": []}, {"proxyKey": []}, {"dialogToken": []})
NOBODY: Sequence[Json] = ()

_MEANINGS: Mapping[str, str] = {
    "400": "The request cannot be read.",
    "401": "The token is not genuine, or too old: read the dialog again.",
    "403": "The token is genuine, and not for this.",
    "404": "There is no such thing.",
    "408": "The body did not come in time: send it again.",
    "409": "It cannot be done as things stand: read the dialog again.",
    "410": "What it is about is gone.",
    "413": "It is too large.",
    "415": "This kind of body is not taken.",
    "422": "What was sent has faults; nothing was sent on.",
    "431": "The head is too large.",
    "429": "It comes too often: wait as Retry-After says.",
    "502": "Another system said no, or broke off; the detail says whether anything was sent.",
    "503": "Another system is away: try again, with Retry-After after that.",
    "504": "Another system did not answer in time; the detail says whether anything was sent.",
}

_BESIDE: Mapping[str, Sequence[str]] = {
    "401": ("WWW-Authenticate",),
    "409": ("Retry-After?",),
    "429": ("Retry-After",),
    "503": ("Retry-After?",),
}
_HEADERS: Mapping[str, Json] = {
    "X-Trace-Id": {"description": "By which the bridge's log tells of this request.", "schema": TEXT},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "What the token lacks.", "schema": TEXT},
    "Location": {"description": "Where it is.", "schema": TEXT},
    "Content-Location": {"description": "Where it is.", "schema": TEXT},
    "Operation-Id": {"description": "The operation's.", "schema": ID},
    "Bridge-Findings": {"description": "Faults of the form, counted.", "schema": {"type": "integer", "minimum": 0}},
    "Preference-Applied": {"description": "bridge-report, where there is one.", "schema": TEXT},
}


def operation(
    operation_id: str,
    tag: str,
    summary: str,
    description: str,
    *,
    security: Sequence[Json],
    responses: Json,
    parameters: Sequence[Json] = (),
    body: Json | None = None,
) -> Json:
    """Describe one method of one address."""
    return {
        "operationId": operation_id,
        "tags": [tag],
        "summary": summary,
        "description": description,
        "security": list(security),
        **({"parameters": list(parameters)} if parameters else {}),
        **({"requestBody": body} if body else {}),
        "responses": responses,
    }


def response(description: str, content: Json | None = None, *headers: str, links: Json | None = None) -> Json:
    """Describe an answer; *headers* stand in it beside the trace id, those with ``?`` now and then."""
    named: Json = {"X-Trace-Id": _HEADERS["X-Trace-Id"]}
    for each in headers:
        name = each.removesuffix("?")
        named[name] = {**_HEADERS[name], **({} if each.endswith("?") else {"required": True})}
    return {
        "description": description,
        "headers": named,
        **({"content": content} if content else {}),
        **({"links": links} if links else {}),
    }


def problems(*statuses: str) -> Json:
    """Describe refusals by their statuses, and any other."""
    content: Json = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = {status: response(_MEANINGS[status], content, *_BESIDE.get(status, ())) for status in statuses}
    return {**told, "default": response("Any other problem.", content)}


def an_object(properties: Json, *required: str) -> Json:
    """Describe an object that has these members and no others."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def json_of(name: str) -> Json:
    """Describe a body that is one of the schemas, in JSON."""
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def text_of(*media_types: str) -> Json:
    """Describe a body that is what its type says."""
    return {each: {"schema": TEXT} for each in media_types}


def path(name: str, schema: Mapping[str, Any], description: str) -> Json:
    """Describe a part of an address."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def query(name: str, description: str, schema: Mapping[str, Any] = TEXT, *, required: bool = False) -> Json:
    """Describe a parameter of an address."""
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": schema,
        **({"required": True} if required else {}),
    }


def header(name: str, description: str, *examples: str) -> Json:
    """Describe a header of a request; it may hold anything."""
    return {"name": name, "in": "header", "description": description, "schema": {**TEXT, "examples": list(examples)}}
