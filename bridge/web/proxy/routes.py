"""``/{org}/{app}/v1/data``: stateless apps behind the bridge, at the paths that they have themselves."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace

import structlog
from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from bridge.adapters.apps.calls import AppAnswer, AppCall, Readable, system_of
from bridge.adapters.apps.errors import no_http, timed_out
from bridge.adapters.dialogporten.tokens import authorize, verify
from bridge.core.app_answers import Next, problem_of, row_for
from bridge.core.calculations import AppRoute, DataTypeRoute, Meaning, TokenUse, meaning, party_header
from bridge.core.errors import CredentialsRefused, Finding, Unreachable, UpstreamError, errors_of
from bridge.core.mapping import FormFormat, Validation
from bridge.core.problems import Refusal
from bridge.forms.conversion.converter import Unconvertible
from bridge.forms.conversion.media import JSON, XML
from bridge.forms.xml.input import Unreadable
from bridge.parts import Bridge
from bridge.rooms import Load
from bridge.storage.ticket_locks import LockTimeout, StoredTicketLock
from bridge.web.problems import language
from bridge.web.proxy.form_passage import Passage, Shapes, kind_sent
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
_MEDIA_TYPES: Mapping[FormFormat | None, str] = {FormFormat.XML: XML, FormFormat.JSON: JSON}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Asked:
    """What a request asks of an app."""

    route: AppRoute
    data_type: DataTypeRoute
    meant: Meaning
    anonymous: bool
    party: str | None
    """The dialog's party, in place of what the caller says."""
    reports: bool
    load: Load

    @property
    def own(self) -> bool:
        """Whether the bridge's own token goes with it."""
        return self.route.token is not TokenUse.CALLER


@proxy.record_once
def _prepare(state: BlueprintSetupState) -> None:
    bridge: Bridge = state.app.extensions["bridge"]
    state.app.extensions["bridge.shapes"] = Shapes(bridge.schemas)
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
        return _passed_on(bridge, _asked(bridge, org, app, anonymous=anonymous, load=load))


def _passed_on(bridge: Bridge, asked: _Asked) -> Response:
    body, length = _body(bridge, asked)
    form, misread = _written_out(asked, body)
    findings = _findings(asked, form, misread=misread)
    passage = _passage(asked, body, form, checked=findings is not None)
    answer = _answered(bridge, asked, passage, body, length)
    bridge.metrics.calculations.labels(asked.route.name, asked.meant.value, f"{answer.status // 100}xx").inc()
    try:
        _tell_apart(asked, answer)
        if asked.reports:
            response = _reported(bridge, asked, form, findings, answer)
        else:
            response = _response(bridge, asked, answer, passage)
    except BaseException:
        answer.close()
        raise
    response.call_on_close(answer.close)
    if findings is not None and not asked.reports:
        response.headers["Bridge-Findings"] = str(len(findings))
    return response


def _asked(bridge: Bridge, org: str, app: str, *, anonymous: bool, load: Load) -> _Asked:
    """Find the route and see whether the caller may take it. Raises Refusal 401, 403 and 404."""
    route = bridge.routes.get((org, app))
    if route is None or (anonymous and not route.anonymous):
        raise Refusal("not_found", 404)
    brings = has_body(request)
    if brings and request.method == "GET":
        # An empty form is asked for so, and the one that was sent would be passed over.
        raise Refusal("body_not_expected", 400)
    return _Asked(
        route=route,
        data_type=route.data_type(_data_type()),
        # Who says of what kind the form is, means to send one: that it is empty is for the app to say.
        meant=meaning(request.method, has_body=brings or "Content-Type" in request.headers),
        anonymous=anonymous,
        party=_party(bridge, route),
        reports=_wants_report(),
        load=load,
    )


def _party(bridge: Bridge, route: AppRoute) -> str | None:
    match route.token:
        case TokenUse.CALLER:
            return None
        case TokenUse.BRIDGE:
            key = bridge.settings.proxy_key
            given = bearer_token(request) or ""
            # Wiring sees to it that there is a key.
            if key is None or not hmac.compare_digest(given.encode(), key.reveal().encode()):
                raise Refusal("proxy_key_missing", 401)
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
    """Give the one ``dataType``, in any case as apps read it. Raises Refusal 400 where there are several."""
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
    return any(each.strip().lower() == _REPORT for each in request.headers.get("Prefer", "").split(","))


# The body


class _Counted:
    """A request's body, read while it is sent on, and never beyond its limit."""

    def __init__(self, start: bytes, read: Callable[[int], bytes], limit: int) -> None:
        self._start, self._read, self._left, self._limit = start, read, limit - len(start), limit

    def read(self, size: int, /) -> bytes:
        """Give the next piece. Raises Refusal 413, and 400 where it ends before its end."""
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


def _body(bridge: Bridge, asked: _Asked) -> tuple[bytes | Readable, int | None]:
    """Take the body, whole where it is short or has to be looked at. Raises Refusal 413."""
    if asked.meant is Meaning.CREATE:
        return b"", 0
    limit = bridge.settings.max_body
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    if _is_looked_at(asked):
        body = read_body(request, limit=limit, load=asked.load) or b""
        return body, len(body)
    length, read = request.content_length, body_reader(request)
    start = bytearray()
    while len(start) <= IN_MEMORY:
        piece = read(CHUNK)
        if not piece:
            return bytes(start), len(start)
        start += piece
    return _Counted(bytes(start), read, limit), length


