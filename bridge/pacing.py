"""How long clients are waited for: a body has to keep coming, and an answer has to be taken."""

import errno
import socket
import time
from dataclasses import dataclass

from bridge.core.problems import Refusal

PIECE = 64 * 1024
"""So much is taken from a client, or given to it, at once."""


class SlowBody(Refusal):
    """The rest of a request's body does not come, or comes too slowly. No fault of any system behind."""

    def __init__(self) -> None:
        super().__init__("body_too_slow", 408)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client is waited for, in seconds, and how fast a body comes at least, in bytes a second."""

    head: float
    silence: float
    rate: float


class Paced:
    """A client's socket: its body has to keep coming, and its answer has to be taken."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self._sock, self._patience = sock, patience
        self.asks_to_go_on = False
        """The client sends its body when it is told to, which is when the body is first read."""
        self.in_request = False
        self.head = b""
        """The request that is served, as far as it was here when it got its thread."""
        self._taken, self._waited = 0, 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)

    def begin(self) -> None:
        """A request begins, in a thread."""
        self._sock.settimeout(self._patience.silence)
        self.in_request, self._taken, self._waited = False, 0, 0.0

    def setblocking(self, flag: bool) -> None:
        """Block no longer than a client is waited for."""
        self._sock.settimeout(self._patience.silence if flag else 0.0)

    def recv(self, size: int) -> bytes:
        """
        Receive a piece of the body.

        Raises:
            SlowBody: It did not come, or all of it comes too slowly.
        """
        if self.asks_to_go_on:
            self.asks_to_go_on = False
            self.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        asked = time.monotonic()
        try:
            piece = self._sock.recv(size)
        except TimeoutError as error:
            raise self._too_slow() from error
        # What the reader itself took, while a system behind was slow, is not the client's time.
        self._waited += time.monotonic() - asked
        self._taken += len(piece)
        if self._waited > self._patience.silence + self._taken / self._patience.rate:
            raise self._too_slow()
        return piece

    def _too_slow(self) -> Exception:
        return SlowBody() if self.in_request else ConnectionResetError(errno.ECONNRESET, "nothing came")

    def sendall(self, data: bytes) -> None:
        """Send, piece by piece, as fast as a client that goes on taking takes it."""
        view = memoryview(data)
        for at in range(0, len(view), PIECE):
            try:
                self._sock.sendall(view[at : at + PIECE])
            except TimeoutError as error:
                raise BrokenPipeError(errno.EPIPE, "the answer is not taken") from error
