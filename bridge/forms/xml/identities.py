"""
Keys and references (``xs:key``, ``xs:unique``, ``xs:keyref``) that do not hold, apart from what other faults cause.

A value that is wrong has no place among the keys, so both engines miss it there, and at whatever refers to it.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from bridge.core.errors import Finding
from bridge.forms.xml.automata import type_matcher
from bridge.forms.xml.input import line_of, text_of

_INVALID = "Warning: No precomputed value available"
_NOT_FOUND = "No match found for key-sequence ["
_LIBXML2 = re.compile(r"\] of keyref '(?:\{[^}]*\})?(?P<name>[^'{}]+)'\.\Z")
_XMLSCHEMA = re.compile(
    r" not found for Xsd(?:11)?(?:Key|Unique)\(name='(?:[^':]*:)?(?P<name>[^']+)'\)(?: \(\d+ times\))?\Z"
)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A finding that holds if nothing is wrong inside its element, nor with any element or attribute of *names*."""

    finding: Finding
    names: frozenset[str] = frozenset()


def is_repeated_id(facts: Mapping[str, str], text: str | None) -> bool:
    """Whether *text*, refused as what *facts* say, is refused for standing twice: as an ID it is well written."""
    return facts.get("type") == "ID" and type_matcher("NCName").match((text or "").strip(" \t\r\n")) is not None


def rule_of(message: str) -> tuple[str, str] | None:
    """
    Which rule is broken, by libxml2's *message*, and which reference leads nowhere, if it is one.

    None where a value is wrong, which is told already. The message quotes values, so only its ends are read.
    """
    said = message.partition(": ")[2]
    if said.startswith(_INVALID):
        return None
    if said.startswith(_NOT_FOUND):
        reference = _LIBXML2.search(message)
        return "no_such_key", reference["name"] if reference else ""
    return ("key_incomplete" if said.startswith("Not all fields of key ") else "not_unique"), ""


def rule_of_reason(reason: str) -> tuple[str, str] | None:
    """The rule and the name of the key that xmlschema's *reason* is about; None where it is about no key."""
    if reason.startswith("duplicated value "):
        return "not_unique", ""
    if reason.startswith("missing key field "):
        return "key_incomplete", ""
    found = _XMLSCHEMA.search(reason)
    return ("no_such_key", found["name"]) if found and reason.startswith("value ") else None


def referring(root: etree._Element, message: str, line: int) -> etree._Element | None:
    """The element whose reference leads nowhere, for which libxml2 has no more than a name, a line and values."""
    said, _, rest = message.partition("': ")
    name = said.removeprefix("Element '")
    values = rest.removeprefix(_NOT_FOUND)
    there = [each for each in root.iter(name, "{*}" + name) if line_of(each) == line]
    fitting = [each for each in there if any(f"'{text}'" in values for text in _texts(each))]
    return next(iter(fitting or there), None)


def _texts(node: etree._Element) -> Iterable[str]:
    for each in node.iter(etree.Element):
        yield from (" ".join(text.split()) for text in [text_of(each), *map(str, each.attrib.values())])


def confirmed(
    doubtful: Iterable[Doubtful], findings: Collection[Finding], moved: Collection[str] = ()
) -> list[Finding]:
    """The findings of *doubtful* that hold beside *findings*, where elements named *moved* were moved about."""
    paths = [each.path for each in findings]
    names = {path.rpartition("/")[2].removeprefix("@").partition("[")[0].rpartition(":")[2] for path in paths}
    return [
        each.finding
        for each in doubtful
        if each.names.isdisjoint(names)
        and each.names.isdisjoint(moved)
        and not any(path == each.finding.path or path.startswith(each.finding.path + "/") for path in paths)
    ]
