"""Dialogporten's service-owner API: who may write, what is refused, and what each write does."""

from datetime import timedelta
from typing import Any

import pytest

from bridge.sandbox.core.switches import Value
from bridge.sandbox.core.world import SERVICE_OWNER_SCOPES
from bridge.sandbox.dialogporten.kinds import moment_text
from bridge.sandbox.dialogporten.model import Resource
from bridge.sandbox.dialogporten.rules import ADMIN
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    NOON,
    RESOURCE,
    as_owner,
    created,
    dialog,
    dialogs_url,
    gui_action,
    information,
    make_world,
    moved,
    session_into,
    texts,
    uuid7,
)

PERSON = "urn:altinn:person:identifier-no:"
COMPLETE = [{"op": "replace", "path": "/status", "value": "Completed"}]


def shown(world: World, dialog_id: str) -> Any:
    return as_owner(world).get(dialogs_url(dialog_id)).json()


def patched(world: World, dialog_id: str, operations: Any, *, silent: bool = False, if_match: str | None = None) -> Any:
    return as_owner(world).patch(
        dialogs_url(dialog_id),
        json=operations,
        params={"isSilentUpdate": "true"} if silent else {},
        headers={} if if_match is None else {"If-Match": if_match},
    )


def added(value: Any) -> list[dict[str, Any]]:
    return [{"op": "add", "path": "/activities/-", "value": value}]


def kinds(world: World) -> list[str]:
    return [str(event["type"]) for event in world.dialogporten.events()]


