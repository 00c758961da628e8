"""One element's dialog: found, made, and brought up to date with what became of the element."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog

from bridge.core.dialog_queries import Side, read_query
from bridge.core.dialogs import SERVICE_OWNER, Activity, Dialog
from bridge.core.drafts import (
    ENDING_OF,
    LABEL,
    TEXTS,
    Draft,
    Ending,
    dialog_id_for,
    idempotent_key,
    references,
)
from bridge.core.elements import Element, archive_reference
from bridge.core.errors import Conflict, Missing, OutcomeUnknown, Rejected, Unreachable
from bridge.core.ids import derived_id
from bridge.core.mapping import ServiceMapping
from bridge.core.new_dialogs import new_dialog, own_dialog_change
from bridge.core.operations import Link
from bridge.parts import Bridge
from bridge.steps.dialog.ended import sent_before
from bridge.steps.dialog.update import apply_what_is_taken, plan, template_context, without_applied_history
from bridge.storage.drafts import Drafts
from bridge.storage.snapshots import Snapshots

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.drafts")

QUICK_TRIES = 5
"""How often a lost race is run again at once; after that the next run tries."""


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
        dialog_id=dialog_id_for(element.key.message_id, born_at),
        service_resource=mapping.service_resource,
        party=party,
        element=element.key,
    )
    with bridge.store.transaction() as tx:
        draft = Drafts(tx).begin(wanted, born_at=born_at, now=now)
    subject = template_context(bridge, mapping, draft.dialog_id, message_id=draft.message_id, archived_id=None)
    change = own_dialog_change(subject, element, activity=None, now=now)
    label, key = f"{LABEL}{draft.message_id}", idempotent_key(draft.message_id)
    body, written = new_dialog(subject, change, element, party=party, key=key, label=label)
    created = bridge.dialogporten.create(body, silent=False)
    if not created.made and created.dialog_id != draft.dialog_id:
        theirs = None if created.dialog_id is None else _linkable(bridge, wanted, created.dialog_id)
        return _give_way(bridge, draft, element, dialog_id=created.dialog_id, link=theirs)
    if not created.made and _present_dialog(bridge, draft.dialog_id) is None:
        return draft.dialog_id, _end(bridge, draft, Ending.DIALOG_GONE)
    with bridge.store.transaction() as tx:
        if created.made:
            Snapshots(tx).write(draft.dialog_id, written, now=now)
        # What was made by an earlier try may be of an earlier element: the next run holds it against this one.
        Drafts(tx).made(draft, element if created.made else None, now=bridge.clock())
    return draft.dialog_id, None


def follow(bridge: Bridge, draft: Draft, link: Link, *, dry: bool) -> Ending | bool | None:
    """
    Bring the dialog up to date with its element.

    An ending when the element is followed no more; else whether the dialog was changed, or None where a write action on
    it is under way, which tells the dialog itself. With *dry* nothing is written.

    Raises:
        UpstreamError: Not now; the next run tries.
    """
    seen = _observed(bridge, draft, link)
    element, ending = seen.element, seen.ending
    if element is not None and (element.last_changed, element.state) == (draft.last_changed, draft.state):
        return False
    if dry:
        return ending or True
    if ending is Ending.SENT and (link.archived_id is not None or element is None):
        return _end(bridge, draft, ending)  # The write action that sent it has told the dialog.
    for _ in range(QUICK_TRIES):
        if _busy(bridge, link):
            return None
        try:
            return _carry_over(bridge, draft, link)
        except Conflict:
            continue
        except Missing:
            return _end(bridge, draft, Ending.DIALOG_GONE)
        except Rejected as error:
            if error.reason == "frozen":
                return _end(bridge, draft, Ending.FROZEN)
            if error.reason != "already_exists":
                raise
    raise Unreachable("Dialogporten", "others kept writing to the dialog")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observed:
    """
    What stands in Altinn 2: the element, or the archived copy of one that was sent, and how it ended, if it did.

    None that was sent is one whose service keeps no copy, and of which a write action told.
    """

    element: Element | None
    ending: Ending | None

    @property
    def archived_id(self) -> str | None:
        return self.element.key.message_id if self.element is not None and self.ending is Ending.SENT else None


def _carry_over(bridge: Bridge, draft: Draft, link: Link) -> Ending | bool:
    """
    Bring the dialog, as it was read, up to date with the element, which is read after it.

    In this order, because a write action changes the element before it tells the dialog: whatever one did before our
    look at the dialog stands in the element that is read after it, and what it tells the dialog later changes the
    revision, or comes after us and counts.
    """
    if draft.ending is Ending.DELETED:
        _unknown_is_a_conflict(lambda: bridge.dialogporten.restore(draft.dialog_id))
    dialog = _present_dialog(bridge, draft.dialog_id)
    if dialog is None:
        return _end(bridge, draft, Ending.DIALOG_GONE)
    seen = _observed(bridge, draft, link)
    if seen.ending is Ending.SENT and seen.element is None:
        return _end(bridge, draft, seen.ending)
    if seen.ending is Ending.DELETED:
        _unknown_is_a_conflict(lambda: bridge.dialogporten.delete(dialog.id, revision=dialog.revision, silent=False))
        return _end(bridge, draft, seen.ending)
    changed = _update(bridge, dialog, draft, mapping=bridge.mappings[link.service_resource], seen=seen)
    if seen.ending is not None:
        return _end(bridge, draft, seen.ending, archived_id=seen.archived_id)
    if seen.element is None:
        raise AssertionError("an element that is gone has an ending")
    last_changed, state = seen.element.last_changed, seen.element.state
    with bridge.store.transaction() as tx:
        Drafts(tx).followed(draft, last_changed=last_changed, state=state, now=bridge.clock())
    return changed


def _observed(bridge: Bridge, draft: Draft, link: Link) -> _Observed:
    try:
        element = bridge.altinn2.read(link.key, content=False)
    except Missing:
        # That the lists can be had proves that the bridge may still see what belongs to this reportee.
        since = draft.last_changed or draft.born_at
        archived = bridge.altinn2.find_archived(link.key, since=since)
        if archived is not None:
            return _Observed(element=archived, ending=Ending.SENT)
        if sent_before(bridge, link.dialog_id, link.key) is not None:
            return _Observed(element=None, ending=Ending.SENT)
        trashed = bridge.altinn2.in_trash(link.key, since=since)
        return _Observed(element=None, ending=Ending.DELETED if trashed else Ending.GONE)
    return _Observed(element=element, ending=ENDING_OF.get(element.state))


def _busy(bridge: Bridge, link: Link) -> bool:
    with bridge.store.transaction() as tx:
        tx.lock_dialog(link.dialog_id)
        return Drafts(tx).busy(link.dialog_id)


def _present_dialog(bridge: Bridge, dialog_id: UUID) -> Dialog | None:
    """The dialog; None when it is deleted or not there."""
    try:
        dialog = bridge.dialogporten.get(dialog_id)
    except Missing:
        return None
    return dialog if dialog.deleted_at is None else None


def _end(bridge: Bridge, draft: Draft, ending: Ending, *, archived_id: str | None = None) -> Ending:
    with bridge.store.transaction() as tx:
        tx.lock_dialog(draft.dialog_id)
        if archived_id is not None:
            tx.record_archive(draft.dialog_id, archived_id, archive_reference(archived_id))
        Drafts(tx).end(draft, ending, now=bridge.clock())
    return ending


def _linkable(bridge: Bridge, wanted: Link, dialog_id: UUID) -> Link | None:
    """
    The link to the element of the dialog that has its key, so that the dialog's buttons find the element.

    None where it is another service's or another party's: its key says what nothing else of it does.

    Raises:
        UpstreamError: Not now; the next run tries.
    """
    dialog = _present_dialog(bridge, dialog_id)
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
            tx.set_element(link)
    return dialog_id or draft.dialog_id, ending


def _update(bridge: Bridge, dialog: Dialog, draft: Draft, *, mapping: ServiceMapping, seen: _Observed) -> bool:
    """Whether the dialog was changed to say what was *seen*."""
    now = bridge.clock()
    subject = template_context(bridge, mapping, dialog.id, message_id=draft.message_id, archived_id=seen.archived_id)
    activity = None if seen.ending is None else _last_activity(draft, seen.ending, now=now)
    change = own_dialog_change(subject, seen.element, activity=activity, now=now, ours=draft.ours)
    change = without_applied_history(bridge, dialog, change)
    return apply_what_is_taken(bridge, plan(bridge, dialog, change))


def _last_activity(draft: Draft, ending: Ending, *, now: datetime) -> Activity:
    """What the history says of the ending; its id is the same whenever it is told, so that it is told once."""
    return Activity(
        id=derived_id(draft.born_at, "drafts", draft.message_id, ending.value),
        type="Information",
        created_at=now,
        performed_by=SERVICE_OWNER,
        description=TEXTS[ending],
    )


def _unknown_is_a_conflict(write: Callable[[], object]) -> None:
    """Reading again tells whether it was done, as after a lost race."""
    try:
        write()
    except OutcomeUnknown as error:
        raise Conflict(error.system, error.detail, status=error.status) from error


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
