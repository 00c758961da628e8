"""Workers: their names, and which of them are alive."""

from datetime import datetime

import sqlalchemy as sa

from bridge.storage.database import Rows
from bridge.storage.tables import workers


class WorkerRows(Rows):
    """The processes that carry out operations."""

    def take_worker_name(self, host: str, *, token: str, now: datetime, silent_since: datetime) -> str:
        """
        Take for this process the first free name ``host#n``: one never used, or silent since *silent_since*.

        A worker that comes back under a dead one's name takes up what that one left.
        """
        self._lock_workers()
        taken = {
            row.name: row.seen_at
            for row in self.connection.execute(sa.select(workers.c.name, workers.c.seen_at))
            if row.name.rpartition("#")[0] == host
        }
        number = 0
        while (name := f"{host}#{number}") in taken and taken[name] >= silent_since:
            number += 1
        self.connection.execute(workers.delete().where(workers.c.name == name))
        self.connection.execute(workers.insert().values(name=name, token=token, seen_at=now))
        return name

    def worker_seen(self, name: str, *, token: str, now: datetime) -> bool:
        """Note that worker *name* is alive; False when its name has been given to another process."""
        done = self.connection.execute(
            workers.update().where(workers.c.name == name, workers.c.token == token).values(seen_at=now)
        )
        return done.rowcount == 1

    def leave(self, name: str, *, token: str) -> None:
        """Note that worker *name* has stopped in good order."""
        self.connection.execute(workers.delete().where(workers.c.name == name, workers.c.token == token))

    def silent_workers(self, *, since: datetime) -> list[str]:
        """The workers that were not seen since *since*; one caller at a time is answered."""
        self._lock_workers()
        return list(self.connection.scalars(sa.select(workers.c.name).where(workers.c.seen_at < since)))

    def forget_worker(self, name: str) -> None:
        """Drop a dead worker, once its work is taken over."""
        self.connection.execute(workers.delete().where(workers.c.name == name))

    def live_workers(self, *, since: datetime) -> int:
        """How many workers were seen since *since*."""
        return (
            self.connection.scalar(sa.select(sa.func.count()).select_from(workers).where(workers.c.seen_at >= since))
            or 0
        )

    def _lock_workers(self) -> None:
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.text("SELECT pg_advisory_xact_lock(7246302)"))
