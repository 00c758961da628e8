"""Elements under completion become dialogs, which follow them to their end."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from bridge.core.cases import CaseRef
from bridge.core.drafts import RUN_KIND, Draft, Ending, idempotent_key
from bridge.core.ids import uuid7
from bridge.core.meaning import meaning_of
from bridge.core.operations import Intent, Link
from bridge.core.operations import Stage as Step
from bridge.parts import Bridge
from bridge.sandbox.core import identities
from bridge.steps.batch.draft_report import BY_HAND, DraftOutcome, PlanLine, Watcher
from bridge.steps.batch.drafts import run_drafts
from bridge.steps.batch.runs import Stopped, take_run
from bridge.storage.drafts import Drafts
from bridge.storage.runs import Run
from bridge.storage.tables import drafts, links
from bridge.worker import run_due_drafts
from tests.scenarios.stage import BASE, ORGANISATION, RESOURCE, VALID, Case, Stage, until

PUBLIC = "https://bridge.example.no"
LABEL = "urn:altinn:integration:a2:message:"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("drafts"), BRIDGE_PUBLIC_URL=PUBLIC)
    yield made
    made.stop()


def element(stage: Stage, who: str | None = None, **about: Any) -> tuple[str, str]:
    """Put an element in place beside any dialog; its reportee and its id."""
    who = who or stage.world.new_organisation().number
    seeded = stage.control(
        "POST",
        "/altinn2/elements",
        {
            "who": who,
            "service": {"code": "5701", "edition": 1, **about.pop("service", {})},
            "forms": [{"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}],
            **about,
        },
    )
    return who, seeded["message_id"]


def run(
    stage: Stage, *who: str, dry: bool = False, bridge: Bridge | None = None
) -> tuple[Counter[DraftOutcome], list[PlanLine]]:
    """Do a whole run for these reportees; what it counted and told."""
    at = bridge or stage.bridge
    told: list[PlanLine] = []
    begun = Run(kind=RUN_KIND, id="dry", scope=who) if dry else taken(at, *who)
    return run_drafts(at, begun, watcher(told), dry=dry), told


def taken(bridge: Bridge, *who: str) -> Run:
    begun = take_run(bridge, RUN_KIND, f"test-{bridge.new_id()}", scope=who)
    assert begun is not None
    return begun


def watcher(told: list[PlanLine], *, stop_after: int | None = None) -> Watcher:
    return Watcher(
        report=told.append,
        progress=lambda _done, _of: None,
        stopping=lambda: stop_after is not None and len(told) >= stop_after,
    )


def draft(stage: Stage, message_id: str) -> Draft:
    with stage.bridge.store.reading() as tx:
        return Drafts(tx).known([message_id])[message_id]


def case_of(stage: Stage, who: str, message_id: str) -> Case:
    return Case(dialog_id=draft(stage, message_id).dialog_id, message_id=message_id, who=who)


def drafted(stage: Stage, **about: Any) -> Case:
    """An element whose dialog a run has made."""
    who, message_id = element(stage, **about)
    run(stage, who)
    return case_of(stage, who, message_id)


def dialogs(stage: Stage, who: str) -> list[Mapping[str, Any]]:
    """All dialogs of a party, deleted ones as well."""
    auth = stage.bridge.search._auth
    url = f"{BASE}/dialogporten/api/v1/serviceowner/dialogs"
    party = f"{ORGANISATION if len(who) == 9 else identities.PERSON}{who}"
    answer = stage.outside.get(url, params={"party": party, "deleted": "Include"}, auth=auth, timeout=5)
    items: list[Mapping[str, Any]] = answer.json()["items"]
    return items


def put_of() -> dict[str, Any]:
    """What a person's own client sends: the form as it stands."""
    form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": VALID}
    return {"Type": "FormTask", "ServiceCode": "5701", "ServiceEdition": 1, "_embedded": {"forms": [form]}}


def unfinished(stage: Stage, case: Case) -> UUID:
    """An operation that was accepted and that no worker was asked to run."""
    mapping = stage.bridge.mappings[RESOURCE]
    intent = Intent(
        dialog_id=case.dialog_id,
        action="sign",
        service_resource=RESOURCE,
        case=CaseRef(system="altinn2", owner=case.who, key=case.message_id),
        actor=case.party,
        body=None,
        body_digest="",
        meaning=meaning_of(mapping, mapping.actions["sign"]),
        mapping_digest=mapping.digest,
    )
    operation_id = stage.bridge.new_id()
    with stage.bridge.store.transaction() as tx:
        tx.add_operation(operation_id, intent, now=stage.bridge.clock())
    return operation_id


def calls(stage: Stage, system: str) -> list[str]:
    return [f"{each.method} {each.template}" for each in stage.world.calls.all(system)]


