"""Altinn 3 apps under ``/apps/{org}/{app}``: stateless data (facts/altinn3-and-tokens.md 1)."""

import copy
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from urllib.parse import quote
from zlib import crc32

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from bridge.sandbox.apps import documents
from bridge.sandbox.apps.answers import HEADERS, OBJECTS, PROBLEM, chosen, not_found, text
from bridge.sandbox.apps.json_reader import from_json, to_json
from bridge.sandbox.apps.model import Model, NotReadable, empty, fill_empty, to_xml, with_row_ids
from bridge.sandbox.apps.state import PARTY, POST_AND_PUT, App, DataType
from bridge.sandbox.apps.world import AppsWorld
from bridge.sandbox.apps.xml_serializer import from_xml
from bridge.sandbox.core.http_system import (
    Matched,
    Route,
    System,
    TooLarge,
    as_json,
    bearer,
    drain,
    plain,
    read_body,
    refuse,
)
from bridge.sandbox.core.tokens import genuine_claims

_LOGIN = "AltinnStudioRuntime"
_WORDS = {
    each.lower(): each
    for each in (
        *("v1", "data", "anonymous", "pages", "order", "customOpenapi.json", "set-query-params"),
        *("api", "applicationmetadata", "applicationlanguages", "texts", "footer", "parties"),
        *("authentication", "keepAlive", "layoutsets", "layoutsettings", "layouts", "ruleconfiguration"),
        *("validationconfig", "options", "jsonschema", "xsdschema"),
    )
}
_NAMED = frozenset({"layoutsettings", "layouts", "ruleconfiguration", "validationconfig", "options"}) | frozenset(
    {"jsonschema", "xsdschema"}
)
"""What is followed by a name, whose letters count."""


