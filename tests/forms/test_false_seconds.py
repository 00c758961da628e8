"""One fault has one finding: neither its consequences nor a disagreement that is none are told beside it."""

from pathlib import Path

import pytest

from bridge.core.errors import Finding
from bridge.core.mapping import FormKind, FormSpec
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" {version}>'
SLOW = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
NILS = """<x:element name="m"><x:complexType><x:sequence>
<x:element name="a" type="x:int" {about}/><x:element name="g" minOccurs="0"><x:complexType><x:sequence>
<x:element name="b" type="x:int"/></x:sequence></x:complexType></x:element></x:sequence></x:complexType></x:element>"""
ANYTHING = """<x:element name="m"><x:complexType><x:sequence>
<x:any minOccurs="0" processContents="skip"/></x:sequence></x:complexType></x:element>"""
FORM = '<m xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{}</m>'
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")
NIL = '<{} xsi:nil="true"/>'
WAYS = pytest.mark.parametrize("way", ["libxml2", "xmlschema", "stream", "both"])


def found(folder: Path, schema: str, xml: str, way: str) -> list[tuple[str, str, dict[str, str]]]:
    (folder / "a.xsd").write_text(HEAD.format(version=SLOW if way == "xmlschema" else "") + schema + "</x:schema>")
    (folder / "a.xml").write_text(xml)
    registry = SchemaRegistry(folder, Limits(max_bytes=1 if way == "stream" else 10_000), both_engines=way == "both")
    registry.load(["a.xsd"])
    return [(each.path, each.rule, dict(each.facts)) for each in registry.check_file(SPEC, folder / "a.xml")]


@WAYS
@pytest.mark.parametrize(
    ("about", "inside", "expected"),
    [
        ('minOccurs="0"', NIL.format("a"), ("/m/a", "nil_not_allowed", {"optional": "true"})),
        ("", NIL.format("a"), ("/m/a", "nil_not_allowed", {"required": "true"})),
        ("", "<a>1</a>" + NIL.format("g"), ("/m/g", "nil_not_allowed", {"optional": "true"})),
        ('nillable="true"', '<a xsi:nil="true">1</a>', ("/m/a", "nil_with_content", {})),
    ],
    ids=["optional", "required", "a group", "nillable, with content"],
)
def test_what_may_not_be_nil_is_told_once(
    tmp_path: Path, about: str, inside: str, expected: tuple[str, str, dict[str, str]], way: str
) -> None:
    """With what to do about it: an element that may be left out need not be filled in."""
    assert found(tmp_path, NILS.format(about=about), FORM.format(inside), way) == [expected]


@pytest.mark.parametrize(
    ("fact", "nb", "nn", "en"),
    [
        (
            "optional",
            "A kan ikke være merket som tomt (xsi:nil): utelat det når det ikke har noen verdi.",
            "A kan ikkje vere merkt som tomt (xsi:nil): utelat det når det ikkje har nokon verdi.",
            "A may not be marked as empty (xsi:nil): leave it out where it has no value.",
        ),
        (
            "required",
            "A kan ikke være merket som tomt (xsi:nil): det må fylles ut.",
            "A kan ikkje vere merkt som tomt (xsi:nil): det må fyllast ut.",
            "A may not be marked as empty (xsi:nil): it must be filled in.",
        ),
    ],
)
def test_the_advice_about_nil_is_the_right_one(fact: str, nb: str, nn: str, en: str) -> None:
    """In each language."""
    finding = Finding(path="/m/a", rule="nil_not_allowed", facts={fact: "true"})

    assert [sentence(finding, language) for language in ("nb", "nn", "en")] == [nb, nn, en]


@WAYS
@pytest.mark.parametrize("inside", ["x", "x<z/>", "<z/>x"])
def test_text_where_only_any_element_may_stand_is_told_by_all(tmp_path: Path, inside: str, way: str) -> None:
    """xmlschema passes over it, and is asked no more whether it disagrees."""
    assert found(tmp_path, ANYTHING, FORM.format(inside), way) == [("/m", "text_not_allowed", {})]
