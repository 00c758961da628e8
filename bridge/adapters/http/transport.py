"""HTTP sessions, and the one place where transport errors become ours (facts/libraries.md 5)."""

import http.client
import importlib.metadata
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from http.cookiejar import DefaultCookiePolicy
from typing import Any, assert_never
from urllib.parse import urlsplit

import requests
import requests.exceptions as rq
import urllib3
import urllib3.exceptions as u3
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from bridge.adapters.http.connections import Adapter
from bridge.core.errors import ConfigurationError, Fault, OutcomeUnknown, Rejected, Unreachable

URLLIB3_FROM, URLLIB3_BEFORE = (2, 5), (3,)
"""The range that setup.cfg pins."""

_IMPOSTORS = ("urllib3-future", "niquests")

LONGEST_RETRY_AFTER = timedelta(hours=1)

_PIECE = 64 * 1024
_HEAD = 512


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """
        Follow nothing, whatever the call says.

        requests reads the whole body of a redirect, without limit, even when it shall not follow it.
        """


class RenewableAuth(AuthBase):
    """Authorisation that forgets what an answer 401 refused: the same call, made once more, carries another."""


def renewing(auth: AuthBase | None, once: Callable[[], "Answer"]) -> "Answer":
    """
    Make a call, and once more where it was refused at the door with what *auth* has forgotten since.

    Nothing was done then, so a write may be sent again: the one case in which that happens without a look.
    """
    answer = once()
    return once() if answer.status == 401 and isinstance(auth, RenewableAuth) else answer


def check_urllib3() -> None:
    """
    Make sure that the urllib3 in use is the pinned one.

    Raises:
        ConfigurationError: It is another version, or urllib3-future, which niquests puts in its place.
    """
    if faults := urllib3_faults(vars(urllib3)["__version__"], impostors=list(filter(_installed, _IMPOSTORS))):
        raise ConfigurationError(faults)


