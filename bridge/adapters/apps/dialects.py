"""How an app hears what is meant, found out by asking it (facts/altinn3-and-tokens.md 1.6)."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bridge.core.calculations import HttpDialect
from bridge.core.clock import Clock

DIALECT_LIVES = timedelta(hours=1)
"""How long what was found out about an app is believed: it may be deployed anew at any time."""
ASK_AGAIN = timedelta(minutes=5)
"""How soon an app whose metadata said nothing is asked for it again."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.altinn3")


class LearnedDialect:
    """
    What is known of the dialect of the app *name*.

    *learned* is told (app, verbs) each time that something was found out.
    """

    def __init__(self, name: str, *, clock: Clock, learned: Callable[[str, str], None]) -> None:
        self._name, self._clock, self._learned = name, clock, learned
        self._version_lock, self._lock = threading.Lock(), threading.Lock()
        self._ask_at: datetime | None = None
        self.last: HttpDialect | None = None
        """What was known at last, believed still or not."""
        self.learned_from = ""
        self.until: datetime | None = None

    def believed(self, now: datetime) -> HttpDialect | None:
        """What is known, unless it was found out too long ago."""
        return self.last if self.until is not None and now < self.until else None

    def pin(self, dialect: HttpDialect) -> None:
        """Take what the route file says."""
        self.last, self.learned_from = dialect, "route"

    def learn(self, dialect: HttpDialect, source: str) -> None:
        """Believe *dialect* for an hour from now; *source* is for the operator."""
        if self.last is not dialect:
            log.info("an app's verbs were found out", app=self._name, verbs=dialect.name_in_words, source=source)
        with self._lock:
            self.last, self.learned_from, self.until = dialect, source, self._clock() + DIALECT_LIVES
        self._learned(self._name, dialect.name_in_words)

    def learned_by_version(self, by_version: Callable[[], HttpDialect | None], now: datetime) -> HttpDialect | None:
        """What is believed once *by_version* was asked: by one thread, every five minutes at most."""
        # Who comes meanwhile goes by what was known, or waits where nothing was.
        if self._version_lock.acquire(blocking=self.last is None):
            try:
                if self.believed(now) is None and (self._ask_at is None or now >= self._ask_at):
                    self._ask_at = now + ASK_AGAIN
                    found = by_version()
                    if found is not None:
                        self.learn(found, "altinnNugetVersion")
            finally:
                self._version_lock.release()
        return self.believed(now)
