"""Altinn 2's status texts."""

import pytest

from bridge.adapters.altinn2.states import BOKMAAL, state_of
from bridge.core.cases import CaseStatus


@pytest.mark.parametrize("state", list(BOKMAAL))
def test_what_a_filter_asks_for_is_what_an_answer_says(state: CaseStatus) -> None:
    """The same text both ways, whatever its case and the blanks around it."""
    assert state_of(f" {BOKMAAL[state].upper()} ") is state


def test_a_text_that_no_table_knows_is_unknown() -> None:
    """It is never taken for done."""
    assert state_of("Sendt og arkivert i går") is CaseStatus.UNKNOWN
    assert set(CaseStatus) - set(BOKMAAL) == {CaseStatus.UNKNOWN, CaseStatus.CALCULATED}
