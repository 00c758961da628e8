"""``/embeds``: what a dialog shows in its middle; and ``/prints``, links that open a print once."""

import re
from collections.abc import Iterable
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from bridge.adapters.dialogporten.tokens import authorize
from bridge.core.altinn_dates import OSLO
from bridge.core.errors import UpstreamError
from bridge.core.mapping import Embed
from bridge.core.operations import Link
from bridge.core.prints import PDF, Print
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.dialog.embeds import EmbedRequest, give_back, markdown_of, print_link, use_print_link
from bridge.steps.drivers.registry import views_of
from bridge.steps.operation.submit import link_for
from bridge.web.callers import READ, caller_of, looked_at
from bridge.web.problems import language

embeds = Blueprint("embeds", __name__)

MARKDOWN = "text/markdown; charset=utf-8"
_ZONE = re.compile(r"""(?:^|[,;])\s*timezone\s*=\s*"?([A-Za-z0-9_+/-]{1,64})"?\s*(?=$|[,;])""")


@embeds.get("/embeds/<uuid:dialog_id>/<embed>")
def show(dialog_id: UUID, embed: str) -> ResponseReturnValue:
    """An embed as Markdown, for whoever may read the dialog; 204 while there is nothing to show."""
    bridge: Bridge = current_app.extensions["bridge"]
    caller = caller_of(bridge)
    if caller.dialog_id != dialog_id:
        raise Refusal("other_dialog", 403)
    mapping = bridge.mappings.get(caller.service_resource)
    wanted = next((each for each in Embed if each.value == embed), Embed.NONE)
    if mapping is None or mapping.embeds is None or wanted is Embed.NONE:
        raise Refusal("unknown_embed", 404)
    authorize(
        caller,
        dialog_id=dialog_id,
        service_resource=mapping.service_resource,
        party=caller.party,
        requirement=READ,
        minimum_level=mapping.embeds.minimum_level,
    )
    chosen, (zone, preferred) = language(), preferred_zone(request.headers.getlist("Prefer"))
    link = link_for(bridge, caller)
    views = views_of(link.required_case)
    embed_request = EmbedRequest(mapping=mapping, link=link, views=views, language=chosen, zone=zone)
    text = markdown_of(bridge, embed_request, wanted)
    answer = Response(status=204) if text is None else Response(text, content_type=MARKDOWN)
    answer.headers["Content-Language"] = chosen
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.vary.update(("Authorization", "Accept-Language", "Prefer"))
    if preferred is not None:
        answer.headers["Preference-Applied"] = f'timezone="{preferred}"'
    return answer


@embeds.post("/actions/<uuid:dialog_id>/<name>/print")
def make_link(dialog_id: UUID, name: str) -> ResponseReturnValue:
    """Make a link that opens the print in a browser, once and for a short time, without a token."""
    bridge: Bridge = current_app.extensions["bridge"]
    link = looked_at(bridge, dialog_id, name=name)
    address, until = print_link(bridge, link.dialog_id, language=language())
    answer = Response(
        orjson.dumps({"url": address, "expiresAt": until.isoformat()}), status=201, content_type="application/json"
    )
    answer.headers["Location"] = address
    return answer


@embeds.get("/prints/<secret>")
def open_print(secret: str) -> ResponseReturnValue:
    """Use a link up, unless it gives nothing, for the print that it is for, as a download."""
    bridge: Bridge = current_app.extensions["bridge"]
    used, link = use_print_link(bridge, secret)
    chunks = request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0"
    try:
        found = views_of(link.required_case).print(bridge, link, language=used.language, chunks=chunks)
    except (Refusal, UpstreamError):
        give_back(bridge, used)
        raise
    return download(found, link)


def download(found: Print, link: Link) -> Response:
    """A print as a file that no page of ours shows."""
    kind = "pdf" if found.media_type == PDF else "html"
    name = link.archive_reference or "print"
    response = Response(found.pieces, content_type=PDF if kind == "pdf" else "text/html")
    response.call_on_close(found.pieces.close)
    if found.length is not None:
        response.content_length = found.length
    response.headers["Content-Disposition"] = f"attachment; filename={name}.{kind}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def preferred_zone(prefer: Iterable[str]) -> tuple[ZoneInfo, str | None]:
    """The zone to tell times in, by ``Prefer: timezone="…"``, and its name where one that is known was asked for."""
    found = _ZONE.search(", ".join(prefer))
    if found is not None:
        try:
            return ZoneInfo(found[1]), found[1]
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # A preference that cannot be met is passed over (RFC 7240).
    return OSLO, None
