"""The lockout of a login: one count for all processes, which a restart does not forget."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.core.errors import CredentialsRefused, Unreachable
from bridge.core.login_lockout import LOGIN_TAKES, Admission, LoginOutcome, guarded_login
from bridge.storage.database import migrate, open_database
from bridge.storage.lockouts import StoredLockout, lockouts_of, unlock_logins
from bridge.storage.store import Store

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)


class Case:
    """Processes that log in as the same user; each has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self.url, self.now = f"sqlite:///{folder}/store.sqlite", NOW
        self.engines = [open_database(self.url, pool=1)]
        migrate(self.engines[0])

    def process(self, secret: str = "bruker:feil") -> StoredLockout:
        self.engines.append(open_database(self.url, pool=1))
        return StoredLockout(Store(self.engines[-1]), about="password", secret=secret, clock=lambda: self.now)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    for engine in made.engines:
        engine.dispose()


def refuse() -> str:
    raise CredentialsRefused("Altinn 2", "no", reason="login_refused")


def tried(lockout: StoredLockout) -> str:
    with pytest.raises((CredentialsRefused, Unreachable)) as caught:
        guarded_login(lockout, refuse, system="Altinn 2", refused="login_refused")
    return caught.value.reason if isinstance(caught.value, CredentialsRefused) else "busy"


def test_refusals_count_over_all_processes(case: Case) -> None:
    """The third process is not let through, nor is any that starts later."""
    found = [tried(case.process()) for _ in range(4)]

    assert found == ["login_refused", "login_refused", "login_locked", "login_locked"]


def test_another_password_is_let_through(case: Case) -> None:
    """A corrected password has a lockout of its own; who still has the wrong one stays out."""
    wrong = [tried(case.process()) for _ in range(2)]

    made = guarded_login(case.process("bruker:riktig"), lambda: "cookie", system="Altinn 2", refused="login_refused")

    assert (made, wrong, tried(case.process())) == ("cookie", ["login_refused"] * 2, "login_locked")


def test_a_success_takes_refusals_back(case: Case) -> None:
    """Only refusals in a row lock it."""
    tried(case.process())
    guarded_login(case.process(), lambda: "cookie", system="Altinn 2", refused="login_refused")

    assert [tried(case.process()) for _ in range(3)] == ["login_refused", "login_refused", "login_locked"]


def test_no_two_processes_spend_the_last_try(case: Case) -> None:
    """While one is logging in the others are told to come back."""
    first, second = case.process(), case.process()

    assert [first.enter(), second.enter(), second.enter()] == [Admission.ADMITTED, Admission.BUSY, Admission.BUSY]
    first.leave(LoginOutcome.LOGGED_IN)
    assert second.enter() is Admission.ADMITTED


def test_who_dies_while_logging_in_counts(case: Case) -> None:
    """Nobody knows what Altinn 2 said to it; twice, and the login is locked."""
    found = []
    for _ in range(3):
        found.append(case.process().enter())
        case.now += LOGIN_TAKES + timedelta(seconds=1)

    assert found == [Admission.ADMITTED, Admission.ADMITTED, Admission.LOCKED]


def test_what_was_not_answered_counts_for_nothing(case: Case) -> None:
    """A system that is away locks no login."""

    def away() -> str:
        raise Unreachable("Altinn 2", "away")

    for _ in range(5):
        with pytest.raises(Unreachable):
            guarded_login(case.process(), away, system="Altinn 2", refused="login_refused")

    assert tried(case.process()) == "login_refused"


def test_an_operator_unlocks_it(case: Case) -> None:
    """Unlocked by hand, it counts from nothing; what it shows is no secret."""
    store = Store(case.engines[0])
    for _ in range(2):
        tried(case.process())

    before, unlocked, after = lockouts_of(store), unlock_logins(store), lockouts_of(store)

    assert [(each.about, each.locked) for each in before] == [("password", True)]
    assert (unlocked, [each.locked for each in after], unlock_logins(store)) == (1, [False], 0)
    assert tried(case.process()) == "login_refused"
