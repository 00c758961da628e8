"""What is known of attachments that came through us."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import bridge.storage
from bridge.core.cases import CaseRef
from bridge.core.operations import Link, Upload
from bridge.storage.attachments import Living
from bridge.storage.database import migrate, open_database
from bridge.storage.store import Store
from bridge.storage.uploads import Uploads

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIVING = Living(process="another", uploads=frozenset(), silent_since=NOW)
DIALOG = UUID(int=1)
ELEMENT = CaseRef(system="altinn2", owner="910000001", key="a1")
LINK = Link(dialog_id=DIALOG, service_resource="urn:altinn:resource:x", party="urn:x", case=ELEMENT)
UPLOAD = Upload(
    id=UUID(int=2),
    dialog_id=DIALOG,
    case=ELEMENT,
    file_name="plan.pdf",
    attachment_type="Plan",
    length=3,
    sha256="abc",
    attachment_id=7,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=2)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    migrate(engine)
    made = Store(engine)
    with made.transaction() as tx:
        tx.add_link(LINK, now=NOW)
    return made


def brought(store: Store, upload: Upload) -> Upload:
    with store.transaction() as tx:
        tx.begin_upload(upload, LIVING, now=NOW)
        Uploads(tx).arrived(upload)
        Uploads(tx).ended(upload.id, now=NOW)
    return upload


def test_an_old_id_leads_to_what_took_its_place(store: Store) -> None:
    """However often it was replaced."""
    first = brought(store, UPLOAD)
    for number in (3, 4):
        new = replace(UPLOAD, id=UUID(int=number), attachment_id=number + 5, replaces=(number + 4,))
        brought(store, new)
        with store.transaction() as tx:
            Uploads(tx).replacing(new)
            Uploads(tx).settled(new, new.replaces, now=NOW)

    with store.reading() as tx:
        found, standing = Uploads(tx).find(DIALOG, first.id), Uploads(tx).of(DIALOG, ELEMENT)
        open_ = Uploads(tx).unsettled(DIALOG, LIVING)

    assert found is not None
    assert found.id == UUID(int=4)
    assert [each.id for each in standing] == [UUID(int=4)]
    assert open_ == ()


def test_what_broke_off_is_found_once_it_is_dead(store: Store) -> None:
    """Not while it moves; after its time, or its end, until it is settled."""
    with store.transaction() as tx:
        tx.begin_upload(UPLOAD, replace(LIVING, process="elsewhere"), now=NOW)
        Uploads(tx).replacing(replace(UPLOAD, replaces=(5,)))

    with store.transaction() as tx:
        uploads = Uploads(tx)
        moving = uploads.unsettled(DIALOG, LIVING)
        dead = uploads.unsettled(DIALOG, replace(LIVING, silent_since=NOW + timedelta(seconds=1)))
        uploads.settled(dead[0], (), now=NOW)
        settled = uploads.unsettled(DIALOG, replace(LIVING, silent_since=NOW + timedelta(seconds=1)))

    assert (len(moving), [each.replaces for each in dead], settled) == (0, [(5,)], ())


def test_uploads_of_earlier_versions_stay(engine: sa.Engine) -> None:
    """The migration takes nothing from them: they are ours, stand in nobody's place, and can be found."""
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.storage.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")
        connection.execute(
            sa.text(
                "INSERT INTO links (dialog_id, service_resource, party, who, message_id, created_at)"
                " VALUES (:d, 's', 'p', '910000001', 'a1', '2026-03-01 12:00:00.000000')"
            ),
            {"d": str(DIALOG)},
        )
        connection.execute(
            sa.text(
                "INSERT INTO attachments (id, dialog_id, who, message_id, file_name, attachment_type, length, sha256,"
                " attachment_id, began_at, seen_at, ended_at) VALUES (:i, :d, '910000001', 'a1', 'plan.pdf', 'Plan', 3,"
                " 'abc', 7, :t, :t, :t)"
            ),
            {"i": str(UPLOAD.id), "d": str(DIALOG), "t": "2026-03-01 12:00:00.000000"},
        )
    migrate(engine)

    with Store(engine).reading() as tx:
        assert Uploads(tx).find(DIALOG, UPLOAD.id) == UPLOAD
        assert Uploads(tx).unsettled(DIALOG, LIVING) == ()


def test_what_a_message_brought_is_noted_once(store: Store) -> None:
    """Noted again after a crash it is the same record; a later message's file is told of by it."""
    other = replace(UPLOAD, id=UUID(int=3))
    newer = replace(UPLOAD, id=UUID(int=4), length=5, sha256="def", attachment_id=8)

    for each in (UPLOAD, other, newer):
        with store.transaction() as tx:
            Uploads(tx).brought(each, now=NOW)

    with store.reading() as tx:
        (known,) = Uploads(tx).of(DIALOG, ELEMENT)
    assert known == replace(newer, id=UPLOAD.id)


def test_an_id_that_another_file_has_is_not_taken_from_it(store: Store) -> None:
    """What the list says of two files cannot be true of both: the later one is found by its bytes."""
    brought(store, UPLOAD)

    with store.transaction() as tx:
        Uploads(tx).brought(replace(UPLOAD, id=UUID(int=3), file_name="kart.pdf"), now=NOW)

    with store.reading() as tx:
        known = {each.file_name: each.attachment_id for each in Uploads(tx).of(DIALOG, ELEMENT)}
    assert known == {"plan.pdf": 7, "kart.pdf": None}


def test_files_that_nobody_could_tell_apart_are_noted_once(store: Store) -> None:
    """Two of one name and of different types have no id: noted again, as after a crash, there are still two."""
    two = [
        replace(UPLOAD, id=UUID(int=3 + at), attachment_type=kind, attachment_id=None) for at, kind in enumerate("AB")
    ]

    for again in range(2):
        for each in two:
            with store.transaction() as tx:
                Uploads(tx).brought(replace(each, id=UUID(int=each.id.int + 10 * again)), now=NOW)

    with store.reading() as tx:
        known = Uploads(tx).of(DIALOG, ELEMENT)
    assert sorted(each.attachment_type for each in known) == ["A", "B"]
