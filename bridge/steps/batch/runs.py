"""Leased, resumable runs of any batch: one of a kind at a time, and where a process dies another goes on."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType

from bridge.parts import Bridge
from bridge.storage.runs import Run, Runs

SILENT = timedelta(minutes=15)
"""A run from the command line that did not move for so long has lost its process; workers have a heartbeat."""


class Stopped(Exception):
    """The run ends here and is gone on with later; the text says why."""


def tick(kind: str, now: datetime, every: timedelta) -> str:
    """The name of the run of this *kind* that is due at *now*, the same in every process."""
    seconds = every.total_seconds()
    return f"{kind}-{int(seconds)}-{int(now.astimezone(UTC).timestamp() // seconds)}"


def take_run(bridge: Bridge, kind: str, run_id: str, *, scope: Sequence[str] = (), at_once: bool = False) -> Run | None:
    """
    The run *run_id*, begun, or an unfinished one of its *kind* to go on with, *at_once* or when its process is dead.

    None where another process is at one, or this one is done.
    """
    now = bridge.clock()
    later = now + timedelta(days=1)
    with bridge.store.transaction() as tx:
        return Runs(tx).take(
            kind,
            run_id,
            scope=scope,
            holder=bridge.holder,
            now=now,
            alive_since=later if at_once else now - timedelta(seconds=bridge.settings.worker_silent),
            seen_since=later if at_once else now - SILENT,
        )


class LeasedRun:
    """
    A run while this process carries it out: how far it came is written down as it goes.

    It is a context. Left without an error the run has ended; else it rests, and whoever comes next goes on with it at
    once. With *dry* nothing is written.
    """

    def __init__(self, bridge: Bridge, run: Run, *, stopping: Callable[[], bool], dry: bool) -> None:
        self._bridge, self._run, self._stopping, self.dry = bridge, run, stopping, dry
        self.id, self.scope, self.cursor = run.id, run.scope, run.cursor
        self.counts = Counter(run.counts)

    def __enter__(self) -> "LeasedRun":
        """Carry it out."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note that it ended, or let the next process go on with it."""
        if self.dry:
            return
        with self._bridge.store.transaction() as tx:
            if error is None:
                Runs(tx).end(self._now(), holder=self._bridge.holder, now=self._bridge.clock())
            else:
                Runs(tx).rest(self._run, holder=self._bridge.holder)

    def move_to(self, cursor: str) -> None:
        """
        Note that all up to *cursor* is done.

        Raises:
            Stopped: As for ``beat``.
        """
        self.cursor = cursor
        self.beat()

    def beat(self) -> None:
        """
        Note that the run moves, and what it has counted.

        Raises:
            Stopped: Another process took it over, or this one is told to stop.
        """
        if not self.dry:
            with self._bridge.store.transaction() as tx:
                ours = Runs(tx).move(self._now(), holder=self._bridge.holder, now=self._bridge.clock())
            if not ours:
                raise Stopped("another process took the run over")
        if self._stopping():
            raise Stopped("told to stop")

    def _now(self) -> Run:
        return Run(kind=self._run.kind, id=self.id, scope=self.scope, cursor=self.cursor, counts=self.counts)
