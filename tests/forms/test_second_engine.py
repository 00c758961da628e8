"""xmlschema: for what libxml2 cannot take, and to be held against it."""

from pathlib import Path

import pytest
import structlog

from bridge.forms.reading import Limits
from bridge.forms.sentences import RULES
from bridge.forms.xsd import SLOW_ENGINE_BYTES, SchemaRegistry, compare
from bridge.shipped import examples_folder, schemas_folder

NAMESPACE = "urn:prøve"
SCHEMA = f"""<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}" xmlns="{NAMESPACE}"
 elementFormDefault="qualified"><x:element name="m"><x:complexType><x:sequence>
 <x:element name="a" type="x:int"/>
 <x:element name="b" minOccurs="0" maxOccurs="2"><x:simpleType><x:restriction base="x:string">
  <x:pattern value="[0-9]{{4}}"/></x:restriction></x:simpleType></x:element>
 <x:element name="c" minOccurs="0"><x:simpleType><x:restriction base="x:string">
  <x:enumeration value="en"/><x:enumeration value="to"/></x:restriction></x:simpleType></x:element>
 <x:element name="d" fixed="1" type="x:string" minOccurs="0"/>
 <x:element name="e" minOccurs="0"><x:simpleType><x:restriction base="x:string">
  <x:pattern value="(a+)+b"/></x:restriction></x:simpleType></x:element>
 </x:sequence><x:attribute name="g" type="x:int" use="required"/></x:complexType></x:element></x:schema>"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> SchemaRegistry:
    folder = tmp_path_factory.mktemp("schemas")
    (folder / "a.xsd").write_text(SCHEMA)
    registry = SchemaRegistry(folder, Limits(max_findings=20))
    registry.load(["a.xsd"])
    return registry


@pytest.mark.parametrize(
    ("inside", "attributes", "expected"),
    [
        ("<a>1</a>", 'g="1"', []),
        ("<a>x</a>", 'g="1"', [("/m/a", "type")]),
        ("<a></a>", 'g="1"', [("/m/a", "empty")]),
        ("<a>1</a><b>1</b>", 'g="1"', [("/m/b", "digits")]),
        ("<a>1</a><b>1111</b><b>x</b>", 'g="1"', [("/m/b[2]", "digits")]),
        ("<a>1</a><b>1111</b><b>1111</b><b>1111</b>", 'g="1"', [("/m/b[3]", "too_many")]),
        ("<a>1</a><c>tre</c>", 'g="1"', [("/m/c", "enumeration")]),
        ("<a>1</a><d>2</d>", 'g="1"', [("/m/d", "fixed")]),
        ("<a>1</a>", "", [("/m/@g", "missing_attribute")]),
        ("<a>1</a>", 'g="x"', [("/m/@g", "type")]),
        ("<a>1</a>", 'g="1" h="1"', [("/m/@h", "unexpected_attribute")]),
        ("", 'g="1"', [("/m/a", "missing_element")]),
        ("<c>en</c>", 'g="1"', [("/m/a", "missing_element")]),
        ("<a>1</a><z/>", 'g="1"', [("/m/z", "unexpected_element")]),
        ("<a>1</a>tekst", 'g="1"', [("/m", "text_not_allowed")]),
    ],
)
def test_each_rule_is_told_at_its_place(
    registry: SchemaRegistry, inside: str, attributes: str, expected: list[tuple[str, str]]
) -> None:
    """The same rules and paths as from libxml2."""
    findings = registry.check("a.xsd", f'<m xmlns="{NAMESPACE}" {attributes}>{inside}</m>')

    assert [(finding.path, finding.rule) for finding in findings] == expected
    assert {finding.rule for finding in findings} <= RULES


def test_no_pattern_keeps_it_busy(registry: SchemaRegistry) -> None:
    """Python's patterns would need longer than the sun has; libxml2's do not."""
    findings = registry.check("a.xsd", f'<m xmlns="{NAMESPACE}" g="1"><a>1</a><e>{"a" * 5000}c</e></m>')

    assert [finding.rule for finding in findings] == ["pattern"]


def test_a_large_form_is_refused_by_its_size(registry: SchemaRegistry) -> None:
    """It is too slow for more."""
    findings = registry.check("a.xsd", f'<m xmlns="{NAMESPACE}" g="1"><a>1</a><e>{"a" * SLOW_ENGINE_BYTES}b</e></m>')

    assert [(finding.rule, finding.facts["max_bytes"]) for finding in findings] == [("too_large", "1000000")]


def test_other_broken_xml_is_not_forgiven(registry: SchemaRegistry) -> None:
    """Only the namespace is."""
    findings = registry.check("a.xsd", f'<m xmlns="{NAMESPACE}" g="1"><a>1</b></m>')

    assert [finding.rule for finding in findings] == ["not_well_formed"]


def test_a_disagreement_is_logged_and_quotes_nothing() -> None:
    """With the schema and the rules, and libxml2's verdict stands."""
    registry = SchemaRegistry(schemas_folder())
    registry.load(["serveringsbevilling.xsd"])
    model = registry._schemas["serveringsbevilling.xsd"].model
    good = (examples_folder() / "serveringsbevilling.xml").read_bytes()
    bad = (examples_folder() / "serveringsbevilling-with-faults.xml").read_bytes()

    with structlog.testing.capture_logs() as logs:
        # One is shown a form that libxml2 is said to have refused, and would take it; of the other both say no.
        assert compare("a.xsd", model, good, ("fixed",)) is True
        assert compare("a.xsd", model, bad, ("digits",)) is False

    assert logs == [
        {
            "event": "the two engines disagree about a form",
            "code": "engines_disagree",
            "schema": "a.xsd",
            "refused_by": ["fixed"],
            "log_level": "warning",
        }
    ]


def test_what_is_prepared_serves(tmp_path: Path) -> None:
    """After start, a refusal is explained as before, and is shown to xmlschema beside."""
    (tmp_path / "a.xsd").write_text(SCHEMA.replace("ø", "o"))
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    registry.prepare()
    findings = registry.check("a.xsd", '<m xmlns="urn:prove" g="1"><a>x</a></m>')

    assert [(finding.path, finding.rule) for finding in findings] == [("/m/a", "type")]
