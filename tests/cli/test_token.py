"""``altinn-bridge token verify``: what people see who ask why a token was refused."""

import base64
import itertools
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.cli.token import token as command

ISSUER = "https://dialogporten.test/api/v1"
DIALOG = "0198e0a2-8c1e-7a2b-9d51-3c2f6c1b7a90"
NOW = 1_793_620_800
KEY, FOREIGN = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


def synthetic_person() -> str:
    """Make a number that no person has (its month is 81), with the check digits of a real one."""
    for serial in range(1000):
        digits = [int(digit) for digit in f"018190{serial:03}"]
        for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
            check = -sum(map(int.__mul__, weights, digits)) % 11
            digits.append(check)
        if max(digits) < 10:
            return "".join(map(str, digits))
    raise AssertionError


PERSON = synthetic_person()
ORGANISATION = "310000000"

CLAIMS: dict[str, Any] = {
    "jti": "5d3b8c1e-38d5-4a0b-8f0f-2f8b5e0a9c11",
    "c": f"urn:altinn:person:identifier-no:{PERSON}",
    "l": 3,
    "p": f"urn:altinn:organization:identifier-no:{ORGANISATION}",
    "s": "urn:altinn:resource:ttd-afp",
    "i": DIALOG,
    "a": "read;write;delete,urn:altinn:task:Task_1",
    "iss": ISSUER,
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 600,
    "e": [f"for-{PERSON}"],
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key: Ed25519PrivateKey = KEY, **changes: Any) -> str:
    header = {"alg": "EdDSA", "typ": "JWT", "kid": "k1"}
    # JSON has no infinity, and yet a number may be as large as that.
    texts = (json.dumps(part).replace("Infinity", "1e400") for part in (header, {**CLAIMS, **changes}))
    message = ".".join(b64(text.encode()) for text in texts)
    return f"{message}.{b64(key.sign(message.encode()))}"


JWKS = json.dumps(
    {
        "keys": [
            {
                "kty": "OKP",
                "use": "sig",
                "kid": "k1",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "x": b64(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
            }
        ]
    }
).encode()


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "jwks.json"
    path.write_bytes(JWKS)
    return str(path)


def verify(keys: str, *options: str, text: str | bytes = "", now: int = NOW) -> Result:
    return CliRunner().invoke(
        command, ["verify", "--jwks", keys, "--issuer", ISSUER, "--now", str(now), *options], input=text or signed()
    )


def test_an_accepted_token_shows_its_claims(keys: str) -> None:
    """Exit code 0; organisations show, persons do not, wherever their number stands."""
    result = verify(keys, "--dialog", DIALOG, "--requires", "write", "--minimum-level", "3")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "accepted"
    assert f'"i": "{DIALOG}"' in result.stdout
    assert ORGANISATION in result.stdout
    assert PERSON not in result.stdout
    assert '"c": "urn:altinn:person:identifier-no:***********"' in result.stdout


def test_what_e_must_hold_can_be_asked(keys: str) -> None:
    """What a narrowed button needs beside a."""
    held = verify(keys, "--entity", "send", text=signed(e=["send"]))
    lacking = verify(keys, "--entity", "send", "--requires", "write")

    assert (held.exit_code, lacking.exit_code) == (0, 1)
    assert "needed in e: send" in lacking.stdout


def test_machines_get_the_same_in_json(keys: str) -> None:
    """--json tells acceptance, reasons and claims, masked alike."""
    result = verify(keys, "--json")

    content = json.loads(result.stdout)
    assert (result.exit_code, content["accepted"], content["reasons"]) == (0, True, [])
    assert (content["claims"]["l"], content["claims"]["i"]) == (3, DIALOG)
    assert PERSON not in result.stdout


@pytest.mark.parametrize(
    "value",
    [int(PERSON.replace("0", "1", 1)), float("1e400"), 10**400, {"a": {"b": []}}, [[PERSON]], None, True, "\x1b[31m"],
    ids=["number", "endless", "long", "nested", "nested list", "null", "true", "escape"],
)
def test_odd_claims_can_be_shown(keys: str, value: Any) -> None:
    """A claim that nobody knows neither breaks the output nor steers the terminal."""
    text = signed(odd=value)

    plain, machine = verify(keys, text=text), verify(keys, "--json", text=text)

    assert (plain.exit_code, machine.exit_code) == (0, 0)
    assert [PERSON in out or "\x1b" in out for out in (plain.stdout, machine.stdout)] == [False, False]
    assert "odd" in json.loads(machine.stdout, parse_constant=pytest.fail)["claims"]


def test_a_refused_token_shows_every_reason(keys: str) -> None:
    """Exit code 1, one reason a line."""
    result = verify(
        keys,
        *("--dialog", DIALOG.replace("0", "1", 1), "--minimum-level", "4"),
        *("--requires", "sign", "--requires", "delete,urn:altinn:task:Task_2", "--requires", "write"),
        text=signed(FOREIGN, iss="https://other.test"),
        now=NOW + 611,
    )

    assert (result.exit_code, result.stderr) == (1, "")
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        "wrong_issuer",
        "bad_signature",
        "token_expired",
        "other_dialog",
        "action_not_granted",
        "action_not_granted",
        "level_too_low",
    ]


