"""What the dialog of an element says: within Dialogporten's limits, and three-way when the element moves."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.cases import CaseStatus
from bridge.core.dialog_merge import Merged, PatchOperation, merge
from bridge.core.dialogs import SERVICE_OWNER, Activity, dialog_from_json
from bridge.core.elements import Element
from bridge.core.ids import uuid7
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    Button,
    DialogSpec,
    FormSource,
    Priority,
    Requirement,
    ServiceMapping,
    StateRule,
    Then,
    Validation,
    Verb,
    Wording,
)
from bridge.core.new_dialogs import new_dialog, own_dialog_change
from bridge.core.operations import Outcome
from bridge.core.states import Subject, change_for
from bridge.core.targets import Target
from bridge.core.written import Written
from tests.core.test_drafts import DRAFT, ELEMENT, NOW

PUBLIC = "https://bridge.example.no"
PARTY = "urn:altinn:organization:identifier-no:310000005"


def action(name: str, after: AfterUpdate = AfterUpdate.SIGN_AND_ARCHIVE, **about: Any) -> ActionMapping:
    usual = ActionMapping(
        name=name,
        requires=Requirement(action="write"),
        minimum_level=3,
        target=Target.ALTINN2,
        form=FormSource.MESSAGE,
        set_values=(),
        calculate=False,
        validate=Validation.OFF,
        after=after,
        then=Then(),
    )
    return replace(usual, **about)


def mapping(*actions: ActionMapping) -> ServiceMapping:
    return ServiceMapping(
        service_resource="urn:altinn:resource:serveringsbevilling",
        altinn2=Altinn2Service(service_code="5701", service_edition=1),
        altinn3=None,
        forms=(),
        actions={each.name: each for each in actions},
        states={},
        source="test.yaml",
    )


SUBMIT = action("submit")
TO_SIGNING = action("to-signing", AfterUpdate.SEND_TO_SIGNING)
SIGN = action("sign", form=FormSource.NONE, requires=Requirement(action="sign", attribute="urn:altinn:task:1"))
DISCARD = action("discard", verb=Verb.DELETE, form=FormSource.NONE)
SEND = action("send", form=FormSource.BODY)
ALL = mapping(SUBMIT, TO_SIGNING, SIGN, DISCARD, SEND)


def subject(of: ServiceMapping = ALL) -> Subject:
    return Subject(mapping=of, dialog_id=DRAFT.dialog_id, public_url=PUBLIC, values={"message_id": "a1001"})


def born(of: ServiceMapping = ALL, element: Element = ELEMENT) -> tuple[Mapping[str, Any], Written]:
    says = own_dialog_change(subject(of), element, activity=None, now=NOW)
    return new_dialog(subject(of), says, element, party=PARTY, key="a2-message-a1001", label="urn:a2")


def made(of: ServiceMapping = ALL, element: Element = ELEMENT) -> Mapping[str, Any]:
    return born(of, element)[0]


def moved(
    element: Element | None,
    body: Mapping[str, Any],
    *,
    of: ServiceMapping = ALL,
    base: Written | None = None,
    told: bool = False,
) -> Merged:
    """What follows from a dialog that was made and now reads *body*."""
    activity = Activity(
        id=uuid7(NOW, bytes(10)),
        type="Information",
        created_at=NOW,
        performed_by=SERVICE_OWNER,
        description={"nb": "Slutt."},
    )
    says = own_dialog_change(subject(of), element, activity=activity if told else None, now=NOW)
    dialog = dialog_from_json({**body, "revision": "6f1b0f0e-6a5c-4f35-9b7d-0d6a5c4f359b"})
    return merge(dialog, says, born(of)[1] if base is None else base)


def to(state: CaseStatus, body: Mapping[str, Any], *, of: ServiceMapping = ALL) -> tuple[PatchOperation, ...]:
    return moved(replace(ELEMENT, state=state), body, of=of).operations


def names(actions: Any) -> list[str]:
    return [str(each["url"]).rpartition("/")[2] for each in actions]


def test_buttons_are_those_that_fit_the_state() -> None:
    """Where the mapping does not say: what can be done with a form that is filled in, or signed."""
    filling, signing = made(), made(element=replace(ELEMENT, state=CaseStatus.SIGNING))

    assert names(filling["guiActions"]) == ["submit", "to-signing", "discard"]
    assert names(signing["guiActions"]) == ["sign", "discard"]
    assert signing["guiActions"][0]["authorizationAttribute"] == "urn:altinn:task:1"


def test_what_takes_a_form_is_for_machines() -> None:
    """A button sends no form, so such an action stands among the API actions only."""
    body = made()

    assert "send" not in names(body["guiActions"])
    assert "send" in [each["name"] for each in body["apiActions"]]


@pytest.mark.parametrize("page", [None, "https://www.altinn.no/Pages/FillInForm.aspx?ReporteeElementID=1001"])
def test_no_more_buttons_than_there_is_room_for(page: str | None) -> None:
    """One primary, one secondary, five tertiary; the rest stands among the API actions."""
    many = mapping(*(action(f"action-{number}") for number in range(12)))

    body = made(many, replace(ELEMENT, page=page))

    priorities = Counter(each["priority"] for each in body["guiActions"])
    assert priorities == {"Primary": 1, "Secondary": 1, "Tertiary": 5}
    assert len(body["apiActions"]) == 12


@pytest.mark.parametrize("page", ["http://www.altinn.no/x", "javascript:alert(1)", "https://x/" + "y" * 1023, ""])
def test_a_page_that_is_no_address_gets_no_button(page: str) -> None:
    """Dialogporten takes https of at most 1,023 characters, and a person is sent nowhere else."""
    assert "read" not in [each["action"] for each in made(element=replace(ELEMENT, page=page))["guiActions"]]


@given(st.text(max_size=600))
def test_any_subject_becomes_a_title_or_none(subject: str) -> None:
    """One line of 1 to 255 printable characters, whatever the other system wrote."""
    title = made(element=replace(ELEMENT, subject=subject))["content"]["title"]["value"][0]["value"]

    assert 1 <= len(title.encode("utf-16-le")) // 2 <= 255
    assert title.isprintable()
    json.dumps(title)


@pytest.mark.parametrize(("days", "told"), [(-1, False), (0, False), (1, True)])
def test_only_a_date_to_come_is_due(days: int, told: bool) -> None:
    """A date that has passed would be refused."""
    body = made(element=replace(ELEMENT, due=NOW + timedelta(days=days)))

    assert ("dueAt" in body) is told


def test_the_same_element_makes_the_same_dialog() -> None:
    """A repeat is recognised by every id in it."""
    assert made() == made()


def test_nothing_changes_while_nothing_moved() -> None:
    """Saved once more: the dialog says the same, and no call is made."""
    assert to(CaseStatus.FORM_FILLING, made()) == ()


def test_a_press_brings_built_in_buttons_to_our_dialogs_alone() -> None:
    """Where the mapping gives none: what signs is there as soon as a press sent it to signing, and not on others'."""
    body, written = born()
    theirs = dialog_from_json({**body, "guiActions": [], "apiActions": [], "revision": "x"})
    change = change_for(
        subject=subject(),
        action=TO_SIGNING,
        outcome=Outcome.DONE,
        code=None,
        state=CaseStatus.SIGNING,
        operation_id="operation-1",
        accepted_at=NOW,
        actor=PARTY,
    )

    ours = merge(dialog_from_json({**body, "revision": "x"}), change, written).operations
    others = merge(theirs, change).operations

    assert names(_added(ours, "/guiActions/-")) == ["sign"]
    assert [each for each in others if "Actions" in str(each["path"])] == []


