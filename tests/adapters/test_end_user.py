"""Pressing a button as an end-user system does; the sandbox is Dialogporten, a function is the receiver."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from bridge.adapters.dialogporten.end_user import Bearer, EndUserClient
from bridge.adapters.dialogporten.press import News, Pressed, press
from bridge.adapters.http.session import new_session
from bridge.cli.act import exit_code
from bridge.core.errors import Missing, Unreachable
from bridge.sandbox.core.ledger import How
from bridge.sandbox.in_process import BASE_URL, SandboxAdapter
from bridge.sandbox.world import World
from tests.sandbox.support import (
    PARTY,
    as_owner,
    created,
    dialogs_url,
    gui_action,
    information,
    make_world,
    session_into,
    texts,
)

DP = f"{BASE_URL}/dialogporten"
DONE = [
    {"op": "replace", "path": "/status", "value": "Completed"},
    {"op": "replace", "path": "/guiActions", "value": []},
    {"op": "add", "path": "/activities/-", "value": information("Sendt.")},
]


class Receiver(BaseAdapter):
    """Answers presses with what *does* gives: a status, a problem, or nothing at all."""

    def __init__(self, does: Callable[[], int | dict[str, Any] | None]) -> None:
        super().__init__()
        self.does, self.requests = does, list[PreparedRequest]()

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        self.requests.append(request)
        answer = self.does()
        if answer is None:
            raise RequestsConnectionError(ProtocolError("cut"), request=request)
        raw = HTTPResponse(
            body=io.BytesIO(b"" if isinstance(answer, int) else json.dumps(answer).encode()),
            status=answer if isinstance(answer, int) else answer["status"],
            headers={"Content-Type": "application/problem+json"},
            preload_content=False,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


class Taking(Receiver):
    """Takes presses on, and tells of the operation at *location*: each time the next of *tells*, the last for ever."""

    def __init__(
        self,
        does: Callable[[], int | dict[str, Any] | None],
        *tells: Mapping[str, Any],
        location: str = "/operations/1",
    ) -> None:
        super().__init__(does)
        self.tells, self.location = list(tells), location

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        if request.method != "GET":
            answer = super().send(request)
            answer.headers["Location"] = self.location
            return answer
        self.requests.append(request)
        told = self.tells.pop(0) if len(self.tells) > 1 else self.tells[0]
        raw = HTTPResponse(
            body=io.BytesIO(json.dumps(told).encode()),
            status=200,
            headers={"Content-Type": "application/json"},
            preload_content=False,
        )
        return HTTPAdapter().build_response(request, raw)


UNDER_WAY = {"status": "underWay"}
ENDED = {"status": "finished", "outcome": "done"}
REFUSED = {"status": "finished", "outcome": "refused", "problem": {"title": "Skjemaet har feil", "detail": "Rett det."}}


class Time:
    """Passes at once where the client sleeps; what shall happen meanwhile is a plan by the second."""

    def __init__(self, **plan: Callable[[], object]) -> None:
        self.seconds, self.slept = 0.0, list[float]()
        self.plan = {float(at.removeprefix("at_")): does for at, does in plan.items()}

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        for at in [each for each in self.plan if each <= self.seconds]:
            self.plan.pop(at)()


def changed(world: World, dialog_id: str) -> Callable[[], int]:
    def change() -> int:
        assert as_owner(world).patch(dialogs_url(dialog_id), json=DONE).status_code == 204
        return 204

    return change


def client(world: World, receiver: Receiver) -> EndUserClient:
    token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY}).json()["token"]
    session = new_session(pool=2, mounts={"http://": SandboxAdapter(world), "https://bro.example.no": receiver})
    return EndUserClient(session, DP, auth=Bearer(token), clock=world.clock)


def pressed(world: World, dialog_id: str, receiver: Receiver, passing: Time | None = None) -> Pressed:
    user, passing = client(world, receiver), passing or Time()
    seen = user.read(UUID(dialog_id))
    return press(user, seen, seen.buttons[0], sleep=passing.sleep, now=passing)


def deaf(world: World) -> None:
    """No stream can be had."""
    world.faults.plan(How(status=502), system="dialogporten", path="/graphql/stream")


def test_the_event_ends_the_waiting() -> None:
    """Subscribed before the press, and told what is another afterwards."""
    world = make_world()
    dialog_id = created(as_owner(world))
    receiver = Receiver(changed(world, dialog_id))

    outcome = pressed(world, dialog_id, receiver)

    assert (outcome.status, outcome.news, outcome.changed) == (204, News.EVENT, True)
    assert outcome.after is not None
    assert (outcome.before.status, outcome.after.status) == ("RequiresAttention", "Completed")
    assert [each.type for each in outcome.after.events] == ["Information"]


def test_a_press_is_what_a_browser_sends() -> None:
    """The dialog token that came with the read, no body, no content type, no cookies."""
    world = make_world()
    dialog_id = created(as_owner(world))
    receiver = Receiver(changed(world, dialog_id))

    outcome = pressed(world, dialog_id, receiver)

    [request] = receiver.requests
    assert request.headers["Authorization"] == f"Bearer {outcome.before.token}"
    assert (request.method, request.body) == ("POST", None)
    assert not {"Content-Type", "Cookie"} & set(request.headers)


def test_without_a_stream_the_dialog_is_polled() -> None:
    """At most once a second, until it is another."""
    world = make_world()
    dialog_id = created(as_owner(world))
    deaf(world)
    passing = Time(at_3=changed(world, dialog_id))

    outcome = pressed(world, dialog_id, Receiver(lambda: 202), passing)

    assert (outcome.news, outcome.seconds, passing.slept) == (News.POLL, 3.0, [1.0, 1.0, 1.0])


def test_a_204_is_read_at_once() -> None:
    """Without a stream there is nothing to wait for."""
    world = make_world()
    dialog_id = created(as_owner(world))
    deaf(world)
    passing = Time()

    outcome = pressed(world, dialog_id, Receiver(changed(world, dialog_id)), passing)

    assert (outcome.news, passing.slept) == (News.POLL, [])


def test_waiting_ends_after_ten_seconds() -> None:
    """Nothing is claimed about the action then."""
    world = make_world()
    dialog_id = created(as_owner(world))
    deaf(world)

    outcome = pressed(world, dialog_id, Receiver(lambda: 202))

    assert (outcome.status, outcome.news, outcome.seconds, outcome.changed) == (202, News.NONE, 10.0, False)


def test_a_lost_event_is_found_by_reading() -> None:
    """The stream is open and silent; the dialog is read once a second all the same."""
    world = make_world()
    dialog_id = created(as_owner(world))
    world.faults.plan(How(internal="lose_event"), system="dialogporten", times=None)

    outcome = pressed(world, dialog_id, Receiver(changed(world, dialog_id)))

    assert (outcome.news, outcome.changed) == (News.POLL, True)


def test_a_refusal_is_an_outcome() -> None:
    """With the receiver's own words, and without waiting."""
    world = make_world()
    dialog_id = created(as_owner(world))
    problem = {"status": 422, "title": "Skjemaet har feil", "detail": "Rett dem."}
    passing = Time()

    outcome = pressed(world, dialog_id, Receiver(lambda: problem), passing)

    assert (outcome.refused, outcome.problem, passing.slept) == (True, problem, [])


