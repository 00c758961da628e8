"""
XML to JSON and back by an XSD, exactly: as Altinn 3 writes forms, and with a member of its own for what it would drop.

What an XML form can hold and Altinn's JSON cannot say stands in members whose names no element can have: ``@nil`` (a
group with attributes that is nil), ``@order`` (where the schema allows several orders and the form has not the
plainest), ``@any`` (elements that the schema takes without naming them) and ``@`` before attributes of that kind.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from lxml import etree

from bridge.core.errors import BridgeError, ConfigurationError, Fault, Finding
from bridge.core.ids import mask_identity_numbers, pointer
from bridge.forms.explain import path_of
from bridge.forms.json_reading import Json, Number, placed, read_exact, text_of
from bridge.forms.reading import Limits, Unreadable, canonical, line_of, parse, to_utf8
from bridge.forms.shape import ANY, XSI, Content, Kind, Place, arrange, read_model, several_roots

_NIL, _TYPE = XSI + "nil", XSI + "type"
_XML, _XMLNS = "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"
_HINTS = {XSI + "schemaLocation": "@xsi:schemaLocation"}
_HINTS[XSI + "noNamespaceSchemaLocation"] = "@xsi:noNamespaceSchemaLocation"
_HINT_NAMES = {member: member[1:] for member in _HINTS.values()}
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BLANK = " \t\r\n"
# What XML cannot hold. JSON can only by an escape, except for the last two, so most texts need no search.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ESCAPES = ("\\u", "\\b", "\\f", "\ufffe", "\uffff")
Steps = tuple[str | int, ...]


class Unconvertible(BridgeError):
    """The form holds what the schema does not know, or what the other side cannot say; *findings* list it all."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