# Made


def test_an_element_becomes_a_dialog_with_its_buttons(stage: Stage) -> None:
    """The dialog has the write actions of the element's state, the label, the party and the service."""
    who, message_id = element(stage, subject="Serveringsbevilling for Kafé Ærlig")

    counts, _ = run(stage, who)

    case = case_of(stage, who, message_id)
    dialog = stage.dialog(case)
    assert counts == {DraftOutcome.CREATED: 1}
    assert (dialog["party"], dialog["serviceResource"]) == (f"{ORGANISATION}{who}", RESOURCE)
    assert dialog["serviceOwnerContext"]["serviceOwnerLabels"] == [{"value": f"{LABEL}{message_id}"}]
    urls = {each["url"] for each in dialog["guiActions"]}
    assert urls == {f"{PUBLIC}/actions/{case.dialog_id}/{name}" for name in ("submit", "send-to-signing")}


def test_a_subject_of_emoji_makes_a_dialog(stage: Stage) -> None:
    """Dialogporten counts each as two: the title is cut where it has to be, and between two of them."""
    who, message_id = element(stage, subject="\U0001f37d" * 200)

    counts, _ = run(stage, who)

    dialog = stage.dialog(case_of(stage, who, message_id))
    assert counts == {DraftOutcome.CREATED: 1}
    assert dialog["content"]["title"]["value"][0]["value"] == "\U0001f37d" * 127


def test_made_dialog_takes_a_press(stage: Stage) -> None:
    """The link that a write action needs is there with the dialog."""
    case = drafted(stage)

    answer = stage.press(case)

    assert answer.status_code == 204
    assert stage.element(case)["archived_id"] is not None


def test_signing_is_under_completion_too(stage: Stage) -> None:
    """What waits for a signature gets a dialog with the button that signs."""
    case = drafted(stage, service={"signing_steps": 1}, state="signing")

    assert [each["url"].rpartition("/")[2] for each in stage.dialog(case)["guiActions"]] == ["sign"]


@pytest.mark.parametrize(
    "about",
    [
        pytest.param({"service": {"edition": 2}}, id="another edition"),
        pytest.param({"service": {"code": "9999"}}, id="another service"),
        pytest.param({"state": "archived"}, id="sent"),
        pytest.param({"letter": {"body": "Hei"}}, id="a letter"),
    ],
)
def test_what_is_not_under_completion_gets_none(stage: Stage, about: dict[str, Any]) -> None:
    """Only form tasks of mapped services that wait to be filled in or signed."""
    who, _ = element(stage, **about)

    counts, _ = run(stage, who)

    assert counts == {}
    assert dialogs(stage, who) == []


def test_a_person_gets_a_dialog_without_a_number_in_addresses(stage: Stage) -> None:
    """Altinn 2 is asked by the reportee's id, Dialogporten by the element's, and no address has the person's number."""
    person = stage.world.new_person()
    reportee = stage.control("POST", "/altinn2/reportees", {"number": person})["reportee_id"]
    _, message_id = element(stage, person)
    stage.world.calls.clear()

    run(stage, reportee)

    addresses = [f"{each.template} {each.query}" for each in stage.world.calls.all()]
    case = case_of(stage, person, message_id)
    assert stage.dialog(case)["party"] == f"{identities.PERSON}{person}"
    assert addresses
    assert not any(person in each for each in addresses)


def test_a_masked_number_makes_no_dialog(stage: Stage) -> None:
    """A dialog on a guessed party would be shown to somebody else."""
    person = stage.world.new_person()
    reportee = stage.control("POST", "/altinn2/reportees", {"number": person})["reportee_id"]
    element(stage, person)
    stage.control("PATCH", "/switches", {"reportee_numbers": "masked"})

    counts, _ = run(stage, reportee)

    stage.control("PATCH", "/switches", {"reportee_numbers": "whole"})
    assert counts == {DraftOutcome.MASKED: 1}
    assert dialogs(stage, person) == []


def test_dry_run_writes_nothing(stage: Stage) -> None:
    """The plan names what would be made, and neither system nor our tables change."""
    who, message_id = element(stage)

    counts, told = run(stage, who, dry=True)

    assert counts == {DraftOutcome.CREATED: 1}
    assert [each.message_id for each in told] == [message_id]
    assert dialogs(stage, who) == []
    with stage.bridge.store.reading() as tx:
        assert Drafts(tx).known([message_id]) == {}


