"""JSON forms are held against their schema where the app frontend would begin."""

import hashlib
import inspect
import itertools
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.errors import ConfigurationError
from bridge.core.texts.findings import RULES, sentence
from bridge.forms.conversion import converter, xml_writing
from bridge.forms.json import findings as json_findings
from bridge.forms.json import input as json_input
from bridge.forms.json import registry as json_registry
from bridge.forms.json.long_forms import MOST_REPEATED, Search
from bridge.forms.json.registry import JsonSchemaRegistry
from bridge.forms.json.schema_files import compiled
from bridge.forms.xml.input import Effort, Limits

NEWEST = "https://json-schema.org/draft/2020-12/schema"
SEVEN = "http://json-schema.org/draft-07/schema#"
FORM: dict[str, Any] = {
    "$schema": NEWEST,
    "type": "object",
    "properties": {
        "navn": {"type": "string", "minLength": 2, "maxLength": 5},
        "postnummer": {"type": "string", "pattern": "^[0-9]{4}$"},
        "kode": {"type": "string", "pattern": "^(?=.*A)[A-Z]+$"},
        "slag": {"enum": ["fast", "vikar", 3]},
        "versjon": {"const": "7"},
        "dato": {"type": "string", "format": "date"},
        "tid": {"type": "string", "format": "date-time"},
        "aar": {"type": "string", "format": "year"},
        "epost": {"type": "string", "format": "email"},
        "beloep": {"type": "number", "minimum": 1, "maximum": 100, "multipleOf": 0.01},
        "grad": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100.5},
        "antall": {"type": "integer", "multipleOf": 5},
        "ja": {"type": "boolean"},
        "rader": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": False},
        },
        "enten": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 2}]},
        "lukket": False,
    },
    "required": ["navn"],
    "@xsdUnknown": {"anything": True},
}
VALID: dict[str, Any] = {"navn": "Prøve"}


def registry(folder: Path, schema: object, name: str = "skjema.json") -> JsonSchemaRegistry:
    (folder / name.partition("#")[0]).write_text(json.dumps(schema), encoding="utf-8")
    return JsonSchemaRegistry(folder)


def found(folder: Path, form: object, schema: object = FORM, name: str = "skjema.json") -> list[tuple[str, str]]:
    schemas = registry(folder, schema, name)
    schemas.load([name])
    text = form if isinstance(form, str) else json.dumps(form)
    findings = schemas.check(name, text)
    assert {finding.rule for finding in findings} <= RULES
    return [(finding.path, finding.rule) for finding in findings]


