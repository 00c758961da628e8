"""Server-sent events, as far as GraphQL over SSE needs them: ``event`` and ``data``, comments passed over."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_LINE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One event; *kind* is ``message`` where the server names none."""

    kind: str
    data: str


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """
    Cut what arrives into lines, whichever of the three ends they have.

    Raises:
        ValueError: A line is longer than a megabyte.
    """
    rest = b""
    for piece in pieces:
        rest += piece
        # A lone CR at the end may be the first half of CRLF.
        held = b"\r" if rest.endswith(b"\r") else b""
        *whole, rest = rest.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        rest += held
        if len(rest) > LONGEST_LINE:
            raise ValueError("a line of the event stream is too long")
        for line in whole:
            yield line.decode("utf-8", "replace")


def events(pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
    """The events of a stream as they come; one without data is none, but for its kind ``complete``."""
    kind, data = "", list[str]()
    for line in lines_of(pieces):
        if line == "":
            if data or kind == "complete":
                yield ServerEvent(kind=kind or "message", data="\n".join(data))
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
