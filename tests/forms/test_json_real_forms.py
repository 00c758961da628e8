"""Real JSON Schemas, kept beside the project: their forms are accepted, and what is wrong is found."""

import json
import os
from pathlib import Path

import pytest

from bridge.forms.conversion.converter import Converter
from bridge.forms.json.registry import JsonSchemaRegistry

FORMS = Path(__file__).parents[3] / "shared" / "forms"
WITH_SCHEMA = ["afp-arbeidsgiverskjema", "hvem-er-hvem"]

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not FORMS.is_dir() and "CI" not in os.environ, reason="the folder of real forms is not here"),
]


def loaded(form: str) -> JsonSchemaRegistry:
    registry = JsonSchemaRegistry(FORMS / form)
    registry.load(["schema.json"])
    return registry


@pytest.mark.parametrize("form", WITH_SCHEMA)
def test_valid_forms_are_accepted(form: str):
    """The form kept as JSON, and the one kept as XML once it is converted."""
    registry = loaded(form)
    converted = Converter.from_schema(FORMS / form / "schema.xsd").to_json((FORMS / form / "valid.xml").read_bytes())
    kept = FORMS / form / "valid.json"

    assert registry.check("schema.json", converted) == ()
    assert not kept.exists() or registry.check("schema.json", kept.read_bytes()) == ()


def test_a_form_of_nothing_known_is_refused():
    """Held against the root of its schema it would pass; its five required members are missing."""
    findings = loaded("hvem-er-hvem").check("schema.json", '{"x": 1}')

    assert [finding.rule for finding in findings] == ["missing_element"] * 5


def test_a_missing_attribute_is_found():
    """The official test form without orid, which the app itself takes."""
    converter = Converter.from_schema(FORMS / "afp-arbeidsgiverskjema" / "schema.xsd")
    text = converter.to_json((FORMS / "afp-arbeidsgiverskjema" / "invalid-missing-orid.xml").read_bytes())

    findings = loaded("afp-arbeidsgiverskjema").check("schema.json", text)

    assert [finding.path.rpartition("/")[2] for finding in findings] == ["orid"]


def test_constants_that_nothing_could_fit_are_said():
    """65 integers of that form have a text as their constant."""
    notes = loaded("afp-arbeidsgiverskjema").notes("schema.json")

    assert any("read 65 constants" in note for note in notes)


def test_every_schema_is_known():
    """A JSON Schema that is added to the folder is added here."""
    assert sorted(path.parent.name for path in FORMS.glob("*/schema.json")) == WITH_SCHEMA
    assert all(json.loads(path.read_text("utf-8-sig")) for path in FORMS.glob("*/schema.json"))
