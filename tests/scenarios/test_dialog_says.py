"""What a dialog says after a press, by a mapping that says all of it; and dialogs that cannot be told."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.operations import Link, Operation, Outcome
from bridge.core.operations import Stage as Progress
from bridge.core.states import Subject, change_for_state
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.dialogporten.api import OWNER_SCOPE
from bridge.sandbox.dialogporten.model import Resource
from bridge.steps.batch.draft_report import DraftOutcome
from bridge.steps.dialog.deferred_activities import add_deferred_activities
from bridge.steps.dialog.update import apply, plan
from bridge.steps.operation.sync import sync
from bridge.storage.tables import operations as rows
from bridge.storage.tables import snapshots, unnamed
from tests.scenarios.dialog_mapping import PUBLIC, saying
from tests.scenarios.stage import BASE, FAULTY, RESOURCE, VALID, Case, Stage, until
from tests.scenarios.test_drafts import drafted, run


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        made = saying(Path(name))
        yield made
        made.stop()


def said(dialog: Any, name: str, language: str = "en") -> str:
    """One text of a dialog."""
    values = dialog["content"][name]["value"]
    return str(next(each["value"] for each in values if each["languageCode"] == language))


def test_the_mapping_gives_words_tags_and_receipt(stage: Stage) -> None:
    """One PATCH: status, words of then, state and dialog, tag, receipt with its reference and page."""
    case = stage.case()
    stage.world.calls.clear()

    answer = stage.press(case)

    dialog, archived = stage.dialog(case), str(stage.element(case)["archived_id"])
    assert answer.status_code == 204
    assert stage.writes(case) == ["PATCH"]
    assert (dialog["status"], dialog["extendedStatus"]) == ("Completed", "received")
    assert said(dialog, "title") == "Licence"
    assert said(dialog, "summary") == "With the municipality."
    assert said(dialog, "additionalInfo") == f"Ref AR{archived[1:]}"
    assert said(dialog, "extendedStatus") == "Submitted"
    assert {each["value"] for each in dialog["searchTags"]} == {"servering"}
    (receipt,) = dialog["transmissions"]
    assert (receipt["type"], receipt["externalReference"]) == ("Submission", f"AR{archived[1:]}")
    assert receipt["attachments"][0]["urls"][0]["url"] == f"https://www.altinn.no/arkiv/{archived}"
    assert receipt["sender"]["actorType"] == "PartyRepresentative"


def test_the_next_button_comes_with_the_state(stage: Stage) -> None:
    """Sent to signing: what fills in goes, what signs comes, beside the other's."""
    case = stage.case(service={"signing_steps": 1})
    token, gui = stage.token(case), stage.dialog(case)["guiActions"]
    mine = [{"op": "remove", "path": f"/guiActions/{at}"} for at in reversed(range(len(gui) - 1))]
    assert stage.as_owner("PATCH", f"/{case.dialog_id}", mine).status_code == 204

    assert stage.press(case, "send-to-signing", token=token).status_code == 204

    dialog = stage.dialog(case)
    shown = {each["url"]: each for each in dialog["guiActions"]}
    button = shown[f"{PUBLIC}/actions/{case.dialog_id}/sign"]
    assert {each["value"] for each in button["prompt"]} == {"Nå?", "No?", "Now?"}
    assert "https://other.example.no/help" in shown
    assert said(dialog, "summary") == "To be signed."


def without_buttons(stage: Stage, case: Case) -> str:
    """Take away what a dialog offers, and give a token that was issued before."""
    token, gui = stage.token(case), stage.dialog(case)["guiActions"]
    away = [{"op": "remove", "path": f"/guiActions/{at}"} for at in reversed(range(len(gui)))]
    assert stage.as_owner("PATCH", f"/{case.dialog_id}", away).status_code == 204
    return token


def shown(stage: Stage, case: Case) -> list[str]:
    """The bridge's buttons on a dialog, by the names of their actions."""
    urls = [each["url"] for each in stage.dialog(case)["guiActions"]]
    return [each.rpartition("/")[2] for each in urls if str(case.dialog_id) in each]


def test_after_a_failure_there_is_what_can_be_done(stage: Stage) -> None:
    """The form has faults, the buttons were gone: those that the state allows are there, with a line of history."""
    case = stage.case(FAULTY)
    token = without_buttons(stage, case)

    answer = stage.press(case, token=token)

    assert answer.status_code == 422
    assert sorted(shown(stage, case)) == ["send-to-signing", "submit"]
    assert stage.activities(case) == ["Information"]


