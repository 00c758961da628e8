"""When something is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import Unreachable
from bridge.core.retry import GiveUp, RetryPolicy, TryAt

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = RetryPolicy(first=timedelta(seconds=1), longest=timedelta(minutes=5), give_up_after=timedelta(days=1))


@given(tries=st.integers(1, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_no_wait_goes_beyond_its_bound(tries: int, jitter: float) -> None:
    """However often it failed, the next try comes after now and within the longest wait."""
    decision = POLICY.after(None, tries=tries, since=NOW, now=NOW, jitter=jitter)

    assert isinstance(decision, TryAt)
    assert NOW < decision.moment <= NOW + POLICY.longest


def test_retry_after_is_a_lower_bound() -> None:
    """A system that says when to come back is not asked before."""
    failure = Unreachable("Dialogporten", "maintenance", retry_after=timedelta(minutes=30))

    decision = POLICY.after(failure, tries=1, since=NOW, now=NOW, jitter=0.5)

    assert decision == TryAt(NOW + timedelta(minutes=30))


def test_trying_ends_when_its_time_is_up() -> None:
    """After its time an operation becomes a dead letter instead of trying for ever."""
    decision = POLICY.after(None, tries=3, since=NOW - timedelta(days=1), now=NOW, jitter=0)

    assert decision == GiveUp()
