"""``altinn-bridge convert`` turns forms from XML into JSON and back, or says why not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.bundled import examples_folder, mappings_folder, schemas_folder
from bridge.cli.convert import convert
from bridge.forms.diff import differences

EXAMPLE = examples_folder() / "serveringsbevilling.xml"
SCHEMA = str(schemas_folder() / "serveringsbevilling.xsd")
MAPPING = str(mappings_folder() / "serveringsbevilling.yaml")


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(convert, arguments, input=stdin, env={"BRIDGE_SCHEMAS": ""})


def test_a_form_comes_back_from_json(tmp_path: Path):
    """By schema and by mapping, from files and through pipes."""
    as_json = run(str(EXAMPLE), "--to", "json", "--schema", SCHEMA)
    by_mapping = run("-", "--to", "json", "--mapping", MAPPING, stdin=EXAMPLE.read_bytes())
    back = run(
        "-", "--to", "xml", "--mapping", MAPPING, "--output", str(tmp_path / "a.xml"), stdin=as_json.stdout_bytes
    )

    assert (as_json.exit_code, by_mapping.exit_code, back.exit_code) == (0, 0, 0)
    assert json.loads(as_json.stdout)["virksomhet"]["navn"] == "Oppdiktet Kafé AS"
    assert by_mapping.stdout_bytes == as_json.stdout_bytes
    assert differences(EXAMPLE.read_bytes(), (tmp_path / "a.xml").read_bytes(), nil_is_missing=False) == ()


def test_a_mapping_says_what_the_form_begins_with(tmp_path: Path):
    """Where its XSD has several roots; --root says it against the mapping."""
    (tmp_path / "a.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m" type="x:int"/>'
        '<x:element name="n" type="x:int"/></x:schema>'
    )
    (tmp_path / "a.yaml").write_text(
        "service_resource: urn:altinn:resource:proeve\naltinn2: {service_code: '1', service_edition: 1}\n"
        "forms:\n  - {type: MainForm, data_format_id: '1', data_format_version: '1', schema: a.xsd, root: n}\n"
        "actions:\n"
        "  press: {requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true}\n"
    )
    arguments = ("-", "--to", "xml", "--mapping", str(tmp_path / "a.yaml"), "--schemas", str(tmp_path))

    assert run(*arguments, stdin=b"7").stdout.endswith("<n>7</n>\n")
    assert run(*arguments, "--root", "m", stdin=b"7").stdout.endswith("<m>7</m>\n")


@pytest.mark.parametrize(
    ("form", "target", "message"),
    [
        (b'{"virksomhet": {},\n "hemmelig": 1}', "xml", "<stdin>:2:2: /hemmelig: Hemmelig hører ikke hjemme her."),
        (b'{"a": 1', "xml", "<stdin>:1:8: /: Skjemaet er ikke gyldig JSON."),
        (b"<melding>\n<ukjent/></melding>", "json", "<stdin>:2:1: /melding/ukjent: Ukjent hører ikke hjemme her."),
        (b"<!DOCTYPE melding><melding/>", "json", "<stdin>:1:1: /: Skjemaet har en DOCTYPE, og det er ikke tillatt."),
        (b"", "json", "<stdin>:1:1: /: Skjemaet er tomt."),
    ],
)
def test_what_cannot_be_converted_is_told_by_place(form: bytes, target: str, message: str):
    """Exit code 1, line and path, and nothing written."""
    result = run("-", "--to", target, "--schema", SCHEMA, stdin=form)

    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_what_cannot_be_used_is_told(tmp_path: Path):
    """Exit code 2 and a reason for each."""
    (tmp_path / "s.xsd").write_text("<a/>")
    example = str(EXAMPLE)

    for arguments, reason in [
        ((example, "--to", "json"), "say either --schema or --mapping"),
        ((example, "--to", "json", "--schema", SCHEMA, "--mapping", MAPPING), "say either --schema or --mapping"),
        ((example, "--to", "json", "--schema", str(tmp_path / "no.xsd")), "there is no schema"),
        ((example, "--to", "json", "--mapping", str(tmp_path / "no.yaml")), "there is no mapping"),
        ((str(tmp_path / "no.xml"), "--to", "json", "--schema", SCHEMA), "cannot be read: No such file"),
        ((str(tmp_path), "--to", "json", "--schema", SCHEMA), "cannot be read: Is a directory"),
        ((example, "--to", "json", "--schema", SCHEMA, "--output", str(tmp_path / "a" / "b")), "cannot be written"),
        ((example, "--to", "yaml", "--schema", SCHEMA), "Invalid value for '--to'"),
    ]:
        result = run(*arguments)
        assert result.exit_code == 2, arguments
        assert reason in result.stderr


def test_a_mapping_with_several_forms_is_asked_by_the_forms_own_mark(tmp_path: Path):
    """dataFormatId and dataFormatVersion, in either kind of form; one that says neither cannot be told."""
    text = Path(MAPPING).read_text("utf-8")
    other = '  - {type: SubForm, data_format_id: "1", data_format_version: "2", schema: annet.xsd}\nactions:'
    (tmp_path / "m.yaml").write_text(text.replace("actions:", other, 1), encoding="utf-8")
    for name in ("annet.xsd", "serveringsbevilling.xsd"):
        (tmp_path / name).write_bytes(Path(SCHEMA).read_bytes())
    with_mapping = ("--mapping", str(tmp_path / "m.yaml"), "--schemas", str(tmp_path))

    known = run(str(EXAMPLE), "--to", "json", *with_mapping)
    back = run("-", "--to", "xml", *with_mapping, stdin=known.stdout_bytes)
    unknown = run("-", "--to", "xml", *with_mapping, stdin=b"{}")

    assert (known.exit_code, back.exit_code, unknown.exit_code) == (0, 0, 2)
    assert "names no XSDs for this form" in unknown.stderr


def test_the_command_itself_never_shows_a_traceback(tmp_path: Path):
    """A broken schema ends with its place and exit code 2."""
    (tmp_path / "s.xsd").write_text("<a>")
    command = [sys.executable, "-m", "bridge.cli", "convert", str(EXAMPLE), "--to", "json"]

    done = subprocess.run([*command, "--schema", str(tmp_path / "s.xsd")], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path / 's.xsd'}:1:")
    assert "Traceback" not in done.stderr
