"""Values of lists and unions, and what stands where a wildcard lets it, are explained like any other."""

from pathlib import Path

import pytest

from bridge.core.mapping import FormKind, FormSpec
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

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


def listed(*values: str) -> str:
    facets = "".join(f'<x:enumeration value="{each}"/>' for each in values)
    return f'<x:simpleType><x:restriction base="x:string">{facets}</x:restriction></x:simpleType>'


def of_list(facet: str, base: str = "L") -> str:
    return f'<x:restriction base="{base}">{facet}</x:restriction>'


INT = '<x:simpleType><x:restriction base="x:int"/></x:simpleType>'
IN_THREE: dict[str, tuple[str, str, str, str, str, str]] = {
    "too many": (
        of_list('<x:maxLength value="2"/>'),
        "1 2 3",
        "max_length",
        "M kan ha høyst 2 verdier.",
        "M kan ha høgst 2 verdiar.",
        "M may have at most 2 values.",
    ),
    "more than one": (
        of_list('<x:maxLength value="1"/>'),
        "1 2",
        "max_length",
        "M kan ha høyst én verdi.",
        "M kan ha høgst éin verdi.",
        "M may have at most one value.",
    ),
    "too few": (
        of_list('<x:minLength value="4"/>', "x:NMTOKENS"),
        "a b",
        "min_length",
        "M må ha minst 4 verdier.",
        "M må ha minst 4 verdiar.",
        "M must have at least 4 values.",
    ),
    "another number": (
        of_list('<x:length value="1"/>'),
        "1 2",
        "length",
        "M må ha nøyaktig én verdi.",
        "M må ha nøyaktig éin verdi.",
        "M must have exactly one value.",
    ),
    "another list": (
        of_list('<x:enumeration value="1 2"/><x:enumeration value="3"/>'),
        "2 1",
        "enumeration",
        "M må være en av disse: 1 2, 3.",
        "M må vere ein av desse: 1 2, 3.",
        "M must be one of these: 1 2, 3.",
    ),
    "numbers": (
        '<x:list itemType="x:double"/>',
        "1 2E",
        "type",
        "Hver verdi i m må være et tall (med punktum som desimaltegn).",
        "Kvar verdi i m må vere eit tal (med punktum som desimalteikn).",
        "Each value in m must be a number (with a full stop as decimal mark).",
    ),
    "a union of one": (
        '<x:union memberTypes="x:double"/>',
        "1E",
        "type",
        "M må være et tall (med punktum som desimaltegn).",
        "M må vere eit tal (med punktum som desimalteikn).",
        "M must be a number (with a full stop as decimal mark).",
    ),
    "a value or a type": (
        f"<x:union>{listed('ukjent')}{INT}</x:union>",
        "x",
        "type",
        "M må være ukjent eller et heltall.",
        "M må vere ukjent eller eit heiltal.",
        "M must be ukjent or a whole number.",
    ),
    "nothing or a type": (
        f"<x:union>{listed('')}{INT}</x:union>",
        "x",
        "type",
        "M må være et heltall.",
        "M må vere eit heiltal.",
        "M must be a whole number.",
    ),
    "values alone": (
        f"<x:union>{listed('ja', 'nei')}{listed('date')}</x:union>",
        "x",
        "type",
        "M må være en av disse: ja, nei, date.",
        "M må vere ein av desse: ja, nei, date.",
        "M must be one of these: ja, nei, date.",
    ),
    "a name": (
        '<x:restriction base="x:ID"/>',
        "1",
        "type",
        "M må være et navn uten mellomrom som ikke begynner med et siffer.",
        "M må vere eit namn utan mellomrom som ikkje byrjar med eit siffer.",
        "M must be a name without blanks that does not begin with a digit.",
    ),
}


