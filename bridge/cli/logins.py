"""``altinn-bridge logins``: is the login to Altinn 2 locked, who refuses the bridge itself; and unlock it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bridge.cli.shapes import TEXT, shape_option
from bridge.cli.stored import opened_store

if TYPE_CHECKING:  # They bring the database, which nobody waits for who asks for help.
    from bridge.storage.alarms import Alarm
    from bridge.storage.lockouts import ShownLockout


@click.group()
def logins() -> None:
    """
    See whether the login to Altinn 2 is locked, and unlock it.

    After two refused logins no process tries again, since ten would lock the user out. Another password has a lockout
    of its own; the same one needs ``logins unlock``.

    A system that refused the bridge's own key, token, login or API key within the last quarter of an hour is named,
    too.

    Ends with 0 when none is locked, 1 when one is locked or a system refuses the bridge.
    """


@logins.command("list")
@shape_option(*TEXT)
@click.pass_context
def list_logins(context: click.Context, shape: str) -> None:
    """List the logins that were ever tried, and the systems that refuse the bridge itself."""
    from bridge.storage.alarms import alarms_of
    from bridge.storage.lockouts import lockouts_of
    from bridge.wiring import utc_now

    with opened_store() as store:
        found, alarms = lockouts_of(store), alarms_of(store, now=utc_now())
    _show(context, found, alarms, shape=shape, unlocked=None)


@logins.command()
@shape_option(*TEXT)
@click.pass_context
def unlock(context: click.Context, shape: str) -> None:
    """Let logins through again, once name and password are right, and list what is then."""
    from bridge.storage.alarms import alarms_of
    from bridge.storage.lockouts import lockouts_of, unlock_logins
    from bridge.wiring import utc_now

    with opened_store() as store:
        unlocked = unlock_logins(store)
        found, alarms = lockouts_of(store), alarms_of(store, now=utc_now())
    _show(context, found, alarms, shape=shape, unlocked=unlocked)


def _show(
    context: click.Context,
    found: "Sequence[ShownLockout]",
    alarms: "Sequence[Alarm]",
    *,
    shape: str,
    unlocked: int | None,
) -> None:
    if shape == "json":
        rows = [
            {"about": each.about, "refused": each.failures, "locked": each.locked, "at": each.changed_at.isoformat()}
            for each in found
        ]
        refusing = [{"system": each.system, "why": each.why, "at": each.at.isoformat()} for each in alarms]
        report = {**({} if unlocked is None else {"unlocked": unlocked}), "logins": rows, "refusingUs": refusing}
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        for each in found:
            state = "locked" if each.locked else "unlocked"
            click.echo(f"{each.about}: {state}, {each.failures} refused in a row, {each.changed_at:%Y-%m-%d %H:%M} UTC")
        if not found:
            click.echo("no login has been tried")
        for alarm in alarms:
            click.echo(f"{alarm.system} refuses the bridge itself: {alarm.why}, {alarm.at:%Y-%m-%d %H:%M:%S} UTC")
        if unlocked is not None:
            click.echo(f"unlocked: {unlocked}")
    context.exit(1 if alarms or any(each.locked for each in found) else 0)
