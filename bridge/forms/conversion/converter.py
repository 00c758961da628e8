"""
XML to JSON and back by an XSD, exactly: as Altinn 3 writes forms, and with a member of its own for what it would drop.

What an XML form can hold and Altinn's JSON cannot say stands in members whose names no element can have: ``@nil`` (a
group with attributes that is nil), ``@order`` (where the schema allows several orders and the form has not the
plainest), ``@any`` (elements that the schema takes without naming them), ``@xsi:type`` (a group of another type than
its schema gives it), ``@xmlns:`` before the prefixes of values, and ``@`` before attributes that the schema takes
without naming them.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from lxml import etree

from bridge.core.errors import BridgeError, ConfigurationError, Fault, Finding
from bridge.forms.conversion.model import (
    ANY,
    HINTS,
    PREFIXED,
    TYPE,
    TYPE_MEMBER,
    XSI,
    Content,
    ElementDecl,
    FormModel,
    Kind,
    arrange,
    read_model,
)
from bridge.forms.conversion.xml_writing import OWN_PREFIX, UNFIT_NAMESPACE, XMLNS_MEMBER, XmlWriter, declarations_of
from bridge.forms.json.input import placed, read_exact, text_of
from bridge.forms.paths import attribute_step, path_of
from bridge.forms.xml.input import NIL, Limits, canonical, is_nil, line_of, parse, to_utf8
from bridge.forms.xml.prefixes import Prefixes, split_name
from bridge.forms.xml.roots import named_otherwise, namespace_finding
from bridge.forms.xml.schema_files import SchemaFiles
from bridge.forms.xml.schema_roots import several_roots
from bridge.forms.xml.schemas import read_schema_files

_JSON_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_JSON_NUMBER = re.compile(_JSON_DECIMAL.pattern + r"(?:[eE][+-]?[0-9]+)?")
_BLANK = " \t\r\n"
_MOST_DECLARED = 100
"""The outermost element has a declaration for each namespace of a value, and may not have very many attributes."""
_TOKEN = re.compile(r"[^ \t\r\n]+")
_COLLAPSED = frozenset({Kind.NUMBER, Kind.REAL, Kind.BOOLEAN, Kind.COLLAPSED})


class Unconvertible(BridgeError):
    """
    The form holds what the schema does not know, or what the other side cannot say; *findings* list it all.

    *written* is the XML without that, for whoever wants to know what else is wrong.
    """

    def __init__(self, findings: tuple[Finding, ...], *, written: bytes = b"") -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings, self.written = findings, written


class Converter:
    """Converts forms of one schema. Safe to share by threads: nothing in it changes."""

    def __init__(
        self, files: SchemaFiles, path: Path, *, root: str | None = None, limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        self.path = path
        self.model = read_model(files, path, root)

    @classmethod
    def from_schema(
        cls, path: Path | str, *, folder: Path | None = None, root: str | None = None, limits: Limits | None = None
    ) -> "Converter":
        """
        The converter of the XSD at *path*, which may include from *folder*, else its own; *root* picks one of several.

        Raises:
            ConfigurationError: The schema cannot be used.
        """
        path = Path(path)
        folder = folder or path.parent
        files = read_schema_files(folder, path.relative_to(folder).as_posix())
        return cls(files, path, root=root, limits=limits)

    @property
    def root(self) -> ElementDecl:
        """
        The element that JSON forms begin inside.

        Raises:
            ConfigurationError: The schema has several roots and none was picked.
        """
        if self.only_root is None:
            raise ConfigurationError([Fault(where=f"{self.path}:1:1", message=several_roots(self.model.roots))])
        return self.only_root

    @property
    def only_root(self) -> ElementDecl | None:
        """The element that JSON forms begin inside; None where the schema has several roots."""
        return next(iter(self.model.roots.values())) if len(self.model.roots) == 1 else None

    def to_json(self, xml: bytes | str, *, of_app: bool = False) -> str:
        """
        The XML form as JSON. Comments and processing instructions are no form data and stay behind.

        *of_app*: it is as .NET writes it, who marks as nil whatever is empty; where the schema does not allow that, it
        becomes the null that the same app would write. Blanks around dates, numbers and the like stay behind, which
        .NET takes in XML and not in JSON; else they are kept, so that the same XML can be made of it.

        Raises:
            Unreadable: No XML that we take.
            Unconvertible: It does not have the schema's shape, or mixes text with elements; every fault at once.
        """
        return self.json_of(parse(to_utf8(xml, self.limits)), of_app=of_app)

    def json_of(self, root: etree._Element, *, of_app: bool = False) -> str:
        """A parsed XML form as JSON. Raises Unconvertible."""
        reader = _XmlReader(self.limits, self.model, of_app=of_app)
        place = self.model.roots.get(str(root.tag))
        if place is None:
            right = named_otherwise(str(root.tag), self.model.roots)
            expected = ", ".join(known.member for known in self.model.roots.values())
            rule, facts = ("wrong_root", {"expected": expected}) if right is None else namespace_finding(right)
            reader.add(rule, root, **facts)
            raise Unconvertible(tuple(reader.findings))
        text = reader.form(root, place)
        if reader.findings:
            raise Unconvertible(tuple(reader.findings))
        return text

    def to_xml(self, json: bytes | str, *, of_app: bool = False, declared: Mapping[str, str] | None = None) -> bytes:
        """
        The JSON form as XML: elements in the schema's order, nulls as xsi:nil where the schema allows it.

        *of_app*: a null among the items of a list is none where the schema allows no nil there.

        *declared*: it answers a form in which these prefixes stood for these namespaces, as they do in it, whether it
        says so or not. A prefix beside them that it does not declare is a finding; else the check of the form tells it.

        Raises:
            Unreadable: No JSON that we take.
            Unconvertible: It does not have the schema's shape; every fault at once.
            ConfigurationError: The schema has several roots and none was picked.
        """
        text = text_of(json, self.limits)
        value = read_exact(text, self.limits)
        writer = XmlWriter(self.limits, self.model, of_app=of_app, declared=declared)
        xml = writer.form(self.root, value, text)
        if writer.findings:
            raise Unconvertible(placed(writer.findings, text), written=xml.encode(errors="replace"))
        return f'<?xml version="1.0" encoding="utf-8"?>{xml}'.encode()


def declared_in(json: bytes | str, limits: Limits) -> Mapping[str, str]:
    """
    The namespaces of the prefixes in the values of a JSON form, which its outermost object declares.

    Raises:
        Unreadable: No JSON that we take.
    """
    text = text_of(json, limits)
    if f'"{XMLNS_MEMBER}' not in text:
        return {}
    value = read_exact(text, limits)
    return declarations_of(value) if type(value) is dict else {}


class _XmlReader:
    """Writes JSON text from an XML tree, and notes what it cannot write."""

    def __init__(self, limits: Limits, model: FormModel, *, of_app: bool) -> None:
        self.findings: list[Finding] = []
        self._most, self._of_app, self._model = limits.max_findings, of_app, model
        self._prefixes = Prefixes()
        self._declared: dict[str, str] = {}
        """The namespaces of the prefixes in values."""
        self._given: dict[str, str] = {}
        """The prefixes that were given to namespaces."""
        self._numbers = itertools.count(1)

    def add(self, rule: str, node: etree._Element, *, at: str = "", **facts: str) -> str:
        if len(self.findings) == self._most:
            self.findings.append(Finding(path="/", rule="more_findings"))
        elif len(self.findings) < self._most:
            self.findings.append(Finding(path=path_of(node) + at, rule=rule, facts=facts, line=line_of(node)))
        return "null"

    def form(self, root: etree._Element, place: ElementDecl) -> str:
        """The whole form as JSON, with what the prefixes in its values stand for."""
        text = self.element(root, place)
        declared = ",".join(
            f"{encode_basestring(XMLNS_MEMBER + prefix)}:{encode_basestring(uri)}"
            for prefix, uri in self._declared.items()
        )
        if not declared or self.findings:
            return text
        if not text.startswith("{"):
            return self.add("namespace_unclear", root)
        return f"{text[:-1]},{declared}}}"

    def element(self, node: etree._Element, place: ElementDecl) -> str:
        content = place.content
        nil = False
        attributes: list[str] = []
        types: list[str] = []
        if node.attrib:
            nil = is_nil(node)
            type_name = node.get(TYPE)
            if type_name is not None:
                typed = content.types.get(self._prefixes.named(node, type_name) or "")
                if typed is None:
                    # Without its type, nothing in it is what the schema expects.
                    return self.add("type_override", node)
                content, types = typed.content, [f"{encode_basestring(TYPE_MEMBER)}:{encode_basestring(typed.member)}"]
            attributes = types + self._attributes(node, content)
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
        return self._value(node, kind, text)

    def _value(self, node: etree._Element, kind: Kind, text: str) -> str:
        """A value of *node* as JSON; for an app without blanks that mean nothing, as its reader takes none there."""
        if self._of_app and kind in _COLLAPSED:
            text = " ".join(_TOKEN.findall(text))
        return _value(kind, self._prefixed(node, text) if kind in PREFIXED else text)

    def _prefixed(self, node: etree._Element, text: str) -> str:
        """A value of *node* with prefixes that stand for the same in the whole form."""
        namespaces = self._prefixes.namespaces(node)

        def declared(found: re.Match[str]) -> str:
            token = found[0]
            name = split_name(namespaces, token)
            if name is None or token.startswith("xml:"):
                return token  # Whatever it means, it is no name, and the check says so.
            uri, local = name
            if uri == self._model.default_namespace:
                return local
            if not uri or (len(self._declared) == _MOST_DECLARED and uri not in self._given):
                self.add("namespace_unclear", node)
                return token
            return f"{self._model.prefixes.get(uri) or self._prefix_for(uri, token.rpartition(':')[0] or 'q')}:{local}"

        return _TOKEN.sub(declared, text)

    def _prefix_for(self, uri: str, wanted: str) -> str:
        """Declare *uri* for the whole form, as *wanted* if that is free."""
        if uri not in self._given:
            free = wanted
            while self._declared.get(free, uri) != uri or OWN_PREFIX.fullmatch(free):
                free = f"{wanted}_{next(self._numbers)}"
            self._given[uri], self._declared[free] = free, uri
        return self._given[uri]

    def _keep_prefixes(self, node: etree._Element, text: str) -> None:
        """Declare what may be a prefix in a value of which the schema says nothing, so that it is left as it is."""
        for prefix, uri in self._prefixes.in_text(node, text).items():
            full = len(self._declared) == _MOST_DECLARED and prefix not in self._declared
            if OWN_PREFIX.fullmatch(prefix) or full or self._declared.setdefault(prefix, uri) != uri:
                self.add("namespace_unclear", node)

    def _attributes(self, node: etree._Element, content: Content) -> list[str]:
        result = []
        for tag, given in node.attrib.items():
            name, text = str(tag), str(given)
            known = content.attributes.get(name)
            if known is not None:
                result.append(f"{encode_basestring(known.member)}:{self._value(node, known.kind, text)}")
            elif name in HINTS:
                result.append(f"{encode_basestring(HINTS[name])}:{encode_basestring(text)}")
            elif name in {NIL, TYPE}:
                continue
            elif content.any_attribute and not name.startswith(XSI):
                self._keep_prefixes(node, text)
                if UNFIT_NAMESPACE.search(name):
                    self.add("namespace_unclear", node)
                result.append(f"{encode_basestring('@' + name)}:{encode_basestring(text)}")
            else:
                right = named_otherwise(name, [each for each in content.attributes if each not in node.attrib])
                rule, facts = ("unexpected_attribute", {}) if right is None else namespace_finding(right)
                self.add(rule, node, at=f"/{attribute_step(node, str(name))}", **facts)
        return result

    def _group(self, node: etree._Element, content: Content, attributes: list[str], *, nil: bool) -> str:
        if nil:
            return "{" + ",".join(['"@nil":true', *attributes]) + "}" if attributes else "null"
        if content.mixed and not attributes and (text := _only_text(node)):
            return encode_basestring(text)
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
                    right = named_otherwise(child.tag, children)
                    rule, facts = ("unexpected_element", {}) if right is None else namespace_finding(right)
                    self.add(rule, child, **facts)
                    continue
                name, many = ANY, True
                # With the namespaces that it uses, in values as well, and no others.
                fragment = canonical(child, prefixes=self._prefixes.in_values(child))
                value = encode_basestring(fragment.decode())
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


def _value(kind: Kind, text: str) -> str:
    """*text* as JSON: as a number or truth value where it is spelled as JSON spells them, else as a string."""
    if kind is Kind.TEXT or kind is Kind.COLLAPSED:
        return encode_basestring(text)
    if kind is Kind.NUMBER and _JSON_DECIMAL.fullmatch(text):
        return text
    if kind is Kind.REAL and _JSON_NUMBER.fullmatch(text) and _in_range(text):
        return text
    if kind is Kind.BOOLEAN and text in {"true", "false"}:
        return text
    return encode_basestring(text)


def _only_text(node: etree._Element) -> str:
    """The text of an element that holds nothing else; empty where it holds elements or only blanks."""
    if any(map(_is_element, node)):
        return ""
    text = (node.text or "") + "".join(each.tail or "" for each in node)
    return text if text.strip(_BLANK) else ""


def _is_element(node: Any) -> bool:
    return isinstance(node.tag, str)  # Comments and processing instructions have functions there.


def _in_range(text: str) -> bool:
    """Whether a JSON reader would take the number for what it is; what is out of range stays a string."""
    if len(text) < 300 and "e" not in text and "E" not in text:
        return True
    near = float(text)
    return not math.isinf(near) and (near != 0 or not text.lower().partition("e")[0].strip("-0."))
