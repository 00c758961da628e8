"""
What somebody might send in place of what was meant, generated: every member in another case, number or place, twice,
empty, null, or of another type. And every mapping that the tests, the documents and the package have.
"""

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from bridge.bundled import mappings_folder

Json = Any
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """One near-miss: *what* was done to it, and the body, or query, that came of it."""

    what: str
    text: str

    def __repr__(self) -> str:
        return self.what


class _Doubled(dict[str, Any]):
    """An object with one member twice, as ``json`` writes it."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        super().__init__(members)
        self._members = members

    def items(self) -> Any:
        return self._members


OTHERS: tuple[Json, ...] = ("x", 7, 1.5, True, [], {}, ["x"], {"x": 1})


def in_json(value: Json) -> Iterator[Miss]:
    """Every near-miss of every member of *value*, at any depth, and of the document as a whole."""
    for steps, holder in _objects(value, ()):
        for name in list(holder):
            for what, changed in _of_member(holder, name):
                place = "/".join(map(str, (*steps, name)))
                yield Miss(what=f"{place}: {what}", text=json.dumps(_put(value, steps, changed)))
        unknown = {**holder, "Unheard": 1}
        yield Miss(what=f"{'/'.join(map(str, steps))}: something unknown", text=json.dumps(_put(value, steps, unknown)))
    yield from _moved(value)
    text = json.dumps(value)
    whole = {
        "nothing": "",
        "an empty object": "{}",
        "an empty list": "[]",
        "null": "null",
        "in a list": f"[{text}]",
        "inside another": json.dumps({"message": value}),
        "with a byte order mark": "\ufeff" + text,
        "twice": text + text,
        "with something behind": text + ",",
        "cut": text[:-1],
        "with a comment": "/* */" + text,
        "with a comma too much": text[:-1] + ",}",
        "in single quotes": text.replace('"', "'"),
    }
    yield from (Miss(what=f"the whole {what}", text=each) for what, each in whole.items())


def _of_member(holder: Mapping[str, Json], name: str) -> Iterator[tuple[str, Json]]:
    value = holder[name]
    for other in dict.fromkeys(
        (name.lower(), name.upper(), name.swapcase(), name[:1].swapcase() + name[1:], f"{name}s", name.rstrip("s"))
    ):
        if other not in (name, ""):
            yield f"is called {other}", {other if each == name else each: held for each, held in holder.items()}
    for other in (f" {name}", f"{name} ", name.replace("_", ""), name.replace("e", "е", 1), f"{name}\u200b"):
        if other != name:
            yield f"is called {other!a}", {other if each == name else each: held for each, held in holder.items()}
    rest = [(each, held) for each, held in holder.items() if each != name]
    others: tuple[Json, ...] = (value, None, "", [], {})
    for second in others:
        for first, last in ((value, second), (second, value)):
            yield f"twice: {_shape(first)}, then {_shape(last)}", _Doubled([*rest, (name, first), (name, last)])
    for other in (None, "", " ", *OTHERS, [value], {name: value}, str(value), [value, value]):
        if other != value or type(other) is not type(value):
            yield f"is {_shape(other)}", {**holder, name: other}


def _shape(value: Json) -> str:
    return json.dumps(value)[:20]


def _objects(value: Json, steps: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Json]]]:
    if isinstance(value, dict):
        yield steps, value
        for name, held in value.items():
            yield from _objects(held, (*steps, name))
    elif isinstance(value, list):
        for place, held in enumerate(value):
            yield from _objects(held, (*steps, place))


def _put(value: Json, steps: tuple[str | int, ...], new: Json) -> Json:
    """Give *value* with *new* at *steps*."""
    if not steps:
        return new
    first, *rest = steps
    if isinstance(value, dict):
        return {name: _put(held, tuple(rest), new) if name == first else held for name, held in value.items()}
    return [_put(held, tuple(rest), new) if place == first else held for place, held in enumerate(value)]


def _without(value: Json, steps: tuple[str | int, ...]) -> Json:
    *head, last = steps
    holder = value
    for step in head:
        holder = holder[step]
    return _put(value, tuple(head), {name: held for name, held in holder.items() if name != last})


def _moved(value: Json) -> Iterator[Miss]:
    """Each member put into each other object, there alone or there as well."""
    objects = list(_objects(value, ()))
    for steps, holder in objects:
        for name, held in holder.items():
            for goal, there in objects:
                if goal == steps or name in there or goal[: len(steps) + 1] == (*steps, name):
                    continue
                place, target = "/".join(map(str, (*steps, name))), "/".join(map(str, goal))
                both = _put(value, goal, {**there, name: held})
                yield Miss(what=f"{place}: stands in /{target} as well", text=json.dumps(both))
                yield Miss(what=f"{place}: stands in /{target}", text=json.dumps(_without(both, (*steps, name))))


def in_xml(text: str) -> Iterator[Miss]:
    """The same for the elements of a form."""
    count = sum(1 for each in etree.fromstring(text.encode()).iter() if isinstance(each.tag, str))
    for place in range(1, count):
        for what in ("case", "plural", "twice", "empty", "above", "below", "unknown", "attribute", "gone inside"):
            root = etree.fromstring(text.encode())
            node = [each for each in root.iter() if isinstance(each.tag, str)][place]
            holder = node.getparent()
            assert holder is not None
            name = str(node.tag)
            match what:
                case "case":
                    node.tag = name.swapcase()
                case "plural":
                    node.tag = f"{name}s"
                case "twice":
                    node.addnext(etree.fromstring(etree.tostring(node, with_tail=False)))
                case "empty":
                    node.text = None
                    node[:] = []
                case "above":
                    above = holder.getparent()
                    if above is None:
                        continue
                    above.append(node)
                case "below":
                    etree.SubElement(node, name).text = "x"
                case "unknown":
                    etree.SubElement(holder, "unheard").text = "x"
                case "attribute":
                    node.set("unheard", "x")
                case _:
                    node.text = f"<!-- -->{node.text or ''}"
            yield Miss(what=f"{name} {place}: {what}", text=etree.tostring(root, encoding="unicode"))


def in_query(meant: Mapping[str, str]) -> Iterator[Miss]:
    """The same for parameters."""
    from urllib.parse import urlencode

    for name, value in meant.items():
        rest = [(each, held) for each, held in meant.items() if each != name]
        for other in (name.lower(), name.upper(), name.swapcase(), f"{name}s", f" {name}", f"{name}[]", f"{name}[0]"):
            yield Miss(what=f"{name} is called {other}", text=urlencode([*rest, (other, value)]))
        for second in (value, "", "x", "null"):
            for pair in ((value, second), (second, value)):
                yield Miss(what=f"{name} twice: {pair}", text=urlencode([*rest, *((name, each) for each in pair)]))
        for other in ("", " ", "null", value.swapcase(), f"{value} ", f"{value},{value}", f'"{value}"'):
            yield Miss(what=f"{name} is {other!r}", text=urlencode([*rest, (name, other)]))
        yield Miss(what=f"{name} without a value", text=f"{urlencode(rest)}&{name}")
        yield Miss(what=f"{name} behind a semicolon", text=";".join((urlencode(rest), urlencode({name: value}))))
        yield Miss(what=f"{name} encoded twice", text=urlencode([*rest, (name, urlencode({"": value})[1:])]))
    yield Miss(what="something unknown", text=urlencode({**meant, "unheard": "1"}))
    yield Miss(what="Altinn 2's own", text=urlencode({**meant, "complete": "false"}))


def in_file() -> Iterator[Miss]:
    """A file that is not there: nobody means one of no bytes, however its end is told."""
    for what in ("length 0", "no length", "chunks"):
        yield Miss(what=f"the file: nothing, {what}", text="")


def every_mapping() -> dict[str, str]:
    """The text of each mapping that the package ships, the documents show and the tests use."""
    found: dict[str, str] = {}
    for path in sorted(Path(str(mappings_folder())).glob("*.yaml")):
        found[path.name] = path.read_text("utf-8")
    for path in sorted((ROOT / "docs").glob("*.md")):
        text = path.read_text("utf-8")
        blocks = re.findall(r"```yaml\n(?:#[^\n]*\n)?(service_resource.*?)```", text, re.DOTALL)
        blocks += re.findall(r"<<'END'\n(service_resource.*?)\nEND\n", text, re.DOTALL)
        found |= {f"{path.name} {number}": block for number, block in enumerate(blocks)}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path == Path(__file__) or "service_resource:" not in path.read_text("utf-8"):
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, value in vars(module).items():
            if isinstance(value, str) and "service_resource:" in value and "\nactions:" in value:
                found[f"{path.name} {name}"] = value
    # A name that stands for a value is filled in by the module's own function.
    filled = {name: text.replace("BARE", "true") for name, text in found.items()}
    texts: dict[str, str] = {}
    for name, text in filled.items():
        if text not in texts.values():
            texts[name] = text
    return texts
