"""Lines are right however long a form is: libxml2 keeps two bytes for the line of an element."""

from pathlib import Path

import pytest
from lxml import etree

from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.forms.xml.mending import Mended
from tests.effort import growth

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" {}><x:element name="m"><x:complexType><x:sequence>
<x:element name="a" maxOccurs="unbounded"><x:complexType><x:sequence><x:element name="b" type="x:string"/>
<x:element name="c" type="x:string"/></x:sequence></x:complexType></x:element></x:sequence></x:complexType>
</x:element></x:schema>"""
SLOW = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")
# No text between the tags, by which libxml2 would guess: each element ends on the third line from its beginning.
LEAD = "<m><a\n><b\n>1</b><c\n/></a>" + "\n" * 70_000
LINE = LEAD.count("\n") + 1


def registry(folder: Path, version: str = "", limits: Limits | None = None) -> SchemaRegistry:
    (folder / "a.xsd").write_text(SCHEMA.format(version))
    made = SchemaRegistry(folder, limits)
    made.load(["a.xsd"])
    return made


@pytest.mark.parametrize("version", ["", SLOW], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("<a\n><c\n/></a\n>", ("/m/a[2]/b", "missing_element", 1, 0)),
        ("<a\n><b\n>2</b></a\n>", ("/m/a[2]/c", "missing_element", 2, 0)),
        ("<a\n><b\n>2</b><c\n/><z\n/></a\n>", ("/m/a[2]/z", "unexpected_element", 3, 3)),
        ("<a\n><b\n>2</b><c\n/></a\n>", None),
    ],
    ids=["missing before another", "missing last", "one too many", "nothing"],
)
def test_a_line_above_65535_is_that_of_the_form(
    tmp_path: Path, row: str, expected: tuple[str, str, int, int] | None, version: str
) -> None:
    """By both engines, also of what is missing."""
    findings = registry(tmp_path, version).check("a.xsd", f"{LEAD}{row}</m>")

    told = [(each.path, each.rule, each.line - LINE, each.column) for each in findings]
    assert told == ([] if expected is None else [expected])


@pytest.mark.parametrize("version", ["", pytest.param(SLOW, marks=pytest.mark.slow)], ids=["libxml2", "xmlschema"])
def test_what_stands_where_something_is_missing_has_no_guessed_line(tmp_path: Path, version: str) -> None:
    """Among elements alone, without any text, what libxml2 guesses is wrong by thousands."""
    rows = "<a\n><b\n/><c\n/></a\n>" * 18_000

    findings = registry(tmp_path, version).check("a.xsd", f"<m>{rows}<a\n><c\n/></a></m>")

    assert (findings[0].path, findings[0].rule) == ("/m/a[18001]/b", "missing_element")
    assert findings[0].line == rows.count("\n") + 2


def test_an_element_of_a_stream_that_began_long_ago_has_its_line(tmp_path: Path) -> None:
    """Also where its fault is found at its end."""
    rows = "<a><b>1</b><c/></a>\n" * 3_000
    (tmp_path / "a.xml").write_text(f'<?xml version="1.0"?>\n<m>\n{rows}x</m>')

    findings = registry(tmp_path, limits=Limits(max_bytes=1)).check_file(SPEC, tmp_path / "a.xml")

    assert [(each.path, each.rule, each.line) for each in findings] == [("/m", "text_not_allowed", 2)]


LISTED = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
<x:element name="r" type="x:int" maxOccurs="unbounded"/><x:element name="a" type="x:int" minOccurs="0"/>
<x:element name="b" type="x:int" minOccurs="0"/><x:element name="p" type="x:int"/></x:sequence></x:complexType>
</x:element></x:schema>"""
HIDING = {
    "what is missing last": ("<m>{}</m>", [("/m/p", "missing_element", {})]),
    "a value in front": ("<m><r>x</r>{}</m>", [("/m/r[1]", "type", {"type": "int"}), ("/m/p", "missing_element", {})]),
    "nothing behind what is unknown": ("<m>{}<q/><p>1</p></m>", [("/m/q", "unexpected_element", {})]),
    "what stands behind what is unknown": (
        "<m><r>1</r><q/>{}<q/><r>x</r><p>1</p></m>",
        [
            ("/m/q[1]", "unexpected_element", {}),
            ("/m/q[2]", "unexpected_element", {}),
            ("/m/r[5002]", "type", {"type": "int"}),
        ],
    ),
    "what stands behind a long list": (
        "<m><r>1</r>{}<b>1</b><a>1</a><p>x</p></m>",
        [
            ("/m/a", "misplaced_element", {"before": "b"}),
            ("/m/p", "type", {"type": "int"}),
        ],
    ),
}


@pytest.mark.parametrize(("form", "expected"), HIDING.values(), ids=HIDING)
def test_a_long_form_is_explained_as_a_short_one(
    tmp_path: Path, form: str, expected: list[tuple[str, str, dict[str, str]]]
) -> None:
    """All that is wrong, at its place, and no word of more faults where there are none."""
    (tmp_path / "a.xsd").write_text(LISTED)
    made = SchemaRegistry(tmp_path)
    made.load(["a.xsd"])

    found = made.check("a.xsd", form.format("<r>1</r>" * 5_000))

    assert [(each.path, each.rule, each.facts) for each in found] == expected


def test_what_hides_in_a_long_form_is_not_asked_for_where_it_is_very_much(tmp_path: Path) -> None:
    """Each of 20,000 faults would take a walk over 20,000 siblings: that there may be more is said instead."""
    (tmp_path / "a.xsd").write_text(LISTED)
    made = SchemaRegistry(tmp_path)
    made.load(["a.xsd"])

    found = made.check("a.xsd", f"<m><q/>{'<r>x</r>' * 20_000}<p>1</p></m>")

    assert [(each.path, each.rule) for each in found] == [("/m/q", "unexpected_element"), ("/", "more_findings")]


def test_naming_children_grows_with_their_number() -> None:
    """Of a group that is missing again and again, each is asked for."""

    def name(count: int) -> None:
        root = etree.fromstring("<m>" + "<a/>" * count + "</m>")
        mended = Mended()
        assert [mended.step(child) for child in root][-1] == f"a[{count}]"

    assert growth(name, 500) < 80
