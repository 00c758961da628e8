"""The example of docs/search.md, as it stands there."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.shipped import examples_folder
from tests.processes.harness import _clean, free_port

pytestmark = pytest.mark.slow
DOCUMENT = Path(__file__).parents[2] / "docs" / "search.md"


def test_the_example_works_as_written(tmp_path: Path) -> None:
    """Found, pressed, found as changed; only the ports are others."""
    text = DOCUMENT.read_text("utf-8").partition("<!-- example -->")[2].partition("<!-- /example -->")[0]
    script = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    sandbox, bridge = str(free_port()), str(free_port())
    script = script.replace("8190", sandbox).replace("8080", bridge)
    shutil.copy(examples_folder() / "serveringsbevilling.xml", tmp_path / "form.xml")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {**_clean(os.environ), "PATH": path, "BRIDGE_LISTEN": f"127.0.0.1:{bridge}"}

    with (tmp_path / "out.log").open("w+b") as out:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environ,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            code = process.wait(90)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
        out.seek(0)
        printed = out.read().decode()

    assert code == 0, printed
    assert "RequiresAttention\t" in printed
    assert "the event came" in printed
    assert "button       - Send inn" in printed
    assert printed.count("1 dialogs.") == 2
