"""HAL resources as XML (facts/altinn2.md 1.3): links are elements, embedded resources nest."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

# In XML the attributes of a link have names of their own.
_ATTRIBUTES = {
    "name": "title",
    "fileName": "fileNameWithExtension",
    "mime-type": "mimeType",
    "signinglocked": "signingLocked",
    "signedbydefault": "signedByDefault",
    "filesize": "fileSize",
}
_SINGULAR = {"messages": "message", "forms": "form", "attachments": "attachment", "reportees": "reportee"}


def hal_xml(resource: Mapping[str, Any], rel: str) -> bytes:
    """A HAL resource as XML; *rel* says what it is."""
    return etree.tostring(_resource(resource, rel), encoding="utf-8", xml_declaration=True)


def _resource(resource: Mapping[str, Any], rel: str) -> etree._Element:
    links = resource.get("_links", {})
    node = etree.Element("resource", rel=rel)
    if "self" in links:
        node.set("href", links["self"]["href"])
    for name, value in resource.items():
        if name not in ("_links", "_embedded") and value is not None:
            _add(node, name, value)
    for name, found in links.items():
        for link in found if isinstance(found, list) else [found]:
            if name != "self":
                attributes = {_ATTRIBUTES.get(key, key): _text(value) for key, value in link.items()}
                etree.SubElement(node, "link", {"rel": name, **attributes})
    for name, items in resource.get("_embedded", {}).items():
        inner = etree.SubElement(node, "resource", rel=name)
        inner.extend(_resource(each, _SINGULAR.get(name, name)) for each in items)
    return node


def _add(node: etree._Element, name: str, value: Any) -> None:
    if isinstance(value, list):
        holder = etree.SubElement(node, name)
        for each in value:
            _add(holder, name.removesuffix("s") if isinstance(each, Mapping) else "string", each)
    elif isinstance(value, Mapping):
        holder = _resource(value, name)
        holder.tag = name
        del holder.attrib["rel"]
        node.append(holder)
    else:
        etree.SubElement(node, name).text = _text(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
