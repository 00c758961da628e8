"""Parts of elements: forms and attachments, one at a time (facts/altinn2.md 2.9, 3)."""

from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.answers import Answers
from bridge.sandbox.altinn2.blobs import BlobWriter, pieces_of
from bridge.sandbox.altinn2.body import (
    next_piece,
    read_attachment,
    read_form,
)
from bridge.sandbox.altinn2.model import (
    Attachment,
    BadAttachment,
)
from bridge.sandbox.altinn2.rules import attachment_fault, megabytes, size_limit, washed
from bridge.sandbox.core.http_system import TooLarge, media_type, plain

_STREAMED = ("application/octet-stream", "application/hal+json")


class Parts(Answers):
    """Forms and attachments: listed, shown, added, replaced, removed."""

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

    def get_form(self, request: Request, who: str, message_id: str, *, form_id: int) -> Response:
        """Show one form without its data."""
        element = self._element(request, who, message_id)
        return self.shown(request, self._view(request, who).form(element, self._form(element, form_id)))

    def put_form(self, request: Request, who: str, message_id: str, *, form_id: int) -> Response:
        """Replace one form's data."""
        with self._explained(request, who, message_id):
            given = read_form(self._body(request))
            self.check_right(request, who, "Write")
            self._seen(request, who, message_id)
            element, form = self.world.altinn2.replace_form(self.act(request, who), message_id, form_id, given=given)
            location = self._view(request, who).form_href(element, form)
            return self._made(204, location if self.world.switches.location_on_form_put else None)

    def delete_form(self, request: Request, who: str, message_id: str, *, form_id: int) -> Response:
        """Take a subform away."""
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            self.world.altinn2.remove_form(self.act(request, who), message_id, form_id)
        return plain(204, headers=self.headers())

    def get_form_data(self, request: Request, who: str, message_id: str, *, form_id: int) -> Response:
        """A form's XML: the same content as was put, not the same bytes."""
        form = self._form(self._element(request, who, message_id), form_id)
        data = washed(form.data) if self.world.switches.washed_formdata else form.data.encode()
        return plain(200, data, content_type="application/xml", headers=self.headers())

    def print_form(self, request: Request, who: str, message_id: str, *, form_id: int) -> Response:
        """One form as PDF."""
        element = self._element(request, who, message_id)
        return self._printed(element, [self._form(element, form_id)])

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
            return self._attached(request, who, message_id, attachment=attachment, streamed=False)

    def stream_attachment(self, request: Request, who: str, message_id: str) -> Response:
        """Add an attachment that comes as it is; it is written and hashed while it comes."""
        if media_type(request) not in _STREAMED:
            self.refuse(request, self._wrong_type())
        with self._explained(request, who, message_id):
            self.check_right(request, who, "Write")
            self._seen(request, who, message_id)
            attachment = self._streamed(request, who, message_id)
            return self._attached(request, who, message_id, attachment=attachment, streamed=True)

    def get_attachment(self, request: Request, who: str, message_id: str, *, attachment_id: int) -> Response:
        """An attachment's bytes, a piece at a time."""
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

    def delete_attachment(self, request: Request, who: str, message_id: str, *, attachment_id: int) -> Response:
        """Take an attachment away; form tasks only."""
        with self._explained(request, who, message_id):
            self._seen(request, who, message_id)
            self.world.altinn2.remove_attachment(self.act(request, who), message_id, attachment_id)
        return plain(204, headers=self.headers())

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
        self, request: Request, who: str, message_id: str, *, attachment: Attachment, streamed: bool
    ) -> Response:
        act = self.act(request, who)
        element, number = self.world.altinn2.add_attachment(act, message_id, attachment, streamed=streamed)
        location = f"{self._view(request, who).element_href(element.id)}/attachments/{number}"
        return self._made(int(self.world.switches.post_created_status), location)
