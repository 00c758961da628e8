"""``altinn-bridge drafts``: dialogs for what waits to be filled in or signed in Altinn 2."""

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from bridge.cli.shapes import shape_option

if TYPE_CHECKING:  # They bring requests, which nobody waits for who asks for help.
    from bridge.config.settings import Settings
    from bridge.parts import Bridge
    from bridge.steps.batch.draft_report import DraftOutcome, PlanLine
    from bridge.storage.runs import Run

EVERY = 5.0
"""Seconds between two lines of progress."""


@click.command()
@click.option("--dry-run", "dry", is_flag=True, help="Show the plan, and what it would write; make and change nothing.")
@click.option("--for", "whom", metavar="WHO,…", help="Instead of BRIDGE_DRAFTS_FOR; an unfinished run keeps its own.")
@shape_option("table", "json", "jsonl")
def drafts(*, dry: bool, whom: str | None, shape: str) -> None:
    """
    Make dialogs for Altinn 2 elements under completion that no dialog stands for, and let those it made follow.

    An unfinished run, of a schedule as well, is gone on with from where it was. What fails is told, left as it is, and
    tried by the next run. json is one document at the end, jsonl a line for each as it comes, the sums last.

    Ends with 0 (done), 1 (something failed, or a system is away: run it again; or Altinn 2 does not list somebody who
    is asked for) or 2 (called or configured wrongly).
    """
    from bridge.cli.quiet import quiet
    from bridge.config.settings import Settings
    from bridge.core.errors import UpstreamError
    from bridge.steps.batch.draft_report import DraftOutcome, Watcher
    from bridge.steps.batch.drafts import run_drafts
    from bridge.steps.batch.runs import Stopped
    from bridge.wiring import prepare_database, wire

    settings = Settings.from_environ({**os.environ, **({} if whom is None else {"BRIDGE_DRAFTS_FOR": whom})})
    _check(settings)
    click.get_current_context().with_resource(quiet())
    prepare_database(settings)
    bridge = wire(settings)
    run = _run_of(bridge, dry=dry)
    printer = _Printer(shape, dry=dry)
    watcher = Watcher(report=printer.report, progress=printer.progress, stopping=lambda: False)
    try:
        counts = run_drafts(bridge, run, watcher, dry=dry)
    except (Stopped, UpstreamError, KeyboardInterrupt) as error:
        printer.end(None)
        click.echo(f"{str(error) or 'interrupted'}; run it again, and it goes on from here", err=True)
        sys.exit(1)
    finally:
        bridge.queue.close()
        bridge.store.engine.dispose()
    printer.end(counts)
    sys.exit(1 if counts[DraftOutcome.FAILED] else 0)


def _run_of(bridge: "Bridge", *, dry: bool) -> "Run":
    """A run of one's own or, unless *dry*, one that was not finished."""
    from bridge.core.drafts import RUN_KIND
    from bridge.steps.batch.draft_report import BY_HAND
    from bridge.steps.batch.runs import take_run
    from bridge.storage.runs import Run

    scope = tuple(sorted(bridge.settings.drafts_for))
    own = Run(kind=RUN_KIND, id=f"{BY_HAND}{bridge.new_id()}", scope=scope)
    if dry:
        return own
    # No waiting for a process that may be dead: a living one stops when it finds that its run was taken over.
    run = take_run(bridge, RUN_KIND, own.id, scope=scope, at_once=True) or own
    if run.id != own.id:
        click.echo(f"going on with the run {run.id}", err=True)
    return run


class _Printer:
    """Writes what happens to standard output, and how far it is to standard error."""

    def __init__(self, shape: str, *, dry: bool) -> None:
        self._shape, self._dry = shape, dry
        self._all: list[object] = []
        self._began = self._told = time.monotonic()
        self._first: int | None = None

    def report(self, line: "PlanLine") -> None:
        if line.what.value in ("unchanged", "busy"):
            return
        about = {
            "what": line.what.value,
            "service": line.service_resource,
            "message_id": line.message_id,
            "dialog": None if line.dialog_id is None else str(line.dialog_id),
            "who": line.who,
            "why": line.why,
        }
        writes = {"writes": line.writes} if self._dry else {}
        if self._shape == "json":
            self._all.append({**about, **writes})
        elif self._shape == "jsonl":
            self._line({**about, **writes})
        else:
            values = (*about.values(), ", ".join(line.writes))
            click.echo("\t".join(value for value in values if value))

    def progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = done
        if now - self._told < EVERY or done == self._first:
            return
        self._told = now
        rate = (done - self._first) / (now - self._began)
        left = (total - done) / rate
        click.echo(f"{done} of {total} reportees, {rate:.1f} a second, {left:.0f} s left", err=True)

    def end(self, counts: "Mapping[DraftOutcome, int] | None") -> None:
        """Tell the sums; None where the run was broken off."""
        name = "plan" if self._dry else "done"
        sums = None if counts is None else {what.value: count for what, count in counts.items() if count}
        match self._shape:
            case "json":
                click.echo(json.dumps({"elements": self._all, name: sums}, ensure_ascii=False, indent=2))
            case "jsonl" if sums is not None:
                self._line({name: sums})
            case "table" if sums is not None:
                told = ", ".join(f"{count} {what}" for what, count in sums.items()) or "nothing to do"
                click.echo(f"{name}: {told}", err=True)

    def _line(self, value: object) -> None:
        click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _check(settings: "Settings") -> None:
    from bridge.core.errors import ConfigurationError, Fault

    if settings.public_url is None:
        message = "must be given: the buttons of new dialogs lead there"
        raise ConfigurationError([Fault(where="BRIDGE_PUBLIC_URL", message=message)])
