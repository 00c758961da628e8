"""What happens to a dialog besides its updates: deleted, restored, purged, frozen, labelled, looked at, corrected."""

from typing import Any

import pytest
import requests

from bridge.sandbox.core.world import SERVICE_OWNER_SCOPES
from bridge.sandbox.dialogporten.model import Resource
from bridge.sandbox.in_process import BASE_URL, SandboxAdapter
from bridge.sandbox.world import World
from tests.sandbox.support import (
    PARTY,
    RESOURCE,
    as_owner,
    created,
    dialog,
    dialogs_url,
    gui_action,
    information,
    make_world,
    session_into,
    texts,
    uuid7,
)

DP = f"{BASE_URL}/dialogporten"
BASE = "digdir:dialogporten.serviceprovider"
ADMIN = SERVICE_OWNER_SCOPES | {f"{BASE}.admin"}
SUBMISSION = {
    "type": "Submission",
    "sender": {"actorType": "PartyRepresentative", "actorName": "Kari"},
    "content": {"title": {"value": texts("Innsending")}},
}


def as_reader(world: World, **about: Any) -> requests.Session:
    answer = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY, **about})
    return session_into(world, headers={"Authorization": f"Bearer {answer.json()['token']}"})


def shown(world: World, dialog_id: str) -> Any:
    return as_owner(world).get(dialogs_url(dialog_id)).json()


def kinds(world: World) -> list[str]:
    prefix = "dialogporten.dialog."
    return [str(event["type"]).removeprefix(prefix) for event in world.dialogporten.events()]


def test_restoring_undoes_a_soft_deletion() -> None:
    """It lives again with the same times and a new revision; restoring what lives changes nothing."""
    world = make_world()
    session, dialog_id = as_owner(world), created(as_owner(world))
    session.delete(dialogs_url(dialog_id))
    before = shown(world, dialog_id)
    address = dialogs_url(dialog_id, "actions", "restore")

    stale = session.post(address, headers={"If-Match": uuid7(world)})
    first, second = session.post(address), session.post(address)

    after = shown(world, dialog_id)
    assert (stale.status_code, first.status_code, second.status_code) == (412, 204, 204)
    assert first.headers["Etag"] == second.headers["Etag"] == after["revision"] != before["revision"]
    assert ("deletedAt" in after, after["updatedAt"]) == (False, before["updatedAt"])
    assert kinds(world) == ["created.v1", "deleted.v1", "restored.v1"]


def test_purging_frees_ids_and_keys() -> None:
    """Whatever its state it is gone, and the same dialog can be created again."""
    world = make_world()
    session, chosen = as_owner(world), uuid7(world)
    again = dialog(id=chosen, idempotentKey="melding-1", guiActions=[gui_action(id=uuid7(world))])
    session.post(dialogs_url(), json=again)
    session.delete(dialogs_url(chosen))
    taken = session.post(dialogs_url(), json=dialog(idempotentKey="melding-1"))

    purged = session.post(dialogs_url(chosen, "actions", "purge"))
    gone = session.get(dialogs_url(chosen))

    assert taken.json()["errors"] == {"Dialog": ["Key ('Org', 'IdempotentKey')=(ttd, melding-1) already exists."]}
    assert (purged.status_code, "Etag" in purged.headers, gone.status_code) == (204, False, 404)
    assert session.post(dialogs_url(), json=again).status_code == 201


def test_only_admins_freeze() -> None:
    """A frozen dialog refuses its owner everything but purge; an admin still writes."""
    world = make_world()
    owner, admin = as_owner(world), as_owner(world, scopes=ADMIN, organisation=world.new_organisation())
    dialog_id = created(owner)
    address = dialogs_url(dialog_id, "actions", "freeze")

    statuses = [owner.post(address).status_code, admin.post(address).status_code]

    refused = [
        owner.put(dialogs_url(dialog_id), json=dialog()),
        owner.delete(dialogs_url(dialog_id)),
        owner.post(dialogs_url(dialog_id, "activities"), json=information()),
        owner.post(dialogs_url(dialog_id, "transmissions"), json=SUBMISSION),
    ]
    assert statuses == [403, 204]
    assert [each.json()["errors"] for each in refused] == [{"Forbidden": ["User cannot modify frozen dialog"]}] * 4
    assert admin.post(dialogs_url(dialog_id, "activities"), json=information()).status_code == 201
    assert owner.post(dialogs_url(dialog_id, "actions", "purge")).status_code == 204


