"""Whatever a form of a schema's shape holds, it comes back the same from JSON."""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.model import ANY, TYPE, XSI, Content, ElementDecl, Kind, ModelGroup, Particle
from bridge.forms.diff import differences
from bridge.forms.xml.input import parse
from bridge.forms.xml.prefixes import Prefixes, split_name

# Laws over many examples.
pytestmark = pytest.mark.slow

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
SCHEMAS = {
    "attributes-and-values": f"""{HEAD} elementFormDefault="qualified">
  <xs:element name="Skjema"><xs:complexType><xs:sequence>
    <xs:element name="Beløp-datadef-17" type="Beloep" minOccurs="0" nillable="true"/>
    <xs:element name="merknad" type="xs:string" minOccurs="0" nillable="true"/>
    <xs:element name="antall" type="xs:integer" minOccurs="0"/>
    <xs:element name="ja" type="xs:boolean" minOccurs="0" nillable="true"/>
    <xs:element name="dato" type="xs:date" minOccurs="0"/>
    <xs:element name="målt" type="xs:double" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence><xs:attribute name="dataFormatId" type="xs:string"/><xs:attribute name="antall" type="xs:int"/>
  <xs:anyAttribute processContents="lax"/></xs:complexType></xs:element>
  <xs:complexType name="Beloep"><xs:simpleContent><xs:extension base="xs:decimal">
    <xs:attribute name="orid" type="xs:positiveInteger"/><xs:attribute name="value" type="xs:string"/>
  </xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>""",
    "groups-in-a-namespace": f"""{HEAD} targetNamespace="urn:oppdiktet:gruppe" xmlns="urn:oppdiktet:gruppe"
    elementFormDefault="qualified" attributeFormDefault="qualified">
  <xs:element name="melding" type="Gruppe"/>
  <xs:complexType name="Gruppe"><xs:sequence>
    <xs:element name="gruppe" type="Gruppe" minOccurs="0" maxOccurs="unbounded" nillable="true"/>
    <xs:choice minOccurs="0">
      <xs:element name="person" type="xs:string"/><xs:element name="firma" type="xs:long"/>
    </xs:choice>
    <xs:element name="linje" type="xs:token" minOccurs="0" maxOccurs="3"/>
  </xs:sequence><xs:attribute name="nivå" type="xs:boolean"/></xs:complexType>
</xs:schema>""",
    "unqualified": f"""{HEAD} targetNamespace="urn:oppdiktet:u" xmlns:u="urn:oppdiktet:u">
  <xs:element name="rot"><xs:complexType><xs:sequence>
    <xs:element name="inne" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="tekst" type="xs:string" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>""",
    "any-order": f"""{HEAD} elementFormDefault="qualified">
  <xs:element name="rot"><xs:complexType><xs:all>
    <xs:element name="a" type="xs:string" minOccurs="0" nillable="true"/>
    <xs:element name="b" type="xs:decimal" minOccurs="0"/>
    <xs:element name="c" minOccurs="0" nillable="true"><xs:complexType><xs:choice maxOccurs="unbounded" minOccurs="0">
      <xs:element name="x" type="xs:string"/><xs:element name="y" type="xs:int"/>
    </xs:choice></xs:complexType></xs:element>
    <xs:element name="d" minOccurs="0"><xs:complexType><xs:sequence maxOccurs="unbounded" minOccurs="0">
      <xs:element name="x" type="xs:string"/><xs:element name="y" type="xs:int" minOccurs="0" maxOccurs="2"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:all></xs:complexType></xs:element>
</xs:schema>""",
    "wildcards": f"""{HEAD} targetNamespace="urn:oppdiktet:w" elementFormDefault="qualified">
  <xs:element name="rot"><xs:complexType><xs:sequence>
    <xs:element name="kjent" type="xs:string" minOccurs="0"/>
    <xs:any namespace="##other" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="siste" type="xs:string" minOccurs="0"/>
  </xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType></xs:element>
</xs:schema>""",
    "types-in-the-form": f"""{HEAD} targetNamespace="urn:oppdiktet:t" xmlns="urn:oppdiktet:t">
  <xs:complexType name="mappe"><xs:sequence>
    <xs:element name="tittel" type="xs:string" minOccurs="0"/>
    <xs:element name="mappe" type="mappe" minOccurs="0" maxOccurs="unbounded" nillable="true"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="sak"><xs:complexContent><xs:extension base="mappe"><xs:sequence>
    <xs:element name="aar" type="xs:double" minOccurs="0"/></xs:sequence>
    <xs:attribute name="ny" type="xs:boolean"/></xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="byggesak"><xs:complexContent><xs:extension base="sak"><xs:choice maxOccurs="unbounded">
    <xs:element name="bolig" type="mappe"/><xs:element name="naust" type="xs:decimal"/></xs:choice></xs:extension>
  </xs:complexContent></xs:complexType>
  <xs:element name="rot" type="mappe"/>
</xs:schema>""",
}
LETTERS = st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r", exclude_characters="\ufffe\uffff")
TEXTS = st.text(LETTERS, max_size=8) | st.sampled_from(["", " ", "null", "true", "5", "<&>\"'", "]]>", "æøå 😀"])
NUMBERS = (
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
    | st.integers().map(str)
    | st.sampled_from(["1.10", "-0", "+5", "007", ".5", "1.", "1e5", "1E-7", "1e400", "1e-400", "INF", " 5 ", ""])
    | st.just("12345678901234567890123")
)
BOOLEANS = st.sampled_from(["true", "false", "1", "0", " true"])
VALUES = {Kind.TEXT: TEXTS, Kind.COLLAPSED: TEXTS, Kind.NUMBER: NUMBERS, Kind.REAL: NUMBERS, Kind.BOOLEAN: BOOLEANS}
OTHERS = ('<w:ukjent xmlns:w="urn:annet" w:a="1"><w:b/>tekst</w:ukjent>', "<løs><inni/></løs>", '<z xmlns="urn:z"/>')


