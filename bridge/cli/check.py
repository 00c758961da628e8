"""``bridge check``: is the configuration sound? Every fault at once."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.core.errors import ConfigurationError, Fault

if TYPE_CHECKING:  # They bring lxml and pydantic, which nobody waits for who asks for help.
    from bridge.core.mapping import FormSchemas, ServiceMapping
    from bridge.forms.xsd import SchemaRegistry

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--mappings", type=_FOLDER, metavar="DIR", help="The mapping files, instead of those of the settings.")
@click.option("--schemas", type=_FOLDER, metavar="DIR", help="The form schemas, instead of those of the settings.")
@click.option("--online", is_flag=True, help="Hold mappings against Altinn 2's metadata, which is kept on disk.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for machines.")
@click.pass_context
def check(context: click.Context, mappings: Path | None, schemas: Path | None, online: bool, as_json: bool) -> None:
    """
    Check settings, mappings and schemas.

    With --mappings or --schemas only mappings and schemas are checked. Ends with 0 when all is sound, 1 with faults,
    2 when called wrongly.
    """
    from bridge.adapters.mapping_files import read_mappings
    from bridge.forms.xsd import SchemaRegistry

    faults = [] if mappings or schemas else _settings_faults()
    registry = SchemaRegistry(schemas or folder_of("BRIDGE_SCHEMAS"))
    services, found = read_mappings(
        mappings or folder_of("BRIDGE_MAPPINGS"),
        registry.folder,
        schema_faults=registry.faults,
        schema_digest=registry.digest,
    )
    faults += found
    forms: list[FormSchemas] = [form for service in services.values() for form in service.forms]
    if not mappings:
        of_routes, found = _routes(registry)
        forms += of_routes
        faults += found
    if online:
        faults += _online_faults(services)
    if as_json:
        click.echo(json.dumps(_report(services, forms, registry, faults), ensure_ascii=False, indent=2))
    else:
        _print(services, forms, registry, faults)
    context.exit(1 if faults else 0)


def _routes(registry: "SchemaRegistry") -> "tuple[Sequence[FormSchemas], Sequence[Fault]]":
    """Give the forms of the route files, where there are any, and what is wrong with these and their schemas."""
    from bridge.adapters.route_files import read_routes

    given = os.environ.get("BRIDGE_ROUTES", "").strip()
    if not given or not Path(given).is_dir():
        return (), ()
    routes, faults = read_routes(
        Path(given), registry.folder, schema_faults=registry.faults, schema_digest=registry.digest
    )
    return [each for route in routes.values() for each in route.data_types.values()], faults


def _settings_faults() -> list[Fault]:
    from bridge.settings import Settings

    try:
        Settings.from_environ(os.environ)
    except ConfigurationError as error:
        return list(error.faults)
    return []


def _online_faults(services: Mapping[str, "ServiceMapping"]) -> list[Fault]:
    from bridge.adapters.altinn2.metadata import MetadataClient, MetadataFiles, online_faults
    from bridge.adapters.transport import new_session
    from bridge.settings import Settings
    from bridge.wiring import utc_now

    try:
        settings = Settings.from_environ(os.environ)
    except ConfigurationError:
        return [Fault(where="--online", message="the settings have faults, so Altinn 2 was not asked")]
    client = MetadataClient(new_session(pool=1), settings.altinn2_url, clock=utc_now, timeout=settings.upstream_timeout)
    return list(online_faults(services, client, MetadataFiles(settings.altinn2_metadata)))


def folder_of(variable: str) -> Path:
    """Find the folder that the settings mean, also when other settings have faults."""
    from bridge.shipped import mappings_folder, schemas_folder

    given = os.environ.get(variable, "").strip()
    return Path(given) if given else {"BRIDGE_MAPPINGS": mappings_folder, "BRIDGE_SCHEMAS": schemas_folder}[variable]()


def _schema_names(forms: "Sequence[FormSchemas]", registry: "SchemaRegistry") -> list[str]:
    """Name the schemas that sound mappings and routes use and that compile."""
    used = {name for form in forms for name, _ in form.pins}
    return sorted(name for name in used if not registry.faults(name))


def _unpinned(forms: "Sequence[FormSchemas]") -> set[str]:
    """Name the schemas that a form uses without saying which digest it must have."""
    return {name for form in forms for name, digest in form.pins if digest is None}


def _report(
    services: Mapping[str, "ServiceMapping"],
    forms: "Sequence[FormSchemas]",
    registry: "SchemaRegistry",
    faults: list[Fault],
) -> dict[str, Any]:
    return {
        "ok": not faults,
        "faults": [{"where": fault.where, "message": fault.message} for fault in faults],
        "services": [
            {"service_resource": name, "source": service.source, "actions": list(service.actions)}
            for name, service in services.items()
        ],
        "schemas": [
            {
                "name": name,
                "engine": registry.engine(name).value,
                "sha256": registry.digest(name),
                "pinned": name not in _unpinned(forms),
                "notes": list(registry.notes(name)),
            }
            for name in _schema_names(forms, registry)
        ],
    }


def _print(
    services: Mapping[str, "ServiceMapping"],
    forms: "Sequence[FormSchemas]",
    registry: "SchemaRegistry",
    faults: list[Fault],
) -> None:
    from bridge.forms.schema_files import Engine

    for fault in faults:
        click.echo(str(fault), err=True)
    for name, service in services.items():
        click.echo(f"{name}: {', '.join(service.actions)} ({service.source})")
    for name in _schema_names(forms, registry):
        click.echo(f"{name}: compiles")
        for note in registry.notes(name):
            click.echo(f"  {note}")
        if name in _unpinned(forms):
            key = "json_sha256" if registry.engine(name) is Engine.JSON_SCHEMA else "sha256"
            click.echo(f'  not pinned; to pin it, write beside it in its file  {key}: "{registry.digest(name)}"')
    if faults:
        click.echo(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}", err=True)
    else:
        click.echo("All sound.")
