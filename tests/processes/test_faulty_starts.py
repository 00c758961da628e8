"""A start that fails ends at once, with its reasons as lines of the log and nothing beside it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.bundled import mappings_folder
from tests.processes.harness import Site, site, until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("given", "code", "expected"),
    [
        ({"BRIDGE_ENVIRONMENT": "nowhere"}, 2, "write 'sandbox'"),
        ({"BRIDGE_MAPPINGS": "broken"}, 2, "there is no key 'formz' here: did you mean 'forms'?"),
        ({"BRIDGE_MASKINPORTEN_KEY": '{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB","d":"AQAB"}'}, 2, "cannot be read"),
        ({"BRIDGE_ALTINN2_CERTIFICATE": "junk.pem"}, 2, "junk.pem"),
        ({"BRIDGE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/b"}, 1, "nobody listens at its address"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "work"])
def test_its_reasons_are_lines_of_the_log(
    tmp_path: Path, database_url: str, command: str, given: dict[str, str], code: int, expected: str
):
    """Standard error stays empty, whichever part of the start fails, and no web process is tried again."""
    (tmp_path / "broken").mkdir()
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8").replace("forms:", "formz:")
    (tmp_path / "broken" / "m.yaml").write_text(text, "utf-8")

    # With the embedded store, work would come no further than to that.
    with site(tmp_path, database_url=database_url if command == "work" else None) as made:
        ended, reasons = started(made, command, **given)

    assert ended == code
    assert len([each for each in reasons if expected in each]) == 1


def test_several_web_processes_tell_a_reason_once(tmp_path: Path, database_url: str):
    """What stops one stops all of them."""
    (tmp_path / "m.yaml").write_text("service_resource: [", "utf-8")

    with site(tmp_path, database_url=database_url, BRIDGE_WEB_PROCESSES="3") as made:
        ended, reasons = started(made, "serve", BRIDGE_MAPPINGS="m.yaml")

    assert ended == 2
    assert len(reasons) == 1


def test_a_start_that_went_well_says_so_once(tmp_path: Path, database_url: str):
    """With several web processes as well, and only once one of them can answer."""
    with site(tmp_path, database_url=database_url, BRIDGE_WEB_PROCESSES="2") as made:
        made.serve()
        # The other process may be ready first.
        lines = until(lambda: (told := messages(made)).count("the service listens") and told)

    assert lines.count("the service listens") == 1
    assert lines.index("the service listens") > lines.index("it serves")


def messages(made: Site) -> list[str]:
    """What its log says so far."""
    return [json.loads(line)["message"] for line in made.logs().splitlines()]


def test_a_worker_is_refused_an_embedded_store(tmp_path: Path):
    """Its one worker runs inside ``altinn-bridge serve``."""
    with site(tmp_path) as made:
        ended, reasons = started(made, "work")

    assert ended == 2
    assert len([each for each in reasons if "the embedded store has one worker" in each]) == 1


def started(made: Site, command: str, **given: str) -> tuple[int, list[str]]:
    """Run *command* to its end, and give what it ended with and the reasons it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", command],
        env={**made.environ, **given, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=made.folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    reasons = [each for each in lines if each["message"].startswith("it cannot start: ")]
    assert lines[-len(reasons) :] == reasons
    assert not [each for each in lines if each["message"] == "the service listens"]
    return done.returncode, [each.get("fault", each.get("why", "")) for each in reasons]