def test_transmissions_are_listed_newest_first() -> None:
    """Each stands for itself as well; creating one is an event of its own."""
    world = make_world()
    session, dialog_id = as_owner(world), created(as_owner(world))
    address = dialogs_url(dialog_id, "transmissions")
    first = session.post(address, json={**SUBMISSION, "createdAt": "2026-03-09T00:00:00Z"}).json()
    second = session.post(address, json={**SUBMISSION, "relatedTransmissionId": first}).json()

    listed = session.get(address).json()

    assert [each["id"] for each in listed] == [second, first]
    assert session.get(f"{address}/{first}").json() == listed[1]
    assert session.get(f"{address}/{uuid7(world)}").status_code == 404
    assert kinds(world).count("transmission.created.v1") == 2


def test_a_transmission_is_corrected_in_silence() -> None:
    """With its own scope, and only silently; its id and its place stay, its attachments are merged."""
    world = make_world()
    allowed = as_owner(world, scopes=SERVICE_OWNER_SCOPES | {f"{BASE}.changetransmissions"})
    dialog_id = created(allowed)
    address = dialogs_url(dialog_id, "transmissions")
    transmission = allowed.post(address, json=SUBMISSION).json()
    before, events = shown(world, dialog_id), kinds(world)
    corrected = {**SUBMISSION, "externalReference": "rettet"}

    loud = allowed.put(f"{address}/{transmission}", json=corrected)
    unscoped = as_owner(world).put(f"{address}/{transmission}", json={**corrected, "isSilentUpdate": True})
    done = allowed.put(f"{address}/{transmission}", json={**corrected, "isSilentUpdate": True})

    after = shown(world, dialog_id)
    assert (loud.status_code, unscoped.status_code, done.status_code) == (400, 403, 204)
    assert after["transmissions"][0]["externalReference"] == "rettet"
    assert (after["updatedAt"], kinds(world)) == (before["updatedAt"], events)
    assert after["revision"] != before["revision"]


RELATED: list[tuple[str, dict[str, Any], int]] = [
    ("unknown", {"relatedTransmissionId": "019cd767-5adc-7098-b6f6-75cc81e74ef5"}, 422),
    ("itself", {"id": "019cd767-5adc-7098-b6f6-75cc81e74ef5",
                "relatedTransmissionId": "019cd767-5adc-7098-b6f6-75cc81e74ef5"}, 400),
    ("another's resource", {"authorizationAttribute": "urn:altinn:resource:annens"}, 403),
]  # fmt: skip


@pytest.mark.parametrize(("members", "status"), [row[1:] for row in RELATED], ids=[row[0] for row in RELATED])
def test_transmissions_refer_only_to_what_is_there(members: dict[str, Any], status: int) -> None:
    """Another transmission of the dialog, a resource of the owner's."""
    world = make_world()
    world.dialogporten.own("urn:altinn:resource:annens", Resource(owner=world.new_organisation().number))
    world.dialogporten.own(RESOURCE, Resource(owner=world.owner.number))
    dialog_id = created(as_owner(world))

    answer = as_owner(world).post(dialogs_url(dialog_id, "transmissions"), json={**SUBMISSION, **members})

    assert answer.status_code == status


def test_a_chain_of_transmissions_is_a_hundred_deep() -> None:
    """The hundred and first is refused."""
    world = make_world()
    dialog_id, ids = created(as_owner(world)), [uuid7(world) for _ in range(101)]
    chain = [
        {**SUBMISSION, "id": each, **({"relatedTransmissionId": ids[n - 1]} if n else {})} for n, each in enumerate(ids)
    ]

    whole = as_owner(world).put(dialogs_url(dialog_id), json=dialog(transmissions=chain))
    shorter = as_owner(world).put(dialogs_url(dialog_id), json=dialog(transmissions=chain[:100]))

    assert (whole.status_code, shorter.status_code) == (422, 204)


