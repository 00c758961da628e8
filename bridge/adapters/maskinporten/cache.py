"""Tokens that are kept for their life and renewed before its end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bridge.core.clock import Clock
from bridge.core.errors import UpstreamError

# A token that another system refuses is dropped, but not again and again: it may refuse all.
_DROP_EVERY = timedelta(seconds=30)
# A renewal that failed is tried again after this long, while the token at hand still serves.
_RENEW_AGAIN = timedelta(seconds=5)
# A token with less time left may run out on its way.
_TOO_LATE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and when it runs out."""

    value: str = field(repr=False)
    expires_at: datetime


@dataclass(slots=True)
class _Entry:
    fetching: threading.Lock = field(default_factory=threading.Lock)
    token: Token | None = None
    renew_at: datetime | None = None
    dropped_at: datetime | None = None


class TokenCache:
    """
    Tokens by their key: renewed early, fetched by one thread at a time.

    While a token still serves, nobody but the one who renews it waits; a renewal that fails leaves it in place.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[tuple[object, ...], _Entry] = {}

    def get(self, key: tuple[object, ...], fetch: Callable[[], Token]) -> str:
        """
        The token of *key*, from *fetch* where there is none that serves.

        Raises:
            UpstreamError: *fetch* failed, and no token serves.
        """
        entry = self._entry(key)
        token = self._serving(entry)
        if token is None:
            with entry.fetching:
                # Another thread may have fetched it while this one waited.
                token = self._serving(entry) or self._fetch(entry, fetch)
        elif self._due(entry) and entry.fetching.acquire(blocking=False):
            try:
                token = self._renew(entry, fetch, token) if self._due(entry) else token
            finally:
                entry.fetching.release()
        return token.value

    def drop(self, value: str) -> None:
        """Forget the token *value*, after another system refused it; at most every 30 s, since it may refuse all."""
        now = self._clock()
        with self._lock:
            for entry in self._entries.values():
                if entry.token is not None and entry.token.value == value and _passed(entry.dropped_at, now):
                    entry.token, entry.dropped_at = None, now

    def _entry(self, key: tuple[object, ...]) -> _Entry:
        with self._lock:
            return self._entries.setdefault(key, _Entry())

    def _serving(self, entry: _Entry) -> Token | None:
        token = entry.token
        return token if token is not None and self._clock() < token.expires_at - _TOO_LATE else None

    def _due(self, entry: _Entry) -> bool:
        return entry.renew_at is None or self._clock() >= entry.renew_at

    def _fetch(self, entry: _Entry, fetch: Callable[[], Token]) -> Token:
        now = self._clock()
        token = fetch()
        entry.token, entry.renew_at = token, renewal(now, token.expires_at)
        return token

    def _renew(self, entry: _Entry, fetch: Callable[[], Token], token: Token) -> Token:
        try:
            return self._fetch(entry, fetch)
        except UpstreamError as error:
            entry.renew_at = self._clock() + _RENEW_AGAIN
            structlog.get_logger().warning(
                "A token was not renewed; the one at hand still serves", action="token_renew", why=error.detail
            )
            return token


def renewal(now: datetime, expires_at: datetime) -> datetime:
    """When to renew: 30 s or a tenth of the life before the end, but not in the first half of it."""
    life = expires_at - now
    return expires_at - min(max(timedelta(seconds=30), life / 10), life / 2)


def _passed(moment: datetime | None, now: datetime) -> bool:
    # A clock that was set back counts as passed.
    return moment is None or not timedelta() <= now - moment < _DROP_EVERY
