"""Altinn 2's REST API under ``/altinn2/api`` (facts/altinn2.md 1, 2, 5, 10)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2_body import NotReadable, read_update
from bridge.sandbox.altinn2_state import (
    BadUpdate,
    Element,
    NoSuchElement,
    NotAllowed,
    SchemaFaults,
    State,
    Update,
    washed,
)
from bridge.sandbox.altinn2_views import View, plain_json, utc_from_local
from bridge.sandbox.tokens import genuine_claims, scopes
from bridge.sandbox.wire import (
    Cut,
    Matched,
    Route,
    System,
    TooLarge,
    as_json,
    drain,
    media_type,
    plain,
    read_body,
    refuse,
)

HAL = "application/hal+json; charset=utf-8"
HTML = "text/html; charset=utf-8"
_PAGE = 50
_HEADERS = {"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1"}
_READ, _WRITE, _ALL = "altinn:instances.read", "altinn:instances.write", "altinn:enduser"
_LOGIN = "<!DOCTYPE html><html lang=nb><title>Altinn - Logg inn</title><h1>Logg inn</h1></html>"
_LANDING = "<!DOCTYPE html><html lang=nb><title>Altinn</title><h1>Altinn II er lagt ned</h1></html>"


class Altinn2(System):
    """Messages of form tasks: read, list, replace, complete, sign, delete."""

    name = "altinn2"
    prefix = "/altinn2/api"

    def routes(self) -> Iterable[Route]:
        """List what this version answers; metadata, new elements, subforms and streams come on top."""
        message = "/<who>/messages/<message_id>"
        return (
            Route("GET", "/<who>/messages", self.list_messages),
            Route("GET", message, self.get_message),
            Route("PUT", message, self.put_message),
            Route("DELETE", message, self.delete_message),
            Route("GET", f"{message}/forms", self.list_forms),
            Route("GET", f"{message}/forms/<int:form_id>", self.get_form),
            Route("GET", f"{message}/forms/<int:form_id>/formdata", self.get_form_data),
            Route("GET", f"{message}/attachments", self.list_attachments),
            Route("GET", f"{message}/attachments/<int:attachment_id>", self.get_attachment),
        )

    def routing_path(self, path: str) -> str:
        """Path segments are case-insensitive (facts/altinn2.md 1.2)."""
        return path.lower()

    def not_routed(self, error: HTTPException) -> Response:
        """Answer 404 and 405 as everything else: by the reason phrase."""
        return plain(error.code or 404, headers=_HEADERS)

    def guard(self, request: Request, match: Matched | None) -> None:
        """Check what comes before any operation: is Altinn 2 there, the key, the token."""
        del match
        switches = self.world.switches
        match switches.shutdown:
            case "connection_refused":
                drain(request)
                raise Cut("Altinn 2 is closed")
            case "410":
                self._refuse(request, plain(410, reason="Gone"))
            case "html_landing":
                self._refuse(request, plain(200, _LANDING, content_type=HTML))
        key = request.headers.get("ApiKey")
        if key is None:
            self._refuse(request, self.failure(400, "Required header 'ApiKey' is missing."))
        if key != self.world.altinn2_api_key:
            self._refuse(request, self.failure(403, "The API key is not authorized for this operation"))
        claims = genuine_claims(
            request, self.world, self.host, issuers=("platform", "idporten", "maskinporten"), skew=10
        )
        if claims is None:
            self._refuse(request, self._not_logged_in())
        needed = {_ALL, _READ if request.method == "GET" else _WRITE}
        if switches.altinn2_scope_check and not needed & scopes(claims):
            self._refuse(request, self.failure(403, "The token is not authorized for this operation"))

    def list_messages(self, request: Request, who: str) -> Response:
        """Give a page of 50, newest change first; ``$filter`` and ``$orderby`` are refused, not ignored."""
        for name in ("$filter", "$orderby"):
            if name in request.args:
                refuse(self.failure(400, f"The query parameter '{name}' is not supported here"))
        since, until = self._moment(request, "dateFrom"), self._moment(request, "dateTo")
        skip, top = self._count(request, "$skip", 0), min(self._count(request, "$top", _PAGE), _PAGE)
        # The database's limit applies first: to what changed last, whatever the paging.
        found = sorted(
            (each for each in self.world.altinn2.elements() if self._listed(each, who, since, until)),
            key=lambda each: (each.changed, int(each.id[1:])),
            reverse=True,
        )
        limit = self.world.switches.limit_reached_after
        cut = 0 < limit < len(found)
        headers = {"X-Warning-LimitReached": "true"} if cut else {}
        page = (found[:limit] if cut else found)[skip : skip + top]
        return self._shown(request, self._view(request, who).message_list(page), headers)

    def get_message(self, request: Request, who: str, message_id: str) -> Response:
        """Show one element with links to its forms and attachments."""
        element = self._element(request, who, message_id)
        return self._shown(request, self._view(request, who).element(element, whole=True))

    def put_message(self, request: Request, who: str, message_id: str) -> Response:
        """Replace all forms and attachments, then do what the flags say. Committed before the answer."""
        order = self._order(request)
        switches = self.world.switches
        try:
            element = self.world.altinn2.update(
                who, message_id, order, now=self.world.clock(), switches=switches, ledger=self.world.ledger
            )
        except NoSuchElement as error:
            return self._not_found(request, who, error, message_id)
        except NotAllowed as error:
            return self.failure(int(switches.wrong_state_status), str(error))
        except BadUpdate as error:
            return self.failure(400, str(error))
        except SchemaFaults as error:
            return self._invalid(error)
        headers = dict(_HEADERS)
        if element.visible and (element.state is State.ARCHIVED or switches.location_on_active_put):
            headers["Location"] = self._view(request, who).element_href(element.id)
        return plain(int(switches.put_status), headers=headers)

    def delete_message(self, request: Request, who: str, message_id: str) -> Response:
        """Move an element to the trash bin."""
        switches = self.world.switches
        try:
            self.world.altinn2.delete(
                who, message_id, now=self.world.clock(), switches=switches, ledger=self.world.ledger
            )
        except NoSuchElement as error:
            return self._not_found(request, who, error, message_id)
        except NotAllowed as error:
            return self.failure(int(switches.wrong_state_status), str(error))
        return plain(204, headers=_HEADERS)

    def list_forms(self, request: Request, who: str, message_id: str) -> Response:
        """Show an element's forms without their data."""
        element = self._element(request, who, message_id)
        return self._shown(request, self._view(request, who).form_list(element))

    def get_form(self, request: Request, who: str, message_id: str, form_id: int) -> Response:
        """Show one form without its data."""
        element = self._element(request, who, message_id)
        for form in element.forms:
            if form.id == form_id:
                return self._shown(request, self._view(request, who).form(element, form))
        return self.failure(404)

    def get_form_data(self, request: Request, who: str, message_id: str, form_id: int) -> Response:
        """Give a form's XML: the same content as was put, not the same bytes."""
        for form in self._element(request, who, message_id).forms:
            if form.id == form_id:
                data = washed(form.data) if self.world.switches.washed_formdata else form.data.encode()
                return plain(200, data, content_type="application/xml", headers=_HEADERS)
        return self.failure(404)

    def list_attachments(self, request: Request, who: str, message_id: str) -> Response:
        """Show an element's attachments without their bytes."""
        element = self._element(request, who, message_id)
        return self._shown(request, self._view(request, who).attachment_list(element))

    def get_attachment(self, request: Request, who: str, message_id: str, attachment_id: int) -> Response:
        """Give an attachment's bytes."""
        for attachment in self._element(request, who, message_id).attachments:
            if attachment.id == attachment_id:
                name = quote(attachment.file_name, safe="")
                headers = {**_HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
                return plain(200, attachment.content, content_type="application/octet-stream", headers=headers)
        return self.failure(404)

    def failure(self, status: int, reason: str | None = None) -> Response:
        """Explain a refusal in the reason phrase, and by switch in a body, too."""
        if reason is not None and self.world.switches.error_text == "reason_plus_errormodel":
            model = {"ErrorCode": status, "ErrorMessage": reason}
            return as_json(status, model, reason=reason, headers=_HEADERS)
        return plain(status, reason=reason, headers=_HEADERS)

    def _order(self, request: Request) -> Update:
        if media_type(request) not in ("application/hal+json", "application/json"):
            status = int(self.world.switches.wrong_type_status)
            self._refuse(request, self.failure(status, "The content type of the request is not supported"))
        try:
            body = read_body(request, self.world.switches.message_limit_mb * 1_000_000)
            return read_update(body, request.args)
        except TooLarge:
            refuse(self.failure(413, "Maximum request length exceeded"))
        except NotReadable as error:
            refuse(self.failure(400, str(error)))

    def _element(self, request: Request, who: str, message_id: str) -> Element:
        try:
            element = self.world.altinn2.read(who, message_id)
        except NoSuchElement as error:
            refuse(self._not_found(request, who, error, message_id))
        if element.state is State.DELETED and self.world.switches.deleted_element == "404":
            refuse(self.failure(404))
        return element

    def _not_found(self, request: Request, who: str, error: NoSuchElement, message_id: str) -> Response:
        if error.archived_id is None:
            return self.failure(404)
        match self.world.switches.archived_aid:
            case "redirect":
                rest = request.path[request.path.lower().index(message_id) + len(message_id) :]
                target = self._view(request, who).element_href(error.archived_id) + rest
                return plain(302, headers={**_HEADERS, "Location": target})
            case "410":
                return self.failure(410)
            case _:
                return self.failure(404)

    def _invalid(self, error: SchemaFaults) -> Response:
        entries = [
            {"FieldName": each.field, "ErrorMessage": each.message, "FieldXPath": each.xpath} for each in error.faults
        ]
        match self.world.switches.validation_body:
            case "empty":
                return plain(400, reason=str(error), headers=_HEADERS)
            case "array":
                body: Any = entries
            case _:
                body = {"Success": False, "ValidationErrors": entries, "ValidationWarnings": []}
        return as_json(400, body, content_type=HAL, reason=str(error), headers=_HEADERS)

    def _not_logged_in(self) -> Response:
        match self.world.switches.auth_failure:
            case "302_html":
                location = f"{self.host}/Pages/ExternalAuthentication/Redirect.aspx"
                return plain(302, _LOGIN, content_type=HTML, headers={"Location": location})
            case "200_html":
                return plain(200, _LOGIN, content_type=HTML)
            case _:
                return self.failure(403, "Authorization failed: There is no authenticated user set on this request.")

    def _refuse(self, request: Request, response: Response) -> NoReturn:
        drain(request)
        refuse(response)

    def _view(self, request: Request, who: str) -> View:
        language = request.args.get("language", "")
        return View(
            host=self.host,
            api=self.base,
            who=who,
            language=language if language in ("1044", "1033", "2068") else self.world.switches.default_language,
        )

    def _shown(
        self, request: Request, resource: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Response:
        headers = {**_HEADERS, **(headers or {})}
        best = request.accept_mimetypes.best_match(["application/hal+json", "application/json"])
        if best == "application/json":
            return as_json(200, plain_json(resource), headers=headers)
        return as_json(200, resource, content_type=HAL, headers=headers)

    def _listed(self, element: Element, who: str, since: datetime | None, until: datetime | None) -> bool:
        return (
            who in element.who
            and element.visible
            and element.state is not State.DELETED
            and (since is None or element.changed >= since)
            and (until is None or element.changed <= until)
        )

    def _moment(self, request: Request, name: str) -> datetime | None:
        text = request.args.get(name)
        if not text:
            return None
        try:
            return utc_from_local(text)
        except ValueError:
            refuse(self.failure(400, f"The value of '{name}' is not a date"))

    def _count(self, request: Request, name: str, default: int) -> int:
        text = request.args.get(name, str(default))
        if not text.isdecimal():
            refuse(self.failure(400, f"Invalid value for '{name}' query option found"))
        return int(text)
