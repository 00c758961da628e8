"""
YAML with places: plain values out, and every fault with its file, line and column.

Plain words are read as YAML 1.2 (and editors) read them: only ``true`` and ``false`` are booleans, so ``off`` and
``no`` are text, and whole numbers are decimal. What should be text and looks like a number must be quoted.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel
from pydantic.config import JsonDict

from bridge.config.yaml_faults import (
    LOADER,
    ODD_BLANKS,
    starts_oddly,
    unreadable_fault,
    with_blank_after_dash,
    yaml_fault,
)
from bridge.core.errors import Fault

_LARGEST, _DEEPEST = 1_000_000, 20

Place = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """One file on its way: where each value and each key stands, and what is wrong so far."""

    path: Path
    places: dict[Place, yaml.Mark] = field(default_factory=dict)
    keys: dict[Place, yaml.Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    told: set[Place] = field(default_factory=set)

    def where(self, place: Place, *, key: bool = False) -> str:
        """The ``file:line:col`` of *place*, or of what is nearest around it."""
        first, second = (self.keys, self.places) if key else (self.places, self.keys)
        while place and place not in first and place not in second:
            place = place[:-1]
        mark = first.get(place) or second.get(place)
        return f"{self.path}:1:1" if mark is None else f"{self.path}:{mark.line + 1}:{mark.column + 1}"

    def fault(self, place: Place, message: str, *, key: bool = False) -> None:
        """Add a fault at *place*, or at the key that leads there; one of its spelling stands for all of a value."""
        if place in self.told and not key:
            return
        self.faults.append(Fault(where=self.where(place, key=key), message=message))

    def give_up(self, line: int, column: int, message: str) -> None:
        """Add the fault after which there is nothing to go on with."""
        self.faults.append(Fault(where=f"{self.path}:{line}:{column}", message=message))


NOT_SUGGESTED: JsonDict = {"doNotSuggest": True}
"""What a model says of a key that it takes for older files' sake; editors that know the word do not offer it."""

Models = tuple[tuple[tuple[str, ...], type[BaseModel]], ...]
"""Which model stands at which place; ``*`` is any name."""


def read_yaml(document: Document, *, begins: str) -> dict[str, object] | None:
    """
    The document's file as plain values, the place of each noted; None when there is nothing to go on with.

    *begins* is said of a file that holds something else than keys.
    """
    data = b""
    try:
        data = _data(document.path)
        text = data.decode("utf-8-sig")
        _refuse_unused_yaml(text)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        document.give_up(*yaml_fault(error, data.decode("utf-8-sig", "replace")))
        return None
    except (UnicodeDecodeError, yaml.reader.ReaderError) as error:
        document.give_up(*unreadable_fault(error, data))
        return None
    except OSError as error:
        document.fault((), f"the file cannot be read: {error.strerror}")
        return None
    if not isinstance(node, yaml.MappingNode):
        document.fault((), begins)
        return None
    return cast("dict[str, Any]", _build(document, node, ()))


def line_and_column(fault: Fault) -> tuple[int, int]:
    """Where a fault of one file stands, to sort by."""
    _, line, column = fault.where.rsplit(":", 2)
    return int(line), int(column)


def _data(path: Path) -> bytes:
    data = path.read_bytes()
    if len(data) > _LARGEST:
        raise yaml.MarkedYAMLError(problem=f"a mapping file has at most {_LARGEST} bytes")
    return data


def _refuse_unused_yaml(text: str) -> None:
    """Refuse what hides where a value comes from (anchors, aliases, tags), and more than one document."""
    documents = depth = 0
    lines = text.splitlines()
    for event in yaml.parse(text, Loader=LOADER):
        problem = None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem = "anchors and aliases are not used here: write the value out"
        elif getattr(event, "tag", None):
            problem = "tags are not used here: write the value, in quotes if it is text"
        elif isinstance(event, yaml.ScalarEvent) and starts_oddly(event.value, event.start_mark, lines):
            problem = "indented with blanks that are no ordinary ones"
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            problem = "one file holds one mapping: put the next one in a file of its own" if documents > 1 else None
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            problem = "nested too deeply" if depth > _DEEPEST else None
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if problem is not None:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=cast("yaml.Mark | None", event.start_mark))


def _build(document: Document, node: yaml.Node, place: Place) -> object:
    """Turn *node* into plain values, noting where each stands."""
    document.places[place] = node.start_mark
    if isinstance(node, yaml.MappingNode):
        built: dict[str, object] = {}
        for key, value in node.value:
            name = _scalar(key) if isinstance(key, yaml.ScalarNode) else None
            mark = f"{document.path}:{key.start_mark.line + 1}:{key.start_mark.column + 1}"
            if not isinstance(name, str):
                shown = f": write {key.value!r}" if isinstance(key, yaml.ScalarNode) else _IN_QUOTES
                document.faults.append(Fault(where=mark, message=f"a key is text{shown}"))
            elif name.startswith("-") and not cast("Any", key).style:
                document.faults.append(Fault(where=mark, message=with_blank_after_dash(f"{name}: …")))
                document.told.add(place)
            elif name in built:
                first = document.keys[(*place, name)]
                message = f"the key {name!r} stands on line {first.line + 1} already: keep one of the two"
                document.faults.append(Fault(where=mark, message=message))
            else:
                document.keys[(*place, name)] = key.start_mark
                built[name] = _build(document, value, (*place, name))
        return built
    if isinstance(node, yaml.SequenceNode):
        return [_build(document, item, (*place, index)) for index, item in enumerate(node.value)]
    value = _scalar(node)
    return _straightened(document, value, place) if isinstance(value, str) else value