@pytest.mark.parametrize(
    "form",
    [
        VALID,
        {**VALID, "postnummer": "0001", "kode": "BAB", "slag": 3, "versjon": "7", "ja": True, "antall": 10},
        {**VALID, "beloep": 1.10, "grad": 100, "rader": [{"x": "a"}, {}], "enten": "ab", "annet": {"x": []}},
        {**VALID, "dato": "2026-02-28", "tid": "2026-02-28T12:00:00", "aar": "2026"},
        {**VALID, "dato": "2026-02-28+02:00", "tid": "2026-02-28T12:00:00.5Z"},
        {**VALID, "dato": "2026-02-28-14:00", "tid": "2026-02-28T12:00:00+23:59"},
        {**VALID, "dato": None, "postnummer": "", "ja": None, "enten": None, "rader": [{"x": None}]},
        {**VALID, "antall": 12345678901234567890},
        {**VALID, "dato": "2024-02-29", "tid": "2000-02-29T12:00:00"},
    ],
)
def test_valid_forms_are_accepted(tmp_path: Path, form: dict[str, Any]):
    """Nulls and empty strings count as missing, and dates may be spelled as XSD spells them."""
    assert found(tmp_path, form) == []


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("navn", "", ("/navn", "missing_element")),
        ("navn", "x", ("/navn", "min_length")),
        ("navn", "xxxxxx", ("/navn", "max_length")),
        ("navn", 7, ("/navn", "type")),
        ("postnummer", "12345", ("/postnummer", "digits")),
        ("kode", "BBB", ("/kode", "pattern")),
        ("slag", "annet", ("/slag", "enumeration")),
        ("versjon", "8", ("/versjon", "fixed")),
        ("dato", "28.02.2026", ("/dato", "type")),
        ("dato", "2026-02-29", ("/dato", "type")),
        ("dato", "198/-04-12", ("/dato", "type")),
        ("dato", "2026-04-31+02:00", ("/dato", "type")),
        ("dato", "2026-01-01+15:00", ("/dato", "type")),
        ("dato", "2026-01-01-14:01", ("/dato", "type")),
        ("dato", "2026-01-01+02:60", ("/dato", "type")),
        ("tid", "2026-02-28T10:00:00+25:00", ("/tid", "type")),
        ("tid", "2026-02-28T10:00:00-24:00", ("/tid", "type")),
        ("tid", "2026-02-28T10:00:00+02:60", ("/tid", "type")),
        ("tid", "2026-02-29T12:00:00Z", ("/tid", "type")),
        ("tid", "198/-04-12T12:00:00Z", ("/tid", "type")),
        ("tid", "2026-02-28", ("/tid", "type")),
        ("tid", "2026-02-28T10:00:60Z", ("/tid", "type")),
        ("tid", "2026-12-31T23:59:60+01:00", ("/tid", "type")),
        ("tid", "2026-12-31T23:59:60", ("/tid", "type")),
        ("aar", "26", ("/aar", "type")),
        ("epost", "nei", ("/epost", "format")),
        ("beloep", 0, ("/beloep", "min_inclusive")),
        ("beloep", 101, ("/beloep", "max_inclusive")),
        ("beloep", 1.105, ("/beloep", "fraction_digits")),
        ("grad", 0, ("/grad", "min_exclusive")),
        ("grad", 100.5, ("/grad", "max_exclusive")),
        ("antall", 7, ("/antall", "multiple_of")),
        ("antall", 7.5, ("/antall", "type")),
        ("ja", "true", ("/ja", "type")),
        ("rader", [], ("/rader", "too_few")),
        ("rader", [{}, {}, {}], ("/rader", "too_many")),
        ("rader", [{"x": "a"}, {"y/z": 1}], ("/rader/1/y~1z", "unexpected_element")),
        ("rader", [None], ("/rader/0", "type")),
        ("enten", "abc", ("/enten", "max_length")),
        ("lukket", 1, ("/lukket", "unexpected_element")),
    ],
)
def test_each_fault_is_told_by_place_and_rule(tmp_path: Path, member: str, value: object, expected: tuple[str, str]):
    """One fault, one finding, with a pointer to it."""
    faults = [fault for fault in found(tmp_path, {**VALID, member: value}) if fault != ("/antall", "multiple_of")]

    assert (faults or [("/antall", "multiple_of")]) == [expected]


def test_every_fault_is_told_at_once_in_the_forms_order(tmp_path: Path):
    """With line and column, in three languages, and never the value."""
    schemas = registry(tmp_path, FORM)
    schemas.load(["skjema.json"])
    form = '{\n  "postnummer": "hemmelig",\n  "rader": [\n    {"x": 1}],\n  "slag": "hemmelig"}'

    findings = schemas.check("skjema.json", form)

    assert [(finding.path, finding.line, finding.column) for finding in findings] == [
        ("/navn", 1, 1),
        ("/postnummer", 2, 3),
        ("/rader/0/x", 4, 6),
        ("/slag", 5, 3),
    ]
    assert sentence(findings[0], "nb") == "Navn mangler."
    assert sentence(findings[1], "nn") == "Postnummer må ha fire siffer."
    assert sentence(findings[2], "en") == "X must be text."
    assert "hemmelig" not in repr(findings)


def test_findings_are_bounded(tmp_path: Path):
    """A form with endless faults gives a list with an end."""
    (tmp_path / "skjema.json").write_text(json.dumps({**FORM, "items": False}), encoding="utf-8")
    schemas = JsonSchemaRegistry(tmp_path, Limits(max_findings=3))
    schemas.load(["skjema.json"])

    findings = schemas.check("skjema.json", json.dumps({"navn": 1, "ja": 1, "slag": 1, "dato": 1, "kode": 1}))

    assert [finding.rule for finding in findings][3:] == ["more_findings"]


