"""``altinn-bridge sandbox``: the systems around the bridge, on this machine, and what is put into them."""

import re
import shlex
import signal
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from bridge.cli.sandbox.access import app, client, token
from bridge.cli.sandbox.calls import printed
from bridge.cli.sandbox.cases import case, form
from bridge.cli.sandbox.trouble import fault, switch
from bridge.cli.shapes import TEXT, shape_option


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Any free one by default.")
@click.option(
    "--seed", type=int, default=0, metavar="N", show_default=True, help="Decides ids and synthetic identities."
)
@click.option("--switch", "assignments", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Origin of a real client in a browser, which may subscribe and press; may be repeated.",
)
@click.option("--switches", "listed", is_flag=True, help="List all switches and leave.")
@click.option(
    "--scope", "scopes", multiple=True, metavar="SCOPE", help="A further scope of the bridge's client; * is any."
)
@shape_option(*TEXT)
@click.pass_context
def sandbox(
    ctx: click.Context,
    *,
    port: int,
    seed: int,
    assignments: tuple[str, ...],
    listed: bool,
    scopes: tuple[str, ...],
    origins: tuple[str, ...],
    shape: str,
) -> None:
    """
    Run Altinn 2, Altinn's platform with apps, Dialogporten and Maskinporten as simulators on loopback.

    Prints the settings that point a bridge at them, as a shell reads them, and runs until Ctrl-C. With a command: puts
    something into a sandbox that runs.
    """
    if ctx.invoked_subcommand is not None:
        return
    from bridge.sandbox.core.switches import Switches, UnknownSwitch, parsed

    try:
        switches = Switches().changed(**dict(map(parsed, assignments)))
    except UnknownSwitch as error:
        raise click.BadParameter(f"{error} See --switches.", param_hint="--switch") from None
    if listed:
        described = list(switches.described())
        printed(described) if shape == "json" else click.echo("\n".join(_described(described)))
        return
    if shape == "json":
        raise click.UsageError("settings are lines for a shell; --json goes with --switches")
    _run(port, seed, switches, scopes=scopes, origins=frozenset(map(_origin, origins)))


for each in (case, form, token, client, app, fault, switch):
    sandbox.add_command(each)


def _origin(text: str) -> str:
    found = re.fullmatch(r"(https?://[a-z0-9.-]+(?::[0-9]{1,5})?)/?", text.lower())
    if found is None:
        raise click.BadParameter("Write scheme, host and port, as in https://app.localhost.", param_hint="--origin")
    return found[1]


def _run(port: int, seed: int, switches: Any, *, scopes: Iterable[str], origins: frozenset[str]) -> None:
    from bridge.sandbox.control import settings
    from bridge.sandbox.server import Sandbox
    from bridge.sandbox.world import World

    ended = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda _number, _frame: ended.set())
    world = World(lambda: datetime.now(UTC), seed, switches)
    world.grant(world.client.id, scopes)
    world.origins = origins
    running = Sandbox(world)
    try:
        running.start(port)
    except OSError as error:
        raise click.ClickException(f"Port {port} cannot be used: {error.strerror}.") from None
    with running:
        click.echo(f"# The sandbox answers on {running.base_url} until Ctrl-C. A bridge finds it with these:")
        for name, value in settings(running.world, running.base_url).items():
            click.echo(f"export {name}={shlex.quote(value)}")
        click.echo(
            f"# Steer it under {running.base_url}/_sandbox: see docs/sandbox.md and altinn-bridge sandbox --switches."
            f" Press buttons on {running.world.arbeidsflate_url}/arbeidsflate/."
        )
        ended.wait()


def _described(switches: Iterable[Mapping[str, object]]) -> Iterable[str]:
    for each in switches:
        yield f"{each['name']}={shown(each['value'])}"
        yield f"    {each['meaning']} Takes {takes(each)}; {shown(each['default'])} by default."


def takes(switch: Mapping[str, Any]) -> str:
    """Which values a switch takes."""
    if "range" in switch:
        low, high = switch["range"]
        return f"{low} to {high}"
    return ", ".join(map(shown, switch["allowed"]))


def shown(value: object) -> str:
    """The value as ``--switch`` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
