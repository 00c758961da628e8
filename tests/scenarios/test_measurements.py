"""What /metrics tells of presses, refusals and faults of the bridge."""

from collections.abc import Iterator
from importlib.metadata import version

import pytest

from bridge.web.app import create_app
from tests.scenarios.stage import FAULTY, Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"))
    yield made
    made.stop()


def value(stage: Stage, name: str, **labels: str) -> float:
    return stage.bridge.metrics.registry.get_sample_value(name, labels) or 0


def test_what_came_of_presses_is_counted(stage: Stage) -> None:
    """By outcome, and a refusal by its problem; who waited for it was refused, too."""
    sound, faulty = stage.case(), stage.case(FAULTY)

    assert (stage.press(sound).status_code, stage.press(faulty).status_code) == (204, 422)

    ends = {"service": "urn:altinn:resource:serveringsbevilling", "action": "submit"}
    finished = "bridge_operations_finished_total"
    assert value(stage, finished, **ends, outcome="done", problem="") == 1
    assert value(stage, finished, **ends, outcome="refused", problem="form_invalid") == 1
    assert value(stage, "bridge_refusals_total", code="form_invalid") == 1


def test_every_problem_is_counted_once(stage: Stage) -> None:
    """Also what no route answers."""
    before = {code: value(stage, "bridge_refusals_total", code=code) for code in ("not_found", "token_missing")}

    stage.client.get("/nowhere")
    stage.client.get("/operations/0196f000-0000-7000-8000-000000000009")

    for code, count in before.items():
        assert value(stage, "bridge_refusals_total", code=code) == count + 1


def test_a_fault_of_the_bridge_is_counted(stage: Stage) -> None:
    """The nought before it is there as well, so that the first one can ring somebody up."""
    assert value(stage, "bridge_unexpected_errors_total", where="request") == 0
    assert b'bridge_unexpected_errors_total{where="step"} 0.0' in stage.client.get("/metrics").data
    app = create_app(stage.bridge)

    @app.get("/fails")
    def fails() -> str:
        raise KeyError("x")

    answer = app.test_client().get("/fails")

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (500, "internal")
    assert value(stage, "bridge_unexpected_errors_total", where="request") == 1


def test_what_runs_is_told(stage: Stage) -> None:
    """By its version."""
    assert f'version="{version("altinn-dialog-bridge")}"' in stage.client.get("/metrics").text
    assert "bridge_build_info{" in stage.client.get("/metrics").text
