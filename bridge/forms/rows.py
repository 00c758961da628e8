"""Which rows of two lists are the same ones, by what makes them equal."""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_MOST_EQUAL = 1_000_000
"""Above so many pairs of equal rows, rows are paired with the next equal one instead of in the longest run."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Pairs of equal rows in their order."""

    old: int
    new: int
    rest: "_Run | None"


def equal_rows(olds: Sequence[int], news: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Pair equal rows in their order: as many as there can be, where looking for them is not too much work."""
    before, after = Counter(olds), Counter(news)
    if sum(count * after[row] for row, count in before.items()) <= _MOST_EQUAL:
        return longest_run(olds, news)
    # The work for that grows with the pairs of equal rows. What is paired otherwise than in the longest run is found as
    # moved, never as lost.
    return _next_equal(olds, news)


def longest_run(olds: Sequence[int], news: Sequence[int]) -> list[tuple[int, int]]:
    """
    The longest run of rows that both have in this order; of several the one whose rows come first.

    By Hunt and Szymanski, from behind: each pair of equal rows is looked at once.
    """
    places: dict[int, list[int]] = {}
    for place, row in enumerate(news):
        places.setdefault(row, []).append(place)
    begins: list[int] = []  # of the runs of each length, where the one that begins last begins, counted from behind
    runs: list[_Run] = []
    for old in range(len(olds) - 1, -1, -1):
        for new in places.get(olds[old], ()):
            length = bisect_left(begins, -new)
            run = _Run(old, new, runs[length - 1] if length else None)
            if length == len(begins):
                begins.append(-new)
                runs.append(run)
            else:
                begins[length], runs[length] = -new, run
    pairs: list[tuple[int, int]] = []
    left = runs[-1] if runs else None
    while left is not None:
        pairs.append((left.old, left.new))
        left = left.rest
    return pairs


def _next_equal(olds: Sequence[int], news: Sequence[int]) -> Iterator[tuple[int, int]]:
    places: dict[int, deque[int]] = {}
    for place, row in enumerate(news):
        places.setdefault(row, deque()).append(place)
    second = 0
    for old, row in enumerate(olds):
        left = places.get(row)
        while left and left[0] < second:
            left.popleft()
        if left:
            second = left[0] + 1
            yield old, left[0]
