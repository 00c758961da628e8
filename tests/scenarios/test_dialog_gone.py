"""What cannot be told is not sent: a dialog that is gone ends a press before anything that cannot be undone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from bridge.core.operations import Outcome
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import Case, Stage, until


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = write_mapping(tmp_path_factory.mktemp("mappings"))
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder))
    yield made
    made.stop()


def gone(stage: Stage, case: Case, how: str) -> None:
    """Delete the dialog softly, or for good."""
    method, path = {"deleted": ("DELETE", ""), "purged": ("POST", "/actions/purge")}[how]
    answer = stage.as_owner(method, f"/{case.dialog_id}{path}")
    assert answer.status_code == 204, answer.text


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2]


@pytest.mark.parametrize("how", ["deleted", "purged"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "first use"])
@pytest.mark.parametrize("action", ["submit", "to-signing", "sign", "discard"])
def test_nothing_is_done_that_nobody_can_be_told(stage: Stage, action: str, known: bool, how: str) -> None:
    """The token is still valid: 410, and the element is as it was."""
    state = "signing" if action == "sign" else "formfilling"
    case = stage.case(service={"signing_steps": 1}, state=state)
    token = stage.token(case)
    if known:
        stage.press(case, "confirm", token=token)
    gone(stage, case, how)

    answer = stage.press(case, action, method="DELETE" if action == "discard" else "POST", token=token)

    assert code(answer) == (410, "dialog_gone")
    assert stage.element(case)["state"] == state
    assert stage.effects(case, "altinn2.put") == stage.effects(case, "altinn2.delete") == []
    assert [each.outcome for each in stage.operations(case)] == [Outcome.REFUSED] * (2 if known else 0)


def test_a_dialog_that_goes_while_a_press_waits_is_noticed(stage: Stage) -> None:
    """Accepted while Altinn 2 was away; when it answers again there is nobody left to tell."""
    case = stage.case()
    token = stage.token(case)
    stage.fault("altinn2", "GET", f"{case.message_id}$", status=503)
    stage.fault("altinn2", "GET", f"{case.message_id}$", delay_seconds=1)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case, "submit", token=token)
        until(lambda: stage.control("GET", "/faults") == [])
        gone(stage, case, "deleted")
        answer = pressed.result()

    assert code(answer) == (410, "dialog_gone")
    assert stage.element(case)["state"] == "formfilling"


@pytest.mark.parametrize("how", [{"status": 503}, {"status": 401}, {"status": 500}, {"cut": "before"}])
def test_dialogporten_away_blocks_nothing(stage: Stage, how: dict[str, object]) -> None:
    """The look is not answered: the form is sent, and the dialog told when it can be."""
    case = stage.case()
    stage.press(case, "confirm")
    stage.fault("dialogporten", "GET", str(case.dialog_id), **how)

    answer = stage.press(case, "submit")

    assert answer.status_code == 204
    assert stage.element(case)["state"] == "archived"
    assert stage.activities(case)[-1] == "FormSubmitted"
    assert stage.control("GET", "/faults") == []


def test_a_draft_is_saved_all_the_same(stage: Stage) -> None:
    """What can be saved again is no harm, and costs no look."""
    case = stage.case()
    token = stage.token(case)
    stage.press(case, "confirm", token=token)
    gone(stage, case, "deleted")

    answer = stage.press(case, "save", token=token)

    assert answer.status_code == 204
    assert len(stage.effects(case, "altinn2.put")) == 1