def test_a_press_too_late_brings_no_button_back(stage: Stage) -> None:
    """A finished case stays finished, whatever an old token asks for, and the dialog goes on saying so."""
    case = stage.case()
    token = stage.token(case)
    assert stage.press(case, token=token).status_code == 204
    before = stage.dialog(case)

    for refused in ("discard", "sign"):
        stage.press(case, refused, token=token)

    after = stage.dialog(case)
    assert shown(stage, case) == []
    assert (after["status"], after["content"]) == ("Completed", before["content"])
    late = [each for each in after["activities"] if each.get("description")]
    assert "try again" not in str(late).lower()


def test_a_refusal_is_seen_and_goes(stage: Stage) -> None:
    """A badge and words below the summary; the next press that does something takes them away."""
    case = stage.case(FAULTY, service={"signing_steps": 1})

    refused = stage.press(case)
    between = stage.dialog(case)
    stage.as_citizen("PUT", case, body=put(VALID), complete="false", sign="false")
    done = stage.press(case, "send-to-signing")

    after = stage.dialog(case)["content"]
    assert (refused.status_code, done.status_code) == (422, 204)
    assert said(between, "extendedStatus") == "Needs correction"
    assert said(between, "additionalInfo", "nn").startswith("Skjemaet har feil")
    assert said({"content": after}, "extendedStatus") == "To be signed"
    assert "additionalInfo" not in after


def test_others_words_outlive_refusals(stage: Stage) -> None:
    """What the agency says below the summary is not replaced by a refusal, and not taken away by the next success."""
    case = stage.case(FAULTY, service={"signing_steps": 1})
    info = {"value": [{"languageCode": "nb", "value": "Frist 1. mai"}], "mediaType": "text/plain"}
    theirs = [{"op": "add", "path": "/content/additionalInfo", "value": info}]
    assert stage.as_owner("PATCH", f"/{case.dialog_id}", theirs).status_code == 204

    stage.press(case)
    between = said(stage.dialog(case), "additionalInfo", "nb")
    stage.as_citizen("PUT", case, body=put(VALID), complete="false", sign="false")
    done = stage.press(case, "send-to-signing")

    assert done.status_code == 204
    assert (between, said(stage.dialog(case), "additionalInfo", "nb")) == ("Frist 1. mai", "Frist 1. mai")


def put(xml: str) -> dict[str, Any]:
    """What a person's own client sends to Altinn 2."""
    form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": xml}
    return {"Type": "FormTask", "ServiceCode": "5701", "ServiceEdition": 1, "_embedded": {"forms": [form]}}


# Deleting


def test_a_deleted_draft_takes_its_dialog_along(stage: Stage) -> None:
    """Told first, without any button of ours, then deleted, so that Arbeidsflate goes back to the inbox."""
    case = stage.case()
    heard = len(stage.effects(case, "dialogporten.delete"))

    answer = stage.press(case, "discard", method="DELETE")

    dialog = stage.dialog(case)
    assert (answer.status_code, stage.element(case)["state"]) == (204, "deleted")
    assert stage.writes(case)[-2:] == ["PATCH", "DELETE"]
    assert dialog["deletedAt"]
    assert (dialog["status"], shown(stage, case)) == ("NotApplicable", [])
    assert said(dialog, "extendedStatus") == "Deleted"
    assert [each["type"] for each in dialog["activities"]] == ["DialogDeleted"]
    assert len(stage.effects(case, "dialogporten.delete")) == heard + 1


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_deletion_without_an_answer_is_looked_after(stage: Stage, cut: str) -> None:
    """Whether the DELETE got through or not, there is one, and the dialog was told once."""
    case = stage.case()
    stage.fault("dialogporten", "DELETE", str(case.dialog_id), cut=cut, times=1)

    stage.press(case, "discard")
    until(lambda: stage.operations(case)[0].finished_at is not None)

    dialog = stage.dialog(case)
    assert dialog["deletedAt"]
    assert len(dialog["activities"]) == 1
    assert len(stage.effects(case, "dialogporten.delete")) == 1


def test_a_dialog_that_is_kept_says_what_became_of_the_form(stage: Stage) -> None:
    """With ``keep_dialog`` it stays, and an ordinary button deletes."""
    case = stage.case()

    assert stage.press(case, "empty").status_code == 204

    dialog = stage.dialog(case)
    assert dialog.get("deletedAt") is None
    assert (dialog["status"], shown(stage, case)) == ("NotApplicable", [])
    assert [each["type"] for each in dialog["activities"]] == ["Information"]


