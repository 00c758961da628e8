"""An app as bytes on a socket: what it was asked, as it came, and an answer as a test writes it."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

from bridge.adapters.apps.connections import app_mounts
from tests.web.proxying import Proxying

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class RawApp:
    """Answers each connection's one request with *answer*, whatever it is, and closes."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Where apps are, as a setting has it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/{{org}}/{{app}}"

    def before(self, stage: Proxying) -> Proxying:
        """Let a bridge's proxy lead here, over real sockets."""
        stage.bridge.apps._url = self.url
        stage.bridge.apps._session.mount("http://", app_mounts(pool=2)["http://"])
        return stage

    def __enter__(self) -> "RawApp":
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        # A listener that is only closed goes on waiting in the thread.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(10)
                self.asked.append(_request(connection))
                connection.sendall(self.answer)

    @property
    def target(self) -> bytes:
        """What was asked for last, as it stood in the request line."""
        return self.asked[-1].split(b" ", 2)[1]

    def headers(self, name: str) -> list[str]:
        """The values of a header of the last request, line by line."""
        lines = self.asked[-1].partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(": ") for line in lines)
        return [value for key, _, value in pairs if key.lower() == name.lower()]


def _request(connection: socket.socket) -> bytes:
    came = b""
    while b"\r\n\r\n" not in came:
        piece = connection.recv(65_536)
        if not piece:
            return came
        came += piece
    head = came.partition(b"\r\n\r\n")[0].lower()
    _, _, length = head.partition(b"\r\ncontent-length: ")
    wanted = len(head) + 4 + int(length.split(b"\r\n")[0] or 0)
    while len(came) < wanted:
        came += connection.recv(65_536)
    return came
