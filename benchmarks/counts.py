"""
What a press costs, counted: statements, transactions, calls and rounds, which no other work on the machine changes.

Presses come one at a time, each of a dialog whose element is known, and what is told is the median of them. Times are
nowhere in it but one: how often the bridge looks for something to do, which is counted for each second. The committed
figures lie in ``counts.json`` beside this, and a check holds what was counted against them.
"""

import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import requests

from benchmarks.book import Book, open_book
from benchmarks.counting import Counted, read_counted
from benchmarks.outside import Button, Interval, Outside
from benchmarks.processes import Databases, DidNotStart, NotAvailable, free_address, sandbox, service
from benchmarks.report import draw

COMMITTED = Path(__file__).with_name("counts.json")
COMMAND = "python -m benchmarks.write_action --counts"
RATE = 8
"""Presses a second for which what is done by the clock is shared out."""
WARM_UP, COUNTED, DELAYED = 3, 11, 3
"""Presses before anything is counted, those whose statements are, and those whose calls and rounds are."""
AFTER = 0.04
"""Seconds from an answer until the next press at the least: the engine writes down the end of a run after it."""
DELAY = 50.0
"""Milliseconds that each call takes, where rounds are counted: calls side by side begin within less."""
SETTLED, IDLE = 1.5, 5.0
"""Seconds from the last press until nothing happens, and those in which statements are then counted."""
TOLERANCES: Mapping[str, float] = {"idle_statements_per_second": 0.15, "by_clock": 0.25}
"""
How much higher the figures may be that have time in them. Five seconds hold ten looks of a loop that looks each half
second, or nine, or eleven. Between presses a look comes 30 ms after the end of the last one, which other work puts
off: runs beside some gave from 22 to 27 statements. All other figures are exact.
"""
BY_CLOCK = ("bridge-finished", "dbos-background", "queue-worker-", "Thread-", "ThreadPoolExecutor-")
"""
Threads that look, or tell that they are alive, when it is time: ours that waits for operations, the engine's, and the
scheduler's. A thread that is not known belongs to the press.
"""
QUEUE = "bridge-queue"
"""Its looks are by the clock; where it takes a run it writes, and that is the press's."""

GOALS: Mapping[str, str] = {
    "statements": "≤ 35",
    "write_transactions": "≤ 6",
    "operation_selects": "≤ 2",
    "calls": "≤ 11",
    "rounds": "≤ 7",
    "idle_statements_per_second": "≤ 3",
}
WORDS: Mapping[str, str] = {
    "statements": "SQL statements, commits and rollbacks in all, at 8 presses a second",
    "write_transactions": "write transactions, each a forced write to disk",
    "operation_selects": "SELECTs of the whole operation row",
    "calls": "calls to other systems",
    "rounds": "rounds: calls one after the other",
    "idle_statements_per_second": "statements a second when nothing happens",
    "of_the_press": "SQL statements, commits and rollbacks of the press itself",
    "by_clock": "SQL statements, commits and rollbacks by the clock, at 8 presses a second",
}