def test_a_dialog_for_machines_stays_one() -> None:
    """While a transmission has no content, isApiOnly cannot go back to false."""
    world = make_world()
    bare = {key: value for key, value in SUBMISSION.items() if key != "content"}
    dialog_id = created(as_owner(world), isApiOnly=True, transmissions=[bare])

    answer = as_owner(world).put(dialogs_url(dialog_id), json=dialog(isApiOnly=False))

    assert answer.status_code == 400
    assert "locked to IsApiOnly=true" in answer.json()["errors"]["dto.transmissions"][0]


def test_enums_are_read_by_number_too() -> None:
    """Counted from one in the order of the API; nought is what was left out."""
    world = make_world()
    session = as_owner(world)
    # The published documents know no numbers.
    session.mount("http://", SandboxAdapter(world))
    dialog_id = created(session, status=5, guiActions=[gui_action(priority=2, httpMethod=5)])

    nought = session.post(dialogs_url(), json=dialog(guiActions=[gui_action(priority=0)]))

    action = shown(world, dialog_id)["guiActions"][0]
    assert shown(world, dialog_id)["status"] == "RequiresAttention"
    assert (action["priority"], action["httpMethod"]) == ("Secondary", "DELETE")
    assert "which does not include '0'" in nought.json()["errors"]["dto.guiActions[0].priority"][0]


def test_correspondence_may_write_longer() -> None:
    """512 characters of content and HTML, each with its scope."""
    world = make_world()
    content = {
        "title": {"value": texts("x" * 512)},
        "additionalInfo": {"value": texts("<p>Hei</p>"), "mediaType": "text/html"},
    }
    more = SERVICE_OWNER_SCOPES | {"digdir:dialogporten.correspondence", f"{BASE}.legacyhtml"}

    statuses = [
        as_owner(world, scopes=scopes).post(dialogs_url(), json=dialog(content=content)).status_code
        for scopes in (SERVICE_OWNER_SCOPES, more)
    ]

    assert statuses == [400, 201]


def test_some_resources_have_no_dialogs() -> None:
    """The kind of resource decides; correspondences need their scope."""
    world = make_world()
    world.dialogporten.own("urn:altinn:resource:annet", Resource(owner=world.owner.number, kind="maskinportenschema"))
    about = {"owner": world.owner.number, "kind": "correspondenceservice"}
    world.dialogporten.own(RESOURCE, Resource(**about))

    statuses = [
        as_owner(world).post(dialogs_url(), json=dialog(serviceResource="urn:altinn:resource:annet")).status_code,
        as_owner(world).post(dialogs_url(), json=dialog()).status_code,
    ]

    assert statuses == [403, 403]


# Labels of users


def test_labels_are_set_on_behalf_of_users() -> None:
    """Of the three places the last one holds; the dialog's own revision and the stream do not notice."""
    world = make_world()
    actor = "urn:altinn:person:identifier-no:" + world.new_person()
    as_reader(world, actor=actor)
    session, dialog_id = as_owner(world), created(as_owner(world))
    before = shown(world, dialog_id)
    address = dialogs_url(dialog_id, "endusercontext", "systemlabels")

    done = session.put(
        address,
        params={"enduserId": actor},
        json={"addLabels": ["Bin", "Archive", "MarkedAsUnopened"]},
        headers={"If-Match": before["endUserContext"]["revision"]},
    )
    stale = session.put(
        address,
        params={"enduserId": actor},
        json={"removeLabels": ["Archive"]},
        headers={"If-Match": before["endUserContext"]["revision"]},
    )
    removed = session.put(address, params={"enduserId": actor}, json={"removeLabels": ["Archive"]})

    after = shown(world, dialog_id)
    assert (done.status_code, stale.status_code, removed.status_code) == (204, 412, 204)
    assert after["endUserContext"]["systemLabels"] == ["Default", "MarkedAsUnopened"]
    assert (after["revision"], after["updatedAt"]) == (before["revision"], before["updatedAt"])
    assert kinds(world) == ["created.v1"]