@pytest.mark.parametrize("form", ["[]", "7", '"x"', "null", "true"])
def test_a_form_is_an_object(tmp_path: Path, form: str):
    """Also where the schema's entry does not say so."""
    schema = {"$defs": {"Skjema": {"required": ["a"]}}, "info": {"rootNode": "#/$defs/Skjema"}}

    assert found(tmp_path, form, schema) == [("/", "type")]


# Where forms begin

WRAPPED = {"properties": {"melding": {"$ref": "#/definitions/Min_M"}}}
MODEL = {
    "definitions": {"Min_M": {"properties": {"a": {"type": "string"}}, "required": ["a"]}, "Annen": {"required": ["b"]}}
}


@pytest.mark.parametrize(
    ("schema", "name", "missing"),
    [
        ({**WRAPPED, **MODEL, "info": {"meldingsnavn": "melding"}}, "s.json", "/a"),
        ({**WRAPPED, **MODEL, "info": {"meldingsnavn": "melding", "rootNode": "#/definitions/Annen"}}, "s.json", "/b"),
        ({**MODEL}, "s.json#Min_M", "/a"),
        ({"$defs": {"Min_M": {"required": ["c"]}}, **MODEL}, "s.json#Min_M", "/c"),
        ({**WRAPPED, **MODEL, "info": {"meldingsnavn": "melding"}}, "s.json#Annen", "/a"),
        ({**WRAPPED, **MODEL, "info": {"meldingsnavn": "melding"}}, "s.json#/definitions/Annen", "/b"),
        ({**WRAPPED, **MODEL, "required": ["melding"]}, "s.json", "/melding"),
        ({**WRAPPED, **MODEL, "required": ["melding"]}, "s.json#", "/melding"),
    ],
    ids=["meldingsnavn", "rootNode", "class", "class-in-defs", "class-after-info", "pointer", "root", "root-asked-for"],
)
def test_forms_begin_where_the_frontend_begins(tmp_path: Path, schema: dict[str, Any], name: str, missing: str):
    """info.rootNode, info.meldingsnavn, the class, the root; a pointer says it outright."""
    assert found(tmp_path, {}, schema, name) == [(missing, "missing_element")]


@pytest.mark.parametrize(
    ("schema", "name", "message"),
    [
        ({}, "s.json", "accepts anything"),
        ({"type": "object"}, "s.json", "accepts anything"),
        ({**MODEL, "type": "object"}, "s.json", "#Name (Min_M, Annen)"),
        ({**WRAPPED, **MODEL}, "s.json", "#/definitions/Min_M"),
        ({**MODEL, "info": {"rootNode": "#/definitions/Ingen"}}, "s.json", "nothing there"),
        ({**MODEL}, "s.json#Ingen", "defines no 'Ingen'"),
        ({"definitions": {"X": {}}, "info": {"rootNode": "#/definitions/X"}}, "s.json", "accepts anything"),
        ({**FORM, "$schema": "http://json-schema.org/draft-03/schema#"}, "s.json", "drafts 07 and 2020-12"),
        ({**FORM, "properties": {"a": {"type": "integer", "const": "x"}}}, "s.json", "no value can be of type integer"),
        ({**FORM, "properties": {"a": {"type": "tall"}}}, "s.json", "not a JSON Schema at /properties/a/type"),
        ({**FORM, "properties": {"a": {"pattern": "("}}}, "s.json", "regex"),
        ({**FORM, "properties": {"a": {"$ref": "#/$defs/Ingen"}}}, "s.json", "Ingen"),
        ({**FORM, "properties": {"a": {"$ref": "https://a.example/s.json"}}}, "s.json", "only files in the schema"),
        ({**FORM, "properties": {"a": {"$ref": "../s.json"}}}, "s.json", "only files in the schema"),
        ({**FORM, "properties": {"a": {"$ref": "file:///etc/hostname"}}}, "s.json", "only files in the schema"),
        ({**FORM, "properties": {"a": {"$ref": "mangler.json"}}}, "s.json", "no readable schema file"),
        ([], "s.json", "is an object"),
    ],
)
def test_a_schema_that_cannot_be_used_says_why(tmp_path: Path, schema: object, name: str, message: str):
    """At start, with file and line, and what to write instead."""
    schemas = registry(tmp_path, schema, name)

    with pytest.raises(ConfigurationError) as caught:
        schemas.load([name])

    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "s.json") + ":1:")


