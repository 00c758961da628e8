"""Altinn 3 apps under ``/apps/{org}/{app}``: stateless data (facts/altinn3-and-tokens.md 1)."""

import copy
from collections.abc import Iterable

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox.app_model import Model, NotReadable, empty, from_json, from_xml, to_json, to_xml
from bridge.sandbox.app_state import App, DataType
from bridge.sandbox.tokens import genuine_claims
from bridge.sandbox.wire import Route, System, TooLarge, as_json, drain, plain, read_body, refuse

JSON = "application/json; charset=utf-8"
XML = "application/xml; charset=utf-8"
_LIMIT = 2_097_152_000
_HEADERS = {
    "Cache-Control": "no-store,no-cache",
    "X-Frame-Options": "deny",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Referrer-Policy": "no-referrer",
}


class Apps(System):
    """All apps of the sandbox on one host, each below its org and name."""

    name = "apps"
    prefix = "/apps"

    def routes(self) -> Iterable[Route]:
        """List the stateless routes and the metadata."""
        app = "/<org>/<name>"
        return (
            Route("GET|POST|PUT", f"{app}/v1/data", self.data),
            Route("GET|POST|PUT", f"{app}/v1/data/anonymous", self.data_anonymous),
            Route("GET", f"{app}/api/v1/applicationmetadata", self.metadata),
        )

    def not_routed(self, error: HTTPException) -> Response:
        """Answer what the app does not have, with an empty body."""
        allow = {"Allow": "GET, POST"} if error.code == 405 else {}
        return plain(error.code or 404, headers={**_HEADERS, **allow})

    def data(self, request: Request, org: str, name: str) -> Response:
        """Create or calculate for a caller with an Altinn token."""
        app = self._app(request, org, name)
        # Raw Maskinporten tokens are refused: apps take the platform's only.
        if genuine_claims(request, self.world, self.host, issuers=("platform", "idporten"), skew=10) is None:
            drain(request)
            return plain(401, headers=_HEADERS)
        data_type = self._data_type(request, app)
        party = request.headers.get("party", "")
        if party and not _is_party(party):
            form = " Please provide a party header on the form partyid:123, org:[orgnr] or person:[ssn]"
            drain(request)
            return _text(request, 400, "Invalid party header" + (f".{form}" if request.method == "GET" else ""))
        return self._answered(request, data_type)

    def data_anonymous(self, request: Request, org: str, name: str) -> Response:
        """Create or calculate for anybody."""
        return self._answered(request, self._data_type(request, self._app(request, org, name)))

    def metadata(self, request: Request, org: str, name: str) -> Response:
        """Say what the app is."""
        app = self._app(request, org, name)
        document = {
            "id": f"{app.org}/{app.name}",
            "org": app.org,
            "title": {"nb": app.title},
            "dataTypes": [
                {
                    "id": each.id,
                    "allowedContentTypes": ["application/xml" if each.members else "application/pdf"],
                    **({"appLogic": {"classRef": each.class_name}} if each.members else {}),
                    "maxCount": 0,
                    "minCount": 0,
                }
                for each in app.data_types
            ],
            "onEntry": {"show": "stateless"},
            "altinnNugetVersion": app.version,
        }
        return as_json(200, document, headers={**_HEADERS, "Cache-Control": "public,max-age=60"})

    def _answered(self, request: Request, data_type: DataType) -> Response:
        verbs = ("GET", "POST") if self.world.switches.app_verbs == "get_post" else ("POST", "PUT")
        if request.method not in verbs:
            drain(request)
            return plain(405, headers={**_HEADERS, "Allow": ", ".join(verbs)})
        model = empty(data_type.members) if request.method == verbs[0] else self._read(request, data_type)
        calculated = data_type.calculate(copy.deepcopy(model), _query(request, "language"))
        if _wants_xml(request):
            body = to_xml(calculated, data_type.root, data_type.members)
            return plain(200, body, content_type=XML, headers=_HEADERS)
        return plain(200, to_json(calculated), content_type=JSON, headers=_HEADERS)

    def _read(self, request: Request, data_type: DataType) -> Model:
        kind = request.headers.get("Content-Type")
        if kind is None or ("application/json" not in kind and "application/xml" not in kind):
            shown = '"null"' if kind is None else kind
            drain(request)
            refuse(_text(request, 400, f"Unknown content type {shown}. Cannot read the data."))
        try:
            body = read_body(request, _LIMIT)
            if "application/json" in kind:
                model = from_json(body, data_type.members, data_type.class_name)
            elif body.strip():
                model = from_xml(body, data_type.root, data_type.members)
            else:
                refuse(plain(500))
        except NotReadable as error:
            refuse(_text(request, 400, str(error)))
        except TooLarge:
            name = data_type.class_name
            refuse(_text(request, 400, f"Unexpected exception when attempting to deserialize JSON into '{name}'"))
        if model is None:
            refuse(plain(400, headers=_HEADERS))
        return model

    def _app(self, request: Request, org: str, name: str) -> App:
        app = self.world.apps.find(org, name)
        if app is None:
            drain(request)
            refuse(plain(404))
        return app

    def _data_type(self, request: Request, app: App) -> DataType:
        wanted = _query(request, "datatype") or ""
        found = app.data_type(wanted)
        if found is None:
            drain(request)
            text = f"Invalid dataType {wanted} provided. Please provide a valid dataType as query parameter."
            refuse(_text(request, 400, text))
        if not found.members:
            drain(request)
            refuse(plain(500))
        return found


def _query(request: Request, name: str) -> str | None:
    """Read a query parameter whatever the case of its name."""
    return next((value for key, value in request.args.items() if key.lower() == name), None)


def _is_party(text: str) -> bool:
    kind, _, value = text.partition(":")
    return kind.lower() in ("partyid", "person", "org") and value != "" and not set(value) & set(":,")


def _wants_xml(request: Request) -> bool:
    accept = request.headers.get("Accept", "")
    if "*/*" in accept:
        return False
    best = request.accept_mimetypes.best_match(["application/json", "application/xml", "text/xml"])
    return best in ("application/xml", "text/xml")


def _text(request: Request, status: int, text: str) -> Response:
    """Answer with a string as ASP.NET does: plain text, or JSON in quotes where only JSON is accepted."""
    accept = request.headers.get("Accept", "")
    if "application/json" in accept and "*/*" not in accept:
        return as_json(status, text, headers=_HEADERS)
    return plain(status, text, content_type="text/plain; charset=utf-8", headers=_HEADERS)
