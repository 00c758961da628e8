"""What is kept lies in files that are nobody else's, is overwritten once erased, and goes when its time is over."""

import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.errors import ConfigurationError
from bridge.core.mapping import FormSource, Verb
from bridge.core.meaning import Meaning
from bridge.core.operations import Intent, Link
from bridge.core.targets import Target
from bridge.storage import tables
from bridge.storage.database import close_database, empty_log, make_private, migrate, open_database
from bridge.storage.store import Store
from bridge.worker import forget_old_rows
from tests.scenarios.stage import Stage

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CANARY = b"kanarifuglens hemmelighet"


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("b.sqlite*")}


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("b.sqlite*"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/b.sqlite"


def fill(store: Store) -> UUID:
    """Write an operation whose body is the canary, and give its id."""
    key, dialog, operation = CaseRef(system="altinn2", owner="310000005", key="a1"), uuid4(), uuid4()
    link = Link(dialog_id=dialog, service_resource="urn:altinn:resource:x", party="urn:x", case=key)
    intent = Intent(
        dialog_id=dialog,
        action="submit",
        service_resource=link.service_resource,
        case=key,
        actor="urn:x",
        body=CANARY * 1000,
        body_digest="d",
        meaning=Meaning(
            target=Target.ALTINN2, verb=Verb.PUT, complete=True, sign=True, form=FormSource.BODY, digest="d"
        ),
        mapping_digest="d",
    )
    with store.transaction() as tx:
        tx.add_link(link, now=NOW)
        tx.add_operation(operation, intent, now=NOW)
    return operation


def test_files_are_their_owners_alone(tmp_path: Path, url: str) -> None:
    """Database, log, index and lock have mode 0600, also where an earlier version left them open to all."""
    for name in ("b.sqlite", "b.sqlite-wal", "b.sqlite.lock"):
        (tmp_path / name).touch(0o644)

    engine = open_database(url, pool=2)
    migrate(engine)
    store = Store(engine)
    fill(store)
    make_private(tmp_path / "b.sqlite.lock", setting="BRIDGE_DATABASE_URL")

    with store.reading() as tx:
        assert tx.connection.scalar(sa.select(sa.func.count()).select_from(tables.operations)) == 1
        assert set(modes(tmp_path)) >= {"b.sqlite", "b.sqlite-wal", "b.sqlite-shm", "b.sqlite.lock"}
        assert set(modes(tmp_path).values()) == {0o600}
    engine.dispose()


def test_a_new_connection_leaves_the_locks_of_others(tmp_path: Path, url: str) -> None:
    """What one connection of this process holds, another process is kept from, also after a third one came."""
    engine = open_database(url, pool=5)
    migrate(engine)
    store = Store(engine)
    write = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"

    with store.transaction(), store.reading() as other:
        other.connection.scalar(sa.select(sa.func.count()).select_from(tables.operations))
        outsider = [sys.executable, "-c", write, str(tmp_path / "b.sqlite")]
        done = subprocess.run(outsider, capture_output=True, text=True, timeout=60, check=False)

    assert "database is locked" in done.stderr
    engine.dispose()


def test_a_store_that_cannot_be_private_is_refused(tmp_path: Path) -> None:
    """The message names the setting and the file, where a folder has its place."""
    (tmp_path / "folder").mkdir()

    with pytest.raises(ConfigurationError, match=r"BRIDGE_DATABASE_URL: .*folder cannot be kept from others"):
        make_private(tmp_path / "folder", setting="BRIDGE_DATABASE_URL")


def test_what_is_erased_leaves_the_disk(tmp_path: Path, url: str) -> None:
    """After an erasure the log is emptied while the service runs, and nothing of the value is on disk."""
    engine = open_database(url, pool=2)
    migrate(engine)
    store = Store(engine)
    operation = fill(store)
    there = CANARY in on_disk(tmp_path)

    with store.transaction() as tx:
        tx.update(operation, now=NOW, body=None)
    in_log = CANARY in on_disk(tmp_path)
    emptied = empty_log(engine)

    assert (there, in_log, emptied) == (True, True, True)
    assert CANARY not in on_disk(tmp_path)
    engine.dispose()


def test_a_reader_keeps_the_log_and_nobody_waits(tmp_path: Path, url: str) -> None:
    """While somebody reads, the log stays until the next look; closing empties it."""
    engine = open_database(url, pool=2)
    migrate(engine)
    store = Store(engine)
    operation = fill(store)
    with store.reading() as tx:
        tx.connection.exec_driver_sql("BEGIN")
        tx.connection.scalar(sa.select(sa.func.count()).select_from(tables.operations))
        with store.transaction() as other:
            other.update(operation, now=NOW, body=None)
        assert not empty_log(engine)

    close_database(engine)

    assert CANARY not in on_disk(tmp_path)


def rows(stage: Stage) -> dict[str, int]:
    with stage.bridge.store.reading() as tx:
        return {
            table.name: tx.connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in (tables.operations, tables.attachments, tables.snapshots, tables.links)
        }


def test_rows_go_when_their_time_is_over(tmp_path: Path) -> None:
    """Each table has its days; a link stays as long as anything of its dialog, and is found again when it is gone."""
    stage = Stage(tmp_path)
    case = stage.case()
    token = stage.token(case)
    first = stage.press(case, token=token).status_code
    counts = []

    for days in (89, 91, 399, 401, 729, 731):
        forget_old_rows(replace(stage.bridge, clock=lambda days=days: datetime.now(UTC) + timedelta(days=days)))
        counts.append([rows(stage)[name] for name in ("operations", "snapshots", "links")])
    again = stage.press(case, token=token)
    stage.stop()

    assert first == 204
    assert counts == [[1, 1, 1], [0, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert again.status_code == 204
    assert len(stage.effects(case, "altinn2.archived")) == 1


def test_who_signed_what_waits_for_others_is_forgotten_at_last(tmp_path: Path) -> None:
    """After a link's days, since what was archived or deleted in Altinn itself is never told; and the link with it."""
    stage = Stage(tmp_path)
    stage.press(stage.case())
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(tables.operations.update().values(signer="d", state_after=CaseStatus.SIGNING.value))
        tx.connection.execute(tables.links.update().values(archived_id=None))
    counts = []

    for days in (91, 729, 731):
        forget_old_rows(replace(stage.bridge, clock=lambda days=days: datetime.now(UTC) + timedelta(days=days)))
        counts.append([rows(stage)[name] for name in ("operations", "links")])
    stage.stop()

    assert counts == [[1, 1], [1, 1], [0, 0]]


def test_what_is_under_way_is_never_forgotten(tmp_path: Path, url: str) -> None:
    """However old it is: an accepted action that did not end keeps its row, and its link."""
    engine = open_database(url, pool=2)
    migrate(engine)
    store = Store(engine)
    fill(store)

    late = NOW + timedelta(days=10_000)
    with store.transaction() as tx:
        gone = [
            tx.forget(table, before=late, signed_before=late, limit=500)
            for table in (tables.operations, tables.attachments, tables.snapshots, tables.links)
        ]

    assert gone == [0, 0, 0, 0]
    engine.dispose()
