"""On whose behalf: what ``/reportees`` lists, and which of them a dialog's party is (facts/altinn2.md 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from bridge.adapters.altinn2.wire import embedded, text
from bridge.core.dialog_queries import is_identity_number, is_organisation_number
from bridge.core.errors import Rejected

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.altinn2")

ORGANISATION = "urn:altinn:organization:identifier-no:"
PERSON = "urn:altinn:person:identifier-no:"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reportee:
    """One party that we may act for; *number* is an organisation's or a person's, which may be masked."""

    reportee_id: str
    number: str

    def __repr__(self) -> str:
        return f"Reportee({self.reportee_id})"


def reportees_in(body: object) -> tuple[list[Reportee], int]:
    """
    The entries of one page of the list that can be read, and how many it has in all.

    Raises:
        Rejected: None of them can be read, so that it is another list than we know.
    """
    entries = embedded(body, "reportees")
    found: list[Reportee] = []
    for each in entries:
        try:
            found.append(_reportee(each))
        except Rejected as error:
            unread = error
    if entries and not found:
        raise unread
    if len(found) < len(entries):
        log.error("reportees were passed over that cannot be read", count=len(entries) - len(found))
    return found, len(entries)


def who_of(party: str, reportees: Iterable[Reportee]) -> str | None:
    """The ``r…`` id of *party*; None when we may not act for it."""
    number = party.rpartition(":")[2]
    return next((each.reportee_id for each in reportees if each.number and each.number == number), None)


def party_of(reportee: Reportee) -> str | None:
    """
    The urn of the party that *reportee* is: the way back of ``who_of``.

    None where the number is masked or none at all; a dialog on a guessed party would be shown to somebody else.
    """
    if is_organisation_number(reportee.number):
        return ORGANISATION + reportee.number
    return PERSON + reportee.number if is_identity_number(reportee.number) else None


def address_of(reportee: Reportee) -> str:
    """How *reportee* stands in Altinn 2's addresses: an organisation's number, and for a person the ``r…`` id."""
    return reportee.number if is_organisation_number(reportee.number) else reportee.reportee_id


def _reportee(entry: Mapping[str, object]) -> Reportee:
    number = text(entry, "SocialSecurityNumber", default="") or text(entry, "OrganizationNumber", default="")
    return Reportee(reportee_id=text(entry, "ReporteeId"), number=number)
