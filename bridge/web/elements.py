"""Below an action: what its element holds and says, for whoever may read its dialog, and of no other element."""

from uuid import UUID

import orjson
from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from bridge.core.prints import PDF
from bridge.parts import Bridge
from bridge.steps.drivers.registry import views_of
from bridge.web.callers import looked_at
from bridge.web.problems import language

elements = Blueprint("elements", __name__)


@elements.get("/actions/<uuid:dialog_id>/<name>/forms")
def show_forms(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """List the element's forms: the ids by which a message may change or remove them, and no data."""
    bridge: Bridge = current_app.extensions["bridge"]
    link = looked_at(bridge, dialog_id, name=name)
    forms = [
        {
            "FormId": form.form_id,
            "Type": form.kind.value,
            "DataFormatId": form.data_format_id,
            "DataFormatVersion": form.data_format_version,
        }
        for form in views_of(link.required_case).listed_forms(bridge, link)
    ]
    return Response(orjson.dumps({"forms": forms}), content_type="application/json")


@elements.get("/actions/<uuid:dialog_id>/<name>/print")
def show_print(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """
    The element's print as Altinn 2 makes it, or the archived copy's, while it comes.

    One that breaks off breaks off here, too: shorter than its length, or without a last chunk.
    """
    bridge: Bridge = current_app.extensions["bridge"]
    chunks = request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0"
    link = looked_at(bridge, dialog_id, name=name)
    views = views_of(link.required_case)
    bridge.rooms.looking.enter()
    try:
        found = views.print(bridge, link, language=language(), chunks=chunks)
    except BaseException:
        bridge.rooms.looking.leave()
        raise
    response = Response(found.pieces, content_type=PDF if found.media_type == PDF else "text/html")
    response.call_on_close(found.pieces.close)
    response.call_on_close(bridge.rooms.looking.leave)
    if found.length is not None:
        response.content_length = found.length
    # What Altinn 2 gives for some services is a page: it runs nothing and reaches nothing from our address.
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = "inline" if found.media_type == PDF else "attachment; filename=print.html"
    return response


@elements.get("/actions/<uuid:dialog_id>/<name>/signingtext")
def show_signing_text(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """The text that who signs must have seen, as plain text."""
    bridge: Bridge = current_app.extensions["bridge"]
    chosen = language()
    link = looked_at(bridge, dialog_id, name=name)
    text = views_of(link.required_case).signing_text(bridge, link, language=chosen)
    response = Response(text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Language"] = chosen
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
