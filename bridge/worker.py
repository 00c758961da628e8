"""The process part that runs operations, and the clock that looks after them."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import uuid4

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from bridge.core.drafts import RUN_KIND
from bridge.core.errors import UpstreamError, place_of
from bridge.core.operations import Operation
from bridge.engine import Worker, run_id
from bridge.metrics import Metrics
from bridge.parts import Bridge
from bridge.steps.alarm import alarm
from bridge.steps.batch.draft_report import Watcher
from bridge.steps.batch.drafts import run_drafts
from bridge.steps.batch.runs import Stopped, take_run, tick
from bridge.steps.dialog.deferred_activities import add_deferred_activities
from bridge.steps.dialog.thawed import retry_frozen
from bridge.steps.lease import next_run
from bridge.steps.operation.restored import hold
from bridge.steps.operation.run import run_operation
from bridge.storage import tables
from bridge.storage.database import empty_log
from bridge.storage.drafts import Drafts
from bridge.storage.mark import StoreMark
from bridge.storage.print_links import PrintLinks
from bridge.storage.runs import Runs
from bridge.storage.ticket_locks import StoredTicketLock
from bridge.storage.trouble import is_the_stores

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.worker")

STALLED = timedelta(seconds=60)
"""An operation that nobody touched for so long is held against the engine's own record."""
KEYS_EVERY = 600.0
"""Seconds between two looks for the issuer's keys."""
KEYS_WANTED_EVERY = 3.0
"""Without keys every token is refused, and a service that starts beside an issuer that blinks must not stay so."""
ABANDONED_EVERY = 4.0
"""Seconds between two looks for attempts that are ours and have no thread."""
DRAFTS_EVERY = 30.0
"""Seconds at most between two looks whether a run among drafts is due."""
EMPTY_LOG_EVERY = 60.0
"""Seconds between two tries to empty the log of the embedded store, which holds what was erased since the last."""
FORGET_EVERY = 3600.0
FORGET_AT_ONCE = 500
"""Rows that are deleted in one transaction, so that nobody waits long for the others' locks."""
NAMES_EVERY = 60.0
"""Seconds between two looks for activities whose actor's name may be found by now."""
THAW_EVERY = 3600.0
"""Seconds between two looks whether dialogs that were frozen can be told: nothing says when one is thawed."""
MARK_EVERY = 5.0
"""Seconds between two marks: a backup that is younger than the last one cannot be told from the store itself."""
WILL_BE_RUN = frozenset({"ENQUEUED", "PENDING", "DELAYED"})
"""How an attempt stands, by the engine's record, that ends or is begun anew without anybody asking."""


