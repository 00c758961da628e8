"""System labels: what adding and removing does to the set, and what of it stands in the log (facts 2.7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PLACES = ("Default", "Bin", "Archive")
UNOPENED, SENT = "MarkedAsUnopened", "Sent"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Assignment:
    """One label that somebody put on or took off."""

    at: str
    label: str
    action: str
    actor: str | None
    """None stands for the service owner."""
    name: str | None


def relabelled(held: Iterable[str], add: Sequence[str], remove: Sequence[str]) -> frozenset[str]:
    """The labels afterwards: of Default, Bin and Archive the last one added, and Default where none is left."""
    rest = frozenset(held) - frozenset(remove)
    place = next((each for each in (*reversed(add), *rest) if each in PLACES), "Default")
    return (rest - frozenset(PLACES)) | {place} | {each for each in add if each not in PLACES}


def wanted(change: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    """What a change asks for: what to add, ``systemLabels`` being its older form, and what to remove."""
    return [*change["systemLabels"], *change["addLabels"]], change["removeLabels"]


def faults(change: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with a change by key: ``Sent`` belongs to the system."""
    errors: dict[str, list[str]] = {}
    for name in ("systemLabels", "addLabels", "removeLabels"):
        if SENT in change[name]:
            errors[name] = [f"Cannot {'remove' if name == 'removeLabels' else 'add'} the {SENT} system label manually."]
        elif any(not isinstance(label, str) for label in change[name]):
            errors[name] = ["A system label has a range of values which does not include it."]
    return errors


def bulk_faults(change: Mapping[str, Any], *, most: int) -> dict[str, list[str]]:
    """What is wrong with a change of many dialogs' labels."""
    errors = faults(change)
    ids = [each["dialogId"] for each in change["dialogs"]]
    if not 1 <= len(ids) <= most:
        errors["dialogs"] = [f"Between 1 and {most} dialogs must be given. You gave {len(ids)}."]
    if None in ids or len(set(ids)) != len(ids):
        errors.setdefault("dialogs", []).append("Dialog ids must be given, each once.")
    return errors


def assignments(
    before: frozenset[str], after: frozenset[str], *, at: str, actor: str | None, name: str | None
) -> tuple[Assignment, ...]:
    """What changed, for the log, what was put on first; Default is where a dialog is when it is nowhere else."""
    changes = [("set", each) for each in sorted(after - before)] + [("remove", each) for each in sorted(before - after)]
    return tuple(
        Assignment(at=at, label=f"systemlabel:{label}", action=action, actor=actor, name=name)
        for action, label in changes
        if label != "Default"
    )