def test_broken_schema_files_say_where(tmp_path: Path):
    """A doubled name and a missing brace, each with its line."""
    (tmp_path / "a.json").write_text('{"type": "object",\n "type": "array"}')
    (tmp_path / "b.json").write_text('{"type":\n')

    with pytest.raises(ConfigurationError) as caught:
        JsonSchemaRegistry(tmp_path).load(["a.json", "b.json", "c.json"])

    places = [fault.where.removeprefix(str(tmp_path)) for fault in caught.value.faults]
    assert places == ["/a.json:2:2", "/b.json:2:1", "/c.json"]


@pytest.mark.parametrize("draft", [NEWEST, SEVEN, "http://json-schema.org/schema#", None])
def test_drafts_are_read_as_they_say(tmp_path: Path, draft: str | None):
    """Draft 07 ignores what stands beside a reference; the newest does not, and no draft means the newest."""
    schema = {
        "properties": {"a": {"$ref": "#/definitions/A", "maxLength": 1}},
        "required": ["a"],
        "definitions": {"A": {"type": "string"}},
        **({"$schema": draft} if draft else {}),
    }

    faults = found(tmp_path, {"a": "xx"}, schema)

    assert faults == ([] if draft == SEVEN else [("/a", "max_length")])


def test_quirks_are_handled_and_said(tmp_path: Path):
    """A byte order mark, a schema inside a string, constants of the wrong type, groups without a type."""
    schema = {
        "$schema": "http://json-schema.org/schema#",
        "$id": "https://oppdiktet.example/skjema.json",
        "info": {"meldingsnavn": "melding"},
        "properties": {"melding": {"$ref": "https://oppdiktet.example/skjema.json#/definitions/M"}},
        "definitions": {
            "M": {
                "properties": {
                    "nummer": {"type": "integer", "const": "8854"},
                    "id": {"type": "string", "enum": [1472, "x"]},
                    "gruppe": {"properties": {"a": {"type": "string"}}},
                }
            }
        },
    }
    (tmp_path / "s.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(json.dumps(schema)).encode())
    schemas = JsonSchemaRegistry(tmp_path)
    schemas.load(["s.json"])

    right = schemas.check("s.json", '{"nummer": 8854, "id": "1472", "gruppe": {}}')
    wrong = schemas.check("s.json", '{"nummer": "8854", "id": "y", "gruppe": "tekst"}')

    assert right == ()
    assert [(finding.path, finding.rule) for finding in wrong] == [
        *(("/nummer", "type"), ("/nummer", "fixed")),
        *(("/id", "enumeration"), ("/gruppe", "type")),
    ]
    said = "\n".join(schemas.notes("s.json"))
    for words in ("names no draft", "meldingsnavn is 'melding'", "out of a JSON string", "2 constants", "(2 times)"):
        assert words in said


def test_references_reach_other_files_of_the_folder(tmp_path: Path):
    """Relative to the file that they stand in, and no further."""
    (tmp_path / "felles").mkdir()
    (tmp_path / "felles" / "adresse.json").write_text('{"$defs": {"Nr": {"$ref": "../typer.json#/T"}}}')
    (tmp_path / "typer.json").write_text('{"T": {"type": "string", "pattern": "^\\\\d{4}$"}}')
    schema = {"properties": {"nr": {"$ref": "felles/adresse.json#/$defs/Nr"}}}

    assert found(tmp_path, {"nr": "12"}, schema) == [("/nr", "digits")]


def test_the_digest_is_that_of_all_files(tmp_path: Path):
    """As sha256sum prints it, of one file or of the list."""
    one, two = registry(tmp_path, {"$ref": "b.json"}, "a.json"), registry(tmp_path, FORM, "b.json")
    one.load(["a.json"])
    two.load(["b.json"])
    sums = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.json", "b.json")]
    both = f"{sums[0]}  a.json\n{sums[1]}  b.json\n"

    assert two.digest("b.json") == sums[1]
    assert one.digest("a.json") == hashlib.sha256(both.encode()).hexdigest()
    assert one.digest("b.json") is None


def test_a_schema_serves_many_threads(tmp_path: Path):
    """Each thread gets the findings of its own form, always."""
    schemas = registry(tmp_path, FORM)
    schemas.load(["skjema.json"])
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(300):
            member = ["ja", "slag", "postnummer"][(number + turn) % 3]
            good = schemas.check("skjema.json", '{"navn": "abc"}')
            bad = schemas.check("skjema.json", json.dumps({"navn": "abc", member: "nei"}))
            if good or [finding.path for finding in bad] != [f"/{member}"]:
                wrong.append((member, good, bad))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_pattern_that_loops_is_refused_in_time(tmp_path: Path):
    """Backtracking has an end, and what could not be judged is not let through."""
    schema = {"properties": {"a": {"pattern": "^(?=a)(a|aa)+$(?<!b)"}}}

    assert found(tmp_path, {"a": "a" * 5_000 + "b"}, schema) == [("/a", "not_checkable")]


def test_every_rule_of_the_code_is_known():
    """No rule falls through to the plainest sentence by a slip of the pen."""
    sources = "".join(
        inspect.getsource(module) for module in (json_input, json_findings, json_registry, converter, xml_writing)
    )
    used = set(re.findall(r'(?:add\(|Unreadable\(|rule=|_finding\((?:steps|\(\*steps, name\)), )"(\w+)"', sources))
    used |= {rule for rule, _ in json_findings._LIMITS.values()}

    assert {"missing_element", "duplicate_member", "wrong_order", "min_length", "too_few"} <= used <= RULES


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> JsonSchemaRegistry:
    """The form's schema, compiled once."""
    made = registry(tmp_path_factory.mktemp("fuzz"), FORM)
    made.load(["skjema.json"])
    return made


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]",:0123456789eE.-+nultrfas\\ \n', max_size=60))
def test_no_bytes_break_the_check(schemas: JsonSchemaRegistry, form: bytes | str):
    """Whatever comes, findings are the answer."""
    findings = schemas.check("skjema.json", form)

    assert findings
    assert all(sentence(finding, "nb") for finding in findings)


