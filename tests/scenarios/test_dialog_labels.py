"""Service-owner labels of the agency's own dialogs: a call of their own, that holds nothing up."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.dialog_mapping import MAPPING, saying
from tests.scenarios.stage import Case, Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        made = saying(Path(name), mapping=f"{MAPPING}  labels: [servering, Uteservering]\n")
        yield made
        made.stop()


def test_labels_come_by_a_call_of_their_own(stage: Stage) -> None:
    """Once, and not again when the agency takes one off; one that fails waits and holds nothing up."""
    case = stage.case(service={"signing_steps": 1})
    labels = f"/{case.dialog_id}/context/labels"
    stage.fault("dialogporten", "POST", labels, status=503, skip=1)
    stage.world.calls.clear()

    answer = stage.press(case, "send-to-signing")
    before = (stage.writes(case), labelled(stage, case))
    taken_off = stage.as_owner("DELETE", f"{labels}/servering").status_code
    stage.press(case, "sign")
    after = (stage.writes(case), labelled(stage, case))

    assert answer.status_code == 204
    assert before == (["PATCH", "POST", "POST"], {"servering"})
    assert taken_off == 204
    assert after == (["PATCH", "POST", "POST", "DELETE", "PATCH", "POST"], {"uteservering"})


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        pytest.param(400, ["PATCH", "POST", "POST", "PATCH"], id="refused: asking again would change nothing"),
        pytest.param(403, ["PATCH", "POST", "PATCH", "POST"], id="no scope: asked again when an operator saw to it"),
    ],
)
def test_a_label_that_is_refused_holds_nothing_up(stage: Stage, fault: int, calls: list[str]) -> None:
    """Others were first with it, or the client's scopes do not do; the rest of the dialog is told all the same."""
    case = stage.case(service={"signing_steps": 1})
    stage.fault("dialogporten", "POST", f"/{case.dialog_id}/context/labels", status=fault, times=2)
    stage.world.calls.clear()

    answers = [stage.press(case, action).status_code for action in ("send-to-signing", "sign")]
    made = stage.writes(case)

    assert (answers, made) == ([204, 204], calls)


def labelled(stage: Stage, case: Case) -> set[str]:
    """The dialog's labels, but for the one that names its element."""
    found = {each["value"] for each in stage.dialog(case)["serviceOwnerContext"]["serviceOwnerLabels"]}
    return {each for each in found if ":a2:message:" not in each}
