"""XML forms become JSON as Altinn 3 writes it, and the other way round; what cannot is refused, never dropped."""

import json
import os
import re
from pathlib import Path

import pytest
from lxml import etree

from bridge.bundled import examples_folder, schemas_folder
from bridge.core.errors import ConfigurationError
from bridge.core.texts.findings import RULES, sentence
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.diff import differences
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits, Unreadable

FORMS = Path(__file__).parents[3] / "shared" / "forms"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:element name="Skjema"><xs:complexType><xs:sequence>
    <xs:element name="nummer" minOccurs="0" nillable="true"><xs:complexType><xs:simpleContent>
      <xs:extension base="xs:decimal"><xs:attribute name="orid" type="xs:int"/></xs:extension>
    </xs:simpleContent></xs:complexType></xs:element>
    <xs:element name="navn" type="xs:string" minOccurs="0" nillable="true"/>
    <xs:element name="rad" minOccurs="0" maxOccurs="unbounded" nillable="true"><xs:complexType><xs:sequence>
      <xs:element name="ja" type="xs:boolean" minOccurs="0"/></xs:sequence>
      <xs:attribute name="nr" type="xs:int"/></xs:complexType></xs:element>
    <xs:element name="prosa" minOccurs="0"><xs:complexType mixed="true"><xs:sequence>
      <xs:element name="b" type="xs:string" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
    <xs:element name="kode" type="xs:string" minOccurs="0"/>
    <xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element name="x" type="xs:string"/><xs:element name="y" type="xs:string"/>
    </xs:choice>
  </xs:sequence><xs:attribute name="dataFormatId" type="xs:string"/>{any}</xs:complexType></xs:element>
