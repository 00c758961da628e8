"""
What is wrong with the children of one element: its content model taken apart child by child (Brzozowski's derivatives).

libxml2 names what could come next, not what is missing: behind a list that may go on it names the list. So the order is
looked at here, of all children at once; the verdict stays libxml2's.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from bridge.core.ids import shown_name

_MOST_WAYS = 100
_FARTHEST = 2_000
"""So many children are looked at for the place that one of them should have had."""
_FARTHEST_AFTER = 250
_MOST_DOUBTS = 8
"""So many places are tried, and so many children behind each."""
_MOST_CHOICES = 12


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


@dataclass(frozen=True, slots=True)
class Need:
    """What has to come: one of *names*, or anything where there are none; *least* times where some came already."""

    names: tuple[str, ...]
    stand_in: str
    """What would do."""
    count: int = 1
    least: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """*need* did not come before child number *at*, or before the end; not *told* where it stands elsewhere."""

    need: Need
    at: int
    told: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Child number *at* has no place in this element."""

    at: int


@dataclass(frozen=True, slots=True)
class TooMany:
    """Child number *at* is one more than *most*."""

    at: int
    most: int


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Child number *at* has its place elsewhere: before child number *before*, after what *must* come, or not here."""

    at: int
    before: int | None = None
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Excluded:
    """
    Child number *at* is one more than a choice takes: of *choices* only *most* may come.

    Where that is one, *beside* came already; None is a number that cannot be said.
    """

    at: int
    beside: str
    choices: tuple[str, ...]
    most: int | None


Slip = Missing | Unknown | TooMany | Misplaced | Excluded


def content_of(group: Any) -> Group:
    """Read xmlschema's *group*, without what may stand beside it (XSD 1.1's open content)."""
    return Group(
        order=Order(group.model or "sequence"),
        parts=tuple(_part(part) for part in group.content if part.max_occurs != 0),
        low=group.min_occurs,
        high=group.max_occurs,
    )


def _part(part: Any) -> Particle:
    if hasattr(part, "model"):
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


def _example(wildcard: Any) -> str:
    named = [f"{{{uri}}}any" for uri in wildcard.namespace if not uri.startswith("##")]
    fitting = (name for name in ("{urn:any}any", "any", *named) if wildcard.is_matching(name))
    return next(fitting, "any")


def takes(part: Particle, tag: str) -> bool:
    """Say whether a child named *tag* has a place, wherever."""
    match part:
        case ElementParticle():
            return tag in part.names
        case Wildcard():
            return part.allows(tag)
        case Group():
            return any(takes(inner, tag) for inner in part.parts)


def fits(content: Group, tags: Sequence[str]) -> bool:
    """Say whether children named *tags* are what *content* asks for; of what has too many ways to be so, no."""
    states: dict[object, State] = {0: (content,)}
    for tag in tags:
        states = {
            _likeness(rest): rest for state in states.values() for missing, rest in _in_turn(state, tag) if not missing
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


def slips(content: Group, tags: Sequence[str], *, ended: bool = True) -> Iterator[Slip]:
    """
    Say what is wrong with children named *tags*, one after the other; not *ended*, more of them may come.

    What stands too early or too late is told there and not missed where it should be.
    """
    state: State = (content,)
    states: list[State] = []
    known = frozenset(names_in(content))
    came: Counter[str] = Counter()
    last = {tag: at for at, tag in enumerate(tags)}
    elsewhere: set[str] = set()
    for at, tag in enumerate(tags):
        states.append(state)
        way = _step(state, tag)
        if way is None:
            yield _no_way(content, states, tags, at, came) if tag in known else Unknown(at=at)
            elsewhere.add(tag)
            continue
        missing, rest = way
        needs = [need for part in missing for need in _needs(part)]
        sought = [need for need in needs if elsewhere.isdisjoint(need.names)]
        late = [need for need in sought if any(last.get(name, -1) > at for name in need.names)]
        if late and tags[at + 1] in late[0].names:
            yield Misplaced(at=at, must=late[0].names)
            elsewhere.add(tag)
            continue
        elsewhere.update(name for need in late for name in need.names)
        yield from (Missing(need=need, at=at, told=need in sought and need not in late) for need in needs)
        came[tag] += 1
        state = rest
    if ended:
        for need in (need for part in state if not part.may_end for need in _needs(part)):
            yield Missing(need=need, at=len(tags), told=elsewhere.isdisjoint(need.names))


def told(slip: Slip, tags: Sequence[str], parent: str, child: Callable[[int], str]) -> tuple[str, str, dict[str, str]]:
    """Give the rule, the path and the facts of *slip* in the element at *parent*; *child* gives a child's path."""
    match slip:
        case Unknown():
            return "unexpected_element", child(slip.at), {}
        case TooMany():
            return "too_many", child(slip.at), {"max": str(slip.most)}
        case Misplaced():
            facts = {"expected": _listed(slip.must), "allowed": _listed(slip.may)}
            if slip.before is not None:
                facts = {"before": readable(tags[slip.before])}
            return "misplaced_element", child(slip.at), {name: fact for name, fact in facts.items() if fact}
        case Excluded():
            facts = {"choices": ", ".join(slip.choices)}
            if slip.most == 1:
                facts["beside"] = readable(slip.beside)
            elif slip.most is not None:
                facts["max"] = str(slip.most)
            return "too_many_of_choice", child(slip.at), facts
        case Missing(need=need):
            if not need.names:
                return "missing_any", parent, {}
            if len(need.names) > 1:
                return "incomplete", parent, {"expected": _listed(need.names)}
            path = f"{parent}/{readable(need.names[0])}"
            return ("too_few", path, {"min": str(need.least)}) if need.least else ("missing_element", path, {})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(readable, names))


