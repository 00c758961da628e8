"""
Large attachments: memory of the bridge, digest, and throughput against ``curl`` straight into the sandbox.

``python -m benchmarks.attachments [--megabytes 500]`` runs sandbox and bridge as processes of their own. One file goes
straight into the sandbox and through the bridge, as it is and as base64, in turns; the best of some rounds counts, as
whatever else the machine does only ever slows one down. At last an action carries it along, read to disk and put back
in a base64 body. ``docs/performance.md`` tells what came out.
"""

import argparse
import base64
import hashlib
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from benchmarks.outside import ORGANISATION, Button, Outside
from benchmarks.processes import Process, free_address, machine, sandbox, service
from bridge.bundled import mappings_folder

MB = 1_000_000
PIECE = 3 * 262_144
OCTETS, HAL = "application/octet-stream", "application/hal+json"
QUERY = "fileName=stor.bin&attachmentType=Plan&language=1044"
ATTACHMENTS = "    attachments: {types: [Plan], from: [upload]}\n"
SMALL = b"warm" * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One transfer: seconds, and how much the bridge's memory grew at its highest."""

    seconds: float
    grown_mb: float


@dataclass(frozen=True, slots=True)
class Round:
    """What one turn of each way took, which button's element was sent to by the bridge, and what arrived."""

    sent: Mapping[str, Sent]
    streamed: Button
    digests: list[str]


