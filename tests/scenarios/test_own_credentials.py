"""A system that refuses the bridge itself refuses nobody who pressed a button."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.scenarios.stage import Stage, until

# Each waits for several tries of a press.
pytestmark = pytest.mark.slow

REFUSALS = [
    pytest.param("maskinporten", "POST", "/token", {"status": 401, "body": '{"error":"invalid_client"}'}, id="client"),
    pytest.param("maskinporten", "POST", "/token", {"status": 400, "body": '{"error":"invalid_grant"}'}, id="grant"),
    pytest.param("platform", "GET", "/exchange/", {"status": 401, "body": ""}, id="exchange"),
    pytest.param("platform", "GET", "/exchange/", {"status": 403, "body": ""}, id="exchange, scope"),
    pytest.param("altinn2", "GET", "/messages/", {"status": 401, "reason": "Unauthorized"}, id="token in Altinn 2"),
    pytest.param(
        "altinn2",
        "GET",
        "/messages/",
        {"status": 403, "reason": "The API key is not authorized for this operation"},
        id="API key",
    ),
    pytest.param("altinn2", "PUT", "/messages/", {"status": 401, "reason": "Unauthorized"}, id="token at the PUT"),
    pytest.param("dialogporten", "PATCH", "/dialogs/", {"status": 401, "body": ""}, id="token in Dialogporten"),
    pytest.param("dialogporten", "PATCH", "/dialogs/", {"status": 403, "body": ""}, id="scope in Dialogporten"),
]


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = Stage(tmp_path, **getattr(request, "param", {}))
    yield made
    made.stop()


@pytest.mark.parametrize(("system", "method", "path", "how"), REFUSALS)
def test_a_refusal_of_our_own_credentials_is_waited_out(
    stage: Stage, system: str, method: str, path: str, how: dict[str, Any]
) -> None:
    """Four times over: an operator is called each time, and the press is carried out once it is mended."""
    case = stage.case()
    stage.fault(system, method, path, times=4, **how)

    with capture_logs() as logs:
        answer = stage.press(case)
        until(lambda: stage.operations(case)[0].finished_at is not None)

    alarms = [each for each in logs if each["event"] == "the bridge's own credentials were refused"]
    assert answer.status_code in (202, 204)
    assert {each["log_level"] for each in alarms} == {"error"}
    assert stage.element(case)["state"] == "archived"
    assert len(stage.effects(case, "altinn2.put")) == 1
    assert stage.activities(case) == ["FormSubmitted"]


@pytest.mark.parametrize("stage", [{"BRIDGE_ANSWER_WITHIN": "0.2"}], indirect=True)
def test_health_and_metrics_name_who_refuses_the_bridge(stage: Stage) -> None:
    """While it lasts, and no longer than until that system takes the bridge again."""
    case = stage.case()
    stage.fault("maskinporten", "POST", "/token", times=None, status=401, body='{"error":"invalid_client"}')

    answer = stage.press(case)
    until(lambda: stage.client.get("/health/deep").status_code == 503)
    refusing = stage.client.get("/health/deep").get_json()
    metrics = stage.client.get("/metrics").text
    stage.control("DELETE", "/faults")
    until(lambda: stage.client.get("/health/deep").status_code == 200)

    assert answer.status_code == 202
    assert refusing["status"] == "degraded"
    assert refusing["refusingUs"]["Maskinporten"]["why"] == "invalid_client"
    assert 'bridge_own_credentials_refused{system="Maskinporten"} 1.0' in metrics
    assert stage.client.get("/health/deep").get_json()["refusingUs"] == {}


def test_a_token_that_dialogporten_refuses_is_renewed_in_the_same_call(stage: Stage) -> None:
    """By the token source that the service really has; nobody is called for it."""
    case = stage.case()
    stage.fault("dialogporten", "PATCH", "/dialogs/", status=401, body="")

    with capture_logs() as logs:
        answer = stage.press(case)

    assert answer.status_code == 204
    assert not [each for each in logs if each["log_level"] in ("warning", "error")]
    patches = [each.status for each in stage.world.calls.all("dialogporten") if each.method == "PATCH"]
    assert patches == [401, 204]
