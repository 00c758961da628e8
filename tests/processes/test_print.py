"""A print on its way through a real process: as it comes, in flat memory, and broken where it is broken."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.processes.harness import Case, Process, Site, resident, site

pytestmark = pytest.mark.slow
MB = 1_000_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("print")) as made:
        made.serve()
        yield made


@pytest.fixture(autouse=True)
def large(running: Site) -> Iterator[None]:
    running.world.change_switches(print_mb=20)
    yield
    running.world.change_switches(print_mb=0, print_length="told")


def get(running: Site, case: Case) -> requests.Response:
    return running.http.get(
        f"{running.url}/actions/{case.dialog_id}/submit/print",
        headers={"Authorization": f"Bearer {case.token}"},
        stream=True,
        timeout=60,
    )


def bridge(running: Site) -> Process:
    return running.processes[0]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("told", ["told", "chunked"])
def test_a_large_print_costs_no_memory(running: Site, told: str) -> None:
    """200 MB, with or without a length, and the processes of the bridge grow by less than 64 MB."""
    case = running.case()
    with get(running, case) as first:
        assert sum(map(len, first.iter_content(262_144))) > 20 * MB
    running.world.change_switches(print_mb=200, print_length=told)
    before = resident(bridge(running).popen.pid, "VmRSS")

    with get(running, case) as answer:
        pieces = answer.iter_content(262_144)
        start = next(pieces)
        end, size = start, len(start)
        for piece in pieces:
            size += len(piece)
            end = (end + piece)[-1024:]
    grown = resident(bridge(running).popen.pid, "VmHWM") - before

    assert start.startswith(b"%PDF")
    assert end.rstrip().endswith(b"%%EOF")
    assert size > 200 * MB
    assert answer.headers.get("Content-Length") == (str(size) if told == "told" else None)
    assert grown < 64 * MB


def test_a_print_that_breaks_off_is_seen_to(running: Site) -> None:
    """Altinn 2 cuts in the middle: the beginning is here already, and the rest is an error and no end."""
    case = running.case()
    running.control(
        "POST", "/faults", {"system": "altinn2", "match": {"path": "print"}, "how": {"cut": "within"}, "times": 1}
    )

    with get(running, case) as answer:
        pieces = answer.iter_content(262_144)
        first = next(pieces)
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
            list(pieces)

    assert answer.status_code == 200
    assert first.startswith(b"%PDF")
    assert "Traceback" not in running.logs()


def test_who_cannot_be_told_of_a_cut_gets_all_or_nothing(running: Site) -> None:
    """HTTP/1.0 without a length ends like a cut: there the print comes whole, with its length."""
    case = running.case()
    running.world.change_switches(print_length="chunked")

    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        path = f"/actions/{case.dialog_id}/submit/print"
        connection.sendall(f"GET {path} HTTP/1.0\r\nAuthorization: Bearer {case.token}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(262_144), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".lower().encode() in head.lower()
    assert body.rstrip().endswith(b"%%EOF")


def test_a_client_that_leaves_holds_nothing(running: Site) -> None:
    """The connection to Altinn 2 is let go, and the next print comes as ever."""
    case = running.case()
    for _ in range(3):
        with get(running, case) as answer:
            next(answer.iter_content(1024))

    with get(running, case) as whole:
        size = sum(map(len, whole.iter_content(262_144)))

    assert size > 20 * MB
