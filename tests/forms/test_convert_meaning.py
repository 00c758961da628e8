"""What a form says by prefixes in values, by ``xsi:type`` and by exponents means the same after it was converted."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.nils import without_forbidden_nils
from bridge.forms.diff import Change, differences
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits, Unreadable, parse
from bridge.forms.xml.prefixes import Prefixes

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
HEAD = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"'
# In the manner of Noark 5: what a folder or record is, is said by its type, rows in rows.
ARCHIVE = f"""<xs:schema {HEAD} targetNamespace="urn:arkiv:ø" xmlns="urn:arkiv:ø">
  <xs:complexType name="mappe"><xs:sequence>
    <xs:element name="tittel" type="xs:string"/>
    <xs:element name="registrering" type="registrering" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="saksmappe"><xs:complexContent><xs:extension base="mappe"><xs:sequence>
    <xs:element name="saksaar" type="xs:integer"/><xs:element name="antall" type="xs:decimal" minOccurs="0"/>
  </xs:sequence><xs:attribute name="ny" type="xs:boolean"/></xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="registrering"><xs:sequence><xs:element name="tittel" type="xs:string"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="arkivnotat" abstract="true"><xs:complexContent><xs:extension base="registrering"/>
  </xs:complexContent></xs:complexType>
  <xs:complexType name="journalpost"><xs:complexContent><xs:extension base="arkivnotat"><xs:sequence>
    <xs:element name="journalnummer" type="xs:integer"/>
    <xs:element name="saksmappe" type="mappe" minOccurs="0"/></xs:sequence></xs:extension>
  </xs:complexContent></xs:complexType>
  <xs:element name="arkivmelding"><xs:complexType><xs:sequence>
    <xs:element name="mappe" type="mappe" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
  </xs:element>
</xs:schema>"""
MESSAGE = f"""<a:arkivmelding xmlns:a="urn:arkiv:ø" xmlns="urn:arkiv:ø" {XSI}>
<mappe xsi:type="a:saksmappe" ny="true"><tittel>Sak</tittel>
<registrering xsi:type="journalpost"><tittel>Brev</tittel><journalnummer>7</journalnummer>
<saksmappe xsi:type="mappe"><tittel>Annen</tittel></saksmappe></registrering>
<registrering><tittel>Notat</tittel></registrering><saksaar>2026</saksaar></mappe>
<mappe><tittel>Bare mappe</tittel></mappe></a:arkivmelding>"""
NAMES = f"""<xs:schema {HEAD} targetNamespace="urn:m" xmlns="urn:m"><xs:element name="m"><xs:complexType><xs:sequence>
  <xs:element name="kode" type="xs:QName" minOccurs="0" maxOccurs="unbounded"/>
  <xs:element name="koder" minOccurs="0"><xs:simpleType><xs:list itemType="xs:QName"/></xs:simpleType></xs:element>
  <xs:element name="fri" minOccurs="0"><xs:complexType><xs:sequence>
    <xs:any namespace="##other" processContents="skip" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
  </xs:element></xs:sequence><xs:attribute name="art" type="xs:QName"/></xs:complexType></xs:element></xs:schema>"""
NUMBERS = f"""<xs:schema {HEAD}><xs:element name="m"><xs:complexType><xs:sequence>
  <xs:element name="tall" type="xs:decimal" minOccurs="0"/><xs:element name="hel" type="xs:integer" minOccurs="0"/>
  <xs:element name="flyt" type="xs:double" minOccurs="0"/>
  <xs:element name="begge" minOccurs="0"><xs:simpleType><xs:union memberTypes="xs:decimal xs:double"/></xs:simpleType>
  </xs:element><xs:element name="med" minOccurs="0"><xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
  <xs:attribute name="a" type="xs:decimal"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


@pytest.fixture(scope="module")
def converters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Converter]:
    """The three schemas."""
    folder = tmp_path_factory.mktemp("meaning")
    for name, text in (("arkiv", ARCHIVE), ("navn", NAMES), ("tall", NUMBERS)):
        (folder / f"{name}.xsd").write_text(text, encoding="utf-8")
    return {name: Converter.from_schema(folder / f"{name}.xsd") for name in ("arkiv", "navn", "tall")}


def findings(converter: Converter, xml: bytes | str) -> list[tuple[str, str]]:
    registry = SchemaRegistry(converter.path.parent)
    registry.load([converter.path.name])
    return [(each.path, each.rule) for each in registry.check(converter.path.name, xml)]


# Types that a form names


