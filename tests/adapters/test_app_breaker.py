"""The circuit before an app, and what is known of its dialect."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bridge.adapters.apps.breaker import FAILURES, REST, Breaker
from bridge.adapters.apps.dialects import ASK_AGAIN, DIALECT_LIVES, LearnedDialect
from bridge.core.calculations import HttpDialect
from bridge.core.errors import Unreachable

START = datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker("ttd/app", system="app ttd/app", clock=clock)
    for _ in range(FAILURES):
        breaker.failed()
    return breaker


def admitted(breaker: Breaker) -> bool:
    try:
        breaker.admit()
    except Unreachable:
        return False
    return True


def test_an_app_rests_after_failures_in_a_row() -> None:
    """The one more that it takes opens the circuit, and the error says until when."""
    clock = Clock()
    breaker = Breaker("ttd/app", system="app ttd/app", clock=clock)
    for _ in range(FAILURES - 1):
        breaker.failed()

    assert admitted(breaker)
    breaker.failed()
    clock.now += timedelta(seconds=4)

    with pytest.raises(Unreachable) as caught:
        breaker.admit()
    assert caught.value.retry_after == REST - timedelta(seconds=4)
    assert breaker.is_open(clock.now)


def test_one_call_at_a_time_tries_after_the_rest() -> None:
    """The others go on resting until it is back, and an answer lets all of them through."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += REST

    assert [admitted(breaker) for _ in range(3)] == [True, False, False]
    breaker.reached()
    assert [admitted(breaker) for _ in range(3)] == [True, True, True]
    assert not breaker.is_open(clock.now)


def test_an_answer_between_failures_takes_them_back() -> None:
    """Only failures in a row count."""
    breaker = Breaker("ttd/app", system="app ttd/app", clock=Clock())
    for _ in range(FAILURES - 1):
        breaker.failed()
    breaker.reached()
    breaker.failed()

    assert admitted(breaker)


def dialect(clock: Clock) -> tuple[LearnedDialect, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    return LearnedDialect("ttd/app", clock=clock, learned=lambda app, verbs: told.append((app, verbs))), told


def saying(*answers: HttpDialect | None) -> tuple[Callable[[], HttpDialect | None], Iterator[HttpDialect | None]]:
    left = iter(answers)
    return lambda: next(left), left


def test_what_was_found_out_is_believed_for_an_hour() -> None:
    """The app may be deployed anew; then it is asked again."""
    clock = Clock()
    known, told = dialect(clock)
    known.learn(HttpDialect.GET_POST, "probe")

    assert known.believed(START + DIALECT_LIVES - timedelta(seconds=1)) is HttpDialect.GET_POST
    assert known.believed(START + DIALECT_LIVES) is None
    assert known.last is HttpDialect.GET_POST
    assert told == [("ttd/app", "get_post")]


def test_an_app_that_says_nothing_is_left_alone_for_minutes() -> None:
    """Its metadata is not read with every call."""
    clock = Clock()
    known, _ = dialect(clock)
    by_version, left = saying(None, HttpDialect.POST_PUT)

    assert known.learned_by_version(by_version, clock.now) is None
    assert known.learned_by_version(by_version, clock.now + ASK_AGAIN - timedelta(seconds=1)) is None
    assert known.learned_by_version(by_version, clock.now + ASK_AGAIN) is HttpDialect.POST_PUT
    assert list(left) == []
