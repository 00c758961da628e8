"""What is found in the XML that a JSON form became is told where it stands in the JSON."""

import json
from pathlib import Path

import pytest

from bridge.cli.validate.work import Checker, Job
from bridge.core.errors import Finding
from bridge.core.mapping import FormKind, FormSpec
from bridge.core.texts.findings import sentence
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.json_positions import all_of_json, said_of_json
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from tests.effort import growth

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns="urn:p" xmlns:q="urn:q" targetNamespace="urn:p"
 elementFormDefault="qualified"><x:element name="m"><x:complexType><x:sequence>
 <x:element name="a" type="N"/>
 <x:element name="rad" minOccurs="0" maxOccurs="9"><x:complexType><x:sequence>
  <x:element name="n" type="N" maxOccurs="3"/><x:element name="k" minOccurs="0"><x:complexType><x:simpleContent>
  <x:extension base="N"><x:attribute name="g" type="x:int"/></x:extension></x:simpleContent></x:complexType></x:element>
  </x:sequence><x:attribute name="id" type="x:int" use="required"/></x:complexType></x:element>
 <x:element name="t" type="B" minOccurs="0"/>
 <x:choice minOccurs="0"><x:element name="x" type="N"/><x:element name="y" type="N"/></x:choice>
 </x:sequence></x:complexType></x:element>
 <x:complexType name="B"><x:sequence><x:element name="b" type="N"/></x:sequence></x:complexType>
 <x:complexType name="D"><x:complexContent><x:extension base="B"><x:sequence><x:element name="c" type="N"/></x:sequence>
 </x:extension></x:complexContent></x:complexType>
 <x:simpleType name="N"><x:restriction base="x:int"><x:maxInclusive value="9"/></x:restriction></x:simpleType>
</x:schema>"""
CASES = {
    "a value": ('{\n "a": 10}', [("/a", "max_inclusive", 2, 2)]),
    "in the second row": (
        '{"a": 1,\n "rad": [{"id": 1, "n": [1]},\n  {"id": 2,\n   "n": [1, 10]}]}',
        [("/rad/1/n/1", "max_inclusive", 4, 13)],
    ),
    "in the only row": ('{"a": 1,\n "rad": [\n{"id": 1, "n": [10]}]}', [("/rad/0/n/0", "max_inclusive", 3, 17)]),
    "beside an attribute": (
        '{"a": 1, "rad": [{"id": 1, "n": [1],\n "k": {"g": 1,\n "value": 10}}]}',
        [("/rad/0/k/value", "max_inclusive", 3, 2)],
    ),
    "an attribute": (
        '{"a": 1, "rad": [{"id": 1, "n": [1],\n "k": {"value": 1,\n "g": "x"}}]}',
        [("/rad/0/k/g", "type", 3, 2)],
    ),
    "a missing one": ('{"a": 1,\n "rad": [{"n": [1]}]}', [("/rad/0/id", "missing_attribute", 2, 10)]),
    "a missing element": (
        '{"rad": [\n {"id": 1, "n": [1]},\n {"id": 2}], "a": 1}',
        [("/rad/1/n", "missing_element", 3, 2)],
    ),
    "of another type": (
        '{"a": 1,\n "t": {"@xsi:type": "D", "b": 1,\n "c": 10}}',
        [("/t/c", "max_inclusive", 3, 2)],
    ),
    "both of a choice": ('{"a": 1,\n "y": 2,\n "x": 1}', [("/y", "too_many_of_choice", 2, 2)]),
    "nothing": ("{}", [("/a", "missing_element", 1, 1)]),
}


def loaded(folder: Path) -> SchemaRegistry:
    (folder / "a.xsd").write_text(SCHEMA)
    registry = SchemaRegistry(folder)
    registry.load(["a.xsd"])
    return registry


@pytest.mark.parametrize(("form", "expected"), CASES.values(), ids=CASES)
def test_places_are_those_of_what_was_sent(
    tmp_path: Path, form: str, expected: list[tuple[str, str, int, int]]
) -> None:
    """By pointer, line and column, and never those of an XML that nobody sent."""
    registry = loaded(tmp_path)
    converter = Converter.from_schema(tmp_path / "a.xsd")

    findings = said_of_json(registry.check("a.xsd", converter.to_xml(form)), converter, form, limits=Limits())

    assert [(each.path, each.rule, each.line, each.column) for each in findings] == expected


TOGETHER = {
    "an unknown member and a type": ('{"a": "x",\n "z": 1}', [("/a", "type"), ("/z", "unexpected_element")]),
    "an unknown member and a missing one": ('{"z": 1}', [("/a", "missing_element"), ("/z", "unexpected_element")]),
    "a row that is none before a wrong one": (
        '{"a": 1, "rad": [7, {"id": 2, "n": [10]}]}',
        [("/rad/0", "type"), ("/rad/1/n/0", "max_inclusive")],
    ),
    "one fault once": ('{"a": true}', [("/a", "type")]),
    "no form": ("[1]", [("/", "type")]),
    "a list that is none": ('{"a": 1, "rad": {"id": 1}}', [("/rad", "type")]),
}


@pytest.mark.parametrize(("form", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_all_faults_of_a_form_are_told_at_once(tmp_path: Path, form: str, expected: list[tuple[str, str]]) -> None:
    """What no XML could be made of, and what the schema says of the rest: each once, in the form's order."""
    registry = loaded(tmp_path)
    converter = Converter.from_schema(tmp_path / "a.xsd")

    with pytest.raises(Unconvertible) as caught:
        converter.to_xml(form)
    findings = all_of_json(caught.value, converter, form, check=lambda xml: registry.check("a.xsd", xml))

    assert [(each.path, each.rule) for each in findings] == expected


