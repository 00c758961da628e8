"""No legal schema, and no form of one, ends anything with an error: hundreds of schemas of every kind."""

import re
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import xmlschema
from lxml import etree

from bridge.core.errors import ConfigurationError, errors_of
from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.registry import SchemaRegistry
from bridge.forms.trial import Trial, tried
from bridge.forms.xml.input import Limits
from bridge.forms.xml.schema_files import Engine
from tests.forms.instances import Maker, mutate
from tests.forms.schema_kinds import MAIN, Files, complex_type, schema, schemas

ALL = dict(schemas())
SAMPLE = sorted(ALL)[::40]
ONLY_ONE_ENGINE = {"elements: sequences within sequences", "elements: the namespace http://example.test/{x}"}
"""xmlschema cannot go so deep, or tell what it read."""
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema=MAIN)


def folder_of(folder: Path, files: Files) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def assert_sound(folder: Path, names: Iterable[str]) -> None:
    for number, name in enumerate(names):
        registry = SchemaRegistry(folder_of(folder / str(number), ALL[name]))

        assert registry.faults(MAIN) == (), name
        trial = tried(registry, MAIN)

        assert trial.faults == [], name
        assert bool(trial.notes) == (name in ONLY_ONE_ENGINE), (name, trial.notes)


def test_legal_schemas_are_sound(tmp_path: Path) -> None:
    """Compiled, explained, converted and shown: one of each forty."""
    assert_sound(tmp_path, SAMPLE)


@pytest.mark.slow
def test_every_legal_schema_is_sound(tmp_path: Path) -> None:
    """All of them."""
    assert len(ALL) > 900

    assert_sound(tmp_path, ALL)


@pytest.mark.slow
def test_forms_of_every_legal_schema_end_nothing(tmp_path: Path) -> None:
    """Whole ones, chance ones and broken ones, held in memory or streaming; what is valid is so after converting."""
    converted = 0
    for number, (name, files) in enumerate(ALL.items()):
        folder = folder_of(tmp_path / str(number), files)
        registry, streams = SchemaRegistry(folder), SchemaRegistry(folder, Limits(max_bytes=1))
        registry.load([MAIN])
        streams.load([MAIN])
        for form, root in _forms(folder, registry):
            found = registry.check(MAIN, form)
            (folder / "form.xml").write_bytes(form)
            # What the receiver may refuse is no verdict, and ``check`` is not asked for it.
            streamed = errors_of(streams.check_file(SPEC, folder / "form.xml"))
            # Whether an IDREF has its ID shows in the whole form only: of a stream nobody asks it.
            if registry.engine(MAIN) is Engine.LIBXML2 and {each.rule for each in found} != {"no_such_key"}:
                assert bool(found) == bool(streamed), (name, form, found, streamed)
            try:
                converter = Converter.from_schema(folder / MAIN, root=root)
                again = converter.to_xml(converter.to_json(form))
            except (Unconvertible, ConfigurationError):
                continue
            assert found or registry.check(MAIN, again) == (), (name, form, again)
            converted += 1
    assert converted > 2_000


def _forms(folder: Path, registry: SchemaRegistry) -> Iterable[tuple[bytes, str]]:
    random = Random(3)
    newer = registry.engine(MAIN) is Engine.XMLSCHEMA11
    try:
        schema: Any = (xmlschema.XMLSchema11 if newer else xmlschema.XMLSchema10)(str(folder / MAIN))
    except Exception:  # noqa: BLE001 - as told above
        return
    for declared in schema.elements.values():
        for whole in (True, False):
            try:
                made = Maker(random, whole=whole).make(declared)
            except (ValueError, ArithmeticError, etree.LxmlError, re.error):
                continue  # Values and names that lxml or the maker cannot make.
            for _ in range(3):
                yield etree.tostring(made, encoding="utf-8"), declared.name
                mutate(made, random)


def test_a_schema_without_a_root_takes_no_form(tmp_path: Path) -> None:
    """Which is a fault of who names it."""
    registry = SchemaRegistry(folder_of(tmp_path, {MAIN: schema(complex_type(name="T"))}))
    registry.load([MAIN])

    assert tried(registry, MAIN).faults == ["the schema has no root element: it takes no form"]


def test_a_schema_that_only_libxml2_reads_is_tried_as_well(tmp_path: Path) -> None:
    """Its roots are those that the file declares."""
    registry = SchemaRegistry(folder_of(tmp_path, ALL["elements: sequences within sequences"]))
    registry.load([MAIN])

    assert [each.rpartition("}")[2] for each in registry.roots(MAIN)] == ["m"]
    assert [each.rule for each in registry.check(MAIN, "<n/>")] == ["wrong_root"]


def test_what_ends_with_an_error_is_a_fault() -> None:
    """With the kind of error and its place, and nothing of its text."""
    trial = Trial()

    trial.attempt("dividing", lambda: 1 // 0)

    (fault,) = trial.faults
    assert fault.startswith("dividing ends with ZeroDivisionError in ")
    assert "modulo" not in fault
