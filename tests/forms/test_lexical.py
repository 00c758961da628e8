"""How values may be written: what XSD takes is taken and what it does not is not, by whichever engine."""

from pathlib import Path

import pytest

from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.forms.xml.schema_files import Engine

XS = 'xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning"'
DATES = {
    "date": "2026-11-28",
    "dateTime": "2026-11-28T12:00:00Z",
    "time": "12:00:00",
    "gYear": "2026",
    "gYearMonth": "2026-11",
    "gMonth": "--11",
    "gMonthDay": "--11-28",
    "gDay": "---28",
    "duration": "P1Y",
}

SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd")


def schema(folder: Path, content: str, name: str = "a.xsd", *, slow: bool = False) -> SchemaRegistry:
    marked = ' vc:minVersion="1.1"' if slow else ""
    (folder / name).write_text(f"<x:schema {XS}{marked}>{content}</x:schema>", "utf-8")
    registry = SchemaRegistry(folder)
    registry.load([name])
    assert registry.engine(name) is (Engine.XMLSCHEMA11 if slow else Engine.LIBXML2)
    return registry


def of_type(kind: str) -> str:
    return (
        '<x:element name="m"><x:complexType><x:sequence>'
        f'<x:element name="a" type="{kind}" minOccurs="0" maxOccurs="unbounded"/></x:sequence>'
        f'<x:attribute name="b" type="{kind}"/></x:complexType></x:element>'
    )


def rules(registry: SchemaRegistry, form: str, name: str = "a.xsd") -> list[tuple[str, str]]:
    return [(each.path, each.rule) for each in registry.check(name, form)]


@pytest.mark.parametrize(("kind", "value"), DATES.items(), ids=DATES)
def test_blanks_around_dates_and_times_mean_nothing(tmp_path: Path, kind: str, value: str) -> None:
    """In elements and attributes, also beside a comment; blanks inside, and Unicode's, are none of XML's."""
    registry = schema(tmp_path, of_type(f"x:{kind}"))

    assert rules(registry, f"<m b=' {value}&#10;'><a>\n  {value}\t</a><a> {value}<!-- k --></a></m>") == []
    assert rules(registry, f"<m><a> {value} </a><a> x </a></m>") == [("/m/a[2]", "type")]
    assert rules(registry, f"<m b=' {value} x'/>") == [("/m/@b", "type")]
    assert ("/m/a", "type") in rules(registry, f"<m><a>\u00a0{value}</a></m>")


CUT = (
    "<a><![CDATA[ {0} ]]></a>",
    "<a> <![CDATA[{0}]]> </a>",
    "<a> <!-- k -->{0}<!-- k --> </a>",
    "<a> <?k?>{0}</a>",
    "<a><![CDATA[ {1}]]><!-- < -->{2} </a>",
)
"""Values with blanks around them, in more than one piece."""


@pytest.mark.parametrize("many", [1, 20_000], ids=["small", "large"])
@pytest.mark.parametrize("kind", ["date", "time", "gYear", "gMonth", "duration"])
def test_blanks_mean_nothing_in_marked_sections_and_between_comments(tmp_path: Path, kind: str, many: int) -> None:
    """There is one way to read a value, whatever it is cut by; in attributes blanks may be numbers."""
    registry = schema(tmp_path, of_type(f"x:{kind}"))
    value = DATES[kind]
    cut = "".join(each.format(value, value[:1], value[1:]) for each in CUT)

    assert rules(registry, f"<m>{cut}{f'<a>{value}</a>' * many}</m>") == []
    assert rules(registry, f"<m><a>{value}</a><a> <![CDATA[x]]></a></m>") == [("/m/a[2]", "type")]


