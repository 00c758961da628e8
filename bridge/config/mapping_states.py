"""What a mapping file calls the states of a case: Altinn 2's own texts, in the language that its lists are asked in."""

from collections.abc import Mapping

from bridge.adapters.altinn2.states import BOKMAAL, state_of
from bridge.core.cases import CaseStatus

STATE_NAMES: Mapping[CaseStatus, str] = {
    status: BOKMAAL[status]
    for status in (CaseStatus.FORM_FILLING, CaseStatus.SIGNING, CaseStatus.ARCHIVED, CaseStatus.DELETED)
}
"""The name of each state for which a mapping may say something."""
STATUSES: Mapping[str, CaseStatus] = {name: status for status, name in STATE_NAMES.items()}
"""The state of each name."""
FORM_FILLING, SIGNING, ARCHIVED, DELETED = STATE_NAMES.values()
OPEN_STATES = (FORM_FILLING, SIGNING)


def name_meant(text: str) -> str | None:
    """The name of the state that Altinn 2 calls *text* in another language or spelling; None where there is none."""
    return STATE_NAMES.get(state_of(text))
