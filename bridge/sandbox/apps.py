"""Altinn 3 apps under ``/apps/{org}/{app}``: stateless data (facts/altinn3-and-tokens.md 1)."""

import copy
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox import identities
from bridge.sandbox.app_model import (
    Model,
    NotReadable,
    empty,
    fill_empty,
    from_json,
    from_xml,
    to_json,
    to_xml,
    with_row_ids,
)
from bridge.sandbox.app_schemas import json_schema, xsd
from bridge.sandbox.app_state import POST_AND_PUT, App, DataType
from bridge.sandbox.tokens import genuine_claims
from bridge.sandbox.wire import Route, System, TooLarge, as_json, drain, plain, read_body, refuse

JSON = "application/json; charset=utf-8"
XML = "application/xml; charset=utf-8"
_PROBLEM = "application/problem+json; charset=utf-8"
_LOGIN = "AltinnStudioRuntime"
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
        """List the stateless routes, what an app tells of itself, and the page that hands out the token."""
        app = "/<org>/<name>"
        return (
            Route("GET|POST|PUT", f"{app}/v1/data", self.data),
            Route("GET|POST|PUT", f"{app}/v1/data/anonymous", self.data_anonymous),
            Route("GET", f"{app}/api/v1/applicationmetadata", self.metadata),
            Route("GET", f"{app}/api/layoutsets", self.layout_sets),
            Route("GET", f"{app}/api/jsonschema/<data_type_id>", self.json_schema),
            Route("GET", f"{app}/api/xsdschema/<data_type_id>", self.xsd_schema),
            Route("GET", app, self.front_page),
        )

    def not_routed(self, error: HTTPException) -> Response:
        """Answer what the app does not have, with an empty body."""
        allow = {"Allow": "GET, POST"} if error.code == 405 else {}
        return plain(error.code or 404, headers={**_HEADERS, **allow})

    def data(self, request: Request, org: str, name: str) -> Response:
        """Create or calculate for a caller with an Altinn token, as bearer or in the browser's cookie."""
        app = self._app(request, org, name)
        verbs = self._verbs(request, app)
        claims = self._claims(request)
        if claims is None:
            drain(request)
            return plain(401, headers=_HEADERS)
        self._hold_against_forgery(request)
        data_type = self._data_type(request, app)
        values: Mapping[str, str] = {}
        if verbs != POST_AND_PUT:
            # The first generation knew neither party nor policy.
            party = self._party(request, app, claims)
            if request.method == "GET":
                values = _prefill(request, app, data_type)
            self._decide(request, app, party, claims)
        return self._answered(request, app, data_type, creates=request.method == verbs[0], values=values)

    def data_anonymous(self, request: Request, org: str, name: str) -> Response:
        """Create or calculate for anybody."""
        app = self._app(request, org, name)
        if not app.since(4, 7):
            drain(request)
            return plain(404)
        verbs = self._verbs(request, app)
        self._hold_against_forgery(request)
        data_type = self._data_type(request, app)
        return self._answered(request, app, data_type, creates=request.method == verbs[0], values=None)

    def front_page(self, request: Request, org: str, name: str) -> Response:
        """Hand out the two anti-forgery cookies; one of them is for scripts to read and send as a header."""
        self._app(request, org, name)
        cookie = secrets.token_hex(16)
        response = plain(200, "<!DOCTYPE html><title>App</title>", content_type="text/html; charset=utf-8")
        response.set_cookie("AS-XSRF-TOKEN", cookie, httponly=True, samesite="Lax")
        response.set_cookie("XSRF-TOKEN", _paired(cookie), samesite="Lax")
        return response

    def json_schema(self, request: Request, org: str, name: str, data_type_id: str) -> Response:
        """GET a schema as a *string*: who accepts JSON alone gets it encoded twice (facts 3)."""
        found = self._app(request, org, name).data_type(data_type_id)
        if found is None or not found.members:
            return plain(500)
        return _text(request, 200, json_schema(found))

    def xsd_schema(self, request: Request, org: str, name: str, data_type_id: str) -> Response:
        """GET an XSD, where the app's library has the route (8.12.6)."""
        app = self._app(request, org, name)
        found = app.data_type(data_type_id)
        if found is None or not found.members or not app.since(8, 12, 6):
            return plain(404, headers=_HEADERS)
        return plain(200, xsd(found), content_type="application/xml", headers=_HEADERS)

    def metadata(self, request: Request, org: str, name: str) -> Response:
        """Say what the app is."""
        app = self._app(request, org, name)
        if (app.org, app.name) != (org, name) and (_query(request, "checkorgapp") or "true").lower() != "false":
            text = f"This is {app.org}/{app.name}, and not the app you are looking for: {org}/{name}!"
            return _text(request, 409, text)
        document = {
            "id": f"{app.org}/{app.name}",
            "org": app.org,
            "title": {"nb": app.title},
            "dataTypes": [
                {
                    "id": each.id,
                    "allowedContentTypes": list(each.content_types) if each.class_name else ["application/pdf"],
                    **({"appLogic": _logic(each)} if each.class_name else {}),
                    "maxCount": 0,
                    "minCount": 0,
                }
                for each in app.data_types
            ],
            "onEntry": {"show": app.shows},
            # Known from 7.0 on.
            **({"altinnNugetVersion": app.version} if app.since(7) else {}),
        }
        return as_json(200, document, headers={**_HEADERS, "Cache-Control": "public,max-age=60"})

    def layout_sets(self, request: Request, org: str, name: str) -> Response:
        """Say which data type each layout set shows, the first form's in the set that opens first; gone in v9."""
        app = self._app(request, org, name)
        first = next((each.id for each in app.data_types if each.class_name), None)
        if app.since(9) or first is None:
            return plain(404, headers=_HEADERS)
        return _text(request, 200, json.dumps({"sets": [{"id": "stateless", "dataType": first}]}))

    def _verbs(self, request: Request, app: App) -> tuple[str, str]:
        verbs = app.verbs if self.world.switches.app_verbs == "get_post" else POST_AND_PUT
        if request.method not in verbs:
            drain(request)
            refuse(plain(405, headers={**_HEADERS, "Allow": ", ".join(verbs)}))
        return verbs

    def _claims(self, request: Request) -> Mapping[str, Any] | None:
        """Read the token: raw Maskinporten tokens are refused, as apps take the platform's only."""
        cookie = request.cookies.get(_LOGIN)
        if cookie and "Authorization" not in request.headers:
            request = Request({**request.environ, "HTTP_AUTHORIZATION": f"Bearer {cookie}"})
        return genuine_claims(request, self.world, self.host, issuers=("platform", "idporten"), skew=10)

    def _hold_against_forgery(self, request: Request) -> None:
        if _LOGIN not in request.cookies or request.method == "GET":
            return
        cookie, header = request.cookies.get("AS-XSRF-TOKEN"), request.headers.get("X-XSRF-TOKEN")
        if not cookie or header != _paired(cookie):
            drain(request)
            refuse(plain(400, headers=_HEADERS))

    def _party(self, request: Request, app: App, claims: Mapping[str, Any]) -> str:
        """Say who the form is for, by the rules of the app's version (facts 1.1)."""
        given = request.headers.get("party", "")
        if not given:
            own = self._own_party(app, claims)
            if own is None:
                drain(request)
                refuse(plain(403, headers=_HEADERS) if not app.since(7, 6) else _bad_party(request))
            return own
        kind, _, value = given.partition(":")
        if not app.since(7, 6) and "," in given:
            drain(request)
            refuse(_text(request, 400, "Invalid party. Only one allowed"))
        kind = kind.lower() if app.since(7, 6) else kind
        if kind not in ("partyid", "person", "org") or not value or set(value) & set(":,"):
            drain(request)
            refuse(_bad_party(request))
        if kind == "partyid" and self.world.apps.register_refuses and app.since(7, 6):
            drain(request)
            refuse(plain(500))
        if kind == "partyid" and app.since(7, 6) and (not value.isdigit() or self._unknown(given)):
            drain(request)
            refuse(_bad_party(request))
        numbers = {"person": identities.is_person_number, "org": identities.is_organisation_number}
        if kind in numbers and (not numbers[kind](value) or self._unknown(given)):
            drain(request)
            # The register's answer is an exception that nobody catches.
            refuse(plain(500))
        return f"{kind}:{value}"

    def _unknown(self, party: str) -> bool:
        return party in self.world.apps.unknown_parties

    def _own_party(self, app: App, claims: Mapping[str, Any]) -> str | None:
        if app.since(7, 6) and "urn:altinn:partyid" in claims:
            return f"partyid:{claims['urn:altinn:partyid']}"
        if app.since(8, 6) and "authorization_details" in claims:
            return f"org:{claims['authorization_details'][0]['systemuser_org']['ID'].removeprefix('0192:')}"
        if app.since(8, 6) and "urn:altinn:orgNumber" in claims:
            return f"org:{claims['urn:altinn:orgNumber']}"
        return None

    def _decide(self, request: Request, app: App, party: str, claims: Mapping[str, Any]) -> None:
        if party in app.denied:
            drain(request)
            refuse(plain(403, headers=_HEADERS))
        if int(claims.get("urn:altinn:authlevel", 3)) < app.minimum_level:
            drain(request)
            refuse(as_json(403, {"RequiredAuthenticationLevel": str(app.minimum_level)}, headers=_HEADERS))
        if app.scopes and not app.scopes & set(str(claims.get("scope", "")).split()):
            drain(request)
            document = {
                "type": "https://tools.ietf.org/html/rfc9110#section-15.5.4",
                "title": "Forbidden",
                "status": 403,
                "detail": "Insufficient scope",
                "instance": request.path.removeprefix(self.prefix),
            }
            refuse(as_json(403, document, content_type=_PROBLEM, headers=_HEADERS))

    def _answered(
        self, request: Request, app: App, data_type: DataType, *, creates: bool, values: Mapping[str, str] | None
    ) -> Response:
        members = data_type.members
        model = empty(members) if creates else self._read(request, app, data_type)
        try:
            if values is not None:
                # The query's values come first; the registers fill what is still empty. Neither is for anonymous calls.
                fill_empty(model, members, values)
                if fill_empty(model, members, data_type.prefill, overwrite=data_type.allow_overwrite):
                    refuse(plain(500))
        except NotReadable:
            refuse(plain(500))
        calculated = self._calculated(data_type, model, self._language(request, app))
        if app.since(8, 7) and (_query(request, "includerowid") or "").lower() == "true":
            calculated = with_row_ids(calculated, members, self.world.chance.uuid4)
        if app.speaks == "xml" or (app.speaks == "both" and _wants_xml(request)):
            body = to_xml(calculated, data_type.root, members, data_type.namespace)
            return plain(200, body, content_type=XML, headers=_HEADERS)
        return plain(200, to_json(calculated), content_type=JSON, headers=_HEADERS)

    def _calculated(self, data_type: DataType, model: Model, language: str | None) -> Model:
        try:
            return data_type.calculate(copy.deepcopy(model), language)
        except Exception:  # noqa: BLE001 - whatever a plugged-in processor throws
            refuse(plain(500))

    def _language(self, request: Request, app: App) -> str | None:
        return _query(request, "language") if app.since(8) else None

    def _read(self, request: Request, app: App, data_type: DataType) -> Model:
        kind = request.headers.get("Content-Type")
        known = [f"application/{each}" for each in ("json", "xml") if app.speaks in (each, "both")]
        if not kind or not any(each in kind for each in known):
            shown = kind or ('"null"' if app.since(8) else "")
            drain(request)
            refuse(_text(request, 400, f"Unknown content type {shown}. Cannot read the data."))
        try:
            body = read_body(request, self.world.apps.body_limit)
            if "application/json" in kind:
                model = from_json(body, data_type.members, data_type.class_name, lenient=not app.since(8))
            elif body.strip():
                model = from_xml(body, data_type.root, data_type.members, data_type.namespace)
            else:
                # Thrown inside the app's own error handling.
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


