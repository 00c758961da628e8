"""``/{org}/{app}/v1/data``: stateless apps behind the bridge, at the paths that they have themselves."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import structlog
from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from bridge.adapters.apps.calls import AppAnswer, AppCall, Readable
from bridge.adapters.dialogporten.tokens import authorize, verify
from bridge.core.calculations import AppRoute, Meaning, TokenUse, meaning, party_header
from bridge.core.mapping import FormFormat
from bridge.core.problems import Refusal
from bridge.forms.conversion.media import JSON
from bridge.parts import Bridge
from bridge.rooms import Load
from bridge.steps.forms.form_passage import Converters, Passage
from bridge.steps.forms.proxy import (
    AppRequest,
    Looked,
    answer_back,
    answered,
    is_looked_at,
    look,
    tell_apart,
    whole_answer,
)
from bridge.storage.ticket_locks import StoredTicketLock
from bridge.web.problems import language
from bridge.web.proxy.headers import passed_on, phrase, returned
from bridge.web.proxy.report import report
from bridge.web.proxy.ticket_locks import TicketLock
from bridge.web.request_io import CHUNK, bearer_token, body_reader, has_body, read_body

proxy = Blueprint("proxy", __name__)
log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")

IN_MEMORY = 256 * 1024
"""A body up to here is read before it is sent on, so that it can be sent again; a longer one streams."""

_METHODS = ["GET", "POST", "PUT"]
_REPORT = "bridge-report"


@proxy.record_once
def _prepare(state: BlueprintSetupState) -> None:
    bridge: Bridge = state.app.extensions["bridge"]
    state.app.extensions["bridge.converters"] = Converters(bridge.schemas)
    # An embedded store serves one process, whose own line is enough.
    several = bridge.store.engine.dialect.name != "sqlite"
    shared = StoredTicketLock(bridge.store, clock=bridge.clock) if several else None
    state.app.extensions["bridge.turns"] = TicketLock(shared=shared)


@proxy.route("/<org>/<app>/v1/data", methods=_METHODS, defaults={"anonymous": False})
@proxy.route("/<org>/<app>/v1/data/anonymous", methods=_METHODS, defaults={"anonymous": True})
def pass_on(org: str, app: str, anonymous: bool) -> ResponseReturnValue:
    """Create or calculate a form in an app that the route files name; whatever it says is passed on as it is."""
    bridge: Bridge = current_app.extensions["bridge"]
    with bridge.rooms.bodies.load() as load:
        return _passed_on(bridge, _app_request(bridge, org, app, anonymous=anonymous, load=load))


def _passed_on(bridge: Bridge, wanted: AppRequest) -> Response:
    body, length = _body(bridge, wanted)
    looked = look(_converters(), wanted, body)
    answer = answered(bridge, wanted, _call(wanted, looked.passage, body, length=length), turn=_turn(bridge, wanted))
    bridge.metrics.calculations.labels(wanted.route.name, wanted.meant.value, f"{answer.status // 100}xx").inc()
    try:
        tell_apart(wanted, answer)
        if wanted.reports:
            response = _reported(bridge, wanted, looked, answer=answer)
        else:
            response = _response(bridge, wanted, answer, passage=looked.passage)
    except BaseException:
        answer.close()
        raise
    response.call_on_close(answer.close)
    if looked.findings is not None and not wanted.reports:
        response.headers["Bridge-Findings"] = str(len(looked.findings))
    return response


def _app_request(bridge: Bridge, org: str, app: str, *, anonymous: bool, load: Load) -> AppRequest:
    """The call that the request asks for, if the caller may make it. Raises Refusal 400, 401, 403 and 404."""
    route = bridge.routes.get((org, app))
    if route is None or (anonymous and not route.anonymous):
        raise Refusal("not_found", 404)
    brings = has_body(request)
    if brings and request.method == "GET":
        # An empty form is asked for so, and the one that was sent would be passed over.
        raise Refusal("body_not_expected", 400)
    kind = _data_type()
    return AppRequest(
        route=route,
        kind=kind,
        data_type=route.data_type(kind),
        # Who says of what kind the form is, means to send one: that it is empty is for the app to say.
        meant=meaning(request.method, has_body=brings or "Content-Type" in request.headers),
        anonymous=anonymous,
        party=_party(bridge, route),
        reports=_wants_report(),
        load=load,
        content_type=request.headers.get("Content-Type", ""),
        accept=request.headers.get("Accept", ""),
    )


def _party(bridge: Bridge, route: AppRoute) -> str | None:
    match route.token:
        case TokenUse.CALLER:
            return None
        case TokenUse.BRIDGE:
            key = bridge.settings.proxy_key
            given = bearer_token(request)
            # Wiring sees to it that there is a key.
            if key is None or given is None:
                raise Refusal("proxy_key_missing", 401)
            if not hmac.compare_digest(given.encode(), key.reveal().encode()):
                raise Refusal("proxy_key_wrong", 401)
            return None
        case TokenUse.DIALOG:
            return _dialog_party(bridge, route)


def _dialog_party(bridge: Bridge, route: AppRoute) -> str:
    """Hold the dialog token against the route, and write its party as apps know it."""
    binding = route.dialog
    if binding is None:
        raise Refusal("not_found", 404)
    caller = verify(
        bearer_token(request),
        bridge.keys,
        issuer=bridge.settings.dialogporten_issuer,
        now=bridge.clock(),
        clock_skew=bridge.settings.clock_skew,
    )
    authorize(
        caller,
        dialog_id=caller.dialog_id,
        service_resource=binding.service_resource,
        party=caller.party,
        requirement=binding.requires,
        minimum_level=binding.minimum_level,
    )
    party = party_header(caller.party)
    if party is None:
        raise Refusal("party_unfit", 403)
    return party


def _data_type() -> str:
    """The one ``dataType``, in any case as apps read it. Raises Refusal 400 where there are several."""
    given = [value for key, values in request.args.lists() if key.lower() == "datatype" for value in values]
    if len(given) > 1:
        # What it is held against here might not be what the app takes it for.
        raise Refusal("parameter_refused", 400, facts={"parameter": "dataType"})
    return given[0] if given else ""


def _wants_report() -> bool:
    given = request.args.getlist(_REPORT)
    if len(given) > 1 or any(each not in ("true", "false") for each in given):
        raise Refusal("parameter_refused", 400, facts={"parameter": _REPORT})
    if "true" in given:
        return True
    return any(
        each.partition(";")[0].strip().lower() == _REPORT for each in request.headers.get("Prefer", "").split(",")
    )


# The body


class _Counted:
    """A request's body, read while it is sent on, and never beyond its limit."""

    def __init__(self, start: bytes, read: Callable[[int], bytes], limit: int) -> None:
        self._start, self._read, self._left, self._limit = start, read, limit - len(start), limit

    def read(self, size: int, /) -> bytes:
        """The next piece. Raises Refusal 413, and 400 where it ends before its end."""
        if self._start:
            piece, self._start = self._start[:size], self._start[size:]
            return piece
        piece = self._read(min(size, CHUNK))
        self._left -= len(piece)
        if self._left < 0:
            raise _too_large(self._limit)
        return piece


