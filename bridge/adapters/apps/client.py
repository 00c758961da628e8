"""Altinn 3 apps: stateless data, and what the proxy in front of them has to know (facts/altinn3-and-tokens.md 1, 6)."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.client import BadStatusLine
from typing import Any, Protocol, cast

import requests
import structlog
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, Timeout

from bridge.adapters.apps.connections import Exactly
from bridge.adapters.apps.metadata import fetch_metadata
from bridge.adapters.http.errors import calling
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.core.calculations import AppRoute, HttpDialect, Meaning, first_try, verbs_of
from bridge.core.clock import Clock
from bridge.core.errors import CredentialsRefused, OutcomeUnknown, Unreachable, UpstreamError

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.altinn3")

VERBS_LIVE = timedelta(hours=1)
"""How long what was found out about an app is believed: it may be deployed anew at any time."""
ASK_AGAIN = timedelta(minutes=5)
"""How soon an app whose metadata said nothing is asked for it again."""
FAILURES, REST = 5, timedelta(seconds=10)
"""So many calls in a row that reached no app rest it for so long; then one call at a time tries."""
WHOLE = 256 * 1024
"""An answer up to here is read to its end before anything of it is passed on."""

_PIECE = 64 * 1024
_CONNECT = 5.0
_INGRESS = frozenset({502, 503, 504})
_STATES = ("closed", "open")
_NO_HEADERS = (MissingHeaderBodySeparatorDefect, FirstHeaderLineIsContinuationDefect)
_NO_HTTP = (
    *("BadStatusLine", "LineTooLong", "UnknownProtocol", "InvalidChunkLength", "InvalidHeader", "HeaderParsing"),
    # http.client's own word for more than 100 lines of headers; whatever else it finds has a class of its own.
    "HTTPException",
)
"""Errors of whoever reads an answer, in an error's detail."""

Headers = Sequence[tuple[str, str]]


class Readable(Protocol):
    """A body that is read while it is sent."""

    def read(self, size: int, /) -> bytes:
        """Give at most *size* bytes; none at the end."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AppCall:
    """
    One call: *query* and *headers* go out as they are, and so does the *body*.

    *own* puts the bridge's Altinn token on it. A body of bytes can be sent again; a ``Readable`` of *length* bytes
    (None: chunked) cannot.
    """

    meaning: Meaning
    anonymous: bool
    query: str
    headers: Headers
    body: bytes | Readable
    length: int | None
    uses_bridge_token: bool
    repeatable: bool

    @property
    def replayable(self) -> bool:
        """Whether the body is still at hand after it was sent."""
        return isinstance(self.body, bytes)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AppAnswer:
    """
    What an app said, byte for byte: packed as it came, *rest* after *start* where it is long.

    Whoever takes it calls *close* at the end.
    """

    status: int
    reason: str
    headers: Headers
    start: bytes
    rest: Iterator[bytes] | None
    close: Callable[[], None]

    def header(self, name: str) -> str:
        """Give a header's value, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def whole(self, limit: int, grow: Callable[[int], object] = bool) -> bytes | None:
        """
        Read the answer to its end; None beyond *limit* bytes, after which it cannot be passed on any more.

        *grow* is told how many bytes are held so far, whenever there are more.
        """
        if self.rest is None:
            return self.start
        parts, size = [self.start], len(self.start)
        for piece in self.rest:
            size += len(piece)
            if size > limit:
                return None
            grow(size)
            parts.append(piece)
        return b"".join(parts)


class _Sender:
    """A body on its way through, and how long its sender was waited for: that time is not the app's."""

    def __init__(self, body: Readable, monotonic: Callable[[], float]) -> None:
        self._body, self._monotonic = body, monotonic
        self.began, self.waited, self.ended = monotonic(), 0.0, False

    def read(self, size: int, /) -> bytes:
        """Give the next piece."""
        asked = self._monotonic()
        try:
            piece = self._body.read(size)
        finally:
            self.waited += self._monotonic() - asked
        self.ended = self.ended or not piece
        return piece

    @property
    def held_up(self) -> bool:
        """Whether the call was broken off while it waited for the sender more than for the app."""
        return not self.ended and self.waited > (self._monotonic() - self.began) / 2


