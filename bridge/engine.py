"""
The durable engine: runs operations, records their steps, and takes them up again after a crash.

The only module that imports dbos. A *run* is one try of an operation: ``{operation id}.{attempt}``. The engine holds
ids and nothing else; what an operation is, and where it stands, is in our own table.
"""

import logging
import sqlite3
import sys
import threading
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from bridge.core.errors import ConfigurationError, Fault, place_of

if TYPE_CHECKING:
    from dbos import DBOSConfig

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.engine")

QUEUE = "operations"
WORKFLOW = "operation"
VERSION = "bridge-1"
"""Constant: with a hash of the code, as is the default, work accepted before a deploy would never run again."""
BUCKETS = 256
"""Partitions of the queue. One for each dialog would make every poll walk every waiting dialog."""
SHARE = 6
"""
So many buckets, and with that so many runs at once, has one caller. The engine draws from the buckets that have work by
chance: whoever asks for hundreds of runs keeps others from none.
"""
IDLE_POLL = 0.5
"""Seconds between two looks at the queue when nobody wakes us."""
BUSY_POLL = 0.03
"""The same while there is work: a run that ends frees a slot and a partition, and nobody else says so."""
BUSY_FOR = 1.0
"""Seconds after the last sign of work for which the shorter pause holds."""

Step = Callable[[str, Callable[[], str]], str]
"""Runs a named function once and records its answer; a later run of the same attempt gets the record."""
Work = Callable[[UUID, int, Step], None]
"""Takes an operation's id and the number of the attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of an operation that the engine is asked for."""

    operation_id: UUID
    attempt: int
    dialog_id: UUID
    sequence: int
    """Its place among the operations of its dialog."""
    caller: str = ""
    """Who asked for it; without one it is its dialog's."""
    rank: int | None = None
    """Its place among what its caller waits for: where two share a bucket, who waits for less comes first."""
    delay: timedelta = timedelta(0)

    @property
    def id(self) -> str:
        """The engine's name for it: asking twice for the same run starts one."""
        return run_id(self.operation_id, self.attempt)


def run_id(operation_id: UUID, attempt: int) -> str:
    """The engine's name for one try of an operation."""
    return f"{operation_id}.{attempt}"


def check_platform(dialect: str) -> None:
    """
    Refuse a platform on which the store would fail with a constraint error later.

    Raises:
        ConfigurationError: From Python 3.12 on, dbos needs SQLite 3.42 for the embedded store.
    """
    if dialect == "sqlite" and sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
        raise ConfigurationError(
            [
                Fault(
                    where="BRIDGE_DATABASE_URL",
                    message=(
                        f"the embedded store needs SQLite 3.42 or newer under Python 3.12 and newer; this one is "
                        f"{sqlite3.sqlite_version}. Use Python 3.11, a newer SQLite, or PostgreSQL."
                    ),
                )
            ]
        )


def prepare(engine: sa.Engine) -> None:
    """Bring the engine's own tables to the present version."""
    from dbos._sys_db import SystemDatabase

    check_platform(engine.dialect.name)
    _quieten()
    database = SystemDatabase.create(
        system_database_url=_placeholder(engine),
        engine_kwargs={},
        engine=engine,
        schema="dbos",
        serializer=_serializer(),
        executor_id=None,
        use_listen_notify=False,
    )
    database.run_migrations()