@pytest.fixture(scope="module")
def converters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Converter]:
    """Each schema's shape, built once."""
    folder = tmp_path_factory.mktemp("converters")
    for name, text in SCHEMAS.items():
        (folder / f"{name}.xsd").write_text(text, encoding="utf-8")
    return {name: Converter.from_schema(folder / f"{name}.xsd") for name in SCHEMAS}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    """The shape of a form with names of any namespace."""
    path = tmp_path_factory.mktemp("named") / "a.xsd"
    path.write_text(NAMED, encoding="utf-8")
    return Converter.from_schema(path)


def fill(data: st.DataObject, node: etree._Element, place: ElementDecl, depth: int) -> None:
    """Give *node* what its place in the schema lets it hold."""
    content = place.content
    if content.types and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(content.types)))
        content = content.types[name].content
        named = etree.QName(name)
        prefix = next((prefix for prefix, uri in node.nsmap.items() if uri == named.namespace), None)
        node.set(TYPE, f"{prefix}:{named.localname}" if prefix else named.localname)
    for attribute in content.attributes.values():
        if data.draw(st.booleans()):
            node.set(attribute.tag, data.draw(VALUES[attribute.kind]))
    if content.any_attribute and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(["fri", "{urn:annet}fri", "{http://www.w3.org/XML/1998/namespace}lang"]))
        node.set(name, data.draw(TEXTS))
        node.set(XSI + "schemaLocation", "urn:annet annet.xsd")
    if place.nillable and data.draw(st.integers(0, 3)) == 0:
        node.set(XSI + "nil", "true")
    elif content.kind is not None:
        node.text = data.draw(VALUES[content.kind])
    elif depth:
        for name in order(data, content):
            if name == ANY:
                node.append(etree.fromstring(data.draw(st.sampled_from(OTHERS))))
            else:
                child = content.members[name]
                fill(data, etree.SubElement(node, child.tag), child, depth - 1)


def order(data: st.DataObject, content: Content) -> list[str]:
    """Draw which children stand there, in an order that the schema allows."""
    if content.order is None:
        return [
            name
            for name, child in content.members.items()
            for _ in range(data.draw(st.integers(0, 3 if child.many else 1)))
        ]
    if not content.order.repeats and not content.order.choice and not content.any_element:
        names = [name for name in content.members if data.draw(st.booleans())]
        return data.draw(st.permutations(names))
    return in_order(data, content.order)


def in_order(data: st.DataObject, part: Particle | ModelGroup) -> list[str]:
    """Draw one run through a group of the schema."""
    if isinstance(part, Particle):
        return [part.name] * data.draw(st.integers(0, 2 if part.most is None else min(part.most, 2)))
    runs = data.draw(st.integers(0, 4)) if part.repeats else 1
    names: list[str] = []
    for _ in range(runs):
        chosen = [data.draw(st.sampled_from(list(part.parts)))] if part.choice else part.parts
        for inner in chosen:
            names += in_order(data, inner)
    return names


def form(data: st.DataObject, converter: Converter) -> bytes:
    """Draw a form of this shape."""
    root = etree.Element(converter.root.tag)
    fill(data, root, converter.root, 3)
    return etree.tostring(root, encoding="utf-8")


def plain(xml: bytes) -> str:
    """Spell *xml* in one way, whatever its prefixes."""
    root = etree.fromstring(xml)
    for node in root.iter(etree.Element):
        if TYPE in node.attrib:
            node.set(TYPE, Prefixes().named(node, node.attrib[TYPE]) or "")
    return str(etree.canonicalize(etree.tostring(root, encoding="unicode"), rewrite_prefixes=True))


