"""The Dialogporten client against the sandbox, and against errors as Dialogporten words them."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from requests.auth import AuthBase

from bridge.adapters.dialogporten.owner import DialogportenClient
from bridge.adapters.http.session import RenewableAuth, new_session
from bridge.core.dialog_merge import merge
from bridge.core.dialogs import (
    SERVICE_OWNER,
    Activity,
    DialogChange,
    activity_to_json,
    element_reference,
    party_representative,
)
from bridge.core.errors import (
    Conflict,
    CredentialsRefused,
    Missing,
    OutcomeUnknown,
    Rejected,
    Unreachable,
    UpstreamError,
)
from bridge.core.ids import derived_id
from bridge.sandbox.core import identities
from bridge.sandbox.core.ledger import How
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import SandboxAdapter
from bridge.sandbox.world import World

HOST = "http://sandbox.test"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DIALOG_ID = UUID("0194fe82-9280-77a5-a7cd-5ff0e6a6fa07")
REVISION = "6f1b0f0e-6a5c-4f35-9b7d-0d6a5c4f359b"
OURS = f"https://bridge.example.no/actions/{DIALOG_ID}/"
ACTIVITY = Activity(
    id=derived_id(START, "operation-1", "activity", "done"),
    type="Information",
    created_at=START,
    performed_by=SERVICE_OWNER,
    description={"nb": "Noe skjedde.", "nn": "Noko hende.", "en": "Something happened."},
)


@dataclass
class Tokens(RenewableAuth):
    """Gives its tokens in turn; one that was refused is not given again."""

    left: list[str]

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.left[0]}"
        request.register_hook("response", self._refused)
        return request

    def _refused(self, response: requests.Response, *_: object, **__: object) -> None:
        if response.status_code == 401:
            del self.left[0]


class Slow(SandboxAdapter):
    """Takes its time by a clock of its own."""

    def __init__(self, world: World, seconds: float) -> None:
        super().__init__(world)
        self.seconds, self.elapsed = seconds, 0.0

    def send(self, *args: Any, **about: Any) -> requests.Response:
        """Answer, so much later."""
        self.elapsed += self.seconds
        return super().send(*args, **about)


@dataclass
class Bench:
    """A sandbox whose clock is turned by hand, and a service owner's client with one dialog."""

    now: datetime = START
    world: World = field(init=False)
    client: DialogportenClient = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(lambda: self.now, sleep=lambda _: None)
        self.session = new_session(pool=1, mounts={HOST: SandboxAdapter(self.world)})
        self.client = self.client_of(Tokens([self.token()]))

    def token(self, number: str = "", **claims: Any) -> str:
        """Give a Maskinporten token of an organisation, our own by default."""
        claims = {
            "scope": "digdir:dialogporten.serviceprovider",
            "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{number or self.world.owner.number}"},
            **claims,
        }
        return issue(self.world, HOST, "maskinporten", claims, lifetime=3600)

    def client_of(self, auth: AuthBase | None) -> DialogportenClient:
        return DialogportenClient(self.session, f"{HOST}/dialogporten", auth=auth, clock=lambda: self.now)

    def create(self, **members: object) -> None:
        """Put the dialog in place, over HTTP as its service owner does."""
        body = {
            "id": str(DIALOG_ID),
            "serviceResource": "urn:altinn:resource:bli-tjenesteeier",
            "party": f"{identities.ORGANISATION}{self.world.new_organisation().number}",
            "status": "Draft",
            "content": {"title": _content("Bli tjenesteeier"), "summary": _content("Skjemaet må sendes inn.")},
            "guiActions": [_button("submit", "Primary"), _button("save", "Secondary")],
            "serviceOwnerContext": {"serviceOwnerLabels": [{"value": "urn:altinn:integration:a2:message:a5900001"}]},
            **members,
        }
        answer = self.session.post(
            f"{HOST}/dialogporten/api/v1/serviceowner/dialogs",
            json=body,
            headers={"Authorization": f"Bearer {self.token()}"},
        )
        assert answer.status_code == 201, answer.text
        self.world.calls.clear()

    def answers(
        self, status: int, body: str = "", *, headers: Mapping[str, str] | None = None, times: int | None = None
    ) -> None:
        """Have the next calls answered with these bytes, whatever was asked."""
        kind = {"Content-Type": "application/problem+json; charset=utf-8"}
        self.world.faults.plan(How(status=status, body=body, headers={**kind, **(headers or {})}), times=times)

    @property
    def shown(self) -> Mapping[str, Any]:
        """The dialog as it stands, with its revision."""
        dialog = self.world.dialogporten.find(str(DIALOG_ID))
        assert dialog is not None
        return {**dialog.body, "revision": dialog.revision, "updatedAt": dialog.updated_at}


