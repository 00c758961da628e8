"""
Gates: before a login, and before a system that asked for a pause.

After two refused logins no more are tried, as ten lock the user out (facts/altinn2.md 1.6).
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Protocol, TypeVar, assert_never

from bridge.core.errors import CredentialsRefused, Unreachable

FAILED_LOGINS = 2
"""Refused logins in a row after which no more are tried."""

LOGIN_TAKES = timedelta(seconds=60)
"""How long one who logs in is waited for; who has not come back by then has died, and may have been refused."""

TRIAL_TAKES = timedelta(seconds=10)
"""How long the one who calls first after a pause is waited for before the next one may."""

_Made = TypeVar("_Made")


class Admission(Enum):
    """What a gate says to one who wants to log in."""

    OPEN = "open"
    BUSY = "busy"
    """Somebody else is logging in, and may be spending the last try."""
    CLOSED = "closed"


class LoginOutcome(Enum):
    """How a login ended."""

    LOGGED_IN = "in"
    REFUSED = "refused"
    NO_VERDICT = "unsaid"
    """Nobody answered, or the answer was about something else: it counts for nothing."""


class LoginLockout(Protocol):
    """Counts refused logins, over all who log in as the same user with the same password."""

    def enter(self) -> Admission:
        """Ask to log in; after OPEN ``leave`` must follow."""

    def leave(self, ended: LoginOutcome) -> None:
        """Tell how it went."""


class OwnLockout:
    """The gate of one process, which forgets when that ends. Its owner lets one in at a time."""

    def __init__(self) -> None:
        self._lock, self._failures = threading.Lock(), 0

    def enter(self) -> Admission:
        """Count, and nothing else: nobody is busy."""
        with self._lock:
            return Admission.CLOSED if self._failures >= FAILED_LOGINS else Admission.OPEN

    def leave(self, ended: LoginOutcome) -> None:
        """Count a refusal; a success takes all of them back."""
        with self._lock:
            self._failures = next_failure_count(self._failures, ended)


class Why(Enum):
    """Why a system is not called."""

    THROTTLED = "asked for a pause"
    MAINTENANCE = "down for maintenance"


class UpstreamPause(Protocol):
    """Holds back all calls to one system, over all who call it, from when it asked for a pause until that is over."""

    def left(self) -> timedelta | None:
        """Say how long nobody may call yet; None lets one through, and after a pause one alone at first."""

    def close(self, wait: timedelta, why: Why) -> None:
        """Begin a pause; the newest word counts."""

    def answered(self) -> None:
        """Note that the system answers as it should: who was let through first ends the pause for all."""


def next_failure_count(failures: int, ended: LoginOutcome) -> int:
    """Say how many refusals there are after one more login."""
    match ended:
        case LoginOutcome.LOGGED_IN:
            return 0
        case LoginOutcome.REFUSED:
            return failures + 1
        case LoginOutcome.NO_VERDICT:
            return failures
        case _:
            assert_never(ended)


def guarded_login(gate: LoginLockout, log_in: Callable[[], _Made], *, system: str, refused: str) -> _Made:
    """
    Log in, if *gate* lets us; a CredentialsRefused with the reason *refused* counts.

    Raises:
        CredentialsRefused: ``login_closed``, without asking *system*; and whatever *log_in* raises.
        Unreachable: Another process is logging in.
    """
    match gate.enter():
        case Admission.CLOSED:
            raise CredentialsRefused(system, "two logins failed, and no more are tried", reason="login_closed")
        case Admission.BUSY:
            raise Unreachable(system, "another process is logging in", retry_after=timedelta(seconds=1))
        case Admission.OPEN:
            pass
    ended = LoginOutcome.NO_VERDICT
    try:
        made = log_in()
        ended = LoginOutcome.LOGGED_IN
    except CredentialsRefused as error:
        ended = LoginOutcome.REFUSED if error.reason == refused else LoginOutcome.NO_VERDICT
        raise
    finally:
        gate.leave(ended)
    return made