class Apps(System[AppsWorld]):
    """All apps of the sandbox on one host, each below its org and name."""

    name = "apps"
    prefix = "/apps"

    def routes(self) -> Iterable[Route]:
        """List the stateless routes, what an app tells of itself, and the page that hands out the token."""
        app = "/<org>/<name>"
        return (
            Route("GET|POST|PUT", f"{app}/v1/data", self.data),
            Route("GET|POST|PUT", f"{app}/v1/data/anonymous", self.data_anonymous),
            Route("POST", f"{app}/v1/pages/order", self.page_order),
            Route("GET", f"{app}/api/v1/applicationmetadata", self.metadata),
            Route("GET", f"{app}/api/v1/applicationlanguages", self.languages),
            Route("GET", f"{app}/api/v1/texts/<language>", self.texts),
            Route("GET", f"{app}/api/v1/footer", self.nothing),
            Route("GET", f"{app}/api/v1/parties", self.parties),
            Route("GET", f"{app}/api/authentication/keepAlive", self.keep_alive),
            Route("GET", f"{app}/api/layoutsets", self.layout_sets),
            Route("GET", f"{app}/api/layoutsettings/<layout_set>", self.layout_settings),
            Route("GET", f"{app}/api/layouts/<layout_set>", self.layouts),
            Route("GET", f"{app}/api/ruleconfiguration/<layout_set>", self.nothing),
            Route("GET", f"{app}/api/validationconfig/<layout_set>", self.nothing),
            Route("GET", f"{app}/api/options/<options_id>", self.options),
            Route("GET", f"{app}/api/jsonschema/<data_type_id>", self.json_schema),
            Route("GET", f"{app}/api/xsdschema/<data_type_id>", self.xsd_schema),
            Route("GET", f"{app}/v1/customOpenapi.json", self.own_description),
            Route("GET", f"{app}/set-query-params", self.set_query_parameters),
            Route("GET", app, self.front_page),
            Route("GET|HEAD", "/health", self.health),
        )

    def routing_path(self, path: str) -> str:
        """Match the words of routes in any letters; names count letter by letter."""
        parts = path.split("/")
        most = 6 if len(parts) > 5 and parts[5].lower() in _NAMED else 7
        parts[4:most] = [_WORDS.get(each.lower(), each) for each in parts[4:most]]
        return "/".join(parts)

    def guard(self, request: Request, match: Matched | None) -> None:
        """Refuse HEAD as every other method that a controller does not name; GET does not take it in there."""
        if request.method == "HEAD" and match is not None and match.template != f"{self.prefix}/health":
            drain(request)
            of_form = match.handler in (self.data, self.data_anonymous)
            refuse(plain(405, headers={**HEADERS, "Allow": "GET, POST" if of_form else "GET"}))

    def not_routed(self, error: HTTPException) -> Response:
        """Answer what the app does not have, with an empty body."""
        if not isinstance(error, MethodNotAllowed):
            return plain(404, headers=HEADERS)
        allowed = {"GET", "POST"} if {"GET", "POST"} <= set(error.valid_methods or ()) else error.valid_methods or ()
        return plain(405, headers={**HEADERS, "Allow": ", ".join(sorted(set(allowed) - {"HEAD"}))})

    def data(self, request: Request, org: str, name: str) -> Response:
        """Create or calculate for a caller with an Altinn token, as bearer or in the browser's cookie."""
        app = self._app(request, org, name)
        verbs = self._verbs(request, app)
        claims = self._claims(request)
        if claims is None:
            drain(request)
            return plain(401, headers=HEADERS)
        self._hold_against_forgery(request)
        data_type = self._data_type(request, app)
        values: Mapping[str, str] = {}
        party = None
        if verbs != POST_AND_PUT:
            # The first generation knew neither party nor policy.
            party = self._party(request, app, claims)
            if request.method == "GET":
                values = _prefill(request, app, data_type)
            self._decide(request, app, party, claims=claims)
        return self._answered(request, app, data_type, creates=request.method == verbs[0], values=values, party=party)

    def data_anonymous(self, request: Request, org: str, name: str) -> Response:
        """Create or calculate for anybody."""
        app = self._app(request, org, name)
        if not app.since(4, 7):
            drain(request)
            return plain(404)
        verbs = self._verbs(request, app)
        self._hold_against_forgery(request)
        data_type = self._data_type(request, app)
        return self._answered(request, app, data_type, creates=request.method == verbs[0], values=None, party=None)

    def front_page(self, request: Request, org: str, name: str) -> Response:
        """Hand out the two anti-forgery cookies, one of them for scripts; who is not logged in is sent to the login."""
        self._app(request, org, name)
        if self._claims(request) is None:
            here = quote(f"{self.host}{request.path}", safe="").lower()
            login = f"{self.host}/platform/authentication/api/v1/authentication?goto={here}"
            return plain(302, headers={**HEADERS, "Location": login})
        cookie = secrets.token_hex(16)
        response = plain(200, "<!DOCTYPE html><title>App</title>", content_type="text/html; charset=utf-8")
        response.set_cookie("AS-XSRF-TOKEN", cookie, httponly=True, samesite="Lax")
        response.set_cookie("XSRF-TOKEN", _paired(cookie), samesite="Lax")
        return response

    def json_schema(self, request: Request, org: str, name: str, *, data_type_id: str) -> Response:
        """GET a JSON Schema."""
        return documents.schema_as_json(self._app(request, org, name), request, data_type_id)

    def xsd_schema(self, request: Request, org: str, name: str, *, data_type_id: str) -> Response:
        """GET an XSD."""
        return documents.schema_as_xsd(self._app(request, org, name), data_type_id)

    def metadata(self, request: Request, org: str, name: str) -> Response:
        """What the app is."""
        app = self._app(request, org, name)
        checked = (_query(request, "checkorgapp") or "true").lower() != "false"
        return documents.metadata(app, request, org, name=name, checked=checked)

    def layout_sets(self, request: Request, org: str, name: str) -> Response:
        """Which data type each layout set shows."""
        return documents.layout_sets(self._app(request, org, name), request)

    def layout_settings(self, request: Request, org: str, name: str, *, layout_set: str) -> Response:
        """Which pages a layout set has."""
        self._app(request, org, name)
        return documents.layout_settings(request) if layout_set == documents.LAYOUT_SET else plain(500)

    def layouts(self, request: Request, org: str, name: str, *, layout_set: str) -> Response:
        """The pages of a layout set: one without components."""
        self._app(request, org, name)
        return documents.layouts(request) if layout_set == documents.LAYOUT_SET else plain(500)

    def options(self, request: Request, org: str, name: str, *, options_id: str) -> Response:
        """404: the apps have no code lists."""
        del options_id
        self._app(request, org, name)
        return not_found()

    def texts(self, request: Request, org: str, name: str, *, language: str) -> Response:
        """The texts of a language."""
        return documents.texts(self._app(request, org, name), request, language)

    def languages(self, request: Request, org: str, name: str) -> Response:
        """List the languages that there are texts in."""
        self._app(request, org, name)
        return documents.languages()

    def set_query_parameters(self, request: Request, org: str, name: str) -> Response:
        """Keep the query parameters that a prefill file names."""
        return documents.query_parameters(self._app(request, org, name), request)

    def nothing(self, request: Request, org: str, name: str, *, layout_set: str = "") -> Response:
        """204: an app without this file, which frontends take as well."""
        del layout_set
        self._app(request, org, name)
        return plain(204, headers=HEADERS)

    def own_description(self, request: Request, org: str, name: str) -> Response:
        """500: a stateless app's own description looks for instances, and falls over."""
        self._app(request, org, name)
        return plain(500)

    def health(self, request: Request) -> Response:
        """What a health probe is told: always that all is well."""
        del request
        return plain(200, "Healthy", content_type="text/plain", headers={"Cache-Control": "no-store, no-cache"})

    def keep_alive(self, request: Request, org: str, name: str) -> Response:
        """200 with a login, which is renewed, and 401 without one."""
        self._app(request, org, name)
        return plain(401 if self._claims(request) is None else 200, headers=HEADERS)

    def parties(self, request: Request, org: str, name: str) -> Response:
        """List the parties that the caller may represent: itself."""
        app = self._app(request, org, name)
        claims = self._claims(request)
        if claims is None:
            return plain(401, headers=HEADERS)
        own = self._own_party(app, claims)
        kind, _, number = (own or "").partition(":")
        party = {"partyId": _party_id(kind, number), "orgNumber": number if kind == "org" else None}
        return as_json(200, [] if own is None else [party], headers=HEADERS)

    def page_order(self, request: Request, org: str, name: str) -> Response:
        """In which order a model's pages come."""
        self._app(request, org, name)
        drain(request)
        if self._claims(request) is None:
            return plain(401, headers=HEADERS)
        return as_json(200, [documents.PAGE], headers=HEADERS)

    def _verbs(self, request: Request, app: App) -> tuple[str, str]:
        verbs = app.verbs if self.world.switches.app_verbs == "get_post" else POST_AND_PUT
        if request.method not in verbs:
            drain(request)
            refuse(plain(405, headers={**HEADERS, "Allow": ", ".join(verbs)}))
        return verbs

    def _claims(self, request: Request) -> Mapping[str, Any] | None:
        """The token's claims: raw Maskinporten tokens are refused, as apps take the platform's only."""
        cookie = request.cookies.get(_LOGIN)
        if (cookie or bearer(request)) and self.world.switches.app_keys == "unreachable":
            # It cannot say whose token it is, and no part of the app expects that.
            self._break(request)
        if cookie and "Authorization" not in request.headers:
            request = Request({**request.environ, "HTTP_AUTHORIZATION": f"Bearer {cookie}"})
        return genuine_claims(request, self.world, self.host, issuers=("platform", "idporten"), skew=10)

    def _hold_against_forgery(self, request: Request) -> None:
        if _LOGIN not in request.cookies or request.method == "GET":
            return
        cookie, header = request.cookies.get("AS-XSRF-TOKEN"), request.headers.get("X-XSRF-TOKEN")
        if not cookie or header != _paired(cookie):
            drain(request)
            refuse(plain(400, headers=HEADERS))

    def _party(self, request: Request, app: App, claims: Mapping[str, Any]) -> str:
        """Who the form is for, by the rules of the app's version (facts 1.1, 1.11)."""
        given = request.headers.get("party", "")
        if not given:
            own = self._own_party(app, claims)
            if own is None:
                drain(request)
                refuse(plain(403, headers=HEADERS) if not app.since(7, 6) else _bad_party(request))
            if self._unknown(own):
                self._break(request)
            return own
        kind, _, value = given.partition(":")
        if not app.since(7, 6) and "," in given:
            drain(request)
            refuse(text(request, 400, "Invalid party. Only one allowed"))
        kind = kind.lower() if app.since(7, 6) else kind
        if kind not in ("partyid", "person", "org") or ":" not in given or set(value) & set(":,"):
            drain(request)
            refuse(_bad_party(request))
        party = f"{kind}:{value.strip()}"
        if kind == "partyid":
            self._hold_party_id(request, app, party)
        else:
            self._look_up(request, party)
        return party

    def _hold_party_id(self, request: Request, app: App, party: str) -> None:
        if not app.since(7, 6):
            return
        if self.world.apps.register_refuses:
            self._break(request)
        number = party.removeprefix("partyid:")
        if not (number.isascii() and number.isdigit() and int(number)) or self._unknown(party):
            drain(request)
            refuse(_bad_party(request))

    def _look_up(self, request: Request, party: str) -> None:
        kind, _, number = party.partition(":")
        if not number:
            # The register's answer is nobody, who may do nothing.
            drain(request)
            refuse(plain(403, headers=HEADERS))
        # Check digits are the register's own affair: it knows a number or does not.
        if not re.fullmatch(r"\d{11}" if kind == "person" else r"\d{9}", number, re.ASCII) or self._unknown(party):
            # The register's answer is an exception that nobody catches.
            self._break(request)

    def _break(self, request: Request) -> NoReturn:
        drain(request)
        refuse(plain(500))

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

    def _decide(self, request: Request, app: App, party: str, *, claims: Mapping[str, Any]) -> None:
        if party in app.denied:
            drain(request)
            refuse(plain(403, headers=HEADERS))
        if int(claims.get("urn:altinn:authlevel", 3)) < app.minimum_level:
            drain(request)
            refuse(as_json(403, {"RequiredAuthenticationLevel": str(app.minimum_level)}, headers=HEADERS))
        if app.scopes and not app.scopes & set(str(claims.get("scope", "")).split()):
            drain(request)
            document = {
                "type": "https://tools.ietf.org/html/rfc9110#section-15.5.4",
                "title": "Forbidden",
                "status": 403,
                "detail": "Insufficient scope",
                "instance": request.path.removeprefix(self.prefix),
            }
            refuse(as_json(403, document, content_type=PROBLEM, headers=HEADERS))

    def _answered(
        self,
        request: Request,
        app: App,
        data_type: DataType,
        *,
        creates: bool,
        values: Mapping[str, str] | None,
        party: str | None,
    ) -> Response:
        members = data_type.members
        model = empty(members) if creates else self._read(request, app, data_type)
        try:
            if values is not None:
                # The query's values come first; the registers fill what is still empty. Neither is for anonymous calls.
                fill_empty(model, members, values)
                if fill_empty(model, members, _of_party(data_type, party), overwrite=data_type.allow_overwrite):
                    refuse(plain(500))
        except NotReadable:
            refuse(plain(500))
        calculated = self._calculated(data_type, model, self._language(request, app))
        if app.since(8, 7) and (_query(request, "includerowid") or "").strip().lower() == "true":
            calculated = with_row_ids(calculated, members, self.world.chance.uuid4)
        formats = [each for each in OBJECTS if app.speaks == "both" or each.endswith(app.speaks)]
        kind = chosen(request, formats)
        try:
            if kind.endswith("xml"):
                body: str | bytes = to_xml(calculated, data_type.root, members, namespace=data_type.namespace)
            else:
                body = to_json(calculated)
        except ValueError:
            # A number that JSON does not have.
            refuse(plain(500))
        return plain(200, body, content_type=f"{kind}; charset=utf-8", headers=HEADERS)

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
            refuse(text(request, 400, f"Unknown content type {shown}. Cannot read the data."))
        try:
            body = read_body(request, self.world.apps.body_limit)
            if "application/json" in kind:
                model = from_json(body, data_type.members, data_type.class_name, lenient=not app.since(8))
            elif body.strip():
                model = from_xml(body, data_type.root, data_type.members, namespace=data_type.namespace)
            else:
                # Thrown inside the app's own error handling.
                refuse(plain(500))
        except NotReadable as error:
            refuse(text(request, 400, str(error)))
        except TooLarge:
            name = data_type.class_name
            refuse(text(request, 400, f"Unexpected exception when attempting to deserialize JSON into '{name}'"))
        if model is None:
            refuse(plain(400, headers=HEADERS))
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
            message = f"Invalid dataType {wanted} provided. Please provide a valid dataType as query parameter."
            refuse(text(request, 400, message))
        if not found.members:
            drain(request)
            refuse(plain(500))
        return found


