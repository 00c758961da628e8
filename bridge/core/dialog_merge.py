"""
A three-way merge: what a dialog shall say, what the bridge last wrote, and what is there now.

The outcome is the smallest RFC 6902 patch of the dialog that was read (facts/dialogporten.md 2.6).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.core.dialog_items import (
    API_ACTION,
    BUTTON,
    LINK,
    Kind,
    meant,
    member,
    objects_in,
    places_in,
    without_others,
    word_in,
)
from bridge.core.dialog_presentation import own_ids
from bridge.core.dialogs import (
    REFUSAL,
    ApiAction,
    Dialog,
    DialogChange,
    Ends,
    Field,
    GuiAction,
    Json,
    Only,
    action_of,
    activity_to_json,
    of_correspondence,
    stored_status,
)
from bridge.core.written import GONE, MADE, NOTHING_WRITTEN, STATE, Written, digest, field_digest, part_digests

PatchOperation = dict[str, object]
_Item = TypeVar("_Item")

OURS = frozenset({"/status", "/extendedStatus", "/content/extendedStatus"})
"""
Fields where the bridge wins when others changed them meanwhile and it has something new to say.

How far the case has come is said by the element, and only the bridge sees it. Words belong to whoever wrote last.
"""

LABELS = 20
"""How many service-owner labels a dialog takes (facts/dialogporten.md 2.4)."""

PRIORITIES: Mapping[str, int] = {"Primary": 1, "Secondary": 1, "Tertiary": 5}
"""How many buttons of each a dialog takes (facts/dialogporten.md 2.5)."""


_SAID = "state:"

# Words that a dialog can be without. A title it cannot, and dates have rules of their own.
_MAY_END = re.compile(r"/extendedStatus|/content/(?!title$)\w+")


@dataclass(frozen=True, slots=True)
class Merged:
    """
    What to send, what is then written, and the names of actions for whose buttons there was no room.

    *labels* are to be added, each by a call of its own, and of *labels_too_many* there is no room. *kept* are the
    places where others' word stands, or their gap, and *change* wanted another.
    """

    operations: tuple[PatchOperation, ...]
    written: Written
    no_room: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    labels_too_many: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def with_label(written: Written, label: str) -> Written:
    """*written*, and that *label* is done with, so that one which others take off stays off."""
    return Written({**written.digests, _label_place(label): digest(label)})


def merge(dialog: Dialog, change: DialogChange, base: Written = NOTHING_WRITTEN) -> Merged:
    """
    What to send so that *dialog* says what *change* wants and keeps what others wrote since *base*.

    Paths are indexes into what was read, so the patch is good for that revision only and goes with ``If-Match``.
    In a dialog that holds all of *change*'s activities it was applied, since a patch is applied whole: nothing is sent.
    Items that do not lead to the bridge's own actions on this dialog stay, and what the bridge took away stays away.
    Where nothing is to be changed there is no operation. A correspondence's dialog is Correspondence's: only our own
    buttons are taken from it, and the history is added to.
    """
    return _Merge(dialog, change, base).done()


class _Merge:
    def __init__(self, dialog: Dialog, change: DialogChange, base: Written) -> None:
        self._dialog, self._change, self._base = dialog, change, dict(base.digests)
        self._written = dict(base.digests)
        self._no_room: list[str] = []
        self._labels_too_many: list[str] = []
        self._kept: list[str] = []
        self._applied = change.in_history_of(dialog)
        self._foreign = of_correspondence(dialog)
        mine = MADE in base.digests
        self._offers = [] if self._foreign else [each for each in change.offers if mine or not each.on_ours_alone]

    def done(self) -> Merged:
        self._take_away()
        if self._change.ends is Ends.STATES and not self._foreign:
            self._written[STATE] = digest(self._change.state)
        operations = (
            *self._status(),
            *self._fields(),
            *self._tags(),
            *self._buttons(),
            *self._api_actions(),
            *self._links(),
            *self._transmissions(),
            *self._activities(),
        )
        labels = tuple(self._labels())
        return Merged(
            operations=() if self._applied else operations,
            written=Written(self._written),
            no_room=tuple(self._no_room),
            labels=labels,
            labels_too_many=tuple(self._labels_too_many),
            kept=tuple(dict.fromkeys(self._kept)),
        )

    # Single values

    def _status(self) -> Iterator[PatchOperation]:
        wanted, theirs = self._change.status, self._dialog.status
        if wanted is None and self._base.get(f"{_SAID}/status") == _REFUSED and self._change.ends is not Ends.NONE:
            # What has to be put right was put right.
            wanted = self._change.usual_status if self._base.get("/status") == digest(stored_status(theirs)) else None
        if wanted is None or self._foreign:
            return
        if self._writes("/status", digest(stored_status(wanted)), digest(stored_status(theirs)), asked=True):
            self._said("/status", again=self._change.state == REFUSAL)
            yield {"op": "replace", "path": "/status", "value": wanted}

    def _fields(self) -> Iterator[PatchOperation]:
        if self._foreign:
            return
        for pointer, wanted in (*self._change.fields.items(), *self._ended()):
            theirs = _at(self._dialog.raw, pointer)
            ours = field_digest(pointer, wanted.value)
            current = self._compared(
                pointer,
                ours,
                field_digest(pointer, theirs),
                own=field_digest(pointer, without_others(wanted.value, theirs)),
            )
            writes = self._writes(pointer, ours, current, asked=wanted.asked, only=wanted.only)
            if (writes or ours == current) and _MAY_END.fullmatch(pointer):
                self._said(pointer, again=wanted.value is not None and bool(self._change.state))
            if not writes:
                continue
            yield member(pointer, wanted.value, theirs)

    def _said(self, pointer: str, *, again: bool) -> None:
        """Note in which state it is said, or that it is said in none."""
        if again:
            self._written[f"{_SAID}{pointer}"] = digest(self._change.state)
        else:
            self._written.pop(f"{_SAID}{pointer}", None)

    def _ended(self) -> Iterator[tuple[str, Field]]:
        """List what was said in a state that is over, and is not said now."""
        for key, state in self._base.items():
            pointer = key.removeprefix(_SAID)
            if pointer == key or pointer == "/status" or pointer in self._change.fields:
                continue
            match self._change.ends:
                case Ends.STATES if state != digest(self._change.state):
                    yield pointer, _NO_MORE
                case Ends.REFUSAL if state == _REFUSED:
                    yield pointer, _NO_MORE

    def _compared(self, place: str, wanted: str, whole: str, *, own: str) -> str:
        """What of a text is compared with ours: its *own* languages; the *whole* where none of it is ours."""
        if self._base.get(place, GONE) == GONE:
            return own if own == wanted != GONE else whole
        return own

    def _writes(self, place: str, wanted: str, theirs: str, *, asked: bool, only: Only | None = None) -> bool:
        """Decide one field, and note down what is then written by us, and what is kept."""
        writes = self._wins(place, wanted, theirs, asked=asked, only=only)
        if not writes and wanted != theirs:
            said = self._base.get(place, GONE) != GONE
            if said or (wanted != GONE and theirs != GONE):
                self._kept.append(place)
        return writes

    def _wins(self, place: str, wanted: str, theirs: str, *, asked: bool, only: Only | None) -> bool:
        """Whether our word is written over what stands there."""
        base = self._base.get(place)
        if only is Only.OWN and base in (None, GONE):
            return False
        if wanted == theirs:
            writes = False
        elif self._applied:
            # Somebody spoke after us.
            return False
        elif base is None:
            # The first word of ours: a default fills a gap and replaces nothing, and nothing is taken away.
            writes = (asked or theirs == GONE) and wanted != GONE
            if not writes:
                return False
        elif theirs == base:
            writes = True
        elif only is not None:
            return False
        else:
            # Others changed it. What we say no differently than before is no news.
            writes = wanted != base and place in OURS
        self._written[place] = wanted
        return writes

    def _tags(self) -> Iterator[PatchOperation]:
        if self._foreign:
            return
        there = {_stored_tag(str(each.get("value", ""))) for each in objects_in(self._dialog.raw, "searchTags")}
        for tag in self._change.search_tags:
            kept = _stored_tag(tag)
            place = f"/searchTags/{kept}"
            if kept not in there and place in self._base:
                self._kept.append(place)
            elif kept not in there:
                yield {"op": "add", "path": "/searchTags/-", "value": {"value": tag}}
            if kept in there or not self._applied:
                self._written[place] = digest(kept)

    def _labels(self) -> Iterator[str]:
        if self._foreign:
            return
        there = {each.lower() for each in self._dialog.labels}
        for label in self._change.labels:
            if label in there:
                self._written[_label_place(label)] = digest(label)
            elif _label_place(label) in self._base:
                self._kept.append(_label_place(label))
            elif len(there) < LABELS:
                there.add(label)
                yield label
            else:
                self._labels_too_many.append(label)

    # Lists, by id

    def _buttons(self) -> Iterator[PatchOperation]:
        theirs = self._dialog.gui_actions
        going = [at for at, item in enumerate(theirs) if self._goes(item.url)]
        taken = [word_in(item.raw, "priority") for at, item in enumerate(theirs) if at not in going]
        added: list[PatchOperation] = []
        for offer in self._offers:
            button = offer.button
            if button is None:
                continue
            at = _index(theirs, button)
            if at is not None and at not in going:
                yield from self._changed_button(button, theirs[at].raw, f"/guiActions/{at}", taken=taken)
            elif any(action_of(item.url, self._dialog.id) == offer.name for item in theirs):
                continue  # The agency's own button leads there.
            elif self._adds("guiActions", button):
                added += self._added_button(offer.name, button, taken)
        # From the highest index down: a removal moves what follows it.
        for at in reversed(going):
            yield _remove(f"/guiActions/{at}")
        yield from added

    def _changed_button(self, wanted: Json, theirs: Json, path: str, *, taken: list[str]) -> Iterator[PatchOperation]:
        place, current = _place("guiActions", wanted), word_in(theirs, "priority")
        operations = self._patched(BUTTON, place, path, wanted=wanted, theirs=theirs)
        yield from operations
        if not operations:
            return  # The priority may be another for want of room, and is left as it was found.
        taken.remove(current)
        priority = _free(word_in(wanted, "priority"), taken) or current
        if self._base.get(f"{place}/priority", digest(current)) != digest(current):
            priority = current  # Others gave it this one.
        taken.append(priority)
        self._written[f"{place}/priority"] = digest(priority)
        if priority != current:
            yield {"op": "replace", "path": f"{path}/priority", "value": priority}

    def _added_button(self, name: str, button: Json, taken: list[str]) -> Iterator[PatchOperation]:
        priority = _free(word_in(button, "priority"), taken)
        if priority is None:
            self._no_room.append(name)
            return
        taken.append(priority)
        self._put(BUTTON, _place("guiActions", button), button)
        self._written[f"{_place('guiActions', button)}/priority"] = digest(priority)
        yield {"op": "add", "path": "/guiActions/-", "value": {**button, "priority": priority}}

    def _api_actions(self) -> Iterator[PatchOperation]:
        for offer in self._offers:
            wanted = offer.api_action
            at = None if wanted is None else _index(self._dialog.api_actions, wanted)
            if wanted is not None and at is not None:
                theirs = self._dialog.api_actions[at].raw
                yield from self._patched(
                    API_ACTION, _place("apiActions", wanted), f"/apiActions/{at}", wanted=wanted, theirs=theirs
                )
        for index, action in _from_the_end(self._dialog.api_actions):
            going = [place for place, endpoint in _from_the_end(action.endpoints) if self._goes(endpoint.url)]
            if going and len(going) == len(action.endpoints):  # An API action without endpoints is refused.
                yield _remove(f"/apiActions/{index}")
            else:
                yield from (_remove(f"/apiActions/{index}/endpoints/{place}") for place in going)
        yield from self._added_api_actions()

    def _added_api_actions(self) -> Iterator[PatchOperation]:
        led_to = {
            action_of(endpoint.url, self._dialog.id)
            for action in self._dialog.api_actions
            for endpoint in action.endpoints
        }
        for offer in self._offers:
            wanted = offer.api_action
            if wanted is None or offer.name in led_to or _index(self._dialog.api_actions, wanted) is not None:
                continue
            if self._adds("apiActions", wanted):
                self._put(API_ACTION, _place("apiActions", wanted), wanted)
                yield {"op": "add", "path": "/apiActions/-", "value": wanted}

    def _adds(self, name: str, wanted: Json) -> bool:
        """Whether an item that is not there is put there: not when others took away what we had put."""
        if self._base.get(_place(name, wanted), GONE) != GONE:
            self._kept.append(_place(name, wanted))
            return False
        return not self._applied

    def _goes(self, url: str) -> bool:
        return action_of(url, self._dialog.id) in self._change.remove_actions

    def _take_away(self) -> None:
        """Note down which of our own items go, or went with a patch that was not written down any more."""
        for name in self._change.remove_actions:
            for kind, own in zip(("guiActions", "apiActions"), own_ids(self._dialog.id, name), strict=True):
                if f"/{kind}/{own}" in self._base:
                    self._forget(f"/{kind}/{own}")

    def _links(self) -> Iterator[PatchOperation]:
        places = places_in(self._dialog.raw, "attachments")
        going: list[int] = []
        for link in () if self._foreign else self._change.links:
            place, found, item = f"/attachments/{link.id}", places.get(str(link.id)), link.item
            if item is None:
                if found is not None and not self._applied and self._leads_as_written(place, found[1]):
                    self._forget(place)
                    going.append(found[0])
            elif found is not None:
                yield from self._patched(LINK, place, f"/attachments/{found[0]}", wanted=item, theirs=found[1])
            elif self._adds("attachments", item):
                self._put(LINK, place, item)
                yield {"op": "add", "path": "/attachments/-", "value": item}
        for at in sorted(going, reverse=True):
            yield _remove(f"/attachments/{at}")

    def _leads_as_written(self, place: str, theirs: Json) -> bool:
        """Whether a link still leads where the bridge had it lead; one that others turned elsewhere is theirs."""
        meaning = LINK.lists["urls"].members["url"]
        return any(
            self._base.get(f"{place}/urls/{each.get('id')}/url") == digest(meaning(each.get("url")))
            for each in objects_in(theirs, "urls")
        )

    # One item of ours, by member

    def _patched(self, kind: Kind, place: str, path: str, *, wanted: Json, theirs: Json) -> list[PatchOperation]:
        """What of an item of ours is written where it stands; whatever else stands in it is others'."""
        known = self._base.get(place, GONE) != GONE
        operations = list(self._members(kind, place, path, wanted=wanted, theirs=theirs, known=known))
        if all(self._written.get(each) == ours for each, ours in part_digests(kind, place, wanted)):
            self._written[place] = digest(meant(kind, wanted))
        return operations

    def _members(
        self, kind: Kind, place: str, path: str, *, wanted: Json, theirs: Json, known: bool
    ) -> Iterator[PatchOperation]:
        for name, meaning in kind.members.items():
            own = f"{place}/{name}"
            if known:
                # What was not said when the item was written is others' to say.
                self._base.setdefault(own, GONE)
            says, said = wanted.get(name), theirs.get(name)
            ours, own_part = digest(meaning(says)), digest(meaning(without_others(says, said)))
            if self._writes(own, ours, self._compared(own, ours, digest(meaning(said)), own=own_part), asked=True):
                yield member(f"{path}/{name}", says, said)
            if self._written.get(own) == GONE:
                del self._written[own]
        for name, inner in kind.lists.items():
            places = places_in(theirs, name)
            for each in objects_in(wanted, name):
                own, found = f"{place}/{name}/{each['id']}", places.get(each["id"])
                if found is not None:
                    at, there = found
                    yield from self._members(inner, own, f"{path}/{name}/{at}", wanted=each, theirs=there, known=known)
                elif not known and not self._applied:
                    # Others made the item anew, without it. One that they took out of ours stays out.
                    self._written.update(part_digests(inner, own, each))
                    yield {"op": "add", "path": f"{path}/{name}/-", "value": each}

    def _put(self, kind: Kind, place: str, item: Json) -> None:
        """Note down an item that is put there, and all that it is made of."""
        self._written[place] = digest(meant(kind, item))
        self._written.update(part_digests(kind, place, item))

    def _forget(self, place: str) -> None:
        """Note down that an item of ours goes."""
        for each in [each for each in self._written if each.startswith(f"{place}/")]:
            del self._written[each]
        self._written[place] = GONE

    # What only grows

    def _transmissions(self) -> Iterator[PatchOperation]:
        there = {str(each.get("id")) for each in objects_in(self._dialog.raw, "transmissions")}
        for transmission in () if self._foreign else self._change.transmissions:
            if str(transmission["id"]) not in there:
                yield {"op": "add", "path": "/transmissions/-", "value": transmission}

    def _activities(self) -> Iterator[PatchOperation]:
        for activity in self._change.activities:
            if activity.id not in self._dialog.activity_ids:
                yield {"op": "add", "path": "/activities/-", "value": activity_to_json(activity)}


