"""Mappings are held against any schema that compiles, without a traceback."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.core.mapping import Embeds as Shown
from bridge.core.mapping import FormKind, FormSpec, ServiceMapping, ShownField
from bridge.forms.registry import SchemaRegistry
from tests.contract.recordings import CASES, needs_shared

SCHEMAS = sorted(path for folder in (CASES / "inputs", CASES.parent / "forms") for path in folder.rglob("*.xsd"))
UNWALKED = {"namespace-with-braces.xsd"}
"""xmlschema itself stumbles over them: nothing is held against them, and the log says so."""

PATHS = ("/*", "//*", "//node()")
pytestmark = [pytest.mark.contract, needs_shared]


def test_every_schema_can_be_walked() -> None:
    """From its roots down to every element and attribute, whatever stands there."""
    told: dict[str, object] = {}
    unwalked: set[str] = set()
    looked = 0
    for path in SCHEMAS:
        registry = SchemaRegistry(path.parent)
        if registry.faults(path.name):
            continue
        with capture_logs() as lines:
            found = registry.mapping_faults(mapping_of(path))
        looked += 1
        unwalked |= {path.name for each in lines if each["event"] == "mappings are not held against a schema"}
        # What only others include has no form of its own.
        if registry.roots(path.name) and [place for place, _ in found if place[0] == "embeds"]:
            told[path.name] = found

    assert looked > 100
    assert unwalked == UNWALKED
    assert told == {}


def mapping_of(path: Path) -> ServiceMapping:
    """A mapping whose paths any form fits."""
    form = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema=path.name)
    return ServiceMapping(
        service_resource="urn:altinn:resource:x",
        altinn2=None,
        altinn3=None,
        forms=(form,),
        actions={},
        states={},
        source="x.yaml",
        embeds=Shown(
            minimum_level=3, fields=tuple(ShownField(at=each, label=None) for each in ("//*", "/*", "//node()"))
        ),
    )
