"""What came back is held against what was sent: every loss is found, and nothing is told that means nothing."""

import os
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bridge.bundled import examples_folder, schemas_folder
from bridge.core.texts.findings import sentence
from bridge.forms.conversion.converter import Converter
from bridge.forms.cut_short import stopped_at
from bridge.forms.diff import Change, Difference, differences, without_idle_blanks
from bridge.forms.rows import equal_rows, longest_run
from bridge.forms.xml.input import Unreadable

FORMS = Path(__file__).parents[3] / "shared" / "forms"
LOST, ADDED, CHANGED, MOVED = Change.LOST, Change.ADDED, Change.CHANGED, Change.MOVED
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:element name="m"><xs:complexType><xs:sequence>
    <xs:element name="tall" type="xs:decimal" minOccurs="0" nillable="true"/>
    <xs:element name="ja" type="xs:boolean" minOccurs="0"/>
    <xs:element name="dag" type="xs:date" minOccurs="0"/>
    <xs:element name="tekst" type="xs:string" minOccurs="0"/>
    <xs:element name="gruppe" minOccurs="0"><xs:complexType><xs:all>
      <xs:element name="a" type="xs:string" minOccurs="0"/><xs:element name="b" type="xs:string" minOccurs="0"/>
    </xs:all></xs:complexType></xs:element>
    <xs:element name="rad" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:simpleContent>
      <xs:extension base="xs:decimal"><xs:attribute name="orid" type="xs:int"/></xs:extension>
    </xs:simpleContent></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


@pytest.fixture(scope="module")
def converter(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    """A small schema."""
    path = tmp_path_factory.mktemp("losses") / "m.xsd"
    path.write_text(SCHEMA, encoding="utf-8")
    return Converter.from_schema(path)


def told(found: tuple[Difference, ...]) -> list[tuple[str, Change, str | None, str | None]]:
    return [(one.path, one.change, one.old, one.new) for one in found]


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ("<m><a>1</a></m>", '<?xml version="1.0" encoding="utf-8"?>\n<m>\n  <a>1</a><!-- x -->\n</m>'),
        ('<m xmlns="urn:u"><a/></m>', '<p:m xmlns:p="urn:u"><p:a></p:a></p:m>'),
        ('<m x="1" y="2"/>', '<m y="2" x="1"/>'),
        (f'<m {XSI}><a xsi:nil="true"/></m>', "<m/>"),
        ("<m/>", f'<m {XSI}><g xsi:nil="1"/></m>'),
        ("<m><g/></m>", "<m><g>\n  </g></m>"),
        ("<m>a &amp; b</m>", "<m><![CDATA[a & b]]></m>"),
        ('{"a": 1, "b": [1.0, 2]}', '{"b": [1, 2.00], "a": 1e0}'),
        ('{"a": null, "b": [], "c": {"d": null}}', '{"c": {}}'),
    ],
)
def test_what_means_nothing_is_not_told(sent: str, back: str):
    """Prefixes, white space, comments, orders without meaning, nil and missing, spellings of a number."""
    assert differences(sent, back) == ()
    assert differences(back, sent) == ()


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ("<m><tall>1.0</tall><ja>true</ja></m>", "<m><tall> 01 </tall><ja>1</ja></m>"),
        ("<m><gruppe><a>1</a><b>2</b></gruppe></m>", "<m><gruppe><b>2</b><a>1</a></gruppe></m>"),
        ('<m><rad orid="7">1.10</rad></m>', '{"rad": [{"orid": 7, "value": 1.1}]}'),
        ("<m><tall>5</tall></m>", '{"tall": "5.0", "ja": null}'),
        (f'<m {XSI}><tall xsi:nil="true"/></m>', "{}"),
    ],
)
def test_a_shape_knows_what_is_a_number_and_what_has_no_order(converter: Converter, sent: str, back: str):
    """And holds XML against JSON."""
    assert differences(sent, back, converter=converter) == ()
    assert differences(back, sent, converter=converter) == ()


