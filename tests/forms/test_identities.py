"""Keys and references: what repeats, what is missing, what leads nowhere, and nothing that another fault caused."""

from pathlib import Path

import pytest

from bridge.core.errors import Finding
from bridge.core.mapping import FormKind, FormSpec
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" %s><x:element name="m"><x:complexType><x:sequence>
 <x:element name="a" maxOccurs="9"><x:complexType><x:sequence><x:element name="n" type="x:int" minOccurs="0"/>
  </x:sequence><x:attribute name="id" type="x:int"/></x:complexType></x:element>
 <x:element name="r" type="x:int" minOccurs="0" maxOccurs="9"/></x:sequence></x:complexType>
 <x:key name="k"><x:selector xpath="a"/><x:field xpath="n"/></x:key>
 <x:unique name="u"><x:selector xpath="a"/><x:field xpath="@id"/></x:unique>
 <x:keyref name="f" refer="k"><x:selector xpath="r"/><x:field xpath="."/></x:keyref></x:element></x:schema>"""
SLOW = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
CASES: dict[str, tuple[str, list[tuple[str, str]], list[tuple[str, str]] | None]] = {
    "twice": ("<a><n>1</n></a><a><n>1</n></a>", [("/m/a[2]", "not_unique")], None),
    "without": ("<a/>", [("/m/a", "key_incomplete")], None),
    # xmlschema does not say which reference it is.
    "leading nowhere": (
        "<a><n>1</n></a><r>1</r><r>2</r>",
        [("/m/r[2]", "no_such_key")],
        [("/m", "no_such_key")],
    ),
    "leading nowhere, behind a comment": (
        "<a><n>1</n></a><r>1</r><r><!-- k -->2</r>",
        [("/m/r[2]", "no_such_key")],
        [("/m", "no_such_key")],
    ),
    "a wrong key": ("<a><n>x</n></a>", [("/m/a/n", "type")], None),
    "a reference to a wrong key": ("<a><n>x</n></a><r>1</r>", [("/m/a/n", "type")], None),
    "a wrong reference": ("<a><n>1</n></a><r>x</r>", [("/m/r", "type")], None),
    "a wrong attribute": ('<a id="x"><n>1</n></a>', [("/m/a/@id", "type")], None),
    "wrong attributes twice": (
        '<a id="x"><n>1</n></a><a id="x"><n>2</n></a>',
        [("/m/a[1]/@id", "type"), ("/m/a[2]/@id", "type")],
        None,
    ),
    "a wrong one and two that are alike": (
        '<a id="x"><n>1</n></a><a id="1"><n>2</n></a><a id="1"><n>3</n></a>',
        [("/m/a[1]/@id", "type"), ("/m/a[3]", "not_unique")],
        None,
    ),
    "a key in the wrong place": (
        "<a><n>1</n></a><r>2</r><a><n>2</n></a>",
        [("/m/a[2]", "misplaced_element")],
        None,
    ),
}


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize(("inside", "expected", "slowly"), CASES.values(), ids=CASES)
def test_only_what_holds_by_itself_is_told(
    tmp_path: Path,
    inside: str,
    expected: list[tuple[str, str]],
    slowly: list[tuple[str, str]] | None,
    *,
    slow: bool,
) -> None:
    """One fault is one finding, by whichever engine."""
    (tmp_path / "a.xsd").write_text(SCHEMA % (SLOW if slow else ""))
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    findings = registry.check("a.xsd", f"<m>{inside}</m>")

    assert [(each.path, each.rule) for each in findings] == (slowly if slow and slowly else expected)


@pytest.mark.parametrize("name", ["twice", "without", "a wrong key", "a reference to a wrong key"])
def test_a_streaming_form_is_told_alike(tmp_path: Path, name: str) -> None:
    """By rule: a reference is looked up at the end, where its place is gone."""
    inside, expected, _ = CASES[name]
    (tmp_path / "a.xsd").write_text(SCHEMA % "")
    (tmp_path / "a.xml").write_text(f"<m>{inside}</m>")
    registry = SchemaRegistry(tmp_path, Limits(max_bytes=1))
    registry.load(["a.xsd"])
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")

    findings = registry.check_file(spec, tmp_path / "a.xml")

    assert [each.rule for each in findings] == [rule for _, rule in expected]


@pytest.mark.parametrize(
    ("rule", "nb", "nn", "en"),
    [
        (
            "not_unique",
            "A gjentar en verdi som bare kan stå én gang.",
            "A gjentek ein verdi som berre kan stå éin gong.",
            "A repeats a value that may stand only once.",
        ),
        (
            "key_incomplete",
            "A mangler en verdi som det skal kjennes på.",
            "A manglar ein verdi som det skal kjennast på.",
            "A lacks a value by which it is known.",
        ),
        (
            "no_such_key",
            "A viser til noe som ikke finnes i skjemaet.",
            "A viser til noko som ikkje finst i skjemaet.",
            "A refers to something that is not in the form.",
        ),
    ],
)
def test_what_is_wrong_is_said(rule: str, nb: str, nn: str, en: str) -> None:
    """Repeating, missing and leading nowhere are three things."""
    finding = Finding(path="/m/a", rule=rule)

    assert tuple(sentence(finding, language) for language in ("nb", "nn", "en")) == (nb, nn, en)
