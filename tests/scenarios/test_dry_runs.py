"""
A dry run among drafts plans for real: what it says, the real run after it does, whatever others did to the dialog.

Each example puts an element and its dialog into some state, plans, then runs, and holds the calls that the real run
made against the plan.
"""

import json
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.adapters.altinn2.orders import ElementKey
from bridge.adapters.dialogporten.owner import DialogportenClient
from bridge.parts import Bridge
from bridge.sandbox.in_process import SandboxAdapter
from bridge.steps.batch.draft_dialogs import plan_make
from bridge.steps.batch.draft_following import FollowPlan, plan_follow
from bridge.steps.batch.draft_report import DraftOutcome
from bridge.storage.drafts import Drafts
from tests.scenarios.dialog_mapping import saying
from tests.scenarios.stage import BASE, ORGANISATION, RESOURCE, Case, Stage
from tests.scenarios.test_drafts import LABEL, case_of, draft, element, put_of, run, unfinished
from tests.scenarios.test_ladder import FROZEN

SERVICE = {"signing_steps": 1}
NEW_LABEL = "urn:kommune:ny"
Deed = Callable[[Stage, Case], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """One call that writes to a dialog, or tries; *path* is below the dialog's own address."""

    method: str
    path: str
    body: Any = None
    revision: str | None = None


class Recorder(SandboxAdapter):
    """Notes what a client sends that is no read."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.world, BASE)
        self.sent: list[Sent] = []

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        if request.method != "GET":
            path = str(request.url).partition("/serviceowner/dialogs")[2].partition("?")[0]
            body = None if request.body is None else json.loads(request.body)
            self.sent.append(Sent(str(request.method), path, body, request.headers.get("If-Match")))
        return super().send(request, *arguments, **options)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        made = saying(Path(name))
        yield made
        made.stop()


@pytest.fixture(scope="module")
def recorder(stage: Stage) -> Recorder:
    return Recorder(stage)


@pytest.fixture(scope="module")
def bridge(stage: Stage, recorder: Recorder) -> Bridge:
    """The stage's, whose every write to Dialogporten is noted."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", recorder)
    base, auth = f"{BASE}/dialogporten", stage.bridge.dialogporten._auth
    client = DialogportenClient(session, base, auth=auth, clock=stage.bridge.clock)
    return replace(stage.bridge, dialogporten=client)


def at_one_moment(bridge: Bridge) -> Bridge:
    """The same while no time passes, so that a plan and its run have the same moments."""
    now = datetime.now(UTC)
    return replace(bridge, clock=lambda: now)


# What a real run sends


def calls_of(plan: FollowPlan, case: Case) -> list[Sent]:
    """The calls that carry *plan* out; what follows a restored dialog goes with a revision that nobody knows yet."""
    at = f"/{case.dialog_id}"
    calls = [Sent("POST", f"{at}/actions/restore")] if plan.restores else []
    update = plan.update
    if update is not None and update.operations:
        calls.append(Sent("PATCH", at, list(update.operations), None if plan.restores else update.revision))
    labels = () if update is None else update.labels
    calls += [Sent("POST", f"{at}/context/labels", {"value": each}) for each in labels]
    if plan.deletes is not None:
        calls.append(Sent("DELETE", at, None, None if plan.restores else plan.deletes))
    return calls


# What becomes of an element


def saved(stage: Stage, case: Case) -> None:
    """Once more as a draft: its dialog says the same."""
    stage.as_citizen("PUT", case, body=put_of(), complete="false", sign="false")


def sent_to_signing(stage: Stage, case: Case) -> None:
    stage.as_citizen("PUT", case, body=put_of(), complete="true", sign="false")


def sent(stage: Stage, case: Case) -> None:
    stage.as_citizen("PUT", case, body=put_of(), complete="true", sign="true")


def thrown_away(stage: Stage, case: Case) -> None:
    stage.as_citizen("DELETE", case)


def gone(stage: Stage, case: Case) -> None:
    del stage.world.altinn2._elements[case.message_id]


def thrown_away_and_back(stage: Stage, case: Case) -> None:
    """Its dialog was deleted by a run, and is restored by the next."""
    kept = stage.world.altinn2._elements[case.message_id]
    thrown_away(stage, case)
    run(stage, case.who)
    stage.world.altinn2._elements[case.message_id] = kept


def nothing(stage: Stage, case: Case) -> None:
    del stage, case


MOVES = (saved, sent_to_signing, sent, thrown_away, gone, thrown_away_and_back, nothing)


# What others do to a dialog


def words(stage: Stage, case: Case) -> None:
    text = {"value": [{"languageCode": "nb", "value": "Ring oss"}], "mediaType": "text/plain"}
    patch(stage, case, {"op": "replace", "path": "/content/summary", "value": text})


def status(stage: Stage, case: Case) -> None:
    patch(stage, case, {"op": "replace", "path": "/status", "value": "Awaiting"})


def no_room(stage: Stage, case: Case) -> None:
    """All buttons are others', as many as there may be."""
    title = [{"languageCode": "nb", "value": "Hjelp"}]
    priorities = ("Primary", "Secondary", *["Tertiary"] * 5)
    buttons = [
        {"action": "read", "url": f"https://other.example.no/{at}", "priority": each, "title": title}
        for at, each in enumerate(priorities)
    ]
    patch(stage, case, {"op": "replace", "path": "/guiActions", "value": buttons})


def button_away(stage: Stage, case: Case) -> None:
    patch(stage, case, {"op": "replace", "path": "/guiActions", "value": []})


def tag_away(stage: Stage, case: Case) -> None:
    patch(stage, case, {"op": "replace", "path": "/searchTags", "value": []})


def label_away(stage: Stage, case: Case) -> None:
    answer = stage.as_owner("DELETE", f"/{case.dialog_id}/context/labels/{LABEL}{case.message_id}")
    assert answer.status_code in (204, 404), answer.text  # As for ``patch``.


def deleted(stage: Stage, case: Case) -> None:
    assert stage.as_owner("DELETE", f"/{case.dialog_id}").status_code in (204, 410)


def purged(stage: Stage, case: Case) -> None:
    assert stage.as_owner("POST", f"/{case.dialog_id}/actions/purge").status_code == 204


def frozen(stage: Stage, case: Case) -> None:
    for method in ("PATCH", "DELETE"):
        stage.fault("dialogporten", method, str(case.dialog_id), status=403, times=None, body=FROZEN)


def pressed(stage: Stage, case: Case) -> None:
    """A write action is under way."""
    unfinished(stage, case)


OTHERS = (words, status, no_room, button_away, tag_away, label_away)
FATES = (nothing, deleted, purged, frozen, pressed)


def patch(stage: Stage, case: Case, operation: Mapping[str, Any]) -> None:
    answer = stage.as_owner("PATCH", f"/{case.dialog_id}", [operation])
    assert answer.status_code in (204, 410), answer.text  # One that a run deleted meanwhile stays as it is.


def with_news(bridge: Bridge) -> Bridge:
    """Its mapping has one more label and one more tag than when the dialog was made."""
    mapping = bridge.mappings[RESOURCE]
    dialog = replace(
        mapping.dialog, labels=(*mapping.dialog.labels, NEW_LABEL), search_tags=("servering", "uteservering")
    )
    return replace(bridge, mappings={**bridge.mappings, RESOURCE: replace(mapping, dialog=dialog)})


# The law


@dataclass(frozen=True, slots=True)
class Example:
    """What becomes of the element, then what others do to its dialog, and then what stands against any write."""

    move: Deed
    others: tuple[Deed, ...]
    fate: Deed
    news: bool

    def __str__(self) -> str:
        return " ".join([each.__name__ for each in (self.move, *self.others, self.fate)] + ["news"] * self.news)


def examples() -> Iterator[Example]:
    """Every move with every fate, and among them what others do, as chance has it."""
    chance = random.Random(7)
    for move, fate in product(MOVES, FATES):
        others = tuple(chance.sample(OTHERS, chance.randrange(4)))
        yield Example(move, others, fate, chance.random() < 0.5)


@pytest.mark.parametrize("example", list(examples()), ids=str)
def test_what_is_planned_is_what_a_real_run_does(
    stage: Stage, bridge: Bridge, recorder: Recorder, example: Example
) -> None:
    """The same outcome, and the very calls: methods, bodies, revisions, in their order."""
    who, message_id = element(stage, service=SERVICE)
    run(stage, who)
    case = case_of(stage, who, message_id)
    for each in (example.move, *example.others, example.fate):
        each(stage, case)
    at = at_one_moment(with_news(bridge) if example.news else bridge)
    before = recorder.sent.copy()

    with at.store.reading() as tx:
        link = tx.link(case.dialog_id)
    assert link is not None
    plan = plan_follow(at, draft(stage, message_id), link)
    planned, told = run(stage, who, dry=True, bridge=at)
    assert recorder.sent == before
    done, _ = run(stage, who, bridge=at)
    stage.control("DELETE", "/faults")

    made = [replace(each, revision=None) if plan.restores else each for each in recorder.sent[len(before) :]]
    intended = calls_of(plan, case)
    if example.fate is frozen:
        # That shows nowhere but in the answer to the first call that it forbids.
        intended = intended[: 1 + (plan.restores and len(intended) > 1)]
    assert made == intended
    assert [each.writes for each in told] == [plan.writes for _ in told]
    assert done == ({DraftOutcome.LEFT: 1} if example.fate is frozen and intended else planned)


# Dialogs that are made


def unknown(stage: Stage, who: str, message_id: str) -> None:
    """Nothing of it was begun."""
    del stage, who, message_id


def begun(stage: Stage, who: str, message_id: str) -> None:
    """A run has noted that it makes the dialog, and its call did not get through."""
    del message_id
    stage.fault("dialogporten", "POST", "/api/v1/serviceowner/dialogs", cut="before", times=1)
    run(stage, who)


def made_unheard(stage: Stage, who: str, message_id: str) -> None:
    """The call got through, and no answer came."""
    del message_id
    stage.fault("dialogporten", "POST", "/api/v1/serviceowner/dialogs", cut="after", times=1)
    run(stage, who)


def made_unheard_and_deleted(stage: Stage, who: str, message_id: str) -> None:
    made_unheard(stage, who, message_id)
    deleted(stage, case_of(stage, who, message_id))


def labelled(stage: Stage, who: str, message_id: str) -> None:
    """The agency's own dialog stands for it."""
    stage.dialog_for(message_id, who)


def thrown_away_unmade(stage: Stage, who: str, message_id: str) -> None:
    """Begun, and then in no list."""
    begun(stage, who, message_id)
    thrown_away(stage, case_of(stage, who, message_id))


BEGINNINGS = (unknown, begun, made_unheard, made_unheard_and_deleted, labelled, thrown_away_unmade)


@pytest.mark.parametrize("beginning", BEGINNINGS, ids=lambda each: each.__name__)
def test_what_is_planned_is_what_a_real_run_makes(
    stage: Stage, bridge: Bridge, recorder: Recorder, beginning: Callable[[Stage, str, str], None]
) -> None:
    """The same outcome, the dialog's id with it, and the body of the one call that makes something."""
    who, message_id = element(stage, service=SERVICE)
    beginning(stage, who, message_id)
    at = at_one_moment(bridge)
    before, kept = len(recorder.sent), stage.world.ledger.effects("dialogporten.create")

    planned, told = run(stage, who, dry=True, bridge=at)
    body = planned_body(at, who, message_id) if beginning in (unknown, begun) else None
    nothing_sent = recorder.sent[before:] == []
    done, said = run(stage, who, bridge=at)

    created = stage.world.ledger.effects("dialogporten.create")[len(kept) :]
    assert nothing_sent
    assert [replace(each, writes=()) for each in told] == list(said)
    assert planned == done
    assert [each.writes for each in told if each.writes] == [("create dialog",) for _ in created]
    assert body is None or recorder.sent[before:] == [Sent("POST", "", body)]


def planned_body(bridge: Bridge, who: str, message_id: str) -> Any:
    with bridge.store.reading() as tx:
        known = Drafts(tx).known([message_id]).get(message_id)
    found = bridge.altinn2.read(ElementKey(who=who, message_id=message_id), content=False)
    plan = plan_make(bridge, bridge.mappings[RESOURCE], found, party=f"{ORGANISATION}{who}", draft=known)
    return plan.body
