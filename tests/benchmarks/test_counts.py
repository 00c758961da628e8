"""How counts come of transactions and calls, and what is said where they differ from the committed ones."""

from dataclasses import asdict, replace

import pytest

from benchmarks.counting import Counted
from benchmarks.counts import (
    GOALS,
    WORDS,
    Counts,
    Found,
    as_json,
    better,
    between,
    by_clock_a_press,
    committed,
    from_json,
    is_by_clock,
    median_of,
    rounds,
    tell,
    worse,
)
from benchmarks.outside import Interval

OF_A_PRESS = Counted(ended_at=1.0, thread="bridge-request_0", statements=3, wrote=True, operation_selects=1)
BY_CLOCK = replace(OF_A_PRESS, thread="bridge-queue", wrote=False, operation_selects=0)
KNOWN = Found(
    counts=Counts(
        statements=100,
        write_transactions=12,
        operation_selects=6,
        calls=13,
        rounds=12,
        idle_statements_per_second=20.0,
    ),
    by_clock=20,
)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        pytest.param([], 0, id="none"),
        pytest.param([(0, 5), (1, 6)], 1, id="two side by side are one"),
        pytest.param([(0, 5), (5, 9)], 2, id="one after the other are two"),
        pytest.param([(0, 5), (1, 6), (2, 7), (7, 9)], 2, id="three side by side, and one"),
        pytest.param([(0, 9), (0, 4), (4, 8)], 2, id="two beside a long one"),
        pytest.param([(7, 9), (0, 5), (5, 7)], 3, id="in any order"),
    ],
)
def test_rounds_are_the_longest_row_of_calls(calls: list[Interval], expected: int) -> None:
    """Calls that overlap are waited for together."""
    assert rounds(calls) == expected


@pytest.mark.parametrize(
    ("transaction", "clock"),
    [
        pytest.param(OF_A_PRESS, False, id="of a request"),
        pytest.param(replace(OF_A_PRESS, thread="dbos-executor-_0"), False, id="of a run"),
        pytest.param(replace(OF_A_PRESS, thread="bridge-something"), False, id="of whom nobody knows"),
        pytest.param(BY_CLOCK, True, id="a look at the queue"),
        pytest.param(replace(BY_CLOCK, wrote=True), False, id="a look that took something"),
        pytest.param(replace(BY_CLOCK, thread="bridge-finished"), True, id="a look at who is done"),
        pytest.param(replace(OF_A_PRESS, thread="ThreadPoolExecutor-2_0"), True, id="of the scheduler"),
    ],
)
def test_looks_are_told_from_what_a_press_asks(transaction: Counted, clock: bool) -> None:
    """A thread that is not known is counted for the press, so that nothing new is hidden."""
    assert is_by_clock(transaction) is clock


def test_a_press_costs_the_median_without_the_clock() -> None:
    """One press in which something else happened does not change it, nor do any looks."""
    usual, unusual = [OF_A_PRESS, OF_A_PRESS, BY_CLOCK], [OF_A_PRESS] * 9

    assert median_of([usual, unusual, [*usual, BY_CLOCK]], lambda each: each.statements) == 6


def test_looks_are_shared_out_over_eight_presses_a_second() -> None:
    """However many presses there were in that time."""
    assert by_clock_a_press([BY_CLOCK] * 160 + [OF_A_PRESS], seconds=2.0) == 30


def test_a_transaction_belongs_to_when_it_ended() -> None:
    """To one window of two that meet."""
    ends = [replace(OF_A_PRESS, ended_at=each) for each in (1.0, 2.0, 3.0)]

    assert [len(between(ends, begin, begin + 1)) for begin in (0.0, 1.0, 2.0)] == [1, 1, 1]


def test_the_same_is_neither_worse_nor_better() -> None:
    """Nor is a store of which nothing is known."""
    assert not worse({"embedded": KNOWN, "new": KNOWN}, {"embedded": KNOWN})
    assert not better({"embedded": KNOWN, "new": KNOWN}, {"embedded": KNOWN})


@pytest.mark.parametrize("figure", [each for each in GOALS if each != "idle_statements_per_second"])
def test_one_more_is_worse_and_one_less_is_better(figure: str) -> None:
    """Of each figure but the one with time in it, and its words say which and on which store."""
    value = getattr(KNOWN.counts, figure)
    more = replace(KNOWN, counts=replace(KNOWN.counts, **{figure: value + 1}))

    lost, gained = worse({"embedded": more}, {"embedded": KNOWN}), better({"embedded": KNOWN}, {"embedded": more})

    words = WORDS["of_the_press" if figure == "statements" else figure]
    assert [each.rpartition(": ")[0] for each in (*lost, *gained)] == [f"embedded: {words}"] * 2


@pytest.mark.parametrize(("idle", "expected"), [(22.9, 0), (23.1, 1)])
def test_idle_has_a_tolerance(idle: float, expected: int) -> None:
    """A look more or less in a few seconds is chance."""
    now = replace(KNOWN, counts=replace(KNOWN.counts, idle_statements_per_second=idle))

    assert len(worse({"embedded": now}, {"embedded": KNOWN})) == expected


def test_more_looks_hide_no_statement_of_the_press() -> None:
    """The same in all, with fewer by the clock, is a press that asks more."""
    now = replace(KNOWN, by_clock=KNOWN.by_clock - 1)

    assert worse({"embedded": now}, {"embedded": KNOWN}) == [
        "embedded: SQL statements, commits and rollbacks of the press itself: 81, and 80 are committed"
    ]


@pytest.mark.parametrize(("calls", "good", "word"), [(14, False, "Worse"), (12, True, "Better")])
def test_who_counts_is_told_which_and_how_to_accept(
    capsys: pytest.CaptureFixture[str], calls: int, good: bool, word: str
) -> None:
    """Both ways; only a worse one fails."""
    now = replace(KNOWN, counts=replace(KNOWN.counts, calls=calls))

    assert tell({"embedded": now}, {"embedded": KNOWN}) is good

    said = capsys.readouterr().err
    assert said.startswith(f"{word} than committed:\n  embedded: calls to other systems: {calls}, and 13 are committed")
    assert "--counts --accept" in said


def test_counts_are_printed_by_store_with_six_figures() -> None:
    """As they are read again from the file in which they are committed."""
    printed = as_json({"embedded": KNOWN}, {"postgresql": "not installed"})

    assert printed["counts"] == {"embedded": asdict(KNOWN.counts)}
    assert set(printed["counts"]["embedded"]) == set(GOALS)
    assert printed["skipped"] == {"postgresql": "not installed"}
    assert from_json(printed) == {"embedded": KNOWN}


def test_figures_are_committed_for_both_stores() -> None:
    """So that the check has something to hold on to."""
    assert set(committed()) == {"embedded", "postgresql"}
