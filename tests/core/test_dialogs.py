"""Dialogs as they are read, and what they say about themselves."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bridge.core.dialogs import (
    SERVICE_OWNER,
    Activity,
    Actor,
    ActorType,
    Dialog,
    action_of,
    activity_to_json,
    dialog_from_json,
    element_reference,
    party_representative,
    stored_status,
)

DIALOG_ID = UUID("0194fe82-9280-77a5-a7cd-5ff0e6a6fa07")
PARTY = "urn:altinn:organization:identifier-no:310000019"
BODY: dict[str, object] = {
    "id": str(DIALOG_ID),
    "revision": "6f1b0f0e-6a5c-4f35-9b7d-0d6a5c4f359b",
    "serviceResource": "urn:altinn:resource:bli-tjenesteeier",
    "party": PARTY,
    "status": "Draft",
}
DIALOG = dialog_from_json(BODY)
ACTIVITY = Activity(
    id=UUID("0194fe90-0000-7000-8000-000000000001"),
    type="Information",
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    performed_by=SERVICE_OWNER,
    description={"nb": "Noe skjedde.", "en": "Something happened."},
)


def test_a_bare_dialog_is_read() -> None:
    """Members that Dialogporten leaves out when they are null are nothing, and no error."""
    dialog = dialog_from_json(BODY)

    assert (dialog.id, dialog.status, dialog.external_reference) == (DIALOG_ID, "Draft", None)
    assert (dialog.labels, dialog.gui_actions, dialog.api_actions) == ((), (), ())
    assert (dialog.activity_ids, dialog.deleted_at) == (frozenset(), None)


def test_null_members_read_like_missing_ones() -> None:
    """A null says the same as a member that is not there."""
    optional = ("externalReference", "guiActions", "apiActions", "activities", "deletedAt", "serviceOwnerContext")

    dialog = dialog_from_json({**BODY, **dict.fromkeys(optional)})

    assert dialog == DIALOG


def test_a_full_dialog_is_read() -> None:
    """Labels, actions with their endpoints, activity ids and the time of deletion are all there."""
    dialog = dialog_from_json(
        {
            **BODY,
            "externalReference": "sak-1",
            "deletedAt": "2026-01-31T12:00:00.1234560Z",
            "serviceOwnerContext": {"serviceOwnerLabels": [{"value": "en"}, {"value": "to"}]},
            "guiActions": [{"id": str(ACTIVITY.id), "url": "https://bridge.example/x", "action": "write"}],
            "apiActions": [{"action": "write", "endpoints": [{"url": "https://bridge.example/y"}]}],
            "activities": [{"id": str(ACTIVITY.id), "type": "DialogCreated"}],
        }
    )

    assert dialog.labels == ("en", "to")
    assert dialog.gui_actions[0].id == ACTIVITY.id
    assert dialog.gui_actions[0].raw["action"] == "write"
    assert dialog.api_actions[0].endpoints[0].url == "https://bridge.example/y"
    assert dialog.activity_ids == {ACTIVITY.id}
    assert dialog.deleted_at == datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def test_the_header_stands_in_for_revision() -> None:
    """Where the body has no revision, the one from the header counts."""
    body = {name: value for name, value in BODY.items() if name != "revision"}

    assert dialog_from_json(body, revision="r-1").revision == "r-1"
    assert dialog_from_json(BODY, revision="r-1").revision == BODY["revision"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"party": None}, id="no party"),
        pytest.param({"status": 4}, id="status is a number"),
        pytest.param({"id": "x"}, id="id is no uuid"),
        pytest.param({"revision": None}, id="no revision"),
        pytest.param({"guiActions": ["x"]}, id="action is a text"),
    ],
)
def test_half_a_dialog_is_refused(fault: dict[str, object]) -> None:
    """A dialog that cannot be identified, or whose lists cannot be counted, is never half understood."""
    with pytest.raises(ValueError, match=r".+"):
        dialog_from_json({**BODY, **fault})


@pytest.mark.parametrize("value", [DIALOG, party_representative(PARTY)], ids=["dialog", "actor"])
def test_no_party_shows_when_printed(value: object) -> None:
    """A party's urn holds a national identity number where the party is a person."""
    assert PARTY not in repr(value)


def _with(labels: tuple[str, ...] = (), external_reference: str | None = None, key: str | None = None) -> Dialog:
    raw = {**DIALOG.raw, "idempotentKey": key}
    return replace(DIALOG, labels=labels, external_reference=external_reference, raw=raw)


LABEL = "urn:altinn:integration:a2:message:"


