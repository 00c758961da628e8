"""Dates under ``xs:unique`` that .NET may take for one: to XSD, one with a zone and one without are never the same."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from lxml import etree

from bridge.forms.xml.input import text_of
from bridge.forms.xml.schema_facts import DATES, SchemaModel
from bridge.forms.xml.values import BLANKS, Stray, Unknown, Value, builtin_of

_ZONED = re.compile(r"(?P<clock>.*[0-9])(?:Z|[+-][0-9]{2}:[0-9]{2})", re.DOTALL)
_MOMENTS = DATES - {"duration", "dateTimeStamp"}
Spot = tuple[etree._Element, str | None]  # noqa: SLF001 - lxml names its class so
"""An element, or its attribute of that name."""


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


def _clashing(holder: Any, unique: Any, spaces: dict[str, str], *, zoned: Collection[Spot]) -> Iterator[etree._Element]:
    seen: dict[tuple[str, ...], tuple[bool, ...]] = {}
    try:
        entries = holder.xpath(unique.selector.path, namespaces=spaces)
        fields = [[entry.xpath(field.path, namespaces=spaces) for field in unique.fields] for entry in entries]
    except etree.XPathError:
        return  # By a prefix of the schema's that holds inside alone.
    for entry, found in zip(entries, fields, strict=True):
        if not all(found):
            continue  # What is not there is not compared.
        parts = [_without_zone(each[0], zoned) for each in found]
        zones = tuple(has_zone for _, has_zone in parts)
        if seen.setdefault(tuple(text for text, _ in parts), zones) != zones:
            yield entry


def _without_zone(found: Any, zoned: Collection[Spot]) -> tuple[str, bool]:
    """The value of an element or attribute without its zone, if it is one of *zoned*, and whether it is."""
    is_attribute = isinstance(found, str)
    text = (str(found) if is_attribute else text_of(found)).strip(BLANKS)
    spot = (found.getparent(), found.attrname) if is_attribute else (found, None)
    clock = _ZONED.fullmatch(text) if spot in zoned else None
    return (text, False) if clock is None else (clock["clock"], True)
