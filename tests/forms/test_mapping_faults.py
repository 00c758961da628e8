"""A mapping's paths and values are held against its schemas before any form comes."""

from pathlib import Path

import pytest

from bridge.config.mappings import read_mappings
from bridge.forms.registry import SchemaRegistry
from bridge.steps.drivers.registry import DRIVERS

NAMESPACED = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t"
    elementFormDefault="qualified">
  <xs:element name="melding"><xs:complexType>
    <xs:sequence>
      <xs:element name="beloep" type="xs:int"/>
      <xs:element name="dato" type="xs:date"/>
      <xs:element name="part" type="t:part" maxOccurs="9"/>
    </xs:sequence>
    <xs:attribute name="dataFormatId" fixed="5801"/>
    <xs:attribute name="dataFormatVersion" type="xs:string" fixed="42001"/>
  </xs:complexType></xs:element>
  <xs:complexType name="part"><xs:sequence>
    <xs:element name="navn" type="xs:string"/>
    <xs:element name="part" type="t:part" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:complexType name="firma"><xs:complexContent><xs:extension base="t:part"><xs:sequence>
    <xs:element name="orgnr" type="xs:string"/>
  </xs:sequence></xs:extension></xs:complexContent></xs:complexType>
</xs:schema>"""
PLAIN = NAMESPACED.replace(' targetNamespace="urn:t"', "").replace(' xmlns:t="urn:t"', "").replace("t:part", "part")
OPEN = PLAIN.replace('<xs:element name="dato" type="xs:date"/>', '<xs:any processContents="lax"/>')
HEAD = """\
service_resource: urn:altinn:resource:proeve
altinn2: {service_code: "4711", service_edition: 1}
forms:
  - type: MainForm
    data_format_id: "5801"
    data_format_version: "42001"
    schema: form.xsd
    rules:
      - {at: "/melding/beloep", test: ". >= 0", severity: error, text: {nb: a, nn: b, en: c}}
altinn3: {app: ttd/app, data_type: model}
"""
ACTIONS = """\
actions:
  press:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    set: {"/melding/dato": "{now:date}"}
    calculate: true
    results: {sum: "/melding/beloep"}
    complete: true
    sign: true
