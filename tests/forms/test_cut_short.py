"""Of many values that an app lost, which element it stopped at (facts/altinn3-and-tokens.md 1.11)."""

import pytest

from bridge.forms.conversion.converter import Converter
from bridge.forms.cut_short import stopped_at
from bridge.forms.diff import differences

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="m"><xs:complexType><xs:sequence>
  <xs:element name="a" type="xs:string" minOccurs="0"/>
  <xs:element name="rad" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="x" type="xs:string" minOccurs="0"/><xs:element name="y" type="xs:string" minOccurs="0"/>
    </xs:sequence><xs:attribute name="nr"  type="xs:int"/></xs:complexType></xs:element>
  <xs:element name="sum" type="xs:decimal" minOccurs="0"/>
  <xs:element name="slutt" type="xs:string" minOccurs="0"/>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


@pytest.fixture(scope="module")
def converter(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    """Single elements around rows."""
    path = tmp_path_factory.mktemp("cut") / "m.xsd"
    path.write_text(SCHEMA, encoding="utf-8")
    return Converter.from_schema(path)


@pytest.mark.parametrize(
    ("sent", "back", "stopped"),
    [
        # Unknown, and all behind it gone: a group counts as one.
        ("<a>1</a><ny>2</ny><rad nr='1'><x>3</x></rad><slutt>4</slutt>", "<a>1</a>", ["/m/ny"]),
        # What the app calculates is there again.
        ("<ny>2</ny><sum>3</sum>", "<sum>25</sum>", ["/m/ny"]),
        # Known, but not there.
        ("<slutt>1</slutt><a>2</a><sum>3</sum>", "<slutt>1</slutt>", ["/m/a"]),
        # By our schema all is well: the app has another.
        ("<a>1</a><sum>2</sum><slutt>3</slutt>", "<a>1</a>", ["/m/sum"]),
        # In each row for itself.
        (
            "<rad><ny>1</ny><x>2</x></rad><rad><x>3</x></rad><rad><y>4</y><x>5</x></rad><slutt>6</slutt>",
            "<rad/><rad><x>3</x></rad><rad><y>4</y></rad><slutt>6</slutt>",
            ["/m/rad[1]/ny"],
        ),
        # All of a group is lost, and what stands behind the group is there: the first in it, or the group itself.
        ("<rad><x>1</x><y>2</y></rad><slutt>3</slutt>", "<rad/><slutt>3</slutt>", ["/m/rad/x"]),
        ("<a>1</a><rad><x>1</x><y>2</y></rad>", "<a>1</a><rad/>", ["/m/rad/x"]),
        ("<a>1</a><rad><x>1</x><y>2</y></rad>", "<a>1</a>", ["/m/rad"]),
        ("<a>1</a><rad><x>1</x></rad><rad><x>2</x></rad>", "<a>1</a>", ["/m/rad[1]"]),
        # All of the form is lost.
        ("<a>1</a><slutt>2</slutt>", "", ["/m/a"]),
        ("<rad><x>1</x><y>2</y></rad><slutt>2</slutt>", "", ["/m/rad"]),
        # A group of one: nothing stands behind it.
        ("<rad><x>1</x></rad><slutt>3</slutt>", "<rad/><slutt>3</slutt>", []),
        # Nothing behind it, or something behind it came back: that one alone is lost.
        ("<a>1</a><ny>2</ny>", "<a>1</a>", []),
        ("<a>1</a><sum>2</sum><slutt>3</slutt>", "<a>1</a><slutt>3</slutt>", []),
        ("<a>1</a><sum>2</sum>", "<sum>3</sum>", []),
        ("<rad nr='1'><x>1</x></rad><slutt>1</slutt>", "<rad nr='1'/>", []),
    ],
)
def test_one_element_says_why_all_behind_it_is_lost(
    converter: Converter, sent: str, back: str, stopped: list[str]
) -> None:
    """It is named only where nothing of its group came back behind it."""
    form = f"<m>{sent}</m>".encode()

    answer = f"<m>{back}</m>".encode()

    found = differences(form, answer, converter=converter)

    assert list(stopped_at(form, answer, found, converter=converter)) == stopped


def test_it_is_told_without_a_schema_as_well() -> None:
    """Where more than one is gone."""
    form = b"<m><a>1</a><b>2</b><c>3</c></m>"

    answer = b"<m><a>1</a></m>"

    assert stopped_at(form, answer, differences(form, answer), converter=None) == ("/m/b",)
