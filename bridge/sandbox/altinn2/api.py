"""Altinn 2's REST API under ``/altinn2/api``: messages (facts/altinn2.md 1, 2, 3, 5, 10)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.accounts_and_metadata import AROUND, Around
from bridge.sandbox.altinn2.blobs import BlobWriter, pieces_of
from bridge.sandbox.altinn2.body import (
    Body,
    NotReadable,
    WrongType,
    flag,
    next_piece,
    read_attachment,
    read_body,
    read_form,
    read_update,
)
from bridge.sandbox.altinn2.model import (
    Attachment,
    BadAttachment,
    BadUpdate,
    Element,
    Form,
    Invalid,
    LevelTooLow,
    NoSuchElement,
    NoSuchPart,
    NoSuchService,
    NotAllowed,
    State,
)
from bridge.sandbox.altinn2.odata import BadQuery, Query, read_query
from bridge.sandbox.altinn2.pdf import pdf
from bridge.sandbox.altinn2.rules import attachment_fault, megabytes, size_limit, washed
from bridge.sandbox.altinn2.views import View, finding_list, local, utc_from_local, validation_body
from bridge.sandbox.core.http_system import Cut, Matched, Route, TooLarge, as_json, drain, media_type, plain, refuse

_PAGE = 50
_MESSAGE = "/<who>/messages/<message_id>"
_STREAMED = ("application/octet-stream", "application/hal+json")
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


class Altinn2(Around):
    """Messages: made, read, listed, replaced, completed, signed, deleted, confirmed, archived; forms, attachments."""

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
        """Give a page of 50, newest change first, inbox and archive together."""
        return self._listed(request, who, lambda each: each.state is not State.DELETED)

    def list_trashbin(self, request: Request, who: str) -> Response:
        """Give a page of what was deleted."""
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
        """Say what stands in the way of completion; in form filling only."""
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            found = self.world.altinn2.validation(self.act(request, who), message_id)
            return self.shown(request, validation_body(found))

    def get_signing_text(self, request: Request, who: str, message_id: str) -> Response:
        """Give the text that is signed; 404 unless the element waits for a signature."""
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
        """Give an element, or with dataFormatId and dataFormatVersion one of its forms, as PDF."""
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

    def print_form(self, request: Request, who: str, message_id: str, form_id: int) -> Response:
        """Give one form as PDF."""
        element = self._element(request, who, message_id)
        return self._printed(element, [self._form(element, form_id)])

    def get_custom_data(self, request: Request, who: str, message_id: str) -> Response:
        """Give what the agency put beside a correspondence."""
        letter = self._element(request, who, message_id).letter
        if letter is None or letter.custom_data is None:
            return self.failure(404)
        return self.shown(request, {"CustomMessageData": letter.custom_data})

    def list_forms(self, request: Request, who: str, message_id: str) -> Response:
        """Show an element's forms without their data."""
        element = self._element(request, who, message_id)
        return self.shown(request, self._view(request, who).form_list(element))

    def post_form(self, request: Request, who: str, message_id: str) -> Response:
        """Add a subform; without FormData a prefilled one."""
        with self._explained(request, who, message_id):
            given = read_form(self._body(request))
            self.check_right(request, who, "Write")
            self._seen(request, who, message_id)
            element, form = self.world.altinn2.add_form(self.act(request, who), message_id, given)
            location = self._view(request, who).form_href(element, form)
            return self._made(int(self.world.switches.post_created_status), location)

    def get_form(self, request: Request, who: str, message_id: str, form_id: int) -> Response:
        """Show one form without its data."""
        element = self._element(request, who, message_id)
        return self.shown(request, self._view(request, who).form(element, self._form(element, form_id)))

    def put_form(self, request: Request, who: str, message_id: str, form_id: int) -> Response:
        """Replace one form's data."""
        with self._explained(request, who, message_id):
            given = read_form(self._body(request))
            self.check_right(request, who, "Write")
            self._seen(request, who, message_id)
            element, form = self.world.altinn2.replace_form(self.act(request, who), message_id, form_id, given)
            location = self._view(request, who).form_href(element, form)
            return self._made(204, location if self.world.switches.location_on_form_put else None)

    def delete_form(self, request: Request, who: str, message_id: str, form_id: int) -> Response:
        """Take a subform away."""
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            self.world.altinn2.remove_form(self.act(request, who), message_id, form_id)
        return plain(204, headers=self.headers())

    def get_form_data(self, request: Request, who: str, message_id: str, form_id: int) -> Response:
        """Give a form's XML: the same content as was put, not the same bytes."""
        form = self._form(self._element(request, who, message_id), form_id)
        data = washed(form.data) if self.world.switches.washed_formdata else form.data.encode()
        return plain(200, data, content_type="application/xml", headers=self.headers())

    def list_attachments(self, request: Request, who: str, message_id: str) -> Response:
        """Show an element's attachments without their bytes."""
        element = self._element(request, who, message_id)
        return self.shown(request, self._view(request, who).attachment_list(element))

    def post_attachment(self, request: Request, who: str, message_id: str) -> Response:
        """Add an attachment that comes in base64."""
        with self._explained(request, who, message_id):
            attachment = read_attachment(self._body(request))
            self.check_right(request, who, "Write")
            self._seen(request, who, message_id)
            return self._attached(request, who, message_id, attachment, streamed=False)

    def stream_attachment(self, request: Request, who: str, message_id: str) -> Response:
        """Add an attachment that comes as it is; it is written and hashed while it comes."""
        if media_type(request) not in _STREAMED:
            self.refuse(request, self._wrong_type())
        with self._explained(request, who, message_id):
            self.check_right(request, who, "Write")
            self._seen(request, who, message_id)
            attachment = self._streamed(request, who, message_id)
            return self._attached(request, who, message_id, attachment, streamed=True)

    def get_attachment(self, request: Request, who: str, message_id: str, attachment_id: int) -> Response:
        """Give an attachment's bytes, a piece at a time."""
        for attachment in self._element(request, who, message_id).attachments:
            if attachment.id == attachment_id:
                name = quote(attachment.file_name, safe="")
                headers = {
                    **self.headers(),
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(attachment.size),
                    "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                }
                return Response(pieces_of(attachment.content), status="200 OK", headers=headers)
        return self.failure(404)

    def delete_attachment(self, request: Request, who: str, message_id: str, attachment_id: int) -> Response:
        """Take an attachment away; form tasks only."""
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            self.world.altinn2.remove_attachment(self.act(request, who), message_id, attachment_id)
        return plain(204, headers=self.headers())

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

    def _explained(self, request: Request, who: str, message_id: str) -> "_Explained":
        return _Explained(lambda error: self._explanation(request, who, message_id, error), request)

    def _explanation(self, request: Request, who: str, message_id: str, error: BaseException) -> Response | None:
        """Say what Altinn 2 answers where *error* stands in the way, None where it is no answer."""
        switches = self.world.switches
        match error:
            case NoSuchElement():
                return self._not_found(request, who, error, message_id)
            case NoSuchPart():
                return self.failure(404)
            case NoSuchService():
                return self.failure(int(switches.unknown_service_status), "The service was not found")
            case NotAllowed():
                return self.failure(int(switches.wrong_state_status), str(error))
            case LevelTooLow():
                return self.failure(int(switches.level_too_low_status))
            case BadAttachment():
                return self.failure(int(switches.attachment_refused_status), str(error))
            case BadUpdate() | NotReadable():
                return self.failure(400, str(error))
            case WrongType():
                return self._wrong_type()
            case TooLarge():
                return self.failure(413, "Maximum request length exceeded")
            case Invalid():
                return self._invalid(error)
            case _:
                return None

    def _body(self, request: Request) -> Body:
        switches = self.world.switches
        return read_body(request, switches.message_limit_mb * megabytes(switches))

    def _wrong_type(self) -> Response:
        status = int(self.world.switches.wrong_type_status)
        return self.failure(status, "The content type of the request is not supported")

    def _streamed(self, request: Request, who: str, message_id: str) -> Attachment:
        switches = self.world.switches
        file_name, kind = request.args.get("fileName", ""), request.args.get("attachmentType", "")
        service = self.world.altinn2.taking_attachments(self.act(request, who), message_id).service
        fault = attachment_fault(
            service, file_name=file_name, attachment_type=kind, size=0, streamed=True, switches=switches
        )
        if fault is not None:
            raise BadAttachment(fault)
        limit, cap = size_limit(service, kind, streamed=True, switches=switches), switches.attachment_cap_mb
        writer, size = BlobWriter(), 0
        while piece := next_piece(request, size):
            size += len(piece)
            if size <= limit:
                writer.write(piece)
        if size > cap * megabytes(switches):
            raise TooLarge(f"{size} bytes")
        if size > limit:
            raise BadAttachment("The attachment is larger than the service allows")
        return Attachment(file_name=file_name, attachment_type=kind, content=writer.blob())

    def _attached(
        self, request: Request, who: str, message_id: str, attachment: Attachment, *, streamed: bool
    ) -> Response:
        act = self.act(request, who)
        element, number = self.world.altinn2.add_attachment(act, message_id, attachment, streamed=streamed)
        location = f"{self._view(request, who).element_href(element.id)}/attachments/{number}"
        return self._made(int(self.world.switches.post_created_status), location)

    def _made(self, status: int, location: str | None, reason: str | None = None) -> Response:
        headers = self.headers() if location is None else {**self.headers(), "Location": location}
        return plain(status, reason=reason, headers=headers)

    def _seen(self, request: Request, who: str, message_id: str) -> Element:
        """Give an element that this session may see at all."""
        element = self.world.altinn2.read(self.act(request, who).names, message_id)
        caller = self.caller(request)
        if caller.enterprise and not element.service.enterprise_users:
            raise NoSuchElement
        if caller.level < element.service.security_level:
            raise LevelTooLow
        return element

    def _element(self, request: Request, who: str, message_id: str) -> Element:
        with self._explained(request, who, message_id):
            element = self._seen(request, who, message_id)
            if element.state is State.DELETED and self.world.switches.deleted_element == "404":
                raise NoSuchElement
            return element

    def _form(self, element: Element, form_id: int) -> Form:
        found = next((form for form in element.forms if form.id == form_id), None)
        return found if found is not None else refuse(self.failure(404))

    def _check_service_level(self, request: Request, code: str, edition: str) -> None:
        service = self.world.altinn2.service(code, int(edition) if edition.isdecimal() else -1)
        if service is None:
            return
        if self.caller(request).level < service.security_level:
            raise LevelTooLow
        if self.caller(request).enterprise and not service.enterprise_users:
            raise NoSuchService

    def _printed(self, element: Element, forms: list[Form]) -> Response:
        if self.world.switches.print_type == "html":
            page = f"<!DOCTYPE html><html lang=nb><title>{element.id}</title><p>{len(forms)}</html>"
            return plain(200, page, content_type="application/text-html", headers=self.headers())
        # Ids only: what a form holds is nobody's business in a file that people pass on.
        lines = [f"Element {element.id}", *(f"Form {form.id}" for form in forms)]
        length, pieces = pdf(lines, self.world.switches.print_mb * 1_000_000)
        answer = plain(200, content_type="application/pdf", headers=self.headers())
        answer.response = pieces
        if self.world.switches.print_length == "told":
            answer.content_length = length
        else:
            del answer.headers["Content-Length"]
        return answer

    def _not_found(self, request: Request, who: str, error: NoSuchElement, message_id: str) -> Response:
        if error.archived_id is None:
            return self.failure(404)
        match self.world.switches.archived_aid:
            case "redirect":
                rest = request.path[request.path.lower().index(message_id) + len(message_id) :]
                target = self._view(request, who).element_href(error.archived_id) + rest
                return plain(302, headers={**self.headers(), "Location": target})
            case "410":
                return self.failure(410)
            case _:
                return self.failure(404)

    def _invalid(self, error: Invalid) -> Response:
        entries, status = finding_list(error.errors), int(self.world.switches.validation_status)
        match self.world.switches.validation_body:
            case "empty":
                return plain(status, reason=str(error), headers=self.headers())
            case "array":
                body: Any = entries
            case _:
                warnings = finding_list(error.warnings)
                body = {"Success": False, "ValidationErrors": entries, "ValidationWarnings": warnings}
        return as_json(
            status, body, content_type="application/hal+json; charset=utf-8", reason=str(error), headers=self.headers()
        )

    def _view(self, request: Request, who: str) -> View:
        return View(
            host=self.host,
            api=self.base,
            who=who,
            language=self.language(request, self.world.switches.default_language),
            switches=self.world.switches,
        )

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


class _Explained:
    """Turns what stands in the way inside it into the answer that Altinn 2 gives; the body is read to its end first."""

    def __init__(self, explanation: Callable[[BaseException], Response | None], request: Request) -> None:
        self._explanation, self._request = explanation, request

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer, or let pass what is no answer."""
        answer = None if error is None else self._explanation(error)
        if answer is not None:
            drain(self._request)
            refuse(answer)


def _row(shown: Mapping[str, Any], element: Element) -> dict[str, Any]:
    """Give what a filter sees: the texts as shown, times as Oslo's clock has them."""
    due = None if element.letter is None else element.letter.due
    times = {"CreatedDate": element.created, "LastChangedDateTime": element.changed, "DueDate": due}
    return {
        **{name: shown.get(name) for name in _LISTED},
        **{name: None if moment is None else datetime.fromisoformat(_padded(moment)) for name, moment in times.items()},
    }


def _padded(moment: datetime) -> str:
    whole, _, fraction = local(moment).partition(".")
    return f"{whole}.{fraction:0<3}"
