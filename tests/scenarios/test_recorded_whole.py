"""A step of a delivery is recorded as a whole, or not at all."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from bridge.core.cases import ArchivedCopy, CaseRef, CaseStatus
from bridge.core.changes import OperationChange
from bridge.core.elements import Sent
from bridge.core.operations import Outcome, Upload
from bridge.core.problems import Problem
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.endings import end
from bridge.steps.lease import LeaseLost
from bridge.storage.tables import operations
from bridge.storage.uploads import Uploads
from tests.scenarios.stage import RESOURCE, Case, Stage


@pytest.fixture
def case(stage: Stage) -> Case:
    """One whose element waits for a signature, so that nothing of it is archived."""
    made = stage.case(service={"signing_steps": 1})
    stage.press(made, "send-to-signing")
    return made


@pytest.fixture
def under_way(stage: Stage, case: Case) -> Iterator[Delivery]:
    """The case's operation as it was while this process held it."""
    (operation,) = stage.operations(case)
    row = operations.update().where(operations.c.id == str(operation.id))
    with stage.bridge.store.transaction() as tx:
        held = row.values(finished_at=None, stage="deliver", outcome=None, holder=stage.bridge.holder)
        tx.connection.execute(held)
    mapping = stage.bridge.mappings[RESOURCE]
    yield Delivery(
        bridge=stage.bridge,
        operation=stage.operations(case)[0],
        mapping=mapping,
        action=mapping.actions[operation.action],
        link=lambda: None,
        sent=lambda: Sent((), ()),
    )
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(row.values(finished_at=operation.finished_at, stage="finished"))


def brought(case: Case) -> Upload:
    return Upload(
        id=uuid4(),
        dialog_id=case.dialog_id,
        case=CaseRef(system="altinn2", owner=case.who, key=case.message_id),
        file_name="plan.pdf",
        attachment_type="Plan",
        length=3,
        sha256="0" * 64,
        attachment_id=7,
    )


def recorded(stage: Stage, case: Case) -> tuple[str, str | None, int]:
    with stage.bridge.store.reading() as tx:
        link = tx.link(case.dialog_id)
        element = CaseRef(system="altinn2", owner=case.who, key=case.message_id)
        uploads = Uploads(tx).of(case.dialog_id, element)
    return stage.operations(case)[0].stage.value, None if link is None else link.archived_id, len(uploads)


def test_an_end_is_recorded_with_all_that_follows_from_it(stage: Stage, case: Case, under_way: Delivery) -> None:
    """The row, the copy on the dialog's link, and the attachments that came with the press."""
    under_way.ended(
        Outcome.DONE,
        state=CaseStatus.ARCHIVED.value,
        copy=ArchivedCopy(key="b1", reference="AR1"),
        brought=(brought(case),),
    )

    assert recorded(stage, case) == ("sync", "b1", 1)


def test_what_breaks_off_leaves_nothing(stage: Stage, case: Case, under_way: Delivery) -> None:
    """A crash after the row was written takes it back: nobody would look for the rest again."""
    twice = brought(case)
    broken = replace(twice, file_name="other.pdf")

    with pytest.raises(sa.exc.IntegrityError):
        under_way.ended(
            Outcome.DONE,
            state=CaseStatus.ARCHIVED.value,
            copy=ArchivedCopy(key="b1", reference="AR1"),
            brought=(twice, broken),
        )

    assert recorded(stage, case) == ("deliver", None, 0)


def test_who_lost_the_operation_records_nothing(stage: Stage, case: Case, under_way: Delivery) -> None:
    """Another worker holds it: what this one saw is for that one to see."""
    other = replace(under_way, bridge=replace(under_way.bridge, holder="another"))

    with pytest.raises(LeaseLost):
        other.ended(
            Outcome.DONE,
            state=CaseStatus.ARCHIVED.value,
            copy=ArchivedCopy(key="b1", reference="AR1"),
            brought=(brought(case),),
        )

    assert recorded(stage, case) == ("deliver", None, 0)


def test_a_copy_that_was_another_elements_is_not_named_again(stage: Stage, under_way: Delivery) -> None:
    """What was taken off the row in this try stays off it, however the try ends."""
    named = under_way.recorded(OperationChange(archived_id="b1"))
    named.recorded(OperationChange(archived_id=None))

    end(named, Outcome.REFUSED, Problem(code="element_changed", status=409))

    assert under_way.as_recorded().operation.archived_id is None