@pytest.mark.parametrize("value", ["<![CDATA[1E]]>", "1<!-- k -->E", "1<?k?>e<!-- << -->", "<![CDATA[1]]>E"])
def test_what_the_engine_overlooks_is_seen_in_cut_values_as_well(tmp_path: Path, value: str) -> None:
    """In a form that streams, too."""
    registry, path = schema(tmp_path, of_type("x:double")), tmp_path / "a.xml"
    streaming = SchemaRegistry(tmp_path, Limits(max_bytes=1))
    streaming.load(["a.xsd"])
    path.write_text(f"<m><a>{value}</a></m>", "utf-8")

    assert rules(registry, path.read_text("utf-8")) == [("/m/a", "type")]
    assert [(each.path, each.rule) for each in streaming.check_file(SPEC, path)] == [("/m/a", "type")]


def test_a_comment_longer_than_a_window_hides_no_value(tmp_path: Path) -> None:
    """What streams is looked at in windows, and one may begin in the midst of it."""
    schema(tmp_path, of_type("x:double"))
    streaming = SchemaRegistry(tmp_path, Limits(max_bytes=1))
    streaming.load(["a.xsd"])
    (tmp_path / "a.xml").write_text(f"<m><a>1<!--{'< ' * 1_200_000}-->E</a></m>", "utf-8")

    assert [each.rule for each in streaming.check_file(SPEC, tmp_path / "a.xml")] == ["type"]


def test_facets_hold_for_dates_with_blanks_as_well(tmp_path: Path) -> None:
    """And in unions."""
    registry = schema(
        tmp_path,
        '<x:simpleType name="d"><x:restriction base="x:date"><x:minInclusive value="2026-01-01"/></x:restriction>'
        '</x:simpleType><x:simpleType name="u"><x:union memberTypes="d x:int"/></x:simpleType>' + of_type("u"),
    )

    assert rules(registry, "<m b=' 2026-01-01 '><a> 2026-01-02 </a><a> 7 </a></m>") == []
    assert [path for path, _ in rules(registry, "<m><a> 2025-12-31 </a></m>")] == ["/m/a"]


def test_blanks_mean_nothing_in_large_forms_and_in_those_that_stream(tmp_path: Path) -> None:
    """And what else is wrong there is found."""
    registry = schema(tmp_path, of_type("x:date"))
    good = "<m>" + "<a> 2026-11-28 </a>\n" * 20_000 + "%s</m>"
    path, small = tmp_path / "a.xml", SchemaRegistry(tmp_path, Limits(max_bytes=1))
    small.load(["a.xsd"])
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd")

    assert rules(registry, good % "") == []
    assert rules(registry, good % "<a> x </a>") == [("/m/a[20001]", "type")]
    for last, expected in (("", []), ("<a> x </a>", ["type"])):
        path.write_text("<m>" + "<a> 2026-11-28 </a>\n" * 3 + f"{last}</m>")
        assert [each.rule for each in small.check_file(spec, path)] == expected


def test_lines_are_those_of_the_form_that_came_with_blanks(tmp_path: Path) -> None:
    """Also of a large one, which is judged without its blanks: of what is missing, the line is all that is told."""
    registry = schema(
        tmp_path,
        '<x:element name="m"><x:complexType><x:sequence><x:element name="d" type="x:date" maxOccurs="unbounded"/>'
        '<x:element name="i" type="x:int"/><x:element name="j" type="x:int"/></x:sequence></x:complexType></x:element>',
    )
    form = "<m>\n" + "<d>\n2024-01-01\n</d>\n" * 8_000 + "<j>1</j></m>"

    told = registry.check("a.xsd", form)[0]

    assert (told.rule, told.line) == ("missing_element", 24_002)