def test_labels_need_a_user_with_access() -> None:
    """No user 400, the system's label 400, a stranger 403, a name of one's own 403."""
    world = make_world()
    session, dialog_id = as_owner(world), created(as_owner(world))
    address = dialogs_url(dialog_id, "endusercontext", "systemlabels")
    stranger = {"enduserId": "urn:altinn:person:identifier-no:" + world.new_person()}
    by = {"actorType": "PartyRepresentative", "actorName": "Kari"}

    answers = [
        session.put(address, json={"addLabels": ["Bin"]}),
        session.put(address, params=stranger, json={"addLabels": ["Sent"]}),
        session.put(address, params=stranger, json={"addLabels": ["Bin"]}),
        session.put(address, json={"addLabels": ["Bin"], "performedBy": by}),
    ]

    assert [each.status_code for each in answers] == [400, 400, 403, 403]
    assert answers[3].json()["errors"] == {"Forbidden": ["performedBy is only allowed for admin-integrations."]}


def test_many_labels_are_set_or_none() -> None:
    """One revision that is out of date stops all; the contexts can be searched afterwards."""
    world = make_world()
    actor = "urn:altinn:person:identifier-no:" + world.new_person()
    as_reader(world, actor=actor)
    session, ids = as_owner(world), [created(as_owner(world)) for _ in range(3)]
    address, params = dialogs_url("endusercontext", "systemlabels", "actions", "bulkset"), {"enduserId": actor}
    stale = [{"dialogId": ids[0]}, {"dialogId": ids[1], "endUserContextRevision": uuid7(world)}]

    stopped = session.post(address, params=params, json={"dialogs": stale, "addLabels": ["Bin"]})
    untouched = [each.labels for each in world.dialogporten.dialogs()]
    done = session.post(
        address, params=params, json={"dialogs": [{"dialogId": each} for each in ids[:2]], "addLabels": ["Bin"]}
    )
    listed = session.get(dialogs_url("endusercontext"), params={"party": PARTY, "label": "Bin", "limit": 1}).json()

    assert (stopped.status_code, done.status_code) == (412, 204)
    assert untouched == [frozenset({"Default"})] * 3
    assert (listed["items"][0]["systemLabels"], listed["hasNextPage"]) == (["Bin"], True)
    assert session.get(dialogs_url("endusercontext")).status_code == 400


def test_users_move_their_own_dialogs() -> None:
    """Their own endpoint, alone and for many; what they did is logged, the oldest first."""
    world = make_world()
    reader, dialog_id = as_reader(world), created(as_owner(world))
    one = f"{DP}/api/v1/enduser/dialogs/{dialog_id}/context"
    many = f"{DP}/api/v1/enduser/dialogs/context/systemlabels/actions/bulkset"

    reader.put(f"{one}/systemlabels", json={"addLabels": ["Archive"]})
    reader.post(many, json={"dialogs": [{"dialogId": dialog_id}], "addLabels": ["Bin"]})

    log = reader.get(f"{one}/labellog").json()
    assert [(each["action"], each["name"]) for each in log] == [
        ("set", "systemlabel:Archive"),
        ("set", "systemlabel:Bin"),
        ("remove", "systemlabel:Archive"),
    ]


def test_marking_as_unopened_takes_the_look_back() -> None:
    """The content counts as unseen until somebody looks again."""
    world = make_world()
    reader, dialog_id = as_reader(world), created(as_owner(world))
    address = f"{DP}/api/v1/enduser/dialogs/{dialog_id}"
    reader.get(address)
    reader.put(f"{address}/context/systemlabels", json={"addLabels": ["MarkedAsUnopened"]})

    marked = shown(world, dialog_id)["isContentSeen"]
    reader.get(address)

    assert (marked, shown(world, dialog_id)["isContentSeen"]) == (False, True)


# Looks and look-ups


def test_an_owner_can_look_as_a_user() -> None:
    """What they may do is told, and the look is in the log as one through the owner."""
    world = make_world()
    actor = "urn:altinn:person:identifier-no:" + world.new_person()
    as_reader(world, actor=actor, actions=["read"])
    session, dialog_id = as_owner(world), created(as_owner(world))

    seen = session.get(dialogs_url(dialog_id), params={"endUserId": actor}).json()
    stranger = session.get(
        dialogs_url(dialog_id), params={"endUserId": "urn:altinn:person:identifier-no:" + world.new_person()}
    )

    log = session.get(dialogs_url(dialog_id, "seenlog")).json()
    assert seen["guiActions"][0]["isAuthorized"] is False
    assert seen["guiActions"][0]["url"].startswith("https://")
    assert [(each["seenBy"]["actorId"], each["isViaServiceOwner"]) for each in log] == [(actor, True)]
    assert session.get(dialogs_url(dialog_id, "seenlog", log[0]["id"])).json() == log[0]
    assert stranger.status_code == 404


