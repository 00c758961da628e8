"""A third target is one class and one entry: from the press to the changed dialog, by nothing else."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import pytest
from click.testing import CliRunner
from pydantic import Field

from bridge.bundled import mappings_folder, schemas_folder
from bridge.cli.check.command import check
from bridge.config.mapping_keys import ActionKeys, Lacked
from bridge.config.mapping_parts import Parts
from bridge.config.mappings import read_mappings, recalled
from bridge.config.yaml_source import Place
from bridge.core.cases import CaseRef, CaseState, CaseStatus
from bridge.core.delivery import Event
from bridge.core.errors import Fault
from bridge.core.mapping import FormSource, ServiceMapping, Validation
from bridge.core.operations import Link, Outcome
from bridge.core.targets import Target
from bridge.parts import Bridge
from bridge.sandbox import Sandbox, World
from bridge.sandbox.control import settings
from bridge.steps.delivery import Delivery, PlannedWrite
from bridge.steps.drivers.protocol import Cases, Online, OnlineReport
from bridge.steps.drivers.registry import DRIVERS, SYSTEMS, cases_of
from tests.scenarios.stage import ORGANISATION, RESOURCE, VALID, Stage, until

ECHO = Target("echo")
HEARD_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


NOTE = CaseRef(system=ECHO.value, owner="me", key="a1001")
"""A case of the third system, which by its key could be Altinn 2's."""


class EchoKeys(ActionKeys):
    """The keys of an action that calls into the mountains."""

    target: Annotated[Literal["echo"], Field()]
    times: Annotated[int, Field(ge=1)] = 1
    sign: Lacked = None


class Echo:
    """Hears a form at its first look, and has it at the second. It holds cases of its own."""

    keys = EchoKeys

    def __init__(self) -> None:
        self.heard: list[bytes | None] = []

    def check_mapping(self, said: Parts) -> Iterator[tuple[Place, str]]:
        for name, action in said.actions_of(ECHO):
            if isinstance(action, EchoKeys) and action.times > 3:
                yield ("actions", name, "times"), "no echo comes back so often: write at most 3"

    def check_online(self, mappings: Sequence[ServiceMapping], online: Online) -> OnlineReport:
        calling = [each for each in mappings if any(action.target is ECHO for action in each.actions.values())]
        assert online.settings.environment
        silent = [Fault(where=each.source, message="nothing comes back from the mountains") for each in calling]
        return OnlineReport(faults=silent, told=[f"echo: {len(calling)} call"])

    def deliver(self, delivery: Delivery) -> datetime | None:
        operation, now = delivery.operation, delivery.bridge.clock()
        if operation.sending_at is None:
            planned = PlannedWrite(event=Event.SENT_WHOLE, manifest=None, send=lambda: self._hear(operation.body))
            out = delivery.set_out(planned, built_on=None, until=now, since=now)
            assert isinstance(out, Delivery)
            return out.answered(planned.send()).operation.answered_at
        delivery.ended(Outcome.DONE, state=CaseStatus.ARCHIVED.value, archived_id=operation.archived_id)
        return None

    def observe(self, _bridge: Bridge, link: Link) -> CaseState | None:
        if link.case != NOTE or not self.heard:
            return None
        count = str(len(self.heard))
        return CaseState(status=CaseStatus.ARCHIVED, version=count, last_changed=HEARD_AT, archived_as=f"echo-{count}")

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
    SYSTEMS[ECHO.value] = cast("Cases", made)
    yield made
    del DRIVERS[ECHO], SYSTEMS[ECHO.value]