def _too_large(limit: int) -> Refusal:
    return Refusal("body_too_large", 413, facts={"limit": str(limit)})


def _body(bridge: Bridge, wanted: AppRequest) -> tuple[bytes | Readable, int | None]:
    """Take the body, whole where it is short or has to be looked at. Raises Refusal 413."""
    if wanted.meant is Meaning.CREATE:
        return b"", 0
    limit = bridge.settings.max_body
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    if is_looked_at(wanted):
        body = read_body(request, limit=limit, load=wanted.load) or b""
        return body, len(body)
    length, read = request.content_length, body_reader(request)
    start = bytearray()
    while len(start) <= IN_MEMORY:
        piece = read(CHUNK)
        if not piece:
            return bytes(start), len(start)
        start += piece
    return _Counted(bytes(start), read, limit), length


def _converters() -> Converters:
    converters: Converters = current_app.extensions["bridge.converters"]
    return converters


# The call


def _call(wanted: AppRequest, passage: Passage | None, body: bytes | Readable, *, length: int | None) -> AppCall:
    if passage is not None:
        body, length = passage.body, len(passage.body)
    return AppCall(
        meaning=wanted.meant,
        anonymous=wanted.anonymous,
        query=_query(),
        headers=_headers(wanted, passage),
        body=body,
        length=length,
        uses_bridge_token=wanted.own,
        repeatable=wanted.data_type.repeatable,
    )