def test_a_message_of_typed_folders_converts(converters: dict[str, Converter]) -> None:
    """What each one is stands beside its members, and comes back; nothing is lost, and it is as valid as before."""
    converter = converters["arkiv"]

    as_json = converter.to_json(MESSAGE)
    back = converter.to_xml(as_json)

    assert '"mappe":[{"@xsi:type":"saksmappe","ny":true,"tittel":"Sak","registrering":' in as_json
    assert '{"@xsi:type":"journalpost","tittel":"Brev","journalnummer":7,"saksmappe":{"@xsi:type":"mappe",' in as_json
    assert (findings(converter, MESSAGE), findings(converter, back)) == ([], [])
    assert differences(MESSAGE, back, converter=converter) == ()
    assert differences(MESSAGE, back) == ()
    assert converter.to_json(back) == as_json


def test_a_lost_type_is_a_loss(converters: dict[str, Converter]) -> None:
    """In either language; another prefix is none, and numbers are compared by the type."""
    converter = converters["arkiv"]
    other = MESSAGE.replace("a:saksmappe", "saksmappe").replace(">7<", ">007<")
    bare = MESSAGE.replace(' xsi:type="mappe"', "")

    assert differences(MESSAGE, other, converter=converter) == ()
    for came_back in (bare, converter.to_json(bare)):
        (lost,) = differences(MESSAGE, came_back, converter=converter)
        assert (lost.change, lost.path.rpartition("/")[2]) in {(Change.LOST, "@type"), (Change.LOST, "@xsi:type")}


@pytest.mark.parametrize("name", ["a:registrering", "a:finnes-ikke", "b:mappe", "a:arkivnotat", ""])
def test_a_type_that_may_not_stand_there_is_one_finding(converters: dict[str, Converter], name: str) -> None:
    """And not one for each thing that it would hold."""
    converter = converters["arkiv"]
    with pytest.raises(Unconvertible) as refused:
        converter.to_json(MESSAGE.replace("a:saksmappe", name))
    with pytest.raises(Unconvertible) as written:
        converter.to_xml('{"mappe":[{"@xsi:type":"NAME","tittel":"x"}]}'.replace("NAME", name))

    assert [(each.path, each.rule) for each in refused.value.findings] == [
        ("/a:arkivmelding/mappe[1]", "type_override")
    ]
    assert [(each.path, each.rule) for each in written.value.findings] == [("/mappe/0/@xsi:type", "type_override")]


def test_a_nil_of_an_app_is_known_by_the_type_around_it(converters: dict[str, Converter]) -> None:
    """The types that a form names have members that the schema's own have not."""
    converter = converters["arkiv"]
    xml = MESSAGE.replace("</saksaar>", '</saksaar><antall xsi:nil="true"/>').encode()

    assert b"antall" not in without_forbidden_nils(converter, xml, Limits()).data


def test_a_type_without_a_namespace_of_its_own_elements(tmp_path: Path) -> None:
    """Where local elements have none, the type's name gets a prefix."""
    (tmp_path / "m.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t" xmlns="urn:t">'
        '<xs:complexType name="a"><xs:sequence><xs:element name="x" type="xs:string"/></xs:sequence></xs:complexType>'
        '<xs:complexType name="b"><xs:complexContent><xs:extension base="a"><xs:attribute name="y"/></xs:extension>'
        '</xs:complexContent></xs:complexType><xs:element name="m" type="a"/></xs:schema>'
    )
    converter = Converter.from_schema(tmp_path / "m.xsd")
    xml = f'<q:m xmlns:q="urn:t" {XSI} xsi:type="q:b" y="1"><x>2</x></q:m>'

    back = converter.to_xml(converter.to_json(xml))

    assert converter.to_json(xml) == '{"@xsi:type":"{urn:t}b","y":"1","x":"2"}'
    assert (findings(converter, back), differences(xml, back, converter=converter)) == ([], ())


# Prefixes in values


def meanings(xml: bytes | str) -> Iterator[tuple[str, str, str | None]]:
    """Each value of a prefixed kind, with its namespace instead of its prefix."""
    root = parse(xml if isinstance(xml, bytes) else xml.encode())
    for node in root.iter(etree.Element):
        for name, text in (("", node.text or ""), *node.attrib.items()):
            for token in str(text).split():
                prefix, _, local = token.rpartition(":")
                yield f"{node.tag}/{name}", local, node.nsmap.get(prefix or None)


