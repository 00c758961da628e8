"""From a wanted change to the smallest patch."""

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.dialog_merge import PatchOperation, merge
from bridge.core.dialogs import SERVICE_OWNER, Activity, Dialog, DialogChange, action_of, dialog_from_json

DIALOG_ID = UUID("0194fe82-9280-77a5-a7cd-5ff0e6a6fa07")
OURS = f"https://bridge.example/actions/{DIALOG_ID}/"
THEIRS = "https://agency.example/actions/"
ACTIVITY = Activity(
    id=UUID("0194fe90-0000-7000-8000-000000000001"),
    type="Information",
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    performed_by=SERVICE_OWNER,
    description={"nb": "Noe skjedde."},
)
CHANGE = DialogChange(status="Completed", remove_actions=frozenset({"submit"}), activities=(ACTIVITY,), silent=True)
NOTHING = DialogChange(status=None, remove_actions=frozenset(), activities=(), silent=True)


def _body(**members: object) -> dict[str, Any]:
    return {
        "id": str(DIALOG_ID),
        "revision": "6f1b0f0e-6a5c-4f35-9b7d-0d6a5c4f359b",
        "serviceResource": "urn:altinn:resource:bli-tjenesteeier",
        "party": "urn:altinn:organization:identifier-no:310000019",
        "status": "Draft",
        "guiActions": [],
        "apiActions": [],
        "activities": [],
        **members,
    }


def patch_for(dialog: Dialog, change: DialogChange) -> tuple[PatchOperation, ...]:
    """The patch where the bridge never wrote before."""
    return merge(dialog, change).operations


def _apply(body: dict[str, Any], patch: tuple[PatchOperation, ...]) -> dict[str, Any]:
    """Do what RFC 6902 says for the three operations that the bridge uses."""
    body = copy.deepcopy(body)
    for operation in patch:
        *parents, last = str(operation["path"]).split("/")[1:]
        place: Any = body
        for step in parents:
            place = place[int(step)] if isinstance(place, list) else place[step]
        match operation["op"], place, last:
            case "replace", dict(), name:
                assert name in place
                place[name] = operation["value"]
            case "remove", list(), index:
                del place[int(index)]
            case "add", list(), "-":
                place.append(operation["value"])
            case other:
                raise AssertionError(other)
    return body


def test_a_change_is_status_button_and_activity() -> None:
    """The patch names each thing by its place in what was read."""
    dialog = dialog_from_json(_body(guiActions=[{"url": THEIRS + "x"}, {"url": OURS + "submit"}]))

    patch = patch_for(dialog, replace(CHANGE, activities=()))

    assert patch == (
        {"op": "replace", "path": "/status", "value": "Completed"},
        {"op": "remove", "path": "/guiActions/1"},
    )


def test_later_buttons_are_removed_first() -> None:
    """A removal moves what follows it, so indexes go down."""
    dialog = dialog_from_json(_body(guiActions=[{"url": OURS + name} for name in ("submit", "save", "submit")]))

    patch = patch_for(dialog, replace(NOTHING, remove_actions=frozenset({"submit"})))

    assert [operation["path"] for operation in patch] == ["/guiActions/2", "/guiActions/0"]


def test_foreign_endpoints_keep_their_action() -> None:
    """Of an API action that others share, only our endpoints go; one that is wholly ours goes as a whole."""
    shared = {"endpoints": [{"url": OURS + "submit"}, {"url": THEIRS + "x"}, {"url": OURS + "submit"}]}
    own = {"endpoints": [{"url": OURS + "submit"}]}
    dialog = dialog_from_json(_body(apiActions=[shared, own, {"endpoints": []}]))

    patch = patch_for(dialog, replace(NOTHING, remove_actions=frozenset({"submit"})))

    assert [operation["path"] for operation in patch] == [
        "/apiActions/1",
        "/apiActions/0/endpoints/2",
        "/apiActions/0/endpoints/0",
    ]


def test_a_known_activity_is_not_repeated() -> None:
    """An activity whose id stands there already got through before."""
    dialog = dialog_from_json(_body(status="Completed", activities=[{"id": str(ACTIVITY.id)}]))

    assert patch_for(dialog, CHANGE) == ()


def test_a_stored_status_is_not_written_again() -> None:
    """Sent is shown as Awaiting; writing it again would change nothing."""
    dialog = dialog_from_json(_body(status="Awaiting"))

    assert patch_for(dialog, replace(NOTHING, status="Sent")) == ()


URLS = st.sampled_from(
    [OURS + name for name in ("submit", "save", "sign")]
    + [THEIRS + name for name in ("submit", "x")]
    + [f"https://bridge.example/actions/{ACTIVITY.id}/submit", "https://bridge.example/", ""]
)
BODIES = st.builds(
    _body,
    status=st.sampled_from(["Draft", "InProgress", "Completed", "Awaiting", "NotApplicable"]),
    guiActions=st.lists(st.fixed_dictionaries({"url": URLS}), max_size=7),
    apiActions=st.lists(
        st.fixed_dictionaries({"endpoints": st.lists(st.fixed_dictionaries({"url": URLS}), max_size=4)}), max_size=4
    ),
    activities=st.lists(st.uuids(version=4).map(lambda found: {"id": str(found)}), max_size=3),
)
CHANGES = st.builds(
    DialogChange,
    status=st.sampled_from([None, "Completed", "Sent", "New", "inprogress"]),
    remove_actions=st.frozensets(st.sampled_from(["submit", "save", "sign", "x"])),
    activities=st.lists(st.uuids().map(lambda found: replace(ACTIVITY, id=found)), max_size=2).map(tuple),
    silent=st.booleans(),
)


def _stays(url: str, change: DialogChange) -> bool:
    return action_of(url, DIALOG_ID) not in change.remove_actions


@given(body=BODIES, change=CHANGES)
def test_a_patch_takes_only_its_own(body: dict[str, Any], change: DialogChange) -> None:
    """Whatever else stands in the dialog stands there after, in the same order; what should go is gone."""
    after = _apply(body, patch_for(dialog_from_json(body), change))

    assert after["guiActions"] == [item for item in body["guiActions"] if _stays(item["url"], change)]
    left = [
        (item, [endpoint for endpoint in item["endpoints"] if _stays(endpoint["url"], change)])
        for item in body["apiActions"]
    ]
    assert [item["endpoints"] for item in after["apiActions"]] == [
        endpoints for item, endpoints in left if endpoints or not item["endpoints"]
    ]
    assert after["activities"][: len(body["activities"])] == body["activities"]
    kept = body.keys() - {"status", "guiActions", "apiActions", "activities"}
    assert {name: after[name] for name in kept} == {name: body[name] for name in kept}


@given(body=BODIES, change=CHANGES)
def test_an_applied_patch_leaves_nothing(body: dict[str, Any], change: DialogChange) -> None:
    """The same change on the dialog that it made is no change."""
    after = _apply(body, patch_for(dialog_from_json(body), change))

    assert patch_for(dialog_from_json(after), change) == ()
