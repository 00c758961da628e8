"""What stood in the store before dead letters were kept stays as it was."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import bridge.storage
from bridge.storage.database import open_database
from bridge.storage.dead_letters import DeadLetters, Kind
from bridge.storage.store import Store

FIRST = "00000000-0000-7000-8000-000000000001"


def test_an_operation_from_before_is_no_dead_letter(tmp_path: Path) -> None:
    """It was given up and erased: there is nothing to try again, and its outcome can still be read."""
    engine = open_database(f"sqlite:///{tmp_path}/b.sqlite", pool=2)
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.storage.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
        connection.execute(
            sa.text(
                "INSERT INTO links (dialog_id, service_resource, party, who, message_id, created_at)"
                " VALUES (:id, 'urn:x', 'urn:y', '310000005', 'a1', '2026-01-01 00:00:00')"
            ),
            {"id": FIRST},
        )
        connection.execute(
            sa.text(
                "INSERT INTO operations (id, dialog_id, sequence, intent, service_resource, action, who, message_id,"
                " body_digest, stage, outcome, attempt, tries, waiting, accepted_at, updated_at, finished_at)"
                " VALUES (:id, :id, 1, 'submit:', 'urn:x', 'submit', '310000005', 'a1', 'd', 'finished', 'given_up',"
                " 3, 2, 0, '2026-01-01 00:00:00', '2026-01-02 00:00:00', '2026-01-02 00:00:00')"
            ),
            {"id": FIRST},
        )

    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    with Store(engine).reading() as tx:
        letters = DeadLetters(tx)
        assert letters.counts() == {}
        (entry,) = letters.entries([Kind.FINISHED], limit=10)
    assert (str(entry.operation.id), entry.operation.dead_at, entry.keeps_form) == (FIRST, None, False)
    engine.dispose()
