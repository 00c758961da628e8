"""The circuit before each app: while it is open, an app that does not answer is left alone."""

import threading
from datetime import datetime, timedelta

import structlog

from bridge.core.clock import Clock
from bridge.core.errors import Unreachable

FAILURES, REST = 5, timedelta(seconds=10)
"""So many calls in a row that reached no app rest it for so long; then one call at a time tries."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.altinn3")


class Breaker:
    """The circuit before the app *name*, which errors call *system*."""

    def __init__(self, name: str, *, system: str, clock: Clock) -> None:
        self._name, self._system, self._clock = name, system, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until: datetime | None = None

    def admit(self) -> None:
        """
        Let a call through.

        Raises:
            Unreachable: The app rests; the error knows until when.
        """
        if self._open_until is None:
            return
        now = self._clock()
        with self._lock:
            if self._open_until is not None and now < self._open_until:
                raise Unreachable(self._system, "rests after failures", retry_after=self._open_until - now)
            # The one that comes first tries; the others go on resting until it is back.
            if self._failures >= FAILURES:
                self._open_until = now + REST

    def reached(self) -> None:
        """Close the circuit: the app answered."""
        if self._failures:
            with self._lock:
                self._failures, self._open_until = 0, None

    def failed(self) -> None:
        """Count a call that did not reach the app; enough of them in a row open the circuit."""
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES:
                return
            self._open_until = self._clock() + REST
        log.warning("an app does not answer and rests", app=self._name, seconds=REST.total_seconds())

    def is_open(self, now: datetime) -> bool:
        """Whether the app rests at *now*."""
        open_until = self._open_until
        return open_until is not None and now < open_until
