"""``deploy/nginx.conf`` as it ships, but for names, paths and addresses, before a real bridge."""

import datetime as dt
import ipaddress
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.processes.harness import Case, Site, free_port, site, until

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None and "CI" not in os.environ, reason="there is no nginx; .ci/run installs it"),
]

MAIN = """\
user root;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/bridge.conf;
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The bridge behind nginx."""

    site: Site
    port: int
    certificate: Path

    def press(self, case: Case) -> requests.Response:
        return requests.post(
            f"https://127.0.0.1:{self.port}/actions/{case.dialog_id}/submit",
            headers={"Authorization": f"Bearer {case.token}"},
            verify=str(self.certificate),
            timeout=20,
        )

    def get(self, path: str) -> int:
        url = f"https://127.0.0.1:{self.port}{path}"
        return requests.get(url, verify=str(self.certificate), timeout=20).status_code

    def open(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.certificate))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    with site(folder) as made:
        made.serve()
        port = free_port()
        certify(folder)
        shutil.copy(ROOT / "deploy" / "bridge_proxy.conf", folder)
        shipped = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
        for written, here in {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/bridge.pem": f"{folder}/bridge.pem",
            "/etc/ssl/private/bridge.key": f"{folder}/bridge.key",
            "server 127.0.0.1:8080": f"server 127.0.0.1:{made.port}",
        }.items():
            assert written in shipped
            shipped = shipped.replace(written, here)
        (folder / "bridge.conf").write_text(shipped, "utf-8")
        (folder / "main.conf").write_text(MAIN.format(folder=folder), "utf-8")
        assert NGINX is not None
        process = subprocess.Popen([NGINX, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/main.conf"])
        try:
            until(lambda: answers(port), what="nginx")
            yield Front(site=made, port=port, certificate=folder / "bridge.pem")
        finally:
            process.terminate()
            process.wait(20)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def certify(folder: Path) -> None:
    """Write a certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "bridge.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "bridge.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_a_press_goes_through(front: Front) -> None:
    """And is done once."""
    case = front.site.case()

    assert front.press(case).status_code == 204
    assert len(front.site.effects(case, "altinn2.archived")) == 1


def test_a_long_address_and_a_long_token_go_through(front: Front) -> None:
    """As far as the bridge itself takes them."""
    url = f"https://127.0.0.1:{front.port}/ttd/x/v1/data?prefill={'a' * 32_000}"
    answer = requests.get(
        url, headers={"Authorization": f"Bearer {'a' * 16_000}"}, verify=str(front.certificate), timeout=20
    )

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "not_found")


REFUSED = {
    "an address of 40 KB": ("GET", f"/{'a' * 40_000}", {}, 414),
    "a header of 40 KB": ("GET", "/docs", {"X": "a" * 40_000}, 431),
    "health": ("GET", "/health/deep", {}, 404),
    "a body of 21 MB": ("POST", "/x", {"Content-Length": "22020096"}, 413),
}


@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_a_problem_document(
    front: Front, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Which a page that may ask can read."""
    asked = {"Origin": "https://af.altinn.no", **headers}
    with front.open() as client:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in asked.items())]
        client.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        answer = b""
        while piece := client.recv(65_536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")

    assert head.split()[1] == str(status).encode()
    assert b"Content-Type: application/problem+json" in head
    # Of an address that is too long nginx reads no further.
    assert (b"Access-Control-Allow-Origin: https://af.altinn.no" in head) == (status != 414)
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize("path", ["/health/readiness", "/metrics"])
def test_health_is_not_public(front: Front, path: str) -> None:
    """Probes go to an address of their own."""
    assert front.get(path) == 404


@pytest.mark.parametrize(
    ("number", "stall"),
    [
        pytest.param(200, b"POST /actions/x HTTP/1.1\r\nHost: x\r\nX-", id="heads"),
        pytest.param(40, b"POST /actions/x HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nabc", id="bodies"),
    ],
)
def test_clients_that_stall_reach_the_bridge_no_more(front: Front, number: int, stall: bytes) -> None:
    """They wait at nginx, and a press goes by."""
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(front.open()).sendall(stall)

        assert front.press(front.site.case()).status_code == 204


def test_one_address_holds_so_much_and_no_more(front: Front) -> None:
    """Beyond fifty requests under way it is told 429."""
    body = b"POST /actions/x HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nabc"
    with ExitStack() as stack:
        many = [stack.enter_context(front.open()) for _ in range(60)]
        for each in many:
            each.sendall(body)

        assert front.press(front.site.case()).status_code == 429


def test_an_attachment_is_refused_before_it_has_come(front: Front) -> None:
    """Without a token 500 MB stay where they are."""
    head = (
        "POST /actions/0196f000-0000-7000-8000-000000000002/submit/attachments?fileName=a.pdf&attachmentType=Plan "
        "HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 500000000\r\n\r\n"
    )
    with front.open() as client:
        client.sendall(head.encode() + b"a" * 1000)

        assert client.recv(1000).startswith(b"HTTP/1.1 401 ")
