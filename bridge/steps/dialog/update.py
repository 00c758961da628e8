"""Bring one dialog to what it shall say: plan by a merge with what the bridge last wrote there, and apply."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from bridge.core.cases import ENDED, ArchivedCopy, CaseRef, CaseStatus
from bridge.core.dialog_merge import with_label
from bridge.core.dialog_plan import DialogPlan, Why, plan_of
from bridge.core.dialogs import Dialog, DialogChange, of_correspondence
from bridge.core.errors import Conflict, Missing, OutcomeUnknown, Rejected, UpstreamError
from bridge.core.ladder import Rung, Step, step_down, step_on, without_history
from bridge.core.mapping import ServiceMapping
from bridge.core.states import Subject
from bridge.parts import Bridge
from bridge.storage.drafts import Drafts
from bridge.storage.snapshots import Snapshots

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def template_context(
    bridge: Bridge,
    mapping: ServiceMapping,
    dialog_id: UUID,
    *,
    message_id: str | None,
    archived: ArchivedCopy | None,
    results: Mapping[str, str] | None = None,
    offering: bool = True,
) -> Subject:
    """
    Name a dialog, and what its texts may name of its element and of what an app calculated.

    Without *offering* it gets no buttons.
    """
    values = {f"result.{name}": value for name, value in (results or {}).items()}
    if message_id is not None:
        values["message_id"] = message_id
    if archived is not None:
        values["archived_id"] = archived.key
        if archived.reference is not None:
            values["archive_reference"] = archived.reference
    public_url = bridge.settings.public_url if offering else None
    return Subject(mapping=mapping, dialog_id=dialog_id, public_url=public_url, values=values)


def plan(bridge: Bridge, dialog: Dialog, change: DialogChange) -> DialogPlan:
    """What brings *dialog*, as it was read, to what *change* wants; nothing is written."""
    return plan_step(bridge, dialog, step_on(change, Rung.WHOLE))


def plan_step(bridge: Bridge, dialog: Dialog, step: Step) -> DialogPlan:
    """As ``plan``, for what is left of a change on *step*."""
    with bridge.store.reading() as tx:
        base = Snapshots(tx).written(dialog.id)
    return plan_of(dialog, step, base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """
    What came of a plan: whether there was anything to change, and the dialog's revision after it, where that is known.

    So nobody has to read the dialog back.
    """

    changed: bool
    revision: str | None


def apply(bridge: Bridge, plan: DialogPlan) -> Applied:
    """
    Carry *plan* out on the revision that it was made of, and note what was written.

    Raises:
        Conflict: Somebody else was first, or the answer is not known: read again, and plan again.
        UpstreamError: As for ``DialogportenClient.patch``, and of activities as for its ``add_activity``.
    """
    _log_left_out(plan)
    revision = _patch(bridge, plan)
    for activity in plan.activities:
        bridge.dialogporten.add_activity(plan.dialog_id, activity, revision=None, silent=plan.silent)
    written = plan.written
    for label in plan.labels:
        if not _labelled(bridge, plan.dialog_id, label):
            break
        written = with_label(written, label)
    # A crash before this loses nothing: the next plan finds all as it is wanted, and this is written then.
    if written != plan.base:
        with bridge.store.transaction() as tx:
            Snapshots(tx).write(plan.dialog_id, written, now=bridge.clock())
    return Applied(changed=plan.changes_dialog, revision=None if plan.activities else revision)


def _patch(bridge: Bridge, plan: DialogPlan) -> str | None:
    """The dialog's revision after the plan's operations."""
    if not plan.operations or plan.revision is None:
        return plan.revision
    try:
        after = bridge.dialogporten.patch(plan.dialog_id, plan.operations, revision=plan.revision, silent=plan.silent)
    except OutcomeUnknown as error:
        # Another read shows it: what was to be added is there, or it is not.
        raise Conflict(error.system, error.detail, status=error.status) from error
    return after or plan.revision


def step_below(step: Step, refusal: Rejected) -> Step | None:
    """What is left where *refusal* met *step*, and log what that leaves out; None is nothing."""
    down = step_down(step, refusal.reason, keys=refusal.keys)
    if down is not None:
        log.error(
            "Dialogporten does not take all that the dialog shall say",
            reason=refusal.reason,
            keys=list(refusal.keys)[:20],
            rung=down.rung.name.lower(),
            left_out=down.left_out,
        )
    return down


def apply_what_is_taken(bridge: Bridge, plan: DialogPlan) -> Applied:
    """
    As ``apply``; where Dialogporten does not take the whole, less and less of it is written.

    Where only the history is taken, it is added, and the refusal raised all the same: status and buttons are what they
    were, so this is to be tried again. Then the history has the line, and the rest is what
    ``without_applied_history`` leaves.

    Raises:
        Conflict: As for ``apply``.
        UpstreamError: As for ``apply``, and where no more than the history is taken.
    """
    while True:
        try:
            applied = apply(bridge, plan)
        except (Conflict, Missing):
            raise
        except Rejected as error:
            step = step_below(plan.step, error)
            if step is None:
                raise
            plan = plan.on(step)
            if step.rung is not Rung.HISTORY:
                continue
            apply(bridge, plan)
            _count_left_out(bridge, plan)
            raise
        if plan.step.rung > Rung.WHOLE:
            _count_left_out(bridge, plan)
        return applied


def without_applied_history(bridge: Bridge, dialog: Dialog, change: DialogChange) -> DialogChange:
    """
    What of *change* is not in *dialog* yet, where that has its history and nothing else of it.

    The bridge notes a state with what it wrote of it, so that one which was written whole is known.
    """
    if not change.in_history_of(dialog):
        return change
    with bridge.store.reading() as tx:
        whole = Snapshots(tx).written(dialog.id).last_state_is(change.state)
    return change if whole else without_history(change)


def _log_left_out(plan: DialogPlan) -> None:
    if unmade := [each.place for each in plan.left_out if each.why is Why.NOT_CALCULATED]:
        log.warning("links could not be made of what was calculated", links=unmade)
    if no_room := [each.place for each in plan.left_out if each.why is Why.NO_ROOM]:
        log.warning("there is no room for a button", actions=no_room)


def _count_left_out(bridge: Bridge, plan: DialogPlan) -> None:
    if plan.dialog is not None:
        bridge.metrics.left_out.labels(plan.dialog.service_resource, plan.step.rung.name.lower()).inc()


def note_thrown_away(bridge: Bridge, dialog_id: UUID, case: CaseRef) -> None:
    """Note that the element of a dialog lies in the bin: should it come back, a run restores the dialog."""
    with bridge.store.transaction() as tx:
        Drafts(tx).thrown_away(dialog_id, case.key, now=bridge.clock())


def delete_after_update(bridge: Bridge, dialog_id: UUID) -> None:
    """
    Delete a dialog that says that its element was deleted; one that is deleted already, or is not there, stays so.

    It says so first, so that who looks meanwhile reads why it goes, and so that a crash between ends in no dialog
    without a word. Not silently: that is what leads Arbeidsflate back to the inbox.

    Raises:
        Conflict: Somebody else wrote, or the answer is not known: read again, and delete again.
        UpstreamError: As for ``DialogportenClient.delete``.
    """
    try:
        dialog = bridge.dialogporten.get(dialog_id)
        if dialog.deleted_at is None and not of_correspondence(dialog):
            bridge.dialogporten.delete(dialog_id, revision=dialog.revision, silent=False)
    except Missing:
        log.info("the dialog of a deleted element is gone already", dialog=str(dialog_id))
    except Conflict:
        raise
    except Rejected as error:
        # What is so it says already, and a no stays a no.
        log.error("the dialog of a deleted element could not be deleted", dialog=str(dialog_id), reason=error.reason)
    except OutcomeUnknown as error:
        raise Conflict(error.system, error.detail, status=error.status) from error


def ended_before(bridge: Bridge, dialog_id: UUID) -> frozenset[CaseStatus]:
    """At which end the dialog says, by the bridge's last word, that its case is; empty where it is at none."""
    with bridge.store.reading() as tx:
        written = Snapshots(tx).written(dialog_id)
    return frozenset(state for state in ENDED if written.last_state_is(state.value))


def _labelled(bridge: Bridge, dialog_id: UUID, label: str) -> bool:
    """Add *label*, and say whether that is done with; what fails waits for the next plan and holds up nothing."""
    try:
        bridge.dialogporten.add_label(dialog_id, label)
    except UpstreamError as error:
        # A refusal is that others were first with it, or with the last place: asking again would change neither.
        refused = isinstance(error, Rejected) and not isinstance(error, Conflict)
        log.warning("a label was not taken", dialog=str(dialog_id), again=not refused, why=type(error).__name__)
        return refused
    return True
