"""The JSON that goes in and out of the bridge, as JSON Schema."""

from bridge.core.texts.problems import TEXTS
from bridge.storage.trouble import Trouble
from bridge.web.openapi_parts import ID, MOMENT, TEXT, WHOLE, Json, an_object
from bridge.web.problems import TYPE


def schemas() -> Json:
    """Describe every JSON body by its name."""
    finding = {
        "path": TEXT,
        "line": {**WHOLE, "description": "From 1; 0 is unknown."},
        "column": {**WHOLE, "description": "From 1; 0 is unknown."},
        "rule": TEXT,
        "message": TEXT,
    }
    problem = {
        "type": {"enum": [f"{TYPE}{code}" for code in sorted(TEXTS)]},
        "title": TEXT,
        "status": WHOLE,
        "detail": {**TEXT, "description": "What to do next, and whether anything was sent."},
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
        "instance": TEXT,
        "traceId": TEXT,
        "deletionAllowedAt": {**MOMENT, "description": "With deletion_too_early: from when on it may be deleted."},
        "gracePeriodDays": {**WHOLE, "description": "With deletion_too_early: days after the last change."},
    }
    form = {"FormId": {"type": ["integer", "null"]}, "Type": TEXT, "DataFormatId": TEXT, "DataFormatVersion": TEXT}
    operation = {
        "id": ID,
        "dialogId": ID,
        "action": TEXT,
        "status": {"enum": ["underWay", "finished"]},
        "acceptedAt": MOMENT,
        "finishedAt": MOMENT,
        "waitsFor": {
            "enum": ["attachment", "earlierOperation"],
            "description": "What it waits for: an attachment that is on its way to the same case, or an earlier press.",
        },
        "waitsUntil": {
            **MOMENT,
            "description": "The longest that it waits for that, where that is known; then it goes on, or is refused.",
        },
        "outcome": {"enum": ["done", "repeated", "refused", "givenUp"]},
        "uncertainUntil": {
            **MOMENT,
            "description": "What was sent was not answered and may still take effect until then: neither done nor not.",
        },
        "problem": {"$ref": "#/components/schemas/Problem"},
        "differences": {
            "type": "object",
            "description": "How Altinn 2 shows the forms otherwise than they were sent: paths, and the count of all.",
        },
    }
    perhaps: Json = {"type": ["integer", "null"]}
    file = {"attachmentId": perhaps, "fileName": TEXT, "attachmentType": TEXT}
    attachment = {"id": ID, **file, "length": WHOLE, "sha256": TEXT}
    listed = {
        "id": {"type": ["string", "null"], "format": "uuid", "description": "Of its record, where it has one."},
        **file,
        "length": perhaps,
        "uploaded": {
            "type": "boolean",
            "description": "Whether it came in by this dialog, so that it may be changed.",
        },
    }
    new = {"FileName": TEXT, "AttachmentType": TEXT, "Data": {**TEXT, "contentEncoding": "base64"}}
    number: Json = {"type": ["string", "integer"]}
    changed = {
        "Type": {"enum": ["MainForm", "SubForm"]},
        "DataFormatId": number,
        "DataFormatVersion": number,
        "FormData": {**TEXT, "minLength": 1, "description": "XML; a new subform without it is filled in by Altinn 2."},
        "FormId": {"type": "integer", "minimum": 0, "description": "The one that is meant."},
        "Remove": {"const": False},
    }
    removed = {"FormId": {"type": "integer", "minimum": 0}, "Remove": {"const": True}}
    entry = {"oneOf": [an_object(changed, "Type", "DataFormatId", "DataFormatVersion"), an_object(removed, *removed)]}
    content = {
        "forms": {"type": "array", "minItems": 1, "items": entry},
        "attachments": {"type": "array", "minItems": 1, "items": an_object(new, *new)},
    }
    head = {"Type": {"const": "FormTask"}, "ServiceCode": TEXT, "ServiceEdition": number, "MessageId": TEXT}
    message = {
        "oneOf": [
            an_object({**head, **content}, "forms"),
            an_object({**head, "_embedded": an_object(content, "forms")}, "_embedded"),
        ],
        "description": "The head must be the case's own, where it is there.",
    }
    return {
        "Message": message,
        "Problem": an_object(problem, "type", "title", "status", "detail"),
        "Finding": an_object(finding, *finding),
        "Operation": an_object(operation, "id", "dialogId", "action", "status", "acceptedAt"),
        "Attachment": an_object(attachment, *attachment),
        "PrintLink": an_object({"url": TEXT, "expiresAt": MOMENT}, "url", "expiresAt"),
        "Attachments": an_object(
            {"attachments": {"type": "array", "items": an_object(listed, *listed)}}, "attachments"
        ),
        "NewAttachment": {**an_object(new, *new), "description": "Data comes last, so that it can be passed on."},
        **_health(),
        **_report(),
        "Forms": an_object({"forms": {"type": "array", "items": an_object(form, *form)}}, "forms"),
    }


