"""What ran while the store was away goes on when it is back, in a worker that lives."""

import sqlite3
from pathlib import Path

import pytest

from tests.processes.harness import site, until

pytestmark = pytest.mark.slow

TABLES = ("workflow_status", "operations")


def test_runs_go_on_when_the_store_is_back(tmp_path: Path) -> None:
    """Neither their end nor their next try could be written; nobody has to start the service again for them."""
    with site(tmp_path, BRIDGE_ANSWER_WITHIN="0.1") as made:
        process = made.serve()
        cases = [made.case() for _ in range(4)]
        made.control("PATCH", "/switches", {"latency_ms": 700})
        accepted = [made.press(case).status_code for case in cases]
        store = sqlite3.connect(tmp_path / "bridge.sqlite", timeout=30, isolation_level=None)
        working = "SELECT 1 FROM workflow_status WHERE status = 'PENDING'"
        until(lambda: store.execute(working).fetchone(), what="a run at work")
        for name in TABLES:
            store.execute(f"ALTER TABLE {name} RENAME TO {name}_away")

        # Each run fails at its next write, and then at writing that it failed.
        until(lambda: "Exception encountered in background workflow" in made.logs(), what="a failure")
        until(lambda: "a periodic job failed" in made.logs(), what="a moment more")
        made.control("PATCH", "/switches", {"latency_ms": 0})
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