def _content(text: str) -> dict[str, object]:
    return {"value": [{"languageCode": "nb", "value": text}], "mediaType": "text/plain"}


def _button(name: str, priority: str) -> dict[str, object]:
    title = [{"languageCode": "nb", "value": name}]
    return {"action": "write", "url": f"{OURS}{name}", "httpMethod": "POST", "priority": priority, "title": title}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_dialog_is_read(bench: Bench) -> None:
    """What Dialogporten holds, with the revision that a change must name."""
    bench.create()

    dialog = bench.client.get(DIALOG_ID)

    assert (dialog.id, dialog.status, dialog.revision) == (DIALOG_ID, "Draft", bench.shown["revision"])
    assert [action.url for action in dialog.gui_actions] == [f"{OURS}submit", f"{OURS}save"]
    assert element_reference(dialog) == "a5900001"


def test_another_dialog_than_was_asked_for_is_not_read(bench: Bench) -> None:
    """Nothing of it is used; asked again, the answer may be the right one."""
    bench.create()
    body = {"id": "0194fe82-9280-77a5-a7cd-5ff0e6a6fa08", "serviceResource": "urn:altinn:resource:x", "party": "p"}
    bench.answers(200, json.dumps({**body, "status": "Draft", "revision": REVISION}), times=1)

    with pytest.raises(Unreachable):
        bench.client.get(DIALOG_ID)

    assert bench.client.get(DIALOG_ID).id == DIALOG_ID


def test_the_header_tells_the_revision(bench: Bench) -> None:
    """Where the body has no revision, the header has."""
    body = {"id": str(DIALOG_ID), "serviceResource": "urn:altinn:resource:x", "party": "p", "status": "Draft"}
    bench.answers(200, json.dumps(body), headers={"ETag": f'W/"{REVISION.upper()}"'})

    assert bench.client.get(DIALOG_ID).revision == REVISION


def test_a_deleted_dialog_says_so(bench: Bench) -> None:
    """Its service owner can still read it, and must see that it is deleted."""
    bench.create()
    bench.session.delete(
        f"{HOST}/dialogporten/api/v1/serviceowner/dialogs/{DIALOG_ID}",
        headers={"Authorization": f"Bearer {bench.token()}"},
    )

    assert bench.client.get(DIALOG_ID).deleted_at == START


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param("", Unreachable, id="nothing"),
        pytest.param("[]", Unreachable, id="a list"),
        pytest.param("<html>", Unreachable, id="a page"),
        pytest.param("{}", Rejected, id="no dialog"),
        pytest.param(json.dumps({"id": "hemmelig"}), Rejected, id="no id"),
    ],
)
def test_other_things_are_no_dialogs(bench: Bench, body: str, error: type[UpstreamError]) -> None:
    """What cannot be read is an error without its content."""
    bench.answers(200, body)

    with pytest.raises(error) as caught:
        bench.client.get(DIALOG_ID)

    assert "hemmelig" not in str(caught.value)
    assert caught.value.__cause__ is None


CHANGE = DialogChange(status="Completed", remove_actions=frozenset({"submit"}), activities=(ACTIVITY,), silent=True)


def test_a_patch_does_what_was_computed(bench: Bench) -> None:
    """Status, button and activity change in one call, and the new revision is told."""
    bench.create()
    dialog = bench.client.get(DIALOG_ID)

    revision = bench.client.patch(
        DIALOG_ID, merge(dialog, CHANGE).operations, revision=dialog.revision, silent=CHANGE.silent
    )

    shown = bench.shown
    assert (shown["status"], shown["revision"]) == ("Completed", revision)
    assert [action["url"] for action in shown["guiActions"]] == [f"{OURS}save"]
    assert [activity["id"] for activity in shown["activities"]] == [str(ACTIVITY.id)]
    assert merge(bench.client.get(DIALOG_ID), CHANGE).operations == ()


