"""A plan has all that would be written into a dialog, what is left out and why, and what of others' is kept."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from bridge.core.dialog_merge import LABELS
from bridge.core.dialog_plan import DialogPlan, LeftOut, Why, activity_plan, history_plan, plan_of
from bridge.core.dialogs import DialogChange, LinkOffer, dialog_from_json
from bridge.core.ladder import Rung, step_on
from bridge.core.mapping import Priority
from bridge.core.written import NOTHING_WRITTEN, Written
from tests.core.test_dialog_merge import ACTIVITY, DIALOG_ID, NOTHING, _body
from tests.core.test_dialog_merge_base import offered, offering, said, words

LINK = UUID("0194fe90-0000-7000-8000-000000000002")
PRIMARY = {"url": "https://agency.example/x", "priority": "Primary"}


def planned(change: DialogChange, base: Written = NOTHING_WRITTEN, **members: Any) -> DialogPlan:
    return plan_of(dialog_from_json(_body(**members)), step_on(change, Rung.WHOLE), base)


def test_what_is_as_it_shall_be_makes_an_empty_plan() -> None:
    """Nothing is written, to either side, once all is there and noted."""
    change = words("Vårt")
    there = {"content": {"summary": said("Vårt")}}

    first = planned(change)
    unnoted = planned(change, **there)
    again = planned(change, first.written, **there)

    assert (first.changes_dialog, unnoted.changes_dialog, again.changes_dialog) == (True, False, False)
    assert (first.is_empty, unnoted.is_empty, again.is_empty) == (False, False, True)
    assert first.revision == "6f1b0f0e-6a5c-4f35-9b7d-0d6a5c4f359b"


def test_a_plan_names_places_and_no_text() -> None:
    """Each write in its line, for whoever reads a plan before it is carried out."""
    plan = planned(replace(words("Hemmelig"), labels=("servering",), activities=(ACTIVITY,)))

    assert plan.writes == ("add /content/summary", "add /activities/-", "add label servering")
    assert "Hemmelig" not in repr(plan)


@pytest.mark.parametrize(
    ("change", "members", "left_out"),
    [
        pytest.param(
            offering(offered(priority=Priority.TERTIARY)),
            {"guiActions": [{**PRIMARY, "priority": "Tertiary"}] * 5},
            LeftOut(place="submit", why=Why.NO_ROOM),
            id="a button",
        ),
        pytest.param(
            replace(NOTHING, labels=("servering",)),
            {"serviceOwnerContext": {"serviceOwnerLabels": [{"value": f"a{at}"} for at in range(LABELS)]}},
            LeftOut(place="servering", why=Why.LABELS_FULL),
            id="a label",
        ),
        pytest.param(
            replace(NOTHING, links=(LinkOffer(name="vedtak", id=LINK, item=None),)),
            {},
            LeftOut(place="vedtak", why=Why.NOT_CALCULATED),
            id="a link",
        ),
    ],
)
def test_what_finds_no_place_is_left_out_and_says_why(
    change: DialogChange, members: dict[str, Any], left_out: LeftOut
) -> None:
    """It is named in the plan, before anything is written."""
    assert planned(change, **members).left_out == (left_out,)


def test_what_was_refused_is_left_out_on_the_next_step() -> None:
    """Planned on the same revision, with the places that are not written any more."""
    plan = planned(words("Vårt"))

    bare = plan.on(step_on(plan.step.whole, Rung.BARE))
    history = plan.on(step_on(replace(plan.step.whole, activities=(ACTIVITY,)), Rung.HISTORY))

    assert (bare.operations, bare.left_out) == ((), (LeftOut(place="/content/summary", why=Why.REFUSED),))
    assert bare.revision == plan.revision
    assert (history.operations, history.activities, history.written) == ((), (ACTIVITY,), NOTHING_WRITTEN)


@pytest.mark.parametrize(
    ("change", "members", "place"),
    [
        pytest.param(words("Nytt"), {"content": {"summary": said("Deres")}}, "/content/summary", id="their word"),
        pytest.param(words("Nytt"), {}, "/content/summary", id="their gap"),
        pytest.param(replace(NOTHING, search_tags=("a",)), {}, "/searchTags/a", id="a tag they took away"),
        pytest.param(replace(NOTHING, labels=("a",)), {}, "/serviceOwnerLabels/a", id="a label they took away"),
        pytest.param(offering(offered()), {}, f"/guiActions/{offered().button['id']}", id="a button they took away"),
    ],
)
def test_what_others_changed_is_kept_and_named(change: DialogChange, members: dict[str, Any], place: str) -> None:
    """Since the bridge wrote last; and nothing of it is written."""
    noted = planned(replace(change, fields={each: words("Vårt").fields[each] for each in change.fields})).written
    for label in change.labels:
        noted = replace(noted, digests={**noted.digests, f"/serviceOwnerLabels/{label}": "there"})

    plan = planned(change, noted, **members)

    assert place in plan.kept
    assert plan.writes == ()


def test_what_nobody_changed_is_not_called_kept() -> None:
    """Neither what is written for the first time, nor what is there as it is wanted."""
    change = replace(words("Vårt"), search_tags=("a",), labels=("b",))

    assert planned(change).kept == ()
    assert (
        planned(change, planned(change).written, content={"summary": said("Vårt")}, searchTags=[{"value": "a"}]).kept
        == ()
    )


def test_history_alone_needs_no_read() -> None:
    """A line of history is added to a dialog that cannot be read, on whatever revision."""
    by_rung = history_plan(DIALOG_ID, step_on(replace(words("Vårt"), activities=(ACTIVITY,)), Rung.HISTORY))
    alone = activity_plan(DIALOG_ID, ACTIVITY)

    assert (by_rung.activities, by_rung.revision) == ((ACTIVITY,), None)
    assert LeftOut(place="/content/summary", why=Why.REFUSED) in by_rung.left_out
    assert (alone.writes, alone.left_out, alone.silent) == (("add /activities/-",), (), True)
