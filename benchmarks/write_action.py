"""
A press on a button, measured from outside: the 204, the 202, our own overhead, and what is left in the queue.

On both stores, beside three baselines of the same minute: the bare upstream calls, the durable engine doing nothing,
and a request that does nothing. What the numbers mean stands in ``docs/performance.md``.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import requests

from benchmarks.book import DRAINED_WITHIN, open_book
from benchmarks.counts import Store, accept, as_json, committed, count, show_counts, tell
from benchmarks.load import Latency, Request, Timed, at_rate, flat_out
from benchmarks.outside import Button, Outside, bare_loop
from benchmarks.processes import (
    Databases,
    DidNotStart,
    NotAvailable,
    Process,
    free_address,
    load,
    machine,
    postgresql_databases,
    run_module,
    sandbox,
    service,
    sqlite_databases,
)
from benchmarks.report import show
from bridge.wiring import utc_now

STORES: dict[str, Store] = {
    "embedded": (sqlite_databases, 0),
    "postgresql": (postgresql_databases, 2),
}
"""Each store: what brings it, and how many ``altinn-bridge work`` run beside ``altinn-bridge serve``."""

NOTHING = Request(method="GET", path="/health/liveness", headers={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured. Rates are requests a second, the others are numbers of them."""

    warm_up: int
    rate: float
    done: int
    accepted: int
    flood: int
    clients: int
    bare: int
    engine_one_by_one: int
    engine_at_once: int


FULL = Size(
    warm_up=20,
    rate=20,
    done=300,
    accepted=200,
    flood=800,
    clients=16,
    bare=150,
    engine_one_by_one=200,
    engine_at_once=400,
)
QUICK = Size(
    warm_up=4, rate=20, done=20, accepted=10, flood=24, clients=16, bare=8, engine_one_by_one=5, engine_at_once=16
)


class DidNotWork(Exception):
    """Presses were not answered as they should; to go on would measure something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """What the same machine does without a bridge, or with an idle one."""

    bare_calls: Latency
    bare_calls_per_second: float
    bare_calls_per_second_8_threads: float
    engine_asked: Latency
    engine_run: Latency
    engine_runs_per_second: float
    nothing: Latency
    nothing_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The 204: from when a press was due until its answer, and what of that was ours."""

    answers: dict[str, int]
    calls_per_press: float
    same_calls_as_bare: bool
    dialog_calls: dict[str, float]
    """By method, for each change of a dialog, without the look-up of a dialog's first press."""
    total: Latency
    upstream: Latency
    overhead: Latency
    overhead_by_own_metrics: float | None
    cpu_milliseconds: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The 202, and what became of everything that was accepted."""

    answers: dict[str, int]
    first_use: Latency
    linked: Latency
    flood: Latency
    flood_per_second: float
    accepted: int
    lost: int
    twice: int
    left_when_flood_ended: int
    actions_per_second: float
    cpu_milliseconds: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All of one store."""

    version: str
    processes: str
    baselines: Baselines
    done: Done
    accepted: Accepted
    ratios: dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 0 if all that was accepted took effect once, 1 if not, 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.write_action", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--quick", action="store_true", help="a few of each: only to see that it runs")
    parser.add_argument("--store", choices=STORES, action="append", help="only this store; may be repeated")
    parser.add_argument("--counts", action="store_true", help="only what is counted, not what is timed")
    parser.add_argument("--check", action="store_true", help="with --counts: 1 if one is worse than the committed one")
    parser.add_argument("--accept", action="store_true", help="with --counts: keep them as the committed ones")
    arguments = parser.parse_args(argv)
    if (arguments.check or arguments.accept) and not arguments.counts:
        parser.error("--check and --accept go with --counts")
    stores = {name: STORES[name] for name in arguments.store or STORES}
    if arguments.counts:
        return _counts(stores, arguments)
    results: dict[str, Any] = {"machine": machine(), "quick": arguments.quick, "stores": {}, "skipped": {}}
    for name, (databases, workers) in stores.items():
        try:
            results["stores"][name] = asdict(_measure(databases, workers, QUICK if arguments.quick else FULL))
        except NotAvailable as reason:
            results["skipped"][name] = str(reason)
            print(f"skipped {name}: {reason}", file=sys.stderr)
        except (DidNotStart, DidNotWork) as reason:
            print(f"{name}: {reason}", file=sys.stderr)
            return 2
    results["machine"]["load_after"] = load()
    try:
        counted = {} if arguments.quick else count(stores)[0]
    except DidNotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps({**results, "counts": as_json(counted, {})["counts"]}, indent=2))
    else:
        show(results)
        show_counts(counted, {})
    return any(each["accepted"]["lost"] or each["accepted"]["twice"] for each in results["stores"].values())


