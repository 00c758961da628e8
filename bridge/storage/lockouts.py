"""Login lockouts that all processes share and that outlive them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.core.login_lockout import FAILED_LOGINS, LOGIN_TAKES, Admission, LoginOutcome, next_failure_count
from bridge.storage.database import insert_ignore
from bridge.storage.store import Store
from bridge.storage.tables import lockouts


@dataclass(frozen=True, slots=True)
class ShownLockout:
    """One login's lockout as an operator sees it."""

    about: str
    failures: int
    changed_at: datetime

    @property
    def locked(self) -> bool:
        """Whether nobody is admitted any more."""
        return self.failures >= FAILED_LOGINS


class StoredLockout:
    """
    One login's lockout in the database: one at a time over all processes, and its count survives a restart.

    It is known by a slow digest of *secret* and *about*, so that another password has a lockout of its own: a corrected
    one is admitted, and a process that still has the wrong one stays out.
    """

    def __init__(self, store: Store, *, about: str, secret: str, clock: Clock) -> None:
        self._store, self._about, self._secret, self._clock = store, about, secret, clock

    @cached_property
    def _digest(self) -> str:
        salt = hashlib.sha256(self._about.encode()).digest()
        return hashlib.scrypt(self._secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex()

    def enter(self) -> Admission:
        """Admit one; one who never came out again counts as refused."""
        now = self._clock()
        first = {"digest": self._digest, "about": self._about, "failures": 0, "changed_at": now}
        mine = lockouts.c.digest == self._digest
        with self._store.transaction() as tx:
            tx.connection.execute(insert_ignore(tx.connection, lockouts).values(**first))
            row = tx.connection.execute(
                sa.select(lockouts.c.failures, lockouts.c.held_until).where(mine).with_for_update()
            ).one()
            if row.held_until is not None and row.held_until > now:
                return Admission.BUSY
            failures = row.failures if row.held_until is None else row.failures + 1
            locked = failures >= FAILED_LOGINS
            tx.connection.execute(
                lockouts.update()
                .where(mine)
                .values(failures=failures, held_until=None if locked else now + LOGIN_TAKES, changed_at=now)
            )
        return Admission.LOCKED if locked else Admission.ADMITTED

    def leave(self, ended: LoginOutcome) -> None:
        """Count how it went, and admit the next one."""
        mine = lockouts.c.digest == self._digest
        with self._store.transaction() as tx:
            failures = tx.connection.scalar(sa.select(lockouts.c.failures).where(mine).with_for_update()) or 0
            tx.connection.execute(
                lockouts.update()
                .where(mine)
                .values(failures=next_failure_count(failures, ended), held_until=None, changed_at=self._clock())
            )


def lockouts_of(store: Store) -> Sequence[ShownLockout]:
    """All logins that were ever tried, the last changed first."""
    with store.reading() as tx:
        rows = tx.connection.execute(sa.select(lockouts).order_by(lockouts.c.changed_at.desc()))
        return [ShownLockout(row.about, row.failures, row.changed_at) for row in rows]


def unlock_logins(store: Store) -> int:
    """Unlock every locked login; how many there were."""
    with store.transaction() as tx:
        done = tx.connection.execute(
            lockouts.update().where(lockouts.c.failures >= FAILED_LOGINS).values(failures=0, held_until=None)
        )
    return done.rowcount
