"""``/actions/{dialogId}/{action}/attachments``: one attachment at a time, as it comes or as base64."""

from urllib.parse import unquote_to_bytes
from uuid import UUID

import orjson
from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from bridge.core.errors import Refusal
from bridge.core.operations import Upload
from bridge.parts import Bridge
from bridge.steps.attach import Offer, attach, upload_for
from bridge.steps.submit import action_for, link_for
from bridge.web.base64_json import Scanner
from bridge.web.callers import READ, caller_of, permitted
from bridge.web.reading import body_reader

attachments = Blueprint("attachments", __name__)

OCTETS = "application/octet-stream"
JSON = ("application/json", "application/hal+json")
LANGUAGES = ("", "1044", "1033", "2068")


@attachments.post("/actions/<uuid:dialog_id>/<name>/attachments")
def add(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """Attach what is sent to the element; 201 with ``Location``, also where it was there already."""
    bridge: Bridge = current_app.extensions["bridge"]
    caller = caller_of(bridge)
    action = permitted(bridge, caller, dialog_id, name)
    mapping, _ = action_for(bridge, caller, name)
    link = link_for(bridge, caller)
    attached = attach(bridge, mapping=mapping, action=action, link=link, offer=_offer())
    answer = _shown(attached.upload, status=201)
    answer.headers["Location"] = f"/actions/{dialog_id}/{name}/attachments/{attached.upload.id}"
    bridge.metrics.write_actions.labels(link.service_resource, f"{name}/attachments", "201").inc()
    return answer


@attachments.get("/actions/<uuid:dialog_id>/<name>/attachments/<uuid:upload_id>")
def show(dialog_id: UUID, name: str, upload_id: UUID) -> ResponseReturnValue:
    """Tell what was attached: its length and digest, and its id in Altinn 2 at that time."""
    bridge: Bridge = current_app.extensions["bridge"]
    caller = caller_of(bridge)
    permitted(bridge, caller, dialog_id, name, requires=READ)
    return _shown(upload_for(bridge, link_for(bridge, caller), upload_id), status=200)


def _offer() -> Offer:
    """Read what is said of the attachment. Raises Refusal 400 and 415."""
    if request.args.get("language", "") not in LANGUAGES:
        raise Refusal("bad_request", 400)
    _check_encoding(request.query_string)
    if request.mimetype == OCTETS:
        return Offer(
            file_name=_one(request.args, "fileName"),
            attachment_type=_one(request.args, "attachmentType"),
            length=request.content_length,
            read=body_reader(request),
        )
    if request.mimetype not in JSON:
        raise Refusal("attachment_media_type", 415)
    scanner = Scanner(body_reader(request))
    members = scanner.until_data()
    return Offer(
        file_name=members.get("FileName") or request.args.get("fileName", ""),
        attachment_type=members.get("AttachmentType") or request.args.get("attachmentType", ""),
        length=None,
        read=scanner.data,
        base64=True,
    )


def _check_encoding(query: bytes) -> None:
    """Refuse what is not UTF-8: Werkzeug leaves it as it was written, and ``bl%E5b%E6r.pdf`` would be the name."""
    try:
        unquote_to_bytes(query).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("attachment_name", 422, facts={"rule": "characters"}) from None


def _one(arguments: MultiDict[str, str], name: str) -> str:
    given = arguments.getlist(name)
    if len(given) > 1:
        raise Refusal("bad_request", 400)
    return given[0] if given else ""


def _shown(upload: Upload, *, status: int) -> Response:
    told = {
        "id": str(upload.id),
        "attachmentId": upload.attachment_id,
        "length": upload.length,
        "sha256": upload.sha256,
    }
    return Response(orjson.dumps(told), status=status, content_type="application/json")
