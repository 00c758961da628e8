"""``altinn-bridge convert``: a form as JSON or as XML, by its XSD."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bridge.core.mapping import FORMAT_ATTRIBUTES

if TYPE_CHECKING:  # They bring lxml, which nobody waits for who asks for help.
    from bridge.core.errors import Finding
    from bridge.core.mapping import FormSpec

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_FILE, metavar="FILE")
@click.option("--to", "target", type=click.Choice(["json", "xml"]), required=True, help="What the form shall become.")
@click.option("--schema", type=_FILE, metavar="FILE", help="The form's XSD.")
@click.option("--mapping", type=_FILE, metavar="FILE", help="The mapping that names the form's XSD.")
@click.option("--schemas", type=_FILE, metavar="DIR", help="Where the mapping's schemas are; else as in the settings.")
@click.option("--root", metavar="NAME", help="The root element, where the XSD has several.")
@click.option("--output", type=_FILE, metavar="FILE", help="Where to write; else to standard output.")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="nb", show_default=True)
@click.pass_context
def convert(
    context: click.Context,
    *,
    file: Path,
    target: str,
    schema: Path | None,
    mapping: Path | None,
    schemas: Path | None,
    root: str | None,
    output: Path | None,
    language: str,
) -> None:
    """
    Convert FILE (``-`` is standard input) by --schema or --mapping, dropping nothing.

    Exit code 0: done. 1: the form does not have the schema's shape; nothing is written. 2: a schema or file that
    cannot be used, with the reason.
    """
    from bridge.cli.check.command import folder_of
    from bridge.forms.conversion.converter import Converter, Unconvertible
    from bridge.forms.xml.input import Limits, Unreadable

    if (schema is None) == (mapping is None):
        raise click.UsageError("say either --schema or --mapping")
    form = _read(file, Limits().max_bytes)
    folder = schema.parent if schema is not None else schemas or folder_of("BRIDGE_SCHEMAS")
    if schema is not None:
        path = schema
    else:
        named, said = _schema_of(form, mapping or Path(), folder, target=target)
        path, root = folder / named, root or said
    if not path.is_file():
        _cannot(f"there is no schema {path}")
    converter = Converter.from_schema(path, folder=folder, root=root)
    try:
        result = converter.to_json(form).encode() if target == "json" else converter.to_xml(form)
    except Unreadable as unreadable:
        _tell(file, (unreadable.finding,), language)
        context.exit(1)
    except Unconvertible as unconvertible:
        _tell(file, unconvertible.findings, language)
        context.exit(1)
    _write(output, result + b"\n")


def _read(file: Path, most: int) -> bytes:
    """The form's bytes; of one that is too large just enough for the refusal."""
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(most + 1)
        with file.open("rb") as opened:
            return opened.read(most + 1)
    except OSError as error:
        _cannot(f"{file} cannot be read: {error.strerror}")


def _write(output: Path | None, result: bytes) -> None:
    try:
        if output is None:
            sys.stdout.buffer.write(result)
            sys.stdout.buffer.flush()
        else:
            output.write_bytes(result)
    except OSError as error:
        _cannot(f"{output or 'standard output'} cannot be written: {error.strerror}")


def _tell(file: Path, findings: "tuple[Finding, ...]", language: str) -> None:
    from bridge.core.texts.findings import sentence

    name = "<stdin>" if str(file) == "-" else str(file)
    for finding in findings:
        place = f"{name}:{finding.line or 1}:{finding.column or 1}"
        click.echo(f"{place}: {finding.path}: {sentence(finding, language)} ({finding.rule})", err=True)


def _schema_of(form: bytes, mapping: Path, folder: Path, *, target: str) -> tuple[str, str | None]:
    """The XSD, with its root, that the mapping names for this form: by its data format, or as the only one."""
    from bridge.config.mappings import read_mappings
    from bridge.core.errors import ConfigurationError
    from bridge.steps.drivers.registry import DRIVERS

    if not mapping.is_file():
        _cannot(f"there is no mapping {mapping}")
    services, faults = read_mappings(mapping, folder, targets=DRIVERS)
    if faults:
        raise ConfigurationError(faults)
    specs = [spec for service in services.values() for spec in service.forms if (spec.schema or "").endswith(".xsd")]
    fitting = specs if len(specs) == 1 else [spec for spec in specs if _is_of(spec, _marks(form, target))]
    names = {(spec.schema, spec.root) for spec in fitting if spec.schema is not None}
    if len(names) != 1:
        _cannot(f"{mapping} names {'several' if names else 'no'} XSDs for this form: say --schema")
    return names.pop()


def _marks(form: bytes, target: str) -> Mapping[str, str]:
    """The attributes of the form's root, or its texts in JSON; empty where it cannot be read: converting tells why."""
    from bridge.forms.json.input import read_exact
    from bridge.forms.xml.input import Limits, Unreadable, parse, to_utf8

    try:
        if target == "json":
            return {str(name): str(value) for name, value in parse(to_utf8(form, Limits())).attrib.items()}
        value = read_exact(form, Limits())
    except Unreadable:
        return {}
    return {name: given for name, given in value.items() if isinstance(given, str)} if isinstance(value, dict) else {}


def _is_of(spec: "FormSpec", marks: Mapping[str, str]) -> bool:
    return any(
        (marks.get(number), marks.get(version)) == (spec.data_format_id, spec.data_format_version)
        for number, version in FORMAT_ATTRIBUTES
    )


def _cannot(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    raise SystemExit(2)