def test_blanks_around_a_date_change_nothing(converter: Converter) -> None:
    """With a schema by its type; without one a check of losses keeps to the bytes, and people are not told of it."""
    sent, back = "<m><dag>2026-01-01</dag></m>", "<m><dag> 2026-01-01\n</dag></m>"
    text = "<m><tekst>{}</tekst></m>"

    assert differences(sent, back, converter=converter) == ()
    assert differences(sent, '{"dag": " 2026-01-01"}', converter=converter) == ()
    assert [each.path for each in differences(text.format("a"), text.format(" a"), converter=converter)] == ["/m/tekst"]
    assert [each.path for each in differences(sent, back)] == ["/m/dag"]
    assert without_idle_blanks(differences(sent, back)) == ()
    assert len(without_idle_blanks(differences(text.format("a"), text.format(" a")))) == 1
    assert len(without_idle_blanks(differences(sent, back.replace("2026", "2027")))) == 1


@pytest.mark.parametrize(
    ("sent", "back", "expected"),
    [
        ("<m><a>1</a></m>", "<m/>", [("/m/a", LOST, "1", None)]),
        ("<m/>", "<m><a>1</a></m>", [("/m/a", ADDED, None, "1")]),
        ("<m><a>1</a></m>", "<m><a>2</a></m>", [("/m/a", CHANGED, "1", "2")]),
        ("<m><a>1</a></m>", "<m><a>1.0</a></m>", [("/m/a", CHANGED, "1", "1.0")]),
        ("<m><a>-1</a></m>", "<m><a>-2</a></m>", [("/m/a", CHANGED, "-1", "-2")]),
        ("<m><a> </a></m>", "<m><a/></m>", [("/m/a", CHANGED, " ", "")]),
        ("<m><a/></m>", "<m/>", [("/m/a", LOST, "", None)]),
        ("<m><a>1</a></m>", f'<m {XSI}><a xsi:nil="true"/></m>', [("/m/a", LOST, "1", None)]),
        ('<m x="1"/>', '<m x="2"/>', [("/m/@x", CHANGED, "1", "2")]),
        ('<m><a x="1">2</a></m>', "<m><a>2</a></m>", [("/m/a/@x", LOST, "1", None)]),
        ("<m><g><a>1</a><b>2</b></g></m>", "<m/>", [("/m/g/a", LOST, "1", None), ("/m/g/b", LOST, "2", None)]),
        ("<m><g><a>1</a></g></m>", "<m><g/></m>", [("/m/g/a", LOST, "1", None)]),
        ("<m><a>1</a><b>2</b></m>", "<m><b>2</b><a>1</a></m>", [("/m/b", MOVED, "2", None)]),
        ("<m><r>1</r><r>2</r><r>3</r></m>", "<m><r>1</r><r>3</r></m>", [("/m/r[2]", LOST, "2", None)]),
        ("<m><r>1</r><r>2</r><r>3</r></m>", "<m><r>3</r><r>1</r><r>2</r></m>", [("/m/r[3]", MOVED, "3", None)]),
        ("<m>a<b/>c</m>", "<m>a<b/></m>", [("/m/text()", CHANGED, "ac", "a")]),
        ("<m><a>1</a></m>", "<n/>", [("/m/a", LOST, "1", None), ("/n", ADDED, None, "")]),
        ('<m xmlns="urn:a"><a>1</a></m>', "<m/>", [("/m/a", LOST, "1", None), ("/m", ADDED, None, "")]),
        ('{"a": {"b": [1, {"c": "x"}]}}', '{"a": {"b": [1]}}', [("/a/b/1/c", LOST, "x", None)]),
        ('{"a": 1}', '{"a": "1"}', [("/a", CHANGED, "1", "1")]),
        ('{"a": true}', '{"a": false}', [("/a", CHANGED, "true", "false")]),
        ('{"a": {}}', "{}", [("/a", LOST, "", None)]),
        ('{"a": 12345678901234567890123}', '{"a": 12345678901234567890124}', None),
        ("{}", '{"a/b": null, "c~": 1}', [("/c~0", ADDED, None, "1")]),
    ],
)
def test_each_difference_is_told_by_its_path(sent: str, back: str, expected: list[Any] | None):
    """Lost, added, changed, moved; XML paths count from one, pointers from nought."""
    found = told(differences(sent, back))

    assert found == expected or (expected is None and [one[1] for one in found] == [CHANGED])