embeds: {minimum_level: 3, fields: [{at: "/melding/part/navn"}]}
"""


def mapping_text() -> str:
    """Give a mapping that fits PLAIN, and no other schema."""
    return HEAD + ACTIONS


def told(folder: Path, mapping: str, schema: str = PLAIN) -> list[str]:
    """Read the mapping as the service does, and give each fault as ``line: message``."""
    (folder / "form.xsd").write_text(schema)
    (folder / "m.yaml").write_text(mapping)
    registry = SchemaRegistry(folder)
    _, faults = read_mappings(
        folder / "m.yaml",
        folder,
        schema_faults=registry.faults,
        mapping_faults=registry.mapping_faults,
        targets=DRIVERS,
    )
    return [f"{each.where.split(':')[1]}: {each.message}" for each in faults]


def test_what_the_schema_has_is_sound(tmp_path: Path):
    """Every kind of path, and a value of the right kind."""
    assert told(tmp_path, mapping_text()) == []


def test_a_missing_namespace_is_told_wherever_a_path_stands(tmp_path: Path):
    """Such a rule never fires, such a value has no place, such a result is never there: each says what to write."""
    faults = told(tmp_path, mapping_text(), NAMESPACED)

    written = "its melding is in the namespace urn:t; write *[local-name()='melding']"
    assert [each.partition(":")[0] for each in faults] == ["9", "17", "19", "22"]
    assert all(each.endswith(written) for each in faults)


def test_a_path_that_names_no_namespace_is_sound(tmp_path: Path):
    """As the documents say to write it."""
    mapping = mapping_text()
    for name in ("melding", "beloep", "dato", "part", "navn"):
        mapping = mapping.replace(f"/{name}", f"/*[local-name()='{name}']")

    assert told(tmp_path, mapping, NAMESPACED) == []


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (
            'at: "/melding/beloep',
            'at: "/melding/belop',
            "9: no form of this schema has belop in melding: did you mean beloep?",
        ),
        (
            'at: "/melding/beloep',
            'at: "//x',
            "9: no form of this schema has x; known are beloep, dato, melding, navn, orgnr, part",
        ),
        (
            'test: ". >= 0"',
            'test: "../belop >= 0"',
            "9: no form of this schema has belop in melding: did you mean beloep?",
        ),
        ('test: ". >= 0"', 'test: "not(@valuta)"', "9: no form of this schema has @valuta in beloep"),
        ('at: "/melding/beloep', 'at: "/melding/@beloep', "has @beloep in melding: it is an element; write beloep"),
        ('at: "/melding/beloep', 'at: "/melding/dataFormatId', "it is an attribute; write @dataFormatId"),
        (
            'sum: "/melding/beloep',
            'sum: "/beloep',
            "19: no form of this schema has beloep at its root; known are melding",
        ),
        ('at: "/melding/part/navn', 'at: "/melding/part/name', "22: no form of this schema has name in part"),
        ('set: {"/melding/dato', 'set: {"/melding/part', "17: it holds other elements: name one that holds a text"),
        ('set: {"/melding/dato', 'set: {"/melding/dato/text()', "17: a value is put into an element or attribute"),
        (
            'set: {"/melding/dato',
            'set: {"/melding/beloep',
            "17: the schema takes no '2026-01-02', such as {now:date} becomes, there",
        ),
        ('"{now:date}"', "i dag", "17: the schema takes no 'i dag' there: every form would be refused"),
        (
            '/melding/dato": "{now:date}"',
            '/melding/@dataFormatId": "1"',
            "17: the schema fixes what stands there to '5801'",
        ),
        (
            'at: "/melding/beloep"',
            'at: "/melding/beloep[2]"',
            "9: no form of this schema has anything at [2]: beloep may",
        ),
        (
            'at: "/melding/part/navn',
            'at: "/melding/part[position() = 10]/navn',
            "at [10]: part may stand 9 times in melding",
        ),
        (
            'at: "/melding/part/navn',
            "at: \"/melding/*[local-name()='part'][10]/navn",
            "22: no form of this schema has anything at [10]: part may stand 9 times in melding",
        ),
        (
            'at: "/melding/part/navn',
            'at: "//navn[2]',
            "22: no form of this schema has anything at [2]: navn may stand once",
        ),
        ('at: "/melding/part/navn', 'at: "/melding[2]/part/navn', "at [2]: melding may stand once"),
        ('at: "/melding/part/navn', 'at: "/melding/part[0]/navn', "at [0]: positions are counted from 1"),
        ('_id: "5801"', '_id: "5802"', "5: form.xsd fixes dataFormatId to '5801'"),
        ('version: "42001"', 'version: "42002"', "6: form.xsd fixes dataFormatVersion to '42001'"),
    ],
)
def test_what_the_schema_cannot_have_is_told_with_its_place(tmp_path: Path, was: str, now: str, expected: str):
    """A step that finds nothing, a value that is never taken, a data format of another form."""
    assert was in mapping_text()

    faults = told(tmp_path, mapping_text().replace(was, now))

    assert [expected in each for each in faults] == [True], faults


@pytest.mark.parametrize(
    "path",
    [
        "/melding/part[9]/navn",
        "/melding/part[1]/part[1]/navn",
        "/melding/part[navn][20]/navn",
        "/melding/part[position() > 20]/navn",
        "/melding/*[11]/navn",
        "/melding/part[last()]/part[1]/navn",
    ],
)
def test_positions_that_may_be_there_are_none(tmp_path: Path, path: str):
    """Or whose count nobody can tell from the schema alone."""
    assert told(tmp_path, mapping_text().replace("/melding/part/navn", path)) == []


def test_positions_are_counted_through_groups(tmp_path: Path):
    """A group that repeats repeats what stands in it."""
    schema = PLAIN.replace(
        '<xs:element name="navn" type="xs:string"/>',
        '<xs:sequence maxOccurs="3"><xs:element name="navn" type="xs:string" maxOccurs="2"/></xs:sequence>',
    )

    at = {number: told(tmp_path, mapping_text().replace("/navn", f"/navn[{number}]"), schema) for number in (6, 7)}

    assert (at[6], len(at[7])) == ([], 1)


@pytest.mark.parametrize(
    ("facets", "expected"),
    [
        ('<xs:enumeration value="8888"/>', "form.xsd fixes dataFormatId to '8888'"),
        (
            '<xs:enumeration value="8888"/><xs:enumeration value="8889"/>',
            "form.xsd takes no '5801' as dataFormatId, but one of '8888', '8889'",
        ),
        ('<xs:pattern value="8[0-9]{3}"/>', "form.xsd takes no '5801' as dataFormatId"),
        ('<xs:enumeration value="8888"/><xs:enumeration value="5801"/>', None),
        ('<xs:pattern value="[0-9]{4}"/>', None),
    ],
)
def test_a_data_format_that_the_type_does_not_take_is_told(tmp_path: Path, facets: str, expected: str | None):
    """Fixed or not: no form could say what the mapping says."""
    base = "xs:int" if "enumeration" in facets else "xs:string"
    kind = f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'
    schema = PLAIN.replace(
        '<xs:attribute name="dataFormatId" fixed="5801"/>',
        f'<xs:attribute name="dataFormatId" use="required">{kind}</xs:attribute>',
    )

    assert told(tmp_path, mapping_text(), schema) == ([] if expected is None else [f"5: {expected}"])


def test_interchanged_schemas_are_told(tmp_path: Path):
    """The subform's schema on the main form, known by the data format that it fixes."""
    sub = '  - {type: SubForm, data_format_id: "5801", data_format_version: "42001"}\naltinn3:'
    mapping = mapping_text().replace('data_format_id: "5801"', 'data_format_id: "5800"', 1).replace("altinn3:", sub)

    assert [each for each in told(tmp_path, mapping) if "interchanged" in each] == [
        "5: form.xsd fixes dataFormatId to '5801'; that is the form forms[1]: are the two schemas interchanged?"
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/melding/part/part/part/navn",
        "/melding/part/orgnr",
        "//navn/..",
        "/melding/part[navn='x'][2]/navn",
        "/melding/*",
        "/melding/part/ancestor::melding/@dataFormatId",
        "/melding/dato/following-sibling::part",
        "/melding/node()",
        "/descendant::navn[position() = last()]",
        "/melding/comment()",
    ],
)
def test_whatever_can_be_found_is_let_pass(tmp_path: Path, path: str):
    """Types that hold themselves, types that xsi:type can put there, axes and conditions."""
    assert told(tmp_path, mapping_text().replace('sum: "/melding/beloep', f'sum: "{path}')) == []


