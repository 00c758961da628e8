"""Look through JSON forms of any length for all that is wrong, a part at a time."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from jsonschema_rs import ValidationError, ValidationErrorKind

from bridge.core.errors import Finding
from bridge.core.ids import pointer
from bridge.forms.json.findings import findings_of
from bridge.forms.json.input import Json
from bridge.forms.json.schema_files import Compiled, Steps
from bridge.forms.xml.input import Effort

MOST_REPEATED = 10_000_000
"""So many characters are held against lists at most when one item stands for all others: as many as a form has."""
EXPLAINED = 10_000
"""So many values of a form are looked through at a time: the library keeps two kilobytes for each of their faults."""
_NONE = object()
_ENCODER = json.JSONEncoder(sort_keys=True, default=str)


class Part:
    """
    A form with *most* values of its lists, and no items of them before the first *skipped*.

    The items of a list are left out whole. Within one that is too large by itself, lists are cut as well.
    """

    def __init__(self, value: Json, most: int, *, skipped: int = 0) -> None:
        self._left, self._most, self._skip = most, most, skipped
        self.items = 0
        """How many items are in it."""
        self.shortened: dict[Steps, int] = {}
        """The lists that lack items, and how many of those come first."""
        self.ends = True
        """Whether nothing comes behind it."""
        self.cut: set[Steps] = set()
        """Those within an item: what they lack is in no part at all."""
        self.value = self._of(value, (), inside=False)

    @property
    def hopeless(self) -> bool:
        """Whether there is too much of it without its lists, too."""
        return self._left < -self._most

    def _of(self, value: Json, steps: Steps, *, inside: bool) -> Json:
        if type(value) is dict:
            self._left -= len(value)
            return {
                name: self._of(child, (*steps, name), inside=inside) if type(child) in (dict, list) else child
                for name, child in value.items()
            }
        if type(value) is not list:
            return value
        front = 0 if inside else min(self._skip, len(value))
        self._skip -= front
        items: list[Json] = []
        for number, item in enumerate(value[front:]):
            if self._left <= (-self._most // 2 if inside else 0):
                self.ends = self.ends and inside
                break
            self._left -= 1
            self.items += not inside
            items.append(self._of(item, (*steps, number), inside=True))
        if len(items) < len(value):
            self.shortened[steps] = front
            self.cut |= {steps} if inside else set()
        return items

    def placed(self, steps: Steps, finding: Finding) -> tuple[Steps, Finding]:
        """*finding*, of the place *steps* in this part, at its place in the form."""
        for at, step in enumerate(steps):
            front = self.shortened.get(steps[:at], 0)
            if front and isinstance(step, int):
                moved = (*steps[:at], step + front, *steps[at + 1 :])
                return moved, replace(finding, path=pointer(moved))
        return steps, finding


class Search:
    """The search for all that is wrong with *value*, which *schema* refuses; *effort* ends it."""

    def __init__(self, schema: Compiled, value: Json, effort: Effort, *, most: int = EXPLAINED) -> None:
        self._schema, self._value, self._effort, self._most = schema, value, effort, most
        self._lists: set[Steps] = set()
        self._faulty: set[Steps] = set()
        self.whole = True
        """Whether all was looked at so far."""

    def findings(self) -> Iterator[tuple[Steps, Finding]]:
        """What is wrong, with the steps to its place."""
        skipped = 0
        while True:
            part = Part(self._value, self._most, skipped=skipped)
            if part.hopeless:
                self.whole = False
                return
            self.whole = self.whole and not part.cut
            self._lists |= part.shortened.keys() - part.cut
            yield from self._of_part(part, again=skipped > 0)
            skipped += part.items
            if part.ends:
                break
            # Where all else leaves no room for an item, no other part would have one either.
            if not part.items or self._effort.spent or self._schema.by_place:
                self.whole = False
                return
        if self._lists and not self._schema.by_place:
            yield from self._of_lists()

    def _of_part(self, part: Part, *, again: bool) -> Iterator[tuple[Steps, Finding]]:
        """What is wrong in *part*; *again*, what stands outside long lists was in the one before."""
        for error in self._schema.full.iter_errors(part.value):
            # That a list has fewer items than it came with is our doing.
            for steps, finding in (each for each in findings_of(error) if each[0] not in part.shortened):
                if again and not any(steps[:end] in self._lists for end in range(len(steps))):
                    continue
                placed = part.placed(steps, finding)
                self._faulty |= {placed[0][:end] for end in range(1, len(placed[0]) + 1)}
                yield placed

    def _of_lists(self) -> Iterator[tuple[Steps, Finding]]:
        """What is wrong with long lists themselves, by as many times one item that is right, and no long one."""
        right: dict[Steps, Json] = {}
        # The library copies a whole list for what it finds there.
        longest = MOST_REPEATED // sum(len(_at(self._value, steps)) for steps in self._lists)
        for steps in self._lists:
            items = enumerate(_at(self._value, steps))
            good = (item for number, item in items if (*steps, number) not in self._faulty)
            short = next((item for item in good if len(_written(item)) <= longest), _NONE)
            if short is _NONE:
                self.whole = False
            else:
                right[steps] = short
        for error in self._schema.full.iter_errors(_with_one(self._value, (), right)):
            if tuple(error.instance_path) in right:
                yield from self._of_list(error)

    def _of_list(self, error: ValidationError) -> Iterator[tuple[Steps, Finding]]:
        match error.kind:
            case ValidationErrorKind.MinItems() | ValidationErrorKind.MaxItems():
                yield from findings_of(error)
            case ValidationErrorKind.UniqueItems():
                items = _at(self._value, tuple(error.instance_path))
                if len(set(map(_written, items))) < len(items):
                    yield from findings_of(error)
            case _:
                self.whole = False


def _written(item: Json) -> str:
    return _ENCODER.encode(item)


def _at(value: Json, steps: Steps) -> list[Json]:
    for step in steps:
        value = cast("Any", value)[step]
    return cast("list[Json]", value)


def _with_one(value: Json, steps: Steps, right: Mapping[Steps, Json]) -> Json:
    if type(value) is list and steps in right:
        return [right[steps]] * len(value)
    if type(value) is not dict:
        return value
    return {name: _with_one(child, (*steps, name), right) for name, child in value.items()}
