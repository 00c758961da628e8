"""The control API: ledger, call log, switches, settings."""

import json

import jwt
import pytest

from bridge.sandbox.control import Control
from bridge.sandbox.core.switches import Switches, UnknownSwitch, parsed
from bridge.sandbox.in_process import BASE_URL
from tests.sandbox.support import (
    MAIN,
    as_altinn2_user,
    as_owner,
    created,
    dialog,
    main_form,
    make_world,
    message,
    seeded,
    session_into,
)

CONTROL = f"{BASE_URL}/_sandbox"


def test_the_ledger_can_be_read_and_cleared() -> None:
    """By kind, in order; the sequence goes on afterwards."""
    world = make_world()
    session = session_into(world)
    created(as_owner(world))
    as_altinn2_user(world).put(f"{BASE_URL}/altinn2/api/my/messages/{seeded(world)}", json=message(main_form()))

    everything = session.get(f"{CONTROL}/ledger").json()
    altinn2 = session.get(f"{CONTROL}/ledger", params={"kind": "altinn2"}).json()
    session.delete(f"{CONTROL}/ledger")
    created(as_owner(world))

    assert [each["kind"] for each in everything] == ["dialogporten.create", "altinn2.put", "altinn2.archived"]
    assert [each["sequence"] for each in altinn2] == [2, 3]
    assert [each["sequence"] for each in session.get(f"{CONTROL}/ledger").json()] == [4]


def test_the_call_log_holds_nothing_personal() -> None:
    """Caller, template, path and safe flags; no numbers of people, no tokens, no bodies, no other query."""
    world = make_world()
    person = world.new_person()
    session = as_altinn2_user(world)
    address = f"{BASE_URL}/altinn2/api/{person}/messages"
    caller = {"User-Agent": f"bro/1.2 ({person})"}
    session.get(address, params={"language": "1044", "fileName": "Kari"}, headers=caller)

    calls = session_into(world).get(f"{CONTROL}/calls").text

    found = json.loads(calls)[0]
    assert found["template"] == "/altinn2/api/{who}/messages"
    assert (found["caller"], found["system"], found["method"], found["status"]) == ("bro", "altinn2", "GET", 200)
    assert found["query"] == {"language": "1044"}
    assert person not in calls
    assert "Kari" not in calls
    assert str(session.headers["Authorization"])[7:20] not in calls


def test_control_calls_are_not_logged() -> None:
    """Looking changes nothing."""
    world = make_world()
    session = session_into(world)
    session.get(f"{CONTROL}/calls")

    assert session.get(f"{CONTROL}/calls").json() == []


def test_a_seeded_element_is_shown_whole() -> None:
    """With its forms and the digests of what it holds."""
    world = make_world()
    element = seeded(world, state="signing", subject="Søknad")

    shown = session_into(world).get(f"{CONTROL}/altinn2/elements/{element}").json()

    assert (shown["state"], shown["forms"][0]["xml"], shown["archived_id"]) == ("signing", MAIN["xml"], None)
    assert world.ledger.effects() == ()


def test_answers_take_the_words_that_requests_take() -> None:
    """An element's `message_id` and its service's code and edition; what said `id` before still does."""
    session = session_into(make_world())
    key = {"service_code": "4711", "service_edition": 3}
    form = {name: MAIN[name] for name in ("data_format_id", "data_format_version", "xml")}

    service = session.post(f"{CONTROL}/altinn2/services", json=key).json()
    lookup = session.post(f"{CONTROL}/altinn2/lookups", json={**key, "answer": "<a/>"}).json()
    made = session.post(f"{CONTROL}/altinn2/elements", json={"service": key, "forms": [form]}).json()
    shown = session.get(f"{CONTROL}/altinn2/elements/{made['message_id']}").json()

    assert [service, lookup, made["service"], shown["service"]] == [key] * 4
    assert made["message_id"] == shown["message_id"] == shown["id"]


@pytest.mark.parametrize("body", [{}, {"service": {"code": "1"}, "forms": [{"xml": "<a>"}]}, {"service": 1}, []])
def test_a_seed_that_makes_no_sense_is_refused(body: object) -> None:
    """400 with a reason."""
    answer = session_into(make_world()).post(f"{CONTROL}/altinn2/elements", json=body)

    assert answer.status_code == 400


def test_switches_are_thrown_all_or_none() -> None:
    """An unknown one, or a value that it does not take, leaves everything as it was."""
    world = make_world()
    session = session_into(world)

    thrown = session.patch(f"{CONTROL}/switches", json={"put_status": "200", "name_lookup_fails": True})
    wrong = session.patch(f"{CONTROL}/switches", json={"put_status": "204", "nothing": 1})
    worse = session.patch(f"{CONTROL}/switches", json={"put_status": "205"})

    assert [each.status_code for each in (thrown, wrong, worse)] == [200, 400, 400]
    assert (world.switches.put_status, world.switches.name_lookup_fails) == ("200", True)
    assert {"name", "value", "default", "meaning"} <= set(thrown.json()[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [("shutdown=410", "410"), ("name_lookup_fails=true", True), ("sse_keep_alive_seconds=0.5", 0.5)],
)
def test_switches_are_read_by_their_type(text: str, value: object) -> None:
    """As a command line has them."""
    name, read = parsed(text)

    assert read == value
    assert getattr(Switches().changed(**{name: read}), name) == value


@pytest.mark.parametrize("text", ["nothing=1", "name_lookup_fails=1", "latency_ms=x"])
def test_a_wrong_switch_is_named(text: str) -> None:
    """The message says which."""
    with pytest.raises(UnknownSwitch, match=text.partition("=")[0]):
        parsed(text)


def test_the_settings_point_at_the_sandbox() -> None:
    """All that a bridge needs, the client's whole key among it."""
    world = make_world()

    settings = session_into(world).get(f"{CONTROL}/settings").json()

    key = json.loads(settings["BRIDGE_MASKINPORTEN_KEY"])
    assert settings["BRIDGE_ALTINN3_APPS_URL"] == f"{BASE_URL}/apps/{{org}}/{{app}}"
    assert settings["BRIDGE_DIALOGPORTEN_ISSUER"] == f"{BASE_URL}/dialogporten/api/v1"
    assert jwt.PyJWK(key, "RS256").key_id == world.client.key.kid
    assert {"d", "p", "q", "kid"} <= set(key)


def test_only_loopback_is_let_in() -> None:
    """Another address gets 403."""
    statuses: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/_sandbox/ledger", "REMOTE_ADDR": "10.0.0.7"}

    def start_response(status: str, headers: object) -> None:
        statuses.append(status)

    list(Control(make_world(), BASE_URL)(environ, start_response))

    assert statuses == ["403 Forbidden"]


def test_web_pages_cannot_write_without_a_preflight() -> None:
    """Bodies must be application/json."""
    answer = session_into(make_world()).post(f"{CONTROL}/faults", data='{"how":{}}')

    assert answer.status_code == 415


def test_a_dialog_is_seeded_as_by_its_owner() -> None:
    """Without a token, with the answers of the API: created, or refused in its words."""
    world = make_world()
    session, address = session_into(world), f"{BASE_URL}/_sandbox/dialogporten/dialogs"

    made = session.post(address, json=dialog())
    refused = session.post(address, json=dialog(party="x"))

    assert (made.status_code, refused.status_code) == (201, 400)
    assert world.dialogporten.find(made.json()) is not None
    assert "dto.party" in refused.json()["errors"]
