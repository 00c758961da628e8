"""``altinn-bridge sandbox fault`` and ``switch``: what goes wrong in a sandbox, and how it behaves from now on."""

import click

from bridge.cli.sandbox.calls import call, json_value, printed, sandbox_option
from bridge.cli.shapes import TEXT, shape_option

_SYSTEMS = ("altinn2", "dialogporten", "maskinporten", "platform", "apps")


@click.command()
@click.option("--system", type=click.Choice(_SYSTEMS), help="Whose calls; anybody's by default.")
@click.option("--method", metavar="METHOD", help="Such as PUT.")
@click.option("--path", metavar="REGEX", help="Found anywhere in the path.")
@click.option("--times", type=click.IntRange(0), default=1, show_default=True, metavar="N", help="0 is for ever.")
@click.option("--skip", type=click.IntRange(0), default=0, metavar="N", help="So many go well first.")
@click.option("--status", type=click.IntRange(200, 599), metavar="N", help="Answers with this.")
@click.option("--reason", metavar="TEXT", help="Its reason phrase.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="Of that answer.")
@click.option("--after-effect", is_flag=True, help="That is answered, and the effect stays.")
@click.option("--cut", type=click.Choice(["before", "after", "within"]), help="Closes the connection instead.")
@click.option("--late", type=click.FloatRange(0), metavar="SECONDS", help="Closes it, and the effect comes later.")
@click.option("--held", is_flag=True, help="Closes it, and the effect comes with --let-come.")
@click.option("--delay", type=click.FloatRange(0), metavar="SECONDS", help="Waits first.")
@click.option("--let-come", is_flag=True, help="Has what is held come now.")
@click.option("--clear", is_flag=True, help="Plans nothing any more.")
@click.option("--list", "listed", is_flag=True, help="Shows what waits.")
@shape_option(*TEXT)
@sandbox_option
def fault(
    *,
    system: str | None,
    method: str | None,
    path: str | None,
    times: int,
    skip: int,
    late: float | None,
    held: bool,
    delay: float | None,
    headers: tuple[str, ...],
    let_come: bool,
    clear: bool,
    listed: bool,
    shape: str,
    address: str | None,
    **how: object,
) -> None:
    """
    Plan what goes wrong with the next calls to a sandbox.

    A PUT that lands late: --method PUT --late 20. With --status as well it is answered at once, and lands late.
    """
    if let_come:
        came = call(address, "POST", "/faults/held", body={})
        _say(came, came["came"], shape)
        return
    if clear or listed:
        printed(call(address, "GET", "/faults")) if listed else call(address, "DELETE", "/faults")
        return
    cuts = {"late": late is not None, "held": held, how["cut"] or "": bool(how["cut"])}
    chosen = [name for name, given in cuts.items() if given]
    if len(chosen) > 1 or (late is not None and delay is not None):
        raise click.UsageError("one of --cut, --late and --held, and no --delay beside --late")
    seconds = delay if late is None else late
    wrong = {
        **{name: value for name, value in how.items() if value and name != "cut"},
        **({"cut": chosen[0]} if chosen else {}),
        **({} if seconds is None else {"delay_seconds": seconds}),
        **({"headers": dict(map(_header, headers))} if headers else {}),
    }
    if not wrong:
        raise click.UsageError("say what goes wrong: --status, --cut, --late, --held or --delay")
    match = {name: value for name, value in (("method", method), ("path", path)) if value is not None}
    plan = {"match": match, "times": times or None, "skip": skip, "how": wrong}
    made = call(address, "POST", "/faults", body=plan | ({} if system is None else {"system": system}))
    _say(made, made["id"], shape)


def _say(made: object, text: object, shape: str) -> None:
    if shape == "json":
        printed(made)
    else:
        click.echo(text)


@click.command()
@click.argument("assignments", nargs=-1, metavar="NAME=VALUE…")
@shape_option(*TEXT)
@sandbox_option
def switch(*, assignments: tuple[str, ...], shape: str, address: str | None) -> None:
    """Throw switches of a sandbox that runs; without any, list those that are not as by default."""
    thrown = dict(map(_assignment, assignments))
    found = call(address, "PATCH", "/switches", body=thrown) if thrown else call(address, "GET", "/switches")
    changed = [each for each in found if each["value"] != each["default"]]
    if shape == "json":
        printed(changed)
        return
    for each in changed:
        click.echo(f"{each['name']}={each['value']}")


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter("write NAME=VALUE", param_hint="--header")
    return name, value


def _assignment(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError("write NAME=VALUE; altinn-bridge sandbox --switches lists them")
    from bridge.sandbox.core.switches import UnknownSwitch, parsed

    try:
        return parsed(text)
    except UnknownSwitch:
        # A newer or an older sandbox may know it.
        return name, json_value(value, "NAME=VALUE")
