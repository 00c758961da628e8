"""A start that fails ends at once, with its reasons as lines of the log and nothing beside it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.shipped import mappings_folder
from tests.processes.harness import site

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("given", "code", "expected"),
    [
        ({"BRIDGE_ENVIRONMENT": "nowhere"}, 2, "write 'sandbox'"),
        ({"BRIDGE_MAPPINGS": "broken"}, 2, "there is no key 'formz' here: did you mean 'forms'?"),
        ({"BRIDGE_MASKINPORTEN_KEY": '{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB","d":"AQAB"}'}, 2, "cannot be read"),
        ({"BRIDGE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/b"}, 1, "nobody listens at its address"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "work"])
def test_its_reasons_are_lines_of_the_log(
    tmp_path: Path, command: str, given: dict[str, str], code: int, expected: str
):
    """Standard error stays empty, whichever part of the start fails, and no web process is tried again."""
    (tmp_path / "broken").mkdir()
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8").replace("forms:", "formz:")
    (tmp_path / "broken" / "m.yaml").write_text(text, "utf-8")
    if command == "work" and "BRIDGE_DATABASE_URL" not in given:
        expected = "the embedded store has one worker" if "BRIDGE_ENVIRONMENT" not in given else expected

    with site(tmp_path) as made:
        done = subprocess.run(
            [sys.executable, "-m", "bridge.cli", command],
            env={**made.environ, **given, "PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (code, b"")
    assert len([each for each in lines if expected in each.get("fault", each.get("why", ""))]) == 1
