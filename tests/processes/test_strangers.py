"""What anybody can do to the port: nobody is believed, nothing stops, and others are answered."""

import re
import resource
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.processes.harness import Site, free_port, site, until

# Real processes, and clients that keep silent until a deadline is over.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("strangers")) as made:
        made.serve()
        yield made


def said(port: int, *lines: str) -> bytes:
    """Send a head of these lines, and give the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
        stranger.sendall("\r\n".join([*lines, "Host: x", "Connection: close", "", ""]).encode())
        return whole(stranger)


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /public", "Script-Name: /public", "PATH_INFO: /health/liveness"])
def test_nobody_says_under_which_path_the_bridge_lies(made: Site, header: str) -> None:
    """A neighbour on the same machine is a stranger, too."""
    answer = said(made.port, "GET /public/health/liveness HTTP/1.1", header)

    assert answer.startswith(b"HTTP/1.1 404 ")


def test_who_the_operator_names_says_it(tmp_path: Path) -> None:
    """Behind a reverse proxy that puts the bridge under a path of its own."""
    with site(tmp_path, BRIDGE_TRUSTED_PROXIES="127.0.0.1") as made:
        made.serve()

        answer = said(made.port, "GET /public/health/liveness HTTP/1.1", "SCRIPT_NAME: /public")

        assert answer.startswith(b"HTTP/1.1 200 ")


def test_keys_that_did_not_come_are_asked_for_again(tmp_path: Path) -> None:
    """Beside an issuer that blinks the service is ready as soon as it is back."""
    with site(tmp_path) as made:
        fault = {"system": "dialogporten", "match": {"path": "/jwks.json"}, "times": 2, "how": {"status": 503}}
        made.control("POST", "/faults", fault)

        made.serve()

        assert made.control("GET", "/faults") == []


# Slow clients


PRESS = "POST /actions/0196f000-0000-7000-8000-000000000002/submit HTTP/1.1\r\nHost: x\r\n"
STALLS = {
    "nothing": b"",
    "one byte": b"G",
    "half a head": b"GET /health/liveness HTTP/1.1\r\nHost: x\r\nX-a: b",
    "half a short body": f"{PRESS}Content-Length: 1000\r\n\r\n<a>".encode(),
    "a hundredth of a long body": f"{PRESS}Content-Length: 10000000\r\n\r\n{'a' * 100_000}".encode(),
    "half a chunk": f"{PRESS}Transfer-Encoding: chunked\r\n\r\nff\r\nabc".encode(),
    "closed, and held": b"GET /health/liveness HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "kept, and silent": b"GET /health/liveness HTTP/1.1\r\nHost: x\r\n\r\n",
}


@contextmanager
def held(port: int, number: int, data: bytes) -> Iterator[list[socket.socket]]:
    """Hold so many connections on which *data* was sent, and nothing more."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(number)
        ]
        for each in sockets:
            each.sendall(data)
        yield sockets


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Few threads, and clients that are waited for one second."""
    with site(
        tmp_path_factory.mktemp("impatient"),
        BRIDGE_THREADS="4",
        BRIDGE_MAX_WAITING="2",
        BRIDGE_HEADER_TIMEOUT="1",
        BRIDGE_BODY_TIMEOUT="1",
        BRIDGE_HEALTH_LISTEN=f"127.0.0.1:{free_port()}",
    ) as made:
        made.serve()
        yield made


@pytest.mark.parametrize("stall", STALLS)
def test_clients_that_stall_stop_nobody(made: Site, stall: str) -> None:
    """Three times as many as there are threads hold their connections; health and a press are answered beside them."""
    case = made.case()
    with held(made.port, 200, STALLS[stall]):
        for _ in range(5):
            assert said(made.port, "GET /health/liveness HTTP/1.1").startswith(b"HTTP/1.1 200 ")
        assert made.press(case).status_code == 204


def test_more_connections_than_there_is_room_for_stop_nobody(made: Site) -> None:
    """Those that were waited for longest make room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with held(made.port, 1200, b"G"):
            assert said(made.port, "GET /health/liveness HTTP/1.1").startswith(b"HTTP/1.1 200 ")
            assert made.press(made.case()).status_code == 204
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("stall", "code"),
    [("half a head", b"head_too_slow"), ("half a short body", b"body_too_slow")],
)
def test_what_does_not_come_in_time_is_told(impatient: Site, stall: str, code: bytes) -> None:
    """408 with a problem document, and the connection ends."""
    with held(impatient.port, 1, STALLS[stall]) as (one,):
        answer = whole(one)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert code in answer


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_a_long_body_that_stops_does_nothing(impatient: Site, framing: str) -> None:
    """The press is refused with 408, and no part of it is taken for the whole."""
    case = impatient.case()
    head = (
        f"POST /actions/{case.dialog_id}/submit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {case.token}\r\n"
        f"Content-Type: application/xml\r\n{framing}\r\n\r\n"
    )
    with held(impatient.port, 1, head.encode() + b"10\r\n<melding>") as (one,):
        answer = whole(one)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body_too_slow" in answer
    assert impatient.rows(case) == []
    assert impatient.effects(case, "altinn2.put") == []


