"""A reader of XML as .NET's text reader is one: node by node, with the place of each, faults in its words."""

import re
import sys
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from bridge.sandbox.apps.xml_nodes import Attribute, Node, NotWellFormed

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_BLANK = " \t\n"
_START = (
    r"A-Za-z_\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF"
)
_LETTERS = rf"{_START}0-9.\-\u00B7\u0300-\u036F\u203F-\u2040"
_NAME = re.compile(rf"[{_START}][{_LETTERS}]*(?::[{_START}][{_LETTERS}]*)?")
_WORD = re.compile(rf"[{_LETTERS}]+")
_PREDEFINED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ENTITY = re.compile(r"""<!ENTITY\s+([^\s%]+)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_DECLARED = {
    "version": re.compile(r"[^<&]*"),
    "encoding": re.compile(r"[A-Za-z].*|"),
    "standalone": re.compile(r"yes|no"),
}
_RESERVED = {
    "xml": 'Prefix "xml" is reserved for use by XML and can be mapped only to namespace name "http://www.w3.org/XML/1998/namespace".',
    "xmlns": 'Prefix "xmlns" is reserved for use by XML.',
}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEX, _DECIMAL = re.compile(r"[0-9A-Fa-f]+"), re.compile(r"[0-9]+")
_BLANKS = {9: " ", 10: " "}
_EXPANDED_AT_MOST = 1_000_000


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
    _typed: bool = False
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
        at = self._at + 1
        if self.text.startswith("/", at):
            return self._end_tag()
        if self.text.startswith("?", at):
            return self._instruction()
        if self.text.startswith("!", at):
            return self._declaration_or_section(at + 1)
        if at >= len(self.text):
            self._cut_short()
        return self._start_tag()

    def _declaration_or_section(self, at: int) -> Node:
        """The node that begins with ``<!``."""
        if self.text.startswith("-", at):
            self._expect(at + 1, "-")
            return self._comment()
        if self.text.startswith("[CDATA[", at):
            if not self._open:
                self._fail("Data at the root level is invalid.", at - 1)
            return self._up_to("]]>", 9, "CDATA")
        if not self.text.startswith("DOCTYPE", at):
            self._no_declaration(at)
        return self._document_type()

    def _no_declaration(self, at: int) -> NoReturn:
        if len(self.text) - at < 7:
            self._cut_short()
        outside = "'DOCTYPE'" if not self._open else "'<!--' or '<[CDATA['"
        section = self.text[at] == "["
        expected = "'CDATA['" if section else outside
        self._unexpected(at + section, f"The expected token is {expected}.")

    def _cut_short(self) -> NoReturn:
        """Raise that the text ends where markup began."""
        if not self._open:
            self._fail("Data at the root level is invalid.", self._at)
        self._fail(self._not_closed(), len(self.text))

    def _not_closed(self, named: str = "") -> str:
        names = ", ".join((*((named,) if named else ()), *(each.name for each in reversed(self._open))))
        return f"Unexpected end of file has occurred. The following elements are not closed: {names}."

    def _end(self) -> Node:
        if self._open:
            self._fail(self._not_closed())
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
        plain = raw.translate(_BLANKS) if attribute else raw
        if "&" not in raw:
            return plain
        pieces, at = [], 0
        while (found := plain.find("&", at)) >= 0:
            pieces.append(plain[at:found])
            value, end = self._reference(start + found + 1)
            pieces.append(value)
            at = end - start
        return "".join((*pieces, plain[at:]))

    def _reference(self, at: int) -> tuple[str, int]:
        """What a reference behind an ampersand stands for, and where it ends."""
        if self.text.startswith("#", at):
            return self._numbered(at + 1)
        matched = _NAME.match(self.text, at)
        if matched is None or matched.end() >= len(self.text):
            self._fail("An error occurred while parsing EntityName.", at)
        self._expect(matched.end(), ";")
        name = matched[0]
        if name not in _PREDEFINED and name not in self._entities:
            self._fail(f"Reference to undeclared entity '{name}'.", at)
        return self._declared(name, at, ()), matched.end() + 1

    def _numbered(self, at: int) -> tuple[str, int]:
        hexadecimal = self.text.startswith("x", at)
        at += hexadecimal
        matched = (_HEX if hexadecimal else _DECIMAL).match(self.text, at)
        end = at if matched is None else matched.end()
        if end >= len(self.text):
            self._fail("Unexpected end of file has occurred.", at - 2 - hexadecimal)
        if matched is None or self.text[end] != ";":
            kind = "hexadecimal" if hexadecimal else "decimal"
            self._fail(f"Invalid syntax for a {kind} numeric entity reference.", end)
        digits = matched[0].lstrip("0")
        code = int(digits or "0", 16 if hexadecimal else 10) if len(digits) < 8 else sys.maxunicode + 1
        if code > sys.maxunicode:
            self._fail("Invalid value of a character entity reference.", at)
        return chr(code), matched.end() + 1

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

    def _up_to(self, mark: str, skipped: int, kind: str, *, called: str = "") -> Node:
        start = self._at + skipped
        end = self.text.find(mark, start)
        if end < 0:
            self._fail(f"Unexpected end of file while parsing {called or kind} has occurred.", len(self.text))
        value = self.text[start:end]
        if (forbidden := _FORBIDDEN.search(value)) is not None:
            self._fail_at_character(start + forbidden.start(), "is an invalid character")
        self._at = end + len(mark)
        return Node(kind=kind, at=self._place(start), value=value)

    def _comment(self) -> Node:
        start = self._at + 4
        hyphens = self.text.find("--", start)
        if hyphens >= 0 and not self.text.startswith(">", hyphens + 2):
            self._fail("An XML comment cannot contain '--', and '-' cannot be the last character.", hyphens)
        return self._up_to("-->", 4, "Comment")

    def _instruction(self) -> Node | None:
        at = self._at + 2
        if len(self.text) - at < 2:
            self._cut_short()
        name, end = self._name(at)
        if name == "xml" and not self._at:
            self._declaration(end)
            return None
        if name == "xml":
            message = (
                "Unexpected XML declaration. The XML declaration must be the first node in the document, and no "
                "whitespace characters are allowed to appear before it."
            )
            self._fail(message, at)
        if name.lower() == "xml":
            self._fail(f"'{name}' is an invalid name for processing instructions.", at)
        if (colon := name.find(":")) >= 0:
            end = at + colon
        if self.text[end : end + 1] not in ("", " ", "\t", "\n") and not self.text.startswith("?>", end):
            self._bad_in_name(":", end)
        found = self._up_to("?>", 2, "ProcessingInstruction", called="PI")
        return replace(found, name=name, value=found.value[len(name) :].lstrip(_BLANK))

    def _declaration(self, at: int) -> None:
        """Check what stands in the XML declaration behind its name: version, encoding and standalone, in this order."""
        stage = 0
        while True:
            blank = self._after_blank(at)
            if self.text.startswith("?>", blank) and stage:
                self._at = blank + 2
                return
            if self.text.startswith("?", blank) and stage:
                self._expect(blank + 1, ">")
            if blank == at and stage:
                self._unexpected(blank, "The expected token is '?>'.")
            name = _NAME.match(self.text, blank)
            if blank >= len(self.text) or (name is not None and name.end() >= len(self.text)):
                self._fail("Unexpected end of file has occurred.", len(self.text))
            names = list(_DECLARED)
            if name is None or name[0] not in (names[stage:] if stage else names[:1]):
                self._fail("Syntax for an XML declaration is invalid.", blank)
            stage = names.index(name[0]) + 1
            at = self._declared_value(name[0], name.end())

    def _declared_value(self, name: str, at: int) -> int:
        equals = self._after_blank(at)
        self._expect(equals, "=")
        start = self._quote(equals + 1) + 1
        quote = self.text[start - 1]
        found = re.compile(rf"[^<&{quote}]*").match(self.text, start)
        end = start if found is None else found.end()
        if end >= len(self.text):
            self._fail("There is an unclosed literal string.", start)
        value = self.text[start:end]
        if self.text[end] != quote or not _DECLARED[name].fullmatch(value):
            self._fail("Syntax for an XML declaration is invalid.", start - (name == "standalone"))
        if name == "version" and value != "1.0":
            self._fail(f"Version number '{value}' is invalid.", start)
        return end + 1

    def _document_type(self) -> Node:
        if self._rooted or self._open:
            self._fail("DTD must be defined before the document root element.", self._at)
        if self._typed:
            self._fail("Cannot have multiple DTDs.", self._at)
        self._typed = True
        end, subset = self.text.find(">", self._at), self.text.find("[", self._at)
        if 0 <= subset < end:
            close = self.text.find("]", subset)
            end = self.text.find(">", close) if close > 0 else -1
            for found in _ENTITY.finditer(self.text, subset, max(close, subset)):
                self._entities.setdefault(found[1], found[2] if found[2] is not None else found[3])
        if end < 0:
            self._fail("Incomplete DTD content.", len(self.text))
        start, self._at = self._at, end + 1
        return Node(kind="DocumentType", at=self._place(start + 10))

    def _start_tag(self) -> Node:
        at = self._at + 1
        if self._rooted and not self._open:
            self._fail("There are multiple root elements.", at)
        name, end = self._name(at)
        if end >= len(self.text):
            self._fail("Unexpected end of file while parsing Name has occurred.", end)
        if self.text[end] not in "/> \t\n":
            self._bad_in_name(name, end)
        attributes, blank = self._attributes(end)
        scope, keeps = (dict(self._open[-1].scope), self._open[-1].keeps_blanks) if self._open else ({}, False)
        for attribute, value, where in attributes:
            if attribute == "xmlns" or attribute.startswith("xmlns:"):
                self._hold_declaration(attribute[6:], value, where)
                scope[attribute[6:]] = value
            if attribute == "xml:space":
                if value not in ("default", "preserve"):
                    self._fail(f"'{value}' is an invalid xml:space value.", where)
                keeps = value == "preserve"
        is_empty = self.text[blank] == "/"
        self._at = blank + 1 + is_empty
        place = self._place(at)
        namespace, local = self._qualified(name, scope, at, is_attribute=False)
        found: list[Attribute] = []
        for attribute, value, where in attributes:
            space, own = self._qualified(attribute, scope, where, is_attribute=True)
            if any((each.name, each.namespace) == (own, space) for each in found):
                self._fail(f"'{attribute}' is a duplicate attribute name.", where)
            found.append(Attribute(name=own, namespace=space, value=value, at=self._place(where)))
        self._rooted = True
        if not is_empty:
            self._open.append(_Open(name, place, scope, keeps))
        return Node(
            kind="Element", at=place, name=local, namespace=namespace, attributes=tuple(found), is_empty=is_empty
        )

    def _attributes(self, at: int) -> tuple[list[tuple[str, str, int]], int]:
        """The attributes of a start tag with their places, and where the tag ends."""
        found: list[tuple[str, str, int]] = []
        while True:
            blank = self._after_blank(at)
            if self.text.startswith((">", "/>"), blank):
                return found, blank
            if blank >= len(self.text) - self.text.startswith("/", blank):
                self._cut_short()
            if self.text[blank] == "/":
                self._expect(blank + 1, ">")
            name, end = self._name(blank)
            if blank == at:
                self._unexpected(blank, "Expecting whitespace.")
            if self.text.startswith(":", end):
                self._bad_in_name(name, end)
            value, at = self._attribute_value(end)
            if any(each[0] == name for each in found):
                self._fail(f"'{name}' is a duplicate attribute name.", blank)
            found.append((name, value, blank))

    def _attribute_value(self, at: int) -> tuple[str, int]:
        if at >= len(self.text):
            self._fail("Unexpected end of file while parsing Name has occurred.", at)
        equals = self._after_blank(at)
        self._expect(equals, "=")
        quote = self._quote(equals + 1)
        close = self.text.find(self.text[quote], quote + 1)
        raw = self.text[quote + 1 : close if close >= 0 else len(self.text)]
        if (less := raw.find("<")) >= 0:
            self._fail_at_character(quote + 1 + less, "is an invalid attribute character")
        if close < 0:
            self._fail("There is an unclosed literal string.", len(self.text))
        return self._resolved(raw, quote + 1, attribute=True), close + 1

    def _quote(self, at: int) -> int:
        quote = self._after_blank(at)
        if self.text[quote : quote + 1] not in ('"', "'"):
            self._unexpected(quote, "The expected token is '\"' or '''.")
        return quote

    def _hold_declaration(self, prefix: str, value: str, where: int) -> None:
        if prefix and not value:
            self._fail("Invalid namespace declaration.", where + len(prefix) + 7)
        if prefix in _RESERVED and (prefix, value) != ("xml", XML_NAMESPACE):
            self._fail(_RESERVED[prefix], where)

    def _end_tag(self) -> Node:
        at = self._at + 2
        if not self._open:
            self._fail("Unexpected end tag.", at)
        opened = self._open[-1]
        name = opened.name
        if (
            not self.text.startswith(name, at)
            or _WORD.match(self.text, at + len(name))
            or self.text.startswith(":", at + len(name))
        ):
            name, end = self._name(at)
            if end >= len(self.text):
                self._fail("Unexpected end of file while parsing Name has occurred.", end)
            line, position = opened.at
            message = f"The '{opened.name}' start tag on line {line} position {position} does not match the end tag of"
            self._fail(f"{message} '{name}'.", at)
        close = self._after_blank(at + len(name))
        if close >= len(self.text):
            self._fail(self._not_closed(), close)
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

    def _bad_in_name(self, name: str, at: int) -> NoReturn:
        """What is wrong behind *name*: a letter, or what follows the colon of its prefix."""
        each = self.text[at]
        if each == ":" and ":" not in name:
            self._name(at + 1)
        self._fail(f"The '{each}' character, hexadecimal value 0x{ord(each):02X}, cannot be included in a name.", at)

    def _expect(self, at: int, token: str) -> None:
        if self.text[at : at + 1] != token:
            self._unexpected(at, f"The expected token is '{token}'.")

    def _unexpected(self, at: int, expected: str) -> NoReturn:
        if at >= len(self.text):
            self._fail("Unexpected end of file has occurred.", at)
        word = _WORD.match(self.text, at)
        self._fail(f"'{self.text[at] if word is None else word[0]}' is an unexpected token. {expected}", at)

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