FRAGMENTS = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:m" xmlns="urn:m"
 elementFormDefault="qualified"><x:element name="m"><x:complexType><x:sequence>
 <x:element name="a" type="x:int" minOccurs="0"/>
 <x:element name="g" minOccurs="0"><x:complexType><x:sequence>
 <x:any namespace="##other" processContents="lax" maxOccurs="9"/></x:sequence></x:complexType></x:element>
 <x:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="9"/>
 </x:sequence></x:complexType></x:element></x:schema>"""


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ('{"@any": ["<z xmlns=\\"urn:m\\"/>"]}', "/@any/0/z"),
        ('{"a": 1, "@any": ["<o xmlns=\\"urn:o\\"/>", "<p:z xmlns:p=\\"urn:m\\"><y/></p:z>"]}', "/@any/1/z"),
        ('{"g": {"@any": ["<!-- <z/> --><o:z xmlns:o=\\"urn:o\\"/>", "<z xmlns=\\"urn:m\\"/>"]}}', "/g/@any/1/z"),
    ],
)
def test_an_element_that_a_wildcard_does_not_take_is_named(tmp_path: Path, form: str, path: str) -> None:
    """Not the form that it stands in."""
    (tmp_path / "m.xsd").write_text(FRAGMENTS)
    registry = SchemaRegistry(tmp_path)
    registry.load(["m.xsd"])
    converter = Converter.from_schema(tmp_path / "m.xsd")

    first = said_of_json(registry.check("m.xsd", converter.to_xml(form)), converter, form, limits=Limits())[0]

    assert (first.path, first.line) == (path, 1)
    assert sentence(first, "en").startswith("Z ")


def test_fragments_are_looked_through_once(tmp_path: Path) -> None:
    """However much is found in them."""
    (tmp_path / "m.xsd").write_text(FRAGMENTS)
    converter = Converter.from_schema(tmp_path / "m.xsd")

    def tell(count: int) -> None:
        form = json.dumps({"@any": ["<o xmlns='urn:o'/>"] * count})
        findings = [Finding(path=f"/m/o[{number}]", rule="type") for number in range(1, count + 1)]
        said = said_of_json(findings, converter, form, limits=Limits())
        assert said[-1].path == f"/@any/{count - 1}/o"

    assert growth(tell, 100) < 80


def test_the_command_line_tells_them_so(tmp_path: Path) -> None:
    """As the service does."""
    loaded(tmp_path)
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")
    (tmp_path / "a.json").write_text('{\n "a": 10,\n "z": 1}')

    checked = Checker(Job(folder=tmp_path, forms=(spec,), limits=Limits(), values=False)).check(tmp_path / "a.json")

    assert [(each.path, each.rule, each.line, each.column) for each in checked.findings] == [
        ("/a", "max_inclusive", 2, 2),
        ("/z", "unexpected_element", 3, 2),
    ]
