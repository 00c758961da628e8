"""Reading JSON as System.Text.Json does in an app: strictly, value by value, and with its words for what is wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

from bridge.sandbox.apps.model import ROW_ID, Member, Model, NotReadable, decoded, empty, has_row_id
from bridge.sandbox.apps.values import NotOfType, as_json_text, from_json_number, from_json_text, net_type

_BLANK = frozenset(b" \t\r\n")
_DELIMITERS = frozenset(b",]} \n\r\t/")
_ESCAPABLE = frozenset(b'"nrt/ubf\\')
_HEX = frozenset(b"0123456789abcdefABCDEF")
_DIGITS = frozenset(b"0123456789")
_EXPONENT, _SIGNS = frozenset(b"eE"), frozenset(b"+-")
_SIGN = "a sign character ('+' or '-')"
_LITERALS = {ord("t"): (b"true", True), ord("f"): (b"false", False), ord("n"): (b"null", None)}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DEPTH = 64
_STRING_OR_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')
_SPECIAL = frozenset(". '/\"[]()\t\n\r\f\b\\\u0085\u2028\u2029")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_NO_TOKENS = (
    "The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when "
    "isFinalBlock is true."
)
_OPEN_AT_END = (
    "Expected depth to be zero at the end of the JSON payload. There is an open JSON object or array that should be "
    "closed."
)
_TRAILING = (
    "The JSON {} contains a trailing comma at the end which is not supported in this mode. Change the reader options."
)


def from_json(body: bytes, members: Sequence[Member], class_name: str, *, lenient: bool = False) -> Model | None:
    """
    The model that a JSON text stands for, None for JSON null.

    Names in any case are taken and quoted numbers, and unknown members dropped.

    *lenient* forgives commas before a closing bracket, as Newtonsoft does (before 8.0).

    Raises:
        NotReadable: It is not JSON, or a value has the wrong type.
    """
    text = decoded(body)
    if lenient:
        text = _STRING_OR_COMMA.sub(lambda found: found[1] or "", text)
    return _Deserialiser(text.encode("utf-8", "replace"), class_name).whole(members)


@dataclass(frozen=True, slots=True)
class _Token:
    """What the reader stands on: ``{``, ``}``, ``[``, ``]``, ``name``, ``string``, ``number``, or a literal."""

    kind: str
    value: Any = None


class _Reader:
    """A reader of tokens. An error tells the place in lines from 0 and in bytes of the line."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at, self._line, self._line_start = body, 0, 0, 0
        self._open: list[bool] = []
        """What is open, outermost first: True for an object."""
        self._last = ""

    def place(self, at: int | None = None) -> str:
        """Where it stands, or where *at* is."""
        return f"LineNumber: {self._line} | BytePositionInLine: {(self._at if at is None else at) - self._line_start}."

    def read(self) -> _Token | None:
        """The next token, None at the end."""
        self._skip_blank()
        if self._at >= len(self._body):
            if self._open:
                self._fail(_OPEN_AT_END)
            if not self._last:
                self._fail(_NO_TOKENS)
            return None
        token = self._next(self._body[self._at])
        self._last = token.kind
        return token

    def skip(self, token: _Token) -> None:
        """Pass over the whole value that *token* begins."""
        depth = len(self._open)
        while token.kind in ("{", "[") and len(self._open) >= depth:
            self.read()

    def _next(self, first: int) -> _Token:
        if self._last == "":
            return self._value(first)
        if first != ord("/"):
            if self._last == "{":
                return self._close() if first == ord("}") else self._name(first)
            if self._last == "[":
                return self._close() if first == ord("]") else self._value(first)
            if self._last == "name":
                return self._value(first)
        return self._following(first)

    def _following(self, first: int) -> _Token:
        if not self._open:
            self._fail(f"'{_shown(first)}' is invalid after a single JSON value. Expected end of data.")
        if first in b"}]":
            return self._close()
        if first != ord(","):
            self._fail(f"'{_shown(first)}' is invalid after a value. Expected either ',', '}}', or ']'.")
        if self._at + 1 >= len(self._body):
            self._fail("Expected start of a property name or value, but instead reached end of data.")
        self._at += 1
        self._skip_blank()
        if self._at >= len(self._body):
            self._fail("Expected start of a property name or value, but instead reached end of data.")
        first = self._body[self._at]
        in_object = self._open[-1]
        if first == ord("}" if in_object else "]"):
            self._fail(_TRAILING.format("object" if in_object else "array"))
        return self._name(first) if in_object else self._value(first)

    def _close(self) -> _Token:
        mark = self._body[self._at]
        if not self._open or self._open[-1] != (mark == ord("}")):
            self._fail(f"'{_shown(mark)}' is invalid without a matching open.")
        self._open.pop()
        self._at += 1
        return _Token(chr(mark))

    def _name(self, first: int) -> _Token:
        if first != ord('"'):
            self._fail(f"'{_shown(first)}' is an invalid start of a property name. Expected a '\"'.")
        name = self._string()
        self._skip_blank()
        if self._at >= len(self._body):
            self._fail("Expected a value, but instead reached end of data.")
        if self._body[self._at] != ord(":"):
            self._fail(f"'{_shown(self._body[self._at])}' is invalid after a property name. Expected a ':'.")
        self._at += 1
        return _Token("name", name)

    def _value(self, first: int) -> _Token:
        match chr(first):
            case '"':
                return _Token("string", self._string())
            case "{" | "[" as mark:
                if len(self._open) >= _DEPTH:
                    kind = "object" if mark == "{" else "array"
                    self._fail(
                        f"The maximum configured depth of {_DEPTH} has been exceeded. Cannot read next JSON {kind}."
                    )
                self._open.append(mark == "{")
                self._at += 1
                return _Token(mark)
            case "t" | "f" | "n":
                return self._literal(*_LITERALS[first])
            case mark if mark == "-" or first in _DIGITS:
                return self._number()
        raise self._error(f"'{_shown(first)}' is an invalid start of a value.")

    def _literal(self, word: bytes, value: bool | None) -> _Token:
        given = self._body[self._at : self._at + len(word)]
        if given != word:
            same = next((i for i, each in enumerate(given) if each != word[i]), len(given))
            rest = self._body[self._at :].decode("utf-8", "replace")
            message = f"'{rest}' is an invalid JSON literal. Expected the literal '{word.decode()}'."
            self._fail(message, self._at + same)
        self._at += len(word)
        return _Token(word.decode(), value)

    def _string(self) -> str:
        start = at = self._at + 1
        while True:
            if at >= len(self._body):
                self._fail("Expected end of string, but instead reached end of data.", at)
            each = self._body[at]
            if each == ord('"'):
                break
            if each < ord(" "):
                self._fail(_in_string(f"'{_shown(each)}' is invalid within a JSON string."), at)
            at += 1
            if each == ord("\\"):
                at = self._escaped(at)
        self._at = at + 1
        return self._body[start:at].decode("utf-8", "replace")

    def _escaped(self, at: int) -> int:
        if at >= len(self._body):
            self._fail("Expected end of string, but instead reached end of data.", at)
        each = self._body[at]
        if each not in _ESCAPABLE:
            self._fail(_in_string(f"'{_shown(each)}' is an invalid escapable character within a JSON string."), at)
        if each != ord("u"):
            return at + 1
        for digit in range(at + 1, at + 5):
            if digit >= len(self._body):
                self._fail("Expected end of string, but instead reached end of data.", digit)
            if self._body[digit] not in _HEX:
                message = f"'{_shown(self._body[digit])}' is not a hex digit following '\\u' within a JSON string."
                self._fail(_in_string(message), digit)
        return at + 5

    def _number(self) -> _Token:
        start = at = self._at
        if self._byte(at) == ord("-"):
            at = self._digit_at(at + 1, _SIGN)
        if self._byte(at) == ord("0"):
            at += 1
            if self._byte(at) in _DIGITS:
                self._fail(f"Invalid leading zero before '{_shown(self._byte(at))}'.", at)
        else:
            at = self._digits(at)
        wanted = "a delimiter"
        if self._byte(at) == ord("."):
            at = self._digits(self._digit_at(at + 1, "a decimal point ('.')"))
            wanted = "'E' or 'e'"
        if self._byte(at) in _EXPONENT:
            at += 1
            at = self._digits(self._digit_at(at + (self._byte(at) in _SIGNS), _SIGN))
            wanted = "a delimiter"
        self._hold_end(at, wanted)
        self._at = at
        return _Token("number", self._body[start:at].decode())

    def _hold_end(self, at: int, wanted: str) -> None:
        ended = at >= len(self._body)
        if (ended and self._open) or (not ended and self._body[at] not in _DELIMITERS):
            last = self._body[at - 1] if ended else self._body[at]
            wanted = "a delimiter" if ended else wanted
            self._fail(f"'{_shown(last)}' is an invalid end of a number. Expected {wanted}.", at)

    def _digit_at(self, at: int, after: str) -> int:
        if at >= len(self._body):
            self._fail("Expected a digit ('0'-'9'), but instead reached end of data.", at)
        if self._body[at] not in _DIGITS:
            message = f"'{_shown(self._body[at])}' is invalid within a number, immediately after {after}."
            self._fail(f"{message} Expected a digit ('0'-'9').", at)
        return at

    def _digits(self, at: int) -> int:
        while self._byte(at) in _DIGITS:
            at += 1
        return at

    def _byte(self, at: int) -> int:
        return self._body[at] if at < len(self._body) else -1

    def _skip_blank(self) -> None:
        while self._at < len(self._body) and self._body[self._at] in _BLANK:
            self._at += 1
            if self._body[self._at - 1] == ord("\n"):
                self._line, self._line_start = self._line + 1, self._at

    def _fail(self, message: str, at: int | None = None) -> NoReturn:
        raise self._error(message, at)

    def _error(self, message: str, at: int | None = None) -> "_Broken":
        return _Broken(message, self.place(at))