@pytest.mark.parametrize("name", SCHEMAS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_xml_comes_back_from_json(converters: dict[str, Converter], name: str, data: st.DataObject):
    """Every element, attribute, nil, order, namespace and letter."""
    converter = converters[name]
    xml = form(data, converter)

    back = converter.to_xml(converter.to_json(xml))

    assert plain(back) == plain(xml)


@pytest.mark.parametrize("name", SCHEMAS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_json_comes_back_from_xml(converters: dict[str, Converter], name: str, data: st.DataObject):
    """To the letter, numbers included."""
    converter = converters[name]
    text = converter.to_json(form(data, converter))

    back = converter.to_json(converter.to_xml(text))

    assert back == text
    json.loads(text)


@pytest.mark.parametrize("name", SCHEMAS)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_nothing_is_lost_by_converting(converters: dict[str, Converter], name: str, data: st.DataObject):
    """The detector of losses finds none, whichever of the two kinds it looks at."""
    converter = converters[name]
    xml = form(data, converter)

    text = converter.to_json(xml)

    assert differences(xml, converter.to_xml(text), converter=converter, nil_is_missing=False) == ()
    assert differences(xml, text, converter=converter, nil_is_missing=False) == ()


@pytest.mark.parametrize("name", ["attributes-and-values", "groups-in-a-namespace", "any-order"])
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_white_space_and_comments_mean_nothing(converters: dict[str, Converter], name: str, data: st.DataObject):
    """A form that was indented and remarked upon is the same form."""
    converter = converters[name]
    root = etree.fromstring(form(data, converter))
    text = converter.to_json(etree.tostring(root, encoding="utf-8"))

    for node in list(root.iter(etree.Element)):
        known: Any = node.getparent()
        if known is not None and not (known.text or "").strip() and len(known):
            node.addprevious(etree.Comment("merknad"))
            node.tail = "\n  "
    indented = etree.tostring(root, encoding="utf-8")

    assert converter.to_json(indented) == text
    assert differences(text, indented, converter=converter) == ()


NAMES = ["gruppe", "person", "linje", "a", "b", "c", "d", "x", "y", "value", "orid", "@order", "@nil", "@any", "@fri"]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "<z/>", "\x01", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("name", SCHEMAS)
@settings(deadline=None, max_examples=100)
@given(value=st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=4))
def test_json_of_any_kind_is_converted_whole_or_refused(
    converters: dict[str, Converter], name: str, value: dict[str, Any]
):
    """What is written is XML of the same shape, and settles after one round."""
    converter = converters[name]
    try:
        xml = converter.to_xml(json.dumps(value))
    except Unconvertible:
        return

    text = converter.to_json(xml)

    assert plain(converter.to_xml(text)) == plain(xml)


@pytest.mark.parametrize("name", ["attributes-and-values", "groups-in-a-namespace", "unqualified"])
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_the_order_of_members_means_nothing(converters: dict[str, Converter], name: str, data: st.DataObject):
    """Where a schema has one order of elements, the same members give the same elements, or the same findings."""
    converter = converters[name]
    content = converter.root.content
    names = [*content.members, *content.attribute_members, "tekst", "x", "@nil", "@fri"]
    value = data.draw(st.dictionaries(st.sampled_from(names), ANY_JSON, max_size=6))
    other = dict(data.draw(st.permutations(list(value.items()))))

    assert outcome(converter, value) == outcome(converter, other)


def outcome(converter: Converter, value: dict[str, Any]) -> object:
    try:
        return etree.tostring(etree.fromstring(converter.to_xml(json.dumps(value))), method="c14n")
    except Unconvertible as error:
        return sorted((each.path, each.rule) for each in error.findings)


def test_each_schema_is_a_schema(tmp_path: Path):
    """libxml2 takes them, so the shapes are those of real schemas."""
    for text in SCHEMAS.values():
        etree.XMLSchema(etree.fromstring(text))


NAMED = f"""{HEAD}><xs:element name="m"><xs:complexType><xs:sequence>
<xs:element name="k" type="xs:QName" minOccurs="0" maxOccurs="unbounded"/>
<xs:any namespace="##other" processContents="skip" minOccurs="0"/></xs:sequence>
<xs:anyAttribute processContents="skip"/></xs:complexType></xs:element></xs:schema>"""
SPACES = st.lists(st.text("{}:ux/ ø'&<#", min_size=1, max_size=6), min_size=1, max_size=3, unique=True)


def meant(xml: bytes) -> list[object]:
    """Tell a form by the namespaces and local names of all that it holds, whatever its prefixes."""
    told: list[object] = []
    for node in parse(xml).iter(etree.Element):
        text = node.text or ""
        value = split_name(node.nsmap, text) if node.tag == "k" else text
        told.append((node.tag, sorted(map(str, node.attrib.items())), value))
    return told


@settings(deadline=None, max_examples=200)
@given(spaces=SPACES, data=st.data())
def test_any_namespace_comes_back(named: Converter, spaces: list[str], data: st.DataObject):
    """Also one with braces, blanks and signs: of a value, of an attribute and of what the schema does not name."""
    declared = "".join(f" xmlns:p{number}={quoteattr(space)}" for number, space in enumerate(spaces))
    prefixes = st.integers(0, len(spaces) - 1).map("p{}".format)
    names = data.draw(st.lists(prefixes, max_size=3))
    other = data.draw(prefixes)
    xml = f"<m{declared} {data.draw(prefixes)}:a='1'>{''.join(f'<k>{each}:v</k>' for each in names)}<{other}:z/></m>"

    text = named.to_json(xml)

    assert meant(named.to_xml(text)) == meant(xml.encode())
