"""
What may stand in one element, and in which order: its content model, taken apart child by child.

That is by Brzozowski's derivatives: what is left of the model once a child came.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from bridge.core.ids import shown_name
from bridge.forms.xml.components import XsdAnyElement, XsdElement, XsdGroup, is_group

_MOST_WAYS = 100


@dataclass(frozen=True, slots=True, eq=False)
class ElementParticle:
    """An element that may come, under any of *names* (of its substitution group) and called *shown*."""

    names: frozenset[str]
    shown: tuple[str, ...]
    low: int
    high: int | None
    least: int
    """*low* as the schema says it: *low* counts down."""

    @property
    def may_end(self) -> bool:
        return self.low == 0


@dataclass(frozen=True, slots=True, eq=False)
class Wildcard:
    """Any element that *allows* lets in."""

    allows: Callable[[str], bool]
    example: str
    low: int
    high: int | None

    @property
    def may_end(self) -> bool:
        return self.low == 0


class Order(Enum):
    """How the parts of a group follow each other."""

    SEQUENCE = "sequence"
    CHOICE = "choice"
    ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Parts in their order, several times over."""

    order: Order
    parts: tuple["Particle", ...]
    low: int
    high: int | None
    may_end: bool = field(init=False)

    def __post_init__(self) -> None:
        ends = [part.may_end for part in self.parts]
        empty = any(ends) if self.order is Order.CHOICE and ends else all(ends)
        object.__setattr__(self, "may_end", self.low == 0 or empty)


Particle = ElementParticle | Wildcard | Group
State = tuple[Particle, ...]
"""What is left of the content model: each in turn."""


def content_of(group: XsdGroup) -> Group:
    """The content model of xmlschema's *group*, without what may stand beside it (XSD 1.1's open content)."""
    return Group(
        order=Order(group.model or "sequence"),
        parts=tuple(_part(part) for part in group.content if part.max_occurs != 0),
        low=group.min_occurs,
        high=group.max_occurs,
    )


def _part(part: XsdElement | XsdAnyElement | XsdGroup) -> Particle:
    if is_group(part):
        return content_of(part)
    low, high = part.min_occurs, part.max_occurs
    if part.name is None:
        return Wildcard(allows=part.is_matching, example=_example(part), low=low, high=high)
    # Their order is chance.
    substitutes = sorted(str(each.name) for each in part.iter_substitutes() if not each.abstract)
    abstract = bool(getattr(part, "abstract", False))
    shown = tuple(substitutes) if abstract and substitutes else (str(part.name),)
    names = frozenset(substitutes if abstract else [str(part.name), *substitutes])
    return ElementParticle(names=names, shown=shown, low=low, high=high, least=low)


def _example(wildcard: XsdAnyElement) -> str:
    named = [f"{{{uri}}}any" for uri in wildcard.namespace if not uri.startswith("##")]
    fitting = (name for name in ("{urn:any}any", "any", *named) if wildcard.is_matching(name))
    return next(fitting, "any")


def takes(part: Particle, tag: str) -> bool:
    """Whether a child named *tag* has a place, wherever."""
    match part:
        case ElementParticle():
            return tag in part.names
        case Wildcard():
            return part.allows(tag)
        case Group():
            return any(takes(inner, tag) for inner in part.parts)


def may_be_left_out(part: Particle, tag: str) -> bool:
    """Whether an element named *tag* may be left out wherever it has a place of its own."""
    match part:
        case ElementParticle():
            return part.least == 0
        case Group():
            places = [inner for inner in part.parts if tag in names_in(inner)]
            return bool(places) and all(may_be_left_out(inner, tag) for inner in places)
        case _:
            return False


def fits(content: Group, tags: Sequence[str]) -> bool:
    """Whether children named *tags* are what *content* asks for; False as well where there are too many ways to try."""
    states: dict[object, State] = {0: (content,)}
    for tag in tags:
        states = {
            _likeness(rest): rest for state in states.values() for missing, rest in in_turn(state, tag) if not missing
        }
        if not states or len(states) > _MOST_WAYS:
            return False
    return any(all(part.may_end for part in state) for state in states.values())


def _likeness(state: State) -> object:
    return tuple(
        (part.order, part.low, part.high, _likeness(part.parts))
        if isinstance(part, Group)
        else (part.low, part.high, part.names if isinstance(part, ElementParticle) else id(part.allows))
        for part in state
    )


def readable(name: str) -> str:
    """Drop the namespace of ``{uri}local``."""
    return shown_name(name.rpartition("}")[2])


def in_turn(parts: State, tag: str) -> Iterator[tuple[State, State]]:
    """Each way for *tag* to come next: what has to be passed over for it, and what is left then."""
    passed: State = ()
    for number, part in enumerate(parts):
        for missing, rest in _into(part, tag):
            yield passed + missing, rest + parts[number + 1 :]
        if not part.may_end:
            passed += (part,)


def _into(part: Particle, tag: str) -> Iterator[tuple[State, State]]:
    match part:
        case ElementParticle():
            if tag in part.names:
                yield (), _fewer(part)
        case Wildcard():
            if part.allows(tag):
                yield (), _fewer(part)
        case Group(order=Order.SEQUENCE):
            left = _fewer(part)
            for missing, rest in in_turn(part.parts, tag):
                yield missing, rest + left
        case Group(order=Order.CHOICE):
            left = _fewer(part)
            for inner in part.parts:
                for missing, rest in _into(inner, tag):
                    yield missing, rest + left
        case Group():
            left = _fewer(part)
            for number, inner in enumerate(part.parts):
                for missing, rest in _into(inner, tag):
                    others = (*part.parts[:number], *rest, *part.parts[number + 1 :])
                    yield missing, (Group(Order.ALL, others, 1, 1), *left)


def _fewer(part: Particle) -> State:
    """What is left of *part* once it came."""
    if part.high == 1:
        return ()
    if part.high is None and part.low == 0:
        return (part,)
    return (replace(part, low=max(0, part.low - 1), high=None if part.high is None else part.high - 1),)


def names_in(part: Particle) -> Iterator[str]:
    """Name all elements that have a place."""
    match part:
        case ElementParticle():
            yield from part.names
        case Group():
            for inner in part.parts:
                yield from names_in(inner)