</xs:schema>"""


@pytest.fixture(scope="module")
def converter(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    """One small schema with most of what forms have."""
    path = tmp_path_factory.mktemp("converter") / "skjema.xsd"
    path.write_text(SCHEMA.format(any=""), encoding="utf-8")
    return Converter.from_schema(path, limits=Limits(max_findings=4))


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('<nummer orid="7">1.10</nummer>', '"nummer":{"value":1.10,"orid":7}'),
        ("<nummer>12345678901234567890123</nummer>", '"nummer":{"value":12345678901234567890123}'),
        ("<nummer>+5</nummer>", '"nummer":{"value":"+5"}'),
        ('<nummer orid="7" xsi:nil="true"/>', '"nummer":{"value":null,"orid":7}'),
        ("<nummer/>", '"nummer":{"value":""}'),
        ("<navn>æøå</navn>", '"navn":"æøå"'),
        ("<navn> </navn>", '"navn":" "'),
        ("<navn/>", '"navn":""'),
        ('<navn xsi:nil="true"/>', '"navn":null'),
        ("", ""),
        ("<rad/>", '"rad":[{}]'),
        ("<rad><ja>true</ja></rad><rad><ja>1</ja></rad>", '"rad":[{"ja":true},{"ja":"1"}]'),
        ('<rad xsi:nil="true"/>', '"rad":[null]'),
        ('<rad nr="1" xsi:nil="true"/>', '"rad":[{"@nil":true,"nr":1}]'),
        ("<x>1</x><x>2</x><y>3</y>", '"x":["1","2"],"y":["3"]'),
        ("<y>1</y><x>2</x><y>3</y>", '"y":["1","3"],"x":["2"],"@order":["y","x","y"]'),
    ],
)
def test_forms_read_as_altinn_writes_them(converter: Converter, inside: str, expected: str):
    """JSON begins inside the root; text beside attributes is ``value``; lists by the schema; and back again."""
    xml = f"<Skjema {XSI}>{inside}</Skjema>"

    text = converter.to_json(xml)

    assert text == "{" + expected + "}"
    back = converter.to_xml(text).decode()
    assert etree.canonicalize(back) == etree.canonicalize(xml if "xsi:" in inside else f"<Skjema>{inside}</Skjema>")


def test_elements_stand_in_the_schemas_order():
    """Whatever the order of JSON members; attributes and lists are where they belong."""
    converter = Converter.from_schema(schemas_folder() / "serveringsbevilling.xsd")
    example = (examples_folder() / "serveringsbevilling.xml").read_bytes()
    text = converter.to_json(example)
    head, _, tail = text.partition('"virksomhet":')

    turned = "{" + f'"virksomhet":{tail[:-1]},{head[1:-1]}' + "}"

    registry = SchemaRegistry(schemas_folder())
    registry.load(["serveringsbevilling.xsd"])
    assert registry.check("serveringsbevilling.xsd", converter.to_xml(turned)) == ()
    assert differences(example, converter.to_xml(turned), converter=converter, nil_is_missing=False) == ()


@pytest.mark.parametrize(
    ("inside", "findings"),
    [
        ("<ukjent/>", [("/Skjema/ukjent", "unexpected_element")]),
        ('<navn lang="nb">x</navn>', [("/Skjema/navn/@lang", "unexpected_attribute")]),
        ("<navn><b/></navn>", [("/Skjema/navn", "children_not_allowed")]),
        ("<navn>a</navn><navn>b</navn>", [("/Skjema/navn[2]", "too_many")]),
        ("tekst", [("/Skjema", "text_not_allowed")]),
        ("<navn/>tekst", [("/Skjema", "text_not_allowed")]),
        ("<prosa>a<b>c</b></prosa>", [("/Skjema/prosa", "mixed_content")]),
        ('<kode xsi:nil="true"/>', [("/Skjema/kode", "nil_not_allowed")]),
        ('<rad xsi:nil="true"><ja/></rad>', [("/Skjema/rad", "nil_with_content")]),
        ('<navn xsi:type="annet">x</navn>', [("/Skjema/navn", "type_override")]),
        ("<a/><b/><c/><d/><e/>", [*((f"/Skjema/{x}", "unexpected_element") for x in "abcd"), ("/", "more_findings")]),
    ],
)
def test_xml_that_json_cannot_hold_is_refused(converter: Converter, inside: str, findings: list[tuple[str, str]]):
    """Every fault by its path, each with a sentence; nothing is dropped."""
    with pytest.raises(Unconvertible) as caught:
        converter.to_json(f"<Skjema {XSI}>\n{inside}</Skjema>")

    assert [(finding.path, finding.rule) for finding in caught.value.findings] == findings
    assert {finding.rule for finding in caught.value.findings} <= RULES
    assert caught.value.findings[0].line in {1, 2}
    assert sentence(caught.value.findings[0], "nn")


NAMED = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:v4" xmlns="urn:v4"
 elementFormDefault="{form}" attributeFormDefault="{form}"><x:element name="s"><x:complexType><x:sequence>
 <x:element name="a"><x:complexType><x:attribute name="b"/></x:complexType></x:element>
 </x:sequence></x:complexType></x:element></x:schema>"""