def _report() -> Json:
    change = {
        "path": TEXT,
        "change": {"enum": ["added", "changed", "dropped", "moved"]},
        "old": {"type": ["string", "null"]},
        "new": {"type": ["string", "null"]},
    }
    report = {
        "app": {**TEXT, "description": "As org/app."},
        "dataType": TEXT,
        "status": {**WHOLE, "description": "The app's."},
        "findings": {
            "type": ["array", "null"],
            "items": {"$ref": "#/components/schemas/Finding"},
            "description": "Faults of the form that was sent; null where it was not held against a schema.",
        },
        "appSays": {
            "type": "array",
            "items": an_object({"field": TEXT, "message": TEXT}, "field", "message"),
            "description": "The app's own words where it refused the form (400, 422); no field is the whole form.",
        },
        "changes": {
            "type": ["array", "null"],
            "items": {"$ref": "#/components/schemas/Change"},
            "description": "What the app did with the form; null where that is not known.",
        },
        "stoppedAt": {
            "type": "array",
            "items": TEXT,
            "description": "Where the app stopped reading XML: what stands after it in its group was dropped.",
        },
        "notCompared": {
            "type": ["string", "null"],
            "description": "Why that is not known: no_form, no_schema, or the rule by which a form cannot be read.",
        },
    }
    return {
        "Change": an_object(change, *change),
        "Report": {**an_object(report, *report), "description": "What an app made of a form, in the form's place."},
        "Form": {"type": "object", "description": "As the app has it.", "additionalProperties": True},
    }


def _health() -> Json:
    count: Json = {"type": "integer", "minimum": 0}
    counts: Json = {"type": "object", "additionalProperties": count}
    store = {
        "database": {"type": "boolean", "description": "Whether the store can be written."},
        "why": {"enum": [each.value for each in Trouble], "description": "Where it cannot."},
        "keys": {"type": "boolean", "description": "Whether the issuer's keys are here."},
    }
    drafts = {"open": count, "failing": count, "lastRunEndedAt": _perhaps(MOMENT), "late": {"type": "boolean"}}
    app = {
        "app": TEXT,
        "verbs": _perhaps({"enum": ["get_post", "post_put"]}),
        "learnedFrom": _perhaps(TEXT),
        "until": _perhaps(MOMENT),
        "circuit": {"enum": ["closed", "open"], "description": "Open: the app is not called."},
    }
    refusing = an_object({"why": TEXT, "at": MOMENT}, "why", "at")
    deep = {
        "status": {"enum": ["up", "degraded", "down"]},
        **store,
        "workers": {**count, "description": "Who work on what was accepted, in all processes."},
        "unfinishedOperations": count,
        "oldestOperationAgeSeconds": {"type": "number", "minimum": 0},
        "deadOperations": {**counts, "description": "What waits for an operator, by why."},
        "heldOperations": count,
        "drafts": an_object(drafts, *drafts),
        "apps": {"type": "array", "items": an_object(app, *app)},
        "refusingUs": {
            "type": "object",
            "additionalProperties": refusing,
            "description": "Systems that refuse the bridge's own credentials.",
        },
        "paused": {"type": "object", "additionalProperties": TEXT, "description": "Systems that are not called now."},
    }
    ready = {"status": {"enum": ["up", "down"]}, **store, "draftsFailing": count}
    return {
        "Liveness": an_object({"status": {"const": "up"}}, "status"),
        "Readiness": an_object(ready, "status", "database", "keys"),
        "Deep": an_object(deep, "status", "database", "keys"),
    }


def _perhaps(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}
