"""What refusing a form costs: work that grows with the form, ends, and keeps nobody else waiting."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.forms.altinn2_equivalence import washed_differences
from bridge.forms.conversion.converter import Converter
from bridge.forms.diff import Change, differences
from bridge.forms.fields import read_values
from bridge.forms.json.input import MOST_OF_AN_OBJECT
from bridge.forms.json.long_forms import EXPLAINED
from bridge.forms.json.registry import JsonSchemaRegistry
from bridge.forms.registry import SECOND_OPINION_FAULTS, SchemaRegistry
from bridge.forms.xml.input import MOST_ATTRIBUTES, Effort, Limits, Unreadable
from bridge.forms.xml.namespaces import in_plain_namespaces
from tests.effort import growth

# Forms and patterns that are made to cost much.
pytestmark = pytest.mark.slow

LIMITS = Limits(max_seconds=600)  # So that nothing but the bounds on the work itself ends it.
XS = 'xmlns:x="http://www.w3.org/2001/XMLSchema"'
# libxml2 does not take the namespace, so that xmlschema alone judges.
SLOW = "urn:prøve"
XSD_1_1 = 'xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
CONTENT = """<x:element name="m"><x:complexType><x:sequence>
<x:element name="a" type="x:int" minOccurs="0" maxOccurs="unbounded"/>
<x:element name="l" minOccurs="0"><x:simpleType><x:list itemType="x:int"/></x:simpleType></x:element>
<x:element name="side" type="x:ENTITY" minOccurs="0" maxOccurs="unbounded"/>
</x:sequence></x:complexType></x:element>"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> SchemaRegistry:
    return made(tmp_path_factory.mktemp("schemas"), LIMITS)


def made(folder: Path, limits: Limits) -> SchemaRegistry:
    (folder / "fast.xsd").write_text(f"<x:schema {XS}>{CONTENT}</x:schema>")
    (folder / "slow.xsd").write_text(
        f'<x:schema {XS} {XSD_1_1} targetNamespace="{SLOW}" xmlns="{SLOW}" elementFormDefault="qualified">'
        f"{CONTENT}</x:schema>"
    )
    registry = SchemaRegistry(folder, limits)
    registry.load(["fast.xsd", "slow.xsd"])
    for schema in ("fast.xsd", "slow.xsd"):
        registry.check(schema, form("<z/>", schema))  # What is built at the first refusal.
    return registry


def form(inside: str, schema: str) -> str:
    return f'<m xmlns="{SLOW}">{inside}</m>' if schema == "slow.xsd" else f"<m>{inside}</m>"


def attributes(count: int) -> str:
    return " ".join(f'a{number}=""' for number in range(count))


FORMS: dict[str, tuple[int, Callable[[int], str]]] = {
    "elements with unknown attributes": (10, lambda size: f"<a {attributes(200)}/>" * size),
    "a value that reads like a message about an attribute": (
        250,
        lambda size: f"<a>{chr(39)}, attribute {chr(39)}" * 1 + f"{chr(39)}, attribute {chr(39)}" * size + "</a>",
    ),
    "a value that reads like a missing attribute": (250, lambda size: "<a>" + ": The attribute 'x" * size + "</a>"),
    "unknown elements": (500, lambda size: "<z/>" * size),
    "wrong values": (500, lambda size: "<a>x</a>" * size),
    "a list of wrong items": (1000, lambda size: "<l>" + "x " * size + "</l>"),
}


@pytest.mark.parametrize("schema", ["fast.xsd", "slow.xsd"])
@pytest.mark.parametrize(("size", "inside"), FORMS.values(), ids=FORMS)
def test_explaining_grows_with_the_form(
    registry: SchemaRegistry, schema: str, size: int, inside: Callable[[int], str]
) -> None:
    """Sixteen times the faults are some sixteen times the work, whichever engine judges."""

    def check(size: int) -> None:
        assert registry.check(schema, form(inside(size), schema))

    assert growth(check, size) < 80


TOO_MANY = f"<m {attributes(MOST_ATTRIBUTES + 1)}/>"
ENOUGH = f"<m {attributes(MOST_ATTRIBUTES)}/>"


