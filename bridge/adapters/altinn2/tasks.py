"""Form tasks under completion, listed a page at a time (facts/altinn2.md 2.3)."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime

from bridge.adapters.altinn2.client import Altinn2Client
from bridge.adapters.altinn2.states import BOKMAAL
from bridge.core.cases import CaseStatus
from bridge.core.elements import Element
from bridge.core.errors import Rejected
from bridge.core.mapping import Altinn2Service

FIRST_YEAR = datetime(2003, 1, 1, tzinfo=UTC)
"""Altinn has no older forms; without a beginning a list that is cut could not be halved."""

OPEN = frozenset({CaseStatus.FORM_FILLING, CaseStatus.SIGNING})
"""Where a form task stands while somebody still has to do something with it."""

SERVICES_AT_ONCE = 20
"""Services in one filter: it stands in the address, which servers cut at some length."""


def open_tasks(
    altinn2: Altinn2Client,
    who: str,
    services: Sequence[Altinn2Service],
    *,
    passed_over: Callable[[str | None, Rejected], None],
) -> Iterator[Element]:
    """
    The form tasks of *who*, of *services* that wait to be filled in or signed; one page of 50 is held at a time.

    What cannot be read goes to *passed_over*.

    One that changes while the list is read may come twice, and one may be left out when another leaves the list: what
    is not given here is not proved to be gone.

    Raises:
        ListTruncated: Altinn 2 cuts even the narrowest list.
        Rejected, Unreachable: As for every read.
    """
    known = {(each.service_code, each.service_edition) for each in services}
    for some in _some(services):
        for element in altinn2.elements(who, since=FIRST_YEAR, filtered=filter_of(some, OPEN), passed_over=passed_over):
            # Whatever came: a filter that is not understood must not make dialogs of letters.
            mine = (element.service_code, element.service_edition) in known
            if mine and element.type == "FormTask" and element.state in OPEN and element.case.key[0] == "a":
                yield element


def _some(services: Sequence[Altinn2Service]) -> Iterator[Sequence[Altinn2Service]]:
    for start in range(0, len(services), SERVICES_AT_ONCE):
        yield services[start : start + SERVICES_AT_ONCE]


def filter_of(services: Sequence[Altinn2Service], states: Collection[CaseStatus]) -> str:
    """The ``$filter`` for elements of one of *services* in one of *states*; none of a kind leaves it open."""
    wanted = " or ".join(
        f"(ServiceCode eq '{_quoted(each.service_code)}' and ServiceEdition eq {each.service_edition})"
        for each in services
    )
    statuses = " or ".join(f"Status eq '{each}'" for each in sorted(BOKMAAL[state] for state in states))
    return " and ".join(f"({each})" for each in (wanted, statuses) if each)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
