"""An attachment in JSON, read without holding it: its base64 is decoded as it comes (facts/libraries.md 6)."""

import binascii
import re
from collections.abc import Callable

import pybase64

from bridge.core.errors import Finding
from bridge.core.problems import Refusal
from bridge.forms.xml.input import Limits
from bridge.steps.forms.message import AttachmentHead, invalid, parsed

LARGEST_REST = 64 * 1024
"""Bytes of everything but the data."""

_WINDOW = 256 * 1024
_MARK = re.compile(rb'["\\]')
_BLANK = b" \t\r\n"


class Scanner:
    """
    Reads ``{"FileName": …, "AttachmentType": …, "Data": "…"}``, in which ``Data`` must come last.

    The members before the data decide whether it is taken at all, so nothing is kept that nobody asked for.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = b""
        self._ended = False
        self._odd = b""
        self._slash = b""
        self._empty = True

    def until_data(self) -> AttachmentHead:
        """
        The members before the data.

        Raises:
            Refusal: It is no such object, or has any other member.
        """
        head = _Head()
        while True:
            piece = self._read(8192)
            if not piece:
                raise _invalid("missing_element")
            place = head.take(piece)
            if place is not None:
                self._buffer = bytes(head.text[place:])
                return _members(bytes(head.text[:place]))
            if len(head.text) > LARGEST_REST:
                raise _invalid("must_be_last")

    def data(self, size: int) -> bytes:
        """
        Some of the bytes, about *size*; nothing once the data, and the object with it, has ended.

        Raises:
            Refusal: It is no base64, or something other than the object's end follows.
        """
        while not self._ended:
            if not self._buffer:
                self._buffer = self._read(max(size, _WINDOW))
                if not self._buffer:
                    raise Refusal("body_incomplete", 400)
            end = self._buffer.find(b'"')
            text, rest = (self._buffer, b"") if end < 0 else (self._buffer[:end], self._buffer[end + 1 :])
            if self._slash or b"\\" in text:
                text = self._unescaped(text, whole=end >= 0)
            self._ended = end >= 0
            self._buffer = rest
            text = self._odd + text
            whole = len(text) if self._ended else len(text) // 4 * 4
            if not self._ended and text[:whole].endswith(b"="):
                # The padding may be the end of it, and may not: that shows with what comes next.
                whole -= 4
            self._odd = text[whole:]
            if self._ended:
                self._finish()
            decoded = _decoded(text[:whole], last=self._ended)
            if decoded:
                self._empty = False
                return decoded
        if self._empty:
            raise _invalid("empty")
        return b""

    def _unescaped(self, text: bytes, *, whole: bool) -> bytes:
        """A slash may be written as two characters, which may come apart; any other escape has no place in base64."""
        text, self._slash = self._slash + text, b""
        if text.endswith(b"\\") and not whole:
            text, self._slash = text[:-1], b"\\"
        return text.replace(b"\\/", b"/")

    def _finish(self) -> None:
        """Make sure that the object ends here."""
        rest, length = self._buffer.strip(_BLANK), len(self._buffer)
        while piece := self._read(4096):
            length += len(piece)
            rest = (rest + piece).strip(_BLANK)
            if length > LARGEST_REST or len(rest) > 1:
                raise _invalid("must_be_last")
        if rest != b"}":
            raise _invalid("must_be_last")


class _Head:
    """
    Finds where the data begins; every byte is looked at once, however few come at a time.

    A pattern for whole strings would begin anew at each quote of one that does not end, and again with each piece.
    """

    def __init__(self) -> None:
        self.text = bytearray()
        self._begins = -1
        """Where the string begins that is being read; -1 between two."""
        self._ended = 0
        """Where the last one ended."""
        self._escaped = -1
        self._is_name = self._was_data = False

    def take(self, piece: bytes) -> int | None:
        """Add *piece*; the place of the data's first character, once it is known."""
        start = len(self.text)
        self.text += piece
        for found in _MARK.finditer(piece):
            at = start + found.start()
            if self._begins < 0:
                if found[0] == b'"' and self._begin(at):
                    return at + 1
            elif at == self._escaped:
                continue
            elif found[0] == b"\\":
                self._escaped = at + 1
            else:
                self._was_data = self._is_name and self.text[self._begins : at].lower() == b'"data'
                self._begins, self._ended = -1, at + 1
        return None

    def _begin(self, at: int) -> bool:
        """Note that a string begins; True if it is the data."""
        between = bytes(self.text[self._ended : at]).strip(_BLANK)
        if self._was_data and between == b":":
            return True
        self._begins, self._is_name = at, between.endswith((b"{", b","))
        return False


def _members(text: bytes) -> AttachmentHead:
    # The data's opening quote stands at the end.
    return parsed(AttachmentHead, text + b'"}', Limits(max_bytes=2 * LARGEST_REST))


def _decoded(text: bytes, *, last: bool) -> bytes:
    if last and len(text) % 4:
        raise _invalid("type", type="base64Binary")
    try:
        return pybase64.b64decode(text, validate=True)
    except binascii.Error:
        raise _invalid("type", type="base64Binary") from None


def _invalid(rule: str, **facts: str) -> Refusal:
    return invalid([Finding(path="/Data", rule=rule, facts=facts)])
