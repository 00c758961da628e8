"""XML text from JSON values, by the tables of a schema."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from lxml import etree

from bridge.core.errors import Finding
from bridge.core.ids import pointer
from bridge.forms.conversion.model import ANY, HINTS, TYPE_MEMBER, XSI, Content, ElementDecl, FormModel, Kind, arrange
from bridge.forms.json.input import Json, Number
from bridge.forms.xml.input import Limits, Unreadable, parse, to_utf8

_XML, _XMLNS = "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"
_HINT_NAMES = {member: member[1:] for member in HINTS.values()}
# What XML cannot hold. JSON can only by an escape, except for the last two, so most texts need no search.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
UNFIT_NAMESPACE = re.compile(rf'["\ud800-\udfff]|{_NOT_XML.pattern}')
"""What no attribute's namespace may hold in the name of a member: what XML cannot hold, and a quote."""
_ESCAPES = ("\\u", "\\b", "\\f", "\ufffe", "\uffff")
Steps = tuple[str | int, ...]
_MOST_ZEROS = 40
XMLNS_MEMBER = "@xmlns:"
"""Begins the members of a form that say what the prefixes in its values stand for."""
OWN_PREFIX = re.compile(r"[na][0-9]+|t|xsi|xml|xmlns")
"""The prefixes that are written of themselves."""
_PREFIX = re.compile(r"[^\W\d][\w.-]*")