def test_out_of_the_bin_the_dialog_is_there_again(stage: Stage) -> None:
    """A draft that a press deleted, and its owner took back in Altinn: the same dialog, with buttons and words."""
    case = drafted(stage)
    kept = stage.world.altinn2._elements[case.message_id]
    assert stage.press(case, "discard").status_code == 204
    run(stage, case.who)
    stage.world.altinn2._elements[case.message_id] = kept

    run(stage, case.who)

    dialog = stage.dialog(case)
    assert dialog.get("deletedAt") is None
    assert sorted(shown(stage, case)) == ["send-to-signing", "submit"]
    assert (dialog["status"], said(dialog, "extendedStatus")) == ("Draft", "Being filled in")


@pytest.mark.parametrize("action", ["discard", "empty"])
def test_out_of_the_bin_the_agencys_dialog_is_there_again(stage: Stage, action: str) -> None:
    """Whoever made it: what the bridge did to it is undone, with the buttons of its mapping and no others."""
    case = stage.case()
    kept = stage.world.altinn2._elements[case.message_id]

    for _ in range(2):
        assert stage.press(case, action).status_code == 204
        stage.world.altinn2._elements[case.message_id] = kept
        first, _ = run(stage, case.who)
        again, _ = run(stage, case.who)

        dialog = stage.dialog(case)
        assert (first, again) == ({DraftOutcome.CHANGED: 1}, {DraftOutcome.UNCHANGED: 1})
        assert dialog.get("deletedAt") is None
        assert sorted(shown(stage, case)) == ["send-to-signing", "submit"]
        assert (dialog["status"], said(dialog, "extendedStatus")) == ("Draft", "Being filled in")


@pytest.fixture
def no_copies(stage: Stage) -> Iterator[None]:
    """Altinn 2 keeps nothing of what is submitted."""
    stage.world.change_switches(noarchive_service=True)
    yield
    stage.world.change_switches(noarchive_service=False)


@pytest.mark.usefixtures("no_copies")
@pytest.mark.parametrize("action", ["discard", "empty"])
def test_what_was_sent_is_never_told_as_deleted(stage: Stage, action: str) -> None:
    """Not to be found is not deleted: our own operation says that it was submitted."""
    case = stage.case()
    token = stage.token(case)
    assert stage.press(case, token=token).status_code == 204

    answers = [stage.press(case, action, token=token) for _ in range(2)]

    dialog = stage.dialog(case)
    assert [(each.status_code, problem_of(each)) for each in answers] == [(409, "element_wrong_state")] * 2
    assert (dialog["status"], dialog.get("deletedAt"), shown(stage, case)) == ("Completed", None, [])
    assert said(dialog, "extendedStatus") == "Submitted"
    assert stage.effects(case, "altinn2.delete") == []


@pytest.mark.usefixtures("no_copies")
@pytest.mark.parametrize("action", ["submit", "sign", "send-to-signing"])
def test_what_was_sent_without_a_copy_is_done_when_it_is_pressed_again(stage: Stage, action: str) -> None:
    """As where there is a copy: 204, and nothing is sent."""
    case = stage.case()
    token = stage.token(case)
    assert stage.press(case, token=token).status_code == 204

    answer = stage.press(case, action, token=token)

    assert (answer.status_code, stage.operations(case)[-1].outcome) == (204, Outcome.REPEATED)
    assert len(stage.effects(case, "altinn2.archived")) == 1
    assert (stage.dialog(case)["status"], shown(stage, case)) == ("Completed", [])


def test_a_copy_that_is_gone_leaves_what_was_sent_sent(stage: Stage) -> None:
    """The link knows of it, though nobody can see it any more."""
    case = stage.case()
    token = stage.token(case)
    assert stage.press(case, token=token).status_code == 204
    del stage.world.altinn2._elements[stage.element(case)["archived_id"]]
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(rows.delete().where(rows.c.dialog_id == str(case.dialog_id)))
        tx.connection.execute(snapshots.delete().where(snapshots.c.dialog_id == str(case.dialog_id)))

    answers = [stage.press(case, each, token=token) for each in ("discard", "submit")]

    assert [each.status_code for each in answers] == [409, 204]
    assert (stage.dialog(case)["status"], stage.dialog(case).get("deletedAt")) == ("Completed", None)