@pytest.mark.parametrize(
    ("form", "xml"),
    [
        ("qualified", "<s xmlns='urn:v3'><a/></s>"),
        ("qualified", "<s/>"),
        ("qualified", "<v:s xmlns:v='urn:v4'><a/></v:s>"),
        ("qualified", "<s xmlns='urn:v4'><a b='1'/></s>"),
        ("unqualified", "<s xmlns='urn:v4'><a/></s>"),
        ("unqualified", "<v:s xmlns:v='urn:v4'><a v:b='1'/></v:s>"),
    ],
)
def test_another_namespace_is_named_as_the_check_names_it(tmp_path: Path, form: str, xml: str) -> None:
    """And not "begins with s, but must begin with s"."""
    (tmp_path / "s.xsd").write_text(NAMED.format(form=form), encoding="utf-8")
    registry = SchemaRegistry(tmp_path)
    registry.load(["s.xsd"])

    with pytest.raises(Unconvertible) as caught:
        registry.converter("s.xsd", None).to_json(xml)

    first, checked = caught.value.findings[0], registry.check("s.xsd", xml)[0]
    assert first.rule in {"wrong_namespace", "unwanted_namespace"}
    assert (first.path, first.rule, first.facts) == (checked.path, checked.rule, checked.facts)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ('{"ukjent": 1}', [("/ukjent", "unexpected_element")]),
        ('{"rad": [{"ja": true}, {"jo": 1, "nr": 2}]}', [("/rad/1/jo", "unexpected_element")]),
        ('{"rad": {}}', [("/rad", "type")]),
        ('{"navn": ["a"]}', [("/navn", "type")]),
        ('{"navn": 7, "rad": [7]}', [("/rad/0", "type"), ("/navn", "type")]),
        ('{"nummer": 7}', [("/nummer", "type")]),
        ('{"nummer": {"value": true}}', [("/nummer/value", "type")]),
        ('{"rad": [{"ja": 1}]}', [("/rad/0/ja", "type")]),
        ('{"rad": [{"@nil": true, "ja": true}]}', [("/rad/0", "nil_with_content")]),
        ('{"x": [null]}', [("/x/0", "null_not_allowed")]),
        ('{"x": ["a"], "@order": ["y"]}', [("/@order", "wrong_order")]),
        ('{"x": ["a"], "@order": [["x"]]}', [("/@order", "wrong_order")]),
        ('{"rad": [{"@order": []}]}', [("/rad/0/@order", "unexpected_element")]),
        ('{"@fri": "x"}', [("/@fri", "unexpected_element")]),
        ('{"navn": "\\u0000"}', [("/navn", "not_in_xml")]),
        ('{"navn": "\uffff"}', [("/navn", "not_in_xml")]),
        ('{"x": ["\\b"]}', [("/x/0", "not_in_xml")]),
        ("[]", [("/", "type")]),
        ("null", [("/", "null_not_allowed")]),
    ],
)
def test_json_that_the_schema_does_not_know_is_refused(
    converter: Converter, text: str, findings: list[tuple[str, str]]
):
    """Every fault by its pointer, with line and column."""
    with pytest.raises(Unconvertible) as caught:
        converter.to_xml(text)

    assert sorted((finding.path, finding.rule) for finding in caught.value.findings) == sorted(findings)
    assert {finding.rule for finding in caught.value.findings} <= RULES
    assert all(finding.line == 1 and finding.column for finding in caught.value.findings)


@pytest.mark.parametrize(
    "text", ['{"navn": null, "kode": null, "x": null, "dataFormatId": null}', '{"navn":null,"rad":[]}']
)
def test_nulls_of_altinn_are_missing_or_nil(converter: Converter, text: str):
    """Altinn 3 writes null for all that is not there; nil is written only where the schema allows it."""
    xml = converter.to_xml(text).decode()

    assert xml.endswith('<navn xsi:nil="true"/></Skjema>')
    assert "kode" not in xml


def test_names_in_json_cannot_write_xml(tmp_path: Path):
    """A member that the schema lets stand as an attribute must have an attribute's name."""
    path = tmp_path / "s.xsd"
    path.write_text(SCHEMA.format(any="<xs:anyAttribute/>"))
    converter = Converter.from_schema(path)
    names = [
        '@a=\\"1\\" b',
        "@a><x/><y",
        '@{u\\"}a',
        "@xmlns",
        "@{http://www.w3.org/2000/xmlns/}a",
        "@²",
        "@",
        "@{}a",
        "@dataFormatId",
        "fri",
    ]

    for name in names:
        with pytest.raises(Unconvertible):
            converter.to_xml(f'{{"{name}": "x"}}')

    assert b'<Skjema fri="&lt;&quot;&#10;"/>' in converter.to_xml('{"@fri": "<\\"\\n"}')


