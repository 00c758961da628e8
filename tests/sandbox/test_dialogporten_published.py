"""The sandbox's Dialogporten against the published documents: every operation, every type, every approved body."""

import json
import os
import re
from typing import Any

import pytest
import requests
from graphql import build_schema
from graphql.utilities import find_breaking_changes, find_dangerous_changes

from bridge.sandbox.core.world import SERVICE_OWNER_SCOPES
from bridge.sandbox.dialogporten.graphql_types import schema
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.openapi import FOLDER, HeldAdapter, documents_at_hand, operations
from tests.sandbox.support import (
    PARTY,
    dialog,
    information,
    make_world,
    owner_token,
    session_into,
    texts,
    uuid7,
)
from tests.sandbox.test_contract import a_whole_dialog, as_on_the_wire

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        not documents_at_hand() and not os.environ.get("CI"), reason="the folder shared beside the checkout is missing"
    ),
]
DP = f"{BASE_URL}/dialogporten/api/v1"
BODIES = FOLDER / "upstream-snapshots" / "bodies"
SCOPES = SERVICE_OWNER_SCOPES | {
    "digdir:dialogporten.serviceprovider.admin",
    "digdir:dialogporten.serviceprovider.changetransmissions",
    "altinn:system/notifications.condition.check",
}
EMBED = "application/vnd.dialogporten.frontchannelembed-url;type=text/markdown"
TRANSMISSION = {
    "type": "Submission",
    "externalReference": "innsending",
    "extendedType": "https://bro.example.no/type",
    "sender": {"actorType": "PartyRepresentative", "actorId": PARTY},
    "content": {
        "title": {"value": texts()},
        "summary": {"value": texts()},
        "contentReference": {"value": texts("https://bro.example.no/c"), "mediaType": EMBED},
    },
    "attachments": [
        {
            "displayName": texts("Vedlegg"),
            "name": "vedlegg",
            "urls": [{"url": "https://bro.example.no/v", "mediaType": "application/pdf", "consumerType": "Gui"}],
        }
    ],
    "navigationalActions": [
        {"title": texts("Gå"), "url": "https://bro.example.no/g", "expiresAt": "2027-01-01T00:00:00Z"}
    ],
}


def session(world: World, token: str, succeeded: set[tuple[str, str]]) -> requests.Session:
    made = session_into(world, headers={"Authorization": f"Bearer {token}"})
    made.mount("http://", HeldAdapter(world, succeeded))
    return made


def toured() -> tuple[set[tuple[str, str]], dict[str, Any]]:
    """Call every operation with success; gives which were called, and the bodies by the snapshots' names."""
    world, succeeded = make_world(), set[tuple[str, str]]()
    owner = session(world, owner_token(world, scopes=SCOPES), succeeded)
    actor = "urn:altinn:person:identifier-no:" + world.new_person()
    asked = {"party": PARTY, "actor": actor}
    token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json=asked).json()["token"]
    user = session(world, token, succeeded)
    every, mine = f"{DP}/serviceowner/dialogs", f"{DP}/enduser/dialogs"
    bodies: dict[str, Any] = {}

    simple = owner.post(every, json=dialog())
    whole = owner.post(every, json=a_whole_dialog())
    one, other = f"{every}/{whole.json()}", f"{every}/{simple.json()}"
    bodies["serviceowner.CreateDialogSnapshotTests.Create_Simple_Dialog_Then_Get_Verify_Snapshot"] = owner.get(other)
    bodies["serviceowner.CreateDialogSnapshotTests.Create_Complex_Dialog_Then_Get_Verify_Snapshot"] = owner.get(one)
    bodies["serviceowner.GetDialogTests.Get_Dialog_Verify_Snapshot"] = owner.get(one, params={"endUserId": actor})
    owner.patch(one, json=[{"op": "replace", "path": "/progress", "value": 7}])
    bodies["serviceowner.UpdateDialogSnapshotTests.Patch_Dialog_Then_Get_Verify_Snapshot"] = owner.get(one)
    owner.put(one, json={**a_whole_dialog(), "activities": [], "transmissions": []})
    bodies["serviceowner.UpdateDialogSnapshotTests.Put_Dialog_Then_Get_Verify_Snapshot"] = owner.get(one)

    first = owner.post(f"{one}/transmissions", json=TRANSMISSION).json()
    owner.post(f"{one}/transmissions", json={**TRANSMISSION, "relatedTransmissionId": first})
    bodies["serviceowner.CreateTransmissionTests.Create_Transmissions_Verify_Snapshot"] = owner.get(
        f"{one}/transmissions"
    )
    changed = {**TRANSMISSION, "externalReference": "rettet", "isSilentUpdate": True}
    owner.put(f"{one}/transmissions/{first}", json=changed)
    bodies["serviceowner.UpdateTransmissionTests.Update_Transmission_Verify_Snapshot"] = owner.get(
        f"{one}/transmissions/{first}"
    )
    activity = owner.post(f"{one}/activities", json=information(extendedType="urn:sandkasse:sendt")).json()
    by = {"actorType": "PartyRepresentative", "actorId": actor}
    opened = {"type": "TransmissionOpened", "transmissionId": first, "performedBy": by}
    opening = owner.post(f"{one}/activities", json={**opened, "extendedType": "urn:sandkasse:lest"}).json()
    prefix = "serviceowner.GetActivityTests.Should_Get"
    bodies[f"{prefix}_Activity_By_Id_Verify_Snapshot"] = owner.get(f"{one}/activities/{activity}")
    bodies[f"{prefix}_TransmissionOpened_Activity_By_Id_Verify_Snapshot"] = owner.get(f"{one}/activities/{opening}")
    bodies["serviceowner.SearchActivityTests.Search_Activities_Verify_Snapshot"] = owner.get(f"{one}/activities")

    owner.get(every, params={"deleted": "Include", "party": PARTY})
    owner.get(f"{every}/endusercontext", params={"party": PARTY})
    looks = owner.get(f"{one}/seenlog").json()
    owner.get(f"{one}/seenlog/{looks[0]['id']}")
    owner.get(f"{one}/context/labels")
    owner.post(f"{one}/context/labels", json={"value": "sak-7"})
    owner.delete(f"{one}/context/labels/sak-7")
    users = {"enduserId": actor}
    owner.put(f"{one}/endusercontext/systemlabels", params=users, json={"addLabels": ["Bin"], "removeLabels": []})
    bulk = {"dialogs": [{"dialogId": whole.json()}], "addLabels": ["Archive"], "removeLabels": []}
    owner.post(f"{every}/endusercontext/systemlabels/actions/bulkset", params=users, json=bulk)
    owner.get(
        f"{one}/actions/should-send-notification", params={"conditionType": "Exists", "activityType": "Information"}
    )
    reference = {"instanceRef": f"urn:altinn:dialog-id:{whole.json()}"}
    owner.get(f"{DP}/serviceowner/dialoglookup", params=reference)
    owner.get(f"{DP}/metadata/limits")
    owner.get(f"{DP}/metadata/serviceresources")

    same = f"{mine}/{whole.json()}"
    bodies["enduser.GetDialogTests.Get_Dialog_Verify_Snapshot"] = user.get(same)
    user.get(mine, params={"party": PARTY})
    for name in ("activities", "transmissions", "seenlog"):
        listed = user.get(f"{same}/{name}").json()
        user.get(f"{same}/{name}/{listed[0]['id']}")
    user.put(f"{same}/context/systemlabels", json={"addLabels": ["Archive"], "removeLabels": []})
    user.get(f"{same}/context/labellog")
    user.post(f"{mine}/context/systemlabels/actions/bulkset", json=bulk)
    for name in ("parties", "serviceresources"):
        user.get(f"{DP}/enduser/{name}")
    user.get(f"{DP}/enduser/dialoglookup", params=reference)

    owner.post(f"{other}/actions/freeze")
    owner.delete(other)
    owner.post(f"{other}/actions/restore")
    owner.post(f"{other}/actions/purge")
    return succeeded, bodies


