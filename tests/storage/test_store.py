"""What the bridge remembers, on a real database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import bridge.storage
from bridge.core.cases import CaseRef
from bridge.core.errors import Finding
from bridge.core.mapping import FormSource, Verb
from bridge.core.meaning import Meaning
from bridge.core.operations import Intent, Link, Outcome, Stage
from bridge.core.problems import Problem
from bridge.core.targets import Target
from bridge.storage.database import migrate, open_database
from bridge.storage.operations import UnderWay
from bridge.storage.store import Store
from bridge.storage.tables import metadata

NOW = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
DIALOG = UUID("0196f000-0000-7000-8000-000000000002")
LINK = Link(
    dialog_id=DIALOG,
    service_resource="urn:altinn:resource:serveringsbevilling",
    party="urn:altinn:organization:identifier-no:310000005",
    case=CaseRef(system="altinn2", owner="310000005", key="a1001"),
)
MEANING = Meaning(
    target=Target.ALTINN2, verb=Verb.PUT, complete=True, sign=False, form=FormSource.BODY, digest="digest of the rest"
)
INTENT = Intent(
    dialog_id=DIALOG,
    action="submit",
    service_resource=LINK.service_resource,
    case=LINK.case,
    actor="urn:altinn:organization:identifier-no:310000005",
    body=b"<melding/>",
    body_digest="digest",
    meaning=MEANING,
    mapping_digest="digest of the mapping",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store with one link."""
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=5)
    migrate(engine)
    made = Store(engine)
    with made.transaction() as tx:
        tx.add_link(LINK, now=NOW)
    yield made
    engine.dispose()


def accept(store: Store, operation_id: UUID) -> int:
    with store.transaction() as tx:
        return tx.add_operation(operation_id, INTENT, now=NOW)


def test_tables_are_what_migrations_make(store: Store) -> None:
    """A change of a table without its migration is found here."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": "bridge_version",
                "include_object": lambda _object, _name, kind, _reflected, _other: kind != "index",
            },
        )
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_migrating_twice_changes_nothing(store: Store) -> None:
    """Every process migrates at its start, also after the first."""
    migrate(store.engine)

    with store.reading() as tx:
        assert tx.link(DIALOG) == LINK


def test_first_link_of_a_dialog_stays(store: Store) -> None:
    """Two presses that look up the same dialog at once leave one link."""
    with store.transaction() as tx:
        tx.add_link(LINK, now=NOW + timedelta(seconds=1))

    with store.reading() as tx:
        assert tx.link(DIALOG) == LINK


def test_same_intent_is_accepted_once(store: Store) -> None:
    """The database itself refuses a second unfinished operation of one intent."""
    accept(store, uuid4())

    with pytest.raises(UnderWay):
        accept(store, uuid4())


def test_another_signer_is_another_intent(store: Store) -> None:
    """Two people may sign at the same moment; one of them twice may not."""
    with store.transaction() as tx:
        tx.add_operation(uuid4(), replace(INTENT, signer="one"), now=NOW)
        tx.add_operation(uuid4(), replace(INTENT, signer="other"), now=NOW)
        same, nobody = tx.under_way(replace(INTENT, signer="other")), tx.under_way(INTENT)
        with pytest.raises(UnderWay):
            tx.add_operation(uuid4(), replace(INTENT, signer="one"), now=NOW)

    assert same is not None
    assert (same.signer, same.sequence, nobody) == ("other", 2, None)


def test_what_is_under_way_survives_the_upgrade(tmp_path: Path) -> None:
    """An operation of an earlier release has neither meaning nor signer, is found again, and may not be doubled."""
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=1)
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.storage.__file__).parent / "migrations"))
    operation_id = uuid4()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        moment = "2026-03-01 12:00:00.000000"
        connection.execute(
            sa.text(
                "INSERT INTO links (dialog_id, service_resource, party, who, message_id, created_at)"
                " VALUES (:d, 's', 'p', '310000005', 'a1001', :t)"
            ),
            {"d": str(DIALOG), "t": moment},
        )
        connection.execute(
            sa.text(
                "INSERT INTO operations (id, dialog_id, sequence, intent, service_resource, action, who, message_id,"
                " actor, body, body_digest, stage, attempt, tries, waiting, accepted_at, updated_at)"
                " VALUES (:i, :d, 1, :k, 's', 'submit', '310000005', 'a1001', :a, :b, 'digest', 'deliver', 1, 0, 0,"
                " :t, :t)"
            ),
            {"i": str(operation_id), "d": str(DIALOG), "k": INTENT.key, "a": INTENT.actor, "b": b"x", "t": moment},
        )
    migrate(engine)

    with Store(engine).transaction() as tx:
        operation = tx.operation(operation_id)
        joined = tx.under_way(replace(INTENT, signer="one"))
        with pytest.raises(UnderWay):
            tx.add_operation(uuid4(), INTENT, now=NOW)
    engine.dispose()
    assert operation is not None
    assert joined == operation
    assert (operation.meaning, operation.signer, operation.left_on, operation.body) == (None, "", None, b"x")


def test_finished_intent_may_come_again(store: Store) -> None:
    """A press after the end is a new operation, next in the dialog's order."""
    first, second = uuid4(), uuid4()
    accept(store, first)
    with store.transaction() as tx:
        tx.update(first, now=NOW, stage=Stage.FINISHED, outcome=Outcome.DONE, finished_at=NOW)

    sequence = accept(store, second)

    assert sequence == 2