Store = tuple[Callable[[], AbstractContextManager[Databases]], int]
"""What brings its databases, and how many workers run beside the web processes."""
_Pair = tuple[str, str, float, float]
"""A store, a figure of it, what it is now, and what is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one press costs on one store, and what nothing costs."""

    statements: int
    write_transactions: int
    operation_selects: int
    calls: int
    rounds: int
    idle_statements_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The counts of one store; *by_clock* of its statements are there because time passed, not because of a press."""

    counts: Counts
    by_clock: int


def rounds(intervals: Iterable[Interval]) -> int:
    """How many of the calls came one after the other: the longest row of them of which none overlaps the next."""
    count, last = 0, float("-inf")
    for began, ended in sorted(intervals, key=lambda each: each[1]):
        if began >= last:
            count, last = count + 1, ended
    return count


def is_by_clock(transaction: Counted) -> bool:
    """Whether a transaction was there because it was time to look, and not because of a press."""
    looked = transaction.thread == QUEUE and not transaction.wrote
    return looked or transaction.thread.startswith(BY_CLOCK)


def between(transactions: Iterable[Counted], begin: float, end: float) -> list[Counted]:
    """Those of *transactions* that ended after *begin*, and not after *end*."""
    return [each for each in transactions if begin < each.ended_at <= end]


def median_of(windows: Sequence[Sequence[Counted]], figure: Callable[[Counted], int]) -> int:
    """The median over presses, each with the transactions of its window, of the sum of a figure of theirs."""
    sums = [sum(figure(each) for each in window if not is_by_clock(each)) for window in windows]
    return statistics.median_low(sums)


def by_clock_a_press(transactions: Iterable[Counted], *, seconds: float) -> int:
    """How many statements of so many *seconds* of work are by the clock, shared out over ``RATE`` presses a second."""
    return round(sum(each.statements for each in transactions if is_by_clock(each)) / seconds / RATE)


def count(stores: Mapping[str, Store]) -> tuple[dict[str, Found], dict[str, str]]:
    """
    What was counted on each of *stores*, and why others were left out.

    Raises:
        DidNotStart: A process ended, or a press was not answered as it should be.
    """
    found: dict[str, Found] = {}
    skipped: dict[str, str] = {}
    alone = Lock()
    # Starting and waiting is most of it; only while statements are counted nothing else is pressed.
    with ThreadPoolExecutor(len(stores)) as pool:
        waited = {name: pool.submit(_count, *store, alone=alone) for name, store in stores.items()}
    for name, each in waited.items():
        try:
            found[name] = each.result()
        except NotAvailable as reason:
            skipped[name] = str(reason)
    return found, skipped


def as_json(found: Mapping[str, Found], skipped: Mapping[str, str]) -> dict[str, Any]:
    """What was counted, for machines: the figures by store, how much of them is by the clock, and what was left out."""
    return {
        "counts": {name: asdict(each.counts) for name, each in found.items()},
        "by_clock": {name: each.by_clock for name, each in found.items()},
        "skipped": dict(skipped),
    }


def from_json(value: Mapping[str, Any]) -> dict[str, Found]:
    """The figures by store, of what ``as_json`` made of them."""
    return {
        name: Found(counts=Counts(**each), by_clock=value["by_clock"][name]) for name, each in value["counts"].items()
    }


def committed() -> dict[str, Found]:
    """The figures that were accepted last; none where there are none."""
    return from_json(json.loads(COMMITTED.read_text("utf-8"))) if COMMITTED.exists() else {}


def accept(found: Mapping[str, Found]) -> None:
    """Keep *found* as the figures to hold later ones against; stores that were not counted keep theirs."""
    kept = as_json({**committed(), **found}, {})
    del kept["skipped"]
    COMMITTED.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


def worse(found: Mapping[str, Found], known: Mapping[str, Found]) -> list[str]:
    """A sentence for each figure that is higher than the one that is known."""
    return [_sentence(*each) for each in _compared(found, known) if each[2] > each[3] * _leeway(each[1])]


def better(found: Mapping[str, Found], known: Mapping[str, Found]) -> list[str]:
    """A sentence for each figure that is lower than the one that is known."""
    # A busy machine looks less often than it should, which is no gain: twice the tolerance is more than that.
    return [_sentence(*each) for each in _compared(found, known) if each[3] > each[2] * _leeway(each[1]) ** 2]


def tell(found: Mapping[str, Found], known: Mapping[str, Found]) -> bool:
    """Whether no figure of *found* is worse than what is known; which differ, and what to do, is printed to stderr."""
    if known and (gained := better(found, known)):
        _print("Better than committed:", *gained, f"Keep it: {COMMAND} --accept, and commit {COMMITTED.name}.")
    if not (lost := worse(found, known)):
        return True
    way = f"Find what asks more than before; where it must: {COMMAND} --accept, commit {COMMITTED.name}, and say why."
    _print("Worse than committed:", *lost, way)
    return False


def show_counts(found: Mapping[str, Found], skipped: Mapping[str, str]) -> None:
    """Print a row for each figure and a column for each store."""
    lines = [
        [WORDS[name], *(f"{getattr(each.counts, name):g}" for each in found.values()), goal]
        for name, goal in GOALS.items()
    ]
    lines.insert(1, ["– of them by the clock", *(f"{each.by_clock}" for each in found.values()), ""])
    draw(["for one press", *found, "goal"], lines)
    for name, reason in skipped.items():
        print(f"{name} was skipped: {reason}")


def _print(head: str, *lines: str) -> None:
    print(head, *(f"  {each}" for each in lines), sep="\n", file=sys.stderr)


def _compared(found: Mapping[str, Found], known: Mapping[str, Found]) -> Iterator[_Pair]:
    for store in sorted(found.keys() & known.keys()):
        now, was = _figures(found[store]), _figures(known[store])
        yield from ((store, figure, now[figure], was[figure]) for figure in now)


def _sentence(store: str, figure: str, now: float, was: float) -> str:
    return f"{store}: {WORDS[figure]}: {now:g}, and {was:g} are committed"


def _figures(found: Found) -> dict[str, float]:
    """What is compared: of the statements in all only those by the clock have a tolerance, so that they are two."""
    figures = asdict(found.counts)
    return {"of_the_press": figures.pop("statements") - found.by_clock, "by_clock": found.by_clock, **figures}


def _leeway(figure: str) -> float:
    return 1 + TOLERANCES.get(figure, 0)


def _count(bring: Callable[[], AbstractContextManager[Databases]], workers: int, *, alone: Lock) -> Found:
    with tempfile.TemporaryDirectory(prefix="bridge-counts-") as folder, bring() as databases, sandbox() as outer:
        outside, log, url = Outside(outer.url), Path(folder) / "transactions", databases.make()
        environ = {
            **outside.settings,
            "BRIDGE_DATABASE_URL": url,
            "BRIDGE_LISTEN": free_address(),
            "BRIDGE_ANSWER_WITHIN": "10",
            # Of several that look for work each does by the clock what one does, and it is chance which has a press.
            "BRIDGE_WEB_PROCESSES": "1",
        }
        command = ("-m", "benchmarks.counting", str(log))
        with service(environ, workers=min(1, workers), command=command) as processes, open_book(url) as book:
            return _counted(_Presses(processes[0].url, outside, book), log, alone)


class _Presses:
    """Buttons of dialogs whose elements are known, pressed one at a time."""

    def __init__(self, url: str, outside: Outside, book: Book) -> None:
        self._url, self.outside, self._book = url, outside, book
        self._session = requests.Session()

    def buttons(self, count: int) -> list[Button]:
        """So many new ones."""
        made = self.outside.buttons(count, bridge_url=self._url)
        self._book.link(made)
        return made

    def press(self, buttons: Sequence[Button]) -> list[float]:
        """When each of *buttons* was pressed, ``RATE`` a second or as fast as they are done; and when all was over."""
        moments: list[float] = []
        for button in buttons:
            moments.append(time.monotonic())
            asked = button.press
            answer = self._session.request(
                asked.method, f"{self._url}{asked.path}", headers=dict(asked.headers), timeout=60
            )
            if answer.status_code != 204:
                raise DidNotStart(f"a press was answered {answer.status_code}, not 204")
            time.sleep(max(AFTER, moments[-1] + 1 / RATE - time.monotonic()))
        return [*moments, time.monotonic()]


def _counted(presses: _Presses, log: Path, alone: Lock) -> Found:
    presses.press(presses.buttons(WARM_UP))
    buttons = presses.buttons(COUNTED)
    with alone:
        moments = presses.press(buttons)
    presses.outside.delay(DELAY)
    delayed = presses.buttons(DELAYED)
    presses.outside.forget_calls()
    presses.press(delayed)
    calls = presses.outside.intervals(delayed)
    time.sleep(SETTLED)
    idle = time.monotonic()
    time.sleep(IDLE)
    transactions = read_counted(log)
    windows = [between(transactions, begin, end) for begin, end in itertools.pairwise(moments)]
    busy = between(transactions, moments[0], moments[-1])
    by_clock = by_clock_a_press(busy, seconds=moments[-1] - moments[0])
    quiet = sum(each.statements for each in between(transactions, idle, idle + IDLE))
    counts = Counts(
        statements=median_of(windows, lambda each: each.statements) + by_clock,
        write_transactions=median_of(windows, lambda each: int(each.wrote)),
        operation_selects=median_of(windows, lambda each: each.operation_selects),
        calls=statistics.median_low(len(each) for each in calls),
        rounds=statistics.median_low(rounds(each) for each in calls),
        idle_statements_per_second=round(quiet / IDLE, 1),
    )
    return Found(counts=counts, by_clock=by_clock)