@dataclass(slots=True)
class Memory:
    """The highest resident memory of a process and all below it, looked at every 20 ms."""

    process: Process
    highest: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look until told to stop."""
        while not self._stop.wait(0.02):
            self.highest = max(self.highest, _resident(self.process.pid))

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a JSON document; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description="500 MB through the bridge.")
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bridge-benchmark-") as name, sandbox() as world:
        folder = Path(name)
        report = _measure(folder, Outside(world.url), given.megabytes, given.rounds)
    print(json.dumps(report, indent=2))
    return 0 if all(report["goals"].values()) else 1


def _measure(folder: Path, outside: Outside, megabytes: int, rounds: int) -> dict[str, Any]:
    for switch in ("streamed_limit_mb", "message_limit_mb", "attachment_cap_mb"):
        requests.patch(f"{outside.url}/_sandbox/switches", json={switch: 2000}, timeout=60).raise_for_status()
    plain, wrapped, digest = _files(folder, megabytes)
    environ = {
        **outside.settings,
        "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite",
        "BRIDGE_LISTEN": free_address(),
        "BRIDGE_MAPPINGS": str(_mappings(folder)),
        "BRIDGE_ALTINN2_MAX_PUT": "2000000000",
        "BRIDGE_ALTINN2_MAX_ATTACHMENT": "2000000000",
        "BRIDGE_ALTINN2_PUT_TIMEOUT": "600",
        "BRIDGE_UPSTREAM_TIMEOUT": "600",
        "BRIDGE_ANSWER_WITHIN": "10",
    }
    with service(environ, workers=0) as (bridge, *_):
        (warm,) = outside.buttons(1, bridge_url=bridge.url)
        for _ in range(3):
            _press(bridge, warm, "submit/attachments?" + QUERY, OCTETS, folder / "small")
        turns = [_round(bridge, outside, plain, wrapped) for _ in range(rounds)]
        sent = {name: _best([each.sent[name] for each in turns]) for name in turns[0].sent}
        last = turns[-1].streamed
        sent["carried by a press, base64 PUT"] = _timed(bridge, lambda: _carry(bridge, outside, last))
        arrived = [found for each in turns for found in each.digests] + [_digest(outside, last)]
    return {
        "machine": machine(),
        "megabytes": megabytes,
        "sent": {
            name: {"MB/s": round(megabytes / each.seconds, 1), "bridge grew MB": round(each.grown_mb, 1)}
            for name, each in sent.items()
        },
        "ratio": {
            "as it is": round(sent["curl straight"].seconds / sent["through /attachments"].seconds, 2),
            "base64": round(sent["curl straight, base64"].seconds / sent["through /attachments, base64"].seconds, 2),
        },
        "goals": {
            "memory": all(each.grown_mb < 64 for each in sent.values()),
            "digests": set(arrived) == {digest},
            "throughput": 2 * sent["curl straight"].seconds >= sent["through /attachments"].seconds,
            "throughput, base64": 2 * sent["curl straight, base64"].seconds
            >= sent["through /attachments, base64"].seconds,
        },
    }


def _round(bridge: Process, outside: Outside, plain: Path, wrapped: Path) -> Round:
    """Send the file each way once, each to an element of its own."""
    straight, streamed, own, coded = outside.buttons(4, bridge_url=bridge.url)
    sent = {
        "curl straight": _timed(bridge, lambda: _direct(outside, straight, OCTETS, plain)),
        "through /attachments": _timed(
            bridge, lambda: _press(bridge, streamed, f"submit/attachments?{QUERY}", OCTETS, plain)
        ),
        "curl straight, base64": _timed(bridge, lambda: _direct(outside, own, HAL, wrapped)),
        "through /attachments, base64": _timed(
            bridge, lambda: _press(bridge, coded, "submit/attachments", HAL, wrapped)
        ),
    }
    return Round(sent, streamed, [_digest(outside, each) for each in (straight, streamed, own, coded)])


def _best(turns: Sequence[Sent]) -> Sent:
    return Sent(seconds=min(each.seconds for each in turns), grown_mb=max(each.grown_mb for each in turns))


def _files(folder: Path, megabytes: int) -> tuple[Path, Path, str]:
    """Write the file as it is and as base64 in JSON, and give its digest."""
    plain, wrapped, whole = folder / "plain", folder / "wrapped", hashlib.sha256()
    (folder / "small").write_bytes(SMALL)
    with plain.open("wb") as out, wrapped.open("wb") as coded:
        coded.write(b'{"FileName": "stor.bin", "AttachmentType": "Plan", "Data": "')
        left = megabytes * MB
        while left:
            piece = os.urandom(min(PIECE, left))
            left -= len(piece)
            out.write(piece)
            coded.write(base64.b64encode(piece))
            whole.update(piece)
        coded.write(b'"}')
    return plain, wrapped, whole.hexdigest()


def _mappings(folder: Path) -> Path:
    """The shipped mapping, whose submit takes attachments."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    place = text.index("    then: {status: Completed")
    (folder / "mappings").mkdir()
    (folder / "mappings" / "one.yaml").write_text(text[:place] + ATTACHMENTS + text[place:])
    return folder / "mappings"


def _direct(outside: Outside, button: Button, media_type: str, file: Path) -> None:
    below = f"streamedattachment?{QUERY}" if media_type == OCTETS else "?language=1044"
    url = f"{outside.settings['BRIDGE_ALTINN2_URL']}/{ORGANISATION}/messages/{button.message_id}/attachments"
    headers = {
        "ApiKey": outside.settings["BRIDGE_ALTINN2_API_KEY"],
        "Authorization": outside._altinn2_token,  # noqa: SLF001 - the one thing of it that no method gives
        "Content-Type": media_type,
    }
    _curl(f"{url}/{below}" if media_type == OCTETS else url + below, headers, file)


def _press(bridge: Process, button: Button, path: str, media_type: str, file: Path | None) -> None:
    headers = {"Authorization": f"Bearer {button.token}", "Content-Type": media_type}
    _curl(f"{bridge.url}/actions/{button.dialog_id}/{path}", headers, file)


def _carry(bridge: Process, outside: Outside, button: Button) -> None:
    """Press, and wait until the element is archived: longer than a press waits."""
    _press(bridge, button, "submit", "text/plain", None)
    ends = time.perf_counter() + 600
    while not _element(outside, button)["archived_id"]:
        if time.perf_counter() > ends:
            raise SystemExit("the element was not archived")
        time.sleep(0.1)


def _curl(url: str, headers: Mapping[str, str], file: Path | None) -> None:
    """Send with curl, which reads the file while it sends."""
    with tempfile.NamedTemporaryFile("w") as config:
        # In a file, so that no token is in the list of processes.
        config.writelines(f'header = "{name}: {value}"\n' for name, value in headers.items())
        config.flush()
        body = ["-T", str(file), "-H", "Expect:"] if file is not None else []
        done = subprocess.run(
            ["curl", "-sS", "-X", "POST", "-K", config.name, *body, "-o", "-", "-w", "\n%{http_code}", url],
            capture_output=True,
            check=True,
            text=True,
        )
    status = done.stdout.rpartition("\n")[2]
    if not status.startswith("2"):
        raise SystemExit(f"{status}: {done.stdout[:500]}")


def _timed(bridge: Process, send: Callable[[], None]) -> Sent:
    before = _resident(bridge.pid)
    with _watching(bridge) as memory:
        began = time.perf_counter()
        send()
        seconds = time.perf_counter() - began
    return Sent(seconds=seconds, grown_mb=max(0, memory.highest - before) / MB)


@contextmanager
def _watching(bridge: Process) -> Iterator[Memory]:
    memory = Memory(bridge)
    thread = threading.Thread(target=memory.watch)
    thread.start()
    try:
        yield memory
    finally:
        memory.stop()
        thread.join()


def _resident(pid: int) -> int:
    """Give the bytes of a process and all below it that lie in memory."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = [
            int(child) for each in Path(f"/proc/{pid}/task").glob("*/children") for child in each.read_text().split()
        ]
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(_resident, children))


def _digest(outside: Outside, button: Button) -> str:
    """Say what the sandbox holds under the name of the large file."""
    element = _element(outside, button)
    return next((str(each["sha256"]) for each in element["attachments"] if each["file_name"] == "stor.bin"), "")


def _element(outside: Outside, button: Button) -> Any:
    response = requests.get(f"{outside.url}/_sandbox/altinn2/elements/{button.message_id}", timeout=60)
    response.raise_for_status()
    return response.json()


if __name__ == "__main__":
    raise SystemExit(main())
