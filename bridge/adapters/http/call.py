"""One request and its answer, within a deadline and a size: whole, or as it comes."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.exceptions as rq
import urllib3
from requests.auth import AuthBase

from bridge.adapters.http.errors import calling
from bridge.adapters.http.session import RenewableAuth
from bridge.core.errors import OutcomeUnknown, Rejected

LONGEST_RETRY_AFTER = timedelta(hours=1)

_PIECE = 64 * 1024
_HEAD = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    One answer, read to its end. *reason* is the phrase of the status line, with its æ, ø and å.

    *path* is the URL's path alone; it may name a person, and is printed no more than headers and body.
    """

    status: int
    reason: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    path: str = field(repr=False)


def call(
    session: requests.Session,
    method: str,
    url: str,
    *,
    system: str,
    writes: bool,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    data: Any = None,
    auth: AuthBase | None = None,
    connect_timeout: float = 5.0,
    deadline_seconds: float = 30.0,
    max_bytes: int = 16 * 1024 * 1024,
    sink: Callable[[bytes], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """
    Send one request and read its answer, whatever its status, within *deadline_seconds*.

    The deadline is looked at after each piece, so a trickle ends at it, and silence when what was left at the last
    piece is over. *max_bytes* counts unpacked bytes. A *sink* takes the pieces of an answer below 300 as they come;
    ``Answer.body`` is then no more than its first bytes.

    Raises:
        Unreachable: Nothing was written there.
        OutcomeUnknown: Only where *writes*: it may have been written.
        Rejected: Only where not *writes*: the answer is longer than *max_bytes* (``answer_too_large``).
    """
    ends = clock() + deadline_seconds
    with (
        calling(system, writes=writes),
        session.request(
            method,
            url,
            headers=headers,
            params=params,
            data=data,
            auth=auth,
            timeout=(min(connect_timeout, deadline_seconds), deadline_seconds),
            allow_redirects=False,
            stream=True,
        ) as response,
    ):
        body, total = bytearray(), 0
        for piece in _pieces(response, lambda: ends - clock()):
            total += len(piece)
            if sink is None or response.status_code >= 300:
                body += piece
            else:
                body += piece[: max(0, _HEAD - len(body))]
                sink(piece)
            if total > max_bytes:
                raise _too_large(system, writes=writes, status=response.status_code, max_bytes=max_bytes)
        return _answer(response, bytes(body))


def renewing(auth: AuthBase | None, once: Callable[[], "Answer"]) -> "Answer":
    """
    Make a call, and once more where it was refused at the door with what *auth* has forgotten since.

    Nothing was done then, so a write may be sent again: the one case in which that happens without a look.
    """
    answer = once()
    return once() if answer.status == 401 and isinstance(auth, RenewableAuth) else answer


class StreamedAnswer:
    """
    An answer whose head is here and whose body is still on its way: iterate it to its end, or close it.

    *answer* has the whole body of a status from 300 on, and the first piece of any other. *length* is that of the
    body, None where it is told otherwise where it ends (chunks) or was packed. An answer that breaks off raises
    Unreachable; one that tells neither (*open_ended*) cannot be told from a whole one.
    """

    def __init__(
        self,
        session: requests.Session,
        url: str,
        *,
        system: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        auth: AuthBase | None = None,
        connect_timeout: float = 5.0,
        deadline_seconds: float = 30.0,
        max_bytes: int = 16 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        ends = clock() + deadline_seconds
        self._system, self._max_bytes, self._taken = system, max_bytes, 0
        with calling(system, writes=False):
            self._response = session.get(
                url,
                headers=headers,
                params=params,
                auth=auth,
                timeout=(min(connect_timeout, deadline_seconds), deadline_seconds),
                allow_redirects=False,
                stream=True,
            )
            try:
                self._pieces = self._counted(lambda: ends - clock())
                whole = self._response.status_code >= 300
                self._first: bytes | None = b"".join(self._pieces) if whole else next(self._pieces, b"")
            except BaseException:
                self.close()
                raise
        self.answer = _answer(self._response, self._first)
        length = self._response.headers.get("Content-Length", "")
        packed = "Content-Encoding" in self._response.headers
        self.length = int(length) if length.isascii() and length.isdigit() and not packed else None
        chunked = "chunked" in self._response.headers.get("Transfer-Encoding", "").lower()
        self.open_ended = not length and not chunked

    def __iter__(self) -> "StreamedAnswer":
        """The body from its first byte, once."""
        return self

    def __next__(self) -> bytes:
        """
        The next piece.

        Raises:
            Unreachable: The body broke off before its end, or did not come in time.
            Rejected: It is longer than *max_bytes* (``answer_too_large``).
        """
        if self._first is not None:
            piece, self._first = self._first, None
            if piece:
                return piece
        try:
            with calling(self._system, writes=False):
                return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; a body that is not at its end ends it."""
        self._response.close()

    def _counted(self, left: Callable[[], float]) -> Iterator[bytes]:
        for piece in _pieces(self._response, left):
            self._taken += len(piece)
            if self._taken > self._max_bytes:
                raise _too_large(
                    self._system, writes=False, status=self._response.status_code, max_bytes=self._max_bytes
                )
            yield piece


def _answer(response: requests.Response, body: bytes) -> Answer:
    return Answer(
        status=response.status_code,
        reason=_phrase(response.reason),
        headers=response.headers,
        body=body,
        path=urlsplit(response.url).path,
    )


def _pieces(response: requests.Response, left: Callable[[], float]) -> Iterator[bytes]:
    raw = response.raw
    if not isinstance(raw, urllib3.HTTPResponse):
        yield from response.iter_content(_PIECE)
        return
    while True:
        remaining = left()
        if remaining <= 0:
            raise rq.ReadTimeout("deadline")
        sock = getattr(raw.connection, "sock", None)
        if sock is not None:
            sock.settimeout(remaining)
        # read() waits until the piece is full, with a new time limit for each receive; read1() receives once.
        piece = raw.read1(_PIECE, decode_content=True)
        if not piece:
            return
        yield piece


def _too_large(system: str, *, writes: bool, status: int, max_bytes: int) -> OutcomeUnknown | Rejected:
    detail = f"the answer is longer than {max_bytes} bytes"
    if writes:
        return OutcomeUnknown(system, detail, status=status)
    return Rejected(system, detail, status=status, reason="answer_too_large")


def _phrase(reason: str | None) -> str:
    # http.client decodes the status line as Latin-1; a server that wrote UTF-8 is read again.
    phrase = reason or ""
    try:
        return phrase.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return phrase


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """
    The wait from *now* that ``Retry-After`` asks for, in seconds or as a date: between nothing and an hour.

    None where it is absent or unreadable (a negative number is unreadable).
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        # Eight digits are three years: far beyond the cap, and within what int and timedelta take.
        return min(timedelta(seconds=int(text.lstrip("0")[:8] or 0)), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta()), LONGEST_RETRY_AFTER)
