"""What an XML reader stands on, and what it says of text that is no XML."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute with its place."""

    name: str
    namespace: str
    value: str
    at: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    What the reader stands on.

    *kind* is as .NET calls it: ``Element``, ``EndElement``, ``Text``, ``CDATA``, ``SignificantWhitespace``,
    ``Comment``, ``ProcessingInstruction``, ``DocumentType`` or ``None`` (the end). *at* is its line and position.
    """

    kind: str
    at: tuple[int, int]
    name: str = ""
    namespace: str = ""
    value: str = ""
    attributes: tuple[Attribute, ...] = ()
    is_empty: bool = False

    def attribute(self, name: str, namespace: str = "") -> str | None:
        """The value of an attribute."""
        found = (each.value for each in self.attributes if (each.name, each.namespace) == (name, namespace))
        return next(found, None)


class NotWellFormed(ValueError):
    """No XML; the message is as .NET words it, *at* is where."""

    def __init__(self, message: str, at: tuple[int, int]) -> None:
        super().__init__(message)
        self.at = at
