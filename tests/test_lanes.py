"""One caller's hundreds of requests, and the one of somebody else."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from bridge.lanes import SHARE, SHED, Lane, caller_in

CROWD, OTHER, UNKNOWN = 1, 2, 0


class Loop:
    """A lane, the thread that its methods are for, and requests that last until they are let go."""

    def __init__(self, *, threads: int, most: int = 400) -> None:
        self.now = 0.0
        self.lane = Lane("test", threads, most=most, clock=lambda: self.now)
        self.order: list[int] = []
        self._ends: list[tuple[int, threading.Event, threading.Event]] = []
        self._done: list[int] = []

    def ask(self, caller: int) -> None:
        """A request comes."""
        begun, end, done = threading.Event(), threading.Event(), threading.Event()

        def work() -> None:
            self.order.append(caller)
            self._ends.append((caller, end, done))
            begun.set()
            assert end.wait(10)

        def ended(_: "Future[Any]") -> None:
            done.set()

        self.lane.add(caller, work, ended)

    def running(self, count: int) -> list[int]:
        """Whose requests have a thread, as soon as *count* have."""
        released = threading.Event()
        for _ in range(1000):
            if len(self._ends) >= count:
                break
            released.wait(0.01)
        return [caller for caller, _, _ in self._ends]

    def end_oldest(self) -> None:
        """The request that has had its thread for longest is answered."""
        caller, end, done = self._ends.pop(0)
        end.set()
        assert done.wait(10)
        self.lane.left(caller)

    def close(self) -> None:
        while self._ends or self.lane.busy:
            self.running(1)
            self.end_oldest()
        self.lane.pool.shutdown()


@pytest.fixture
def made() -> Iterator[Callable[..., Loop]]:
    loops: list[Loop] = []

    def make(**about: int) -> Loop:
        loops.append(Loop(**about))
        return loops[-1]

    yield make
    for loop in loops:
        loop.close()


def test_a_crowd_of_one_leaves_threads_to_others(made: Callable[..., Loop]) -> None:
    """Somebody else's request has a thread at once, whatever one caller asked for before."""
    loop = made(threads=8)
    for _ in range(90):
        loop.ask(CROWD)
    crowd = loop.running(8 // SHARE)

    loop.ask(OTHER)

    assert (crowd, loop.running(8 // SHARE + 1)) == ([CROWD] * 2, [CROWD, CROWD, OTHER])


def test_callers_take_turns(made: Callable[..., Loop]) -> None:
    """Not the requests: behind a line of one, others wait for one of his, and not for all."""
    loop = made(threads=1)
    for caller in (CROWD, CROWD, CROWD, CROWD, OTHER, UNKNOWN, OTHER):
        loop.ask(caller)

    for _ in range(6):
        loop.running(1)
        loop.end_oldest()
    loop.running(1)

    assert loop.order == [CROWD, CROWD, OTHER, UNKNOWN, CROWD, OTHER, CROWD]


def test_many_unknown_ones_may_have_all_threads(made: Callable[..., Loop]) -> None:
    """Who has no token that can be read is not one caller."""
    loop = made(threads=8)

    for _ in range(9):
        loop.ask(UNKNOWN)

    assert loop.running(8) == [UNKNOWN] * 8


def test_a_line_that_is_full_is_full_for_its_caller(made: Callable[..., Loop]) -> None:
    """Others go on being taken in, until all together are too many."""
    loop = made(threads=4, most=40)
    for _ in range(1 + 40 // SHARE):
        loop.ask(CROWD)
    alone = loop.lane.full_for(CROWD), loop.lane.full_for(OTHER)

    for caller in range(100, 129):
        loop.ask(caller)

    assert (alone, loop.lane.full_for(OTHER)) == ((True, False), True)


def test_a_line_that_does_not_move_is_full_for_its_caller(made: Callable[..., Loop]) -> None:
    """A crowd of an instant is taken in; when one of it waited for long, the next ones of it are told so."""
    loop = made(threads=4)
    for _ in range(4):
        loop.ask(CROWD)
    before = loop.lane.full_for(CROWD)

    loop.now += SHED + 0.1
    loop.running(1)
    loop.end_oldest()
    slow = loop.lane.full_for(CROWD), loop.lane.full_for(OTHER)
    loop.now += SHED + 0.1

    assert (before, slow, loop.lane.full_for(CROWD)) == (False, (True, False), False)


def head(claims: object, *, scheme: str = "Bearer", name: str = "Authorization") -> bytes:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    token = b"eyJ0eXAiOiJKV1QifQ." + base64.urlsafe_b64encode(payload).rstrip(b"=") + b".c2lnbmF0dXI"
    return b"POST /x HTTP/1.1\r\nHost: x\r\n%s: %s %s\r\n\r\n" % (name.encode(), scheme.encode(), token)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"POST /x HTTP/1.1\r\nHost: x\r\n\r\n", id="no token"),
        pytest.param(head({"p": "urn:x"}), id="without c"),
        pytest.param(head({"c": 7}), id="a number"),
        pytest.param(head({"c": None}), id="null"),
        pytest.param(head([{"c": "urn:x"}]), id="a list"),
        pytest.param(head(b"\xff\xfe"), id="no JSON"),
        pytest.param(head(b"[" * 10_000), id="deep"),
        pytest.param(head({"c": "urn:x"}, scheme="Basic"), id="another scheme"),
        pytest.param(head({"c": "urn:x", "more": "x" * 20_000}), id="longer than any token"),
        pytest.param(b"POST /x HTTP/1.1\r\nAuthorization: Bearer a.A.b\r\n\r\n", id="no base64"),
    ],
)
def test_a_head_may_name_nobody(text: bytes) -> None:
    """The loop goes on, whatever is written where a token should be."""
    assert caller_in(text) == 0


def test_a_caller_is_known_whatever_else_the_token_says() -> None:
    """Dialog by dialog the tokens are others."""
    one, again = (
        head({"c": "urn:x:1", "i": "a"}),
        head({"i": "b", "c": "urn:x:1"}, scheme="bEARER", name="authorization"),
    )

    assert caller_in(one) == caller_in(again) != 0
    assert caller_in(head({"c": "urn:x:2"})) not in (0, caller_in(one))