class WorkerProcess:
    """The worker of this process; ``bridge`` is the same one with its wake-up connected."""

    def __init__(self, bridge: Bridge) -> None:
        self._embedded = bridge.store.engine.dialect.name == "sqlite"
        self._token = str(uuid4())
        self._silent_after = timedelta(seconds=bridge.settings.worker_silent)
        host = "embedded" if self._embedded else socket.gethostname()
        now = bridge.clock()
        # On the embedded store there is one worker, and the lock on the file says that the last one is gone.
        silent_since = now + timedelta(days=1) if self._embedded else now - self._silent_after
        with bridge.store.transaction() as tx:
            self.name = tx.take_worker_name(host, token=self._token, now=now, silent_since=silent_since)
        self._worker = Worker(
            bridge.store.engine,
            name=self.name,
            concurrency=bridge.settings.work_concurrency,
            work=lambda operation_id, attempt, step: run_operation(self.bridge, operation_id, attempt, step=step),
        )
        self.bridge = replace(bridge, wake=self._worker.wake, holder=f"{self.name}:{self._token}")
        self._mark = StoreMark(bridge.store, bridge.settings.store_mark, clock=bridge.clock)
        self._scheduler = new_scheduler()
        self._every = partial(every, self._scheduler, metrics=bridge.metrics)
        self._stopping = threading.Event()
        self._idle: frozenset[str] = frozenset()

    def start(self) -> None:
        """Begin; what was left behind is taken up first, unless the store was restored since."""
        self._check_mark()
        self._worker.start()
        self._every(MARK_EVERY, self._check_mark)
        # Several beats fit into the silence, so that one late beat does not make a dead worker.
        self._every(self._silent_after.total_seconds() / 6, self._beat)
        self._every(self._silent_after.total_seconds() / 3, self._take_over)
        self._every(STALLED.total_seconds() / 2, self._ask_for_stalled)
        self._every(ABANDONED_EVERY, self._give_back_abandoned)
        self._every(FORGET_EVERY, self._forget)
        if self._embedded:
            self._every(EMPTY_LOG_EVERY, partial(empty_log, self.bridge.store.engine))
        self._every(NAMES_EVERY, partial(add_deferred_activities, self.bridge))
        self._every(THAW_EVERY, partial(retry_frozen, self.bridge))
        if self.bridge.settings.drafts_every:
            # More often than a run is due, so that one whose process died is soon gone on with by another.
            self._every(min(DRAFTS_EVERY, self.bridge.settings.drafts_every / 4), self._run_due_drafts)
        self._scheduler.start()
        log.info("worker started", worker=self.name)

    def stop(self, *, patience: timedelta = timedelta(seconds=20)) -> None:
        """Finish what runs, within *patience*, and leave."""
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        self._worker.stop(patience=patience)
        try:
            self._check_mark()
            with self.bridge.store.transaction() as tx:
                tx.leave(self.name, token=self._token)
        except sa.exc.SQLAlchemyError as error:
            # Its name is free once it has been silent for long enough.
            log.error("the store was not told that a worker leaves", error=type(error).__name__)
        log.info("worker stopped", worker=self.name)

    def _check_mark(self) -> None:
        """Hold back what a restored store would do again, and note how far the store has come."""
        found = self._mark.look()
        if found is not None:
            hold(self.bridge, found)
        if self._mark.unwritten is not None:
            why = type(self._mark.unwritten).__name__
            log.error("how far the store has come could not be noted beside it", error=why)

    def _beat(self) -> None:
        """Show that this worker lives; where it was taken for dead the process ends."""
        with self.bridge.store.transaction() as tx:
            still_ours = tx.worker_seen(self.name, token=self._token, now=self.bridge.clock())
        if not still_ours:
            # We slept so long that others took our work. Going on would be two workers under one name.
            log.critical("this worker was taken for dead; it stops", worker=self.name)
            os.kill(os.getpid(), signal.SIGTERM)

    def _take_over(self) -> None:
        if self._embedded:
            return
        with self.bridge.store.transaction() as tx:
            silent = tx.silent_workers(since=self.bridge.clock() - self._silent_after)
        others = [name for name in silent if name != self.name]
        each_alone("take_over", others, self._take_over_from, metrics=self.bridge.metrics)
        self._worker.wake()

    def _take_over_from(self, name: str) -> None:
        with self.bridge.store.transaction() as tx:
            if name not in tx.silent_workers(since=self.bridge.clock() - self._silent_after):
                return
            runs = self.bridge.queue.reassign(name)
            tx.forget_worker(name)
        log.warning("took over from a dead worker", worker=name, runs=runs)

    def _give_back_abandoned(self) -> None:
        """
        Attempts go back into the queue that are ours by the engine's record, and that nobody here is at.

        One whose end could not be written, while the store was away or full, would stand there as long as this worker
        lives, and take one of its places. Between its being taken and its thread lies a moment, so it counts when it is
        seen twice.
        """
        idle = self.bridge.queue.held_by(self.name) - self._worker.at_work
        twice, self._idle = idle & self._idle, idle
        if twice:
            self.bridge.queue.give_back(twice)
            log.warning("runs whose end could not be written begin anew", runs=len(twice))
            self._worker.wake()

    def _ask_for_stalled(self) -> None:
        """Ask again for operations whose run ended without finishing them, as when the database was away."""
        now = self.bridge.clock()
        with self.bridge.store.reading() as tx:
            stalled = tx.stalled(before=now - STALLED, limit=500)
        statuses = self.bridge.queue.statuses([run_id(each.id, each.attempt) for each in stalled])
        ended = [each for each in stalled if statuses.get(run_id(each.id, each.attempt)) not in WILL_BE_RUN]
        each_alone("ask_for_stalled", ended, self._ask_again, metrics=self.bridge.metrics)

    def _ask_again(self, operation: Operation) -> None:
        with self.bridge.store.transaction() as tx:
            if tx.update(operation.id, now=self.bridge.clock(), attempt=operation.attempt + 1):
                self.bridge.queue.enqueue(tx.connection, next_run(operation))
        log.warning("a run ended without finishing its operation; asked again", operation=str(operation.id))

    def _forget(self) -> None:
        forgets = (
            self._prune_engine,
            self._forget_ticket_locks,
            self._forget_batch_runs,
            self._forget_draft_failures,
            self._forget_print_links,
        )
        each_alone("forget", forgets, lambda forget: forget(), metrics=self.bridge.metrics)
        forget_old_rows(self.bridge)

    def _prune_engine(self) -> None:
        while self.bridge.queue.prune(self._forgotten_before) > 0:
            continue

    def _forget_ticket_locks(self) -> None:
        StoredTicketLock(self.bridge.store, clock=self.bridge.clock).forget()

    def _forget_batch_runs(self) -> None:
        with self.bridge.store.transaction() as tx:
            Runs(tx).forget(self._forgotten_before)

    def _forget_draft_failures(self) -> None:
        with self.bridge.store.transaction() as tx:
            Drafts(tx).forget_failures(self.bridge.clock() - timedelta(days=1))

    def _forget_print_links(self) -> None:
        with self.bridge.store.transaction() as tx:
            PrintLinks(tx).forget(self.bridge.clock())

    @property
    def _forgotten_before(self) -> datetime:
        return self.bridge.clock() - timedelta(days=self.bridge.settings.keep_finished)

    def _run_due_drafts(self) -> None:
        run_due_drafts(self.bridge, self._stopping.is_set)


