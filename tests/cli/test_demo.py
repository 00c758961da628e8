"""``altinn-bridge demo`` plays the main job with real processes, and fails when anything comes out otherwise."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.bundled import schemas_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A demo that ended: *folder* is where it was started, *temporary* where its temporary files go."""

    code: int
    stdout: str
    stderr: str
    folder: Path
    temporary: Path

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def start(place: Path, *arguments: str) -> "subprocess.Popen[str]":
    folder, temporary = place / "empty", place / "tmp"
    folder.mkdir()
    temporary.mkdir()
    # A user's own setting, which would stop the bridge if it reached it.
    environ = {**os.environ, "TMPDIR": str(temporary), "BRIDGE_NOT_A_SETTING": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", "demo", *arguments],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(place: Path, *arguments: str) -> Ran:
    with start(place, *arguments) as process:
        stdout, stderr = process.communicate(timeout=60)
    return Ran(code=process.returncode, stdout=stdout, stderr=stderr, folder=place / "empty", temporary=place / "tmp")


def schemas(folder: Path, old: str, new: str) -> Path:
    """Our schemas with one change."""
    shutil.copytree(schemas_folder(), folder)
    file = folder / "serveringsbevilling.xsd"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    return folder


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One demo for machines."""
    return run(tmp_path_factory.mktemp("demo"), "--json")


def test_a_good_demo_ends_with_zero(played: Ran):
    """Every check passed, one JSON document came, and nothing else was said."""
    assert (played.code, played.stderr) == (0, "")
    assert played.facts["ok"] is True
    assert [name for name, passed in played.facts["checks"].items() if not passed] == []
    assert len(played.facts["checks"]) > 15


def test_nothing_is_left_behind(played: Ran):
    """Neither in the folder where it was started nor among temporary files."""
    assert list(played.folder.iterdir()) == []
    assert list(played.temporary.iterdir()) == []


def test_the_timeline_follows_the_press(played: Ran):
    """From reading the dialog to the answer, each call by who, whom and what."""
    timeline = played.facts["timeline"]

    told = [(each["from"], each["to"], each["what"], each["status"]) for each in timeline]
    assert told[:4] == [
        ("Arbeidsflate", "Dialogporten", "GET the dialog, with a token", 200),
        ("Arbeidsflate", "Dialogporten", "POST subscribe to its events", 200),
        ("Arbeidsflate", "bridge", "OPTIONS preflight", 204),
        ("Arbeidsflate", "bridge", "POST …/submit, dialog token", None),
    ]
    wanted = [
        ("bridge", "Altinn 2", "PUT complete=true sign=true", 204),
        ("bridge", "Dialogporten", "PATCH the dialog", 204),
        ("Dialogporten", "Arbeidsflate", "event DIALOG_UPDATED", None),
    ]
    assert [each for each in told if each in wanted] == wanted
    assert ("bridge", "Arbeidsflate", "answer", 204) in told
    seconds = [each["seconds"] for each in timeline]
    assert seconds == sorted(seconds)
    assert [each["seconds"] for each in timeline if each["what"].startswith("POST …/submit")] == [0]


def test_every_call_has_its_words(played: Ran):
    """No path and no template stands where a word should."""
    strange = [each["what"] for each in played.facts["timeline"] if re.search(r"[{}]|/api/|/_", each["what"])]

    assert strange == []


def test_the_form_is_archived_and_whole(played: Ran):
    """The element moved to its archived copy with everything in it."""
    before, after = (played.facts["changes"][when]["altinn2"] for when in ("before", "after"))

    assert (before["status"], after["status"]) == ("Utfylling", "Sendt og arkivert")
    assert (before["id"][0], after["id"][0]) == ("a", "b")
    assert after["archive_reference"] == f"AR{after['id'][1:]}"
    assert before["forms"] == after["forms"]
    assert list(after["forms"]) == ["MainForm 5801/42001"]
    assert before["attachments"] == after["attachments"]
    assert list(after["attachments"]) == ["plan.pdf"]


def test_the_dialog_shows_what_happened(played: Ran):
    """Status, buttons and history changed, and the other button stayed."""
    before, after = (played.facts["changes"][when]["dialog"] for when in ("before", "after"))

    assert (before["status"], after["status"]) == ("RequiresAttention", "Completed")
    assert (before["buttons"], after["buttons"]) == (["Send inn", "Les veiledningen"], ["Les veiledningen"])
    assert (before["activities"], after["activities"]) == ({}, {"FormSubmitted": 1})
    assert played.facts["milliseconds"]["busy"] > 0


def test_a_form_with_faults_is_told_and_not_sent(played: Ran):
    """Each fault has line, path and sentence; Altinn 2 was read and not written; the dialog says why."""
    refused = played.facts["refusals"]["faulty_form"]

    findings = refused["problem"]["findings"]
    assert refused["status"] == 422
    assert [each["line"] for each in findings] == [7, 30, 31, 44]
    assert all(each["path"].startswith("/melding/") and each["message"].endswith(".") for each in findings)
    assert refused["effects"] == {"dialogporten.patch": 1}
    assert {each["what"].split()[0] for each in refused["timeline"] if each["to"] == "Altinn 2"} == {"GET"}
    assert refused["changes"]["after"]["altinn2"] == refused["changes"]["before"]["altinn2"]
    assert refused["changes"]["after"]["dialog"]["activities"] == {"Information": 1}


def test_a_token_for_another_dialog_opens_nothing(played: Ran):
    """It is refused with its title, and nobody else was called."""
    refused = played.facts["refusals"]["other_dialog"]

    assert (refused["status"], refused["calls"]) == (403, 0)
    assert refused["problem"]["title"] == "Tokenet gjelder en annen dialog"


def test_no_token_or_identity_number_is_shown(played: Ran):
    """What the demo prints can be shown to anybody."""
    assert "eyJ" not in played.stdout
    assert re.findall(r"(?<![0-9a-f])\d{11}(?![0-9a-f])", played.stdout) == []


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One demo for people, with a schema that does not take the form."""
    place = tmp_path_factory.mktemp("spoiled")
    changed = schemas(place / "schemas", '<xsd:enumeration value="servering"/>', '<xsd:enumeration value="x"/>')
    return run(place, "--schemas", str(changed), "--language", "en")


def test_a_form_that_is_no_xml_is_told_by_its_place(tmp_path: Path):
    """Before anything is started; a namespace with an å is no fault of it."""
    (tmp_path / "form.xml").write_text('<a xmlns="urn:å">\n<b></a>', "utf-8")

    ran = run(tmp_path, "--form", str(tmp_path / "form.xml"))

    assert ran.code == 1
    assert "form.xml:2:8: The form is not well-formed XML." in ran.stderr


def test_a_schema_that_refuses_the_form_fails_the_demo(spoiled: Ran):
    """The service's own check is at work: exit code 1, what failed by name, and the reason in plain words."""
    failed = re.findall(r"^  ✗ (.+)$", spoiled.stdout, re.MULTILINE)

    assert (spoiled.code, spoiled.stderr) == (1, "")
    assert "the press is answered 204" in failed
    assert "the element is archived, with a new id and an archive reference" in failed
    assert "nothing of that form is sent" not in failed
    assert re.search(r"line 30 +\S.*\n +/melding/drift/bevillingstype$", spoiled.stdout, re.MULTILINE)


def test_the_log_stays_when_the_demo_fails(spoiled: Ran):
    """And nothing else does."""
    told = re.findall(r"^The bridge's log: (.+)$", spoiled.stdout, re.MULTILINE)

    assert [str(file) for file in spoiled.temporary.rglob("*") if file.is_file()] == told


def test_a_pipe_gets_plain_whole_lines(spoiled: Ran):
    """No colours, no wrapping, no blanks at the end where there is no terminal."""
    call = r"^ +\d\.\d{3}  bridge → Altinn 2 +GET its forms +200 +\S+ ms$"

    assert "\x1b" not in spoiled.stdout
    assert all(line == line.rstrip() for line in spoiled.stdout.splitlines())
    assert re.search(call, spoiled.stdout, re.MULTILINE)


def test_a_bridge_that_does_not_start_is_a_sentence(tmp_path: Path):
    """The fault of the configuration is quoted, without a traceback, for people and for machines."""
    broken = schemas(tmp_path / "schemas", "<xsd:schema", "<schema")

    ran = run(tmp_path, "--json", "--schemas", str(broken))

    assert (ran.code, ran.stderr) == (1, "")
    assert ran.facts["ok"] is False
    assert "serveringsbevilling.xsd" in ran.facts["error"]
    assert Path(ran.facts["log"]).exists()


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path):
    """Nothing is started, and the sentence names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ran = run(tmp_path, "--port", str(port))

    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"Port {port} cannot be used:")
    assert ran.stderr.count("\n") == 1


@pytest.fixture
def kept(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A demo that stays until it is interrupted."""
    with start(tmp_path, "--keep", "--json") as process:
        yield process
        process.kill()


def test_a_kept_demo_can_be_pressed_by_hand(kept: "subprocess.Popen[str]", tmp_path: Path):
    """The curl line works on what was left running, and Ctrl-C takes all of it away."""
    assert kept.stdout is not None
    lines = list[str]()
    while not lines or lines[-1] not in ("}\n", ""):
        lines.append(kept.stdout.readline())
    *_, header, url = shlex.split(json.loads("".join(lines))["curl"])

    answer = requests.post(url, headers=dict([header.split(": ")]), timeout=15)
    kept.send_signal(signal.SIGINT)

    assert answer.status_code == 204
    assert kept.wait(timeout=15) == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    with pytest.raises(requests.ConnectionError):
        requests.post(url, timeout=5)
