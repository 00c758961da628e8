"""Gates that all processes share and that outlive them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.core.gates import FAILED_LOGINS, LOGIN_TAKES, Ended, Passage, counted
from bridge.storage.store import Store, insert_ignore
from bridge.storage.tables import gates


@dataclass(frozen=True, slots=True)
class Shown:
    """One gate as an operator sees it."""

    about: str
    failures: int
    changed_at: datetime

    @property
    def closed(self) -> bool:
        """Whether nobody is let in any more."""
        return self.failures >= FAILED_LOGINS


class StoredGate:
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

    def enter(self) -> Passage:
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
                return Passage.BUSY
            failures = row.failures if row.held_until is None else row.failures + 1
            closed = failures >= FAILED_LOGINS
            tx.connection.execute(
                gates.update()
                .where(mine)
                .values(failures=failures, held_until=None if closed else now + LOGIN_TAKES, changed_at=now)
            )
        return Passage.CLOSED if closed else Passage.OPEN

    def leave(self, ended: Ended) -> None:
        """Count how it went, and let the next one in."""
        mine = gates.c.name == self._name
        with self._store.transaction() as tx:
            failures = tx.connection.scalar(sa.select(gates.c.failures).where(mine).with_for_update()) or 0
            tx.connection.execute(
                gates.update()
                .where(mine)
                .values(failures=counted(failures, ended), held_until=None, changed_at=self._clock())
            )


def gates_of(store: Store) -> Sequence[Shown]:
    """List the gates that were ever used, the last changed first."""
    with store.reading() as tx:
        rows = tx.connection.execute(sa.select(gates).order_by(gates.c.changed_at.desc()))
        return [Shown(row.about, row.failures, row.changed_at) for row in rows]


def open_gates(store: Store) -> int:
    """Open every closed gate, and say how many there were."""
    with store.transaction() as tx:
        done = tx.connection.execute(
            gates.update().where(gates.c.failures >= FAILED_LOGINS).values(failures=0, held_until=None)
        )
    return done.rowcount
