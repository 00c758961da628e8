"""What ships is sound, and the papers agree with it."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bridge.bundled import mappings_folder, schemas_folder
from bridge.config.mapping_keys import SCHEMA_FILE, mapping_json_schema
from bridge.config.mappings import load_mappings, recalled
from bridge.forms.registry import SchemaRegistry
from bridge.sandbox.apps.examples import example_app
from bridge.sandbox.apps.schemas import xsd
from bridge.steps.drivers.registry import DRIVERS

DOCUMENT = Path(__file__).parents[2] / "docs" / "mappings.md"
FIRST_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"


def test_every_shipped_mapping_loads():
    """Mappings and the schemas that they name have no fault."""
    registry = SchemaRegistry(schemas_folder())

    mappings = load_mappings(
        mappings_folder(),
        schemas_folder(),
        schema_faults=registry.faults,
        mapping_faults=registry.mapping_faults,
        targets=DRIVERS,
    )

    assert set(mappings["urn:altinn:resource:serveringsbevilling"].actions) == {"submit", "send-to-signing", "sign"}


def test_the_shipped_json_schema_is_current():
    """Editors check with the model that the bridge reads with."""
    shipped = json.loads((mappings_folder() / SCHEMA_FILE).read_text("utf-8"))

    assert shipped == mapping_json_schema()


def test_every_mapping_names_its_json_schema():
    """An editor that opens a shipped mapping finds the schema beside it."""
    firsts = [path.read_text("utf-8").partition("\n")[0] + "\n" for path in mappings_folder().glob("*.yaml")]

    assert firsts == [FIRST_LINE] * len(firsts)


def test_the_documented_mapping_loads(tmp_path: Path):
    """The example that people copy has no fault."""
    example = re.search(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "example.yaml").write_text(example[1])

    mappings = load_mappings(tmp_path, schemas_folder(), targets=DRIVERS)

    assert list(mappings) == ["urn:altinn:resource:serveringsbevilling"]


def test_every_documented_mapping_loads(tmp_path: Path):
    """So have the examples of single keys."""
    examples = re.findall(r"```yaml\n(service_resource.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    for number, example in enumerate(examples):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "example.yaml").write_text(example)
    # The example of a calculation is about an app of the sandbox.
    schemas = Path(shutil.copytree(schemas_folder(), tmp_path / "schemas"))
    (schemas / "regnestykke.xsd").write_text(xsd(example_app().data_types[0]), "utf-8")
    registry = SchemaRegistry(schemas)

    loaded = [
        load_mappings(
            tmp_path / str(number),
            schemas,
            schema_faults=registry.faults,
            schema_digest=registry.digest,
            mapping_faults=registry.mapping_faults,
            targets=DRIVERS,
        )
        for number in range(len(examples))
    ]

    assert loaded
    mappings = [mapping for each in loaded for mapping in each.values()]
    # What waits is told by the mapping under which it was accepted, made again of what is kept of it.
    again = [replace(made, source=mapping.source) for mapping in mappings if (made := recalled(mapping.said, DRIVERS))]
    assert (again, [each.said for each in again]) == (mappings, [each.said for each in mappings])
    assert all(list(each) == ["urn:altinn:resource:serveringsbevilling"] for each in loaded)


def test_the_document_explains_every_key():
    """Every key of the model stands in the document."""
    text = DOCUMENT.read_text("utf-8")

    assert {key for key in keys_of_the_model() if not re.search(rf"[`.]{key}`", text)} == set()


def test_every_key_has_its_example():
    """And in one of its examples, all of which are loaded above and pressed in tests/scenarios."""
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)

    assert keys_of_the_model() - {key for each in examples for key in keys_in(yaml.safe_load(each))} == set()


def keys_of_the_model() -> set[str]:
    parts = [mapping_json_schema(), *mapping_json_schema()["definitions"].values()]
    return {key for part in parts for key in part.get("properties", {})}


def keys_in(value: Any) -> set[str]:
    match value:
        case dict():
            return set(value) | {key for each in value.values() for key in keys_in(each)}
        case list():
            return {key for each in value for key in keys_in(each)}
        case _:
            return set()