WRONG = {
    "integer": ("1_000", "１２", "١٢", "+ 1", "\u00a01", "1\u2003"),
    "decimal": ("1_0.5", "\u00a01", "1e3", "٣.٥"),
    "int": ("1_0", "\u202f7"),
    "boolean": ("\u00a0true", "True"),
    "double": ("1E", "1_0", "1e+", "Infinity"),
    "float": ("1E", "nan"),
    "base64Binary": ("2026-11-28", "AAA", "QUJD!"),
    "anyURI": ("http://host:port/",),
    "QName": ("ª",),
    "date": ("２０２６-01-01", "2026-1-1"),
}
RIGHT = {
    "integer": ("+1000", " 12\n"),
    "decimal": (".5", "1.", "-0.50"),
    "int": (" 7 ",),
    "boolean": (" true ", "0"),
    "double": ("1E3", "-INF", "NaN", ".5e-1"),
    "float": ("1e+3",),
    "base64Binary": ("QUJD", " QU JD\n", "QQ=="),
    "anyURI": ("http://host:80/æ",),
    "QName": ("x:a", "a"),
    "date": (" 2026-01-01 ",),
}


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize("kind", WRONG)
def test_values_are_written_as_their_types_want(tmp_path: Path, kind: str, slow: bool) -> None:
    """By both engines alike, in elements and attributes."""
    registry = schema(tmp_path, of_type(f"x:{kind}"), slow=slow)
    names = 'xmlns:x="urn:x"'

    for text in RIGHT[kind]:
        assert rules(registry, f'<m {names} b="{text}"><a>{text}</a></m>') == []
    for text in WRONG[kind]:
        assert [path for path, _ in rules(registry, f"<m {names}><a>{text}</a></m>")] == ["/m/a"], text
        assert [path for path, _ in rules(registry, f'<m {names} b="{text}"/>')] == ["/m/@b"], text


EITHER = {
    "x:double x:date": (("1E", "2026-1-1"), ("1E3", "2026-11-28")),
    "x:base64Binary x:int": (("2026-11-28", "AAA", "1_0"), ("QUJD", "7")),
    "x:NMTOKENS x:int": (("", " "), ("a b", "7")),
    "x:double named": (("1E", "2E"), ("7E", "1")),
    "x:int pair": (("1E 2", "1 2E"), ("1 2", "7")),
}
MEMBERS = (
    '<x:simpleType name="named"><x:restriction base="x:string"><x:pattern value="7E|x"/></x:restriction></x:simpleType>'
    '<x:simpleType name="pair"><x:list itemType="x:double"/></x:simpleType>'
)


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize("members", EITHER)
def test_a_union_takes_what_one_of_its_members_takes(tmp_path: Path, members: str, slow: bool) -> None:
    """With the facets of that member, as outside of a union."""
    union = f'<x:simpleType name="u"><x:union memberTypes="{members}"/></x:simpleType>'
    registry = schema(tmp_path, MEMBERS + union + of_type("u"), slow=slow)
    wrong, right = EITHER[members]

    for text in right:
        assert rules(registry, f'<m b="{text}"><a>{text}</a></m>') == [], text
    for text in wrong:
        assert [path for path, _ in rules(registry, f"<m><a>{text}</a></m>")] == ["/m/a"], text
        assert [path for path, _ in rules(registry, f'<m b="{text}"/>')] == ["/m/@b"], text


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize("base", ["anySimpleType", "anyType"])
@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("double", "1E", "1E3"),
        ("base64Binary", "2026-11-28", "QUJD"),
        ("NMTOKENS", "", "a"),
        ("d&#111;uble", "1E", "1"),
    ],
)
def test_types_that_only_the_form_names_are_held_to_as_well(
    tmp_path: Path, base: str, kind: str, wrong: str, right: str, slow: bool
) -> None:
    """The schema has no word of them."""
    registry = schema(tmp_path, of_type(f"x:{base}").replace(f'name="b" type="x:{base}"', 'name="b"'), slow=slow)
    form = f"<m {XS} xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><a i:type = ' x:{kind} '>%s</a></m>"

    assert rules(registry, form % right) == []
    assert [path for path, _ in rules(registry, form % wrong)] == ["/m/a"]


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize("kind", ["p", "l", "u"])
def test_letters_of_newer_unicode_are_letters(tmp_path: Path, kind: str, slow: bool) -> None:
    """Also among the old ones by their number, in lists and in unions; what is no letter stays none."""
    types = (
        r'<x:simpleType name="p"><x:restriction base="x:string"><x:pattern value="\p{L}+"/></x:restriction>'
        '</x:simpleType><x:simpleType name="l"><x:list itemType="p"/></x:simpleType>'
        '<x:simpleType name="u"><x:union memberTypes="x:int p"/></x:simpleType>'
    )
    registry = schema(tmp_path, types + of_type(kind), slow=slow)

    for text in ("STRAẞE", "ȷ", "Ⱥɂ", "Ϗ", "ӷ", "æ"):
        assert rules(registry, f'<m b="{text}"><a>{text}</a></m>') == [], text
    for text in ("ẞ-", "Ⱥ!", "€"):
        assert [path for path, _ in rules(registry, f"<m><a>{text}</a></m>")] == ["/m/a"], text


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
def test_ids_are_unique_and_lead_somewhere(tmp_path: Path, slow: bool) -> None:
    """In elements too, which libxml2 does not look at; and lists of names are not empty."""
    one = '<x:element name="%s" type="x:%s" minOccurs="0" maxOccurs="9"/>'
    inside = "".join(one % each for each in (("a", "ID"), ("b", "IDREF"), ("c", "NMTOKENS"), ("d", "IDREFS")))
    registry = schema(
        tmp_path,
        f'<x:element name="m"><x:complexType><x:sequence>{inside}</x:sequence></x:complexType></x:element>',
        slow=slow,
    )

    assert rules(registry, "<m><a>p</a><a>q</a><b>q</b><c>1 2</c><d>p q</d></m>") == []
    for form in ("<a>p</a><a>p</a>", "<a>p</a><b>q</b>", "<c> </c>", "<a>p</a><d>p q</d>"):
        assert len(registry.check("a.xsd", f"<m>{form}</m>")) == 1, form