def test_a_cut_list_is_asked_for_in_parts(stage: Stage) -> None:
    """An incomplete list is never taken for a whole one."""
    who = stage.world.new_organisation().number
    for hours in range(6):
        _, message_id = element(stage, who)
        stage.world.altinn2._elements[message_id] = replace(
            stage.world.altinn2._elements[message_id], changed=stage.bridge.clock() - timedelta(hours=hours)
        )
    stage.control("PATCH", "/switches", {"limit_reached_after": 2})

    counts, _ = run(stage, who)

    stage.control("PATCH", "/switches", {"limit_reached_after": 0})
    assert counts == {DraftOutcome.CREATED: 6}


def test_a_page_is_followed_by_the_next(stage: Stage) -> None:
    """Altinn 2 lists fifty at a time; the fifty-first has a dialog as well."""
    who = stage.world.new_organisation().number
    for _ in range(51):
        element(stage, who)

    counts, _ = run(stage, who)

    assert counts == {DraftOutcome.CREATED: 51}


# Never two


def test_second_run_calls_dialogporten_for_nothing(stage: Stage) -> None:
    """An element that stands where it stood costs no call there."""
    case = drafted(stage)
    stage.world.calls.clear()

    counts, _ = run(stage, case.who)

    assert counts == {DraftOutcome.UNCHANGED: 1}
    assert calls(stage, "dialogporten") == []


@pytest.mark.parametrize(
    "about",
    [
        pytest.param(lambda id_: {"serviceOwnerContext": {"serviceOwnerLabels": [{"value": LABEL + id_}]}}, id="label"),
        pytest.param(
            lambda id_: {"serviceOwnerContext": {"serviceOwnerLabels": [{"value": LABEL + id_[1:]}]}}, id="number"
        ),
        pytest.param(
            lambda id_: {"serviceOwnerContext": None, "externalReference": f"a2:message:{id_}"}, id="reference"
        ),
        pytest.param(
            lambda id_: {"serviceOwnerContext": None, "idempotentKey": idempotent_key(id_)}, id="idempotent key"
        ),
    ],
)
def test_the_agencys_own_dialog_stays_the_only_one(stage: Stage, about: Any) -> None:
    """However the agency says which element its dialog stands for, no second one is made, and it is left alone."""
    who, message_id = element(stage)
    own = stage.dialog_for(message_id, who, **about(message_id))
    before = stage.dialog(own)["revision"]

    first, _ = run(stage, who)
    stage.world.calls.clear()
    second, _ = run(stage, who)

    assert (first, second) == ({DraftOutcome.STANDING: 1}, {DraftOutcome.UNCHANGED: 1})
    assert calls(stage, "dialogporten") == []
    assert [each["id"] for each in dialogs(stage, who)] == [str(own.dialog_id)]
    assert stage.dialog(own)["revision"] == before


@pytest.mark.parametrize("drafted_first", [True, False], ids=["after a run", "before any run"])
def test_a_key_alone_leads_a_press_to_its_element(stage: Stage, drafted_first: bool) -> None:
    """A dialog of the agency's own that has the element's key and nothing else takes a press like any."""
    who, message_id = element(stage)
    own = stage.dialog_for(message_id, who, serviceOwnerContext=None, idempotentKey=idempotent_key(message_id))

    if drafted_first:
        run(stage, who)
        with stage.bridge.store.reading() as tx:
            link = tx.link(own.dialog_id)
        assert link is not None
        assert link.required_case == CaseRef(system="altinn2", owner=who, key=message_id)
    answer = stage.press(own)

    assert answer.status_code == 204
    assert stage.element(own)["state"] == "archived"
    assert stage.activities(own) == ["FormSubmitted"]


def test_a_key_on_another_partys_dialog_links_nothing(stage: Stage) -> None:
    """It is not made twice, and nobody gets at the element by it."""
    who, message_id = element(stage)
    other = stage.world.new_organisation().number
    own = stage.dialog_for(message_id, other, serviceOwnerContext=None, idempotentKey=idempotent_key(message_id))

    counts, _ = run(stage, who)

    with stage.bridge.store.reading() as tx:
        assert tx.link(own.dialog_id) is None
    assert counts == {DraftOutcome.STANDING: 1}
    assert stage.press(own).status_code >= 400
    assert stage.element(own)["state"] == "formfilling"


def test_a_linked_dialog_is_enough(stage: Stage) -> None:
    """Where a press made a link, Dialogporten need not be asked."""
    case = stage.case()
    with stage.bridge.store.transaction() as tx:
        tx.add_link(
            Link(
                dialog_id=case.dialog_id,
                service_resource=RESOURCE,
                party=case.party,
                case=CaseRef(system="altinn2", owner=case.who, key=case.message_id),
            ),
            now=stage.bridge.clock(),
        )
    stage.world.calls.clear()

    run(stage, case.who)

    assert calls(stage, "dialogporten") == []
    assert len(dialogs(stage, case.who)) == 1


