"""Dates under ``xs:unique`` that .NET may take for one: to XSD, one with a zone and one without are never the same."""

import re
from collections.abc import Collection, Iterator
from typing import cast

from lxml import etree

from bridge.forms.xml.components import XsdIdentity
from bridge.forms.xml.input import text_of
from bridge.forms.xml.schema_facts import DATES, SchemaModel
from bridge.forms.xml.values import BLANKS, Stray, Unknown, Value, builtin_of

_ZONED = re.compile(r"(?P<clock>.*[0-9])(?:Z|[+-][0-9]{2}:[0-9]{2})", re.DOTALL)
_MOMENTS = DATES - {"duration", "dateTimeStamp"}
Spot = tuple[etree._Element, str | None]  # noqa: SLF001 - lxml names its class so
"""An element, or its attribute of that name."""
_Valued = etree._Element | etree._ElementUnicodeResult  # noqa: SLF001


def zoned_spot(value: Value | Unknown | Stray) -> Spot | None:
    """Where *value* stands, if it is a date or time with a zone."""
    if not isinstance(value, Value) or builtin_of(value.simple) not in _MOMENTS:
        return None
    return None if _ZONED.fullmatch(value.text.strip(BLANKS)) is None else (value.node, value.attribute)


def clashing(root: etree._Element, model: SchemaModel, zoned: Collection[Spot]) -> Iterator[etree._Element]:
    """
    Those of the valid form *root* that are unique by their zone alone: another one has the same without a zone.

    *zoned* is where its dates and times with a zone stand.
    """
    for unique in model.uniques() if zoned else ():
        spaces = {prefix: uri for prefix, uri in unique.schema.namespaces.items() if prefix and uri}
        for holder in root.iter(unique.parent.name):
            if unique in getattr(model.declaration(holder), "identities", ()):
                yield from _clashing(holder, unique, spaces, zoned=zoned)


def _clashing(
    holder: etree._Element, unique: XsdIdentity, spaces: dict[str, str], *, zoned: Collection[Spot]
) -> Iterator[etree._Element]:
    seen: dict[tuple[str, ...], tuple[bool, ...]] = {}
    try:
        # XSD's selectors find elements alone, and its fields what has a value.
        entries = cast("list[etree._Element]", holder.xpath(unique.selector.path, namespaces=spaces))  # noqa: SLF001
        fields = [
            [cast("list[_Valued]", entry.xpath(field.path, namespaces=spaces)) for field in unique.fields]
            for entry in entries
        ]
    except etree.XPathError:
        return  # By a prefix of the schema's that holds inside alone.
    for entry, found in zip(entries, fields, strict=True):
        if not all(found):
            continue  # What is not there is not compared.
        parts = [_without_zone(each[0], zoned) for each in found]
        zones = tuple(has_zone for _, has_zone in parts)
        if seen.setdefault(tuple(text for text, _ in parts), zones) != zones:
            yield entry


def _without_zone(found: "_Valued", zoned: Collection[Spot]) -> tuple[str, bool]:
    """The value of an element or attribute without its zone, if it is one of *zoned*, and whether it is."""
    if isinstance(found, etree._Element):  # noqa: SLF001 - as above
        text, has_zone = text_of(found).strip(BLANKS), (found, None) in zoned
    else:
        text, has_zone = str(found).strip(BLANKS), (found.getparent(), found.attrname) in zoned
    clock = _ZONED.fullmatch(text) if has_zone else None
    return (text, False) if clock is None else (clock["clock"], True)