def test_end_users_read_the_parts_of_a_dialog() -> None:
    """Activities say more to them than to owners, looks say less."""
    world = make_world()
    owner, reader = as_owner(world), as_reader(world)
    dialog_id = created(owner, activities=[information()], transmissions=[SUBMISSION])
    address = f"{DP}/api/v1/enduser/dialogs/{dialog_id}"
    reader.get(address)

    parts = {name: reader.get(f"{address}/{name}").json() for name in ("activities", "transmissions", "seenlog")}

    ones = {name: reader.get(f"{address}/{name}/{items[0]['id']}").json() for name, items in parts.items()}
    assert "description" in parts["activities"][0]
    assert "performedBy" in ones["activities"]
    assert "description" not in owner.get(dialogs_url(dialog_id, "activities")).json()[0]
    assert parts["seenlog"][0]["isCurrentEndUser"] is True
    assert "identifier-ephemeral" in parts["seenlog"][0]["seenBy"]["actorId"]
    assert ones["transmissions"] == parts["transmissions"][0]


def test_a_dialog_is_looked_up_by_its_instance() -> None:
    """By the label that the storage adapter gives, by its own id; for its owner and its readers."""
    world = make_world()
    instance = f"50001234/{uuid7(world)}"
    label = {"value": f"urn:altinn:integration:storage:{instance}"}
    dialog_id = created(as_owner(world), serviceOwnerContext={"serviceOwnerLabels": [label]})
    address, params = f"{DP}/api/v1/serviceowner/dialoglookup", {"instanceRef": f"urn:altinn:instance-id:{instance}"}

    found = as_owner(world).get(address, params=params)

    other = as_owner(world, organisation=world.new_organisation()).get(address, params=params)
    reader = as_reader(world).get(address.replace("serviceowner", "enduser"), params=params)
    assert found.json()["dialogId"] == reader.json()["dialogId"] == dialog_id
    assert (other.status_code, as_owner(world).get(address).status_code) == (403, 400)
    by_id = {"instanceRef": f"urn:altinn:dialog-id:{dialog_id}"}
    assert as_owner(world).get(address, params=by_id).json()["title"] == texts()


def test_notifications_ask_about_activities() -> None:
    """Exists and not, with the scope of Altinn's own notifications."""
    world = make_world()
    dialog_id = created(as_owner(world), activities=[information()])
    session = as_owner(world, scopes={"altinn:system/notifications.condition.check"})
    address = dialogs_url(dialog_id, "actions", "should-send-notification")

    def sends(**params: str) -> Any:
        return session.get(address, params=params).json().get("sendNotification")

    assert sends(conditionType="Exists", activityType="Information") is True
    assert sends(conditionType="NotExists", activityType="information") is False
    assert sends(conditionType="NotExists", activityType="FormSubmitted") is True
    assert sends(conditionType="Exists", activityType="TransmissionOpened") is None
    assert as_owner(world).get(address).status_code == 403


def test_limits_resources_and_parties_are_told() -> None:
    """Without a token where nobody needs one."""
    world = make_world()
    created(as_owner(world))
    anyone, reader = session_into(world), as_reader(world)

    limits = anyone.get(f"{DP}/api/v1/metadata/limits").json()
    known = anyone.get(f"{DP}/api/v1/metadata/serviceresources").json()["items"]

    assert limits["endUserSearch"]["maxPartyFilterValues"] == 100
    assert limits["serviceOwnerSearch"]["maxPartyFilterValues"] == 20
    assert known == reader.get(f"{DP}/api/v1/enduser/serviceresources").json()["items"]
    parties = reader.get(f"{DP}/api/v1/enduser/parties").json()["authorizedParties"]
    assert PARTY in [each["party"] for each in parties]
