"""A call to an app, and its answer, byte for byte."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.core.calculations import AppRoute, Meaning

Headers = Sequence[tuple[str, str]]


class Readable(Protocol):
    """A body that is read while it is sent."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AppCall:
    """
    One call: *query* and *headers* go out as they are, and so does the *body*.

    *uses_bridge_token* puts the bridge's Altinn token on it. A body of bytes can be sent again; a ``Readable`` of
    *length* bytes (None: chunked) cannot.
    """

    meaning: Meaning
    anonymous: bool
    query: str
    headers: Headers
    body: bytes | Readable
    length: int | None
    uses_bridge_token: bool
    repeatable: bool

    @property
    def replayable(self) -> bool:
        """Whether the body is still at hand after it was sent."""
        return isinstance(self.body, bytes)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AppAnswer:
    """
    What an app said, byte for byte: packed as it came, *rest* after *start* where it is long.

    Whoever takes it calls *close* at the end.
    """

    status: int
    reason: str
    headers: Headers
    start: bytes
    rest: Iterator[bytes] | None
    close: Callable[[], None]

    def header(self, name: str) -> str:
        """A header's value, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def whole(self, limit: int, grow: Callable[[int], object] = bool) -> bytes | None:
        """
        All bytes of the answer; None beyond *limit* bytes, after which it cannot be passed on any more.

        *grow* is told how many bytes are held so far, whenever there are more.
        """
        if self.rest is None:
            return self.start
        parts, size = [self.start], len(self.start)
        for piece in self.rest:
            size += len(piece)
            if size > limit:
                return None
            grow(size)
            parts.append(piece)
        return b"".join(parts)


class SenderBody:
    """A body on its way through, and how long its sender was waited for: that time is not the app's."""

    def __init__(self, body: Readable, monotonic: Callable[[], float]) -> None:
        self._body, self._monotonic = body, monotonic
        self.began, self.waited, self.ended = monotonic(), 0.0, False

    def read(self, size: int, /) -> bytes:
        """The next piece."""
        since = self._monotonic()
        try:
            piece = self._body.read(size)
        finally:
            self.waited += self._monotonic() - since
        self.ended = self.ended or not piece
        return piece

    @property
    def held_up(self) -> bool:
        """Whether the call was broken off while it waited for the sender more than for the app."""
        return not self.ended and self.waited > (self._monotonic() - self.began) / 2


def system_of(route: AppRoute) -> str:
    """An app's name as the errors of its calls have it."""
    return f"app {route.name}"