def test_a_button_that_others_took_away_stays_away() -> None:
    """The element did not move, so what the case system did counts."""
    body = {**made(), "guiActions": [], "apiActions": [], "status": "Awaiting"}

    assert to(CaseStatus.FORM_FILLING, body) == ()


def test_a_move_takes_and_brings_only_our_buttons() -> None:
    """To signing: what fills in goes, what signs comes, and the case system's button stays."""
    foreign = {"action": "read", "url": "https://case.example.no/help", "priority": "Tertiary"}
    body = {**made(), "guiActions": [foreign, *made()["guiActions"]]}

    operations = to(CaseStatus.SIGNING, body)

    assert [each["path"] for each in operations if each["op"] == "remove" and "gui" in str(each["path"])] == [
        "/guiActions/2",
        "/guiActions/1",
    ]
    assert names(_added(operations, "/guiActions/-")) == ["sign"]
    assert {"op": "replace", "path": "/status", "value": "InProgress"} in operations


def test_a_new_button_takes_the_place_that_is_free() -> None:
    """Where the case system has the primary place, ours stands beside it."""
    foreign = {"action": "read", "url": "https://case.example.no/help", "priority": "Primary"}
    body = {**made(), "guiActions": [foreign]}

    operations = to(CaseStatus.SIGNING, body)

    assert [each["priority"] for each in _added(operations, "/guiActions/-")] == ["Secondary"]


