"""An answer that is about another dialog or element than was asked for is used for nothing."""

import json
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from bridge.core.callers import Caller
from bridge.core.operations import Link, Outcome
from bridge.steps.operation.submit import submit
from bridge.storage.tables import links
from tests.scenarios.stage import BASE, RESOURCE, Case, Stage, until


def answer_with(stage: Stage, asked: Case, other: Case, *, skip: int = 0) -> None:
    """Let the next read of one dialog be answered with another."""
    stage.fault(
        "dialogporten", "GET", str(asked.dialog_id), status=200, body=json.dumps(stage.dialog(other)), skip=skip
    )


def two(stage: Stage) -> tuple[Case, Case]:
    """Two dialogs of the same party."""
    mine = stage.case()
    other = stage.dialog_for(stage.case().message_id, mine.who)
    return mine, other


def linked(stage: Stage, case: Case) -> Any:
    with stage.bridge.store.engine.connect() as connection:
        return connection.execute(sa.select(links).where(links.c.dialog_id == str(case.dialog_id))).first()


def test_another_dialog_opens_nothing(stage: Stage) -> None:
    """Its element's forms are not listed, nothing is sent, nothing is kept; the next answer is the right one."""
    mine, other = two(stage)
    answer_with(stage, mine, other)

    listed = stage.press(mine, "submit/forms", method="GET")

    assert listed.status_code == 503
    assert (linked(stage, mine), linked(stage, other)) == (None, None)
    assert stage.press(mine).status_code == 204
    assert linked(stage, mine).key == mine.message_id
    assert stage.element(other)["state"] == "formfilling"


def test_another_dialog_is_not_told(stage: Stage) -> None:
    """The outcome waits for the right dialog."""
    mine, other = two(stage)
    before = stage.dialog(other)["revision"]
    answer_with(stage, mine, other, skip=1)

    answer = stage.press(mine)

    assert answer.status_code == 204
    assert stage.activities(mine) == ["FormSubmitted"]
    assert stage.dialog(other)["revision"] == before


@pytest.mark.parametrize("after_effect", [True, False], ids=["it took", "it did not"])
def test_a_location_of_another_copy_is_not_believed(stage: Stage, after_effect: bool) -> None:
    """An archived copy counts when it names the element as its OriginalId; it is looked for, or the PUT repeated."""
    other, mine = stage.case(), stage.case()
    stage.press(other)
    theirs = linked(stage, other).archived_id
    location = {"Location": f"{BASE}/altinn2/api/{mine.who}/messages/{theirs}"}
    stage.fault("altinn2", "PUT", mine.message_id, status=204, headers=location, after_effect=after_effect)

    answer = stage.press(mine)

    until(lambda: stage.operations(mine)[0].outcome is not None)
    [put] = stage.effects(mine, "altinn2.archived")
    assert answer.status_code == 204
    assert stage.operations(mine)[0].outcome is Outcome.DONE
    assert linked(stage, mine).archived_id == put["message_id"] != theirs


def test_what_the_store_refuses_for_another_reason_ends_at_once(stage: Stage) -> None:
    """A row that cannot be written is an error and not a race: nobody waits for it to end."""
    mapping = stage.bridge.mappings[RESOURCE]
    caller = Caller(
        dialog_id=uuid4(),
        party="urn:altinn:organization:identifier-no:310000005",
        service_resource=mapping.service_resource,
        level=3,
        grants=frozenset(),
        entities=frozenset(),
        actor="urn:altinn:organization:identifier-no:310000005",
        expires_at=stage.bridge.clock(),
    )
    link = Link(dialog_id=caller.dialog_id, service_resource=caller.service_resource, party=caller.party, case=None)

    with pytest.raises(sa.exc.IntegrityError):
        submit(stage.bridge, caller=caller, action=mapping.actions["submit"], link=link, body=None, language="nb")
