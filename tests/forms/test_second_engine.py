"""xmlschema: for what libxml2 cannot take, and to be held against it."""

from pathlib import Path

import pytest
import structlog

from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.reading import Limits
from bridge.forms.sentences import RULES
from bridge.forms.xsd import SLOW_ENGINE_BYTES, SchemaRegistry

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


URIS = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
 <x:element name="side" type="x:anyURI"/><x:element name="tall" type="x:double"/><x:element name="a" type="x:int"/>
 </x:sequence></x:complexType></x:element></x:schema>"""
"""libxml2 refuses the percent sign of %zz, and accepts 1E; of each xmlschema says otherwise."""


@pytest.mark.parametrize(
    ("side", "tall", "count", "both", "found"),
    [
        ("https://a.no", "1", "1", True, []),
        ("%zz", "1", "1", False, [("/m/side", "type", "error"), ("/m/side", "engines_disagree", "warning")]),
        # Both refuse the form, if not for the same reason.
        ("%zz", "1", "x", False, [("/m/side", "type", "error"), ("/m/a", "type", "error")]),
        ("https://a.no", "1E", "1", False, []),
        ("https://a.no", "1E", "1", True, [("/m/tall", "engines_disagree", "warning")]),
    ],
)
def test_a_disagreement_is_a_finding(
    tmp_path: Path, side: str, tall: str, count: str, both: bool, found: list[tuple[str, str, str]]
) -> None:
    """Beside libxml2's verdict, which stands; it is logged without a value."""
    (tmp_path / "a.xsd").write_text(URIS)
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd")
    xml = f"<m>\n<side>{side}</side>\n<tall>{tall}</tall>\n<a>{count}</a></m>"

    with structlog.testing.capture_logs() as logs:
        findings = registry.check_form(spec, xml, both_engines=both)

    assert [(each.path, each.rule, each.severity.value) for each in findings] == found
    disagreements = [each for each in findings if each.rule == "engines_disagree"]
    assert all(each.line == (2 if each.path == "/m/side" else 3) and each.column for each in disagreements)
    told = [{"schema": "a.xsd", "refused_by": ["type"] if side == "%zz" else []}] if disagreements else []
    assert [{name: log[name] for name in ("schema", "refused_by")} for log in logs] == told
    assert "zz" not in str(logs)


def test_without_a_second_engine_nobody_disagrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema that xmlschema cannot take is judged by libxml2 alone."""
    (tmp_path / "a.xsd").write_text(URIS)
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])
    monkeypatch.setattr(registry._schemas["a.xsd"].model, "_schema", None)

    findings = registry.check("a.xsd", "<m><side>%zz</side><tall>1</tall><a>1</a></m>")

    assert [each.rule for each in findings] == ["type"]


def test_what_is_prepared_serves(tmp_path: Path) -> None:
    """After start, a refusal is explained as before."""
    (tmp_path / "a.xsd").write_text(SCHEMA.replace("ø", "o"))
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    registry.prepare()
    findings = registry.check("a.xsd", '<m xmlns="urn:prove" g="1"><a>x</a></m>')

    assert [(finding.path, finding.rule) for finding in findings] == [("/m/a", "type")]