@dataclass(slots=True)
class AppState:
    """What is known of one app."""

    asking: threading.Lock = field(default_factory=threading.Lock)
    verbs: HttpDialect | None = None
    learned_from: str = ""
    until: datetime | None = None
    ask_at: datetime | None = None
    failures: int = 0
    open_until: datetime | None = None


class AppClient:
    """
    Calls apps on the host that the settings name, and on no other; redirects are passed on, not followed.

    Without *tokens* only calls that bring their own authority can be made. *verbs_seen* is told (app, verbs) each time
    that something was found out, *answered* (method, status, seconds until the answer was there) of each call.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        url: str,
        tokens: PlatformTokens | None,
        clock: Clock,
        timeout: float,
        verbs_seen: Callable[[str, str], None] = lambda app, verbs: None,  # noqa: ARG005 - nobody listens
        answered: Callable[[str, int, float], None] = lambda method, status, seconds: None,  # noqa: ARG005 - the same
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._url, self._tokens = session, url, tokens
        self._clock, self._timeout, self._monotonic = clock, timeout, monotonic
        self._verbs_seen, self._answered = verbs_seen, answered
        self._lock = threading.Lock()
        self._places: dict[str, AppState] = {}
        self._ways: dict[str, HTTPConnectionPool | BaseAdapter] = {}

    def __repr__(self) -> str:
        return f"AppClient({self._url})"

    def send(self, route: AppRoute, call: AppCall) -> AppAnswer:
        """
        Send *call* as the app of *route* understands it.

        Raises:
            Unreachable: Nothing was sent: the app rests, or no connection came about.
            OutcomeUnknown: No whole answer came; see ``timed_out``.
            CredentialsRefused: The bridge got no token of its own.
        """
        place = self._place(route.name)
        self._pass_circuit(route, place)
        ends = self._monotonic() + (route.timeout or self._timeout)
        verbs, certain = self._verbs(route, place, call, ends)
        answer = self._sent(route, place, call, method=verbs.method(call.meaning), ends=ends)
        if certain and answer.status != 405:
            return answer
        if answer.status == 405 and call.replayable and route.verbs is None:
            answer.close()
            self._learn(route, place, verbs.other, "405")
            return self._sent(route, place, call, method=verbs.other.method(call.meaning), ends=ends)
        if answer.status == 200:
            self._learn(route, place, verbs, "answer")
        return answer

    def status(self) -> list[dict[str, Any]]:
        """Say what is known of each app that was called, for the operator."""
        now = self._clock()
        with self._lock:
            places = sorted(self._places.items())
        return [
            {
                "app": name,
                "verbs": None if place.verbs is None else place.verbs.name_in_words,
                "learnedFrom": place.learned_from or None,
                "until": None if place.until is None else place.until.isoformat(),
                "circuit": _STATES[place.open_until is not None and now < place.open_until],
            }
            for name, place in places
        ]

    def _place(self, name: str) -> AppState:
        place = self._places.get(name)
        if place is None:
            with self._lock:
                place = self._places.setdefault(name, AppState())
        return place

    # The circuit

    def _pass_circuit(self, route: AppRoute, place: AppState) -> None:
        if place.open_until is None:
            return
        now = self._clock()
        with self._lock:
            if now < place.open_until:
                raise Unreachable(system_of(route), "rests after failures", retry_after=place.open_until - now)
            # The one that comes first tries; the others go on resting until it is back.
            if place.failures >= FAILURES:
                place.open_until = now + REST

    def _reached(self, place: AppState) -> None:
        if place.failures:
            with self._lock:
                place.failures, place.open_until = 0, None

    def _failed(self, route: AppRoute, place: AppState) -> None:
        with self._lock:
            place.failures += 1
            if place.failures < FAILURES:
                return
            place.open_until = self._clock() + REST
        log.warning("an app does not answer and rests", app=route.name, seconds=REST.total_seconds())

    # The verbs

    def _verbs(self, route: AppRoute, place: AppState, call: AppCall, ends: float) -> tuple[HttpDialect, bool]:
        """Say which verbs to use, and whether that is certain."""
        if route.verbs is not None:
            place.verbs, place.learned_from = route.verbs, "route"
            return route.verbs, True
        now = self._clock()
        if place.verbs is not None and place.until is not None and now < place.until:
            return place.verbs, True
        # One asks; who comes meanwhile goes by what was known, or waits where nothing was.
        if place.asking.acquire(blocking=place.verbs is None):
            try:
                if place.verbs is None or place.until is None or now >= place.until:
                    self._ask(route, place, now)
            finally:
                place.asking.release()
        if place.verbs is not None and place.until is not None and now < place.until:
            return place.verbs, True
        if not call.replayable:
            self._probe(route, place, call, ends)
            if place.verbs is not None:
                return place.verbs, True
        return first_try(call.meaning), False

    def _ask(self, route: AppRoute, place: AppState, now: datetime) -> None:
        """Read the version from the app's metadata, without any token."""
        if place.ask_at is not None and now < place.ask_at:
            return
        place.ask_at = now + ASK_AGAIN
        try:
            document = fetch_metadata(self._session, self._base(route), system=system_of(route), timeout=_CONNECT)
        except UpstreamError:
            return
        found = verbs_of(document.get("altinnNugetVersion"))
        if found is not None:
            self._learn(route, place, found, "altinnNugetVersion")

    def _probe(self, route: AppRoute, place: AppState, call: AppCall, ends: float) -> None:
        """Ask for an empty form with GET, which has no effect anywhere, since the form itself can be sent once only."""
        skip = {"content-type", "content-length", "content-encoding"}
        asked = AppCall(
            meaning=Meaning.CREATE,
            anonymous=call.anonymous,
            query=call.query,
            headers=[(name, value) for name, value in call.headers if name.lower() not in skip],
            body=b"",
            length=0,
            uses_bridge_token=call.uses_bridge_token,
            repeatable=True,
        )
        answer = self._sent(route, place, asked, method="GET", ends=ends)
        answer.close()
        if answer.status in (200, 405):
            self._learn(route, place, HttpDialect.GET_POST if answer.status == 200 else HttpDialect.POST_PUT, "probe")

    def _learn(self, route: AppRoute, place: AppState, verbs: HttpDialect, source: str) -> None:
        if place.verbs is not verbs:
            log.info("an app's verbs were found out", app=route.name, verbs=verbs.name_in_words, source=source)
        with self._lock:
            place.verbs, place.learned_from, place.until = verbs, source, self._clock() + VERBS_LIVE
        self._verbs_seen(route.name, verbs.name_in_words)

    # The call

    def _sent(self, route: AppRoute, place: AppState, call: AppCall, *, method: str, ends: float) -> AppAnswer:
        """Send, and once more where that cannot do harm."""
        repeatable = call.repeatable or call.meaning is Meaning.CREATE
        # With every try the reasons for another one are used up.
        reasons = {"connection": call.replayable, "refused token": call.uses_bridge_token and call.replayable}
        while True:
            token = self._token(route) if call.uses_bridge_token else None
            sender = None if isinstance(call.body, bytes) else _Sender(call.body, self._monotonic)
            try:
                answer = self._exchanged(route, call, sender, method=method, token=token, ends=ends)
            except (Unreachable, OutcomeUnknown) as error:
                if no_http(error):
                    # The app is there, and would answer so again.
                    self._reached(place)
                    raise
                # An app that hangs up on a sender who stalls is as well as it was.
                if sender is None or not sender.held_up:
                    self._failed(route, place)
                harmless = isinstance(error, Unreachable) or (repeatable and not timed_out(error))
                if not (harmless and reasons.pop("connection", False)):
                    raise
                continue
            if answer.status in _INGRESS:
                self._failed(route, place)
                if repeatable and reasons.pop("connection", False):
                    answer.close()
                    continue
                return answer
            self._reached(place)
            if answer.status == 401 and token is not None and self._tokens is not None:
                self._tokens.drop(token)
                if reasons.pop("refused token", False):
                    answer.close()
                    continue
            return answer

    def _token(self, route: AppRoute) -> str:
        if self._tokens is None:
            raise CredentialsRefused(system_of(route), "the bridge has no token here", reason="no_token")
        return self._tokens.token(route.scopes)

    def _exchanged(
        self, route: AppRoute, call: AppCall, sender: _Sender | None, *, method: str, token: str | None, ends: float
    ) -> AppAnswer:
        url = f"{self._base(route)}/v1/data{'/anonymous' if call.anonymous else ''}"
        headers = Exactly(call.headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body: Any = None
        if method != "GET":
            body = sender or call.body
            if call.length is None:
                headers["Transfer-Encoding"] = "chunked"
            else:
                headers["Content-Length"] = str(call.length)
        address = f"{url}?{call.query}" if call.query else url
        left = max(0.001, ends - self._monotonic())
        with calling(system_of(route), writes=True):
            began = self._monotonic()
            raw = self._opened(method, address, headers, body, left)
            try:
                _hold_to_http(raw)
                answer = self._answer(route, raw, ends + (0.0 if sender is None else sender.waited))
            except BaseException:
                raw.close()
                raise
        self._answered(method, answer.status, self._monotonic() - began)
        return answer

    def _opened(self, method: str, address: str, headers: Exactly, body: Any, left: float) -> HTTPResponse:
        """
        Send, and give the answer with its body unread.

        By hand: a session would add headers, read redirects and keep cookies, and takes twice the time.
        """
        timeout = Timeout(connect=min(_CONNECT, left), read=left)
        way = self._pool(address)
        if isinstance(way, HTTPConnectionPool):
            # The pool's address is the app's: only path and query go into the request.
            headers.target = address[address.index("/", 8) :]
            answer = way.urlopen(
                method,
                headers.target,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                preload_content=False,
                decode_content=False,
            )
            return cast("HTTPResponse", answer)
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.headers, prepared.body = method, address, headers, body
        prepared.hooks = {"response": []}
        response = way.send(prepared, stream=True, timeout=(min(_CONNECT, left), left), proxies={})
        return cast("HTTPResponse", response.raw)

    def _answer(self, route: AppRoute, raw: HTTPResponse, ends: float) -> AppAnswer:
        pieces = self._pieces(raw, ends)
        start, size = [], 0
        ended = True
        for piece in pieces:
            start.append(piece)
            size += len(piece)
            if size > WHOLE:
                ended = False
                break
        if ended:
            raw.release_conn()
        return AppAnswer(
            status=raw.status,
            reason=str(raw.reason or ""),
            headers=tuple(raw.headers.iteritems()),
            start=b"".join(start),
            rest=None if ended else self._rest(route, pieces),
            close=raw.release_conn if ended else raw.close,
        )

    def _rest(self, route: AppRoute, pieces: Iterator[bytes]) -> Iterator[bytes]:
        with calling(system_of(route), writes=True):
            yield from pieces

    def _pieces(self, raw: HTTPResponse, ends: float) -> Iterator[bytes]:
        for number in itertools.count():
            left = ends - self._monotonic()
            if left <= 0:
                raise requests.exceptions.ReadTimeout("deadline")
            sock = getattr(raw.connection, "sock", None) if number else None
            if sock is not None:
                # The limit that was set is for each receive; this is what is left of the whole.
                sock.settimeout(left)
            piece = raw.read1(_PIECE, decode_content=False)
            if not piece:
                return
            yield piece

    def _pool(self, url: str) -> HTTPConnectionPool | BaseAdapter:
        """Find the pool of connections to a host, or what stands in for it in tests."""
        origin = url[: url.index("/", 8)]
        found = self._ways.get(origin)
        if found is None:
            adapter = self._session.get_adapter(url)
            found = adapter
            if isinstance(adapter, HTTPAdapter):
                # Asked for once: it is this that turns the check of certificates on.
                request = requests.Request("GET", url).prepare()
                found = cast("HTTPConnectionPool", adapter.get_connection_with_tls_context(request, verify=True))
            self._ways[origin] = found
        return found

    def _base(self, route: AppRoute) -> str:
        return self._url.replace("{org}", route.org).replace("{app}", route.app)


def _hold_to_http(raw: HTTPResponse) -> None:
    """Refuse an answer with a line that is no header: those after it are lost, its length among them."""
    head = getattr(getattr(raw, "_original_response", None), "msg", None)
    if any(isinstance(each, _NO_HEADERS) for each in getattr(head, "defects", ())):
        raise BadStatusLine("headers")


def timed_out(error: UpstreamError) -> bool:
    """Say whether a call ended because its time was over."""
    return "Timeout" in error.detail


def no_http(error: UpstreamError) -> bool:
    """Say whether an app answered, but nothing that can be read: it is not away, and may have done what it was told."""
    return any(each in error.detail for each in _NO_HTTP)


def system_of(route: AppRoute) -> str:
    """Name an app as the errors of its calls do."""
    return f"app {route.name}"
