"""What becomes of a call, whatever the other side does to it."""

import contextlib
import gzip
import io
import itertools
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests
import requests.exceptions
import urllib3.exceptions
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from bridge.adapters.http.call import Answer, call, retry_after
from bridge.adapters.http.errors import SENT, calling
from bridge.adapters.http.session import new_session
from bridge.core.errors import OutcomeUnknown, Rejected, Unreachable

NOW = datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)
CANARY = "canary"
PRIVATE = f"/my/messages/{CANARY}"


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run *serve* for each connection that comes in on loopback; give host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                served.append(threading.Thread(target=one, args=(connection,)))
                served[-1].start()

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                serve(connection)

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            for thread in served:
                thread.join(10)


def read_request(connection: socket.socket) -> bytes:
    """Read head and body of one request; nothing where the connection ended."""
    stream = connection.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head + stream.read(length)


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Answer one request with these bytes, then hang up."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return serve


def put(address: str, *, writes: bool = True, **options: object) -> Answer:
    """Put four bytes to *address*, with a deadline that a loaded machine keeps."""
    url = f"{address if '://' in address else f'http://{address}'}{PRIVATE}"
    with new_session(pool=1) as session:
        return call(session, "PUT", url, system="Altinn 2", writes=writes, data=b"form", **options)  # type: ignore[arg-type]


def every_subclass(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for below in kind.__subclasses__():
        yield from every_subclass(below)


def test_every_transport_error_is_sorted() -> None:
    """No release of requests or urllib3 brings an error that nobody has thought about."""
    roots = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError)

    known = {
        kind
        for root in roots
        for kind in every_subclass(root)
        if kind.__module__.partition(".")[0] in {"requests", "urllib3"}
    }

    assert [kind.__qualname__ for kind in known if kind not in SENT] == []


@pytest.mark.parametrize("writes", [True, False])
def test_a_refused_connection_has_written_nothing(writes: bool) -> None:
    """A call that met no listener may be repeated, also when it writes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(Unreachable) as caught:
        put(f"127.0.0.1:{port}", writes=writes)

    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


@pytest.mark.parametrize(
    "greeting",
    [pytest.param(b"220 mail\r\n", id="another protocol"), pytest.param(b"", id="hangs up")],
)
def test_a_failed_handshake_has_written_nothing(greeting: bytes) -> None:
    """TLS that never came up has carried no byte of the request."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(greeting)

    with listening(serve) as address, pytest.raises(Unreachable):
        put(f"https://{address}")


def test_a_stalled_handshake_has_written_nothing() -> None:
    """A handshake without an end is no lost answer."""
    over = threading.Event()

    def serve(_: socket.socket) -> None:
        over.wait(30)

    with listening(serve) as address:
        try:
            with pytest.raises(Unreachable):
                put(f"https://{address}", connect_timeout=0.05)
        finally:
            over.set()


HEAD = b"HTTP/1.1 200 OK\r\n"

BROKEN = [
    pytest.param(b"", id="hangs up without an answer"),
    pytest.param(b"HTTP/1.1 20", id="hangs up in the status line"),
    pytest.param(b"220 mail ready\r\n", id="speaks another protocol"),
    pytest.param(HEAD + b"Content-Length: 10\r\n\r\nhalf", id="hangs up in the body"),
    pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal", id="hangs up in a chunk"),
    pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nsoup\r\n", id="chunk of no length"),
    pytest.param(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="has two lengths"),
    pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n", id="informs, and hangs up"),
    pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="goes over to another protocol"),
    pytest.param(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", id="body that is not gzip"),
]


def test_what_only_informs_is_not_the_answer() -> None:
    """Any number of them up to twenty, with headers of their own."""
    first = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nLink: </a>\r\n\r\n"

    with listening(answering(first * 3 + HEAD + b"Content-Length: 2\r\n\r\nok")) as address:
        answer = put(address)

    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize("answer", BROKEN)
def test_a_lost_answer_leaves_a_write_open(answer: bytes) -> None:
    """A write that was sent, and whose answer did not come whole, is read back before it is repeated."""
    with listening(answering(answer)) as address, pytest.raises(OutcomeUnknown):
        put(address)


