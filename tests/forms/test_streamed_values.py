"""A value that is refused in a small form is refused in one that streams, whoever refuses it."""

from pathlib import Path

import pytest

from bridge.core.errors import Finding, Severity
from bridge.core.mapping import FormKind, FormSpec, Receiver
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.forms.xml.streaming import check_stream

XSD = "http://www.w3.org/2001/XMLSchema"
HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"{}>'
ROWS = """<x:element name="m"><x:complexType><x:sequence><x:element name="r" type="x:string" maxOccurs="unbounded"/>
<x:element name="v" maxOccurs="unbounded"><x:complexType><x:simpleContent><x:extension base="{type}">
<x:attribute name="g" type="{type}"/></x:extension></x:simpleContent></x:complexType></x:element>{more}
</x:sequence></x:complexType></x:element></x:schema>"""
MANY = "<r>æ</r>\n" * 3_000
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd", receiver=Receiver.DOTNET)
VALUES = {
    "base64": ("x:base64Binary", "<v>2026-11-28</v>"),
    "base64, well written": ("x:base64Binary", "<v>QUJD</v>"),
    "an exponent": ("x:double", "<v>1E</v>"),
    "an exponent with its digits": ("x:double", "<v>1E3</v>"),
    "no tokens": ("x:NMTOKENS", "<v/>"),
    "in an attribute": ("x:base64Binary", "<v g='+'>QUJD</v>"),
    "between comments": ("x:base64Binary", "<v>QU<!-- -->J+-</v>"),
    "in a marked section": ("x:base64Binary", "<v><![CDATA[2026-11-28]]></v>"),
    "an id twice": ("x:ID", "<v>a</v><v>b</v><v>a</v>"),
    "an id twice, as an attribute": ("x:ID", "<v g='a'>b</v><v>a</v>"),
    "a reference to nowhere": ("x:IDREF", "<v>a</v>"),
    "references to nowhere": ("x:IDREFS", "<v>a b</v>"),
    "midnight": ("x:time", "<v>12:00:00</v><v>24:00:00</v>"),
    "a sign": ("x:unsignedInt", "<v>1</v><v>+1</v>"),
    "a number of many digits": ("x:decimal", f"<v>{'1' * 40}</v>"),
    "a type that the form names": (
        "x:anyType",
        f'<v xmlns:s="{XSD}" xmlns:xsi="{XSD}-instance" xsi:type="s:base64Binary">2026-11-28</v>',
    ),
    "a fault of the engine's beside": ("x:base64Binary", "<v>2026-11-28</v><w/>"),
    "both in one place": ("x:base64Binary", "<v>?</v>"),
}
LETTERS = """<x:element name="p"><x:simpleType><x:restriction base="x:string"><x:pattern value="\\p{L}+"/>
</x:restriction></x:simpleType></x:element>"""
REFERRING = '<x:element name="i" type="x:ID" minOccurs="0" maxOccurs="unbounded"/>'


def registries(folder: Path, kind: str, more: str = "") -> tuple[SchemaRegistry, SchemaRegistry]:
    schema = HEAD.format("") + ROWS.format(type=kind, more=more)
    if kind == "x:anyType":
        head, _, tail = schema.partition('<x:element name="v"')
        schema = f'{head}<x:element name="v" type="x:anyType" maxOccurs="9"/>{tail.partition("</x:element>")[2]}'
    (folder / "a.xsd").write_text(schema)
    made = SchemaRegistry(folder), SchemaRegistry(folder, Limits(max_bytes=1_000))
    for registry in made:
        registry.load(["a.xsd"])
    return made


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, dict[str, str], int, Severity]]:
    # A stream gives the first of several no number, as it does not know of the others.
    return [
        (each.path.removesuffix("[1]").replace("[1]/", "/"), each.rule, dict(each.facts), each.line, each.severity)
        for each in sorted(findings, key=lambda each: (each.line, each.path, each.rule))
    ]


@pytest.mark.parametrize(("kind", "values"), VALUES.values(), ids=VALUES)
def test_a_stream_is_judged_as_a_small_form(tmp_path: Path, kind: str, values: str) -> None:
    """By the same rules, at the same places, on the same lines."""
    whole, streaming = registries(tmp_path, kind)
    form = tmp_path / "a.xml"
    form.write_text(f"<m>\n{MANY}{values}\n</m>", "utf-8")

    found = told(streaming.check_file(SPEC, form))

    assert found == told(whole.check_file(SPEC, form))
    assert bool(found) is (values not in ("<v>QUJD</v>", "<v>1E3</v>"))


