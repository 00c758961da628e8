"""``altinn-bridge schema``: what operators may write, in files and in the environment."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from bridge.cli.shapes import TEXT, shape_option

_into = click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write it beside your files, instead of to standard output.",
)


@click.group()
def schema() -> None:
    """
    Print the JSON Schema of mapping files or route files, or the table of settings.

    Ends with 0, or with 2 when called wrongly or when the file cannot be written.
    """


@schema.command()
@_into
def mapping(into: Path | None) -> None:
    """
    Print the JSON Schema of mapping files, with which editors complete and check them.

    Put it beside your files (--into) and begin each with: # yaml-language-server: $schema=mapping.schema.json
    """
    from bridge.config.mapping_keys import SCHEMA_FILE, mapping_json_schema

    _print(mapping_json_schema(), SCHEMA_FILE, into)


@schema.command()
@_into
def route(into: Path | None) -> None:
    """
    Print the JSON Schema of route files, with which editors complete and check them.

    Put it beside your files (--into) and begin each with: # yaml-language-server: $schema=route.schema.json
    """
    from bridge.config.routes import SCHEMA_FILE, route_json_schema

    _print(route_json_schema(), SCHEMA_FILE, into)


@schema.command()
@shape_option(*TEXT)
def settings(shape: str) -> None:
    """Print every setting with its default, unit, limits and meaning, as docs/settings.md has them."""
    from bridge.config.settings_table import settings_rows, settings_table

    click.echo(settings_table() if shape == "text" else json.dumps(settings_rows(), ensure_ascii=False, indent=2))


def _print(made: Mapping[str, object], name: str, into: Path | None) -> None:
    text = json.dumps(made, ensure_ascii=False, indent=2)
    if into is None:
        click.echo(text)
        return
    try:
        (into / name).write_text(f"{text}\n", "utf-8")
    except OSError as error:
        raise click.UsageError(f"{into / name} cannot be written: {error.strerror}") from None
    click.echo(f"{into / name}: begin each file beside it with  # yaml-language-server: $schema={name}")