def readers(registry: SchemaRegistry) -> dict[str, Callable[[str], object]]:
    converter = Converter.from_schema(registry.folder / "fast.xsd")
    return {
        "values": lambda xml: read_values(xml, [("a", "/m")]),
        "differences": lambda xml: differences(xml, xml),
        "washed": lambda xml: washed_differences(xml, xml, limits=LIMITS),
        "converted": converter.to_json,
    }


def test_no_reader_takes_an_element_of_too_many_attributes(registry: SchemaRegistry) -> None:
    """It is refused before anybody builds it, wherever a form is read."""
    assert [each.rule for each in registry.check("fast.xsd", TOO_MANY)] == ["too_complex"]
    assert {each.rule for each in registry.check("fast.xsd", ENOUGH)} == {"unexpected_attribute", "more_findings"}
    for read in readers(registry).values():
        with pytest.raises(Unreadable, match="too_complex"):
            read(TOO_MANY)


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("a='b' " * 1000, id="in a text"),
        pytest.param("<!-- " + "a='b' " * 1000 + "-->", id="in a comment"),
        pytest.param("<![CDATA[" + "a='b' " * 1000 + "]]>", id="in CDATA"),
        pytest.param('<b c="' + "a='b' > " * 1000 + '"/>', id="in an attribute"),
    ],
)
def test_what_only_looks_like_attributes_is_none(inside: str) -> None:
    """Text may say what it will."""
    assert read_values(f"<m>{inside}</m>", [("a", "count(/m)")]) == {}


def test_where_the_time_is_spent_the_refusal_stands(tmp_path: Path) -> None:
    """It says that there may be more, and what nobody could judge in time is not let through."""
    registry = made(tmp_path, replace(LIMITS, max_seconds=0))
    faults = "<a>x</a>" + "<z/>" * 3

    fast = registry.check("fast.xsd", form(faults, "fast.xsd"))
    slow = registry.check("slow.xsd", form(faults, "slow.xsd"))

    assert [each.rule for each in fast] == ["type", "more_findings"]
    assert [each.rule for each in slow] == ["not_checkable"]
    assert registry.check("fast.xsd", form("<a>1</a>", "fast.xsd")) == ()
    assert [each.rule for each in registry.check("slow.xsd", form("<a>1</a>", "slow.xsd"))] == ["not_checkable"]


def test_effort_is_spent_by_its_own_clock() -> None:
    """The processor's time of a thread, and no other's."""
    moments = iter([10.0, 11.9, 12.0])

    effort = Effort(2, clock=lambda: next(moments))

    assert [effort.spent, effort.spent] == [False, True]


@pytest.mark.parametrize(("faults", "asked"), [(1, True), (SECOND_OPINION_FAULTS + 1, False)])
def test_many_faults_get_no_second_opinion(registry: SchemaRegistry, faults: int, asked: bool) -> None:
    """libxml2 asks where an entity is declared, xmlschema does not; above some tens of them nobody asks."""
    findings = registry.check("fast.xsd", "<m>" + "<side>a</side>" * faults + "</m>")

    assert (findings[0].rule == "engines_disagree") is asked
    assert sum(each.rule == "type" for each in findings) == faults


def test_nobody_waits_for_another_form(registry: SchemaRegistry) -> None:
    """While xmlschema judges a large form, small ones of the same schema are judged."""
    large = form("<a>1</a>" * 100_000, "slow.xsd")
    judged = threading.Thread(target=registry.check, args=("slow.xsd", large))
    meanwhile = 0

    judged.start()
    while judged.is_alive():
        assert [each.rule for each in registry.check("slow.xsd", form("<a>x</a>", "slow.xsd"))] == ["type"]
        meanwhile += judged.is_alive()

    assert meanwhile > 3