@pytest.mark.parametrize(
    ("value", "rules"), [("STRAẞE", []), ("a₹", ["pattern"])], ids=["of the kind", "of another kind"]
)
def test_new_letters_are_judged_in_a_stream(tmp_path: Path, value: str, rules: list[str]) -> None:
    """The capital ß came after its tables; a form is not refused for that because it is large."""
    whole, streaming = registries(tmp_path, "x:string", LETTERS)
    form = tmp_path / "a.xml"
    form.write_text(f"<m>\n{MANY}<v>a</v><p>{value}</p>\n</m>", "utf-8")

    found = told(streaming.check_file(SPEC, form))

    assert found == told(whole.check_file(SPEC, form))
    assert [each[1] for each in found] == rules


@pytest.mark.parametrize(
    ("values", "count"),
    [("<v>a</v><v>b</v><i>b</i><i>a</i>", 0), ("<v>a</v><v>c</v><i>b</i><i>a</i>", 1)],
    ids=["all lead somewhere", "one does not"],
)
def test_a_reference_may_come_before_what_it_refers_to(tmp_path: Path, values: str, count: int) -> None:
    """Only at the end is known which lead nowhere."""
    whole, streaming = registries(tmp_path, "x:IDREF", REFERRING)
    form = tmp_path / "a.xml"
    form.write_text(f"<m>\n{MANY}{values}</m>", "utf-8")

    found = told(streaming.check_file(SPEC, form))

    assert found == told(whole.check_file(SPEC, form))
    assert [rule for _, rule, _, _, _ in found] == ["no_such_key"] * count


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ("<v>a</v><i>a</i><i>b</i><i>c</i>", ["ids_not_checked"]),
        ("<v>a</v><i>a</i><i>b</i><i>c</i><i>b</i>", ["ids_not_checked", "not_unique"]),
        ("<v>a</v><v>b</v><v>c</v><i>a</i>", ["ids_not_checked"]),
        ("<v>a</v><v>x</v><i>a</i>", ["no_such_key"]),
    ],
    ids=["too many", "one of the first again", "too many references", "not too many"],
)
def test_more_ids_than_are_kept_are_said(tmp_path: Path, values: str, rules: list[str]) -> None:
    """By name, and as a warning: a bound on memory makes no form wrong."""
    _, streaming = registries(tmp_path, "x:IDREF", REFERRING)
    form = tmp_path / "a.xml"
    form.write_text(f"<m>\n{MANY}{values}</m>", "utf-8")
    schema = streaming._schemas["a.xsd"]

    found = check_stream(
        schema.compiled(),
        schema.model,
        form,
        limits=Limits(),
        watch=schema.watch(),
        receiver=Receiver.DOTNET,
        most_ids=2,
    )

    assert [each.rule for each in found] == rules
    assert [each.rule for each in found if each.severity is Severity.WARNING] == [
        rule for rule in rules if rule == "ids_not_checked"
    ]


def test_findings_beside_the_engine_have_a_limit(tmp_path: Path) -> None:
    """It says when it stopped."""
    registries(tmp_path, "x:base64Binary")
    streaming = SchemaRegistry(tmp_path, Limits(max_bytes=1, max_findings=3))
    streaming.load(["a.xsd"])
    (tmp_path / "a.xml").write_text(f"<m><r/>{'<v>2026-11-28</v>' * 9}</m>")

    found = streaming.check_file(SPEC, tmp_path / "a.xml")

    assert [each.rule for each in found] == ["type"] * 3 + ["more_findings"]


def test_prefixes_and_namespaces_are_those_of_the_form(tmp_path: Path) -> None:
    """Also such as libxml2 takes for none."""
    schema = HEAD.format(' targetNamespace="urn:prøve" xmlns:t="urn:prøve" elementFormDefault="qualified"')
    (tmp_path / "a.xsd").write_text(
        f'{schema}<x:attribute name="q" type="x:base64Binary"/><x:element name="m"><x:complexType><x:sequence>'
        '<x:element name="v" type="x:base64Binary" maxOccurs="9"/></x:sequence><x:attribute ref="t:q"/>'
        "</x:complexType></x:element></x:schema>",
        "utf-8",
    )
    streaming = SchemaRegistry(tmp_path, Limits(max_bytes=1))
    streaming.load(["a.xsd"])
    rows = "<p:v>QUJD</p:v>\n<p:v\n>2026-11-28</p:v>"
    (tmp_path / "a.xml").write_text(f'<p:m xmlns:p="urn:prøve" p:q="2026-11-28">\n{rows}</p:m>', "utf-8")

    found = streaming.check_file(SPEC, tmp_path / "a.xml")

    assert [(each.path, each.rule, each.line) for each in found] == [
        ("/p:m/@p:q", "type", 1),
        ("/p:m/p:v[2]", "type", 3),
    ]


