"""What an app tells beside its forms: its metadata, schemas, texts and pages (facts/altinn3-and-tokens.md 1.11, 3)."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.apps.answers import HEADERS, not_found, text
from bridge.sandbox.apps.schemas import json_schema, xsd
from bridge.sandbox.apps.state import App, DataType
from bridge.sandbox.core.http_system import as_json, plain

LAYOUT_SET, PAGE = "stateless", "Side1"
_PUBLIC = {**HEADERS, "Cache-Control": "public,max-age=60"}
_NOT_SAID = (
    *("preventInstanceDeletionForDays", "presentationFields", "dataFields", "eFormidling", "messageBoxConfig"),
    *("copyInstanceSettings", "apiScopes", "storageAccountNumber"),
)
_NOT_SAID_EITHER = (
    *("homepage", "keywords", "description", "access", "contactPoints"),
    *("created", "createdBy", "lastChanged", "lastChangedBy"),
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>Set Query Params</title></head>
<body>
<script nonce="{nonce}">
  const prefillData = {values}.map(entry => ({{ ...entry, created: new Date().toISOString() }}));
  sessionStorage.setItem('queryParams', JSON.stringify(prefillData));
  window.location.href = `${{window.location.origin}}/{app}`;
</script>
</body>
</html>
"""


def metadata(app: App, request: Request, org: str, *, name: str, checked: bool) -> Response:
    """What the app is; to who calls it by another name, only unless that is *checked*."""
    if (app.org, app.name) != (org, name) and checked:
        message = f"This is {app.org}/{app.name}, and not the app you are looking for: {org}/{name}!"
        return text(request, 409, message, headers=_PUBLIC)
    document = {
        "id": f"{app.org}/{app.name}",
        "features": {"footer": True, "processActions": True, "jsonObjectInDataResponse": False},
        "onEntry": {"instanceSelection": None, "show": app.shows},
        "logo": None,
        # Known from 7.0 on.
        **({"altinnNugetVersion": app.version} if app.since(7) else {}),
        "externalApiIds": [],
        "versionId": None,
        "org": app.org,
        "title": {"nb": app.title},
        "validFrom": None,
        "validTo": None,
        "processId": None,
        "dataTypes": [_data_type(each) for each in app.data_types],
        "partyTypesAllowed": dict.fromkeys(("bankruptcyEstate", "organisation", "person", "subUnit"), False),
        "autoDeleteOnProcessEnd": False,
        **dict.fromkeys(_NOT_SAID),
        "disallowUserInstantiation": False,
        **dict.fromkeys(_NOT_SAID_EITHER),
    }
    if app.scopes:
        document["apiScopes"] = {"users": None, "serviceOwners": {"read": " ".join(sorted(app.scopes))}}
    return as_json(200, document, headers=_PUBLIC)


def _data_type(data_type: DataType) -> dict[str, Any]:
    logic = {
        "autoCreate": False,
        "classRef": data_type.class_name,
        "schemaRef": None,
        "allowAnonymousOnStateless": data_type.allow_anonymous,
        "autoDeleteOnProcessEnd": False,
        "disallowUserCreate": False,
        "disallowUserDelete": False,
        "shadowFields": None,
    }
    return {
        "id": data_type.id,
        "description": None,
        "allowedContentTypes": list(data_type.content_types) if data_type.class_name else ["application/pdf"],
        "allowedContributers": None,
        "allowedContributors": None,
        "actionRequiredToRead": None,
        "actionRequiredToWrite": None,
        "appLogic": logic if data_type.class_name else None,
        "taskId": None,
        "maxSize": None,
        "maxCount": 0,
        "minCount": 0,
        "grouping": None,
        "enablePdfCreation": True,
        "enableFileScan": False,
        "validationErrorOnPendingFileScan": False,
        "enabledFileAnalysers": [],
        "enabledFileValidators": [],
        "allowedKeysForUserDefinedMetadata": None,
    }


def schema_as_json(app: App, request: Request, data_type_id: str) -> Response:
    """GET a schema as a *string*: who accepts JSON alone gets it encoded twice (facts 3)."""
    found = app.data_type(data_type_id)
    if found is None or not found.members:
        return plain(500)
    return text(request, 200, json_schema(found))


def schema_as_xsd(app: App, data_type_id: str) -> Response:
    """GET an XSD, where the app's library has the route (8.12.6)."""
    found = app.data_type(data_type_id)
    if not app.since(8, 12, 6):
        return plain(404, headers=HEADERS)
    if found is None or not found.members:
        return not_found()
    return plain(200, found.schema or xsd(found), content_type="application/xml; charset=utf-8", headers=HEADERS)


def layout_sets(app: App, request: Request) -> Response:
    """Which data type each layout set shows, the first form's in the set that opens first; gone in v9."""
    first = next((each.id for each in app.data_types if each.class_name), None)
    if app.since(9) or first is None:
        return plain(404, headers=HEADERS)
    return text(request, 200, json.dumps({"sets": [{"id": LAYOUT_SET, "dataType": first}]}))


def layout_settings(request: Request) -> Response:
    """Which pages there are: one."""
    return text(request, 200, json.dumps({"pages": {"order": [PAGE]}}))


def layouts(request: Request) -> Response:
    """What is on the pages: nothing."""
    return text(request, 200, json.dumps({PAGE: {"data": {"layout": []}}}))


def texts(app: App, request: Request, language: str) -> Response:
    """The texts of a language; in Bokmål where it has none of that language."""
    if len(language) != 2:
        message = f"Provided language {language} is invalid. Language code should consists of two characters."
        return text(request, 400, message)
    resources = [{"id": "appName", "value": app.title, "variables": None}]
    document = {"id": f"{app.org}-{app.name}-nb", "org": app.org, "language": "nb", "resources": resources}
    return as_json(200, document, headers=HEADERS)


def languages() -> Response:
    """List the languages that there are texts in."""
    return as_json(200, [{"language": "nb"}], headers=HEADERS)


def query_parameters(app: App, request: Request) -> Response:
    """Keep those query parameters for the frontend that a prefill file names, by a page that stores them."""
    if app.shows in ("new-instance", "select-instance"):
        return text(request, 400, "You can only use query params with a stateless task.")
    given = {name.lower(): value for name, value in request.args.items()}
    values = [
        {"dataModelName": each.id, "appId": f"{app.org}/{app.name}", "prefillFields": fields}
        for each in app.data_types
        if (fields := _fields(each.query_parameters, given))
    ]
    if not values:
        return text(request, 400, "Found no valid query params.")
    # As it stands in a script: nothing may end the element.
    script = json.dumps(values).replace("<", "\\u003c")
    page = _PAGE.format(nonce=secrets.token_urlsafe(16), values=script, app=f"{app.org}/{app.name}")
    return plain(200, page, content_type="text/html", headers=HEADERS)


def _fields(parameters: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    return {path: given[name.lower()] for name, path in parameters.items() if name.lower() in given}
