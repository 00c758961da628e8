"""What comes in with a request: the token, parameters, the body, the trace."""

import re
from collections.abc import Callable, Mapping

from flask import Request
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException

from bridge.core.ids import mask_identity_numbers
from bridge.core.problems import Refusal
from bridge.rooms import Load
from bridge.steps.forms.request_body import in_its_charset

CHUNK = 64 * 1024
LOOKS = frozenset({"GET", "HEAD"})
STRICT_LOOKS = frozenset({"actions", "elements", "attachments"})
"""Blueprints whose looks take no parameters: one that is passed over would be taken for a filter."""
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_ATTACHMENT = frozenset({"fileName", "attachmentType", "language"})
PARAMETERS: Mapping[str, frozenset[str]] = {"attachments.add": _ATTACHMENT, "attachments.put": _ATTACHMENT}
"""What writing routes take in their query, by endpoint; all others take nothing there."""

BODIES = frozenset({"actions.press", "attachments.add", "attachments.put"})
"""Writing routes that take a body."""

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def bearer_token(request: Request) -> str | None:
    """Take the token out of ``Authorization: Bearer``; None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def refuse_what_is_unknown(request: Request) -> None:
    """
    Refuse what would be passed over where something is written: a parameter, a body, a part of a body.

    What goes on to an app is the app's to judge, except how the body is packed.

    Raises:
        Refusal: 400, and 415 for a packed body.
    """
    if request.endpoint is None:
        return
    if request.method in LOOKS and request.blueprint in STRICT_LOOKS:
        _refuse_parameters(request)
    if request.method not in WRITES:
        return
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise Refusal("body_coding", 415)
    if "Content-Range" in request.headers:
        # RFC 9110, 14.5: a part must not count as the whole.
        raise Refusal("body_incomplete", 400)
    if request.blueprint == "proxy":
        return
    _refuse_parameters(request)
    if request.endpoint not in BODIES and has_body(request):
        raise Refusal("body_not_expected", 400)


def _refuse_parameters(request: Request) -> None:
    known = PARAMETERS.get(request.endpoint or "", frozenset())
    for name, values in request.args.lists():
        if name not in known or len(values) > 1:
            raise Refusal("parameter_refused", 400, facts={"parameter": mask_identity_numbers(name)[:50]})


def check_charset(request: Request) -> None:
    """
    Refuse JSON that is said to be in another encoding than UTF-8, as which it is read: its letters would be others.

    Raises:
        Refusal: 415.
    """
    in_its_charset(request.content_type or "", b"")


def has_body(request: Request) -> bool:
    """Whether a body was announced."""
    return bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "").lower()


def read_body(request: Request, *, limit: int, load: Load) -> bytes | None:
    """
    The whole body, its size counted into *load*; None when it is empty.

    The stream is read and counted here, since Werkzeug cuts a chunked body at its limit without a word.

    Raises:
        Refusal: 413 above *limit* bytes, 400 when it ends before its end, 503 beside too many long ones.
    """
    too_large = Refusal("body_too_large", 413, facts={"limit": str(limit)})
    if (request.content_length or 0) > limit:
        raise too_large
    load.grow(request.content_length or 0)
    read = body_reader(request)
    parts, total = [], 0
    while chunk := read(min(CHUNK, limit + 1 - total)):
        total += len(chunk)
        if total > limit:
            raise too_large
        load.grow(total)
        parts.append(chunk)
    return b"".join(parts) or None


def body_reader(request: Request) -> Callable[[int], bytes]:
    """
    What reads the body, a piece at a time; it raises Refusal when the body ends before its end.

    A body of known length is read from the server's own stream, no further than that: Werkzeug's copies each piece.
    """
    length = request.content_length
    if length is None:
        return _whole(request.stream.read, None)
    stream = request.environ["wsgi.input"]
    if isinstance(stream, Body) and isinstance(stream.reader, LengthReader) and not stream.buf.tell():
        return _whole(_received(stream, stream.reader), length)
    return _whole(stream.read, length)


def _whole(read: Callable[[int], bytes], length: int | None) -> Callable[[int], bytes]:
    """
    What reads to the end and no less: servers end a body that was cut as they end a whole one.

    A body of *length* None is in chunks, whose last one the server looks for.
    """
    left = length

    def some(size: int) -> bytes:
        nonlocal left
        wanted = size if left is None else min(size, left)
        if not wanted:
            return b""
        try:
            piece = read(wanted)
        except (ParseException, OSError) as error:
            raise Refusal("body_incomplete", 400) from error
        if left is not None:
            left -= len(piece)
            if not piece:
                raise Refusal("body_incomplete", 400)
        return piece

    return some


def _received(body: Body, reader: LengthReader) -> Callable[[int], bytes]:
    """
    What was received as it was received, without the three copies that gunicorn's own reading makes of it.

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
