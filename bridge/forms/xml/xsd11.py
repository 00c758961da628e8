"""How a schema shows that it is XSD 1.1: it seldom says so, and as 1.0 some of it would be passed over in silence."""

from collections.abc import Callable, Mapping

from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_VERSIONING = "{http://www.w3.org/2007/XMLSchema-versioning}"
_ELEMENTS = frozenset(
    _XSD + name
    for name in (
        *("assert", "assertion", "alternative", "openContent", "defaultOpenContent", "override", "explicitTimezone"),
    )
)
_ATTRIBUTES = frozenset(
    (
        *("defaultAttributes", "defaultAttributesApply", "xpathDefaultNamespace", "notQName", "notNamespace"),
        "inheritable",
    )
)
_TYPES = frozenset(("dateTimeStamp", "yearMonthDuration", "dayTimeDuration", "anyAtomicType", "error"))
_ONCE = frozenset({"", "0", "1"})


def says_xsd_1_1(root: etree._Element) -> bool:
    """Whether the schema at *root* says that it is XSD 1.1."""
    return root.get(f"{_VERSIONING}minVersion", "").startswith("1.1")


def is_xsd_1_1(root: etree._Element) -> bool:
    """Whether the schema at *root* says that it is XSD 1.1, or has anything that XSD 1.0 does not."""
    return says_xsd_1_1(root) or any(_is_newer(each) for each in root.iter(f"{_XSD}*"))


def _is_newer(element: etree._Element) -> bool:
    tag = str(element.tag)
    if tag in _ELEMENTS or not _ATTRIBUTES.isdisjoint(element.keys()):
        return True
    is_newer = _BY_TAG.get(tag)
    if is_newer is not None and is_newer(element):
        return True
    return tag != f"{_XSD}schema" and (_is_conditional(element) or _has_newer_type(element))


def _is_conditional(element: etree._Element) -> bool:
    """Whether *element* is there for some versions alone, which 1.0 does not know: it would keep them all."""
    return any(str(name).startswith(_VERSIONING) for name, _ in element.items())


def _has_newer_type(element: etree._Element) -> bool:
    for attribute in ("type", "base", "itemType", "memberTypes"):
        for name in (element.get(attribute) or "").split():
            prefix, _, local = name.rpartition(":")
            if local in _TYPES and element.nsmap.get(prefix or None) == _XSD[1:-1]:
                return True
    return False


def _of_element(element: etree._Element) -> bool:
    return _of_attribute(element) or len((element.get("substitutionGroup") or "").split()) > 1


def _of_attribute(attribute: etree._Element) -> bool:
    return attribute.get("targetNamespace") is not None


def _of_all(group: etree._Element) -> bool:
    """Whether an ``xs:all`` holds anything but elements that stand there once at the most."""
    return any(
        each.tag in (f"{_XSD}any", f"{_XSD}group")
        or (each.tag == f"{_XSD}element" and not {each.get("minOccurs", ""), each.get("maxOccurs", "")} <= _ONCE)
        for each in group.iterchildren(f"{_XSD}*")
    )


def _of_identity(constraint: etree._Element) -> bool:
    return constraint.get("ref") is not None


_BY_TAG: Mapping[str, Callable[[etree._Element], bool]] = {
    f"{_XSD}element": _of_element,
    f"{_XSD}attribute": _of_attribute,
    f"{_XSD}all": _of_all,
    f"{_XSD}unique": _of_identity,
    f"{_XSD}key": _of_identity,
    f"{_XSD}keyref": _of_identity,
}
