"""``/actions/{dialogId}/{action}/attachments``: listed, added, replaced and removed one at a time."""

from urllib.parse import unquote_to_bytes
from uuid import UUID

import orjson
from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from bridge.core.attachment_rules import check_type
from bridge.core.attachments import AttachmentId, ListedAttachment, Offer
from bridge.core.elements import Attachment
from bridge.core.operations import Upload
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.drivers.registry import uploads_of, views_of
from bridge.steps.operation.submit import action_for, link_for
from bridge.steps.uploads import upload_for
from bridge.web.base64_json import Scanner
from bridge.web.callers import caller_of, looked_at, permitted
from bridge.web.problems import LCIDS
from bridge.web.request_io import body_reader, check_charset, has_body

attachments = Blueprint("attachments", __name__)

OCTETS = "application/octet-stream"
JSON = ("application/json", "application/hal+json")


@attachments.get("/actions/<uuid:dialog_id>/<name>/attachments")
def show_all(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """List what the element holds, and which of it came by this way; no bytes."""
    bridge: Bridge = current_app.extensions["bridge"]
    link = looked_at(bridge, dialog_id, name=name)
    with bridge.rooms.looking.place():
        listed = views_of(link.required_case).listed_attachments(bridge, link)
    return Response(orjson.dumps({"attachments": list(map(_listed, listed))}), content_type="application/json")


@attachments.post("/actions/<uuid:dialog_id>/<name>/attachments")
def add(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """Attach what is sent to the element; 201 with ``Location``, also where it was there already."""
    return _brought(dialog_id, name, None)


@attachments.put("/actions/<uuid:dialog_id>/<name>/attachments/<uuid:attachment_id>")
@attachments.put("/actions/<uuid:dialog_id>/<name>/attachments/<int:attachment_id>")
def put(dialog_id: UUID, name: str, attachment_id: AttachmentId) -> ResponseReturnValue:
    """Put what is sent in the place of an attachment, under its name where no other is said."""
    return _brought(dialog_id, name, attachment_id)


@attachments.delete("/actions/<uuid:dialog_id>/<name>/attachments/<uuid:attachment_id>")
@attachments.delete("/actions/<uuid:dialog_id>/<name>/attachments/<int:attachment_id>")
def remove(dialog_id: UUID, name: str, attachment_id: AttachmentId) -> ResponseReturnValue:
    """Take an attachment away; one that was taken away already is a success."""
    bridge: Bridge = current_app.extensions["bridge"]
    caller = caller_of(bridge)
    action = permitted(bridge, caller, dialog_id, name=name)
    mapping, _ = action_for(bridge, caller, name)
    link = link_for(bridge, caller)
    uploads = uploads_of(link.required_case)
    with bridge.rooms.uploads.place():
        uploads.detach(bridge, mapping=mapping, action=action, link=link, target=attachment_id)
    bridge.metrics.write_actions.labels(link.service_resource, f"{name}/attachments", "204").inc()
    return Response(status=204)


@attachments.get("/actions/<uuid:dialog_id>/<name>/attachments/<uuid:attachment_id>")
def show(dialog_id: UUID, name: str, attachment_id: UUID) -> ResponseReturnValue:
    """Tell what was attached: its length and digest, and its id in Altinn 2 at that time."""
    bridge: Bridge = current_app.extensions["bridge"]
    return _shown(upload_for(bridge, looked_at(bridge, dialog_id, name=name), attachment_id), status=200)


def _brought(dialog_id: UUID, name: str, target: AttachmentId | None) -> Response:
    bridge: Bridge = current_app.extensions["bridge"]
    caller = caller_of(bridge)
    action = permitted(bridge, caller, dialog_id, name=name)
    mapping, _ = action_for(bridge, caller, name)
    link = link_for(bridge, caller)
    uploads = uploads_of(link.required_case)
    before = None if target is None else uploads.find(bridge, link, target)
    if before is not None:
        # What goes is of a type that the action may handle, too.
        check_type(action, before.attachment_type)
    offer = _offer(before)
    with bridge.rooms.uploads.place():
        attached = uploads.attach(bridge, mapping=mapping, action=action, link=link, offer=offer, target=target)
    status = 201 if target is None else 200
    answer = _shown(attached.upload, status=status)
    place = "Location" if target is None else "Content-Location"
    answer.headers[place] = f"/actions/{dialog_id}/{name}/attachments/{attached.upload.id}"
    bridge.metrics.write_actions.labels(link.service_resource, f"{name}/attachments", str(status)).inc()
    return answer


def _offer(before: Upload | Attachment | None) -> Offer:
    """The attachment as the request tells it; what is left out is as *before*. Raises Refusal 400 and 415."""
    language = request.args.get("language")
    if language is not None and language not in LCIDS:
        raise _refused("language")
    _check_encoding(request.query_string)
    name, kind = request.args.get("fileName"), request.args.get("attachmentType")
    last_name, last_kind = ("", "") if before is None else (before.file_name, before.attachment_type)
    if request.mimetype == OCTETS:
        return Offer(
            file_name=_said(name, last_name),
            attachment_type=_said(kind, last_kind),
            # Without a word about its length a request has no body (RFC 9112, 6.3).
            length=request.content_length if has_body(request) else 0,
            read=body_reader(request),
        )
    if request.mimetype not in JSON:
        raise Refusal("attachment_media_type", 415)
    check_charset(request)
    scanner = Scanner(body_reader(request))
    head = scanner.until_data()
    for parameter, given, inside in (
        ("fileName", name, head.has("file_name")),
        ("attachmentType", kind, head.has("attachment_type")),
    ):
        if given is not None and inside:
            raise _refused(parameter)
    return Offer(
        file_name=_said(head.file_name if head.has("file_name") else name, last_name),
        attachment_type=_said(head.attachment_type if head.has("attachment_type") else kind, last_kind),
        length=None,
        read=scanner.data,
        base64=True,
    )


def _said(given: str | None, last: str) -> str:
    return last if given is None else given


def _refused(parameter: str) -> Refusal:
    return Refusal("parameter_refused", 400, facts={"parameter": parameter})


def _check_encoding(query: bytes) -> None:
    """Refuse what is not UTF-8: Werkzeug leaves it as it was written, and ``bl%E5b%E6r.pdf`` would be the name."""
    try:
        unquote_to_bytes(query).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("attachment_name", 422, facts={"rule": "characters"}) from None


def _shown(upload: Upload, *, status: int) -> Response:
    document = {
        "id": str(upload.id),
        "attachmentId": upload.attachment_id,
        "fileName": upload.file_name,
        "attachmentType": upload.attachment_type,
        "length": upload.length,
        "sha256": upload.sha256,
    }
    return Response(orjson.dumps(document), status=status, content_type="application/json")


def _listed(listed: ListedAttachment) -> dict[str, object]:
    upload, attachment = listed.upload, listed.attachment
    return {
        "id": None if upload is None else str(upload.id),
        "attachmentId": attachment.attachment_id,
        "fileName": attachment.file_name,
        "attachmentType": attachment.attachment_type,
        "length": attachment.size,
        "uploaded": upload is not None and not upload.found,
    }
