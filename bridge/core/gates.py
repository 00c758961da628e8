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


class Passage(Enum):
    """What a gate says to one who wants to log in."""

    OPEN = "open"
    BUSY = "busy"
    """Somebody else is logging in, and may be spending the last try."""
    CLOSED = "closed"


class Ended(Enum):
    """How a login ended."""

    IN = "in"
    REFUSED = "refused"
    UNSAID = "unsaid"
    """Nobody answered, or the answer was about something else: it counts for nothing."""


class LoginGate(Protocol):
    """Counts refused logins, over all who log in as the same user with the same password."""

    def enter(self) -> Passage:
        """Ask to log in; after OPEN ``leave`` must follow."""

    def leave(self, ended: Ended) -> None:
        """Tell how it went."""


class OwnGate:
    """The gate of one process, which forgets when that ends. Its owner lets one in at a time."""

    def __init__(self) -> None:
        self._lock, self._failures = threading.Lock(), 0

    def enter(self) -> Passage:
        """Count, and nothing else: nobody is busy."""
        with self._lock:
            return Passage.CLOSED if self._failures >= FAILED_LOGINS else Passage.OPEN

    def leave(self, ended: Ended) -> None:
        """Count a refusal; a success takes all of them back."""
        with self._lock:
            self._failures = counted(self._failures, ended)


class Why(Enum):
    """Why a system is not called."""

    THROTTLED = "asked for a pause"
    MAINTENANCE = "down for maintenance"


class PauseGate(Protocol):
    """Holds back all calls to one system, over all who call it, from when it asked for a pause until that is over."""

    def left(self) -> timedelta | None:
        """Say how long nobody may call yet; None lets one through, and after a pause one alone at first."""

    def close(self, wait: timedelta, why: Why) -> None:
        """Begin a pause; the newest word counts."""

    def answered(self) -> None:
        """Note that the system answers as it should: who was let through first ends the pause for all."""


def counted(failures: int, ended: Ended) -> int:
    """Say how many refusals there are after one more login."""
    match ended:
        case Ended.IN:
            return 0
        case Ended.REFUSED:
            return failures + 1
        case Ended.UNSAID:
            return failures
        case _:
            assert_never(ended)


def through(gate: LoginGate, log_in: Callable[[], _Made], *, system: str, refused: str) -> _Made:
    """
    Log in, if *gate* lets us; a CredentialsRefused with the reason *refused* counts.

    Raises:
        CredentialsRefused: ``login_closed``, without asking *system*; and whatever *log_in* raises.
        Unreachable: Another process is logging in.
    """
    match gate.enter():
        case Passage.CLOSED:
            raise CredentialsRefused(system, "two logins failed, and no more are tried", reason="login_closed")
        case Passage.BUSY:
            raise Unreachable(system, "another process is logging in", retry_after=timedelta(seconds=1))
        case Passage.OPEN:
            pass
    ended = Ended.UNSAID
    try:
        made = log_in()
        ended = Ended.IN
    except CredentialsRefused as error:
        ended = Ended.REFUSED if error.reason == refused else Ended.UNSAID
        raise
    finally:
        gate.leave(ended)
    return made
