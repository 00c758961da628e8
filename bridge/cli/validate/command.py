"""``altinn-bridge validate``: hold forms against a schema or a mapping, and say what is wrong with them."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bridge.cli.shapes import shape_option

if TYPE_CHECKING:  # They bring lxml, which nobody waits for who asks for help.
    from bridge.cli.validate.report import Report
    from bridge.cli.validate.work import Checked, Job, Verdict
    from bridge.core.mapping import FormSpec

_FILE = click.Path(path_type=Path)
_EVERY = 5.0
"""Seconds between lines of progress where there is no terminal."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE…")
@click.option("--schema", type=_FILE, metavar="FILE", help="The XSD or JSON Schema that they are held against.")
@click.option(
    "--mapping", type=_FILE, metavar="FILE", help="The mapping whose schemas and rules they are held against."
)
@click.option("--schemas", type=_FILE, metavar="DIR", help="Where the mapping's schemas are; else as in the settings.")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="nb", show_default=True)
@shape_option("table", "json", "sarif", flags=("json", "sarif"))
@click.option("--html", type=_FILE, metavar="FILE", help="Also write a page to read.")
@click.option("--show-values", is_flag=True, help="Also show what stands in the form. It may be personal.")
@click.option(
    "--receiver",
    type=click.Choice(["dotnet", "other"]),
    help="Who gets the forms: what .NET may refuse is an error for dotnet, else a warning; else as the mapping says.",
)
@click.option("--both-engines", is_flag=True, help="Ask xmlschema about forms that libxml2 accepts, too. Slow.")
@click.option("--processes", type=click.IntRange(1, 64), metavar="N", help="How many work at once; else one a core.")
@click.pass_context
def validate(
    context: click.Context,
    *,
    files: tuple[Path, ...],
    schema: Path | None,
    mapping: Path | None,
    schemas: Path | None,
    language: str,
    shape: str,
    html: Path | None,
    show_values: bool,
    receiver: str | None,
    both_engines: bool,
    processes: int | None,
) -> None:
    """
    Hold forms (files, or all *.xml and *.json below folders) against --schema or --mapping.

    json tells in all languages, sarif (SARIF 2.1.0) is for editors and CI.

    Exit code 0: all valid (warnings may have been told). 1: findings. 2: a schema or file that cannot be used, with
    the reason.
    """
    from bridge.cli.quiet import quiet

    context.with_resource(quiet())
    if (schema is None) == (mapping is None):
        raise click.UsageError("say either --schema or --mapping")
    job = _job_of_mapping(mapping, schemas, show_values) if mapping else _job_of_schema(schema, show_values)
    job = replace(job, both_engines=both_engines)
    if receiver is not None:
        job = replace(job, forms=_for_receiver(job.forms, receiver))
    reports = _reports(language=language, shape=shape, html=html, values=show_values)
    count, missing = _run(job, files, reports, processes=processes)
    context.exit(2 if missing else _exit_code(count))


def _exit_code(count: "Counter[Verdict]") -> int:
    from bridge.cli.validate.work import Verdict

    if count[Verdict.UNUSABLE]:
        return 2
    return 1 if count[Verdict.FINDINGS] else 0


def _job_of_schema(schema: Path | None, values: bool) -> "Job":
    from bridge.cli.validate.work import Job
    from bridge.core.mapping import FormKind, FormSpec, schema_file
    from bridge.forms.xml.input import Limits

    if schema is None or not schema.with_name(schema_file(schema.name)).is_file():
        _cannot(f"there is no schema {schema}")
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema=schema.name)
    return Job(folder=schema.parent, forms=(spec,), limits=Limits(), values=values)


def _job_of_mapping(mapping: Path, schemas: Path | None, values: bool) -> "Job":
    from bridge.cli.check.command import folder_of
    from bridge.cli.validate.work import Job
    from bridge.config.mappings import read_mappings
    from bridge.core.errors import ConfigurationError
    from bridge.forms.registry import SchemaRegistry
    from bridge.forms.xml.input import Limits
    from bridge.steps.drivers.registry import DRIVERS

    if not mapping.is_file():
        _cannot(f"there is no mapping {mapping}")
    folder = schemas or folder_of("BRIDGE_SCHEMAS")
    registry = SchemaRegistry(folder)
    services, faults = read_mappings(
        mapping,
        folder,
        targets=DRIVERS,
        schema_faults=registry.faults,
        schema_digest=registry.digest,
        schema_root=registry.root_fault,
        mapping_faults=registry.mapping_faults,
    )
    if faults:
        raise ConfigurationError(faults)
    forms = tuple(form for service in services.values() for form in service.forms)
    return Job(folder=folder, forms=forms, limits=Limits(), values=values)


