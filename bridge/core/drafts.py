"""Elements under completion and the dialogs that stand for them: what to do with one, from what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from bridge.core.cases import CaseStatus
from bridge.core.elements import Element
from bridge.core.ids import derived_id

LABEL = "urn:altinn:integration:a2:message:"
"""What stands before the element's id in a service-owner label."""

RUN_KIND = "drafts"
"""What runs among elements under completion are called beside those of other batches."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)


def pause_after(tries: int) -> timedelta:
    """How long an element is left alone that failed so many times in a row, and not because a system was away."""
    doublings: int = 2 ** min(tries - 1, 20)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


class Ending(Enum):
    """Why a dialog is not followed any more."""

    SENT = "sent"
    DELETED = "deleted"
    """The element lies in Altinn's trash bin: its dialog is deleted as well."""
    GONE = "gone"
    """Neither the element nor an archived copy is to be found: expired, or sent to a service that keeps no copy."""
    FOREIGN = "foreign"
    """Somebody else's dialog stands for the element."""
    DIALOG_GONE = "dialog_gone"
    """Our dialog was deleted: it is not made again."""
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is remembered of an element. *made* says that its dialog is known to stand."""

    message_id: str
    dialog_id: UUID
    born_at: datetime
    made: bool
    last_changed: datetime | None
    state: CaseStatus | None
    ending: Ending | None

    @property
    def ours(self) -> bool:
        """Whether the dialog was made here, whose ids come of the element's."""
        return self.dialog_id == dialog_id_for(self.message_id, self.born_at)


class Look(Enum):
    """What an element in a list calls for."""

    NOTHING = "nothing"
    """It stands where it stood: no call is made."""
    STANDS = "stands"
    """A dialog that we did not make is linked to it."""
    SEARCH = "search"
    """Nobody knows it here: ask Dialogporten, and make a dialog if there is none."""
    MAKE = "make"
    """Its dialog was begun, and nobody knows how that ended: send the same again."""
    FOLLOW = "follow"
    """It changed: bring its dialog up to date."""


def look(element: Element, draft: Draft | None, *, linked: bool) -> Look:
    """What a listed *element* calls for; *linked* when some dialog is linked to it already."""
    if draft is None:
        return Look.STANDS if linked else Look.SEARCH
    moved = (draft.last_changed, draft.state) != (element.last_changed, element.state)
    match draft.ending:
        case None if not draft.made:
            return Look.MAKE
        case Ending.FOREIGN if moved:
            # The other dialog may be gone meanwhile; asking costs no more than once for each change.
            return Look.STANDS if linked else Look.SEARCH
        case None | Ending.GONE | Ending.DELETED if moved:
            # What is there again, out of the trash bin or because rights came back, is followed again.
            return Look.FOLLOW
        case _:
            return Look.NOTHING


def dialog_id_for(message_id: str, born_at: datetime) -> UUID:
    """The id of the dialog for an element: the same on any machine that knows when the element was made."""
    return derived_id(born_at, "drafts", message_id)


def idempotent_key(message_id: str) -> str:
    """The key under which a service owner can have one dialog for the element, whoever makes it."""
    return f"a2-message-{message_id}"


def references(message_id: str) -> tuple[tuple[str, str], ...]:
    """The searches, as (parameter, value), that find a dialog which stands for the element."""
    names = (message_id, message_id[1:])
    labels = (("serviceOwnerLabels", f"{LABEL}{each}") for each in names)
    return (*labels, *(("externalReference", f"a2:message:{each}") for each in names))


ENDING_OF: Mapping[CaseStatus, Ending] = {CaseStatus.ARCHIVED: Ending.SENT, CaseStatus.DELETED: Ending.DELETED}
"""How an element ends; what is in no row is under completion, or unclear and left as it is."""


TEXTS: Mapping[Ending, Mapping[str, str]] = {
    Ending.SENT: {
        "nb": "Skjemaet er sendt inn i Altinn.",
        "nn": "Skjemaet er sendt inn i Altinn.",
        "en": "The form has been submitted in Altinn.",
    },
    Ending.GONE: {
        "nb": "Skjemaet finnes ikke lenger i Altinn. Kontakt avsenderen hvis du har spørsmål.",
        "nn": "Skjemaet finst ikkje lenger i Altinn. Kontakt avsendaren om du har spørsmål.",
        "en": "The form is no longer in Altinn. Contact the sender if you have questions.",
    },
}
"""What the dialog's history says at the end."""
