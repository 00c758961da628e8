"""Values of lists and unions, and what stands where a wildcard lets it, are explained like any other."""

from pathlib import Path

import pytest

from bridge.forms.sentences import sentence
from bridge.forms.xsd import SchemaRegistry

HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"{}>{}</x:schema>'
XSD_1_1 = ' xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
TYPES = {
    "list": '<x:list itemType="x:int"/>',
    "restricted list": '<x:restriction base="L"><x:maxLength value="3"/></x:restriction>',
    "union": '<x:union memberTypes="x:date x:gYear"/>',
    "restricted union": '<x:restriction base="U"><x:pattern value="2.*"/></x:restriction>',
    "union of lists": '<x:union memberTypes="L x:boolean"/>',
    "list of unions": '<x:list itemType="U"/>',
}
NAMED = (
    '<x:simpleType name="L"><x:list itemType="x:int"/></x:simpleType>'
    '<x:simpleType name="U"><x:union memberTypes="x:date x:gYear"/></x:simpleType>'
)
OTHER = '<x xmlns="urn:x"/>'
YEAR = "et årstall (åååå)"
SAID = {
    "list": "Hver verdi i m må være et heltall.",
    "restricted list": "Hver verdi i m må være et heltall.",
    "union": f"M må være en dato (åååå-mm-dd) eller {YEAR}.",
    "restricted union": f"M må være en dato (åååå-mm-dd) eller {YEAR}.",
    "union of lists": "M må være et heltall eller true eller false.",
    "list of unions": f"Hver verdi i m må være en dato (åååå-mm-dd) eller {YEAR}.",
}


def registry_of(folder: Path, body: str, about: str = "") -> SchemaRegistry:
    (folder / "a.xsd").write_text(HEAD.format(about, body))
    registry = SchemaRegistry(folder)
    registry.load(["a.xsd"])
    return registry


@pytest.mark.parametrize("about", ["", XSD_1_1], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize("kind", TYPES)
def test_it_is_said_what_would_do(tmp_path: Path, kind: str, about: str) -> None:
    """Of a list what each of its values must be, of a union what it may be."""
    body = f'<x:element name="m"><x:simpleType>{TYPES[kind]}</x:simpleType></x:element>{NAMED}'

    findings = registry_of(tmp_path, body, about).check("a.xsd", "<m>2x</m>")

    assert [(each.path, each.rule) for each in findings] == [("/m", "type")]
    assert sentence(findings[0], "nb") == SAID[kind]


def test_a_mark_that_is_no_mark_is_told(tmp_path: Path) -> None:
    """It is true or false, whatever the schema says of the element."""
    registry = registry_of(tmp_path, '<x:element name="m" type="x:string" nillable="true"/>')

    (finding,) = registry.check("a.xsd", '<m xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="ja">x</m>')

    assert sentence(finding, "en") == "Nil must be true or false."


def test_what_a_wildcard_lets_stand_is_explained(tmp_path: Path) -> None:
    """By the declaration that its name has anywhere."""
    body = (
        '<x:element name="m"><x:complexType><x:sequence><x:element name="a"/></x:sequence></x:complexType></x:element>'
        '<x:element name="n"><x:complexType><x:sequence><x:element name="b"/><x:element name="c"/></x:sequence>'
        "</x:complexType></x:element>"
    )

    findings = registry_of(tmp_path, body).check("a.xsd", "<m><a><n><c/></n></a></m>")

    assert [(each.path, each.rule) for each in findings] == [("/m/a/n/b", "missing_element")]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (f"{OTHER}<a>1</a>{OTHER}<b>2</b>", []),
        (f"{OTHER}<b>2</b>", [("/m/a", "missing_element")]),
        (f"<a>1</a>{OTHER}<a>1</a>", [("/m/a[2]", "too_many")]),
        ("<a>1<x/></a>", [("/m/a", "children_not_allowed")]),
    ],
)
def test_open_content_is_explained(tmp_path: Path, inside: str, expected: list[tuple[str, str]]) -> None:
    """What may stand anywhere between is no reason to say nothing of the rest."""
    body = (
        '<x:element name="m"><x:complexType><x:openContent mode="interleave">'
        '<x:any namespace="urn:x" processContents="skip"/></x:openContent>'
        '<x:sequence><x:element name="a" type="x:int"/><x:element name="b" type="x:int" minOccurs="0"/>'
        "</x:sequence></x:complexType></x:element>"
    )

    findings = registry_of(tmp_path, body, XSD_1_1).check("a.xsd", f"<m>{inside}</m>")

    assert [(each.path, each.rule) for each in findings] == expected
