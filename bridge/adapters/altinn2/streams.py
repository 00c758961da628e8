"""Large contents without large memory: spooled to disk on the way in, made while they are sent on the way out."""

import contextlib
import errno
import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, cast

import pybase64

from bridge.core.elements import Content, InMemory
from bridge.core.errors import BridgeError, NoRoom

IN_MEMORY = 1024 * 1024
"""Up to here bytes are held; what is larger goes to a nameless file, which dies with the process."""

_ALL = 1 << 62
_NO_ROOM = "no room in the folder for temporary files: make room there, or let TMPDIR name another folder"
_FULL: Mapping[int, str] = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: "a temporary file may not grow so large: raise the process's limit (LimitFSIZE, ulimit -f)",
    errno.EROFS: "the folder for temporary files cannot be written: let TMPDIR name another one",
    errno.EMFILE: "the process has as many files and connections open as it may: raise its hard limit (LimitNOFILE, "
    "ulimit -Hn)",
    errno.ENFILE: "this machine has as many files open as it may: raise fs.file-max, or end what holds them open",
}
"""What keeps contents from the disk, and what an operator does about it."""
PIECE = 768 * 1024
"""Divisible by three, so that base64 of pieces is base64 of the whole."""


class Interrupted(BridgeError):
    """What was to be sent ended before its end, or went on beyond it: the call was cut, so nothing was taken."""


class Spool:
    """Takes pieces and gives them back as one content."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._file: int | None = None
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Take one more piece."""
        self._digest.update(piece)
        self.size += len(piece)
        if self._file is None:
            self._held += piece
            if len(self._held) > IN_MEMORY:
                self._file = _nameless_file()
                weakref.finalize(self, os.close, self._file)
                _write(self._file, self._held)
                self._held.clear()
        else:
            _write(self._file, piece)

    def content(self) -> Content:
        """What was taken so far; nothing is taken afterwards."""
        if self._file is None:
            return InMemory(bytes(self._held))
        return _OnDisk(self, self._file, size=self.size, sha256=self._digest.hexdigest())


class _OnDisk(Content):
    """The file is closed with the last content or reader that stands on it."""

    __slots__ = ("_file", "_sha256", "_size", "_spool")

    def __init__(self, spool: Spool, file: int, *, size: int, sha256: str) -> None:
        self._spool, self._file, self._size, self._sha256 = spool, file, size, sha256

    @property
    def size(self) -> int:
        return self._size

    @property
    def sha256(self) -> str:
        return self._sha256

    def open(self) -> BinaryIO:
        return cast("BinaryIO", _Reader(self, self._file))


class _Reader(io.RawIOBase):
    """Reads by position, so that readers of one file do not disturb each other."""

    def __init__(self, content: _OnDisk, file: int) -> None:
        super().__init__()
        self._content, self._file, self._at = content, file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = os.preadv(self._file, [cast("bytearray", buffer)], self._at)
        self._at += count
        return count


class Body(io.RawIOBase):
    """
    A request's body of known length that is made while it is read.

    It has ``__len__`` and ``read``: a generator beside Content-Length would be sent as both (facts/libraries.md 5).
    """

    def __init__(self, pieces: Iterable[bytes], length: int) -> None:
        super().__init__()
        self._pieces, self._length = iter(pieces), length
        self._rest = b""
        self._at = 0

    def __len__(self) -> int:
        return self._length

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        """How much was read: requests takes it off the length."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """
        The next piece, or so much of it as *size* allows, without which all; nothing at the end.

        Raises:
            Interrupted: The pieces end before the length, or go on beyond it.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(_ALL), b""))
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                if self._at != self._length:
                    raise Interrupted("a body ended before its length")
                return b""
            self._rest = piece
        if len(self._rest) <= size:
            # As it is: a copy of each piece is what large ones would spend their time with.
            given, self._rest = self._rest, b""
        else:
            given, self._rest = self._rest[:size], self._rest[size:]
        self._at += len(given)
        if self._at > self._length:
            raise Interrupted("a body goes on beyond its length")
        return given

    def readinto(self, buffer: object) -> int:
        """Fill *buffer* from the next piece, as far as it goes."""
        view = memoryview(cast("bytearray", buffer))
        given = self.read(len(view))
        view[: len(given)] = given
        return len(given)


def base64_length(size: int) -> int:
    """How long the base64 of *size* bytes is."""
    return (size + 2) // 3 * 4


def base64_pieces(content: Content) -> Iterator[bytes]:
    """The base64 of *content*, a piece at a time."""
    for piece in pieces_of(content):
        yield pybase64.b64encode(piece)


def pieces_of(content: Content, size: int = PIECE) -> Iterator[bytes]:
    """*content* in pieces of *size*, only the last of which may be shorter."""
    with content.open() as source:
        while piece := _filled(source.read, size):
            yield piece


class Watched:
    """A stream on its way through: counted, digested, and cut when it ends early or its sender is gone."""

    def __init__(self, read: Callable[[int], bytes], length: int) -> None:
        self._read, self.length = read, length
        self._digest = hashlib.sha256()
        self.taken = 0

    @property
    def sha256(self) -> str | None:
        """The digest of the whole, None until all of it has passed."""
        return self._digest.hexdigest() if self.taken == self.length else None

    def pieces(self) -> Iterator[bytes]:
        """
        What comes.

        Raises:
            Interrupted: The sender is gone.
        """
        while self.taken < self.length:
            try:
                piece = self._read(min(PIECE, self.length - self.taken))
            except Exception as error:  # noqa: BLE001 - servers differ in how they say that the sender is gone
                raise Interrupted(f"the sender is gone ({type(error).__name__})") from None
            if not piece:
                raise Interrupted("the sender stopped before the end")
            self.taken += len(piece)
            self._digest.update(piece)
            yield piece


def _filled(read: Callable[[int], bytes], size: int) -> bytes:
    """What was read until *size* bytes are there or no more come."""
    first = read(size)
    if len(first) == size or not first:
        return first
    parts, total = [first], len(first)
    while total < size and (more := read(size - total)):
        parts.append(more)
        total += len(more)
    return b"".join(parts)


def _nameless_file() -> int:
    with _room(), tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def _write(file: int, data: bytes | bytearray) -> None:
    with _room(), memoryview(data) as view:
        at = 0
        while at < len(view):
            at += os.write(file, view[at:])


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Raises NoRoom."""
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        if code not in _FULL:
            raise
        raise NoRoom("bridge", f"{_FULL[code]} ({errno.errorcode[code]})") from error
