"""A form as people read it: each place with what the schema calls it, in order, without what is empty."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from bridge.forms.conversion.model import ElementDecl, Kind, content_at
from bridge.forms.xml.input import Limits, is_nil, parse, text_of, to_utf8
from bridge.forms.xml.prefixes import Prefixes

LONGEST_LABEL = 120
"""A longer documentation explains its element, and does not name it."""

# What Altinn 2's form designer puts behind a name.
_NUMBERED = re.compile(r"-(?:datadef|grp|gruppe)-\d+$")
_HUMPS = re.compile(r"(?<=[a-zæøå0-9])(?=[A-ZÆØÅ])|(?<=[A-ZÆØÅ])(?=[A-ZÆØÅ][a-zæøå])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One place: how deep, what it is called, by language and by its name, and its value; None has places below it."""

    depth: int
    labels: Mapping[str, str]
    name: str
    value: str | None
    boolean: bool = False


def shown_form(xml: str, place: ElementDecl | None, *, limits: Limits) -> Iterator[Shown]:
    """
    Show a whole form; *place* is its root in the schema, None where there is none.

    Raises:
        Unreadable: *xml* is no XML that we take, or takes too much work.
    """
    prefixes = Prefixes()
    for child in _children(parse(to_utf8(xml, limits))):
        yield from _shown(child, _below(place, child, prefixes), 0, prefixes=prefixes)


def shown_places(
    xml: str, place: ElementDecl | None, wanted: Iterable[tuple[str, Mapping[str, str] | None]], *, limits: Limits
) -> Iterator[Shown]:
    """
    Show the places that each XPath of *wanted* finds, under its labels where it has some.

    Raises:
        Unreadable: *xml* is no XML that we take, or takes too much work.
    """
    root, prefixes = parse(to_utf8(xml, limits)), Prefixes()
    for path, labels in wanted:
        found = root.xpath(path)
        for each in found if isinstance(found, list) else ():
            yield from _found(each, place, labels, prefixes=prefixes)


def spoken(name: str) -> str:
    """Make words of an element's name: ``sitteplasserInne`` is *Sitteplasser inne*."""
    words = _HUMPS.sub(" ", re.sub(r"[_.-]+", " ", _NUMBERED.sub("", name))).split()
    first, *rest = words or [name]
    text = " ".join([first, *(each if each.isupper() else each.lower() for each in rest)])
    return text[:1].upper() + text[1:]


def _found(
    each: object, place: ElementDecl | None, labels: Mapping[str, str] | None, *, prefixes: Prefixes
) -> Iterator[Shown]:
    if isinstance(each, etree._Element) and isinstance(each.tag, str):  # noqa: SLF001 - lxml names its class so
        shown = list(_shown(each, _place_of(each, place, prefixes), 0, prefixes=prefixes))
        for index, one in enumerate(shown):
            named = one.labels if index or labels is None else labels
            yield Shown(depth=one.depth, labels=named, name=one.name, value=one.value, boolean=one.boolean)
    elif isinstance(each, str) and each.strip():
        name = getattr(each, "attrname", None) or ""
        yield Shown(depth=0, labels=labels or {}, name=spoken(str(name)), value=str(each))


def _shown(element: etree._Element, place: ElementDecl | None, depth: int, *, prefixes: Prefixes) -> Iterator[Shown]:
    name = spoken(etree.QName(element).localname)
    labels = _names(place)
    if next(_children(element), None) is None:
        if _is_filled(element):
            boolean = place is not None and place.content.kind is Kind.BOOLEAN
            yield Shown(depth=depth, labels=labels, name=name, value=text_of(element), boolean=boolean)
    elif any(_is_filled(each) for each in element.iterdescendants() if isinstance(each.tag, str)):
        yield Shown(depth=depth, labels=labels, name=name, value=None)
        for child in _children(element):
            yield from _shown(child, _below(place, child, prefixes), depth + 1, prefixes=prefixes)


def _is_filled(element: etree._Element) -> bool:
    return bool(text_of(element).strip()) and not is_nil(element)


def _names(place: ElementDecl | None) -> Mapping[str, str]:
    labels = {} if place is None else place.labels
    return {language: text for language, text in labels.items() if len(text) <= LONGEST_LABEL}


def _children(element: etree._Element) -> Iterator[etree._Element]:
    return (each for each in element if isinstance(each.tag, str))


def _below(place: ElementDecl | None, child: etree._Element, prefixes: Prefixes) -> ElementDecl | None:
    if place is None:
        return None
    parent = child.getparent()
    children = (place.content if parent is None else content_at(parent, place.content, prefixes)).children
    found = children.get(str(child.tag))
    # A form without a namespace may be read as if it had the schema's.
    local = etree.QName(child).localname
    return found or next((each for tag, each in children.items() if tag.rpartition("}")[2] == local), None)


def _place_of(element: etree._Element, root: ElementDecl | None, prefixes: Prefixes) -> ElementDecl | None:
    parent = element.getparent()
    return root if parent is None else _below(_place_of(parent, root, prefixes), element, prefixes)
