"""The examples of documents that are whole scripts, as they stand there."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from bridge.bundled import examples_folder, mappings_folder
from bridge.sandbox import Sandbox, World
from tests.processes.harness import _clean, free_port, until

pytestmark = pytest.mark.slow
DOCUMENTS = Path(__file__).parents[2] / "docs"


def test_a_dialog_is_found_pressed_and_found_as_changed(tmp_path: Path) -> None:
    """docs/search.md."""
    printed = run("search.md", tmp_path)

    assert "RequiresAttention\t" in printed
    assert "the event came" in printed
    assert "button       - Send inn" in printed
    assert printed.count("1 dialog.") == 2


def test_forms_and_attachments_are_sent_by_curl(tmp_path: Path) -> None:
    """docs/actions.md: each call ends as the document says."""
    printed = run("actions.md", tmp_path)

    answers = [line for line in printed.splitlines() if re.search(r"(^|})\d{3}$", line)]
    assert [int(line[-3:]) for line in answers] == [422, 204, 422, 201, 422, 200, 204, 200, 204]
    assert "Postnummer must have four digits." in answers[0]
    assert all(
        code in line for code, line in zip(("attachment_missing", "attachment_extension"), answers[2:5:2], strict=True)
    )
    digest = re.findall(r"^([0-9a-f]{64})  plan.pdf$", printed, re.MULTILINE)[0]
    assert f'"sha256":"{digest}"' in answers[3]
    assert printed.rstrip().endswith("%PDF")


def test_a_client_calculates_and_two_apps_are_compared(tmp_path: Path) -> None:
    """docs/calculation.md."""
    printed = run("calculation.md", tmp_path)

    assert "What was looked at is sound." in printed
    assert printed.count('"sum":127.5,"avgift":19.12') == 2
    assert '{"path":"/sum","change":"added","old":null,"new":"127.5"}' in printed
    assert re.search(r"/avgift +changed +1$", printed, re.MULTILINE)
    assert "not the same" in printed


def test_a_case_is_made_and_pressed_in_one_call_each(tmp_path: Path) -> None:
    """docs/sandbox.md."""
    printed = run("sandbox.md", tmp_path)

    assert re.search(r"^submit +http://127\.0\.0\.1:\d+/actions/", printed, re.MULTILINE)
    assert "HTTP/1.1 204" in printed
    assert '"kind":"altinn2.archived"' in printed


def test_a_first_service_is_made_in_five_steps(tmp_path: Path) -> None:
    """docs/mappings.md: from an empty folder to a form that was sent in."""
    printed = run("mappings.md", tmp_path)

    assert "What was looked at is sound." in printed
    assert re.search(r"answer +422, refused\nit says.*\n +/Baal.*\nrefused, as it should be", printed)
    assert "answer       204, done" in printed
    assert "RequiresAttention → Completed" in printed


def test_two_people_sign(tmp_path: Path) -> None:
    """docs/signing.md: sent to signing, signed by one, by the same one again, and by another."""
    printed = run("signing.md", tmp_path)

    assert printed.count("answer       204, done") == 4
    assert "Jeg bekrefter at opplysningene er riktige." in printed
    assert printed.count("This had been done already.") == 1
    assert "RequiresAttention → InProgress" in printed
    assert "InProgress → Completed" in printed


def test_documents_have_ports_of_their_own() -> None:
    """Two that are tried at once do not meet."""
    ports = [set(PORT.findall(example(name))) for name in EXAMPLES]

    assert [len(each) for each in ports] == [2] * len(EXAMPLES)
    assert len(set().union(*ports)) == 2 * len(EXAMPLES)


EXAMPLES = ("search.md", "actions.md", "calculation.md", "sandbox.md", "mappings.md", "signing.md")
PORT = re.compile(r"\b8[01]9?[0-9]{2}\b")


def example(document: str) -> str:
    """The script between the marks: what is fenced there, piece by piece."""
    text = (DOCUMENTS / document).read_text("utf-8")
    text = text.partition("<!-- example -->")[2].partition("<!-- /example -->")[0]
    return "\n".join(re.findall(r"^```\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("place", [0, 1], ids=["bridge", "sandbox"])
@pytest.mark.parametrize("document", EXAMPLES)
def test_nothing_is_pressed_and_left_where_a_port_is_taken(tmp_path: Path, document: str, place: int) -> None:
    """
    The script ends, says why, and takes its folder with it, though the program that it started has ended.

    Pasted into a shell that goes on whatever fails, as a reader's does, and beside a sandbox of the reader's, in which
    nothing is done.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken, Sandbox(World(lambda: datetime.now(UTC))) as other:
        ports = {place: taken.getsockname()[1]}
        code, printed = play(document, tmp_path, ports=ports, strict=False, others=other.base_url)
        calls = requests.get(f"{other.base_url}/_sandbox/calls", timeout=10).json()

    assert (code != 0) is (document != "mappings.md"), "whose last piece clears away"
    assert "in use" in printed
    assert calls == []
    assert not re.search("^answer |as it should be|Traceback", printed, re.MULTILINE)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "out.log"]


