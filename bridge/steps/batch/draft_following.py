"""The dialog of an element that moved: what is written into it is planned from both, and then carried out or not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bridge.core.cases import ArchivedCopy
from bridge.core.dialog_plan import DialogPlan
from bridge.core.dialogs import SERVICE_OWNER, Activity, Dialog
from bridge.core.drafts import ENDING_OF, TEXTS, Draft, Ending
from bridge.core.elements import Element
from bridge.core.errors import Conflict, Missing, OutcomeUnknown, Rejected, Unreachable
from bridge.core.ids import derived_id
from bridge.core.new_dialogs import own_dialog_change
from bridge.core.operations import Link
from bridge.parts import Bridge
from bridge.steps.batch.draft_dialogs import end, read_dialog
from bridge.steps.dialog.ended import sent_before
from bridge.steps.dialog.update import apply_what_is_taken, plan, template_context, without_applied_history
from bridge.steps.drivers.registry import cases_of
from bridge.storage.drafts import Drafts

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.drafts")

QUICK_TRIES = 5
"""How often a lost race is run again at once; after that the next run tries."""

Followed = Ending | bool | None
"""An ending when the element is followed no more; else whether the dialog changed, or None where a write action on it
is under way, which brings it up to date itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """
    What stands in Altinn 2: the element, or the archived copy of one that was sent, and how it ended, if it did.

    None that was sent is one whose service keeps no copy, and of which a write action has written.
    """

    element: Element | None
    ending: Ending | None

    @property
    def archived(self) -> ArchivedCopy | None:
        if self.element is None or self.ending is not Ending.SENT:
            return None
        return cases_of(self.element.case).archived_copy(self.element.case.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowPlan:
    """
    What follows from one look at a dialog, and then at its element.

    *update* is what is written into the dialog, and *deletes* the revision at which it is deleted; *ending* is why the
    element is followed no more after that. Where a deleted dialog is to be restored first, the rest is planned again
    on the revision that it then has.
    """

    seen: Observed | None = None
    busy: bool = False
    ending: Ending | None = None
    restores: bool = False
    deletes: str | None = None
    update: DialogPlan | None = None

    @property
    def outcome(self) -> Followed:
        """What comes of it, where nobody else writes meanwhile and Dialogporten takes it."""
        if self.busy:
            return None
        return self.ending or self.restores or (self.update is not None and self.update.changes_dialog)

    @property
    def writes(self) -> tuple[str, ...]:
        """What is written into Dialogporten, each in its line: places, and no text of anybody's."""
        return (
            *(("restore dialog",) if self.restores else ()),
            *(() if self.update is None else self.update.writes),
            *(() if self.deletes is None else ("delete dialog",)),
        )


def plan_follow(bridge: Bridge, draft: Draft, link: Link) -> FollowPlan:
    """
    What ``follow`` would do; nothing is written.

    Raises:
        UpstreamError: Not now; the next run tries.
    """
    return _plan_without_dialog(bridge, draft, link) or _plan(bridge, draft, link)


def follow(bridge: Bridge, draft: Draft, link: Link) -> Followed:
    """
    Bring the dialog up to date with its element, and say what came of it.

    Raises:
        UpstreamError: Not now; the next run tries.
    """
    found = _plan_without_dialog(bridge, draft, link)
    if found is not None:
        return found.outcome if found.ending is None else end(bridge, draft, found.ending)
    restored = False
    for _ in range(QUICK_TRIES):
        try:
            found = _plan(bridge, draft, link)
            if found.restores:
                restored = True  # Where it fails, the next plan restores again.
                _unknown_is_a_conflict(lambda: bridge.dialogporten.restore(draft.dialog_id))
                found = _plan(bridge, draft, link)
            followed = _apply(bridge, draft, found)
        except Conflict:
            continue
        except Missing:
            return end(bridge, draft, Ending.DIALOG_GONE)
        except Rejected as error:
            if error.reason == "frozen":
                return end(bridge, draft, Ending.FROZEN)
            if error.reason != "already_exists":
                raise
        else:
            return restored if followed is False else followed
    raise Unreachable("Dialogporten", "others kept writing to the dialog")


def _plan_without_dialog(bridge: Bridge, draft: Draft, link: Link) -> FollowPlan | None:
    """What the element alone leads to; None where the dialog has to be read."""
    seen = _observed(bridge, draft, link)
    element = seen.element
    if element is not None and (element.last_changed, element.state) == (draft.last_changed, draft.state):
        return FollowPlan()
    if seen.ending is Ending.SENT and (link.archived_id is not None or element is None):
        return FollowPlan(ending=seen.ending)  # The write action that sent it has brought the dialog up to date.
    return None


def _plan(bridge: Bridge, draft: Draft, link: Link) -> FollowPlan:
    """
    What brings the dialog, as it is read here, up to date with the element, which is read after it.

    In this order, because a write action changes the element before it writes into the dialog: whatever one did before
    our look at the dialog shows in the element that is read after it, and what it writes into the dialog later changes
    the revision, or comes after us and counts.
    """
    if _busy(bridge, link):
        return FollowPlan(busy=True)
    dialog = read_dialog(bridge, draft.dialog_id)
    deleted = dialog is not None and dialog.deleted_at is not None
    # What the bridge deleted because its element was, it restores; what others deleted is theirs.
    restores = deleted and draft.ending is Ending.DELETED
    if dialog is None or (deleted and not restores):
        return FollowPlan(ending=Ending.DIALOG_GONE)
    seen = _observed(bridge, draft, link)
    deletes = dialog.revision if seen.ending is Ending.DELETED else None
    unseen = seen.ending is Ending.SENT and seen.element is None
    update = None if unseen or deletes is not None else _update(bridge, dialog, link, draft=draft, seen=seen)
    return FollowPlan(seen=seen, ending=seen.ending, restores=restores, deletes=deletes, update=update)


def _apply(bridge: Bridge, draft: Draft, plan: FollowPlan) -> Followed:
    """Carry *plan* out, and note what came of it."""
    if plan.busy:
        return None
    revision = plan.deletes
    if revision is not None:
        _unknown_is_a_conflict(lambda: bridge.dialogporten.delete(draft.dialog_id, revision=revision, silent=False))
    changed = plan.update is not None and apply_what_is_taken(bridge, plan.update).changed
    if plan.ending is not None:
        archived = None if plan.seen is None else plan.seen.archived
        return end(bridge, draft, plan.ending, archived=archived)
    if plan.seen is None or plan.seen.element is None:
        raise AssertionError("an element that is gone has an ending")
    last_changed, state = plan.seen.element.last_changed, plan.seen.element.state
    with bridge.store.transaction() as tx:
        Drafts(tx).followed(draft, last_changed=last_changed, state=state, now=bridge.clock())
    return changed


def _observed(bridge: Bridge, draft: Draft, link: Link) -> Observed:
    cases = cases_of(link.required_case)
    try:
        element = cases.read(bridge, link.required_case)
    except Missing:
        # That the lists can be had proves that the bridge may still see what belongs to this reportee.
        since = draft.last_changed or draft.born_at
        archived = cases.find_archived(bridge, link.required_case, since=since)
        if archived is not None:
            return Observed(element=archived, ending=Ending.SENT)
        if sent_before(bridge, link.dialog_id, link.required_case) is not None:
            return Observed(element=None, ending=Ending.SENT)
        trashed = cases.in_trash(bridge, link.required_case, since=since)
        return Observed(element=None, ending=Ending.DELETED if trashed else Ending.GONE)
    return Observed(element=element, ending=ENDING_OF.get(element.state))


def _busy(bridge: Bridge, link: Link) -> bool:
    with bridge.store.transaction() as tx:
        tx.lock_dialog(link.dialog_id)
        return Drafts(tx).busy(link.dialog_id)


def _update(bridge: Bridge, dialog: Dialog, link: Link, *, draft: Draft, seen: Observed) -> DialogPlan:
    """What brings the dialog to what was *seen*."""
    now, mapping = bridge.clock(), bridge.mappings[link.service_resource]
    subject = template_context(bridge, mapping, dialog.id, message_id=draft.message_id, archived=seen.archived)
    activity = None if seen.ending is None else _last_activity(draft, seen.ending, now=now)
    change = own_dialog_change(subject, seen.element, activity=activity, now=now, ours=draft.ours)
    return plan(bridge, dialog, without_applied_history(bridge, dialog, change))


def _last_activity(draft: Draft, ending: Ending, *, now: datetime) -> Activity:
    """What the history says of the ending; its id is the same whenever it is added, so that it is there once."""
    return Activity(
        id=derived_id(draft.born_at, "drafts", draft.message_id, ending.value),
        type="Information",
        created_at=now,
        performed_by=SERVICE_OWNER,
        description=TEXTS[ending],
    )


def _unknown_is_a_conflict(write: Callable[[], object]) -> None:
    """Another read shows whether it was done, as after a lost race."""
    try:
        write()
    except OutcomeUnknown as error:
        raise Conflict(error.system, error.detail, status=error.status) from error