def _turn(bridge: Bridge, wanted: AppRequest) -> AbstractContextManager[None]:
    turns: TicketLock = current_app.extensions["bridge.turns"]
    key = _turn_key(wanted)
    seconds = wanted.route.timeout or bridge.settings.upstream_timeout
    return nullcontext() if key is None else turns.turn(key, seconds=seconds)


def _query() -> str:
    """The query as it came, byte for byte, without what is for the bridge."""
    query: str = request.environ.get("QUERY_STRING", "")
    if _REPORT not in query:
        return query
    return "&".join(part for part in query.split("&") if part.partition("=")[0] != _REPORT)


def _headers(wanted: AppRequest, passage: Passage | None) -> list[tuple[str, str]]:
    """What goes on: all but what belongs to this connection; beside the bridge's own token only what is known."""
    besides = set()
    if wanted.party is not None:
        besides.add("party")
    if wanted.meant is Meaning.CREATE:
        besides.add("content-type")
    if passage is not None:
        # What may have to be read here must not come packed.
        besides.add("accept-encoding")
        if passage.accept:
            besides |= {"accept", "content-type"}
        if passage.content_type != wanted.content_type:
            besides.add("content-type")
    headers = passed_on(request.headers.items(), own=wanted.own, besides=besides)
    if wanted.party is not None:
        headers.append(("party", wanted.party))
    if passage is None:
        return headers
    if passage.accept:
        headers.append(("Accept", passage.accept))
    if "content-type" in besides and passage.content_type and wanted.meant is Meaning.CALCULATE:
        headers.append(("Content-Type", passage.content_type))
    return [*headers, ("Accept-Encoding", "identity")]


def _turn_key(wanted: AppRequest) -> tuple[str, str, bytes] | None:
    """Name whose calculations wait for each other; anonymous callers cannot be told apart."""
    if not wanted.data_type.one_at_a_time or wanted.meant is Meaning.CREATE or wanted.anonymous:
        return None
    who = "\n".join(
        (
            request.headers.get("Authorization", ""),
            request.cookies.get("AltinnStudioRuntime", ""),
            wanted.party or request.headers.get("party", ""),
        )
    )
    return wanted.route.name, wanted.kind, hashlib.sha256(who.encode()).digest()


# The answer


def _response(bridge: Bridge, wanted: AppRequest, answer: AppAnswer, *, passage: Passage | None) -> Response:
    """Pass the answer on; where the client speaks the other language, its form in that."""
    headers = list(returned(answer.headers, app=wanted.route.name, own=wanted.own))
    start, rest = answer.start, answer.rest
    if passage is not None and answer.status == 200 and wanted.data_type.speaks is not FormFormat.BOTH:
        whole = whole_answer(bridge, wanted, answer)
        start, rest = whole, None
        turned = answer_back(_converters(), wanted, answer, whole=whole, passage=passage)
        if turned is not None:
            content_type, start = turned
            headers = [
                (name, value) for name, value in headers if name.lower() not in ("content-type", "content-length")
            ]
            headers.append(("Content-Type", content_type))
    status = f"{answer.status} {phrase(answer.reason)}"
    if rest is None:
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        response = Response(start, status=status)
    else:
        response = Response(_streamed(start, rest), status=status)
    response.headers.clear()
    response.headers.extend(headers)
    if rest is None and answer.status not in (204, 304):
        response.headers["Content-Length"] = str(len(start))
    return response


def _streamed(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from rest


def _reported(bridge: Bridge, wanted: AppRequest, looked: Looked, *, answer: AppAnswer) -> Response:
    """Answer with the document on the calculation, in place of the form."""
    whole = whole_answer(bridge, wanted, answer)
    content_type, document = report(
        wanted.route,
        wanted.data_type,
        converters=_converters(),
        sent=(wanted.content_type, looked.form if isinstance(looked.form, bytes) else b""),
        answered=(answer.status, answer.header("Content-Type"), whole),
        findings=looked.findings,
        language=language(),
        html=request.accept_mimetypes.best_match([JSON, "text/html"]) == "text/html",
    )
    # Who asks without a right, or with a form that the app does not take, is told so by the status, too.
    response = Response(document, status=max(200, answer.status), content_type=content_type)
    response.headers["Preference-Applied"] = _REPORT
    return response
