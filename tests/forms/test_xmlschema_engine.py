"""xmlschema: for what libxml2 cannot take, and to be held against it."""

from pathlib import Path

import pytest
import structlog

from bridge.core.errors import ConfigurationError, Severity
from bridge.core.texts.findings import RULES, sentence
from bridge.forms.registry import SLOW_ENGINE_BYTES, SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.forms.xml.xmlschema_repairs import refusal_of

NAMESPACE = "urn:prøve"
VERSIONING = "http://www.w3.org/2007/XMLSchema-versioning"
SCHEMA = f"""<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:vc="{VERSIONING}"
 vc:minVersion="1.1" targetNamespace="{NAMESPACE}" xmlns="{NAMESPACE}"
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


# libxml2 asks where an entity is declared, and takes half a second without its nought.
APART = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
<x:element name="side" maxOccurs="unbounded"><x:simpleType><x:union memberTypes="x:int x:ENTITY"/></x:simpleType>
</x:element><x:element name="id" type="x:duration" minOccurs="0" maxOccurs="9"/>
</x:sequence></x:complexType></x:element></x:schema>"""


def apart(folder: Path, *, both: bool = False) -> SchemaRegistry:
    (folder / "a.xsd").write_text(APART)
    registry = SchemaRegistry(folder, both_engines=both)
    registry.load(["a.xsd"])
    return registry


def test_what_only_libxml2_refuses_is_refused_and_told(tmp_path: Path) -> None:
    """A finding of its own comes first, and the log has the rules and no value."""
    with structlog.testing.capture_logs() as logs:
        findings = apart(tmp_path).check("a.xsd", "<m><side>1</side><side>hemmelig</side></m>")

    assert [(each.path, each.rule, each.line, each.severity) for each in findings] == [
        ("/m/side[2]", "engines_disagree", 1, Severity.ERROR),
        ("/m/side[2]", "type", 1, Severity.ERROR),
    ]
    assert [sentence(findings[0], language) for language in ("nb", "nn", "en")] == [
        "Kontrollen er uenig med seg selv: libxml2 avviser side, xmlschema godtar skjemaet. Det er avvist.",
        "Kontrollen er usamd med seg sjølv: libxml2 avviser side, xmlschema godtek skjemaet. Det er avvist.",
        "The check disagrees with itself: libxml2 refuses side, xmlschema accepts the form. It is refused.",
    ]
    assert logs == [
        {
            "event": "the two engines disagree about a form",
            "code": "engines_disagree",
            "schema": "a.xsd",
            "refuses": "libxml2",
            "refused_by": ["type"],
            "log_level": "warning",
        }
    ]


def test_what_both_refuse_is_no_disagreement(tmp_path: Path) -> None:
    """One more fault that xmlschema sees as well is enough."""
    findings = apart(tmp_path).check("a.xsd", "<m><side>a</side><z/></m>")

    assert {each.rule for each in findings} == {"type", "unexpected_element"}


def test_what_only_xmlschema_refuses_is_found_where_asked(tmp_path: Path) -> None:
    """In service the fast yes stands; with both engines it is refused."""
    form = "<m><side>1</side><id>P1Y</id><id>PT.5S</id></m>"

    with structlog.testing.capture_logs() as logs:
        both = apart(tmp_path, both=True).check("a.xsd", form)

    assert apart(tmp_path).check("a.xsd", form) == ()
    assert (both[0].path, both[0].rule) == ("/m/id[2]", "engines_disagree")
    assert both[0].facts["refuses"] == "xmlschema"
    assert [each["refuses"] for each in logs] == ["xmlschema"]


def test_both_engines_let_through_what_both_accept(tmp_path: Path) -> None:
    """A large form too, which is first judged while it is read."""
    form = f"<m><side>1</side>{'<id>P1Y</id>' * 9}</m>"
    (tmp_path / "b.xsd").write_text(APART)
    large = f"<m>{'<side>1</side>' * 10_000}</m>"
    registry = apart(tmp_path, both=True)
    registry.load(["b.xsd"])

    assert registry.check("a.xsd", form) == registry.check("b.xsd", large) == ()
    assert registry.check("b.xsd", large.replace("</m>", "<id>PT.5S</id></m>"))[0].rule == "engines_disagree"


@pytest.mark.parametrize("kind", ["x:nope", "q:nope", "nope", ":", ""])
def test_a_type_that_there_is_not_ends_nothing(registry: SchemaRegistry, kind: str) -> None:
    """xmlschema gives up on it, and what cannot be judged is not let through."""
    names = 'xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:s="http://www.w3.org/2001/XMLSchema-instance"'

    findings = registry.check("a.xsd", f'<m xmlns="{NAMESPACE}" {names} g="1"><a s:type="{kind}">1</a></m>')

    assert findings


