"""Bodies on real sockets that are cut short, in bad chunks or packed: refused everywhere, and nothing is sent."""

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.processes.harness import RESOURCE, VALID, Case, Site, site

pytestmark = pytest.mark.slow

MAPPING = f"""\
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
attachment_rules:
  - {{type: Plan, file_types: "*.*", min_count: 0, max_count: 9, max_size_mb: 9}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  send:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    complete: true
    sign: true
    attachments: {{types: [Plan], from: [upload]}}
"""
APP = "ttd/sandkasse-regnestykke"


class Entrance(NamedTuple):
    """Where a body goes in."""

    path: str
    kind: str
    body: bytes


UPLOAD = "/actions/{dialog}/send/attachments"
FILE = {"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": "JVBERi0xLjc="}
SUM = b'{"linje": [{"tekst": "a", "antall": 2, "pris": 1}]}'
ENTRANCES = {
    "action": Entrance("/actions/{dialog}/send", "application/xml", VALID.encode()),
    "attachment": Entrance(UPLOAD + "?fileName=ny.pdf&attachmentType=Plan", "application/octet-stream", b"%PDF-1.7"),
    "base64": Entrance(UPLOAD, "application/hal+json", json.dumps(FILE).encode()),
    "proxy": Entrance(f"/{APP}/v1/data/anonymous?dataType=regnestykke", "application/json", SUM),
    "proxy, streamed": Entrance(
        f"/{APP}/v1/data/anonymous?dataType=regnestykke", "application/json", SUM + b" " * 600_000
    ),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cut")
    for name, text in (
        ("mappings/a.yaml", MAPPING),
        ("routes/a.yaml", f"app: {APP}\ntoken: caller\nanonymous: true\n"),
    ):
        path = folder / name
        path.parent.mkdir()
        path.write_text(text, "utf-8")
    with site(folder, BRIDGE_MAPPINGS=str(folder / "mappings"), BRIDGE_ROUTES=str(folder / "routes")) as made:
        made.serve()
        yield made


def ask(running: Site, case: Case, entrance: Entrance, headers: list[str], body: bytes) -> tuple[int, str]:
    """Send *body* as it is, and nothing after it; the status, and a problem's code."""
    lines = [
        f"POST {entrance.path.format(dialog=case.dialog_id)} HTTP/1.1",
        f"Host: 127.0.0.1:{running.port}",
        f"Authorization: Bearer {case.token}",
        f"Content-Type: {entrance.kind}",
        *headers,
    ]
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
        answer = b""
        # A refusal may come, and the connection be closed, before all is sent.
        with contextlib.suppress(OSError):
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                answer += piece
        head, _, rest = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return status, str(json.loads(rest)["type"]).rpartition(":")[2] if status >= 400 else ""


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


CHUNKS = "Transfer-Encoding: chunked"
CUT = {
    "a byte short": lambda body: ([f"Content-Length: {len(body) + 1}"], body),
    "half": lambda body: ([f"Content-Length: {len(body)}"], body[: len(body) // 2]),
    "nothing": lambda body: ([f"Content-Length: {len(body)}"], b""),
    "no last chunk": lambda body: ([CHUNKS], chunked(body)),
    "in the middle of a chunk": lambda body: ([CHUNKS], chunked(body)[:-10]),
    "in the middle of the last": lambda body: ([CHUNKS], chunked(body) + b"0\r\n"),
    "a size that is none": lambda body: ([CHUNKS], b"zz\r\n" + body + b"\r\n0\r\n\r\n"),
    "a bad second size": lambda body: ([CHUNKS], chunked(body) + b"-1\r\n\r\n"),
    "longer than its size": lambda body: ([CHUNKS], b"4\r\n" + body + b"\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize("cut", CUT)
def test_what_does_not_arrive_whole_is_not_taken(running: Site, entrance: Entrance, cut: str) -> None:
    """400; nothing is written down, attached, or answered by an app."""
    case = running.case()
    headers, body = CUT[cut](entrance.body)

    status, code = ask(running, case, entrance, headers, body)

    assert (status, code) in [(400, "body_incomplete"), (400, "attachment_interrupted")]
    assert running.rows(case) == []
    assert running.effects(case, "altinn2") == []


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
def test_what_is_packed_is_not_taken(running: Site, entrance: Entrance) -> None:
    """415, before any of it is looked at."""
    case = running.case()
    headers = ["Content-Encoding: gzip", f"Content-Length: {len(entrance.body)}"]

    assert ask(running, case, entrance, headers, entrance.body) == (415, "body_coding")
    assert running.effects(case, "altinn2") == []


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize("in_chunks", [False, True])
def test_what_arrives_whole_is_taken(running: Site, entrance: Entrance, in_chunks: bool) -> None:
    """By its length, or up to its last chunk."""
    case = running.case()
    body = chunked(entrance.body) + b"0\r\n\r\n" if in_chunks else entrance.body
    headers = [CHUNKS if in_chunks else f"Content-Length: {len(body)}", "Connection: close"]

    assert ask(running, case, entrance, headers, body)[0] in (200, 201, 204)