_REFUSED = digest(REFUSAL)
_NO_MORE = Field(value=None, asked=False, only=Only.OWN)


def _free(wanted: str, taken: Sequence[str]) -> str | None:
    """The wanted priority, or the highest below it that has room; None where none has."""
    names = list(PRIORITIES)
    for name in names[names.index(wanted) :]:
        if taken.count(name) < PRIORITIES[name]:
            return name
    return None


def _at(body: Json, pointer: str) -> object:
    place: object = body
    for step in pointer.split("/")[1:]:
        place = place.get(step) if isinstance(place, Mapping) else None
    return place


def _index(items: Sequence[GuiAction | ApiAction], wanted: Json) -> int | None:
    return next((at for at, item in enumerate(items) if str(item.id) == str(wanted["id"])), None)


def _place(name: str, item: Json) -> str:
    return f"/{name}/{item['id']}"


def _stored_tag(tag: str) -> str:
    """The tag as Dialogporten keeps it: without blanks around it, in small letters."""
    return tag.strip().casefold()


def _label_place(label: str) -> str:
    return f"/serviceOwnerLabels/{label}"


def _remove(path: str) -> PatchOperation:
    return {"op": "remove", "path": path}


def _from_the_end(items: tuple[_Item, ...]) -> Iterator[tuple[int, _Item]]:
    return reversed(list(enumerate(items)))
