"""One at a time for each key, in the order in which they came."""

import threading
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class NoTurn(Exception):
    """The turn did not come in time, or too many wait already."""


class Turns:
    """
    Lets one thread at a time do what has the same key; keys that nobody waits for take no memory.

    *longest* is how many may wait for one key: each holds a thread that others need too.
    """

    def __init__(self, *, longest: int = 8) -> None:
        self._longest = longest
        self._lock = threading.Lock()
        self._lines: dict[Hashable, deque[threading.Event]] = {}

    @contextmanager
    def turn(self, key: Hashable, *, seconds: float) -> Iterator[None]:
        """
        Wait for the turn of *key*, at most *seconds*, and hold it.

        Raises:
            NoTurn: It did not come.
        """
        mine = threading.Event()
        with self._lock:
            line = self._lines.setdefault(key, deque())
            if len(line) > self._longest:
                raise NoTurn
            line.append(mine)
            if line[0] is mine:
                mine.set()
        try:
            if not mine.wait(seconds):
                raise NoTurn
            yield
        finally:
            with self._lock:
                line.remove(mine)
                if line:
                    line[0].set()
                else:
                    del self._lines[key]