def _counts(stores: Mapping[str, Store], arguments: argparse.Namespace) -> int:
    """Count and print; with ``--check`` 1 if a figure is worse than the committed one."""
    try:
        found, skipped = count(stores)
    except DidNotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(as_json(found, skipped), indent=2))
    else:
        show_counts(found, skipped)
    if arguments.accept:
        accept(found)
    return int(arguments.check and not tell(found, committed()))


def _measure(bring: Callable[[], AbstractContextManager[Databases]], workers: int, size: Size) -> Measured:
    with bring() as databases, sandbox() as outer:
        outside = Outside(outer.url)
        others = [outer] if databases.server is None else [outer, databases.server]
        _say(f"{databases.version}: baselines")
        bare, bare_rest, rates, kinds = _bare(outside, size)
        engine = run_module(
            "benchmarks.empty_engine",
            *("--database-url", databases.make()),
            *("--one-by-one", str(size.engine_one_by_one)),
            *("--at-once", str(size.engine_at_once)),
        )
        _say(f"{databases.version}: 204")
        done = _done(outside, databases, size, workers=workers, others=others, bare_rest=bare_rest, bare_kinds=kinds)
        _say(f"{databases.version}: 202")
        accepted, nothing, nothing_per_second = _accepted(outside, databases, size, workers=workers, others=others)
        baselines = Baselines(
            bare_calls=bare,
            bare_calls_per_second=rates[0],
            bare_calls_per_second_8_threads=rates[1],
            engine_asked=Latency.of(engine["asked"]),
            engine_run=Latency.of(engine["ended"]),
            engine_runs_per_second=engine["per_second"],
            nothing=nothing,
            nothing_per_second=nothing_per_second,
        )
        return Measured(
            version=databases.version,
            processes="serve, with the worker in it" if not workers else f"serve (2 processes), {workers} work",
            baselines=baselines,
            done=done,
            accepted=accepted,
            ratios={
                "204 p50 / bare calls p50": done.total.p50 / bare.p50,
                "own overhead p50 / empty engine p50": done.overhead.p50 / baselines.engine_run.p50,
                "202 p50 / empty request p50": accepted.linked.p50 / nothing.p50,
                "202 flat out / empty requests flat out": accepted.flood_per_second / nothing_per_second,
                "actions/s / bare calls in 8 threads": accepted.actions_per_second / rates[1],
                "actions/s / empty engine": accepted.actions_per_second / baselines.engine_runs_per_second,
            },
        )


def _bare(outside: Outside, size: Size) -> tuple[Latency, float, tuple[float, float], Counter[str]]:
    """Measure the bare calls; also seconds per press around the sandbox's own, and which calls they are per press."""
    bare_loop(outside, outside.buttons(size.warm_up), threads=1)
    buttons = outside.buttons(size.bare)
    outside.forget_calls()
    taken: list[float] = []
    waited = 0.0
    begin = time.perf_counter()
    for button in buttons:
        started = time.perf_counter()
        waited += sum(bare_loop(outside, [button], threads=1))
        taken.append(time.perf_counter() - started)
    alone = len(buttons) / (time.perf_counter() - begin)
    inside = sum(each.seconds for each in outside.upstream(buttons))
    kinds = outside.kinds_of_calls()
    more = outside.buttons(2 * size.bare)
    begin = time.perf_counter()
    bare_loop(outside, more, threads=8)
    together = len(more) / (time.perf_counter() - begin)
    return Latency.of(taken), (waited - inside) / len(buttons), (alone, together), kinds


def _done(
    outside: Outside,
    databases: Databases,
    size: Size,
    *,
    workers: int,
    others: Sequence[Process],
    bare_rest: float,
    bare_kinds: Counter[str],
) -> Done:
    environ = _environ(outside, databases.make(), answer_within="10")
    with service(environ, workers=workers) as processes:
        url = processes[0].url
        _warm_up(url, outside, size, wanted=204)
        buttons = outside.buttons(size.done, bridge_url=url)
        outside.forget_calls()
        metrics, cpu = _upstream_sum(url), _Cpu([*processes, *others])
        timed = at_rate(url, _presses(buttons), rate=size.rate)
        spent = cpu.milliseconds_each(len(buttons))
        waited = _upstream_sum(url) - metrics
    upstream = outside.upstream(buttons)
    kinds = outside.kinds_of_calls()
    good = [each for each in timed if each.status == 204]
    # What a bare client needs around the sandbox's own time is waiting for the answer, too: it is not ours.
    theirs = [upstream[each.index].seconds + bare_rest for each in good]
    total = Latency.of([each.seconds for each in good])
    bare_per_press = {kind: count / size.bare for kind, count in bare_kinds.items()}
    return Done(
        answers=_answers(timed),
        calls_per_press=sum(each.calls for each in upstream) / len(buttons),
        same_calls_as_bare={k: n / len(buttons) for k, n in kinds.items()} == bare_per_press,
        dialog_calls=_dialog_calls(kinds, len(buttons)),
        total=total,
        upstream=Latency.of(theirs),
        overhead=Latency.of([each.seconds - their for each, their in zip(good, theirs, strict=True)]),
        # With several processes the one that answers /metrics knows of its own calls only.
        overhead_by_own_metrics=None if workers else total.mean - 1000 * waited / len(buttons),
        cpu_milliseconds=spent,
    )


