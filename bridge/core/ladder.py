"""
What is left of a change of a dialog when Dialogporten does not take all of it.

It judges the whole dialog at every PATCH, by what the caller may, and refuses it for a trifle: also for one that
stood there before (facts/dialogporten.md 13). How far the case has come weighs more than a date or a text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from bridge.core.dialogs import DialogChange, Ends


class Rung(IntEnum):
    """How much is written, from most to least."""

    WHOLE = 0
    NAMED = 1
    """Without what Dialogporten named when it refused."""
    BARE = 2
    """Status, buttons and history: no dates, texts, tags, links, labels or receipts."""
    HISTORY = 3
    """One activity by a call of its own, which is taken where a PATCH is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is left of the *whole* on a *rung*, and the places that are left out there."""

    rung: Rung
    whole: DialogChange
    change: DialogChange
    left_out: tuple[str, ...] = ()


LOWER: dict[str, Rung] = {
    "invalid": Rung.NAMED,
    "unprocessable": Rung.NAMED,
    "too_large": Rung.BARE,
    "rejected": Rung.BARE,
    "server_error": Rung.BARE,
    # Who may not change it may perhaps add to it; leaving out a text helps nobody.
    "forbidden": Rung.HISTORY,
    "unreadable": Rung.HISTORY,
}
"""The highest rung that may be tried after a refusal of this reason; what is not in here is no matter of content."""


def step_down(above: Step, reason: str, *, keys: Sequence[str] = ()) -> Step | None:
    """
    What to write after *above* was refused for *reason*, naming *keys*; None where nothing is left.

    A rung that leaves out no more than the one before it is passed over.
    """
    wanted = LOWER.get(reason)
    if wanted is None:
        return None
    for rung in Rung:
        if rung <= above.rung or rung < wanted:
            continue
        step = step_on(above.whole, rung, keys)
        if step.left_out or rung is Rung.HISTORY:
            return step
    return None


def step_on(whole: DialogChange, rung: Rung, keys: Sequence[str] = ()) -> Step:
    """What is written of *whole* on *rung*."""
    match rung:
        case Rung.WHOLE:
            return Step(rung=rung, whole=whole, change=whole)
        case Rung.NAMED:
            named = tuple(dict.fromkeys(_named(whole, keys)))
            return Step(rung=rung, whole=whole, change=_without(whole, named), left_out=named)
        case Rung.BARE:
            bare = replace(_without(whole, _trifles(whole)), ends=Ends.NONE)
            return Step(rung=rung, whole=whole, change=bare, left_out=_trifles(whole))
        case Rung.HISTORY:
            left_out = ("/status", "/actions", *_trifles(whole))
            return Step(rung=rung, whole=whole, change=history(whole), left_out=left_out)


def history(change: DialogChange) -> DialogChange:
    """What *change* says of what was done, and nothing of how the dialog is left."""
    bare = _without(change, _trifles(change))
    return replace(
        bare, status=None, usual_status=None, remove_actions=frozenset(), offers=(), state="", ends=Ends.NONE
    )


def without_history(change: DialogChange) -> DialogChange:
    """What *change* says of how the dialog is left: what was done is in its history already."""
    return replace(change, activities=())


def _trifles(change: DialogChange) -> tuple[str, ...]:
    found = [*change.fields]
    lists = {
        "/searchTags": change.search_tags,
        "/serviceOwnerLabels": change.labels,
        "/transmissions": change.transmissions,
        "/attachments": change.links,
    }
    return (*found, *(place for place, items in lists.items() if items))


def _without(change: DialogChange, places: Iterable[str]) -> DialogChange:
    gone = frozenset(places)
    return replace(
        change,
        fields={pointer: value for pointer, value in change.fields.items() if pointer not in gone},
        search_tags=() if "/searchTags" in gone else change.search_tags,
        labels=() if "/serviceOwnerLabels" in gone else change.labels,
        transmissions=() if "/transmissions" in gone else change.transmissions,
        links=() if "/attachments" in gone else change.links,
    )


def _named(change: DialogChange, keys: Iterable[str]) -> Iterator[str]:
    """
    The places of ours that *keys* name, whatever prefix they carry.

    A fault of a content lacks its name (facts/dialogporten.md 14.1), and then means any of them; a date may be at
    fault for the other one.
    """
    places = _trifles(change)
    for key in keys:
        names = [re.sub(r"\[\d+\]$", "", part) for part in key.split(".")]
        words = {each.casefold() for each in names}
        for place in places:
            parts = [each.casefold() for each in place.strip("/").split("/")]
            ours = "content" in words and not words & (_CONTENTS | {"transmissions"})
            vague = parts[0] == "content" and ours
            date = place in _DATES and words & _DATE_WORDS
            if vague or date or set(parts) <= words:
                yield place


_CONTENTS = frozenset({"title", "summary", "additionalinfo", "extendedstatus", "sendername", "maincontentreference"})
_DATES = ("/dueAt", "/expiresAt")
_DATE_WORDS = frozenset({"dueat", "expiresat"})
