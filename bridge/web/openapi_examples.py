"""Examples for the description of the bridge's routes: one for each body and each part of an address."""

from collections.abc import Mapping
from typing import Any

from bridge.core.texts.problems import TEXTS
from bridge.web.openapi_parts import Json
from bridge.web.problems import TYPE

DIALOG_ID = "0196f000-0000-7000-8000-000000000001"
_OPERATION_ID = "0196f000-0000-7000-8000-000000000002"
_UPLOAD_ID = "0196f000-0000-7000-8000-000000000003"
_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

PARAMETERS: Mapping[str, Any] = {
    "dialogId": DIALOG_ID,
    "action": "submit",
    "attachmentId": _UPLOAD_ID,
    "operationId": _OPERATION_ID,
    "secret": "q3Zb0k2Xw7pTn5sVd1RfYg",
    "embed": "summary",
    "org": "ttd",
    "app": "sandkasse-regnestykke",
    "dataType": "regnestykke",
    "fileName": "plan.pdf",
    "attachmentType": "Plan",
}
"""By the name of the parameter; headers have theirs in their schema."""

XML = '<melding dataFormatId="5801" dataFormatVersion="42001">…</melding>'
_PROBLEMS: Mapping[str, str] = {
    "400": "body_not_expected",
    "401": "token_expired",
    "403": "other_dialog",
    "404": "unknown_action",
    "408": "body_too_slow",
    "409": "element_changed",
    "410": "element_gone",
    "413": "attachment_size",
    "415": "body_type",
    "422": "form_invalid",
    "429": "pressed_too_often",
    "431": "head_too_large",
    "502": "upstream_refused",
    "503": "upstream_unavailable",
    "504": "app_timeout",
}
"""A code that comes with each status."""
_FINDING = {
    "path": "/melding/virksomhet/forretningsadresse/postnummer",
    "line": 8,
    "column": 7,
    "rule": "digits",
    "message": "Postnummer must have four digits.",
}
_NEW_FILE = {"FileName": "plan.pdf", "AttachmentType": "Plan", "Data": "JVBERi0xLjcK"}
_FILE = {"attachmentId": 4711, "fileName": "plan.pdf", "attachmentType": "Plan"}
_READY = {"status": "up", "database": True, "keys": True, "draftsFailing": 0}

SCHEMAS: Mapping[str, Any] = {
    "Message": {
        "Type": "FormTask",
        "ServiceCode": "5701",
        "ServiceEdition": 1,
        "forms": [{"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": XML}],
        "attachments": [_NEW_FILE],
    },
    "Finding": _FINDING,
    "Operation": {
        "id": _OPERATION_ID,
        "dialogId": DIALOG_ID,
        "action": "submit",
        "status": "finished",
        "acceptedAt": "2026-11-28T12:00:00+00:00",
        "outcome": "done",
        "finishedAt": "2026-11-28T12:00:02+00:00",
    },
    "Attachment": {"id": _UPLOAD_ID, **_FILE, "length": 3_000_000, "sha256": _DIGEST},
    "Attachments": {"attachments": [{"id": _UPLOAD_ID, **_FILE, "length": 3_000_000, "uploaded": True}]},
    "NewAttachment": _NEW_FILE,
    "PrintLink": {
        "url": f"https://bridge.example.no/prints/{PARAMETERS['secret']}",
        "expiresAt": "2026-11-28T12:05:00+00:00",
    },
    "Forms": {
        "forms": [{"FormId": 1201, "Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001"}],
    },
    "Form": {"linje": [{"antall": 3, "pris": 1.10}], "sum": 3.30},
    "Change": {"path": "/sum", "change": "changed", "old": "9", "new": "3.30"},
    "Report": {
        "app": "ttd/sandkasse-regnestykke",
        "dataType": "regnestykke",
        "status": 200,
        "findings": [],
        "appSays": [],
        "changes": [{"path": "/sum", "change": "changed", "old": "9", "new": "3.30"}],
        "stoppedAt": [],
        "notCompared": None,
    },
    "Liveness": {"status": "up"},
    "Readiness": _READY,
    "Deep": {
        "status": "up",
        "database": True,
        "keys": True,
        "workers": 4,
        "unfinishedOperations": 0,
        "oldestOperationAgeSeconds": 0,
        "deadOperations": {},
        "heldOperations": 0,
        "drafts": {"open": 0, "failing": 0, "lastRunEndedAt": None, "late": False},
        "apps": [],
        "refusingUs": {},
        "paused": {},
    },
}
"""By the name of the schema; a problem's is made from its code."""
_PLAIN: Mapping[str, Any] = {
    "application/xml": XML,
    "text/xml": XML,
    "application/json": {"dataFormatId": "5801", "dataFormatVersion": "42001"},
    "text/markdown": "## Virksomhet\n\nOppdiktet Kafé AS\n",
}
"""By its type, for what has no schema of its own."""


def with_examples(document: Json) -> Json:
    """Give *document* with an example for each body and each part of an address."""
    paths = {
        path: {method: _operation(each) for method, each in methods.items()}
        for path, methods in document["paths"].items()
    }
    components = document["components"]
    described = {**SCHEMAS, "Problem": problem("422")}
    schemas = {
        name: {**schema, "examples": [described[name]]} if name in described else schema
        for name, schema in components["schemas"].items()
    }
    return {**document, "paths": paths, "components": {**components, "schemas": schemas}}


def problem(status: str) -> Json:
    """Make a problem document as it comes with *status*."""
    code = _PROBLEMS[status]
    words = TEXTS[code]["en"]
    told: Json = {"type": f"{TYPE}{code}", "title": words.title, "status": int(status)}
    detail = words.detail.replace("{rule}", "plan.pdf, at most 30 MB")
    findings = {"findings": [_FINDING]} if code == "form_invalid" else {}
    return {**told, "detail": detail, **findings, "traceId": _TRACE_ID}


def _operation(operation: Json) -> Json:
    made = dict(operation)
    if "parameters" in made:
        made["parameters"] = [
            {**each, "example": PARAMETERS[each["name"]]} if each["name"] in PARAMETERS else each
            for each in made["parameters"]
        ]
    if "requestBody" in made:
        made["requestBody"] = {**made["requestBody"], "content": _content(made["requestBody"]["content"], "")}
    made["responses"] = {
        status: {**each, "content": _content(each["content"], status)} if "content" in each else each
        for status, each in made["responses"].items()
    }
    return made


def _content(content: Json, status: str) -> Json:
    return {media: _exemplified(media, entry, status) for media, entry in content.items()}


def _exemplified(media: str, entry: Json, status: str) -> Json:
    schema = entry["schema"]
    named = [each.get("$ref", "").rpartition("/")[2] for each in (schema, *schema.get("anyOf", ()))]
    known = next((name for name in named if name in SCHEMAS), None)
    if "Problem" in named:
        return {**entry, "example": problem(status)} if status in _PROBLEMS else entry
    if known is not None:
        return {**entry, "example": SCHEMAS[known]}
    kind = "object" if media == "application/json" else "string"
    plain = media in _PLAIN and schema.get("type") == kind and "format" not in schema
    return {**entry, "example": _PLAIN[media]} if plain else entry