def _is_looked_at(asked: _Asked) -> bool:
    """Whether anything is done with the form but to pass it on."""
    if asked.meant is Meaning.CREATE:
        return False
    return (
        asked.data_type.validate is not Validation.OFF or asked.data_type.speaks is not FormFormat.BOTH or asked.reports
    )


def _written_out(asked: _Asked, body: bytes | Readable) -> tuple[bytes | Readable, bool]:
    """
    The form as UTF-8 by its Content-Type, and whether that cannot be.

    Raises:
        Refusal: 415 where it cannot be, and the form is converted or held strictly.
    """
    if not isinstance(body, bytes) or not _is_looked_at(asked):
        return body, False
    try:
        return _shapes().written_out(request.headers.get("Content-Type", ""), body), False
    except Refusal:
        if asked.data_type.validate is Validation.STRICT or asked.data_type.speaks is not FormFormat.BOTH:
            raise
        return body, True  # Apps pass over the charset, and nothing is stopped here.


def _findings(asked: _Asked, body: bytes | Readable, *, misread: bool) -> tuple[Finding, ...] | None:
    """Hold the form against its schema; None where the route does not. Raises Refusal 422 where it is strict."""
    validate = asked.data_type.validate
    if not asked.data_type.pins or not isinstance(body, bytes) or asked.meant is Meaning.CREATE:
        return None
    if validate is Validation.OFF and not asked.reports:
        return None
    findings = _shapes().findings(asked.data_type, request.headers.get("Content-Type", ""), body)
    if misread and findings is not None:
        findings = (Finding(path="/", rule="encoding"), *findings)
    if validate is Validation.STRICT and errors_of(findings or ()):
        raise Refusal("form_invalid", 422, findings=errors_of(findings or ()))
    return findings


def _shapes() -> Shapes:
    shapes: Shapes = current_app.extensions["bridge.shapes"]
    return shapes


# The call


def _answered(
    bridge: Bridge, asked: _Asked, passage: Passage | None, body: bytes | Readable, length: int | None
) -> AppAnswer:
    if passage is not None:
        body, length = passage.body, len(passage.body)
    call = AppCall(
        meaning=asked.meant,
        anonymous=asked.anonymous,
        query=_query(),
        headers=_headers(asked, passage),
        body=body,
        length=length,
        uses_bridge_token=asked.own,
        repeatable=asked.data_type.repeatable,
    )
    seconds = asked.route.timeout or bridge.settings.upstream_timeout
    key = _turn_key(asked)
    turns: TicketLock = current_app.extensions["bridge.turns"]
    try:
        with nullcontext() if key is None else turns.turn(key, seconds=seconds):
            return _with_room(bridge, asked.route, call)
    except LockTimeout:
        raise Refusal("app_timeout", 503) from None
    except CredentialsRefused as error:
        raise Refusal("app_refuses_bridge", 502) from error
    except UpstreamError as error:
        if error.system != system_of(asked.route):
            raise  # Who gives out tokens is away: that is not the app's doing.
        raise _no_answer(asked, error) from error


def _no_answer(asked: _Asked, error: UpstreamError) -> Refusal:
    """Say what became of a call to which the app gave no answer that could be passed on."""
    log.warning("an app gave no answer", app=asked.route.name, why=error.detail)
    match error:
        case Unreachable(retry_after=None):
            return Refusal("app_unavailable", 503)
        case Unreachable(retry_after=wait):
            return Refusal("app_resting", 503, retry_after=wait)
        case _ if timed_out(error):
            return Refusal("app_timeout", 504)
        case _ if no_http(error):
            return Refusal("app_answer_invalid", 502)
        case _:
            return Refusal("app_unavailable", 502)


def _with_room(bridge: Bridge, route: AppRoute, call: AppCall) -> AppAnswer:
    """Send *call* where the app has room for it, which it holds until its answer is passed on. Raises Refusal 503."""
    room = bridge.rooms.app(route.name)
    room.enter()
    try:
        answer = bridge.apps.send(route, call)
    except BaseException:
        room.leave()
        raise
    if answer.rest is None:
        room.leave()
        return answer

    def close() -> None:
        answer.close()
        room.leave()

    return replace(answer, close=close)


def _passage(asked: _Asked, body: bytes | Readable, form: bytes | Readable, *, checked: bool) -> Passage | None:
    if not isinstance(body, bytes) or not isinstance(form, bytes) or not (asked.data_type.pins or asked.reports):
        return None
    content_type = request.headers.get("Content-Type", "")
    # A report takes the form's place, so it is compared in the language in which it was sent.
    sent_as = _MEDIA_TYPES.get(kind_sent(content_type)) if asked.reports else None
    accept = sent_as or request.headers.get("Accept", "")
    try:
        return _shapes().there(asked.data_type, content_type, body, written_out=form, accept=accept, checked=checked)
    except Unconvertible as error:
        raise Refusal("form_invalid", 422, findings=error.findings) from error
    except Unreadable as error:
        raise Refusal("form_invalid", 422, findings=(error.finding,)) from error


