"""A third target is one class and one entry: from the press to the changed dialog, by nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest

from bridge.core.delivery import Event
from bridge.core.elements import ElementState
from bridge.core.mapping import FormSource, ServiceMapping, Validation
from bridge.core.operations import Outcome
from bridge.core.targets import Target
from bridge.steps.delivery import Delivery, PlannedWrite
from bridge.steps.drivers.registry import DRIVERS
from tests.scenarios.stage import RESOURCE, VALID, Stage, until

ECHO = Target("echo")


class Echo:
    """Hears a form at its first look, and has it at the second."""

    def __init__(self) -> None:
        self.heard: list[bytes | None] = []

    def deliver(self, delivery: Delivery) -> datetime | None:
        operation, now = delivery.operation, delivery.bridge.clock()
        if operation.sending_at is None:
            planned = PlannedWrite(event=Event.SENT_WHOLE, manifest=None, send=lambda: self._hear(operation.body))
            out = delivery.set_out(planned, built_on=None, until=now, since=now)
            assert isinstance(out, Delivery)
            return out.answered(planned.send()).operation.answered_at
        delivery.ended(Outcome.DONE, state=ElementState.ARCHIVED.value, archived_id=operation.archived_id)
        return None

    def _hear(self, body: bytes | None) -> str:
        self.heard.append(body)
        return f"echo-{len(self.heard)}"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_ANSWER_WITHIN="0")
    mapping = made.bridge.mappings[RESOURCE]
    echo = replace(mapping.actions["submit"], target=ECHO, form=FormSource.BODY, set_values=(), validate=Validation.OFF)
    cast("dict[str, ServiceMapping]", made.bridge.mappings)[RESOURCE] = replace(
        mapping, actions={**mapping.actions, "submit": echo}
    )
    yield made
    made.stop()


@pytest.fixture
def echo() -> Iterator[Echo]:
    DRIVERS[ECHO] = made = Echo()
    yield made
    del DRIVERS[ECHO]


def test_a_press_goes_to_the_driver_of_its_target(stage: Stage, echo: Echo) -> None:
    """202, then the dialog says that it was done; nothing was asked of Altinn 2."""
    case = stage.case()
    asked = len(stage.world.calls.all("altinn2"))

    answer = stage.press(case, data=VALID, content_type="application/xml")
    until(lambda: bool(stage.operations(case)) and stage.operations(case)[0].finished_at is not None)

    (operation,) = stage.operations(case)
    assert answer.status_code == 202
    assert (operation.outcome, operation.archived_id) == (Outcome.DONE, "echo-1")
    assert echo.heard == [VALID.encode()]
    assert said(stage.dialog(case)) == ("Completed", ["FormSubmitted"])
    assert len(stage.world.calls.all("altinn2")) == asked
    assert stage.element(case)["state"] == "formfilling"


def said(dialog: Any) -> tuple[str, list[str]]:
    return dialog["status"], [each["type"] for each in dialog["activities"]]