_ODD_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\xab\xbb\u2039\u203a\u2032\u2033\xb4`\uff02\uff07"
_FOR_PEOPLE = frozenset({"nb", "nn", "en"})


def _straightened(document: Document, value: str, place: Place) -> str:
    """
    Tell of a word processor's quotes and blanks around a code, an id or a name, and give what was meant.

    Texts and words for people, and what ``set`` puts into forms, may have them.
    """
    bare = value.strip(_ODD_QUOTES + ODD_BLANKS + " ")
    taken = (value[: value.index(bare)] + value[value.index(bare) + len(bare) :]) if bare else value
    if not taken.strip(" ") or place[-1] in _FOR_PEOPLE or {"set", "search_tags"} & set(place[:-1]):
        return value
    what = "quotes of a word processor" if set(taken) & set(_ODD_QUOTES) else "blanks that are no ordinary ones"
    bare_too = f", or {bare} without quotes where it is no text" if re.fullmatch("[0-9]+|true|false", bare) else ""
    document.fault(place, f'{what} would be taken as a part of this: write "{bare}"{bare_too}')
    document.told.add(place)
    return bare


_IN_QUOTES = ": a text that begins with a brace or bracket is written in quotes"


@dataclass(frozen=True, slots=True)
class _Odd:
    """A plain word that YAML versions read differently, such as 010 or 1_000; fits no field."""

    text: str


def _scalar(node: yaml.Node) -> object:
    text: str = node.value
    if cast("Any", node).style:  # Plain is None, or "" from libyaml.
        return text
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", text):
        return int(text) if len(text) < 20 else _Odd(text)
    if re.fullmatch(
        r"[-+]?(0[0-9_]+|[0-9][0-9_]*|0x[0-9a-fA-F_]+|0o?[0-7_]+|[0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?)", text
    ):
        return _Odd(text)
    return text


# From pydantic's errors to words


def wrong_value(kind: str, value: object, context: Mapping[str, Any]) -> str:
    """In our words what pydantic finds wrong with *value*."""
    shown = repr(value.text if isinstance(value, _Odd) else value)
    match kind:
        case "string_type":
            return "this must be text" + _how_it_is_text(value)
        case "int_type":
            return "write a whole number, without quotes or leading zeros"
        case "bool_type":
            return f"write true or false instead of {shown}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            close = difflib.get_close_matches(str(value), choices, n=1)
            hint = f": did you mean {close[0]}?" if close else ""
            return f"write one of {', '.join(choices)} instead of {shown}{hint}"
        case "string_pattern_mismatch":
            return f"{shown} does not have the form {context.get('pattern')}"
        case "greater_than_equal":
            return f"write at least {context.get('ge')}"
        case "less_than_equal":
            return f"write at most {context.get('le')}"
        case "string_too_short" if context.get("min_length", 1) > 1:
            return f"write at least {context['min_length']} characters: these are {len(str(value))}"
        case "too_short" | "string_too_short":
            return "this may not be empty"
        case "string_too_long":
            return f"write at most {context.get('max_length')} characters: these are {len(str(value))}"
        case "too_long":
            return f"write at most {context.get('max_length')} of them"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "keys with values must stand here" + (", indented below this key" if value is None else "")
        case "list_type" if isinstance(value, str) and value.startswith("-"):
            return with_blank_after_dash(value)
        case "list_type":
            return "a list must stand here: [one, two], or lines that begin with a dash"
        case _:
            return f"this cannot be used: {kind}"


def _how_it_is_text(value: object) -> str:
    match value:
        case bool():
            return f': write it in quotes, "{str(value).lower()}"'
        case _Odd(text=text) | (int() as text):
            return f': write it in quotes, "{text}"'
        case dict() | list():
            return _IN_QUOTES
        case None:
            return ": it is empty"
        case _:
            return ""


def did_you_mean(models: Models, place: Place) -> str:
    """Name the key that is likely meant by the unknown one that ends *place*, or those that are known there."""
    for shape, model in models:
        if len(shape) == len(place) - 1 and all(
            part in ("*", name) for part, name in zip(shape, place[:-1], strict=True)
        ):
            fields = model.model_fields.items()
            known = [each.alias or name for name, each in fields if each.json_schema_extra != NOT_SUGGESTED]
            named, colon, rest = str(place[-1]).partition(":")
            if colon and named in known:
                return f": after a colon comes a blank, {named}: {rest}"
            close = difflib.get_close_matches(str(place[-1]), known, n=1)
            return f": did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
    return ""
