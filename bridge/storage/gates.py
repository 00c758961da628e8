"""Gates that all processes share and that outlive them."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.core.gates import FAILED_LOGINS, LOGIN_TAKES, TRIAL_TAKES, Admission, LoginOutcome, Why, next_failure_count
from bridge.storage.store import Store, insert_ignore
from bridge.storage.tables import gates

_PAUSE = "pause:"
_CREDENTIALS = "credentials:"
LOOK_EVERY = timedelta(seconds=1)
"""How old what a process knows of a pause may be: so long after another began one, or lifted it, it may still err."""


@dataclass(frozen=True, slots=True)
class ShownLockout:
    """One gate as an operator sees it."""

    about: str
    failures: int
    changed_at: datetime

    @property
    def closed(self) -> bool:
        """Whether nobody is let in any more."""
        return self.failures >= FAILED_LOGINS


class StoredLockout:
    """
    One login's gate in the database: one at a time over all processes, and its count survives a restart.

    It is known by a slow digest of *secret* and *about*, so that another password has a gate of its own: a corrected
    one is let in, and a process that still has the wrong one stays out.
    """

    def __init__(self, store: Store, *, about: str, secret: str, clock: Clock) -> None:
        self._store, self._about, self._secret, self._clock = store, about, secret, clock

    @cached_property
    def _name(self) -> str:
        salt = hashlib.sha256(self._about.encode()).digest()
        return hashlib.scrypt(self._secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()

    def enter(self) -> Admission:
        """Let one in; one who never came out again counts as refused."""
        now = self._clock()
        first = {"name": self._name, "about": self._about, "failures": 0, "changed_at": now}
        mine = gates.c.name == self._name
        with self._store.transaction() as tx:
            tx.connection.execute(insert_ignore(tx.connection, gates).values(**first))
            row = tx.connection.execute(
                sa.select(gates.c.failures, gates.c.held_until).where(mine).with_for_update()
            ).one()
            if row.held_until is not None and row.held_until > now:
                return Admission.BUSY
            failures = row.failures if row.held_until is None else row.failures + 1
            closed = failures >= FAILED_LOGINS
            tx.connection.execute(
                gates.update()
                .where(mine)
                .values(failures=failures, held_until=None if closed else now + LOGIN_TAKES, changed_at=now)
            )
        return Admission.CLOSED if closed else Admission.OPEN

    def leave(self, ended: LoginOutcome) -> None:
        """Count how it went, and let the next one in."""
        mine = gates.c.name == self._name
        with self._store.transaction() as tx:
            failures = tx.connection.scalar(sa.select(gates.c.failures).where(mine).with_for_update()) or 0
            tx.connection.execute(
                gates.update()
                .where(mine)
                .values(failures=next_failure_count(failures, ended), held_until=None, changed_at=self._clock())
            )


class StoredPause:
    """The pause that *system*, a short name, at *url* asked for: in the database, so for all and over restarts."""

    def __init__(self, store: Store, *, system: str, url: str, clock: Clock) -> None:
        self._store, self._name, self._url, self._clock = store, _PAUSE + system, url, clock
        self._lock = threading.Lock()
        self._until: datetime | None = None
        self._seen_at: datetime | None = None
        self._first = False

    def left(self) -> timedelta | None:
        """Say how long nobody may call yet; asks the database once a second."""
        now = self._clock()
        with self._lock:
            if self._seen_at is None or not self._seen_at <= now < self._seen_at + LOOK_EVERY:
                self._until, self._seen_at = self._read(), now
            if self._until is None:
                return None
            if self._until > now:
                return self._until - now
            # It is over, and who gets here first finds out whether the system is back.
            over, self._until = self._until, now + TRIAL_TAKES
            with self._store.transaction() as tx:
                mine = tx.connection.execute(
                    gates.update()
                    .where(gates.c.name == self._name, gates.c.held_until == over)
                    .values(held_until=self._until)
                )
            if mine.rowcount == 1:
                self._first = True
                return None
            self._until = self._read()
            return None if self._until is None else max(self._until - now, timedelta(0))

    def close(self, wait: timedelta, why: Why) -> None:
        """Begin a pause for all processes."""
        now = self._clock()
        row = {"about": f"{why.value}: {self._url}"[:255], "failures": 0, "held_until": now + wait, "changed_at": now}
        with self._lock, self._store.transaction() as tx:
            tx.connection.execute(insert_ignore(tx.connection, gates).values(name=self._name, **row))
            tx.connection.execute(gates.update().where(gates.c.name == self._name).values(**row))
            self._until, self._seen_at, self._first = now + wait, now, False

    def answered(self) -> None:
        """End the pause, if this process was let through to see."""
        if not self._first:
            return
        with self._lock, self._store.transaction() as tx:
            tx.connection.execute(
                gates.update().where(gates.c.name == self._name).values(held_until=None, changed_at=self._clock())
            )
            self._until, self._first = None, False

    def _read(self) -> datetime | None:
        with self._store.reading() as tx:
            return tx.connection.scalar(sa.select(gates.c.held_until).where(gates.c.name == self._name))


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
    """List the systems that ever asked for a pause."""
    with store.reading() as tx:
        rows = tx.connection.execute(sa.select(gates).where(gates.c.name.startswith(_PAUSE)).order_by(gates.c.name))
        return [
            ShownPause(
                row.name[len(_PAUSE) :],
                row.about,
                row.held_until if row.held_until is not None and row.held_until > now else None,
                row.changed_at,
            )
            for row in rows
        ]


def lift_pauses(store: Store, *, now: datetime) -> int:
    """End every pause, and say how many there were."""
    standing = (gates.c.name.startswith(_PAUSE), gates.c.held_until.is_not(None))
    with store.transaction() as tx:
        done = tx.connection.execute(gates.update().where(*standing).values(held_until=None, changed_at=now))
    return done.rowcount


ALARM_STANDS = timedelta(minutes=15)
"""How long a refusal of the bridge's own credentials is told: what waits for them is tried every five minutes."""
ALARM_EVERY = timedelta(seconds=10)
"""How soon a process writes down again that a system refuses it."""


