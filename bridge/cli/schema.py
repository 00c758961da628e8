"""``altinn-bridge schema``: the JSON Schemas of the files that operators write."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("kind", type=click.Choice(["mapping", "route"]), metavar="mapping|route")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write it beside your files, instead of to standard output.",
)
def schema(kind: str, into: Path | None) -> None:
    """
    Print the JSON Schema of mapping files or route files, with which editors complete and check them.

    Put it beside your files (--into) and begin each with: # yaml-language-server: $schema=mapping.schema.json

    Ends with 0, or with 2 when called wrongly or when the file cannot be written.
    """
    from bridge.config import mapping_keys, routes

    name, made = {
        "mapping": (mapping_keys.SCHEMA_FILE, mapping_keys.mapping_json_schema),
        "route": (routes.SCHEMA_FILE, routes.route_json_schema),
    }[kind]
    text = json.dumps(made(), ensure_ascii=False, indent=2)
    if into is None:
        click.echo(text)
        return
    try:
        (into / name).write_text(f"{text}\n", "utf-8")
    except OSError as error:
        raise click.UsageError(f"{into / name} cannot be written: {error.strerror}") from None
    click.echo(f"{into / name}: begin each file beside it with  # yaml-language-server: $schema={name}")
