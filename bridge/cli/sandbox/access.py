"""``altinn-bridge sandbox token``, ``client`` and ``app``: who may call a sandbox's systems, and further apps in it."""

import shlex
from pathlib import Path

import click

from bridge.cli.sandbox.calls import call, json_value, printed, sandbox_option
from bridge.cli.shapes import TEXT, shape_option


@click.command()
@click.option("--dialog", metavar="ID", help="A dialog token for this dialog.")
@click.option("--party", metavar="URN", help="An end user's token, to read this party's dialogs.")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="A service owner's token, with any scope.")
@click.option("--owner", metavar="CODE", help="Of which service owner: a code or a number. Ours by default.")
@click.option("--exchanged", is_flag=True, help="Altinn's token instead of Maskinporten's, as apps take it.")
@click.option("--level", type=click.IntRange(0, 4), help="How the end user is logged in.")
@click.option("--actor", metavar="URN", help="Who the end user is; else another invented person each time.")
@click.option("--action", "actions", multiple=True, metavar="RIGHT", help="What the end user may do; all by default.")
@click.option("--entity", "entities", multiple=True, metavar="REF", help="What claim e of a dialog token holds.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=JSON", help="Overrides a claim; null takes it away.")
@shape_option(*TEXT)
@sandbox_option
def token(
    *,
    dialog: str | None,
    party: str | None,
    scopes: tuple[str, ...],
    owner: str | None,
    exchanged: bool,
    level: int | None,
    actor: str | None,
    actions: tuple[str, ...],
    entities: tuple[str, ...],
    claims: tuple[str, ...],
    shape: str,
    address: str | None,
) -> None:
    """
    Mint a token and print it: a dialog token, an end user's, or a service owner's.

    What it is follows from --dialog, --party or --scope, of which there must be one. A dialog token or an end user's is
    another person's each time, so that presses by two of them are two signatures; --actor says whose it is instead.
    """
    if sum((dialog is not None, party is not None, bool(scopes))) != 1:
        raise click.UsageError("say what it is for: --dialog ID, --party URN or --scope SCOPE")
    changes = dict(_claim(each) for each in claims)
    person: dict[str, object] = {
        **({} if level is None else {"level": level}),
        **({} if actor is None else {"actor": actor}),
        **({"actions": list(actions)} if actions else {}),
    }
    if dialog is not None:
        held = {"entities": list(entities)} if entities else {}
        found = call(address, "POST", "/dialog-token", body={"dialog_id": dialog, "claims": changes, **held, **person})
    elif party is not None:
        found = call(address, "POST", "/enduser-token", body={"party": party, **person})
    else:
        body: dict[str, object] = {"scopes": list(scopes), "exchanged": exchanged, "claims": changes}
        found = call(address, "POST", "/owner-token", body=body | ({} if owner is None else {"owner": owner}))
    if shape == "json":
        printed(found)
    else:
        click.echo(found["token"])


@click.command()
@click.option(
    "--owner", metavar="CODE", help="Whose it is; a code that nobody has is a new service owner. Ours by default."
)
@click.option("--number", metavar="NUMBER", help="The new service owner's number; an invented one by default.")
@click.option(
    "--scope", "scopes", multiple=True, metavar="SCOPE", help="A further scope that it may ask for; * is any."
)
@click.option("--id", "client_id", metavar="ID", help="Its id: one that is registered gets the scopes.")
@shape_option(*TEXT)
@sandbox_option
def client(
    *,
    owner: str | None,
    number: str | None,
    scopes: tuple[str, ...],
    client_id: str | None,
    shape: str,
    address: str | None,
) -> None:
    """Register a client with Maskinporten, and print the settings of a bridge that is this client."""
    given = {"owner": owner, "number": number, "id": client_id, "scopes": list(scopes)}
    made = call(address, "POST", "/clients", body={name: value for name, value in given.items() if value is not None})
    if shape == "json":
        printed(made)
        return
    click.echo(f"# {made['organisation']['code']} ({made['organisation']['number']})")
    for name, value in made["settings"].items():
        click.echo(f"export {name}={shlex.quote(value)}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@shape_option(*TEXT)
@sandbox_option
def app(*, file: Path, shape: str, address: str | None) -> None:
    """
    Register the Altinn 3 app that FILE (YAML or JSON) describes, and print its address.

    A data type's schema may be a file beside it, such as sum.xsd.
    """
    import yaml

    try:
        given = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.BadParameter(f"{file} cannot be read: {error}", param_hint="FILE") from None
    if not isinstance(given, dict):
        raise click.BadParameter(f"{file} describes no app", param_hint="FILE")
    for each in given.get("data_types") or ():
        if isinstance(each, dict) and str(each.get("schema", "")).lower().endswith(".xsd"):
            each["schema"] = _schema(file.parent / str(each["schema"]))
    made = call(address, "POST", "/apps", body=given)
    if shape == "json":
        printed(made)
    else:
        click.echo(made["url"])


def _schema(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file} cannot be read: {error}", param_hint="FILE") from None


def _claim(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter("write NAME=JSON, such as l=4", param_hint="--claim")
    return name, json_value(value, "--claim")