def _logic(data_type: DataType) -> dict[str, Any]:
    return {"classRef": data_type.class_name, "allowAnonymousOnStateless": data_type.allow_anonymous}


def _query(request: Request, name: str) -> str | None:
    """Read a query parameter whatever the case of its name."""
    return next((value for key, value in request.args.items() if key.lower() == name), None)


def _prefill(request: Request, app: App, data_type: DataType) -> Mapping[str, str]:
    """Read the ``prefill`` query: a JSON object of strings, or an empty 500."""
    text = _query(request, "prefill")
    if text is None or not app.since(8, 6):
        return {}
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        drain(request)
        refuse(plain(500))
    refused = data_type.refuse_prefill(values)
    if refused is not None:
        document = {
            "title": "Validation error from IValidateQueryParamPrefill",
            "status": 400,
            "detail": refused,
            "issue": {"severity": 1, "description": refused},
        }
        refuse(as_json(400, document, content_type=_PROBLEM, headers=_HEADERS))
    return values


def _bad_party(request: Request) -> Response:
    form = ". Please provide a party header on the form partyid:123, org:[orgnr] or person:[ssn]"
    return _text(request, 400, f"Invalid party header{form if request.method == 'GET' else ''}")


def _paired(cookie: str) -> str:
    return hashlib.sha256(f"pair {cookie}".encode()).hexdigest()


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