def test_no_answer_is_judged_by_the_dialog() -> None:
    """The press may have arrived."""
    world = make_world()
    dialog_id = created(as_owner(world))
    change = changed(world, dialog_id)

    def lost() -> None:
        change()

    outcome = pressed(world, dialog_id, Receiver(lost))

    assert (outcome.status, outcome.changed, outcome.news) == (None, True, News.EVENT)


def test_a_dialog_that_goes_away_has_changed() -> None:
    """A delete action ends in 410."""
    world = make_world()
    dialog_id = created(as_owner(world))

    def deletes() -> int:
        as_owner(world).delete(dialogs_url(dialog_id))
        return 204

    outcome = pressed(world, dialog_id, Receiver(deletes))

    assert (outcome.after, outcome.changed) == (None, True)


def test_buttons_are_read_as_the_user_may_use_them() -> None:
    """API actions as well; what is masked is not authorized."""
    world = make_world()
    api = {"action": "write", "endpoints": [{"url": "https://bro.example.no/a/sign", "httpMethod": "PUT"}]}
    dialog_id = created(
        as_owner(world),
        guiActions=[gui_action(prompt=texts("Sikker?")), gui_action(action="sign", priority="Secondary")],
        apiActions=[api],
    )
    asked = {"party": PARTY, "actions": ["read", "write"]}
    token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json=asked).json()["token"]
    session = new_session(pool=1, mounts={"http://": SandboxAdapter(world)})
    user = EndUserClient(session, DP, auth=Bearer(token), clock=world.clock)

    buttons = user.read(UUID(dialog_id)).buttons

    assert [(each.method, each.authorized) for each in buttons] == [("POST", True), ("POST", False), ("PUT", True)]
    assert buttons[0].prompt == {"nb": "Sikker?"}
    assert buttons[2].name == "sign"


def test_another_dialog_than_was_asked_for_is_not_read() -> None:
    """Its token and its buttons are not this one's."""
    world = make_world()
    mine, other = created(as_owner(world)), created(as_owner(world))
    user = client(world, Receiver(lambda: 204))
    token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY}).json()["token"]
    url = f"{DP}/api/v1/enduser/dialogs/{other}"
    body = session_into(world).get(url, headers={"Authorization": f"Bearer {token}"}).text
    world.faults.plan(How(status=200, body=body), system="dialogporten", path=mine)

    with pytest.raises(Unreachable):
        user.read(UUID(mine))


