"""Which element a dialog stands for, when it is used for the first time."""

from bridge.adapters.altinn2.orders import ElementKey
from bridge.adapters.altinn2.reportees import ORGANISATION, who_of
from bridge.core.altinn2_problems import problem_for
from bridge.core.cases import CaseRef
from bridge.core.dialogs import Dialog, element_reference
from bridge.core.errors import Rejected, UpstreamError
from bridge.core.problems import Refusal
from bridge.parts import Bridge


def element_of(bridge: Bridge, dialog: Dialog) -> CaseRef | None:
    """
    The element that *dialog* points at; None where it points at none, or at one of a party whom nobody here acts for.

    Raises:
        Refusal: Altinn 2 refuses to say for whom the bridge acts, or cannot be asked.
    """
    message_id = element_reference(dialog)
    who = None if message_id is None else _who(bridge, dialog.party)
    return None if message_id is None or who is None else ElementKey(who=who, message_id=message_id).case


def _who(bridge: Bridge, party: str) -> str | None:
    """
    On whose behalf Altinn 2 is asked: an organisation by its number, anybody else by the ``r…`` id, or None.

    A person's own number cannot stand in Altinn 2's path, and is looked up among those that we may act for; the link
    keeps what was found.
    """
    if party.startswith(ORGANISATION):
        return party.removeprefix(ORGANISATION)
    try:
        return who_of(party, bridge.altinn2.reportees())
    except Rejected as error:
        problem = problem_for(error.reason)
        raise Refusal(problem.code, problem.status) from error
    except UpstreamError as error:
        raise Refusal("upstream_unavailable", 503) from error
