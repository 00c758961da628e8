"""Values that a schema gives itself, written without the blanks that mean nothing to their types."""

from collections.abc import Iterable, Iterator

from lxml import etree

from bridge.forms.xml.schema_files import XSD

_BLANKS = " \t\r\n"
_KEEPING = frozenset({"", "string", "normalizedString", "anySimpleType", "anyType"})
"""The types to which blanks are part of the value, or may be: of no name is what is not known."""


def strip_defaults(roots: Iterable[etree._Element]) -> None:
    """
    Take the blanks around fixed and default values away in the schema *roots*, where their types collapse them.

    libxml2 holds a date in a form against them as they are written, and finds that ` 2026-01-01 ` is none.
    """
    roots = list(roots)
    owners = [
        (owner, name, value)
        for root in roots
        for owner in root.iter(XSD + "element", XSD + "attribute")
        for name in ("fixed", "default")
        if (value := owner.get(name)) is not None and value != value.strip(_BLANKS)
    ]
    types = _Types(roots) if owners else None
    for owner, name, value in owners:
        if types is not None and _KEEPING.isdisjoint(types.of(owner)):
            owner.set(name, value.strip(_BLANKS))


class _Types:
    """The types of a schema by their local names; of one that two have, nothing is known."""

    def __init__(self, roots: Iterable[etree._Element]) -> None:
        self._known: dict[tuple[str, str], etree._Element | None] = {}
        for part in (part for root in roots for part in root.iterchildren(etree.Element)):
            kind = "type" if str(part.tag).endswith("Type") else etree.QName(part).localname
            key = kind, part.get("name", "")
            self._known[key] = None if key in self._known else part

    def of(self, owner: etree._Element) -> frozenset[str]:
        """Name the built-in types of which a value of *owner* may be one; with an empty name for what is not known."""
        found: set[str] = set()
        seen: set[etree._Element] = set()  # A type may be a part of itself by mistake, which nobody has told yet.
        waiting: list[etree._Element | None] = [owner]
        while waiting:
            part = waiting.pop()
            if part is None:
                found.add("")
            elif part not in seen:
                seen.add(part)
                found.update(self._built_in(part))
                waiting += self._behind(part)
        return frozenset(found)

    def _built_in(self, part: etree._Element) -> Iterator[str]:
        """The built-in types that *part* names itself."""
        if part.tag == XSD + "list":
            yield "list"
        elif not part.get("ref") and not _names(part) and not _inner(part):
            yield ""
        yield from (name.rpartition(":")[2] for name in _names(part) if _is_built_in(part, name))

    def _behind(self, part: etree._Element) -> Iterator[etree._Element | None]:
        """The parts of the schema on which it depends what *part* is; None for one that is not known."""
        if part.tag != XSD + "list" and part.get("ref"):
            yield self._known.get(("attribute", part.get("ref", "").rpartition(":")[2]))
        names = _names(part)
        yield from (
            self._known.get(("type", name.rpartition(":")[2])) for name in names if not _is_built_in(part, name)
        )
        yield from _inner(part) if part.tag == XSD + "union" or not names else ()


def _names(part: etree._Element) -> list[str]:
    return [name for key in ("type", "base", "memberTypes") for name in part.get(key, "").split()]


def _is_built_in(part: etree._Element, name: str) -> bool:
    return part.nsmap.get(name.rpartition(":")[0] or None) == XSD[1:-1]


def _inner(part: etree._Element) -> list[etree._Element]:
    return list(part.iterchildren(*_WAYS))


_WAYS = tuple(
    XSD + name for name in ("simpleType", "complexType", "simpleContent", "restriction", "extension", "union", "list")
)
