"""One at a time for each key, in the order in which they came: in this process, and where it is shared in all."""

import threading
import time
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from bridge.storage.ticket_locks import LockTimeout, StoredTicketLock


class TicketLock:
    """
    Lets one thread at a time do what has the same key; keys that nobody waits for take no memory.

    *longest* is how many may wait for one key: each holds a thread that others need too. *shared* are the turns of
    all processes: the first in line here waits for them, too.
    """

    def __init__(self, *, longest: int = 8, shared: StoredTicketLock | None = None) -> None:
        self._longest, self._shared = longest, shared
        self._lock = threading.Lock()
        self._lines: dict[Hashable, deque[threading.Event]] = {}

    @contextmanager
    def turn(self, key: Hashable, *, seconds: float) -> Iterator[None]:
        """
        Wait for the turn of *key*, at most *seconds*, and hold it, for as long again at most.

        Raises:
            LockTimeout: It did not come.
        """
        mine, ends = threading.Event(), time.monotonic() + seconds
        with self._lock:
            line = self._lines.setdefault(key, deque())
            if len(line) > self._longest:
                raise LockTimeout
            line.append(mine)
            if line[0] is mine:
                mine.set()
        try:
            if not mine.wait(seconds):
                raise LockTimeout
            with self._among_all(key, left=ends - time.monotonic(), lasts=seconds):
                yield
        finally:
            with self._lock:
                line.remove(mine)
                if line:
                    line[0].set()
                else:
                    del self._lines[key]

    def _among_all(self, key: Hashable, *, left: float, lasts: float) -> AbstractContextManager[None]:
        if self._shared is None:
            return nullcontext()
        return self._shared.turn(key, seconds=max(0.0, left), lasts=lasts)
