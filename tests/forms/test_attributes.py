"""Attributes and elements are named with the prefix that the form has, and with the namespace where that is wrong."""

from pathlib import Path

import pytest

from bridge.core.errors import Finding, Severity
from bridge.core.mapping import FormKind, FormRule, FormSpec
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:m" targetNamespace="urn:m" {version}>
<x:attribute name="q" type="x:int"/><x:attribute name="w"><x:simpleType><x:list itemType="x:int"/></x:simpleType>
</x:attribute><x:element name="m"><x:complexType><x:sequence>
<x:element name="b" type="x:string" form="qualified"/></x:sequence><x:attribute ref="t:q" use="required"/>
<x:attribute name="r" type="x:double"/></x:complexType></x:element></x:schema>"""
SLOW = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")
CASES = {
    "without the prefix": ('<m xmlns="urn:m" q="1"><b/></m>', [("/m/@q", "wrong_namespace", {"namespace": "urn:m"})]),
    "with one that it must not have": (
        '<t:m xmlns:t="urn:m" t:q="1" t:r="1"><t:b/></t:m>',
        [("/t:m/@t:r", "unwanted_namespace", {})],
    ),
    "missing, without a prefix for it": (
        '<m xmlns="urn:m"><b/></m>',
        [("/m/@q", "missing_attribute", {"namespace": "urn:m"})],
    ),
    "missing, with a prefix for it": (
        '<t:m xmlns:t="urn:m"><t:b/></t:m>',
        [("/t:m/@t:q", "missing_attribute", {"namespace": "urn:m"})],
    ),
    "xml:lang": (
        '<t:m xmlns:t="urn:m" t:q="1" xml:lang="nb"><t:b/></t:m>',
        [("/t:m/@xml:lang", "unexpected_attribute", {})],
    ),
    "a wrong value": ('<t:m xmlns:t="urn:m" t:q="x"><t:b/></t:m>', [("/t:m/@t:q", "type", {"type": "int"})]),
    "the same name twice": (
        '<t:m xmlns:t="urn:m" xmlns:u="urn:u" t:q="1" u:q="2"><t:b/></t:m>',
        [("/t:m/@u:q", "unexpected_attribute", {})],
    ),
    "a missing element": ('<t:m xmlns:t="urn:m" t:q="1"/>', [("/t:m/t:b", "missing_element", {})]),
    "a missing element without a prefix": (
        '<m xmlns="urn:m" xmlns:t="urn:m" t:q="1"/>',
        [("/m/b", "missing_element", {})],
    ),
}


def loaded(folder: Path, *, slow: bool = False, most: int = 10_000_000) -> SchemaRegistry:
    (folder / "a.xsd").write_text(SCHEMA.format(version=SLOW if slow else ""))
    registry = SchemaRegistry(folder, Limits(max_bytes=most))
    registry.load(["a.xsd"])
    return registry


@pytest.mark.parametrize("way", ["libxml2", "xmlschema", "stream"])
@pytest.mark.parametrize(("xml", "expected"), CASES.values(), ids=CASES)
def test_names_have_the_prefix_that_the_form_has(
    tmp_path: Path, xml: str, expected: list[tuple[str, str, dict[str, str]]], way: str
) -> None:
    """One finding for each fault, by both engines and in a form that streams."""
    registry = loaded(tmp_path, slow=way == "xmlschema", most=1 if way == "stream" else 10_000)
    (tmp_path / "a.xml").write_text(xml)

    findings = registry.check_file(SPEC, tmp_path / "a.xml")

    assert [(each.path, each.rule, dict(each.facts)) for each in findings] == expected


def test_a_value_of_an_attribute_is_shown_to_the_operator(tmp_path: Path) -> None:
    """Found by its prefix, whichever other has the same name."""
    xml = '<t:m xmlns:t="urn:m" xmlns:u="urn:u" u:q="2" t:q="x"><t:b/></t:m>'

    findings = loaded(tmp_path).check_form(SPEC, xml, values=True)

    assert {each.path: each.value for each in findings} == {"/t:m/@u:q": "2", "/t:m/@t:q": "x"}


@pytest.mark.parametrize(("attribute", "path"), [("@*[local-name()='q']", "/t:m/@t:q"), ("@r", "/t:m/@r")])
def test_a_rule_names_them_alike(tmp_path: Path, attribute: str, path: str) -> None:
    """As the schema's findings do."""
    rule = FormRule(
        at=f"/*/{attribute}", test="false()", text={"nb": "n", "nn": "n", "en": "e"}, severity=Severity.ERROR
    )
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd", rules=(rule,))

    findings = loaded(tmp_path).check_form(spec, '<t:m xmlns:t="urn:m" t:q="1" r="1"><t:b/></t:m>')

    assert [(each.path, each.rule) for each in findings] == [(path, "business_rule")]


def test_the_namespace_that_is_meant_is_said() -> None:
    """In each language."""
    finding = Finding(path="/m/@q", rule="missing_attribute", facts={"namespace": "urn:m"})

    assert [sentence(finding, language) for language in ("nb", "nn", "en")] == [
        "Attributtet q i navnerommet urn:m mangler.",
        "Attributtet q i namnerommet urn:m manglar.",
        "The attribute q of the namespace urn:m is missing.",
    ]
