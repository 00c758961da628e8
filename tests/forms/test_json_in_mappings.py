"""A mapping names the JSON Schema of a form beside its XSD, and both hold."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.bundled import examples_folder, schemas_folder
from bridge.cli.check.command import check
from bridge.cli.validate.command import validate
from bridge.config.mappings import read_mappings
from bridge.forms.conversion.converter import Converter
from bridge.forms.registry import SchemaRegistry
from bridge.steps.drivers.registry import DRIVERS

XSD = schemas_folder() / "serveringsbevilling.xsd"
FORM: Any = json.loads(Converter.from_schema(XSD).to_json((examples_folder() / "serveringsbevilling.xml").read_bytes()))
# Stricter than the XSD in one place, so that each can be seen to hold.
JSON_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "info": {"rootNode": "#/$defs/Melding"},
    "$defs": {
        "Melding": {
            "properties": {"virksomhet": {"properties": {"navn": {"type": "string", "maxLength": 30}}}},
            "required": ["virksomhet"],
        }
    },
}
MAPPING = """\
service_resource: urn:altinn:resource:proeve
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", {keys}}}
actions:
  press: {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true}}
"""
BOTH = "schema: serveringsbevilling.xsd, json_schema: skjema.json"


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    folder.mkdir()
    shutil.copy(XSD, folder)
    (folder / "skjema.json").write_text(json.dumps(JSON_SCHEMA), "utf-8")
    (folder / "alt.json").write_text('{"$defs": {"A": {"type": "object"}}}', "utf-8")
    return folder


def mapping(tmp_path: Path, keys: str) -> Path:
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "a.yaml").write_text(MAPPING.format(keys=keys), "utf-8")
    return folder


def faults(tmp_path: Path, schemas: Path, keys: str) -> list[str]:
    registry = SchemaRegistry(schemas)
    _, found = read_mappings(
        mapping(tmp_path, keys), schemas, schema_faults=registry.faults, schema_digest=registry.digest, targets=DRIVERS
    )
    return [str(each) for each in found]


def changed(**virksomhet: object) -> Any:
    return {**FORM, "virksomhet": {**FORM["virksomhet"], **virksomhet}}


def test_its_digest_can_be_pinned(tmp_path: Path, schemas: Path) -> None:
    """As an XSD's can, and the right one is no fault."""
    digest = hashlib.sha256((schemas / "skjema.json").read_bytes()).hexdigest()

    assert faults(tmp_path, schemas, f'{BOTH}, json_sha256: "{digest}"') == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (f'{BOTH}, json_sha256: "{"0" * 64}"', "skjema.json is another than was pinned"),
        ("json_schema: skjema.json", "JSON is turned into XML by the XSD: name it as 'schema'"),
        ("schema: serveringsbevilling.xsd, json_schema: serveringsbevilling.xsd", "a JSON Schema's name ends with"),
        ("schema: skjema.json", "an XSD must stand here"),
        ("schema: serveringsbevilling.xsd, json_schema: skjem.json", "did you mean 'skjema.json'?"),
        ("schema: serveringsbevilling.xsd, json_schema: alt.json", "accepts anything at #"),
        ('schema: serveringsbevilling.xsd, json_schema: "skjema.json#/a"', "the schema has nothing there"),
        (f'schema: serveringsbevilling.xsd, json_sha256: "{"0" * 64}"', "without a 'json_schema'"),
    ],
)
def test_what_cannot_be_used_is_a_fault_when_it_loads(tmp_path: Path, schemas: Path, keys: str, message: str) -> None:
    """With the file, and what to do."""
    assert any(message in each for each in faults(tmp_path, schemas, keys))


def test_check_tells_where_forms_begin_and_the_digest(tmp_path: Path, schemas: Path) -> None:
    """And that it is not pinned."""
    folder = mapping(tmp_path, BOTH)

    result = CliRunner().invoke(check, ["--mappings", str(folder), "--schemas", str(schemas)])

    assert result.exit_code == 0
    assert "forms begin at #/$defs/Melding (info.rootNode)" in result.output
    assert f'json_sha256: "{hashlib.sha256((schemas / "skjema.json").read_bytes()).hexdigest()}"' in result.output


@pytest.mark.parametrize(
    ("form", "path", "rule"),
    [
        pytest.param(FORM, None, None, id="valid"),
        pytest.param(changed(navn="N" * 31), "/virksomhet/navn", "max_length", id="JSON Schema alone"),
        pytest.param(changed(organisasjonsnummer="1"), "/virksomhet/organisasjonsnummer", "digits", id="XSD alone"),
    ],
)
def test_validate_by_mapping_holds_json_to_both(
    tmp_path: Path, schemas: Path, form: Any, path: str | None, rule: str | None
) -> None:
    """What only the one refuses is told, by that one."""
    file = tmp_path / "form.json"
    file.write_text(json.dumps(form), "utf-8")
    chosen = mapping(tmp_path, BOTH) / "a.yaml"

    result = CliRunner().invoke(validate, ["--mapping", str(chosen), "--schemas", str(schemas), "--json", str(file)])

    findings = json.loads(result.stdout)["files"][0]["findings"]
    assert [(each["path"], each["rule"]) for each in findings] == ([] if path is None else [(path, rule)])
    assert result.exit_code == (0 if path is None else 1)
