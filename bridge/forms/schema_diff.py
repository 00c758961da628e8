"""Where two schemas of the same form differ, by path: the one that is pinned here, and the one that its app has."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.forms.conversion.converter import Converter
from bridge.forms.conversion.model import Content, ElementDecl

_WORDS_ONLY = frozenset({"title", "description", "$comment", "examples"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDifference:
    """One place that they see differently; None where a schema does not know it."""

    path: str
    ours: str | None
    theirs: str | None


def xsd_differences(folder: Path, name: str, theirs: bytes, *, root: str | None = None) -> tuple[SchemaDifference, ...]:
    """
    Compare the schema *name* of *folder* with another: elements, attributes, their kinds, and whether they repeat.

    The rules for values are not looked at. *root* picks one of several roots.

    Raises:
        ConfigurationError: One of them cannot be used.
    """
    if (folder / name).read_bytes() == theirs:
        return ()
    with TemporaryDirectory(prefix="bridge-schema-") as other:
        (Path(other) / "schema.xsd").write_bytes(theirs)
        return _differences(
            *(
                _places(Converter.from_schema(place / file, folder=place, root=root).root)
                for place, file in ((folder, name), (Path(other), "schema.xsd"))
            )
        )


def json_schema_differences(ours: bytes, theirs: bytes) -> tuple[SchemaDifference, ...]:
    """Compare by JSON pointer; words for people do not count. Raises ValueError where one is no JSON."""
    try:
        mine, other = (dict(_leaves(json.loads(each.decode("utf-8-sig")), "")) for each in (ours, theirs))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return _differences(mine, other)


def _differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[SchemaDifference, ...]:
    return tuple(
        SchemaDifference(path=path, ours=ours.get(path), theirs=theirs.get(path))
        for path in dict.fromkeys([*ours, *theirs])
        if ours.get(path) != theirs.get(path)
    )


def _places(root: ElementDecl) -> Mapping[str, str]:
    found = {f"/{root.member}": f"the root {root.tag}"}
    _walk(root.content, f"/{root.member}", (), found=found)
    return found


def _walk(content: Content, path: str, above: tuple[int, ...], *, found: dict[str, str]) -> None:
    # A type that holds itself is told once.
    if id(content) in above:
        return
    for attribute in content.attributes.values():
        found[f"{path}/@{attribute.member}"] = attribute.kind.type_name
    for place in content.members.values():
        kind = "group" if place.content.kind is None else place.content.kind.type_name
        below = f"{path}/{place.member}"
        found[below] = f"{kind}{', repeated' if place.many else ''}{', nillable' if place.nillable else ''}"
        _walk(place.content, below, (*above, id(content)), found=found)


def _leaves(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            if name not in _WORDS_ONLY or not isinstance(each, str):
                yield from _leaves(each, f"{path}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}/{index}")
    else:
        yield path, json.dumps(sorted(value, key=str) if isinstance(value, list) else value, ensure_ascii=False)
