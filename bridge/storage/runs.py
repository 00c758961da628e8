"""How far batches are: leased runs, which another process goes on with where one died."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from bridge.storage.store import Transaction
from bridge.storage.tables import runs, workers

_LOCK = 7246303
"""What PostgreSQL's advisory locks of runs are told apart by from others'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    One run of a batch of this *kind* and how far it came.

    *cursor* is the batch's own word for the last thing that is done; it is empty at the beginning.
    """

    kind: str
    id: str
    scope: tuple[str, ...]
    cursor: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


class Runs:
    """The runs' rows, in one transaction: of each kind at most one is under way, whoever began it."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def take(
        self,
        kind: str,
        run_id: str,
        *,
        scope: Iterable[str],
        holder: str,
        now: datetime,
        alive_since: datetime,
        seen_since: datetime,
    ) -> Run | None:
        """
        Begin the run *run_id*, or go on with one of its *kind* whose process is dead.

        A worker is dead when its heartbeat is older than *alive_since*; a process without one when the run did not move
        since *seen_since*. None while a living process is at one, and where this one was begun before: so any number of
        processes may ask for the same run, and one gets it.
        """
        if self._connection.dialect.name == "postgresql":
            # Two that look at once would both find that none is under way; SQLite has one writer anyhow.
            self._connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(:lock, hashtext(:kind))"), {"lock": _LOCK, "kind": kind}
            )
        unfinished = sa.select(runs).where(runs.c.kind == kind, runs.c.ended_at.is_(None))
        row = self._connection.execute(unfinished).mappings().first()
        if row is not None:
            if row["holder"] is not None and self._lives(row, alive_since, seen_since):
                return None
            self._update(_run(row), holder=holder, seen_at=now)
            return _run(row)
        if self._connection.scalar(sa.select(sa.exists().where(runs.c.kind == kind, runs.c.id == run_id))):
            return None
        run = Run(kind=kind, id=run_id, scope=tuple(sorted(scope)))
        self._insert(run, holder=holder, now=now)
        return run

    def move(self, run: Run, *, holder: str, now: datetime) -> bool:
        """Note that *run* moves, and how far it is; False when another process has taken it over."""
        return self._update(run, held_by=holder, cursor=run.cursor, counts=dict(run.counts), seen_at=now)

    def end(self, run: Run, *, holder: str, now: datetime) -> bool:
        """Note that *run* came to its end; False when another process has taken it over."""
        return self._update(run, held_by=holder, counts=dict(run.counts), seen_at=now, ended_at=now)

    def rest(self, run: Run, *, holder: str) -> None:
        """Let whoever comes next go on with *run* at once."""
        self._update(run, held_by=holder, holder=None)

    def last_ended(self, kind: str) -> datetime | None:
        """When a run of this *kind* last came to its end."""
        latest = sa.select(sa.func.max(runs.c.ended_at)).where(runs.c.kind == kind)
        ended: datetime | None = self._connection.scalar(latest)
        return ended

    def forget(self, before: datetime) -> None:
        """Drop the rows of runs of any kind that ended before *before*."""
        self._connection.execute(runs.delete().where(runs.c.ended_at < before))

    def _lives(self, row: sa.RowMapping, alive_since: datetime, seen_since: datetime) -> bool:
        name, colon, token = row["holder"].rpartition(":")
        if not colon:
            seen: datetime = row["seen_at"]
            return seen >= seen_since
        beating = (workers.c.name == name, workers.c.token == token, workers.c.seen_at >= alive_since)
        return bool(self._connection.scalar(sa.select(sa.exists().where(*beating))))

    def _insert(self, run: Run, *, holder: str, now: datetime) -> None:
        row = {"kind": run.kind, "id": run.id, "scope": run.scope, "cursor": run.cursor, "counts": dict(run.counts)}
        self._connection.execute(runs.insert().values(began_at=now, seen_at=now, holder=holder, **row))

    def _update(self, run: Run, *, held_by: str | None = None, **values: object) -> bool:
        """Whether *values* were written: where *held_by* is named, only while that has the run and goes on."""
        mine = [runs.c.kind == run.kind, runs.c.id == run.id]
        if held_by is not None:
            mine += [runs.c.holder == held_by, runs.c.ended_at.is_(None)]
        return self._connection.execute(runs.update().where(*mine).values(**values)).rowcount == 1


def _run(row: sa.RowMapping) -> Run:
    return Run(
        kind=row["kind"], id=row["id"], scope=tuple(row["scope"]), cursor=row["cursor"], counts=dict(row["counts"])
    )
