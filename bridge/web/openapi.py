"""The description of every route, as OpenAPI 3.1: what it takes, who may call it, and each of its answers."""

from functools import lru_cache
from importlib.metadata import version

from bridge.web.openapi_examples import with_examples
from bridge.web.openapi_parts import (
    APP,
    DIALOG,
    ID,
    NOBODY,
    TEXT,
    Json,
    header,
    json_of,
    operation,
    path,
    problems,
    query,
    response,
    text_of,
)
from bridge.web.openapi_schemas import schemas

_DIALOG_ID = path("dialogId", ID, "The dialog's.")
_ACTION = path("action", {**TEXT, "minLength": 1}, "By its name in the mapping.")
_LANGUAGE = header(
    "Accept-Language", "In which language to answer: nb, nn or en, whichever is wanted most; nb where none is.", "nn"
)
_BELOW = (_DIALOG_ID, _ACTION, _LANGUAGE)

_TAGS = {
    "actions": "What a dialog's buttons do.",
    "attachments": "The files of a dialog's element in Altinn 2, one at a time.",
    "element": "What a dialog's element in Altinn 2 holds and says.",
    "operations": "How far what was accepted is.",
    "calculation": "Altinn 3 apps that calculate forms and store nothing, at the addresses that they have themselves.",
    "health": "For whoever runs the bridge.",
    "description": "What can be asked of the bridge.",
}

_SECURITY: Json = {
    "dialogToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Dialogporten's dialog token, which comes with the dialog and lives ten minutes.",
    },
    "altinnToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The caller's own Altinn token, for routes with token: caller. It is for the app to judge.",
    },
    "altinnCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "AltinnStudioRuntime",
        "description": "A browser's login, for the same routes.",
    },
    "proxyKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "BRIDGE_PROXY_KEY, for routes with token: bridge.",
    },
}


@lru_cache(maxsize=2)
def document(public_url: str | None) -> Json:
    """Describe every route of ``web/app.py``; a test holds the two, and real answers, against each other."""
    described: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Altinn dialog bridge",
            "version": version("altinn-dialog-bridge"),
            "description": "Write actions of dialogs that still stand in Altinn 2, and stateless calculation.",
            "contact": {"name": "Whoever runs this bridge"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": public_url or "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": {
            "/actions/{dialogId}/{action}": _actions(),
            "/actions/{dialogId}/{action}/attachments": {"get": _attachments(), "post": _attach()},
            "/actions/{dialogId}/{action}/attachments/{attachmentId}": {
                "get": _attached(),
                "put": _replace(),
                "delete": _detach(),
            },
            "/actions/{dialogId}/{action}/forms": {"get": _forms()},
            "/actions/{dialogId}/{action}/signingtext": {"get": _signing_text()},
            "/actions/{dialogId}/{action}/print": {"get": _show_print(), "post": _print_link()},
            "/prints/{secret}": {"get": _print()},
            "/embeds/{dialogId}/{embed}": {"get": _embed()},
            "/operations/{operationId}": {"get": _operation()},
            "/{org}/{app}/v1/data": _calculations(anonymous=False),
            "/{org}/{app}/v1/data/anonymous": _calculations(anonymous=True),
            **_health(),
            "/openapi.json": {
                "get": _plain("openapi", "description", "This description", {"application/json": {"schema": {}}})
            },
            "/docs": {"get": _plain("docs", "description", "This description, to read", text_of("text/html"))},
        },
        "components": {"securitySchemes": _SECURITY, "schemas": schemas()},
    }
    return with_examples(described)


