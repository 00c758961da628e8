"""A schema with several elements that forms could begin with: the mapping or route says which it is."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.check.command import check
from bridge.config.mappings import read_mappings
from bridge.config.routes import read_routes
from bridge.core.calculations import DataTypeRoute
from bridge.core.mapping import FormFormat, FormKind, FormSpec, Validation
from bridge.forms.conversion.converter import Converter
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.steps.drivers.registry import DRIVERS
from bridge.steps.forms.form_passage import Converters

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns="urn:p" targetNamespace="urn:p"
 elementFormDefault="qualified"><x:element name="a"><x:complexType><x:sequence><x:element name="b" type="x:int"/>
 <x:element ref="d" minOccurs="0"/></x:sequence></x:complexType></x:element>
 <x:element name="c" type="x:string"/><x:element name="d" type="x:string"/></x:schema>"""
ONE = SCHEMA.replace('<x:element name="c" type="x:string"/>', "")
MAPPING = """service_resource: urn:altinn:resource:proeve
altinn2: {service_code: "5701", service_edition: 1}
ALTINN3forms:
  - {type: MainForm, data_format_id: "1", data_format_version: "1", schema: a.xsd KEYS}
actions:
  press: {requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true}
"""
SEVERAL = "the schema has several root elements (a, c): say which one forms begin with, by 'root'"
ALIEN = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns="urn:prøve" targetNamespace="urn:prøve">
<x:element name="a"><x:complexType><x:sequence><x:element name="b"/></x:sequence></x:complexType>
</x:element></x:schema>"""
NONE = "the schema has no root element 'e'; it has a, c, d"


@pytest.fixture
def registry(tmp_path: Path) -> SchemaRegistry:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "a.xsd").write_text(SCHEMA)
    registry = SchemaRegistry(tmp_path / "schemas")
    registry.load(["a.xsd"])
    return registry


def spec(root: str | None) -> FormSpec:
    return FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd", root=root)


@pytest.mark.parametrize("root", ["a", "{urn:p}a"])
def test_forms_begin_with_the_root_that_is_named(registry: SchemaRegistry, root: str) -> None:
    """Another element of the schema is no form, nor is the same name in another namespace."""
    good, other = '<a xmlns="urn:p"><b>1</b></a>', '<c xmlns="urn:p">x</c>'

    assert registry.check_form(spec(None), other) == ()
    assert registry.check_form(spec(root), good) == ()
    assert [(each.path, each.rule, each.facts) for each in registry.check_form(spec(root), other)] == [
        ("/c", "wrong_root", {"expected": "a"})
    ]
    assert registry.check_form(spec("{urn:q}a"), good)[0].rule == "wrong_namespace"


def test_a_streaming_form_begins_so_too(registry: SchemaRegistry, tmp_path: Path) -> None:
    """Its verdict is that of a small one."""
    small = SchemaRegistry(registry.folder, Limits(max_bytes=1))
    small.load(["a.xsd"])
    (tmp_path / "c.xml").write_text('<c xmlns="urn:p">x</c>')

    assert small.check_file(spec("c"), tmp_path / "c.xml") == ()
    assert [each.rule for each in small.check_file(spec("a"), tmp_path / "c.xml")] == ["wrong_root"]


def test_json_forms_become_xml_by_it(registry: SchemaRegistry) -> None:
    """JSON does not name its root."""
    assert b"<b>1</b></a>" in Converter.from_schema(registry.folder / "a.xsd", root="a").to_xml('{"b": 1}')


@pytest.mark.parametrize(
    ("app", "keys", "message"),
    [
        (False, "", None),
        (True, "", SEVERAL),
        (True, ", root: a", None),
        (False, ", root: d", None),
        (False, ", root: e", NONE),
    ],
)
def test_a_mapping_names_a_root_that_there_is(
    registry: SchemaRegistry, tmp_path: Path, *, app: bool, keys: str, message: str | None
) -> None:
    """It is a fault when the mapping is read, with its place; where forms are XML only, nothing has to be named."""
    altinn3 = "altinn3: {app: ttd/a, data_type: a, speaks: json}\n" if app else ""
    (tmp_path / "a.yaml").write_text(MAPPING.replace("KEYS", keys).replace("ALTINN3", altinn3))

    _, faults = read_mappings(
        tmp_path / "a.yaml",
        registry.folder,
        schema_faults=registry.faults,
        schema_root=registry.root_fault,
        targets=DRIVERS,
    )

    assert [each.message for each in faults] == ([] if message is None else [message])


@pytest.mark.parametrize(("keys", "told"), [("", True), (", root: c", False)], ids=["unsaid", "said"])
def test_a_form_that_cannot_come_as_json_is_noted(
    registry: SchemaRegistry, tmp_path: Path, *, keys: str, told: bool
) -> None:
    """Before a sender of JSON meets it; it is sound, as XML says itself what it begins with."""
    (tmp_path / "a.yaml").write_text(MAPPING.replace(" KEYS", keys).replace("ALTINN3", ""))

    ended = CliRunner().invoke(
        check, ["--json", "--mappings", str(tmp_path / "a.yaml"), "--schemas", str(registry.folder)]
    )

    place = f"{tmp_path / 'a.yaml'}: forms[0]: forms are taken as XML only, and refused as JSON (415): {SEVERAL}"
    assert ended.exit_code == 0
    assert (place in json.loads(ended.stdout)["notes"]) is told


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("validate: warn", SEVERAL),
        ("speaks: xml", SEVERAL),
        ("speaks: xml, root: c", None),
        ("validate: off", None),
        ("root: e", NONE),
    ],
)
def test_a_route_names_a_root_that_there_is(
    registry: SchemaRegistry, tmp_path: Path, keys: str, message: str | None
) -> None:
    """Before the first JSON form meets it, which was 500."""
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "a.yaml").write_text(
        f"app: ttd/a\ntoken: caller\ndata_types: {{x: {{schema: a.xsd, {keys}}}}}\n"
    )

    _, faults = read_routes(tmp_path / "routes", registry)

    assert [each.message for each in faults] == ([] if message is None else [message])


def test_a_schema_with_one_root_needs_no_name(registry: SchemaRegistry) -> None:
    """What others refer to is no root."""
    (registry.folder / "one.xsd").write_text(ONE)
    registry.load(["one.xsd"])

    assert registry.root_fault("one.xsd", None) is None


def test_forms_convert_by_the_schema_that_judges_them(registry: SchemaRegistry) -> None:
    """The one that was read at the start: a file that is replaced counts for both after the next."""
    route = DataTypeRoute(
        data_type="x",
        schema="a.xsd",
        validate=Validation.STRICT,
        one_at_a_time=False,
        repeatable=False,
        root="a",
        speaks=FormFormat.XML,
    )
    (registry.folder / "a.xsd").write_text(SCHEMA.replace('name="b"', 'name="e"'))

    findings = Converters(registry).findings(route, "application/json", b'{"b": 1}')

    assert findings == ()
    assert registry.converter("a.xsd", "a") is registry.converter("a.xsd", "a")


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("", "", None),
        ('"b"', '"c"', None),
        ('"a"', '"e"', "begins with {urn:prøve}e in Altinn 2, and with {urn:prøve}a by a.xsd: is that the schema of"),
        ("urn:prøve", "urn:b", "begins with {urn:b}a in Altinn 2, and with {urn:prøve}a by a.xsd: is that the schema"),
        ("</x:schema>", "", "has no XML Schema in Altinn 2 that a.xsd could be compared with: "),
        (ALIEN, "<html/>", "could be compared with: the root element is 'html', not 'schema'"),
        (ALIEN, "", "could be compared with: Document is empty"),
    ],
)
def test_a_schema_of_another_form_is_known_by_its_root(tmp_path: Path, was: str, now: str, told: str | None):
    """In any namespace, and what cannot be compared is told as that."""
    (tmp_path / "a.xsd").write_text(ALIEN, "utf-8")

    said = SchemaRegistry(tmp_path).begins_otherwise("a.xsd", ALIEN.replace(was, now).encode())

    assert said is None if told is None else told in (said or "")


# Text of a group with text between its elements: libxml2 takes the schema, xmlschema does not.
FOR_ONE_ENGINE = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns="urn:prøve" targetNamespace="urn:prøve">
<x:complexType name="M" mixed="true"><x:sequence><x:element name="e" minOccurs="0"/></x:sequence></x:complexType>
<x:complexType name="T"><x:simpleContent><x:restriction base="M"><x:simpleType><x:restriction base="x:string"/>
</x:simpleType></x:restriction></x:simpleContent></x:complexType><x:element name="m" type="T"/></x:schema>"""


def test_a_root_has_its_own_namespace_where_one_engine_alone_reads_the_schema(tmp_path: Path) -> None:
    """And not the one by which libxml2 reads it."""
    (tmp_path / "a.xsd").write_text(FOR_ONE_ENGINE, "utf-8")
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    assert registry.roots("a.xsd") == ("{urn:prøve}m",)
