"""``bridge gates`` shows whether the login to Altinn 2 is closed, and opens it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.gates import gates
from bridge.config.settings import Settings
from bridge.core.errors import CredentialsRefused
from bridge.core.gates import guarded_login
from bridge.sandbox.control import settings as sandbox_settings
from bridge.sandbox.world import World
from bridge.storage.store import Store, open_database
from bridge.wiring import login_gate, prepare_database


def refuse() -> str:
    raise CredentialsRefused("Altinn 2", "no", reason="login_refused")


def test_a_closed_gate_is_shown_and_opened(tmp_path: Path):
    """Exit code 1 while it is closed, 0 once it is open; neither user nor password is shown."""
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
            gate = login_gate(settings, Store(engine), lambda: datetime.now(UTC))
            guarded_login(gate, refuse, system="Altinn 2", refused="login_refused")
    engine.dispose()

    closed = CliRunner().invoke(gates, ["--json"], env=environ)
    opened = CliRunner().invoke(gates, ["--open"], env=environ)

    assert (closed.exit_code, opened.exit_code) == (1, 0)
    assert json.loads(closed.output)["gates"][0]["closed"] is True
    assert "password at http://127.0.0.1:9/altinn2/api: open, 0 refused in a row" in opened.output
    assert not {"brukeren", "feil-passord"} & set(closed.output.split('"'))