def test_what_was_not_looked_at_is_said_in_words() -> None:
    """In each language."""
    finding = Finding(path="/", rule="ids_not_checked", facts={"most": "200000"})

    assert [sentence(finding, language).partition(":")[0] for language in ("nb", "nn", "en")] == [
        "Skjemaet har mer enn 200000 id-er (xs",
        "Skjemaet har meir enn 200000 id-ar (xs",
        "The form has more than 200000 identifiers (xs",
    ]


DEEP = f"{'<x:sequence>' * 220}<x:element name='a' type='x:string'/>{'</x:sequence>' * 220}"
"""What xmlschema cannot read, and libxml2 can."""


@pytest.mark.parametrize(("value", "rules"), [("&#50;", ["receiver_not_checked"]), ("2", [])])
def test_where_no_types_are_known_it_is_said_that_nobody_looked(tmp_path: Path, value: str, rules: list[str]) -> None:
    """As far as there are signs that something would have been found; of small forms and of such that stream."""
    (tmp_path / "a.xsd").write_text(
        f'{HEAD.format("")}<x:element name="m"><x:complexType>{DEEP}</x:complexType></x:element></x:schema>'
    )
    (tmp_path / "a.xml").write_text(f"<m><a>{value}</a></m>")
    for limits in (Limits(), Limits(max_bytes=1)):
        registry = SchemaRegistry(tmp_path, limits)
        registry.load(["a.xsd"])

        assert [each.rule for each in registry.check_file(SPEC, tmp_path / "a.xml")] == rules


def in_m(part: str, attribute: str = "") -> str:
    return f'<x:element name="m"><x:complexType><x:sequence>{part}</x:sequence>{attribute}</x:complexType></x:element>'


BOUND = '<x:restriction base="x:date"><x:minInclusive value="2026-01-01"/></x:restriction>'
D = f'<x:simpleType name="D">{BOUND}</x:simpleType>'
HEADED = '<x:element name="h" type="x:date"/><x:element name="s" substitutionGroup="h"/>'
AS_IN_A_SMALL_FORM: dict[str, tuple[str, str, set[str]]] = {
    "a bound, with blanks": (
        D + in_m('<x:element name="a" type="D"/>', '<x:attribute name="b" type="D"/>'),
        '<m b=" 2025-01-02 "><a> 2025-01-02 </a></m>',
        {"min_inclusive"},
    ),
    "a date with blanks in the place of another element": (
        HEADED + in_m('<x:element ref="h"/>'),
        "<m><s> 2026-01-01 </s></m>",
        set(),
    ),
    "a wrong value in the place of another element": (
        HEADED + in_m('<x:element ref="h"/>'),
        "<m><s>x</s></m>",
        {"type"},
    ),
    "without a namespace": (
        in_m('<x:element name="a" form="qualified" type="x:int"/>'),
        '<p:m xmlns:p="urn:a"><a>1</a></p:m>',
        {"wrong_namespace"},
    ),
    "a type of its own, with blanks": (
        in_m('<x:element name="a" type="x:anyType" maxOccurs="9"/>'),
        f'''<m xmlns:i="{XSD}-instance" xmlns:s="{XSD}"><a i:type=" s:int">1</a><a
        i:type='s:date
        '> 2026-01-01 </a><a i:type="s:int ">x</a></m>''',
        {"type"},
    ),
    "in a namespace": (
        in_m('<x:element name="a" type="x:int"/>'),
        '<m xmlns="urn:a"><a>1</a></m>',
        {"unwanted_namespace"},
    ),
}


@pytest.mark.parametrize(("content", "form", "rules"), AS_IN_A_SMALL_FORM.values(), ids=AS_IN_A_SMALL_FORM)
def test_what_streams_is_explained_as_a_small_form(tmp_path: Path, content: str, form: str, rules: set[str]) -> None:
    """With the same facts."""
    spaces = ' targetNamespace="urn:a" xmlns="urn:a"' if "urn:a" in form else ""
    (tmp_path / "a.xsd").write_text(HEAD.format(spaces) + content + "</x:schema>")
    (tmp_path / "a.xml").write_text(form)
    small, streaming = SchemaRegistry(tmp_path), SchemaRegistry(tmp_path, Limits(max_bytes=1))
    for registry in (small, streaming):
        registry.load(["a.xsd"])

    found = told(streaming.check_file(SPEC, tmp_path / "a.xml"))

    assert found == told(small.check_file(SPEC, tmp_path / "a.xml"))
    assert {each[1] for each in found} == rules
