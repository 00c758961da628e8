"""A pause that a system asked for: one for all processes, which a restart does not forget."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.core.upstream_pause import TRIAL_TAKES, Why
from bridge.storage.database import migrate, open_database
from bridge.storage.lockouts import lockouts_of
from bridge.storage.pauses import StoredPause, lift_pauses, pauses_of
from bridge.storage.store import Store

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class Case:
    """Processes that call the same system; each has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self.url, self.now = f"sqlite:///{folder}/store.sqlite", NOW
        self.engines = [open_database(self.url, pool=1)]
        self.store = Store(self.engines[0])
        migrate(self.engines[0])

    def process(self) -> StoredPause:
        self.engines.append(open_database(self.url, pool=1))
        return StoredPause(
            Store(self.engines[-1]), system="altinn2", url="https://altinn.example/api", clock=lambda: self.now
        )


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    for engine in made.engines:
        engine.dispose()


def test_a_pause_holds_for_all_processes(case: Case) -> None:
    """The one that was told, another that was at work (within a second), and one that starts later."""
    told, other = case.process(), case.process()
    assert other.remaining() is None
    told.begin(MINUTE, Why.MAINTENANCE)
    case.now += SECOND

    left = [each.remaining() for each in (told, other, case.process())]

    assert left == [MINUTE - SECOND] * 3


def test_one_goes_first_when_it_is_over(case: Case) -> None:
    """The others wait for it, and follow when it is answered."""
    first, other = case.process(), case.process()
    first.begin(MINUTE, Why.THROTTLED)
    assert other.remaining() == MINUTE
    case.now += MINUTE

    through, held, again = first.remaining(), other.remaining(), first.remaining()
    first.answered()
    case.now += SECOND

    assert (through, held, again) == (None, TRIAL_TAKES, TRIAL_TAKES)
    assert (first.remaining(), other.remaining()) == (None, None)


def test_who_goes_first_and_dies_holds_nobody_up(case: Case) -> None:
    """After a while the next one tries."""
    case.process().begin(MINUTE, Why.THROTTLED)
    case.now += MINUTE
    assert case.process().remaining() is None

    case.now += TRIAL_TAKES

    assert case.process().remaining() is None


def test_told_the_same_again_all_wait_again(case: Case) -> None:
    """Who went first is refused, and the new pause is for all."""
    first, other = case.process(), case.process()
    first.begin(MINUTE, Why.MAINTENANCE)
    case.now += MINUTE
    assert first.remaining() is None

    first.begin(5 * MINUTE, Why.MAINTENANCE)
    case.now += SECOND

    assert (first.remaining(), other.remaining()) == (5 * MINUTE - SECOND,) * 2


def test_an_answer_of_a_call_that_began_before_ends_nothing(case: Case) -> None:
    """Only who was let through afterwards may say that it is over."""
    told, other = case.process(), case.process()
    told.begin(MINUTE, Why.MAINTENANCE)

    other.answered()
    told.answered()

    assert told.remaining() == MINUTE


def test_an_operator_sees_and_lifts_it(case: Case) -> None:
    """With the reason and the time; lifted, all go on within a second. It locks no login."""
    told = case.process()
    told.begin(MINUTE, Why.MAINTENANCE)

    shown = pauses_of(case.store, now=case.now)
    lifted = [lift_pauses(case.store, now=case.now) for _ in range(2)]
    case.now += SECOND

    assert [(each.system, each.why, each.until) for each in shown] == [("altinn2", Why.MAINTENANCE, NOW + MINUTE)]
    assert shown[0].about == "down for maintenance: https://altinn.example/api"
    assert lifted == [1, 0]
    assert told.remaining() is None
    assert lockouts_of(case.store) == []
    assert [each.until for each in pauses_of(case.store, now=case.now)] == [None]
