"""A pause that a system asked for: nobody calls it until that is over."""

from datetime import timedelta
from enum import Enum
from typing import Protocol

TRIAL_TAKES = timedelta(seconds=10)
"""How long the one who calls first after a pause is waited for before the next one may."""


class Why(Enum):
    """Why a system is not called."""

    THROTTLED = "asked for a pause"
    MAINTENANCE = "down for maintenance"


class UpstreamPause(Protocol):
    """Holds back all calls to one system, over all who call it, from when it asked for a pause until that is over."""

    def remaining(self) -> timedelta | None:
        """How long nobody may call yet; None lets one through, and after a pause one alone at first."""

    def begin(self, wait: timedelta, why: Why) -> None:
        """Hold back all calls for *wait*; the newest word counts."""

    def answered(self) -> None:
        """Note that the system answers as it should: who was let through first ends the pause for all."""
