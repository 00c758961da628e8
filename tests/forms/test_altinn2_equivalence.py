"""What Altinn 2 may make of a form alarms nobody; what it may not is told."""

import pytest

from bridge.forms.altinn2_equivalence import washed_differences
from bridge.forms.diff import Change
from bridge.forms.xml.input import Limits

SENT = (
    '<?xml version="1.0"?><?mso-infoPathSolution a="b"?>'
    '<m xmlns:my="http://schemas.microsoft.com/office/infopath/2003/myXSD" my:x="1">'
    "<a>4.0</a><my:field>f</my:field><b>Ola</b><c/><d>1</d></m>"
)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(SENT, id="the same"),
        pytest.param("<m><a>4.0</a><b>Ola</b><c/><d>1</d></m>", id="washed of InfoPath"),
        pytest.param("<m><a>0004.00</a><b>Ola</b><c/><d>1</d></m>", id="a number spelled otherwise"),
        pytest.param("<m><a>4.0</a><b>OLA</b><c/><d>1</d></m>", id="other case"),
        pytest.param("<m><a>4.0</a><b>Ola</b><d>1</d></m>", id="empty and missing"),
        pytest.param("<m><a>4.0</a><b>Ola</b><c>9</c><d>1</d><e>2</e></m>", id="filled in"),
        pytest.param("<m>\n  <a>4.0</a><b>Ola</b><!-- no --><c></c><d>1</d>\n</m>", id="spelled as other XML"),
    ],
)
def test_what_altinn_may_change_is_no_difference(shown: str) -> None:
    """By the table of facts/altinn2.md 2.10, and the washing of 2.9."""
    assert washed_differences(SENT, shown, limits=Limits()) == ()


@pytest.mark.parametrize(
    ("shown", "path", "change"),
    [
        ("<m><a>4.0</a><c/><d>1</d></m>", "/m/b", Change.LOST),
        ("<m><a>4.0</a><b/><c/><d>1</d></m>", "/m/b", Change.CHANGED),
        ("<m><a>4.1</a><b>Ola</b><c/><d>1</d></m>", "/m/a", Change.CHANGED),
        ("<m><b>Ola</b><a>4.0</a><c/><d>1</d></m>", "/m/b", Change.MOVED),
    ],
)
def test_what_it_may_not_is_told_by_path(shown: str, path: str, change: Change) -> None:
    """A value that is gone, another, or somewhere else."""
    found = washed_differences(SENT, shown, limits=Limits())

    assert [(each.path, each.change) for each in found] in ([(path, change)], [("/m/a", change)])
