"""``bridge gates``: is the login to Altinn 2 closed, and open it."""

import json
import os

import click


@click.command()
@click.option("--open", "opens", is_flag=True, help="Let logins through again, once name and password are right.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for machines.")
@click.pass_context
def gates(context: click.Context, opens: bool, as_json: bool) -> None:
    """
    Show the gates before Altinn 2's login.

    After two refused logins no process tries again, since ten would lock the user out. Another password has a gate of
    its own; the same one needs --open. Ends with 0 when all are open, 1 when one is closed.
    """
    from bridge.settings import Settings
    from bridge.storage.gates import gates_of, open_gates
    from bridge.storage.store import Store, open_database
    from bridge.wiring import prepare_database

    settings = Settings.from_environ(os.environ)
    prepare_database(settings)
    engine = open_database(settings.database_url, pool=1)
    try:
        store = Store(engine)
        opened = open_gates(store) if opens else 0
        found = gates_of(store)
    finally:
        engine.dispose()
    if as_json:
        told = [
            {"about": each.about, "refused": each.failures, "closed": each.closed, "at": each.changed_at.isoformat()}
            for each in found
        ]
        click.echo(json.dumps({"opened": opened, "gates": told}, ensure_ascii=False, indent=2))
    else:
        for each in found:
            state = "closed" if each.closed else "open"
            click.echo(f"{each.about}: {state}, {each.failures} refused in a row, {each.changed_at:%Y-%m-%d %H:%M} UTC")
        if not found:
            click.echo("no login has been tried")
        if opens:
            click.echo(f"opened: {opened}")
    context.exit(1 if any(each.closed for each in found) else 0)