class Shape:
    """Converts forms of one schema. Safe to share by threads: nothing in it changes."""

    def __init__(self, folder: Path, name: str, *, root: str | None = None, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.path = folder / name
        self.model = read_model(folder, name, root)

    @classmethod
    def from_schema(
        cls, path: Path | str, *, folder: Path | None = None, root: str | None = None, limits: Limits | None = None
    ) -> "Shape":
        """
        Read the XSD at *path*, and what it includes from *folder* (else its own); *root* picks one of several roots.

        Raises:
            ConfigurationError: The schema cannot be used.
        """
        path = Path(path)
        folder = folder or path.parent
        return cls(folder, path.relative_to(folder).as_posix(), root=root, limits=limits)

    @property
    def root(self) -> Place:
        """
        The element that JSON forms begin inside.

        Raises:
            ConfigurationError: The schema has several roots and none was picked.
        """
        if self.only_root is None:
            raise ConfigurationError([Fault(where=f"{self.path}:1:1", message=several_roots(self.model.roots))])
        return self.only_root

    @property
    def only_root(self) -> Place | None:
        """The same; None where there are several."""
        return next(iter(self.model.roots.values())) if len(self.model.roots) == 1 else None

    def to_json(self, xml: bytes | str, *, of_app: bool = False) -> str:
        """
        Write the XML form as JSON. Comments and processing instructions are no form data and stay behind.

        *of_app*: it is as .NET writes it, who marks as nil whatever is empty; where the schema does not allow that, it
        becomes the null that the same app would write.

        Raises:
            Unreadable: No XML that we take.
            Unconvertible: It does not have the schema's shape, or mixes text with elements; every fault at once.
        """
        return self.json_of(parse(to_utf8(xml, self.limits)), of_app=of_app)

    def json_of(self, root: etree._Element, *, of_app: bool = False) -> str:
        """Write a parsed XML form as JSON. Raises Unconvertible."""
        reader = _XmlReader(self.limits, of_app=of_app)
        place = self.model.roots.get(str(root.tag))
        if place is None:
            expected = ", ".join(known.member for known in self.model.roots.values())
            reader.add("wrong_root", root, expected=expected)
            raise Unconvertible(tuple(reader.findings))
        text = reader.element(root, place)
        if reader.findings:
            raise Unconvertible(tuple(reader.findings))
        return text

    def to_xml(self, json: bytes | str, *, of_app: bool = False) -> bytes:
        """
        Write the JSON form as XML: elements in the schema's order, nulls as xsi:nil where the schema allows it.

        *of_app*: a null among the items of a list is none where the schema allows no nil there.

        Raises:
            Unreadable: No JSON that we take.
            Unconvertible: It does not have the schema's shape; every fault at once.
            ConfigurationError: The schema has several roots and none was picked.
        """
        text = text_of(json, self.limits)
        value = read_exact(text, self.limits)
        place = self.root
        writer = _XmlWriter(self.limits, self.model.default_namespace, of_app=of_app)
        writer.element(place, value, ())
        if any(escape in text for escape in _ESCAPES):
            for steps in _not_xml(value, ()):
                writer.add("not_in_xml", steps)
        if writer.findings:
            raise Unconvertible(placed(writer.findings, text))
        body = "".join(writer.parts)
        name = f"<{place.written}"
        declared = self.model.declarations + (f' xmlns:xsi="{XSI[1:-1]}"' if writer.uses_xsi else "")
        return f'<?xml version="1.0" encoding="utf-8"?>{name}{declared}{body.removeprefix(name)}'.encode()


class _XmlReader:
    """Writes JSON text from an XML tree, and notes what it cannot write."""

    def __init__(self, limits: Limits, *, of_app: bool) -> None:
        self.findings: list[Finding] = []
        self._most, self._of_app = limits.max_findings, of_app

    def add(self, rule: str, node: etree._Element, *, at: str = "", **facts: str) -> str:
        if len(self.findings) == self._most:
            self.findings.append(Finding(path="/", rule="more_findings"))
        elif len(self.findings) < self._most:
            self.findings.append(Finding(path=path_of(node) + at, rule=rule, facts=facts, line=line_of(node)))
        return "null"

    def element(self, node: etree._Element, place: Place) -> str:
        content = place.content
        nil = False
        attributes: list[str] = []
        if node.attrib:
            nil = (node.get(_NIL) or "").strip(_BLANK) in {"true", "1"}
            attributes = self._attributes(node, content)
            if nil and not place.nillable and not (self._of_app and len(node.attrib) == 1):
                return self.add("nil_not_allowed", node)
            if nil and (len(node) or (node.text or "").strip(_BLANK)):
                return self.add("nil_with_content", node)
        if content.kind is None:
            return self._group(node, content, attributes, nil=nil)
        value = "null" if nil else self._scalar(node, content.kind)
        if content.wrapped:
            return "{" + ",".join([f'"value":{value}', *attributes]) + "}"
        if attributes:
            self.add("unexpected_attribute", node, at="/@xsi:schemaLocation")
        return value

    def _scalar(self, node: etree._Element, kind: Kind) -> str:
        text = node.text or ""
        if len(node):
            for child in node:
                if _is_element(child):
                    return self.add("children_not_allowed", node)
                text += child.tail or ""
        return _value(kind, text)

    def _attributes(self, node: etree._Element, content: Content) -> list[str]:
        result = []
        for tag, given in node.attrib.items():
            name, text = str(tag), str(given)
            known = content.attributes.get(name)
            if known is not None:
                result.append(f"{encode_basestring(known.member)}:{_value(known.kind, text)}")
            elif name in _HINTS:
                result.append(f"{encode_basestring(_HINTS[name])}:{encode_basestring(text)}")
            elif name == _TYPE:
                self.add("type_override", node)
            elif name == _NIL:
                continue
            elif content.any_attribute and not name.startswith(XSI):
                result.append(f"{encode_basestring('@' + name)}:{encode_basestring(text)}")
            else:
                self.add("unexpected_attribute", node, at=f"/@{_shown(name)}")
        return result

    def _group(self, node: etree._Element, content: Content, attributes: list[str], *, nil: bool) -> str:
        if nil:
            return "{" + ",".join(['"@nil":true', *attributes]) + "}" if attributes else "null"
        if node.text is not None and node.text.strip(_BLANK):
            return self.add("mixed_content" if content.mixed else "text_not_allowed", node)
        members: dict[str, Any] = {}
        came: list[str] | None = [] if content.order is not None else None
        children, last = content.children, 0
        for child in node:
            if child.tail is not None and child.tail.strip(_BLANK):
                return self.add("mixed_content" if content.mixed else "text_not_allowed", node)
            place = children.get(child.tag)
            if place is None:
                if not _is_element(child):
                    continue
                if not content.any_element:
                    self.add("unexpected_element", child)
                    continue
                name, many = ANY, True
                value = encode_basestring(_fragment(child))
            else:
                name, many = place.member, place.many
                if came is None and place.index < last:
                    self.add("misplaced_element", child)
                last = place.index
                value = self.element(child, place)
            if came is not None:
                came.append(name)
            if many:
                members.setdefault(name, []).append(value)
            elif name in members:
                self.add("too_many", child, max="1")
            else:
                members[name] = value
        parts = attributes
        for name, value in members.items():
            parts.append(f"{encode_basestring(name)}:" + (f"[{','.join(value)}]" if type(value) is list else value))
        if content.order is not None and came and came != arrange(content.order, Counter(came)):
            parts.append(f'"@order":[{",".join(map(encode_basestring, came))}]')
        return "{" + ",".join(parts) + "}"


class _XmlWriter:
    """Writes XML text from JSON values, and notes what it cannot write."""

    def __init__(self, limits: Limits, default_namespace: str, *, of_app: bool) -> None:
        self.parts: list[str] = []
        self.findings: list[tuple[Steps, Finding]] = []
        self.uses_xsi = False
        self._limits, self._default, self._of_app = limits, default_namespace, of_app
        self._prefixes = 0

    def add(self, rule: str, steps: Steps, **facts: str) -> None:
        if len(self.findings) == self._limits.max_findings:
            self.findings.append(((), Finding(path="/", rule="more_findings")))
        elif len(self.findings) < self._limits.max_findings:
            self.findings.append((steps, Finding(path=pointer(steps), rule=rule, facts=facts)))

    def element(self, place: Place, value: Json, steps: Steps) -> None:
        content, name = place.content, place.written
        if value is None:
            if not place.nillable:
                if self._of_app and place.many:
                    return
                self.add("null_not_allowed", steps)
            self.uses_xsi = True
            self.parts.append(f'<{name} xsi:nil="true"/>')
        elif content.kind is None:
            self._group(place, value, steps)
        elif content.wrapped:
            self._wrapped(place, content.kind, value, steps)
        else:
            text = self._text(content.kind, value, steps)
            self.parts.append(f"<{name}>{text}</{name}>" if text else f"<{name}/>")

    def _text(self, kind: Kind, value: Json, steps: Steps) -> str:
        found = type(value)
        if found is str:
            return _escaped(value)
        if found is Number and kind is Kind.NUMBER:
            return str(value)
        if found is bool and kind is Kind.BOOLEAN:
            return "true" if value else "false"
        self.add("type", steps, type=kind.value)
        return ""

    def _attribute(self, kind: Kind, value: Json, steps: Steps) -> str:
        text = self._text(kind, value, steps)
        return text.replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;")

    def _known_or_other(self, content: Content, member: str, value: Json, steps: Steps) -> str:
        """Write a member that is an attribute; what the schema neither names nor lets stand here is a finding."""
        steps = (*steps, member)
        attribute = content.attribute_members.get(member)
        if attribute is not None:
            # Altinn 3 writes null for an attribute that is not there.
            return "" if value is None else f' {attribute.written}="{self._attribute(attribute.kind, value, steps)}"'
        if member in _HINT_NAMES:
            self.uses_xsi = True
            return f' {_HINT_NAMES[member]}="{self._attribute(Kind.TEXT, value, steps)}"'
        uri, local = _attribute_name(member) if content.any_attribute else ("", "")
        if not local or (f"{{{uri}}}{local}" if uri else local) in content.attributes:
            self.add("unexpected_element", steps)
            return ""
        text = self._attribute(Kind.TEXT, value, steps)
        if uri in {"", _XML}:
            return f' {"xml:" if uri else ""}{local}="{text}"'
        self._prefixes += 1
        return f' xmlns:a{self._prefixes}="{uri}" a{self._prefixes}:{local}="{text}"'

    def _wrapped(self, place: Place, kind: Kind, value: Json, steps: Steps) -> None:
        content, name = place.content, place.written
        if type(value) is not dict:
            self.add("type", steps, type="object")
            return
        attributes = ""
        for member, given in value.items():
            if member != "value":
                attributes += self._known_or_other(content, member, given, steps)
        given = value.get("value", "")
        if given is None:
            self.uses_xsi = self.uses_xsi or place.nillable
            nil = ' xsi:nil="true"' if place.nillable else ""
            self.parts.append(f"<{name}{attributes}{nil}/>")
            return
        text = self._text(kind, given, (*steps, "value"))
        self.parts.append(f"<{name}{attributes}>{text}</{name}>" if text else f"<{name}{attributes}/>")

    def _group(self, place: Place, value: Json, steps: Steps) -> None:
        content, name = place.content, place.written
        if type(value) is not dict:
            self.add("type", steps, type="object")
            return
        plain = _plain_attributes(content, value)
        if plain is not None:
            self._plain_group(place, value, plain, steps)
            return
        attributes = ""
        items: dict[str, list[tuple[Json, Steps]]] = {}
        for member, given in value.items():
            known = content.members.get(member)
            if known is not None:
                items[member] = self._items(known, given, (*steps, member))
            elif member == ANY and content.any_element:
                items[member] = self._listed(given, (*steps, member))
            elif member == "@nil" and given is True:
                if not place.nillable:
                    self.add("null_not_allowed", (*steps, member))
                self.uses_xsi = True
                attributes += ' xsi:nil="true"'
            elif member != "@order":
                attributes += self._known_or_other(content, member, given, steps)
        names = self._names(content, value, items, steps)
        if not any(items.values()):
            self.parts.append(f"<{name}{attributes}/>")
            return
        if "@nil" in value:
            self.add("nil_with_content", steps)
        self.parts.append(f"<{name}{attributes}>")
        for member in names:
            if content.order is not None:
                self._item(content, member, *items[member].pop(0))
            else:
                for item in items[member]:
                    self._item(content, member, *item)
        self.parts.append(f"</{name}>")

    def _plain_group(self, place: Place, value: Mapping[str, Json], attributes: list[str], steps: Steps) -> None:
        """Write a group as it comes: most of a form is this, and it takes a third of the time."""
        members, parts = place.content.members, self.parts
        start = len(parts)
        written = "".join([self._known_or_other(place.content, member, value[member], steps) for member in attributes])
        parts.append(f"<{place.written}{written}>" if written else place.opening)
        for member, given in value.items():
            known = members.get(member)
            if known is None:
                continue
            if known.many:
                for item, where in self._listed(given, (*steps, member)):
                    self.element(known, item, where)
            elif given is None:
                if known.nillable:
                    self.element(known, given, (*steps, member))
            elif type(given) is Number and known.leaf is Kind.NUMBER:
                parts.append(known.opening + given + known.closing)
            elif type(given) is str and given and known.leaf is not None:
                parts.append(known.opening + _escaped(given) + known.closing)
            else:
                self.element(known, given, (*steps, member))
        if len(parts) == start + 1:
            parts[start] = f"<{place.written}{written}/>"
        else:
            parts.append(place.closing)

    def _items(self, place: Place, value: Json, steps: Steps) -> list[tuple[Json, Steps]]:
        if place.many:
            return self._listed(value, steps)
        # Altinn 3 writes null for what is not there (facts/altinn3-and-tokens.md 1.5).
        return [] if value is None and not place.nillable else [(value, steps)]

    def _listed(self, value: Json, steps: Steps) -> list[tuple[Json, Steps]]:
        if value is None:
            return []
        if type(value) is not list:
            self.add("type", steps, type="array")
            return []
        return [(item, (*steps, number)) for number, item in enumerate(value)]

    def _names(
        self, content: Content, value: Mapping[str, Json], items: Mapping[str, list[Any]], steps: Steps
    ) -> list[str]:
        """Say in which order the members stand: each once, or once for each item where the schema leaves room."""
        if content.order is None:
            if "@order" in value:
                self.add("unexpected_element", (*steps, "@order"))
            return [name for name in content.members if name in items]
        counts = {name: len(items[name]) for name in (*content.members, ANY) if name in items}
        given = value.get("@order")
        if given is None:
            return arrange(content.order, counts)
        if type(given) is not list or not all(type(name) is str for name in given) or Counter(given) != Counter(counts):
            self.add("wrong_order", (*steps, "@order"))
            return arrange(content.order, counts)
        return given

    def _item(self, content: Content, member: str, value: Json, steps: Steps) -> None:
        if member != ANY:
            self.element(content.members[member], value, steps)
            return
        if type(value) is not str:
            self.add("type", steps, type="string")
            return
        try:
            root = parse(to_utf8(value, self._limits))
        except Unreadable as unreadable:
            self.add(unreadable.finding.rule, steps, **unreadable.finding.facts)
            return
        text = etree.tostring(root, encoding="unicode", with_tail=False)
        if self._default and None not in root.nsmap:
            # The document's default namespace would take in what has none.
            name = re.match(r"<[^\s/>]+", text)
            text = f'{name[0]} xmlns=""{text[name.end() :]}' if name else text
        self.parts.append(text)


def _escaped(text: str) -> str:
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text


def _plain_attributes(content: Content, value: Mapping[str, Json]) -> list[str] | None:
    """Name the attributes of a group that has nothing else but elements in the schema's order; None for any other."""
    if content.order is not None:
        return None
    members, attributes, last = content.members, [], -1
    for member in value:
        known = members.get(member)
        if known is not None:
            if known.index < last:
                return None
            last = known.index
        elif member in content.attribute_members:
            attributes.append(member)
        else:
            return None
    return attributes


def _value(kind: Kind, text: str) -> str:
    """Write *text* as JSON: as a number or truth value where it is spelled as JSON spells them, else as a string."""
    if kind is Kind.NUMBER and _JSON_NUMBER.fullmatch(text) and _in_range(text):
        return text
    if kind is Kind.BOOLEAN and text in {"true", "false"}:
        return text
    return encode_basestring(text)


def _fragment(node: etree._Element) -> str:
    """Write one element with the namespaces that it uses and no others."""
    return canonical(node).decode()


def _is_element(node: Any) -> bool:
    return isinstance(node.tag, str)  # Comments and processing instructions have functions there.


def _in_range(text: str) -> bool:
    """Say whether a JSON reader would take the number for what it is; what is out of range stays a string."""
    if len(text) < 300 and "e" not in text and "E" not in text:
        return True
    near = float(text)
    return not math.isinf(near) and (near != 0 or not text.lower().partition("e")[0].strip("-0."))


def _attribute_name(member: str) -> tuple[str, str]:
    """Split ``@{uri}local`` or ``@local``; both are empty where the name cannot be an attribute's."""
    name = member.removeprefix("@")
    try:
        parsed = etree.QName(name)
    except ValueError:
        return "", ""
    uri, local = parsed.namespace or "", parsed.localname
    unfit = (
        name == member
        or name.startswith("{}")
        or uri in {XSI[1:-1], _XMLNS}
        or local == "xmlns"
        or re.search(r"[\"'&<>\s]", name)
    )
    return ("", "") if unfit else (uri, local)


def _not_xml(value: Json, steps: Steps) -> Iterator[Steps]:
    """Find the strings that XML cannot hold."""
    waiting: list[tuple[Json, Steps]] = [(value, steps)]
    while waiting:
        inner, place = waiting.pop()
        if type(inner) is str and _NOT_XML.search(inner):
            yield place
        elif type(inner) is dict:
            waiting += [(child, (*place, name)) for name, child in inner.items()]
        elif type(inner) is list:
            waiting += [(child, (*place, number)) for number, child in enumerate(inner)]


def _shown(name: str) -> str:
    return mask_identity_numbers(name.rpartition("}")[2])[:100]
