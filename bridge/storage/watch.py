"""How the store is, for those who must be answered at once, whatever the store does."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.core.drafts import RUN_KIND
from bridge.storage.alarms import Alarm, alarms_of
from bridge.storage.dead_letters import DeadLetters
from bridge.storage.drafts import Drafts
from bridge.storage.pauses import ShownPause, pauses_of
from bridge.storage.runs import Runs
from bridge.storage.store import Store
from bridge.storage.trouble import Trouble, trouble_of

FRESH = 1.0
"""Seconds for which a look serves all who ask."""
PATIENCE = 0.5
"""Seconds that who asks waits for a look that is under way."""
SILENT = 5.0
"""Seconds after which a look that does not end means that the store is away."""
BUSY_FOR = 15.0
"""Seconds for which a look that found no connection is no news: it says that there is much to do."""
REMEMBERED = 5.0
"""Seconds for which what a request met counts, also when a look, which writes little, went well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What the store said when it was last looked into."""

    unfinished: int
    oldest: datetime | None
    workers: int
    drafts_open: int
    drafts_ended: datetime | None
    drafts_failing: int
    pauses: tuple[ShownPause, ...]
    refusing: tuple[Alarm, ...]
    dead: Mapping[str, int]
    """Operations that wait for an operator, by why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How the store is: *trouble* keeps it from working; *backlog* is the last that is known, None before that."""

    trouble: Trouble | None
    backlog: Backlog | None


class StoreWatch:
    """
    Looks into the store, and writes to it, in a thread of its own, at most once a second and only when asked.

    Whoever asks gets the last look's answer when the store does not give one in time: a probe that waits behind a
    database that hangs would be taken for a process that hangs.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        worker_silent: timedelta,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._clock, self._silent, self._ticks = store, clock, worker_silent, ticks
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._began: float | None = None
        self._looked: float | None = None
        self._well: float | None = None
        self._trouble: Trouble | None = Trouble.AWAY
        self._met: tuple[Trouble, float] | None = None
        self._backlog: Backlog | None = None

    def met(self, trouble: Trouble) -> None:
        """Note what a request met. That all connections were taken for a moment says nothing of the next request."""
        if trouble is not Trouble.BUSY:
            with self._lock:
                self._met = (trouble, self._ticks())

    def seen(self) -> Seen:
        """How the store is, told at the latest after half a second."""
        with self._lock:
            now = self._ticks()
            if self._began is None and (self._looked is None or now - self._looked > FRESH):
                self._began = now
                self._ended.clear()
                threading.Thread(target=self._look, name="bridge-store-watch", daemon=True).start()
        self._ended.wait(PATIENCE)
        with self._lock:
            now = self._ticks()
            hangs = self._began is not None and now - self._began > SILENT
            met = self._met[0] if self._met is not None and now - self._met[1] < REMEMBERED else None
            return Seen(trouble=Trouble.AWAY if hangs else self._trouble or met, backlog=self._backlog)

    def _look(self) -> None:
        trouble, backlog = None, None
        try:
            backlog = self._backlog_now()
            with self._store.transaction() as tx:
                tx.beat(now=self._clock())
        except sa.exc.SQLAlchemyError as error:
            # A statement that the store does not understand belongs to other tables than these.
            trouble = trouble_of(error) or Trouble.AWAY
        except Exception:  # noqa: BLE001 - whatever it is, the store was not written
            trouble = Trouble.AWAY
        with self._lock:
            now = self._ticks()
            if trouble is None:
                self._well = now
            elif trouble is Trouble.BUSY and self._well is not None and now - self._well < BUSY_FOR:
                trouble = self._trouble
            self._began, self._looked, self._trouble = None, now, trouble
            self._backlog = backlog or self._backlog
            self._ended.set()

    def _backlog_now(self) -> Backlog:
        now = self._clock()
        with self._store.reading() as tx:
            unfinished, oldest = tx.backlog()
            workers = tx.live_workers(since=now - self._silent)
            dead = DeadLetters(tx).counts()
            followed, failing, ended = Drafts(tx).open(), Drafts(tx).failing(), Runs(tx).last_ended(RUN_KIND)
        return Backlog(
            unfinished=unfinished,
            oldest=oldest,
            workers=workers,
            drafts_open=followed,
            drafts_ended=ended,
            drafts_failing=failing,
            pauses=tuple(pauses_of(self._store, now=now)),
            dead=dead,
            refusing=tuple(alarms_of(self._store, now=now)),
        )
