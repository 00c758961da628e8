"""
Nils that a schema forbids, in XML of apps.

.NET writes ``xsi:nil`` for every empty number, truth value and moment of time unless the class says otherwise, and no
XSD of an app allows that (facts/altinn3-and-tokens.md 1.11). To the schema such an element is one that is not there.
"""

from lxml import etree

from bridge.forms.conversion.converter import Converter
from bridge.forms.conversion.model import ElementDecl, content_at
from bridge.forms.xml.input import Limits, ParsedXml, is_nil, parsed
from bridge.forms.xml.prefixes import Prefixes

_BLANK = " \t\r\n"


def without_forbidden_nils(converter: Converter | None, xml: bytes | str | ParsedXml, limits: Limits) -> ParsedXml:
    """
    *xml* as UTF-8 and without the empty elements that are nil where *converter* does not allow it.

    What a schema says nothing of stays, as does what is nil and holds something all the same.

    Raises:
        Unreadable: It is no XML that we take, or takes too much work.
    """
    form = xml if isinstance(xml, ParsedXml) else parsed(xml, limits)
    place = None if converter is None else converter.model.roots.get(str(form.root.tag))
    if place is None or b"nil" not in form.data or not _without(form.root, place, Prefixes()):
        return form
    return ParsedXml(etree.tostring(form.root, encoding="utf-8"), form.root)


def _without(node: etree._Element, place: ElementDecl, prefixes: Prefixes) -> bool:
    """Take them out of *node*, and say whether there were any."""
    children = content_at(node, place.content, prefixes).children
    found = False
    for child in list(node):
        known = children.get(str(child.tag))
        if known is None:
            continue
        if _is_bare_nil(child) and not known.nillable:
            _take_out(node, child)
            found = True
        else:
            found = _without(child, known, prefixes) or found
    return found


def _is_bare_nil(node: etree._Element) -> bool:
    return is_nil(node) and len(node.attrib) == 1 and not len(node) and not (node.text or "").strip(_BLANK)


def _take_out(parent: etree._Element, child: etree._Element) -> None:
    """Take *child* out, and leave what stands behind it if that is more than indentation."""
    before = child.getprevious()
    if child.tail and child.tail.strip(_BLANK):
        if before is None:
            parent.text = (parent.text or "") + child.tail
        else:
            before.tail = (before.tail or "") + child.tail
    parent.remove(child)
