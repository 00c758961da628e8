"""``altinn-bridge elements`` on a sandbox over HTTP: lists, one element, what is refused."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from bridge.cli import _bridge
from bridge.sandbox.control import settings
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World

FORM = {"data_format_id": "5801", "data_format_version": "42001", "xml": "<melding><navn>Hemmelig</navn></melding>"}
PLAN = {"file_name": "plan for 01819912345.pdf", "attachment_type": "Plan", "data": "JVBERi0xLjQ="}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World(lambda: datetime.now(UTC), 7)) as running:
        yield running


def element(sandbox: Sandbox, who: str, code: str = "5701", **about: Any) -> str:
    body = {"who": who, "service": {"code": code, "edition": 1}, "forms": [FORM], **about}
    answer = requests.post(f"{sandbox.base_url}/_sandbox/altinn2/elements", json=body, timeout=10)
    assert answer.status_code < 300, answer.text
    return str(answer.json()["message_id"])


def run(sandbox: Sandbox, folder: Path, *arguments: str, **environ: str) -> Result:
    database = {"BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite"}
    given = {**settings(sandbox.world, sandbox.base_url), **database, **environ}
    return CliRunner().invoke(_bridge, ["elements", *arguments], env=given)


def test_a_list_is_followed_to_its_end(sandbox: Sandbox, tmp_path: Path) -> None:
    """Pages of fifty, each element once; services and states choose."""
    who = sandbox.world.new_organisation().number
    made = {element(sandbox, who) for _ in range(55)} | {element(sandbox, who, "5702", state="signing")}

    whole = run(sandbox, tmp_path, "list", "--who", who, "--format", "jsonl")
    some = run(sandbox, tmp_path, "list", "--who", who, "--service", "5702/1", "--state", "signing")
    none = run(sandbox, tmp_path, "list", "--who", who, "--service", "5702/1", "--state", "formfilling")
    first = run(sandbox, tmp_path, "list", "--who", who, "--limit-total", "3", "--format", "csv")

    items = [json.loads(line) for line in whole.stdout.splitlines()]
    assert whole.exit_code == 0, whole.output
    assert ({each["message_id"] for each in items}, len(items)) == (made, 56)
    assert (whole.stderr, some.stderr, none.stderr, none.stdout) == (
        "56 elements.\n",
        "1 element.\n",
        "0 elements.\n",
        "",
    )
    assert "\tSignering\t5702/1\t" in some.stdout
    assert len(list(csv.DictReader(io.StringIO(first.stdout)))) == 3


def test_one_element_is_shown_without_its_content(sandbox: Sandbox, tmp_path: Path) -> None:
    """Ids, kinds and sizes; for people without identity numbers, and for nobody what stands in the form."""
    who = sandbox.world.new_organisation().number
    made = element(sandbox, who, attachments=[PLAN])

    words = run(sandbox, tmp_path, "show", made, "--who", who)
    machines = run(sandbox, tmp_path, "show", made, "--who", who, "--json")

    report = json.loads(machines.stdout)
    assert (words.exit_code, machines.exit_code) == (0, 0), words.output
    assert (report["message_id"], report["status"], len(report["forms"])) == (made, "Utfylling", 1)
    assert (report["attachments"][0]["type"], report["attachments"][0]["bytes"]) == ("Plan", 8)
    assert "MainForm 5801 42001" in words.stdout
    assert "Plan plan for ***********.pdf 8 bytes" in words.stdout
    assert "Hemmelig" not in words.stdout + machines.stdout


def test_nothing_is_written_and_nothing_marked_as_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """A letter stays unread."""
    who = sandbox.world.new_organisation().number
    letter = {"who": who, "service": {"code": "4812", "edition": 1}, "letter": {"summary": "Vedtak"}}
    made = requests.post(f"{sandbox.base_url}/_sandbox/altinn2/elements", json=letter, timeout=10).json()["message_id"]

    shown = [run(sandbox, tmp_path, *each) for each in (("show", made, "--who", who), ("list", "--who", who))]

    assert [each.exit_code for each in shown] == [0, 0], shown[0].output
    assert all("Ulest" in each.stdout for each in shown)
    assert {each.method for each in sandbox.world.calls.all("altinn2") if made in each.path} == {"GET"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--who", "01819912345"),
        ("list", "--who", "my", "--service", "5701"),
        ("list", "--who", "my", "--state", "sent"),
        ("list",),
        ("show", "10042450", "--who", "my"),
    ],
)
def test_wrong_calls_end_with_two(sandbox: Sandbox, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """And reach nobody."""
    before = len(sandbox.world.calls.all())

    result = run(sandbox, tmp_path, *arguments)

    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert len(sandbox.world.calls.all()) == before


def test_what_is_not_there_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """And where sent elements are to be found; a system that is away is named."""
    who = sandbox.world.new_organisation().number

    missing = run(sandbox, tmp_path, "show", "a1", "--who", who)
    away = run(sandbox, tmp_path, "list", "--who", who, BRIDGE_ALTINN2_URL="http://127.0.0.1:1/api")

    assert (missing.exit_code, away.exit_code) == (1, 1)
    assert "look among --state archived" in missing.stderr
    assert "Altinn 2" in away.stderr
    assert not isinstance(away.exception, ConnectionError)