class XmlWriter:
    """Writes XML text from JSON values, and notes what it cannot write."""

    def __init__(
        self, limits: Limits, model: FormModel, *, of_app: bool, declared: Mapping[str, str] | None = None
    ) -> None:
        self.parts: list[str] = []
        self.findings: list[tuple[Steps, Finding]] = []
        self.uses_xsi = False
        self._limits, self._model, self._of_app = limits, model, of_app
        self._prefixes = 0
        self._declared = {} if declared is None else dict(declared)
        self._tells_prefixes = declared is not None

    def form(self, place: ElementDecl, value: Json, text: str) -> str:
        """The whole form but for the XML declaration, made of *value*, which was read from *text*."""
        declared = self._model.declarations
        whole = value
        if type(value) is dict:
            self._declared |= declarations_of(value)
            value = {member: given for member, given in value.items() if not _is_declaration(member, given)}
        declared += "".join(f' xmlns:{prefix}="{_quoted(_escaped(uri))}"' for prefix, uri in self._declared.items())
        self.element(place, value, ())
        if any(escape in text for escape in _ESCAPES):
            for steps in _not_xml(whole, ()):
                self.add("not_in_xml", steps)
        name = f"<{place.written}"
        declared += f' xmlns:xsi="{XSI[1:-1]}"' if self.uses_xsi else ""
        return f"{name}{declared}{''.join(self.parts).removeprefix(name)}"

    def add(self, rule: str, steps: Steps, **facts: str) -> None:
        if len(self.findings) == self._limits.max_findings:
            self.findings.append(((), Finding(path="/", rule="more_findings")))
        elif len(self.findings) < self._limits.max_findings:
            self.findings.append((steps, Finding(path=pointer(steps), rule=rule, facts=facts)))

    def element(self, place: ElementDecl, value: Json, steps: Steps) -> None:
        if type(value) is dict and TYPE_MEMBER in value:
            place = self._as_said(place, value[TYPE_MEMBER], steps)
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
            self._wrapped(place, content.kind, value, steps=steps)
        else:
            text = self._text(content.kind, value, steps)
            self.parts.append(f"<{name}>{text}</{name}>" if text else f"<{name}/>")

    def _as_said(self, place: ElementDecl, name: Json, steps: Steps) -> ElementDecl:
        """*place* with the type that a group names; *name* itself is written with the attributes."""
        typed = place.content.type_members.get(name) if type(name) is str else None
        if typed is None:
            self.add("type_override", (*steps, TYPE_MEMBER))
            return place
        return replace(place, content=typed.content)

    def _text(self, kind: Kind, value: Any, steps: Steps) -> str:
        found = type(value)
        if found is str:
            if self._tells_prefixes and kind is Kind.QNAME:
                self._hold_prefixes(value, steps)
            return _escaped(value)
        if found is Number and kind is Kind.NUMBER:
            return self._decimal(value, steps)
        if found is Number and kind is Kind.REAL:
            return str(value)
        if found is bool and kind is Kind.BOOLEAN:
            return "true" if value else "false"
        self.add("type", steps, type=kind.type_name)
        return ""

    def _hold_prefixes(self, names: str, steps: Steps) -> None:
        """Add a finding where a prefix in *names* stands for nothing: nobody else could say what is meant."""
        known = {*self._declared, *self._model.prefixes.values(), "xml"}
        if any(colon and prefix not in known for prefix, colon, _ in (name.partition(":") for name in names.split())):
            self.add("namespace_unclear", steps)

    def _decimal(self, number: str, steps: Steps) -> str:
        """A JSON number as XML writes decimals: browsers write ``1e-7`` for ``0.0000001``."""
        if "e" not in number and "E" not in number:
            return number
        value = Decimal(number)
        if not value:
            return "0"
        if abs(value.adjusted()) > _MOST_ZEROS:
            # No receiver holds it, and six characters would become three hundred.
            self.add("number_range", steps)
            return ""
        return format(value, "f")

    def _attribute(self, kind: Kind, value: Json, steps: Steps) -> str:
        return _quoted(self._text(kind, value, steps))

    def _known_or_other(self, content: Content, member: str, value: Json, *, steps: Steps) -> str:
        """A member as an attribute; one that the schema neither names nor lets stand here is a finding."""
        steps = (*steps, member)
        attribute = content.attribute_members.get(member)
        if attribute is not None:
            # Altinn 3 writes null for an attribute that is not there.
            return "" if value is None else f' {attribute.written}="{self._attribute(attribute.kind, value, steps)}"'
        if member == TYPE_MEMBER:
            self.uses_xsi = True
            typed = content.type_members.get(value) if type(value) is str else None
            return "" if typed is None else typed.written
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
        return f' xmlns:a{self._prefixes}="{_quoted(_escaped(uri))}" a{self._prefixes}:{local}="{text}"'

    def _wrapped(self, place: ElementDecl, kind: Kind, value: Json, *, steps: Steps) -> None:
        content, name = place.content, place.written
        if type(value) is not dict:
            self.add("type", steps, type="object")
            self.parts.append(f"<{name}/>")  # It holds its place among others.
            return
        attributes = ""
        for member, given in value.items():
            if member != "value":
                attributes += self._known_or_other(content, member, given, steps=steps)
        given = value.get("value", "")
        if given is None:
            self.uses_xsi = self.uses_xsi or place.nillable
            nil = ' xsi:nil="true"' if place.nillable else ""
            self.parts.append(f"<{name}{attributes}{nil}/>")
            return
        text = self._text(kind, given, (*steps, "value"))
        self.parts.append(f"<{name}{attributes}>{text}</{name}>" if text else f"<{name}{attributes}/>")

    def _group(self, place: ElementDecl, value: Json, steps: Steps) -> None:
        content, name = place.content, place.written
        if content.mixed and type(value) is str:
            self.parts.append(f"<{name}>{_escaped(value)}</{name}>" if value else f"<{name}/>")
            return
        if type(value) is not dict:
            self.add("type", steps, type="object")
            self.parts.append(f"<{name}/>")  # It holds its place among others.
            return
        plain = _plain_attributes(content, value)
        if plain is not None:
            self._plain_group(place, value, plain, steps=steps)
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
                attributes += self._known_or_other(content, member, given, steps=steps)
        names = self._names(content, value, items, steps=steps)
        if not any(items.values()):
            self.parts.append(f"<{name}{attributes}/>")
            return
        if "@nil" in value:
            self.add("nil_with_content", steps)
        self.parts.append(f"<{name}{attributes}>")
        for member in names:
            if content.order is not None:
                item, at = items[member].pop(0)
                self._item(content, member, item, steps=at)
            else:
                for item, at in items[member]:
                    self._item(content, member, item, steps=at)
        self.parts.append(f"</{name}>")

    def _plain_group(
        self, place: ElementDecl, value: Mapping[str, Json], attributes: list[str], *, steps: Steps
    ) -> None:
        """Add a group's members in the order in which they came: most of a form is this, at a third of the time."""
        members, parts = place.content.members, self.parts
        start = len(parts)
        written = "".join(
            [self._known_or_other(place.content, member, value[member], steps=steps) for member in attributes]
        )
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
            elif type(given) is Number and known.leaf is Kind.NUMBER and "e" not in given and "E" not in given:
                parts.append(known.opening + given + known.closing)
            elif type(given) is str and given and known.leaf not in (None, Kind.QNAME):
                parts.append(known.opening + _escaped(given) + known.closing)
            else:
                self.element(known, given, (*steps, member))
        if len(parts) == start + 1:
            parts[start] = f"<{place.written}{written}/>"
        else:
            parts.append(place.closing)

    def _items(self, place: ElementDecl, value: Json, steps: Steps) -> list[tuple[Json, Steps]]:
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
        self, content: Content, value: Mapping[str, Json], items: Mapping[str, list[Any]], *, steps: Steps
    ) -> list[str]:
        """In which order the members stand: each once, or once for each item where the schema leaves room."""
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

    def _item(self, content: Content, member: str, value: Json, *, steps: Steps) -> None:
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
        if self._model.default_namespace and None not in root.nsmap:
            # The document's default namespace would take in what has none.
            name = re.match(r"<[^\s/>]+", text)
            text = f'{name[0]} xmlns=""{text[name.end() :]}' if name else text
        self.parts.append(text)