def test_what_nobody_knows_of_is_not_called_deleted(stage: Stage) -> None:
    """Expired, or sent in Altinn to a service that keeps no copy: 410, and the dialog stays, without our buttons."""
    case = stage.case()
    del stage.world.altinn2._elements[case.message_id]

    answer = stage.press(case, "discard")

    dialog = stage.dialog(case)
    assert (answer.status_code, problem_of(answer)) == (410, "element_gone")
    assert (dialog.get("deletedAt"), shown(stage, case)) == (None, [])
    assert "deleted" not in said(dialog, "additionalInfo")


def test_what_lies_in_the_bin_is_deleted_already(stage: Stage) -> None:
    """Thrown away in Altinn, then by a press: that is done, and the dialog goes."""
    case = stage.case()
    stage.as_citizen("DELETE", case)

    answer = stage.press(case, "discard")

    assert (answer.status_code, stage.operations(case)[-1].outcome) == (204, Outcome.REPEATED)
    assert stage.dialog(case)["deletedAt"]


def test_a_deletion_without_answer_or_trace_is_uncertain(stage: Stage) -> None:
    """Where not even the bin shows it, somebody has to look: the dialog stays and says so."""
    case = stage.case()
    stage.world.change_switches(delete_for_good=True)
    try:
        stage.fault("altinn2", "DELETE", case.message_id, cut="after", times=1)
        stage.press(case, "discard")
        until(lambda: stage.operations(case)[0].dead_at is not None)
    finally:
        stage.world.change_switches(delete_for_good=False)

    (operation,), dialog = stage.operations(case), stage.dialog(case)
    assert (operation.dead_why, dialog.get("deletedAt")) == ("outcome_uncertain", None)
    assert said(dialog, "extendedStatus") == "Unclear if sent"


def problem_of(answer: TestResponse) -> str:
    return str(answer.get_json()["type"]).rpartition(":")[2]


def test_a_draft_in_its_period_of_grace_is_not_deleted(stage: Stage) -> None:
    """422 with the members that Arbeidsflate reads, and nothing is deleted; after the period it is."""
    case, old = stage.case(), stage.case()
    changed = stage.bridge.clock() - timedelta(days=31)
    elements = stage.world.altinn2._elements
    elements[old.message_id] = replace(elements[old.message_id], changed=changed)

    early, late = (stage.press(each, "discard-old", method="DELETE") for each in (case, old))

    problem, dialog = early.get_json(), stage.dialog(case)
    allowed = datetime.fromisoformat(problem["deletionAllowedAt"])
    assert (early.status_code, late.status_code) == (422, 204)
    assert (problem["type"].rpartition(":")[2], problem["gracePeriodDays"]) == ("deletion_too_early", 30)
    assert timedelta(days=29) < allowed - stage.bridge.clock() <= timedelta(days=30)
    assert allowed.date().isoformat()[:7] in problem["detail"]
    assert (stage.element(case)["state"], stage.element(old)["state"]) == ("formfilling", "deleted")
    assert (dialog.get("deletedAt"), said(dialog, "extendedStatus")) == (None, "Not carried out")


def test_delete_buttons_are_what_dialogporten_means_by_them(stage: Stage) -> None:
    """A DELETE that Arbeidsflate offers in the bin; the action that keeps the dialog is a button like any."""
    case = stage.case()
    without_buttons(stage, case)
    every = replace(stage.bridge.mappings[RESOURCE], states={})
    subject = Subject(mapping=every, dialog_id=case.dialog_id, public_url=PUBLIC, values={})
    news = change_for_state(subject, CaseStatus.SIGNING, activity=None)

    apply(stage.bridge, plan(stage.bridge, stage.bridge.dialogporten.get(case.dialog_id), news))

    buttons = {each["url"].rpartition("/")[2]: each for each in stage.dialog(case)["guiActions"]}
    assert (buttons["discard"]["httpMethod"], buttons["discard"].get("isDeleteDialogAction")) == ("DELETE", True)
    assert (buttons["empty"]["httpMethod"], buttons["empty"].get("isDeleteDialogAction")) == ("DELETE", False)


@pytest.mark.parametrize(("action", "moves"), [("submit", False), ("send-to-signing", True)])
def test_a_mapping_may_speak_up(stage: Stage, action: str, moves: bool) -> None:
    """After a press a change is silent, unless then says otherwise."""
    case = stage.case(service={"signing_steps": 1})
    before = stage.dialog(case)["updatedAt"]

    stage.press(case, action)

    assert (stage.dialog(case)["updatedAt"] != before) is moves