def _actions() -> Json:
    press = operation(
        "",
        "actions",
        "Carry out a write action",
        "POST, PUT and DELETE mean the same. A press under way is joined, and one that is done is not done twice.",
        security=DIALOG,
        parameters=_BELOW,
        body={
            "description": "Nothing, or what the mapping takes: a form, or a message with forms and attachments.",
            "content": {
                **text_of("application/xml", "text/xml"),
                "application/json": {"schema": {"type": "object"}},
                "application/hal+json": {"schema": {"$ref": "#/components/schemas/Message"}},
            },
        },
        responses={
            "204": response("Done, or done already."),
            "202": response(
                "Accepted and under way; it is not lost. Location is the operation's address, Operation-Id its id.",
                None,
                "Location",
                "Operation-Id",
                "Retry-After",
                links={"operation": _link("showOperation", operationId="$response.header.Operation-Id")},
            ),
            **problems(
                "400", "401", "403", "404", "408", "409", "410", "413", "415", "422", "429", "502", "503", "504"
            ),
        },
    )
    return {name: {**press, "operationId": f"{name}Action"} for name in ("post", "put", "delete")}


def _link(operation_id: str, **parameters: str) -> Json:
    return {"operationId": operation_id, "parameters": parameters}


# Attachments


_ATTACHMENT_ID = path(
    "attachmentId",
    {"anyOf": [ID, {"type": "integer", "minimum": 0}]},
    "Its id here, or its attachmentId in Altinn 2 as listed.",
)
_WAY = {"dialogId": "$request.path.dialogId", "action": "$request.path.action"}


def _attachments() -> Json:
    return operation(
        "listAttachments",
        "attachments",
        "The element's attachments",
        "All that it holds, and which of it came in by this dialog; no bytes.",
        security=DIALOG,
        parameters=_BELOW,
        responses={"200": response("As they are now.", json_of("Attachments")), **_problems_of_looking()},
    )


def _attach() -> Json:
    links = {
        name: _link(name, **_WAY, attachmentId="$response.body#/id")
        for name in ("showAttachment", "replaceAttachment", "removeAttachment")
    }
    return operation(
        "attach",
        "attachments",
        "Attach a file to the element",
        "An empty file is refused (422 attachment_empty), and what is there stays.",
        security=DIALOG,
        parameters=(*_BELOW, *_OF_FILES),
        body=_FILE,
        responses={
            "201": response("It is there, now or already.", json_of("Attachment"), "Location", links=links),
            **_problems_of_files(),
        },
    )


_OF_FILES = (
    query("fileName", "With its extension; needed with application/octet-stream."),
    query("attachmentType", "As in the mapping; needed with application/octet-stream."),
    query("language", "As Altinn 2 has it.", {"enum": ["1044", "2068", "1033"]}),
)
_FILE: Json = {
    "required": True,
    "content": {
        # A file of no bytes is refused (attachment_empty).
        "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}},
        "application/hal+json": {"schema": {"$ref": "#/components/schemas/NewAttachment"}},
        "application/json": {"schema": {"$ref": "#/components/schemas/NewAttachment"}},
    },
}


def _problems_of_files() -> Json:
    return problems("400", "401", "403", "404", "408", "409", "410", "413", "415", "422", "502", "503", "504")


def _replace() -> Json:
    return operation(
        "replaceAttachment",
        "attachments",
        "Replace an attachment",
        "The old one goes once the new one is there. Name and type are the old one's where they are left out. An empty "
        "file is refused (422 attachment_empty), and the old one stays.",
        security=DIALOG,
        parameters=(*_BELOW, _ATTACHMENT_ID, *_OF_FILES),
        body=_FILE,
        responses={
            "200": response("It is in its place.", json_of("Attachment"), "Content-Location"),
            **_problems_of_files(),
        },
    )


def _detach() -> Json:
    return operation(
        "removeAttachment",
        "attachments",
        "Remove an attachment",
        "One that was removed already is a success.",
        security=DIALOG,
        parameters=(*_BELOW, _ATTACHMENT_ID),
        responses={
            "204": response("It is gone, now or already."),
            **problems("400", "401", "403", "404", "409", "410", "422", "502", "503", "504"),
        },
    )


