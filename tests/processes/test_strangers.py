"""What anybody can do to the port: nobody is believed, nothing stops, and others are answered."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.harness import Site, site


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("strangers")) as made:
        made.serve()
        yield made


def said(port: int, *lines: str) -> bytes:
    """Send a head of these lines, and give the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
        stranger.sendall("\r\n".join([*lines, "Host: x", "Connection: close", "", ""]).encode())
        answer = b""
        while piece := stranger.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /public", "Script-Name: /public", "PATH_INFO: /health/liveness"])
def test_nobody_says_under_which_path_the_bridge_lies(made: Site, header: str) -> None:
    """A neighbour on the same machine is a stranger, too."""
    answer = said(made.port, "GET /public/health/liveness HTTP/1.1", header)

    assert answer.startswith(b"HTTP/1.1 404 ")


def test_who_the_operator_names_says_it(tmp_path: Path) -> None:
    """Behind a reverse proxy that puts the bridge under a path of its own."""
    with site(tmp_path, BRIDGE_TRUSTED_PROXIES="127.0.0.1") as made:
        made.serve()

        answer = said(made.port, "GET /public/health/liveness HTTP/1.1", "SCRIPT_NAME: /public")

        assert answer.startswith(b"HTTP/1.1 200 ")


def test_keys_that_did_not_come_are_asked_for_again(tmp_path: Path) -> None:
    """Beside an issuer that blinks the service is ready as soon as it is back."""
    with site(tmp_path) as made:
        fault = {"system": "dialogporten", "match": {"path": "/jwks.json"}, "times": 2, "how": {"status": 503}}
        made.control("POST", "/faults", fault)

        made.serve()

        assert made.control("GET", "/faults") == []
