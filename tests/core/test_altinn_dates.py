"""Altinn 2's dates in all the spellings that were seen."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.altinn_dates import OSLO, altinn_date, parse_altinn_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2013-11-11T13:41:01", datetime(2013, 11, 11, 12, 41, 1, tzinfo=UTC), id="no fraction"),
        pytest.param("2013-11-11T13:41:01.5", datetime(2013, 11, 11, 12, 41, 1, 500000, tzinfo=UTC), id="tenths"),
        pytest.param("2013-11-11T13:41:40.34", datetime(2013, 11, 11, 12, 41, 40, 340000, tzinfo=UTC), id="two digits"),
        pytest.param("2013-07-11T13:41:01.703", datetime(2013, 7, 11, 11, 41, 1, 703000, tzinfo=UTC), id="summer time"),
        *(
            pytest.param(
                f"2021-06-14T14:48:48.{'6370797'[:digits]}",
                datetime(2021, 6, 14, 12, 48, 48, int("637079"[:digits].ljust(6, "0")), tzinfo=UTC),
                id=f"{digits} digits",
            )
            for digits in (4, 5, 6, 7)
        ),
        pytest.param(
            "2021-06-14T14:48:48.6370797+02:00",
            datetime(2021, 6, 14, 12, 48, 48, 637079, tzinfo=UTC),
            id="offset and seven digits",
        ),
        pytest.param("2021-06-14T14:48:48-03:30", datetime(2021, 6, 14, 18, 18, 48, tzinfo=UTC), id="western offset"),
        pytest.param("2021-06-14T14:48:48Z", datetime(2021, 6, 14, 14, 48, 48, tzinfo=UTC), id="utc"),
        pytest.param("2021-10-31T02:30:00", datetime(2021, 10, 31, 0, 30, tzinfo=UTC), id="repeated hour"),
    ],
)
def test_every_seen_date_is_read(text: str, expected: datetime) -> None:
    """A date without zone is Norwegian local time; a zone that is there counts."""
    moment = parse_altinn_date(text)

    assert moment == expected
    assert moment.utcoffset() == expected.astimezone(OSLO).utcoffset()


@pytest.mark.parametrize(
    "text",
    ["", "2013-11-11", "2013-11-11 13:41:01", "2013-13-11T13:41:01", "2013-11-11T13:41:01.12345678", "i går"],
)
def test_anything_else_is_refused(text: str) -> None:
    """What is not a date becomes an error and no invented moment."""
    with pytest.raises(ValueError, match=r".+"):
        parse_altinn_date(text)


@given(
    # The hour that autumn repeats cannot be told apart without a zone.
    st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1990 < at.year < 2090 and not at.astimezone(OSLO).fold)
)
def test_a_written_date_reads_back(moment: datetime) -> None:
    """What is asked of Altinn 2 in a query means the same moment there, to the second."""
    assert moment - parse_altinn_date(altinn_date(moment)) < timedelta(seconds=1)
