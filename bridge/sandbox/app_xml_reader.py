"""A reader of XML as .NET's text reader is one: node by node, with the place of each, faults in its words."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_BLANK = " \t\n"
_START = (
    r"A-Za-z_\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF"
)
_NAME = re.compile(rf"[{_START}:][{_START}:0-9.\-\u00B7\u0300-\u036F\u203F-\u2040]*")
_PREDEFINED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ENTITY = re.compile(r"""<!ENTITY\s+([^\s%]+)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_DECLARATION = re.compile(
    r"""<\?xml\s+version\s*=\s*(?:"([^"]*)"|'([^']*)')(?:\s+encoding\s*=\s*(?:"[^"]*"|'[^']*'))?"""
    r"""(?:\s+standalone\s*=\s*(?:"[^"]*"|'[^']*'))?\s*\?>"""
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_EXPANDED_AT_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute with its place."""

    name: str
    namespace: str
    value: str
    at: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    What the reader stands on.

    *kind* is as .NET calls it: ``Element``, ``EndElement``, ``Text``, ``CDATA``, ``SignificantWhitespace``,
    ``Comment``, ``ProcessingInstruction``, ``DocumentType`` or ``None`` (the end). *at* is its line and position.
    """

    kind: str
    at: tuple[int, int]
    name: str = ""
    namespace: str = ""
    value: str = ""
    attributes: tuple[Attribute, ...] = ()
    is_empty: bool = False

    def attribute(self, name: str, namespace: str = "") -> str | None:
        """Give the value of an attribute."""
        found = (each.value for each in self.attributes if (each.name, each.namespace) == (name, namespace))
        return next(found, None)


class NotWellFormed(ValueError):
    """No XML; the message is as .NET words it, *at* is where."""

    def __init__(self, message: str, at: tuple[int, int]) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class _Open:
    name: str
    at: tuple[int, int]
    scope: Mapping[str, str]
    keeps_blanks: bool


@dataclass(slots=True)
class Reader:
    """
    Reads *text* node by node; ``node`` is where it stands.

    Whitespace between markup is passed over unless ``xml:space`` keeps it. What an encoding declares does not count.
    """

    text: str
    node: Node = field(init=False, default=Node(kind="None", at=(0, 0)))
    _at: int = 0
    _open: list[_Open] = field(default_factory=list)
    _entities: dict[str, str] = field(default_factory=dict)
    _lines: list[int] = field(default_factory=list)
    _rooted: bool = False
    _expanded: int = 0

    def __post_init__(self) -> None:
        self.text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        self._lines = [0, *(found.end() for found in re.finditer("\n", self.text))]

    def read(self) -> Node:
        """
        Move to the next node.

        Raises:
            NotWellFormed: What comes is no XML.
        """
        while True:
            found = self._next()
            if found is not None:
                self.node = found
                return found

    def move_to_content(self) -> Node:
        """Move on over comments, instructions and the document type, unless it stands on something else."""
        while self.node.kind in ("Comment", "ProcessingInstruction", "DocumentType", "SignificantWhitespace"):
            self.read()
        return self.node

    def skip(self) -> None:
        """Move behind the element that it stands on, or behind any other node."""
        if self.node.kind == "Element" and not self.node.is_empty:
            depth = len(self._open)
            while len(self._open) >= depth:
                self.read()
        self.read()

    def _next(self) -> Node | None:
        if self._at >= len(self.text):
            return self._end()
        if self.text[self._at] != "<":
            return self._characters()
        rest = self.text[self._at : self._at + 9]
        if rest.startswith("</"):
            return self._end_tag()
        if rest.startswith("<!--"):
            return self._up_to("-->", 4, "Comment")
        if rest.startswith("<?"):
            return self._instruction()
        if rest == "<![CDATA[":
            if not self._open:
                self._fail("Data at the root level is invalid.", self._at + 1)
            return self._up_to("]]>", 9, "CDATA")
        if rest == "<!DOCTYPE":
            return self._document_type()
        return self._start_tag()

    def _end(self) -> Node:
        if self._open:
            names = ", ".join(each.name for each in reversed(self._open))
            self._fail(f"Unexpected end of file has occurred. The following elements are not closed: {names}.")
        if not self._rooted:
            raise NotWellFormed("Root element is missing.", (0, 0))
        return Node(kind="None", at=(0, 0))

    def _characters(self) -> Node | None:
        start = self._at
        end = self.text.find("<", start)
        end = len(self.text) if end < 0 else end
        raw = self.text[start:end]
        if not self._open:
            lead = len(raw) - len(raw.lstrip(_BLANK))
            if lead < len(raw):
                self._fail("Data at the root level is invalid.", start + lead)
            self._at = end
            return None
        value = self._resolved(raw, start)
        if (closing := raw.find("]]>")) >= 0:
            self._fail("']]>' is not allowed in character data.", start + closing)
        self._at = end
        if raw.strip(_BLANK):
            return Node(kind="Text", at=self._place(start), value=value)
        if self._open[-1].keeps_blanks:
            return Node(kind="SignificantWhitespace", at=self._place(start), value=value)
        return None

    def _resolved(self, raw: str, start: int, *, attribute: bool = False) -> str:
        if (forbidden := _FORBIDDEN.search(raw)) is not None:
            self._fail_at_character(start + forbidden.start(), "is an invalid character")
        if "&" not in raw:
            return raw.translate({10: " ", 9: " "}) if attribute else raw
        pieces, at = [], 0
        while (found := raw.find("&", at)) >= 0:
            pieces.append(raw[at:found])
            value, at = self._reference(raw, found, start)
            pieces.append(value)
        return "".join((*pieces, raw[at:]))

    def _reference(self, raw: str, found: int, start: int) -> tuple[str, int]:
        end = raw.find(";", found)
        name = raw[found + 1 : end] if end > 0 else raw[found + 1 :]
        if name.startswith("#"):
            return self._numbered(name[1:], start + found), end + 1
        matched = _NAME.match(name)
        if matched is None or matched.end() != len(name) or end < 0:
            read = matched.end() if matched else 0
            self._fail("An error occurred while parsing EntityName.", start + found + 1 + read)
        if name not in _PREDEFINED and name not in self._entities:
            self._fail(f"Reference to undeclared entity '{name}'.", start + found + 1)
        return self._declared(name, start + found + 1, ()), end + 1

    def _numbered(self, digits: str, at: int) -> str:
        hexadecimal = digits.startswith("x")
        try:
            code = int(digits[1:], 16) if hexadecimal else int(digits)
            return chr(code)
        except (ValueError, OverflowError):
            kind = "hexadecimal" if hexadecimal else "decimal"
            self._fail(f"Invalid syntax for a {kind} numeric entity reference.", at + 2 + hexadecimal)

    def _declared(self, name: str, at: int, within: tuple[str, ...]) -> str:
        if name in _PREDEFINED:
            return _PREDEFINED[name]
        if name in within:
            self._fail(f"General entity '{name}' references itself.", at)
        value = re.sub(
            r"&([^;&#\s]+);", lambda each: self._declared(each[1], at, (*within, name)), self._entities.get(name, "")
        )
        self._expanded += len(value)
        if self._expanded > _EXPANDED_AT_MOST:
            self._fail("The input document has exceeded a limit set by MaxCharactersFromEntities.", at)
        return value

    def _up_to(self, mark: str, skipped: int, kind: str) -> Node:
        start = self._at + skipped
        end = self.text.find(mark, start)
        if end < 0:
            self._fail(f"Unexpected end of file while parsing {kind} has occurred.", len(self.text))
        value = self.text[start:end]
        if (forbidden := _FORBIDDEN.search(value)) is not None:
            self._fail_at_character(start + forbidden.start(), "is an invalid character")
        self._at = end + len(mark)
        if kind == "Comment" and "--" in value:
            self._fail("An XML comment cannot contain '--', and '-' cannot be the last character.", start)
        return Node(kind=kind, at=self._place(start), value=value)

    def _instruction(self) -> Node | None:
        name = _NAME.match(self.text, self._at + 2)
        if name is not None and name[0] == "xml":
            if self._at:
                message = (
                    "Unexpected XML declaration. The XML declaration must be the first node in the document, and no "
                    "whitespace characters are allowed to appear before it."
                )
                self._fail(message, self._at + 2)
            found = _DECLARATION.match(self.text)
            if found is None:
                self._fail("Syntax for an XML declaration is invalid.", self._at + 5)
            version = found[1] if found[1] is not None else found[2]
            if version != "1.0":
                self._fail(f"Version number '{version}' is invalid.", found.start(1) if found[1] else found.start(2))
            self._at = found.end()
            return None
        return self._up_to("?>", 2, "ProcessingInstruction")

    def _document_type(self) -> Node:
        if self._rooted or self._open:
            self._fail("Unexpected DTD declaration.", self._at + 1)
        end, subset = self.text.find(">", self._at), self.text.find("[", self._at)
        if 0 <= subset < end:
            close = self.text.find("]", subset)
            end = self.text.find(">", close) if close > 0 else -1
            for found in _ENTITY.finditer(self.text, subset, max(close, subset)):
                self._entities.setdefault(found[1], found[2] if found[2] is not None else found[3])
        if end < 0:
            self._fail("Unexpected end of file while parsing DOCTYPE has occurred.", len(self.text))
        start, self._at = self._at, end + 1
        return Node(kind="DocumentType", at=self._place(start + 10))

    def _start_tag(self) -> Node:
        at = self._at + 1
        if self._rooted and not self._open:
            self._fail("There are multiple root elements.", at)
        name, end = self._name(at)
        attributes: list[tuple[str, str, int]] = []
        scope, keeps = (dict(self._open[-1].scope), self._open[-1].keeps_blanks) if self._open else ({}, False)
        while True:
            blank = self._after_blank(end)
            if self.text.startswith((">", "/>"), blank):
                break
            if blank >= len(self.text):
                self._fail("Unexpected end of file has occurred.", blank)
            if blank == end:
                self._fail(f"'{self.text[blank]}' is an unexpected token. Expecting whitespace.", blank)
            attribute, value, following = self._attribute(blank)
            if any(each[0] == attribute for each in attributes):
                self._fail(f"'{attribute}' is a duplicate attribute name.", blank)
            attributes.append((attribute, value, blank))
            end = following
        for attribute, value, _ in attributes:
            if attribute == "xmlns" or attribute.startswith("xmlns:"):
                scope[attribute[6:]] = value
            if attribute == "xml:space":
                keeps = value == "preserve"
        is_empty = self.text[blank] == "/"
        self._at = blank + 1 + is_empty
        place = self._place(at)
        namespace, local = self._qualified(name, scope, at, is_attribute=False)
        found = tuple(
            Attribute(name=own[1], namespace=own[0], value=value, at=self._place(where))
            for attribute, value, where in attributes
            if (own := self._qualified(attribute, scope, where, is_attribute=True))
        )
        self._rooted = True
        if not is_empty:
            self._open.append(_Open(name, place, scope, keeps))
        return Node(kind="Element", at=place, name=local, namespace=namespace, attributes=found, is_empty=is_empty)

    def _attribute(self, at: int) -> tuple[str, str, int]:
        name, end = self._name(at)
        equals = self._after_blank(end)
        self._expect(equals, "=")
        quote = self._after_blank(equals + 1)
        if self.text[quote : quote + 1] not in ('"', "'"):
            self._unexpected(quote, "The expected token is '\"' or '''.")
        close = self.text.find(self.text[quote], quote + 1)
        if close < 0:
            self._fail("There is an unclosed literal string.", len(self.text))
        raw = self.text[quote + 1 : close]
        if (less := raw.find("<")) >= 0:
            self._fail_at_character(quote + 1 + less, "is an invalid attribute character")
        return name, self._resolved(raw, quote + 1, attribute=True), close + 1

    def _end_tag(self) -> Node:
        at = self._at + 2
        if not self._open:
            self._fail("Unexpected end tag.", at)
        opened = self._open[-1]
        found = _NAME.match(self.text, at)
        name = "" if found is None else found[0]
        if name != opened.name:
            line, position = opened.at
            message = f"The '{opened.name}' start tag on line {line} position {position} does not match the end tag of"
            self._fail(f"{message} '{name}'.", at)
        close = self._after_blank(at + len(name))
        self._expect(close, ">")
        self._at = close + 1
        self._open.pop()
        namespace, local = self._qualified(name, opened.scope, at, is_attribute=False)
        return Node(kind="EndElement", at=self._place(at), name=local, namespace=namespace)

    def _qualified(self, name: str, scope: Mapping[str, str], at: int, *, is_attribute: bool) -> tuple[str, str]:
        prefix, colon, local = name.partition(":")
        if not colon:
            if name == "xmlns":
                return "http://www.w3.org/2000/xmlns/", name
            return "" if is_attribute else scope.get("", ""), name
        if prefix in ("xml", "xmlns"):
            return XML_NAMESPACE if prefix == "xml" else "http://www.w3.org/2000/xmlns/", local
        if prefix not in scope:
            self._fail(f"'{prefix}' is an undeclared prefix.", at)
        return scope[prefix], local

    def _name(self, at: int) -> tuple[str, int]:
        found = _NAME.match(self.text, at)
        if found is None and at >= len(self.text):
            self._fail("Unexpected end of file while parsing Name has occurred.", at)
        if found is None:
            each = self.text[at]
            self._fail(f"Name cannot begin with the '{each}' character, hexadecimal value 0x{ord(each):02X}.", at)
        return found[0], found.end()

    def _after_blank(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in _BLANK:
            at += 1
        return at

    def _expect(self, at: int, token: str) -> None:
        if self.text[at : at + 1] != token:
            self._unexpected(at, f"The expected token is '{token}'.")

    def _unexpected(self, at: int, expected: str) -> NoReturn:
        if at >= len(self.text):
            self._fail("Unexpected end of file has occurred.", at)
        self._fail(f"'{self.text[at]}' is an unexpected token. {expected}", at)

    def _fail_at_character(self, at: int, why: str) -> NoReturn:
        each = self.text[at]
        self._fail(f"'{'.' if each == chr(0) else each}', hexadecimal value 0x{ord(each):02X}, {why}.", at)

    def _fail(self, message: str, at: int | None = None) -> NoReturn:
        place = self._place(len(self.text) if at is None else at)
        raise NotWellFormed(f"{message} Line {place[0]}, position {place[1]}.", place)

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._lines, at)
        before = self.text[self._lines[line - 1] : at]
        # A letter outside of the first plane counts for two.
        return line, 1 + len(before) + sum(each > "\uffff" for each in before)
