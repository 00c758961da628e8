"""An app that does not answer in time, or nothing that can be read: nothing was stored, and it is never uncertain."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.exceptions import ReadTimeout

from bridge.sandbox.in_process import SandboxAdapter
from tests.scenarios.calculating import SUM, calculating, held
from tests.scenarios.stage import BASE, Stage


class Late(BaseAdapter):
    """Lets the first *times* calculations reach the app, and their answers come too late, or as *error*."""

    def __init__(self, inner: SandboxAdapter, times: int, error: Exception) -> None:
        super().__init__()
        self.inner, self.left, self.sent, self.error = inner, times, 0, error

    def send(self, request: requests.PreparedRequest, *args: Any, **about: Any) -> requests.Response:  # type: ignore[override]
        answer = self.inner.send(request, *args, **about)
        if request.method != "POST":
            return answer
        self.sent += 1
        if self.left > 0:
            self.left -= 1
            raise self.error
        return answer

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(params=["60"])
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = calculating(tmp_path, BRIDGE_GIVE_UP_AFTER=request.param)
    yield made
    made.stop()


def late(stage: Stage, times: int, error: Exception | None = None) -> Late:
    adapter = Late(SandboxAdapter(stage.world, BASE), times, error or ReadTimeout("late"))
    stage.bridge.apps._session.mount("http://", adapter)
    return adapter


def test_a_late_calculation_is_asked_for_again(stage: Stage) -> None:
    """Two answers come too late, the third is taken, and Altinn 2 sees one PUT."""
    mine, adapter = held(stage), late(stage, 2)

    answer = stage.press(mine, "submit")

    assert (answer.status_code, adapter.sent) == (204, 3)
    assert len(stage.effects(mine, "altinn2.put")) == 1


@pytest.mark.parametrize("stage", ["1"], indirect=True)
def test_an_app_that_never_answers_leaves_nothing_uncertain(stage: Stage) -> None:
    """The action is given up, the dialog says so, and the element is as it was."""
    mine = held(stage)
    late(stage, 1000)

    answer = stage.press(mine, "submit")

    assert answer.status_code == 504
    assert answer.get_json()["type"].endswith("given_up")
    assert stage.effects(mine, "altinn2.put") == []
    assert stage.element(mine)["forms"][0]["xml"] == SUM
    assert stage.activities(mine) == ["Information"]


def test_an_app_that_cannot_be_read_ends_the_action(stage: Stage) -> None:
    """It is there, and would answer so again: it is asked once, and nothing is sent to Altinn 2."""
    mine = held(stage)
    adapter = late(stage, 1000, http.client.HTTPException("got more than 100 headers"))

    answer = stage.press(mine, "submit")

    assert (answer.status_code, adapter.sent) == (502, 1)
    assert answer.get_json()["type"].endswith("app_answer_unreadable")
    assert stage.effects(mine, "altinn2.put") == []