def readable(name: str) -> str:
    """Drop the namespace of ``{uri}local``."""
    return shown_name(name.rpartition("}")[2])


def _no_way(content: Group, states: Sequence[State], tags: Sequence[str], at: int, came: Counter[str]) -> Slip:
    """Say why a child cannot come any more, whatever came before it; *came* counts the children that could."""
    tag = tags[at]
    most = _most(content, tag)
    if most is not None and came[tag] >= most:
        return TooMany(at=at, most=most)
    choice = _choice_between(content, tag, came)
    alone = sum(name == tag for name in names_in(content)) == 1
    if choice is not None and alone and _is_spent(choice, came):
        return _excluded(choice, at)
    tried: State | None = None
    doubts = 0
    for before, state in enumerate(states[:_FARTHEST]):
        way = None if state is tried else _step(state, tag)
        if way is not None and not way[0] and tags[before] != tag:
            if _goes_on(way[1], tags[before:at]):
                return Misplaced(at=at, before=before)
            doubts += 1
            if doubts == _MOST_DOUBTS:
                break
        tried = state
    if choice is not None:
        return _excluded(choice, at)
    return Misplaced(at=at, may=tuple(dict.fromkeys(_first(states[-1]))))


def _goes_on(state: State, tags: Sequence[str]) -> bool:
    """Say whether children named *tags* may still come, whatever is missing among them."""
    for tag in tags[:_FARTHEST_AFTER]:
        way = _step(state, tag)
        if way is None:
            return False
        state = way[1]
    return True


@dataclass(frozen=True, slots=True)
class _Choice:
    """A choice between a child and *beside*, which came; its parts come *most* times in all."""

    group: Group
    most: int | None
    beside: str


def _choice_between(part: Particle, tag: str, came: Counter[str], times: int | None = 1) -> _Choice | None:
    """Find the innermost choice between *tag* and what *came*; *part* itself may come *times* times."""
    if not isinstance(part, Group) or tag not in names_in(part):
        return None
    most = None if times is None or part.high is None else times * part.high
    for inner in part.parts:
        found = _choice_between(inner, tag, came, most)
        if found is not None:
            return found
    if part.order is not Order.CHOICE or most is None:
        return None
    others = {name for inner in part.parts if tag not in (names := set(names_in(inner))) for name in names}
    beside = next((name for name, count in came.items() if count and name in others), None)
    return None if beside is None else _Choice(group=part, most=most, beside=beside)