def test_every_published_operation_is_answered_as_published() -> None:
    """Requests and answers fit the documents, and no operation is missing."""
    succeeded, _ = toured()

    assert {(each.method, each.path) for each in operations()} == succeeded


# Labels are numbers in the client's object and words on the wire; an absent list is null in the one and left out here.
_OTHERWISE = re.compile(r"systemLabels|\.(actorId|actorName|isAuthorized|endUserContext)$")


def unlike(wanted: Any, found: Any, path: str = "$") -> list[str]:
    """List members of one kind of thing that only one of the two has; nulls are left out on the wire."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        extra = [f"{path}.{key} is not approved" for key in found if key not in wanted]
        missing = [f"{path}.{key} is missing" for key in as_on_the_wire(wanted) if key not in found]
        return [
            *extra,
            *(each for each in missing if not _OTHERWISE.search(each.removesuffix(" is missing"))),
            *(each for key in wanted if key in found for each in unlike(wanted[key], found[key], f"{path}.{key}")),
        ]
    if isinstance(wanted, list) and isinstance(found, list):
        return unlike(wanted[0], found[0], f"{path}[0]") if wanted and found else []
    return []


def test_every_approved_body_has_our_members() -> None:
    """No member that upstream does not approve, and of what a body always has none is missing."""
    bodies = toured()[1]
    optional = re.compile(
        r"\.(externalReference|progress|process|precedingProcess|extendedStatus|idempotentKey|dueAt|expiresAt"
        r"|visibleFrom|deletedAt|extendedType|prompt|authorizationAttribute|relatedTransmissionId|createdAt|name"
        r"|version|documentationUrl|requestSchema|responseSchema|sunsetAt|description|transmissionId) is missing$"
    )

    found = {
        name: [
            each
            for each in unlike(json.loads((BODIES / f"{name}.json").read_text("utf-8-sig")), answer.json())
            if not optional.search(each)
        ]
        for name, answer in bodies.items()
    }

    published = {path.name.removesuffix(".json") for path in BODIES.glob("*.json")}
    created = {each for each in published if each.endswith(".created-response")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert published - created == set(bodies)


def test_creating_answers_with_a_json_string() -> None:
    """The body of 201 is the id in quotes, as in the approved answers."""
    world = make_world()

    answer = session(world, owner_token(world), set()).post(f"{DP}/serviceowner/dialogs", json=dialog())

    for path in BODIES.glob("*.created-response.json"):
        approved = json.loads(path.read_text("utf-8-sig"))
        assert re.sub(r"[0-9a-f]", "0", answer.text) == approved


def test_types_of_graphql_are_the_published_ones() -> None:
    """Nothing is missing, more, or of another type; but for the directive that says who may ask, which nobody sees."""
    published = build_schema(next(FOLDER.glob("*.graphql")).read_text("utf-8-sig"))

    changes = [*find_breaking_changes(published, schema()), *find_breaking_changes(schema(), published)]

    assert {each.description for each in changes} == {"ApplyPolicy was removed.", "authorize was removed."}
    assert find_dangerous_changes(published, schema()) == []


def test_a_wrong_call_is_found() -> None:
    """The watch itself: a parameter and a body that nobody published fail."""
    world = make_world()
    owner = session(world, owner_token(world), set())

    with pytest.raises(AssertionError, match="is not published"):
        owner.get(f"{DP}/serviceowner/dialogs", params={"page": uuid7(world)})
