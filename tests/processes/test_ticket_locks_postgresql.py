"""Turns on PostgreSQL: whatever process asks, one at a time, and everybody comes to it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bridge.storage.database import migrate, open_database
from bridge.storage.store import Store
from bridge.storage.ticket_locks import StoredTicketLock

pytestmark = pytest.mark.slow


def test_never_two_at_once_on_postgresql(database_url: str) -> None:
    """Sixteen at the same time, ten times each, on two pools: a number is never seen after a higher one."""
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engines = [open_database(url, pool=8) for _ in range(2)]
    migrate(engines[0])
    alone, done = threading.Lock(), []

    def take(number: int) -> None:
        turns = StoredTicketLock(Store(engines[number % 2]), clock=lambda: datetime.now(UTC))
        for _ in range(10):
            with turns.turn("key", seconds=60, lasts=60):
                assert alone.acquire(blocking=False), "two at once"
                done.append(number)
                alone.release()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(take, range(16)))
    for engine in engines:
        engine.dispose()

    assert len(done) == 160