def declarations_of(value: Mapping[str, Json]) -> dict[str, str]:
    """The namespaces of prefixes that the members of a form's outermost object declare."""
    return {
        member.removeprefix(XMLNS_MEMBER): str(uri) for member, uri in value.items() if _is_declaration(member, uri)
    }


def _is_declaration(member: str, uri: Json) -> bool:
    prefix = member.removeprefix(XMLNS_MEMBER)
    fits = prefix != member and _PREFIX.fullmatch(prefix) is not None and OWN_PREFIX.fullmatch(prefix) is None
    return fits and type(uri) is str and uri not in {"", _XML, _XMLNS}


def _quoted(escaped: str) -> str:
    return escaped.replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;")


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


def _attribute_name(member: str) -> tuple[str, str]:
    """Split ``@{uri}local`` or ``@local``; both are empty where the name cannot be an attribute's."""
    name = member.removeprefix("@")
    # A namespace may have braces of its own, a local name has none.
    uri, closed, local = name[1:].rpartition("}") if name.startswith("{") else ("", "}", name)
    try:
        etree.QName(local)
    except ValueError:
        return "", ""
    unfit = (
        name == member
        or not closed
        or (name.startswith("{") and not uri)
        or uri in {XSI[1:-1], _XMLNS}
        or local == "xmlns"
        or UNFIT_NAMESPACE.search(uri)
    )
    return ("", "") if unfit else (uri, local)


def _not_xml(value: Json, steps: Steps) -> Iterator[Steps]:
    """The places of strings that XML cannot hold."""
    waiting: list[tuple[Json, Steps]] = [(value, steps)]
    while waiting:
        inner, place = waiting.pop()
        if type(inner) is str and _NOT_XML.search(inner):
            yield place
        elif type(inner) is dict:
            waiting += [(child, (*place, name)) for name, child in inner.items()]
        elif type(inner) is list:
            waiting += [(child, (*place, number)) for number, child in enumerate(inner)]