class _Broken(Exception):
    """No JSON: what is wrong, and where."""


class _Deserialiser:
    """Puts tokens into a model, and knows the path of the value that it is at."""

    def __init__(self, body: bytes, class_name: str) -> None:
        self._reader, self._class = _Reader(body), class_name
        self._space = class_name.rpartition(".")[0]
        self._path: list[str] = ["$"]

    def whole(self, members: Sequence[Member]) -> Model | None:
        try:
            token = self._token()
            model = None if token.kind == "null" else self._object(token, members, self._class, row=False)
            self._reader.read()
        except _Broken as broken:
            message, place = broken.args
            raise NotReadable(f"{message} Path: {''.join(self._path)} | {place}") from broken
        return model

    def _token(self) -> _Token:
        token = self._reader.read()
        if token is None:
            raise AssertionError("the reader tells an end that comes too early")
        return token

    def _object(self, token: _Token, members: Sequence[Member], class_name: str, *, row: bool) -> Model:
        if token.kind != "{":
            self._refuse(class_name)
        model = empty(members)
        known = {each.name.lower(): each for each in members}
        while (token := self._token()).kind != "}":
            name = _unescaped(token.value)
            self._path.append(_step(name))
            value = self._token()
            member = known.get(name.lower())
            if row and name.lower() == ROW_ID.lower():
                model = {**self._row_id(value), **model}
            elif member is None:
                self._reader.skip(value)
            elif member.many:
                model[member.name] = self._list(value, member)
            else:
                model[member.name] = self._one(value, member)
            self._path.pop()
        return model

    def _list(self, token: _Token, member: Member) -> list[Any] | None:
        if token.kind == "null":
            return None
        if token.kind != "[":
            self._refuse(f"System.Collections.Generic.List`1[{self._type(member)}]")
        items: list[Any] = []
        self._path.append("[0]")
        while (token := self._token()).kind != "]":
            items.append(self._one(token, member))
            self._path[-1] = f"[{len(items)}]"
        self._path.pop()
        return items

    def _one(self, token: _Token, member: Member) -> Any:
        if member.kind == "group":
            if token.kind == "null":
                return None
            return self._object(token, member.members, self._type(member), row=has_row_id(member))
        if token.kind == "null" and not member.never_null:
            return None
        try:
            return self._scalar(token, member)
        except NotOfType:
            self._refuse(self._type(member))

    def _scalar(self, token: _Token, member: Member) -> Any:
        match token.kind:
            case "string":
                text = _unescaped(token.value)
                if _SURROGATE.search(text):
                    raise NotOfType
                return from_json_text(member.kind, text)
            case "number":
                return from_json_number(member.kind, token.value)
            case "true" | "false" if member.kind == "boolean":
                return token.value
        raise NotOfType

    def _row_id(self, token: _Token) -> Model:
        if token.kind != "string" or not _GUID.fullmatch(token.value):
            self._refuse("System.Guid")
        number = UUID(token.value)
        return {ROW_ID: str(number)} if number.int else {}

    def _type(self, member: Member) -> str:
        if member.kind == "group":
            name = member.name.replace("-", "")
            return f"{self._space}.{name[:1].upper()}{name[1:]}".lstrip(".")
        return net_type(member.kind, nullable=not member.never_null)

    def _refuse(self, target: str) -> NoReturn:
        raise _Broken(f"The JSON value could not be converted to {target}.", self._reader.place())


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(
        lambda found: chr(int(found[1][1:], 16)) if found[1][0] == "u" else _ESCAPES.get(found[1], found[1]), text
    )
    # Pairs that were escaped one by one are one letter.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _step(name: str) -> str:
    return f"['{name}']" if any(each in _SPECIAL for each in name) else f".{name}"


def _in_string(message: str) -> str:
    return f"{message} The string should be correctly escaped."


def _shown(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F else f"0x{byte:02X}"


def to_json(value: Any) -> str:
    """
    A model as JSON, with nulls, æ unescaped, and decimals digit for digit.

    Raises:
        ValueError: A number that JSON does not have.
    """
    match value:
        case dict():
            return "{" + ",".join(f"{as_json_text(key)}:{to_json(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ",".join(map(to_json, value)) + "]"
    return as_json_text(value)