@pytest.mark.parametrize("cut", ["before", "after"])
def test_an_unanswered_creation_is_sent_again(stage: Stage, cut: str) -> None:
    """Whether the POST got through or not, the next run ends with one dialog that is followed."""
    who, message_id = element(stage)
    stage.fault("dialogporten", "POST", "/api/v1/serviceowner/dialogs", cut=cut, times=1)

    first, _ = run(stage, who)
    second, _ = run(stage, who)

    assert first == {DraftOutcome.FAILED: 1}
    assert second == {DraftOutcome.CREATED: 1}
    assert [each["id"] for each in dialogs(stage, who)] == [str(draft(stage, message_id).dialog_id)]


def test_runs_at_once_make_one_dialog(stage: Stage) -> None:
    """Two processes that both believe the run to be theirs write the same row and send the same id."""
    who, message_id = element(stage)
    other = replace(stage.bridge, holder="another process")
    begun = taken(stage.bridge, who)
    taken_over = take_run(other, RUN_KIND, "later", scope=(who,), at_once=True)
    assert taken_over is not None

    counts = run_drafts(other, taken_over, watcher([]), dry=False)
    with pytest.raises(Stopped, match="took the run over"):
        run_drafts(stage.bridge, begun, watcher([]), dry=False)

    assert counts == {DraftOutcome.CREATED: 1}
    assert [each["id"] for each in dialogs(stage, who)] == [str(draft(stage, message_id).dialog_id)]


def test_a_lost_store_makes_no_second_dialog(stage: Stage) -> None:
    """Another bridge on an empty database finds the dialog by its label, and leaves it to its maker."""
    case = drafted(stage)
    with stage.bridge.store.transaction() as tx:
        tx.connection.execute(drafts.delete().where(drafts.c.message_id == case.message_id))
        tx.connection.execute(links.delete().where(links.c.key == case.message_id))

    run(stage, case.who)

    assert len(dialogs(stage, case.who)) == 1


# Followed


def test_the_users_own_change_is_news(stage: Stage) -> None:
    """Sent to signing in Altinn itself: the buttons change with it, and the change is not silent."""
    case = drafted(stage, service={"signing_steps": 1})
    seen = stage.dialog(case)["updatedAt"]
    stage.as_citizen("PUT", case, body=put_of(), complete="true", sign="false")

    counts, _ = run(stage, case.who)

    dialog = stage.dialog(case)
    assert counts == {DraftOutcome.CHANGED: 1}
    assert [each["url"].rpartition("/")[2] for each in dialog["guiActions"]] == ["sign"]
    assert dialog["status"] == "InProgress"
    assert dialog["updatedAt"] > seen


def test_saving_a_draft_changes_no_dialog(stage: Stage) -> None:
    """The dialog says the same of a form that was saved once more, so nothing is written."""
    case = drafted(stage)
    stage.as_citizen("PUT", case, body=put_of(), complete="false", sign="false")
    before = stage.dialog(case)["revision"]

    first, _ = run(stage, case.who)
    stage.world.calls.clear()
    second, _ = run(stage, case.who)
    asked = calls(stage, "dialogporten")

    assert (first, second, asked) == ({DraftOutcome.UNCHANGED: 1}, {DraftOutcome.UNCHANGED: 1}, [])
    assert stage.dialog(case)["revision"] == before


def test_what_a_dialog_does_not_take_has_failed_until_it_does(stage: Stage) -> None:
    """
    Whatever it refuses a PATCH for: its history is told, once, and the form's dialog is not done with.

    It counts as failing, waits like all that fails, and is told the rest when its time comes.
    """
    case = drafted(stage)
    body = '{"title":"One or more validation errors occurred.","status":400,"errors":{"dto.dueAt":["Nei."]}}'
    stage.fault("dialogporten", "PATCH", str(case.dialog_id), status=400, times=None, body=body)
    stage.as_citizen("PUT", case, body=put_of(), complete="true", sign="true")

    counts, told = run(stage, case.who)
    at_once, _ = run(stage, case.who)
    second, _ = run(stage, case.who, bridge=later(stage, timedelta(minutes=2)))
    history, until = stage.activities(case), failing(stage)[case.message_id]
    stage.control("DELETE", "/faults")
    soon, _ = run(stage, case.who)
    mended, _ = run(stage, case.who, bridge=later(stage, timedelta(hours=1)))
    dialog = stage.dialog(case)

    assert (counts, at_once, second, soon) == (
        {DraftOutcome.FAILED: 1},
        {DraftOutcome.WAITING: 1},
        {DraftOutcome.FAILED: 1},
        {DraftOutcome.WAITING: 1},
    )
    assert [each.message_id for each in told] == [case.message_id]
    assert until > stage.bridge.clock() + timedelta(minutes=2)
    assert (mended, failing(stage)) == ({DraftOutcome.SENT: 1}, {})
    assert history == stage.activities(case) == ["Information"]
    assert (dialog["status"], dialog["guiActions"]) == ("Completed", [])
    assert summary(stage, case) == "The form has been submitted."


