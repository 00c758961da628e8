"""What may still arrive at an element is known to all who are about to send something there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import bridge.storage
from bridge.core.cases import CaseRef
from bridge.core.operations import Link, Operation, Upload
from bridge.storage.database import migrate, open_database
from bridge.storage.operations import UnderWay
from bridge.storage.store import Store
from bridge.storage.tables import operations
from bridge.storage.uploads import Uploads
from tests.storage.test_store import INTENT
from tests.storage.test_uploads import LIVING

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=20)
ONE, TWO = UUID("0196f000-0000-7000-8000-000000000002"), UUID("0196f000-0000-7000-8000-000000000003")
KEY = CaseRef(system="altinn2", owner="310000005", key="a1001")
RESOURCE = "urn:altinn:resource:serveringsbevilling"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two dialogs of one element."""
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=5)
    migrate(engine)
    made = Store(engine)
    with made.transaction() as tx:
        for dialog_id in (ONE, TWO):
            tx.add_link(Link(dialog_id=dialog_id, service_resource=RESOURCE, party="", case=KEY), now=NOW)
    yield made
    engine.dispose()


def accepted(store: Store, dialog_id: UUID, case: CaseRef = KEY) -> Operation:
    operation_id = uuid4()
    intent = replace(INTENT, dialog_id=dialog_id, action="save", case=case)
    with store.transaction() as tx:
        tx.add_operation(operation_id, intent, now=NOW)
        made = tx.operation(operation_id)
    assert made is not None
    return made


def upload(dialog_id: UUID) -> Upload:
    return Upload(id=uuid4(), dialog_id=dialog_id, case=KEY, file_name="plan.pdf", attachment_type="Plan", length=3)


@pytest.mark.parametrize(
    ("values", "out"),
    [
        pytest.param({"may_arrive_until": SOON}, True, id="it may arrive"),
        pytest.param({"may_arrive_until": NOW}, False, id="it cannot any more"),
        pytest.param({"answered_at": NOW}, True, id="it was answered since the element was read"),
        pytest.param({"answered_at": NOW - timedelta(seconds=2)}, False, id="it was answered before"),
        pytest.param({}, False, id="nothing was sent"),
    ],
)
def test_another_dialogs_write_is_seen(store: Store, values: dict[str, datetime], out: bool) -> None:
    """By the element, and never taken for the operation's own."""
    mine, other = accepted(store, ONE), accepted(store, TWO)
    with store.transaction() as tx:
        tx.update(other.id, now=NOW, **values)
        seen = tx.others_out(mine, since=NOW - timedelta(seconds=1), now=NOW)
        own = tx.others_out(other, since=NOW - timedelta(seconds=1), now=NOW)

    assert (seen, own) == (out, False)


@pytest.mark.parametrize(
    ("case", "out"),
    [
        pytest.param(replace(KEY, owner="my"), True, id="by another owner"),
        pytest.param(replace(KEY, key="a1002"), False, id="another case"),
        pytest.param(replace(KEY, system="echo"), False, id="another system's, of the same key"),
    ],
)
def test_a_case_is_known_by_its_system_and_key(store: Store, case: CaseRef, out: bool) -> None:
    """Whoever it belongs to there: what is out for it holds others back."""
    mine, other = accepted(store, ONE), accepted(store, TWO, case)
    with store.transaction() as tx:
        tx.update(other.id, now=NOW, may_arrive_until=SOON, state_after="signing")
        seen = tx.others_out(mine, since=NOW, now=NOW)
        left = tx.last_states(KEY)

    assert (seen, left) == (out, ["signing"] if out else [])


def test_no_upload_begins_beside_what_may_arrive(store: Store) -> None:
    """Another dialog's PUT may still overwrite what an element holds."""
    other = accepted(store, TWO)
    with store.transaction() as tx:
        tx.update(other.id, now=NOW, may_arrive_until=SOON)

    with pytest.raises(UnderWay), store.transaction() as tx:
        tx.begin_upload(upload(ONE), LIVING, now=NOW)
    with store.transaction() as tx:
        tx.begin_upload(upload(ONE), LIVING, now=SOON)


def test_an_upload_that_may_arrive_is_known_by_its_element(store: Store) -> None:
    """With what was sent, until it is seen or cannot arrive any more."""
    mine = upload(ONE)
    sent = replace(mine, sha256="digest")
    with store.transaction() as tx:
        tx.begin_upload(mine, LIVING, now=NOW)
        uploads = Uploads(tx)
        uploads.may_arrive(mine, NOW + timedelta(minutes=22))
        uploads.may_arrive(sent, SOON)
        uploads.ended(mine.id, now=NOW)
        out, over = uploads.out(KEY, now=NOW), uploads.out(KEY, now=SOON)
        uploads.may_arrive(sent, None)
        seen = uploads.out(KEY, now=NOW)

    assert [(each.sha256, until) for each, until in out] == [("digest", SOON)]
    assert (over, seen) == ((), ())


def test_what_is_out_at_the_upgrade_may_arrive(tmp_path: Path) -> None:
    """A release that did not write down until when leaves an open write: the next one does not take it for lost."""
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=5)
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.storage.__file__).parent / "migrations"))
    row = {
        "who": KEY.owner,
        "message_id": KEY.key,
        "intent": "save:",
        "service_resource": RESOURCE,
        "action": "save",
        "body_digest": "",
        "stage": "deliver",
        "attempt": 1,
        "tries": 0,
        "waiting": False,
        "accepted_at": NOW,
        "updated_at": NOW,
    }
    ids = [str(uuid4()) for _ in range(3)]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")
        before = sa.Table("operations", sa.MetaData(), autoload_with=connection)
        about = {"service_resource": RESOURCE, "party": "", "who": KEY.owner, "message_id": KEY.key}
        connection.execute(
            sa.text(
                "INSERT INTO links (dialog_id, service_resource, party, who, message_id, created_at) "
                "VALUES (:dialog_id, :service_resource, :party, :who, :message_id, '2026-03-02 12:00:00.000000')"
            ),
            {"dialog_id": str(ONE), **about},
        )
        times = (
            {"sending_at": NOW, "answered_at": None},
            {"sending_at": NOW, "answered_at": NOW},
            {"sending_at": None, "answered_at": None},
        )
        for number, (operation_id, when) in enumerate(zip(ids, times, strict=True)):
            one = {"id": operation_id, "dialog_id": str(ONE), "sequence": number, **row, **when}
            connection.execute(before.insert().values(**{**one, "intent": f"save:{number}"}))

    migrate(engine)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(operations.c.id, operations.c.may_arrive_until)).all()
    engine.dispose()

    assert {row.id: row.may_arrive_until for row in rows} == {
        ids[0]: NOW + timedelta(minutes=22),
        ids[1]: None,
        ids[2]: None,
    }
