"""Values are put where a place is, and nowhere else."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from bridge.core.templates import fill, names_in, template_values
from bridge.forms.fields import PlaceMissing, places_found, read_values, set_values
from bridge.forms.xml.input import Limits, Unreadable
from tests.effort import growth

VALUES = template_values(
    party="urn:altinn:organization:identifier-no:313000370",
    dialog_id=UUID("01890000-0000-7000-8000-000000000001"),
    action="submit",
    now=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
)
FORM = (
    '<?xml version="1.0" encoding="utf-16"?>\n'
    '<m xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" k="1"><!-- x -->'
    '<a xsi:nil="true"/><b>gammel &amp; ny</b><c><d/></c><b/></m>'
)


def test_values_are_put_into_elements_and_attributes():
    """What was nil is not any more, and the rest stays as it was."""
    changed = set_values(FORM, [("/m/a", "{party}"), ("/m/@k", "{action} {now:date}"), ("/m/b[2]", "<{{&}}>")], VALUES)

    assert changed == FORM.replace('<a xsi:nil="true"/>', "<a>313000370</a>").replace(
        'k="1"', 'k="submit 2026-03-01"'
    ).replace("<b/>", "<b>&lt;{&amp;}&gt;</b>")


def test_every_place_of_a_path_is_set():
    """A path may find several."""
    assert set_values("<m><b/><b>x</b></m>", [("/m/b", "y")], VALUES) == "<m><b>y</b><b>y</b></m>"


def test_a_comment_in_a_value_is_no_child():
    """The whole value is replaced, on both sides of it."""
    assert set_values("<m><b>x<!-- c -->y</b></m>", [("/m/b", "z")], VALUES) == "<m><b>z</b></m>"


@pytest.mark.parametrize("path", ["/m/z", "/m/@z", "/m/c", "/m/b/text()", "/m/comment()", "count(/m)"])
def test_a_missing_place_is_told_by_its_path(path: str):
    """Nothing is made up, and no children are lost."""
    with pytest.raises(PlaceMissing) as caught:
        set_values(FORM, [(path, "x")], VALUES)

    assert caught.value.path == path


def test_a_hostile_form_is_not_touched():
    """The same parser as everywhere."""
    with pytest.raises(Unreadable):
        set_values('<!DOCTYPE m [<!ENTITY x "y">]><m>&x;</m>', [("/m", "x")], VALUES)


def test_templates_list_their_names():
    """Also those that nobody knows, so that they can be refused."""
    assert names_in("{party}, {{x}} {now:date} {a!r:>5}") == ("party", "now:date", "a!r:>5")
    assert fill("{dialog_id}", VALUES) == "01890000-0000-7000-8000-000000000001"


def test_values_are_read_by_name() -> None:
    """Of elements and attributes, several joined by commas; what is empty or missing has no name."""
    xml = '<a no="7"><b> Et  ord </b><c>1</c><c>2</c><d/></a>'
    paths = [("word", "/a/b"), ("all", "/a/c"), ("number", "/a/@no"), ("empty", "/a/d"), ("missing", "/a/e")]

    found = read_values(xml, paths)

    assert found == {"word": "Et ord", "all": "1, 2", "number": "7"}


def test_naming_the_places_found_grows_with_their_number() -> None:
    """A mapping may put a value into each row."""

    def name(count: int) -> None:
        found = places_found("<m>" + "<r><d>1</d></r>" * count + "</m>", ["/m/r/d"], limits=Limits())
        assert len(found) == count
        assert f"/m/r[{count}]/d" in found

    assert growth(name, 500) < 80
