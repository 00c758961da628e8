"""XSD 1.1 that does not say so is known by what only it has, and its forms are judged by its own rules."""

from pathlib import Path

import pytest

from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.schema_files import Engine
from bridge.forms.xml.schemas import read_schema_files

VERSIONING = 'xmlns:v="http://www.w3.org/2007/XMLSchema-versioning"'
END = "</x:restriction></x:simpleType>"
ROOT = '<x:element name="m" type="x:int"/>'


def written(folder: Path, body: str, about: str = "") -> Path:
    (folder / "a.xsd").write_text(
        f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"{about}>{body}</x:schema>', "utf-8"
    )
    return folder


def typed(content: str, about: str = "") -> str:
    return f'<x:element name="m"><x:complexType{about}>{content}</x:complexType></x:element>'


GROUP = '<x:attributeGroup name="g"><x:attribute name="q" use="required"/></x:attributeGroup>'
UNIQUE = '<x:unique name="u"><x:selector xpath="a"%s/><x:field xpath="."/></x:unique>'
HOLDS = typed('<x:sequence><x:element name="a"/></x:sequence>').removesuffix("</x:element>")
OPEN = '<x:openContent mode="interleave"><x:any processContents="lax"/></x:openContent>'
OF_ANYTHING = (
    '<x:complexContent><x:restriction base="x:anyType"><x:sequence>%s</x:sequence></x:restriction></x:complexContent>'
)
# What only XSD 1.1 has: attributes of the schema, and what is in it.
SIGNS = {
    "defaultAttributes": (' defaultAttributes="g"', GROUP + typed("<x:sequence/>")),
    "defaultAttributesApply": ("", typed("<x:sequence/>", ' defaultAttributesApply="false"')),
    "xpathDefaultNamespace": (' xpathDefaultNamespace="##local"', ROOT),
    "of a selector": ("", HOLDS + UNIQUE % ' xpathDefaultNamespace="##local"' + "</x:element>"),
    "notQName": ("", typed('<x:sequence><x:any notQName="a" processContents="lax"/></x:sequence>')),
    "notNamespace": ("", typed('<x:anyAttribute notNamespace="urn:a"/>')),
    "inheritable": ("", typed('<x:attribute name="a" inheritable="true"/>')),
    "targetNamespace": ("", typed(OF_ANYTHING % '<x:element name="a" targetNamespace="urn:x"/>')),
    "of an attribute": (
        "",
        typed((OF_ANYTHING % "").replace("</x:res", '<x:attribute name="a" targetNamespace="urn:x"/></x:res')),
    ),
    "often in all": ("", typed('<x:all><x:element name="a" maxOccurs="3"/></x:all>')),
    "any in all": ("", typed('<x:all><x:any processContents="lax"/></x:all>')),
    "ref of an identity": (
        "",
        typed('<x:sequence><x:element name="b"><x:unique ref="u"/></x:element></x:sequence>').removesuffix(
            "</x:element>"
        )
        + UNIQUE % ""
        + "</x:element>",
    ),
    "two heads": ("", ROOT + '<x:element name="n"/><x:element name="o" type="x:int" substitutionGroup="m n"/>'),
    "a version of a part": ("", f'<x:element name="m" type="x:int" {VERSIONING} v:minVersion="1.1"/>'),
    "dateTimeStamp": ("", '<x:element name="m" type="x:dateTimeStamp"/>'),
    "anyAtomicType": ("", '<x:element name="m" type="x:anyAtomicType"/>'),
    "assert": ("", typed('<x:sequence/><x:assert test="true()"/>')),
    "alternative": ("", '<x:element name="m"><x:alternative test="@a" type="x:int"/></x:element>'),
    "openContent": ("", typed(f"{OPEN}<x:sequence/>")),
    "defaultOpenContent": ("", f"{OPEN.replace('openContent', 'defaultOpenContent')}{ROOT}"),
    "explicitTimezone": (
        "",
        f'{ROOT}<x:simpleType name="t"><x:restriction base="x:date"><x:explicitTimezone value="required"/>{END}',
    ),
}


@pytest.mark.parametrize(("about", "body"), SIGNS.values(), ids=SIGNS)
def test_what_only_xsd_1_1_has_makes_it_that(tmp_path: Path, about: str, body: str) -> None:
    """As 1.0 it would be passed over, or refused."""
    files = read_schema_files(written(tmp_path, body, about), "a.xsd")

    assert files.engine is Engine.XMLSCHEMA11
    assert [note for note in files.notes if "it is XSD 1.1, without saying so" in note]


@pytest.mark.parametrize(
    "body",
    [
        typed('<x:all><x:element name="a" minOccurs="0" maxOccurs="1"/><x:element name="b"/></x:all>'),
        typed('<x:sequence><x:element name="a" maxOccurs="3"/></x:sequence>'),
        HOLDS + UNIQUE % "" + "</x:element>",
        ROOT + '<x:element name="o" type="x:int" substitutionGroup="m"/>',
        '<x:element name="m" type="x:dateTime" xmlns:y="urn:y" y:inheritable="true"/>',
    ],
)
def test_what_xsd_1_0_has_as_well_is_judged_by_the_fast_engine(tmp_path: Path, body: str) -> None:
    """Some 30 times faster."""
    assert read_schema_files(written(tmp_path, body), "a.xsd").engine is Engine.LIBXML2


@pytest.mark.parametrize("both_engines", [False, True])
def test_default_attributes_are_asked_for(tmp_path: Path, both_engines: bool) -> None:
    """As where the schema says that it is XSD 1.1."""
    about, body = SIGNS["defaultAttributes"]
    registry = SchemaRegistry(written(tmp_path, body, about), both_engines=both_engines)
    registry.load(["a.xsd"])

    assert registry.check("a.xsd", '<m q="1"/>') == ()
    assert [(found.path, found.rule) for found in registry.check("a.xsd", "<m/>")] == [("/m/@q", "missing_attribute")]