def _attached() -> Json:
    return operation(
        "showAttachment",
        "attachments",
        "What was attached",
        "Its length and digest, and its id in Altinn 2 at that time.",
        security=DIALOG,
        parameters=(*_BELOW, path("attachmentId", ID, "Its id here.")),
        responses={"200": response("As it was.", json_of("Attachment")), **_problems_of_looking()},
    )


# What an element holds and says


def _problems_of_looking() -> Json:
    return problems("401", "403", "404", "409", "410", "502", "503")


def _forms() -> Json:
    return operation(
        "listForms",
        "element",
        "The element's forms with their ids",
        "The ids by which a message may change or remove them; no data.",
        security=DIALOG,
        parameters=_BELOW,
        responses={"200": response("As they are now.", json_of("Forms")), **_problems_of_looking()},
    )


def _signing_text() -> Json:
    return operation(
        "showSigningText",
        "element",
        "What who signs must have seen",
        "As plain text, in the language that is asked for.",
        security=DIALOG,
        parameters=_BELOW,
        responses={"200": response("As Altinn 2 gives it.", text_of("text/plain")), **_problems_of_looking()},
    )


def _show_print() -> Json:
    return operation(
        "showPrint",
        "element",
        "Altinn 2's print of the element",
        "Of the archived copy, where there is one.",
        security=DIALOG,
        parameters=_BELOW,
        responses={"200": response("While it comes.", _PRINT), **_problems_of_looking()},
    )


_PRINT: Json = {
    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
    "text/html": {"schema": {"type": "string", "format": "binary"}},
}


def _print_link() -> Json:
    return operation(
        "makePrintLink",
        "element",
        "Make a link that opens the print in a browser",
        "Once and for a short time, without a token.",
        security=DIALOG,
        parameters=_BELOW,
        responses={
            "201": response(
                "It is good until expiresAt.",
                json_of("PrintLink"),
                "Location",
                links={"print": {"operationId": "openPrint", "description": "secret is the last part of url."}},
            ),
            **problems("400", "401", "403", "404", "409", "410", "503"),
        },
    )


def _print() -> Json:
    return operation(
        "openPrint",
        "element",
        "Open a print by its link",
        "The link is used up by it.",
        security=NOBODY,
        parameters=(path("secret", {**TEXT, "minLength": 1}, "The end of the link."), _LANGUAGE),
        responses={"200": response("The print.", _PRINT), **problems("404", "410", "502", "503")},
    )


def _embed() -> Json:
    return operation(
        "showEmbed",
        "element",
        "Content that a dialog shows in its middle",
        "summary, signing-text or receipt, with the right read. At most 100 KB.",
        security=DIALOG,
        parameters=(
            _DIALOG_ID,
            path("embed", {"enum": ["summary", "signing-text", "receipt"]}, "Which."),
            _LANGUAGE,
            header(
                "Prefer",
                'timezone="Europe/Oslo": where times are told; that is also the zone without it.',
                'timezone="Europe/Oslo"',
            ),
        ),
        responses={
            "200": response("As it is now.", text_of("text/markdown")),
            "204": response("There is nothing to show now."),
            **_problems_of_looking(),
        },
    )


def _operation() -> Json:
    return operation(
        "showOperation",
        "operations",
        "How far an operation is",
        "For whoever may read its dialog: the button may be gone by now.",
        security=DIALOG,
        parameters=(path("operationId", ID, "As Location and Operation-Id of the press said."), _LANGUAGE),
        responses={"200": response("As it stands.", json_of("Operation")), **problems("401", "403", "404", "503")},
    )


# Calculation