def test_nil_and_missing_may_be_told_apart():
    """Where the model does not equate them."""
    sent = f'<m {XSI}><a xsi:nil="true"/></m>'

    assert told(differences(sent, "<m/>", nil_is_missing=False)) == [("/m/a", LOST, "", None)]
    assert told(differences(sent, "<m><a/></m>", nil_is_missing=False)) == [("/m/a", ADDED, None, "")]
    assert told(differences('{"a": null}', "{}", nil_is_missing=False)) == [("/a", LOST, "", None)]


def test_values_are_in_no_repr_and_no_sentence():
    """They may be personal; a path and what happened are not."""
    (found,) = differences("<m><navn>hemmelig</navn></m>", "<m><navn>skjult</navn></m>")

    assert "hemmelig" not in repr(found)
    assert "skjult" not in repr(found)
    assert sentence(found.finding(), "nb") == "Navn kom tilbake med en annen verdi."
    assert sentence(found.finding(), "en") == "Navn came back with another value."


def test_xml_against_json_needs_a_shape(converter: Converter):
    """Without one nobody knows which is which."""
    with pytest.raises(ValueError, match="needs the shape"):
        differences("<m/>", "{}")
    with pytest.raises(Unreadable):
        differences("<m>", "<m/>", converter=converter)


def test_many_rows_are_compared_in_bounded_time():
    """Where everything changed, rows are compared by their place."""
    sent = "<m>" + "".join(f"<r>{number}</r>" for number in range(2_000)) + "</m>"
    back = "<m>" + "".join(f"<r>x{number}</r>" for number in range(2_000)) + "</m>"

    found = differences(sent, back)

    assert len(found) == 2_000
    assert {one.change for one in found} == {CHANGED}


# Whatever is removed, its values are what is told as lost.

NAMES = st.sampled_from(["a", "b", "c"])


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    """A group of fields, rows and groups; each value in it is its own."""
    members: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, unique=True, min_size=1, max_size=3)):
        kind = draw(st.integers(0, 3 if depth else 1))
        if kind == 0:
            members[name] = "value"
        elif kind == 1:
            members[name] = ["value"] * draw(st.integers(2, 4))
        elif kind == 2:
            members[name] = draw(trees(depth=depth - 1))
        else:
            members[name] = draw(st.lists(trees(depth=depth - 1), min_size=1, max_size=4))
    return members


def written(tree: dict[str, Any]) -> etree._Element:
    """Write the tree as XML with a value for each field."""
    root = etree.Element("m")
    waiting: list[tuple[etree._Element, Any]] = [(root, tree)]
    while waiting:
        node, group = waiting.pop(0)
        for name, inner in group.items():
            for item in inner if isinstance(inner, list) else [inner]:
                child = etree.SubElement(node, name)
                if isinstance(item, dict):
                    waiting.append((child, item))
    for number, leaf in enumerate(node for node in root.iter() if not len(node)):
        leaf.text = f"v{number}"
    return root


@settings(deadline=None, max_examples=300)
@given(trees(), st.data())
def test_every_removed_field_is_found(tree: dict[str, Any], data: st.DataObject):
    """Its value is told as lost, and nothing else is told, wherever and however many there are."""
    root = written(tree)
    sent = etree.tostring(root)
    fields = [node for node in root.iter() if not len(node)]
    removed = data.draw(st.lists(st.sampled_from(fields), unique=True, max_size=len(fields)) if fields else st.just([]))
    values = sorted(node.text or "" for node in removed if node.getparent() is not None)

    for node in removed:
        parent = node.getparent()
        if parent is not None:
            parent.remove(node)
    found = differences(sent, etree.tostring(root))

    assert sorted(one.old or "" for one in found) == values
    assert {one.change for one in found} <= {LOST}


@settings(deadline=None, max_examples=100)
@given(trees(), st.data())
def test_every_changed_field_is_found(tree: dict[str, Any], data: st.DataObject):
    """A value that is another is told where it stands, or as lost and added where rows cannot be told apart."""
    root = written(tree)
    sent = etree.tostring(root)
    fields = [node for node in root.iter() if not len(node)]
    field = data.draw(st.sampled_from(fields))
    old, field.text = field.text, "en annen"

    found = differences(sent, etree.tostring(root))

    assert {one.old for one in found} - {None} == {old}
    assert {one.new for one in found} - {None} == {"en annen"}


