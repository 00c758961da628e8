"""JSON Patch as Dialogporten's library applies it: to typed objects, in any letters, one fault for each operation."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.dialogporten.kinds import Faulty, Kind, Many, Maybe, Place, Record, Unfit


class NotAPatch(ValueError):
    """Not a list of operations: it cannot even be read."""


class PatchFailed(ValueError):
    """Operations that do not apply, with a message for each; nothing was changed."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = list(messages)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, its name in small letters."""

    name: str
    path: str
    source: str | None
    value: Any


def read(value: Any) -> Sequence[Operation]:
    """
    The operations of a patch document; an operation that is not named adds, one without a value sets null.

    Raises:
        NotAPatch: It is none.
        Faulty: An operation is null, or has no path.
    """
    if not isinstance(value, list) or not all(isinstance(each, dict | None) for each in value):
        raise NotAPatch("The JSON patch document was malformed and could not be parsed.")
    found = []
    for each in value:
        given = {name.lower(): member for name, member in (each or {}).items()}
        name, path, source = given.get("op", "add"), given.get("path"), given.get("from")
        if path is None or (name in ("move", "copy") and source is None):
            raise Faulty
        if any(isinstance(text, dict | list) for text in (name, path, source)):
            raise NotAPatch("The JSON patch document was malformed and could not be parsed.")
        found.append(
            Operation(str(name), str(path), None if source is None else str(source), given.get("value")),
        )
    return found


def applied(document: Mapping[str, Any], patch: Sequence[Operation], *, kind: Record, place: Place) -> dict[str, Any]:
    """
    *document*, an object of *kind*, with *patch* applied; values are converted as *place* says.

    Raises:
        PatchFailed: An operation does not apply.
    """
    result = _Patched(copy.deepcopy(dict(document)), kind, place)
    messages: list[str] = []
    for operation in patch:
        try:
            result.apply(operation)
        except PatchFailed as failed:
            messages += failed.messages
    if messages:
        raise PatchFailed(*messages)
    return result.document


@dataclass(frozen=True, slots=True)
class _Target:
    """Where an operation works: a member or an item (*key*) of *parent*, the kind of what stands there."""

    parent: Any
    key: str | int
    kind: Kind

    def value(self) -> Any:
        return self.parent[self.key]


class _Patched:
    def __init__(self, document: dict[str, Any], kind: Record, place: Place) -> None:
        self.document, self._kind, self._place = document, kind, place

    def apply(self, operation: Operation) -> None:
        match operation.name.lower():
            case "add":
                self._add(operation.path, operation.value)
            case "remove":
                self._remove(operation.path)
            case "replace":
                target = self._target(operation.path)
                target.parent[target.key] = self._converted(target, operation.value)
            case "test":
                self._test(operation.path, operation.value)
            case "move":
                value = copy.deepcopy(self._target(operation.source or "").value())
                self._remove(operation.source or "")
                self._add(operation.path, value)
            case "copy":
                self._add(operation.path, copy.deepcopy(self._target(operation.source or "").value()))
            case _:
                raise PatchFailed(f"Invalid JsonPatch operation '{operation.name}'.")

    def _add(self, path: str, value: Any) -> None:
        target = self._target(path, adding=True)
        converted = self._converted(target, value)
        if isinstance(target.parent, list):
            target.parent.insert(int(target.key), converted)
        else:
            target.parent[target.key] = converted

    def _remove(self, path: str) -> None:
        target = self._target(path)
        if isinstance(target.parent, list):
            del target.parent[int(target.key)]
        else:
            # A typed object keeps its member, and loses its value.
            target.parent[target.key] = target.kind.absent

    def _test(self, path: str, value: Any) -> None:
        target = self._target(path)
        held, wanted = target.value(), self._converted(target, value)
        if held != wanted or isinstance(held, bool) is not isinstance(wanted, bool):
            raise PatchFailed(
                f"The current value '{_shown(held)}' at path '{_parts(path)[-1]}' is not equal to the test value "
                f"'{_shown(value)}'."
            )

    def _converted(self, target: _Target, value: Any) -> Any:
        kind = target.kind
        if value is None and isinstance(target.parent, list) and isinstance(kind, Record):
            # The library puts it there, and the validators fall over it.
            raise Faulty
        try:
            return kind.null(self._place) if value is None else kind.read(value, self._place)
        except Unfit:
            raise PatchFailed(f"The value '{_shown(value)}' is invalid for target location.") from None

    def _target(self, path: str, *, adding: bool = False) -> _Target:
        parts = _parts(path)
        value: Any = self.document
        kind: Kind = self._kind
        for part in parts[:-1]:
            target = _step(value, kind, part, adding=False)
            value, kind = target.value(), target.kind
        return _step(value, kind, parts[-1], adding=adding)


def _step(value: Any, kind: Kind, part: str, *, adding: bool) -> _Target:
    if isinstance(kind, Maybe):
        kind = kind.kind
    if isinstance(kind, Many) and isinstance(value, list):
        return _Target(value, _index(value, part, adding=adding), kind.item)
    name = kind.places.get(part.lower()) if isinstance(kind, Record) and isinstance(value, dict) else None
    if name is None or not isinstance(kind, Record):
        raise PatchFailed(f"The target location specified by path segment '{part}' was not found.")
    return _Target(value, name, kind.members[name])


def _index(values: Sequence[Any], part: str, *, adding: bool) -> int:
    last = len(values) if adding else len(values) - 1
    if part == "-" and last >= 0:
        return last
    try:
        index = int(part)
    except ValueError:
        raise PatchFailed(f"The path segment '{part}' is invalid for an array index.") from None
    if not 0 <= index <= last:
        raise PatchFailed(f"The index value provided by path segment '{part}' is out of bounds of the array size.")
    return index


def _parts(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("/").split("/")]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
