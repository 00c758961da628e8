"""Pauses that all processes share and that outlive them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.core.upstream_pause import TRIAL_TAKES, Why
from bridge.storage.database import insert_ignore
from bridge.storage.store import Store
from bridge.storage.tables import pauses

LOOK_EVERY = timedelta(seconds=1)
"""How old what a process knows of a pause may be: so long after another began one, or lifted it, it may still err."""


class StoredPause:
    """The pause that *system*, a short name, at *url* asked for: in the database, so for all and over restarts."""

    def __init__(self, store: Store, *, system: str, url: str, clock: Clock) -> None:
        self._store, self._system, self._url, self._clock = store, system, url, clock
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._seen_at: datetime | None = None
        self._first = False

    def remaining(self) -> timedelta | None:
        """How long nobody may call yet; asks the database once a second."""
        now = self._clock()
        with self._lock:
            if self._seen_at is None or not self._seen_at <= now < self._seen_at + LOOK_EVERY:
                self._until, self._seen_at = self._stored(), now
            if self._until is None:
                return None
            if self._until > now:
                return self._until - now
            # It is over, and who gets here first finds out whether the system is back.
            over, self._until = self._until, now + TRIAL_TAKES
            if self._is_first(over, until=self._until):
                self._first = True
                return None
            self._until = self._stored()
            return None if self._until is None else max(self._until - now, timedelta(0))

    def begin(self, wait: timedelta, why: Why) -> None:
        """Begin a pause for all processes."""
        now = self._clock()
        row = {"about": f"{why.value}: {self._url}"[:255], "until": now + wait, "changed_at": now}
        with self._lock, self._store.transaction() as tx:
            tx.connection.execute(insert_ignore(tx.connection, pauses).values(system=self._system, **row))
            tx.connection.execute(pauses.update().where(pauses.c.system == self._system).values(**row))
            self._until, self._seen_at, self._first = now + wait, now, False

    def answered(self) -> None:
        """End the pause, if this process was let through to see."""
        if not self._first:
            return
        with self._lock, self._store.transaction() as tx:
            tx.connection.execute(
                pauses.update().where(pauses.c.system == self._system).values(until=None, changed_at=self._clock())
            )
            self._until, self._first = None, False

    def _is_first(self, over: datetime, *, until: datetime) -> bool:
        """Hold the others back *until* then; False where another process did so since the pause was *over*."""
        with self._store.transaction() as tx:
            mine = tx.connection.execute(
                pauses.update().where(pauses.c.system == self._system, pauses.c.until == over).values(until=until)
            )
        return mine.rowcount == 1

    def _stored(self) -> datetime | None:
        with self._store.reading() as tx:
            return tx.connection.scalar(sa.select(pauses.c.until).where(pauses.c.system == self._system))


@dataclass(frozen=True, slots=True)
class ShownPause:
    """One system's last pause as an operator sees it; *until* is None once it is over."""

    system: str
    about: str
    until: datetime | None
    changed_at: datetime

    @property
    def why(self) -> Why:
        """Why it began."""
        return Why(self.about.partition(":")[0])


def pauses_of(store: Store, *, now: datetime) -> Sequence[ShownPause]:
    """The last pause of each system that ever asked for one."""
    with store.reading() as tx:
        rows = tx.connection.execute(sa.select(pauses).order_by(pauses.c.system))
        return [
            ShownPause(
                row.system, row.about, row.until if row.until is not None and row.until > now else None, row.changed_at
            )
            for row in rows
        ]


def lift_pauses(store: Store, *, now: datetime) -> int:
    """Lift every pause; how many there were."""
    with store.transaction() as tx:
        done = tx.connection.execute(
            pauses.update().where(pauses.c.until.is_not(None)).values(until=None, changed_at=now)
        )
    return done.rowcount
