"""What Altinn 2 keeps of a form is held against what it was sent (promise P7)."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.core.operations import Outcome
from tests.scenarios.stage import VALID, Stage

WARNING = "the forms did not come back as they were sent"


@pytest.fixture(autouse=True)
def usual_again(stage: Stage) -> Iterator[None]:
    yield
    stage.world.change_switches(put_forms="kept")


def told(logs: list[Any]) -> list[Any]:
    return [each for each in logs if each["event"] == WARNING]


@pytest.mark.parametrize("action", ["submit", "send-to-signing"])
def test_a_dropped_field_ends_with_an_alarm(stage: Stage, action: str) -> None:
    """The sender gets content_lost with the field's path, the operator a warning, and nothing is sent twice."""
    case = stage.case(service={"signing_steps": 1})
    stage.world.change_switches(put_forms="last_value_dropped")

    with capture_logs() as logs:
        answer = stage.press(case, action)

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (502, "content_lost")
    lost = [each["path"] for each in answer.get_json()["findings"]]
    assert len(lost) == 1
    assert [each["lost"] for each in told(logs)] == [lost]
    (operation,) = stage.operations(case)
    assert operation.outcome is Outcome.GIVEN_UP
    assert len(stage.effects(case, "altinn2.put")) == 1


def test_a_changed_value_is_told_by_its_path(stage: Stage) -> None:
    """Altinn 2 may calculate: the action is done, and log and operation have the path and no value."""
    case = stage.case()
    token = stage.token(case)
    stage.world.change_switches(put_forms="last_value_overwritten")

    with capture_logs() as logs:
        answer = stage.press(case, token=token)

    assert answer.status_code == 204
    (warning,) = told(logs)
    assert len(warning["changed"]) == 1
    (operation,) = stage.operations(case)
    shown = stage.client.get(f"/operations/{operation.id}", headers={"Authorization": f"Bearer {token}"}).get_json()
    assert (shown["outcome"], shown["differences"]) == ("done", {"count": 1, "changed": warning["changed"]})
    assert "overwritten" not in f"{warning}{shown}"


def test_a_form_that_came_back_whole_alarms_nobody(stage: Stage) -> None:
    """Altinn 2 washes the form, and nothing is told."""
    case = stage.case(VALID)

    with capture_logs() as logs:
        answer = stage.press(case)

    assert answer.status_code == 204
    assert told(logs) == []
    assert [each.differences for each in stage.operations(case)] == [{}]


def test_what_was_sent_is_kept_until_it_was_compared(stage: Stage) -> None:
    """A read that fails after the PUT is repeated, and finds the loss; an operator can look again."""
    case = stage.case()
    stage.world.change_switches(put_forms="last_value_dropped")
    # The first read is that of the form to be sent.
    stage.fault("altinn2", "GET", "formdata", status=503, skip=1)

    answer = stage.press(case)

    assert answer.get_json()["type"].endswith("content_lost")
    (operation,) = stage.operations(case)
    assert operation.dead_why == "content_lost"
    assert len(stage.effects(case, "altinn2.put")) == 1


def problem_of(answer: Any) -> tuple[int, str, list[str]]:
    told = answer.get_json()
    return answer.status_code, told["type"].rpartition(":")[2], [each["rule"] for each in told.get("findings", [])]


UNVERIFIED = "what was sent could not be verified"


@pytest.mark.parametrize(
    ("kept", "refused"), [("broken_off", False), ("kept", True)], ids=["not comparable", "not read back"]
)
def test_what_cannot_be_compared_is_no_success(stage: Stage, kept: str, refused: bool) -> None:
    """The PUT took: the dialog says that it was carried out and not verified, and an operator has to look."""
    case = stage.case()
    stage.world.change_switches(put_forms=kept)
    if refused:
        stage.fault("altinn2", "GET", "formdata", status=403, skip=1)

    with capture_logs() as logs:
        answer = stage.press(case)

    assert problem_of(answer) == (502, "content_unverified", ["not_comparable"])
    assert [each["log_level"] for each in logs if each["event"] == UNVERIFIED] == ["error"]
    (operation,) = stage.operations(case)
    assert (operation.outcome, operation.dead_why) == (Outcome.GIVEN_UP, "content_unverified")
    assert "not verified" in str(stage.dialog(case)["activities"])
    assert len(stage.effects(case, "altinn2.put")) == 1


def test_what_was_not_answered_and_cannot_be_compared_is_uncertain(stage: Stage) -> None:
    """Without a yes nobody knows whether it was ours that moved the element."""
    case = stage.case()
    stage.world.change_switches(put_forms="broken_off")
    stage.fault("altinn2", "PUT", case.message_id, cut="after")

    answer = stage.press(case)

    assert problem_of(answer) == (504, "outcome_uncertain", ["not_comparable"])
    assert len(stage.effects(case, "altinn2.put")) == 1


def test_the_same_bytes_need_no_comparing(stage: Stage) -> None:
    """What Altinn 2 shows just as it was sent is there, also where nobody here can read it."""
    case = stage.case()
    stage.world.change_switches(washed_formdata=False)

    try:
        assert stage.press(case).status_code == 204
    finally:
        stage.world.change_switches(washed_formdata=True)


def test_a_loss_is_found_after_an_answer_that_never_came(stage: Stage) -> None:
    """The PUT took, its answer was cut, and what was sent is still there to be compared."""
    case = stage.case()
    stage.world.change_switches(put_forms="last_value_dropped")
    stage.fault("altinn2", "PUT", case.message_id, cut="after")

    answer = stage.press(case)

    assert answer.get_json()["type"].endswith("content_lost")
    assert len(stage.effects(case, "altinn2.put")) == 1
