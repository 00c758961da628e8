"""What real schemas have in them that is not in the book: the table in docs/schemas.md, row by row."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.core.errors import ConfigurationError
from bridge.core.mapping import FormKind, FormSpec, NamespaceReading
from bridge.forms.registry import SchemaRegistry

DOCUMENT = Path(__file__).parents[2] / "docs" / "schemas.md"
HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified" %s>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """A schema, what it takes and refuses, and what is said of it when it is loaded."""

    schema: str | bytes
    outcome: str
    said: str = ""
    valid: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    engine: str = "libxml2"
    lenient: bool = False


def element(body: str, attributes: str = "") -> str:
    return f"{HEAD % attributes}\n{body}</x:schema>"


def text_with(facets: str, base: str = "string") -> str:
    return element(
        f'<x:element name="m"><x:simpleType><x:restriction base="x:{base}">{facets}'
        "</x:restriction></x:simpleType></x:element>"
    )


QUIRKS = {
    "a pattern with `^` first or `$` last": Quirk(
        schema=text_with('<x:pattern value="^[0-9]{4}$"/>'),
        outcome="taken, with a note",
        said="XSD anchors itself",
        valid=("<m>0001</m>",),
        invalid=("<m>^0001$</m>", "<m>1</m>"),
    ),
    "a pattern that looks around: `(?=`, `(?!`, `(?<=`, `(?<!`": Quirk(
        schema=text_with('<x:pattern value="(?=.*[0-9])[a-z0-9]+"/><x:pattern value="x"/><x:maxLength value="3"/>'),
        outcome="taken, with a note",
        said="without look-arounds, which XSD does not have",
        valid=("<m>abc</m>", "<m>x</m>"),
        invalid=("<m>abcd</m>", "<m>A1</m>"),
    ),
    "anchors inside groups, `(^$)|(^[0-9]{4}$)`": Quirk(
        schema=text_with('<x:pattern value="(^$)|(^[0-9]{4}$)"/>'),
        outcome="taken, with a note",
        said="as '()|([0-9]{4})': XSD anchors itself",
        valid=("<m>1234</m>", "<m/>"),
        invalid=("<m>123</m>", "<m>^1234$</m>"),
    ),
    "an anchor where it never holds, `a^b`": Quirk(
        schema=text_with('<x:pattern value="a^b"/>'),
        outcome="taken, with a note",
        said="has an anchor that never holds in .NET: no value fits it there",
        invalid=("<m>ab</m>", "<m>a^b</m>"),
    ),
    "a hyphen after a range in a class, `[a-z-_]`": Quirk(
        schema=text_with('<x:pattern value="[a-z-_]+"/>'),
        outcome="taken, with a note",
        said="a hyphen after a range is itself",
        valid=("<m>a-_</m>",),
        invalid=("<m>A</m>", "<m>`.</m>"),
    ),
    r"lazy quantifiers, `\u00C5`, `\/` and other escapes that XSD does not have": Quirk(
        schema=text_with(r'<x:pattern value="[\u00C5\u00E5]+?\/\d{2}"/>'),
        outcome="taken, with a note",
        said="characters are written out",
        valid=("<m>Åå/26</m>",),
        invalid=("<m>Åå26</m>", "<m>A/26</m>"),
    ),
    r"flags `(?i)`, back references `\1`, and what else XSD has no words for in a pattern": Quirk(
        schema=text_with('<x:pattern value="(?i)abc"/><x:pattern value="x"/><x:maxLength value="3"/>'),
        outcome="taken, with a note",
        said="values are not held against it",
        valid=("<m>ABC</m>",),
        invalid=("<m>abcd</m>",),
    ),
    "a Unicode block that there is not, `\\p{IsFoo}`": Quirk(
        schema=text_with(r'<x:pattern value="\p{IsFoo}+"/><x:maxLength value="3"/>'),
        outcome="taken, with a note",
        said="names the block 'IsFoo', which there is not: .NET does not read such a schema",
        valid=("<m>a</m>",),
        invalid=("<m>abcd</m>",),
    ),
    "a group that is not captured, `(?:`": Quirk(
        schema=text_with('<x:pattern value="(?:ab)+"/>'),
        outcome="taken, with a note",
        said="as '(ab)+': groups need no kind",
        valid=("<m>abab</m>",),
        invalid=("<m>aba</m>",),
    ),
    "an element or attribute with a `type` and a type of its own inside": Quirk(
        schema=element(
            '<x:element name="m" type="x:int"><x:simpleType><x:restriction base="x:string"/></x:simpleType></x:element>'
        ),
        outcome="taken, with a note",
        said="the one inside is not used",
        valid=("<m>1</m>",),
        invalid=("<m>x</m>",),
    ),
    "a namespace with letters that no URI has, such as ø": Quirk(
        schema=element('<x:element name="m" type="x:int"/>', 'targetNamespace="http://prøve.example/skjema"'),
        outcome="taken",
        valid=('<m xmlns="http://prøve.example/skjema">1</m>',),
        invalid=('<m xmlns="http://prøve.example/skjema">x</m>', '<m xmlns="http://prove.example/skjema">1</m>'),
    ),
    "a namespace with a closing brace: the target, a prefix's, an import's or a wildcard's": Quirk(
        schema=element('<x:element name="m" type="x:int"/>', 'targetNamespace="urn:a}b"'),
        outcome="taken",
        valid=('<m xmlns="urn:a}b">1</m>',),
        invalid=('<m xmlns="urn:a}b">x</m>', '<m xmlns="urn:ab">1</m>'),
    ),
    "XSD 1.1: `vc:minVersion`, `xs:assert`, `xs:alternative`, `xs:openContent`, `xs:override`": Quirk(
        schema=element(
            '<x:element name="m"><x:complexType><x:sequence><x:element name="a" type="x:int"/><x:element name="b"'
            ' type="x:int"/></x:sequence><x:assert test="b ge a"/></x:complexType></x:element>'
        ),
        outcome="taken, with a note",
        said="XSD 1.1",
        valid=("<m><a>1</a><b>2</b></m>",),
        invalid=("<m><a>2</a><b>1</b></m>",),
        engine="xmlschema, XSD 1.1",
    ),
    "XSD 1.1 that does not say so, such as `notNamespace` or `defaultAttributes`": Quirk(
        schema=element(
            '<x:element name="m"><x:complexType><x:sequence><x:any notNamespace="urn:a ##local"'
            ' processContents="skip"/></x:sequence></x:complexType></x:element>'
        ),
        outcome="taken, with a note",
        said="it is XSD 1.1, without saying so",
        valid=('<m><b xmlns="urn:b"/></m>',),
        invalid=('<m><a xmlns="urn:a"/></m>', "<m><a/></m>"),
        engine="xmlschema, XSD 1.1",
    ),
    "an include or import with blanks around its location, with æ, ø or å in it, or percent-encoded": Quirk(
        schema=element('<x:include schemaLocation="\n felles%20d%C3%A5p.xsd "/><x:element name="m" type="dåp"/>'),
        outcome="taken",
        valid=("<m>1</m>",),
        invalid=("<m>x</m>",),
    ),
    "an import of XML's own attributes, `xml:lang` and the like, without a file for them": Quirk(
        schema=element(
            '<x:import namespace="http://www.w3.org/XML/1998/namespace"'
            ' schemaLocation="http://www.w3.org/2001/xml.xsd"/><x:element name="m"><x:complexType><x:simpleContent>'
            '<x:extension base="x:int"><x:attribute ref="xml:lang" use="required"/></x:extension></x:simpleContent>'
            "</x:complexType></x:element>"
        ),
        outcome="taken",
        valid=('<m xml:lang="nb">1</m>', '<m xml:lang="">1</m>'),
        invalid=('<m xml:lang="n b">1</m>', "<m>1</m>"),
    ),
    "several imports of one namespace, each from another file": Quirk(
        schema=element(
            '<x:import namespace="urn:z" schemaLocation="z1.xsd"/><x:import namespace="urn:z" schemaLocation="z2.xsd"/>'
            '<x:element name="m"><x:complexType><x:sequence><x:element ref="z:e"/><x:element ref="z:f"/></x:sequence>'
            "</x:complexType></x:element>",
            'xmlns:z="urn:z"',
        ),
        outcome="taken",
        valid=('<m xmlns:z="urn:z"><z:e>1</z:e><z:f>1</z:f></m>',),
        invalid=('<m xmlns:z="urn:z"><z:e>1</z:e><z:f>x</z:f></m>',),
    ),
    "what XSD forbids and .NET does not read: a facet twice, one name with two types in a content, `fractionDigits` on"
    " whole numbers, lengths beyond 32 bits, a quantifier after a quantifier, bare or nameless notations, an empty"
    " target namespace, an import that leads to another one, a restriction to other elements": Quirk(
        schema=text_with('<x:maxLength value="3"/><x:maxLength value="4"/>'),
        outcome="taken, with a note",
        said=".NET does not read such a schema",
        valid=("<m>abc</m>",),
        invalid=("<m>abcde</m>",),
    ),
    "an import whose file is not there, or an address, and of which nothing is used": Quirk(
        schema=element(
            '<x:import namespace="urn:a" schemaLocation="https://example.org/a.xsd"/>'
            '<x:import namespace="urn:b" schemaLocation="b.xsd"/><x:element name="m" type="x:int"/>'
        ),
        outcome="taken, with a note",
        said="is not used",
        valid=("<m>1</m>",),
        invalid=("<m>x</m>",),
    ),
    "an import whose file is not there, and something of it is used": Quirk(
        schema=element(
            '<x:import namespace="urn:a" schemaLocation="c.xsd"/><x:element name="m" type="a:T" xmlns:a="urn:a"/>'
        ),
        outcome="refused",
        said="only files in the schema folder are read",
    ),
    "an include that is not there": Quirk(
        schema=element('<x:include schemaLocation="b.xsd"/><x:element name="m" type="x:int"/>'),
        outcome="refused",
        said="no readable schema file 'b.xsd'",
    ),
    "an address or a path out of the folder in an include": Quirk(
        schema=element('<x:include schemaLocation="../b.xsd"/>'),
        outcome="refused",
        said="only files in the schema folder are read",
    ),
    "a UTF-8 byte order mark": Quirk(
        schema=element('<x:element name="m" type="x:int"/>').encode("utf-8-sig"),
        outcome="taken",
        valid=("<m>1</m>", "\ufeff<m>1</m>"),
        invalid=("<m>x</m>",),
    ),
    "a DOCTYPE": Quirk(
        schema='<!DOCTYPE x:schema [<!ENTITY a "b">]>' + element('<x:element name="m"/>'),
        outcome="refused",
        said="DOCTYPE",
    ),
    "XML 1.1": Quirk(
        schema='<?xml version="1.1"?>' + element('<x:element name="m"/>'),
        outcome="refused",
        said="XML 1.1, which .NET does not read",
    ),
    "no XML Schema at all": Quirk(
        schema="<wsdl:definitions xmlns:wsdl='http://schemas.xmlsoap.org/wsdl/'/>",
        outcome="refused",
        said="not an XML Schema",
    ),
    "no well-formed XML": Quirk(schema="<x:schema", outcome="refused", said="not well-formed"),
    "a type that is not there, or anything else that neither engine takes": Quirk(
        schema=element('<x:element name="m" type="Borte"/>'),
        outcome="refused",
        said="a.xsd:2:1",
    ),
    "a target namespace, and forms without one": Quirk(
        schema=element(
            '<x:element name="m"><x:complexType><x:sequence><x:element name="a" type="x:int"/></x:sequence>'
            "</x:complexType></x:element>",
            'targetNamespace="urn:a"',
        ),
        outcome="refused, unless the mapping says `namespace: lenient`",
        valid=("<m xmlns='urn:a'><a>1</a></m>", "<m><a>1</a></m>"),
        invalid=("<m><a>x</a></m>", "<m xmlns='urn:b'><a>1</a></m>", "<m><b/></m>"),
        lenient=True,
    ),
    "a fixed value, an enumeration or a pattern that no value meets": Quirk(
        schema=text_with('<x:enumeration value="x"/><x:pattern value="[0-9]"/>'),
        outcome="taken",
        invalid=("<m>x</m>", "<m>1</m>"),
    ),
    "a fixed value that the form spells in another way, such as `1` for `true`": Quirk(
        schema=element('<x:element name="m" type="x:boolean" fixed="true"/>'),
        outcome="taken",
        valid=("<m>true</m>", "<m/>", "<m>1</m>"),
        invalid=("<m>0</m>", "<m>false</m>", "<m>ja</m>"),
    ),
}


def loaded(folder: Path, quirk: Quirk) -> SchemaRegistry:
    data = quirk.schema if isinstance(quirk.schema, bytes) else quirk.schema.encode()
    (folder / "a.xsd").write_bytes(data)
    (folder / "felles dåp.xsd").write_text(
        element('<x:simpleType name="dåp"><x:restriction base="x:int"/></x:simpleType>'), "utf-8"
    )
    for number, name in enumerate("ef", start=1):
        part = element(f'<x:element name="{name}" type="x:int"/>', 'targetNamespace="urn:z"')
        (folder / f"z{number}.xsd").write_text(part)
    registry = SchemaRegistry(folder)
    registry.load(["a.xsd"])
    return registry


@pytest.mark.parametrize("row", QUIRKS)
def test_each_quirk_is_dealt_with_as_documented(tmp_path: Path, row: str):
    """Taken or refused as the table says, with the reason, and the forms are judged by what is left of the schema."""
    quirk = QUIRKS[row]
    if quirk.outcome == "refused":
        with pytest.raises(ConfigurationError) as refused:
            loaded(tmp_path, quirk)
        assert quirk.said in str(refused.value)
        return
    registry = loaded(tmp_path, quirk)
    reading = NamespaceReading.LENIENT if quirk.lenient else NamespaceReading.STRICT
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd", namespace=reading)

    notes = "\n".join(registry.notes("a.xsd"))
    accepted = [form for form in (*quirk.valid, *quirk.invalid) if not registry.check_form(spec, form)]

    assert bool(notes) == ("note" in quirk.outcome)
    assert quirk.said in notes
    assert registry.engine("a.xsd").value == quirk.engine
    assert accepted == list(quirk.valid)


def test_the_table_and_the_tests_agree():
    """Each row has its test with the same outcome, and each test its row."""
    rows = re.findall(r"^\| (.+?) \| (taken.*?|refused.*?) \| .+ \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)

    assert dict(rows) == {row: quirk.outcome for row, quirk in QUIRKS.items()}


def test_without_lenient_a_missing_namespace_is_a_fault(tmp_path: Path):
    """Said as that, and nothing is put right in silence."""
    registry = loaded(tmp_path, QUIRKS["a target namespace, and forms without one"])

    findings = registry.check("a.xsd", "<m><a>1</a></m>")

    assert [(finding.path, finding.rule) for finding in findings] == [("/m", "wrong_namespace")]
