"""One element's dialog: found, or planned and made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog

from bridge.core.cases import ArchivedCopy
from bridge.core.dialog_queries import Side, read_query
from bridge.core.dialogs import Dialog, Json
from bridge.core.drafts import (
    LABEL,
    Draft,
    Ending,
    dialog_id_for,
    idempotent_key,
    references,
)
from bridge.core.elements import Element
from bridge.core.errors import Missing, Rejected
from bridge.core.mapping import ServiceMapping
from bridge.core.new_dialogs import new_dialog, own_dialog_change
from bridge.core.operations import Link
from bridge.core.written import Written
from bridge.parts import Bridge
from bridge.steps.dialog.update import template_context
from bridge.storage.drafts import Drafts
from bridge.storage.snapshots import Snapshots

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.drafts")


def existing_dialog(bridge: Bridge, message_id: str) -> UUID | None:
    """
    A dialog of the service owner's that names the element in a label or as its external reference.

    Raises:
        Rejected, Unreachable: Dialogporten did not say.
    """
    for name, value in references(message_id):
        for item in bridge.search.items(read_query(Side.OWNER, {name: (value,)})):
            # Looked at, since a search that passes over a filter gives dialogs of other elements.
            if value in _named(item):
                return _id_of(item)
    return None


def make(bridge: Bridge, mapping: ServiceMapping, element: Element, *, party: str) -> tuple[UUID, Ending | None]:
    """
    The id under which the element's dialog stands, made here or before, and its ending where it is not to be followed.

    What is about to be made is written down first; so a crash before, during or after the call ends in one dialog,
    and the link that write actions need is there before anybody can press.

    Raises:
        Rejected: Dialogporten does not take it.
        Unreachable, OutcomeUnknown: The next run sends the same again.
    """
    now = bridge.clock()
    born_at = min(element.created or now, now)
    wanted = Link(
        dialog_id=dialog_id_for(element.case.key, born_at),
        service_resource=mapping.service_resource,
        party=party,
        case=element.case,
    )
    with bridge.store.transaction() as tx:
        draft = Drafts(tx).begin(wanted, born_at=born_at, now=now)
    body, written = _new_dialog(bridge, mapping, element, party=party, dialog_id=draft.dialog_id)
    created = bridge.dialogporten.create(body, silent=False)
    if not created.made and created.dialog_id != draft.dialog_id:
        theirs = None if created.dialog_id is None else _linkable(bridge, wanted, created.dialog_id)
        return _give_way(bridge, draft, element, dialog_id=created.dialog_id, link=theirs)
    if not created.made and present_dialog(bridge, draft.dialog_id) is None:
        return draft.dialog_id, end(bridge, draft, Ending.DIALOG_GONE)
    with bridge.store.transaction() as tx:
        if created.made:
            Snapshots(tx).write(draft.dialog_id, written, now=now)
        # What was made by an earlier try may be of an earlier element: the next run holds it against this one.
        Drafts(tx).made(draft, element if created.made else None, now=bridge.clock())
    return draft.dialog_id, None


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePlan:
    """
    What ``make`` would send; *body* None is a dialog that an earlier try has made already, which *ending* may end.

    That a dialog of somebody else's has the element's key, and nothing else of it, shows only when it is made.
    """

    dialog_id: UUID
    body: Json | None = field(repr=False)
    ending: Ending | None = None

    @property
    def writes(self) -> tuple[str, ...]:
        """What is written into Dialogporten, each in its line."""
        return () if self.body is None else ("create dialog",)


def plan_make(
    bridge: Bridge, mapping: ServiceMapping, element: Element, *, party: str, draft: Draft | None
) -> MakePlan:
    """
    What ``make`` would send for the element, of which *draft* is known; nothing is written.

    Raises:
        UpstreamError: Dialogporten does not say what became of an earlier try.
    """
    begun = None if draft is None or draft.ending is Ending.FOREIGN else draft
    if begun is not None and (dialog := read_dialog(bridge, begun.dialog_id)) is not None:
        gone = dialog.deleted_at is not None
        return MakePlan(dialog_id=begun.dialog_id, body=None, ending=Ending.DIALOG_GONE if gone else None)
    now = bridge.clock()
    born_at = min(element.created or now, now)
    dialog_id = dialog_id_for(element.case.key, born_at) if begun is None else begun.dialog_id
    body, _ = _new_dialog(bridge, mapping, element, party=party, dialog_id=dialog_id)
    return MakePlan(dialog_id=dialog_id, body=body)


def _new_dialog(
    bridge: Bridge, mapping: ServiceMapping, element: Element, *, party: str, dialog_id: UUID
) -> tuple[Json, Written]:
    """The body that makes the element's dialog, and what is then written by the bridge."""
    message_id = element.case.key
    subject = template_context(bridge, mapping, dialog_id, message_id=message_id, archived=None)
    change = own_dialog_change(subject, element, activity=None, now=bridge.clock())
    label, key = f"{LABEL}{message_id}", idempotent_key(message_id)
    return new_dialog(subject, change, element, party=party, key=key, label=label)