def test_where_anything_may_stand_nothing_is_told(tmp_path: Path):
    """Below a wildcard of the schema any path may find something."""
    mapping = mapping_text().replace("/melding/dato", "/melding/hva/som/helst")

    assert told(tmp_path, mapping, OPEN) == []


@pytest.mark.parametrize("path", ["/melding/dato", "/melding/@ok"])
@pytest.mark.parametrize(("value", "taken"), [("1", True), ("true", True), ("0", False), ("sant", False)])
def test_a_fixed_value_may_be_spelled_otherwise(tmp_path: Path, path: str, value: str, taken: bool):
    """What the check takes in a form may be put there."""
    schema = PLAIN.replace('"dato" type="xs:date"', '"dato" type="xs:boolean" fixed="1"').replace(
        "<xs:attribute ", '<xs:attribute name="ok" type="xs:boolean" fixed="1"/><xs:attribute ', 1
    )

    faults = told(tmp_path, mapping_text().replace('/melding/dato": "{now:date}"', f'{path}": "{value}"'), schema)

    assert faults == ([] if taken else ["17: the schema fixes what stands there to '1': this would be refused"])


@pytest.mark.parametrize("value", ["1", "2"])
def test_texts_of_two_elements_lead_back_to_both(tmp_path: Path, value: str):
    """Of the same name and type, where the schema fixes them to different values."""
    two = '<xs:element name="{0}"><xs:complexType><xs:sequence><xs:element name="kode" type="xs:int" fixed="{1}"/>'
    held = "".join(f"{two.format(*each)}</xs:sequence></xs:complexType></xs:element>" for each in (("a", 1), ("b", 2)))
    schema = PLAIN.replace('<xs:element name="dato" type="xs:date"/>', held)
    setting = f'"//kode/text()/..": "{value}"'

    assert told(tmp_path, mapping_text().replace('"/melding/dato": "{now:date}"', setting), schema) == []
