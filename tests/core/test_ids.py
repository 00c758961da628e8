"""Ids that others recognise."""

from datetime import UTC, datetime

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


def test_identity_numbers_are_masked_wholly() -> None:
    """Nothing of the number stays; longer numbers and hexadecimal ids are left alone."""
    masked = mask_identity_numbers("for 01810100000 and 123456789012 in bd01810100000d33")

    assert masked == "for *********** and 123456789012 in bd01810100000d33"
