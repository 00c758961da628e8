"""``altinn-bridge act`` and ``altinn-bridge search`` against a bridge of real processes: the way of docs/search.md."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli.end_users import TOKEN_VARIABLE
from tests.processes.harness import ORGANISATION, site

pytestmark = pytest.mark.slow


def test_an_end_user_system_submits_by_command(tmp_path: Path) -> None:
    """Found by search, pressed by act, archived in Altinn 2 once; a second press ends in news as well."""
    with site(tmp_path) as running:
        running.serve()
        case = running.case()
        asked = {"party": f"{ORGANISATION}{case.who}"}
        environ = {**running.environ, TOKEN_VARIABLE: running.control("POST", "/enduser-token", asked)["token"]}

        def bridge(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-c", "from bridge.cli import main; main()", *arguments]
            return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

        found = bridge("search", "--as", "enduser", "--party", case.who, "--format", "jsonl")
        pressed = bridge("act", str(case.dialog_id), "submit", "--json")
        owned = bridge("search", "--status", "Completed", "--status", "InProgress", "--format", "jsonl")

        assert json.loads(found.stdout)["id"] == str(case.dialog_id), found.stderr
        assert pressed.returncode == 0, pressed.stderr + pressed.stdout
        assert json.loads(pressed.stdout)["status"] in (202, 204)
        assert str(case.dialog_id) in owned.stdout, owned.stderr
        assert len(running.effects(case, "altinn2.put")) == 1