@pytest.mark.parametrize("about", ["", XSD_1_1], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize(("kind", "text", "rule", "nb", "nn", "en"), IN_THREE.values(), ids=IN_THREE)
def test_one_sentence_tells_what_is_wrong(
    tmp_path: Path, kind: str, text: str, rule: str, nb: str, nn: str, en: str, about: str
) -> None:
    """Of lists that count values, unions that list some, and names; in elements and attributes."""
    body = (
        f'<x:simpleType name="T">{kind}</x:simpleType><x:element name="m" type="T"/><x:element name="n">'
        f'<x:complexType><x:attribute name="m" type="T"/></x:complexType></x:element>{NAMED}'
    )
    registry = registry_of(tmp_path, body, about)

    for form in (f"<m>{text}</m>", f'<n m="{text}"/>'):
        (finding,) = registry.check("a.xsd", form)
        assert finding.rule == rule
        assert [sentence(finding, language) for language in ("nb", "nn", "en")] == [nb, nn, en]


@pytest.mark.parametrize("about", ["", XSD_1_1], ids=["libxml2", "xmlschema"])
def test_an_id_that_stands_twice_is_told_as_that(tmp_path: Path, about: str) -> None:
    """And not as a name that is none."""
    body = (
        '<x:element name="m"><x:complexType><x:sequence><x:element name="a" maxOccurs="9"><x:complexType>'
        '<x:attribute name="id" type="x:ID"/></x:complexType></x:element></x:sequence></x:complexType></x:element>'
    )

    (finding,) = registry_of(tmp_path, body, about).check("a.xsd", '<m><a id="p"/><a id="p"/><a id="q"/></m>')

    assert (finding.path, finding.rule) == ("/m/a[2]/@id", "not_unique")


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


@pytest.mark.parametrize("about", ["", XSD_1_1], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize("process", ["strict", "lax"])
@pytest.mark.parametrize(("kind", "text"), [("int", "x"), ("double", "1E")])
def test_what_names_its_type_under_a_wildcard_is_held_to_it(
    tmp_path: Path, kind: str, text: str, process: str, about: str
) -> None:
    """And it is said what the type wants."""
    body = (
        '<x:element name="m"><x:complexType><x:sequence>'
        f'<x:any processContents="{process}"/></x:sequence></x:complexType></x:element>'
    )
    names = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="http://www.w3.org/2001/XMLSchema"'
    registry = registry_of(tmp_path, body, about)

    findings = registry.check("a.xsd", f'<m {names}><z i:type="s:{kind}">{text}</z></m>')

    assert [(each.path, each.rule, each.facts) for each in findings] == [("/m/z", "type", {"type": kind})]
    assert registry.check("a.xsd", f'<m {names}><z i:type="s:{kind}">1</z></m>') == ()


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


RESTRICTED = (
    '<x:simpleType name="R"><x:restriction base="U">{}</x:restriction></x:simpleType><x:element name="m">'
    '<x:complexType><x:sequence><x:element name="a" type="R"/></x:sequence><x:attribute name="b" type="R"/>'
    f"</x:complexType></x:element>{NAMED}"
)


@pytest.mark.parametrize("about", ["", XSD_1_1], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize("facet", ["enumeration", "pattern"])
def test_of_a_value_that_a_member_takes_only_the_broken_facet_is_told(tmp_path: Path, facet: str, about: str) -> None:
    """2024 is a year; in a form that streams as in a small one."""
    body = RESTRICTED.format(f'<x:{facet} value="2025"/>')
    small, path = registry_of(tmp_path, body, about), tmp_path / "a.xml"
    path.write_text('<m b="2024"><a>2024</a></m>')
    streaming = SchemaRegistry(tmp_path, Limits(max_bytes=1))
    streaming.load(["a.xsd"])
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")

    for registry in (small,) if about else (small, streaming):
        found = registry.check_file(spec, path)
        assert [(each.path, each.rule) for each in found] == [("/m/@b", facet), ("/m/a", facet)]


@pytest.mark.parametrize("facet", ['maxLength value="0"', 'length value="0"', 'pattern value=""'])
def test_a_text_without_a_letter_is_no_text(tmp_path: Path, facet: str) -> None:
    """As many forms write what may be left empty."""
    empty = f'<x:simpleType><x:restriction base="x:string"><x:{facet}/></x:restriction></x:simpleType>'
    body = '<x:element name="m"><x:simpleType><x:union{}>{}</x:union></x:simpleType></x:element>'

    one = registry_of(tmp_path, body.format("", listed("A") + empty)).check("a.xsd", "<m>B</m>")
    other = registry_of(tmp_path, body.format(' memberTypes="x:date"', empty)).check("a.xsd", "<m>B</m>")

    assert [sentence(each, "en") for each in one] == ["M must be one of these: A."]
    assert [sentence(each, "en") for each in other] == ["M must be a date (yyyy-mm-dd)."]
