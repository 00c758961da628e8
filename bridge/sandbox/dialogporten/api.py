"""Dialogporten under ``/dialogporten``: service-owner API, end-user read, well-known documents, SSE."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import (
    Route,
    TooLarge,
    accepts,
    as_json,
    bearer,
    drain,
    media_type,
    plain,
    read_body,
)
from bridge.sandbox.dialogporten import json_patch
from bridge.sandbox.dialogporten.end_user_api import EndUserApi
from bridge.sandbox.dialogporten.graphql import GraphQl, NotAnswered, subscription
from bridge.sandbox.dialogporten.http import LIMIT, OWNER_SCOPE, Asked, DialogSystem
from bridge.sandbox.dialogporten.json_reader import NotJson, parsed
from bridge.sandbox.dialogporten.kinds import Faulty
from bridge.sandbox.dialogporten.model import Dialog, missing, removed
from bridge.sandbox.dialogporten.owner_api import OwnerApi
from bridge.sandbox.dialogporten.schema import ACTIVITY, CREATE, PATCHED, TRANSMISSION, UPDATE
from bridge.sandbox.dialogporten.tokens import issuer, jwks, opens
from bridge.sandbox.dialogporten.views import as_update, for_owner

__all__ = ("OWNER_SCOPE", "Dialogporten")
# The id must be a literal: the authorisation reads it from the document (facts 4.3).
_SUBSCRIPTION = re.compile(r'\bdialogEvents\s*\(\s*dialogId\s*:\s*"([0-9a-fA-F-]{36})"\s*\)')
_DIALOG = "/api/v1/serviceowner/dialogs/<dialog_id>"


class Dialogporten(DialogSystem):
    """Dialogs of all service owners."""

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
            Route("POST", f"{_DIALOG}/activities", self.add_activity),
            Route("POST", f"{_DIALOG}/transmissions", self.add_transmission),
            Route("GET", "/api/v1/.well-known/jwks.json", self.get_jwks),
            Route("GET", "/api/v1/.well-known/oauth-authorization-server", self.get_metadata),
            Route("POST", "/graphql/stream", self.subscribe),
            Route("OPTIONS", "/graphql/stream", self.preflight),
        )

    def create(self, request: Request) -> Response:
        """POST a dialog."""
        self.writer(request)
        dto = self.read(request, CREATE)
        asked = self.bound(request, {})
        if dto["serviceResource"] is None:
            raise Faulty
        rules = self.rules(asked.writer, creating=True)
        rules.dialog(dto)
        self.check(rules)
        state = self.world.dialogporten
        free = state.is_free(dto, asked.writer)
        self.saving(request)
        dialog = state.create(dto, asked.writer, asked.intent, key_was_free=free)
        return as_json(201, dialog.id, headers={"Etag": dialog.revision})

    def get(self, request: Request, dialog_id: str) -> Response:
        """GET a dialog, deleted ones as well."""
        asked = self.bound(request, {"dialogId": dialog_id})
        reader = self.on_behalf(request)
        dialog, state = self.owned(asked), self.world.dialogporten
        if reader is not None and (dialog.party not in reader.parties or not reader.may("read")):
            raise missing("DialogEntity", dialog.id)
        if reader is not None and dialog.deleted_at is None:
            dialog = state.see(dialog.id, reader.actor, via_owner=True)
        return as_json(200, for_owner(dialog, state, reader), headers={"Etag": dialog.revision})

    def put(self, request: Request, dialog_id: str) -> Response:
        """PUT a dialog: replaces, and appends activities and transmissions."""
        self.writer(request)
        dto = self.read(request, UPDATE)
        asked = self.bound(request, {"dialogId": dialog_id})
        return self._update(request, asked, self.owned(asked), dto=dto, kind="put")

    def patch(self, request: Request, dialog_id: str) -> Response:
        """PATCH a dialog: RFC 6902 on the update object, then as PUT."""
        self.writer(request)
        media = media_type(request)
        if not (media.startswith("application/") and (media.endswith("+json") or media == "application/json")):
            drain(request)
            return plain(415)
        body = self.body(request)
        operations, errors = _operations(body)
        asked = self.bound(request, {"dialogId": dialog_id}, patching=True, errors=errors)
        dialog = self.owned(asked)
        if dialog.deleted_at is not None:
            raise removed(dialog.id)
        try:
            dto = json_patch.applied(as_update(dialog), operations, kind=UPDATE, place=PATCHED)
        except json_patch.PatchFailed as error:
            # Not a problem document (facts 14.1).
            return as_json(400, {"UpdateDialogDto": error.messages})
        return self._update(request, asked, dialog, dto=dto, kind="patch")

    def delete(self, request: Request, dialog_id: str) -> Response:
        """DELETE a dialog softly."""
        asked = self.bound(request, {"dialogId": dialog_id})
        intent = self.intending(request, asked)
        dialog = self.world.dialogporten.delete(asked.dialog_id, asked.writer, intent)
        return plain(204, headers={"Etag": dialog.revision})

    def add_activity(self, request: Request, dialog_id: str) -> Response:
        """POST one activity."""
        self.writer(request)
        activity = self.read(request, ACTIVITY)
        asked = self.bound(request, {"dialogId": dialog_id})
        self.owned(asked)
        rules = self.rules(asked.writer, creating=True)
        rules.activity("activity", activity)
        self.check(rules)
        intent = self.intending(request, asked)
        dialog, activity_id = self.world.dialogporten.add_activity(
            asked.dialog_id, activity, asked.writer, intent=intent
        )
        return as_json(201, activity_id, headers={"Etag": dialog.revision})

    def add_transmission(self, request: Request, dialog_id: str) -> Response:
        """POST one transmission."""
        self.writer(request)
        transmission = self.read(request, TRANSMISSION)
        asked = self.bound(request, {"dialogId": dialog_id})
        held = self.owned(asked)
        rules = self.rules(asked.writer, creating=False)
        rules.transmission("transmissions[0]", transmission, api_only=held.body["isApiOnly"])
        self.check(rules)
        intent = self.intending(request, asked)
        dialog, added = self.world.dialogporten.add_transmission(
            asked.dialog_id, transmission, asked.writer, intent=intent
        )
        return as_json(201, added, headers={"Etag": dialog.revision})

    def get_jwks(self, request: Request) -> Response:
        """GET the keys of dialog tokens."""
        return self._well_known(request, jwks(self.world))

    def get_metadata(self, request: Request) -> Response:
        """GET where the keys are."""
        address = f"{self.base}/api/v1/.well-known/jwks.json"
        return self._well_known(request, {"issuer": issuer(self.host), "jwks_uri": address})

    def subscribe(self, request: Request) -> Response:
        """POST a subscription; the answer lasts until the client leaves or the sandbox ends. A browser reads errors."""
        answer = self._subscribed(request)
        answer.headers.update(self._cross_origin(request))
        return answer

    def _subscribed(self, request: Request) -> Response:
        token = bearer(request)
        if token is None:
            drain(request)
            return plain(401)
        try:
            document = parsed(read_body(request, LIMIT))
        except (NotJson, TooLarge):
            document = None
        query = document.get("query") if isinstance(document, dict) else None
        if not isinstance(query, str):
            return as_json(400, _graphql_error("The query is missing.", "HC0009"))
        found = _SUBSCRIPTION.search(query)
        dialog_id = "" if found is None else found.group(1).lower()
        match opens(token, dialog_id, self.world, base_url=self.host):
            case None:
                return plain(401)
            case False:
                # Also where the id is a variable, so that no literal could be found.
                message = "The current user is not authorized to access this resource."
                return as_json(403, _graphql_error(message, "AUTH_NOT_AUTHORIZED"))
        try:
            tell = subscription(query, dialog_id)
        except NotAnswered as error:
            return as_json(400, error.as_json())
        stream = self.world.dialogporten.streams.open(dialog_id, tell, self.world.switches.sse_keep_alive_seconds)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return Response(stream, status=200, headers=headers, content_type="text/event-stream; charset=utf-8")

    def preflight(self, request: Request) -> Response:
        """Answer a browser that asks whether Arbeidsflate may subscribe."""
        return plain(204, headers=self._cross_origin(request))

    def _cross_origin(self, request: Request) -> Mapping[str, str]:
        origin = request.headers.get("Origin")
        if origin is None or origin not in {self.world.arbeidsflate_url, *self.world.origins}:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Vary": "Origin",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "authorization, content-type, accept",
        }

    def _well_known(self, request: Request, document: Mapping[str, Any]) -> Response:
        if not accepts(request, ("application/json",)):
            return self.problem(request, 406)
        return as_json(200, document, headers={"Cache-Control": "public, max-age=86400"})

    def _update(self, request: Request, asked: Asked, held: Dialog, *, dto: Mapping[str, Any], kind: str) -> Response:
        rules = self.rules(asked.writer, creating=False)
        rules.visible_from = held.visible_from
        rules.mute = any(each["content"] is None for each in held.body["transmissions"])
        rules.dialog(dto)
        self.check(rules)
        intent = self.intending(request, asked, held)
        dialog = self.world.dialogporten.update(held.id, dto, asked.writer, intent=intent, kind=kind)
        return plain(204, headers={"Etag": dialog.revision})


def _operations(body: bytes) -> tuple[Any, dict[str, list[str]]]:
    """A patch's operations, or why they cannot be bound; the real one falls over a body that is empty or null."""
    try:
        value = parsed(body) if body.strip() else None
        if value is None:
            raise Faulty
        return json_patch.read(value), {}
    except (NotJson, json_patch.NotAPatch):
        message = "The JSON patch document was malformed and could not be parsed."
        return (), {"": [message], "patchDocument": ["The patchDocument field is required."]}


def _graphql_error(message: str, code: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
