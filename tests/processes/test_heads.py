"""Heads on real sockets: what is refused before the app, and what has to pass whole."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from tests.processes.harness import Site, site
from tests.web.raw_app import RawApp

pytestmark = pytest.mark.slow

ORIGIN = "https://af.altinn.no"
DIALOG = "0196f000-0000-7000-8000-000000000002"
APP = "ttd/x"


@pytest.fixture(scope="module")
def app() -> Iterator[RawApp]:
    with RawApp() as raw:
        yield raw


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, app: RawApp) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("heads")
    (folder / "routes").mkdir()
    (folder / "routes" / "x.yaml").write_text(f"app: {APP}\ntoken: caller\nanonymous: true\nverbs: get_post\n", "utf-8")
    with site(
        folder,
        BRIDGE_ROUTES=str(folder / "routes"),
        BRIDGE_ALTINN3_APPS_URL=app.url,
        BRIDGE_ALLOWED_ORIGINS=ORIGIN,
    ) as made:
        made.serve()
        yield made


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        assert self.headers["content-type"] == "application/problem+json", self
        problem: dict[str, Any] = json.loads(self.body)
        assert problem["status"] == self.status
        return str(problem["type"]).rpartition(":")[2]


def ask(made: Site, line: str, headers: Sequence[str] = (), body: bytes = b"") -> Answer:
    """Send these bytes behind a host and an origin, and give the whole answer."""
    return exchange(made, [line, "Host: x", f"Origin: {ORIGIN}", *headers], body)


def exchange(
    made: Site, lines: Sequence[str], body: bytes = b"", *, end: str = "\r\n\r\n", over: bool = True
) -> Answer:
    """Send a head of these lines alone, say with *over* that it is all, and give the whole answer."""
    head = ("\r\n".join(lines) + end).encode("latin-1")
    with socket.create_connection(("127.0.0.1", made.port), timeout=20) as client:
        answer = b""
        # A refusal may come, and the connection be closed, before all is sent.
        with suppress(OSError):
            client.sendall(head + body)
            if over:
                client.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while piece := client.recv(65_536):
                answer += piece
    first, _, rest = answer.partition(b"\r\n\r\n")
    status, *lines = first.decode("latin-1").split("\r\n")
    named = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
    return Answer(int(status.split()[1]), named, rest)


PRESS = f"POST /actions/{DIALOG}/submit HTTP/1.1"
REFUSED: dict[str, tuple[int, str, str, list[str]]] = {
    "an address of 33 KB": (414, "url_too_long", f"GET /{'a' * 33 * 1024} HTTP/1.1", []),
    "an address without end": (414, "url_too_long", f"GET /{'a' * 80_000}", []),
    "a head of 65 KB": (431, "head_too_large", PRESS, [f"X-{n}: {'a' * 8000}" for n in range(9)]),
    "a header of 65 KB": (431, "head_too_large", PRESS, [f"Cookie: {'a' * 66_000}"]),
    "150 headers": (431, "head_too_large", PRESS, [f"X-{n}: a" for n in range(150)]),
    "a control character": (400, "head_invalid", PRESS, ["X: a\x1cb"]),
    "both lengths": (400, "head_invalid", PRESS, ["Content-Length: 3", "Transfer-Encoding: chunked"]),
    "an unknown coding": (501, "transfer_coding", PRESS, ["Transfer-Encoding: br"]),
    "a packed body": (501, "transfer_coding", PRESS, ["Transfer-Encoding: gzip, chunked"]),
    "a body packed by two lines": (
        501,
        "transfer_coding",
        PRESS,
        ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
    ),
    "a coding that is none": (501, "transfer_coding", PRESS, ["Transfer-Encoding: identity, chunked"]),
    "another expectation": (417, "expectation_failed", PRESS, ["Expect: x"]),
    "no version": (400, "head_invalid", "GET /", []),
    "a version to come": (400, "head_invalid", "GET / HTTP/3.0", []),
    "a token of 20 KB": (401, "token_invalid", PRESS, [f"Authorization: Bearer {'a' * 20_000}"]),
}


@pytest.mark.parametrize(("status", "code", "line", "headers"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_a_problem_document(made: Site, status: int, code: str, line: str, headers: list[str]) -> None:
    """Which a page may read, in whatever part of the bridge it was made."""
    answer = ask(made, line, [*headers, "Connection: close"])

    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["x-trace-id"]
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("line", "headers", "refused"),
    [
        (f"GET /{'a' * 200_000} HTTP/1.1", [], (414, "url_too_long")),
        (PRESS, ["Accept-Language: nn", *(f"X-{n}: {'a' * 8000}" for n in range(20))], (431, "head_too_large")),
        (PRESS, ["Accept-Language: nn", f"Cookie: {'a' * 300_000}"], (431, "head_too_large")),
    ],
    ids=["an address", "many headers", "one header"],
)
def test_a_page_reads_the_refusal_of_a_long_head(
    made: Site, line: str, headers: list[str], refused: tuple[int, str]
) -> None:
    """Its origin stands behind what is too long, and its language before."""
    answer = exchange(made, [line, "Host: x", *headers, f"Origin: {ORIGIN}", "Connection: close"])

    assert (answer.status, answer.code) == refused
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["content-language"] == ("nn" if headers else "nb")


def test_a_long_head_is_not_read_without_end(made: Site) -> None:
    """Nor waited for, whether it says more, nothing more, or that it is over."""
    on = exchange(made, [PRESS, "Host: x", *(f"X-{n}: {'a' * 8000}" for n in range(100)), f"Origin: {ORIGIN}"])
    over = exchange(made, [PRESS, "Host: x", f"Cookie: {'a' * 80_000}"], end="")
    silent = exchange(made, [PRESS, "Host: x", f"Cookie: {'a' * 80_000}"], end="", over=False)

    assert [each.code for each in (on, over, silent)] == ["head_too_large"] * 3
    assert "access-control-allow-origin" not in on.headers


NO_HOSTS = ("a b", "<script>", "x/y", "x@y", "[::1", "http://x", "x:y", "ø.no", "%zz")
HOSTS = ("bridge.etat.no:8443", "[::1]:80", "127.0.0.1:", "a%20b")


@pytest.mark.parametrize(
    ("line", "hosts", "status"),
    [
        ("GET /openapi.json HTTP/1.1", [], 400),
        ("GET /openapi.json HTTP/1.1", ["Host: x", "Host: x"], 400),
        ("GET /openapi.json HTTP/1.1", ["Host:"], 200),
        ("GET /openapi.json HTTP/1.0", [], 200),
        (PRESS, [], 400),
        *(("GET /openapi.json HTTP/1.1", [f"Host: {each}"], 400) for each in NO_HOSTS),
        *(("GET /openapi.json HTTP/1.1", [f"Host: {each}"], 200) for each in HOSTS),
    ],
    ids=["none", "two", "an empty one", "HTTP/1.0", "of a press", *NO_HOSTS, *HOSTS],
)
def test_a_request_says_for_which_host_it_is(made: Site, line: str, hosts: list[str], status: int) -> None:
    """Once, as RFC 9112 3.2 has it."""
    answer = exchange(made, [line, *hosts, f"Origin: {ORIGIN}", "Connection: close", "Content-Length: 0"])

    assert answer.status == status
    if status == 400:
        assert answer.code == "head_invalid"
        assert "Host" in json.loads(answer.body)["detail"]
        assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("lengths", [("5", "6"), ("5", "5"), ("5", "x"), ("x", "5")])
def test_two_lengths_are_refused_at_once(made: Site, lengths: tuple[str, str]) -> None:
    """No body is waited for that nobody could tell the end of."""
    began = time.monotonic()

    answer = exchange(made, [PRESS, "Host: x", *(f"Content-Length: {each}" for each in lengths)], over=False)

    assert (answer.status, answer.code) == (400, "head_invalid")
    assert "Content-Length" in json.loads(answer.body)["detail"]
    assert time.monotonic() - began < 5  # Of the ten seconds that a body may take to come.


def test_a_version_to_come_is_answered_in_ours(made: Site) -> None:
    """HTTP/1.2 understands what 1.1 says (RFC 9112 2.3)."""
    with socket.create_connection(("127.0.0.1", made.port), timeout=20) as client:
        client.sendall(b"GET /health/liveness HTTP/1.2\r\nHost: x\r\nConnection: close\r\n\r\n")

        assert client.recv(64).startswith(b"HTTP/1.1 200 ")


def test_refusals_are_counted_and_logged_without_their_words(made: Site) -> None:
    """By their codes, as those of the app are."""
    ask(made, PRESS, ["Transfer-Encoding: secret-word", "Connection: close"])

    assert b'bridge_refusals_total{code="transfer_coding"}' in ask(made, "GET /metrics HTTP/1.1").body
    assert "secret-word" not in made.logs()


def test_a_token_of_its_longest_is_looked_at(made: Site) -> None:
    """16 KB, which is what a token may have, and not the server's 8."""
    answer = ask(made, PRESS, [f"Authorization: Bearer {'a.' * 8192}", "Connection: close", "Content-Length: 0"])

    assert (answer.status, answer.code) == (401, "token_invalid")


