"""What anchors tie to the beginning or the end of a value, and where a pattern can be taken apart."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

QUANTIFIER = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}")
OPEN_END = re.compile(r"\)[*+?]\)*\Z")
"""How a branch ends behind which libxml2 takes other branches for a way into its end."""
_LONGEST = 10_000
"""Beyond so many characters ways are not told apart any more: each anchor that may be left out doubles them."""
_COUNTED = re.compile(r"\{(\d{1,4})(?:(,)(\d{0,4}))?\}")
_MOST_SPELLED = 30


@dataclass(frozen=True, slots=True)
class Way:
    """One way through a part of a pattern, and whether it is good at the beginning, or at the end, of a value only."""

    text: str
    empty: bool
    """Whether it fits a text of no letters."""
    starts: bool = False
    ends: bool = False


def either(several: Iterable[tuple[Way, ...]]) -> tuple[Way, ...]:
    """The ways through one of *several* parts: at most one for each place where it is good."""
    by_place: dict[tuple[bool, bool], list[Way]] = {}
    for ways in several:
        for way in ways:
            by_place.setdefault((way.starts, way.ends), []).append(way)
    return tuple(
        Way(_one_of([way.text for way in ways]), empty=any(way.empty for way in ways), starts=starts, ends=ends)
        for (starts, ends), ways in by_place.items()
    )


def in_turn(parts: Iterable[tuple[Way, ...]]) -> tuple[Way, ...]:
    """
    The ways through *parts*, one behind the other; what stands beyond an anchor is nothing there.

    None are told where no anchor stands in them, and where they would be too long.
    """
    ways: tuple[Way, ...] = ()
    for run in _runs(parts):
        found = either((way,) for way in (_behind(way, other) for way in ways for other in run) if way) if ways else run
        if sum(len(way.text) for way in found) > _LONGEST:
            return ()
        ways = found
    return ways if any(way.starts or way.ends for way in ways) else ()


def repeated(tied: Iterable[Way], free: Iterable[Way], any_number: str) -> tuple[Way, ...]:
    """The ways through a part that may come again: *free*, or *tied* first or last, with *any_number* in between."""
    ways = [*free]
    begun: list[Way] = []
    for way in sorted(tied, key=lambda way: way.ends):
        if not way.ends:
            begun.append(Way(way.text + any_number, empty=way.empty, starts=True))
        elif way.starts:
            ways.append(way)
        else:
            last = Way(any_number + way.text, empty=way.empty, ends=True)
            ways += [last, *(Way(f"{first.text}{way.text}", empty=False, starts=True, ends=True) for first in begun)]
    return either((way,) for way in (*ways, *begun))


def whole(ways: tuple[Way, ...]) -> str:
    """The pattern of a value that goes one of these *ways*."""
    return _one_of([way.text for way in ways])


def _runs(parts: Iterable[tuple[Way, ...]]) -> Iterator[tuple[Way, ...]]:
    """The parts, those of one free way put together: most patterns are nothing else."""
    free: list[Way] = []
    for ways in parts:
        if len(ways) == 1 and not ways[0].starts and not ways[0].ends:
            free.append(ways[0])
            continue
        if free:
            yield (_joined(free),)
            free = []
        yield ways
    if free:
        yield (_joined(free),)


def _joined(free: list[Way]) -> Way:
    return Way("".join(way.text for way in free), empty=all(way.empty for way in free))


def _behind(way: Way, other: Way) -> Way | None:
    if (way.ends and not other.empty) or (other.starts and not way.empty):
        return None
    text = ("" if other.starts else way.text) + ("" if way.ends else other.text)
    empty = (way.empty or other.starts) and (other.empty or way.ends)
    return Way(text, empty=empty, starts=way.starts or other.starts, ends=way.ends or other.ends)


def _one_of(texts: list[str]) -> str:
    """A pattern that stands by itself, for one of *texts*, those with an open end last."""
    filled = sorted(dict.fromkeys(filter(None, texts)), key=lambda text: OPEN_END.search(text) is not None)
    if len(filled) < 2 and "" not in texts:
        return filled[0]
    joined = "|".join(filled)
    return f"({joined})" + "?" * ("" in texts) if filled else ""


def outside_classes(pattern: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """What stands from *start* on in no character class and behind no backslash, each with its place."""
    deep, at, begins = 0, start, False
    while at < len(pattern):
        character = pattern[at]
        # In a class only what is taken away opens another, and what comes first does not close it.
        opens = character == "[" if not deep else pattern.startswith("-[", at)
        if opens:
            at += deep > 0
            at += pattern.startswith("^", at + 1)
            deep += 1
        elif character == "\\":
            at += 1
        elif not deep:
            yield at, character
        elif character == "]" and not begins:
            deep -= 1
        begins = opens
        at += 1


def spelled_out(atom: str, often: str, *, again: bool) -> str | None:
    """The *atom* as *often* as that, without a count; None if it has none or a high one. *again*: it is in a loop."""
    counted = _COUNTED.fullmatch(often)
    if counted is None:
        return None
    low = int(counted[1])
    if counted[2] and not counted[3]:
        return atom * (low - 1) + f"{atom}+" if 0 < low <= _MOST_SPELLED else None
    more = int(counted[3] or low) - low
    if not 0 <= more <= _MOST_SPELLED or (more == 0 and (low == 0 or low > _MOST_SPELLED or not (again or low < 4))):
        return None
    bare = low < 4 or (again and low <= _MOST_SPELLED)
    return (atom * low if bare else f"{atom}{{{low}}}") + f"{atom}?" * more


def from_none(often: str) -> str:
    """What means the same as *often* behind what may be nothing: as many at the most, and none at least."""
    most = re.search(r"(\d+)\}", often)
    return "*" if most is None else f"{{0,{most[1]}}}"


def after_quantifier(pattern: str, at: int) -> int:
    """The place behind the quantifier that stands *at* that place, or that place where none does."""
    found = QUANTIFIER.match(pattern, at)
    end = at if found is None else found.end()
    return end + (found is not None and pattern.startswith("?", end))


def without_anchors(pattern: str) -> str:
    """Drop an unescaped ``^`` at the start and ``$`` at the end of each branch of *pattern*."""
    return "|".join(_without_anchors(branch) for branch in _branches(pattern))


def _without_anchors(branch: str) -> str:
    branch = branch.removeprefix("^")
    escapes = len(branch[:-1]) - len(branch[:-1].rstrip("\\"))
    return branch[:-1] if branch.endswith("$") and escapes % 2 == 0 else branch


def _branches(pattern: str) -> list[str]:
    """Split at the bars that stand in no group and no character class."""
    branches, start, depth = [], 0, 0
    for at, character in outside_classes(pattern):
        if character in "()":
            depth += 1 if character == "(" else -1
        elif depth == 0 and character == "|":
            branches.append(pattern[start:at])
            start = at + 1
    return [*branches, pattern[start:]]
