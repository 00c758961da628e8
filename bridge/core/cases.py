"""A case in the system that holds it: which one, and where it stands, in no system's own words."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRef:
    """
    A case that a dialog stands for: *key* names it in its *system*, ``Target``'s word or a driver's own.

    *owner* is how that system addresses whose case it is (Altinn 2: ``my``, nine digits or ``r`` and a number). It is
    no part of the key: two dialogs may come to one case by different owners.
    """

    system: str
    owner: str
    key: str

    def is_same(self, other: "CaseRef") -> bool:
        """Whether *other* is this case, whoever it is reached by."""
        return (self.system, self.key) == (other.system, other.key)


class CaseStatus(Enum):
    """Where a case stands; the values are what rows call it."""

    FORM_FILLING = "form_filling"
    SIGNING = "signing"
    ARCHIVED = "archived"
    DELETED = "deleted"
    # Correspondences.
    UNREAD = "unread"
    OPENED = "opened"
    READ = "read"
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"
    """One that no table knows: never taken for done."""
    CALCULATED = "calculated"
    """No state of a case: an app calculated the form, and nothing was touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """How a case was found; equal ones say that nothing has changed since."""

    status: CaseStatus
    version: str
    """By its own system's count or moment; two are equal or not, and neither is the later one."""
    last_changed: datetime
    archived_as: str | None
    """The key of its archived copy, once it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedCopy:
    """The copy of a case that was sent: its key, and the *reference* that people know it by, where they know one."""

    key: str
    reference: str | None


ENDED = frozenset({CaseStatus.ARCHIVED, CaseStatus.DELETED})
"""Where a case is at its end, and nothing more is done with it."""
