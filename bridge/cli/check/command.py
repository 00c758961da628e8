"""``altinn-bridge check``: is the configuration sound? Every fault at once."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from bridge.cli.shapes import TEXT, shape_option
from bridge.core.errors import ConfigurationError, Fault

if TYPE_CHECKING:  # They bring lxml and pydantic, which nobody waits for who asks for help.
    from bridge.cli.check.notes import Sizes
    from bridge.config.settings import Settings
    from bridge.core.calculations import AppRoute
    from bridge.core.mapping import ServiceMapping
    from bridge.forms.registry import SchemaRegistry

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option(
    "--mappings",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR",
    help="The mapping files (or one of them), instead of those of the settings.",
)
@click.option("--schemas", type=_FOLDER, metavar="DIR", help="The form schemas, instead of those of the settings.")
@click.option("--online", is_flag=True, help="Ask Altinn 2, whose metadata is kept on disk, and the apps as well.")
@shape_option(*TEXT)
@click.pass_context
def check(context: click.Context, *, mappings: Path | None, schemas: Path | None, online: bool, shape: str) -> None:
    """
    Check settings, mappings and schemas.

    With --mappings or --schemas the settings are not read. What was not looked at is told, and why. Ends with 0
    without faults, 1 with faults, 2 when called wrongly.
    """
    from bridge.cli.check.notes import Sizes, unseen_parts
    from bridge.cli.quiet import quiet
    from bridge.config.mappings import read_mappings
    from bridge.config.routes import unguarded
    from bridge.forms.registry import SchemaRegistry
    from bridge.steps.drivers.registry import DRIVERS
    from bridge.wiring import mapping_faults_of

    settings, faults = (None, []) if mappings or schemas else _settings()
    sizes = Sizes.of(settings, os.environ)
    registry = SchemaRegistry(schemas or folder_of("BRIDGE_SCHEMAS"))
    routes, route_faults = ([], []) if mappings else _routes(registry)
    services, found = read_mappings(
        mappings or folder_of("BRIDGE_MAPPINGS"),
        registry.folder,
        targets=DRIVERS,
        schema_faults=registry.faults,
        schema_digest=registry.digest,
        schema_root=registry.root_fault,
        mapping_faults=mapping_faults_of(registry, max_attachment=sizes.max_attachment, max_body=sizes.max_body),
        # Faulty routes are told as such; without any there is nothing to serve.
        may_be_empty=bool(routes or route_faults),
    )
    faults += [*found, *route_faults]
    if settings is not None and settings.proxy_key is None:
        faults += unguarded(routes)
    result = _Result(services=services, registry=registry, faults=faults, routes=routes)
    faults += untellable(services)
    with quiet():
        faults += _tried(result)
    if online:
        faults += _online(result)
    result.notes += _notes(result, sizes, whole=not mappings and not schemas)
    result.unseen += unseen_parts(
        os.environ,
        settings_read=settings is not None,
        mappings_given=mappings is not None,
        schemas_given=schemas is not None,
        online=online,
    )
    if shape == "json":
        click.echo(json.dumps(_report(result), ensure_ascii=False, indent=2))
    else:
        _print(result)
    context.exit(1 if faults else 0)


@dataclass(slots=True, kw_only=True)
class _Result:
    """What is sound, beside what is not; *apps* is what those that were asked told of themselves."""

    services: Mapping[str, "ServiceMapping"]
    registry: "SchemaRegistry"
    faults: list[Fault]
    routes: list["AppRoute"] = field(default_factory=list)
    apps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """What was not looked at, and why."""

    @property
    def schemas(self) -> list[str]:
        """The schemas that sound mappings and routes use, and that compile."""
        return sorted(name for name in {name for name, _ in self._pins} if not self.registry.faults(name))

    @property
    def unpinned(self) -> set[str]:
        """The schemas that a mapping or route uses without saying which digest it must have."""
        return {name for name, digest in self._pins if digest is None}

    @property
    def roots(self) -> list[tuple[str, str | None]]:
        """The schemas and what forms of theirs begin with, where it is said, as sound mappings and routes use them."""
        forms = [form for service in self.services.values() for form in service.forms]
        used = [(each.schema, each.root) for each in forms]
        used += [(each.schema, each.root) for route in self.routes for each in route.data_types.values()]
        named = {(name, root) for name, root in used if name is not None}
        named |= {(name, None) for name in self.schemas if name not in {name for name, _ in named}}
        return sorted(((name, root) for name, root in named if not self.registry.faults(name)), key=str)

    @property
    def _pins(self) -> list[tuple[str, str | None]]:
        forms = [form for service in self.services.values() for form in service.forms]
        types = [each for route in self.routes for each in route.data_types.values()]
        return [pin for each in forms for pin in each.pins] + [pin for each in types for pin in each.pins]


def _routes(registry: "SchemaRegistry") -> tuple[list["AppRoute"], list[Fault]]:
    """The sound route files, where there are any, and what is wrong with them and the schemas that they name."""
    from bridge.config.routes import read_routes

    given = os.environ.get("BRIDGE_ROUTES", "").strip()
    if not given or not Path(given).is_dir():
        return [], []
    routes, faults = read_routes(Path(given), registry)
    return list(routes.values()), faults


def _tried(result: _Result) -> Iterator[Fault]:
    """Try every schema with forms of our own: nobody's form shall be the first that meets an error."""
    from bridge.core.mapping import schema_file
    from bridge.forms.trial import tried

    for name, root in result.roots:
        trial = tried(result.registry, name, root)
        place = result.registry.folder / schema_file(name)
        yield from (Fault(where=f"{place}:1:1", message=message) for message in dict.fromkeys(trial.faults))
        result.notes += [f"{name}: {note}" for note in trial.notes]