@pytest.mark.parametrize("answer", BROKEN)
def test_a_lost_answer_leaves_a_read_unharmed(answer: bytes) -> None:
    """A read may be repeated, whatever befell it."""
    with listening(answering(answer)) as address, pytest.raises(Unreachable):
        put(address, writes=False)


@pytest.mark.parametrize(("writes", "kind"), [(True, OutcomeUnknown), (False, Unreachable)])
def test_silence_ends_at_the_deadline(writes: bool, kind: type[Exception]) -> None:
    """A server that takes the request and says nothing is left."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        over.wait(30)

    with listening(serve) as address:
        try:
            with pytest.raises(kind):
                put(address, writes=writes, deadline_seconds=0.05)
        finally:
            over.set()


def test_silence_in_the_body_ends_at_the_deadline() -> None:
    """What is left of the deadline counts for the next piece, not the whole deadline again."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        answering(HEAD + b"Content-Length: 10\r\n\r\nhalf")(connection)
        over.wait(30)

    # The clock says that all but a twentieth of the deadline is over, so a test that hangs shows a fault.
    times = itertools.chain([0.0], itertools.repeat(999.95))
    with listening(serve) as address:
        try:
            with pytest.raises(OutcomeUnknown):
                put(address, deadline_seconds=1000.0, clock=lambda: next(times))
        finally:
            over.set()


def test_a_trickle_ends_at_the_deadline() -> None:
    """An answer without end is left when the clock says so, though every piece of it is in time."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(HEAD + b"Connection: close\r\n\r\n")
        while True:
            connection.sendall(b"x" * 1024)

    ticks = itertools.count()
    with listening(serve) as address, pytest.raises(OutcomeUnknown):
        put(address, deadline_seconds=30.0, clock=lambda: float(next(ticks)))


LONG = HEAD + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000
BOMB = gzip.compress(b"x" * 1_000_000)
PACKED = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB


@pytest.mark.parametrize("answer", [pytest.param(LONG, id="long"), pytest.param(PACKED, id="long when unpacked")])
def test_an_endless_answer_is_cut_off(answer: bytes) -> None:
    """Nobody fills the memory; repeating such a read would not help, and a write is read back."""
    with listening(answering(answer)) as address:
        with pytest.raises(Rejected) as read:
            put(address, writes=False, max_bytes=1999)
        with pytest.raises(OutcomeUnknown):
            put(address, writes=True, max_bytes=1999)

    assert read.value.reason == "answer_too_large"


def test_an_answer_of_the_allowed_size_passes() -> None:
    """The size limit is the last size that is good."""
    with listening(answering(LONG)) as address:
        answer = put(address, max_bytes=2000)

    assert len(answer.body) == 2000


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_reason_phrases_keep_norwegian_letters(encoding: str) -> None:
    """Altinn 2 explains itself in the reason phrase, whichever way its bytes are written."""
    line = "HTTP/1.1 400 Skjemaet må fylles ut på nytt, så ærlig som mulig, Øystein".encode(encoding)

    with listening(answering(line + b"\r\nContent-Length: 0\r\n\r\n")) as address:
        answer = put(address)

    assert (answer.status, answer.reason) == (400, "Skjemaet må fylles ut på nytt, så ærlig som mulig, Øystein")


def test_an_answer_prints_its_status_only() -> None:
    """Path, headers, body and phrase may be about a person."""
    with listening(answering(HEAD + b"X-Name: secret-header\r\nContent-Length: 11\r\n\r\nsecret-body")) as address:
        answer = put(address, params={"fileName": "secret-name"})

    assert (answer.body, answer.headers["x-name"], answer.path) == (b"secret-body", "secret-header", PRIVATE)
    assert repr(answer) == "Answer(status=200)"


def test_redirects_are_answers() -> None:
    """A redirect to a login page is seen as such, and nothing follows it."""
    seen: list[bytes] = []
    moved = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 5\r\n\r\nmoved"

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(moved)

    with listening(serve) as address:
        answer = put(address)

    assert (answer.status, answer.headers["Location"], answer.body, len(seen)) == (302, "/login", b"moved", 1)


def test_cookies_are_never_kept() -> None:
    """Altinn 2 fails when a token comes beside the cookie it handed out before."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(HEAD + b"Set-Cookie: .ASPXAUTH=x; path=/\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as address, new_session(pool=1) as session:
        for _ in range(2):
            call(session, "GET", f"http://{address}/", system="Altinn 2", writes=False)

    assert [b"cookie" in request.lower() for request in seen] == [False, False]