@pytest.mark.parametrize(("silent", "query"), [(True, {"isSilentUpdate": "true"}), (False, {})])
def test_silence_is_asked_for(bench: Bench, silent: bool, query: Mapping[str, str]) -> None:
    """Silent says so on the wire and leaves the time of the last update; otherwise nothing is said."""
    bench.create()
    before = bench.shown
    bench.now += timedelta(minutes=1)
    operations = [{"op": "replace", "path": "/status", "value": "Completed"}]

    bench.client.patch(DIALOG_ID, operations, revision=before["revision"], silent=silent)

    assert [call.query for call in bench.world.calls.all()] == [query]
    assert (bench.shown["updatedAt"] == before["updatedAt"]) is silent


def test_no_difference_is_told(bench: Bench) -> None:
    """Dialogporten answers a patch that changes nothing with the old revision, and wakes nobody."""
    bench.create()
    operations = [{"op": "replace", "path": "/status", "value": "Draft"}]

    revision = bench.client.patch(DIALOG_ID, operations, revision=bench.shown["revision"], silent=True)

    assert revision is None


def test_no_operations_are_not_sent(bench: Bench) -> None:
    """A sync that changes nothing writes nothing."""
    assert bench.client.patch(DIALOG_ID, (), revision=REVISION, silent=True) is None
    assert bench.world.calls.all() == ()


def test_an_answer_without_revision_is_unknown(bench: Bench) -> None:
    """Without the revision nobody can tell whether anything changed; reading back can."""
    bench.answers(204)

    with pytest.raises(OutcomeUnknown):
        bench.client.patch(DIALOG_ID, [{"op": "add"}], revision=REVISION, silent=True)


def test_a_lost_race_is_a_conflict(bench: Bench) -> None:
    """A change that was computed from an older read is refused, and the dialog stays."""
    bench.create()
    dialog = bench.client.get(DIALOG_ID)
    bench.client.add_activity(DIALOG_ID, ACTIVITY, revision=dialog.revision, silent=True)
    before = bench.shown

    with pytest.raises(Conflict):
        bench.client.patch(
            DIALOG_ID, merge(dialog, replace(CHANGE, activities=())).operations, revision=dialog.revision, silent=True
        )

    assert bench.shown == before


MEETING = {
    "activity": lambda client: client.add_activity(DIALOG_ID, ACTIVITY, revision=None, silent=True),
    "label": lambda client: client.add_label(DIALOG_ID, "urn:altinn:integration:a2:message:a5900002"),
    "restore": lambda client: client.restore(DIALOG_ID),
}


@pytest.mark.parametrize("write", MEETING.values(), ids=MEETING)
def test_what_meets_other_writers_takes_its_turn(bench: Bench, write: Callable[[DialogportenClient], None]) -> None:
    """Of eight that meet each has been let through after eight turns; what others wrote makes no difference to it."""
    bench.create()
    bench.world.faults.plan(How(internal="concurrent_change"), times=7)

    write(bench.client)

    assert [each.status for each in bench.world.calls.all("dialogporten")] == [409] * 7 + [
        201 if write is MEETING["activity"] else 204
    ]
    bench.world.faults.plan(How(internal="concurrent_change"), times=8)
    with pytest.raises(Conflict):
        write(bench.client)


@pytest.mark.parametrize(("seconds", "calls"), [(3.0, 8), (8.0, 3), (16.0, 1)])
def test_all_turns_share_one_deadline(bench: Bench, seconds: float, calls: int) -> None:
    """And none is begun that it might cut short: a conflict is told, and no unknown outcome."""
    bench.create()
    slow = Slow(bench.world, seconds)
    client = DialogportenClient(
        new_session(pool=1, mounts={HOST: slow}),
        f"{HOST}/dialogporten",
        auth=Tokens([bench.token()]),
        clock=lambda: bench.now,
        timeout=30.0,
        monotonic=lambda: slow.elapsed,
    )
    bench.world.faults.plan(How(internal="concurrent_change"), times=8)

    with pytest.raises(Conflict):
        client.restore(DIALOG_ID)

    assert [each.status for each in bench.world.calls.all("dialogporten")] == [409] * calls


