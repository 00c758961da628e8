"""What is left of a change that Dialogporten does not take."""

from datetime import UTC, datetime

import pytest

from bridge.core.dialogs import Activity, DialogChange, Field, Offer, party_representative
from bridge.core.ids import derived_id
from bridge.core.ladder import LOWER, Rung, history, step_down, step_on, without_history
from bridge.core.lengths import cut, units

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WHOLE = DialogChange(
    status="Completed",
    remove_actions=frozenset({"submit"}),
    activities=(
        Activity(
            id=derived_id(NOW, "a"), type="FormSubmitted", created_at=NOW, performed_by=party_representative("urn:x")
        ),
    ),
    silent=True,
    fields={
        place: Field(value="x", asked=True)
        for place in ("/dueAt", "/expiresAt", "/extendedStatus", "/content/title", "/content/extendedStatus")
    },
    offers=(Offer(name="sign"),),
    search_tags=("servering",),
    transmissions=({"id": "1"},),
    labels=("a:b",),
)
DATES = ("/dueAt", "/expiresAt")


@pytest.mark.parametrize(
    ("keys", "left_out"),
    [
        pytest.param(["dto.expiresAt"], DATES, id="a date, which may be wrong for the other one"),
        pytest.param(["DueAt"], DATES, id="a date without prefix"),
        pytest.param(
            ["dto.content.extendedStatus.value[0].value"],
            ("/extendedStatus", "/content/extendedStatus"),
            id="a content",
        ),
        pytest.param(
            ["dto.content.value[0].value"], ("/content/title", "/content/extendedStatus"), id="a content without name"
        ),
        pytest.param(["dto.searchTags[3].value"], ("/searchTags",), id="a tag"),
        pytest.param(["dto.transmissions[0].content"], ("/transmissions",), id="a receipt"),
    ],
)
def test_what_is_named_is_left_out_first(keys: list[str], left_out: tuple[str, ...]) -> None:
    """By whatever prefix it is named; status, buttons and history stay."""
    step = step_down(step_on(WHOLE, Rung.WHOLE), "invalid", keys=keys)

    assert step is not None
    assert step.rung is Rung.NAMED
    assert set(step.left_out) == set(left_out)
    assert not set(step.left_out) & set(step.change.fields)
    assert (step.change.status, step.change.offers, step.change.activities) == (
        WHOLE.status,
        WHOLE.offers,
        WHOLE.activities,
    )


def test_each_refusal_leads_further_down_and_to_an_end() -> None:
    """Whatever is refused for whichever reason: at most three times, and the last word is what was done."""
    for reason in LOWER:
        for keys in ([], ["dto.expiresAt"], ["dto.guiActions[0].url"]):
            rungs, at = [], step_on(WHOLE, Rung.WHOLE)
            while (step := step_down(at, reason, keys=keys)) is not None:
                assert step.rung > at.rung
                assert step.change.activities == WHOLE.activities
                at = step
                rungs.append(at.rung)
            assert rungs[-1] is Rung.HISTORY
            assert len(rungs) <= 3


def test_what_is_no_matter_of_content_is_not_written_in_less() -> None:
    """A frozen dialog, or a race, is the same with less in it."""
    assert step_down(step_on(WHOLE, Rung.WHOLE), "frozen") is None
    assert step_down(step_on(WHOLE, Rung.WHOLE), "conflict") is None


def test_the_bare_rung_keeps_what_people_press() -> None:
    """Status, buttons that go and come, and the history."""
    bare = step_on(WHOLE, Rung.BARE).change

    assert (bare.status, bare.remove_actions, bare.offers) == (WHOLE.status, WHOLE.remove_actions, WHOLE.offers)
    assert (dict(bare.fields), bare.search_tags, bare.labels, bare.transmissions) == ({}, (), (), ())


def test_history_and_the_rest_are_the_two_halves() -> None:
    """What was done says nothing of how the dialog stands, and the other way round."""
    done, stands = history(WHOLE), without_history(WHOLE)

    assert (done.status, done.offers, done.remove_actions, dict(done.fields)) == (None, (), frozenset(), {})
    assert (done.activities, stands.activities) == (WHOLE.activities, ())
    assert stands.fields == WHOLE.fields


@pytest.mark.parametrize(
    ("text", "limit", "left"),
    [
        ("abc", 3, "abc"),
        ("ab\U0001f600", 4, "ab\U0001f600"),
        ("ab\U0001f600", 3, "ab"),
        ("\U0001f600" * 200, 255, "\U0001f600" * 127),
    ],
)
def test_lengths_are_those_of_utf_16(text: str, limit: int, left: str) -> None:
    """An emoji counts as two, and is never cut in half."""
    assert cut(text, limit) == left
    assert units(left) <= limit
    assert units(text) == len(text.encode("utf-16-le")) // 2
