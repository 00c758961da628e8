"""
One request to an app and its answer, as they go over the wire.

By hand: a session would add headers, read redirects and keep cookies, and takes twice the time.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.client import BadStatusLine, IncompleteRead
from typing import Any, cast

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, Timeout
from urllib3.exceptions import InvalidChunkLength, InvalidHeader, ProtocolError

from bridge.adapters.apps.calls import AppAnswer, AppCall, SenderBody
from bridge.adapters.apps.connections import Exactly
from bridge.adapters.http.errors import calling

WHOLE = 256 * 1024
"""An answer up to here is read to its end before anything of it is passed on."""
CONNECT_SECONDS = 5.0

_PIECE = 64 * 1024
_LENGTH = re.compile(r"[0-9]+")
_NO_HEADERS = (MissingHeaderBodySeparatorDefect, FirstHeaderLineIsContinuationDefect)


class AppWire:
    """Sends requests over *session*'s adapters; *answered* is told (method, status, seconds) of each answer."""

    def __init__(
        self,
        session: requests.Session,
        *,
        answered: Callable[[str, int, float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._session, self._answered, self._monotonic = session, answered, monotonic
        self._pools: dict[str, HTTPConnectionPool | BaseAdapter] = {}

    def exchange(
        self,
        call: AppCall,
        sender: SenderBody | None,
        *,
        system: str,
        method: str,
        url: str,
        token: str | None,
        ends: float,
    ) -> AppAnswer:
        """
        Send *call* to *url*, its body by way of *sender* where it streams.

        Raises:
            Unreachable: Nothing was sent.
            OutcomeUnknown: No whole answer came.
        """
        headers = Exactly(call.headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body: object = None
        if method != "GET":
            body = sender or call.body
            if call.length is None:
                headers["Transfer-Encoding"] = "chunked"
            else:
                headers["Content-Length"] = str(call.length)
        address = f"{url}?{call.query}" if call.query else url
        left = max(0.001, ends - self._monotonic())
        with calling(system, writes=True):
            began = self._monotonic()
            raw = self._opened(method, address, headers=headers, body=body, left=left)
            try:
                _hold_to_http(raw)
                answer = self._answer(system, raw, ends + (0.0 if sender is None else sender.waited))
            except BaseException:
                raw.close()
                raise
        self._answered(method, answer.status, self._monotonic() - began)
        return answer

    def _opened(self, method: str, address: str, *, headers: Exactly, body: Any, left: float) -> HTTPResponse:
        """The answer with its body unread."""
        timeout = Timeout(connect=min(CONNECT_SECONDS, left), read=left)
        pool = self._pool(address)
        if isinstance(pool, HTTPConnectionPool):
            # The pool's address is the app's: only path and query go into the request.
            headers.target = address[address.index("/", 8) :]
            answer = pool.urlopen(
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
        response = pool.send(prepared, stream=True, timeout=(min(CONNECT_SECONDS, left), left), proxies={})
        return cast("HTTPResponse", response.raw)

    def _answer(self, system: str, raw: HTTPResponse, ends: float) -> AppAnswer:
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
            rest=None if ended else _rest(system, pieces),
            close=raw.release_conn if ended else raw.close,
        )

    def _pieces(self, raw: HTTPResponse, ends: float) -> Iterator[bytes]:
        for number in itertools.count():
            left = ends - self._monotonic()
            if left <= 0:
                raise requests.exceptions.ReadTimeout("deadline")
            sock = getattr(raw.connection, "sock", None) if number else None
            if sock is not None:
                # The limit that was set is for each receive; this is what is left of the whole.
                sock.settimeout(left)
            try:
                piece = raw.read1(_PIECE, decode_content=False)
            except ProtocolError as error:
                if _is_no_chunk(error):
                    raise InvalidChunkLength(raw, b"") from error
                raise
            if not piece:
                return
            yield piece

    def _pool(self, url: str) -> HTTPConnectionPool | BaseAdapter:
        """The pool of connections to a host, or what stands in for it in tests."""
        origin = url[: url.index("/", 8)]
        found = self._pools.get(origin)
        if found is None:
            adapter = self._session.get_adapter(url)
            found = adapter
            if isinstance(adapter, HTTPAdapter):
                # Asked for once: it is this that turns the check of certificates on.
                request = requests.Request("GET", url).prepare()
                found = cast("HTTPConnectionPool", adapter.get_connection_with_tls_context(request, verify=True))
            self._pools[origin] = found
        return found


def _rest(system: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with calling(system, writes=True):
        yield from pieces


def _is_no_chunk(error: ProtocolError) -> bool:
    """
    Whether something stood where the length of a chunk must stand; nothing there is an answer that was cut.

    http.client calls both an incomplete read, and only what ``int`` said before tells them apart.
    """
    inner = next((each for each in error.args if isinstance(each, IncompleteRead)), None)
    cause = None if inner is None else inner.__context__
    return isinstance(cause, ValueError) and not str(cause).endswith(" b''")


def _hold_to_http(raw: HTTPResponse) -> None:
    """
    Refuse an answer with a line that is no header, for those after it are lost, or with a length that is none.

    Of such a length (RFC 9112 6.3) http.client takes no notice, and would wait for the app to hang up.
    """
    head = getattr(getattr(raw, "_original_response", None), "msg", None)
    if any(isinstance(each, _NO_HEADERS) for each in getattr(head, "defects", ())):
        raise BadStatusLine("headers")
    lengths = (each.strip(" \t") for line in raw.headers.getlist("Content-Length") for each in line.split(","))
    if not raw.chunked and not all(map(_LENGTH.fullmatch, lengths)):
        raise InvalidHeader("Content-Length")
