"""Room for so many at a time, so that one slow system behind does not take every thread."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from bridge.core.problems import Refusal

MOVES = 1.0
"""Seconds in which somebody has to leave a full room for others to wait for it."""
PATIENCE = 2.0
"""Seconds that one waits at most: who waits holds a thread, too."""
LIGHT = 256 * 1024
"""Bodies up to here are not weighed: all threads together have a few megabytes of them."""
STEP = 1024 * 1024
"""A body of which nobody said how long it is, is weighed by so many bytes at a time."""


class Room:
    """
    So many requests of one kind wait for one system at a time; who is told that there is no room is told *code*.

    A crowd goes through a quick system a few at a time. Where nobody comes out any more, nobody waits outside.
    """

    def __init__(
        self, places: int, *, code: str = "upstream_busy", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._condition = threading.Condition()
        self._free, self._code, self._clock = places, code, clock
        self._moved = 0.0
        """When somebody last came or left."""

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place. Raises Refusal 503."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self, places: int = 1) -> None:
        """Take so many places; whoever does calls ``leave``. Raises Refusal 503."""
        with self._condition:
            ends = self._clock() + PATIENCE
            while self._free < places:
                now = self._clock()
                left = min(ends, self._moved + MOVES) - now
                if left <= 0:
                    raise Refusal(self._code, 503, retry_after=timedelta(seconds=5))
                self._condition.wait(left)
            self._free -= places
            self._moved = self._clock()

    def leave(self, places: int = 1) -> None:
        """Free *places*, and wake those that wait for them."""
        with self._condition:
            self._free += places
            self._moved = self._clock()
            # Where places are bytes, that is everybody: several may fit into the room of one.
            self._condition.notify(places)


class Load:
    """What one request has in memory of long bodies."""

    def __init__(self, room: Room, most: int) -> None:
        self._room, self._most = room, most
        self.held = 0

    def grow(self, size: int) -> None:
        """Take room for *size* bytes in all, which are there or will come. Raises Refusal 503 where there is none."""
        if size <= LIGHT or size <= self.held:
            return
        # One that is larger than all together has room once it is alone.
        more = min(max(size, self.held + STEP), self._most) - self.held
        if more > 0:
            self._room.enter(more)
            self.held += more

    def drop(self) -> None:
        """Free all room that this holds."""
        held, self.held = self.held, 0
        if held:
            self._room.leave(held)


class Bodies:
    """Room for long bodies, by their bytes: what is made of each is several times as large."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._room = most, Room(most, code="too_busy", clock=clock)

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Begin to hold bodies, and hold none at the end."""
        load = Load(self._room, self._most)
        try:
            yield load
        finally:
            load.drop()


class Rooms:
    """The rooms of one web process: for each system and kind of request, of *threads* in all."""

    def __init__(self, *, threads: int, apps: int, accepting: int, bodies: int) -> None:
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
        self.bodies = Bodies(bodies)
        """Forms, messages and answers that are read whole, by their bytes."""
        # Calculations have threads of their own (connections.py), and one app alone may have them all.
        each = max(quarter, threads // max(1, apps))
        self._apps: defaultdict[str, Room] = defaultdict(lambda: Room(each))

    def app(self, name: str) -> Room:
        """The room of one app, which a route names."""
        return self._apps[name]