class Queue:
    """The way in: asks for runs, in the caller's own transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        from dbos import DBOSClient

        _quieten()
        self._postgres = engine.dialect.name == "postgresql"
        self._client = DBOSClient(system_database_engine=engine, serializer=_serializer(), use_listen_notify=False)

    def enqueue(self, connection: sa.Connection, run: Attempt) -> None:
        """Ask for *run* in the transaction of *connection*. Nothing happens before that commits."""
        options: dict[str, object] = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": run.id,
            "app_version": VERSION,
            "queue_partition_key": bucket(run),
            # The clock of SQLite under Python 3.11 ticks in seconds; without this, order would be by id.
            "priority": min(run.sequence if run.rank is None else run.rank, 2**31 - 1),
        }
        if run.delay > timedelta(0):
            options["delay_seconds"] = run.delay.total_seconds()
        self._client.enqueue_in_transaction(connection, options, str(run.operation_id), run.attempt)  # type: ignore[arg-type]
        if self._postgres and not run.delay:
            connection.execute(sa.text("SELECT pg_notify('bridge_runs', '')"))

    def statuses(self, runs: Sequence[str]) -> Mapping[str, str]:
        """How each of *runs* stands: ENQUEUED, DELAYED, PENDING, SUCCESS, ERROR, CANCELLED; absent if unknown."""
        if not runs:
            return {}
        found = self._client.list_workflows(workflow_ids=list(runs), load_input=False, load_output=False)
        return {each.workflow_id: each.status for each in found}

    def reassign(self, worker: str) -> int:
        """Leave the runs of dead *worker* to whoever comes first, and return how many there were."""
        left = self.held_by(worker)
        self.give_back(left)
        return len(left)

    def held_by(self, worker: str) -> frozenset[str]:
        """The runs that *worker* took and did not end, by the engine's record."""
        held = self._client.list_workflows(status="PENDING", executor_id=[worker], load_input=False, load_output=False)
        return frozenset(each.workflow_id for each in held)

    def give_back(self, runs: Collection[str]) -> None:
        """Put *runs* back into the queue, for whoever comes first."""
        if runs:
            # Without the queue's name a run would leave its partition, and with that its place in the order.
            self._client.resume_workflows(sorted(runs), queue_name=QUEUE)

    def prune(self, before: datetime, *, limit: int = 500) -> int:
        """Delete the engine's record of runs that ended before *before*; our own rows stay."""
        old = self._client.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            end_time=before.isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        if old:
            self._client.delete_workflows([each.workflow_id for each in old])
        return len(old)

    def close(self) -> None:
        """Let go of the database."""
        self._client.destroy()


