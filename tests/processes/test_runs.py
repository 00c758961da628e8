"""``kill -9`` in a batch that the bridge does not know: leased runs are nothing that only drafts have."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.sandbox.control import settings
from bridge.sandbox.world import World

pytestmark = pytest.mark.slow

COUNTING = """
import os, signal, sys
from bridge.config.settings import Settings
from bridge.steps.batch.runs import LeasedRun, take_run
from bridge.wiring import prepare_database, wire

settings = Settings.from_environ(os.environ)
prepare_database(settings)
bridge = wire(settings)
run = take_run(bridge, "counting", sys.argv[1], scope=("five",), at_once=True)
with LeasedRun(bridge, run, stopping=lambda: False, dry=False) as lease:
    for number in range(int(lease.cursor or 0) + 1, 6):
        lease.counts["counted"] += 1
        print(number, flush=True)
        lease.move_to(str(number))
        if sys.argv[2:] == [str(number)]:
            os.kill(os.getpid(), signal.SIGKILL)
print(lease.id, *lease.scope, lease.counts["counted"])
"""


def count(environ: Mapping[str, str], run_id: str, *die_after: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, run_id, *die_after],
        env={**{name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}, **environ},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def killed_and_gone_on_with(url: str) -> None:
    environ = {
        **settings(World(lambda: datetime.now(UTC), 7), "http://127.0.0.1:9"),
        "BRIDGE_DATABASE_URL": url,
    }

    killed = count(environ, "first", "3")
    resumed = count(environ, "second")
    anew = count(environ, "third")

    assert killed == (-signal.SIGKILL, ["1", "2", "3"])
    assert resumed == (0, ["4", "5", "first five 5"])
    assert anew == (0, ["1", "2", "3", "4", "5", "third five 5"])


def test_another_kind_of_run_is_gone_on_with(tmp_path: Path) -> None:
    """From the cursor of the process that died, with its counts and its scope; what has ended is begun anew."""
    killed_and_gone_on_with(f"sqlite:///{tmp_path}/bridge.sqlite")


def test_another_kind_of_run_is_gone_on_with_on_postgresql(database_url: str) -> None:
    """The same, where any number of processes may ask at once."""
    killed_and_gone_on_with(database_url)
