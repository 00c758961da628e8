"""One at a time for each key, over all processes, in the order in which they came."""

import hashlib
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.storage.store import Store
from bridge.storage.tables import turn_keys, turns

PAUSE = 0.02
"""Seconds between two looks. Only the first of each process looks; the others wait for it."""

UNUSED = timedelta(days=1)


class LockTimeout(Exception):
    """The turn did not come in time, or too many wait already."""


class StoredTicketLock:
    """
    Numbers drawn from the database; whoever has the lowest that is alive has the turn.

    A number is drawn while its key's row is locked, so that a lower one is never seen later than a higher one. No
    connection is held while a turn waits or lasts: a process that dies leaves a number that runs out.
    """

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @contextmanager
    def turn(self, key: Hashable, *, seconds: float, lasts: float) -> Iterator[None]:
        """
        Wait for the turn of *key*, at most *seconds*, and hold it, for at most *lasts* seconds.

        Raises:
            LockTimeout: It did not come.
        """
        digest = hashlib.sha256(repr(key).encode()).hexdigest()
        number = self._draw(digest, timedelta(seconds=seconds + lasts))
        try:
            self._wait(digest, number, time.monotonic() + seconds)
            self._write(digest, number, until=self._clock() + timedelta(seconds=lasts))
            yield
        finally:
            with self._store.transaction() as tx:
                tx.connection.execute(turns.delete().where(turns.c.key == digest, turns.c.number == number))

    def forget(self) -> None:
        """Delete what ran out, and the rows of callers who have not come for long."""
        now = self._clock()
        waits = sa.exists().where(turns.c.key == turn_keys.c.key)
        with self._store.transaction() as tx:
            tx.connection.execute(turns.delete().where(turns.c.until < now))
            # Whoever draws meanwhile writes used_at, which is looked at again under the row's lock.
            tx.connection.execute(turn_keys.delete().where(turn_keys.c.used_at < now - UNUSED, ~waits))

    def _draw(self, digest: str, lives: timedelta) -> int:
        now = self._clock()
        with self._store.transaction() as tx:
            number: int = tx.connection.execute(_next_number(tx.connection, digest, now)).scalar_one()
            row = {"key": digest, "number": number, "until": now + lives}
            tx.connection.execute(turns.insert().values(row))
        return number

    def _wait(self, digest: str, number: int, ends: float) -> None:
        pause = threading.Event()
        while True:
            with self._store.reading() as tx:
                alive = sa.and_(turns.c.key == digest, turns.c.until >= self._clock())
                first = tx.connection.scalar(sa.select(sa.func.min(turns.c.number)).where(alive))
            if first == number:
                return
            if time.monotonic() >= ends:
                raise LockTimeout
            pause.wait(PAUSE)

    def _write(self, digest: str, number: int, *, until: datetime) -> None:
        with self._store.transaction() as tx:
            mine = sa.and_(turns.c.key == digest, turns.c.number == number)
            tx.connection.execute(turns.update().where(mine).values(until=until))


def _next_number(connection: sa.Connection, digest: str, now: datetime) -> Any:
    """A statement that counts the key's row up, or makes it, on either database."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    made = insert(turn_keys).values(key=digest, number=1, used_at=now)
    return made.on_conflict_do_update(
        index_elements=[turn_keys.c.key], set_={"number": turn_keys.c.number + 1, "used_at": now}
    ).returning(turn_keys.c.number)