def test_the_slower_engine_reads_what_stands_between_comments_and_elements(tmp_path: Path) -> None:
    """Comments in values, and no blanks but XML's between elements."""
    registry = schema(tmp_path, of_type("x:int"), slow=True)

    assert rules(registry, "<m>\n <a>1<!-- k -->2<?p k?></a> <!-- k --></m>") == []
    assert rules(registry, "<m><a>1<!-- k -->x</a></m>") == [("/m/a", "type")]
    assert rules(registry, "<m>\u00a0<a>1</a></m>") == [("/m", "text_not_allowed")]


@pytest.mark.parametrize(
    ("group", "good", "bad"),
    [
        ('minOccurs="2" maxOccurs="3"><x:element name="a" minOccurs="0" type="x:int"/>', (0, 1, 3), (4,)),
        ('maxOccurs="3"><x:element name="a" minOccurs="2" maxOccurs="3" type="x:int"/>', (2, 4, 7, 9), (1, 10)),
        ('minOccurs="2" maxOccurs="2"><x:element name="a" minOccurs="2" maxOccurs="2" type="x:int"/>', (4,), (2, 3, 5)),
    ],
)
def test_groups_of_optional_or_counted_members_may_repeat(
    tmp_path: Path, group: str, good: tuple[int, ...], bad: tuple[int, ...]
) -> None:
    """Both engines count as the schema does."""
    content = f'<x:element name="m"><x:complexType><x:sequence {group}</x:sequence></x:complexType></x:element>'
    fast, slow = schema(tmp_path, content), schema(tmp_path, content, "slow.xsd", slow=True)

    for count in (*good, *bad):
        form = f"<m>{'<a>1</a>' * count}</m>"
        assert (fast.check("a.xsd", form) == ()) is (count in good)
        assert (slow.check("slow.xsd", form) == ()) is (count in good)


