"""Dialogporten under ``/dialogporten``: service-owner API, end-user read, well-known documents, SSE."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, NoReturn
from uuid import UUID

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox import json_patch
from bridge.sandbox.dialog_end_user_api import EndUserApi
from bridge.sandbox.dialog_graphql import GraphQl
from bridge.sandbox.dialog_owner_api import OwnerApi
from bridge.sandbox.dialog_rules import Rules
from bridge.sandbox.dialog_schema import (
    ACTIVITY,
    CREATE,
    TRANSMISSION,
    UPDATE,
    UPDATE_MEMBERS,
    NotReadable,
    read_json,
)
from bridge.sandbox.dialog_schema import Reader as JsonReader
from bridge.sandbox.dialog_state import Dialog, Problem, Writer, missing, removed
from bridge.sandbox.dialog_tokens import issuer, jwks, opens
from bridge.sandbox.dialog_views import Reader, activity_items, as_update, for_owner
from bridge.sandbox.tokens import consumer, genuine_claims, scopes
from bridge.sandbox.wire import (
    Matched,
    Route,
    System,
    TooLarge,
    accepts,
    as_json,
    bearer,
    drain,
    media_type,
    plain,
    read_body,
    refuse,
)

OWNER_SCOPE = "digdir:dialogporten.serviceprovider"
END_USER_SCOPES = frozenset({"digdir:dialogporten", "digdir:dialogporten.noconsent"})
_LIMIT = 20_000_000
_7231 = "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5."
# Status: type and title of the problem document.
_PROBLEMS: Mapping[int, tuple[str, str]] = {
    400: (f"{_7231}1", "One or more validation errors occurred."),
    403: (f"{_7231}3", "Forbidden."),
    404: (f"{_7231}4", "Resource not found."),
    406: (f"{_7231}6", "Requested content type is not acceptable."),
    409: (f"{_7231}8", "Conflict."),
    410: (f"{_7231}9", "Resource no longer available."),
    412: ("https://datatracker.ietf.org/doc/html/rfc7232#section-4.2", "Precondition failed."),
    413: (f"{_7231}11", f"Payload too large. The maximum allowed size is {_LIMIT} bytes."),
    422: ("https://datatracker.ietf.org/doc/html/rfc4918#section-11.2", "Unprocessable request."),
}
# The id must be a literal: the authorisation reads it from the document (facts 4.3).
_SUBSCRIPTION = re.compile(r'\bdialogEvents\s*\(\s*dialogId\s*:\s*"([0-9a-fA-F-]{36})"\s*\)')
_DIALOG = "/api/v1/serviceowner/dialogs/<uuid:dialog_id>"


class Dialogporten(System):
    """Dialogs of all service owners."""

    name = "dialogporten"
    prefix = "/dialogporten"

    def routes(self) -> Iterable[Route]:
        """List what the API answers."""
        return (
            *OwnerApi(self).routes(),
            *EndUserApi(self).routes(),
            *GraphQl(self).routes(),
            Route("POST", "/api/v1/serviceowner/dialogs", self.create),
            Route("GET", _DIALOG, self.get),
            Route("PUT", _DIALOG, self.put),
            Route("PATCH", _DIALOG, self.patch),
            Route("DELETE", _DIALOG, self.delete),
            Route("GET", f"{_DIALOG}/activities", self.list_activities),
            Route("POST", f"{_DIALOG}/activities", self.add_activity),
            Route("GET", f"{_DIALOG}/activities/<uuid:activity_id>", self.get_activity),
            Route("POST", f"{_DIALOG}/transmissions", self.add_transmission),
            Route("GET", f"{_DIALOG}/context/labels", self.list_labels),
            Route("POST", f"{_DIALOG}/context/labels", self.add_label),
            Route("DELETE", f"{_DIALOG}/context/labels/<label>", self.remove_label),
            Route("GET", "/api/v1/.well-known/jwks.json", self.get_jwks),
            Route("GET", "/api/v1/.well-known/oauth-authorization-server", self.get_metadata),
            Route("POST", "/graphql/stream", self.subscribe),
            Route("OPTIONS", "/graphql/stream", self.preflight),
        )

    def guard(self, request: Request, match: Matched | None) -> None:
        """Refuse everything during maintenance, and bodies that are too large before anything else reads them."""
        down = self.world.switches.dialogporten_maintenance_seconds
        if down and not (match and "/.well-known/" in match.template):
            drain(request)
            until = format_datetime(self.world.clock() + timedelta(seconds=down), usegmt=True)
            headers = {"Retry-After": until}
            refuse(plain(503, "Service Unavailable", content_type="text/plain", headers=headers))
        if (request.content_length or 0) > _LIMIT:
            drain(request)
            refuse(self.problem(request, 413))

    def not_routed(self, error: HTTPException) -> Response:
        """Answer what no endpoint has, with an empty body as the framework does."""
        return plain(error.code or 404)

    def create(self, request: Request) -> Response:
        """POST a dialog."""
        writer = self.writer(request)
        dto = self.read(request, CREATE, ("application/json",))
        rules = self.rules(writer, creating=True)
        rules.dialog(dto)
        self.check(request, rules)
        try:
            dialog = self.world.dialogporten.create(
                dto, writer, silent=self.silent(request), lookup_fails=self.world.switches.name_lookup_fails
            )
        except Problem as found:
            return self.problem_of(request, found)
        location = f"{self.base}/api/v1/serviceowner/dialogs/{dialog.id}"
        return as_json(201, dialog.id, headers={"Etag": dialog.revision, "Location": location})

    def get(self, request: Request, dialog_id: UUID) -> Response:
        """GET a dialog, deleted ones as well."""
        dialog = self.owned(request, dialog_id)
        state = self.world.dialogporten
        user = request.args.get("endUserId")
        if user is None:
            return as_json(200, for_owner(dialog, state), headers={"Etag": dialog.revision})
        reader = self.world.reader(user)
        if reader is None or dialog.party not in reader.parties or not reader.may("read"):
            return self.problem_of(request, missing("DialogEntity", dialog.id))
        if dialog.deleted_at is None:
            dialog = state.see(dialog.id, reader.actor, via_owner=True)
        return as_json(200, for_owner(dialog, state, reader), headers={"Etag": dialog.revision})

    def put(self, request: Request, dialog_id: UUID) -> Response:
        """PUT a dialog: replaces, and appends activities and transmissions."""
        self.live(request, dialog_id)
        dto = self.read(request, UPDATE, ("application/json",))
        return self._update(request, dialog_id, dto, kind="put")

    def patch(self, request: Request, dialog_id: UUID) -> Response:
        """PATCH a dialog: RFC 6902 on the update object, then as PUT."""
        dialog = self.live(request, dialog_id)
        body = self.body(request, ("application/json", "application/json-patch+json"))
        try:
            operations = json_patch.read(read_json(body))
            patched = json_patch.applied(as_update(dialog), operations, members=UPDATE_MEMBERS)
            dto = UPDATE(patched, "$")
        except json_patch.PatchFailed as error:
            # Not a problem document (facts 2.6, PATCH).
            return as_json(400, {"UpdateDialog": [str(error)]})
        except json_patch.NotAPatch as error:
            return self.problem(request, 400, {"SerializerErrors": [str(error)]})
        except NotReadable as error:
            return self.problem(request, 400, {error.key: [str(error)]})
        return self._update(request, dialog_id, dto, kind="patch", based_on=dialog.revision)

    def delete(self, request: Request, dialog_id: UUID) -> Response:
        """DELETE a dialog softly."""
        writer = self.writer(request)
        if_match = self.if_match(request)
        try:
            dialog = self.world.dialogporten.delete(
                str(dialog_id), writer, if_match=if_match, silent=self.silent(request)
            )
        except Problem as found:
            return self.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.revision})

    def list_activities(self, request: Request, dialog_id: UUID) -> Response:
        """GET all activities."""
        return as_json(200, activity_items(self.owned(request, dialog_id), described=False))

    def get_activity(self, request: Request, dialog_id: UUID, activity_id: UUID) -> Response:
        """GET one activity."""
        dialog = self.owned(request, dialog_id)
        if dialog.deleted_at is not None:
            return self.problem_of(request, removed(dialog.id))
        for each in for_owner(dialog, self.world.dialogporten)["activities"]:
            if each["id"] == str(activity_id):
                return as_json(200, each)
        return self.problem_of(request, missing("DialogActivity", str(activity_id)))

    def add_activity(self, request: Request, dialog_id: UUID) -> Response:
        """POST one activity."""
        writer = self.writer(request)
        self.exists(request, dialog_id, writer)
        activity = self.read(request, ACTIVITY, ("application/json",))
        rules = self.rules(writer, creating=True)
        rules.activity("activity", activity)
        self.check(request, rules)
        if_match = self.if_match(request)
        try:
            dialog, activity_id = self.world.dialogporten.add_activity(
                str(dialog_id),
                activity,
                writer,
                if_match=if_match,
                silent=self.silent(request),
                lookup_fails=self.world.switches.name_lookup_fails,
            )
        except Problem as found:
            return self.problem_of(request, found)
        return self.added(dialog, "activities", activity_id)

    def add_transmission(self, request: Request, dialog_id: UUID) -> Response:
        """POST one transmission."""
        writer = self.writer(request)
        held = self.exists(request, dialog_id, writer)
        transmission = self.read(request, TRANSMISSION, ("application/json",))
        rules = self.rules(writer, creating=True)
        rules.transmission("transmissions[0]", transmission, api_only=held.body["isApiOnly"])
        self.check(request, rules)
        if_match = self.if_match(request)
        try:
            dialog, transmission_id = self.world.dialogporten.add_transmission(
                str(dialog_id),
                transmission,
                writer,
                if_match=if_match,
                silent=self.silent(request),
                lookup_fails=self.world.switches.name_lookup_fails,
            )
        except Problem as found:
            return self.problem_of(request, found)
        return self.added(dialog, "transmissions", transmission_id)

    def list_labels(self, request: Request, dialog_id: UUID) -> Response:
        """GET the service-owner labels."""
        dialog = self.owned(request, dialog_id)
        labels = [{"value": label} for label in dialog.owner_labels]
        return as_json(200, labels, headers={"Etag": dialog.owner_revision})

    def add_label(self, request: Request, dialog_id: UUID) -> Response:
        """POST a service-owner label."""
        writer = self.writer(request)
        self.exists(request, dialog_id, writer)
        value = self.read(request, _label, ("application/json",))
        rules = self.rules(writer, creating=True)
        rules.label("value", value)
        self.check(request, rules)
        if_match = self.if_match(request)
        try:
            dialog = self.world.dialogporten.add_label(str(dialog_id), value or "", writer, if_match=if_match)
        except Problem as found:
            return self.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.owner_revision})

    def remove_label(self, request: Request, dialog_id: UUID, label: str) -> Response:
        """DELETE a service-owner label."""
        writer = self.writer(request)
        if_match = self.if_match(request)
        try:
            dialog = self.world.dialogporten.remove_label(str(dialog_id), label, writer, if_match=if_match)
        except Problem as found:
            return self.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.owner_revision})

    def get_jwks(self, request: Request) -> Response:
        """GET the keys of dialog tokens."""
        return self._well_known(request, jwks(self.world))

    def get_metadata(self, request: Request) -> Response:
        """GET where the keys are."""
        address = f"{self.base}/api/v1/.well-known/jwks.json"
        return self._well_known(request, {"issuer": issuer(self.host), "jwks_uri": address})

    def subscribe(self, request: Request) -> Response:
        """POST a subscription; the answer lasts until the client leaves or the sandbox ends."""
        token = bearer(request)
        if token is None:
            drain(request)
            return plain(401)
        try:
            document = read_json(read_body(request, _LIMIT))
        except (NotReadable, TooLarge):
            document = None
        query = document.get("query") if isinstance(document, dict) else None
        if not isinstance(query, str):
            return as_json(400, _graphql_error("The query is missing.", "HC0009"))
        found = _SUBSCRIPTION.search(query)
        dialog_id = "" if found is None else found.group(1).lower()
        match opens(token, dialog_id, self.world, self.host):
            case None:
                return plain(401)
            case False:
                # Also where the id is a variable, so that no literal could be found.
                message = "The current user is not authorized to access this resource."
                return as_json(403, _graphql_error(message, "AUTH_NOT_AUTHORIZED"))
        stream = self.world.dialogporten.streams.open(dialog_id, self.world.switches.sse_keep_alive_seconds)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", **self._cross_origin(request)}
        return Response(stream, status=200, headers=headers, content_type="text/event-stream; charset=utf-8")

    def preflight(self, request: Request) -> Response:
        """Answer a browser that asks whether Arbeidsflate may subscribe."""
        return plain(204, headers=self._cross_origin(request))

    def _cross_origin(self, request: Request) -> Mapping[str, str]:
        origin = request.headers.get("Origin")
        if origin is None or origin != self.world.arbeidsflate_url:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Vary": "Origin",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "authorization, content-type, accept",
        }

    def _update(
        self,
        request: Request,
        dialog_id: UUID,
        dto: Mapping[str, Any],
        *,
        kind: str,
        based_on: str | None = None,
    ) -> Response:
        writer = self.writer(request)
        rules = self.rules(writer, creating=False)
        rules.visible_from = self.exists(request, dialog_id, writer).visible_from
        rules.dialog(dto)
        self.check(request, rules)
        if_match = self.if_match(request)
        try:
            dialog = self.world.dialogporten.update(
                str(dialog_id),
                dto,
                writer,
                kind=kind,
                if_match=if_match,
                silent=self.silent(request),
                lookup_fails=self.world.switches.name_lookup_fails,
                based_on=based_on,
            )
        except Problem as found:
            return self.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.revision})

    def added(self, dialog: Dialog, member: str, entity_id: str) -> Response:
        """Answer that something was appended."""
        location = f"{self.base}/api/v1/serviceowner/dialogs/{dialog.id}/{member}/{entity_id}"
        return as_json(201, entity_id, headers={"Etag": dialog.revision, "Location": location})

    def writer(self, request: Request) -> Writer:
        """Say who writes; 401 and 403 where nobody may."""
        claims = genuine_claims(request, self.world, self.host, issuers=("maskinporten", "platform"), skew=2)
        if claims is None:
            self.refuse(request, 401)
        held = scopes(claims)
        number = consumer(claims)
        if OWNER_SCOPE not in held or number is None:
            self.refuse(request, 403)
        known = self.world.organisation(number)
        return Writer(organisation=number, org="unknown" if known is None else known.code, scopes=held)

    def claims_with(self, request: Request, scope: str) -> Mapping[str, Any]:
        """Give the claims of a token with this scope alone; 401 and 403 where it has it not."""
        claims = genuine_claims(request, self.world, self.host, issuers=("maskinporten", "platform"), skew=2)
        if claims is None:
            self.refuse(request, 401)
        if scope not in scopes(claims):
            self.refuse(request, 403)
        return claims

    def stop(self, request: Request, found: Problem) -> NoReturn:
        """Answer with what was found wrong, once the request was read."""
        drain(request)
        refuse(self.problem_of(request, found))

    def silent(self, request: Request) -> bool:
        """Read the hidden parameter of writes."""
        return request.args.get("isSilentUpdate", "false").lower() == "true"

    def reader(self, request: Request) -> Reader:
        """Say which end user reads; 401 and 403 where nobody may."""
        claims = genuine_claims(request, self.world, self.host, issuers=("idporten",), skew=2)
        if claims is None:
            self.refuse(request, 401)
        if not END_USER_SCOPES & scopes(claims):
            self.refuse(request, 403)
        return reader_of(claims)

    def refuse(self, request: Request, status: int) -> NoReturn:
        """Answer without a body, once the request was read."""
        drain(request)
        refuse(plain(status))

    def owned(self, request: Request, dialog_id: UUID) -> Dialog:
        """Give a dialog of the caller's; 404 where there is none."""
        return self.exists(request, dialog_id, self.writer(request))

    def exists(self, request: Request, dialog_id: UUID, writer: Writer) -> Dialog:
        """Give a dialog of the writer's; 404 where there is none."""
        try:
            return self.world.dialogporten.owned(str(dialog_id), writer)
        except Problem as found:
            drain(request)
            refuse(self.problem_of(request, found))

    def live(self, request: Request, dialog_id: UUID) -> Dialog:
        """As ``owned``; a PATCH of a deleted dialog is 410."""
        dialog = self.owned(request, dialog_id)
        if dialog.deleted_at is not None and request.method == "PATCH":
            drain(request)
            refuse(self.problem_of(request, removed(dialog.id)))
        return dialog

    def body(self, request: Request, types: Sequence[str]) -> bytes:
        """Read the body; 413 and 415 where it cannot be."""
        if media_type(request) not in types:
            self.refuse(request, 415)
        try:
            return read_body(request, _LIMIT)
        except TooLarge:
            refuse(self.problem(request, 413))

    def read(self, request: Request, reader: JsonReader, types: Sequence[str]) -> Any:
        """Read the body into its canonical form; 400 where it has another."""
        body = self.body(request, types)
        try:
            return reader(read_json(body), "$")
        except NotReadable as error:
            refuse(self.problem(request, 400, {error.key: [str(error)]}))

    def rules(self, writer: Writer, *, creating: bool) -> Rules:
        """Begin to check a body of this writer's."""
        return Rules(
            now=self.world.clock(),
            loopback_http=self.world.switches.allow_http_loopback,
            creating=creating,
            scopes=writer.scopes,
        )

    def check(self, request: Request, rules: Rules) -> None:
        """Refuse with what the rules found."""
        if rules.errors:
            refuse(self.problem(request, 400, rules.errors))

    def if_match(self, request: Request) -> str | None:
        """Read If-Match; 400 where it is no UUID."""
        text = request.headers.get("If-Match")
        if text is None:
            return None
        try:
            # A bare UUID: in quotes it is none (facts 2.3).
            return str(UUID(text.replace('"', "?")))
        except ValueError:
            drain(request)
            refuse(self.problem(request, 400, {"If-Match": ["The value is not a valid UUID."]}))

    def problem_of(self, request: Request, found: Problem) -> Response:
        """Answer with what was found wrong."""
        return self.problem(request, found.status, found.errors, headers=found.headers)

    def problem(
        self,
        request: Request,
        status: int,
        errors: Mapping[str, Sequence[str]] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with a problem document; without *errors* it has none."""
        kind, title = _PROBLEMS[status]
        document = {
            "type": kind,
            "title": title,
            "status": status,
            "instance": request.path.removeprefix(self.prefix),
            "traceId": f"00-{self.world.chance.uuid4().hex}-{self.world.chance.uuid4().hex[:16]}-00",
            **({} if errors is None else {"errors": errors}),
        }
        return as_json(status, document, content_type="application/problem+json", headers=headers)

    def _well_known(self, request: Request, document: Mapping[str, Any]) -> Response:
        if not accepts(request, ("application/json",)):
            return self.problem(request, 406)
        return as_json(200, document, headers={"Cache-Control": "public, max-age=86400"})


def reader_of(claims: Mapping[str, Any]) -> Reader:
    """Read what the sandbox's own end-user tokens say."""
    return Reader(
        actor=claims["sandbox_actor"],
        parties=frozenset(claims["sandbox_parties"]),
        grants=frozenset(claims["sandbox_grants"]),
        level=claims["sandbox_level"],
        system_user=claims.get("sandbox_system_user"),
        owner=claims.get("sandbox_owner"),
    )


def _label(value: Any, path: str) -> str | None:
    label = value.get("value") if isinstance(value, dict) else value
    if not isinstance(value, dict) or not isinstance(label, str | None):
        raise NotReadable(path, f"The JSON value could not be converted. Path: {path}")
    return label


def _graphql_error(message: str, code: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
