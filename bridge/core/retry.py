"""When to try again, from the arguments alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.core.errors import Unreachable, UpstreamError


@dataclass(frozen=True, slots=True)
class TryAt:
    """Repeat the step at *moment*; it begins by reading back, so an unknown outcome is no danger."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Stop trying: the operation becomes a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Doubling waits with full jitter from *first* up to *longest*, until *give_up_after* has passed."""

    first: timedelta
    longest: timedelta
    give_up_after: timedelta

    def after(
        self, failure: UpstreamError | None, *, tries: int, since: datetime, now: datetime, jitter: float
    ) -> TryAt | GiveUp:
        """
        Decide after the *tries*-th failed try (from 1) of something accepted at *since*.

        *jitter* lies in [0, 1): chance, drawn by the caller. A Retry-After of the other side is a lower bound.
        """
        if now - since >= self.give_up_after:
            return GiveUp()
        ceiling = min(self.longest, self.first * 2 ** min(tries - 1, 30))
        wait = ceiling / 2 + (ceiling / 2) * jitter
        if isinstance(failure, Unreachable) and failure.retry_after is not None:
            wait = max(wait, failure.retry_after)
        return TryAt(now + wait)