def read_dialog(bridge: Bridge, dialog_id: UUID) -> Dialog | None:
    """The dialog, also one that is deleted; None when it is not there."""
    try:
        return bridge.dialogporten.get(dialog_id)
    except Missing:
        return None


def present_dialog(bridge: Bridge, dialog_id: UUID) -> Dialog | None:
    """The dialog; None when it is deleted or not there."""
    dialog = read_dialog(bridge, dialog_id)
    return None if dialog is None or dialog.deleted_at is not None else dialog


def end(bridge: Bridge, draft: Draft, ending: Ending, *, archived: ArchivedCopy | None = None) -> Ending:
    """Follow the element no more; *archived* is the copy of one that was sent."""
    with bridge.store.transaction() as tx:
        tx.lock_dialog(draft.dialog_id)
        if archived is not None:
            tx.record_archive(draft.dialog_id, archived)
        Drafts(tx).end(draft, ending, now=bridge.clock())
    return ending


def _linkable(bridge: Bridge, wanted: Link, dialog_id: UUID) -> Link | None:
    """
    The link to the element of the dialog that has its key, so that the dialog's buttons find the element.

    None where it is another service's or another party's: its key says what nothing else of it does.

    Raises:
        UpstreamError: Not now; the next run tries.
    """
    dialog = present_dialog(bridge, dialog_id)
    if dialog is None:
        return None
    if (dialog.service_resource, dialog.party.casefold()) != (wanted.service_resource, wanted.party.casefold()):
        log.warning("a dialog with an element's key is of another service or party", dialog=str(dialog_id))
        return None
    return replace(wanted, dialog_id=dialog_id, party=dialog.party)


def _give_way(
    bridge: Bridge, draft: Draft, element: Element, *, dialog_id: UUID | None, link: Link | None
) -> tuple[UUID, Ending]:
    """Leave the element to the dialog that has its key, by *link*; *dialog_id* None is a deleted one."""
    ending = Ending.DIALOG_GONE if dialog_id is None else Ending.FOREIGN
    now = bridge.clock()
    with bridge.store.transaction() as tx:
        Drafts(tx).give_way(draft, element, dialog_id=dialog_id or draft.dialog_id, ending=ending, now=now)
        if link is not None:
            tx.add_link(link, now=now)
            tx.set_case(link)
    return dialog_id or draft.dialog_id, ending


def _named(item: Mapping[str, object]) -> set[str]:
    """What a found dialog names as its element, in small letters."""
    context = item.get("serviceOwnerContext")
    labels = context.get("serviceOwnerLabels") if isinstance(context, Mapping) else None
    values = [each.get("value") for each in labels if isinstance(each, Mapping)] if isinstance(labels, list) else []
    return {each.casefold() for each in (*values, item.get("externalReference")) if isinstance(each, str)}


def _id_of(item: Mapping[str, object]) -> UUID:
    try:
        return UUID(str(item.get("id")))
    except ValueError:
        raise Rejected("Dialogporten", "a found dialog has no id", reason="unreadable") from None
