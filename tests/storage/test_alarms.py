"""Which systems refuse the bridge: told by any process, until they take its credentials again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import bridge.storage
from bridge.storage.alarms import ALARM_STANDS, Alarm, Alarms, alarms_of
from bridge.storage.database import migrate, open_database
from bridge.storage.lockouts import ShownLockout, lockouts_of
from bridge.storage.pauses import ShownPause, pauses_of
from bridge.storage.store import Store

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=2)
    yield made
    made.dispose()


def test_an_alarm_stands_until_the_credentials_are_taken(engine: sa.Engine) -> None:
    """By whoever raised it; silence ends it likewise."""
    migrate(engine)
    store = Store(engine)
    mine = Alarms(store, clock=lambda: NOW)
    mine.raised("Altinn 2", "the API key was refused")
    told = [alarms_of(store, now=NOW + after) for after in (timedelta(), ALARM_STANDS + timedelta(seconds=1))]

    Alarms(store, clock=lambda: NOW).taken("Altinn 2")
    still = alarms_of(store, now=NOW)
    mine.taken("Altinn 2")

    assert told == [[Alarm("Altinn 2", "the API key was refused", NOW)], []]
    assert (still, alarms_of(store, now=NOW)) == (told[0], [])


def test_what_lay_in_one_table_is_told_apart(engine: sa.Engine) -> None:
    """A locked login stays locked through the upgrade, a pause goes on, an alarm stands; and back again."""
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.storage.__file__).parent / "migrations"))
    later = NOW + timedelta(minutes=5)
    rows = [
        ("f" * 64, "password at https://altinn.example", 2, None),
        ("pause:altinn2", "down for maintenance: https://altinn.example", 0, later),
        ("credentials:Maskinporten", "invalid_client", 0, None),
    ]
    insert = sa.text("INSERT INTO gates VALUES (:name, :about, :failures, :until, :at)").bindparams(
        sa.bindparam("until", type_=sa.DateTime), sa.bindparam("at", type_=sa.DateTime)
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0022")
        for name, about, failures, until in rows:
            moment = None if until is None else until.replace(tzinfo=None)
            values = {"name": name, "about": about, "failures": failures, "until": moment}
            connection.execute(insert, {**values, "at": NOW.replace(tzinfo=None)})
        before = connection.execute(sa.text("SELECT * FROM gates ORDER BY name")).all()

    migrate(engine)

    store = Store(engine)
    assert lockouts_of(store) == [ShownLockout(rows[0][1], 2, NOW)]
    assert pauses_of(store, now=NOW) == [ShownPause("altinn2", rows[1][1], later, NOW)]
    assert alarms_of(store, now=NOW) == [Alarm("Maskinporten", "invalid_client", NOW)]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0022")
        assert connection.execute(sa.text("SELECT * FROM gates ORDER BY name")).all() == before
