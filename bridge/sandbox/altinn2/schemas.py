"""
Schemas of Altinn 2's forms. There .NET judges them, and takes what libxml2 does not (facts/dotnet-xsd.md B).

What libxml2 alone refuses is rewritten before it looks: patterns and includes once in the schema, and values in a copy
of the form, where it complained.
"""

import base64
import binascii
import copy
import itertools
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from lxml import etree

from bridge.sandbox.altinn2.model import Finding

_XS = "{http://www.w3.org/2001/XMLSchema}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_TARGET, _URI = re.compile(r'\btargetNamespace="([^"&]*)"'), re.compile(r"[a-z]+:[A-Za-z0-9._~/:#-]+")
_MOMENT = re.compile(r"-?(?:P[\dYMDTHS.]+|[\d:.TZ+-]*[:-][\d:.TZ+-]*)")
_FAR_ZONE = re.compile(r"(?<=\d)[+-](?:1[5-9]|[2-9]\d):\d\d$")
_ZONE = re.compile(r"(?<=[\d])(?:Z|[+-]\d\d:\d\d)$")
_CODE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_UNKNOWN_ESCAPE = re.compile(r"[bBAzZG1-9k]")
_QUANTIFIERS = ("*", "+", "?", "}")
_SPECIAL = ".\\?*+{}()[]|^-"
_ONE_PATTERN = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:simpleType name="t">
<xs:restriction base="xs:string"><xs:pattern value=""/></xs:restriction></xs:simpleType></xs:schema>"""
_ROUNDS = 4
_LENGTH = re.compile(r"this (underruns|differs from) the allowed (?:minimum )?length of '(\d+)'")
_FIXED = re.compile(r"The actual value '([^']*)' does not match the fixed value constraint '([^']*)'")
_ABOUT_ATTRIBUTE = re.compile(r"Element '[^']*', attribute '([^']*)'")
_STEP = re.compile(r"([^\[\]@()]+)(?:\[(\d+)\])?")
_NAMED = re.compile(r"urn:sandbox:([\w.~%-]*)")
_OLDER = {"Lu": "\u018e", "Ll": "\u018d"}


class NoSchema(ValueError):
    """A schema that cannot be compiled; the message says why."""


@dataclass(slots=True)
class Schemas:
    """Compiled schemas by their text; libxml2 keeps a schema's errors with it, hence the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    compiled: dict[str, etree.XMLSchema] = field(default_factory=dict)

    def faults(self, schema: str, document: etree._ElementTree) -> tuple[Finding, ...]:
        """
        Where *document* breaks *schema*.

        Raises:
            NoSchema: It is none.
        """
        uri = _no_uri(schema)
        with self.lock:
            found = self._compiled(schema)
            if uri is None and found.validate(document):
                return ()
            tree = copy.deepcopy(document)
            _drop_reserved(tree)
            if uri is not None:
                _rename(tree, uri)
            tried: set[tuple[str, str]] = set()
            for _ in range(_ROUNDS):
                if found.validate(tree):
                    return ()
                entries: list[Any] = list(found.error_log)  # type: ignore[call-overload]
                if not _rewritten(tree, entries, tried):
                    break
            wrong = [each for each in entries if not _forgiven(tree, each)]
            # What libxml2 says of a type once more, after a facet, goes with what it says of the facet.
            places = {each.path for each in wrong if "local atomic type" not in each.message}
            kept = [each for each in wrong if each.path in places or not _echoes(each, entries)]
            return tuple(finding(_place(tree, each), _told(each.message)) for each in kept)

    def learn(self, schema: str) -> None:
        """Compile a schema before anything is held against it. Raises NoSchema."""
        with self.lock:
            self._compiled(schema)

    def _compiled(self, schema: str) -> etree.XMLSchema:
        found = self.compiled.get(schema)
        if found is None:
            uri = _no_uri(schema)
            # .NET takes it for a name, and so does libxml2 once it is one.
            text = schema if uri is None else schema.replace(f'"{uri}"', f'"{_named(uri)}"')
            found = self.compiled[schema] = compiled(text)
        return found

    def valid(self, schema: str | None, document: etree._ElementTree) -> bool:
        """Whether *document* keeps to *schema*, if there is one."""
        return schema is None or not self.faults(schema, document)


def finding(path: str, message: str) -> Finding:
    """What is found at *path*, in the shape of Altinn 2's answers."""
    return Finding(field=path.rpartition("/")[2].partition("[")[0], message=message, xpath=path)


def compiled(schema: str) -> etree.XMLSchema:
    """
    Compile a schema: what it includes is not there, and a pattern that only .NET knows is left out.

    Raises:
        NoSchema: It cannot be compiled.
    """
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        top = etree.fromstring(schema.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise NoSchema(f"it is no XML: {error.msg}") from error
    _leave_alone(top)
    patterns = [each for each in top.iter(f"{_XS}pattern") if each.get("value") is not None]
    for each in patterns:
        _put(each, net_pattern(each.get("value") or ""))
    try:
        return etree.XMLSchema(top)
    except etree.XMLSchemaParseError:
        for each in patterns:
            if each.getparent() is not None and not _compiles(each.get("value") or ""):
                _put(each, None)
    try:
        return etree.XMLSchema(top)
    except etree.XMLSchemaParseError as error:
        raise NoSchema(str(error)) from error


def net_pattern(pattern: str) -> str | None:
    """
    A pattern of .NET's in the words of libxml2; None where nothing is left that it knows.

    Anchors at the ends of a branch go, as patterns are anchored; a lazy quantifier takes as much as another one; a
    hyphen behind a range is itself.
    """
    pieces: list[str] = []
    at = 0
    while at < len(pattern):
        each = pattern[at]
        if each == "\\":
            escaped, at = _escape(pattern, at)
            if escaped is None:
                return None
            pieces.append(escaped)
            continue
        if each == "[":
            group, at = _class(pattern, at)
            if group is None:
                return None
            pieces.append(group)
            continue
        if pattern.startswith("(?", at):
            if not pattern.startswith("(?:", at):
                return None
            pieces.append("(")
            at += 3
            continue
        rest = pattern[at + 1 : at + 2]
        first = not pieces or pieces[-1] in ("(", "|")
        anchor = (each == "^" and first) or (each == "$" and rest in ("", ")", "|"))
        lazy = each == "?" and bool(pieces) and pieces[-1] in _QUANTIFIERS
        if not anchor and not lazy:
            pieces.append(each)
        at += 1
    return "".join(pieces)


def _escape(pattern: str, at: int) -> tuple[str | None, int]:
    code = _CODE.match(pattern, at)
    if code is not None:
        letter = chr(int(code[1] or code[2], 16))
        return (f"\\{letter}" if letter in _SPECIAL else letter), code.end()
    following = pattern[at + 1 : at + 2]
    if not following or _UNKNOWN_ESCAPE.match(following):
        return None, at
    if following in "pP":
        end = pattern.find("}", at)
        return (None, at) if end < 0 else (pattern[at : end + 1], end + 1)
    if following in "/ \"'#&%@!,;:=<>~`_":
        return following, at + 2
    return pattern[at : at + 2], at + 2


def _class(pattern: str, at: int) -> tuple[str | None, int]:
    """A character class, with what is taken from it, and where it ends."""
    pieces = ["["]
    at += 1
    if pattern.startswith("^", at):
        pieces.append("^")
        at += 1
    ended_range = False
    while at < len(pattern) and pattern[at] != "]":
        if pattern[at] == "-" and pattern.startswith("[", at + 1):
            inner, at = _class(pattern, at + 1)
            if inner is None:
                return None, at
            pieces.append(f"-{inner}")
            continue
        if pattern[at] == "-":
            last = pattern[at + 1 : at + 2] in ("]", "")
            first = len(pieces) == 1 or pieces[-1] == "^"
            if first or last or ended_range:
                pieces.append("\\-")
                at += 1
                ended_range = False
                continue
            pieces.append("-")
            upper, at = _letter(pattern, at + 1)
            ended_range = True
        else:
            upper, at = _letter(pattern, at)
            ended_range = False
        if upper is None:
            return None, at
        pieces.append(upper)
    return "".join((*pieces, "]")), at + 1


def _letter(pattern: str, at: int) -> tuple[str | None, int]:
    if pattern[at] == "\\":
        return _escape(pattern, at)
    return (f"\\{pattern[at]}" if pattern[at] == "[" else pattern[at]), at + 1


def _compiles(pattern: str) -> bool:
    top = etree.fromstring(_ONE_PATTERN)
    next(top.iter(f"{_XS}pattern")).set("value", pattern)
    try:
        etree.XMLSchema(top)
    except etree.XMLSchemaParseError:
        return False
    return True


def _put(pattern: etree._Element, value: str | None) -> None:
    parent = pattern.getparent()
    if value is not None:
        pattern.set("value", value)
    elif parent is not None:
        # Patterns of one step are alternatives: without one of them, none of them says what is wrong.
        for each in parent.findall(f"{_XS}pattern"):
            parent.remove(each)


def _leave_alone(top: etree._Element) -> None:
    """Take away what leads to other files: .NET only warns of those that are missing."""
    seen: set[str] = set()
    for each in (*top.findall(f"{_XS}include"), *top.findall(f"{_XS}import")):
        namespace = each.get("namespace", "")
        if each.tag == f"{_XS}include" or namespace in seen:
            top.remove(each)
        seen.add(namespace)
        if "schemaLocation" in each.attrib:
            del each.attrib["schemaLocation"]


def _drop_reserved(tree: etree._ElementTree) -> None:
    """Drop attributes of ``xml:``, which .NET takes anywhere, and blanks around ``xsi:type``."""
    for element in tree.iter(etree.Element):
        for name in [str(each) for each in element.attrib if str(each).startswith(_XML)]:
            del element.attrib[name]
        if (kind := element.get(_TYPE)) is not None:
            element.set(_TYPE, kind.strip())


def _rewritten(tree: etree._ElementTree, entries: Iterable[Any], tried: set[tuple[str, str]]) -> bool:
    """Rewrite for libxml2 the values that .NET takes as they are; true where there was one."""
    changed = False
    for entry in entries:
        node, attribute = _node(tree, entry.path), _attribute(entry)
        if node is None or (attribute is None and len(node)):
            continue
        text = (node.text if attribute is None else node.get(attribute)) or ""
        place = f"{entry.path}/@{attribute}"
        if (place, text) in tried:
            continue
        tried.add((place, text))
        written = next((new for way in _WAYS if (new := way(entry.message, text)) not in (None, text)), None)
        if written is None:
            continue
        if attribute is None:
            node.text = written
        else:
            node.set(attribute, written)
        changed = True
    return changed


def _echoes(entry: Any, entries: Iterable[Any]) -> bool:
    """Whether an entry only repeats that a facet of its value was broken."""
    facet = any(each.path == entry.path and "[facet" in each.message for each in entries)
    return facet and "local atomic type" in entry.message


def _forgiven(tree: etree._ElementTree, entry: Any) -> bool:
    """Whether .NET takes the value that libxml2 complains of, which cannot be written otherwise."""
    node, attribute = _node(tree, entry.path), _attribute(entry)
    if node is None:
        return False
    text = (node.text if attribute is None else node.get(attribute)) or ""
    length = _LENGTH.search(entry.message)
    if length is not None:
        # .NET counts UTF-16.
        units, bound = len(text.encode("utf-16-le")) // 2, int(length[2])
        return units == bound if length[1] == "differs from" else units >= bound
    if text.strip() == "NaN" and "[facet" in entry.message:
        return True
    fixed = _FIXED.search(entry.message)
    if fixed is not None:
        return bool(_MOMENT.fullmatch(fixed[1])) and _ZONE.sub("", fixed[1]) == _ZONE.sub("", fixed[2])
    # A scheme begins with a letter: to .NET this is the beginning of a path.
    return "'xs:anyURI'" in entry.message and text[:1].isdigit()


def _node(tree: etree._ElementTree, path: str | None) -> etree._Element | None:
    """The node that libxml2 names by *path*, where ``*`` stands for all names that have no prefix but a namespace."""
    node = tree.getroot()
    for step in (path or "").split("/")[2:]:
        found = _STEP.fullmatch(step)
        if found is None:
            return None
        children = (each for each in node.iterchildren(etree.Element) if found[1] in ("*", _prefixed(each)))
        child = next(itertools.islice(children, int(found[2] or 1) - 1, None), None)
        if child is None:
            return None
        node = child
    return node if path else None


def _prefixed(node: etree._Element) -> str:
    local = etree.QName(node).localname
    return f"{node.prefix}:{local}" if node.prefix else local


def _attribute(entry: Any) -> str | None:
    found = _ABOUT_ATTRIBUTE.match(entry.message)
    return None if found is None else found[1]


def _place(tree: etree._ElementTree, entry: Any) -> str:
    """Name the place that *entry* is about by the form's own names: prefixes are whoever wrote it's own."""
    node = _node(tree, entry.path)
    if node is None:
        return entry.path or ""
    attribute = _attribute(entry)
    last = [] if attribute is None else [f"@{etree.QName(attribute).localname}"]
    return "/" + "/".join([*(_step(each) for each in [node, *node.iterancestors()][::-1]), *last])


def _step(node: etree._Element) -> str:
    local = etree.QName(node).localname
    before = sum(1 for _ in node.itersiblings(f"{{*}}{local}", preceding=True))
    alone = not before and next(node.itersiblings(f"{{*}}{local}"), None) is None
    return local if alone else f"{local}[{before + 1}]"


def _told(message: str) -> str:
    """A message with the namespaces that the schema has."""
    return _NAMED.sub(lambda found: unquote(found[1]), message)


def _bare(message: str, text: str) -> str | None:
    """Blanks around dates, times and durations."""
    stripped = text.strip(" \t\r\n")
    return stripped if "is not a valid value" in message and _MOMENT.fullmatch(stripped) else None


def _zone(message: str, text: str) -> str | None:
    """Zones beyond fourteen hours; dates with a zone beside bounds without one, and the other way."""
    if "is not a valid value" in message and _FAR_ZONE.search(text):
        return _FAR_ZONE.sub("Z", text)
    if "[facet" not in message or not _MOMENT.fullmatch(text):
        return None
    return _ZONE.sub("", text) if _ZONE.search(text) else f"{text}Z"


def _word(message: str, text: str) -> str | None:
    """The old form of months, and infinity by its name."""
    if "is not a valid value" not in message:
        return None
    if re.fullmatch(r"--\d\d--", text):
        return text[:-2]
    return {"Infinity": "INF", "-Infinity": "-INF"}.get(text)


def _line_end(message: str, text: str) -> str | None:
    """A line end behind what a pattern takes."""
    return text[:-1] if "'pattern'" in message and text.endswith("\n") else None


def _letters(message: str, text: str) -> str | None:
    """Letters that are newer than libxml2's tables, as older ones of the same kind."""
    if "'pattern'" not in message:
        return None
    return "".join(_OLDER.get(unicodedata.category(each), each) if each > "\u024f" else each for each in text)


def _encoded(message: str, text: str) -> str | None:
    """Base64 whose last character has bits that stand for nothing."""
    if "is not a valid value" not in message or not text.strip().endswith("="):
        return None
    try:
        return base64.b64encode(base64.b64decode(text.strip(), validate=True)).decode()
    except (binascii.Error, ValueError):
        return None


_WAYS: tuple[Callable[[str, str], str | None], ...] = (_bare, _zone, _word, _line_end, _letters, _encoded)


def _no_uri(schema: str) -> str | None:
    """The target namespace of *schema* where libxml2 does not take it for a URI."""
    found = _TARGET.search(schema)
    return found[1] if found is not None and _URI.fullmatch(found[1]) is None else None


def _named(uri: str) -> str:
    return f"urn:sandbox:{quote(uri, safe='')}"


def _rename(tree: etree._ElementTree, uri: str) -> None:
    for element in tree.iter(etree.Element):
        element.tag = str(element.tag).replace(f"{{{uri}}}", f"{{{_named(uri)}}}")
        for name in [str(each) for each in element.attrib if str(each).startswith(f"{{{uri}}}")]:
            element.set(name.replace(f"{{{uri}}}", f"{{{_named(uri)}}}"), element.attrib.pop(name))