@pytest.mark.parametrize(
    ("dialog", "expected"),
    [
        pytest.param(_with((f"{LABEL}a5900001",)), "a5900001", id="label"),
        pytest.param(_with((), "a2:message:b17"), "b17", id="external reference"),
        pytest.param(_with((f"{LABEL}a1",), "a2:message:a2"), "a1", id="label before reference"),
        pytest.param(_with((f"{LABEL}5900001",)), "a5900001", id="number without letter"),
        pytest.param(_with(("sak-1", f" {LABEL}A5 ")), "a5", id="other labels, blanks and case"),
        pytest.param(_with((f"{LABEL}a1", f"{LABEL}a1")), "a1", id="said twice"),
        pytest.param(_with((f"{LABEL}a1", f"{LABEL}a2"), "a2:message:a1"), None, id="labels disagree"),
        pytest.param(_with((f"{LABEL}a1/../b2",)), None, id="path in the label"),
        pytest.param(_with((f"{LABEL}a1?x=1",)), None, id="query in the label"),
        pytest.param(_with((f"{LABEL}a١",)), None, id="digits of another script"),
        pytest.param(_with(("a2:message:a1",), f"{LABEL}a1"), None, id="each in the other's place"),
        pytest.param(_with(), None, id="nothing"),
        pytest.param(_with((), None, "a2-message-a5900001"), "a5900001", id="key"),
        pytest.param(_with((), "a2:message:a2", "a2-message-a1"), "a2", id="reference before key"),
        pytest.param(_with((f"{LABEL}a1", f"{LABEL}a2"), None, "a2-message-a1"), None, id="labels disagree, with key"),
        pytest.param(_with((), None, "a2-message-5900001"), None, id="key without letter"),
        pytest.param(_with((), None, "sak-a2-message-a1"), None, id="another key"),
    ],
)
def test_labels_say_which_element_it_is(dialog: Dialog, expected: str | None) -> None:
    """The element comes from the label or the external reference, and only as an id that may stand in a URL."""
    assert element_reference(dialog) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param(f"https://bridge.example/actions/{DIALOG_ID}/submit", "submit", id="ours"),
        pytest.param(f"https://bridge.example/a/b/actions/{DIALOG_ID}/submit", "submit", id="behind a prefix"),
        pytest.param(f"https://bridge.example/actions/{str(DIALOG_ID).upper()}/submit?x=1#y", "submit", id="case"),
        pytest.param(f"https://bridge.example/actions/{DIALOG_ID}/send%20inn", "send inn", id="escaped"),
        pytest.param(f"https://bridge.example/actions/{ACTIVITY.id}/submit", None, id="another dialog"),
        pytest.param(f"https://bridge.example/actions/{DIALOG_ID}/submit/more", None, id="more follows"),
        pytest.param(f"https://bridge.example/actions/{DIALOG_ID}/", None, id="no name"),
        pytest.param(f"https://bridge.example/?next=/actions/{DIALOG_ID}/submit", None, id="in the query"),
        pytest.param("https://[bridge/actions", None, id="not a url"),
        pytest.param("", None, id="empty"),
    ],
)
def test_own_actions_are_known_by_path(url: str, expected: str | None) -> None:
    """A button is ours when its path ends in the dialog and a name; anything else belongs to somebody else."""
    assert action_of(url, DIALOG_ID) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("New", "NotApplicable", True),
        ("Sent", "Awaiting", True),
        ("completed", "Completed", True),
        ("Draft", "InProgress", False),
    ],
)
def test_input_statuses_equal_what_is_stored(one: str, other: str, same: bool) -> None:
    """New and Sent are taken, but never shown again under those names."""
    assert (stored_status(one) == stored_status(other)) is same


def test_an_activity_is_written_without_nulls() -> None:
    """The service owner goes without id and name, and times are UTC with their zone said."""
    assert activity_to_json(ACTIVITY) == {
        "id": "0194fe90-0000-7000-8000-000000000001",
        "createdAt": "2026-01-31T12:00:00Z",
        "type": "Information",
        "performedBy": {"actorType": "ServiceOwner"},
        "description": [
            {"languageCode": "nb", "value": "Noe skjedde."},
            {"languageCode": "en", "value": "Something happened."},
        ],
    }


def test_a_representative_is_written_with_id() -> None:
    """A party's representative carries the id, and an activity other than Information no description."""
    activity = replace(ACTIVITY, type="FormSubmitted", performed_by=party_representative(PARTY), description={})

    body = activity_to_json(activity)

    assert body["performedBy"] == {"actorType": "PartyRepresentative", "actorId": PARTY}
    assert "description" not in body


def test_impossible_actors_cannot_be_made() -> None:
    """What Dialogporten would refuse fails where it is written."""
    with pytest.raises(ValueError, match="representative"):
        Actor(actor_type=ActorType.SERVICE_OWNER, actor_id=PARTY)
    with pytest.raises(ValueError, match="representative"):
        Actor(actor_type=ActorType.PARTY_REPRESENTATIVE)


@pytest.mark.parametrize("fault", [{"description": {}}, {"type": "FormSaved"}], ids=["no text", "text elsewhere"])
def test_descriptions_belong_to_information_only(fault: dict[str, object]) -> None:
    """What Dialogporten would refuse fails where it is written."""
    with pytest.raises(ValueError, match="Information"):
        replace(ACTIVITY, **fault)  # type: ignore[arg-type]