def _for_receiver(forms: "tuple[FormSpec, ...]", name: str) -> "tuple[FormSpec, ...]":
    from bridge.core.mapping import Receiver

    return tuple(replace(form, receiver=Receiver(name)) for form in forms)


def _cannot(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    raise SystemExit(2)


def _reports(*, language: str, shape: str, html: Path | None, values: bool) -> "list[Report]":
    from importlib.metadata import version

    from bridge.cli.unread import echo_while_read
    from bridge.cli.validate.html import Page
    from bridge.cli.validate.report import Json, Sarif, Table

    reports: list[Report] = []
    if html is not None:
        if not html.absolute().parent.is_dir():
            _cannot(f"there is no folder {html.parent} for the page")
        # First, so that it is there when the sum is told.
        reports.append(Page(html, language=language, values=values))
    # For the page all files are judged, whether or not somebody reads what is printed.
    write = click.echo if html is None else echo_while_read
    if shape == "json":
        reports.append(Json(write))
    elif shape == "sarif":
        reports.append(Sarif(write, language=language, version=version("altinn-dialog-bridge")))
    else:
        reports.append(Table(write, language=language))
    return reports


def _run(
    job: "Job", files: Sequence[Path], reports: "Sequence[Report]", *, processes: int | None
) -> "tuple[Counter[Verdict], int]":
    """Judge all *files*; gives the sums, and how many of the arguments led to nothing."""
    from concurrent.futures.process import BrokenProcessPool

    from bridge.cli.validate.html import Page
    from bridge.cli.validate.work import Checker, check_all, cores

    for note in Checker(job).notes:
        click.echo(note, err=True)
    paths: list[Path] = []
    missing = 0
    for path in files:
        closed: list[OSError] = []
        found = sorted(_below(path, closed)) if path.is_dir() else [path]
        paths += found
        for error in closed:
            click.echo(f"{error.filename}: {error.strerror}", err=True)
        if not found:
            click.echo(f"there is no *.xml or *.json below {path}", err=True)
        missing += len(closed) or not found
    count: Counter[Verdict] = Counter()
    try:
        judged = check_all(job, paths, processes=processes or cores(), count=len(paths))
        for checked in _with_progress(judged, len(paths)):
            count[checked.verdict] += 1
            for report in reports:
                report.add(checked)
    except BrokenProcessPool:
        click.echo("a process was ended from outside (too little memory?): what follows was not judged", err=True)
        missing += 1
    for report in reports:
        try:
            report.end(count)
        except OSError as error:
            if not isinstance(report, Page):
                raise
            _cannot(f"the page cannot be written: {error.strerror}")
    return count, missing


def _below(folder: Path, closed: list[OSError]) -> Iterator[Path]:
    """Forms, and links that lead nowhere, below *folder*; errors of folders that cannot be read go into *closed*."""
    for here, _, names in os.walk(folder, onerror=closed.append):
        for path in (Path(here, name) for name in names):
            if path.suffix.lower() in {".xml", ".json"} and (path.is_file() or path.is_symlink()):
                yield path


def _with_progress(judged: "Iterator[Checked]", total: int) -> "Iterator[Checked]":
    if sys.stderr.isatty() and total > 1:
        yield from _with_bar(judged, total)
        return
    begin = reported = time.monotonic()
    for number, checked in enumerate(judged, start=1):
        yield checked
        now = time.monotonic()
        if now - reported >= _EVERY:
            reported = now
            rate = number / (now - begin)
            left = (total - number) / rate
            click.echo(f"{number} of {total} files, {rate:.0f} a second, {left:.0f} s left", err=True)


def _with_bar(judged: "Iterator[Checked]", total: int) -> "Iterator[Checked]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        *(BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}")),
        *(TimeRemainingColumn(), TextColumn("left")),
    )
    begin = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total, rate="")
        for number, checked in enumerate(judged, start=1):
            yield checked
            if number % 10 == 0 or number == total:
                rate = number / max(0.001, time.monotonic() - begin)
                progress.update(task, completed=number, rate=f"{rate:.0f} a second")
