"""What is told to requests that never reach the app: a problem as any other, and not a word of theirs."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from bridge.core.texts.problems import TEXTS
from bridge.turned_away import LIMITS, LONGEST_HEAD, TurnedAway, language_of, problem_of

ORIGIN = "https://af.altinn.no"
COUNTED: list[str] = []


def browsers(origin: str) -> Mapping[str, str]:
    return {"Access-Control-Allow-Origin": origin} if origin == ORIGIN else {}


def told(answer: bytes) -> tuple[bytes, Mapping[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {name: value for name, _, value in (line.decode().partition(": ") for line in lines)}
    return status, headers, json.loads(body) if body else None


@pytest.fixture
def away() -> TurnedAway:
    COUNTED.clear()
    return TurnedAway(browsers=browsers, count=COUNTED.append)


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (b"nn", "nn"),
        (b"en-GB", "en"),
        (b"de", "nb"),
        (b"de, en;q=0.5, nn;q=0.6", "nn"),
        (b"\xe6;q=x", "nb"),
        (None, "nb"),
    ],
)
def test_the_answer_is_in_the_clients_language(away: TurnedAway, asked: bytes | None, language: str) -> None:
    """With a status, a length and an end of the connection."""
    head = b"GET / HTTP/1.1\r\n" + (b"" if asked is None else b"Accept-Language: " + asked + b"\r\n") + b"\r\n"

    status, headers, body = told(away.answer("too_busy", 503, head))

    assert status == b"HTTP/1.1 503 Service Unavailable"
    assert (headers["Content-Language"], headers["Retry-After"], headers["Connection"]) == (language, "1", "close")
    assert headers["Content-Type"] == "application/problem+json"
    assert body["title"] == TEXTS["too_busy"][language].title
    assert body["traceId"] == headers["X-Trace-Id"]
    assert COUNTED == ["too_busy"]


def test_a_page_may_read_it(away: TurnedAway) -> None:
    """Of an origin that may ask; caches are told that it makes a difference."""
    allowed = away.answer("head_too_large", 431, b"GET / HTTP/1.1\r\nOrigin: https://af.altinn.no\r\nX: y\r\n")
    other = away.answer("head_too_large", 431, b"GET / HTTP/1.1\r\nOrigin: https://elsewhere.example\r\n\r\n")

    assert told(allowed)[1]["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Origin" not in told(other)[1]
    assert {told(each)[1]["Vary"] for each in (allowed, other)} == {"Origin"}


def test_the_answer_to_head_has_no_body(away: TurnedAway) -> None:
    """Its length alone."""
    _, headers, body = told(away.answer("not_found", 404, b"HEAD /x HTTP/1.1\r\n\r\n"))

    assert (int(headers["Content-Length"]) > 0, body) == (True, None)


def request(*lines: bytes, line: bytes = b"POST /x HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: x", *lines, b"", b""])


SECRET = b"eyJhbGciOiJFZERTQSJ9"
HEADS = {
    "both lengths": (request(b"Content-Length: 3", b"Transfer-Encoding: chunked"), 400, "Content-Length"),
    "two lengths": (request(b"Content-Length: 3", b"Content-Length: 3"), 400, "Content-Length"),
    "a length that is none": (request(b"Content-Length: +3"), 400, "Content-Length"),
    "chunks that are not last": (request(b"Transfer-Encoding: chunked, gzip"), 400, "Transfer-Encoding"),
    "an unknown coding": (request(b"Transfer-Encoding: " + SECRET), 501, ""),
    "two hosts": (request(b"Host: y"), 400, "Host"),
    "two types": (request(b"Content-Type: a/b", b"Content-Type: c/d"), 400, "Content-Type"),
    "a control character": (request(b"X: a\x1c" + SECRET), 400, "field-line"),
    "a null": (request(b"X: a\x00"), 400, "field-line"),
    "no colon": (request(SECRET), 400, "field-line"),
    "a blank before the colon": (request(b"X : a"), 400, "field-name"),
    "a name of other letters": (request("Bjørn: a".encode()), 400, "field-name"),
    "an underscore, which might be a hyphen": (request(b"X_A: a"), 200, ""),
    "a folded line": (request(b"X: a", b" " + SECRET), 400, "field-line"),
    "a bare line feed": (b"POST /x HTTP/1.1\nHost: x\n\n", 400, "request-line"),
    "a bare line feed in the head": (b"POST /x HTTP/1.1\r\nHost: x\nA: b\r\n", 400, "field-line"),
    "no version": (request(line=b"GET /" + SECRET), 400, "request-line"),
    "a version to come": (request(line=b"GET / HTTP/2.0"), 400, "HTTP-version"),
    "a method of small letters": (request(line=b"get / HTTP/1.1"), 400, "method"),
    "letters in the address": (request(line="GET /æ HTTP/1.1".encode()), 400, "request-line"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", 400, "request-line"),
    "another expectation": (request(b"Expect: " + SECRET), 417, ""),
    "many fields": (request(*(b"X-%d: a" % number for number in range(101))), 431, ""),
    "a token of 16 KB": (request(b"Authorization: Bearer " + b"a" * 16_384), 200, ""),
    "a cookie of 30 KB": (request(b"Cookie: " + b"a" * 30_000), 200, ""),
    "an address of 32 KB": (request(line=b"GET /" + b"a" * 32_763 + b" HTTP/1.1"), 200, ""),
}


@pytest.fixture(scope="module")
def config() -> Config:
    """As ``altinn-bridge serve`` has it."""
    made = Config()
    for name, value in LIMITS.items():
        made.set(name, value)
    return made


@pytest.mark.parametrize(("head", "status", "part"), HEADS.values(), ids=HEADS)
def test_what_the_server_finds_is_told(away: TurnedAway, config: Config, head: bytes, status: int, part: str) -> None:
    """By the part of the request that is wrong; the request itself may hold anything, and is not quoted."""
    try:
        Request(config, IterUnreader([head]), ("127.0.0.1", 9))
    except errors.ParseException as error:
        line, _, body = told(away.because_of(error, head))
    else:
        assert status == 200
        return

    assert (int(line.split()[1]), body["status"]) == (status, status)
    assert body["type"].rpartition(":")[2] != "internal"
    assert (part or ".") in body["detail"]
    assert SECRET.decode() not in str(body)


def test_every_error_of_the_server_is_sorted() -> None:
    """What it learns to find, and we to tell, with a new version."""
    kinds = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)}
    ours = {errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem}

    for kind in kinds - {errors.ParseException, errors.NoMoreData}:
        error = kind.__new__(kind)
        error.hdr = "x"  # type: ignore[attr-defined]
        assert (problem_of(error).status == 500) == (kind in ours), kind
        assert problem_of(error).code in TEXTS


def test_an_error_of_our_own_is_not_the_clients(away: TurnedAway) -> None:
    """500, and its text stays here."""
    status, _, body = told(away.because_of(RuntimeError(SECRET.decode()), b"GET / HTTP/1.1\r\n\r\n"))

    assert (status.split()[1], body["type"].rpartition(":")[2]) == (b"500", "internal")
    assert SECRET.decode() not in str(body)


def test_a_head_has_room_for_address_and_token() -> None:
    """And for what browsers add."""
    assert LONGEST_HEAD >= 32 * 1024 + 16 * 1024 + 8 * 1024


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("no", "nb"),
        ("nb-NO", "nb"),
        ("*", "nb"),
        ("en-US,en;q=0.9,nb;q=0.8", "en"),
        ("nn;q=0, en", "en"),
        (";;,", "nb"),
    ],
)
def test_a_language_is_chosen_alike_everywhere(accepted: str, language: str) -> None:
    """Before the routes as behind them."""
    assert language_of(accepted) == language