def test_connections_are_used_again() -> None:
    """An answer that was read to its end gives its connection back."""
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        while read_request(connection):
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\nok")

    with listening(serve) as address, new_session(pool=1) as session:
        bodies = [call(session, "GET", f"http://{address}/", system="X", writes=False).body for _ in range(3)]

    assert (bodies, len(connections)) == ([b"ok"] * 3, 1)


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the machine send no token elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with listening(answering(HEAD + b"Content-Length: 0\r\n\r\n")) as address:
        answer = put(address)

    assert answer.status == 200


def test_errors_tell_no_address_body_or_token() -> None:
    """A printed traceback of a failed call names the system and the kind of failure only."""
    with listening(answering(b"")) as address, pytest.raises(OutcomeUnknown) as caught:
        put(address, params={"name": CANARY}, headers={"Authorization": f"Bearer {CANARY}"})

    printed = "".join(traceback.format_exception(caught.value))
    assert str(caught.value).startswith("Altinn 2: no whole answer came (")
    assert CANARY not in printed


class Failing(BaseAdapter):
    """An adapter that fails in the way it is told."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, *_: object, **__: object) -> requests.Response:
        raise self.error

    def close(self) -> None:
        """Hold nothing."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.exceptions.ConnectTimeout(), Unreachable),
        (requests.exceptions.ConnectionError(urllib3.exceptions.ClosedPoolError(None, "closed")), Unreachable),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError("expired")), Unreachable),
        (requests.exceptions.SSLError(ssl.SSLEOFError("EOF in violation of protocol")), OutcomeUnknown),
        (requests.exceptions.ConnectionError("who knows"), OutcomeUnknown),
        (socket.gaierror(-2, "Name or service not known"), Unreachable),
        (ConnectionResetError(), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_other_adapters_errors_are_sorted_too(error: Exception, kind: type[Exception]) -> None:
    """What is not known to be unsent counts as sent."""
    session = new_session(pool=1, mounts={"http://altinn.test/": Failing(error)})

    with pytest.raises(kind):
        call(session, "PUT", "http://altinn.test/", system="Altinn 2", writes=True)


def test_an_answer_from_any_adapter_is_read() -> None:
    """An adapter that brings a plain stream works like one that brings a socket."""

    class Plain(Failing):
        def send(self, *_: object, **__: object) -> requests.Response:
            response = requests.Response()
            response.status_code, response.raw, response.url = 200, io.BytesIO(b"plain"), "http://altinn.test/a?b=c"
            return response

    session = new_session(pool=1, mounts={"http://altinn.test/": Plain(ValueError())})

    answer = call(session, "GET", "http://altinn.test/a", system="Altinn 2", writes=False)

    assert (answer.body, answer.path, answer.reason) == (b"plain", "/a", "")


def test_our_own_errors_pass_through() -> None:
    """A fault of the caller is not taken for one of the network."""
    with pytest.raises(KeyError), calling("Altinn 2", writes=True):
        raise KeyError("ours")


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("0", timedelta()),
        ("120", timedelta(minutes=2)),
        ("3601", timedelta(hours=1)),
        ("9" * 5000, timedelta(hours=1)),
        ("0" * 20 + "7", timedelta(seconds=7)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("١٢", None),
        ("Mon, 02 Nov 2026 12:01:30 GMT", timedelta(seconds=90)),
        ("Mon, 02 Nov 2026 11:59:59 GMT", timedelta()),
        ("Mon, 02 Nov 2026 12:01:30 -0000", timedelta(seconds=90)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", timedelta(hours=1)),
        ("Mon, 99 Nov 2026 12:01:30 GMT", None),
    ],
    ids=lambda value: str(value)[:24],
)
def test_retry_after_is_bounded(text: str, wait: timedelta | None) -> None:
    """Seconds or a date become a wait between nothing and an hour; the rest is no wait at all."""
    assert retry_after(CaseInsensitiveDict({"retry-after": text}), NOW) == wait


def test_retry_after_may_be_absent() -> None:
    """Most answers say nothing."""
    assert retry_after({}, NOW) is None
