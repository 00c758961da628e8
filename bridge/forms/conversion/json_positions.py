"""What was found in the XML that a JSON form became, said of the JSON: by pointer, line and column of what was sent."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from bridge.core.errors import Finding
from bridge.core.ids import pointer
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.model import ANY, TYPE_MEMBER, Content, ElementDecl
from bridge.forms.json.input import Json, placed, read_exact, text_of
from bridge.forms.xml.input import Limits

_STEP = re.compile(r"(?P<name>[^\[]+)(?:\[(?P<index>\d+)\])?")
# What stands before the element of a fragment is skipped once and for all: it was well-formed before.
_BEGINNING = re.compile(r"(?>\s|<\?.*?\?>|<!--.*?-->)*+<(?P<name>[^\s/>]+)", re.DOTALL)
_UNTRUE = {"more_findings", "not_in_xml", "wrong_order"}
"""What was written beside these is no part of the form, or too little of it."""
_OF_WHAT_IS_MISSING = {"missing_element", "missing_attribute", "too_few"}
_Fragments = dict[int, dict[str, list[int]]]
"""The numbers of fragments by the names of their elements, for each list of fragments by its identity."""


def said_of_json(
    findings: Sequence[Finding], converter: Converter, form: bytes | str, *, limits: Limits
) -> tuple[Finding, ...]:
    """
    *findings*, whose paths are those of the XML that *converter* made of *form*, with the places of *form* itself.

    Raises:
        Unreadable: It is no JSON that we take.
    """
    if not findings or converter.only_root is None:
        return tuple(findings)
    text = text_of(form, limits)
    value = read_exact(text, limits)
    located = []
    fragments: _Fragments = {}
    for finding in findings:
        steps = _steps(converter.only_root, value, finding=finding, fragments=fragments)
        located.append((steps, replace(finding, path=pointer(steps))))
    return placed(located, text)


def all_of_json(
    error: Unconvertible, converter: Converter, form: bytes | str, *, check: Callable[[bytes], Sequence[Finding]]
) -> tuple[Finding, ...]:
    """
    What *error* tells of *form*, and what *check* finds beside it in the XML of all else.

    Rules wait until the form is whole: they may look at what could not be written.
    """
    most = converter.limits.max_findings
    if not error.written or _UNTRUE.intersection(each.rule for each in error.findings):
        return error.findings
    found = [each for each in check(error.written) if each.path != "/" and each.rule != "business_rule"]
    beside = [
        each
        for each in said_of_json(found, converter, form, limits=converter.limits)
        if not _is_told(each.path, error.findings)
    ]
    every = sorted((*error.findings, *beside), key=lambda each: (each.line, each.column))
    more = [Finding(path="/", rule="more_findings")] if len(every) > most else []
    return (*every[:most], *more)


def _is_told(path: str, findings: Sequence[Finding]) -> bool:
    return any(each.path in ("/", path) or path.startswith(f"{each.path}/") for each in findings)


def _steps(root: ElementDecl, value: Json, *, finding: Finding, fragments: _Fragments) -> tuple[str | int, ...]:
    """Walk down from *root* and *value* together, as far as the path of *finding* is known."""
    steps: tuple[str | int, ...] = ()
    names = finding.path.split("/")[2:]
    content = _content(root, value)
    for number, name in enumerate(names):
        last = number == len(names) - 1
        if name.startswith("@"):
            named = (each.member for each in content.attributes.values() if _local(each.written) == _local(name[1:]))
            return (*steps, next(named, name))
        step = _STEP.fullmatch(name)
        place = None if step is None else _child(content, step["name"])
        if step is None or place is None:
            if last and finding.rule in _OF_WHAT_IS_MISSING:
                return (*steps, _local(name))
            # What stands in a fragment has no place of its own in JSON; its name says what is meant.
            found = () if step is None else _named(value, step["name"], fragments)[int(step["index"] or 1) - 1 :]
            # In its fragment it is the only one.
            inside = [_STEP.sub(r"\g<name>", name), *names[number + 1 :]]
            return (*steps, ANY, found[0], *map(_local, inside)) if found else steps
        steps = (*steps, place.member)
        value = value.get(place.member) if type(value) is dict else None
        if place.many and not (last and finding.rule in _OF_WHAT_IS_MISSING):
            index = int(step["index"] or 1) - 1
            steps = (*steps, index)
            value = value[index] if type(value) is list and index < len(value) else None
        content = _content(place, value)
    if content.wrapped and type(value) is dict and "value" in value and finding.rule not in _OF_WHAT_IS_MISSING:
        return (*steps, "value")
    return steps


def _named(value: Json, name: str, fragments: _Fragments) -> Sequence[int]:
    """Which items of ``@any`` are elements of this *name*."""
    items = value.get(ANY) if type(value) is dict else None
    if type(items) is not list:
        return ()
    if id(items) not in fragments:
        known = fragments[id(items)] = defaultdict(list)
        for at, each in enumerate(items):
            found = _BEGINNING.match(each) if type(each) is str else None
            if found is not None:
                known[found["name"]].append(at)
    return fragments[id(items)].get(name, ())


def _content(place: ElementDecl, value: Json) -> Content:
    typed = place.content.type_members.get(value[TYPE_MEMBER]) if type(value) is dict and TYPE_MEMBER in value else None
    return place.content if typed is None else typed.content


def _child(content: Content, name: str) -> ElementDecl | None:
    children = content.children.values()
    exact = (each for each in children if each.written == name)
    return next(exact, None) or next((each for each in children if _local(each.written) == _local(name)), None)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
