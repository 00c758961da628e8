"""What comes in with a request: the token, the body, the trace."""

import re
from collections.abc import Callable

from flask import Request
from gunicorn.http.body import Body, LengthReader

from bridge.core.errors import Refusal

CHUNK = 64 * 1024
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def bearer_token(request: Request) -> str | None:
    """Take the token out of ``Authorization: Bearer``; None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def read_body(request: Request, *, limit: int) -> bytes | None:
    """
    Read the whole body; None when it is empty.

    The stream is read and counted here, since Werkzeug cuts a chunked body at its limit without a word.

    Raises:
        Refusal: 413 above *limit* bytes.
    """
    too_large = Refusal("body_too_large", 413, facts={"limit": str(limit)})
    if (request.content_length or 0) > limit:
        raise too_large
    parts, total = [], 0
    while chunk := request.stream.read(min(CHUNK, limit + 1 - total)):
        total += len(chunk)
        if total > limit:
            raise too_large
        parts.append(chunk)
    return b"".join(parts) or None


def body_reader(request: Request) -> Callable[[int], bytes]:
    """
    Give what reads the body, a piece at a time.

    A body of known length is read from the server's own stream, no further than that: Werkzeug's copies each piece.
    """
    if request.content_length is None:
        return request.stream.read
    stream = request.environ["wsgi.input"]
    if isinstance(stream, Body) and isinstance(stream.reader, LengthReader) and not stream.buf.tell():
        return _received(stream, stream.reader)
    left, read = request.content_length, stream.read

    def some(size: int) -> bytes:
        nonlocal left
        piece: bytes = read(min(size, left)) if left else b""
        left -= len(piece)
        return piece

    return some


def _received(body: Body, reader: LengthReader) -> Callable[[int], bytes]:
    """
    Give what was received as it was received, without the three copies that gunicorn's own reading makes of it.

    A piece may be shorter than asked for. What belongs to the next request goes back.
    """

    def some(size: int) -> bytes:
        wanted = min(size, reader.length)
        if not wanted:
            return b""
        try:
            piece: bytes = reader.unreader.read(read_ahead=wanted)
        except Exception:
            body.failed = True  # Where the next request begins is not known any more.
            raise
        if len(piece) > wanted:
            reader.unreader.unread(piece[wanted:])
            piece = piece[:wanted]
        reader.length -= len(piece)
        return piece

    return some


def trace_id(request: Request) -> str | None:
    """Take the trace id out of a W3C ``traceparent``; None when there is none that holds."""
    match = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return match[1] if match and set(match[1]) != {"0"} else None
