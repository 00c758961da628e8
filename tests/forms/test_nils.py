"""Nils in XML of apps: what the schema forbids is not there, what it allows stays."""

import pytest

from bridge.core.mapping import FormFormat
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.media import turned
from bridge.forms.conversion.nils import without_forbidden_nils
from bridge.forms.diff import differences
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
NIL = 'xsi:nil="true"'
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:prøve"
    elementFormDefault="qualified">
  <xs:element name="m"><xs:complexType><xs:sequence>
    <xs:element name="navn" type="xs:string"/>
    <xs:element name="antall" type="xs:decimal" minOccurs="0"/>
    <xs:element name="dato" type="xs:date" minOccurs="0" nillable="true"/>
    <xs:element name="rad" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="tall" type="xs:decimal" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
      <xs:attribute name="nr" type="xs:int"/></xs:complexType></xs:element>
    <xs:any namespace="##other" processContents="lax" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


@pytest.fixture(scope="module")
def converter(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    """A namespace with an ø, as real ones have, and a group, a list, a nillable date and a wildcard."""
    path = tmp_path_factory.mktemp("nils") / "m.xsd"
    path.write_text(SCHEMA, encoding="utf-8")
    return Converter.from_schema(path)


def form(inside: str) -> bytes:
    return f'<m xmlns="urn:prøve" {XSI}>{inside}</m>'.encode()


@pytest.mark.parametrize(
    ("inside", "left"),
    [
        (f"<navn>x</navn><antall {NIL} />", "<navn>x</navn>"),
        ('<navn>x</navn><antall xsi:nil=" 1 "></antall>', "<navn>x</navn>"),
        (f"<rad><tall>1</tall><tall {NIL}/><tall>3</tall></rad>", "<rad><tall>1</tall><tall>3</tall></rad>"),
        (f"<rad {NIL}/><rad/>", "<rad/>"),
        (f"<rad><tall {NIL}/></rad>", "<rad/>"),
        (f"<dato {NIL}/>", f"<dato {NIL}/>"),
        (f"<ukjent {NIL}/>", f"<ukjent {NIL}/>"),
        (f'<z:a xmlns:z="urn:z" {NIL}/>', f'<z:a xmlns:z="urn:z" {NIL}/>'),
        # Of these something would be lost.
        (f'<rad nr="1" {NIL}/>', f'<rad nr="1" {NIL}/>'),
        (f"<antall {NIL}>5</antall>", f"<antall {NIL}>5</antall>"),
        ('<antall xsi:nil="false">5</antall>', '<antall xsi:nil="false">5</antall>'),
    ],
)
def test_only_forbidden_nils_are_taken_out(converter: Converter, inside: str, left: str) -> None:
    """In groups and lists too; what says more than that it is empty stays for the check."""
    assert without_forbidden_nils(converter, form(inside), Limits()).data == form(left)


def test_an_apps_form_is_valid_without_its_nils(converter: Converter) -> None:
    """What .NET says of empty fields is no fault of the form, and a required one is missing."""
    registry = SchemaRegistry(converter.path.parent)
    registry.load([converter.path.name])
    left, required = (
        without_forbidden_nils(converter, form(inside), Limits()).data
        for inside in (f"<navn>x</navn><antall {NIL}/><dato {NIL}/>", f"<navn {NIL}/>")
    )

    assert registry.check("m.xsd", left) == ()
    assert [(each.path, each.rule) for each in registry.check("m.xsd", required)] == [("/m/navn", "missing_element")]


def test_without_a_schema_nothing_is_forbidden() -> None:
    """Nor where another form came than was meant."""
    data = form(f"<antall {NIL}/>")

    assert without_forbidden_nils(None, data, Limits()).data == data


def test_an_apps_nulls_convert_both_ways(converter: Converter) -> None:
    """A nil that is forbidden is the null of the same app's JSON, and that one is nothing in XML."""
    xml = form(f"<navn>x</navn><antall {NIL}/><rad><tall {NIL}/><tall>2</tall></rad>")

    as_json = turned(converter, xml, into=FormFormat.JSON)
    back = turned(converter, as_json, into=FormFormat.XML)

    assert as_json == b'{"navn":"x","antall":null,"rad":[{"tall":[null,2]}]}'
    assert (b"nil" in back, back.count(b"<tall>")) == (False, 1)
    assert differences(xml, back, converter=converter) == ()


def test_a_persons_nil_is_still_a_fault(converter: Converter) -> None:
    """Nobody knows what they meant by it."""
    for convert, text in ((converter.to_json, form(f"<antall {NIL}/>")), (converter.to_xml, b'{"rad":[null]}')):
        with pytest.raises(Unconvertible):
            convert(text)
