"""What XSD forbids in a schema and both engines take without a word, and what .NET cannot read: told as notes."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from bridge.forms.xml.automata import knows_block
from bridge.forms.xml.input import line_of

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_ONCE = frozenset(
    (
        *("length", "minLength", "maxLength", "totalDigits", "fractionDigits", "whiteSpace"),
        *("minInclusive", "maxInclusive", "minExclusive", "maxExclusive"),
    )
)
_COUNTS = frozenset({"length", "minLength", "maxLength", "totalDigits", "fractionDigits"})
_BOUNDS = frozenset({"minInclusive", "maxInclusive", "minExclusive", "maxExclusive"})
_INTEGERS = frozenset(
    (
        *("integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger"),
        *("negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
    )
)
_DECIMALS = _INTEGERS | {"decimal"}
_TEXTS = frozenset({"string", "normalizedString"})
_KINDS = (f"{_XSD}simpleType", f"{_XSD}complexType", f"{_XSD}alternative")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[[^\]]*\]+")
_TWICE = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})(?:[*+]|\{\d)")
_BLOCK = re.compile(r"\\[pP]\{(Is[^}]*)\}")
_BEYOND = re.compile(
    r"Is(?:OldItalic|Gothic|Deseret|ByzantineMusicalSymbols|MusicalSymbols|MathematicalAlphanumericSymbols"
    r"|CJKUnifiedIdeographsExtensionB|CJKCompatibilityIdeographsSupplement|Tags)"
)
_REVERSED = re.compile(r"\{(\d{1,9}),(\d{1,9})\}")


def lints(root: etree._Element, path: Path) -> Iterator[str]:
    """What is wrong with the schema at *root*, with the place of each."""
    for element, said in _faults(root):
        yield f"{path}:{line_of(element)}: {said}: .NET does not read such a schema"


def _faults(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    namespace = root.get("targetNamespace")
    if namespace == "":
        yield root, "an empty targetNamespace: leave it out"
    elif namespace is not None and re.match(r"[A-Za-z]:(?![/\\])", namespace):
        yield root, f"the namespace {namespace!r} begins with one letter, as a drive does"
    for notation in root.iterchildren(f"{_XSD}notation"):
        if notation.get("public") is None and notation.get("system") is None:
            yield notation, f"the notation {notation.get('name')!r} has no public identifier"
    for owner in root.iter(f"{_XSD}element", f"{_XSD}attribute"):
        if _builtin(owner, "type") == "NOTATION":
            yield owner, f"{owner.get('name')!r} is a bare xs:NOTATION: restrict it to names of notations"
    for restriction in root.iter(f"{_XSD}restriction"):
        yield from _of_facets(restriction)
    for pattern in root.iter(f"{_XSD}pattern"):
        yield from _of_pattern(pattern)
    for kind in root.iter(f"{_XSD}complexType"):
        yield from _two_types(kind)
    yield from _strange_restrictions(root)


def has_any_type(root: etree._Element) -> bool:
    """Whether the schema at *root* has an element or a type of xs:anyType, which an element without a type has."""
    for element in root.iter(f"{_XSD}element"):
        if _builtin(element, "type") == "anyType":
            return True
        typed = not {"type", "ref", "substitutionGroup"}.isdisjoint(element.keys())
        if not typed and next(element.iterchildren(*_KINDS), None) is None:
            return True
    derived = root.iter(f"{_XSD}extension")
    return any(_builtin(each, "base") == "anyType" for each in derived)


def _builtin(element: etree._Element, attribute: str) -> str:
    """Name the built-in type that *attribute* refers to; empty for others."""
    prefix, _, local = (element.get(attribute) or "").strip().rpartition(":")
    return local if local and element.nsmap.get(prefix or None) == _XSD[1:-1] else ""


def _of_facets(restriction: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    base = _builtin(restriction, "base")
    facets = [(each, str(each.tag).removeprefix(_XSD), each.get("value") or "") for each in restriction]
    facets = [facet for facet in facets if facet[1] in _ONCE]
    seen = Counter(name for _, name, _ in facets)
    for name in (name for name, count in seen.items() if count > 1):
        yield restriction, f"the facet {name} stands there more than once"
    for facet, name, value in facets:
        if name == "fractionDigits" and base in _INTEGERS and value.strip() != "0":
            yield facet, f"fractionDigits of {value!r} on xs:{base}, which has none"
        if name in _COUNTS and value.strip().isdecimal() and _exceeds(value, 2**31 - 1):
            yield facet, f"{name} of {value[:40]!r} is above 2147483647"
        if name in _BOUNDS and base in _DECIMALS and _exceeds(value.partition(".")[0], 2**96 - 1):
            yield facet, f"{name} of {value[:40]!r} is beyond its numbers of 28 digits"
        if name == "whiteSpace" and (
            (value == "preserve" and base not in {"", "string"}) or (value == "replace" and base not in {"", *_TEXTS})
        ):
            yield facet, f"whiteSpace {value!r} is looser than that of xs:{base}"


def _exceeds(value: str, most: int) -> bool:
    digits = value.strip().lstrip("+-").lstrip("0")
    return digits.isdecimal() and (len(digits) > 40 or int(digits) > most)


def _of_pattern(pattern: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    value = pattern.get("value") or ""
    bare = _CLASS.sub("x", _ESCAPED.sub("x", value))
    if _TWICE.search(bare):
        yield pattern, f"the pattern {value!r} has a quantifier after a quantifier"
    if any(int(low) > int(high) for low, high in _REVERSED.findall(bare)):
        yield pattern, f"the pattern {value!r} has a quantifier whose end is before its beginning"
    for block in dict.fromkeys(_BLOCK.findall(value)):
        if _BEYOND.fullmatch(block):
            yield pattern, f"the pattern {value!r} names the block {block!r}, which is beyond 16 bits"
        elif not knows_block(block):
            yield pattern, f"the pattern {value!r} names the block {block!r}, which there is not"
    if any(letter > "\uffff" for letter in value):
        yield pattern, f"the pattern {value!r} has a character beyond 16 bits, of which it reads the halves"


def _two_types(kind: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Notes on elements of one name and two types in one content."""
    types: dict[str, str | None] = {}
    for element in _own(kind):
        name = element.get("name")
        if name is None:
            continue
        said = element.get("type") if element.get("type") else f"#{id(element)}"
        if types.setdefault(name, said) != said:
            yield element, f"the element {name!r} has two types in one content"


def _own(node: etree._Element) -> Iterator[etree._Element]:
    """The elements of a content, without those inside them."""
    for child in node.iterchildren(etree.Element):
        if child.tag == f"{_XSD}element":
            yield child
        elif child.tag not in (f"{_XSD}attribute", f"{_XSD}annotation"):
            yield from _own(child)


def _strange_restrictions(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Notes on types that restrict another to elements which that one does not have."""
    named = {kind.get("name"): kind for kind in root.iterchildren(f"{_XSD}complexType")}
    for restriction in root.iter(f"{_XSD}restriction"):
        base = named.get((restriction.get("base") or "").rpartition(":")[2])
        parent = restriction.getparent()
        if base is None or parent is None or parent.tag != f"{_XSD}complexContent":
            continue
        open_base = next(base.iter(f"{_XSD}any", f"{_XSD}group", f"{_XSD}extension", f"{_XSD}restriction"), None)
        known = {element.get("name") for element in _own(base)}
        if open_base is not None or any(element.get("ref") for element in _own(base)):
            continue
        for element in _own(restriction):
            if element.get("name") is not None and element.get("name") not in known:
                yield element, f"a restriction has the element {element.get('name')!r}, which its base does not have"