def test_long_bodies_leave_threads_for_the_others(impatient: Site) -> None:
    """Half of the threads are for them; who finds none in five seconds, or too many before it, is told 503."""
    case = impatient.case()
    head = (
        f"POST /actions/{case.dialog_id}/submit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {case.token}\r\n"
        "Content-Type: application/xml\r\nContent-Length: 1000000\r\n\r\n"
    )
    with held(impatient.port, 12, head.encode()) as many:
        assert impatient.press(impatient.case()).status_code == 204
        answers = [whole(each) for each in many]

    statuses = {answer.split(b" ")[1] for answer in answers}
    assert statuses == {b"408", b"503"}
    assert all(b"Retry-After" in answer for answer in answers if b" 503 " in answer)


def test_who_may_not_is_told_before_the_body(made: Site) -> None:
    """No 100 Continue to who has no token; the body never comes."""
    with held(made.port, 1, f"{PRESS}Content-Length: 10000000\r\nExpect: 100-continue\r\n\r\n".encode()) as (one,):
        assert whole(one).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("length", [1000, 1_000_000])
def test_who_waits_to_be_told_to_go_on_is(made: Site, length: int) -> None:
    """With a token, a body of any length is asked for."""
    case = made.case()
    head = (
        f"POST /actions/{case.dialog_id}/submit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {case.token}\r\n"
        f"Content-Type: application/xml\r\nConnection: close\r\nContent-Length: {length}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with held(made.port, 1, head.encode()) as (one,):
        first = one.recv(1000)
        one.sendall(b"x" * length)
        rest = whole(one)

    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 400 ")


def test_requests_in_one_breath_are_each_answered(made: Site) -> None:
    """What was read ahead of a request is the next one."""
    one = b"GET /health/liveness HTTP/1.1\r\nHost: x\r\n\r\n"
    two = f"{PRESS}Content-Length: 3\r\n\r\n<a>".encode()
    last = b"GET /health/liveness HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with held(made.port, 1, one + two + one + last) as (client,):
        answer = whole(client)

    assert re.findall(rb"HTTP/1\.1 (\d{3}) ", answer) == [b"200", b"401", b"200", b"200"]


def test_a_head_that_does_not_end_is_refused(made: Site) -> None:
    """64 KB are enough for any head."""
    with held(made.port, 1, b"GET /health/liveness HTTP/1.1\r\nX-a: " + b"a" * 100_000) as (one,):
        assert whole(one).startswith(b"HTTP/1.1 431 ")


def test_health_has_an_address_of_its_own(impatient: Site) -> None:
    """It answers health and measurements, and nothing else."""
    port = int(impatient.environ["BRIDGE_HEALTH_LISTEN"].rpartition(":")[2])

    assert said(port, "GET /health/readiness HTTP/1.1").startswith(b"HTTP/1.1 200 ")
    assert b"bridge_store_up 1.0" in said(port, "GET /metrics HTTP/1.1")
    assert said(port, "GET /openapi.json HTTP/1.1").startswith(b"HTTP/1.1 404 ")
    assert said(port, "POST /health/liveness HTTP/1.1", "Content-Length: 0").startswith(b"HTTP/1.1 404 ")


def whole(client: socket.socket) -> bytes:
    """Give what comes until the end; an end by reset, after the answer, is one too."""
    answer = b""
    with suppress(ConnectionResetError):
        while piece := client.recv(65536):
            answer += piece
    return answer


# Slow systems behind


def test_a_system_that_hangs_does_not_take_every_thread(impatient: Site) -> None:
    """First presses wait for Dialogporten, a few of them; a dialog that is known is pressed meanwhile."""
    known, first = impatient.case(), [impatient.case() for _ in range(12)]
    hangs = threading.Event()
    impatient.trap = lambda: hangs.wait(60) or None  # type: ignore[func-returns-value]
    fault = {"system": "dialogporten", "match": {"method": "GET", "path": str(first[0].dialog_id)[:8]}, "times": None}
    impatient.control("POST", "/faults", fault | {"how": {"delay_seconds": 1, "status": 503}})
    try:
        with ThreadPoolExecutor(len(first)) as pool:
            pressing = [pool.submit(impatient.press, case) for case in first]
            until(lambda: sum(each.done() for each in pressing) >= 10, what="refusals")

            assert {each.result().status_code for each in pressing if each.done()} == {503}
            assert said(impatient.port, "GET /health/readiness HTTP/1.1").startswith(b"HTTP/1.1 200 ")
            assert all("Retry-After" in each.result().headers for each in pressing if each.done())
            assert sum(each.done() for each in pressing) < len(pressing)
            hangs.set()
    finally:
        hangs.set()
        impatient.control("DELETE", "/faults")
        impatient.trap = lambda: None

    assert impatient.press(known).status_code == 204