@pytest.mark.parametrize(
    "inside",
    [
        '<kode xmlns:k="urn:k">k:a</kode>',
        "<kode>a</kode>",
        '<kode xmlns:k="urn:k">k:a</kode><kode xmlns:k="urn:k2">k:a</kode><kode xmlns:b="urn:k">b:a</kode>',
        '<kode xmlns:n1="urn:k">n1:a</kode><kode xmlns:a1="urn:b"> a1:a </kode><kode xmlns:t="urn:t">t:a</kode>',
        '<koder xmlns:k="urn:k" xmlns:l="urn:l">k:a l:b a k:c</koder>',
        '<kode xmlns:w="urn:m">w:a</kode>',
        '<fri><z:x xmlns:z="urn:z" xmlns:k="urn:k" k="k:a"><z:y xmlns:l="urn:l">l:b</z:y></z:x></fri>',
        f'<fri><z:x xmlns:z="urn:zø" xmlns:k="urn:k" {XSI} xsi:type="k:a">k:b</z:x></fri>',
    ],
)
def test_a_prefix_in_a_value_goes_on_standing_for_its_namespace(converters: dict[str, Converter], inside: str) -> None:
    """Also where the same one stands for two, and inside what the schema does not name."""
    converter = converters["navn"]
    xml = f'<m xmlns="urn:m" xmlns:art="urn:art" art="art:en">{inside}</m>'

    back = converter.to_xml(converter.to_json(xml))

    assert sorted(meanings(back)) == sorted(meanings(xml))
    assert (findings(converter, xml), findings(converter, back)) == ([], [])


def test_a_prefix_in_an_attribute_that_nobody_named_is_kept(tmp_path: Path) -> None:
    """What it means is not known, so it stays as it is; what would stand for two is refused."""
    (tmp_path / "m.xsd").write_text(
        f'<xs:schema {HEAD}><xs:element name="m"><xs:complexType><xs:sequence>'
        '<xs:element name="b" type="xs:QName" minOccurs="0"/></xs:sequence>'
        '<xs:anyAttribute namespace="##any" processContents="skip"/></xs:complexType></xs:element></xs:schema>'
    )
    converter = Converter.from_schema(tmp_path / "m.xsd")
    form = '<m xmlns:k="urn:k" xmlns:l="urn:l" a="k:x http://l k" l:c="l:y"><b xmlns:k="urn:2">k:x</b></m>'

    as_json = converter.to_json(form)
    back = converter.to_xml(as_json)

    assert as_json.endswith('"b":"k_1:x","@xmlns:k":"urn:k","@xmlns:l":"urn:l","@xmlns:k_1":"urn:2"}')
    assert parse(back).get("a") == "k:x http://l k"
    assert differences(form.replace(' xmlns:k="urn:2">k:x', ">k_1:x"), back) == ()
    with pytest.raises(Unconvertible) as refused:
        converter.to_json('<m xmlns:n1="urn:k" a="n1:x"/>')
    assert [each.rule for each in refused.value.findings] == ["namespace_unclear"]


def test_a_name_without_a_namespace_is_refused(converters: dict[str, Converter]) -> None:
    """The form that is written has a default namespace, which would become the name's."""
    with pytest.raises(Unconvertible) as refused:
        converters["navn"].to_json('<w:m xmlns:w="urn:m"><w:kode>a</w:kode></w:m>')

    assert [(each.path, each.rule) for each in refused.value.findings] == [("/w:m/w:kode", "namespace_unclear")]


@pytest.mark.parametrize(
    "member", ["@xmlns:xml", "@xmlns:n1", "@xmlns:", "@xmlns:1", '@xmlns:a"', "@xmlns", "@xmlns:a:b"]
)
def test_only_prefixes_are_declared(converters: dict[str, Converter], member: str) -> None:
    """A member that is none is one that nobody knows."""
    with pytest.raises(Unconvertible) as refused:
        converters["navn"].to_xml('{"MEMBER":"urn:x"}'.replace("MEMBER", member.replace('"', '\\"')))

    assert [each.rule for each in refused.value.findings] == ["unexpected_element"]


def test_one_prefix_may_stand_for_a_hundred_namespaces(converters: dict[str, Converter]) -> None:
    """Each gets one of its own, and no form more than its outermost element can declare."""
    converter = converters["navn"]
    values = "".join(f'<kode xmlns:k="urn:{number}">k:a</kode>' for number in range(100))
    list_ = "<koder xmlns:k='urn:7' xmlns:l='urn:m'>" + "k:a l:b " * 1000 + "</koder>"

    back = converter.to_xml(converter.to_json(f'<m xmlns="urn:m">{values}{list_}</m>'))
    with pytest.raises(Unconvertible) as refused:
        converter.to_json(f'<m xmlns="urn:m">{values}<kode xmlns:k="urn:more">k:a</kode></m>')

    assert len({uri for _, _, uri in meanings(back)}) == 101
    assert [(each.path, each.rule) for each in refused.value.findings] == [("/m/kode[101]", "namespace_unclear")]