def _query(request: Request, name: str) -> str | None:
    """A query parameter, whatever the case of its name."""
    return next((value for key, value in request.args.items() if key.lower() == name), None)


def _prefill(request: Request, app: App, data_type: DataType) -> Mapping[str, str]:
    """The ``prefill`` query: a JSON object of strings and nulls, or an empty 500."""
    given = (_query(request, "prefill") or "").strip()
    if not given or not app.since(8, 6):
        return {}
    try:
        values = json.loads(given)
    except (ValueError, RecursionError):
        values = ()
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(each, str | None) for each in values.values()):
        drain(request)
        refuse(plain(500))
    values = {path: value for path, value in values.items() if value is not None}
    refused = data_type.refuse_prefill(values)
    if refused is not None:
        code, description = refused if isinstance(refused, tuple) else (None, refused)
        document = {
            "title": "Validation error from IValidateQueryParamPrefill",
            "status": 400,
            "detail": description,
            "issue": _issue(code, description),
        }
        refuse(as_json(400, document, content_type=PROBLEM, headers=HEADERS))
    return values


def _issue(code: str | None, description: str) -> dict[str, Any]:
    return {
        "severity": 1,
        "dataElementId": None,
        "field": None,
        "code": code,
        "description": description,
        "source": None,
        "customTextKey": None,
        "customTextParams": None,
        "customTextParameters": None,
    }


def _of_party(data_type: DataType, party: str | None) -> Mapping[str, str]:
    """What the registers know of a party, by model path."""
    if party is None:
        return {path: value for path, value in data_type.prefill.items() if value != PARTY}
    number = _party_id(*party.split(":", 1))
    return {path: str(number) if value == PARTY else value for path, value in data_type.prefill.items()}


def _party_id(kind: str, number: str) -> int:
    """Altinn's own number of a party; for organisations and people one that always is the same."""
    return int(number) if kind == "partyid" and number.isdigit() else 50_000_000 + crc32(number.encode()) % 1_000_000


def _bad_party(request: Request) -> Response:
    form = ". Please provide a party header on the form partyid:123, org:[orgnr] or person:[ssn]"
    return text(request, 400, f"Invalid party header{form if request.method == 'GET' else ''}")


def _paired(cookie: str) -> str:
    return hashlib.sha256(f"pair {cookie}".encode()).hexdigest()