def _notes(result: _Result, sizes: "Sizes", *, whole: bool) -> Iterator[str]:
    """What is sound and yet worth knowing; of a *whole* configuration also what stands beside it."""
    from bridge.cli.check.notes import json_notes, notes_beside, notes_of, notes_of_sizes

    if whole:
        yield from notes_beside(result.services)
    yield from notes_of(result.services)
    yield from json_notes(result.services, result.registry.root_fault)
    yield from notes_of_sizes(result.services, sizes)


def untellable(services: Mapping[str, "ServiceMapping"]) -> Iterator[Fault]:
    """Make the dialog of a pretended element in each state that ``altinn-bridge drafts`` meets."""
    from bridge.config.mapping_states import STATE_NAMES
    from bridge.core.cases import CaseRef, CaseStatus
    from bridge.core.elements import Element
    from bridge.core.errors import place_of
    from bridge.core.new_dialogs import new_dialog, own_dialog_change
    from bridge.core.states import Subject
    from bridge.core.targets import Target

    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    values = {"message_id": "a1", "archived_id": "b1", "archive_reference": "AR1"}
    for each in services.values():
        if each.altinn2 is None or not each.actions:
            continue
        subject = Subject(mapping=each, dialog_id=UUID(int=0), public_url="https://bridge.example", values=values)
        for state in (CaseStatus.FORM_FILLING, CaseStatus.SIGNING, CaseStatus.ARCHIVED):
            element = Element(
                case=CaseRef(system=Target.ALTINN2.value, owner="my", key="a1"),
                state=state,
                status_text=STATE_NAMES[state],
                service_code=each.altinn2.service_code,
                service_edition=each.altinn2.service_edition,
                last_changed=now,
                original_id=None,
                forms=(),
                attachments=(),
            )
            try:
                says = own_dialog_change(subject, element, activity=None, now=now)
                new_dialog(subject, says, element, party="urn:altinn:organization:identifier-no:0", key="k", label="l")
            except Exception as error:  # noqa: BLE001 - whatever it is, it would stop each dialog of this service
                why = f"{type(error).__name__} in {place_of(error)}"
                message = (
                    f"no dialog can be made for an element in the state {STATE_NAMES[state]} ({why}): look at its texts"
                )
                yield Fault(where=f"{each.source}:1:1", message=message)
                break