@pytest.mark.parametrize("depth", [260, 400, 1_023, 1_025, 20_000])
@pytest.mark.parametrize(("begin", "end"), [('{"a":', "}"), ("[", "]"), ('{"a":[', "]}")])
def test_no_depth_breaks_the_check(schemas: JsonSchemaRegistry, depth: int, begin: str, end: str):
    """Readers give up at depths of their own; the answer is the same."""
    for form in (begin * depth + "1" + end * depth, begin * depth):
        (finding,) = schemas.check("skjema.json", form)
        assert finding.rule in {"too_complex", "not_json"}


TOKENS = st.sampled_from(
    ['{"a":', "{", "}", "[", "]", ",", ":", "1", "-0", "1e400", "NaN", "null", '""', '"\\u0000"', '"\\ud800"', "\ufeff"]
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(deadline=None, max_examples=5_000)
@given(st.lists(st.tuples(TOKENS, st.integers(1, 300)), max_size=20), st.text(max_size=10))
def test_no_bytes_break_the_check_at_length(schemas: JsonSchemaRegistry, pieces: list[tuple[str, int]], end: str):
    """The fuzz run: what JSON is made of, repeated and in any order."""
    findings = schemas.check("skjema.json", "".join(piece * times for piece, times in pieces) + end)

    assert all(sentence(finding, "nb") for finding in findings)


CHOICE = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}},
    "oneOf": [{"required": ["a"]}, {"required": ["b", "c"]}],
}


@pytest.mark.parametrize(
    ("form", "rule", "facts", "said"),
    [
        ("{}", "incomplete", {"expected": "a, b + c"}, "The form lacks one of these fields: a, b + c."),
        (
            '{"a": "1", "b": "1", "c": "1"}',
            "several_alternatives",
            {},
            "The form fits several alternatives, of which only one may be filled in.",
        ),
    ],
    ids=["none", "both"],
)
def test_a_choice_is_told_as_one(tmp_path: Path, form: str, rule: str, facts: dict[str, str], said: str):
    """Not as a form that does not agree with its rules."""
    (tmp_path / "a.json").write_text(json.dumps(CHOICE))
    registry = JsonSchemaRegistry(tmp_path)
    registry.load(["a.json"])

    (found,) = registry.check("a.json", form)

    assert (found.path, found.rule, found.facts) == ("/", rule, facts)
    assert sentence(found, "en") == said