def test_what_depends_on_a_revision_is_computed_again(bench: Bench) -> None:
    """One try, since the dialog is another one by now."""
    bench.create()
    revision = bench.shown["revision"]
    bench.world.faults.plan(How(internal="concurrent_change"))

    with pytest.raises(Conflict):
        bench.client.add_activity(DIALOG_ID, ACTIVITY, revision=revision, silent=True)

    assert [each.status for each in bench.world.calls.all("dialogporten")] == [412]


def test_an_activity_is_added_once(bench: Bench) -> None:
    """The same id again means that the first attempt got through, by either call."""
    bench.create()
    bench.client.add_activity(DIALOG_ID, ACTIVITY, revision=None, silent=True)

    with pytest.raises(Rejected) as added:
        bench.client.add_activity(DIALOG_ID, ACTIVITY, revision=None, silent=True)
    with pytest.raises(Rejected) as patched:
        bench.client.patch(
            DIALOG_ID,
            [{"op": "add", "path": "/activities/-", "value": activity_to_json(ACTIVITY)}],
            revision=bench.shown["revision"],
            silent=True,
        )

    assert (added.value.reason, patched.value.reason) == ("already_exists", "already_exists")
    assert len(bench.shown["activities"]) == 1


def test_a_person_may_have_acted(bench: Bench) -> None:
    """A party's representative goes by id, and Dialogporten finds the name."""
    bench.create()
    person = f"{identities.PERSON}{bench.world.new_person()}"
    activity = replace(ACTIVITY, type="FormSubmitted", performed_by=party_representative(person), description={})

    bench.client.add_activity(DIALOG_ID, activity, revision=None, silent=True)

    assert [each["performedBy"]["actorId"] for each in bench.shown["activities"]] == [person]


def test_a_failed_name_lookup_is_named(bench: Bench) -> None:
    """It fails the whole write, may go better later, and names nobody here."""
    bench.create()
    bench.world.change_switches(name_lookup_fails=True)
    person = f"{identities.PERSON}{bench.world.new_person()}"
    activity = replace(ACTIVITY, type="FormSubmitted", performed_by=party_representative(person), description={})

    with pytest.raises(Rejected) as caught:
        bench.client.add_activity(DIALOG_ID, activity, revision=None, silent=True)

    assert caught.value.reason == "name_lookup_failed"
    assert person not in str(caught.value)


def test_a_frozen_dialog_is_named(bench: Bench) -> None:
    """A dialog that Altinn protects is told from one that we may not change."""
    bench.create()
    bench.world.dialogporten.freeze(str(DIALOG_ID))

    with pytest.raises(Rejected) as caught:
        bench.client.add_activity(DIALOG_ID, ACTIVITY, revision=None, silent=True)

    assert caught.value.reason == "frozen"


def test_others_dialogs_are_not_there(bench: Bench) -> None:
    """Another service owner's dialog answers as none."""
    bench.create()
    other = bench.client_of(Tokens([bench.token(bench.world.new_organisation().number)]))

    with pytest.raises(Missing) as caught:
        other.get(DIALOG_ID)

    assert caught.value.reason == "not_found"


def test_a_deleted_dialog_takes_no_change(bench: Bench) -> None:
    """A dialog in the bin for good is told from one that never was."""
    bench.create()
    revision = bench.shown["revision"]
    bench.session.delete(
        f"{HOST}/dialogporten/api/v1/serviceowner/dialogs/{DIALOG_ID}",
        headers={"Authorization": f"Bearer {bench.token()}"},
    )

    with pytest.raises(Missing) as caught:
        bench.client.patch(
            DIALOG_ID, [{"op": "replace", "path": "/status", "value": "Completed"}], revision=revision, silent=True
        )

    assert caught.value.reason == "deleted"


def test_a_refused_token_is_renewed_once(bench: Bench) -> None:
    """A token that ran out early costs one more call and nothing else."""
    bench.create()
    tokens = Tokens(["expired", bench.token()])

    bench.client_of(tokens).add_activity(DIALOG_ID, ACTIVITY, revision=None, silent=True)

    assert [call.status for call in bench.world.calls.all()] == [401, 201]
    assert len(bench.shown["activities"]) == 1