# Dialogs that cannot be told


@pytest.mark.parametrize("how", ["frozen", "deleted", "purged"])
def test_a_dialog_that_cannot_be_told_loses_nothing(stage: Stage, how: str) -> None:
    """It goes once the form is sent: the outcome stands in our own row, and nothing is tried for ever."""
    case = stage.case()
    token = stage.token(case)
    if how == "frozen":
        stage.fault("dialogporten", "PATCH", str(case.dialog_id), status=403, body=FROZEN)
    else:
        stage.fault("altinn2", "PUT", case.message_id, delay_after=1)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case, token=token)
        if how != "frozen":
            path = f"/{case.dialog_id}" if how == "deleted" else f"/{case.dialog_id}/actions/purge"
            until(lambda: bool(stage.effects(case, "altinn2.archived")))
            assert stage.as_owner("DELETE" if how == "deleted" else "POST", path).status_code == 204
        answer = pressed.result()

    (operation,) = stage.operations(case)
    assert answer.status_code == 204
    assert (operation.stage, operation.outcome) == (Progress.FINISHED, Outcome.DONE)
    assert stage.element(case)["state"] == "archived"


def test_another_organisations_dialog_is_left_alone(stage: Stage) -> None:
    """Dialogporten shows it to its owner alone: nothing is done that it could not be told, and it is not touched."""
    case, other, state = stage.case(), stage.world.new_organisation(), stage.world.dialogporten
    usual = state.resource(RESOURCE, stage.world.owner.number)
    state.own(RESOURCE, Resource(owner=other.number))
    claims = {"scope": OWNER_SCOPE, "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{other.number}"}}
    token = issue(stage.world, BASE, "maskinporten", claims, lifetime=60)
    title = {"value": [{"languageCode": "nb", "value": "Sak"}], "mediaType": "text/plain"}
    button = {"action": "write", "url": "https://deres.example.no", "priority": "Primary", "title": title["value"]}
    body = {
        "serviceResource": RESOURCE,
        "party": case.party,
        "status": "InProgress",
        "content": {"title": title},
        "guiActions": [button],
    }
    theirs = f"{BASE}/dialogporten/api/v1/serviceowner/dialogs"
    headers = {"Authorization": f"Bearer {token}"}
    made = UUID(stage.outside.post(theirs, json=body, headers=headers, timeout=5).json())
    foreign = Case(dialog_id=made, message_id=case.message_id, who=case.who)
    before = stage.outside.get(f"{theirs}/{made}", headers=headers, timeout=5).json()
    state.own(RESOURCE, usual)

    unlinked = stage.press(foreign)
    linked(stage, foreign)
    pressed = stage.press(foreign)

    for answer in (unlinked, pressed):
        assert (answer.status_code, str(answer.get_json()["type"]).rpartition(":")[2]) == (410, "dialog_gone")
    assert stage.element(case)["state"] == "formfilling"
    assert stage.outside.get(f"{theirs}/{made}", headers=headers, timeout=5).json() == before


FROZEN = (
    '{"type":"about:blank","title":"Forbidden.","status":403,'
    '"errors":{"Forbidden":["User cannot modify frozen dialog"]}}'
)


def linked(stage: Stage, case: Case) -> None:
    """Let the bridge know the link, as an earlier press would have."""
    link = Link(
        dialog_id=case.dialog_id,
        service_resource=RESOURCE,
        party=case.party,
        case=CaseRef(system="altinn2", owner=case.who, key=case.message_id),
    )
    with stage.bridge.store.transaction() as tx:
        tx.add_link(link, now=stage.bridge.clock())


def test_a_dialog_not_yet_visible_is_told_like_any(stage: Stage) -> None:
    """Its time is ahead; what happened meanwhile stands there when it comes."""
    made = stage.case()
    ahead = (stage.bridge.clock() + timedelta(days=2)).isoformat()
    case = stage.dialog_for(made.message_id, made.who, visibleFrom=ahead)

    answer = stage.press(case)

    assert (answer.status_code, stage.dialog(case)["status"]) == (204, "Completed")


def test_a_lost_race_is_read_and_merged_again(stage: Stage) -> None:
    """412, 409 with the empty key: both mean that somebody was first."""
    case = stage.case()
    race = '{"title":"Conflict.","status":409,"errors":{"":["Concurrent operation."]}}'
    stage.fault("dialogporten", "PATCH", str(case.dialog_id), status=412)
    stage.fault("dialogporten", "PATCH", str(case.dialog_id), status=409, body=race)

    answer = stage.press(case)

    assert answer.status_code == 204
    assert stage.activities(case) == ["FormSubmitted"]
    assert len(stage.effects(case, "dialogporten.patch")) == 1


