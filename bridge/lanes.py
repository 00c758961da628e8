"""
Threads for requests, shared out among callers and not among requests: whoever has hundreds waits behind himself.

Who calls is read off the token before anybody has verified it. That opens nothing: it says in which line a request
waits, and one who writes invented names into it is told 401 as soon as it is his turn.
"""

import base64
import binascii
import re
import time
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

SHED = 1.0
"""Seconds that a request waited for a thread, after which the next ones of its caller are told to come again."""
SHARE = 4
"""One caller has a thread in so many, and as great a part of those who wait."""

_PAYLOAD = re.compile(rb"\r\nauthorization:[ \t]*bearer[ \t]+[\w-]{1,2000}\.([\w-]{1,16000})\.", re.IGNORECASE)


def caller_in(head: bytes) -> int:
    """A number for the caller whom a head's dialog token names, unverified; 0 where it names none."""
    found = _PAYLOAD.search(head)
    if found is None:
        return 0
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(found[1] + b"=" * (-len(found[1]) % 4)))
    except (binascii.Error, ValueError):
        return 0
    name = claims.get("c") if isinstance(claims, dict) else None
    return zlib.crc32(name.encode()) or 1 if isinstance(name, str) else 0


@dataclass(frozen=True, slots=True)
class _Asked:
    work: Callable[[], object]
    ended: Callable[["Future[Any]"], None]
    at: float


class Lane:
    """
    Threads for one kind of request, and who has one or waits for one.

    All methods are for one thread alone, the loop's. A caller 0 is many unknown ones, and has no share of his own.
    """

    def __init__(self, name: str, threads: int, *, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=f"bridge-{name}")
        self._threads, self._most, self._clock = threads, most, clock
        self._at_work: Counter[int] = Counter()
        self._lines: OrderedDict[int, deque[_Asked]] = OrderedDict()
        self._waited: dict[int, tuple[float, float]] = {}
        """How long the last one of a caller's waited, and when that ended; of those who have or want a thread."""

    @property
    def busy(self) -> int:
        """How many have a thread or wait for one."""
        return self._at_work.total() + sum(len(line) for line in self._lines.values())

    def full_for(self, caller: int) -> bool:
        """Whether a request of *caller*'s that comes now would wait for a thread for too long."""
        line = self._lines.get(caller, ())
        if self.busy >= self._most or (caller and len(line) >= self._most // SHARE):
            return True
        waited, noted = self._waited.get(caller, (0.0, 0.0))
        return bool(line) and waited > SHED and self._clock() - noted < SHED

    def add(self, caller: int, work: Callable[[], object], ended: Callable[["Future[Any]"], None]) -> None:
        """Let *work* have a thread when it is its turn; *ended*, called in that thread, has ``left`` called in ours."""
        self._lines.setdefault(caller, deque()).append(_Asked(work, ended, self._clock()))
        self._go_on()

    def left(self, caller: int) -> None:
        """Take the thread back that one of *caller*'s had."""
        self._at_work[caller] -= 1
        if not self._at_work[caller]:
            del self._at_work[caller]
            if caller not in self._lines:
                self._waited.pop(caller, None)
        self._go_on()

    def _go_on(self) -> None:
        while self._at_work.total() < self._threads and (caller := self._next()) is not None:
            line = self._lines[caller]
            first = line.popleft()
            if line:
                self._lines.move_to_end(caller)
            else:
                del self._lines[caller]
            self._at_work[caller] += 1
            now = self._clock()
            self._waited[caller] = (now - first.at, now)
            self.pool.submit(first.work).add_done_callback(first.ended)

    def _next(self) -> int | None:
        """The caller whose turn it is: of those below their share, the one whose last turn lies furthest back."""
        share = max(1, self._threads // SHARE)
        return next((each for each in self._lines if not each or self._at_work[each] < share), None)