def test_threads_get_the_same_verdicts_of_xmlschema(registry: SchemaRegistry) -> None:
    """Ids, lists and faults of one schema at once: each has its own."""
    cases = {
        "<a>1</a><l>1 2</l>": [],
        "<a>x</a>": ["type"],
        "<l>1 x</l>": ["type"],
        "<l>1</l><a>1</a>": ["misplaced_element"],
    }
    wrong: list[str] = []

    def work(inside: str, expected: list[str]) -> None:
        for _ in range(60):
            if [each.rule for each in registry.check("slow.xsd", form(inside, "slow.xsd"))] != expected:
                wrong.append(inside)

    threads = [threading.Thread(target=work, args=case) for case in [*cases.items()] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


@pytest.mark.parametrize("piece", [" xmlns", " xmlns=", ' xmlns="', "xmlnsxmlns ", " xmlns:a  \n ", "xmlns" * 20])
def test_looking_for_namespaces_grows_with_the_form(piece: str) -> None:
    """However many there seem to be, and however long the names of tags and attributes are."""
    assert growth(lambda size: in_plain_namespaces((f"<{piece * size} xmlns='ø' " + "b" * size).encode()), 500) < 80
    assert growth(lambda size: in_plain_namespaces((piece * size).encode()), 2_000) < 80


ROWS = {
    "one row more among equal ones": lambda size: (
        "<r>1</r>" * size,
        "<r>1</r>" * (size // 2) + "<r/>" + "<r>1</r>" * size,
    ),
    "rows that change places": lambda size: ("<r>1</r><r>2</r>" * size, "<r>2</r><r>1</r>" * size + "<r>3</r>"),
    "every other row changed": lambda size: (
        "".join(f"<r>{number if number % 2 else f'a{number}'}</r>" for number in range(size)),
        "".join(f"<r>{number if number % 2 else f'b{number}'}</r>" for number in range(size)),
    ),
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_comparing_grows_with_the_form(rows: Callable[[int], tuple[str, str]]) -> None:
    """However many rows are equal, and wherever they are."""

    def compare(size: int) -> None:
        sent, came_back = rows(size)
        assert not [each for each in differences(f"<m>{sent}</m>", f"<m>{came_back}</m>") if each.change is Change.LOST]

    assert growth(compare, 1_500) < 80


def test_a_lost_row_among_many_equal_ones_is_found() -> None:
    """Paired with the next equal one, as in the longest run."""
    rows = [f"<r>{number % 3}</r>" for number in range(6_000)]
    rows.insert(3_000, "<r>tapt</r>")

    found = differences(f"<m>{''.join(rows)}</m>", f"<m>{''.join(rows).replace('<r>tapt</r>', '')}</m>")

    assert [(each.path, each.change) for each in found] == [("/m/r[3001]", Change.LOST)]


JSON_FORMS: dict[str, Callable[[int], str]] = {
    "wrong items": lambda size: '{"a": [' + ",".join(['"x"'] * size) + "]}",
    "unknown members of items": lambda size: '{"o": [' + ",".join(['{"y": 1}'] * size) + "]}",
    "one fault at the end": lambda size: '{"a": [' + "1," * size + '"x"]}',
}


@pytest.fixture(scope="module")
def json_registry(tmp_path_factory: pytest.TempPathFactory) -> JsonSchemaRegistry:
    folder = tmp_path_factory.mktemp("json")
    row = {"type": "object", "additionalProperties": False, "properties": {"x": {"type": "integer"}}}
    lists = {"a": {"type": "array", "items": {"type": "integer"}, "minItems": 1}, "o": {"type": "array", "items": row}}
    schema = {"type": "object", "additionalProperties": False, "properties": lists}
    (folder / "s.json").write_text(json.dumps(schema))
    registry = JsonSchemaRegistry(folder, LIMITS)
    registry.load(["s.json"])
    return registry


@pytest.mark.parametrize("form", JSON_FORMS.values(), ids=JSON_FORMS)
def test_explaining_json_grows_with_the_form(json_registry: JsonSchemaRegistry, form: Callable[[int], str]) -> None:
    """Where there are more faults than are told, the last finding says so."""
    found: list[list[str]] = []

    def check(size: int) -> None:
        found.append([each.rule for each in json_registry.check("s.json", form(size))])

    assert growth(check, 2 * EXPLAINED) < 80
    lone = [["type"]] * len(found)
    assert found == lone or all(rules[-1] == "more_findings" and len(rules) > 1 for rules in found)


def test_an_object_of_too_many_members_is_refused(json_registry: JsonSchemaRegistry) -> None:
    """Before anybody finds fault with each of them."""
    members = ",".join(f'"{number}": 1' for number in range(MOST_OF_AN_OBJECT + 1))

    assert [each.rule for each in json_registry.check("s.json", "{" + members + "}")] == ["too_complex"]