# Names that are not found


def test_a_missing_name_holds_nothing_up(stage: Stage) -> None:
    """All else is told at once; who it was follows when the name is found, and is then forgotten here."""
    case = stage.case()
    stage.world.change_switches(name_lookup_fails=True)

    answer = stage.press(case)
    between = (stage.dialog(case)["status"], stage.activities(case))
    stage.world.change_switches(name_lookup_fails=False)
    due_now(stage)
    add_deferred_activities(stage.bridge)

    assert answer.status_code == 204
    assert between == ("Completed", ["Information"])
    named = next(each for each in stage.dialog(case)["activities"] if each["type"] == "FormSubmitted")
    assert named["performedBy"]["actorType"] == "PartyRepresentative"
    assert waiting(stage) == 0


def test_a_name_that_meets_other_writers_is_told_later(stage: Stage) -> None:
    """Of writes that meet Dialogporten takes one; the others are not lost with it."""
    case = stage.case()
    stage.world.change_switches(name_lookup_fails=True)
    stage.press(case)
    stage.world.change_switches(name_lookup_fails=False)
    stage.fault("dialogporten", "WRITE", str(case.dialog_id), times=20, internal="concurrent_change")

    due_now(stage)
    add_deferred_activities(stage.bridge)
    still = waiting(stage)
    stage.world.faults.clear()
    due_now(stage)
    add_deferred_activities(stage.bridge)

    assert still == 1
    assert "FormSubmitted" in stage.activities(case)
    assert waiting(stage) == 0


def test_a_name_that_never_comes_is_told_without(stage: Stage) -> None:
    """After a day the service owner tells it, and who it was is forgotten here."""
    case = stage.case()
    stage.world.change_switches(name_lookup_fails=True)
    stage.press(case)

    due_now(stage)
    with capture_logs() as logs:
        add_deferred_activities(stage.bridge)
    still = waiting(stage)
    due_now(stage, age=timedelta(hours=25))
    add_deferred_activities(stage.bridge)
    stage.world.change_switches(name_lookup_fails=False)

    assert still == 1
    assert case.who not in str(logs)
    told = next(each for each in stage.dialog(case)["activities"] if each["type"] == "FormSubmitted")
    assert told["performedBy"] == {"actorType": "ServiceOwner"}
    assert waiting(stage) == 0


def due_now(stage: Stage, *, age: timedelta = timedelta(0)) -> None:
    """Let time pass for what waits for a name."""
    now = stage.bridge.clock()
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(unnamed.update().values(next_at=now, created_at=now - age))


def waiting(stage: Stage) -> int:
    with stage.bridge.store.reading() as tx:
        return len(tx.connection.execute(unnamed.select()).all())


# Once more


def test_a_replayed_history_writes_nothing(stage: Stage) -> None:
    """Each sync of a history, run again in order: no call that writes, no revision, no moment."""
    case = stage.case(service={"signing_steps": 1})
    stage.press(case, "send-to-signing")
    stage.press(case, "sign")
    stage.press(case, "sign")
    before = stage.dialog(case)
    stage.world.calls.clear()

    for operation in stage.operations(case):
        again(stage, operation, case)

    assert [each for each in stage.writes(case) if each != "POST"] == []
    assert stage.dialog(case) == before


def again(stage: Stage, operation: Operation, case: Case) -> None:
    """Run an operation's sync as if nobody had noted that it ended."""
    values = {"finished_at": None, "stage": "sync", "actor": case.party, "holder": stage.bridge.holder}
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(rows.update().where(rows.c.id == str(operation.id)).values(values))
        found = tx.operation(operation.id)
    assert found is not None
    assert sync(stage.bridge, found) is None


def test_what_was_written_lies_here_as_digests(stage: Stage) -> None:
    """No word of a dialog stands in the table of what the bridge wrote."""
    case = stage.case()
    stage.press(case)

    with stage.bridge.store.reading() as tx:
        row = tx.connection.execute(snapshots.select().where(snapshots.c.dialog_id == str(case.dialog_id))).one()
    assert set(row.digests) >= {"/status", "/content/title", "/content/summary"}
    assert all(len(each) in (0, 32) for each in row.digests.values())
    assert case.who not in str(row)
