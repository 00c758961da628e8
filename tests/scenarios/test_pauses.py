"""Altinn 2 asks to be left alone: it is, by everything, until that is over."""

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.cli.pauses import pauses
from bridge.core.operations import Outcome
from bridge.sandbox.control import settings
from bridge.storage.pauses import lift_pauses
from tests.scenarios.stage import BASE, Case, Stage, until

# Each waits until a pause is over.
pytestmark = pytest.mark.slow

MAINTENANCE = {"status": 503, "reason": "Altinn er utilgjengelig på grunn av vedlikehold"}
PAUSE = {"status": 503, "headers": {"Retry-After": "600"}}


@pytest.fixture
def stage(tmp_path: Any) -> Iterator[Stage]:
    made = Stage(tmp_path, BRIDGE_ANSWER_WITHIN="0", BRIDGE_RETRY_FIRST="0.02", BRIDGE_PAUSE_LOOK="0.2")
    yield made
    made.stop()


def calls(stage: Stage) -> int:
    return len([each for each in stage.world.calls.all("altinn2") if "/messages" in each.path])


def held(stage: Stage, case: Case) -> bool:
    """An operation that has met the pause, and was asked for again."""
    return any(each.attempt > 1 for each in stage.operations(case))


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(PAUSE, id="Retry-After"),
        pytest.param({"status": 429, "headers": {"Retry-After": "600"}}, id="429"),
        pytest.param(MAINTENANCE, id="maintenance"),
        pytest.param(
            {
                "status": 503,
                "headers": {"Content-Type": "text/html"},
                "body": "<html><h1>Planned maintenance</h1></html>",
            },
            id="a page of maintenance",
        ),
    ],
)
def test_one_is_told_and_nobody_else_asks(stage: Stage, how: dict[str, Any]) -> None:
    """The first press meets it, and the others send nothing; none of them loses a try."""
    first, others = stage.case(), [stage.case() for _ in range(3)]
    stage.fault("altinn2", "GET", f"{first.message_id}", **how)
    stage.press(first)
    until(lambda: held(stage, first))
    before = calls(stage)

    for each in others:
        stage.press(each)
    until(lambda: all(held(stage, each) for each in others))

    assert calls(stage) == before
    assert [each.tries for case in (first, *others) for each in stage.operations(case)] == [0] * 4


def test_lifted_by_hand_it_goes_on(stage: Stage) -> None:
    """What was held back is done, without anybody pressing again."""
    case, other = stage.case(), stage.case()
    stage.fault("altinn2", "GET", case.message_id, **PAUSE)
    stage.press(case)
    until(lambda: held(stage, case))
    stage.press(other)
    until(lambda: held(stage, other))

    lift_pauses(stage.bridge.store, now=stage.bridge.clock())

    until(lambda: [each.outcome for each in stage.operations(other)] == [Outcome.DONE])


def test_what_cannot_wait_is_told_for_how_long(stage: Stage) -> None:
    """A print or an attachment is answered 503 with what is left of the pause."""
    case = stage.case()
    stage.fault("altinn2", "GET", "print", **PAUSE)

    answers = [stage.press(case, "submit/print", method="GET") for _ in range(2)]

    assert [each.status_code for each in answers] == [503, 503]
    assert 500 < int(answers[1].headers["Retry-After"]) <= 600
    assert sum(each.path.endswith("print") for each in stage.world.calls.all("altinn2")) == 1


@pytest.mark.parametrize("how", [{"status": 503}, {"status": 500}, {"status": 503, "headers": {"Retry-After": "0"}}])
def test_a_fault_is_no_pause(stage: Stage, how: dict[str, Any]) -> None:
    """A server that fails without a word holds nobody else up."""
    case, other = stage.case(), stage.case()
    stage.fault("altinn2", "GET", "print", **how)
    stage.press(case, "submit/print", method="GET")

    answer = stage.press(other, "submit/print", method="GET")

    assert answer.status_code == 200


def test_an_operator_sees_it(stage: Stage) -> None:
    """``altinn-bridge pauses list`` ends with 1 and says why and until when; metrics and /health/deep tell it, too."""
    case = stage.case()
    stage.fault("altinn2", "GET", "print", **MAINTENANCE)
    stage.press(case, "submit/print", method="GET")
    environ = {**settings(stage.world, BASE), "BRIDGE_DATABASE_URL": stage.settings.database_url}

    shown = CliRunner().invoke(pauses, ["list"], env=environ)
    deep = stage.client.get("/health/deep").get_json()
    metrics = stage.client.get("/metrics").text
    lifted = CliRunner().invoke(pauses, ["lift"], env=environ)

    assert (shown.exit_code, lifted.exit_code) == (1, 0)
    assert "down for maintenance: http://127.0.0.1:9/altinn2/api: left alone until" in shown.output
    assert "lifted: 1" in lifted.output
    assert deep["paused"] == {"altinn2": "down for maintenance"}
    assert 'bridge_upstream_pause_state{upstream="altinn2"} 2.0' in metrics


@pytest.mark.parametrize("answer", ["retry_after", "phrase", "page"])
def test_maintenance_ends_and_the_press_is_done(stage: Stage, answer: str) -> None:
    """Whichever way Altinn 2 says that it is down: what was accepted waits, and is done once, afterwards."""
    case = stage.case()
    stage.world.change_switches(altinn2_maintenance_seconds=600, altinn2_maintenance_answer=answer)
    stage.press(case)
    until(lambda: held(stage, case))
    waiting = calls(stage)
    until(lambda: stage.operations(case)[0].attempt > 3)
    asked = calls(stage)

    stage.world.change_switches(altinn2_maintenance_seconds=0)
    lift_pauses(stage.bridge.store, now=stage.bridge.clock())

    until(lambda: [each.outcome for each in stage.operations(case)] == [Outcome.DONE])
    assert asked == waiting
    assert len(stage.effects(case, "altinn2.put")) == 1
