"""
gunicorn's threads behind a loop that does the waiting: a thread is taken when a request is there, not before.

gunicorn gives each connection a thread from its first byte on, and closes with up to two seconds of patience in the
one loop that accepts: 64 sockets with a byte each, or four that are held open, stop it for everybody. Here heads and
short bodies are collected in the loop, against a clock; long bodies, which stream, share a part of the threads;
health has threads of its own; and where more wait than can be served soon, they are told so at once.
"""

import contextlib
import errno
import re
import resource
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from enum import Enum
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from bridge.heads import READ_ON, announced_length, check_head, gist, with_one_cookie
from bridge.lanes import Lane, caller_in
from bridge.pacing import PIECE, Paced, Patience, SlowBody
from bridge.turned_away import LONGEST_HEAD, LONGEST_URL, TurnedAway, names_origin

SHORT = 64 * 1024
"""A body up to here is collected before a thread is taken, as heads are. All connections together: 128 MB."""
LINGER = 2.0
"""Seconds for which what a client still sends is read away after an answer, lest it is cut off (RFC 9112 9.6)."""
LINGER_BYTES = 16 * 1024 * 1024
DRAIN = 0.1
STREAM_WAITS = 5.0
"""Seconds that a long body waits until another one has come in."""
HEALTH_THREADS, HEALTH_QUEUE = 4, 500
QUEUE = 8
"""So many times as many requests as there are threads have one or wait for one; more are told to come again."""
TRAILERS = 8 * 1024
"""What comes after the last chunk may be so long; nothing here reads it."""
_LONGEST_LINE = LONGEST_URL + len("OPTIONS  HTTP/1.1")
_FILES = 16_384
_SWEEP = 0.25

_CODED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_CALCULATES = re.compile(rb"[A-Z]+ /[^/ ?]+/[^/ ?]+/v1/data[/? ]")
_HEALTH = re.compile(rb"(GET|HEAD) (/health(/[a-z]*)?|/metrics)(\?[^ ]*)? HTTP/")


class Wait(Enum):
    """What the loop waits for on a connection."""

    HEAD = "the rest of a head, or of a short body"
    NEXT = "the next request on a connection that is kept"
    STREAM = "its turn to send a long body"
    END = "the client's end of a connection that is over"


class Connection(TConn):  # type: ignore[misc]
    """One client's connection, and what has come of its next request."""

    def __init__(self, cfg: object, sock: Paced, client: object, server: object, *, probe: bool) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser: Any = None
        self.continued = False
        """Whether its client was told to send the body."""
        self.probe = probe
        """Whether it came to the address that is for health alone."""
        self.came = bytearray()
        self.looked = 0
        self.deadline = 0.0
        self.whole: int | None = None
        """How many bytes head and short body are; None while the head is not here."""
        self.too_long: tuple[str, int] | None = None
        """How it is refused, where its head is too long and is read on alone for its origin."""
        self.streams = False
        self.lane: Lane | None = None
        self.caller = 0

    def take(self) -> None:
        """Hand over to the parser what has come."""
        if self.parser is None:
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
            self.initialized = self.data_ready = True
        self.sock.head = bytes(self.came)
        self.parser.unreader.unread(self.sock.head)
        self.came, self.looked, self.whole = bytearray(), 0, None


