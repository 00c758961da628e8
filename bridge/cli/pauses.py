"""``altinn-bridge pauses``: which systems asked to be left alone, and end that before its time."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bridge.cli.shapes import TEXT, shape_option
from bridge.cli.stored import opened_store

if TYPE_CHECKING:  # It brings the database, which nobody waits for who asks for help.
    from bridge.storage.pauses import ShownPause


@click.group()
def pauses() -> None:
    """
    See the pause that Altinn 2 asked for, and lift it.

    While Altinn 2 is down for maintenance, or has asked for a pause, no process calls it. That ends by itself: one call
    goes first, and the others follow when it is answered.

    Ends with 0 when all systems are called, 1 when one is left alone.
    """


@pauses.command("list")
@shape_option(*TEXT)
@click.pass_context
def list_pauses(context: click.Context, shape: str) -> None:
    """List the systems that ever asked for a pause. Ends with 1 when one is left alone now."""
    from bridge.storage.pauses import pauses_of
    from bridge.wiring import utc_now

    with opened_store() as store:
        found = pauses_of(store, now=utc_now())
    _show(context, found, shape, lifted=None)


@pauses.command()
@shape_option(*TEXT)
@click.pass_context
def lift(context: click.Context, shape: str) -> None:
    """Lift the pauses that systems asked for, before their time, and list what is then."""
    from bridge.storage.pauses import lift_pauses, pauses_of
    from bridge.wiring import utc_now

    with opened_store() as store:
        lifted = lift_pauses(store, now=utc_now())
        found = pauses_of(store, now=utc_now())
    _show(context, found, shape, lifted=lifted)


def _show(context: click.Context, found: "Sequence[ShownPause]", shape: str, *, lifted: int | None) -> None:
    if shape == "json":
        rows = [
            {"system": each.system, "about": each.about, "until": each.until and each.until.isoformat()}
            for each in found
        ]
        report = {**({} if lifted is None else {"lifted": lifted}), "pauses": rows}
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        for each in found:
            state = "called as ever" if each.until is None else f"left alone until {each.until:%Y-%m-%d %H:%M:%S} UTC"
            click.echo(f"{each.about}: {state}")
        if not found:
            click.echo("no system has asked for a pause")
        if lifted is not None:
            click.echo(f"lifted: {lifted}")
    context.exit(1 if any(each.until is not None for each in found) else 0)
