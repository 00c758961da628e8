"""The values of a form that streams by, one at a time, with their places: for what is looked at beside the engine."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from xml.parsers import expat

from lxml import etree

from bridge.core.ids import shown_name
from bridge.forms.xml.input import Unreadable
from bridge.forms.xml.schema_facts import SchemaModel
from bridge.forms.xml.values import XSI, Place, Stray, Unknown, Value, place_of

_SEPARATOR = "\n"
"""What no name has and no namespace: expat puts it between them."""
_TYPE = f"{XSI}type"
Judged = Value | Unknown | Stray


@dataclass(frozen=True, slots=True)
class Streamed:
    """A value with its place, which its node alone does not know: nothing stands around that."""

    judged: Judged
    path: str
    line: int


@dataclass(slots=True)
class _Open:
    """An element that has begun; *place* is None where it is nobody's to judge."""

    node: etree._Element
    place: Place | None
    path: str
    line: int
    text: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)


def values_in_stream(pieces: Iterable[bytes], model: SchemaModel) -> Iterator[Streamed]:
    """
    The values of the form *pieces* (well-formed UTF-8), each where its element ends; memory holds one at a time.

    A place has a number where others of its name came before it; the line is that on which its start tag begins.

    Raises:
        Unreadable: It is no XML to expat.
    """
    reader = _Reader(model)
    try:
        for piece in pieces:
            reader.parser.Parse(piece, False)
            yield from reader.taken()
        reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Unreadable("not_well_formed", line=error.lineno, column=error.offset + 1) from None
    yield from reader.taken()


class _Reader:
    def __init__(self, model: SchemaModel) -> None:
        self.parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self.parser.namespace_prefixes = True
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartNamespaceDeclHandler = self._declared
        self.parser.EndNamespaceDeclHandler = self._forgotten
        self._model = model
        self._found: list[Streamed] = []
        self._open: list[_Open] = []
        self._roots: Counter[str] = Counter()
        self._namespaces: dict[str | None, list[str]] = {}

    def taken(self) -> Iterator[Streamed]:
        """What was found since."""
        found, self._found = self._found, []
        yield from found

    def _declared(self, prefix: str | None, uri: str | None) -> None:
        self._namespaces.setdefault(prefix, []).append(uri or "")

    def _forgotten(self, prefix: str | None) -> None:
        self._namespaces[prefix].pop()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag, called = _split(name)
        parent = self._open[-1] if self._open else None
        seen = self._roots if parent is None else parent.seen
        seen[called] += 1
        step = f"{called}[{seen[called]}]" if seen[called] > 1 else called
        path = f"{parent.path if parent else ''}/{step}"
        named = {_split(each): text for each, text in attributes.items()}
        said = {attribute: text for (attribute, _), text in named.items()}
        node = etree.Element(tag, said, nsmap=cast("Any", self._nsmap() if _TYPE in said else None))
        place = self._place(parent, node)
        self._open.append(_Open(node, place, path, self.parser.CurrentLineNumber))
        steps: dict[str | None, str] = dict(named.keys())
        for value in () if place is None else place.attributes(node):
            self._add(value, f"{path}/@{steps[value.attribute]}")

    def _place(self, parent: _Open | None, node: etree._Element) -> Place | None:
        if parent is None:
            return place_of(node, self._model.anywhere(node), lax=False, model=self._model)
        below = None if parent.place is None else parent.place.below(node, self._model)
        return None if below is None else place_of(node, below[0], lax=below[1], model=self._model)

    def _text(self, text: str) -> None:
        self._open[-1].text.append(text)

    def _end(self, _: str) -> None:
        ended = self._open[-1]
        for value in () if ended.place is None else ended.place.content(ended.node, "".join(ended.text)):
            self._add(value, ended.path)
        self._open.pop()

    def _add(self, judged: Judged, path: str) -> None:
        self._found.append(Streamed(judged, path, self._open[-1].line))

    def _nsmap(self) -> dict[str | None, str]:
        return {prefix: uris[-1] for prefix, uris in self._namespaces.items() if uris and uris[-1]}


def _split(name: str) -> tuple[str, str]:
    """The name as lxml has it, and as the form writes it."""
    match name.split(_SEPARATOR):
        case [uri, local, prefix]:
            return f"{{{uri}}}{local}", shown_name(f"{prefix}:{local}")
        case [uri, local]:
            return f"{{{uri}}}{local}", shown_name(local)
        case _:
            return name, shown_name(name)
