"""A plan of a dialog is carried out on the revision that it was made of, or not at all."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.core.cases import CaseStatus
from bridge.core.dialog_plan import DialogPlan
from bridge.core.dialogs import DialogChange
from bridge.core.errors import Conflict
from bridge.core.states import change_for_state
from bridge.steps.dialog.update import apply, plan, template_context
from tests.scenarios.dialog_mapping import saying
from tests.scenarios.stage import RESOURCE, Case, Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        made = saying(Path(name))
        yield made
        made.stop()


@pytest.fixture
def case(stage: Stage) -> Case:
    return stage.dialog_for("a5900001", stage.world.new_organisation().number)


def news(stage: Stage, case: Case, state: CaseStatus = CaseStatus.SIGNING) -> DialogChange:
    mapping = stage.bridge.mappings[RESOURCE]
    subject = template_context(stage.bridge, mapping, case.dialog_id, message_id="a5900001", archived=None)
    return change_for_state(subject, state, activity=None)


def planned(stage: Stage, case: Case, change: DialogChange) -> DialogPlan:
    return plan(stage.bridge, stage.bridge.dialogporten.get(case.dialog_id), change)


def test_planning_writes_nothing(stage: Stage, case: Case) -> None:
    """Neither into the dialog nor here: a second plan is the same."""
    before = stage.dialog(case)

    first, second = (planned(stage, case, news(stage, case)) for _ in range(2))

    assert first == second
    assert first.writes
    assert stage.dialog(case) == before


def test_an_old_plan_is_not_carried_out(stage: Stage, case: Case) -> None:
    """Somebody wrote since it was made: nothing of it is written, and a new one keeps what they wrote."""
    change = news(stage, case)
    old = planned(stage, case, change)
    theirs = [{"op": "replace", "path": "/searchTags", "value": [{"value": "deres"}]}]
    assert stage.as_owner("PATCH", f"/{case.dialog_id}", theirs).status_code == 204
    before = stage.dialog(case)

    with pytest.raises(Conflict):
        apply(stage.bridge, old)

    assert stage.dialog(case) == before
    assert apply(stage.bridge, planned(stage, case, change)).changed
    assert {"value": "deres"} in stage.dialog(case)["searchTags"]


def test_what_was_carried_out_leaves_an_empty_plan(stage: Stage, case: Case) -> None:
    """The dialog's revision is known without a read, and planned again there is nothing left to write."""
    change = news(stage, case)

    applied = apply(stage.bridge, planned(stage, case, change))
    again = planned(stage, case, change)

    assert applied.changed
    assert applied.revision == stage.dialog(case)["revision"] == again.revision
    assert again.is_empty
    assert apply(stage.bridge, again) == replace(applied, changed=False)


def test_a_label_alone_changes_no_revision(stage: Stage, case: Case) -> None:
    """It is added by a call of its own, once, and nobody who reads the dialog sees a change."""
    apply(stage.bridge, planned(stage, case, news(stage, case)))
    change = replace(news(stage, case), labels=("urn:kommune:ny",))
    before = stage.dialog(case)["revision"]

    found = planned(stage, case, change)
    applied = apply(stage.bridge, found)

    assert (found.writes, found.changes_dialog, found.is_empty) == (("add label urn:kommune:ny",), False, False)
    assert (applied.changed, applied.revision) == (False, before)
    assert planned(stage, case, change).is_empty
