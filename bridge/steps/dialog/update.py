"""Bring one dialog to what it shall say: read, merge with what the bridge last wrote, and patch."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from bridge.core.dialog_merge import merge
from bridge.core.dialogs import Dialog, DialogChange, of_correspondence
from bridge.core.elements import ENDED, ElementKey, ElementState, archive_reference
from bridge.core.errors import Conflict, Missing, OutcomeUnknown, Rejected, UpstreamError
from bridge.core.ladder import Rung, Step, standing, step_down, step_on
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
    archived_id: str | None,
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
    if archived_id is not None:
        values["archived_id"] = archived_id
        reference = archive_reference(archived_id)
        if reference is not None:
            values["archive_reference"] = reference
    public_url = bridge.settings.public_url if offering else None
    return Subject(mapping=mapping, dialog_id=dialog_id, public_url=public_url, values=values)


def tell(bridge: Bridge, dialog: Dialog, change: DialogChange) -> bool:
    """
    Patch *dialog* as it was read, and say whether there was anything to write.

    Raises:
        Conflict: Somebody else was first, or the answer is not known: read again, and tell again.
        UpstreamError: As for ``DialogportenClient.patch``.
    """
    with bridge.store.reading() as tx:
        base = Snapshots(tx).written(dialog.id)
    merged = merge(dialog, change, base)
    if unmade := [each.name for each in change.links if each.item is None]:
        log.warning("links could not be made of what was calculated", links=unmade)
    if merged.no_room:
        log.warning("there is no room for a button", actions=merged.no_room)
    if merged.operations:
        try:
            bridge.dialogporten.patch(dialog.id, merged.operations, revision=dialog.revision, silent=change.silent)
        except OutcomeUnknown as error:
            # Reading the dialog again tells: what was to be added is there, or it is not.
            raise Conflict(error.system, error.detail, status=error.status) from error
    for label in merged.labels:
        if not _labelled(bridge, dialog.id, label):
            break
        merged = merged.noted(label)
    # A crash before this loses nothing: the next merge finds all as it is wanted, and writes this down.
    if merged.written != base:
        with bridge.store.transaction() as tx:
            Snapshots(tx).write(dialog.id, merged.written, now=bridge.clock())
    return bool(merged.operations)


def lower(whole: DialogChange, at: Rung, refusal: Rejected) -> Step | None:
    """What to tell where *refusal* met *whole* on the rung *at*, and log what it leaves out; None is nothing."""
    down = step_down(whole, at, refusal.reason, keys=refusal.keys)
    if down is not None:
        log.error(
            "Dialogporten does not take all that the dialog shall say",
            reason=refusal.reason,
            keys=list(refusal.keys)[:20],
            rung=down.rung.name.lower(),
            left_out=down.left_out,
        )
    return down


def tell_what_is_taken(bridge: Bridge, dialog: Dialog, change: DialogChange) -> bool:
    """
    As ``tell``; where Dialogporten does not take the whole, less and less of it is told.

    Where only the history is taken, it is told, and the refusal raised all the same: status and buttons stand as they
    stood, so this is to be tried again. Then the history has the line, and the rest is told without it.

    Raises:
        Conflict: As for ``tell``.
        UpstreamError: As for ``tell``, and where no more than the history is taken.
    """
    told_of = bool(change.activities) and {each.id for each in change.activities} <= dialog.activity_ids
    if told_of and not _stands_as_told(bridge, dialog, change):
        change = standing(change)
    step = step_on(change, Rung.WHOLE)
    while True:
        try:
            changed = tell(bridge, dialog, step.change)
        except (Conflict, Missing):
            raise
        except Rejected as error:
            down = lower(change, step.rung, error)
            if down is None:
                raise
            if down.rung is not Rung.HISTORY:
                step = down
                continue
            for activity in down.change.activities:
                bridge.dialogporten.add_activity(dialog.id, activity, revision=None, silent=down.change.silent)
            _count_left_out(bridge, dialog, down.rung)
            raise
        if step.rung > Rung.WHOLE:
            _count_left_out(bridge, dialog, step.rung)
        return changed


def _stands_as_told(bridge: Bridge, dialog: Dialog, change: DialogChange) -> bool:
    """Whether the bridge noted that it told the dialog this state, and not its history alone."""
    with bridge.store.reading() as tx:
        return Snapshots(tx).written(dialog.id).told_last(change.state)


def _count_left_out(bridge: Bridge, dialog: Dialog, rung: Rung) -> None:
    bridge.metrics.left_out.labels(dialog.service_resource, rung.name.lower()).inc()


def note_thrown_away(bridge: Bridge, dialog_id: UUID, key: ElementKey) -> None:
    """Note that the element of a dialog lies in the bin: should it come back, a run among drafts tells the dialog."""
    with bridge.store.transaction() as tx:
        Drafts(tx).thrown_away(dialog_id, key.message_id, now=bridge.clock())


def delete_told(bridge: Bridge, dialog_id: UUID) -> None:
    """
    Delete a dialog that says that its element was deleted; one that is deleted already, or is not there, stays so.

    It was told first, so that who looks meanwhile reads why it goes, and so that a crash between ends in no dialog
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
        # Told it is, and a no stays a no.
        log.error("the dialog of a deleted element could not be deleted", dialog=str(dialog_id), reason=error.reason)
    except OutcomeUnknown as error:
        raise Conflict(error.system, error.detail, status=error.status) from error


def ended_before(bridge: Bridge, dialog_id: UUID) -> frozenset[ElementState]:
    """At which end the dialog was told that its case is; empty where it was not."""
    with bridge.store.reading() as tx:
        written = Snapshots(tx).written(dialog_id)
    return frozenset(state for state in ENDED if written.told_last(state.value))


def _labelled(bridge: Bridge, dialog_id: UUID, label: str) -> bool:
    """Add *label*, and say whether that is done with; what fails waits for the next telling and holds up nothing."""
    try:
        bridge.dialogporten.add_label(dialog_id, label)
    except UpstreamError as error:
        # A refusal is that others were first with it, or with the last place: asking again would change neither.
        refused = isinstance(error, Rejected) and not isinstance(error, Conflict)
        log.warning("a label was not taken", dialog=str(dialog_id), again=not refused, why=type(error).__name__)
        return refused
    return True
