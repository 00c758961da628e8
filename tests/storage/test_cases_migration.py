"""A store of the release before knows elements of Altinn 2, in its words; nothing of that is lost."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import bridge.storage
from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.errors import Unreachable
from bridge.core.written import Written, digest
from bridge.storage.database import migrate, open_database
from bridge.storage.drafts import Drafts
from bridge.storage.snapshots import Snapshots
from bridge.storage.store import Store, Transaction
from bridge.storage.uploads import Uploads

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TIME = "2026-03-02 12:00:00.000000"
LATER = "2026-03-02 12:20:00.000000"
NAMES = {
    "Utfylling": CaseStatus.FORM_FILLING,
    "Signering": CaseStatus.SIGNING,
    "Sendt og arkivert": CaseStatus.ARCHIVED,
    "Slettet": CaseStatus.DELETED,
    "Ulest": CaseStatus.UNREAD,
    "Åpnet": CaseStatus.OPENED,
    "Lest": CaseStatus.READ,
    "Bekreftet": CaseStatus.CONFIRMED,
    "ukjent": CaseStatus.UNKNOWN,
    "beregnet": CaseStatus.CALCULATED,
}
ONE, OTHER, NONE = (UUID(int=each) for each in (1, 2, 3))
CASE = CaseRef(system="altinn2", owner="310000005", key="a1001")
LINKS = [(ONE, "310000005", "a1001"), (OTHER, "r50", "a1001"), (NONE, "", "")]
TABLES = ("links", "operations", "attachments", "drafts", "snapshots")


def test_a_store_of_elements_becomes_one_of_cases(engine: sa.Engine) -> None:
    """Links, presses, uploads and drafts are found by their case, and stand where they stood."""
    filled(engine)

    migrate(engine)

    found_by_their_cases(Store(engine))


def test_what_a_dialog_was_told_is_still_told(engine: sa.Engine) -> None:
    """The digests of states are those of the new words; that of a text which is one of the old words is not."""
    filled(engine)

    migrate(engine)

    with Store(engine).reading() as tx:
        told = [Snapshots(tx).written(UUID(int=100 + number)) for number, _ in enumerate(NAMES)]
    for written, (name, status) in zip(told, NAMES.items(), strict=True):
        assert written.last_state_is(status.value)
        assert written == Written(
            {
                "state": digest(status.value),
                "state:/content/summary": digest(status.value),
                "state:/status": digest("refusal"),
                "/searchTags/x": digest(name),
                "made": digest("made"),
            }
        )


def test_the_release_before_finds_its_store_again(engine: sa.Engine) -> None:
    """Up, down and up: each row is as it was."""
    filled(engine)
    before = rows(engine)
    migrate(engine)
    after = rows(engine)

    moved(engine, "0024")
    again = rows(engine)
    migrate(engine)

    assert again == before
    assert rows(engine) == after


WORKER = {"name": "a#0", "token": "t"}
RUN = {"kind": "drafts", "id": "1", "began_at": TIME, "scope": "[]", "cursor": "", "counts": "{}"}


@pytest.mark.parametrize(
    ("table", "row", "refused"),
    [
        ("workers", WORKER, True),
        ("runs", {**RUN, "holder": "by hand"}, True),
        ("runs", RUN, False),
        ("runs", {**RUN, "holder": "by hand", "ended_at": TIME}, False),
    ],
    ids=["a worker", "a run", "a run that rests", "a run that has ended"],
)
def test_no_store_is_migrated_beside_another_release(
    engine: sa.Engine, table: str, row: dict[str, object], refused: bool
) -> None:
    """It would finish what it has in hand, and leave states in words that the new one cannot read."""
    filled(engine)
    before = rows(engine)
    with engine.begin() as connection:
        _insert(connection, table, **row, seen_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}")

    with pytest.raises(Unreachable, match="stop it first") if refused else nullcontext():
        migrate(engine)

    assert (rows(engine) == before) == refused


def test_a_worker_that_was_killed_holds_no_migration_up_for_long(engine: sa.Engine) -> None:
    """It is silent, and nothing that it did is under way."""
    filled(engine)
    with engine.begin() as connection:
        since = datetime.now(UTC) - timedelta(seconds=61)
        _insert(connection, "workers", **WORKER, seen_at=f"{since:%Y-%m-%d %H:%M:%S.%f}")

    migrate(engine)

    found_by_their_cases(Store(engine))


def test_cases_of_others_are_not_taken_for_elements(engine: sa.Engine) -> None:
    """The release before knows no other system: it does not get their cases."""
    filled(engine)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE links SET system = 'echo' WHERE dialog_id = :id"), {"id": str(ONE)})

    with pytest.raises(RuntimeError, match="links has cases of other systems"):
        moved(engine, "0024")

    with Store(engine).reading() as tx:
        link = tx.link(ONE)
    assert link is not None
    assert link.case == CaseRef(system="echo", owner="310000005", key="a1001")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=2)
    yield made
    made.dispose()


def moved(engine: sa.Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.storage.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.upgrade if revision == "head" or _is_new(connection) else command.downgrade)(config, revision)


def _is_new(connection: sa.Connection) -> bool:
    return not sa.inspect(connection).has_table("links")


def filled(engine: sa.Engine) -> None:
    """The rows of a store of before: two dialogs of one element, one of none, and one press for each state."""
    moved(engine, "0024")
    with engine.begin() as connection:
        for dialog_id, who, message_id in LINKS:
            _insert(
                connection,
                "links",
                dialog_id=str(dialog_id),
                service_resource="s",
                party="p",
                who=who,
                message_id=message_id,
                created_at=TIME,
            )
        for number, name in enumerate([*NAMES, None]):
            _insert(connection, "operations", **_operation(number, name))
        _insert(
            connection,
            "attachments",
            id=str(ONE),
            dialog_id=str(ONE),
            who="310000005",
            message_id="a1001",
            file_name="plan.pdf",
            attachment_type="Plan",
            began_at=TIME,
            seen_at=TIME,
            ended_at=TIME,
            may_arrive_until=LATER,
        )
        for number, name in enumerate(NAMES):
            about = {"dialog_id": str(UUID(int=100 + number)), "born_at": TIME, "state": name}
            _insert(connection, "drafts", message_id=f"a{number}", **about)
            said = {
                "state": digest(name),
                "state:/content/summary": digest(name),
                "state:/status": digest("refusal"),
                "/searchTags/x": digest(name),
                "made": digest("made"),
            }
            about = {"dialog_id": str(UUID(int=100 + number)), "written_at": TIME}
            _insert(connection, "snapshots", digests=json.dumps(said), **about)


def _operation(number: int, state: str | None) -> dict[str, object]:
    """The press *number* of the first dialog, which left its element in *state*; the last is under way."""
    return {
        "id": str(UUID(int=number + 10)),
        "dialog_id": str(ONE),
        "sequence": number + 1,
        "intent": "submit:310000005/a1001",
        "service_resource": "s",
        "action": "submit",
        "who": "310000005",
        "message_id": "a1001",
        "body_digest": "d",
        "stage": "deliver" if state is None else "finished",
        "attempt": 1,
        "tries": 0,
        "waiting": False,
        "accepted_at": TIME,
        "updated_at": TIME,
        "finished_at": None if state is None else TIME,
        "may_arrive_until": LATER if state is None else None,
        "state_after": state,
    }


def _insert(connection: sa.Connection, table: str, **values: object) -> None:
    query = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"
    connection.execute(sa.text(query), values)


def rows(engine: sa.Engine) -> dict[str, list[dict[str, object]]]:
    with engine.connect() as connection:
        found = {table: connection.execute(sa.text(f"SELECT * FROM {table}")).mappings() for table in TABLES}
        return {table: sorted(map(dict, each), key=str) for table, each in found.items()}


def found_by_their_cases(store: Store) -> None:
    """Hold a store that was filled, and migrated since, against what was put there."""
    with store.transaction() as tx:
        links = [tx.link(dialog_id) for dialog_id, _, _ in LINKS]
        press = tx.operation(UUID(int=10 + len(NAMES)))
        assert press is not None
        assert [link and link.case for link in links] == [
            CASE,
            CaseRef(system="altinn2", owner="r50", key="a1001"),
            None,
        ]
        assert press.case == CASE
        assert sorted(tx.last_states(CASE)) == sorted(each.value for each in NAMES.values())
        tx.lock_case(CASE)
        _known_beside(tx)


def _known_beside(tx: Transaction) -> None:
    (other,) = [tx.operation(UUID(int=10))]
    assert other is not None
    assert tx.others_arrive_until(other, now=NOW) == NOW + timedelta(minutes=20)
    ((upload, until),) = Uploads(tx).out(CASE, now=NOW)
    assert (upload.case, until) == (CASE, NOW + timedelta(minutes=20))
    drafts = Drafts(tx).known([f"a{number}" for number, _ in enumerate(NAMES)])
    assert [drafts[f"a{number}"].state for number, _ in enumerate(NAMES)] == list(NAMES.values())
    assert Drafts(tx).linked(["a1001", "a1"]) == {"a1001"}