def test_a_press_goes_to_the_driver_of_its_target(stage: Stage, echo: Echo) -> None:
    """202, then the dialog says that it was done, of a case that is its system's; nothing was asked of Altinn 2."""
    case = stage.case()
    link = Link(dialog_id=case.dialog_id, service_resource=RESOURCE, party=f"{ORGANISATION}{case.who}", case=NOTE)
    with stage.bridge.store.transaction() as tx:
        tx.add_link(link, now=stage.bridge.clock())
    asked = len(stage.world.calls.all("altinn2"))

    answer = stage.press(case, data=VALID, content_type="application/xml")
    until(lambda: bool(stage.operations(case)) and stage.operations(case)[0].finished_at is not None)

    (operation,) = stage.operations(case)
    assert answer.status_code == 202
    assert (operation.case, operation.outcome, operation.archived_id) == (NOTE, Outcome.DONE, "echo-1")
    found = cases_of(operation.required_case).observe(stage.bridge, link)
    assert found is not None
    assert (found.status, found.version) == (CaseStatus.ARCHIVED, "1")
    assert echo.heard == [VALID.encode()]
    assert said(stage.dialog(case)) == ("Completed", ["FormSubmitted"])
    assert len(stage.world.calls.all("altinn2")) == asked
    assert stage.element(case)["state"] == "formfilling"


SHIPPED = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")


def calling(folder: Path, keys: str) -> Path:
    """The shipped mapping with an action that calls; it stands on the line after ``actions:``."""
    action = f"requires: write, minimum_level: 3, form: body, {keys}"
    path = folder / "m.yaml"
    path.write_text(SHIPPED.replace("\nactions:\n", f"\nactions:\n  call: {{{action}}}\n"), "utf-8")
    return path


def faults_of(path: Path) -> list[str]:
    """What is wrong with the only action, from its first key on."""
    line = path.read_text("utf-8").splitlines().index("actions:") + 2
    _, faults = read_mappings(path, schemas_folder(), targets=DRIVERS)
    return [str(each).removeprefix(f"{path}:{line}:") for each in faults]


@pytest.mark.usefixtures("echo")
def test_its_mapping_has_its_own_keys(tmp_path: Path) -> None:
    """They become an action of that target, which what was accepted can be made again of."""
    services, faults = read_mappings(calling(tmp_path, "target: echo, times: 2"), schemas_folder(), targets=DRIVERS)

    (mapping,) = services.values()
    assert faults == []
    assert mapping.actions["call"].target is ECHO
    assert recalled(mapping.said, DRIVERS) == replace(mapping, source="a mapping that was accepted")


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("target: echo, times: 4", "78: no echo comes back so often: write at most 3"),
        ("target: echo, times: 0", "78: write at least 1"),
        ("target: echo, time: 4", "71: there is no key 'time' here: did you mean 'times'?"),
        ("target: echo, sign: true", "77: 'target: echo' has no 'sign': leave it out"),
        ("target: altinn3, times: 2", "74: there is no key 'times' here; known are"),
        ("target: ehco", "65: write one of altinn2, altinn3, echo instead of 'ehco': did you mean echo?"),
    ],
)
def test_its_driver_alone_checks_its_mapping(tmp_path: Path, keys: str, expected: str) -> None:
    """What its keys and its class say is told with file, line and column, as of any other target."""
    assert [each for each in faults_of(calling(tmp_path, keys)) if expected in each]


def test_a_target_without_a_driver_is_refused_by_name(tmp_path: Path) -> None:
    """With the targets that there are."""
    path = calling(tmp_path, "target: echo")

    assert faults_of(path) == ["65: write one of altinn2, altinn3 instead of 'echo'"]
    assert recalled('{"actions":{"call":{"target":"echo"}}}', DRIVERS) is None


@pytest.mark.usefixtures("echo")
def test_the_check_asks_it_too(tmp_path: Path) -> None:
    """``altinn-bridge check`` has no word for any target: whoever is in the registry is asked, online as well."""
    (tmp_path / "mappings").mkdir()
    path = calling(tmp_path / "mappings", "target: echo")
    with Sandbox(world := World(lambda: datetime.now(UTC), 7)) as sandbox:
        environ = {
            **settings(world, sandbox.base_url),
            "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/unused.sqlite",
            "BRIDGE_MAPPINGS": str(path.parent),
        }
        report = json.loads(CliRunner().invoke(check, ["--online", "--json"], env=environ).stdout)

    assert report["faults"][-1] == {"where": str(path), "message": "nothing comes back from the mountains"}
    assert report["apps"] == ["echo: 1 call"]


def said(dialog: Any) -> tuple[str, list[str]]:
    return dialog["status"], [each["type"] for each in dialog["activities"]]
