"""The elements and attributes that forms of a schema can have, as a graph: what stands in what."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from bridge.forms.xml.components import (
    XsdAnyElement,
    XsdAttribute,
    XsdElement,
    XsdGroup,
    XsdSchema,
    XsdType,
    attributes_of,
    group_in,
    is_group,
)


class Sort(Enum):
    """What kind of node of a form it is."""

    DOCUMENT = "document"
    ELEMENT = "element"
    ATTRIBUTE = "attribute"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Spot:
    """
    A node that forms can have; one for each name and type, wherever they stand.

    *uri* is its namespace, or empty. *holds_text* says that a value may stand in it. *kind* is the
    type of an element or attribute; *owner* is the element that a text stands in.
    """

    sort: Sort
    uri: str
    name: str
    type_id: int
    fixed: str | None = None
    holds_text: bool = False
    owner: "Spot | None" = None
    kind: XsdType | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Spots that an expression can find. *more* says that there may be others, which the schema does not name."""

    spots: frozenset[Spot] = frozenset()
    more: bool = False

    def __or__(self, other: "Found") -> "Found":
        return Found(self.spots | other.spots, self.more or other.more)


ANYTHING = Found(more=True)
NOTHING = Found()
DOCUMENT = Spot(Sort.DOCUMENT, "", "", 0)


class SchemaTree:
    """
    What stands in what, in forms of one schema as xmlschema reads it.

    It says yes rather than no: an element may have what any type has that is derived from its own, and its parents are
    all that may hold an element of its name and type.
    """

    def __init__(self, schema: XsdSchema, root: str | None = None) -> None:
        """The tree of *schema*; *root* (local or ``{uri}local``), where given, is the only one forms begin with."""
        self._kept: list[XsdType] = []  # So that no id is used twice while this lives.
        self._derived = _derived_types(schema)
        self._below: dict[Spot, Found] = {}
        self._attributes: dict[Spot, Found] = {}
        self._above: dict[Spot, set[Spot]] = {}
        self._most: dict[tuple[Spot, Spot], float] = {}
        known = schema.maps.elements.values()
        roots = [
            self._element(each)
            for each in known
            if not each.abstract and _parts(each.name)[0] != _XSD and root in (None, each.name, each.local_name)
        ]
        self._put(DOCUMENT, Found(frozenset(roots)), NOTHING)
        self._count(DOCUMENT, dict.fromkeys(roots, 1))
        waiting = list(roots)
        while waiting:
            spot = waiting.pop()
            if spot not in self._below:
                self._look_into(spot)
                waiting += self._below[spot].spots

    def below(self, found: Found) -> Found:
        """The elements in *found*."""
        return self._gathered(self._below, found)

    def most(self, found: Found, at: Found) -> int | None:
        """How many of *found* may stand in one of *at* together; None where nothing bounds that."""
        sums = [sum(self._most.get((holder, each), 0) for each in found.spots) for holder in at.spots]
        most = max(sums, default=math.inf)
        return None if most == math.inf else int(most)

    def attributes(self, found: Found) -> Found:
        """The attributes of *found*."""
        return self._gathered(self._attributes, found)

    def texts(self, found: Found) -> Found:
        """The texts in *found*."""
        owners = [each for each in found.spots if each.sort is Sort.ELEMENT and each.holds_text]
        texts = {Spot(Sort.TEXT, each.uri, each.name, each.type_id, owner=each) for each in owners}
        return Found(frozenset(texts), found.more)

    def above(self, found: Found) -> Found:
        """What *found* may stand in."""
        spots: set[Spot] = set()
        for each in found.spots:
            spots |= self._above.get(each, set()) if each.owner is None else {each.owner}
        return Found(frozenset(spots), found.more)

    def within(self, found: Found) -> Found:
        """*found* and all elements in it, however deep."""
        seen, waiting, more = set(found.spots), list(found.spots), found.more
        while waiting:
            below = self._below.get(waiting.pop(), NOTHING)
            more = more or below.more
            new = below.spots - seen
            seen |= new
            waiting += new
        return Found(frozenset(seen), more)

    def around(self, found: Found) -> Found:
        """*found* and all that it may stand in, however far up."""
        seen, waiting = set(found.spots), list(found.spots)
        while waiting:
            new = self.above(Found(frozenset((waiting.pop(),)))).spots - seen
            seen |= new
            waiting += new
        return Found(frozenset(seen), found.more)

    @property
    def roots(self) -> frozenset[Spot]:
        """The elements that a form can begin with."""
        return self._below[DOCUMENT].spots

    def _gathered(self, table: Mapping[Spot, Found], found: Found) -> Found:
        result = Found(more=found.more)
        for each in found.spots:
            result |= table.get(each, NOTHING)
        return result

    def _put(self, spot: Spot, below: Found, attributes: Found) -> None:
        self._below[spot], self._attributes[spot] = below, attributes
        for each in below.spots | attributes.spots:
            self._above.setdefault(each, set()).add(spot)

    def _look_into(self, spot: Spot) -> None:
        elements, attributes, more, any_attribute = set(), set(), False, False
        for kind in () if spot.kind is None else (spot.kind, *self._derived.get(spot.type_id, ())):
            held = attributes_of(kind)
            any_attribute = any_attribute or None in held
            attributes |= {
                self._attribute(each) for name, each in held.items() if name is not None and each.use != "prohibited"
            }
            counts: dict[Spot, float] = defaultdict(float)
            for particle, times in _particles(kind):
                if not particle.name:
                    more = True
                    continue
                known = {self._element(each) for each in (particle, *particle.iter_substitutes()) if not each.abstract}
                elements |= known
                for each in known:
                    counts[each] += times
            self._count(spot, counts)
        self._put(spot, Found(frozenset(elements), more), Found(frozenset(attributes), any_attribute))

    def _count(self, holder: Spot, counts: Mapping[Spot, float]) -> None:
        """Keep the highest of what the types of *holder* allow."""
        for each, times in counts.items():
            self._most[holder, each] = max(self._most.get((holder, each), 0), times)

    def _element(self, declaration: XsdElement) -> Spot:
        self._kept.append(declaration.type)
        uri, name = _parts(declaration.name)
        kinds = (declaration.type, *self._derived.get(id(declaration.type), ()))
        holds_text = any(kind.is_simple() or kind.has_simple_content() or kind.mixed for kind in kinds)
        return Spot(Sort.ELEMENT, uri, name, id(declaration.type), declaration.fixed, holds_text, kind=declaration.type)

    def _attribute(self, declaration: XsdAttribute) -> Spot:
        self._kept.append(declaration.type)
        uri, name = _parts(declaration.name)
        return Spot(
            Sort.ATTRIBUTE, uri, name, id(declaration.type), declaration.fixed, holds_text=True, kind=declaration.type
        )


