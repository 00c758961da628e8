"""Dialogporten's end-user side: reading a dialog, its token, the published keys, and the stream of changes."""

import json
from typing import Any

import jwt
import pytest
import requests

from bridge.sandbox.core.ledger import How
from bridge.sandbox.dialogporten.model import Resource
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    PARTY,
    RESOURCE,
    as_owner,
    created,
    dialogs_url,
    gui_action,
    make_world,
    moved,
    session_into,
)

DP = f"{BASE_URL}/dialogporten"
CLAIMS = ["jti", "c", "l", "p", "s", "i", "a", "iss", "iat", "nbf", "exp"]


def as_reader(world: World, **about: Any) -> requests.Session:
    """A session of an end user, for the usual party unless said otherwise."""
    answer = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY, **about})
    assert answer.status_code == 201, answer.text
    return session_into(world, headers={"Authorization": f"Bearer {answer.json()['token']}"})


def read(world: World, dialog_id: str, **about: Any) -> requests.Response:
    return as_reader(world, **about).get(f"{DP}/api/v1/enduser/dialogs/{dialog_id}")


def verified(world: World, token: str) -> dict[str, Any]:
    """The claims, with every check that PyJWT has, by the published keys."""
    keys = jwt.PyJWKSet(session_into(world).get(f"{DP}/api/v1/.well-known/jwks.json").json()["keys"])
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, ["EdDSA"], options=options, issuer=f"{DP}/api/v1")
    return claims


def subscribe(world: World, dialog_id: str, token: str, query: str | None = None) -> requests.Response:
    query = query or f'subscription sub {{ dialogEvents(dialogId: "{dialog_id}") {{ id type }} }}'
    return session_into(world).post(
        f"{DP}/graphql/stream",
        json={"query": query, "variables": {"id": dialog_id}, "operationName": "sub"},
        headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"},
        stream=True,
    )


def received(answer: requests.Response, count: int) -> list[str]:
    """The types of the next events."""
    lines = answer.iter_lines(decode_unicode=True)
    data = (line for line in lines if line.startswith("data: "))
    return [json.loads(next(data)[6:])["data"]["dialogEvents"]["type"] for _ in range(count)]


def test_each_read_gives_a_new_token() -> None:
    """EdDSA by a published key, header of three members, claims in their order, ten minutes."""
    world = make_world()
    dialog_id = created(as_owner(world))

    tokens = [read(world, dialog_id).json()["dialogToken"] for _ in range(2)]

    claims = verified(world, tokens[0])
    assert tokens[0] != tokens[1]
    assert list(jwt.get_unverified_header(tokens[0])) == ["alg", "typ", "kid"]
    assert list(claims) == CLAIMS
    assert (claims["p"], claims["s"], claims["i"], claims["l"]) == (PARTY, RESOURCE, dialog_id, 3)
    assert claims["exp"] - claims["iat"] == 600


def test_only_granted_actions_are_in_the_token() -> None:
    """Claim a, sorted: read, and of the dialog's own actions those that the user may do; other URLs are masked."""
    world = make_world()
    actions = [
        gui_action(),
        gui_action(action="sign", authorizationAttribute="urn:altinn:task:Task_1", priority="Secondary"),
        gui_action(action="delete", priority="Tertiary"),
    ]
    dialog_id = created(as_owner(world), guiActions=actions)

    found = read(world, dialog_id, actions=["read", "write", "confirm", "sign,urn:altinn:task:Task_1"]).json()

    assert verified(world, found["dialogToken"])["a"] == "read;sign,urn:altinn:task:Task_1;write"
    assert [each["isAuthorized"] for each in found["guiActions"]] == [True, True, False]
    assert found["guiActions"][2]["url"] == "urn:dialogporten:unauthorized"


def test_a_system_user_has_its_own_claims() -> None:
    """y and o stand after c."""
    world = make_world()
    dialog_id = created(as_owner(world))
    about = {
        "actor": "urn:altinn:organization:identifier-no:310000027",
        "system_user": "urn:altinn:systemuser:uuid:5a3c1a4e-9a0e-4f4e-8d2a-111111111111",
        "owner": PARTY,
    }

    claims = verified(world, read(world, dialog_id, **about).json()["dialogToken"])

    assert list(claims)[:4] == ["jti", "c", "y", "o"]


