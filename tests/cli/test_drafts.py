"""``altinn-bridge drafts`` on a sandbox over HTTP: the plan, what is done, JSON, exit codes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from bridge.bundled import examples_folder
from bridge.cli import _bridge
from bridge.core.errors import ConfigurationError
from bridge.sandbox.control import settings
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World

XML = (examples_folder() / "serveringsbevilling.xml").read_text("utf-8")
PUBLIC = {"BRIDGE_PUBLIC_URL": "https://bridge.example.no"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World(lambda: datetime.now(UTC), 7)) as running:
        control(running, "/dialogporten/resources", {"service_resource": "urn:altinn:resource:serveringsbevilling"})
        yield running


def control(sandbox: Sandbox, path: str, body: object) -> dict[str, str]:
    answer = requests.post(f"{sandbox.base_url}/_sandbox{path}", json=body, timeout=10)
    assert answer.status_code < 300, answer.text
    made: dict[str, str] = answer.json() if answer.content else {}
    return made


def element(sandbox: Sandbox) -> tuple[str, str]:
    who = sandbox.world.new_organisation().number
    form = {"data_format_id": "5801", "data_format_version": "42001", "xml": XML}
    made = control(
        sandbox, "/altinn2/elements", {"who": who, "service": {"code": "5701", "edition": 1}, "forms": [form]}
    )
    return who, made["message_id"]


def run(sandbox: Sandbox, folder: Path, *arguments: str, **environ: str) -> Result:
    database = {"BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite"}
    given = {**settings(sandbox.world, sandbox.base_url), **database, **environ}
    return CliRunner().invoke(_bridge, ["drafts", *arguments], env=given)


def test_the_plan_comes_true(sandbox: Sandbox, tmp_path: Path) -> None:
    """What ``--dry-run`` names is what is made then, and afterwards there is nothing left to do."""
    who, message_id = element(sandbox)

    plan = run(sandbox, tmp_path, "--for", who, "--dry-run", **PUBLIC)
    done = run(sandbox, tmp_path, "--for", who, **PUBLIC)
    again = run(sandbox, tmp_path, "--for", who, **PUBLIC)

    assert [each.exit_code for each in (plan, done, again)] == [0, 0, 0], (plan.output, done.output, again.output)
    assert plan.stdout.split("\t")[:3] == ["created", "urn:altinn:resource:serveringsbevilling", message_id]
    assert (plan.stderr, done.stderr, again.stderr) == (
        "plan: 1 created\n",
        "done: 1 created\n",
        "done: 1 unchanged\n",
    )
    assert again.stdout == ""


def test_machines_get_lines_of_json(sandbox: Sandbox, tmp_path: Path) -> None:
    """One object for each element, the sums last, and nothing else on standard output."""
    who, message_id = element(sandbox)

    result = run(sandbox, tmp_path, "--for", who, "--format", "jsonl", **PUBLIC)

    *lines, sums = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0, result.output
    assert [(each["what"], each["message_id"], each["who"]) for each in lines] == [("created", message_id, who)]
    assert sums == {"done": {"created": 1}}


def test_a_plan_says_what_it_would_write(sandbox: Sandbox, tmp_path: Path) -> None:
    """In JSON beside each dialog, and of one that is to be made its id; what was done has no plan."""
    who, _ = element(sandbox)

    plan = run(sandbox, tmp_path, "--for", who, "--dry-run", "--format", "jsonl", **PUBLIC)
    done = run(sandbox, tmp_path, "--for", who, "--format", "jsonl", **PUBLIC)

    (planned, _), (made, _) = ([json.loads(line) for line in each.stdout.splitlines()] for each in (plan, done))
    assert planned == {**made, "writes": ["create dialog"]}


def test_a_failure_is_told_and_ends_with_one(sandbox: Sandbox, tmp_path: Path) -> None:
    """What failed is named with its reason; run again, it is done."""
    who, message_id = element(sandbox)
    fault = {
        "system": "dialogporten",
        "match": {"method": "POST", "path": "/serviceowner/dialogs"},
        "how": {"status": 503},
        "times": 1,
    }
    control(sandbox, "/faults", fault)

    first = run(sandbox, tmp_path, "--for", who, **PUBLIC)
    second = run(sandbox, tmp_path, "--for", who, **PUBLIC)

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert message_id in first.stdout
    assert "unavailable" in first.stdout
    assert second.stderr == "done: 1 created\n"


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_who_is_not_listed_is_told_and_ends_with_one(
    sandbox: Sandbox, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A number that Altinn 2 does not list is not taken for one that nothing waits for; the others are served."""
    who, message_id = element(sandbox)

    result = run(sandbox, tmp_path, "--for", f"999999999,{who}", *options, **PUBLIC)

    assert result.exit_code == 1, result.output
    created, failed = sorted(result.stdout.splitlines())
    assert message_id in created
    assert failed.startswith("failed\t999999999\tAltinn 2 does not list it")
    assert result.stderr.endswith("1 created, 1 failed\n") or result.stderr.endswith("1 failed, 1 created\n")


def test_altinn_away_is_said_in_words(sandbox: Sandbox, tmp_path: Path) -> None:
    """Without the list of reportees nothing can be done, and the command says who is away."""
    who, _ = element(sandbox)
    fault = {"system": "altinn2", "match": {"method": "GET", "path": "reportees"}, "how": {"status": 503}, "times": 1}
    control(sandbox, "/faults", fault)

    away = run(sandbox, tmp_path, "--for", who, **PUBLIC)
    back = run(sandbox, tmp_path, "--for", who, **PUBLIC)

    assert away.exit_code == 1
    assert "Altinn 2" in away.stderr
    assert "goes on from here" in away.stderr
    assert back.exit_code == 0
    assert back.stderr.startswith("going on with the run drafts-by-hand-")


@pytest.mark.parametrize(
    ("arguments", "environ", "where"),
    [
        pytest.param((), {}, "BRIDGE_PUBLIC_URL", id="no address for the buttons"),
        pytest.param(("--for", "01810000186"), PUBLIC, "BRIDGE_DRAFTS_FOR", id="a person's number"),
        pytest.param((), {"BRIDGE_DRAFTS_EVERY": "60"}, "BRIDGE_PUBLIC_URL", id="a schedule without an address"),
        pytest.param((), {**PUBLIC, "BRIDGE_DRAFTS_EVERY": "1"}, "BRIDGE_DRAFTS_EVERY", id="every second"),
    ],
)
def test_what_is_configured_wrongly_is_named(
    sandbox: Sandbox, tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str], where: str
) -> None:
    """Nothing is called, and a person's number is not repeated."""
    result = run(sandbox, tmp_path, *arguments, **environ)

    assert isinstance(result.exception, ConfigurationError)
    assert [fault.where for fault in result.exception.faults] == [where]
    assert "01810000186" not in str(result.exception)
