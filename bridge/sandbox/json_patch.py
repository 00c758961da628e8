"""RFC 6902 on plain JSON values, as strict as Dialogporten's library: unknown members and places are errors."""

import copy
from collections.abc import Collection, Mapping, Sequence
from typing import Any

_OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")


class NotAPatch(ValueError):
    """Not a list of operations: it cannot even be read."""


class PatchFailed(ValueError):
    """The patch does not apply: a place that is not there, or a test that fails. Nothing was changed."""


def read(value: Any) -> Sequence[Mapping[str, Any]]:
    """
    Check that *value* is a patch document.

    Raises:
        NotAPatch: It is not.
    """
    if not isinstance(value, list):
        raise NotAPatch("A JSON Patch document must be an array of operations.")
    for each in value:
        if not isinstance(each, dict) or each.get("op") not in _OPERATIONS or not isinstance(each.get("path"), str):
            raise NotAPatch("Each operation must have an 'op' of RFC 6902 and a 'path'.")
        if each["op"] in ("move", "copy") and not isinstance(each.get("from"), str):
            raise NotAPatch(f"The operation '{each['op']}' must have a 'from'.")
        if each["op"] in ("add", "replace", "test") and "value" not in each:
            raise NotAPatch(f"The operation '{each['op']}' must have a 'value'.")
    return value


def applied(document: Mapping[str, Any], patch: Sequence[Mapping[str, Any]], *, members: Collection[str]) -> Any:
    """
    Give *document* with *patch* applied; *members* are all that it can have at its top.

    Raises:
        PatchFailed: An operation does not apply.
    """
    result: Any = copy.deepcopy(dict(document))
    for operation in patch:
        path = _parts(operation["path"], members)
        match operation["op"]:
            case "add":
                _add(result, path, copy.deepcopy(operation["value"]))
            case "remove":
                _remove(result, path)
            case "replace":
                _replace(result, path, copy.deepcopy(operation["value"]))
            case "test":
                _test(result, path, operation["value"])
            case "move":
                source = _parts(operation["from"], members)
                value = _get(result, source)
                _remove(result, source)
                _add(result, path, value)
            case _:
                _add(result, path, copy.deepcopy(_get(result, _parts(operation["from"], members))))
    return result


def _parts(path: str, members: Collection[str]) -> list[str]:
    if not path.startswith("/"):
        raise PatchFailed(f"The path '{path}' is not valid.")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    if parts[0] not in members:
        raise PatchFailed(f"The target location specified by path segment '{parts[0]}' was not found.")
    return parts


def _get(document: Any, parts: Sequence[str]) -> Any:
    value = document
    for part in parts:
        match value:
            case list():
                value = value[_index(value, part, len(value) - 1)]
            case dict() if part in value:
                value = value[part]
            case _:
                raise PatchFailed(f"The target location specified by path segment '{part}' was not found.")
    return value


def _add(document: Any, parts: Sequence[str], value: Any) -> None:
    parent, last = _get(document, parts[:-1]), parts[-1]
    match parent:
        case list():
            parent.insert(len(parent) if last == "-" else _index(parent, last, len(parent)), value)
        case dict():
            parent[last] = value
        case _:
            raise PatchFailed(f"The target location specified by path segment '{last}' was not found.")


def _remove(document: Any, parts: Sequence[str]) -> None:
    parent, last = _get(document, parts[:-1]), parts[-1]
    match parent:
        case list():
            del parent[_index(parent, last, len(parent) - 1)]
        case dict() if last in parent:
            # A typed object keeps its member and loses its value.
            parent[last] = None
        case _:
            raise PatchFailed(f"The target location specified by path segment '{last}' was not found.")


def _replace(document: Any, parts: Sequence[str], value: Any) -> None:
    parent, last = _get(document, parts[:-1]), parts[-1]
    match parent:
        case list():
            parent[_index(parent, last, len(parent) - 1)] = value
        case dict() if last in parent:
            parent[last] = value
        case _:
            raise PatchFailed(f"The target location specified by path segment '{last}' was not found.")


def _test(document: Any, parts: Sequence[str], value: Any) -> None:
    if not _same(_get(document, parts), value):
        raise PatchFailed(f"The current value at path '/{'/'.join(parts)}' is not equal to the test value.")


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is not 1, but 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _index(values: Sequence[Any], part: str, last: int) -> int:
    if part == "-" and last == len(values) - 1 and values:
        return last
    if not part.isdecimal() or (len(part) > 1 and part[0] == "0") or int(part) > last:
        raise PatchFailed(f"The index value provided by path segment '{part}' is out of bounds of the array size.")
    return int(part)
