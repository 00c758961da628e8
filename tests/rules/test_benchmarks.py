"""Benchmarks are not run by the tests; they stay runnable."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(
    path.stem for path in (ROOT / "benchmarks").glob("*.py") if '__name__ == "__main__"' in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_benchmark_tells_how_to_run(name: str) -> None:
    """Each command imports what is there today, and names its options without measuring anything."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]

    shown = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True, timeout=60)

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.lower().startswith("usage: ")
