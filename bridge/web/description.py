"""``/openapi.json`` and ``/docs``: what can be asked of the bridge, for programs and for people."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, render_template_string
from flask.typing import ResponseReturnValue

from bridge.core.texts import LANGUAGES, TEXTS
from bridge.parts import Bridge
from bridge.web.problems import TYPE

description = Blueprint("description", __name__)

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}
_ID: Json = {"type": "string", "format": "uuid"}
_MOMENT: Json = {"type": "string", "format": "date-time"}


@description.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Give the description as OpenAPI 3.1."""
    return Response(orjson.dumps(document(_public_url())), content_type="application/json")


@description.get("/docs")
def docs() -> ResponseReturnValue:
    """Give the same as a page, which runs nothing and loads nothing."""
    codes = {code: TEXTS[code]["en"].title for code in sorted(TEXTS)}
    page = render_template_string(_PAGE, described=document(_public_url()), codes=codes)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _public_url() -> str | None:
    bridge: Bridge = current_app.extensions["bridge"]
    return bridge.settings.public_url


@lru_cache(maxsize=2)
def document(public_url: str | None) -> Json:
    """Describe every route of ``web/app.py``; a test holds the two, and real answers, against each other."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Altinn dialog bridge",
            "version": version("altinn-dialog-bridge"),
            "description": "Write actions of dialogs that still stand in Altinn 2, and stateless calculation.",
        },
        "servers": [{"url": public_url or "/"}],
        "paths": {
            "/actions/{dialogId}/{action}": _actions(),
            "/actions/{dialogId}/{action}/attachments": {
                "get": _below("The element's attachments", _json("Attachments")),
                "post": _attach(),
            },
            "/actions/{dialogId}/{action}/attachments/{attachmentId}": {
                "get": _attached(),
                "put": _replace(),
                "delete": _detach(),
            },
            "/actions/{dialogId}/{action}/forms": {"get": _below("The element's forms with their ids", _json("Forms"))},
            "/actions/{dialogId}/{action}/signingtext": {
                "get": _below("What who signs must have seen", {"text/plain": {"schema": _TEXT}})
            },
            "/actions/{dialogId}/{action}/print": {
                "get": _below("Altinn 2's print of the element", {"application/pdf": {}, "text/html": {}}),
                "post": _print_link(),
            },
            "/prints/{secret}": {"get": _print()},
            "/embeds/{dialogId}/{embed}": {"get": _embed()},
            "/operations/{operationId}": {"get": _operation()},
            "/{org}/{app}/v1/data": _calculation("With the token that the app's route asks for."),
            "/{org}/{app}/v1/data/anonymous": _calculation("Without a token, where the app's route opens it."),
            **{
                f"/health/{name}": {"get": _plain(summary, "application/json", down=down)}
                for name, summary, down in (
                    ("liveness", "Whether the process answers", False),
                    ("startup", "Whether write actions can be accepted", True),
                    ("readiness", "Whether write actions can be accepted", True),
                    ("deep", "Moreover, whether somebody works on what was accepted", True),
                )
            },
            "/metrics": {"get": _plain("Measurements, for Prometheus", "text/plain")},
            "/openapi.json": {"get": _plain("This description", "application/json")},
            "/docs": {"get": _plain("This description, to read", "text/html")},
        },
        "components": {
            "securitySchemes": {
                "dialogToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Dialogporten's dialog token, which comes with the dialog and lives ten minutes.",
                }
            },
            "schemas": _schemas(),
        },
    }


def _actions() -> Json:
    press = {
        "summary": "Carry out a write action",
        "description": "POST, PUT and DELETE mean the same. A press under way is joined, and one that is done is not "
        "done twice.",
        "security": [{"dialogToken": []}],
        "parameters": [_path("dialogId", _ID), _path("action", _TEXT), _language()],
        "requestBody": {
            "description": "Nothing, or what the mapping takes: a form, or a message with forms and attachments.",
            "content": {
                "application/xml": {"schema": _TEXT},
                "text/xml": {"schema": _TEXT},
                "application/json": {"schema": {"type": "object"}},
                "application/hal+json": {"schema": {"$ref": "#/components/schemas/Message"}},
            },
        },
        "responses": {
            "204": {"description": "Done, or done already."},
            "202": {
                "description": "Accepted and under way; it is not lost.",
                "headers": {
                    "Location": {"description": "Of the operation.", "schema": _TEXT},
                    "Retry-After": {"description": "Seconds.", "schema": _WHOLE},
                },
            },
            **_problems(
                "400", "401", "403", "404", "408", "409", "410", "413", "415", "422", "429", "502", "503", "504"
            ),
        },
    }
    return {name: {**press, "operationId": f"{name}Action"} for name in ("post", "put", "delete")}


def _attach() -> Json:
    return {
        "summary": "Attach a file to the element",
        "description": "An empty file is refused (422 attachment_empty), and what is there stays.",
        "operationId": "attach",
        "security": [{"dialogToken": []}],
        "parameters": [
            _path("dialogId", _ID),
            _path("action", _TEXT),
            _query("fileName", "With its extension; needed with application/octet-stream."),
            _query("attachmentType", "As in the mapping; needed with application/octet-stream."),
            _query("language", "As Altinn 2 has it: 1044, 2068 or 1033."),
            _language(),
        ],
        "requestBody": {
            "required": True,
            "content": {
                # A file of no bytes is refused (attachment_empty).
                "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}},
                "application/hal+json": {"schema": {"$ref": "#/components/schemas/NewAttachment"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/NewAttachment"}},
            },
        },
        "responses": {
            "201": {
                "description": "It is there, now or already.",
                "headers": {"Location": {"description": "Of its record.", "schema": _TEXT}},
                "content": _json("Attachment"),
            },
            **_problems("400", "401", "403", "404", "408", "409", "410", "413", "415", "422", "502", "503", "504"),
        },
    }


def _replace() -> Json:
    attach = _attach()
    return {
        **attach,
        "summary": "Replace an attachment",
        "description": "By its id here, or its attachmentId as listed. The old one goes once the new one is there. "
        "Name and type are the old one's where they are left out. An empty file is refused (422 attachment_empty), and "
        "the old one stays.",
        "operationId": "replaceAttachment",
        "parameters": [*attach["parameters"], _path("attachmentId", _TEXT)],
        "responses": {
            "200": {
                "description": "It is in its place.",
                "headers": {"Content-Location": {"description": "Of its record.", "schema": _TEXT}},
                "content": _json("Attachment"),
            },
            **{status: told for status, told in attach["responses"].items() if status != "201"},
        },
    }


def _detach() -> Json:
    return {
        "summary": "Remove an attachment",
        "description": "By its id here, or its attachmentId as listed.",
        "operationId": "removeAttachment",
        "security": [{"dialogToken": []}],
        "parameters": [_path("dialogId", _ID), _path("action", _TEXT), _path("attachmentId", _TEXT), _language()],
        "responses": {
            "204": {"description": "It is gone, now or already."},
            **_problems("401", "403", "404", "409", "410", "422", "502", "503", "504"),
        },
    }


def _attached() -> Json:
    told = _below("What was attached", _json("Attachment"))
    return {**told, "parameters": [*told["parameters"], _path("attachmentId", _ID)]}


def _below(summary: str, content: Json) -> Json:
    return {
        "summary": summary,
        "security": [{"dialogToken": []}],
        "parameters": [_path("dialogId", _ID), _path("action", _TEXT), _language()],
        "responses": {
            "200": {"description": summary + ".", "content": content},
            **_problems("401", "403", "404", "410", "502", "503"),
        },
    }


def _embed() -> Json:
    return {
        "summary": "Content that a dialog shows in its middle",
        "description": "summary, signing-text or receipt, with the right read. At most 100 KB.",
        "security": [{"dialogToken": []}],
        "parameters": [
            _path("dialogId", _ID),
            _path("embed", {"enum": ["summary", "signing-text", "receipt"]}),
            _language(),
            {
                "name": "Prefer",
                "in": "header",
                "description": 'timezone="Europe/Oslo": where times are told; that is also the zone without it.',
                "schema": _TEXT,
            },
        ],
        "responses": {
            "200": {"description": "As it is now.", "content": {"text/markdown": {"schema": _TEXT}}},
            "204": {"description": "There is nothing to show now."},
            **_problems("401", "403", "404", "410", "502", "503"),
        },
    }


def _print_link() -> Json:
    return {
        "summary": "Make a link that opens the print in a browser, once and for a short time",
        "operationId": "makePrintLink",
        "security": [{"dialogToken": []}],
        "parameters": [_path("dialogId", _ID), _path("action", _TEXT), _language()],
        "responses": {
            "201": {
                "description": "It is good until expiresAt.",
                "headers": {"Location": {"description": "The link.", "schema": _TEXT}},
                "content": _json("PrintLink"),
            },
            **_problems("401", "403", "404", "503"),
        },
    }


def _print() -> Json:
    return {
        "summary": "Open a print by its link, which is used up by it",
        "parameters": [_path("secret", _TEXT)],
        "responses": {
            "200": {"description": "The print.", "content": {"application/pdf": {}, "text/html": {}}},
            **_problems("404", "410", "502", "503"),
        },
    }


def _operation() -> Json:
    return {
        "summary": "How far an operation is",
        "operationId": "operation",
        "security": [{"dialogToken": []}],
        "parameters": [_path("operationId", _ID), _language()],
        "responses": {
            "200": {"description": "As it stands.", "content": _json("Operation")},
            **_problems("401", "403", "404"),
        },
    }


def _calculation(who: str) -> Json:
    both: Json = {"application/json": {}, "application/xml": {}}
    call = {
        "summary": "Ask an Altinn 3 app for an empty form, or have it calculate one",
        "description": f"{who} Query, headers and body go on as they came, and so does the app's answer. GET, and POST "
        "without a body, ask for an empty form; PUT, and POST with a body, calculate.",
        "parameters": [
            _path("org", _TEXT),
            _path("app", _TEXT),
            _query("dataType", "The app's data type."),
            _query("bridge-report", "true: what the app changed, and what is wrong with the form, in its place."),
        ],
        "responses": {
            "200": {
                "description": "As the app gives it.",
                "headers": {"Bridge-Findings": {"description": "Faults of the form, counted.", "schema": _WHOLE}},
                "content": both,
            },
            **_problems("404", "408", "413", "422", "502", "503", "504"),
            "default": {"description": "Whatever the app answers."},
        },
    }
    with_form = {**call, "requestBody": {"content": both}}
    return {"get": call, "post": with_form, "put": with_form}


def _plain(summary: str, media_type: str, *, down: bool = False) -> Json:
    answer = {"description": summary + ".", "content": {media_type: {}}}
    return {"summary": summary, "responses": {"200": answer, **({"503": answer} if down else {})}}


def _schemas() -> Json:
    finding = {
        "path": _TEXT,
        "line": {**_WHOLE, "description": "From 1; 0 is unknown."},
        "column": {**_WHOLE, "description": "From 1; 0 is unknown."},
        "rule": _TEXT,
        "message": _TEXT,
    }
    problem = {
        "type": {"enum": [f"{TYPE}{code}" for code in sorted(TEXTS)]},
        "title": _TEXT,
        "status": _WHOLE,
        "detail": {**_TEXT, "description": "What to do next, and whether anything was sent."},
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
        "instance": _TEXT,
        "traceId": _TEXT,
        "deletionAllowedAt": {**_MOMENT, "description": "With deletion_too_early: from when on it may be deleted."},
        "gracePeriodDays": {**_WHOLE, "description": "With deletion_too_early: days after the last change."},
    }
    form = {"FormId": {"type": ["integer", "null"]}, "Type": _TEXT, "DataFormatId": _TEXT, "DataFormatVersion": _TEXT}
    operation = {
        "id": _ID,
        "dialogId": _ID,
        "action": _TEXT,
        "status": {"enum": ["underWay", "finished"]},
        "acceptedAt": _MOMENT,
        "finishedAt": _MOMENT,
        "waitsFor": {
            "enum": ["attachment", "earlierOperation"],
            "description": "What it waits for: an attachment that is on its way to the same case, or an earlier press.",
        },
        "waitsUntil": {
            **_MOMENT,
            "description": "The longest that it waits for that, where that is known; then it goes on, or is refused.",
        },
        "outcome": {"enum": ["done", "repeated", "refused", "givenUp"]},
        "uncertainUntil": {
            **_MOMENT,
            "description": "What was sent was not answered and may still take effect until then: neither done nor not.",
        },
        "problem": {"$ref": "#/components/schemas/Problem"},
        "differences": {
            "type": "object",
            "description": "How Altinn 2 shows the forms otherwise than they were sent: paths, and the count of all.",
        },
    }
    perhaps: Json = {"type": ["integer", "null"]}
    file = {"attachmentId": perhaps, "fileName": _TEXT, "attachmentType": _TEXT}
    attachment = {"id": _ID, **file, "length": _WHOLE, "sha256": _TEXT}
    listed = {
        "id": {"type": ["string", "null"], "format": "uuid", "description": "Of its record, where it has one."},
        **file,
        "length": perhaps,
        "uploaded": {
            "type": "boolean",
            "description": "Whether it came in by this dialog, so that it may be changed.",
        },
    }
    new = {"FileName": _TEXT, "AttachmentType": _TEXT, "Data": {**_TEXT, "contentEncoding": "base64"}}
    number: Json = {"type": ["string", "integer"]}
    changed = {
        "Type": {"enum": ["MainForm", "SubForm"]},
        "DataFormatId": number,
        "DataFormatVersion": number,
        "FormData": {**_TEXT, "minLength": 1, "description": "XML; a new subform without it is filled in by Altinn 2."},
        "FormId": {"type": "integer", "minimum": 0, "description": "The one that is meant."},
        "Remove": {"const": False},
    }
    removed = {"FormId": {"type": "integer", "minimum": 0}, "Remove": {"const": True}}
    entry = {"oneOf": [_object(changed, "Type", "DataFormatId", "DataFormatVersion"), _object(removed, *removed)]}
    content = {
        "forms": {"type": "array", "minItems": 1, "items": entry},
        "attachments": {"type": "array", "minItems": 1, "items": _object(new, *new)},
    }
    head = {"Type": {"const": "FormTask"}, "ServiceCode": _TEXT, "ServiceEdition": number, "MessageId": _TEXT}
    message = {
        "oneOf": [
            _object({**head, **content}, "forms"),
            _object({**head, "_embedded": _object(content, "forms")}, "_embedded"),
        ],
        "description": "The head must be the case's own, where it is there.",
    }
    return {
        "Message": message,
        "Problem": _object(problem, "type", "title", "status", "detail"),
        "Finding": _object(finding, *finding),
        "Operation": _object(operation, "id", "dialogId", "action", "status", "acceptedAt"),
        "Attachment": _object(attachment, *attachment),
        "PrintLink": _object({"url": _TEXT, "expiresAt": _MOMENT}, "url", "expiresAt"),
        "Attachments": _object({"attachments": {"type": "array", "items": _object(listed, *listed)}}, "attachments"),
        "NewAttachment": {**_object(new, *new), "description": "Data comes last, so that it can be passed on."},
        "Forms": _object({"forms": {"type": "array", "items": _object(form, *form)}}, "forms"),
    }


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _path(name: str, schema: Mapping[str, Any]) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, meaning: str) -> Json:
    return {"name": name, "in": "query", "description": meaning, "schema": _TEXT}


def _language() -> Json:
    return {
        "name": "Accept-Language",
        "in": "header",
        "description": "Of problems.",
        "schema": {"enum": list(LANGUAGES)},
    }


_MEANINGS = {
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
    "429": "It comes too often: wait as Retry-After says.",
    "502": "Another system said no, or broke off; the detail says whether anything was sent.",
    "503": "Another system is away: try again, with Retry-After after that.",
    "504": "Another system did not answer in time; the detail says whether anything was sent.",
}


def _problems(*statuses: str) -> Json:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = {status: {"description": _MEANINGS[status], "content": content} for status in statuses}
    return {**told, "default": {"description": "Any other problem.", "content": content}}


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{ described.info.title }}</title>
<style>
body { font: 16px sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
td, th { padding: .2em 1em .2em 0; text-align: left; vertical-align: top }
</style>
{% macro table(heading, rows) %}
<table>
<tr><th>{{ heading }}</th><th>means</th></tr>
{% for name, text in rows %}<tr><td><code>{{ name }}</code></td><td>{{ text }}</td></tr>
{% endfor %}</table>
{% endmacro %}
<h1>{{ described.info.title }} {{ described.info.version }}</h1>
<p>{{ described.info.description }} For programs: <a href="openapi.json">openapi.json</a>.</p>
{% for path, operations in described.paths.items() %}
{% set one = operations.values() | first %}
<h2><code>{{ operations | join(" ") | upper }} {{ path }}</code></h2>
<p>{{ one.summary }}. {{ one.description }}</p>
{% if one.parameters %}
{% set rows = [] %}
{% for each in one.parameters %}{% set _ = rows.append((each.name, each.description or each["in"])) %}{% endfor %}
{{ table("parameter", rows) }}
{% endif %}
{% set rows = [] %}
{% for status, each in one.responses.items() %}{% set _ = rows.append((status, each.description)) %}{% endfor %}
{{ table("answer", rows) }}
{% endfor %}
<h2>Problems</h2>
<p>The last part of <code>type</code>.</p>
{{ table("code", codes.items()) }}
</html>
"""
