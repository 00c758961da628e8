"""Attachments into a real server on real sockets: what belongs to one request stays with it."""

import base64
import hashlib
import http.client
import io
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from bridge.bundled import mappings_folder
from tests.processes.harness import Case, Site, resident, site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(
        tmp_path_factory.mktemp("uploads"),
        BRIDGE_MAPPINGS=str(mappings(tmp_path_factory.mktemp("m"))),
        BRIDGE_ALTINN2_MAX_ATTACHMENT="600000000",
    ) as made:
        made.serve()
        yield made


def mappings(folder: Path) -> Path:
    """The shipped mapping, whose submit takes attachments."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    place = text.index("    then: {status: Completed")
    taken = "    attachments: {types: [Plan], from: [upload]}\n"
    (folder / "serveringsbevilling.yaml").write_text(text[:place] + taken + text[place:], "utf-8")
    return folder


def head(running: Site, case: Case, name: str, length: int) -> bytes:
    path = f"/actions/{case.dialog_id}/submit/attachments?fileName={name}&attachmentType=Plan"
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{running.port}",
        f"Authorization: Bearer {case.token}",
        "Content-Type: application/octet-stream",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class Sized(io.RawIOBase):
    """A body that is made while it is sent, and says first how long it is."""

    def __init__(self, pieces: Iterator[bytes], length: int) -> None:
        super().__init__()
        self._pieces, self._length = pieces, length

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        del size
        return next(self._pieces, b"")


class _Replayed(io.BytesIO):
    """Several answers behind each other, each read from where the last one ended."""

    def makefile(self, *_: object) -> "_Replayed":
        return self

    def close(self) -> None:
        """Stay open for the next answer."""


def answers(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Read *count* answers from one connection, the last of which says that it closes."""
    data = _Replayed(b"".join(iter(lambda: connection.recv(65_536), b"")))
    found = []
    for _ in range(count):
        answer = http.client.HTTPResponse(cast("socket.socket", data))
        answer.begin()
        found.append((answer.status, answer.read()))
    assert data.read() == b""
    return found


@pytest.mark.parametrize("size", [0, 1, 8_191, 100_000, 3_000_000])
def test_the_next_request_begins_where_a_body_ends(running: Site, size: int) -> None:
    """Three requests in one breath on one connection: each is answered, and each body is whole."""
    case = running.case()
    bodies = [bytes([number]) * size for number in (1, 2)]
    last = f"GET /health/liveness HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nConnection: close\r\n\r\n".encode()
    sent = b"".join(head(running, case, f"v{at}.pdf", size) + body for at, body in enumerate(bodies)) + last

    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        connection.sendall(sent)
        found = answers(connection, 3)

    # A file of nothing is refused, and leaves the connection as it was.
    assert [status for status, _ in found] == ([201, 201, 200] if size else [422, 422, 200])
    digests = [hashlib.sha256(body).hexdigest() for body in bodies if body]
    assert [each["sha256"] for each in running.effects(case, "altinn2.attachment")] == digests


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("coded", [False, True], ids=["as it is", "base64"])
def test_half_a_gigabyte_costs_no_memory(running: Site, coded: bool) -> None:
    """500 MB through the bridge: its processes grow by less than 64 MB, and the digest is that of what was sent."""
    running.world.change_switches(streamed_limit_mb=600, message_limit_mb=1000, attachment_cap_mb=600)
    case = running.case()
    piece, count = bytes(range(256)) * 3900, 500
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(piece)
    wrapped = base64.b64encode(piece)
    path = f"{running.url}/actions/{case.dialog_id}/submit/attachments"
    headers = {"Authorization": f"Bearer {case.token}"}

    def body() -> Iterator[bytes]:
        if coded:
            yield b'{"FileName": "stor.pdf", "AttachmentType": "Plan", "Data": "'
        yield from (wrapped if coded else piece for _ in range(count))
        if coded:
            yield b'"}'

    before = resident(running.processes[0].popen.pid, "VmRSS")
    if coded:
        headers["Content-Type"] = "application/hal+json"
    else:
        headers["Content-Type"] = "application/octet-stream"
        path += "?fileName=stor.pdf&attachmentType=Plan"
    length = sum(map(len, body()))
    answer = running.http.post(path, data=Sized(body(), length), headers=headers, timeout=300)
    grown = resident(running.processes[0].popen.pid, "VmHWM") - before

    assert (answer.status_code, answer.json().get("sha256")) == (201, digest.hexdigest())
    assert [each["sha256"] for each in running.effects(case, "altinn2.attachment")] == [digest.hexdigest()]
    assert grown < 64_000_000


def test_who_leaves_in_the_middle_attaches_nothing(running: Site) -> None:
    """Half of a body is no attachment, and the next upload is not held up by it."""
    case = running.case()
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        connection.sendall(head(running, case, "halv.pdf", 2_000_000) + bytes(1_000_000))
        connection.shutdown(socket.SHUT_WR)
        (told, _) = answers(connection, 1)[0]

    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        whole = head(running, case, "hel.pdf", 4).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        connection.sendall(whole + b"%PDF")
        found = answers(connection, 1)

    assert told == 400
    assert [status for status, _ in found] == [201]
    assert len(running.effects(case, "altinn2.attachment")) == 1
