"""What the receiver may refuse of valid forms: told at its place, an error where .NET gets the form, else a warning."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.bundled import examples_folder, schemas_folder
from bridge.core.errors import Severity
from bridge.core.mapping import FormKind, FormSpec, Receiver
from bridge.core.texts.findings import sentence
from bridge.core.texts.receiver import WHYS
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.forms.xml.receiver import ReceiverCheck, Watch
from bridge.forms.xml.schemas import read_schema_files
from tests.effort import growth

SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd")
TO_DOTNET = replace(SPEC, receiver=Receiver.DOTNET)
HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">'


def restricted(base: str, facets: str) -> str:
    return f'<x:simpleType name="t"><x:restriction base="x:{base}">{facets}</x:restriction></x:simpleType>'


def registry(folder: Path, kind: str, more: str = "") -> SchemaRegistry:
    (folder / "a.xsd").write_text(
        f'{HEAD}{more}<x:element name="m"><x:complexType><x:sequence><x:element name="a" type="{kind}" minOccurs="0"'
        f' maxOccurs="9"/></x:sequence><x:attribute name="b" type="{kind}"/></x:complexType></x:element></x:schema>',
        "utf-8",
    )
    made = SchemaRegistry(folder)
    made.load(["a.xsd"])
    return made


LISTED = '<x:simpleType name="l"><x:list itemType="x:token"/></x:simpleType>'
EITHER = '<x:simpleType name="l"><x:union memberTypes="x:int x:boolean"/></x:simpleType>'
LIKE = '<x:simpleType name="t"><x:restriction base="l"><x:pattern value="%s"/></x:restriction></x:simpleType>'
# A type, what is doubtful of it, and what is not.
CASES: dict[str, tuple[str, str, str, tuple[str, ...], tuple[str, ...]]] = {
    "time_24": ("time_24", "x:time", "", ("24:00:00", "24:00:00Z"), ("23:59:59", "00:00:00")),
    "time_24 of a moment": ("time_24", "x:dateTime", "", ("2026-11-28T24:00:00",), ("2026-11-28T12:24:00",)),
    "length": (
        "length",
        "t",
        restricted("string", '<x:maxLength value="3"/>'),
        ("a😀b", "😀😀"),
        ("a😀", "abc", "æøå"),
    ),
    "exact length": ("length", "t", restricted("string", '<x:length value="1"/>'), ("😀",), ("a",)),
    "no length": ("length", "t", restricted("string", '<x:minLength value="1"/>'), (), ("😀",)),
    "any letter": ("pattern", "t", restricted("string", '<x:pattern value="."/>'), ("😀",), ("a", "æ")),
    "any letters": ("pattern", "t", restricted("string", '<x:pattern value=".+"/>'), (), ("😀", "a😀")),
    "all but": ("pattern", "t", restricted("string", '<x:pattern value="[^a]"/>'), ("😀",), ("b",)),
    "word": (
        "pattern",
        "t",
        restricted("string", r'<x:pattern value="[\w-]+"/>'),
        ("😀", "a𝒳"),
        ("a-b1", "å", "a+b", "1€"),
    ),
    "newer letters": (
        "pattern",
        "t",
        restricted("string", r'<x:pattern value="\w+"/>'),
        ("ẞ😀",),
        ("STRAẞE", "ȷ", "Ⱥ", "ɂ", "Ϗ", "ӷ", "Ꞓ", "ა"),
    ),
    "words and blanks": (
        "pattern",
        "t",
        restricted("string", r'<x:pattern value="\w+\s\w+"/><x:pattern value="[\w\s.]+!"/>'),
        ("ẞ 😀",),
        ("STRAẞE ȷ", "ẞ. ɂ!"),
    ),
    "no word": ("pattern", "t", restricted("string", r'<x:pattern value="\W|[\W]"/>'), (), ("-", " ", "«")),
    "no space": ("pattern", "t", restricted("string", r'<x:pattern value="\S+"/>'), ("a\u00a0b",), ("a-b", "😀")),
    "an anchor inside": ("pattern", "t", restricted("string", '<x:pattern value="a^b|c"/>'), ("a^b",), ("c",)),
    "number": (
        "number",
        "x:integer",
        "",
        ("79228162514264337593543950336", "-" + "9" * 30),
        ("79228162514264337593543950335",),
    ),
    "places": (
        "number",
        "x:decimal",
        "",
        ("0." + "1" * 29, "1." + "0" * 28 + "1"),
        ("0." + "1" * 28, "1.5" + "0" * 40, "." + "0" * 5),
    ),
    "very long": ("number", "x:decimal", "", ("1" * 20_000,), ("0" * 20_000 + "1",)),
    "year": ("year", "x:date", "", ("10000-01-01", "-0001-01-01"), ("2026-11-28", "0001-01-01")),
    "year alone": ("year", "x:gYear", "", ("12026", "-0044"), ("2026", "0001Z")),
    "duration": ("duration", "x:duration", "", ("P100000Y", "P9999999999D"), ("P1Y", "-P5000Y2M", "PT0.5S")),
    "sign": ("sign", "x:unsignedInt", "", ("+1", "-0"), ("1", "0")),
    "no sign": ("sign", "x:nonNegativeInteger", "", (), ("+1", "-0")),
    "blank": ("blank", "x:token", "", (" ", "\n\t"), ("", "a", " a ")),
    "address": (
        "address",
        "x:anyURI",
        "",
        ("a:b", "http://", "http://host:99999/"),
        ("", "a/b", "http://u@host:80/æ", "urn:a:b", "mailto:a@b.no", "file:///a", "http://[::1]/"),
    ),
    "blank address": ("blank", "x:anyURI", "", (" ",), ("a",)),
    "blanks in a list": ("blanks", "t", LISTED + LIKE % "[a-z] [a-z]", (" a  b ", "a\nb"), ("a b",)),
    "a list as a whole": (
        "blanks",
        "t",
        LISTED
        + '<x:simpleType name="t"><x:restriction base="l"><x:enumeration value="1 2"/></x:restriction></x:simpleType>',
        ("1  2", " 1 2", "1\n2"),
        ("1 2",),
    ),
    "names as a whole": (
        "blanks",
        "t",
        restricted("NMTOKENS", '<x:enumeration value="a b"/>'),
        ("a  b", " a b"),
        ("a b",),
    ),
    "blanks in a union": ("blanks", "t", EITHER + LIKE % "[0-9]+", (" 1 ",), ("1",)),
    "items of a list": (
        "time_24",
        "t",
        '<x:simpleType name="t"><x:list itemType="x:time"/></x:simpleType>',
        ("12:00:00 24:00:00",),
        ("12:00:00 13:00:00",),
    ),
    "one of a union is enough": (
        "time_24",
        "t",
        '<x:simpleType name="t"><x:union memberTypes="x:time x:string"/></x:simpleType>',
        (),
        ("24:00:00",),
    ),
    "a time beside what is none": (
        "time_24",
        "t",
        '<x:simpleType name="t"><x:union memberTypes="x:int x:boolean x:decimal x:time"/></x:simpleType>',
        ("24:00:00",),
        ("24", "true", "23:00:00"),
    ),
    "a date among five": (
        "year",
        "t",
        '<x:simpleType name="t"><x:union memberTypes="x:int x:time x:date x:boolean x:gMonth"/></x:simpleType>',
        ("10000-01-01",),
        ("10000", "2026-11-28"),
    ),
    "nan": (
        "nan",
        "t",
        restricted("float", '<x:enumeration value="NaN"/><x:enumeration value="1"/>'),
        ("NaN",),
        ("1",),
    ),
}


@pytest.mark.parametrize("text", ["2<!-- k -->4:00:00", "2<![CDATA[4:]]>00:00", "2<?k?>4:00:00"])
def test_cut_values_are_read_as_others(tmp_path: Path, text: str) -> None:
    """By comments, instructions and marked sections."""
    made = registry(tmp_path, "x:time")

    assert [each.facts.get("why") for each in made.check_form(TO_DOTNET, f"<m><a>{text}</a></m>")] == ["time_24"]


@pytest.mark.parametrize(("why", "kind", "more", "doubtful", "fine"), CASES.values(), ids=CASES)
def test_each_kind_is_told_at_its_place(
    tmp_path: Path, why: str, kind: str, more: str, doubtful: tuple[str, ...], fine: tuple[str, ...]
) -> None:
    """In elements and attributes; and what .NET takes is not told."""
    made = registry(tmp_path, kind, more)

    for text in fine:
        assert made.check_form(TO_DOTNET, f"<m><a>{text}</a></m>") == (), text
    for text in doubtful:
        assert made.check("a.xsd", f"<m><a>{text}</a></m>") == (), text
        (found,) = made.check_form(TO_DOTNET, f"<m>\n<a>{text}</a></m>")
        assert (found.path, found.rule, found.line) == ("/m/a", "receiver_may_refuse", 2), text
        assert (found.facts["why"], found.severity) == (why, Severity.ERROR), text
    for text in (each for each in doubtful if "\n" not in each):
        (found,) = made.check_form(SPEC, f'<m b="{text}"/>')
        assert (found.path, found.facts["why"], found.severity) == ("/m/@b", why, Severity.WARNING), text


def test_an_unknown_element_under_a_lax_wildcard_is_told(tmp_path: Path) -> None:
    """Where warnings count, .NET refuses what no schema declares; what may be skipped it skips."""
    content = '<x:any processContents="%s" minOccurs="0"/>'
    one = '<x:element name="%s"><x:complexType><x:sequence>%s</x:sequence></x:complexType></x:element>'
    (tmp_path / "a.xsd").write_text(
        f'{HEAD}{one % ("m", content % "lax")}{one % ("n", content % "skip")}<x:element name="k" type="x:time"/>'
        "</x:schema>"
    )
    made = SchemaRegistry(tmp_path)
    made.load(["a.xsd"])

    def whys(form: str) -> list[tuple[str, str]]:
        return [(each.path, each.facts["why"]) for each in made.check_form(TO_DOTNET, form)]

    assert whys("<m><z><k>24:00:00</k></z></m>") == [("/m/z", "unknown"), ("/m/z/k", "time_24")]
    assert [each.rule for each in made.check_form(TO_DOTNET, "<k><z><y/></z></k>")] == ["children_not_allowed"]
    assert whys("<m><k>12:00:00</k></m>") == whys("<n><z><k>24:00:00</k></z></n>") == []


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("time", "24:00:00", "time_24"),
        ("unsignedInt", "+1", "sign"),
        ("date", "10000-01-01", "year"),
        ("integer", "9" * 30, "number"),
    ],
)
def test_types_that_only_the_form_names_are_told_as_well(tmp_path: Path, kind: str, text: str, why: str) -> None:
    """Where the schema leaves the type to the form, and under a wildcard."""
    (tmp_path / "a.xsd").write_text(
        f'{HEAD}<x:element name="v" type="x:anySimpleType"/><x:element name="m"><x:complexType><x:sequence>'
        "<x:any/></x:sequence></x:complexType></x:element></x:schema>"
    )
    made = SchemaRegistry(tmp_path)
    made.load(["a.xsd"])
    names = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="http://www.w3.org/2001/XMLSchema"'
    typed = f'<%s {names} i:type="s:{kind}">{text}</%s>'

    for form, path in ((typed, "/v"), (f"<m>{typed}</m>", "/m/v")):
        (found,) = made.check_form(TO_DOTNET, form % ("v", "v"))
        assert (found.path, found.facts["why"]) == (path, why)


def test_a_doubtful_value_beside_a_wrong_one_is_told_as_well(tmp_path: Path) -> None:
    """But no value twice."""
    made = registry(tmp_path, "x:time")

    found = made.check_form(TO_DOTNET, "<m><a>24:00:00</a><a>x</a><a>25:00:00</a></m>")

    assert [(each.path, each.rule) for each in found] == [
        ("/m/a[2]", "type"),
        ("/m/a[3]", "type"),
        ("/m/a[1]", "receiver_may_refuse"),
    ]


@pytest.mark.parametrize(
    ("label", "codec"), [("UTF8", "utf-8"), ("windows-1252", "cp1252"), ("ISO-8859-15", "iso8859-15")]
)
def test_encodings_that_not_every_receiver_has_are_told(tmp_path: Path, label: str, codec: str) -> None:
    """Of bytes, which are sent on as they are; what is text has no encoding any more."""
    made = registry(tmp_path, "x:string")
    form = f'<?xml version="1.0" encoding="{label}"?><m><a>å</a></m>'

    (found,) = made.check_form(SPEC, form.encode(codec))

    assert (found.path, found.facts["why"], found.severity) == ("/", "encoding", Severity.WARNING)
    assert made.check_form(SPEC, form) == made.check_form(SPEC, form.replace(label, "utf-8").encode()) == ()


def test_next_to_all_forms_need_no_look() -> None:
    """Their bytes tell it: what is shipped is fast."""
    form = (examples_folder() / "serveringsbevilling.xml").read_bytes()
    check = ReceiverCheck(read_schema_files(schemas_folder(), "serveringsbevilling.xsd"))

    assert not check.may_find(form)
    assert check.may_find(re.sub(b"<stenger>[^<]*", b"<stenger>24:00:00", form))


@pytest.mark.parametrize("piece", ["<", "a", "<a", "<a ", " ", ">", "> ", "0", "0-", "-", "=' ", "<a> <", "&#"])
def test_looking_at_the_bytes_grows_with_them(tmp_path: Path, piece: str) -> None:
    """Whatever they are made of."""
    types = "".join(
        f'<x:attribute name="{each}" type="x:{each}"/>' for each in ("token", "dateTime", "decimal", "unsignedInt")
    )
    (tmp_path / "a.xsd").write_text(
        f'{HEAD}<x:simpleType name="l"><x:list itemType="x:double"/></x:simpleType><x:element name="m">'
        f"<x:complexType>{types}</x:complexType></x:element></x:schema>"
    )
    check = ReceiverCheck(read_schema_files(tmp_path, "a.xsd"))

    assert growth(lambda size: check.may_find(f"<{piece * size}".encode()), 2_000) < 80


def test_large_forms_and_those_in_any_namespace_are_looked_at_as_well(tmp_path: Path) -> None:
    """By the same rules."""
    (tmp_path / "a.xsd").write_text(
        f'{HEAD[:-1]} targetNamespace="urn:å" elementFormDefault="qualified"><x:element name="m">'
        "<x:complexType><x:sequence>"
        '<x:element name="a" type="x:time" maxOccurs="unbounded"/></x:sequence></x:complexType></x:element></x:schema>',
        "utf-8",
    )
    made = SchemaRegistry(tmp_path)
    made.load(["a.xsd"])

    found = made.check_form(TO_DOTNET, '<m xmlns="urn:å">' + "<a>12:00:00</a>" * 20_000 + "<a>24:00:00</a></m>")

    assert [(each.path, each.facts) for each in found] == [("/m/a[20001]", {"why": "time_24"})]


@pytest.mark.parametrize(
    ("value", "receiver", "expected"),
    [
        ("12:00:00", Receiver.DOTNET, []),
        ("24:00:00", Receiver.DOTNET, [("/m/a", "receiver_may_refuse", Severity.ERROR)]),
        ("24:00:00", Receiver.OTHER, [("/m/a", "receiver_may_refuse", Severity.WARNING)]),
    ],
)
def test_a_form_that_streams_is_looked_at_as_well(
    tmp_path: Path, value: str, receiver: Receiver, expected: list[tuple[str, str, Severity]]
) -> None:
    """What may be refused is told at its place; beside faults as well."""
    registry(tmp_path, "x:time")
    small = SchemaRegistry(tmp_path, Limits(max_bytes=10))
    small.load(["a.xsd"])
    spec = replace(SPEC, receiver=receiver)
    (tmp_path / "a.xml").write_text(f"<m><a>{value}</a></m>")
    (tmp_path / "b.xml").write_text(f"<m><a>{value}</a><z/></m>")
    (tmp_path / "c.xml").write_bytes(f'<?xml version="1.0" encoding="windows-1252"?><m><a>{value}</a></m>'.encode())

    found = small.check_file(spec, tmp_path / "a.xml")

    assert [(each.path, each.rule, each.severity) for each in found] == expected
    rules = [rule for _, rule, _ in expected]
    assert [each.rule for each in small.check_file(spec, tmp_path / "b.xml")] == [*rules, "unexpected_element"]
    assert [each.rule for each in small.check_file(spec, tmp_path / "c.xml")] == ["receiver_may_refuse", *rules]


@pytest.mark.parametrize("size", [1, 50_000, 1 << 20, (1 << 20) + 3])
def test_what_is_cut_in_a_stream_is_seen(tmp_path: Path, size: int) -> None:
    """Blanks alone between two tags, wherever the pieces end; and nothing where there is nothing."""
    registry(tmp_path, "x:token")
    check = ReceiverCheck(read_schema_files(tmp_path, "a.xsd"))
    filling = b"<m>" + b"<a>b</a>" * (size // 8)

    def told(end: bytes, piece: int) -> list[str]:
        watch = Watch(check)
        data = filling + end
        pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
        assert list(watch.over(pieces)) == pieces
        return [each.rule for each in watch.findings()]

    for piece in (7_919, 1 << 20, (1 << 20) + 1):
        assert told(b"<a>  </a>" + b"<a>b</a>" * 50, piece) == ["receiver_not_checked"]
        assert told(b"<a>b</a>", piece) == []


@pytest.mark.parametrize(
    ("data", "rules"),
    [
        (b'<?xml version="1.0" encoding="utf-8"?>\n<m><a>b</a></m>', []),
        (b'<?xml version="1.0"?><?k?><m><!-- k --><a><![CDATA[b]]></a></m>', []),
        (b'<?xml version="1.0"?><m><a><![CDATA[b', ["receiver_not_checked"]),
    ],
    ids=["a declaration", "whole pieces", "a piece without its end"],
)
def test_an_xml_declaration_cuts_nothing(tmp_path: Path, data: bytes, rules: list[str]) -> None:
    """Next to all forms begin with one, and need no look at each value."""
    registry(tmp_path, "x:token")
    watch = Watch(ReceiverCheck(read_schema_files(tmp_path, "a.xsd")), frozenset({b"base64Binary"}))

    assert list(watch.over([data])) == [data]

    assert [each.rule for each in watch.findings()] == rules


REASONS = (
    *("blank", "address", "sign", "number", "time_24", "year", "duration", "nan", "length", "pattern"),
    *("blanks", "zone", "unknown", "encoding"),
)


@pytest.mark.parametrize("why", REASONS)
def test_every_reason_has_its_words(why: str) -> None:
    """In three languages, as one sentence that names the field."""
    from bridge.core.errors import Finding

    finding = Finding(path="/m/apner", rule="receiver_may_refuse", facts={"why": why})

    assert set(WHYS) == set(REASONS)
    for language, begin in (("nb", "Mottakeren kan avvise apner: "), ("nn", "Mottakaren kan avvise apner: ")):
        assert sentence(finding, language) == f"{begin}{WHYS[why][language]}."
    assert sentence(finding, "en") == f"The receiver may refuse apner: {WHYS[why]['en']}."


WITHOUT_TYPE = '<x:complexType name="t"><x:sequence><x:element name="n"/></x:sequence></x:complexType>'


@pytest.mark.parametrize(
    ("body", "form", "told"),
    [
        ('<x:element name="m"/>', "<m><z/></m>", ["/m/z"]),
        ('<x:element name="m"/>', "<m>a</m>", []),
        ('<x:element name="m"/><x:element name="n"/>', "<m><n/></m>", []),
        ('<x:element name="m" type="x:anyType"/>', "<m><z><y/></z></m>", ["/m/z", "/m/z/y"]),
        (
            f'<x:element name="m" type="t"/>{WITHOUT_TYPE}',
            "<m><n><z/></n></m>",
            ["/m/n/z"],
        ),
    ],
)
def test_what_has_no_type_takes_what_nobody_knows(tmp_path: Path, body: str, form: str, told: list[str]) -> None:
    """To XSD xs:anyType is a lax wildcard, of whose unknown elements .NET warns."""
    (tmp_path / "a.xsd").write_text(f"{HEAD}{body}</x:schema>", "utf-8")
    schemas = SchemaRegistry(tmp_path)
    schemas.load(["a.xsd"])

    found = schemas.check_form(TO_DOTNET, form)

    assert [(each.path, each.rule, each.facts["why"]) for each in found] == [
        (path, "receiver_may_refuse", "unknown") for path in told
    ]


UNIQUE = """<x:element name="m"><x:complexType><x:sequence><x:element name="r" maxOccurs="unbounded"><x:complexType>
<x:sequence><x:element name="d" type="x:date" minOccurs="0"/></x:sequence><x:attribute name="t" type="x:time"/>
<x:attribute name="s" type="x:string"/></x:complexType></x:element></x:sequence></x:complexType>
<x:%s name="u"><x:selector xpath="r"/><x:field xpath="d"/><x:field xpath="@%s"/></x:%s></x:element>"""
DAY, SAME_DAY = "<r t='12:00:00' s='a'><d>2026-01-01</d></r>", "<r t='12:00:00' s='a'><d>2026-01-01Z</d></r>"


@pytest.mark.parametrize(
    ("kind", "field", "rows", "told"),
    [
        ("unique", "t", DAY + SAME_DAY, ["/m/r[2]"]),
        ("unique", "t", SAME_DAY.replace("Z", "+02:00") + DAY, ["/m/r[2]"]),
        ("unique", "t", DAY + DAY.replace("12:00:00", "12:00:00+01:00"), ["/m/r[2]"]),
        ("unique", "t", DAY + SAME_DAY.replace("2026", "2027"), []),
        ("unique", "t", SAME_DAY + SAME_DAY.replace("12:", "13:"), []),
        ("unique", "t", DAY + SAME_DAY.replace("<d>2026-01-01Z</d>", ""), []),
        ("unique", "s", DAY + DAY.replace("'a'", "'10Z'") + DAY.replace("'a'", "'10'"), []),
        ("key", "t", DAY + SAME_DAY, []),
    ],
)
def test_dates_that_a_zone_alone_tells_apart_are_doubtful(
    tmp_path: Path, kind: str, field: str, rows: str, told: list[str]
) -> None:
    """Under xs:unique: to XSD a date with a zone and one without are never the same."""
    (tmp_path / "a.xsd").write_text(f"{HEAD}{UNIQUE % (kind, field, kind)}</x:schema>", "utf-8")
    schemas = SchemaRegistry(tmp_path)
    schemas.load(["a.xsd"])

    found = schemas.check_form(TO_DOTNET, f"<m>{rows}</m>")

    assert [(each.path, each.rule, each.facts.get("why")) for each in found] == [
        (path, "receiver_may_refuse", "zone") for path in told
    ]
