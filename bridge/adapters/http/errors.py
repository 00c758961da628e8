"""The one place where transport errors become ours, by whether a byte was sent."""

import http.client
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import assert_never

import requests.exceptions as rq
import urllib3.exceptions as u3

from bridge.core.errors import OutcomeUnknown, Unreachable


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
    """*error* and what it wraps, outermost first."""
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
