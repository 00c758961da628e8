"""``altinn-bridge logins`` shows whether the login to Altinn 2 is locked, and unlocks it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.logins import logins
from bridge.config.settings import Settings
from bridge.core.errors import CredentialsRefused
from bridge.core.login_lockout import guarded_login
from bridge.sandbox.control import settings as sandbox_settings
from bridge.sandbox.world import World
from bridge.storage.database import open_database
from bridge.storage.store import Store
from bridge.wiring import login_lockout, prepare_database


def refuse() -> str:
    raise CredentialsRefused("Altinn 2", "no", reason="login_refused")


def test_a_locked_login_is_shown_and_unlocked(tmp_path: Path):
    """Exit code 1 while it is locked, 0 once it is unlocked; neither user nor password is shown."""
    environ = {
        **sandbox_settings(World(lambda: datetime.now(UTC), 7), "http://127.0.0.1:9"),
        "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/bridge.sqlite",
        "BRIDGE_ALTINN2_LOGIN": "password",
        "BRIDGE_ALTINN2_USER": "brukeren",
        "BRIDGE_ALTINN2_PASSWORD": "feil-passord",
    }
    settings = Settings.from_environ(environ)
    prepare_database(settings)
    engine = open_database(settings.database_url, pool=1)
    for _ in range(2):
        with pytest.raises(CredentialsRefused):
            lockout = login_lockout(settings, Store(engine), lambda: datetime.now(UTC))
            guarded_login(lockout, refuse, system="Altinn 2", refused="login_refused")
    engine.dispose()

    locked = CliRunner().invoke(logins, ["list", "--json"], env=environ)
    unlocked = CliRunner().invoke(logins, ["unlock"], env=environ)

    assert (locked.exit_code, unlocked.exit_code) == (1, 0)
    assert json.loads(locked.output)["logins"][0]["locked"] is True
    assert "password at http://127.0.0.1:9/altinn2/api: unlocked, 0 refused in a row" in unlocked.output
    assert unlocked.output.endswith("unlocked: 1\n")
    assert not {"brukeren", "feil-passord"} & set(locked.output.split('"'))
