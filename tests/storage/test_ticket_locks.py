"""One at a time for each key, over all processes."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.storage.database import migrate, open_database
from bridge.storage.store import Store
from bridge.storage.tables import turn_keys, turns
from bridge.storage.ticket_locks import LockTimeout, StoredTicketLock
from bridge.web.proxy.ticket_locks import TicketLock

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """Turned by hand."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_database(f"sqlite:///{tmp_path}/bridge.sqlite", pool=4)
    migrate(engine)
    yield Store(engine)
    engine.dispose()


def kept(store: Store) -> tuple[int, int]:
    with store.reading() as tx:
        count = sa.select(sa.func.count())
        return (
            tx.connection.scalar(count.select_from(turns)) or 0,
            tx.connection.scalar(count.select_from(turn_keys)) or 0,
        )


def test_two_processes_take_turns(store: Store) -> None:
    """Never two at once, in the order in which they came, whichever process they came to."""
    lines = [TicketLock(shared=StoredTicketLock(store, clock=Clock())) for _ in range(2)]
    inside, order, drawn = [], [], threading.Semaphore(0)

    def take(number: int) -> None:
        with lines[number % 2].turn("key", seconds=20):
            inside.append(number)
            assert len(inside) == 1
            order.append(number)
            drawn.release()
            inside.remove(number)

    with lines[0].turn("key", seconds=20):
        threads = [threading.Thread(target=take, args=(number,)) for number in (1, 2)]
        for number, each in enumerate(threads):
            each.start()
            # The second of the first process stands in its own line, and draws no number yet.
            while kept(store)[0] < min(number + 2, 2):
                threading.Event().wait(0.001)
        assert order == []
    for each in threads:
        each.join(20)

    assert order == [1, 2]
    assert kept(store) == (0, 1)


def test_a_turn_that_does_not_come_is_given_up(store: Store) -> None:
    """And leaves nothing behind."""
    one, other = (StoredTicketLock(store, clock=Clock()) for _ in range(2))

    with one.turn("key", seconds=1, lasts=60), pytest.raises(LockTimeout), other.turn("key", seconds=0, lasts=60):
        pass

    assert kept(store)[0] == 0


def test_keys_do_not_wait_for_each_other_in_the_store(store: Store) -> None:
    """Another caller's turn is free."""
    one = StoredTicketLock(store, clock=Clock())

    with one.turn("a", seconds=1, lasts=60), one.turn("b", seconds=0, lasts=60):
        assert kept(store) == (2, 2)


def test_a_dead_process_holds_nobody_up_for_long(store: Store) -> None:
    """Its number runs out, and the next one is let in."""
    clock = Clock()
    dead, alive = (StoredTicketLock(store, clock=clock) for _ in range(2))
    dead._draw(*("0" * 64, timedelta(seconds=30)))
    holding = dead.turn("key", seconds=1, lasts=30)
    holding.__enter__()

    with pytest.raises(LockTimeout), alive.turn("key", seconds=0, lasts=30):
        pass
    clock.now += timedelta(seconds=31)

    with alive.turn("key", seconds=0, lasts=30):
        pass


def test_what_nobody_uses_is_forgotten(store: Store) -> None:
    """Rows do not grow with the number of callers."""
    clock = Clock()
    shared = StoredTicketLock(store, clock=clock)
    with shared.turn("old", seconds=1, lasts=30):
        pass
    clock.now += timedelta(days=2)
    with shared.turn("new", seconds=1, lasts=30):
        shared.forget()

        assert kept(store) == (1, 1)
