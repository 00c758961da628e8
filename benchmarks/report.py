"""Results as a table: drawn for a terminal, Markdown elsewhere."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

Result = Mapping[str, Any]
Row = tuple[str, Callable[[Result], str], str]


def _both(latency: Mapping[str, float]) -> str:
    return f"{latency['p50']:.1f} / {latency['p99']:.1f}"


def _cpu(spent: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {each:.1f}" for name, each in spent.items())


def _calls(counted: Mapping[str, float]) -> str:
    return ", ".join(f"{each:g} {method}" for method, each in counted.items())


def _own_metrics(result: Result) -> str:
    by_metrics = result["done"]["overhead_by_own_metrics"]
    mean = f"{result['done']['overhead']['mean']:.1f}"
    return mean if by_metrics is None else f"{mean} / {by_metrics:.1f}"


ROWS: tuple[Row, ...] = (
    ("204 at 20/s, p50 / p99 ms", lambda r: _both(r["done"]["total"]), ""),
    ("– upstream in it", lambda r: _both(r["done"]["upstream"]), ""),
    ("– own overhead", lambda r: _both(r["done"]["overhead"]), "p50 ≤ 25 / 40, p99 ≤ 150"),
    ("– own overhead, mean, by call log / own metrics", _own_metrics, ""),
    ("– processor ms per action", lambda r: _cpu(r["done"]["cpu_milliseconds"]), ""),
    ("calls for one change of a dialog", lambda r: _calls(r["done"]["dialog_calls"]), "one GET, one PATCH"),
    ("202 at 20/s, p50 / p99 ms", lambda r: _both(r["accepted"]["linked"]), "p50 ≤ 5"),
    ("202 at 20/s, first use of the dialog", lambda r: _both(r["accepted"]["first_use"]), ""),
    ("202 flat out, 16 clients, a second", lambda r: f"{r['accepted']['flood_per_second']:.0f}", "≥ 300 / 500"),
    ("– p50 / p99 ms", lambda r: _both(r["accepted"]["flood"]), ""),
    (
        "accepted / lost / twice",
        lambda r: f"{r['accepted']['accepted']} / {r['accepted']['lost']} / {r['accepted']['twice']}",
        "0 lost, 0 twice",
    ),
    ("actions a second, from the queue", lambda r: f"{r['accepted']['actions_per_second']:.1f}", ""),
    ("– processor ms per action, flat out", lambda r: _cpu(r["accepted"]["cpu_milliseconds"]), ""),
    ("bare calls, 1 thread, p50 / p99 ms", lambda r: _both(r["baselines"]["bare_calls"]), "baseline"),
    (
        "bare calls, 1 / 8 threads, a second",
        lambda r: (
            f"{r['baselines']['bare_calls_per_second']:.0f} / {r['baselines']['bare_calls_per_second_8_threads']:.0f}"
        ),
        "baseline",
    ),
    ("empty engine, p50 / p99 ms", lambda r: _both(r["baselines"]["engine_run"]), "baseline"),
    ("empty engine, runs a second", lambda r: f"{r['baselines']['engine_runs_per_second']:.0f}", "baseline"),
    ("empty request, p50 / p99 ms", lambda r: _both(r["baselines"]["nothing"]), "baseline"),
    ("empty request, 16 clients, a second", lambda r: f"{r['baselines']['nothing_per_second']:.0f}", "baseline"),
)


def show(results: Mapping[str, Any]) -> None:
    """Print the machine and one column for each store."""
    stores: Mapping[str, Result] = results["stores"]
    about = results["machine"]
    print(
        f"{about['processor']}, {about['cores']} cores, Python {about['python']}, "
        f"{', '.join(each['version'] for each in stores.values())}; "
        f"load before {about['load_before']}, after {about['load_after']}\n"
    )
    if results["quick"]:
        print("Quick run: too few of each to say anything of speed.\n")
    lines = [(name, [cell(each) for each in stores.values()], goal) for name, cell, goal in ROWS]
    ratios = {name for each in stores.values() for name in each["ratios"]}
    for name in sorted(ratios):
        lines.append((name, [f"{each['ratios'][name]:.2f}" for each in stores.values()], "ratio"))
    draw(["", *stores, "goal"], [[name, *cells, goal] for name, cells, goal in lines])
    for name, reason in results["skipped"].items():
        print(f"{name} was skipped: {reason}")


def draw(heads: list[str], lines: list[list[str]]) -> None:
    """Print a table."""
    if not sys.stdout.isatty():
        for line in (heads, ["---"] * len(heads), *lines):
            print(f"| {' | '.join(line)} |")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for head in heads:
        table.add_column(head)
    for line in lines:
        table.add_row(*line)
    Console().print(table)