def _parts(name: str) -> tuple[str, str]:
    uri, _, local = name.rpartition("}")
    return uri.removeprefix("{"), local


def _particles(kind: XsdType) -> Iterator[tuple[XsdElement | XsdAnyElement, float]]:
    """The elements and wildcards that a type names, each with how often it may stand there at most."""
    group = group_in(kind)
    if group is None:
        return
    yield from _counted(group, 1)
    open_content = getattr(kind, "open_content", None)
    if open_content is not None and getattr(open_content, "any_element", None) is not None:
        yield open_content.any_element, math.inf


def _counted(
    particle: XsdElement | XsdAnyElement | XsdGroup, times: float
) -> Iterator[tuple[XsdElement | XsdAnyElement, float]]:
    times *= math.inf if particle.max_occurs is None else particle.max_occurs
    if not is_group(particle):
        yield particle, times
    elif particle.max_occurs != 0:
        for each in particle.content:
            yield from _counted(each, times)


def _derived_types(schema: XsdSchema) -> Mapping[int, list[XsdType]]:
    """The types that ``xsi:type`` can put in the place of each, by its own id."""
    derived: dict[int, list[XsdType]] = {}
    for kind in schema.maps.types.values():
        base = getattr(kind, "base_type", None)
        while not kind.is_simple() and base is not None and base is not kind and base.name != _ANY_TYPE:
            derived.setdefault(id(base), []).append(kind)
            base = getattr(base, "base_type", None)
    return derived


_XSD = "http://www.w3.org/2001/XMLSchema"
_ANY_TYPE = f"{{{_XSD}}}anyType"
