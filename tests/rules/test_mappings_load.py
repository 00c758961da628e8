"""What ships is sound, and the papers agree with it."""

import copy
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from pydantic import ValidationError

from bridge.adapters.mapping_files import load_mappings, recalled
from bridge.adapters.mapping_keys import SCHEMA_FILE, MappingFile, mapping_json_schema
from bridge.adapters.yaml_places import Document, Place, read_yaml
from bridge.forms.xsd import SchemaRegistry
from bridge.sandbox.app_examples import example_app
from bridge.sandbox.app_schemas import xsd
from bridge.shipped import mappings_folder, schemas_folder
from tests.near_misses import every_mapping

DOCUMENT = Path(__file__).parents[2] / "docs" / "mappings.md"
FIRST_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"


def test_every_shipped_mapping_loads():
    """Mappings and the schemas that they name have no fault."""
    registry = SchemaRegistry(schemas_folder())

    mappings = load_mappings(
        mappings_folder(), schemas_folder(), schema_faults=registry.faults, misfits=registry.misfits
    )

    assert set(mappings["urn:altinn:resource:serveringsbevilling"].actions) == {"submit", "send-to-signing", "sign"}


def test_the_shipped_json_schema_is_current():
    """Editors check with the model that the bridge reads with."""
    shipped = json.loads((mappings_folder() / SCHEMA_FILE).read_text("utf-8"))

    assert shipped == mapping_json_schema()


def test_the_json_schema_takes_what_the_reader_takes(tmp_path: Path):
    """Of every mapping that ships, is shown or is used in a test, as it is and with other values: nothing is marked."""
    judge = jsonschema_rs.validator_for(mapping_json_schema())
    mappings = {name: each for name, text in every_mapping().items() if takes(each := plain(tmp_path, text))}
    changed = [with_value(each, place, value) for each, place, value in changes(mappings.values())]

    refused = [name for name, each in mappings.items() if not judge.is_valid(each)]
    refused_too = [each for each in changed if takes(each) and not judge.is_valid(each)]

    assert len(mappings) > 15
    assert (refused, refused_too) == ([], [])


def test_the_json_schema_refuses_what_is_misspelt(tmp_path: Path):
    """A key that nobody knows, at whatever depth it stands, an action that can be no address, a state that is none."""
    judge = jsonschema_rs.validator_for(mapping_json_schema())
    mappings = [each for text in every_mapping().values() if takes(each := plain(tmp_path, text))]
    places = [(each, place) for each in mappings for place in places_of(each) if isinstance(at(each, place), dict)]

    # What a place of a form is called, and its value, are free.
    kept = [(each, place) for each, place in places if place[-1:] != ("set",)]
    taken = {place for each, place in kept if judge.is_valid(with_value(each, (*place, "Misspelt Key"), "x"))}

    assert len(kept) > 100
    assert taken == set()


def test_every_mapping_names_its_json_schema():
    """An editor that opens a shipped mapping finds the schema beside it."""
    firsts = [path.read_text("utf-8").partition("\n")[0] + "\n" for path in mappings_folder().glob("*.yaml")]

    assert firsts == [FIRST_LINE] * len(firsts)


def test_the_documented_mapping_loads(tmp_path: Path):
    """The example that people copy has no fault."""
    example = re.search(r"```yaml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "example.yaml").write_text(example[1])

    mappings = load_mappings(tmp_path, schemas_folder())

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
            misfits=registry.misfits,
        )
        for number in range(len(examples))
    ]

    assert loaded
    mappings = [mapping for each in loaded for mapping in each.values()]
    # What waits is told by the mapping under which it was accepted, made again of what is kept of it.
    again = [replace(made, source=mapping.source) for mapping in mappings if (made := recalled(mapping.said))]
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


def plain(folder: Path, text: str) -> Any:
    """Read as the reader does, which follows YAML 1.2 as editors do."""
    path = folder / "mapping.yaml"
    path.write_text(text, "utf-8")
    return read_yaml(Document(path=path), begins="")


def takes(mapping: Any) -> bool:
    """Say whether the reader takes it, key by key."""
    try:
        MappingFile.model_validate(mapping)
    except ValidationError:
        return False
    return True


def places_of(value: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places_of(each, (*place, key))


def changes(mappings: Iterable[Any]) -> Iterator[tuple[Any, Place, Any]]:
    """Put a value of each kind at every place, once for each shape of place."""
    seen: set[Place] = set()
    for each in mappings:
        for place in places_of(each):
            shape = tuple("*" if isinstance(key, int) or at == 1 else key for at, key in enumerate(place))
            if place and shape not in seen:
                seen.add(shape)
                yield from ((each, place, value) for value in (None, True, 0, 7, "x", "write", [], ["x"], {}))


def at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def with_value(mapping: Any, place: Place, value: Any) -> Any:
    changed = copy.deepcopy(mapping)
    at(changed, place[:-1])[place[-1]] = value
    return changed


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