def test_operation_comes_back_as_written(store: Store) -> None:
    """Moments keep their microseconds and zone, a problem its findings."""
    operation_id = uuid4()
    problem = Problem(
        code="form_invalid",
        status=422,
        facts={"limit": "4"},
        findings=(Finding(path="/melding/postnummer", rule="pattern", line=12, column=3),),
    )
    accept(store, operation_id)

    with store.transaction() as tx:
        tx.update(operation_id, now=NOW, problem=problem, sending_at=NOW, outcome=Outcome.REFUSED)

    with store.reading() as tx:
        operation = tx.operation(operation_id)
    assert operation is not None
    assert (operation.problem, operation.sending_at, operation.outcome) == (problem, NOW, Outcome.REFUSED)
    assert (operation.body, operation.case) == (INTENT.body, INTENT.case)
    assert (operation.meaning, operation.mapping_digest) == (MEANING, INTENT.mapping_digest)


def test_only_the_holder_writes(store: Store) -> None:
    """A worker that slept while another took over changes nothing when it wakes up."""
    operation_id = uuid4()
    accept(store, operation_id)
    with store.transaction() as tx:
        tx.acquire(operation_id, holder="awake", now=NOW)

    with store.transaction() as tx:
        written = tx.update(operation_id, now=NOW, held_by="asleep", tries=9)

    assert not written


def test_dead_worker_name_is_given_again(store: Store) -> None:
    """A silent worker's name goes to the next, a living one's does not."""
    with store.transaction() as tx:
        first = tx.take_worker_name("host", token="1", now=NOW, silent_since=NOW - timedelta(seconds=15))
        second = tx.take_worker_name("host", token="2", now=NOW, silent_since=NOW - timedelta(seconds=15))
        later = NOW + timedelta(seconds=20)
        tx.worker_seen(second, token="2", now=later)
        third = tx.take_worker_name("host", token="3", now=later, silent_since=later - timedelta(seconds=15))
        first_still_lives = tx.worker_seen(first, token="1", now=later)

    assert (first, second, third) == ("host#0", "host#1", "host#0")
    assert not first_still_lives


def test_error_undoes_the_transaction(store: Store) -> None:
    """What fails halfway leaves nothing."""
    operation_id = uuid4()

    with pytest.raises(LookupError), store.transaction() as tx:
        tx.add_operation(operation_id, INTENT, now=NOW)
        raise LookupError

    with store.reading() as tx:
        assert tx.operation(operation_id) is None


def test_an_operation_may_stand_without_an_element(store: Store) -> None:
    """Its link may get one later, and keeps it; language and results come back as they went in."""
    bare = replace(LINK, dialog_id=uuid4(), case=None)
    intent = replace(INTENT, dialog_id=bare.dialog_id, case=None, language="nn")
    operation_id = uuid4()

    with store.transaction() as tx:
        tx.add_link(bare, now=NOW)
        tx.add_operation(operation_id, intent, now=NOW)
        tx.update(operation_id, now=NOW, results={"sum": "209"})
        first = tx.link(bare.dialog_id)
        tx.set_case(replace(bare, case=LINK.case))
        tx.set_case(replace(bare, case=CaseRef(system="altinn2", owner="310000005", key="a9")))

    with store.reading() as tx:
        operation, link = tx.operation(operation_id), tx.link(bare.dialog_id)
    assert operation is not None
    assert (operation.case, operation.language, operation.results) == (None, "nn", {"sum": "209"})
    assert first == bare
    assert link is not None
    assert link.case == LINK.case
