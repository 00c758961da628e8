"""What .NET cannot read in a schema is told; what it reads is not."""

from pathlib import Path

import pytest
from lxml import etree

from bridge.forms.xml.schemas import read_schema_files
from bridge.forms.xml.xmlschema_engine import build_xmlschema

HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"%s>'
NAMED = '<x:simpleType name="t"><x:restriction base="x:%s">%s</x:restriction></x:simpleType>'
ROOT = '<x:element name="m" type="x:int"/>'
KIND = '<x:complexType name="b"><x:sequence>%s</x:sequence></x:complexType>'
NARROWER = (
    '<x:complexType name="c"><x:complexContent><x:restriction base="b"><x:sequence>%s</x:sequence></x:restriction>'
    "</x:complexContent></x:complexType>"
)
STRINGS = '<x:element name="a" type="x:string"/>'


def notes(folder: Path, body: str, head: str = "") -> str:
    (folder / "a.xsd").write_text(f"{HEAD % head}\n{body}{ROOT}</x:schema>", "utf-8")
    return "\n".join(read_schema_files(folder, "a.xsd").notes)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (NAMED % ("string", '<x:maxLength value="3"/><x:maxLength value="4"/>'), "the facet maxLength"),
        (NAMED % ("int", '<x:fractionDigits value="2"/>'), "fractionDigits"),
        (NAMED % ("string", '<x:maxLength value="2147483648"/>'), "2147483647"),
        (NAMED % ("decimal", f'<x:maxInclusive value="{"9" * 40}.5"/>'), "beyond its numbers"),
        (NAMED % ("string", '<x:pattern value="a{3}{2}"/>'), "a quantifier after a quantifier"),
        (NAMED % ("string", '<x:pattern value="[😀-😂]"/>'), "beyond 16 bits"),
        (NAMED % ("string", r'<x:pattern value="\p{IsGothic}"/>'), "the block 'IsGothic'"),
        (NAMED % ("string", '<x:pattern value="a{3,1}"/>'), "end is before its beginning"),
        (NAMED % ("token", '<x:whiteSpace value="preserve"/>'), "looser than that of xs:token"),
        (KIND % (STRINGS + '<x:element name="b"/><x:element name="a" type="x:int"/>'), "two types"),
        (KIND % STRINGS + NARROWER % '<x:element name="z" type="x:string"/>', "which its base does not have"),
        ('<x:notation name="j"/>', "public identifier"),
        ('<x:notation name="j" public="p"/><x:element name="n" type="x:NOTATION"/>', "bare xs:NOTATION"),
    ],
)
def test_what_dotnet_cannot_read_is_told_with_its_line(tmp_path: Path, body: str, said: str) -> None:
    """The forms are judged all the same."""
    told = notes(tmp_path, body)

    assert said in told
    assert told.startswith(f"{tmp_path / 'a.xsd'}:2: ")
    assert told.endswith(".NET does not read such a schema")


def test_a_block_that_there_is_not_is_told(tmp_path: Path) -> None:
    """Nothing can be held against such a pattern, and it is dropped; one that there is stays."""
    told = notes(tmp_path, NAMED % ("string", r'<x:pattern value="[\P{IsFoo}\p{IsGreek}]"/>')).splitlines()

    assert told[0].endswith("names the block 'IsFoo', which there is not: .NET does not read such a schema")
    assert told[1].endswith("there is no block 'IsFoo': values are not held against it")
    assert notes(tmp_path, NAMED % ("string", r'<x:pattern value="[\p{IsGreek}]"/>')) == ""


@pytest.mark.parametrize(("namespace", "told"), [("", True), ("u:t", True), ("urn:t", False), ("http://x.no/a", False)])
def test_namespaces_are_looked_at(tmp_path: Path, namespace: str, told: bool) -> None:
    """An empty one, and one that reads like a drive."""
    assert bool(notes(tmp_path, "", f' targetNamespace="{namespace}"')) is told


@pytest.mark.parametrize(
    "body",
    [
        NAMED % ("string", '<x:pattern value="a"/><x:pattern value="b"/><x:enumeration value="a"/>'),
        NAMED % ("decimal", f'<x:fractionDigits value="2"/><x:maxInclusive value="{"7" * 28}"/>'),
        NAMED % ("integer", '<x:fractionDigits value="0"/><x:totalDigits value="9"/>'),
        NAMED % ("string", r'<x:pattern value="a{3}\{2\}[*+]{2}"/><x:whiteSpace value="preserve"/>'),
        KIND % (STRINGS * 2) + NARROWER % STRINGS,
        KIND % f'{STRINGS}<x:element name="i"><x:complexType><x:sequence><x:element name="a" type="x:int"/>'
        "</x:sequence></x:complexType></x:element>",
        '<x:notation name="j" public="p"/>',
    ],
)
def test_what_it_reads_is_not_told(tmp_path: Path, body: str) -> None:
    """A name may have another type further in."""
    assert notes(tmp_path, body) == ""


def test_a_namespace_may_come_from_several_files(tmp_path: Path) -> None:
    """Whoever imports them, and from wherever: to libxml2 they are one."""
    (tmp_path / "inne").mkdir()
    part = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:z">%s</x:schema>'
    for name in ("e", "f", "g"):
        (tmp_path / "inne" / f"{name}.xsd").write_text(part % f'<x:element name="{name}" type="x:int"/>')
    (tmp_path / "y.xsd").write_text(
        HEAD % ' targetNamespace="urn:y"' + '<x:import namespace="urn:z" schemaLocation="inne/g.xsd"/></x:schema>'
    )
    imports = "".join(f'<x:import namespace="urn:z" schemaLocation="inne/{name}.xsd"/>' for name in ("e", "f"))
    (tmp_path / "a.xsd").write_text(
        HEAD % ' xmlns:z="urn:z"' + f'{imports}<x:import namespace="urn:y" schemaLocation="y.xsd"/>'
        '<x:element name="m"><x:complexType><x:sequence><x:element ref="z:e"/><x:element ref="z:f"/>'
        '<x:element ref="z:g"/></x:sequence></x:complexType></x:element></x:schema>'
    )

    files = read_schema_files(tmp_path, "a.xsd")

    assert files.notes == ()
    schema = files.compile()
    form = '<m xmlns:z="urn:z"><z:e>1</z:e><z:f>1</z:f><z:g>%s</z:g></m>'
    assert schema.validate(etree.fromstring(form % 1))
    assert not schema.validate(etree.fromstring(form % "x"))
    assert build_xmlschema(files).refused is None