def test_what_is_prepared_serves(tmp_path: Path) -> None:
    """After start, a refusal is explained as before."""
    (tmp_path / "a.xsd").write_text(SCHEMA.replace("ø", "o").replace("vc:minVersion", "vc:maxVersion"))
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    registry.prepare()
    findings = registry.check("a.xsd", '<m xmlns="urn:prove" g="1"><a>x</a></m>')

    assert [(finding.path, finding.rule) for finding in findings] == [("/m/a", "type")]


def schema_of(folder: Path, body: str) -> SchemaRegistry:
    text = f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">{body}</x:schema>'
    (folder / "a.xsd").write_text(text, encoding="utf-8")
    made = SchemaRegistry(folder, both_engines=True)
    made.load(["a.xsd"])
    return made


NARROWED = """<x:complexType name="b" mixed="true"><x:sequence><x:element name="z" minOccurs="0" maxOccurs="7"/>
</x:sequence></x:complexType><x:complexType name="c"><x:simpleContent><x:restriction base="b"><x:simpleType>
<x:restriction base="x:int"/></x:simpleType><x:maxInclusive value="5"/></x:restriction></x:simpleContent>
</x:complexType><x:element name="m"><x:complexType><x:sequence><x:element name="v" type="c"/>%s</x:sequence>
</x:complexType></x:element>"""


@pytest.mark.parametrize("more", ["", '<x:any notQName="v" minOccurs="0"/>'], ids=["1.0", "1.1"])
def test_mixed_content_may_be_narrowed_to_a_value(tmp_path: Path, more: str) -> None:
    """Legal where the elements may be left out; xmlschema stumbled over it, so that nothing was converted."""
    registry = schema_of(tmp_path, NARROWED % more)

    assert registry.converter("a.xsd", None).to_json("<m><v>3</v></m>") == '{"v":3}'
    assert registry.check("a.xsd", "<m><v>3</v></m>") == ()
    assert [found.path for found in registry.check("a.xsd", "<m><v>x</v></m>")] == ["/m/v"]
    assert {found.path for found in registry.check("a.xsd", "<m><v>7</v></m>")} == {"/m/v"}


@pytest.mark.parametrize(
    ("base", "test", "valid", "invalid"),
    [
        (' base="x:NMTOKENS">', "count($value) = 2", "a b", "a"),
        ('><x:simpleType><x:list itemType="x:int"/></x:simpleType>', "sum($value) = 3", "1 2", "1 3"),
        ('><x:simpleType><x:list itemType="x:int"/></x:simpleType>', "sum($value) = 3", "3", "x"),
    ],
)
def test_assertions_judge_lists_without_a_name(tmp_path: Path, base: str, test: str, valid: str, invalid: str) -> None:
    """xmlschema asks for the name, and refused the schema with a word of Python's."""
    facet = f'<x:assertion test="{test}"/>'
    restricted = f"<x:simpleType><x:restriction{base}{facet}</x:restriction></x:simpleType>"
    registry = schema_of(tmp_path, f'<x:element name="m">{restricted}</x:element>')

    assert registry.check("a.xsd", f"<m>{valid}</m>") == ()
    assert {found.path for found in registry.check("a.xsd", f"<m>{invalid}</m>")} == {"/m"}


def test_an_assertion_that_does_not_hold_is_told_as_that(tmp_path: Path) -> None:
    """Whichever class of ours judges it in the library's place."""
    facet = '<x:restriction base="x:NMTOKENS"><x:assertion test="count($value) = 2"/></x:restriction>'
    registry = schema_of(tmp_path, f'<x:element name="m"><x:simpleType>{facet}</x:simpleType></x:element>')

    assert [found.rule for found in registry.check("a.xsd", "<m>a</m>")] == ["assertion"]


def test_what_xmlschema_stumbles_over_is_told_by_the_part(tmp_path: Path) -> None:
    """In words, and by libxml2 the forms are judged all the same."""
    deep = f"{'<x:sequence>' * 220}<x:element name='a'/>{'</x:sequence>' * 220}"
    registry = schema_of(tmp_path, f'<x:element name="m"><x:complexType>{deep}</x:complexType></x:element>')

    with pytest.raises(ConfigurationError) as caught:
        registry.converter("a.xsd", None)
    assert caught.value.faults[0].message.endswith("cannot read the schema: it cannot use the xs:sequence in 'm'")
    assert registry.check("a.xsd", "<m><a/></m>") == ()


def test_refusals_have_no_words_of_python() -> None:
    """Wherever they come from."""
    assert refusal_of(TypeError("expected string, got 'NoneType'")) == "there is a part of it that it cannot use"
