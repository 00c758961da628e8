"""The sandbox on loopback: all systems under one host, over HTTP/1.1 with keep-alive."""

import argparse
import json
import socket
import sys
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from bridge.sandbox.altinn2.api import Altinn2
from bridge.sandbox.apps.api import Apps
from bridge.sandbox.arbeidsflate import Arbeidsflate
from bridge.sandbox.control import Control, settings
from bridge.sandbox.core.http_system import Cut, plain
from bridge.sandbox.core.switches import Switches, UnknownSwitch, parsed
from bridge.sandbox.dialogporten.api import Dialogporten
from bridge.sandbox.maskinporten.api import Maskinporten
from bridge.sandbox.maskinporten.platform import Platform
from bridge.sandbox.world import World

_PIECE = 65_536


class Dispatcher:
    """Hands each call to the system whose prefix its path has."""

    def __init__(self, world: World, base_url: str) -> None:
        systems = (Altinn2, Dialogporten, Maskinporten, Platform, Apps)
        self._apps: dict[str, Any] = {kind.prefix.split("/")[1]: kind(world, base_url) for kind in systems}
        self._apps["_sandbox"] = Control(world, base_url)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer, as WSGI has it; raises ``Cut`` where the connection shall be closed without an answer."""
        first = environ["PATH_INFO"].removeprefix("/").partition("/")[0].lower()
        app = self._apps.get(first) or plain(404)
        answer: Iterable[bytes] = app(environ, start_response)
        return answer


def create_wsgi(world: World, base_url: str) -> Dispatcher:
    """Put all systems under one host; *base_url* is its address without a slash at the end."""
    return Dispatcher(world, base_url)


class _Handler(WSGIRequestHandler):
    """Werkzeug's handler closes after every answer; this one keeps alive, and can close without one."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 600

    def run_wsgi(self) -> None:
        """Answer one request with what the app says."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        self.environ = environ = self.make_environ()
        if not environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = _Limited(self.rfile, int(environ.get("CONTENT_LENGTH") or 0))
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            del exc_info
            head[:] = [status, headers]

        try:
            pieces = self.server.app(environ, start_response)
        except Cut:
            self.close_connection = True
            return
        try:
            self._send(head[0], head[1], pieces)
        except Cut:
            self.wfile.flush()
            self.close_connection = True
            return
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        while environ["wsgi.input"].read(_PIECE):
            continue

    def _send(self, status: str, headers: list[tuple[str, str]], pieces: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or int(code) in (204, 304)
        chunked = not bodiless and "content-length" not in names
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            if bodiless or not piece:
                continue
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                self.wfile.flush()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def finish(self) -> None:
        """Let go of the connection, also where a client that left makes the last flush fail."""
        try:
            super().finish()
        finally:
            self.rfile.close()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the world has a call log."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing is told of idle connections that ran out of time."""


class _Limited:
    """A body of known length, so that reading it to its end leaves the next request alone."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        if not wanted:
            return b""
        piece: bytes = self._stream.read(wanted)
        self._left = self._left - len(piece) if piece else 0
        return piece

    def readline(self, size: int = -1) -> bytes:
        line: bytes = self._stream.readline(self._left if size < 0 else min(size, self._left))
        self._left -= len(line)
        return line


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that stopping ends them: a pooled client must not reach a stopped sandbox."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._guard = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over clients that left; show everything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        with self._guard:
            connections = tuple(self._connections)
        for each in connections:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class Sandbox:
    """Runs a world on loopback, in a thread: ``with Sandbox(world) as sandbox: sandbox.base_url``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._page: _Server | None = None
        self._page_thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The address, once started."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def app(self) -> Any:
        """The WSGI app that answers; a test may put one of its own around it."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return self._server.app

    @app.setter
    def app(self, app: Any) -> None:
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        self._server.app = app

    def start(self, port: int = 0) -> "Sandbox":
        """Listen on *port* of loopback, or on any free one, and answer from now on."""
        self._server = _Server("127.0.0.1", port, plain(503), handler=_Handler)
        self._server.app = create_wsgi(self.world, self.base_url)
        # Another port is another origin: what a browser does across origins is part of what is tested.
        self._page = _Server("127.0.0.1", 0, Arbeidsflate(self.world, self.base_url), handler=_Handler)
        self.world.arbeidsflate_url = f"http://127.0.0.1:{self._page.server_port}"
        # The keys are made now rather than by the first call, which somebody may be measuring.
        settings(self.world, self.base_url)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="sandbox")
        self._thread.start()
        self._page_thread = threading.Thread(
            target=self._page.serve_forever, args=(0.05,), daemon=True, name="arbeidsflate"
        )
        self._page_thread.start()
        return self

    def stop(self) -> None:
        """Answer no more: streams end, connections close, the port is free."""
        if self._server is None or self._thread is None:
            return
        self.world.close()
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections()
        self._server.server_close()
        self._server = self._thread = None
        if self._page is not None and self._page_thread is not None:
            self._page.shutdown()
            self._page_thread.join()
            self._page.end_connections()
            self._page.server_close()
        self._page = self._page_thread = self.world.arbeidsflate_url = None

    def __enter__(self) -> "Sandbox":
        """Start on any free port, unless started."""
        return self if self._server is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sandbox until interrupted; prints one JSON line with its address when it is ready."""
    parser = argparse.ArgumentParser(prog="python -m bridge.sandbox", description="Run the sandbox on loopback.")
    parser.add_argument("--port", type=int, default=0, help="any free one by default")
    parser.add_argument("--seed", type=int, default=0, help="decides ids and synthetic identities")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    arguments = parser.parse_args(argv)
    try:
        switches = Switches().changed(**dict(map(parsed, arguments.switch)))
    except UnknownSwitch as error:
        parser.error(str(error))
    world = World(lambda: datetime.now(UTC), arguments.seed, switches)
    ended = threading.Event()
    with Sandbox(world).start(arguments.port) as sandbox:
        print(json.dumps({"base_url": sandbox.base_url}), flush=True)  # noqa: T201 - this line is the interface
        try:
            ended.wait()
        except KeyboardInterrupt:
            return 0
    return 0