def _calculations(*, anonymous: bool) -> Json:
    name = "AnonymousData" if anonymous else "Data"
    who = (
        "Without a token, where the app's route opens it."
        if anonymous
        else "With what the app's route asks for: the caller's own Altinn token or cookie, the proxy key, or a dialog "
        "token."
    )
    answers = {
        "200": response(
            "As the app gives it; or the report on it.",
            {
                "application/json": {
                    "schema": {
                        "anyOf": [{"$ref": f"#/components/schemas/{each}"} for each in ("Report", "Form")],
                        "description": "The form; the report where it was asked for.",
                    }
                },
                **text_of("application/xml", "text/html"),
            },
            "Bridge-Findings?",
            "Preference-Applied?",
        ),
        **_problems_of_apps(),
    }
    parameters = (
        path("org", {**TEXT, "minLength": 1}, "The app's owner."),
        path("app", {**TEXT, "minLength": 1}, "The app's name."),
        query("dataType", "The app's data type.", required=True),
        query(
            "bridge-report", "true: what the app changed, and what is wrong with the form, in the form's place.", _YES
        ),
        query("language", "For the app."),
        query("includeRowId", "For the app: true has it number rows."),
        _LANGUAGE,
        header("Prefer", "bridge-report: the same as the parameter.", "bridge-report"),
        *(() if anonymous else (header("Party", "For the app: whose form it is.", "org:310000019", "partyid:51001"),)),
    )
    prefill = query("prefill", "For the app: a map in JSON, from paths in the form to values.")

    def call(method: str, summary: str, *, body: bool) -> Json:
        return operation(
            f"{method}{name}",
            "calculation",
            f"{summary}, without a token" if anonymous else summary,
            f"{who} Query, headers and body go on as they came, and so does the app's answer.",
            security=NOBODY if anonymous else APP,
            parameters=parameters if body or anonymous else (*parameters, prefill),
            body={"content": _BOTH, "description": "The whole form."} if body else None,
            responses=answers,
        )

    return {
        "get": call("get", "Ask an Altinn 3 app for an empty form", body=False),
        "post": call("post", "Have an Altinn 3 app calculate a form; without a body, ask for an empty one", body=True),
        "put": call("put", "Have an Altinn 3 app calculate a form", body=True),
    }


_YES: Json = {"enum": ["true", "false"]}
_BOTH: Json = {"application/json": {"schema": {"type": "object"}}, **text_of("application/xml")}


def _problems_of_apps() -> Json:
    """Of the app in its own words, and of the bridge as problem documents."""
    told = problems("400", "401", "403", "404", "408", "413", "415", "422", "502", "503", "504")
    own = text_of("text/plain", "application/json", "application/xml", "text/html")
    for status in ("400", "401", "403", "502", "503", "504", "default"):
        told[status] = {**told[status], "content": {**told[status]["content"], **own}}
        told[status]["description"] += " Or the app's own answer, as it is."
        told[status]["headers"] = {
            name: {key: value for key, value in each.items() if key != "required"}
            for name, each in told[status]["headers"].items()
        }
    return told


# For whoever runs it


def _health() -> Json:
    def probe(name: str, schema: str, summary: str, *, down: bool) -> Json:
        return {"get": _plain(name, "health", summary, json_of(schema), down=down)}

    return {
        "/health/liveness": probe("liveness", "Liveness", "Whether the process answers", down=False),
        "/health/startup": probe("startup", "Readiness", "Whether it has started", down=True),
        "/health/readiness": probe("readiness", "Readiness", "Whether write actions can be accepted", down=True),
        "/health/deep": probe("deep", "Deep", "Moreover, whether somebody works on what was accepted", down=True),
        "/metrics": {"get": _plain("metrics", "health", "Measurements, for Prometheus", text_of("text/plain"))},
    }


def _plain(operation_id: str, tag: str, summary: str, content: Json, *, down: bool = False) -> Json:
    unready = {"503": response("It is not so, and why.", content)} if down else {}
    return operation(
        operation_id,
        tag,
        summary,
        "Open to whoever reaches it.",
        security=NOBODY,
        responses={"200": response(summary + ".", content), **unready, **problems("431")},
    )
