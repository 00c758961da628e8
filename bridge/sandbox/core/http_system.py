"""The frame around every system: routing, faults, the call log, and answers with real reason phrases."""

import functools
import io
import json
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, NoReturn, TypeVar

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.ledger import How
from bridge.sandbox.core.world import CoreWorld

# Only these query parameters are logged: none of them can hold anything personal.
LOGGED = frozenset(
    {"complete", "sign", "language", "markAsRead", "isSilentUpdate", "dataType", "includeRowId", "$skip"}
)
_PIECE = 65_536


class Cut(ConnectionError):
    """Close the connection without an answer."""


class Refused(Exception):
    """The answer is decided already, before the effect."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class TooLarge(ValueError):
    """A body is larger than the limit."""


Handler = Callable[..., Response]
FAULTY = "bridge.sandbox.faulty"
"""In the environ of a call that goes wrong because it was told to."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a werkzeug rule, below the system's prefix, and what answers it."""

    methods: str
    rule: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Matched:
    """What a call was matched with: its path template (for the log), its handler and the path's values."""

    template: str
    handler: Handler
    arguments: Mapping[str, Any]


W = TypeVar("W", bound=CoreWorld)


class System(ABC, Generic[W]):
    """
    One system as a WSGI app, on the world as this system sees it.

    *base_url* is the sandbox's own address, without a slash at its end.
    """

    name: str
    prefix: str

    def __init__(self, world: W, base_url: str) -> None:
        self.world = world
        self.host = base_url
        self.base = f"{base_url}{self.prefix}"
        self._routes = tuple(self.routes())
        self._map = route_map(self.prefix, tuple((route.methods, route.rule) for route in self._routes))

    @abstractmethod
    def routes(self) -> Iterable[Route]:
        """List what the system answers."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer a call, as WSGI has it; raises ``Cut`` where the connection shall be closed instead."""
        response = self._answer(Request(environ))
        return response(environ, start_response)

    def guard(self, request: Request, match: Matched | None) -> None:
        """Refuse calls by what holds for the whole system, before any handler."""

    def routing_path(self, path: str) -> str:
        """How a path is matched against the routes."""
        return path

    def not_routed(self, error: HTTPException) -> Response:
        """Answer a path or a method that the system does not have."""
        headers = {"Allow": ", ".join(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else {}
        return plain(error.code or 404, headers=headers)

    def _answer(self, request: Request) -> Response:
        started = time.perf_counter()
        match, error = self._match(request)
        status: int | None = None
        try:
            response = self._played(request, match, error)
            status = response.status_code
        finally:
            # Before the clock is read: so a call never seems to begin before its caller's last one ended.
            milliseconds = (time.perf_counter() - started) * 1000
            self.world.calls.add(
                time=self.world.clock(),
                caller=product(request.headers.get("User-Agent", "")),
                system=self.name,
                method=request.method,
                template="" if match is None else match.template,
                path=unlinked(request.path),
                query={key: value[:64] for key, value in request.args.items() if key in LOGGED},
                status=status,
                milliseconds=milliseconds,
            )
        return response

    def _match(self, request: Request) -> tuple[Matched | None, HTTPException]:
        adapter = self._map.bind("sandbox")
        try:
            index, arguments = adapter.match(self.routing_path(request.path), request.method)
        except HTTPException as error:
            return None, error
        route = self._routes[index]
        template = re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", f"{self.prefix}{route.rule}")
        return Matched(template, route.handler, arguments), NotFound()

    def _played(self, request: Request, match: Matched | None, error: HTTPException) -> Response:
        how = self.world.faults.take(system=self.name, method=request.method, path=request.path) or How()
        if how != How():
            # For whoever listens in: what is answered now is no answer of the system's own.
            request.environ[FAULTY] = True
        wait = how.delay_before + self.world.switches.latency_ms / 1000
        if how.cut in ("late", "held"):
            self._later(request, match, error, seconds=None if how.cut == "held" else wait)
            if how.status is not None:
                return _stated(how)
            raise Cut("cut, and the effect comes later")
        if wait:
            self.world.sleep(wait)
        if how.cut == "before":
            drain(request)
            raise Cut("cut before the effect")
        if how.status is not None and not how.after_effect:
            drain(request)
            return _stated(how)
        response = self._effect(request, match, error)
        if how.delay_after:
            self.world.sleep(how.delay_after)
        if how.cut == "after":
            response.close()
            raise Cut("cut after the effect")
        if how.status is not None:
            response.close()
            return _stated(how)
        if how.cut == "within":
            half = (response.content_length or 0) // 2
            response.response = _cut_within(response.response, half)
        return response

    def _later(self, request: Request, match: Matched | None, error: HTTPException, *, seconds: float | None) -> None:
        """Do what is asked for *seconds* after the client was cut off, as a slow system does; None: when told."""
        body = request.get_data()
        environ = {**request.environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        for name in ("HTTP_TRANSFER_ENCODING", "werkzeug.request"):
            environ.pop(name, None)

        def play() -> None:
            self._effect(Request(environ), match, error).close()

        if seconds is None:
            self.world.faults.hold(play)
            return
        timer = threading.Timer(seconds, play)
        timer.daemon = True
        timer.start()

    def _effect(self, request: Request, match: Matched | None, error: HTTPException) -> Response:
        try:
            self.guard(request, match)
            if match is None:
                return self.not_routed(error)
            return match.handler(request, **match.arguments)
        except Refused as refused:
            return refused.response


@functools.cache
def route_map(prefix: str, routes: tuple[tuple[str, str], ...]) -> Map:
    """Compile (methods, rule) pairs once for all worlds; what matches is the pair's place."""
    rules = [
        Rule(f"{prefix}{rule}", methods=methods.split("|"), endpoint=index)
        for index, (methods, rule) in enumerate(routes)
    ]
    # No redirects: clients of the real systems never see one for a slash.
    return Map(rules, strict_slashes=False, redirect_defaults=False, merge_slashes=False)


_PHRASES = {each.value: each.phrase for each in HTTPStatus}


def status_line(code: int, reason: str | None) -> str:
    """A status line that fits on the wire: Latin-1, one line; what does not fit becomes a question mark."""
    if reason is None:
        # Werkzeug would shout it in capitals.
        return f"{code} {_PHRASES.get(code, 'Unknown')}"
    safe = "".join(" " if ord(each) < 32 else each for each in reason)
    return f"{code} {safe.encode('latin-1', 'replace').decode('latin-1')}"


def plain(
    code: int,
    body: str | bytes = b"",
    *,
    reason: str | None = None,
    content_type: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with *body* as it is; no Content-Type unless given."""
    response = Response(body, status=status_line(code, reason), headers=dict(headers or {}))
    if content_type is None:
        del response.headers["Content-Type"]
    else:
        response.headers["Content-Type"] = content_type
    return response


def as_json(
    code: int,
    value: Any,
    *,
    content_type: str = "application/json; charset=utf-8",
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with *value* as JSON, letters unescaped."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return plain(code, body, content_type=content_type, reason=reason, headers=headers)


def refuse(response: Response) -> NoReturn:
    """Answer with *response* and do nothing else."""
    raise Refused(response)


def drain(request: Request) -> None:
    """
    Drop the body to its end, a piece at a time.

    Raises:
        Cut: The client left before its end.
    """
    try:
        while request.stream.read(_PIECE):
            continue
    except OSError as error:
        raise Cut("the body broke off") from error


def read_body(request: Request, limit: int) -> bytes:
    """
    The whole body, chunked or not.

    Raises:
        TooLarge: There are more than *limit* bytes; the rest is read and dropped, so that the answer arrives.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := request.stream.read(_PIECE):
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
    if size > limit:
        raise TooLarge(f"{size} bytes")
    return b"".join(pieces)


def media_type(request: Request) -> str:
    """The body's media type without parameters, in lower case; empty without one."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def bearer(request: Request) -> str | None:
    """The bearer token, None where there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def product(user_agent: str) -> str:
    """Which program called: the first word of its User-Agent without a version."""
    found = re.match(r"[A-Za-z][A-Za-z0-9._+-]{0,63}", user_agent)
    return found.group() if found else ""


def unlinked(path: str) -> str:
    """A path without national identity numbers."""
    return re.sub(r"(?<![0-9a-f])\d{11}(?![0-9a-f])", "***********", path)


def accepts(request: Request, wanted: Sequence[str]) -> bool:
    """Whether the Accept header leaves room for one of *wanted*; without a header it does."""
    return not request.headers.get("Accept") or any(request.accept_mimetypes[each] > 0 for each in wanted)


def _cut_within(pieces: Any, left: int) -> Iterator[bytes]:
    for piece in pieces:
        if len(piece) >= left:
            yield piece[:left]
            raise Cut("cut within the answer")
        left -= len(piece)
        yield piece


def _stated(how: How) -> Response:
    headers = dict(how.headers)
    content_type = next((headers.pop(key) for key in list(headers) if key.lower() == "content-type"), None)
    if content_type is None and how.body:
        content_type = "text/plain; charset=utf-8"
    return plain(how.status or 500, how.body, reason=how.reason, content_type=content_type, headers=headers)