@pytest.mark.parametrize(
    ("time", "valid"),
    [
        *((each, True) for each in ("10:00:59", "23:59:60Z", "00:59:60+01:00", "18:59:60.5-05:00")),
        *((each, False) for each in ("10:00:60", "10:00:60Z", "23:59:60", "23:59:60+01:00", "24:00:00Z")),
    ],
)
def test_a_leap_second_is_the_last_of_a_day(tmp_path: Path, time: str, *, valid: bool):
    """In UTC; of a time without an offset nobody knows."""
    schema = {"type": "object", "properties": {"t": {"type": "string", "format": "time"}}}

    assert found(tmp_path, {"t": time}, schema) == ([] if valid else [("/t", "type")])


ROW = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}, "z": {"type": "array"}}}
LONG = {
    "type": "object",
    "required": ["p"],
    "properties": {
        "a": {"type": "array", "items": ROW, "maxItems": 12_000},
        "b": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 2},
        "p": {"type": "integer"},
    },
}
ROWS = [{"x": number} for number in range(12_000)]
LONG_FORMS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a member": ({"a": ROWS}, [("/p", "missing_element")]),
    "an item far behind": ({"a": [*ROWS[1:], {}], "p": 1}, [("/a/11999/x", "missing_element")]),
    "both": ({"a": [*ROWS[1:], {}]}, [("/p", "missing_element"), ("/a/11999/x", "missing_element")]),
    "too many": ({"a": [*ROWS, {"x": 1}], "p": 1}, [("/a", "too_many")]),
    "what repeats": ({"b": [*range(12_000), 7], "p": 1}, [("/b", "not_unique")]),
    "a list behind a list": ({"a": ROWS, "b": [7], "p": "x"}, [("/b", "too_few"), ("/p", "type")]),
    "an item of that": ({"a": ROWS, "b": [7, "x"], "p": 1}, [("/b/1", "type")]),
    "one large item": (
        {"a": [{"x": "x", "z": [1] * 30_000}], "p": 1},
        [("/a/0/x", "type"), ("/", "more_findings")],
    ),
}


@pytest.mark.parametrize(("form", "expected"), LONG_FORMS.values(), ids=LONG_FORMS)
def test_a_long_form_is_explained_as_a_short_one(tmp_path: Path, form: dict[str, Any], expected: list[tuple[str, str]]):
    """Part by part, and no word of more faults where all was looked at."""
    assert found(tmp_path, form, LONG) == expected


def test_items_whose_place_counts_are_looked_at_from_the_first(tmp_path: Path):
    """None gets another place, and that not all was looked at is said."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "a": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
            "p": {"type": "integer"},
        },
    }

    assert found(tmp_path, {"a": ["x", *range(12_000)], "p": "x"}, schema) == [
        ("/p", "type"),
        ("/", "more_findings"),
    ]


def test_a_list_without_room_beside_all_else_is_looked_at_once(tmp_path: Path):
    """No part after the first would have room for its items either."""
    schema = {"type": "object", "properties": {"a": {"type": "array"}, "p": {"type": "integer"}}}
    (tmp_path / "long.json").write_text(json.dumps(schema))
    asked = itertools.count()
    form = {"p": "x", "q": 1, "r": 1, "a": [1]}
    search = Search(compiled(tmp_path, "long.json"), form, Effort(99, lambda: next(asked)), most=4)

    assert [finding.path for _, finding in search.findings()] == ["/p"]
    assert (search.whole, next(asked)) == (False, 1)


@pytest.mark.parametrize(
    ("length", "expected", "whole"),
    [(1, [*range(1, 5), None], True), (MOST_REPEATED // 5 + 1, [*range(1, 5)], False)],
    ids=["short", "long"],
)
def test_no_long_item_stands_for_all_others(tmp_path: Path, length: int, expected: list[int | None], whole: bool):
    """A hundred thousand of its size would fill the memory."""
    schema = {"type": "object", "properties": {"a": {"type": "array", "maxItems": 4, "items": {"type": "string"}}}}
    (tmp_path / "long.json").write_text(json.dumps(schema))
    search = Search(compiled(tmp_path, "long.json"), {"a": ["x" * length, 1, 1, 1, 1]}, Effort(99), most=3)

    found = [steps for steps, _ in search.findings()]

    assert found == [("a",) if number is None else ("a", number) for number in expected]
    assert search.whole is whole
