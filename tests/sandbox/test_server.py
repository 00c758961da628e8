"""The sandbox on loopback: what only a socket shows."""

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from bridge import sandbox as sandbox_package
from bridge.sandbox.core.ledger import How
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World
from tests.sandbox.support import (
    HAL,
    PARTY,
    Clock,
    dialog,
    eventually,
    main_form,
    make_world,
    message,
    owner_token,
    seeded,
)


@pytest.fixture
def world() -> World:
    return make_world(sse_keep_alive_seconds=0.05)


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as running:
        yield running


@pytest.fixture
def session(world: World, sandbox: Sandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["ApiKey"] = world.altinn2_api_key
        session.headers["Authorization"] = f"Bearer {owner_token(world, base=sandbox.base_url)}"
        yield session


def test_reason_phrases_arrive_as_they_are(world: World, sandbox: Sandbox, session: requests.Session) -> None:
    """Latin-1 letters survive; what is outside becomes a question mark and kills nothing."""
    world.faults.plan(How(status=400, reason="Må fylles ut – før innsending\r\nX: y"))

    answer = session.get(f"{sandbox.base_url}/maskinporten/jwks")
    unnamed = requests.get(f"{sandbox.base_url}/altinn2/api/my/messages")

    assert answer.reason == "Må fylles ut ? før innsending  X: y"
    assert "X" not in answer.headers
    assert unnamed.reason == "Required header 'ApiKey' is missing."


def test_one_connection_serves_many_calls(world: World, sandbox: Sandbox) -> None:
    """Also after a refused PUT whose body nobody wanted, and after a chunked one."""
    connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc)
    path = f"/altinn2/api/my/messages/{seeded(world)}"
    headers = {**HAL, "ApiKey": world.altinn2_api_key}
    token = {"Authorization": f"Bearer {owner_token(world, base=sandbox.base_url)}"}
    body = json.dumps(message(main_form())).encode()

    statuses, sockets = [], set()
    for each in (headers, {**headers, **token}):
        for data in (body, iter([body[:9], body[9:]])):
            connection.request("PUT", path, data, each, encode_chunked=True)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            sockets.add(connection.sock)
    connection.close()

    assert statuses == [403, 403, 204, 404]
    assert len(sockets) == 1
    assert None not in sockets


@pytest.mark.parametrize(("cut", "effects"), [("before", 0), ("after", 2)])
def test_a_cut_closes_the_connection(
    world: World, sandbox: Sandbox, session: requests.Session, cut: str, effects: int
) -> None:
    """No byte of an answer, before or after the effect; the next call gets through."""
    world.faults.plan(How(cut=cut), method="PUT")
    address = f"{sandbox.base_url}/altinn2/api/my/messages/{seeded(world)}"

    with pytest.raises(requests.ConnectionError):
        session.put(address, json=message(main_form()), headers=HAL)

    assert len(world.ledger.effects()) == effects
    assert session.get(address).status_code == (404 if effects else 200)


def test_a_closed_altinn2_does_not_answer(world: World, sandbox: Sandbox, session: requests.Session) -> None:
    """connection_refused is a closed connection; the other systems go on."""
    world.change_switches(shutdown="connection_refused")

    with pytest.raises(requests.ConnectionError):
        session.get(f"{sandbox.base_url}/altinn2/api/my/messages")

    assert session.get(f"{sandbox.base_url}/maskinporten/jwks").status_code == 200


def test_a_delayed_call_blocks_no_other() -> None:
    """While one call waits, others on the same element are answered."""
    waiting, go_on = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        waiting.set()
        assert go_on.wait(10), seconds

    world = World(Clock(), 7, sleep=sleep)
    world.faults.plan(How(delay_after=3), method="PUT")
    with Sandbox(world) as sandbox:
        headers = {
            "ApiKey": world.altinn2_api_key,
            "Authorization": f"Bearer {owner_token(world, base=sandbox.base_url)}",
        }
        address = f"{sandbox.base_url}/altinn2/api/my/messages/{seeded(world)}"
        answers: list[int] = []
        slow = threading.Thread(
            target=lambda: answers.append(
                requests.put(address, json=message(main_form()), headers={**HAL, **headers}).status_code
            )
        )

        slow.start()
        assert waiting.wait(10)
        meanwhile = requests.get(address, headers=headers).status_code
        before = list(answers)
        go_on.set()
        slow.join()

    assert (meanwhile, before, answers) == (404, [], [204])


