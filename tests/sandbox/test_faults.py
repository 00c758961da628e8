"""Planned faults: before and after the effect, delays, other answers, and races inside."""

from typing import Any

import pytest
import requests
from urllib3.exceptions import ProtocolError

from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    HAL,
    Slept,
    as_altinn2_user,
    as_owner,
    created,
    dialogs_url,
    eventually,
    information,
    main_form,
    make_world,
    message,
    seeded,
    session_into,
)

FAULTS = f"{BASE_URL}/_sandbox/faults"


def plan(world: World, how: dict[str, Any], **about: Any) -> None:
    answer = session_into(world).post(FAULTS, json={"how": how, **about})
    assert answer.status_code == 201, answer.text


def put(world: World, element: str) -> requests.Response:
    return as_altinn2_user(world).put(
        f"{BASE_URL}/altinn2/api/my/messages/{element}", json=message(main_form()), headers=HAL
    )


@pytest.mark.parametrize(("cut", "effects"), [("before", 0), ("after", 2)])
def test_a_cut_comes_before_or_after_the_effect(cut: str, effects: int) -> None:
    """The client sees the same broken connection; only the ledger tells the difference."""
    world = make_world()
    element = seeded(world)
    plan(world, {"cut": cut}, system="altinn2", match={"method": "PUT", "path": "/messages/a\\d+$"})

    with pytest.raises(requests.ConnectionError) as caught:
        put(world, element)

    assert isinstance(caught.value.args[0], ProtocolError)
    assert len(world.ledger.effects()) == effects
    assert world.calls.all()[-1].status is None


def test_a_call_that_was_given_up_is_done_late() -> None:
    """The connection is cut first, and then everything that was asked for happens."""
    world = make_world()
    element = seeded(world)
    plan(world, {"cut": "late", "delay_seconds": 0.2}, system="altinn2", match={"method": "PUT"})

    with pytest.raises(requests.ConnectionError):
        put(world, element)
    before = len(world.ledger.effects())

    eventually(lambda: len(world.ledger.effects()) == 2)
    assert before == 0


def test_a_call_that_is_held_is_done_when_told() -> None:
    """The connection is cut first; the effect comes once, and not before."""
    world = make_world()
    element = seeded(world)
    plan(world, {"cut": "held"}, system="altinn2", match={"method": "PUT"})

    with pytest.raises(requests.ConnectionError):
        put(world, element)
    before = len(world.ledger.effects())
    came = [world.faults.let_come() for _ in range(2)]

    assert (before, came, len(world.ledger.effects())) == (0, [1, 0], 2)


@pytest.mark.parametrize("status", [204, 504])
def test_a_call_may_be_answered_before_it_lands(status: int) -> None:
    """At once and with any status, as by a gateway; what was asked for comes when told, and not before."""
    world = make_world()
    element = seeded(world)
    plan(world, {"cut": "held", "status": status}, system="altinn2", match={"method": "PUT"})

    answer = put(world, element)
    before = len(world.ledger.effects())
    world.faults.let_come()

    assert (answer.status_code, before, len(world.ledger.effects())) == (status, 0, 2)


def test_a_cut_within_an_answer_leaves_half_of_it() -> None:
    """The head says how long it is, and the body ends before that."""
    world = make_world(print_mb=1)
    element = seeded(world)
    plan(world, {"cut": "within"}, system="altinn2", match={"path": "print"})
    got: list[bytes] = []

    answer = as_altinn2_user(world).get(f"{BASE_URL}/altinn2/api/my/messages/{element}/print", stream=True)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        got.extend(answer.iter_content(65_536))

    assert answer.status_code == 200
    assert 0 < sum(map(len, got)) <= int(answer.headers["Content-Length"]) // 2


@pytest.mark.parametrize(("after_effect", "effects"), [(False, 0), (True, 2)])
def test_a_status_replaces_the_effect_or_its_answer(after_effect: bool, effects: int) -> None:
    """500 though nothing happened, and 500 though it archived."""
    world = make_world()
    element = seeded(world)
    how = {"status": 503, "reason": "Tjenesten er på vei", "body": "<html>", "headers": {"Retry-After": "2"}}
    plan(world, {**how, "after_effect": after_effect})

    answer = put(world, element)

    assert (answer.status_code, answer.reason, answer.text) == (503, "Tjenesten er på vei", "<html>")
    assert answer.headers["Retry-After"] == "2"
    assert len(world.ledger.effects()) == effects


def test_a_fault_is_played_so_many_times() -> None:
    """Two calls go well, the next two do not, the rest does."""
    world = make_world()
    plan(world, {"status": 502}, system="maskinporten", times=2, skip=2)
    session = session_into(world)

    statuses = [session.get(f"{BASE_URL}/maskinporten/jwks").status_code for _ in range(6)]

    assert statuses == [200, 200, 502, 502, 200, 200]


def test_a_fault_without_end_lasts_until_cleared() -> None:
    """times null, then DELETE."""
    world = make_world()
    plan(world, {"status": 502}, times=None)
    session = session_into(world)
    before = [session.get(f"{BASE_URL}/maskinporten/jwks").status_code for _ in range(3)]

    session.delete(FAULTS)

    assert before == [502] * 3
    assert session.get(f"{BASE_URL}/maskinporten/jwks").status_code == 200


def test_delays_stand_before_or_after_the_effect() -> None:
    """The world's own sleep is asked for each."""
    world = make_world(latency_ms=5)
    plan(world, {"delay_seconds": 3})
    plan(world, {"delay_seconds": 4, "delay_after": True})
    plan(world, {"delay_seconds": 1, "delay_after": 2})
    session = session_into(world)

    for _ in range(3):
        session.get(f"{BASE_URL}/maskinporten/jwks")

    assert isinstance(world.sleep, Slept)
    assert world.sleep.seconds == [3.005, 0.005, 4, 1.005, 2]


@pytest.mark.parametrize(("matching", "status", "keys"), [(False, 409, [""]), (True, 412, None)])
def test_a_race_inside_has_two_faces(matching: bool, status: int, keys: list[str] | None) -> None:
    """409 under the empty key without If-Match, 412 with it; nothing is written."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session)
    revision = session.get(dialogs_url(dialog_id)).headers["Etag"]
    plan(world, {"internal": "concurrent_change"}, system="dialogporten")

    answer = session.post(
        dialogs_url(dialog_id, "activities"), json=information(), headers={"If-Match": revision} if matching else {}
    )

    assert answer.status_code == status
    assert answer.json().get("errors") is keys or list(answer.json()["errors"]) == keys
    assert session.get(dialogs_url(dialog_id)).headers["Etag"] == revision


def test_a_name_look_up_can_fail_once() -> None:
    """The repeat gets through."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session)
    actor = {"actorType": "PartyRepresentative", "actorId": "urn:altinn:organization:identifier-no:310000027"}
    plan(world, {"internal": "name_lookup_fails"})

    answers = [
        session.post(dialogs_url(dialog_id, "activities"), json=information(performedBy=actor)) for _ in range(2)
    ]

    assert [each.status_code for each in answers] == [422, 201]


@pytest.mark.parametrize(
    "wrong",
    [
        {"how": {"cut": "during"}},
        {"how": {"status": "500"}},
        {"how": {"delay": 1}},
        {"how": {}, "match": {"path": "("}},
        {"how": {}, "times": 0},
        {"how": {}, "when": 1},
        {},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    """400 with a reason; nothing is planned."""
    world = make_world()

    answer = session_into(world).post(FAULTS, json=wrong)

    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert world.faults.waiting() == ()