def test_the_shipped_example_raises_no_alarm():
    """Converted and written anew, nothing is told."""
    converter = Converter.from_schema(schemas_folder() / "serveringsbevilling.xsd")
    xml = (examples_folder() / "serveringsbevilling.xml").read_bytes()

    assert differences(xml, converter.to_xml(converter.to_json(xml)), nil_is_missing=False) == ()


@pytest.mark.contract
@pytest.mark.skipif(not FORMS.is_dir() and "CI" not in os.environ, reason="the folder of real forms is not here")
@pytest.mark.parametrize("folder", sorted(FORMS.glob("*")) or [FORMS], ids=lambda folder: folder.name)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_field_removed_from_a_real_form_is_found(folder: Path, data: st.DataObject):
    """Elements and attributes, one or many, whichever kind of form comes back."""
    converter = real_shape(folder)
    root = etree.parse(folder / "valid.xml").getroot()
    sent = etree.tostring(root)
    places = [(node, str(name)) for node in root.iter(etree.Element) for name in node.attrib if "nil" not in str(name)]
    places += [(node, "") for node in root.iter(etree.Element) if not len(node) and (node.text or "").strip()]
    removed = data.draw(st.lists(st.sampled_from(places), unique=True, max_size=6) if places else st.just([]))
    # An element takes its attributes with it.
    whole = {node for node, name in removed if not name}
    gone = sorted(node.text or "" for node in whole)
    gone += [value for node in whole for value in map(str, node.attrib.values())]
    gone += [str(node.get(name)) for node, name in removed if name and node not in whole]

    for node, name in removed:
        parent = node.getparent()
        if name:
            node.attrib.pop(name, "")
        elif parent is not None:
            parent.remove(node)
    back = etree.tostring(root)

    for found in (
        differences(sent, back, converter=converter),
        differences(sent, converter.to_json(back), converter=converter),
    ):
        assert sorted(one.old or "" for one in found) == sorted(gone)
        assert {one.change for one in found} <= {LOST}


def test_paths_of_what_is_very_deep_end_where_they_are_long_enough() -> None:
    """A small form of deep fields with long names would have gigabytes of paths; each field is told all the same."""
    name = "x" * 90
    sent = f"<m>{f'<{name}>' * 200}{'<a/>' * 50}{f'</{name}>' * 200}</m>"

    found = differences(sent, "<m/>")

    assert (len(found), {each.change for each in found}) == (50, {LOST})
    assert max(len(each.path) for each in found) < 1_200
    assert stopped_at(sent.encode(), b"<m/>", found, converter=None) == ()


class Counted(int):
    """A row that counts how often it is looked up."""

    looked_up = 0

    def __hash__(self) -> int:
        Counted.looked_up += 1
        return int(self)


def test_rows_are_looked_up_a_bounded_number_of_times() -> None:
    """Where every other of them changed, they are not gone through again for each that did not."""
    count = 2_000
    olds = [Counted(number if number % 2 else count + number) for number in range(count)]
    news = [Counted(number if number % 2 else 2 * count + number) for number in range(count)]
    Counted.looked_up = 0

    pairs = list(equal_rows(olds, news))

    assert pairs == [(number, number) for number in range(1, count, 2)]
    assert Counted.looked_up < 10 * count


@given(st.lists(st.integers(0, 3), max_size=7), st.lists(st.integers(0, 3), max_size=7))
def test_the_longest_run_of_equal_rows_is_found(olds: list[int], news: list[int]) -> None:
    """None of the others is longer."""
    longest = [[0] * (len(news) + 1) for _ in range(len(olds) + 1)]
    for old, new in product(range(len(olds)), range(len(news))):
        same = longest[old][new] + (olds[old] == news[new])
        longest[old + 1][new + 1] = max(same, longest[old][new + 1], longest[old + 1][new])

    run = longest_run(olds, news)

    assert [olds[old] for old, _ in run] == [news[new] for _, new in run]
    assert all(one < other and first < second for (one, first), (other, second) in pairwise(run))
    assert len(run) == longest[-1][-1]


@cache
def real_shape(folder: Path) -> Converter:
    """Build it once for all examples."""
    return Converter.from_schema(folder / "schema.xsd")
