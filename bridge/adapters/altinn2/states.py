"""Altinn 2's texts for where an element stands (facts/altinn2.md 2.6)."""

from collections.abc import Mapping

from bridge.core.cases import CaseStatus

BOKMAAL: Mapping[CaseStatus, str] = {
    CaseStatus.FORM_FILLING: "Utfylling",
    CaseStatus.SIGNING: "Signering",
    CaseStatus.ARCHIVED: "Sendt og arkivert",
    CaseStatus.DELETED: "Slettet",
    CaseStatus.UNREAD: "Ulest",
    CaseStatus.OPENED: "Åpnet",
    CaseStatus.READ: "Lest",
    CaseStatus.CONFIRMED: "Bekreftet",
}
"""What a filter asks for, whatever the language of the answers."""

# Altinn 2 may fall back to the user's own language, whatever was asked for.
_STATES: Mapping[str, CaseStatus] = {
    **{text.casefold(): state for state, text in BOKMAAL.items()},
    "completion": CaseStatus.FORM_FILLING,
    "signing": CaseStatus.SIGNING,
    "sent and archived": CaseStatus.ARCHIVED,
    "arkivert": CaseStatus.ARCHIVED,
    "archived": CaseStatus.ARCHIVED,
    "sletta": CaseStatus.DELETED,
    "deleted": CaseStatus.DELETED,
    # Correspondences.
    "unread": CaseStatus.UNREAD,
    "opna": CaseStatus.OPENED,
    "opened": CaseStatus.OPENED,
    "read": CaseStatus.READ,
    "stadfesta": CaseStatus.CONFIRMED,
    "confirmed": CaseStatus.CONFIRMED,
}


def state_of(text: str) -> CaseStatus:
    """The state that a status text stands for; UNKNOWN where no table knows it."""
    return _STATES.get(text.strip().casefold(), CaseStatus.UNKNOWN)
