"""The JSON Schemas for editors take what the readers take, and mark what they refuse key by key."""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
from pydantic import BaseModel, ValidationError

from bridge.config.mapping_keys import Action, MappingFile, mapping_json_schema
from bridge.config.mapping_parts import models_of
from bridge.config.routes import RouteFile, route_json_schema
from bridge.config.yaml_source import Document, Place, read_yaml
from bridge.steps.drivers.registry import DRIVERS
from tests.config.test_routes import WHOLE
from tests.near_misses import ROOT, every_mapping


def every_route() -> Mapping[str, str]:
    """The route files that ship, that documents show and that tests use."""
    found = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "routes").glob("*.yaml"))}
    for path in sorted((ROOT / "docs").glob("*.md")):
        blocks = re.findall(r"```yaml\n(app: .*?)```", path.read_text("utf-8"), re.DOTALL)
        found |= {f"{path.name} {number}": block for number, block in enumerate(blocks)}
    return {**found, "test": WHOLE}


KINDS = [
    pytest.param(MappingFile, mapping_json_schema, every_mapping, 15, id="mappings"),
    pytest.param(RouteFile, route_json_schema, every_route, 2, id="routes"),
]
FREE = ("set", "data_types")
"""Their keys are paths and names of the agency's own."""


@pytest.mark.parametrize(("model", "schema", "texts", "least"), KINDS)
def test_they_take_what_the_readers_take(
    tmp_path: Path,
    model: type[BaseModel],
    schema: Callable[[], dict[str, Any]],
    texts: Callable[[], Mapping[str, str]],
    least: int,
):
    """Of every file that ships, is shown or is used in a test, as it is and with other values: nothing is marked."""
    judge = jsonschema_rs.validator_for(schema())
    files = {name: each for name, text in texts().items() if takes(model, each := plain(tmp_path, text))}
    changed = [with_value(each, place, value) for each, place, value in changes(files.values())]

    refused = [name for name, each in files.items() if not judge.is_valid(each)]
    refused_too = [each for each in changed if takes(model, each) and not judge.is_valid(each)]

    assert len(files) >= least
    assert (refused, refused_too) == ([], [])


@pytest.mark.parametrize(("model", "schema", "texts", "least"), KINDS)
def test_they_mark_what_is_misspelt(
    tmp_path: Path,
    model: type[BaseModel],
    schema: Callable[[], dict[str, Any]],
    texts: Callable[[], Mapping[str, str]],
    least: int,
):
    """A key that nobody knows, at whatever depth it stands, an action that can be no address, a state that is none."""
    judge = jsonschema_rs.validator_for(schema())
    files = [each for text in texts().values() if takes(model, each := plain(tmp_path, text))]
    places = [(each, place) for each in files for place in places_of(each) if isinstance(at(each, place), dict)]

    kept = [(each, place) for each, place in places if place[-1:] not in [(name,) for name in FREE]]
    # With the value of a key beside it, so that it is the name alone that is marked.
    taken = {
        place
        for each, place in kept
        if judge.is_valid(with_value(each, (*place, "Misspelt Key"), next(iter(at(each, place).values()), "x")))
    }

    assert len(kept) > least
    assert taken == set()


def test_they_know_the_keys_of_every_target():
    """Of each that has a driver, in one union."""
    assert list(models_of(DRIVERS).values()) == list(get_args(Action))


@pytest.mark.parametrize(
    ("action", "marked"),
    [
        ({"target": "altinn2", "sign": True, "complete": True, "calculate": True}, []),
        ({"target": "altinn3"}, []),
        ({"target": "altinn3", "sign": None, "delete": False}, []),
        ({"target": "altinn3", "sign": True}, ["sign"]),
        ({"target": "altinn3", "delete": True, "calculate": True}, ["calculate", "delete"]),
        ({"target": "altinn3", "form": "none"}, ["form"]),
        ({"target": "altinn"}, ["target"]),
        ({"sing": True}, ["sing", "target"]),
    ],
)
def test_they_mark_the_keys_of_another_target(action: Mapping[str, Any], marked: list[str]):
    """Beside the ``target``, key by key; where none is written yet, whatever any target has."""
    form = {"type": "MainForm", "data_format_id": "1", "data_format_version": "1"}
    pressed = {"requires": "write", "minimum_level": 3, "form": "body", **action}
    file = {"service_resource": "urn:altinn:resource:a", "forms": [form], "actions": {"press": pressed}}
    judge = jsonschema_rs.validator_for(mapping_json_schema())

    assert sorted(map(key_of, judge.iter_errors(file))) == marked


def key_of(error: jsonschema_rs.ValidationError) -> str:
    """The key of an action that *error* is about."""
    if error.instance_path[2:]:
        return str(error.instance_path[2])
    return "".join(re.findall(r"'([a-z]+)' was unexpected|\"([a-z]+)\" is a required", error.message)[0])


def plain(folder: Path, text: str) -> Any:
    """Read as the reader does, which follows YAML 1.2 as editors do."""
    path = folder / "file.yaml"
    path.write_text(text, "utf-8")
    return read_yaml(Document(path=path), begins="")


def takes(model: type[BaseModel], file: Any) -> bool:
    """Say whether the reader takes it, key by key."""
    try:
        model.model_validate(file)
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