def test_hostile_documents_stop_before_converting(converter: Converter):
    """By the same rules as when they are checked."""
    for xml in ("<!DOCTYPE Skjema><Skjema/>", "", "<Skjema>"):
        with pytest.raises(Unreadable):
            converter.to_json(xml)
    for text in ('{"navn":"a","navn":"b"}', "", '{"navn"', '{"nummer":{"value":1e400}}', "\ufeff{}"):
        with pytest.raises(Unreadable):
            converter.to_xml(text)
    with pytest.raises(Unconvertible):
        converter.to_json("<Annet/>")


def test_a_schema_with_several_roots_asks_which(tmp_path: Path):
    """XML says it itself; JSON cannot."""
    path = tmp_path / "to.xsd"
    path.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="xs:int"/>'
        '<xs:element name="b" type="xs:string"/></xs:schema>'
    )

    assert Converter.from_schema(path).to_json("<b>7</b>") == '"7"'
    assert Converter.from_schema(path, root="a").to_xml("7").endswith(b"<a>7</a>")
    with pytest.raises(ConfigurationError, match=r"several root elements \(a, b\)"):
        Converter.from_schema(path).to_xml("7")
    with pytest.raises(ConfigurationError, match="no root element 'c'; it has a, b"):
        Converter.from_schema(path, root="c")


def test_a_schema_that_cannot_be_read_says_so(tmp_path: Path):
    """With its file; nothing outside its folder is read."""
    (tmp_path / "a.xsd").write_text("<a>")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="../ok.xsd"/></xs:schema>'
    )
    (tmp_path / "ok.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"/></xs:schema>'
    )

    for name in ("a.xsd", "mangler.xsd", "sub/b.xsd"):
        with pytest.raises(ConfigurationError, match=name):
            Converter.from_schema(tmp_path / name)


@pytest.mark.parametrize(("namespace", "converts"), [("urn:{a", True), ("urn:{a}b", False), ("urn:a}b", False)])
def test_only_a_namespace_that_ends_a_name_too_early_is_refused(tmp_path: Path, namespace: str, converts: bool):
    """With the namespace, its line, and what to write instead; whatever the schema does with it."""
    (tmp_path / "a.xsd").write_text(
        f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}"><x:element name="m"'
        ' type="x:int"/></x:schema>'
    )
    if converts:
        assert Converter.from_schema(tmp_path / "a.xsd").to_json(f'<m xmlns="{namespace}">1</m>') == "1"
        return

    with pytest.raises(ConfigurationError, match=re.escape(f"a.xsd:1:1: the namespace '{namespace}' has")) as caught:
        Converter.from_schema(tmp_path / "a.xsd")

    assert "write %7D in its place" in str(caught.value)


