"""A print of a case, on its way to whoever asked for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

PDF = "application/pdf"


class Pieces(Protocol):
    """The bytes of a print, as they come; one that breaks off raises, so that nobody takes half of it for the whole."""

    def __iter__(self) -> Iterator[bytes]:
        """Piece by piece, once."""

    def close(self) -> None:
        """Let go of where they come from."""


@dataclass(frozen=True, slots=True)
class Print:
    """A print of a case, what kind of document it is, and how long where that is known."""

    pieces: Pieces
    media_type: str
    length: int | None