def test_reasons_come_as_json_too(keys: str) -> None:
    """--json gives each reason its code and its sentence."""
    result = verify(keys, "--json", "--requires", "sign", text=signed(iss=f"https://{PERSON}.test"))

    content = json.loads(result.stdout)
    assert (result.exit_code, content["accepted"]) == (1, False)
    assert [reason["code"] for reason in content["reasons"]] == ["wrong_issuer", "action_not_granted"]
    assert PERSON not in result.stdout


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" \n", "token_missing"),
        ("abc", "not_three_parts"),
        (b"\xff\xfe.\x00.x", "bad_encoding"),
        ("x" * 2_000_000, "too_long"),
    ],
    ids=["nothing", "word", "bytes", "flood"],
)
def test_what_is_no_token_is_refused(keys: str, text: str | bytes, code: str) -> None:
    """Whatever comes in, the command says what is wrong with it."""
    result = verify(keys, text=text)

    assert (result.exit_code, result.stdout.partition(":")[0]) == (1, code)


def test_a_line_break_after_the_token_is_no_fault(keys: str) -> None:
    """A token comes from echo or a file, with a line break at its end."""
    result = verify(keys, text=f"{signed()}\r\n")

    assert result.exit_code == 0


@pytest.mark.parametrize(("skew", "exit_code"), [("0", 1), ("29.9", 1), ("30", 0)])
def test_the_skew_can_be_set(keys: str, skew: str, exit_code: int) -> None:
    """The end of the token and the skew belong to its life."""
    result = verify(keys, "--clock-skew", skew, now=NOW + 630)

    assert result.exit_code == exit_code


def test_the_present_is_the_default(keys: str) -> None:
    """Without --now the machine's clock counts, and this token is of the past or the future."""
    result = CliRunner().invoke(command, ["verify", "--jwks", keys, "--issuer", ISSUER], input=signed(nbf=1, exp=2))

    assert (result.exit_code, result.stdout.partition(":")[0]) == (1, "token_expired")


@pytest.mark.parametrize(
    "options",
    [
        ["--dialog", "7"],
        ["--requires", ""],
        ["--requires", ",attribute"],
        ["--requires", "write,"],
        ["--requires", "a,b,c"],
        ["--minimum-level", "-1"],
        ["--minimum-level", "high"],
        ["--clock-skew", "-1"],
        ["--clock-skew", "nan"],
        ["--now", "today"],
        ["--now", "nan"],
        ["--now", "1e30"],
        ["--unknown"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told(keys: str, options: list[str]) -> None:
    """Exit code 2, and nothing is said about the token."""
    result = verify(keys, *options)

    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("missing", ["--jwks", "--issuer"])
def test_keys_and_issuer_must_be_said(keys: str, missing: str) -> None:
    """There is no environment that could be meant by default."""
    pairs = {"--jwks": keys, "--issuer": ISSUER}
    del pairs[missing]

    result = CliRunner().invoke(command, ["verify", *itertools.chain(*pairs.items())], input=signed())

    assert (result.exit_code, missing in result.stderr) == (2, True)


@pytest.mark.parametrize("content", [None, b"", b"<html>", b'{"keys":[]}', b"\xff"])
def test_unreadable_keys_are_wrong_usage(tmp_path: Path, content: bytes | None) -> None:
    """A key set that cannot be used says nothing about the token."""
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_bytes(content)

    result = verify(str(path))

    assert (result.exit_code, result.stdout, "--jwks" in result.stderr) == (2, "", True)


@pytest.fixture
def published() -> Iterator[tuple[str, list[bytes]]]:
    """Serve what the list holds, one answer a connection."""
    answers: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answers.pop(0))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve, args=(listener,))
        serving.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/jwks.json", answers
        listener.shutdown(socket.SHUT_RDWR)
        serving.join(10)


def test_keys_may_come_from_an_address(published: tuple[str, list[bytes]]) -> None:
    """The issuer's own key set is fetched, without credentials."""
    url, answers = published
    answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(JWKS) + JWKS)

    result = verify(url)

    assert result.exit_code == 0


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n<html>", b""]
)
def test_keys_that_do_not_come_are_wrong_usage(published: tuple[str, list[bytes]], answer: bytes) -> None:
    """An address that gives no keys says nothing about the token."""
    url, answers = published
    answers.append(answer)

    result = verify(url)

    assert (result.exit_code, result.stdout, "--jwks" in result.stderr) == (2, "", True)


def test_help_waits_for_no_library() -> None:
    """Asking for help imports neither requests nor cryptography."""
    program = "import sys, bridge.cli.token; print({'requests', 'cryptography', 'jwt'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