@pytest.mark.parametrize("key", ["second", "rotated"])
def test_a_rotated_key_is_published(key: str) -> None:
    """Whichever key signs, the JWKS has it, and always two."""
    world = make_world(dialog_token_key=key)
    dialog_id = created(as_owner(world))

    token = read(world, dialog_id).json()["dialogToken"]

    assert verified(world, token)["i"] == dialog_id
    assert len(session_into(world).get(f"{DP}/api/v1/.well-known/jwks.json").json()["keys"]) == 2


def test_well_known_documents_may_be_kept_a_day() -> None:
    """Cache-Control, and 406 for who wants no JSON."""
    session = session_into(make_world())

    answer = session.get(f"{DP}/api/v1/.well-known/oauth-authorization-server")
    refused = session.get(f"{DP}/api/v1/.well-known/jwks.json", headers={"Accept": "text/html"})

    assert answer.json() == {"issuer": f"{DP}/api/v1", "jwks_uri": f"{DP}/api/v1/.well-known/jwks.json"}
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert (refused.status_code, refused.json()["title"]) == (406, "Requested content type is not acceptable.")


def test_who_may_not_read_finds_nothing() -> None:
    """Not visible yet: 404; another party, no right to read, level too low: 403; deleted: 410; no token: 401."""
    world = make_world()
    owner = as_owner(world)
    world.dialogporten.own(RESOURCE, Resource(owner=world.owner.number))
    dialog_id = created(owner)
    hidden = created(owner, visibleFrom="2026-04-01T00:00:00Z")
    deleted = created(owner)
    owner.delete(dialogs_url(deleted))
    world.dialogporten.own("urn:altinn:resource:streng", Resource(owner=world.owner.number, minimum_level=4))
    strict = created(owner, serviceResource="urn:altinn:resource:streng")

    not_yet = read(world, hidden)

    assert read(world, dialog_id, party="urn:altinn:organization:identifier-no:310000027").status_code == 403
    assert read(world, dialog_id, actions=["write"]).status_code == 403
    assert (not_yet.status_code, not_yet.headers["Expires"]) == (404, "Wed, 01 Apr 2026 00:00:00 GMT")
    assert read(world, deleted).status_code == 410
    assert read(world, strict).json()["errors"] == {"Forbidden": ["Altinn authentication level too low."]}
    assert read(world, strict, level=4).status_code == 200
    assert session_into(world).get(f"{DP}/api/v1/enduser/dialogs/{dialog_id}").status_code == 401
    assert owner.get(f"{DP}/api/v1/enduser/dialogs/{dialog_id}").status_code == 403


def test_reading_marks_the_dialog_as_seen() -> None:
    """Once for each content; new content is unseen again."""
    world = make_world()
    dialog_id = created(as_owner(world))
    reader = as_reader(world)
    address = f"{DP}/api/v1/enduser/dialogs/{dialog_id}"

    seen = [reader.get(address).json()["isContentSeen"] for _ in range(2)]
    moved(world, seconds=1)
    as_owner(world).patch(dialogs_url(dialog_id), json=[{"op": "replace", "path": "/status", "value": "Draft"}])

    assert seen == [True, True]
    assert as_owner(world).get(dialogs_url(dialog_id)).json()["isContentSeen"] is False
    assert [e["type"] for e in world.dialogporten.events()].count("dialogporten.dialog.seen.v1") == 1


def test_the_stream_tells_updates_even_silent_ones() -> None:
    """DIALOG_UPDATED for both, nothing for what changed nothing, DIALOG_DELETED only for an open deletion."""
    world = make_world()
    owner = as_owner(world)
    dialog_id = created(owner)
    stream = subscribe(world, dialog_id, read(world, dialog_id).json()["dialogToken"])

    for silent, status in (("false", "Draft"), ("false", "Draft"), ("true", "Completed")):
        change = [{"op": "replace", "path": "/status", "value": status}]
        owner.patch(dialogs_url(dialog_id), json=change, params={"isSilentUpdate": silent})
    owner.delete(dialogs_url(dialog_id))

    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert received(stream, 3) == ["DIALOG_UPDATED", "DIALOG_UPDATED", "DIALOG_DELETED"]


