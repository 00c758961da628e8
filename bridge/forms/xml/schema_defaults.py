"""Values that a schema gives itself, written without the blanks that mean nothing to their types."""

from collections.abc import Iterable, Iterator

from lxml import etree

from bridge.forms.xml.schema_files import XSD

_BLANKS = " \t\r\n"
_KEEPING = frozenset({"", "string", "normalizedString", "anySimpleType", "anyType"})
"""The types to which blanks are part of the value, or may be: of no name is what is not known."""
_DEEPEST = 50


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
        return frozenset(self._leaves(owner, 0))

    def _leaves(self, part: etree._Element | None, depth: int) -> Iterator[str]:
        if part is None or depth > _DEEPEST:
            yield ""
            return
        inner = list(part.iterchildren(*_WAYS))
        named = [name for key in ("type", "base", "memberTypes") for name in part.get(key, "").split()]
        if part.tag == XSD + "list":
            yield "list"
        elif part.get("ref"):
            yield from self._leaves(self._known.get(("attribute", part.get("ref", "").rpartition(":")[2])), depth + 1)
        elif not inner and not named:
            yield ""
        for name in named:
            yield from self._named(part, name, depth)
        for each in inner if part.tag == XSD + "union" or not named else ():
            yield from self._leaves(each, depth + 1)

    def _named(self, part: etree._Element, name: str, depth: int) -> Iterator[str]:
        prefix, _, local = name.rpartition(":")
        if part.nsmap.get(prefix or None) == XSD[1:-1]:
            yield local
        else:
            yield from self._leaves(self._known.get(("type", local)), depth + 1)


_WAYS = tuple(
    XSD + name for name in ("simpleType", "complexType", "simpleContent", "restriction", "extension", "union", "list")
)