class Alarms:
    """Which systems refuse the bridge's own credentials: in the database, so that any process can tell."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._raised: dict[str, datetime] = {}

    def raised(self, system: str, why: str) -> None:
        """Write down that *system* refuses, and *why*."""
        now = self._clock()
        with self._lock:
            last = self._raised.get(system)
            if last is not None and timedelta() <= now - last < ALARM_EVERY:
                return
            self._raised[system] = now
        row = {"about": why[:255], "failures": 0, "held_until": None, "changed_at": now}
        name = f"{_CREDENTIALS}{system}"[:64]
        with self._store.transaction() as tx:
            tx.connection.execute(insert_ignore(tx.connection, gates).values(name=name, **row))
            tx.connection.execute(gates.update().where(gates.c.name == name).values(**row))

    def taken(self, system: str) -> None:
        """Note that *system* took our credentials: what this process said of it is over."""
        if system not in self._raised:
            return
        with self._lock:
            if self._raised.pop(system, None) is None:
                return
        with self._store.transaction() as tx:
            tx.connection.execute(gates.delete().where(gates.c.name == f"{_CREDENTIALS}{system}"[:64]))


@dataclass(frozen=True, slots=True)
class RefusedHere:
    """A system that refuses the bridge's own credentials, and when it did so last."""

    system: str
    why: str
    at: datetime

    def stands(self, now: datetime) -> bool:
        """Whether it is told at *now*."""
        return now - self.at <= ALARM_STANDS


def credentials_of(store: Store, *, now: datetime) -> Sequence[RefusedHere]:
    """List the systems that refused the bridge's own credentials within the last quarter of an hour."""
    mine = (gates.c.name.startswith(_CREDENTIALS), gates.c.changed_at >= now - ALARM_STANDS)
    with store.reading() as tx:
        rows = tx.connection.execute(sa.select(gates).where(*mine).order_by(gates.c.name))
        return [RefusedHere(row.name[len(_CREDENTIALS) :], row.about, row.changed_at) for row in rows]


def lockouts_of(store: Store) -> Sequence[ShownLockout]:
    """List the login gates that were ever used, the last changed first."""
    logins = sa.not_(gates.c.name.startswith(_PAUSE) | gates.c.name.startswith(_CREDENTIALS))
    with store.reading() as tx:
        rows = tx.connection.execute(sa.select(gates).where(logins).order_by(gates.c.changed_at.desc()))
        return [ShownLockout(row.about, row.failures, row.changed_at) for row in rows]


def unlock_logins(store: Store) -> int:
    """Open every closed gate, and say how many there were."""
    with store.transaction() as tx:
        done = tx.connection.execute(
            gates.update().where(gates.c.failures >= FAILED_LOGINS).values(failures=0, held_until=None)
        )
    return done.rowcount
