"""What apps say of themselves, held against mappings, routes and schemas: ``altinn-bridge check --online``."""

from collections.abc import Iterable, Iterator, Sequence

from bridge.adapters.apps.metadata import AppMetadataClient, AppUse, Said, TypeUse, hold_against, why_silent
from bridge.core.errors import ConfigurationError, Fault, UpstreamError
from bridge.core.mapping import schema_file
from bridge.forms.registry import SchemaRegistry
from bridge.forms.schema_diff import SchemaDifference, json_schema_differences, xsd_differences
from bridge.steps.drivers.protocol import OnlineReport

_MOST_PATHS = 5


def check_apps(uses: Iterable[AppUse], client: AppMetadataClient, schemas: SchemaRegistry) -> OnlineReport:
    """Ask each app once; one that does not answer is a fault of every place that names it."""
    by_app: dict[str, list[AppUse]] = {}
    for use in uses:
        by_app.setdefault(use.app, []).append(use)
    found = OnlineReport()
    for app, named in by_app.items():
        try:
            metadata = client.metadata(app)
            layout_sets = client.layout_sets(app)
        except UpstreamError as error:
            message = why_silent(app, client.address(app), error)
            found.faults += [Fault(where=use.where, message=message) for use in named]
            continue
        for use in named:
            said = hold_against(use, metadata, layout_sets)
            with_forms = {each.id for each in metadata.data_types if each.has_form}
            for each in use.data_types:
                if each.id in with_forms:
                    _schemas(use, each, client, schemas=schemas, said=said)
            found.faults += [Fault(where=use.where, message=message) for message in said.faults]
            found.told += [message for message in said.notes if message not in found.told]
    return found


def _schemas(use: AppUse, used: TypeUse, client: AppMetadataClient, *, schemas: SchemaRegistry, said: Said) -> None:
    if used.schema is not None and not schemas.faults(used.schema):
        _schema(use.app, used, used.schema, kind="xsd", client=client, schemas=schemas, said=said)
    if used.json_schema is not None and not schemas.faults(used.json_schema):
        _schema(use.app, used, schema_file(used.json_schema), kind="json", client=client, schemas=schemas, said=said)


def _schema(
    app: str, used: TypeUse, name: str, *, kind: str, client: AppMetadataClient, schemas: SchemaRegistry, said: Said
) -> None:
    data_type = used.id
    route = "xsdschema" if kind == "xsd" else "jsonschema"
    address = client.address(app, f"/api/{route}/{data_type}")
    try:
        theirs = client.xsd(app, data_type) if kind == "xsd" else client.json_schema(app, data_type)
        if theirs is None:
            since = ": libraries before 8.12.6 give none" if kind == "xsd" else ""
            said.notes.append(f"{app}: gives no schema at {address}, so {name} was not held against it{since}")
            return
        if kind == "xsd":
            differences = xsd_differences(schemas.folder, name, theirs, root=used.root)
        else:
            differences = json_schema_differences((schemas.folder / name).read_bytes(), theirs)
    except (UpstreamError, ConfigurationError, ValueError) as error:
        said.notes.append(f"{app}: the schema at {address} was not held against {name}: {_why(error)}")
        return
    said.faults += _lost(app, name, address, differences=differences) if kind == "xsd" else ()
    told = [each for each in differences if kind == "json" or each.theirs is not None]
    if told:
        said.notes.append(f"{app}: its schema of {data_type} differs from {name}: {_listed(map(_told, told))}")


def _lost(app: str, name: str, address: str, *, differences: Sequence[SchemaDifference]) -> Iterator[str]:
    lost = [each.path for each in differences if each.theirs is None]
    if lost:
        yield (
            f"{app} drops in silence what {name} has and its own schema has not: {_listed(lost)}; "
            f"take the schema at {address}, or have the app deployed anew"
        )


def _told(each: SchemaDifference) -> str:
    if each.ours is None:
        return f"{each.path} is in the app's only"
    if each.theirs is None:
        return f"{each.path} is in ours only"
    return f"{each.path} is {each.ours} here and {each.theirs} there"


def _listed(parts: Iterable[str]) -> str:
    every = list(parts)
    more = f", and {len(every) - _MOST_PATHS} more" if len(every) > _MOST_PATHS else ""
    return ", ".join(every[:_MOST_PATHS]) + more


def _why(error: UpstreamError | ConfigurationError | ValueError) -> str:
    if isinstance(error, UpstreamError):
        return error.detail
    return error.faults[0].message if isinstance(error, ConfigurationError) else "it is no JSON"