def _settings() -> tuple["Settings | None", list[Fault]]:
    """The settings, and their faults with those of the keys that they name, as ``altinn-bridge serve`` reads them."""
    from bridge.config.settings import Settings
    from bridge.storage.opening import file_faults
    from bridge.wiring import credential_faults

    try:
        settings = Settings.from_environ(os.environ)
    except ConfigurationError as error:
        return None, list(error.faults)
    return settings, [*credential_faults(settings), *file_faults(settings.database_url, mark=settings.store_mark)]


def _online(result: _Result) -> list[Fault]:
    """Have the driver of each target ask its system; what is good to know of it is added to the *result*."""
    from bridge.adapters.http.session import new_session
    from bridge.config.settings import Settings
    from bridge.steps.drivers.protocol import Online
    from bridge.steps.drivers.registry import DRIVERS
    from bridge.wiring import utc_now

    try:
        settings = Settings.from_environ(os.environ)
    except ConfigurationError:
        return [Fault(where="--online", message="the settings have faults, so nobody was asked")]
    online = Online(
        settings=settings,
        session=new_session(pool=1),
        schemas=result.registry,
        routes=result.routes,
        clock=utc_now,
    )
    reports = [driver.check_online(list(result.services.values()), online) for driver in DRIVERS.values()]
    result.notes += [note for report in reports for note in report.notes]
    result.apps += [each for report in reports for each in report.told]
    return [fault for report in reports for fault in report.faults]


def folder_of(variable: str) -> Path:
    """The folder that the settings mean, also when other settings have faults."""
    from bridge.bundled import mappings_folder, schemas_folder

    given = os.environ.get(variable, "").strip()
    return Path(given) if given else {"BRIDGE_MAPPINGS": mappings_folder, "BRIDGE_SCHEMAS": schemas_folder}[variable]()


def _report(result: _Result) -> dict[str, object]:
    registry, unpinned = result.registry, result.unpinned
    return {
        "ok": not result.faults,
        "faults": [{"where": fault.where, "message": fault.message} for fault in result.faults],
        "notes": result.notes,
        "not_looked_at": result.unseen,
        "services": [
            {"service_resource": name, "source": service.source, "actions": list(service.actions)}
            for name, service in result.services.items()
        ],
        "routes": [{"app": each.name, "data_types": sorted(each.data_types)} for each in result.routes],
        "schemas": [
            {
                "name": name,
                "engine": registry.engine(name).value,
                "sha256": registry.digest(name),
                "pinned": name not in unpinned,
                "notes": list(registry.notes(name)),
            }
            for name in result.schemas
        ],
        "apps": result.apps,
    }


def _print(result: _Result) -> None:
    from bridge.forms.xml.schema_files import Engine

    for fault in result.faults:
        click.echo(str(fault), err=True)
    for name, service in result.services.items():
        click.echo(f"{name}: {', '.join(service.actions)} ({service.source})")
    for route in result.routes:
        click.echo(f"{route.name}: a route for {', '.join(sorted(route.data_types)) or 'any data type'}")
    for name in result.schemas:
        click.echo(f"{name}: compiles")
        for note in result.registry.notes(name):
            click.echo(f"  {note}")
        if name in result.unpinned:
            key = "json_sha256" if result.registry.engine(name) is Engine.JSON_SCHEMA else "sha256"
            digest = result.registry.digest(name)
            click.echo(f'  not pinned; to pin it, write beside it  {key}: "{digest}"')
    for note in (*result.apps, *(f"note: {each}" for each in result.notes)):
        click.echo(note)
    for each in result.unseen:
        click.echo(f"not looked at: {each}")
    verdict = _verdict(faults=len(result.faults), notes=len(result.notes), whole=not result.unseen)
    click.echo(verdict, err=bool(result.faults))


def _verdict(*, faults: int, notes: int, whole: bool) -> str:
    """The last line: sound is what was looked at as a *whole*, has no fault, and leaves nothing to be read."""
    to_read = f"; {_counted(notes, 'note')} to read." if notes else ""
    if faults:
        return f"{_counted(faults, 'fault')}{to_read}"
    if not notes:
        return "All sound." if whole else "What was looked at is sound."
    return f"No fault{'' if whole else ' in what was looked at'}{to_read}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