def forget_old_rows(bridge: Bridge) -> None:
    """Delete the rows whose time is over, those that point to others first, a few at a time: nobody waits for it."""
    settings = bridge.settings
    kept = (
        (tables.operations, settings.keep_operations),
        (tables.attachments, settings.keep_attachments),
        (tables.snapshots, settings.keep_snapshots),
        (tables.links, settings.keep_links),
    )

    def forget(table_and_days: tuple[sa.Table, int]) -> None:
        table, days = table_and_days
        before, gone = bridge.clock() - timedelta(days=days), FORGET_AT_ONCE
        signed_before = bridge.clock() - timedelta(days=settings.keep_links)
        while gone == FORGET_AT_ONCE:
            with bridge.store.transaction() as tx:
                gone = tx.forget(table, before=before, signed_before=signed_before, limit=FORGET_AT_ONCE)

    each_alone("forget_old_rows", kept, forget, metrics=bridge.metrics)


def run_due_drafts(bridge: Bridge, stopping: Callable[[], bool]) -> None:
    """Do the run among elements under completion that is due, unless some process did, or is at it."""
    due = tick(RUN_KIND, bridge.clock(), timedelta(seconds=bridge.settings.drafts_every))
    run = take_run(bridge, RUN_KIND, due, scope=bridge.settings.drafts_for)
    if run is None:
        return
    log.info("drafts run", run=run.id, after=run.cursor)
    watcher = Watcher(report=lambda _: None, progress=lambda _done, _of: None, stopping=stopping)
    try:
        counts = run_drafts(bridge, run, watcher, dry=False)
    except (Stopped, UpstreamError) as error:
        alarm(bridge, error)
        log.warning("the drafts run rests", run=run.id, why=str(error))
    else:
        log.info("drafts run ended", run=run.id, **{what.value: count for what, count in counts.items()})


def new_scheduler() -> BackgroundScheduler:
    """A clock for periodic jobs: a late one runs once, never twice at a time."""
    return BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60}
    )


def every(scheduler: BackgroundScheduler, seconds: float, job: Callable[[], object], *, metrics: Metrics) -> None:
    """Let *job* run every so many *seconds*; what it raises is counted, logged by name and type, and it runs again."""
    name = getattr(job.func if isinstance(job, partial) else job, "__name__", "").lstrip("_")

    def guarded() -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - one bad tick must not end the job
            if not (is_the_stores(error) or isinstance(error, UpstreamError)):
                metrics.unexpected.labels("job").inc()
            log.error("a periodic job failed", job=name, error=type(error).__name__, at=place_of(error))

    scheduler.add_job(guarded, "interval", seconds=seconds)


_Item = TypeVar("_Item")


def each_alone(job: str, items: Iterable[_Item], work: Callable[[_Item], object], *, metrics: Metrics) -> None:
    """Do *work* for each of *items*: what fails is counted, logged by type, and keeps none of the others waiting."""
    for item in items:
        try:
            work(item)
        except Exception as error:
            if is_the_stores(error):
                raise
            if not isinstance(error, UpstreamError):
                metrics.unexpected.labels("job").inc()
            log.error("one of many failed in a periodic job", job=job, error=type(error).__name__, at=place_of(error))


def refresh_keys_regularly(bridge: Bridge, scheduler: BackgroundScheduler) -> None:
    """Keep the issuer's keys fresh, so that no request waits for them; while there are none, ask every few seconds."""
    every(scheduler, KEYS_EVERY, bridge.keys.refresh, metrics=bridge.metrics)

    def refresh_if_wanted() -> None:
        if not bridge.keys.ready:
            bridge.keys.refresh()

    every(scheduler, KEYS_WANTED_EVERY, refresh_if_wanted, metrics=bridge.metrics)
