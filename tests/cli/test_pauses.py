"""``altinn-bridge pauses`` shows which systems asked to be left alone, and lifts that."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.pauses import pauses
from bridge.config.settings import Settings
from bridge.core.upstream_pause import Why
from bridge.sandbox.control import settings as sandbox_settings
from bridge.sandbox.world import World
from bridge.storage.database import open_database
from bridge.storage.pauses import StoredPause
from bridge.storage.store import Store
from bridge.wiring import prepare_database

URL = "https://altinn.example/api"


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    return {
        **sandbox_settings(World(lambda: datetime.now(UTC), 7), "http://127.0.0.1:9"),
        "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/bridge.sqlite",
    }


def pause(environ: Mapping[str, str], wait: timedelta) -> None:
    settings = Settings.from_environ(environ)
    prepare_database(settings)
    engine = open_database(settings.database_url, pool=1)
    StoredPause(Store(engine), system="altinn2", url=URL, clock=lambda: datetime.now(UTC)).begin(wait, Why.MAINTENANCE)
    engine.dispose()


def test_a_pause_is_shown_and_lifted(environ: Mapping[str, str]) -> None:
    """Exit code 1 while a system is left alone, with why and until when; 0 once it is called."""
    pause(environ, timedelta(minutes=10))

    shown = CliRunner().invoke(pauses, ["list", "--json"], env=environ)
    lifted = CliRunner().invoke(pauses, ["lift", "--json"], env=environ)
    after = CliRunner().invoke(pauses, ["list"], env=environ)

    (told,) = json.loads(shown.output)["pauses"]
    assert (told["system"], told["about"]) == ("altinn2", f"down for maintenance: {URL}")
    assert datetime.fromisoformat(told["until"]) > datetime.now(UTC)
    assert json.loads(lifted.output) == {"lifted": 1, "pauses": [{**told, "until": None}]}
    assert after.output == f"down for maintenance: {URL}: called as ever\n"
    assert [each.exit_code for each in (shown, lifted, after)] == [1, 0, 0]


def test_a_pause_that_is_over_needs_nobody(environ: Mapping[str, str]) -> None:
    """It is still told of, and counts for nothing."""
    pause(environ, timedelta(seconds=-1))

    shown = CliRunner().invoke(pauses, ["list"], env=environ)

    assert (shown.exit_code, shown.output) == (0, f"down for maintenance: {URL}: called as ever\n")


def test_nobody_asked_for_one(environ: Mapping[str, str]) -> None:
    """Which is said in words, and lifting nothing is no error."""
    shown = CliRunner().invoke(pauses, ["lift"], env=environ)

    assert (shown.exit_code, shown.output) == (0, "no system has asked for a pause\nlifted: 0\n")