@pytest.mark.parametrize(
    "inside",
    [
        '<x:element name="m" type="x:int" xmlns:p="urn:a}b"/>',
        '<x:element name="m"/><x:group name="g"><x:sequence><x:any namespace="urn:a}b"/></x:sequence></x:group>',
        '<x:import namespace="urn:a}b"/><x:element name="m" type="x:int"/>',
        '<x:element name="m" type="x:int" xmlns:p="urn:a&#125;b"/>',
    ],
    ids=["prefix", "wildcard", "import", "reference"],
)
def test_a_closing_brace_in_any_namespace_is_not_converted(tmp_path: Path, inside: str):
    """At its line, once, and before a form could meet it; forms are judged all the same."""
    (tmp_path / "a.xsd").write_text(f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">\n{inside}</x:schema>')

    with pytest.raises(ConfigurationError) as caught:
        Converter.from_schema(tmp_path / "a.xsd")

    (fault,) = caught.value.faults
    assert SchemaRegistry(tmp_path).faults("a.xsd") == ()
    assert str(fault).startswith(f"{tmp_path / 'a.xsd'}:2:1: the namespace 'urn:a}}b' has a closing brace")


@pytest.mark.contract
@pytest.mark.skipif(not FORMS.is_dir() and "CI" not in os.environ, reason="the folder of real forms is not here")
@pytest.mark.parametrize("folder", sorted(FORMS.glob("*")) or [FORMS], ids=lambda folder: folder.name)
def test_real_forms_come_back_the_same(folder: Path):
    """From XML to JSON and back, and what was kept as JSON beside it says the same."""
    converter = Converter.from_schema(folder / "schema.xsd")
    xml = (folder / "valid.xml").read_bytes()
    registry = SchemaRegistry(folder)
    registry.load(["schema.xsd"])

    text = converter.to_json(xml)
    back = converter.to_xml(text)

    assert converter.to_json(back) == text
    assert differences(xml, back, nil_is_missing=False) == ()
    assert registry.check("schema.xsd", back) == ()
    kept = folder / "valid.json"
    if kept.exists():
        assert differences(xml, kept.read_bytes(), converter=converter) == ()
        assert registry.check("schema.xsd", converter.to_xml(kept.read_bytes())) == ()


KINDS = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
<x:element name="a" type="R"/><x:element name="b" type="N"/><x:element name="c" type="x:anySimpleType"/>
<x:element name="d" type="L"/></x:sequence><x:attribute name="e"/><x:attribute name="f" fixed="5801"/></x:complexType>
</x:element>
<x:simpleType name="U"><x:union memberTypes="x:date x:gYear"/></x:simpleType>
<x:simpleType name="R"><x:restriction base="U"><x:enumeration value="2026"/></x:restriction></x:simpleType>
<x:simpleType name="I"><x:union memberTypes="x:int x:decimal"/></x:simpleType>
<x:simpleType name="N"><x:restriction base="I"><x:pattern value="[0-9]+"/></x:restriction></x:simpleType>
<x:simpleType name="M"><x:list itemType="x:int"/></x:simpleType>
<x:simpleType name="L"><x:restriction base="M"><x:maxLength value="3"/></x:restriction></x:simpleType></x:schema>"""


def test_values_of_every_variety_convert(tmp_path: Path):
    """Attributes without a type, what restricts a union or a list, and the simple type of all; back as they were."""
    (tmp_path / "a.xsd").write_text(KINDS)
    converter = Converter.from_schema(tmp_path / "a.xsd")
    xml = '<m e="x" f="5801"><a>2026</a><b>1</b><c>y</c><d>1 2</d></m>'

    json = converter.to_json(xml)

    assert json == '{"e":"x","f":"5801","a":"2026","b":1,"c":"y","d":"1 2"}'
    assert converter.to_xml(json).decode().endswith(xml)


@pytest.mark.parametrize(
    ("inside", "json"),
    [
        ("<a>tekst</a>", '{"a":"tekst"}'),
        ("<a>en &lt;b> &amp; to</a>", '{"a":"en <b> & to"}'),
        ("<p>før</p><p>etter</p>", '{"p":["før","etter"]}'),
        ('<a g="1"/>', '{"a":{"@g":"1"}}'),
        ("<a/>", '{"a":{}}'),
    ],
)
def test_elements_that_hold_only_text_convert(tmp_path: Path, inside: str, json: str):
    """Where fields might stand among it: in an element without a type, as many schemas have, too."""
    (tmp_path / "a.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>'
        '<x:element name="a" minOccurs="0"/><x:element name="p" minOccurs="0" maxOccurs="9">'
        '<x:complexType mixed="true"><x:sequence><x:element name="b" minOccurs="0"/></x:sequence></x:complexType>'
        "</x:element></x:sequence></x:complexType></x:element></x:schema>"
    )
    converter = Converter.from_schema(tmp_path / "a.xsd")

    assert converter.to_json(f"<m>{inside}</m>") == json
    assert converter.to_xml(json).decode().endswith(f"<m>{inside}</m>".replace("b>", "b&gt;"))
    assert differences(f"<m>{inside}</m>", json, converter=converter) == ()


def test_an_app_gets_no_blanks_that_mean_nothing(tmp_path: Path) -> None:
    """Around dates, numbers, truth values and between items, in elements and attributes; texts keep theirs."""
    kinds = {
        "d": "date",
        "n": "int",
        "r": "double",
        "b": "boolean",
        "l": "NMTOKENS",
        "t": "string",
        "o": "normalizedString",
    }
    elements = "".join(f'<xs:element name="{name}" type="xs:{kind}"/>' for name, kind in kinds.items())
    attributes = "".join(f'<xs:attribute name="a{name}" type="xs:{kind}"/>' for name, kind in kinds.items())
    (tmp_path / "a.xsd").write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="m"><xs:complexType><xs:sequence>'
        f"{elements}</xs:sequence>{attributes}</xs:complexType></xs:element></xs:schema>"
    )
    given = {"d": "\n2026-01-01 ", "n": " 7 ", "r": " 1e5", "b": " true ", "l": " a  b ", "t": " x ", "o": " y "}
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in given.items())
    around = "".join(f' a{name}="{text.strip() if name == "d" else text}"' for name, text in given.items())
    xml = f"<m{around}>{inside}</m>".encode()
    converter = Converter.from_schema(tmp_path / "a.xsd")

    told = json.loads(converter.to_json(xml, of_app=True))

    bare = {"d": "2026-01-01", "n": 7, "r": 1e5, "b": True, "l": "a b", "t": " x ", "o": " y "}
    assert told == bare | {f"a{name}": value for name, value in bare.items()}
    assert differences(xml, converter.to_xml(json.dumps(told), of_app=True), converter=converter) == ()
    assert converter.to_xml(converter.to_json(xml)).endswith(xml)


BRACED = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="m"><xs:complexType><xs:sequence>
<xs:element name="k" type="xs:QName" minOccurs="0"/><xs:any namespace="##other" processContents="skip" minOccurs="0"/>
</xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType></xs:element></xs:schema>"""


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ('<m xmlns:k="urn:{x}"><k>k:a</k></m>', '{"k":"k:a","@xmlns:k":"urn:{x}"}'),
        ('<m xmlns:a1="urn:{x}" a1:k="1"/>', '{"@{urn:{x}}k":"1"}'),
        ('<m xmlns:a1="urn:}x y" a1:k="1"/>', '{"@{urn:}x y}k":"1"}'),
        ('<m xmlns:a1="x:&amp;&lt;" a1:k="1"/>', '{"@{x:&<}k":"1"}'),
        (
            '<m><p:z xmlns:p="x:&amp;"/></m>',
            '{"@any":["<p:z xmlns:p=\\"x:&amp;\\"/>"]}',
        ),
    ],
)
def test_namespaces_may_have_braces_blanks_and_signs(tmp_path: Path, form: str, text: str):
    """Of names in values, of attributes and of what the schema does not name; and they come back."""
    (tmp_path / "a.xsd").write_text(BRACED, encoding="utf-8")
    converter = Converter.from_schema(tmp_path / "a.xsd")

    assert converter.to_json(form) == text
    assert converter.to_xml(text).decode().partition("?>")[2] == form


@pytest.mark.parametrize(
    "member", ["@{}k", "@{k", "@}k", "@{urn:a}", "@{urn:a}b:c", "@{urn:\\u0001}k", "@{urn:\\ud800}k"]
)
def test_members_that_name_no_attribute_are_refused(tmp_path: Path, member: str):
    """Whatever stands between the braces."""
    (tmp_path / "a.xsd").write_text(BRACED, encoding="utf-8")
    converter = Converter.from_schema(tmp_path / "a.xsd")

    with pytest.raises((Unconvertible, Unreadable)):
        converter.to_xml(f'{{"{member}":"1"}}')


def test_a_namespace_that_no_member_can_name_is_told(tmp_path: Path):
    """Of an attribute that the schema does not name, instead of JSON that nobody can read."""
    (tmp_path / "a.xsd").write_text(BRACED, encoding="utf-8")

    with pytest.raises(Unconvertible) as caught:
        Converter.from_schema(tmp_path / "a.xsd").to_json("<m xmlns:k='urn:\"' k:a='1'/>")
    assert [(found.path, found.rule) for found in caught.value.findings] == [("/m", "namespace_unclear")]