def test_a_type_may_be_named_in_other_ways(tmp_path: Path) -> None:
    """With blanks around it, and where any declared element may stand."""
    registry = schema(
        tmp_path,
        '<x:element name="m"><x:complexType><x:sequence><x:any/></x:sequence></x:complexType></x:element>'
        '<x:element name="n" type="x:decimal"/>',
    )
    names = 'xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:s="http://www.w3.org/2001/XMLSchema-instance"'

    assert rules(registry, f"<m {names}><n s:type=' x:int\n'>1</n></m>") == []
    assert rules(registry, f"<m {names}><n s:type=' x:int'>1.5</n></m>") == [("/m/n", "type")]
    assert rules(registry, f"<m {names}><z s:type='x:int'>1</z></m>") == []
    assert rules(registry, f"<m {names}><z s:type='x:int'>x</z></m>") != []
    assert rules(registry, f"<m {names}><z>1</z></m>") == [("/m/z", "unexpected_element")]


@pytest.mark.parametrize("version", ["1.1", "1.2", "2.0", ""])
def test_only_xml_1_0_is_read(tmp_path: Path, version: str) -> None:
    """No .NET reader takes another; as bytes, as text, and where it streams."""
    registry = schema(tmp_path, of_type("x:int"))
    form = f"<?xml version = '{version}' encoding='utf-8'?>\n<m/>"
    path, small = tmp_path / "a.xml", SchemaRegistry(tmp_path, Limits(max_bytes=1))
    small.load(["a.xsd"])
    path.write_text(form)
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd")

    assert rules(registry, form) == [("/", "xml_version")]
    assert [each.rule for each in registry.check("a.xsd", form.encode("utf-16"))] == ["encoding"]
    assert [each.rule for each in small.check_file(spec, path)] == ["xml_version"]
    assert rules(registry, form.replace(f"'{version}'", "'1.0'")) == []


COMMENTED = """<x:element name="m"><x:complexType><x:sequence>
<x:element name="n" type="x:int" minOccurs="0" maxOccurs="unbounded"/>
<x:element name="d" type="x:date" minOccurs="0" maxOccurs="unbounded"/>
<x:element name="f" type="x:string" minOccurs="0"/></x:sequence></x:complexType></x:element>"""


@pytest.mark.parametrize("way", ["small", "large", "streamed"])
@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<n>ab<!-- x -->c</n>", [("/m/n", "type")]),
        ("<n>1<!-- x -->c</n>", [("/m/n", "type")]),
        ("<n><!-- x -->ab</n>", [("/m/n", "type")]),
        ("<n><?x y?></n>", [("/m/n", "empty")]),
        ("<d> 2024-01-01 <!-- x -->z</d>", [("/m/d", "type")]),
        ("<n>1<!-- x -->2</n><d> 2024-<!-- x -->01-01 </d>", []),
    ],
)
def test_a_comment_hides_no_value(tmp_path: Path, way: str, inside: str, found: list[tuple[str, str]]) -> None:
    """In a form of any size: to lxml a comment is a child, and the text before it is not the whole."""
    schema(tmp_path, COMMENTED)
    (tmp_path / "a.xml").write_text(f"<m>{inside}{'<f>' + 'x' * 257_000 + '</f>' if way == 'large' else ''}</m>")
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd")
    registry = SchemaRegistry(tmp_path, Limits(max_bytes=1) if way == "streamed" else Limits())
    registry.load(["a.xsd"])

    told = registry.check_file(spec, tmp_path / "a.xml")

    assert [(each.path, each.rule) for each in told] == found


def test_comments_in_many_values_hide_none_of_them(tmp_path: Path) -> None:
    """Where the faults are so many that xmlschema is not asked, which would take the comments out."""
    registry = schema(tmp_path, COMMENTED)

    assert len(rules(registry, f"<m>{'<n>a<!-- x -->b</n>' * 60}</m>")) == 60
