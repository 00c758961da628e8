"""
What is wrong with the children of one element, by its content model: what is missing, too many or out of place.

libxml2 names what could come next, not what is missing: behind a list that may go on it names the list. So the order is
looked at here, of all children at once; the verdict stays libxml2's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridge.forms.xml.content_model import (
    ElementParticle,
    Group,
    Order,
    Particle,
    State,
    Wildcard,
    in_turn,
    names_in,
    readable,
)

_FARTHEST = 2_000
"""So many children are looked at for the place that one of them should have had."""
_FARTHEST_AFTER = 250
_MOST_DOUBTS = 8
"""So many places are tried, and so many children behind each."""
_MOST_CHOICES = 12


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


def slips(content: Group, tags: Sequence[str], *, ended: bool = True) -> Iterator[Slip]:
    """
    What is wrong with children named *tags*, one after the other; not *ended*, more of them may come.

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
            yield _no_way(content, states, tags, at=at, came=came) if tag in known else Unknown(at=at)
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


def told(
    slip: Slip, *, tags: Sequence[str], parent: str, child: Callable[[int], str], named: Callable[[str], str]
) -> tuple[str, str, dict[str, str]]:
    """
    The rule, the path and the facts of *slip* in the element at *parent*.

    *child* gives a child's path, *named* the name that the form would give an element.
    """
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
            path = f"{parent}/{named(need.names[0])}"
            return ("too_few", path, {"min": str(need.least)}) if need.least else ("missing_element", path, {})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(readable, names))


def _no_way(content: Group, states: Sequence[State], tags: Sequence[str], *, at: int, came: Counter[str]) -> Slip:
    """Why a child cannot come any more, whatever came before it; *came* counts the children that could."""
    tag = tags[at]
    most = _most(content, tag)
    if most is not None and came[tag] >= most:
        return TooMany(at=at, most=most)
    choice = _choice_between(content, tag, came)
    alone = sum(name == tag for name in names_in(content)) == 1
    if choice is not None and alone and _is_spent(choice, came):
        return _excluded(choice, at)
    # Behind a long list, where it may stand as well, the place is among the last.
    for numbers in (range(min(at, _FARTHEST)), range(at - 1, max(-1, at - 1 - _FARTHEST), -1)):
        before = _fitting_place(states, tags, at=at, among=numbers)
        if before is not None:
            return Misplaced(at=at, before=before)
    if choice is not None:
        return _excluded(choice, at)
    return Misplaced(at=at, may=tuple(dict.fromkeys(_first(states[-1]))))


def _fitting_place(states: Sequence[State], tags: Sequence[str], *, at: int, among: Iterable[int]) -> int | None:
    """The first of the children *among* these before which child number *at* may stand, with all up to it behind it."""
    tried: State | None = None
    doubts = 0
    for before in among:
        state = states[before]
        way = None if state is tried else _step(state, tags[at])
        if way is not None and not way[0] and tags[before] != tags[at]:
            if _goes_on(way[1], tags[before:at]):
                return before
            doubts += 1
            if doubts == _MOST_DOUBTS:
                break
        tried = state
    return None


def _goes_on(state: State, tags: Sequence[str]) -> bool:
    """Whether children named *tags* may still come, whatever is missing among them."""
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


def _choice_between(part: Particle, tag: str, came: Counter[str], *, times: int | None = 1) -> _Choice | None:
    """The innermost choice between *tag* and what *came*; *part* itself may come *times* times."""
    if not isinstance(part, Group) or tag not in names_in(part):
        return None
    most = None if times is None or part.high is None else times * part.high
    for inner in part.parts:
        found = _choice_between(inner, tag, came, times=most)
        if found is not None:
            return found
    if part.order is not Order.CHOICE or most is None:
        return None
    others = {name for inner in part.parts if tag not in (names := set(names_in(inner))) for name in names}
    beside = next((name for name, count in came.items() if count and name in others), None)
    return None if beside is None else _Choice(group=part, most=most, beside=beside)


def _is_spent(choice: _Choice, came: Counter[str]) -> bool:
    """Whether nothing of *choice* may come any more, wherever."""
    return choice.most == 1 or (_is_countable(choice.group) and _times(choice.group, came) >= (choice.most or 0))


def _is_countable(group: Group) -> bool:
    """Whether each child stands for one time that *group* came."""
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
    """What has to be passed over for *tag* to come, as little as possible, and what is left then."""
    best: tuple[State, State] | None = None
    for missing, rest in in_turn(state, tag):
        if not missing:
            return missing, rest
        if best is None or len(missing) < len(best[0]):
            best = missing, rest
    return best


def _needs(part: Particle) -> Iterator[Need]:
    """What *part*, which may not be left out, asks for."""
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


def _most(part: Particle, tag: str) -> int | None:
    """How often *tag* may come in all; None without a bound."""
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