def test_sent_in_altinn_completes_the_dialog(stage: Stage) -> None:
    """No button stays, the link knows the archived copy, and there is one event and one line of history."""
    case = drafted(stage)
    stage.as_citizen("PUT", case, body=put_of(), complete="true", sign="true")

    counts, _ = run(stage, case.who)
    again, _ = run(stage, case.who)

    dialog = stage.dialog(case)
    with stage.bridge.store.reading() as tx:
        link = tx.link(case.dialog_id)
    assert (counts, again) == ({DraftOutcome.SENT: 1}, {})
    assert (dialog["status"], dialog["guiActions"]) == ("Completed", [])
    assert len(dialog["activities"]) == 1
    assert link is not None
    assert link.archived_id == stage.element(case)["archived_id"]
    assert link.archive_reference == f"AR{str(link.archived_id)[1:]}"
    assert len(stage.effects(case, "dialogporten.patch")) == 1


def test_sent_by_a_press_is_told_once(stage: Stage) -> None:
    """The write action told the dialog; the run adds nothing, and asks Dialogporten nothing."""
    case = drafted(stage)
    assert stage.press(case).status_code == 204
    before = stage.dialog(case)["revision"]
    stage.world.calls.clear()

    counts, _ = run(stage, case.who)
    asked = calls(stage, "dialogporten")

    assert (counts, asked) == ({DraftOutcome.SENT: 1}, [])
    assert stage.dialog(case)["revision"] == before


def test_sent_by_a_press_to_a_service_without_copies_stays_sent(stage: Stage) -> None:
    """Nothing of it is to be found in Altinn any more; our own operation says what became of it."""
    case = drafted(stage)
    stage.world.change_switches(noarchive_service=True)
    try:
        assert stage.press(case).status_code == 204
        before = stage.dialog(case)["revision"]
        counts, _ = run(stage, case.who)
    finally:
        stage.world.change_switches(noarchive_service=False)

    assert (counts, stage.dialog(case)["status"]) == ({DraftOutcome.SENT: 1}, "Completed")
    assert stage.dialog(case)["revision"] == before


def summary(stage: Stage, case: Case, language: str = "en") -> str:
    values = stage.dialog(case)["content"]["summary"]["value"]
    return str(next(each["value"] for each in values if each["languageCode"] == language))


def test_thrown_away_in_altinn_deletes_the_dialog(stage: Stage) -> None:
    """What lies in Altinn's trash bin is nobody's task any more."""
    case = drafted(stage)
    stage.as_citizen("DELETE", case)

    counts, _ = run(stage, case.who)
    again, _ = run(stage, case.who)

    assert (counts, again) == ({DraftOutcome.DELETED: 1}, {})
    assert stage.dialog(case)["deletedAt"]
    assert draft(stage, case.message_id).ending is Ending.DELETED


def test_gone_without_a_trace_closes_the_dialog(stage: Stage) -> None:
    """Expired, or sent to a service that keeps no copy: nobody can say, so the dialog is closed and not deleted."""
    case = drafted(stage)
    del stage.world.altinn2._elements[case.message_id]

    counts, _ = run(stage, case.who)

    dialog = stage.dialog(case)
    assert counts == {DraftOutcome.GONE: 1}
    assert (dialog["status"], dialog["guiActions"], dialog.get("deletedAt")) == ("NotApplicable", [], None)
    assert [each["type"] for each in dialog["activities"]] == ["Information"]


@pytest.mark.parametrize("ending", [Ending.DELETED, Ending.GONE])
def test_what_is_there_again_is_followed_again(stage: Stage, ending: Ending) -> None:
    """Out of the trash bin, or because rights came back: the same dialog has its buttons again."""
    case = drafted(stage)
    before = {each["url"] for each in stage.dialog(case)["guiActions"]}
    kept = stage.world.altinn2._elements[case.message_id]
    if ending is Ending.DELETED:
        stage.as_citizen("DELETE", case)
    else:
        del stage.world.altinn2._elements[case.message_id]
    run(stage, case.who)
    assert draft(stage, case.message_id).ending is ending
    stage.world.altinn2._elements[case.message_id] = kept

    planned, _ = run(stage, case.who, dry=True)
    done, _ = run(stage, case.who)

    dialog = stage.dialog(case)
    assert planned == done == {DraftOutcome.CHANGED: 1}
    assert dialog.get("deletedAt") is None
    assert {each["url"] for each in dialog["guiActions"]} == before
    assert draft(stage, case.message_id).ending is None
    assert len(dialogs(stage, case.who)) == 1


