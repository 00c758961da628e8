"""``altinn-bridge gates``: is the login to Altinn 2 closed, or has it asked for a pause; and open them."""

import json
import os

import click

from bridge.cli.shapes import TEXT, shape_option


@click.command()
@click.option("--open", "opens", is_flag=True, help="Let logins through again, once name and password are right.")
@click.option("--lift", "lifts", is_flag=True, help="End the pauses that systems asked for, before their time.")
@shape_option(*TEXT)
@click.pass_context
def gates(context: click.Context, opens: bool, lifts: bool, shape: str) -> None:
    """
    Show the gates before Altinn 2's login, and the pause that Altinn 2 asked for.

    After two refused logins no process tries again, since ten would lock the user out. Another password has a gate of
    its own; the same one needs --open.

    While Altinn 2 is down for maintenance, or has asked for a pause, no process calls it. That ends by itself: one call
    goes first, and the others follow when it is answered. With --lift it ends at once.

    A system that refused the bridge's own key, token, login or API key within the last quarter of an hour is named,
    too.

    Ends with 0 when all are open, 1 when one is closed or a system refuses the bridge.
    """
    from bridge.config.settings import Settings
    from bridge.storage.gates import credentials_of, lift_pauses, lockouts_of, pauses_of, unlock_logins
    from bridge.storage.store import Store, open_database
    from bridge.wiring import prepare_database, utc_now

    settings = Settings.from_environ(os.environ)
    prepare_database(settings)
    engine = open_database(settings.database_url, pool=1)
    try:
        store = Store(engine)
        opened = unlock_logins(store) if opens else 0
        lifted = lift_pauses(store, now=utc_now()) if lifts else 0
        found, pauses = lockouts_of(store), pauses_of(store, now=utc_now())
        refusing = credentials_of(store, now=utc_now())
    finally:
        engine.dispose()
    if shape == "json":
        told = [
            {"about": each.about, "refused": each.failures, "closed": each.closed, "at": each.changed_at.isoformat()}
            for each in found
        ]
        paused = [
            {"system": each.system, "about": each.about, "until": each.until and each.until.isoformat()}
            for each in pauses
        ]
        refusals = [{"system": each.system, "why": each.why, "at": each.at.isoformat()} for each in refusing]
        report = {"opened": opened, "lifted": lifted, "gates": told, "pauses": paused, "refusingUs": refusals}
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        for each in found:
            state = "closed" if each.closed else "open"
            click.echo(f"{each.about}: {state}, {each.failures} refused in a row, {each.changed_at:%Y-%m-%d %H:%M} UTC")
        if not found:
            click.echo("no login has been tried")
        for pause in pauses:
            state = "called as ever" if pause.until is None else f"left alone until {pause.until:%Y-%m-%d %H:%M:%S} UTC"
            click.echo(f"{pause.about}: {state}")
        for refusal in refusing:
            click.echo(f"{refusal.system} refuses the bridge itself: {refusal.why}, {refusal.at:%Y-%m-%d %H:%M:%S} UTC")
        if lifts:
            click.echo(f"lifted: {lifted}")
        if opens:
            click.echo(f"opened: {opened}")
    closed = bool(refusing) or any(each.closed for each in found) or any(each.until is not None for each in pauses)
    context.exit(1 if closed else 0)