class Worker(ThreadWorker):  # type: ignore[misc]
    """See the module. The app says how long clients are waited for, and what those are told that are turned away."""

    def __init__(self, *args: object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience: Patience = self.app.patience
        self._turned_away: TurnedAway = self.app.turned_away
        self._probes: frozenset[Any] = frozenset(self.sockets[self.app.public_addresses :])
        self._waiting: dict[Connection, Wait] = {}
        """In the order in which they began to wait."""
        self._streams: deque[Connection] = deque()
        self._streaming = 0
        self._most_streaming = max(1, self.cfg.threads // 2)
        self._swept = 0.0

    def run(self) -> None:
        """Serve until told to stop."""
        try:
            super().run()
        finally:
            for lane in self._lanes:
                lane.pool.shutdown(wait=False)

    # Coming

    def init_process(self) -> None:
        """Make the pools, and take as many files as one may: each connection is one."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        self._lanes = (
            Lane("request", self.cfg.threads, most=QUEUE * self.cfg.threads),
            # An app that hangs takes no thread from who presses a button.
            Lane("calculation", self.cfg.threads, most=QUEUE * self.cfg.threads),
            # Quickly answered, so that a long line is a short wait.
            Lane("health", HEALTH_THREADS, most=HEALTH_QUEUE),
            Lane("probe", HEALTH_THREADS, most=HEALTH_QUEUE),
        )
        self._requests, self._calculations, self._health, self._probes_lane = self._lanes
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Take a connection in; where there is no room for it, who has been waited for longest goes."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        paced = Paced(sock, self._patience)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conn = Connection(self.cfg, paced, client, listener.getsockname(), probe=listener in self._probes)
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._wait(conn, Wait.HEAD, self._patience.head)

    def _make_room(self) -> None:
        for kind in (Wait.END, Wait.NEXT, Wait.HEAD, Wait.STREAM):
            oldest = next((each for each, wait in self._waiting.items() if wait is kind and not each.probe), None)
            if oldest is not None:
                self._drop(oldest)
                return

    def _wait(self, conn: Connection, wait: Wait, seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.deadline = time.monotonic() + seconds
        self._waiting[conn] = wait
        self.poller.register(conn.sock, selectors.EVENT_READ, lambda _: self._readable(conn))

    def _stop_waiting(self, conn: Connection) -> Wait:
        with contextlib.suppress(KeyError, ValueError, OSError):
            self.poller.unregister(conn.sock)
        return self._waiting.pop(conn)

    def _drop(self, conn: Connection) -> None:
        """Be done with a connection that waits."""
        self._stop_waiting(conn)
        with contextlib.suppress(ValueError):
            self._streams.remove(conn)
        self._gone(conn)

    def _gone(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()

    def _readable(self, conn: Connection) -> None:
        wait = self._waiting.get(conn)
        if wait is None:
            return  # It was dropped in this very round.
        try:
            piece = conn.sock._sock.recv(PIECE)  # noqa: SLF001 - not paced: the loop has a clock of its own
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            piece = b""
        if not piece and wait is Wait.HEAD and conn.whole is not None:
            # The body is cut short; who has only ended sending still reads.
            self._stop_waiting(conn)
            self._refuse(conn, "body_incomplete", 400)
        elif not piece and conn.too_long is not None and wait is Wait.HEAD:
            self._stop_waiting(conn)
            self._refuse(conn, *conn.too_long)
        elif not piece:
            self._drop(conn)
        elif wait is Wait.END:
            conn.looked += len(piece)
            if conn.looked > LINGER_BYTES:
                self._drop(conn)
        else:
            conn.came += piece
            self._stop_waiting(conn)
            self._go_on(conn, wait)

    def _go_on(self, conn: Connection, wait: Wait) -> None:
        """Look at what has come: give it to a thread, or wait for the rest."""
        left = conn.deadline - time.monotonic()
        if wait is Wait.NEXT:
            left = self._patience.head
        came = conn.came
        if conn.too_long is not None:
            self._too_long(conn, *conn.too_long, left=left)
            return
        if conn.whole is None:
            end = came.find(b"\r\n\r\n", max(0, conn.looked - 3))
            conn.looked = len(came)
            line = came.find(b"\r\n", 0, LONGEST_HEAD)
            if (len(came) if line < 0 else line) > _LONGEST_LINE:
                self._too_long(conn, "url_too_long", 414, left=min(left, LINGER))
                return
            if max(end, 0 if end >= 0 else len(came)) > LONGEST_HEAD:
                self._too_long(conn, "head_too_large", 431, left=min(left, LINGER))
                return
            if end < 0:
                if came.count(b"\n") != came.count(b"\r\n"):
                    # Its end will never come; the parser says what is wrong with it.
                    conn.lane, conn.caller = None if conn.probe else self._requests, 0
                    self._start(conn)
                else:
                    self._wait(conn, Wait.HEAD, left)
                return
            left = self._plan(conn, bytes(came[: end + 4]))
        if conn.streams:
            self._stream(conn)
        elif len(came) < (conn.whole or 0):
            self._wait(conn, Wait.HEAD, left)
        else:
            self._start(conn)

    def _too_long(self, conn: Connection, code: str, status: int, *, left: float) -> None:
        """Refuse a head that is too long, once its origin or its end is here, or enough of it."""
        head = bytes(conn.came)
        conn.looked = 0 if conn.too_long is None else conn.looked
        conn.too_long = code, status
        conn.came = bytearray(gist(head))
        conn.looked += len(head) - len(conn.came)
        if b"\r\n\r\n" in head or names_origin(head) or conn.looked > READ_ON:
            conn.came = bytearray(head)
            self._refuse(conn, code, status)
        else:
            self._wait(conn, Wait.HEAD, left)

    def _plan(self, conn: Connection, head: bytes) -> float:
        """
        The seconds to wait for what the head announces; lane, caller and length of *conn* are set by it.

        What is believed is what the parser reads.
        """
        length = announced_length(head)
        coded, expects = _CODED.search(head) is not None, _EXPECTS.search(head) is not None
        conn.whole = len(head) + (0 if length > SHORT else length)
        conn.streams = coded or length > SHORT
        healthy = not coded and not length and _HEALTH.match(head) is not None
        if conn.probe:
            conn.lane = self._probes_lane if healthy else None
        elif healthy:
            conn.lane = self._health
        else:
            conn.lane = self._calculations if _CALCULATES.match(head) else self._requests
        # A calculation is for an app, and rooms.py shares the threads out among apps.
        conn.caller = caller_in(head) if conn.lane is self._requests else 0
        if expects and length and not conn.streams:
            with contextlib.suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            conn.continued = True
        else:
            conn.continued = False
        return self._patience.silence + length / self._patience.rate

    def _stream(self, conn: Connection) -> None:
        if self._streaming < self._most_streaming:
            self._streaming += self._start(conn)
        elif len(self._streams) < self._most_streaming:
            self._streams.append(conn)
            # Not registered: what comes meanwhile stays in the kernel, and the client is held back.
            conn.sock.setblocking(False)
            conn.deadline = time.monotonic() + STREAM_WAITS
            self._waiting[conn] = Wait.STREAM
        else:
            self._refuse(conn, "too_busy", 503)

    # In a thread

    def _start(self, conn: Connection) -> bool:
        """Hand a request to a thread, and return whether one took it."""
        lane = conn.lane
        if lane is None:
            self._refuse(conn, "not_found", 404)
            return False
        if lane.full_for(conn.caller):
            self._refuse(conn, "too_busy", 503)
            return False
        conn.take()
        lane.add(
            conn.caller,
            partial(self.handle, conn),
            lambda done: self.method_queue.defer(self.finish_request, conn, done),
        )
        return True

    def handle(self, conn: Connection) -> Any:
        """Serve a request that is here; in a thread."""
        conn.sock.begin()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Connection) -> object:
        """Let the body's first reading, and not gunicorn, tell a client to go on."""
        conn.sock.asks_to_go_on = req._expected_100_continue and not conn.continued  # noqa: SLF001
        req._expected_100_continue = False  # noqa: SLF001
        conn.sock.in_request = True
        # A version to come is answered in ours (RFC 9112 2.3).
        req.version = min(req.version, (1, 1))
        check_head(req.version, req.headers)
        req.headers = with_one_cookie(req.headers)
        if isinstance(req.body.reader, ChunkedReader):
            # gunicorn lets trailers be as long as a hundred of the longest headers, and counts lines at each piece.
            req.body.reader.limit_trailer_section = TRAILERS
        return super().handle_request(req, conn)

    def handle_error(self, req: object, client: Paced, addr: object, exc: BaseException) -> None:  # noqa: ARG002
        """Answer what cannot be read, and what failed outside the app, as any problem; gunicorn would quote it."""
        with contextlib.suppress(OSError):
            client.sendall(self._turned_away.because_of(exc, client.head))

    def _keepalive_after(self, conn: Connection, keepalive: object) -> bool:
        if conn.sock.asks_to_go_on:
            return False  # Whether the body comes after all, nobody can say.
        if not keepalive:
            return False
        try:
            # A short body is here; of a long one that nobody wanted only what is on its way is waited for.
            return bool(conn.parser.finish_body(deadline=time.monotonic() + DRAIN))
        except SlowBody:
            return False

    # Going

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """Keep the connection for the next request, or end it; in the loop."""
        if conn.lane is not None:
            conn.lane.left(conn.caller)
        if conn.streams:
            conn.streams = False
            self._streaming -= 1
            if self._streams:
                following = self._streams.popleft()
                self._waiting.pop(following)
                self._stream(following)
        conn.sock.head = b""
        kept = not fs.cancelled() and fs.exception() is None and fs.result()
        if not kept or not self.alive:
            self._linger(conn)
            return
        # What was read ahead makes the socket readable no more.
        conn.came = bytearray(conn.parser.unreader.take_buffered())
        conn.deadline = time.monotonic() + self._patience.head
        if conn.came:
            self._go_on(conn, Wait.HEAD)
        else:
            self._wait(conn, Wait.NEXT, self.cfg.keepalive)

    def _linger(self, conn: Connection) -> None:
        conn.looked = 0
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._gone(conn)
        else:
            self._wait(conn, Wait.END, LINGER)

    def _refuse(self, conn: Connection, code: str, status: int) -> None:
        """Answer without a thread, and end."""
        answer = self._turned_away.answer(code, status, bytes(conn.came))
        with contextlib.suppress(OSError):
            conn.sock.setblocking(False)
            conn.sock.send(answer)
        self._linger(conn)

    # The clock

    def murder_pending(self) -> None:
        """End what did not come in time."""
        now = time.monotonic()
        if now - self._swept < _SWEEP:
            return
        self._swept = now
        late = [conn for conn in self._waiting if conn.deadline <= now]
        for conn in late:
            wait = self._waiting.get(conn)
            if wait is Wait.STREAM:
                self._stop_waiting(conn)
                self._streams.remove(conn)
                self._refuse(conn, "too_busy", 503)
            elif wait is Wait.HEAD and conn.came:
                self._stop_waiting(conn)
                slow = ("body_too_slow" if conn.whole else "head_too_slow", 408)
                self._refuse(conn, *(conn.too_long or slow))
            elif wait is not None:
                self._drop(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """End all that wait, where *force* says so."""
        if force:
            for conn in list(self._waiting):
                self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in self._waiting:
            conn.deadline = min(conn.deadline, deadline)
