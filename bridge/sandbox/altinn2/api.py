"""Altinn 2's REST API under ``/altinn2/api``: messages (facts/altinn2.md 1, 2, 3, 5, 10)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.accounts_and_metadata import AROUND
from bridge.sandbox.altinn2.body import (
    NotReadable,
    flag,
    read_update,
)
from bridge.sandbox.altinn2.model import (
    Element,
    LevelTooLow,
    NoSuchService,
    State,
)
from bridge.sandbox.altinn2.odata import BadQuery, Query, read_query
from bridge.sandbox.altinn2.parts import Parts
from bridge.sandbox.altinn2.views import local, utc_from_local, validation_body
from bridge.sandbox.core.http_system import Cut, Matched, Route, drain, plain, refuse

_PAGE = 50
_MESSAGE = "/<who>/messages/<message_id>"
_LISTED: Mapping[str, type] = {
    "MessageId": str,
    "ServiceOwner": str,
    "ServiceCode": str,
    "ServiceEdition": int,
    "Status": str,
    "Subject": str,
    "Summary": str,
    "Type": str,
    "MessageSender": str,
    "LastChangedBy": str,
    "CreatedDate": datetime,
    "LastChangedDateTime": datetime,
    "DueDate": datetime,
}


class Altinn2(Parts):
    """Messages: made, read, listed, replaced, completed, signed, deleted, confirmed, archived."""

    name = "altinn2"
    prefix = "/altinn2/api"

    def routes(self) -> Iterable[Route]:
        """List what is answered; what lies around the messages comes from ``Around``."""
        form, attachment = f"{_MESSAGE}/forms/<int:form_id>", f"{_MESSAGE}/attachments/<int:attachment_id>"
        return (
            *(Route(method, rule, getattr(self, name)) for method, rule, name in AROUND),
            Route("GET", "/<who>/messages", self.list_messages),
            Route("POST", "/<who>/messages", self.post_message),
            Route("GET", "/<who>/messages/trashbin", self.list_trashbin),
            Route("GET", _MESSAGE, self.get_message),
            Route("PUT", _MESSAGE, self.put_message),
            Route("DELETE", _MESSAGE, self.delete_message),
            Route("PUT", f"{_MESSAGE}/archive", self.archive_message),
            Route("PUT", f"{_MESSAGE}/confirm", self.confirm_message),
            Route("GET", f"{_MESSAGE}/validate", self.validate_message),
            Route("GET", f"{_MESSAGE}/signingtext", self.get_signing_text),
            Route("GET", f"{_MESSAGE}/print", self.print_message),
            Route("GET", f"{_MESSAGE}/custommessagedata", self.get_custom_data),
            Route("GET", f"{_MESSAGE}/forms", self.list_forms),
            Route("POST", f"{_MESSAGE}/forms", self.post_form),
            Route("GET", form, self.get_form),
            Route("PUT", form, self.put_form),
            Route("DELETE", form, self.delete_form),
            Route("GET", f"{form}/formdata", self.get_form_data),
            Route("GET", f"{form}/print", self.print_form),
            Route("GET", f"{_MESSAGE}/attachments", self.list_attachments),
            Route("POST", f"{_MESSAGE}/attachments", self.post_attachment),
            Route("POST", f"{_MESSAGE}/attachments/streamedattachment", self.stream_attachment),
            Route("GET", attachment, self.get_attachment),
            Route("DELETE", attachment, self.delete_attachment),
        )

    def routing_path(self, path: str) -> str:
        """Path segments are case-insensitive (facts/altinn2.md 1.2)."""
        return path.lower()

    def list_messages(self, request: Request, who: str) -> Response:
        """A page of 50, newest change first, inbox and archive together."""
        return self._listed(request, who, lambda each: each.state is not State.DELETED)

    def list_trashbin(self, request: Request, who: str) -> Response:
        """A page of what was deleted."""
        return self._listed(request, who, lambda each: each.state is State.DELETED)

    def get_message(self, request: Request, who: str, message_id: str) -> Response:
        """Show one element with links to its forms and attachments; a correspondence becomes read by it."""
        element = self._element(request, who, message_id)
        try:
            reading = flag(request.args, "markAsRead")
        except NotReadable as error:
            return self.failure(400, str(error))
        if reading and element.state is State.UNREAD:
            self.world.altinn2.mark_read(self.act(request, who), message_id)
            element = self._element(request, who, message_id)
        return self.shown(request, self._view(request, who).element(element, whole=True))

    def post_message(self, request: Request, who: str) -> Response:
        """Make a new element, and do with it what the flags say."""
        with self._explained(request, who, ""):
            order = read_update(self._body(request), request.args)
            if order.forms is None and self.world.switches.empty_post == "500":
                return self.failure(500)
            self.check_right(request, who, "Write")
            if order.complete and order.sign:
                self.check_right(request, who, "Sign")
            self._check_service_level(request, order.service_code, order.service_edition)
            element = self.world.altinn2.create(self.act(request, who), order)
            visible = element.visible
            location = self._view(request, who).element_href(element.id) if visible else None
            return self._made(int(self.world.switches.post_created_status), location)

    def put_message(self, request: Request, who: str, message_id: str) -> Response:
        """Replace all forms and attachments, then do what the flags say. Committed before the answer."""
        switches = self.world.switches
        with self._explained(request, who, message_id):
            # Release 18.1 had confirmation here, and nothing says that it went away.
            if flag(request.args, "confirm", default="false"):
                drain(request)
                return self.confirm_message(request, who, message_id)
            order = read_update(self._body(request), request.args)
            self.check_right(request, who, "Write")
            if order.complete and order.sign:
                self.check_right(request, who, "Sign")
            self._seen(request, who, message_id)
            element = self.world.altinn2.update(self.act(request, who), message_id, order)
            wanted = element.state is State.ARCHIVED or switches.location_on_active_put
            location = self._view(request, who).element_href(element.id) if element.visible and wanted else None
            return self._made(int(switches.put_status), location)

    def delete_message(self, request: Request, who: str, message_id: str) -> Response:
        """Move an element to the trash bin."""
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            self.world.altinn2.delete(self.act(request, who), message_id)
        return plain(204, headers=self.headers())

    def archive_message(self, request: Request, who: str, message_id: str) -> Response:
        """Archive a correspondence."""
        drain(request)
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            archived = self.world.altinn2.archive(self.act(request, who), message_id)
            return self._made(204, self._view(request, who).element_href(archived.id), "Message has been archived")

    def confirm_message(self, request: Request, who: str, message_id: str) -> Response:
        """Confirm a correspondence."""
        drain(request)
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            self.world.altinn2.confirm(self.act(request, who), message_id)
        return plain(204, reason="Message has been confirmed", headers=self.headers())

    def validate_message(self, request: Request, who: str, message_id: str) -> Response:
        """What stands in the way of completion; in form filling only."""
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            found = self.world.altinn2.validation(self.act(request, who), message_id)
            return self.shown(request, validation_body(found))

    def get_signing_text(self, request: Request, who: str, message_id: str) -> Response:
        """The text that is signed; 404 unless the element waits for a signature."""
        element = self._element(request, who, message_id)
        if element.state is not State.SIGNING:
            return self.failure(404)
        text = element.service.signing_text
        match self.world.switches.signingtext_shape:
            case "text":
                return plain(200, text, content_type="text/plain; charset=utf-8", headers=self.headers())
            case "html":
                page = f"<p>{text}</p>"
                return plain(200, page, content_type="text/html; charset=utf-8", headers=self.headers())
            case _:
                return self.shown(request, {"SigningText": text})

    def print_message(self, request: Request, who: str, message_id: str) -> Response:
        """An element, or with dataFormatId and dataFormatVersion one of its forms, as PDF."""
        element = self._element(request, who, message_id)
        if element.letter is not None:
            return self.failure(404)
        wanted, version = request.args.get("dataFormatId"), request.args.get("dataFormatVersion")
        forms = [
            each
            for each in element.forms
            if wanted in (None, each.data_format_id) and version in (None, each.data_format_version)
        ]
        return self._printed(element, forms) if forms else self.failure(404)

    def get_custom_data(self, request: Request, who: str, message_id: str) -> Response:
        """What the agency put beside a correspondence."""
        letter = self._element(request, who, message_id).letter
        if letter is None or letter.custom_data is None:
            return self.failure(404)
        return self.shown(request, {"CustomMessageData": letter.custom_data})

    def _effect(self, request: Request, match: Matched | None, error: HTTPException) -> Response:
        message_id = "" if match is None else str(match.arguments.get("message_id", ""))
        writes = request.method not in ("GET", "HEAD", "OPTIONS")
        with self.world.altinn2.writing(message_id if writes and self.world.switches.lock == "409" else "") as alone:
            if not alone:
                drain(request)
                return self.failure(409, "The element is being updated by somebody else")
            response = super()._effect(request, match, error)
        committed = writes and match is not None and "/messages" in match.template and response.status_code < 300
        if committed and self.world.switches.drop_connection_after_commit:
            response.close()
            raise Cut("cut after the commit")
        return response

    def _check_service_level(self, request: Request, code: str, edition: str) -> None:
        service = self.world.altinn2.service(code, int(edition) if edition.isdecimal() else -1)
        if service is None:
            return
        if self.caller(request).level < service.security_level:
            raise LevelTooLow
        if self.caller(request).enterprise and not service.enterprise_users:
            raise NoSuchService

    def _listed(self, request: Request, who: str, wanted: Callable[[Element], bool]) -> Response:
        since, until = self._moment(request, "dateFrom"), self._moment(request, "dateTo")
        query = self._query(request)
        caller, act = self.caller(request), self.act(request, who)
        # The database's limit applies first: to what changed last, whatever the filter and the paging.
        found = sorted(
            (
                each
                for each in self.world.altinn2.elements()
                if act.names & each.who
                and each.visible
                and wanted(each)
                and not (caller.enterprise and not each.service.enterprise_users)
                and (since is None or each.changed >= since)
                and (until is None or each.changed <= until)
            ),
            key=lambda each: (each.changed, int(each.id[1:])),
            reverse=True,
        )
        limit = self.world.switches.limit_reached_after
        cut = 0 < limit < len(found)
        headers = {"X-Warning-LimitReached": self.world.switches.limit_reached_value} if cut else {}
        view = self._view(request, who)
        rows = (
            {each.id: _row(view.element(each, whole=True), each) for each in found[:limit] or found}
            if (query.filters or query.order)
            else {}
        )
        page = query.page(found[:limit] if cut else found, lambda each: rows.get(each.id, {}))
        return self.shown(request, view.message_list(page), headers)

    def _query(self, request: Request) -> Query:
        try:
            return read_query(
                request.args, properties=_LISTED, type_name="Altinn.SBL.AltinnWebAPI.Models.Message", page=_PAGE
            )
        except BadQuery as error:
            refuse(self.failure(400, str(error)))

    def _moment(self, request: Request, name: str) -> datetime | None:
        text = request.args.get(name)
        if not text:
            return None
        try:
            return utc_from_local(text)
        except ValueError:
            refuse(self.failure(400, f"The value of '{name}' is not a date"))


def _row(shown: Mapping[str, Any], element: Element) -> dict[str, Any]:
    """What a filter sees: the texts as shown, times as Oslo's clock has them."""
    due = None if element.letter is None else element.letter.due
    times = {"CreatedDate": element.created, "LastChangedDateTime": element.changed, "DueDate": due}
    return {
        **{name: shown.get(name) for name in _LISTED},
        **{name: None if moment is None else datetime.fromisoformat(_padded(moment)) for name, moment in times.items()},
    }


def _padded(moment: datetime) -> str:
    whole, _, fraction = local(moment).partition(".")
    return f"{whole}.{fraction:0<3}"
