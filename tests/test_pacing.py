"""A client's socket: its body has to keep coming, and its answer has to be taken."""

import socket
import threading
from collections.abc import Iterator

import pytest

from bridge.pacing import Paced, Patience, SlowBody

PATIENCE = Patience(head=1, silence=0.2, rate=1_000_000_000)


@pytest.fixture
def pair() -> Iterator[tuple[Paced, socket.socket]]:
    """Ours, with a request under way, and the client's."""
    ours, theirs = socket.socketpair()
    paced = Paced(ours, PATIENCE)
    paced.begin()
    paced.in_request = True
    with ours, theirs:
        yield paced, theirs


def test_a_body_that_stops_is_too_slow(pair: tuple[Paced, socket.socket]) -> None:
    """What came is given, and then the silence is told."""
    ours, theirs = pair
    theirs.sendall(b"abc")

    assert ours.recv(10) == b"abc"
    with pytest.raises(SlowBody):
        ours.recv(10)


def test_a_trickle_is_too_slow() -> None:
    """A byte now and then keeps no thread for ever."""
    ours, theirs = socket.socketpair()
    paced = Paced(ours, Patience(head=1, silence=0.3, rate=1_000_000_000))
    paced.begin()
    paced.in_request = True
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.05):
            theirs.send(b"a")

    thread = threading.Thread(target=trickle)
    thread.start()
    with ours, theirs:
        try:
            with pytest.raises(SlowBody):
                while paced.recv(10):
                    continue
        finally:
            stop.set()
            thread.join()


def test_an_answer_that_is_not_taken_is_given_up(pair: tuple[Paced, socket.socket]) -> None:
    """As if the client had gone, which a server takes in its stride."""
    ours, _ = pair

    with pytest.raises(BrokenPipeError):
        ours.sendall(b"a" * 50_000_000)


def test_an_end_is_not_too_slow(pair: tuple[Paced, socket.socket]) -> None:
    """A body that is cut is for its reader to see."""
    ours, theirs = pair
    theirs.shutdown(socket.SHUT_WR)

    assert ours.recv(10) == b""


def test_a_client_is_told_to_go_on_when_its_body_is_read(pair: tuple[Paced, socket.socket]) -> None:
    """And not before: whoever is refused need not send it."""
    ours, theirs = pair
    ours.asks_to_go_on = True
    theirs.sendall(b"abc")

    ours.recv(10)

    assert theirs.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
