"""Altinn 2's texts for where an element stands (facts/altinn2.md 2.6)."""

from collections.abc import Mapping

from bridge.core.elements import ElementState

BOKMAAL: Mapping[ElementState, str] = {
    ElementState.FORM_FILLING: "Utfylling",
    ElementState.SIGNING: "Signering",
    ElementState.ARCHIVED: "Sendt og arkivert",
    ElementState.DELETED: "Slettet",
    ElementState.UNREAD: "Ulest",
    ElementState.OPENED: "Åpnet",
    ElementState.READ: "Lest",
    ElementState.CONFIRMED: "Bekreftet",
}
"""What a filter asks for, whatever the language of the answers."""

# Altinn 2 may fall back to the user's own language, whatever was asked for.
_STATES: Mapping[str, ElementState] = {
    **{text.casefold(): state for state, text in BOKMAAL.items()},
    "completion": ElementState.FORM_FILLING,
    "signing": ElementState.SIGNING,
    "sent and archived": ElementState.ARCHIVED,
    "arkivert": ElementState.ARCHIVED,
    "archived": ElementState.ARCHIVED,
    "sletta": ElementState.DELETED,
    "deleted": ElementState.DELETED,
    # Correspondences.
    "unread": ElementState.UNREAD,
    "opna": ElementState.OPENED,
    "opened": ElementState.OPENED,
    "read": ElementState.READ,
    "stadfesta": ElementState.CONFIRMED,
    "confirmed": ElementState.CONFIRMED,
}


def state_of(text: str) -> ElementState:
    """The state that a status text stands for; UNKNOWN where no table knows it."""
    return _STATES.get(text.strip().casefold(), ElementState.UNKNOWN)
