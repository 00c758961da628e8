"""``altinn-bridge sandbox`` runs the systems around the bridge, and docs/sandbox.md tells how to steer them."""

import json
import re
import shlex
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from bridge.cli.sandbox.command import sandbox, shown, takes
from bridge.config.setting_choices import Environment
from bridge.config.settings import Settings
from bridge.sandbox.control import Control
from bridge.sandbox.core.switches import Switches
from bridge.sandbox.world import World

DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_end(number: signal.Signals):
    """Its lines are settings that a bridge takes, its switches are thrown, and it ends quietly."""
    command = [sys.executable, "-m", "bridge.cli", "sandbox", "--seed", "7", "--switch", "put_status=200"]
    command += ["--scope", "egen:les"]
    command += ["--origin", "https://App.localhost/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first, *lines = (process.stdout.readline() for _ in range(13))
        exports = dict(shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export "))
        url = re.findall(r"http://127\.0\.0\.1:\d+", first)[0]

        settings = Settings.from_environ(exports)
        switches = requests.get(f"{url}/_sandbox/switches", timeout=10).json()
        own = requests.get(f"{url}/_sandbox/clients", timeout=10).json()[0]
        process.send_signal(number)
        rest, errors = process.communicate(timeout=15)

    assert settings.environment is Environment.SANDBOX
    assert (own["id"], "egen:les" in own["scopes"]) == (settings.maskinporten_client_id, True)
    assert settings.altinn2_url.startswith(url)
    assert "https://app.localhost" in settings.allowed_origins
    assert next(each for each in switches if each["name"] == "put_status")["value"] == "200"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_all_switches_are_listed():
    """Each with its value, as --switch takes it, and its meaning."""
    result = CliRunner().invoke(sandbox, ["--switch", "latency_ms=20", "--switches"])

    assert result.exit_code == 0
    assert "latency_ms=20\n" in result.stdout
    assert all(each["meaning"] in result.stdout for each in Switches().described())


def test_the_list_of_switches_is_json_where_that_is_asked_for():
    """What is not a list has no other shape."""
    listed = CliRunner().invoke(sandbox, ["--switches", "--json"])
    settings = CliRunner().invoke(sandbox, ["--json"])

    assert {each["name"] for each in json.loads(listed.output)} == {each["name"] for each in Switches().described()}
    assert (settings.exit_code, "--json goes with --switches" in settings.output) == (2, True)


@pytest.mark.parametrize("assignment", ["nothing=1", "put_status=500", "latency_ms=much"])
def test_switches_that_are_none_end_with_two(assignment: str):
    """A name or a value that does not exist is told before anything starts."""
    assert CliRunner().invoke(sandbox, ["--switch", assignment]).exit_code == 2


@pytest.mark.parametrize("origin", ["app.localhost", "https://app.localhost/path", "https://*", "null", ""])
def test_what_is_no_origin_ends_with_two(origin: str):
    """Told before anything starts."""
    assert CliRunner().invoke(sandbox, ["--origin", origin]).exit_code == 2


def test_every_switch_is_documented():
    """The table has all of them, with default, values and meaning, and no others."""
    rows = [
        f"| `{each['name']}` | `{shown(each['default'])}` | {takes(each)} | {each['meaning']} |"
        for each in Switches().described()
    ]

    table = DOCUMENT.read_text("utf-8").partition("## Switches")[2]

    assert [line for line in table.splitlines() if line.startswith("| `")] == rows


def in_braces(found: re.Match[str]) -> str:
    return f"{{{found[1]}}}"


def test_every_request_of_the_control_api_is_documented():
    """The table has all of them, and no others."""
    control = Control(World(lambda: datetime.now(UTC)), "http://127.0.0.1")
    routes = {
        f"{method} {re.sub('<(?:uuid:)?([a-z_]+)>', in_braces, rule.rule.removeprefix('/_sandbox'))}"
        for rule in control._map.iter_rules()
        for method in rule.methods or ()
        if method != "HEAD"
    }

    documented = re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)

    assert sorted(documented) == sorted(routes)