class Worker:
    """Runs what was asked for, in this process."""

    def __init__(
        self, engine: sa.Engine, *, name: str, concurrency: int, work: Work, idle_poll: float = IDLE_POLL
    ) -> None:
        self._engine, self._name, self._concurrency, self._work = engine, name, concurrency, work
        self._idle_poll = idle_poll
        self._pulse = _WakeableEvent()
        self._threads: list[threading.Thread] = []
        self._at_work: set[str] = set()

    @property
    def at_work(self) -> frozenset[str]:
        """The runs that have a thread of this process at this moment."""
        return frozenset(self._at_work)

    def start(self) -> None:
        """Start working; what this worker's name left behind in a crash is taken up first."""
        from dbos import DBOS
        from dbos._dbos import _get_dbos_instance
        from dbos._queue import queue_worker_thread

        check_platform(self._engine.dialect.name)
        _quieten()
        DBOS(config=self._config())

        @DBOS.workflow(name=WORKFLOW)
        def operation(operation_id: str, attempt: int) -> None:
            run = run_id(UUID(operation_id), attempt)
            self._at_work.add(run)
            try:
                self._work(UUID(operation_id), attempt, _recorded_step)
            finally:
                self._at_work.discard(run)
                self._pulse.busy()

        # The engine looks at its queues at a fixed pace. Ours is looked after by the engine's own loop in a thread of
        # ours, whose pause ends early when something was accepted: picked up at once, and idle the rest of the time.
        DBOS.listen_queues([])
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._concurrency,
            partition_concurrency=1,
            polling_interval_sec=self._idle_poll,
            on_conflict="always_update",
        )
        queue = DBOS.retrieve_queue(QUEUE)
        self._spawn("queue", queue_worker_thread, self._pulse, _get_dbos_instance(), queue)
        if self._engine.dialect.name == "postgresql":
            self._spawn("listen", self._listen)

    def _config(self) -> "DBOSConfig":
        return {
            "name": "bridge",
            "system_database_engine": self._engine,
            "application_version": VERSION,
            "executor_id": self._name,
            "serializer": _serializer(),
            "log_level": "WARNING",
            "use_listen_notify": False,
            "enable_otlp": False,
            "max_executor_threads": self._concurrency + 4,
        }

    def wake(self) -> None:
        """Look at the queue now."""
        self._pulse.wake()

    def stop(self, *, patience: timedelta) -> None:
        """Take nothing new, and give what is running *patience* to end. The rest is taken up after a restart."""
        from dbos import DBOS
        from dbos._dbos import _get_dbos_instance

        self._pulse.stop()
        for thread in self._threads:
            thread.join(timeout=5)
        # The engine's own patience begins with a second of sleep, also where nothing runs. A run that was taken just
        # now is listed by its own thread, so that an empty list counts when it is seen again.
        active, pause = _get_dbos_instance()._active_workflows_set, threading.Event()  # noqa: SLF001
        ends, empty = time.monotonic() + patience.total_seconds(), 0
        while empty < 2 and time.monotonic() < ends:
            empty = 0 if active.activeList() else empty + 1
            pause.wait(0.05)
        DBOS.destroy(workflow_completion_timeout_sec=0, destroy_registry=True)

    def _spawn(self, name: str, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=f"bridge-{name}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _listen(self) -> None:
        """Turn PostgreSQL's notifications into wake-ups; when the connection breaks, polling goes on meanwhile."""
        while not self._pulse.is_set():
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.exec_driver_sql("LISTEN bridge_runs")
                    driver: Any = connection.connection.driver_connection
                    while not self._pulse.is_set():
                        for _ in driver.notifies(timeout=1.0, stop_after=1):
                            self._pulse.wake()
            except Exception as error:  # noqa: BLE001 - polling carries on; the listener must come back by itself
                log.warning("listening for new work failed", error=type(error).__name__, at=place_of(error))
                self._pulse.rest(1.0)


class _WakeableEvent:
    """What the engine's queue loop takes for its stop event: ``wait`` also ends, with False, when something came in."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._stopped = False
        self._awake = False
        self._busy_until = 0.0

    def is_set(self) -> bool:
        return self._stopped

    def wait(self, timeout: float) -> bool:
        with self._condition:
            if not self._awake and not self._stopped:
                self._condition.wait(BUSY_POLL if time.monotonic() < self._busy_until else timeout)
            self._awake = False
            return self._stopped

    def wake(self) -> None:
        with self._condition:
            self._awake = True
            self._busy_until = time.monotonic() + BUSY_FOR
            self._condition.notify_all()

    def busy(self) -> None:
        with self._condition:
            self._busy_until = time.monotonic() + BUSY_FOR
            # A run that took longer than that left the loop in its long pause.
            self._condition.notify_all()

    def stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def rest(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._stopped, seconds)


def _recorded_step(name: str, function: Callable[[], str]) -> str:
    from dbos import DBOS

    return DBOS.run_step({"name": name}, function)


def bucket(run: Attempt) -> str:
    """Name the bucket of *run*: a number that tells of nobody."""
    dialog = zlib.crc32(run.dialog_id.bytes)
    if not run.caller:
        return f"{dialog % BUCKETS:03d}"
    # An odd step keeps a caller's buckets apart. That two callers press one dialog at once our own table sorts out.
    return f"{(zlib.crc32(run.caller.encode()) + dialog % SHARE * 43) % BUCKETS:03d}"


def _serializer() -> Any:
    # The default is pickle: whoever can write to the database could run code here.
    from dbos import DBOSPortableJSONSerializer

    return DBOSPortableJSONSerializer()


def _placeholder(engine: sa.Engine) -> str:
    return "sqlite:///given.sqlite" if engine.dialect.name == "sqlite" else "postgresql://given"


def _quieten() -> None:
    logging.getLogger("dbos").setLevel(logging.WARNING)
