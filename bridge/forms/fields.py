"""Put values into a form, at places that are already there."""

import re
from collections.abc import Iterable, Mapping

from lxml import etree

from bridge.core.errors import BridgeError
from bridge.core.templates import fill
from bridge.forms.paths import Places, attribute_step
from bridge.forms.xml.input import NIL, Limits, ParsedXml, has_elements, parsed, root_of

_DECLARATION = re.compile(r"\A\ufeff?(<\?xml[^>]*\?>\s*)")


class PlaceMissing(BridgeError, KeyError):
    """The form has no element or attribute at *path*, or one that holds other elements."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def set_values(
    xml: str, assignments: Iterable[tuple[str, str]], values: Mapping[str, str], *, limits: Limits | None = None
) -> str:
    """
    Put each (XPath, template) of *assignments*, its template filled with *values*, at every place that the path finds.

    What was nil is not nil any more. Everything else stays as it is, apart from how XML may be spelled.

    Raises:
        Unreadable: *xml* is no XML that we take.
        PlaceMissing: A path finds nothing, or an element with children.
    """
    root = parsed(xml, limits or Limits()).root
    for path, template in assignments:
        places = root.xpath(path)
        if not isinstance(places, list) or not places:
            raise PlaceMissing(path)
        for place in places:
            _put(place, fill(template, values), path)
    declaration = _DECLARATION.match(xml)
    text = etree.tostring(root.getroottree(), encoding="unicode")
    return (declaration[1] if declaration else "") + text


def places_found(xml: str, paths: Iterable[str], *, limits: Limits) -> frozenset[str]:
    """
    The places of all elements and attributes that XPath *paths* find, as findings name them.

    Raises:
        Unreadable: *xml* is no XML that we take.
    """
    root, names = parsed(xml, limits).root, Places()
    return frozenset(filter(None, (_name(place, names) for path in paths for place in _places(root, path))))


def _name(place: object, names: Places) -> str | None:
    match place:
        case etree._Element() if isinstance(place.tag, str):  # noqa: SLF001 - as below
            return names.path_of(place)
        case etree._ElementUnicodeResult() if place.is_attribute:  # noqa: SLF001 - as below
            owner = place.getparent()
            return None if owner is None else f"{names.path_of(owner)}/{attribute_step(owner, str(place.attrname))}"
        case _:
            return None


def read_values(
    xml: bytes | str | ParsedXml, paths: Iterable[tuple[str, str]], *, limits: Limits | None = None
) -> Mapping[str, str]:
    """
    The texts at *paths*, which are (name, XPath), by name; several places are joined by commas; no text, no name.

    Raises:
        Unreadable: *xml* is no XML that we take.
    """
    root = root_of(xml, limits or Limits())
    found = {name: ", ".join(filter(None, map(_text, _places(root, path)))) for name, path in paths}
    return {name: value for name, value in found.items() if value}


def _places(root: etree._Element, path: str) -> list[object]:
    found = root.xpath(path)
    return list(found) if isinstance(found, list) else []


def _text(place: object) -> str:
    text = "".join(map(str, place.itertext())) if isinstance(place, etree._Element) else str(place)  # noqa: SLF001 - as below
    return " ".join(text.split())


def _put(place: object, value: str, path: str) -> None:
    match place:
        case etree._Element():  # noqa: SLF001 - lxml names its class so
            if not isinstance(place.tag, str) or has_elements(place):
                raise PlaceMissing(path)
            del place[:]  # Comments, between which the value may stand.
            place.text = value
            place.attrib.pop(NIL, "")
        case etree._ElementUnicodeResult() if place.is_attribute:  # noqa: SLF001 - as above
            owner = place.getparent()
            if owner is None or place.attrname is None:
                raise PlaceMissing(path)
            owner.set(place.attrname, value)
        case _:
            raise PlaceMissing(path)
