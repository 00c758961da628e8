"""What a step or a route may use."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bridge.adapters.altinn2 import Altinn2Client
from bridge.adapters.altinn2.services import KnownServices
from bridge.adapters.apps.client import AppClient
from bridge.adapters.dialogporten.keys import KeyStore
from bridge.adapters.dialogporten.owner import DialogportenClient
from bridge.adapters.dialogporten.search import DialogSearch
from bridge.config.routes import Routes
from bridge.config.settings import Settings
from bridge.core.clock import Clock
from bridge.core.mapping import ServiceMapping
from bridge.core.retry import RetryPolicy
from bridge.engine import Queue
from bridge.forms.registry import SchemaRegistry
from bridge.metrics import Metrics
from bridge.rooms import Rooms
from bridge.storage.alarms import Alarms
from bridge.storage.attachments import Living
from bridge.storage.store import Store
from bridge.storage.watch import StoreWatch

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.parts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The parts, wired together. *wake* tells the worker in this process, if there is one, that there is work."""

    settings: Settings
    mappings: Mapping[str, ServiceMapping]
    schemas: SchemaRegistry
    keys: KeyStore
    store: Store
    watch: StoreWatch
    queue: Queue
    altinn2: Altinn2Client
    services: KnownServices
    dialogporten: DialogportenClient
    search: DialogSearch
    apps: AppClient
    routes: Routes
    retry: RetryPolicy
    settle: timedelta
    late: timedelta
    """How long a write to Altinn 2 that nobody answered may still take effect."""
    finished: "CompletionWaiter"
    uploading: "Uploading"
    rooms: Rooms
    metrics: Metrics
    alarms: Alarms
    clock: Clock
    jitter: Callable[[], float]
    new_id: Callable[[], UUID]
    new_secret: Callable[[], str]
    """What nobody can guess, fit for an address."""
    wake: Callable[[], None]
    holder: str
    """Who this process is among those that write operations; never the same twice."""


class Uploading:
    """The attachments that pass through this process now. *process* is its name, never the same twice."""

    def __init__(self, process: str) -> None:
        self.process = process
        self._lock = threading.Lock()
        self._uploads: set[UUID] = set()

    @contextmanager
    def passing(self, upload_id: UUID) -> Iterator[None]:
        """Count *upload_id* among them, until it has passed or failed."""
        with self._lock:
            self._uploads.add(upload_id)
        try:
            yield
        finally:
            with self._lock:
                self._uploads.discard(upload_id)

    def living(self, *, silent_since: datetime) -> Living:
        """Which uploads live; those of other processes that have not moved since *silent_since* do not."""
        with self._lock:
            uploads = frozenset(self._uploads)
        return Living(process=self.process, uploads=uploads, silent_since=silent_since)


SCOUTS = 2
"""So many requests wait, to see how it is, while waiting is in vain."""


class CompletionWaiter:
    """
    Lets requests wait for their operation to end.

    A worker in the same process tells at once; what other processes end is asked of the store, for all who wait in
    one query, and only while somebody waits.

    Once a wait was in vain, the queue is longer than a wait: all but a few are then answered at once, until one of
    those few is done in half the time. Who has several under way waits behind himself: that his waits are in vain
    says nothing to others.
    """

    def __init__(self, look: Callable[[Sequence[UUID]], set[UUID]], *, pause: float = 0.02, places: int) -> None:
        self._look, self._pause = look, pause
        self._places = places
        self._taken = 0
        self._callers: Counter[str] = Counter()
        self._in_vain: set[str] = set()
        """Whose waits are, "" for everybody's."""
        self._lock = threading.Lock()
        self._waiting: dict[UUID, list[threading.Event]] = {}
        self._watcher: threading.Thread | None = None

    def tell(self, operation_id: UUID) -> None:
        """Wake those who wait for *operation_id*."""
        with self._lock:
            events = self._waiting.pop(operation_id, [])
        for event in events:
            event.set()

    def wait(self, operation_id: UUID, *, seconds: float, begin: Callable[[], None], caller: str = "") -> bool:
        """
        Call *begin* (which may set the work going), wait until *operation_id* is finished, and say whether it is.

        False at once when too many wait already, or too many of *caller*'s: a waiting request holds a thread, and
        others need one too.
        """
        if seconds <= 0 or not self._enter(caller):
            begin()
            return False
        event, began = threading.Event(), time.monotonic()
        try:
            with self._lock:
                self._waiting.setdefault(operation_id, []).append(event)
                if self._watcher is None:
                    self._watcher = threading.Thread(target=self._watch, name="bridge-finished", daemon=True)
                    self._watcher.start()
            begin()
            ended = event.wait(seconds)
            if not ended or time.monotonic() - began < seconds / 2:
                self._learn(caller, in_vain=not ended)
            return ended
        finally:
            with self._lock:
                self._leave(caller)
                events = self._waiting.get(operation_id, [])
                if event in events:
                    events.remove(event)
                    if not events:
                        del self._waiting[operation_id]

    def _enter(self, caller: str) -> bool:
        with self._lock:
            places = min(SCOUTS, self._places) if "" in self._in_vain else self._places
            mine = max(1, self._places // 4) if caller else self._places
            if caller in self._in_vain:
                mine = min(SCOUTS, mine)
            if self._taken >= places or self._callers[caller] >= mine:
                return False
            self._taken += 1
            self._callers[caller] += 1
            return True

    def _learn(self, caller: str, *, in_vain: bool) -> None:
        with self._lock:
            if not in_vain:
                self._in_vain -= {"", caller}
                return
            behind_himself = self._callers[caller] > 1 or caller in self._in_vain
            self._in_vain.add(caller if behind_himself else "")

    def _leave(self, caller: str) -> None:
        self._taken -= 1
        self._callers[caller] -= 1
        if not self._callers[caller]:
            del self._callers[caller]
            if caller:
                self._in_vain.discard(caller)

    def _watch(self) -> None:
        idle = threading.Event()
        while True:
            idle.wait(self._pause)
            with self._lock:
                waiting = list(self._waiting)
                if not waiting:
                    self._watcher = None
                    return
            try:
                ended = self._look(waiting)
            except Exception as error:  # noqa: BLE001 - the store may be away for a while; those who wait get their 202
                log.warning("looking for finished operations failed", error=type(error).__name__)
                continue
            for operation_id in ended:
                self.tell(operation_id)