@pytest.mark.parametrize(
    "path", [f"//actions/{DIALOG}/submit", f"/actions//{DIALOG}/submit", f"/{APP}//v1/data", "//x//y"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_no_write_is_sent_elsewhere(made: Site, method: str, path: str) -> None:
    """An address with a slash too many is answered, or is none; it is no redirect."""
    answer = ask(made, f"{method} {path} HTTP/1.1", ["Content-Length: 0", "Connection: close"])

    assert answer.status in (401, 404)
    assert "location" not in answer.headers
    assert answer.code in ("token_missing", "not_found")


def test_an_app_is_asked_what_the_client_asked(made: Site, app: RawApp) -> None:
    """The query byte for byte, 30 KB of it; the lines of a cookie as one; and nothing that Connection names."""
    query = "navn=100%&d=%c3%a6&prefill=" + "%7B%22" * 5000

    answer = ask(
        made,
        f"GET /{APP}/v1/data/anonymous?{query} HTTP/1.1",
        ["Cookie: a=1", "Cookie: b=2; c=3", "Connection: X-Secret, close", "X-Secret: 1", "X-Kept: 2"],
    )

    assert answer.status == 200
    assert app.target == f"/{APP}/v1/data/anonymous?{query}".encode()
    assert app.headers("Cookie") == ["a=1; b=2; c=3"]
    assert (app.headers("X-Secret"), app.headers("X-Kept")) == ([], ["2"])


def test_an_answer_that_no_server_sends_on_is_a_problem(made: Site, app: RawApp) -> None:
    """502, and not the server's own 500."""
    before = app.answer
    app.answer = b"HTTP/1.1 200 OK\r\nX-A: a\x1cb\r\nContent-Length: 2\r\n\r\n{}"
    try:
        answer = ask(made, f"GET /{APP}/v1/data/anonymous HTTP/1.1", ["Connection: close"])
    finally:
        app.answer = before

    assert (answer.status, answer.code) == (502, "app_answer_invalid")


@pytest.mark.parametrize(("size", "status"), [(4000, 200), (100_000, 400)])
def test_trailers_are_short(made: Site, app: RawApp, size: int, status: int) -> None:
    """Nobody reads what comes after the last chunk, so nobody holds a thread with it."""
    trailer = b"0\r\nX-After: " + b"a" * size + b"\r\n\r\n"

    answer = ask(
        made,
        f"POST /{APP}/v1/data/anonymous HTTP/1.1",
        ["Transfer-Encoding: chunked", "Content-Type: application/json", "Connection: close"],
        b"2\r\n{}\r\n" + trailer,
    )

    assert answer.status == status
    assert status == 200 or answer.code == "body_incomplete"