def _is_spent(choice: _Choice, came: Counter[str]) -> bool:
    """Say whether nothing of *choice* may come any more, wherever."""
    return choice.most == 1 or (_is_countable(choice.group) and _times(choice.group, came) >= (choice.most or 0))


def _is_countable(group: Group) -> bool:
    """Say whether each child stands for one time that *group* came."""
    return all(isinstance(part, ElementParticle) and part.high == 1 for part in group.parts)


def _times(group: Group, came: Counter[str]) -> int:
    return sum(came[name] for name in set(names_in(group)))


def _excluded(choice: _Choice, at: int) -> Excluded:
    parts = choice.group.parts
    shown = tuple(map(_alternative, parts[:_MOST_CHOICES])) + (("…",) if len(parts) > _MOST_CHOICES else ())
    most = choice.most if choice.most == 1 or _is_countable(choice.group) else None
    return Excluded(at=at, beside=choice.beside, choices=shown, most=most)


def _alternative(part: Particle) -> str:
    """Name all that comes together where *part* is chosen."""
    match part:
        case ElementParticle():
            return " / ".join(map(readable, part.shown))
        case Wildcard():
            return "…"
        case Group(order=Order.CHOICE):
            return " / ".join(map(_alternative, part.parts[:_MOST_CHOICES]))
        case Group():
            return " + ".join(map(_alternative, part.parts[:_MOST_CHOICES]))


def _step(state: State, tag: str) -> tuple[State, State] | None:
    """Find what has to be passed over for *tag* to come, as little as possible, and what is left then."""
    best: tuple[State, State] | None = None
    for missing, rest in _in_turn(state, tag):
        if not missing:
            return missing, rest
        if best is None or len(missing) < len(best[0]):
            best = missing, rest
    return best


def _in_turn(parts: State, tag: str) -> Iterator[tuple[State, State]]:
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
            for missing, rest in _in_turn(part.parts, tag):
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
    """Give what is left of *part* once it came."""
    if part.high == 1:
        return ()
    if part.high is None and part.low == 0:
        return (part,)
    return (replace(part, low=max(0, part.low - 1), high=None if part.high is None else part.high - 1),)


def _needs(part: Particle) -> Iterator[Need]:
    """Say what *part*, which may not be left out, asks for."""
    match part:
        case ElementParticle():
            least = part.least if part.low < part.least else 0
            yield Need(names=part.shown, stand_in=part.shown[0], count=part.low, least=least)
        case Wildcard():
            yield Need(names=(), stand_in=part.example, count=part.low)
        case Group(order=Order.CHOICE):
            names = tuple(dict.fromkeys(_first((part,))))
            stand_ins = (need.stand_in for inner in part.parts for need in _needs(inner))
            yield Need(names=names, stand_in=next(stand_ins))
        case Group():
            for inner in part.parts:
                if not inner.may_end:
                    yield from _needs(inner)


def _first(state: State) -> Iterator[str]:
    """Name what may come first."""
    for part in state:
        match part:
            case ElementParticle():
                yield from part.shown
            case Group(order=Order.SEQUENCE):
                yield from _first(part.parts)
            case Group():
                for inner in part.parts:
                    yield from _first((inner,))
        if not part.may_end:
            return


def names_in(part: Particle) -> Iterator[str]:
    """Name all elements that have a place."""
    match part:
        case ElementParticle():
            yield from part.names
        case Group():
            for inner in part.parts:
                yield from names_in(inner)


def _most(part: Particle, tag: str) -> int | None:
    """Say how often *tag* may come in all; None without a bound."""
    match part:
        case ElementParticle():
            return part.high if tag in part.names else 0
        case Wildcard():
            return 0
    counts = [_most(inner, tag) for inner in part.parts]
    known = [count for count in counts if count is not None]
    within = max(known, default=0) if part.order is Order.CHOICE else sum(known)
    if len(known) < len(counts) or (within and part.high is None):
        return None
    return within * (part.high or 0)