def test_the_sandbox_page_is_pasted_piece_by_piece(tmp_path: Path) -> None:
    """docs/sandbox.md outside its script: each piece does what it says, and none leaves a file with the reader."""
    text = (DOCUMENTS / "sandbox.md").read_text("utf-8")
    text = re.sub(r"<!-- example -->.*?<!-- /example -->", "", text, flags=re.DOTALL)
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    start, serve, *others = (block for language, block in blocks if not language)
    end = re.findall(r"^`(kill %1; rm [^`]+)` ends it", text, flags=re.MULTILINE)[0]
    reader = tmp_path / "reader"
    mine = {"mappings/servering.yaml": mappings_folder() / "serveringsbevilling.yaml"}
    mine |= {"form.xml": examples_folder() / "serveringsbevilling.xml"}
    for name, source in mine.items():
        (reader / name).parent.mkdir(parents=True, exist_ok=True)
        (reader / name).write_bytes(source.read_bytes())

    script = f"""
cd reader; unset BRIDGE_MAPPINGS BRIDGE_SCHEMAS http_proxy all_proxy
export BRIDGE_DIALOGPORTEN_URL=http://127.0.0.1:8190/dialogporten  # where commands look for a sandbox on another port
trap 'kill $(jobs -p) 2>/dev/null || :' EXIT
{start}
{serve.rstrip()} > "$box/bridge.log" 2>&1 &
until curl -sf "http://$BRIDGE_LISTEN/health/readiness" > "$box/ready"; do kill -0 $!; sleep 0.2; done
{"".join(others)}
kill $!; wait $! || :
{end}
"""
    code, printed = paste(script.replace("8190", str(free_port())), tmp_path, listen=f"127.0.0.1:{free_port()}")

    assert code == 0, printed
    assert len(others) == 8
    assert printed.count('"message_id"') == 2
    assert re.search(r"^submit +http://127\.0\.0\.1", printed, re.MULTILINE)
    assert re.search(r"http://127\.0\.0\.1:\d+/apps/\w+/sum\n", printed)
    assert not re.search('"status": ?[45]|Error|No sandbox', printed)
    assert sorted(each.name for each in reader.rglob("*") if each.is_file()) == ["form.xml", "servering.yaml"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "out.log", "reader"]


def run(document: str, folder: Path) -> str:
    """Run a document's example below *folder*; only the ports are others. Gives what it printed; it leaves nothing."""
    code, printed = play(document, folder, ports={})
    assert code == 0, printed
    assert sorted(each.name for each in folder.iterdir()) == ["bin", "out.log"]
    return printed


def play(
    document: str, folder: Path, *, ports: Mapping[int, int], strict: bool = True, others: str = ""
) -> tuple[int, str]:
    """
    Run a document's example below *folder*: its code, and what it printed.

    *ports* says where its first and second port lie, free ones otherwise. A *strict* shell ends at the first piece
    that fails. *others* is the address of a sandbox that the shell has the settings of.
    """
    script = example(document)
    for place, port in enumerate(sorted(set(PORT.findall(script)))):
        script = script.replace(port, str(ports.get(place) or free_port()))
    return paste(script, folder, strict=strict, others=others)


def paste(
    script: str, folder: Path, *, strict: bool = True, others: str = "", listen: str = "nowhere"
) -> tuple[int, str]:
    """Run a script below *folder*, in a shell that knows better: its code, and what it printed."""
    # Another program of that name comes first, as on machines with iproute2.
    other = folder / "bin" / "bridge"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 255\n")
    other.chmod(0o755)
    path = f"{other.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    # What an earlier script, or a shell of somebody's, has set.
    left = {"BRIDGE_MAPPINGS": "mappings", "BRIDGE_SCHEMAS": "schemas", "BRIDGE_LISTEN": listen}
    left |= {"http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
    left |= {"BRIDGE_DIALOGPORTEN_URL": f"{others}/dialogporten"} if others else {}
    environ = {**_clean(os.environ), **left, "PATH": path, "TMPDIR": str(folder)}

    with (folder / "out.log").open("w+b") as out:
        process = subprocess.Popen(
            ["bash", *(("-euo", "pipefail") if strict else ()), "-c", script],
            cwd=folder,
            env=environ,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            code = process.wait(90)
            until(lambda: not alive(process.pid), what="the end of what the script started")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        out.seek(0)
        return code, out.read().decode()


def alive(group: int) -> bool:
    """Whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