def test_a_dialog_that_is_not_there_is_missing() -> None:
    """404, as for who may not see it."""
    world = make_world()

    with pytest.raises(Missing):
        client(world, Receiver(lambda: 204)).read(UUID("019cd767-5adc-7098-b6f6-75cc81e74ef5"))


class ChangesAtCall(Time):
    """Has something happen when the time is asked for the *nth* time."""

    def __init__(self, nth: int, does: Callable[[], object]) -> None:
        super().__init__()
        self.left, self.does = nth, does

    def __call__(self) -> float:
        self.left -= 1
        if not self.left:
            self.does()
        return super().__call__()


def test_somebody_elses_first_look_is_no_answer() -> None:
    """It fires an event and leaves the dialog as it was: the answer is still to come, and is waited for."""
    world = make_world()
    dialog_id = created(as_owner(world))

    def looked_at() -> int:
        asked = {"party": PARTY}
        token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json=asked).json()["token"]
        other = EndUserClient(
            new_session(pool=1, mounts={"http://": SandboxAdapter(world)}), DP, auth=Bearer(token), clock=world.clock
        )
        other.read(UUID(dialog_id))
        return 202

    # Asked for when the press leaves, before and after the first wait, and before the second.
    passing = ChangesAtCall(4, changed(world, dialog_id))
    outcome = pressed(world, dialog_id, Receiver(looked_at), passing)

    assert (outcome.news, outcome.changed, exit_code(outcome)) == (News.EVENT, True, 0)


def unreadable(world: World, dialog_id: str, status: int = 403, times: int | None = None) -> None:
    """The first read goes well; after the press it cannot be read any more."""
    path = f"/enduser/dialogs/{dialog_id}"
    world.faults.plan(How(status=status), system="dialogporten", method="GET", path=path, skip=1, times=times)


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize(
    ("receiver", "ends_with", "outcome_told"),
    [
        pytest.param(Receiver(lambda: 204), 0, None, id="done, says the answer"),
        pytest.param(Taking(lambda: 202, UNDER_WAY, ENDED), 0, "done", id="done, says the operation"),
        pytest.param(Taking(lambda: 202, REFUSED), 1, "refused", id="refused, says the operation"),
        pytest.param(Taking(lambda: 202, UNDER_WAY), 3, None, id="still under way"),
        pytest.param(Receiver(lambda: 202), 3, None, id="taken on, and nobody tells more"),
        pytest.param(Receiver(lambda: None), 4, None, id="no answer"),
    ],
)
def test_a_dialog_that_cannot_be_read_any_more_loses_no_outcome(
    receiver: Receiver, ends_with: int, outcome_told: str | None, status: int
) -> None:
    """The press may have taken the right to read with it: what is known of it is told, and the rest as not known."""
    world = make_world()
    dialog_id = created(as_owner(world))
    deaf(world)
    unreadable(world, dialog_id, status)

    outcome = pressed(world, dialog_id, receiver)

    assert str(status) in (outcome.unread or "")
    assert not outcome.changed
    assert exit_code(outcome) == ends_with
    assert (outcome.operation.outcome if outcome.operation else None) == outcome_told


def test_a_dialog_that_is_out_of_reach_for_a_moment_is_read_again() -> None:
    """What changed is told once it can be read."""
    world = make_world()
    dialog_id = created(as_owner(world))
    deaf(world)
    change = changed(world, dialog_id)
    unreadable(world, dialog_id, 500, times=1)

    def done() -> int:
        change()
        return 204

    outcome = pressed(world, dialog_id, Receiver(done))

    assert (outcome.unread, outcome.changed, outcome.news) == (None, True, News.POLL)


def test_a_refusal_that_comes_later_is_one() -> None:
    """The dialog changed, and the operation says that it was refused: that is no success."""
    world = make_world()
    dialog_id = created(as_owner(world))
    change = changed(world, dialog_id)

    def taken_on() -> int:
        change()
        return 202

    receiver = Taking(taken_on, UNDER_WAY, REFUSED)
    outcome = pressed(world, dialog_id, receiver)

    assert (outcome.status, outcome.changed, exit_code(outcome)) == (202, True, 1)
    assert outcome.operation is not None
    assert outcome.operation.problem == REFUSED["problem"]
    assert {each.headers["Authorization"] for each in receiver.requests} == {f"Bearer {outcome.before.token}"}


def test_the_token_goes_to_the_receiver_alone() -> None:
    """An operation that is told elsewhere is not asked for."""
    world = make_world()
    dialog_id = created(as_owner(world))
    deaf(world)
    receiver = Taking(lambda: 202, ENDED, location="https://other.example.no/operations/1")

    outcome = pressed(world, dialog_id, receiver)

    assert (outcome.operation, len(receiver.requests), exit_code(outcome)) == (None, 1, 3)
