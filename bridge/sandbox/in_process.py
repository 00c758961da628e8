"""The sandbox without sockets: an adapter for requests that calls the WSGI apps with real bytes."""

import io
from collections.abc import Generator, Iterable, Iterator, Mapping
from email.message import Message
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from bridge.sandbox.core.http_system import Cut
from bridge.sandbox.server import create_wsgi
from bridge.sandbox.world import World

BASE_URL = "http://sandbox.test"


class SandboxAdapter(BaseAdapter):
    """
    Mount it on a session: ``session.mount("http://", SandboxAdapter(world))``.

    Bodies from generators are read as a socket would read them; streamed answers are handed on as they are read. A
    cut is what requests makes of one: ``ConnectionError`` around a ``ProtocolError``.
    """

    def __init__(self, world: World, base_url: str = BASE_URL) -> None:
        super().__init__()
        self.world, self.base_url = world, base_url
        self._app = create_wsgi(world, base_url)
        self._builder = HTTPAdapter()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """
        Call the app with *request* and build the response; timeouts do not exist here.

        Raises:
            requests.exceptions.ConnectionError: The connection was cut.
        """
        del stream, timeout, verify, cert, proxies
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            del exc_info
            head[:] = [status, headers]

        try:
            pieces = self._app(_environ(request), start_response)
        except Cut as error:
            cause = ProtocolError("Connection aborted.", error)
            raise RequestsConnectionError(cause, request=request) from cause
        status, headers = head
        return self._response(request, status=status, headers=headers, pieces=pieces)

    def _response(self, request: PreparedRequest, *, status: str, headers: Any, pieces: Iterable[bytes]) -> Response:
        code, _, reason = status.partition(" ")
        raw = _Answer(
            body=_Pieces(pieces),
            headers=headers,
            status=int(code),
            version=11,
            version_string="HTTP/1.1",
            reason=reason,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        # Where requests looks for cookies; the stubs allow the socket's own kind only.
        original: Any = _Head(headers)
        raw._original_response = original  # noqa: SLF001
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


class _Answer(HTTPResponse):
    """Hands on an answer without a length as it comes, which urllib3 does for chunked ones only."""

    def stream(self, amt: int | None = 65_536, decode_content: bool | None = None) -> Generator[bytes, None, None]:
        """What is there, a piece at a time."""
        if "Content-Length" in self.headers:
            yield from super().stream(amt, decode_content)
            return
        pieces: Any = self._fp
        while piece := pieces.read(-1 if amt is None else amt):
            yield piece


class _Head:
    """An answer's headers as http.client has them."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.msg = Message()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


class _Pieces(io.RawIOBase):
    """An answer's body as a file that gives what is there, piece by piece."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._pieces, self._iterator, self._rest = pieces, iter(pieces), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                piece = next(self._iterator, None)
            except Cut as error:
                raise ConnectionResetError(str(error)) from error
            if piece is None:
                return 0
            self._rest = piece
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def read1(self, size: int = -1) -> bytes | None:
        """What is there, at most *size* bytes: urllib3 asks for it by this name."""
        return self.read(size)

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if not self.closed and close is not None:
            close()
        super().close()


def _environ(request: PreparedRequest) -> Mapping[str, Any]:
    parts = urlsplit(request.url or "")
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
    }
    # The stubs say str, but requests passes bytes on as they are.
    headers: Mapping[str, Any] = request.headers
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = _native(value)
    body = request.body
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", ""):
        environ["wsgi.input_terminated"] = True
    environ["wsgi.input"] = _body(body)
    return environ


def _native(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(body: Any) -> Any:
    match body:
        case None:
            return io.BytesIO()
        case str():
            return io.BytesIO(body.encode())
        case bytes():
            return io.BytesIO(body)
        case _ if hasattr(body, "read"):
            return body
        case _:
            return io.BufferedReader(_Pieces(_as_bytes(body)))


def _as_bytes(pieces: Iterable[Any]) -> Iterator[bytes]:
    return (piece.encode() if isinstance(piece, str) else bytes(piece) for piece in pieces)