def test_a_closed_altinn_ends_no_dialog(stage: Stage) -> None:
    """Where the lists cannot be had either, nothing is proved, and nothing is told."""
    case = drafted(stage)
    before = stage.dialog(case)["revision"]
    del stage.world.altinn2._elements[case.message_id]
    stage.fault("altinn2", "GET", "messages", status=410, times=2, skip=1)
    begun = taken(stage.bridge, case.who)

    counts = run_drafts(stage.bridge, begun, watcher([]), dry=False)

    assert counts[DraftOutcome.FAILED] == 1
    assert stage.dialog(case)["revision"] == before
    assert draft(stage, case.message_id).ending is None


def test_a_dialog_that_was_deleted_is_not_made_again(stage: Stage) -> None:
    """Who deleted it had a reason; its element changes unseen from then on."""
    case = drafted(stage)
    assert stage.as_owner("DELETE", f"/{case.dialog_id}").status_code == 204
    stage.as_citizen("PUT", case, body=put_of(), complete="false", sign="false")

    first, _ = run(stage, case.who)
    second, _ = run(stage, case.who)

    assert (first, second) == ({DraftOutcome.LEFT: 1}, {DraftOutcome.UNCHANGED: 1})
    assert len(dialogs(stage, case.who)) == 1


def test_a_press_under_way_is_left_to_tell(stage: Stage) -> None:
    """While an operation of the dialog is unfinished, the run keeps its hands off it."""
    case = drafted(stage, service={"signing_steps": 1})
    stage.as_citizen("PUT", case, body=put_of(), complete="true", sign="false")
    before = stage.dialog(case)["revision"]
    operation_id = unfinished(stage, case)

    during, _ = run(stage, case.who)
    with stage.bridge.store.transaction() as tx:
        tx.update(operation_id, now=stage.bridge.clock(), stage=Step.FINISHED, finished_at=stage.bridge.clock())
    after, _ = run(stage, case.who)

    assert (during, after) == ({DraftOutcome.BUSY: 1}, {DraftOutcome.CHANGED: 1})
    assert stage.dialog(case)["revision"] != before


def test_what_others_write_meanwhile_stays(stage: Stage) -> None:
    """A lost race is read and computed again."""
    case = drafted(stage, service={"signing_steps": 1})
    stage.as_citizen("PUT", case, body=put_of(), complete="true", sign="false")
    stage.fault("dialogporten", "PATCH", f"/api/v1/serviceowner/dialogs/{case.dialog_id}", status=412, times=1)

    counts, _ = run(stage, case.who)

    assert counts == {DraftOutcome.CHANGED: 1}


# Runs


def test_a_stopped_run_is_gone_on_with(stage: Stage) -> None:
    """What was done is not done again, and the rest is."""
    whos = sorted(element(stage)[0] for _ in range(3))
    begun = taken(stage.bridge, *whos)
    with pytest.raises(Stopped):
        run_drafts(stage.bridge, begun, watcher([], stop_after=1), dry=False)

    resumed = take_run(stage.bridge, RUN_KIND, "another", scope=("999999999",))
    assert resumed is not None
    counts = run_drafts(stage.bridge, resumed, watcher([]), dry=False)

    assert resumed.id == begun.id
    assert counts[DraftOutcome.CREATED] == 3
    assert [len(dialogs(stage, who)) for who in whos] == [1, 1, 1]


def test_one_firing_is_one_run(stage: Stage) -> None:
    """Any number of processes may ask for the same run: one gets it, and after its end nobody does."""
    who, _ = element(stage)
    tick = f"tick-{stage.bridge.new_id()}"
    other = replace(stage.bridge, holder="another process")

    first, second = take_run(stage.bridge, RUN_KIND, tick, scope=(who,)), take_run(other, RUN_KIND, tick, scope=(who,))
    assert first is not None
    run_drafts(stage.bridge, first, watcher([]), dry=False)

    assert second is None
    assert take_run(other, RUN_KIND, tick, scope=(who,)) is None


