"""How far batches are, on a real database: one run of a kind at a time, gone on with where its process died."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import bridge.storage
from bridge.storage.database import migrate, open_database
from bridge.storage.runs import Run, Runs
from bridge.storage.store import Store

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SILENT = timedelta(minutes=15)
BEGUN = Run(kind="drafts", id="tick", scope=("all",))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=5)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    migrate(engine)
    return Store(engine)


def take(store: Store, run_id: str, holder: str, *, kind: str = "drafts", now: datetime = NOW) -> Run | None:
    with store.transaction() as tx:
        return Runs(tx).take(
            kind,
            run_id,
            scope=["all"],
            holder=holder,
            now=now,
            alive_since=now - timedelta(seconds=15),
            seen_since=now - SILENT,
        )


def test_one_process_gets_a_run(store: Store) -> None:
    """While it moves nobody else does, and when it is done nobody does it again."""
    begun = take(store, "tick", "one")
    busy = take(store, "tick", "other", now=NOW + timedelta(minutes=1))
    with store.transaction() as tx:
        Runs(tx).end(BEGUN, holder="one", now=NOW)

    assert begun == BEGUN
    assert (busy, take(store, "tick", "other")) == (None, None)
    assert take(store, "next tick", "other") is not None


def test_silent_run_is_taken_over_where_it_was(store: Store) -> None:
    """Its process is dead; should it wake up, it finds that it has lost the run."""
    take(store, "tick", "one")
    moved = replace(BEGUN, cursor="follow a17", counts={"created": 3})
    with store.transaction() as tx:
        Runs(tx).move(moved, holder="one", now=NOW)

    taken = take(store, "next tick", "other", now=NOW + SILENT + timedelta(seconds=1))
    with store.transaction() as tx:
        lost = [Runs(tx).move(moved, holder="one", now=NOW), Runs(tx).end(moved, holder="one", now=NOW)]

    assert taken == moved
    assert lost == [False, False]


def test_run_of_a_living_worker_stays_its_own(store: Store) -> None:
    """One list may take longer than any pause; the worker's heartbeat counts, and when that stops the run is free."""
    with store.transaction() as tx:
        name = tx.take_worker_name("host", token="1", now=NOW, silent_since=NOW)
    take(store, "tick", f"{name}:1")
    later = NOW + timedelta(hours=1)
    with store.transaction() as tx:
        tx.worker_seen(name, token="1", now=later)

    busy = take(store, "next tick", "other", now=later + timedelta(seconds=10))
    free = take(store, "next tick", "other", now=later + timedelta(seconds=20))

    assert busy is None
    assert free is not None
    assert free.id == "tick"


def test_rested_run_is_free_at_once(store: Store) -> None:
    """Nobody waits for a process that said that it goes."""
    take(store, "tick", "one")
    with store.transaction() as tx:
        Runs(tx).rest(BEGUN, holder="one")

    taken = take(store, "next tick", "other")

    assert taken is not None
    assert taken.id == "tick"


def test_kinds_do_not_meet(store: Store) -> None:
    """A run of one kind holds no other up, and nothing that is done to it touches another's of the same name."""
    drafts, other = take(store, "tick", "one"), take(store, "tick", "two", kind="counting")
    assert (drafts, other) == (BEGUN, replace(BEGUN, kind="counting"))
    with store.transaction() as tx:
        Runs(tx).move(replace(BEGUN, kind="counting", cursor="7"), holder="two", now=NOW)
        Runs(tx).end(BEGUN, holder="one", now=NOW)
        ended = [Runs(tx).last_ended(kind) for kind in ("drafts", "counting")]

    taken = take(store, "next tick", "three", kind="counting", now=NOW + SILENT + timedelta(seconds=1))

    assert ended == [NOW, None]
    assert taken == replace(BEGUN, kind="counting", cursor="7")


def test_what_ended_long_ago_is_forgotten(store: Store) -> None:
    """What has not ended stays, however old it is."""
    take(store, "tick", "one", now=NOW - timedelta(days=9))
    take(store, "tick", "two", kind="counting", now=NOW - timedelta(days=9))
    with store.transaction() as tx:
        Runs(tx).end(BEGUN, holder="one", now=NOW - timedelta(days=8))
        Runs(tx).forget(NOW - timedelta(days=7))

    assert take(store, "tick", "other", now=NOW - timedelta(days=8)) == BEGUN
    taken = take(store, "next tick", "three", kind="counting")
    assert taken is not None
    assert taken.id == "tick"


def test_a_run_among_drafts_survives_the_upgrade(engine: sa.Engine) -> None:
    """It is gone on with from where it was, whichever of its two parts it had come to; and back again."""
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.storage.__file__).parent / "migrations"))
    rows = [
        ("old", "2026-03-02 12:00:00.000000", None, "list", "r50"),
        ("tick", None, "one", "follow", "a17"),
    ]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0023")
        for run_id, ended_at, holder, part, after in rows:
            values = {"id": run_id, "ended": ended_at, "holder": holder, "part": part, "after": after}
            connection.execute(
                sa.text(
                    "INSERT INTO draft_runs (id, began_at, seen_at, ended_at, holder, scope, part, after, counts)"
                    " VALUES (:id, '2026-03-02 11:00:00.000000', '2026-03-02 12:00:00.000000', "
                    " :ended, :holder, '[\"all\"]', :part, :after, '{\"created\": 3}')"
                ),
                values,
            )
        before = connection.execute(sa.text("SELECT * FROM draft_runs ORDER BY id")).all()

    migrate(engine)

    store = Store(engine)
    taken = take(store, "next tick", "one", now=NOW + SILENT + timedelta(seconds=1))
    with store.transaction() as tx:
        assert Runs(tx).last_ended("drafts") == NOW
    assert taken == replace(BEGUN, cursor="follow a17", counts={"created": 3})
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE runs SET seen_at = '2026-03-02 12:00:00.000000'"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0023")
        assert connection.execute(sa.text("SELECT * FROM draft_runs ORDER BY id")).all() == before
