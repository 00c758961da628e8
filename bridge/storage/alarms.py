"""Which systems refuse the bridge's own credentials: in the database, so that any process can tell."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.storage.database import insert_ignore
from bridge.storage.store import Store
from bridge.storage.tables import alarms

ALARM_STANDS = timedelta(minutes=15)
"""How long a refusal of the bridge's own credentials is told: what waits for them is tried every five minutes."""
ALARM_EVERY = timedelta(seconds=10)
"""How soon a process writes down again that a system refuses it."""


class Alarms:
    """One row for each system that refuses the bridge, until that takes its credentials again."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._raised: dict[str, datetime] = {}

    def raised(self, system: str, why: str) -> None:
        """Note that *system* refuses, and *why*."""
        now = self._clock()
        with self._lock:
            last = self._raised.get(system)
            if last is not None and timedelta() <= now - last < ALARM_EVERY:
                return
            self._raised[system] = now
        row = {"why": why[:255], "raised_at": now}
        with self._store.transaction() as tx:
            tx.connection.execute(insert_ignore(tx.connection, alarms).values(system=_key(system), **row))
            tx.connection.execute(alarms.update().where(alarms.c.system == _key(system)).values(**row))

    def taken(self, system: str) -> None:
        """Note that *system* took our credentials: what this process said of it is over."""
        if system not in self._raised:
            return
        with self._lock:
            if self._raised.pop(system, None) is None:
                return
        with self._store.transaction() as tx:
            tx.connection.execute(alarms.delete().where(alarms.c.system == _key(system)))


@dataclass(frozen=True, slots=True)
class Alarm:
    """A system that refuses the bridge's own credentials, and when it did so last."""

    system: str
    why: str
    at: datetime

    def stands(self, now: datetime) -> bool:
        """Whether it is told at *now*."""
        return now - self.at <= ALARM_STANDS


def alarms_of(store: Store, *, now: datetime) -> Sequence[Alarm]:
    """The systems that refused the bridge's own credentials within the last quarter of an hour."""
    with store.reading() as tx:
        recent = alarms.c.raised_at >= now - ALARM_STANDS
        rows = tx.connection.execute(sa.select(alarms).where(recent).order_by(alarms.c.system))
        return [Alarm(row.system, row.why, row.raised_at) for row in rows]


def _key(system: str) -> str:
    return system[:64]