def _query() -> str:
    """Give the query as it came, byte for byte, without what is for the bridge."""
    query: str = request.environ.get("QUERY_STRING", "")
    if _REPORT not in query:
        return query
    return "&".join(part for part in query.split("&") if part.partition("=")[0] != _REPORT)


def _headers(asked: _Asked, passage: Passage | None) -> list[tuple[str, str]]:
    """Say what goes on: all but what belongs to this connection; beside the bridge's own token only what is known."""
    besides = set()
    if asked.party is not None:
        besides.add("party")
    if asked.meant is Meaning.CREATE:
        besides.add("content-type")
    if passage is not None:
        # What may have to be read here must not come packed.
        besides.add("accept-encoding")
        if passage.accept:
            besides |= {"accept", "content-type"}
        if passage.content_type != request.headers.get("Content-Type", ""):
            besides.add("content-type")
    headers = passed_on(request.headers.items(), own=asked.own, besides=besides)
    if asked.party is not None:
        headers.append(("party", asked.party))
    if passage is None:
        return headers
    if passage.accept:
        headers.append(("Accept", passage.accept))
    if "content-type" in besides and passage.content_type and asked.meant is Meaning.CALCULATE:
        headers.append(("Content-Type", passage.content_type))
    return [*headers, ("Accept-Encoding", "identity")]


def _turn_key(asked: _Asked) -> tuple[str, str, bytes] | None:
    """Name whose calculations wait for each other; anonymous callers cannot be told apart."""
    if not asked.data_type.one_at_a_time or asked.meant is Meaning.CREATE or asked.anonymous:
        return None
    who = "\n".join(
        (
            request.headers.get("Authorization", ""),
            request.cookies.get("AltinnStudioRuntime", ""),
            asked.party or request.headers.get("party", ""),
        )
    )
    return asked.route.name, _data_type(), hashlib.sha256(who.encode()).digest()


# The answer


def _tell_apart(asked: _Asked, answer: AppAnswer) -> None:
    """Keep from the caller what an app says of the bridge's own token. Raises Refusal 403 and 502."""
    if not asked.own or answer.status not in (401, 403):
        return
    said = answer.start.decode("utf-8", "replace")
    row = row_for(answer.status, said)
    if row.next is Next.CREDENTIALS:
        # A token that ran out was renewed once already.
        refused = CredentialsRefused(
            system_of(asked.route), "it refused the bridge's token", status=answer.status, reason="token_refused"
        )
        raise Refusal("app_refuses_bridge", 502) from refused
    if row.code == "app_level_too_low":
        problem = problem_of(row, said)
        raise Refusal(problem.code, problem.status, facts=problem.facts)


def _response(bridge: Bridge, asked: _Asked, answer: AppAnswer, passage: Passage | None) -> Response:
    """Pass the answer on; where the client speaks the other language, its form in that."""
    headers = list(returned(answer.headers, app=asked.route.name, own=asked.own))
    start, rest = answer.start, answer.rest
    if passage is not None and answer.status == 200:
        whole = _whole(bridge, asked, answer)
        start, rest = whole, None
        turned = _back(asked, answer, whole, passage)
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


def _whole(bridge: Bridge, asked: _Asked, answer: AppAnswer) -> bytes:
    limit = bridge.settings.max_body
    before = asked.load.held
    try:
        whole = answer.whole(limit, lambda size: asked.load.grow(before + size))
    except UpstreamError as error:
        raise _no_answer(asked, error) from error
    if whole is None:
        raise Refusal("app_answer_too_large", 502, facts={"limit": str(limit)})
    return whole


def _streamed(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from rest


def _back(asked: _Asked, answer: AppAnswer, whole: bytes, passage: Passage) -> tuple[str, bytes] | None:
    try:
        return _shapes().back(asked.data_type, answer.header("Content-Type"), whole, passage.back)
    except (Unconvertible, Unreadable):
        # The client gets the form in the app's language, with its true type, rather than none or less of it.
        log.warning("an answer could not be converted", app=asked.route.name)
        return None


def _reported(
    bridge: Bridge, asked: _Asked, body: bytes | Readable, findings: tuple[Finding, ...] | None, answer: AppAnswer
) -> Response:
    """Answer with the document on the calculation, in place of the form."""
    whole = _whole(bridge, asked, answer)
    content_type, document = report(
        asked.route,
        asked.data_type,
        shapes=_shapes(),
        sent=(request.headers.get("Content-Type", ""), body if isinstance(body, bytes) else b""),
        answered=(answer.status, answer.header("Content-Type"), whole),
        findings=findings,
        language=language(),
        html=request.accept_mimetypes.best_match([JSON, "text/html"]) == "text/html",
    )
    # Who asks without a right, or with a form that the app does not take, is told so by the status, too.
    response = Response(document, status=max(200, answer.status), content_type=content_type)
    response.headers["Preference-Applied"] = _REPORT
    return response
