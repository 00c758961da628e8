"""The examples of documents that are whole scripts, as they stand there."""

import hashlib
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
DOCUMENTS = Path(__file__).parents[2] / "docs"


def test_a_dialog_is_found_pressed_and_found_as_changed(tmp_path: Path) -> None:
    """docs/search.md."""
    shutil.copy(examples_folder() / "serveringsbevilling.xml", tmp_path / "form.xml")

    printed = run("search.md", tmp_path)

    assert "RequiresAttention\t" in printed
    assert "the event came" in printed
    assert "button       - Send inn" in printed
    assert printed.count("1 dialog.") == 2


def test_forms_and_attachments_are_sent_by_curl(tmp_path: Path) -> None:
    """docs/actions.md: each call ends as the document says."""
    shutil.copy(examples_folder() / "serveringsbevilling.xml", tmp_path / "form.xml")

    printed = run("actions.md", tmp_path)

    answers = [line for line in printed.splitlines() if re.search(r"(^|})\d{3}$", line)]
    assert [int(line[-3:]) for line in answers] == [422, 204, 422, 201, 422, 200, 204, 200, 204]
    assert "Postnummer must have four digits." in answers[0]
    assert all(
        code in line for code, line in zip(("attachment_missing", "attachment_extension"), answers[2:5:2], strict=True)
    )
    assert f'"sha256":"{hashlib.sha256((tmp_path / "plan.pdf").read_bytes()).hexdigest()}"' in answers[3]
    assert (tmp_path / "sent.pdf").read_bytes().startswith(b"%PDF")


def test_a_client_calculates_and_two_apps_are_compared(tmp_path: Path) -> None:
    """docs/calculation.md."""
    printed = run("calculation.md", tmp_path)

    assert "All sound." in printed
    assert printed.count('"sum":127.5,"avgift":19.12') == 2
    assert '{"path":"/sum","change":"added","old":null,"new":"127.5"}' in printed
    assert re.search(r"/avgift +changed +1$", printed, re.MULTILINE)
    assert "not the same" in printed


def run(document: str, folder: Path) -> str:
    """Run a document's example in *folder*; only the ports are others. Gives what it printed."""
    text = (DOCUMENTS / document).read_text("utf-8")
    text = text.partition("<!-- example -->")[2].partition("<!-- /example -->")[0]
    script = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    sandbox, bridge = str(free_port()), str(free_port())
    script = script.replace("8190", sandbox).replace("8080", bridge)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {**_clean(os.environ), "PATH": path, "BRIDGE_LISTEN": f"127.0.0.1:{bridge}"}

    with (folder / "out.log").open("w+b") as out:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
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
    return printed
