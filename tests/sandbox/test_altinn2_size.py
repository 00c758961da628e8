"""Altinn 2 in a process of its own: half a gigabyte costs it no memory, whichever way it comes."""

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests

pytestmark = pytest.mark.slow
PIECE, COUNT = bytes(range(256)) * 3900, 501
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def peak_megabytes(process: int) -> int:
    """The most memory that a process has held so far."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def headers(settings: dict[str, str]) -> dict[str, str]:
    """A key and a token, got as a bridge gets them."""
    key = json.loads(settings["BRIDGE_MASKINPORTEN_KEY"])
    now = int(time.time())
    claims = {
        "aud": f"{settings['BRIDGE_MASKINPORTEN_URL']}/",
        "iss": settings["BRIDGE_MASKINPORTEN_CLIENT_ID"],
        "scope": "altinn:enduser",
        "iat": now,
        "exp": now + 100,
    }
    assertion = jwt.encode(claims, jwt.PyJWK(key, "RS256").key, "RS256", headers={"kid": key["kid"]})
    given = {"grant_type": GRANT, "assertion": assertion}
    token = requests.post(f"{settings['BRIDGE_MASKINPORTEN_URL']}/token", data=given, timeout=10).json()
    return {"ApiKey": settings["BRIDGE_ALTINN2_API_KEY"], "Authorization": f"Bearer {token['access_token']}"}


def raw() -> Iterator[bytes]:
    yield from (PIECE for _ in range(COUNT))


def in_base64() -> Iterator[bytes]:
    yield b'{"FileName":"a.pdf","AttachmentType":"Plan","Data":"'
    encoded = base64.b64encode(PIECE)
    yield from (encoded for _ in range(COUNT))
    yield b'"}'


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_half_a_gigabyte_costs_no_memory() -> None:
    """Streamed and in base64, in and out: the process grows by less than 64 MB, and the digests are right."""
    command = [sys.executable, "-m", "bridge.sandbox", "--switch", "message_limit_mb=700"]
    digest = hashlib.sha256()
    for piece in raw():
        digest.update(piece)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, requests.Session() as session:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["base_url"]
        session.trust_env = False
        session.headers.update(headers(session.get(f"{url}/_sandbox/settings", timeout=10).json()))
        service = {"code": "1", "attachment_rules": [{"name": "Plan", "max_size": 501}]}
        form = {"data_format_id": "1", "data_format_version": "1", "xml": "<a/>"}
        seed = {"service": service, "forms": [form]}
        session.patch(f"{url}/_sandbox/switches", json={"attachment_cap_mb": 501}, timeout=10)
        element = session.post(f"{url}/_sandbox/altinn2/elements", json=seed, timeout=10).json()["message_id"]
        address = f"{url}/altinn2/api/my/messages/{element}/attachments"
        before = peak_megabytes(process.pid)

        statuses = [
            session.post(
                f"{address}/streamedattachment?fileName=a.pdf&attachmentType=Plan",
                data=raw(),
                headers={"Content-Type": "application/octet-stream"},
                timeout=60,
            ).status_code,
            session.post(
                address, data=in_base64(), headers={"Content-Type": "application/hal+json"}, timeout=60
            ).status_code,
        ]
        for each in session.get(address, timeout=10).json()["_embedded"]["attachments"]:
            with session.get(each["AttachmentLink"], stream=True, timeout=60) as answer:
                assert sum(map(len, answer.iter_content(262_144))) == len(PIECE) * COUNT
        effects = session.get(f"{url}/_sandbox/ledger?kind=altinn2.attachment", timeout=10).json()
        after = peak_megabytes(process.pid)
        process.terminate()

    assert statuses == [201, 201]
    assert [each["sha256"] for each in effects] == [digest.hexdigest()] * 2
    assert after - before < 64
