"""No third login after two that were refused, as ten lock the user out of Altinn 2 (facts/altinn2.md 1.6)."""

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

_Made = TypeVar("_Made")


class Admission(Enum):
    """What a lockout says to one who wants to log in."""

    ADMITTED = "admitted"
    BUSY = "busy"
    """Somebody else is logging in, and may be spending the last try."""
    LOCKED = "locked"


class LoginOutcome(Enum):
    """How a login ended."""

    LOGGED_IN = "in"
    REFUSED = "refused"
    NO_VERDICT = "unsaid"
    """Nobody answered, or the answer was about something else: it counts for nothing."""


class LoginLockout(Protocol):
    """Counts refused logins, over all who log in as the same user with the same password."""

    def enter(self) -> Admission:
        """Ask to log in; after ADMITTED ``leave`` must follow."""

    def leave(self, ended: LoginOutcome) -> None:
        """Count how it went."""


class OwnLockout:
    """The lockout of one process, which forgets when that ends. Its owner admits one at a time."""

    def __init__(self) -> None:
        self._lock, self._failures = threading.Lock(), 0

    def enter(self) -> Admission:
        """Admit whoever asks until the tries are spent; never BUSY, since its owner sees to that."""
        with self._lock:
            return Admission.LOCKED if self._failures >= FAILED_LOGINS else Admission.ADMITTED

    def leave(self, ended: LoginOutcome) -> None:
        """Count a refusal; a success takes all of them back."""
        with self._lock:
            self._failures = next_failure_count(self._failures, ended)


def next_failure_count(failures: int, ended: LoginOutcome) -> int:
    """How many refusals there are after one more login."""
    match ended:
        case LoginOutcome.LOGGED_IN:
            return 0
        case LoginOutcome.REFUSED:
            return failures + 1
        case LoginOutcome.NO_VERDICT:
            return failures
        case _:
            assert_never(ended)


def guarded_login(lockout: LoginLockout, log_in: Callable[[], _Made], *, system: str, refused: str) -> _Made:
    """
    What *log_in* makes, if *lockout* admits us; a CredentialsRefused with the reason *refused* counts.

    Raises:
        CredentialsRefused: ``login_locked``, without asking *system*; and whatever *log_in* raises.
        Unreachable: Another process is logging in.
    """
    match lockout.enter():
        case Admission.LOCKED:
            raise CredentialsRefused(system, "two logins failed, and no more are tried", reason="login_locked")
        case Admission.BUSY:
            raise Unreachable(system, "another process is logging in", retry_after=timedelta(seconds=1))
        case Admission.ADMITTED:
            pass
    ended = LoginOutcome.NO_VERDICT
    try:
        made = log_in()
        ended = LoginOutcome.LOGGED_IN
    except CredentialsRefused as error:
        ended = LoginOutcome.REFUSED if error.reason == refused else LoginOutcome.NO_VERDICT
        raise
    finally:
        lockout.leave(ended)
    return made
