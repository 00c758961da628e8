"""What ran while the store was away goes on when it is back, in a worker that lives."""

import sqlite3
import threading
from pathlib import Path

import pytest

from tests.processes.harness import site, until

pytestmark = pytest.mark.slow

TABLES = ("workflow_status", "operations")


def test_runs_go_on_when_the_store_is_back(tmp_path: Path) -> None:
    """Neither their end nor their next try could be written; nobody has to start the service again for them."""
    released = threading.Event()
    with site(tmp_path, BRIDGE_ANSWER_WITHIN="0.1") as made:
        process = made.serve()
        made.trap = lambda: released.wait(60)
        cases = [made.case() for _ in range(4)]
        for case in cases:
            match = {"method": "GET", "path": case.message_id}
            made.control("POST", "/faults", {"system": "altinn2", "match": match, "how": {"delay_seconds": 1}})
        accepted = [made.press(case).status_code for case in cases]
        store = sqlite3.connect(tmp_path / "bridge.sqlite", timeout=30, isolation_level=None)
        working = "SELECT count(*) FROM workflow_status WHERE status = 'PENDING'"
        until(lambda: store.execute(working).fetchone()[0] == len(cases), what="four runs at work")
        for name in TABLES:
            store.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
        released.set()

        # Each run fails at its next write, and then at writing that it failed.
        failed = "Exception encountered in background workflow"
        until(lambda: made.logs().count(failed) == len(cases), what="four failures")
        for name in TABLES:
            store.execute(f"ALTER TABLE {name}_away RENAME TO {name}")
        store.close()
        ended = [until(lambda case=case: made.finished(case), seconds=50, what="the end")[-1] for case in cases]
        running = process.popen.poll() is None
        logs = made.logs()

    assert set(accepted) == {202}
    assert running
    assert {row.outcome for row in ended} == {"done"}
    assert "runs whose end could not be written begin anew" in logs