def as_put(found: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What GET showed, as a PUT that appends nothing."""
    return {**found, "activities": [], "transmissions": [], **changes}


# Who may write


def test_without_a_token_the_answer_is_empty() -> None:
    """401 and no body."""
    answer = session_into(make_world()).get(dialogs_url("019cd767-5adc-7098-b6f6-75cc81e74ef5"))

    assert (answer.status_code, answer.content) == (401, b"")


def test_without_the_scope_the_answer_is_empty() -> None:
    """403 and no body."""
    answer = as_owner(make_world(), scopes=["altinn:serviceowner"]).post(dialogs_url(), json=dialog())

    assert (answer.status_code, answer.content) == (403, b"")


def test_others_dialogs_are_not_found() -> None:
    """Somebody else's dialog is 404, not 403."""
    world = make_world()
    dialog_id = created(as_owner(world))
    other = as_owner(world, organisation=world.new_organisation())

    answers = [
        other.get(dialogs_url(dialog_id)),
        other.patch(dialogs_url(dialog_id), json=COMPLETE),
        other.delete(dialogs_url(dialog_id)),
        other.post(dialogs_url(dialog_id, "activities"), json=information()),
    ]

    assert [each.status_code for each in answers] == [404] * 4


def test_others_resources_are_forbidden() -> None:
    """A dialog of a resource that another organisation owns is 403."""
    world = make_world()
    world.dialogporten.own(RESOURCE, Resource(owner=world.new_organisation().number))

    answer = as_owner(world).post(dialogs_url(), json=dialog())

    assert (answer.status_code, list(answer.json()["errors"])) == (403, ["Forbidden"])


# Creating


def test_a_new_dialog_has_everything() -> None:
    """201 with Etag and the id as a JSON string, and no Location; then GET shows it, without nulls."""
    world = make_world()

    answer = as_owner(world).post(dialogs_url(), json=dialog(status="New"))

    found = shown(world, answer.json())
    assert answer.status_code == 201
    assert "Location" not in answer.headers
    assert answer.headers["Etag"] == found["revision"]
    assert (found["status"], found["org"], found["party"]) == ("NotApplicable", "ttd", dialog()["party"])
    assert found["createdAt"] == "2026-03-10T11:00:00.8600000Z"
    assert None not in found.values()
    assert kinds(world) == ["dialogporten.dialog.created.v1"]  # fmt: skip


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("no title", {"content": {}}, "dto.content", "Title must not be empty."),
    ("no content", {"content": None}, "dto.content", "'Content' must not be empty."),
    ("Norwegian at large", {"content": {"title": {"value": [{"languageCode": "no", "value": "A"}]}}},
     "dto.content.value[0].languageCode", "'LanguageCode' 'no' is not a valid"),
    ("a long status", {"content": {"title": {"value": texts()}, "extendedStatus": {"value": texts("x" * 26)}}},
     "dto.content.value[0].value", "must be 25 characters or fewer. You entered 26"),
    ("a media type", {"content": {"title": {"value": texts(), "mediaType": "text/html"}}},
     "dto.content.mediaType", "MediaType 'text/html' is not allowed for content type Title."),
    ("http", {"guiActions": [gui_action(url="http://bro.example.no/x")]},
     "dto.guiActions[0].url", "'Url' is not a well-formatted HTTPS URL."),
    ("PUT", {"guiActions": [gui_action(httpMethod="PUT")]}, "dto.guiActions[0].httpMethod",
     "'HttpMethod' for GUI actions must be one of the following: [GET, POST, DELETE]."),
    ("two primary", {"guiActions": [gui_action(), gui_action()]}, "dto.guiActions",
     "Only one primary GUI action is allowed."),
    ("six tertiary", {"guiActions": [gui_action(priority="Tertiary")] * 6}, "dto.guiActions",
     "Only five tertiary GUI actions are allowed."),
    ("an attribute", {"guiActions": [gui_action(authorizationAttribute="9x")]},
     "dto.guiActions[0].authorizationAttribute", "must be on format"),
    ("version 4", {"id": "5a3c1a4e-9a0e-4f4e-8d2a-111111111111"}, "dto.id", "Expected big endian UUIDv7 format"),
    ("a tag", {"searchTags": [{"value": "ab"}]}, "dto.searchTags[0].value", "at least 3"),
    ("a party", {"party": "urn:altinn:organization:identifier-no:310000018"}, "dto.party", "'Party' must be on format"),
    ("a resource", {"serviceResource": "sandkasse"}, "dto.serviceResource", "must start with"),
    ("progress", {"progress": 101}, "dto.progress", "You entered 101."),
    ("a described type", {"activities": [information(type="FormSubmitted")]}, "dto.activities[0].description",
     "Description is only allowed when the type is 'Information'."),
    ("an owner with a name", {"activities": [information(performedBy={"actorType": "ServiceOwner", "actorName": "A"})]},
     "dto.activities[0].performedBy", "both 'ActorId' and 'ActorName' must be null"),
    ("a representative without", {"activities": [information(performedBy={"actorType": "PartyRepresentative"})]},
     "dto.activities[0].performedBy", "but not both simultaneously"),
    ("an idempotent key", {"idempotentKey": "ab"}, "dto.idempotentKey", "at least 3"),
    ("an unknown status", {"status": "Finished"}, "status", "could not be converted"),
    ("a time without zone", {"dueAt": "2027-01-01T00:00:00"}, "dueAt", "could not be converted"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "key", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_dialog_is_explained_by_key(members: dict[str, Any], key: str, words: str) -> None:
    """400 under the key of the member, in the validator's words; nothing is stored."""
    world = make_world()

    answer = as_owner(world).post(dialogs_url(), json=dialog(**members))

    assert answer.status_code == 400
    assert words in answer.json()["errors"][key][0]
    assert world.dialogporten.dialogs() == ()


@pytest.mark.parametrize(("allowed", "status"), [(True, 201), (False, 400)])
def test_http_on_loopback_is_a_switch(allowed: Value, status: int) -> None:
    """Demos need http on this machine; the real one never takes it."""
    world = make_world(allow_http_loopback=allowed)

    answer = as_owner(world).post(dialogs_url(), json=dialog(guiActions=[gui_action(url="http://127.0.0.1:8080/a")]))

    assert answer.status_code == status


def test_times_in_the_past_are_a_domain_error() -> None:
    """422, not 400, under the key DueAt."""
    answer = as_owner(make_world()).post(dialogs_url(), json=dialog(dueAt="2026-03-09T00:00:00Z"))

    assert (answer.status_code, answer.json()["errors"]) == (422, {"DueAt": ["Must be in the future"]})


def test_a_repeated_idempotent_key_names_the_dialog() -> None:
    """409 with the id in the text."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session, idempotentKey="melding-1")

    answer = session.post(dialogs_url(), json=dialog(idempotentKey="melding-1"))

    assert answer.status_code == 409
    assert answer.json()["errors"] == {"IdempotentKey": [f"'melding-1' already exists with DialogId '{dialog_id}'"]}


def test_a_repeated_dialog_id_is_422() -> None:
    """An own id that exists."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session, id=uuid7(world))

    answer = session.post(dialogs_url(), json=dialog(id=dialog_id))

    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        {"Dialog": [f"Key ('Id')=({dialog_id}) already exists."]},
    )


# Changing


def test_a_patch_changes_and_tells() -> None:
    """204 with a new Etag; the ledger, the CloudEvents and the times show it."""
    world = make_world()
    dialog_id = created(as_owner(world))
    before = shown(world, dialog_id)
    moved(world, seconds=1)

    answer = patched(world, dialog_id, [*COMPLETE, *added(information())], if_match=before["revision"])

    after = shown(world, dialog_id)
    effect = world.ledger.effects("dialogporten.patch")[0].facts
    assert (answer.status_code, answer.headers["Etag"]) == (204, after["revision"])
    assert (effect["revision_before"], effect["revision_after"]) == (before["revision"], after["revision"])
    assert (effect["status_before"], effect["status_after"], effect["silent"]) == (
        "RequiresAttention",
        "Completed",
        False,
    )
    assert [each["type"] for each in effect["activities"]] == ["Information"]
    assert after["updatedAt"] == after["contentUpdatedAt"] == "2026-03-10T11:00:01.8600000Z"
    assert kinds(world)[1:] == [
        "dialogporten.dialog.updated.v1",
        "dialogporten.dialog.activity.information.v1",
    ]


def test_an_activity_moves_only_updated_at() -> None:
    """Activities are no content."""
    world = make_world()
    dialog_id = created(as_owner(world))
    moved(world, seconds=1)

    patched(world, dialog_id, added(information()))

    after = shown(world, dialog_id)
    assert after["updatedAt"] > after["contentUpdatedAt"]


def test_a_silent_update_tells_nobody() -> None:
    """A new revision, but no CloudEvent, no times, and the dialog stays in the archive."""
    world = make_world()
    dialog_id = created(as_owner(world), systemLabel="Archive")
    before = shown(world, dialog_id)
    moved(world, seconds=1)

    patched(world, dialog_id, COMPLETE, silent=True)

    after = shown(world, dialog_id)
    assert after["revision"] != before["revision"]
    assert (after["updatedAt"], after["systemLabel"]) == (before["updatedAt"], "Archive")
    assert len(kinds(world)) == 1


def test_an_ordinary_update_takes_the_dialog_out_of_the_archive() -> None:
    """The label is reset to Default."""
    world = make_world()
    dialog_id = created(as_owner(world), systemLabel="Archive")

    patched(world, dialog_id, COMPLETE)

    assert shown(world, dialog_id)["systemLabel"] == "Default"


@pytest.mark.parametrize("how", ["patch", "put"])
def test_no_change_writes_nothing(how: str) -> None:
    """204 with the old revision, no event and no effect; the order of texts and of actions is no change."""
    world = make_world()
    title = {"value": [*texts(), {"languageCode": "en", "value": "Title"}]}
    actions = [gui_action(), gui_action(priority="Secondary")]
    dialog_id = created(as_owner(world), content={"title": title}, guiActions=actions)
    before = shown(world, dialog_id)
    moved(world, seconds=1)

    if how == "patch":
        answer = patched(world, dialog_id, [{"op": "replace", "path": "/content/title/value", "value": title["value"]}])
    else:
        body = as_put(before, guiActions=before["guiActions"][::-1])
        answer = as_owner(world).put(dialogs_url(dialog_id), json=body)

    assert (answer.status_code, answer.headers["Etag"]) == (204, before["revision"])
    assert shown(world, dialog_id) == before
    assert [each.kind for each in world.ledger.effects()] == ["dialogporten.create"]
    assert len(kinds(world)) == 1


def test_put_replaces_and_merges_by_id() -> None:
    """Left out is gone; a known id stays; one without id is new; activities stay."""
    world = make_world()
    actions = [gui_action(), gui_action(priority="Secondary", action="sign")]
    dialog_id = created(as_owner(world), guiActions=actions, progress=5, activities=[information()])
    before = shown(world, dialog_id)
    kept = {**before["guiActions"][0], "title": texts("Send inn")}

    answer = as_owner(world).put(
        dialogs_url(dialog_id), json={**dialog(), "guiActions": [gui_action(priority="Tertiary"), kept]}
    )

    after = shown(world, dialog_id)
    assert answer.status_code == 204
    assert "progress" not in after
    assert [each["priority"] for each in after["guiActions"]] == ["Primary", "Tertiary"]
    assert after["guiActions"][0]["id"] == before["guiActions"][0]["id"]
    assert len(after["activities"]) == 1


def test_put_needs_a_status() -> None:
    """Left out it is the undefined value."""
    world = make_world()
    dialog_id = created(as_owner(world))

    body = {name: value for name, value in dialog().items() if name != "status"}

    answer = as_owner(world).put(dialogs_url(dialog_id), json=body)
    null = as_owner(world).put(dialogs_url(dialog_id), json={**body, "status": None})

    assert (list(answer.json()["errors"]), list(null.json()["errors"])) == (["dto.status"], ["status"])


def test_an_activity_sent_twice_is_422_in_its_own_words() -> None:
    """PATCH and POST word it differently; both mean: already done."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session)
    activity = information(id=uuid7(world))
    posted = session.post(dialogs_url(dialog_id, "activities"), json=activity)

    by_post = session.post(dialogs_url(dialog_id, "activities"), json=activity)
    by_patch = patched(world, dialog_id, added(activity))

    assert posted.status_code == 201
    assert posted.headers["Etag"] == shown(world, dialog_id)["revision"]
    assert (by_post.status_code, by_post.json()["errors"]) == (
        422,
        {"DialogActivity": [f"Key ('Id')=({activity['id']}) already exists."]},
    )
    assert (by_patch.status_code, by_patch.json()["errors"]) == (
        422,
        {"DialogActivity": [f"Entity 'DialogActivity' with the following key(s) already exists: ({activity['id']})."]},
    )


def test_a_lost_race_with_if_match_is_412() -> None:
    """The first writer wins; the second one reads again."""
    world = make_world()
    dialog_id = created(as_owner(world))
    revision = shown(world, dialog_id)["revision"]
    first = patched(world, dialog_id, COMPLETE, if_match=revision)

    second = patched(world, dialog_id, added(information()), if_match=revision)

    assert (first.status_code, second.status_code) == (204, 412)
    assert second.json()["title"] == "Precondition failed."
    assert "errors" not in second.json()


def test_if_match_in_quotes_is_no_uuid() -> None:
    """The value is bare."""
    world = make_world()
    dialog_id = created(as_owner(world))

    answer = patched(world, dialog_id, COMPLETE, if_match=f'"{shown(world, dialog_id)["revision"]}"')

    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/guiActions/7", "/nothing", "status", "/content/title/value/0/nothing/x"])
def test_a_patch_that_does_not_apply_is_a_plain_400(path: str) -> None:
    """Not a problem document, and nothing is changed."""
    world = make_world()
    dialog_id = created(as_owner(world))

    answer = patched(world, dialog_id, [*COMPLETE, {"op": "replace", "path": path, "value": "x"}])

    assert (answer.status_code, list(answer.json())) == (400, ["UpdateDialogDto"])
    assert shown(world, dialog_id)["status"] == "RequiresAttention"


def test_a_failed_test_operation_stops_the_patch() -> None:
    """``test`` guards what follows."""
    world = make_world()
    dialog_id = created(as_owner(world))

    answer = patched(world, dialog_id, [{"op": "test", "path": "/status", "value": "Draft"}, *COMPLETE])

    assert answer.status_code == 400
    assert len(world.ledger.effects()) == 1


def test_a_deleted_dialog_is_gone_for_writers() -> None:
    """DELETE once, then 410 for every write; its owner can still read it."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session)

    first = session.delete(dialogs_url(dialog_id))

    answers = [
        session.delete(dialogs_url(dialog_id)),
        patched(world, dialog_id, COMPLETE),
        session.put(dialogs_url(dialog_id), json=dialog()),
        session.post(dialogs_url(dialog_id, "activities"), json=information()),
    ]
    assert first.status_code == 204
    assert [each.status_code for each in answers] == [410] * 4
    assert "is removed" in answers[0].json()["errors"]["DialogEntity"][0]
    assert shown(world, dialog_id)["deletedAt"]


def test_a_frozen_dialog_takes_no_change() -> None:
    """403 with its own words."""
    world = make_world()
    dialog_id = created(as_owner(world))
    world.dialogporten.freeze(dialog_id)

    answer = patched(world, dialog_id, COMPLETE)

    assert answer.json()["errors"] == {"Forbidden": ["User cannot modify frozen dialog"]}


def test_a_representative_gets_a_name() -> None:
    """Dialogporten looks it up and shows both."""
    world = make_world()
    dialog_id = created(as_owner(world))
    actor = PERSON + world.new_person()
    world.dialogporten.name(actor, "KARI SANDKASSE")

    patched(world, dialog_id, added(information(performedBy={"actorType": "PartyRepresentative", "actorId": actor})))

    assert shown(world, dialog_id)["activities"][0]["performedBy"] == {
        "actorType": "PartyRepresentative",
        "actorName": "KARI SANDKASSE",
        "actorId": actor,
    }


def test_a_failed_name_look_up_stops_the_write() -> None:
    """422 under ActorId; everything else in the patch is undone."""
    world = make_world(name_lookup_fails=True)
    dialog_id = created(as_owner(world))
    actor = PERSON + world.new_person()
    activity = information(performedBy={"actorType": "PartyRepresentative", "actorId": actor})

    answer = patched(world, dialog_id, [*COMPLETE, *added(activity)])

    assert answer.json()["errors"] == {"ActorId": [f"Unable to look up name for actor id: {actor}"]}
    assert shown(world, dialog_id)["status"] == "RequiresAttention"


def test_labels_have_a_revision_of_their_own() -> None:
    """Adding one moves the context's revision, not the dialog's; twice is refused whatever its case."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session, serviceOwnerContext={"serviceOwnerLabels": [{"value": "Urn:A2:Message:1 "}]})
    url = dialogs_url(dialog_id, "context", "labels")
    before, revision = shown(world, dialog_id), session.get(url).headers["Etag"]

    answer = session.post(url, json={"value": "sak-7"}, headers={"If-Match": revision})

    again = session.post(url, json={"value": "SAK-7"})
    assert (answer.status_code, again.status_code) == (204, 400)
    assert session.get(url).json() == [{"value": "sak-7"}, {"value": "urn:a2:message:1"}]
    assert answer.headers["Etag"] == shown(world, dialog_id)["serviceOwnerContext"]["revision"] != revision
    assert shown(world, dialog_id)["revision"] == before["revision"]


def test_a_transmission_from_the_party_is_counted() -> None:
    """A submission adds the label Sent; its idempotent key is used once."""
    world = make_world()
    session = as_owner(world)
    dialog_id = created(session)
    transmission = {
        "type": "Submission",
        "idempotentKey": "innsending-1",
        "sender": {"actorType": "PartyRepresentative", "actorName": "Kari"},
        "content": {"title": {"value": texts("Innsending")}},
    }

    first = session.post(dialogs_url(dialog_id, "transmissions"), json=transmission)
    second = session.post(dialogs_url(dialog_id, "transmissions"), json=transmission)

    found = shown(world, dialog_id)
    assert (first.status_code, second.status_code) == (201, 409)
    assert found["fromPartyTransmissionsCount"] == 1
    assert found["endUserContext"]["systemLabels"] == ["Default", "Sent"]


def test_bodies_above_the_limit_are_413() -> None:
    """20,000,000 bytes and not one more."""
    world = make_world()

    answer = as_owner(world).post(
        dialogs_url(), data=(b" " * 1_000_000 for _ in range(21)), headers={"Content-Type": "application/json"}
    )

    assert (answer.status_code, answer.json()["title"]) == (
        413,
        "Payload too large. The maximum allowed size is 20000000 bytes.",
    )


def test_the_same_seed_repeats_itself() -> None:
    """Ids and revisions come from the seed and the clock."""
    first, second = make_world(), make_world()

    ids = [created(as_owner(first)), created(as_owner(second))]

    assert ids[0] == ids[1]
    assert shown(first, ids[0]) == shown(second, ids[1])
    assert first.clock() == NOON
    assert BASE_URL in as_owner(first).get(dialogs_url(ids[0])).url


# The whole dialog, at every change


def test_an_update_is_held_against_what_was_there_before() -> None:
    """A dialog that is due before it is seen refuses every patch of its owner, and takes activities."""
    world = make_world()
    admin = as_owner(world, scopes=SERVICE_OWNER_SCOPES | {ADMIN})
    early = {name: moment_text(NOON + timedelta(days=days)) for name, days in (("visibleFrom", 2), ("dueAt", 1))}
    made = created(admin, **early)

    refused = patched(world, made, COMPLETE, silent=True)
    by_admin = admin.patch(dialogs_url(made), json=COMPLETE)
    activity = as_owner(world).post(dialogs_url(made, "activities"), json=information())

    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["dto.dueAt"])
    assert (by_admin.status_code, activity.status_code) == (204, 201)


@pytest.mark.parametrize("method", ["PATCH", "activities", "DELETE", "purge"])
def test_a_correspondence_takes_its_own_scope(method: str) -> None:
    """Whoever owns the resource: 403 for every write without it, and reading stays free."""
    world = make_world()
    made = created(as_owner(world))
    world.dialogporten.own(RESOURCE, Resource(owner=world.owner.number, kind="correspondenceservice"))
    url, session = dialogs_url(made), as_owner(world)

    match method:
        case "PATCH":
            answer = session.patch(url, json=COMPLETE)
        case "activities":
            answer = session.post(f"{url}/activities", json=information())
        case "DELETE":
            answer = session.delete(url)
        case _:
            answer = session.post(f"{url}/actions/purge")

    assert (answer.status_code, list(answer.json()["errors"])) == (403, ["Forbidden"])
    assert session.get(url).status_code == 200


def test_lengths_count_utf_16_units() -> None:
    """Thirteen emoji are 26 characters to it, and 25 are the most of an extended status."""
    world = make_world()
    made = created(as_owner(world))

    answers = [
        patched(world, made, [{"op": "add", "path": "/content/extendedStatus", "value": {"value": texts(text)}}])
        for text in ("\U0001f600" * 12, "\U0001f600" * 13)
    ]

    assert [each.status_code for each in answers] == [204, 400]
    assert "You entered 26 characters." in answers[1].text
