"""What a restored store would do again shows in the dialog, where no mark tells."""

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.core.operations import Operation
from bridge.engine import Attempt
from bridge.storage.dead_letters import DeadLetters
from bridge.storage.tables import operations
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

CHANGED = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>39<")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(write_mapping(tmp_path_factory.mktemp("mappings"))),
        BRIDGE_CLOCK_SKEW="0",
        BRIDGE_RETRY_FIRST="0.05",
    )
    yield made
    made.stop()


def as_it_waited(stage: Stage, operation: Operation, actor: str) -> None:
    """Put an operation's row back to what a backup has of it, and ask for its run."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("outcome", "finished_at", "sending_at", "answered_at", "built_on", "state_after", "tried_since", "holder")
    )
    attempt = operation.attempt + 1
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(
            operations.update()
            .where(operations.c.id == str(operation.id))
            .values(**nothing, stage="deliver", actor=actor, attempt=attempt, body=CHANGED.encode())
        )
        run = Attempt(
            operation_id=operation.id, attempt=attempt, dialog_id=operation.dialog_id, sequence=operation.sequence
        )
        stage.bridge.queue.enqueue(tx.connection, run)
    stage.bridge.wake()


def saved(stage: Stage) -> tuple[Case, Operation]:
    mine = stage.case()
    answer = stage.press(mine, "send", data=CHANGED, headers={"Content-Type": "application/xml"})
    assert answer.status_code == 204
    return mine, stage.operations(mine)[0]


def test_what_the_dialog_tells_already_is_held(stage: Stage) -> None:
    """Nothing is sent, nothing is told, and an operator decides: its activity's id is nobody else's."""
    mine, operation = saved(stage)
    before, puts = stage.dialog(mine)["revision"], len(stage.effects(mine, "altinn2.put"))

    as_it_waited(stage, operation, "urn:altinn:person:identifier-no:16886099957")
    until(lambda: stage.operations(mine)[0].dead_at is not None)

    told = stage.client.get(
        f"/operations/{operation.id}", headers={"Authorization": f"Bearer {stage.token(mine)}"}
    ).get_json()
    assert stage.operations(mine)[0].dead_why == "store_restored"
    # Nobody knows yet how it ended.
    assert (told["status"], "outcome" in told, "finishedAt" in told) == ("underWay", False, False)
    assert stage.dialog(mine)["revision"] == before
    assert len(stage.effects(mine, "altinn2.put")) == puts


def test_a_dialog_that_cannot_be_read_holds_up_nothing(stage: Stage) -> None:
    """A late press on an element that nobody changed is carried out, whether or not Dialogporten answers just then."""
    mine = stage.case()
    assert stage.press(mine, "save").status_code == 204
    stage.fault("altinn2", "GET", f"/messages/{mine.message_id}", status=500)
    stage.fault("dialogporten", "GET", str(mine.dialog_id), status=503)

    answer = stage.press(mine, "submit")

    assert answer.status_code == 204
    assert stage.element(mine)["state"] == "archived"


def test_only_what_was_accepted_before_the_restore_is_held(stage: Stage) -> None:
    """And of that what was never sent."""
    _, operation = saved(stage)
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(
            operations.update()
            .where(operations.c.id == str(operation.id))
            .values(finished_at=None, stage="deliver", sending_at=None, outcome=None)
        )
        letters, now = DeadLetters(tx), stage.bridge.clock()
        before = letters.hold_unsent(now=now, accepted_until=operation.accepted_at.replace(year=2020), limit=9)
        until_then = letters.hold_unsent(now=now, accepted_until=operation.accepted_at, limit=9)

    assert (list(before), list(until_then)) == ([], [operation.id])
