"""JSON as System.Text.Json reads it: strict, and every fault with its line and its byte in that line."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

_DEEPEST = 64
_BLANK = b" \t\r\n"
_NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LITERALS = {b"t": b"true", b"f": b"false", b"n": b"null"}
_EMPTY = (
    "The input does not contain any JSON tokens. Expected the input to start with a valid JSON token, when "
    "isFinalBlock is true."
)


class NotJson(ValueError):
    """A body that is no JSON; the message has the place."""


def parsed(body: bytes) -> Any:
    """
    Parse a body; of a member that comes twice the last one counts.

    Raises:
        NotJson: It is not JSON, or nested too deep.
    """
    if max(body.count(b"["), body.count(b"{")) > _DEEPEST:
        # Only then can it be too deep; walking is slow.
        for _ in _Walk(body).all():
            continue
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        for _ in _Walk(body).all():
            continue
        raise NotJson("The body is not UTF-8. LineNumber: 0 | BytePositionInLine: 0.") from None


def place(body: bytes, path: str) -> str:
    """Where the reader stood when it met the value at *path*: behind its first token."""
    walk = _Walk(body)
    found = next((end for where, end in walk.all() if where == path), 0)
    return walk.at(found)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


class _Walk:
    """Walks through a body token by token; slow, so only where a place or a reason is asked for."""

    def __init__(self, body: bytes) -> None:
        self._body = body.removeprefix(b"\xef\xbb\xbf")
        self._here = self._depth = 0

    def all(self) -> Iterator[tuple[str, int]]:
        """The path of each value and the end of its first token."""
        self._skip()
        if self._here == len(self._body):
            self._fail(_EMPTY)
        yield from self._value("$")
        self._skip()
        if self._here < len(self._body):
            self._fail(f"{self._sign()} is invalid after a single JSON value. Expected end of data.")

    def at(self, offset: int) -> str:
        """A place in the words with which the reader's messages end."""
        before = self._body[:offset]
        line, begin = before.count(b"\n"), before.rfind(b"\n") + 1
        return f"LineNumber: {line} | BytePositionInLine: {offset - begin}."

    def _fail(self, message: str) -> NoReturn:
        raise NotJson(f"{message} {self.at(self._here)}")

    def _sign(self) -> str:
        return (
            f"'{chr(self._body[self._here])}'" if self._body[self._here] < 0x80 else f"'0x{self._body[self._here]:X}'"
        )

    def _peek(self) -> bytes:
        return self._body[self._here : self._here + 1]

    def _skip(self) -> None:
        while self._here < len(self._body) and self._body[self._here] in _BLANK:
            self._here += 1

    def _value(self, path: str) -> Iterator[tuple[str, int]]:
        first = self._peek()
        match first:
            case b"{" | b"[":
                self._here += 1
                yield path, self._here
                yield from self._inside(path, "}" if first == b"{" else "]")
            case b'"':
                self._text()
                yield path, self._here
            case b"t" | b"f" | b"n":
                self._literal(_LITERALS[first])
                yield path, self._here
            case _:
                found = _NUMBER.match(self._body, self._here)
                if found is None:
                    self._fail(f"{self._sign()} is an invalid start of a value.")
                self._here = found.end()
                yield path, self._here

    def _inside(self, path: str, end: str) -> Iterator[tuple[str, int]]:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(f"The maximum configured depth of {_DEEPEST} has been exceeded. Cannot read next JSON token.")
        index = 0
        self._more(end)
        while self._peek() != end.encode():
            if index:
                self._comma(end)
            if end == "}":
                yield from self._member(path)
            else:
                yield from self._value(f"{path}[{index}]")
            index += 1
            self._more(end)
        self._here += 1
        self._depth -= 1

    def _member(self, path: str) -> Iterator[tuple[str, int]]:
        if self._peek() != b'"':
            self._fail(f"{self._sign()} is an invalid start of a property name. Expected a '\"'.")
        begin = self._here
        self._text()
        name = json.loads(self._body[begin : self._here].decode("utf-8", "replace"))
        self._more("}")
        if self._peek() != b":":
            self._fail(f"{self._sign()} is invalid after a property name. Expected a ':'.")
        self._here += 1
        self._more("}")
        yield from self._value(f"{path}.{name}")

    def _comma(self, end: str) -> None:
        if self._peek() != b",":
            self._fail(f"{self._sign()} is invalid after a value. Expected either ',', '}}', or ']'.")
        self._here += 1
        self._more(end)
        if self._peek() == end.encode():
            kind = "object" if end == "}" else "array"
            self._fail(
                f"The JSON {kind} contains a trailing comma at the end which is not supported in this mode. "
                "Change the reader options."
            )

    def _more(self, end: str) -> None:
        del end
        self._skip()
        if self._here == len(self._body):
            self._fail(
                "Expected depth to be zero at the end of the JSON payload. There is an open JSON object or array that "
                "should be closed."
            )

    def _literal(self, word: bytes) -> None:
        if self._body[self._here : self._here + len(word)] != word:
            found = re.match(rb"[A-Za-z]*", self._body[self._here :])
            shown = "" if found is None else found.group().decode()
            self._fail(f"'{shown}' is an invalid JSON literal. Expected the literal '{word.decode()}'.")
        self._here += len(word)

    def _text(self) -> None:
        self._here += 1
        while self._here < len(self._body):
            byte = self._body[self._here]
            if byte == 0x22:
                self._here += 1
                return
            if byte < 0x20:
                self._fail(f"'0x{byte:02X}' is invalid within a JSON string. The string should be correctly escaped.")
            if byte == 0x5C:
                self._escape()
            self._here += 1
        self._fail("Expected end of string, but instead reached end of data.")

    def _escape(self) -> None:
        self._here += 1
        sign = self._peek()
        if sign == b"u":
            if not re.fullmatch(rb"[0-9a-fA-F]{4}", self._body[self._here + 1 : self._here + 5]):
                self._fail("A JSON string has an invalid Unicode escape.")
            self._here += 4
        elif sign not in (b'"', b"\\", b"/", b"b", b"f", b"n", b"r", b"t"):
            shown = self._sign() if sign else "''"
            self._fail(f"{shown} is an invalid escapable character within a JSON string.")
