"""Ids that others recognise."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.ids import derived_id, mask_identity_numbers, uuid7

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(entropy=st.binary(min_size=10, max_size=32))
def test_made_ids_are_version_seven(entropy: bytes) -> None:
    """Dialogporten takes version 7 only, with the time in front."""
    made = uuid7(NOW, entropy)

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


@given(one=st.lists(st.text(), min_size=1), other=st.lists(st.text(), min_size=1))
def test_derived_ids_belong_to_their_parts(one: list[str], other: list[str]) -> None:
    """The same parts give the same id, and other parts another."""
    if "\x1f".join(one) == "\x1f".join(other):
        assert derived_id(NOW, *one) == derived_id(NOW, *other)
    else:
        assert derived_id(NOW, *one) != derived_id(NOW, *other)


NUMBERS = {
    "in one": ("for 01810100000 sent", "for *********** sent"),
    "a blank after the date": ("for 018101 00000 sent", "for *********** sent"),
    "a hyphen after the date": ("for 018101-00000 sent", "for *********** sent"),
    "a blank that does not break": ("for 018101\u00a000000 sent", "for *********** sent"),
    "a dash between blanks": ("for 018101 \u201300000 sent", "for *********** sent"),
    "in a URL": ("?name=018101%2000000&x=018101+00000", "?name=***********&x=***********"),
    "after a letter that is a digit elsewhere": ("f01810100000 and 01810100000a", "f*********** and ***********a"),
    "with a dot, a slash, an underscore": (
        "218680.10085 218680/10085 218680_10085",
        "*********** *********** ***********",
    ),
    "with an escaped blank": ('"218680\\u00a010085"', '"***********"'),
    "longer numbers": ("123456789012", "123456789012"),
    "a span": ("bd01810100000d33", "bd01810100000d33"),
    "a trace": ("4bf9201810100000da6a3ce929d0e0e4", "4bf9201810100000da6a3ce929d0e0e4"),
    "a digest": ("01810100000a" + "b" * 52, "01810100000a" + "b" * 52),
    "a UUID": ("01993ad0-1810-7000-8000-a01810100000", "01993ad0-1810-7000-8000-a01810100000"),
    "a UUID in a path": (
        "/actions/01993ad0-1810-7000-8123-01810100000f/x",
        "/actions/01993ad0-1810-7000-8123-01810100000f/x",
    ),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_identity_numbers_are_masked_wholly(name: str) -> None:
    """Nothing of a number stays, however it is written; longer numbers and ids in hexadecimal digits are left alone."""
    text, masked = NUMBERS[name]

    assert mask_identity_numbers(text) == masked
