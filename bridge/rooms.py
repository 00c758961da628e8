"""Room for so many at a time, so that one slow system behind does not take every thread."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from bridge.core.errors import Refusal

MOVES = 1.0
"""Seconds in which somebody has to leave a full room for others to wait for it."""
PATIENCE = 2.0
"""Seconds that one waits at most: who waits holds a thread, too."""


class Room:
    """
    So many requests of one kind wait for one system at a time.

    A crowd goes through a quick system a few at a time. Where nobody comes out any more, nobody waits outside.
    """

    def __init__(self, places: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._condition = threading.Condition()
        self._free, self._clock = places, clock
        self._moved = 0.0
        """When somebody last left, or the room became full."""

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place. Raises Refusal 503."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """Take a place; whoever does calls ``leave``. Raises Refusal 503."""
        with self._condition:
            ends = self._clock() + PATIENCE
            while not self._free:
                now = self._clock()
                left = min(ends, self._moved + MOVES) - now
                if left <= 0:
                    raise Refusal("upstream_busy", 503, retry_after=timedelta(seconds=5))
                self._condition.wait(left)
            self._free -= 1
            if not self._free:
                self._moved = self._clock()

    def leave(self) -> None:
        """Give a place back."""
        with self._condition:
            self._free += 1
            self._moved = self._clock()
            self._condition.notify()


class Rooms:
    """The rooms of one web process: for each system and kind of request, of *threads* in all."""

    def __init__(self, *, threads: int, apps: int, accepting: int) -> None:
        quarter = max(1, threads // 4)
        self.accepting = threading.Semaphore(accepting)
        """So many presses are written down at once. More would take turns with those who work on what was accepted, for
        the processor and for the store's one writer, and finish less the more there is to do."""
        self.links = Room(quarter)
        """First presses, which ask Dialogporten (and of persons Altinn 2) what a dialog stands for."""
        self.looking = Room(quarter)
        """Prints, signing texts and lists, which ask Altinn 2."""
        self.uploads = Room(quarter)
        """Attachments on their way to Altinn 2."""
        # Calculations have threads of their own (connections.py), and one app alone may have them all.
        each = max(quarter, threads // max(1, apps))
        self._apps: defaultdict[str, Room] = defaultdict(lambda: Room(each))

    def app(self, name: str) -> Room:
        """Give the room of one app, which a route names."""
        return self._apps[name]
