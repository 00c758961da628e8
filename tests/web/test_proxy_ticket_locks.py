"""One at a time for each key."""

import threading

import pytest

from bridge.storage.ticket_locks import LockTimeout
from bridge.web.proxy.ticket_locks import TicketLock


def test_turns_come_in_the_order_of_arrival() -> None:
    """The next one begins when the one before has ended, and not by chance."""
    turns, order = TicketLock(), []
    threads = []

    def take(number: int) -> None:
        with turns.turn("key", seconds=10):
            order.append(number)

    with turns.turn("key", seconds=1):
        for number in range(5):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while len(turns._lines["key"]) < number + 2:
                threading.Event().wait(0.001)
    for each in threads:
        each.join()

    assert order == [0, 1, 2, 3, 4]


def test_keys_do_not_wait_for_each_other() -> None:
    """Another key's turn is free."""
    turns = TicketLock()

    with turns.turn("a", seconds=1), turns.turn("b", seconds=0):
        assert set(turns._lines) == {"a", "b"}


def test_nothing_is_kept_of_a_key_that_nobody_waits_for() -> None:
    """Memory does not grow with the number of callers, nor with turns that did not come or went wrong."""
    turns = TicketLock()

    with turns.turn("key", seconds=1), pytest.raises(LockTimeout), turns.turn("key", seconds=0):
        pass
    with pytest.raises(ValueError, match="inside"), turns.turn("key", seconds=1):
        raise ValueError("inside")

    assert turns._lines == {}


def test_too_many_are_turned_away_at_once() -> None:
    """Each that waits holds a thread that others need."""
    turns = TicketLock(longest=0)

    with turns.turn("key", seconds=1), pytest.raises(LockTimeout), turns.turn("key", seconds=60):
        pass