def test_looking_up_prefixes_is_bounded() -> None:
    """Each element may have all that were ever declared above it."""
    root = etree.fromstring('<m xmlns:a="urn:a" xmlns:b="urn:b"><k>a:x</k><k>b:x</k></m>')
    prefixes = Prefixes(most=10)

    named = [prefixes.named(root, name) for name in ("a:x", "x", "c:x")]
    with pytest.raises(Unreadable) as refused:
        prefixes.in_values(root)

    assert named == ["{urn:a}x", "x", None]
    assert refused.value.finding.rule == "too_complex"


def test_a_declared_namespace_is_escaped(converters: dict[str, Converter]) -> None:
    """Whatever stands in it."""
    xml = converters["navn"].to_xml('{"@xmlns:k":"urn:\\"<&>\\n","kode":["k:a"]}')

    assert parse(xml).nsmap["k"] == 'urn:"<&>\n'


# Numbers


@pytest.mark.parametrize(
    ("written", "number"),
    [("1e-7", "0.0000001"), ("1e+21", "1000000000000000000000"), ("-1.5E3", "-1500"), ("0e5", "0"), ("1.10", "1.10")],
)
def test_numbers_of_browsers_become_plain_decimals(converters: dict[str, Converter], written: str, number: str) -> None:
    """XML knows no exponent but in floating numbers."""
    converter = converters["tall"]

    root = etree.fromstring(
        converter.to_xml(
            f'{{"tall":{written},"flyt":{written},"begge":{written},"med":{{"value":{written},"a":{written}}}}}'
        )
    )

    assert (root.findtext("tall"), root.findtext("med"), root.find("med").attrib["a"]) == (number,) * 3
    assert (root.findtext("flyt"), root.findtext("begge")) == (written, written)
    assert Decimal(number) == Decimal(written)


@pytest.mark.parametrize("number", ["1e41", "1e-300", "-5e-324", "1e308"])
def test_a_number_that_no_receiver_holds_is_refused(converters: dict[str, Converter], number: str) -> None:
    """By its place: written out, a small form of such numbers would be a large one."""
    with pytest.raises(Unconvertible) as refused:
        converters["tall"].to_xml(f'{{"tall":{number},"flyt":{number},"med":{{"a":{number}}}}}')

    assert [(each.path, each.rule) for each in refused.value.findings] == [
        ("/tall", "number_range"),
        ("/med/a", "number_range"),
    ]


def test_a_whole_number_of_a_browser_is_valid(converters: dict[str, Converter]) -> None:
    """``1e+21`` is how JavaScript writes it."""
    xml = converters["tall"].to_xml('{"tall":1e-7,"hel":1e+21,"flyt":1e-7}')

    assert findings(converters["tall"], xml) == []


def test_an_exponent_that_xml_does_not_allow_stays_as_it_is(converters: dict[str, Converter]) -> None:
    """A form that is not valid becomes no other by being converted; in quotes nobody wrote a number."""
    converter = converters["tall"]
    xml = "<m><tall>1e3</tall><flyt>1e3</flyt></m>"

    as_json = converter.to_json(xml)

    assert as_json == '{"tall":"1e3","flyt":1e3}'
    assert converter.to_xml(as_json).decode().endswith(xml)


def test_types_that_lead_from_one_to_the_next_are_no_depth(tmp_path: Path) -> None:
    """A schema may have any number of them, each in the one before it."""
    types = "".join(
        f'<xs:complexType name="t{number}"><xs:complexContent><xs:extension base="grunn"><xs:sequence>'
        f'<xs:element name="neste" type="t{number + 1}" minOccurs="0"/></xs:sequence></xs:extension>'
        "</xs:complexContent></xs:complexType>"
        for number in range(600)
    )
    (tmp_path / "m.xsd").write_text(
        f'<xs:schema {HEAD}><xs:complexType name="grunn"/>{types}<xs:complexType name="t600"/>'
        '<xs:element name="m" type="grunn"/></xs:schema>'
    )

    converter = Converter.from_schema(tmp_path / "m.xsd")

    assert converter.to_json(f'<m {XSI} xsi:type="t7"><neste/></m>') == '{"@xsi:type":"t7","neste":{}}'
