"""``/openapi.json`` and ``/docs``: what can be asked of the bridge, for programs and for people."""

import re
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from bridge.config.mapping_states import STATE_NAMES
from bridge.core.mapping import ServiceMapping
from bridge.core.texts.problems import TEXTS
from bridge.parts import Bridge
from bridge.steps.forms.request_body import takes_json
from bridge.web import docs_page
from bridge.web.frame import POLICY, rendered
from bridge.web.openapi import Json, document, shown_dialog

description = Blueprint("description", __name__)


@description.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The description as OpenAPI 3.1."""
    return Response(orjson.dumps(document(_bridge().settings.public_url)), content_type="application/json")


@description.get("/docs")
def docs() -> ResponseReturnValue:
    """The same as a page, with what is configured here; it runs nothing and loads nothing."""
    bridge = _bridge()
    described = document(bridge.settings.public_url)
    page = rendered(
        "docs.html",
        title=f"{described['info']['title']} {described['info']['version']}",
        language="en",
        described=described,
        start=_start(bridge),
        services=[_service(bridge, each) for _, each in sorted(bridge.mappings.items())],
        apps=docs_page.apps(bridge.routes),
        tags=[
            {**tag, "title": tag["name"].capitalize(), "calls": docs_page.calls(described, tag["name"])}
            for tag in described["tags"]
        ],
        problems={code: TEXTS[code]["en"] for code in sorted(TEXTS)},
        members=docs_page.members,
        schema_of=docs_page.schema_of,
        shown=docs_page.shown,
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = (
        f"{POLICY}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _bridge() -> Bridge:
    bridge: Bridge = current_app.extensions["bridge"]
    return bridge


def _start(bridge: Bridge) -> str:
    """What the examples of the page begin with."""
    address = urlsplit(request.url_root)
    url = (bridge.settings.public_url or f"{address.scheme}://{address.netloc}").rstrip("/")
    return f"BRIDGE={url}\nDIALOG={shown_dialog()}\nTOKEN=…"


def _service(bridge: Bridge, mapping: ServiceMapping) -> Json:
    name = mapping.service_resource.rpartition(":")[2]
    return {
        "name": name,
        "anchor": f"service-{re.sub('[^a-z0-9-]', '-', name)}",
        "resource": mapping.service_resource,
        "altinn2": mapping.altinn2,
        "forms": mapping.forms,
        "actions": docs_page.actions(mapping, as_json=takes_json(bridge, mapping)),
        "states": [
            (STATE_NAMES[state], rule.actions) for state, rule in mapping.states.items() if rule.actions is not None
        ],
    }