def test_an_unclear_state_takes_nothing_for_done() -> None:
    """A text that no table knows changes neither status nor words."""
    paths = [str(each["path"]) for each in to(CaseStatus.UNKNOWN, made())]

    assert "/status" not in paths
    assert not any(path.startswith("/content") for path in paths)


@pytest.mark.parametrize(
    ("element", "status"),
    [(replace(ELEMENT, state=CaseStatus.ARCHIVED), "Completed"), (None, "NotApplicable")],
    ids=["sent", "gone"],
)
def test_an_end_is_told_once(element: Element | None, status: str) -> None:
    """No button of ours, one line of history; told again, it is known by its id."""
    body = made()
    ended = moved(element, body, told=True)
    activity = next(each["value"] for each in ended.operations if each["path"] == "/activities/-")
    contents = {
        str(each["path"]).rpartition("/")[2]: each["value"]
        for each in ended.operations
        if str(each["path"]).startswith("/content/")
    }
    after = {
        **body,
        "status": status,
        "guiActions": [],
        "apiActions": [],
        "activities": [activity],
        "content": {**body["content"], **contents},
    }

    again = moved(element, after, base=ended.written, told=True)

    assert {"op": "replace", "path": "/status", "value": status} in ended.operations
    assert sum(each["op"] == "remove" for each in ended.operations) == len(body["guiActions"]) + len(body["apiActions"])
    assert again.operations == ()


def test_a_date_of_ours_goes_when_the_form_is_sent() -> None:
    """What is done is not due any more; a date that others set stays."""
    due = replace(ELEMENT, due=NOW + timedelta(days=1))
    body, written = born(element=due)
    sent = replace(due, state=CaseStatus.ARCHIVED)
    theirs = {**body, "dueAt": (NOW + timedelta(days=9)).isoformat()}

    ours_gone = [each["path"] for each in moved(sent, body, base=written).operations if each["op"] == "remove"]
    theirs_kept = [each["path"] for each in moved(sent, theirs, base=written).operations]

    assert "/dueAt" in ours_gone
    assert "/dueAt" not in theirs_kept


def test_the_mapping_gives_the_words() -> None:
    """Title, summary, status and button from the mapping, by state; names in braces filled in."""
    button = Button(
        title={"nb": "Lever", "nn": "Lever", "en": "Hand in"},
        priority=Priority.SECONDARY,
        prompt={"nb": "Sikker?", "nn": "Sikker?", "en": "Sure?"},
        api=True,
    )
    told = Wording(
        code="a2:filling",
        extended_status={"nb": "Kladd", "nn": "Kladd", "en": "Draft"},
        summary={"nb": "Sak {message_id}", "nn": "Sak {message_id}", "en": "Case {message_id}"},
    )
    of = replace(
        mapping(replace(SUBMIT, button=button)),
        states={CaseStatus.FORM_FILLING: StateRule(status="RequiresAttention", actions=None, wording=told)},
        dialog=DialogSpec(
            wording=Wording(title={"nb": "Tittel", "nn": "Tittel", "en": "Title"}),
            search_tags=("servering",),
            labels=("kommune",),
        ),
    )

    body = made(of)

    assert (body["status"], body["extendedStatus"]) == ("RequiresAttention", "a2:filling")
    assert [each["value"] for each in body["content"]["title"]["value"]] == ["Tittel", "Tittel", "Title"]
    assert body["content"]["summary"]["value"][2]["value"] == "Case a1001"
    assert body["content"]["extendedStatus"]["value"][0]["value"] == "Kladd"
    assert body["searchTags"] == [{"value": "servering"}]
    assert [each["value"] for each in body["serviceOwnerContext"]["serviceOwnerLabels"]] == ["urn:a2", "kommune"]
    (shown,) = body["guiActions"]
    assert (shown["priority"], shown["title"][0]["value"]) == ("Secondary", "Lever")
    assert shown["prompt"][2] == {"languageCode": "en", "value": "Sure?"}
    assert [each["name"] for each in body["apiActions"]] == ["submit"]


def _added(operations: tuple[PatchOperation, ...], path: str) -> list[Any]:
    return [each["value"] for each in operations if (each["op"], each["path"]) == ("add", path)]