def _accepted(
    outside: Outside, databases: Databases, size: Size, *, workers: int, others: Sequence[Process]
) -> tuple[Accepted, Latency, float]:
    """Measure the 202, and the empty request on the same, idle service."""
    database_url = databases.make()
    with (
        service(_environ(outside, database_url, answer_within="0"), workers=workers) as processes,
        open_book(database_url) as book,
    ):
        url = processes[0].url
        _warm_up(url, outside, size, wanted=202)
        if not book.drained():
            raise DidNotWork(f"what was accepted first is not finished after {DRAINED_WITHIN:g} s")
        nothing = Latency.of([each.seconds for each in at_rate(url, [NOTHING] * size.accepted, rate=5 * size.rate)])
        _, nothing_per_second = flat_out(url, [NOTHING] * 2 * size.flood, clients=size.clients)

        new = outside.buttons(size.accepted, bridge_url=url)
        first_use = at_rate(url, _presses(new), rate=size.rate)
        known = outside.buttons(size.accepted, bridge_url=url)
        book.link(known)
        book.drained()
        linked = at_rate(url, _presses(known), rate=size.rate)
        many = outside.buttons(size.flood, bridge_url=url)
        book.link(many)
        book.drained()

        cpu = _Cpu([*processes, *others])
        flood, flood_per_second = flat_out(url, _presses(many), clients=size.clients)
        ended = utc_now()
        book.drained()
        spent = cpu.milliseconds_each(len(many))
        left, actions_per_second = book.finished_after(ended)
        all_presses = [*zip(new, first_use, strict=True), *zip(known, linked, strict=True)]
        all_presses += zip(many, flood, strict=True)
        accepted = [button for button, timed in all_presses if timed.status == 202]
        effects = outside.effects(accepted)
        finished = book.finished_well()
    lost = sum(
        not (each.archived and each.patched and finished[str(button.dialog_id)])
        for button, each in zip(accepted, effects, strict=True)
    )
    return (
        Accepted(
            answers=_answers([*first_use, *linked, *flood]),
            first_use=Latency.of([each.seconds for each in first_use]),
            linked=Latency.of([each.seconds for each in linked]),
            flood=Latency.of([each.seconds for each in flood]),
            flood_per_second=flood_per_second,
            accepted=len(accepted),
            lost=lost,
            twice=sum(each.archived > 1 or each.patched > 1 for each in effects),
            left_when_flood_ended=left,
            actions_per_second=actions_per_second,
            cpu_milliseconds=spent,
        ),
        nothing,
        nothing_per_second,
    )


def _dialog_calls(kinds: Counter[str], presses: int) -> dict[str, float]:
    calls: Counter[str] = Counter()
    for kind, number in kinds.items():
        if "/dialogs/" in kind:
            calls[kind.partition(" ")[0]] += number
    calls["GET"] -= presses  # Its first press looks up which element a dialog stands for.
    return {method: number / presses for method, number in sorted(calls.items())}


class _Cpu:
    """Processor time of *processes* from now on."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._before = [(each, each.cpu_seconds()) for each in processes]
        self._own = time.process_time()

    def milliseconds_each(self, count: int) -> dict[str, float]:
        """Give what each has used since, by name, divided by *count*; this process is the load."""
        spent: dict[str, float] = {}
        for process, before in self._before:
            name = "bridge" if process.name in ("serve", "work") else process.name
            spent[name] = spent.get(name, 0) + process.cpu_seconds() - before
        return {name: 1000 * seconds / count for name, seconds in spent.items()} | {
            "load": 1000 * (time.process_time() - self._own) / count
        }


def _warm_up(url: str, outside: Outside, size: Size, *, wanted: int) -> None:
    timed = at_rate(url, _presses(outside.buttons(size.warm_up, bridge_url=url)), rate=size.rate)
    if any(each.status != wanted for each in timed):
        raise DidNotWork(f"the first presses were answered {_answers(timed)}, not {wanted}")


def _environ(outside: Outside, database_url: str, *, answer_within: str) -> dict[str, str]:
    return {
        **outside.settings,
        "BRIDGE_DATABASE_URL": database_url,
        "BRIDGE_LISTEN": free_address(),
        "BRIDGE_ANSWER_WITHIN": answer_within,
    }


def _presses(buttons: Sequence[Button]) -> list[Request]:
    return [button.press for button in buttons]


def _answers(timed: Sequence[Timed]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(Counter(each.status for each in timed).items())}


def _upstream_sum(url: str) -> float:
    """Read from the bridge's own metrics how many seconds it waited for other systems."""
    lines = requests.get(f"{url}/metrics", timeout=10).text.splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.startswith("bridge_upstream_request_seconds_sum")
    )


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"measuring {what} …", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
