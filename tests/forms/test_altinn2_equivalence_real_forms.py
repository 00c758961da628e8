"""The comparison after a PUT, on the real forms beside the project: no false alarm, and no loss that is missed."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bridge.forms.altinn2_equivalence import washed_differences
from bridge.forms.diff import Change
from bridge.forms.xml.input import Limits

FORMS = Path(__file__).parents[3] / "shared" / "forms"

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not FORMS.is_dir() and "CI" not in os.environ, reason="the folder of real forms is not here"),
    pytest.mark.parametrize(
        "file", sorted(FORMS.glob("*/*.xml")) or [FORMS], ids=lambda path: f"{path.parent.name}/{path.name}"
    ),
]


def test_no_form_alarms_when_it_is_washed(file: Path) -> None:
    """Without its declaration, processing instructions and the white space between elements."""
    sent = etree.tostring(etree.parse(file), encoding="unicode")
    root = etree.fromstring(sent, etree.XMLParser(remove_blank_text=True, remove_pis=True))

    assert washed_differences(sent, etree.tostring(root, encoding="unicode"), limits=Limits()) == ()


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_every_removed_value_is_found(file: Path, data: st.DataObject) -> None:
    """One or many elements that held something."""
    root = etree.parse(file).getroot()
    sent = etree.tostring(root, encoding="unicode")
    places = [each for each in root.iter(etree.Element) if not len(each) and (each.text or "").strip()]
    places = [each for each in places if each is not root]
    removed = data.draw(st.lists(st.sampled_from(places), unique=True, max_size=6) if places else st.just([]))
    for node in removed:
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)

    found = washed_differences(sent, etree.tostring(root, encoding="unicode"), limits=Limits())

    lost = [each.old for each in found if each.change is Change.LOST]
    values = [node.text for node in removed]
    attributes = [str(value) for node in removed for value in node.attrib.values()]
    assert sorted(map(str, lost)) == sorted(map(str, [*values, *attributes]))
