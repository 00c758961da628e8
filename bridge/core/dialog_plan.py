"""What brings one dialog to what it shall say, as a value: made of one read of it, and carried out later or never."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID

from bridge.core.dialog_merge import PatchOperation, merge
from bridge.core.dialogs import Activity, Dialog, DialogChange
from bridge.core.ladder import Rung, Step, step_on
from bridge.core.written import NOTHING_WRITTEN, Written


class Why(Enum):
    """Why something of what a dialog shall say is left out."""

    REFUSED = "refused"
    """Dialogporten did not take it."""
    NO_ROOM = "no room"
    """A button, whose priority and all below it others have."""
    LABELS_FULL = "labels full"
    """A label beyond as many as a dialog takes."""
    NOT_CALCULATED = "not calculated"
    """A link whose address the calculation did not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A place, or the name of a button's action, a label or a link, that is left out, and why."""

    place: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DialogPlan:
    """
    What is written so that a dialog says what it shall; nothing of it is done yet.

    *operations* are good for the *revision* of *dialog* alone. *labels* and *activities* are added by calls of their
    own, on no revision. *kept* are the places where others' word stands against ours; *base* is what the bridge last
    wrote there, and *written* what it has written then. Without *dialog*, it was not read, and only its history grows.
    """

    dialog_id: UUID
    dialog: Dialog | None
    step: Step
    base: Written
    written: Written
    operations: tuple[PatchOperation, ...] = ()
    labels: tuple[str, ...] = ()
    activities: tuple[Activity, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    kept: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"DialogPlan({self.dialog_id}, {self.step.rung.name}, {list(self.writes)})"

    @property
    def revision(self) -> str | None:
        """The revision that it was planned on; None where the dialog was not read."""
        return None if self.dialog is None else self.dialog.revision

    @property
    def silent(self) -> bool:
        """Whether the dialog keeps its place in the user's archive."""
        return self.step.change.silent

    @property
    def changes_dialog(self) -> bool:
        """Whether anybody who reads the dialog would see something else; a label nobody does."""
        return bool(self.operations or self.activities)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be written: not into the dialog, and not into the store."""
        return not self.changes_dialog and not self.labels and self.written == self.base

    @property
    def writes(self) -> tuple[str, ...]:
        """What is written into the dialog, each in its line: places, and no text of anybody's."""
        return (
            *(f"{each['op']} {each['path']}" for each in self.operations),
            *("add /activities/-" for _ in self.activities),
            *(f"add label {each}" for each in self.labels),
        )

    def on(self, step: Step) -> "DialogPlan":
        """The same for what is left on another *step*."""
        return history_plan(self.dialog_id, step) if self.dialog is None else plan_of(self.dialog, step, self.base)


def plan_of(dialog: Dialog, step: Step, base: Written = NOTHING_WRITTEN) -> DialogPlan:
    """What brings *dialog* to what is left on *step*, where the bridge last wrote *base*."""
    if step.rung is Rung.HISTORY:
        return replace(history_plan(dialog.id, step), dialog=dialog, base=base, written=base)
    merged = merge(dialog, step.change, base)
    unmade = [each.name for each in step.change.links if each.item is None]
    return DialogPlan(
        dialog_id=dialog.id,
        dialog=dialog,
        step=step,
        base=base,
        written=merged.written,
        operations=merged.operations,
        labels=merged.labels,
        left_out=(
            *_left_out(step.left_out, Why.REFUSED),
            *_left_out(merged.no_room, Why.NO_ROOM),
            *_left_out(merged.labels_too_many, Why.LABELS_FULL),
            *_left_out(unmade, Why.NOT_CALCULATED),
        ),
        kept=merged.kept,
    )


def history_plan(dialog_id: UUID, step: Step) -> DialogPlan:
    """What adds to a dialog's history alone, whatever stands in the dialog."""
    return DialogPlan(
        dialog_id=dialog_id,
        dialog=None,
        step=step,
        base=NOTHING_WRITTEN,
        written=NOTHING_WRITTEN,
        activities=step.change.activities,
        left_out=_left_out(step.left_out, Why.REFUSED),
    )


def activity_plan(dialog_id: UUID, activity: Activity) -> DialogPlan:
    """What adds one line to a dialog's history, silently."""
    change = DialogChange(status=None, remove_actions=frozenset(), activities=(activity,), silent=True)
    return history_plan(dialog_id, step_on(change, Rung.WHOLE))


def _left_out(places: Iterable[str], why: Why) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(place=each, why=why) for each in places)