def urllib3_faults(version: str, impostors: Iterable[str]) -> list[Fault]:
    """Say what is wrong with urllib3 *version*, beside the installed distributions that replace it."""
    faults = [
        Fault(
            where="urllib3", message=f"{name} takes its place and slows requests down; uninstall it, reinstall urllib3"
        )
        for name in impostors
    ]
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not URLLIB3_FROM <= numbers < URLLIB3_BEFORE:
        faults.append(Fault(where="urllib3", message=f"version {version} is in use; install urllib3>=2.5,<3"))
    return faults


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def new_session(
    *,
    pool: int,
    user_agent: str = "altinn-dialog-bridge",
    mounts: Mapping[str, BaseAdapter] | None = None,
) -> requests.Session:
    """
    Make a session for up to *pool* threads: no proxies or netrc from the environment, cookies, redirects or repeats.

    A larger number of threads than *pool* works, and throws connections away. *mounts* go on last.

    Raises:
        ConfigurationError: See ``check_urllib3``.
    """
    check_urllib3()
    # Its debug lines and header warnings hold whole URLs, and Altinn 2's URLs hold identity numbers.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session = _Session()
    session.trust_env = False
    session.headers["User-Agent"] = user_agent
    # Altinn 2 answers a token beside a cookie with errors (facts/altinn2.md 1.6).
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("https://", "http://"):
        # The engine owns repeats; a blocking pool would wait under no time limit.
        session.mount(scheme, Adapter(pool_connections=8, pool_maxsize=pool, max_retries=0, pool_block=False))
    for prefix, adapter in (mounts or {}).items():
        session.mount(prefix, adapter)
    return session


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

    The deadline is looked at after each piece that arrives, so a trickle ends at it; an answer that stops
    altogether ends when the time that was left at its last piece is over. *max_bytes* counts unpacked bytes. A *sink*
    takes the pieces of an answer below 300 as they come; ``Answer.body`` is then no more than its first bytes.

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
        into = sink if response.status_code < 300 else None
        for piece in _pieces(response, lambda: ends - clock()):
            total += len(piece)
            if into is None:
                body += piece
            else:
                body += piece[: max(0, _HEAD - len(body))]
                into(piece)
            if total > max_bytes:
                raise _too_large(system, writes, response.status_code, max_bytes)
        return Answer(
            status=response.status_code,
            reason=_phrase(response.reason),
            headers=response.headers,
            body=bytes(body),
            path=urlsplit(response.url).path,
        )


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
        self.answer = Answer(
            status=self._response.status_code,
            reason=_phrase(self._response.reason),
            headers=self._response.headers,
            body=self._first,
            path=urlsplit(self._response.url).path,
        )
        told = self._response.headers.get("Content-Length", "")
        packed = "Content-Encoding" in self._response.headers
        self.length = int(told) if told.isascii() and told.isdigit() and not packed else None
        chunked = "chunked" in self._response.headers.get("Transfer-Encoding", "").lower()
        self.open_ended = not told and not chunked

    def __iter__(self) -> "StreamedAnswer":
        """Give the body from its first byte, once."""
        return self

    def __next__(self) -> bytes:
        """
        Give the next piece.

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
                raise _too_large(self._system, False, self._response.status_code, self._max_bytes)
            yield piece


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


def _too_large(system: str, writes: bool, status: int, max_bytes: int) -> OutcomeUnknown | Rejected:
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


class Sent(Enum):
    """What an error says about the request that met it."""

    NOTHING = "nothing"
    """No byte of it left us."""
    MAYBE = "maybe"
    """It may have arrived, whole or in part."""
    ASK_CAUSE = "look inside"
    """The error that it wraps decides; when that says nothing, it may have arrived."""


SENT: Mapping[type[BaseException], Sent] = {
    # requests
    rq.RequestException: Sent.ASK_CAUSE,
    rq.ConnectionError: Sent.ASK_CAUSE,
    rq.SSLError: Sent.ASK_CAUSE,
    rq.ConnectTimeout: Sent.NOTHING,
    rq.ProxyError: Sent.NOTHING,
    rq.URLRequired: Sent.NOTHING,
    rq.MissingSchema: Sent.NOTHING,
    rq.InvalidSchema: Sent.NOTHING,
    rq.InvalidURL: Sent.NOTHING,
    rq.InvalidProxyURL: Sent.NOTHING,
    # Ours before it is sent, or one of the answer: two lengths, for example.
    rq.InvalidHeader: Sent.ASK_CAUSE,
    rq.InvalidJSONError: Sent.NOTHING,
    rq.UnrewindableBodyError: Sent.MAYBE,
    rq.Timeout: Sent.MAYBE,
    rq.ReadTimeout: Sent.MAYBE,
    rq.HTTPError: Sent.MAYBE,
    rq.JSONDecodeError: Sent.MAYBE,
    rq.TooManyRedirects: Sent.MAYBE,
    rq.ChunkedEncodingError: Sent.MAYBE,
    rq.ContentDecodingError: Sent.MAYBE,
    rq.StreamConsumedError: Sent.MAYBE,
    rq.RetryError: Sent.MAYBE,
    # urllib3
    u3.HTTPError: Sent.ASK_CAUSE,
    u3.PoolError: Sent.ASK_CAUSE,
    u3.RequestError: Sent.ASK_CAUSE,
    u3.MaxRetryError: Sent.ASK_CAUSE,
    u3.SSLError: Sent.ASK_CAUSE,
    u3.ConnectTimeoutError: Sent.NOTHING,
    u3.NewConnectionError: Sent.NOTHING,
    u3.NameResolutionError: Sent.NOTHING,
    u3.ProxyError: Sent.NOTHING,
    u3.EmptyPoolError: Sent.NOTHING,
    u3.FullPoolError: Sent.NOTHING,
    u3.ClosedPoolError: Sent.NOTHING,
    u3.HostChangedError: Sent.NOTHING,
    u3.TimeoutStateError: Sent.NOTHING,
    u3.LocationValueError: Sent.NOTHING,
    u3.LocationParseError: Sent.NOTHING,
    u3.URLSchemeUnknown: Sent.NOTHING,
    u3.ProxySchemeUnknown: Sent.NOTHING,
    u3.InvalidHeader: Sent.MAYBE,
    u3.UnrewindableBodyError: Sent.MAYBE,
    u3.TimeoutError: Sent.MAYBE,
    u3.ReadTimeoutError: Sent.MAYBE,
    u3.ProtocolError: Sent.MAYBE,
    u3.DecodeError: Sent.MAYBE,
    u3.ResponseError: Sent.MAYBE,
    u3.ResponseNotChunked: Sent.MAYBE,
    u3.BodyNotHttplibCompatible: Sent.MAYBE,
    u3.IncompleteRead: Sent.MAYBE,
    u3.InvalidChunkLength: Sent.MAYBE,
    u3.HeaderParsingError: Sent.MAYBE,
    # Below them: an adapter of another make may let these through.
    http.client.HTTPException: Sent.MAYBE,
    socket.gaierror: Sent.NOTHING,
    ssl.SSLCertVerificationError: Sent.NOTHING,
    ssl.SSLError: Sent.MAYBE,
    ConnectionRefusedError: Sent.NOTHING,
    ConnectionError: Sent.MAYBE,
    TimeoutError: Sent.MAYBE,
}
"""Each transport error, and whether a byte of the request may have left; held complete by a test."""

_CAUGHT = (
    rq.RequestException,
    u3.HTTPError,
    http.client.HTTPException,
    ssl.SSLError,
    socket.gaierror,
    ConnectionError,
    TimeoutError,
)


@contextmanager
def calling(system: str, *, writes: bool) -> Iterator[None]:
    """
    Turn every transport error inside into ours.

    The cause that stays attached is the innermost error: those around it hold the URL, the body and the token.

    Raises:
        Unreachable: No byte left us, or *writes* is false.
        OutcomeUnknown: *writes*, and a byte may have left us.
    """
    try:
        yield
    except _CAUGHT as error:
        chain = list(_chain(error))
        # Only the names of classes: the texts of requests and urllib3 quote URLs.
        names = ", ".join(dict.fromkeys(type(link).__name__ for link in chain))
        sent = _sent(chain)
        words = "could not be reached" if sent is Sent.NOTHING else "no whole answer came"
        kind = OutcomeUnknown if writes and sent is Sent.MAYBE else Unreachable
        raise kind(system, f"{words} ({names})") from _root(chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give *error* and what it wraps, outermost first."""
    seen: set[int] = set()
    link: object = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        inside = [getattr(link, "reason", None), *link.args, link.__cause__]
        link = next((one for one in inside if isinstance(one, BaseException)), None)


def _root(chain: Sequence[BaseException]) -> OSError | None:
    root = chain[-1]
    return root if isinstance(root, OSError) and not isinstance(root, rq.RequestException) else None


def _sent(chain: Iterable[BaseException]) -> Sent:
    for error in chain:
        sort = next((SENT[kind] for kind in type(error).__mro__ if kind in SENT), Sent.ASK_CAUSE)
        match sort:
            case Sent.NOTHING | Sent.MAYBE:
                return sort
            case Sent.ASK_CAUSE:
                continue
            case _:
                assert_never(sort)
    return Sent.MAYBE


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """
    Read ``Retry-After``, in seconds or as a date, as a wait from *now* between nothing and an hour.

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
