"""Where findings stand: line and column of an element's start, which libxml2's tree does not keep."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from bridge.core.errors import Finding
from bridge.core.ids import shown_name

_OF_WHAT_IS_MISSING = {"missing_element", "incomplete"}
_TOLD_OF_PARENT = {"incomplete", "missing_any"}
_INDEX = re.compile(r"\[(\d+)\]\Z")
_LONGEST_VALUE = 200


@dataclass(slots=True)
class _Wanted:
    """A step of a path that a finding asks for."""

    steps: dict[tuple[str, int], "_Wanted"] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    line: int = 0
    column: int = 0
    end_line: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    asked: bool = False


def with_places(findings: Sequence[Finding], data: bytes, *, values: bool = False) -> tuple[Finding, ...]:
    """
    *findings* with the line and column at which their elements begin in *data* (well-formed UTF-8), where known.

    With *values* each also gets what stands there, cut to 200 characters: only for an operator who asked for it.
    """
    top = _Wanted()
    found = [(_want(top, finding.path), _want(top, _around(finding))) for finding in findings]
    _walk(data, top)
    return tuple(
        _placed(finding, wanted, around, values=values)
        for finding, (wanted, around) in zip(findings, found, strict=True)
    )


def _around(finding: Finding) -> str:
    """The path of what the place of something missing is known by: its parent, or what stands there."""
    return parent_of(finding) if finding.at_end else finding.before or finding.path


def parent_of(finding: Finding) -> str:
    """The path of the element in which something is missing."""
    return finding.path if finding.rule in _TOLD_OF_PARENT else finding.path.rpartition("/")[0]


def is_of_a_gap(finding: Finding) -> bool:
    """
    Whether *finding* is about what is not there, so that nothing on its line is wrong.

    The line is that of what stands in its place, or that on which its parent ends.
    """
    return finding.rule in _OF_WHAT_IS_MISSING or (finding.at_end and not finding.column)


def extents(paths: Sequence[str], data: bytes) -> tuple[tuple[int, int], ...]:
    """The lines at which the elements at *paths* begin and end in *data* (well-formed UTF-8); 0 is unknown."""
    top = _Wanted()
    found = [_want(top, path) for path in paths]
    _walk(data, top)
    return tuple((wanted.line, wanted.end_line) for wanted in found)


def _want(top: _Wanted, path: str) -> _Wanted:
    wanted = top
    for step in path.split("/")[1:]:
        if not step.startswith("@") and step:
            index = _INDEX.search(step)
            key = (_INDEX.sub("", step), int(index[1]) if index else 1)
            wanted = wanted.steps.setdefault(key, _Wanted())
    wanted.asked = True
    return wanted


def _walk(data: bytes, top: _Wanted) -> None:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    stack: list[_Wanted | None] = [top]
    deep = 0  # how many elements that nobody asks for stand around

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal deep
        above = stack[-1]
        if deep or above is None or not above.steps:
            deep += 1
            return
        name = shown_name(name)
        above.seen[name] += 1
        here = above.steps.get((name, above.seen[name]))
        if here is None:
            deep += 1
            return
        here.line, here.column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        here.attributes = attributes
        stack.append(here)

    def end(_: str) -> None:
        nonlocal deep
        if deep:
            deep -= 1
        else:
            ended = stack.pop()
            if ended is not None:
                ended.end_line = parser.CurrentLineNumber

    def text(characters: str) -> None:
        here = stack[-1]
        if not deep and here is not None and here.asked and len(here.text) < 20:
            here.text.append(characters)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        # Some things that are well-formed to libxml2 are not to expat; what was found until there stands.
        return


def _placed(finding: Finding, wanted: _Wanted, around: _Wanted, *, values: bool) -> Finding:
    if finding.at_end and around.end_line and (finding.rule != "too_few" or not wanted.line):
        return replace(finding, line=around.end_line)
    # libxml2 has two bytes for the line of an element, and guesses those above 65,535 by the text around.
    if finding.before is not None and around.line:
        return replace(finding, line=around.line)
    if not wanted.line or finding.rule in _OF_WHAT_IS_MISSING or finding.path == "/":
        return finding
    placed = replace(finding, line=wanted.line, column=wanted.column)
    return replace(placed, value=_value(finding, wanted)) if values else placed


def _value(finding: Finding, wanted: _Wanted) -> str | None:
    last = finding.path.rpartition("/")[2]
    value: object
    if last.startswith("@"):
        value = wanted.attributes.get(last[1:])
        if value is None:
            value = next((text for name, text in wanted.attributes.items() if name.endswith(f":{last[1:]}")), None)
    else:
        value = "".join(wanted.text)
    return None if value is None else value[:_LONGEST_VALUE]
