"""The event stream: whatever its line ends and however it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.adapters.dialogporten.sse import LONGEST_LINE, ServerEvent, events

STREAM = ':\n\nevent: next\ndata: {"a":\ndata: "æ"}\n\nid: 7\n\ndata:x\n\nevent: complete\n\n'
FOUND = [
    ServerEvent(kind="next", data='{"a":\n"æ"}'),
    ServerEvent(kind="message", data="x"),
    ServerEvent(kind="complete", data=""),
]


@given(st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 90), max_size=8))
def test_events_survive_any_cut(end: str, cuts: list[int]) -> None:
    """Comments and unknown fields are passed over, several data lines are one text."""
    whole = STREAM.replace("\n", end).encode() + (b":" if end == "\r" else b"")
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:stop] for start, stop in pairwise(edges)]

    assert list(events(pieces)) == FOUND


def test_an_endless_line_is_refused() -> None:
    """Memory does not grow with what a server sends."""
    pieces = (b"x" * 65_536 for _ in range(LONGEST_LINE // 65_536 + 2))

    with pytest.raises(ValueError, match="too long"):
        list(events(pieces))