def test_a_second_refusal_ends_it(bench: Bench) -> None:
    """Dialogporten that refuses every token is not asked for ever."""
    bench.create()

    with pytest.raises(CredentialsRefused) as caught:
        bench.client_of(Tokens(["expired", "expired", bench.token()])).get(DIALOG_ID)

    assert caught.value.reason == "not_authenticated"
    assert len(bench.world.calls.all()) == 2


def test_a_lost_answer_is_an_unknown_outcome(bench: Bench) -> None:
    """The change took effect and the connection broke: only reading back tells."""
    bench.create()
    bench.world.faults.plan(How(cut="after"), method="POST", path="activities$")

    with pytest.raises(OutcomeUnknown):
        bench.client.add_activity(DIALOG_ID, ACTIVITY, revision=None, silent=True)

    assert ACTIVITY.id in bench.client.get(DIALOG_ID).activity_ids


def _errors(**errors: list[str]) -> str:
    return json.dumps({"title": "x", "status": 0, "errors": errors})


@pytest.mark.parametrize(
    ("status", "body", "reading", "writing", "code"),
    [
        pytest.param(302, "", Unreachable, Unreachable, None, id="redirect"),
        pytest.param(400, _errors(), Rejected, Rejected, "invalid", id="invalid"),
        pytest.param(401, "", CredentialsRefused, CredentialsRefused, "not_authenticated", id="no token"),
        pytest.param(403, "", CredentialsRefused, CredentialsRefused, "scope_missing", id="no scope"),
        pytest.param(403, _errors(Forbidden=["Not yours."]), Rejected, Rejected, "forbidden", id="not owned"),
        pytest.param(404, "", Missing, Missing, "not_found", id="nothing there"),
        pytest.param(408, "", Unreachable, OutcomeUnknown, None, id="timeout"),
        pytest.param(409, _errors(**{"": ["Busy."]}), Conflict, Conflict, "conflict", id="lost race"),
        pytest.param(409, "", Conflict, Conflict, "conflict", id="conflict without words"),
        pytest.param(410, "", Missing, Missing, "deleted", id="deleted"),
        pytest.param(412, "", Conflict, Conflict, "conflict", id="other revision"),
        pytest.param(413, "", Rejected, Rejected, "too_large", id="too large"),
        pytest.param(415, "", Rejected, Rejected, "rejected", id="anything else"),
        pytest.param(
            422,
            _errors(**{"activity.performedBy.ActorId": ["Unable to look up name"]}),
            Rejected,
            Rejected,
            "name_lookup_failed",
            id="name look-up under a longer key",
        ),
        pytest.param(
            422,
            _errors(DialogActivity=["(1) already exists."], DueAt=["Must be in the future"]),
            Rejected,
            Rejected,
            "unprocessable",
            id="there already, and more",
        ),
        pytest.param(429, "", Unreachable, Unreachable, None, id="too many"),
        pytest.param(500, "", Unreachable, OutcomeUnknown, None, id="broken"),
        pytest.param(502, "", Unreachable, OutcomeUnknown, None, id="broken behind it"),
        pytest.param(503, "Service Unavailable", Unreachable, Unreachable, None, id="maintenance"),
        pytest.param(504, "", Unreachable, OutcomeUnknown, None, id="gateway timeout"),
    ],
)
def test_each_answer_says_what_next(
    bench: Bench,
    status: int,
    body: str,
    reading: type[UpstreamError],
    writing: type[UpstreamError],
    code: str | None,
) -> None:
    """Status and keys decide whether to repeat, to read again, or to give up."""
    bench.answers(status, body)
    client = bench.client_of(None)

    with pytest.raises(UpstreamError) as read:
        client.get(DIALOG_ID)
    with pytest.raises(UpstreamError) as written:
        client.add_activity(DIALOG_ID, ACTIVITY, revision=None, silent=True)

    assert (type(read.value), type(written.value)) == (reading, writing)
    assert [getattr(error, "reason", None) for error in (read.value, written.value)] == [code, code]