def test_a_run_rests_while_a_system_is_away(stage: Stage) -> None:
    """After some failures in a row nobody is asked any more, and the run goes on when it is taken up again."""
    who = stage.world.new_organisation().number
    for _ in range(7):
        element(stage, who)
    begun = taken(stage.bridge, who)
    stage.fault("dialogporten", "POST", "/api/v1/serviceowner/dialogs", status=503, times=5)

    with pytest.raises(Stopped, match="away"):
        run_drafts(stage.bridge, begun, watcher([]), dry=False)
    resumed = take_run(stage.bridge, RUN_KIND, "another", scope=(who,))
    assert resumed is not None
    run_drafts(stage.bridge, resumed, watcher([]), dry=False)

    assert len(dialogs(stage, who)) == 7


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"_embedded": {"messages": [{"MessageId": 7}]}}', id="an id that is none"),
        pytest.param('{"_embedded": {"messages": ["a1"]}}', id="a text for an element"),
        pytest.param("<html>Logg inn</html>", id="a page"),
        pytest.param("[" * 5000, id="deep"),
    ],
)
def test_a_hostile_list_stops_nobody_else(stage: Stage, body: str) -> None:
    """One reportee's list cannot be read: it is told and left, and the next reportee is served."""
    first, second = sorted(
        (element(stage) for _ in range(2)), key=lambda each: stage.world.altinn2.people.party(each[0]).reportee
    )
    stage.fault("altinn2", "GET", f"/api/{first[0]}/messages", body=body, status=200, times=1)

    counts, _ = run(stage, first[0], second[0])

    assert counts == {DraftOutcome.FAILED: 1, DraftOutcome.CREATED: 1}
    assert len(dialogs(stage, second[0])) == 1


def failing(stage: Stage) -> dict[str, datetime]:
    with stage.bridge.store.reading() as tx:
        return Drafts(tx).failures()


def listed(stage: Stage, path: str) -> Any:
    """What Altinn 2 lists there."""
    return stage.outside.get(
        f"{BASE}/altinn2/api/{path}",
        headers={"ApiKey": stage.world.altinn2_api_key, "Accept": "application/hal+json"},
        auth=stage.bridge.altinn2._auth,
        timeout=5,
    ).json()


def later(stage: Stage, by: timedelta) -> Bridge:
    return replace(stage.bridge, clock=lambda: datetime.now(UTC) + by)


def test_an_element_that_cannot_be_read_stops_no_other(stage: Stage) -> None:
    """In one list: it is named and counted, and its neighbours get their dialogs."""
    who, first = element(stage)
    _, second = element(stage, who)
    page = listed(stage, f"{who}/messages")
    broken = {**page["_embedded"]["messages"][0], "LastChangedDateTime": "i går"}
    page["_embedded"]["messages"] = [broken, page["_embedded"]["messages"][1]]
    stage.fault("altinn2", "GET", f"/api/{who}/messages", body=json.dumps(page), status=200, times=1)

    counts, told = run(stage, who)

    assert counts == {DraftOutcome.FAILED: 1, DraftOutcome.CREATED: 1}
    assert [each.message_id for each in told if each.what is DraftOutcome.FAILED] == [broken["MessageId"]]
    assert broken["MessageId"] in failing(stage)
    run(stage, who, bridge=later(stage, timedelta(minutes=2)))
    assert len(dialogs(stage, who)) == 2
    assert not {first, second} & failing(stage).keys()


def test_what_fails_by_itself_is_tried_later_and_later(stage: Stage) -> None:
    """Refused for what it is: left alone for a minute, then for two, and by hand tried at once."""
    who, message_id = element(stage)
    stage.fault("dialogporten", "POST", "/api/v1/serviceowner/dialogs", status=400, times=3)

    first, _ = run(stage, who)
    began = failing(stage)[message_id]
    at_once, _ = run(stage, who)
    second, _ = run(stage, who, bridge=later(stage, timedelta(minutes=2)))
    pause = failing(stage)[message_id] - began
    by_hand = take_run(stage.bridge, RUN_KIND, f"{BY_HAND}{stage.bridge.new_id()}", scope=(who,))
    assert by_hand is not None
    third = run_drafts(stage.bridge, by_hand, watcher([]), dry=False)
    last, _ = run(stage, who, bridge=later(stage, timedelta(hours=7)))

    assert [first, at_once, second] == [{DraftOutcome.FAILED: 1}, {DraftOutcome.WAITING: 1}, {DraftOutcome.FAILED: 1}]
    assert timedelta(minutes=2) < pause < timedelta(minutes=5)
    assert third == {DraftOutcome.FAILED: 1}
    assert last == {DraftOutcome.CREATED: 1}
    assert message_id not in failing(stage)


def test_a_fault_of_ours_at_one_element_stops_no_other(stage: Stage) -> None:
    """Whatever is raised, the run comes to its end: by type and place, and never by text."""
    sound = stage.bridge.mappings[RESOURCE]
    assert sound.altinn2 is not None
    name, action = next(iter(sound.actions.items()))
    broken = replace(
        sound,
        service_resource="urn:altinn:resource:broken",
        altinn2=replace(sound.altinn2, service_code="5790"),
        actions={name: replace(action, button=cast("Any", 7))},
    )
    both = replace(stage.bridge, mappings={RESOURCE: sound, broken.service_resource: broken})
    who, bad = element(stage, service={"code": "5790"})
    element(stage, who)

    counts, told = run(stage, who, bridge=both)

    assert counts == {DraftOutcome.FAILED: 1, DraftOutcome.CREATED: 1}
    (failed,) = [each for each in told if each.what is DraftOutcome.FAILED]
    assert failed.message_id == bad
    assert re.fullmatch(r"AttributeError at [\w.<>]+:\d+", failed.why or "")
    assert failing(stage).pop(bad)