def test_a_silent_deletion_is_not_told() -> None:
    """The stream ends without a word about it."""
    world = make_world()
    owner = as_owner(world)
    dialog_id = created(owner)
    stream = subscribe(world, dialog_id, read(world, dialog_id).json()["dialogToken"])

    owner.delete(dialogs_url(dialog_id), params={"isSilentUpdate": "true"})
    world.close()

    assert stream.text == ":\n\nevent: complete\n\n"


def test_a_lost_event_is_not_repeated() -> None:
    """A planned loss takes one event; the next one comes."""
    world = make_world()
    owner = as_owner(world)
    dialog_id = created(owner)
    stream = subscribe(world, dialog_id, read(world, dialog_id).json()["dialogToken"])
    world.faults.plan(How(internal="lose_event"), system="dialogporten")

    for status in ("Draft", "Completed"):
        owner.patch(dialogs_url(dialog_id), json=[{"op": "replace", "path": "/status", "value": status}])
    world.close()

    assert stream.text.count("DIALOG_UPDATED") == 1


def test_an_idle_stream_is_kept_alive_by_comments() -> None:
    """A client must pass over lines that begin with a colon."""
    world = make_world(sse_keep_alive_seconds=0.01)
    dialog_id = created(as_owner(world))
    stream = subscribe(world, dialog_id, read(world, dialog_id).json()["dialogToken"])

    lines = stream.iter_lines(decode_unicode=True)
    first = [next(lines) for _ in range(4)]
    stream.close()

    assert first == [":", "", ":", ""]
    assert world.dialogporten.streams.listeners(dialog_id) == 0


def test_a_stream_opens_only_with_its_own_token() -> None:
    """Another dialog's token: 403; an id in a variable: 403; none, expired, or by an unknown key: 401."""
    world = make_world()
    owner = as_owner(world)
    dialog_id, other = created(owner), created(owner)
    token = read(world, dialog_id).json()["dialogToken"]
    variable = "subscription sub($id: UUID!) { dialogEvents(dialogId: $id) { id type } }"
    world.change_switches(dialog_token_key="unpublished")
    unknown = read(world, dialog_id).json()["dialogToken"]

    statuses = [
        subscribe(world, other, token).status_code,
        subscribe(world, dialog_id, token, variable).status_code,
        subscribe(world, dialog_id, unknown).status_code,
        subscribe(world, dialog_id, "a.b.c").status_code,
    ]
    moved(world, seconds=603)

    assert statuses == [403, 403, 401, 401]
    assert subscribe(world, dialog_id, token).status_code == 401


def test_a_dialog_token_can_be_made_wrong_on_purpose() -> None:
    """Claims and header can be replaced and taken away, and another key can sign."""
    world = make_world()
    dialog_id = created(as_owner(world))
    about = {"dialog_id": dialog_id, "claims": {"l": 0, "a": "", "jti": None}, "header": {"typ": "x"}, "key": "second"}

    token = session_into(world).post(f"{BASE_URL}/_sandbox/dialog-token", json=about).json()["token"]

    claims = verified(world, token)
    assert (claims["l"], claims["a"], "jti" in claims) == (0, "", False)
    assert jwt.get_unverified_header(token)["typ"] == "x"


def test_a_browser_reads_what_the_stream_refuses() -> None:
    """CORS headers come first, for the page and for the real clients that were named; for nobody else."""
    world = make_world()
    world.origins = frozenset({"https://app.localhost"})
    query = {"query": 'subscription { dialogEvents(dialogId: "x") { id } }'}

    answers = [
        session_into(world).post(f"{DP}/graphql/stream", json=query, headers={"Origin": origin, **token})
        for origin in ("https://app.localhost", "https://other.example.no")
        for token in ({}, {"Authorization": "Bearer x"})
    ]

    allowed = [each.headers.get("Access-Control-Allow-Origin") for each in answers]
    assert allowed == ["https://app.localhost"] * 2 + [None] * 2
    assert {each.status_code for each in answers} == {401}