def test_waiting_time_is_passed_on(bench: Bench) -> None:
    """Maintenance names the moment when it is over."""
    bench.answers(503, "Service Unavailable", headers={"Retry-After": "Mon, 02 Mar 2026 09:05:00 GMT"})

    with pytest.raises(Unreachable) as caught:
        bench.client.patch(DIALOG_ID, [{"op": "add"}], revision=REVISION, silent=True)

    assert caught.value.retry_after == timedelta(minutes=5)


@pytest.mark.parametrize("wrapped", [True, False], ids=["problem", "plain dictionary"])
def test_only_keys_are_told(bench: Bench, wrapped: bool) -> None:
    """Texts may quote what was sent, and so may odd keys; the operator sees where it went wrong."""
    errors = {"dto.guiActions[0].url": ["hemmelig"], "hemmelig verdi": ["x"]}
    bench.answers(400, json.dumps({"title": "hemmelig", "errors": errors} if wrapped else errors))

    with pytest.raises(Rejected) as caught:
        bench.client.patch(DIALOG_ID, [{"op": "add"}], revision=REVISION, silent=True)

    assert caught.value.keys == ("dto.guiActions[0].url",)
    assert "hemmelig" not in f"{caught.value} {caught.value!r}"
    assert "dto.guiActions[0].url" in str(caught.value)


# Contract: upstream's own snapshots

SNAPSHOTS = Path(__file__).parents[2] / ".." / "shared" / "contracts" / "dialogporten" / "upstream-snapshots"
contract = pytest.mark.contract

ERRORS: Mapping[str, tuple[type[UpstreamError], str]] = {
    "400": (Rejected, "invalid"),
    "403": (Rejected, "forbidden"),
    "404": (Missing, "not_found"),
    "409": (Rejected, "already_exists"),
    "410": (Missing, "deleted"),
    "412": (Conflict, "conflict"),
    "413": (Rejected, "too_large"),
    "422": (Rejected, "already_exists"),
}


def _snapshots(folder: str, pattern: str) -> list[Path]:
    if not SNAPSHOTS.is_dir():
        if not os.environ.get("CI"):
            pytest.skip("the folder shared is not beside the checkout")
        raise FileNotFoundError(SNAPSHOTS)
    found = sorted((SNAPSHOTS / folder).glob(pattern))
    assert found
    return found


@contract
def test_snapshot_errors_are_told_apart(bench: Bench) -> None:
    """Every error that upstream approved gets its class and reason, and none of its values gets out."""
    for path in _snapshots("errors", "*.json"):
        body = path.read_text("utf-8-sig")
        problem = json.loads(body)
        bench.world.faults.clear()
        bench.answers(problem["status"], body)

        with pytest.raises(UpstreamError) as caught:
            bench.client.patch(DIALOG_ID, [{"op": "add"}], revision=REVISION, silent=True)

        error, code = ERRORS[path.name.partition(".")[2][:3]]
        assert (type(caught.value), getattr(caught.value, "reason", None)) == (error, code), path.name
        assert getattr(caught.value, "keys", None) == tuple(problem.get("errors", ())), path.name
        texts = [text for texts in problem.get("errors", {}).values() for text in texts]
        assert not any(text in str(caught.value) for text in texts), path.name


@contract
def test_snapshot_dialogs_are_read(bench: Bench) -> None:
    """Every dialog that upstream approved is read, with all its actions, labels and activities."""
    for path in _snapshots("bodies", "serviceowner.*Dialog*Snapshot.json"):
        body = path.read_text("utf-8")
        shown = json.loads(body.removeprefix("\ufeff"))
        bench.world.faults.clear()
        bench.answers(200, body)

        dialog = bench.client.get(UUID(shown["id"]))

        assert (dialog.status, dialog.revision) == (shown["status"], shown["revision"]), path.name
        assert [action.raw for action in dialog.gui_actions] == shown["guiActions"], path.name
        assert [action.raw for action in dialog.api_actions] == shown["apiActions"], path.name
        assert [endpoint.raw for action in dialog.api_actions for endpoint in action.endpoints] == [
            endpoint for action in shown["apiActions"] for endpoint in action["endpoints"]
        ], path.name
        assert {str(each) for each in dialog.activity_ids} == {each["id"] for each in shown["activities"]}, path.name
        labels = shown["serviceOwnerContext"]["serviceOwnerLabels"]
        assert list(dialog.labels) == [label["value"] for label in labels], path.name
