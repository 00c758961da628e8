"""Bytes that Altinn 2 keeps: small ones in memory, large ones in files without a name, hashed as they come."""

import binascii
import hashlib
import os
import re
import tempfile
import weakref
from collections.abc import Iterator
from typing import NoReturn

_IN_MEMORY, _PIECE = 1_000_000, 262_144
_ESCAPE = re.compile(rb"\\(?:u00([0-9a-fA-F]{2})|(/))")
_BEGUN_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?$")


class Blob:
    """Bytes that were written once; safe to read from many threads at once."""

    def __init__(self, *, data: bytes, descriptor: int | None, size: int, sha256: str) -> None:
        self._data, self._descriptor, self._size, self.sha256 = data, descriptor, size, sha256
        if descriptor is not None:
            weakref.finalize(self, os.close, descriptor)

    def __len__(self) -> int:
        return self._size

    def pieces(self) -> Iterator[bytes]:
        """The bytes a piece at a time."""
        if self._descriptor is None:
            yield self._data
            return
        place = 0
        while piece := os.pread(self._descriptor, _PIECE, place):
            place += len(piece)
            yield piece

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())


Content = bytes | Blob


def sha256_of(content: Content) -> str:
    """The digest of content."""
    return content.sha256 if isinstance(content, Blob) else hashlib.sha256(content).hexdigest()


def pieces_of(content: Content) -> Iterator[bytes]:
    """Content a piece at a time."""
    return content.pieces() if isinstance(content, Blob) else iter((content,))


class BlobWriter:
    """Takes bytes as they come; its file has no name, so nothing is left behind whatever happens."""

    def __init__(self) -> None:
        self._buffer, self._descriptor, self._size, self._digest = bytearray(), -1, 0, hashlib.sha256()
        self._closing: weakref.finalize[[int], BlobWriter] | None = None

    def write(self, data: bytes) -> None:
        """Append *data*."""
        self._digest.update(data)
        self._size += len(data)
        if self._closing is None and self._size <= _IN_MEMORY:
            self._buffer += data
            return
        if self._closing is None:
            self._descriptor, path = tempfile.mkstemp(prefix="sandbox-")
            self._closing = weakref.finalize(self, os.close, self._descriptor)
            os.unlink(path)  # noqa: PTH108 - there is no Path here
            self._append(bytes(self._buffer))
            self._buffer.clear()
        self._append(data)

    def blob(self) -> Blob:
        """What was written; nothing is written after that."""
        descriptor = None
        if self._closing is not None:
            self._closing.detach()
            descriptor = self._descriptor
        return Blob(data=bytes(self._buffer), descriptor=descriptor, size=self._size, sha256=self._digest.hexdigest())

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]


class NotBase64(ValueError):
    """The text is not base64."""


class Base64Sink:
    """Decodes base64 out of a JSON string, its escapes included, as it comes."""

    def __init__(self) -> None:
        self._writer, self._rest, self._ended, self._broken = BlobWriter(), b"", False, False

    def feed(self, text: bytes) -> None:
        """Take the next piece of the text."""
        text = self._rest + text
        begun = _BEGUN_ESCAPE.search(text)
        held = b"" if begun is None else begun.group()
        text = text.removesuffix(held)
        if b"\\" in text:
            text = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"/", text)
        whole = len(text) // 4 * 4
        self._rest = text[whole:] + held
        if not whole or self._broken:
            return
        try:
            data = binascii.a2b_base64(text[:whole], strict_mode=True)
        except binascii.Error:
            self._broken = True
            return
        self._broken = self._ended
        self._ended = text[:whole].endswith(b"=")
        self._writer.write(data)

    def blob(self) -> Blob:
        """
        What the whole text stands for.

        Raises:
            NotBase64: It stands for nothing.
        """
        if self._broken or self._rest:
            _not_base64()
        return self._writer.blob()


def _not_base64() -> NoReturn:
    raise NotBase64("not base64")
