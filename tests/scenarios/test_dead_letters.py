"""What was given up is kept until an operator has decided about it."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import structlog
from click.testing import CliRunner, Result

from bridge.cli.operations import operations as command
from bridge.core.operations import Operation, Outcome
from bridge.core.operations import Stage as Step
from bridge.storage import tables
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

CHANGED = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>39<")


@pytest.fixture(scope="module", autouse=True)
def log_of_its_own() -> Iterator[None]:
    """What a command prints is its own: the worker in this process logs elsewhere, at whatever moment."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(write_mapping(tmp_path_factory.mktemp("mappings"))),
        BRIDGE_GIVE_UP_AFTER="1",
        BRIDGE_RETRY_FIRST="0.05",
        BRIDGE_ALTINN2_SETTLE="0.05",
    )
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def every_fault_is_played(stage: Stage) -> Iterator[None]:
    """Here they last until they are taken away."""
    yield
    stage.control("DELETE", "/faults")


def asked(stage: Stage, *arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(command, list(arguments), env=stage.environ, **options)


def told(stage: Stage, *arguments: str) -> Any:
    return json.loads(asked(stage, *arguments, "--json").output)


def given_up(stage: Stage, below: str = "") -> tuple[Case, Operation]:
    """A draft that could not be brought to Altinn 2 for as long as it was tried; *below* is what could not be read."""
    mine = stage.case()
    stage.fault("altinn2", "GET", f"{mine.message_id}{below}", times=None, status=500)
    answer = stage.press(mine, "send", data=CHANGED, headers={"Content-Type": "application/xml"})
    stage.control("DELETE", "/faults")
    assert answer.status_code == 504
    return mine, stage.operations(mine)[0]


def untold(stage: Stage) -> tuple[Case, Operation]:
    """A form that was archived, and whose dialog could not be told."""
    mine = stage.case()
    stage.fault("dialogporten", "PATCH", str(mine.dialog_id), times=None, status=503)
    answer = stage.press(mine, "submit")
    stage.control("DELETE", "/faults")
    assert answer.status_code == 204
    return mine, stage.operations(mine)[0]


def form(stage: Stage, mine: Case) -> str:
    return str(stage.element(mine)["forms"][0]["xml"])


def test_what_was_given_up_is_kept_and_told(stage: Stage) -> None:
    """The dialog says so, and the form and who pressed stay with the operation."""
    mine, operation = given_up(stage)

    assert (operation.stage, operation.outcome) == (Step.FINISHED, Outcome.GIVEN_UP)
    assert (operation.dead_stage, operation.dead_why) == (Step.DELIVER, "given_up")
    assert operation.body is not None
    assert operation.actor is not None
    assert stage.activities(mine) == ["Information"]


def test_a_retried_draft_arrives(stage: Stage) -> None:
    """As it was accepted, once; the dialog is told, and nothing is kept any more."""
    mine, operation = given_up(stage)

    result = asked(stage, "retry", str(operation.id))
    until(lambda: stage.operations(mine)[0].finished_at is not None)
    after = stage.operations(mine)[0]

    assert (result.exit_code, result.output) == (0, f"{operation.id}: asked for\n")
    assert (after.outcome, after.body, after.actor, after.dead_at) == (Outcome.DONE, None, None, None)
    assert "<sitteplasserInne>39<" in form(stage, mine)
    assert len(stage.effects(mine, "altinn2.put")) == 1
    assert stage.activities(mine) == ["Information", "FormSaved"]


def test_a_retry_does_not_overwrite_what_came_later(stage: Stage) -> None:
    """Somebody changed the element in Altinn after it was first looked at: theirs stays, and the dialog says why."""
    mine, operation = given_up(stage, "/forms/")
    more = {"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": "JVBERi0xLjcgbnk="}
    stage.as_citizen("POST", mine, "/attachments", more)

    asked(stage, "retry", str(operation.id))
    until(lambda: stage.operations(mine)[0].finished_at is not None)

    after = stage.operations(mine)[0]
    assert (after.outcome, after.problem and after.problem.code) == (Outcome.REFUSED, "element_changed")
    assert len(stage.element(mine)["attachments"]) == 2
    assert stage.effects(mine, "altinn2.put") == []


def test_a_dialog_that_was_not_told_is_told_later(stage: Stage) -> None:
    """Nothing is sent to Altinn 2 again, and who pressed stands in the history."""
    mine, operation = untold(stage)
    puts = len(stage.effects(mine, "altinn2.put"))

    asked(stage, "retry", str(operation.id))
    until(lambda: stage.operations(mine)[0].finished_at is not None)

    assert (operation.dead_stage, operation.dead_why) == (Step.SYNC, "dialog_not_told")
    assert operation.body is None
    assert stage.activities(mine) == ["FormSubmitted"]
    assert "submit" not in stage.buttons(mine)
    assert len(stage.effects(mine, "altinn2.put")) == puts


def test_other_presses_go_on_beside_a_dead_letter(stage: Stage) -> None:
    """A dialog is not blocked by what nobody has decided about."""
    mine, _ = given_up(stage)

    answer = stage.press(mine, "submit")

    assert answer.status_code == 204
    assert stage.element(mine)["state"] == "archived"


def test_a_retry_does_not_run_beside_the_same_press(stage: Stage) -> None:
    """It is refused with a reason, and nothing is asked for."""
    mine, operation = given_up(stage)
    with stage.bridge.store.transaction() as tx:
        same = (
            tx.connection.execute(tables.operations.select().where(tables.operations.c.id == str(operation.id)))
            .mappings()
            .one()
        )
        again = {**same, "id": str(uuid4()), "sequence": 2, "finished_at": None, "dead_at": None, "waiting": True}
        tx.connection.execute(tables.operations.insert().values(again))

    result = asked(stage, "retry", str(operation.id))

    assert result.exit_code == 1
    assert "pressed again meanwhile" in result.output
    assert stage.operations(mine)[0].dead_why == "given_up"


def test_all_of_one_reason_are_retried_at_once(stage: Stage) -> None:
    """As after an outage of a day."""
    cases = [untold(stage)[0] for _ in range(2)]

    results = told(stage, "retry", "--why", "dialog_not_told")
    until(lambda: all(stage.operations(each)[0].dead_at is None for each in cases))
    until(lambda: all(stage.operations(each)[0].finished_at is not None for each in cases))

    assert {each["done"] for each in results} == {"asked for"}
    assert [stage.activities(each) for each in cases] == [["FormSubmitted"]] * 2


def test_what_is_cancelled_is_erased(stage: Stage) -> None:
    """With a reason that is kept, and after a yes; afterwards there is nothing to try again."""
    mine, operation = given_up(stage)

    unsure = asked(stage, "cancel", str(operation.id), "--reason", "ringt", input="n\n")
    done = asked(stage, "cancel", str(operation.id), "--reason", "ringt 21819012345", "--yes")
    again = asked(stage, "retry", str(operation.id))

    after = stage.operations(mine)[0]
    assert (unsure.exit_code, done.exit_code, again.exit_code) == (1, 0, 1)
    assert (after.body, after.actor, after.dead_at, after.sent_forms) == (None, None, None, ())
    assert after.dismissed_at is not None
    assert "ringt" in str(after.dismissed_why)
    assert "21819012345" not in str(after.dismissed_why)


def test_a_waiting_press_that_is_cancelled_is_never_sent(stage: Stage) -> None:
    """Its dialog is told that it could not be completed, and nothing of it stays."""
    mine = stage.case()
    stage.fault("altinn2", "GET", mine.message_id, times=None, status=503, headers={})
    pressed = ThreadPoolExecutor(1).submit(
        stage.press, mine, "send", data=CHANGED, headers={"Content-Type": "application/xml"}
    )
    until(lambda: [each.tries > 0 for each in stage.operations(mine)] == [True])
    operation = stage.operations(mine)[0]

    done = asked(stage, "cancel", str(operation.id), "--reason", "feil skjema", "--yes")
    stage.control("DELETE", "/faults")

    assert done.exit_code == 0
    assert pressed.result().status_code == 409
    after = stage.operations(mine)[0]
    assert (after.outcome, after.dead_at, after.body) == (Outcome.GIVEN_UP, None, None)
    assert stage.activities(mine) == ["Information"]
    assert stage.effects(mine, "altinn2.put") == []


def test_operators_see_what_was_set_aside_and_nobodys_number(stage: Stage) -> None:
    """In a list, one by one, in health and in metrics; exit code 1 says that somebody has to look."""
    mine, operation = given_up(stage)

    listed = told(stage, "list")
    plain = asked(stage, "list", "--why", "given_up")
    shown = asked(stage, "show", str(operation.id))
    whole = told(stage, "show", str(operation.id))
    until(lambda: "given_up" in stage.client.get("/health/deep").get_json()["deadOperations"])

    assert (plain.exit_code, shown.exit_code) == (1, 1)
    assert str(operation.id) in {each["operation"] for each in listed["operations"]}
    assert str(operation.id) in plain.output
    assert (whole["state"], whole["why"], whole["step"]) == ("dead", "given_up", "deliver")
    assert whole["acceptedTo"] == "target: altinn2, form: body, complete: false, sign: false"
    assert (whole["keepsForm"], whole["formBytes"]) == (True, len(CHANGED.encode()))
    assert whole["lastError"].startswith("Unreachable: Altinn 2")
    everything = plain.output + shown.output + json.dumps([listed, whole])
    assert not [each for each in (mine.who, str(operation.actor), "sitteplasser") if each in everything]
    assert 'bridge_operations_dead{why="given_up"}' in stage.client.get("/metrics").text
    assert asked(stage, "show", str(uuid4())).exit_code == 1
    assert asked(stage, "retry").exit_code == 2
