"""An attachment in JSON, read without holding it: its base64 is decoded as it comes (facts/libraries.md 6)."""

import binascii
import json
import re
from collections.abc import Callable
from typing import Any

import pybase64

from bridge.core.errors import Refusal

LARGEST_REST = 64 * 1024
"""Bytes of everything but the data."""

_WINDOW = 256 * 1024
_VALUE = re.compile(rb'\s*:\s*"')
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


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

    def until_data(self) -> dict[str, str]:
        """
        Give the members before the data.

        Raises:
            Refusal: It is no such object.
        """
        while True:
            place = self._data_at()
            if place is not None:
                head, self._buffer = self._buffer[:place], self._buffer[place:]
                return _members(head)
            if len(self._buffer) > LARGEST_REST:
                raise _invalid("Data must come last")
            piece = self._read(8192)
            if not piece:
                raise _invalid("Data")
            self._buffer += piece

    def data(self, size: int) -> bytes:
        """
        Give some of the bytes, about *size*; nothing once the data, and the object with it, has ended.

        Raises:
            Refusal: It is no base64, or something other than the object's end follows.
        """
        while not self._ended:
            if not self._buffer:
                self._buffer = self._read(max(size, _WINDOW))
                if not self._buffer:
                    raise _invalid("Data: it does not end")
            end = self._buffer.find(b'"')
            text, rest = (self._buffer, b"") if end < 0 else (self._buffer[:end], self._buffer[end + 1 :])
            if b"\\" in text:
                text, rest, end = self._unescaped(text, rest, end)
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
                return decoded
        return b""

    def _unescaped(self, text: bytes, rest: bytes, end: int) -> tuple[bytes, bytes, int]:
        """A slash may be written as two characters; any other escape has no place in base64."""
        if text.endswith(b"\\") and end < 0:
            more = self._read(_WINDOW)
            whole = text + more
            at = whole.find(b'"')
            text, rest, end = (whole, b"", -1) if at < 0 else (whole[:at], whole[at + 1 :], at)
        return text.replace(b"\\/", b"/"), rest, end

    def _data_at(self) -> int | None:
        """Find where the data's first character is, in what was read so far."""
        for found in _STRING.finditer(self._buffer):
            if found[0].lower() == b'"data"':
                after = _VALUE.match(self._buffer, found.end())
                before = self._buffer[: found.start()].rstrip()
                if after is not None and before.endswith((b"{", b",")):
                    return after.end()
        return None

    def _finish(self) -> None:
        """Make sure that the object ends here."""
        rest = self._buffer
        while piece := self._read(4096):
            rest += piece
            if len(rest) > LARGEST_REST:
                raise _invalid("Data must come last")
        if rest.strip() != b"}":
            raise _invalid("Data must come last")


def _members(text: bytes) -> dict[str, str]:
    try:
        # The data's opening quote stands at the end.
        value: Any = json.loads(text + b'"}')
    except (ValueError, RecursionError):
        raise _invalid("the body is not JSON") from None
    if not isinstance(value, dict):
        raise _invalid("the body is not an object")
    return {name: found for name, found in value.items() if isinstance(found, str)}


def _decoded(text: bytes, *, last: bool) -> bytes:
    if last and len(text) % 4:
        raise _invalid("Data: no base64")
    try:
        return pybase64.b64decode(text, validate=True)
    except binascii.Error:
        raise _invalid("Data: no base64") from None


def _invalid(where: str) -> Refusal:
    return Refusal("message_invalid", 400, facts={"where": where})