def test_what_fails_is_told_by_health_and_metrics(stage: Stage) -> None:
    """Readiness stays, since presses are taken, and says how many; deep and metrics say it, too."""
    who, message_id = element(stage)
    stage.fault("dialogporten", "POST", "/api/v1/serviceowner/dialogs", status=400, times=1)
    run(stage, who)
    expected = len(failing(stage))

    until(lambda: stage.client.get("/health/deep").get_json()["drafts"]["failing"] == expected)
    ready = stage.client.get("/health/readiness")

    assert message_id in failing(stage)
    assert (ready.status_code, ready.get_json()["draftsFailing"]) == (200, expected)
    assert f"bridge_drafts_failing {expected:.1f}" in stage.client.get("/metrics").get_data(as_text=True)


def test_a_reportee_that_cannot_be_read_stops_no_other(stage: Stage) -> None:
    """One entry of the list of reportees is passed over, and told."""
    who, _ = element(stage)
    page = listed(stage, "reportees")
    page["_embedded"]["reportees"].insert(0, {"Name": "uten id"})
    stage.fault("altinn2", "GET", "/api/reportees", body=json.dumps(page), status=200, times=1)

    counts, _ = run(stage, who)

    assert counts == {DraftOutcome.CREATED: 1}


def test_who_is_not_listed_counts_as_failing_until_listed(stage: Stage) -> None:
    """In each run a line in the log and a failure, without a pause; away when the list has them."""
    who, _ = element(stage)
    shown = listed(stage, "reportees")
    shown["_embedded"]["reportees"] = []
    stage.fault("altinn2", "GET", "/api/reportees", body=json.dumps(shown), status=200, times=2)

    with capture_logs() as logs:
        counts = [run(stage, who)[0] for _ in range(2)]
    missed = failing(stage).keys()
    found, _ = run(stage, who)

    assert counts == [{DraftOutcome.FAILED: 1}] * 2
    said = [each["who"] for each in logs if each["event"].startswith("a reportee that drafts are asked for is not")]
    assert said == [who, who]
    assert f"unlisted {who}" in missed
    assert found == {DraftOutcome.CREATED: 1}
    assert f"unlisted {who}" not in failing(stage)


def test_a_search_that_ignores_its_filter_proves_nothing(stage: Stage) -> None:
    """Dialogs that do not name the element do not stand for it."""
    who, _ = element(stage)
    other = str(uuid7(stage.bridge.clock(), b"0123456789"))
    page = f'{{"items": [{{"id": "{other}", "externalReference": "something"}}], "hasNextPage": false}}'
    stage.fault("dialogporten", "GET", "/api/v1/serviceowner/dialogs", body=page, status=200, times=4)

    counts, _ = run(stage, who)

    assert counts == {DraftOutcome.CREATED: 1}


# The schedule


def test_a_firing_is_done_once_by_whichever_process(stage: Stage) -> None:
    """Every worker's clock asks often; the run that is due is done by one, and not done again."""
    who, _ = element(stage)
    settings = replace(stage.settings, drafts_every=604_800.0, drafts_for=(who,))
    processes = [replace(stage.bridge, settings=settings, holder=name) for name in ("one", "other")]

    run_due_drafts(processes[0], lambda: False)
    stage.world.calls.clear()
    for each in processes:
        run_due_drafts(each, lambda: False)
    asked = stage.world.calls.all()
    measured = stage.client.get("/metrics").get_data(as_text=True)

    assert (len(dialogs(stage, who)), len(asked)) == (1, 0)
    assert f'bridge_drafts_total{{service="{RESOURCE}",what="created"}}' in measured
    assert "bridge_drafts_open 0.0" not in measured
    assert "bridge_drafts_last_run_timestamp_seconds 0.0" not in measured


def test_no_log_names_a_person(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither what goes well nor what fails is told with a number, a name or a subject."""
    person = stage.world.new_person()
    reportee = stage.control("POST", "/altinn2/reportees", {"number": person})["reportee_id"]
    element(stage, person, subject="Kanarifugl")
    stage.fault("dialogporten", "POST", "/api/v1/serviceowner/dialogs", status=503, times=1)

    run(stage, reportee)
    run(stage, reportee)

    written = "".join(capfd.readouterr())
    assert "what=created" in written
    assert person not in written
    assert "Kanarifugl" not in written