def test_events_arrive_while_the_stream_is_open(world: World, sandbox: Sandbox, session: requests.Session) -> None:
    """Over real HTTP, chunk by chunk; a client that leaves is forgotten."""
    base = sandbox.base_url
    dialog_id = session.post(f"{base}/dialogporten/api/v1/serviceowner/dialogs", json=dialog()).json()
    minted = session.post(f"{base}/_sandbox/enduser-token", json={"party": PARTY}).json()["token"]
    found = requests.get(
        f"{base}/dialogporten/api/v1/enduser/dialogs/{dialog_id}", headers={"Authorization": f"Bearer {minted}"}
    ).json()
    query = f'subscription sub {{ dialogEvents(dialogId: "{dialog_id}") {{ id type }} }}'
    stream = requests.post(
        f"{base}/dialogporten/graphql/stream",
        json={"query": query},
        headers={"Authorization": f"Bearer {found['dialogToken']}"},
        stream=True,
        timeout=10,
    )
    lines = stream.iter_lines(decode_unicode=True)
    first = next(lines)

    session.patch(
        f"{base}/dialogporten/api/v1/serviceowner/dialogs/{dialog_id}",
        json=[{"op": "replace", "path": "/status", "value": "Completed"}],
    )
    event = next(line for line in lines if line.startswith("data: "))
    stream.close()

    assert first == ":"
    assert json.loads(event[6:])["data"]["dialogEvents"] == {"id": dialog_id, "type": "DIALOG_UPDATED"}
    eventually(lambda: not world.dialogporten.streams.listeners(dialog_id))


def test_a_stopped_sandbox_is_gone(world: World) -> None:
    """Kept-alive connections end with it."""
    sandbox = Sandbox(world).start()
    address = f"{sandbox.base_url}/maskinporten/jwks"
    with requests.Session() as session:
        session.trust_env = False
        before = session.get(address).status_code

        sandbox.stop()

        assert before == 200
        with pytest.raises(requests.ConnectionError):
            session.get(address)


def test_it_runs_as_a_program() -> None:
    """One JSON line with the address when it is ready; switches by name."""
    command = [sys.executable, "-m", "bridge.sandbox", "--switch", "put_status=200", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        base = json.loads(running.stdout.readline())["base_url"]

        switches = requests.get(f"{base}/_sandbox/switches").json()
        running.terminate()

    assert {each["name"]: each["value"] for each in switches}["put_status"] == "200"


def test_an_unknown_switch_ends_the_program() -> None:
    """Exit code 2 and the name."""
    command = [sys.executable, "-m", "bridge.sandbox", "--switch", "nothing=1"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "nothing" in ended.stderr


def test_other_peoples_tests_import_four_names() -> None:
    """From the package itself; the app may be read and wrapped while the sandbox runs."""
    world = sandbox_package.World(lambda: datetime.now(UTC), 7)
    token_of = sandbox_package.Organisation(number="310778737", code="other")

    with sandbox_package.Sandbox(world) as running:
        inner, asked = running.app, []

        def around(environ: Any, start_response: Any) -> Any:
            asked.append(environ["PATH_INFO"])
            return inner(environ, start_response)

        running.app = around
        client = world.register_client(token_of)
        answer = requests.get(f"{running.base_url}/_sandbox/settings", timeout=5)
        token = sandbox_package.issue(world, running.base_url, "maskinporten", {"scope": "x"}, lifetime=60)

    assert (answer.status_code, asked, token.count(".")) == (200, ["/_sandbox/settings"], 2)
    assert world.organisation("310778737") == client.organisation
