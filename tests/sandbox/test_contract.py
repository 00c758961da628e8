"""The sandbox against the published samples: the same members, in the same words."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    MAIN,
    MAIN_TYPE,
    PARTY,
    RESOURCE,
    SCHEMA,
    as_altinn2_user,
    as_owner,
    attachment,
    created,
    dialog,
    dialogs_url,
    gui_action,
    information,
    main_form,
    make_world,
    message,
    seeded,
    session_into,
    texts,
    types_of,
    uuid7,
)

SHARED = Path(__file__).parents[2] / ".." / "shared" / "contracts"
SNAPSHOTS = SHARED / "dialogporten" / "upstream-snapshots"
pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        not SHARED.is_dir() and not os.environ.get("CI"), reason="the folder shared beside the checkout is missing"
    ),
]
API = f"{BASE_URL}/altinn2/api"
ZERO = "00000000-0000-0000-0000-000000000000"


def sample(name: str) -> Any:
    return json.loads((SHARED / "altinn2" / name).read_text("utf-8-sig"))


def snapshot(kind: str, name: str) -> Any:
    return json.loads((SNAPSHOTS / kind / name).read_text("utf-8-sig"))


def scrubbed(document: Any) -> Any:
    """As upstream's tests write it: ids and trace ids are zeros."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ZERO, json.dumps(document))
    return json.loads(re.sub(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", f"00-{'0' * 32}-{'0' * 16}-00", text))


def missing_members(wanted: Any, found: Any, path: str = "$") -> list[str]:
    """List what *wanted* has and *found* has not, by path; lists are compared by their first items."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return [path]
        return [
            each
            for key, value in wanted.items()
            for each in (missing_members(value, found[key], f"{path}.{key}") if key in found else [f"{path}.{key}"])
        ]
    if isinstance(wanted, list):
        if not isinstance(found, list):
            return [path]
        return missing_members(wanted[0], found[0], f"{path}[0]") if wanted and found else []
    return [] if wanted is None or isinstance(found, type(wanted)) else [f"{path} is {type(found).__name__}"]


ELEMENTS = [
    ("get_message_formtask.hal.json", "formfilling"),
    ("get_message_formtask_draft_tt02_2021.hal.json", "formfilling"),
    ("get_message_formtask_signing.INFERRED.hal.json", "signing"),
    ("get_message_formtask_archived.INFERRED.hal.json", "archived"),
]


@pytest.mark.parametrize(("name", "state"), ELEMENTS)
def test_elements_have_the_members_of_the_samples(name: str, state: str) -> None:
    """Every member and link of the sample is there, with its type."""
    world = make_world()
    element = seeded(world, service={"signing_steps": 1}, attachments=[attachment()])
    session = as_altinn2_user(world)
    flags = {
        "formfilling": {"complete": "false", "sign": "false"},
        "signing": {"complete": "true", "sign": "false"},
        "archived": {"complete": "true", "sign": "true"},
    }[state]
    held = {"FileName": "a.txt", "AttachmentType": "Vedlegg", "Data": "SGVp"}
    body = message(main_form(), attachments=(held,))
    put = session.put(f"{API}/my/messages/{element}", json=body, params=flags)

    found = session.get(put.headers["Location"]).json()

    assert missing_members(sample(name), found) == []


def test_lists_have_the_members_of_the_samples() -> None:
    """Forms, one form, attachments, and the list of form tasks."""
    world = make_world()
    element = seeded(world, attachments=[attachment()])
    session = as_altinn2_user(world)
    address = f"{API}/my/messages/{element}"
    form = session.get(f"{address}/forms").json()["_embedded"]["forms"][0]["_links"]["self"]["href"]
    listed = sample("get_messages_list.hal.json")
    listed["_embedded"]["messages"] = [m for m in listed["_embedded"]["messages"] if m["Type"] == "FormTask"]

    missing = [
        *missing_members(sample("get_forms_list.hal.json"), session.get(f"{address}/forms").json()),
        *missing_members(sample("get_form.hal.json"), session.get(form).json()),
        *missing_members(sample("get_attachments_list.hal.json"), session.get(f"{address}/attachments").json()),
        *missing_members(listed, session.get(f"{API}/my/messages").json()),
    ]

    assert missing == []


def test_request_samples_are_taken() -> None:
    """The published bodies of PUT are read, and do what they are samples of."""
    world = make_world()
    forms = [
        {**MAIN, "data_format_id": "1232", "data_format_version": "10123"},
        {**MAIN, "type": "SubForm", "data_format_id": "1243", "data_format_version": "10656"},
    ]
    service = {"code": "1029", "edition": 64, "forms": types_of(forms), "signing_steps": 1}
    session = as_altinn2_user(world)
    whole = seeded(world, service=service, forms=forms[:1])
    signed = seeded(world, service=service, forms=forms[:1], state="signing")

    first = session.put(f"{API}/my/messages/{whole}", json=sample("put_message_full_set.INFERRED.request.json"))
    second = session.put(f"{API}/my/messages/{signed}", json=sample("put_message_sign_all.request.json"))

    assert (first.status_code, second.status_code) == (204, 204)
    assert [each.facts["form_count"] for each in world.ledger.effects("altinn2.put")] == [3, 1]


def test_refused_forms_are_explained_as_in_the_sample() -> None:
    """The envelope of the validation answer, and the reason phrases of the catalogue."""
    world = make_world()
    element = seeded(world, service={"forms": [{**MAIN_TYPE, "schema": SCHEMA}]})
    catalogue = (SHARED / "altinn2" / "error_catalogue.txt").read_text("utf-8")

    answer = as_altinn2_user(world).put(f"{API}/my/messages/{element}", json=message(main_form("<melding/>")))
    without = session_into(world).get(f"{API}/my/messages")

    envelope = sample("error_form_validation_400_body.INFERRED.json")
    assert missing_members(envelope, answer.json()) == []
    assert f"| {answer.reason} |" in catalogue
    assert f"| {without.reason} |" in catalogue


def test_the_state_table_of_the_samples_has_our_states() -> None:
    """Status texts are those of the published table."""
    table = sample("status_texts.json")["FormTask"]

    found = []
    for row in table:
        world = make_world()
        element = seeded(world, service={"signing_steps": 1}, state=row["state"])
        session = as_altinn2_user(world)
        found += [
            session.get(f"{API}/my/messages/{element}", params={"language": code}).json()["Status"] == row[code]
            for code in ("1044", "2068", "1033")
        ]

    assert all(found)


def test_the_exchange_of_enterprise_users_is_gone_as_in_the_sample() -> None:
    """The same members of the problem document, the same title."""
    world = make_world()
    token = issue(world, BASE_URL, "maskinporten", {"consumer": {"ID": f"0192:{world.owner.number}"}}, lifetime=60)
    headers = {"Authorization": f"Bearer {token}", "X-Altinn-EnterpriseUser-Authentication": "YTpi"}

    answer = session_into(world).get(
        f"{BASE_URL}/platform/authentication/api/v1/exchange/maskinporten", headers=headers
    )

    wanted = sample("exchange_maskinporten_410_gone.problem.json")
    assert {k: v for k, v in answer.json().items() if k != "detail"} == {
        k: v for k, v in wanted.items() if k != "detail"
    }


def a_whole_dialog() -> dict[str, Any]:
    """One of everything that this version can hold."""
    content = {name: {"value": texts()} for name in ("title", "summary", "senderName", "additionalInfo")}
    embed = "application/vnd.dialogporten.frontchannelembed-url;type=text/markdown"
    return dialog(
        process="urn:sandkasse:prosess:1",
        extendedStatus="urn:sandkasse:status",
        dueAt="2026-12-01T10:00:00+01:00",
        expiresAt="2027-12-01T10:00:00+01:00",
        content={
            **content,
            "nonSensitiveTitle": {"value": texts()},
            "nonSensitiveSummary": {"value": texts()},
            "extendedStatus": {"value": texts("Venter")},
            "mainContentReference": {"value": texts("https://bro.example.no/fce"), "mediaType": embed},
        },
        searchTags=[{"value": "sandkasse"}],
        attachments=[
            {
                "name": "kvittering",
                "displayName": texts("Kvittering"),
                "urls": [{"url": "https://bro.example.no/k", "mediaType": "application/pdf", "consumerType": "Gui"}],
                "expiresAt": "2027-01-01T00:00:00Z",
            }
        ],
        guiActions=[gui_action(authorizationAttribute="urn:altinn:subresource:del", prompt=texts("Er du sikker?"))],
        apiActions=[
            {
                "action": "write",
                "name": "send",
                "authorizationAttribute": "urn:altinn:subresource:del",
                "endpoints": [{"url": "https://bro.example.no/a", "httpMethod": "POST", "version": "v1"}],
            }
        ],
        activities=[information(performedBy={"actorType": "PartyRepresentative", "actorName": "Kari"})],
        transmissions=[
            {
                "type": "Information",
                "externalReference": "ref",
                "authorizationAttribute": "urn:altinn:subresource:del",
                "sender": {"actorType": "ServiceOwner"},
                "content": {
                    "title": {"value": texts()},
                    "summary": {"value": texts()},
                    "contentReference": {"value": texts("https://bro.example.no/c"), "mediaType": embed},
                },
            }
        ],
        serviceOwnerContext={"serviceOwnerLabels": [{"value": "urn:altinn:integration:a2:message:a1"}]},
    )


# Only a look on behalf of an end user fills isAuthorized; labels are numbers in the client's object, texts on the wire.
NOT_HERE = re.compile(r"\.isAuthorized$|\.systemLabels\[0\]")


def as_on_the_wire(body: Any) -> Any:
    """Leave out nulls: upstream's snapshots are a client's objects, not the bytes."""
    if isinstance(body, dict):
        return {key: as_on_the_wire(value) for key, value in body.items() if value is not None}
    return [as_on_the_wire(each) for each in body] if isinstance(body, list) else body


def test_an_owner_sees_the_approved_members() -> None:
    """A dialog with one of everything has every member of the approved body."""
    world = make_world()
    session = as_owner(world)
    dialog_id = session.post(dialogs_url(), json=a_whole_dialog()).json()

    found = session.get(dialogs_url(dialog_id)).json()

    name = "serviceowner.CreateDialogSnapshotTests.Create_Complex_Dialog_Then_Get_Verify_Snapshot.json"
    wanted = as_on_the_wire(snapshot("bodies", name))
    missing = missing_members(wanted, found)
    assert [each for each in missing if not NOT_HERE.search(each)] == []
    assert set(found) <= set(snapshot("bodies", name))


def test_an_end_user_sees_the_approved_members() -> None:
    """Among them the token, the masks, and no idempotent key or owner's context."""
    world = make_world()
    dialog_id = as_owner(world).post(dialogs_url(), json=a_whole_dialog()).json()
    token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY}).json()["token"]
    session = session_into(world, headers={"Authorization": f"Bearer {token}"})

    found = session.get(f"{BASE_URL}/dialogporten/api/v1/enduser/dialogs/{dialog_id}").json()

    wanted = snapshot("bodies", "enduser.GetDialogTests.Get_Dialog_Verify_Snapshot.json")
    assert set(found) <= set(wanted)
    assert set(as_on_the_wire(wanted)) <= set(found)
    assert set(found["guiActions"][0]) <= set(wanted["guiActions"][0])
    assert set(found["seenSinceLastUpdate"][0]) == set(wanted["seenSinceLastUpdate"][0])


def invalid(**members: Any) -> dict[str, Any]:
    """The body that upstream's test of validators sends, as its answer tells."""
    names = [{"languageCode": "no", "value": "a"}, {"languageCode": "nb", "value": ""}]
    return {
        "progress": 101,
        "status": "Draft",
        "process": "urn:" + "p" * 1020,
        "content": {},
        "attachments": [{"displayName": names, "name": "n" * 256, "urls": []}],
        **members,
    }


def problems() -> dict[str, Any]:
    """Provoke every problem document of the snapshots that this version can answer; by file name."""
    world = make_world()
    session = as_owner(world)
    dialog_id, gone = created(session), created(session, idempotentKey="duplicate-idempotent-key")
    unknown = dialogs_url(uuid7(world))
    activity = information(id=uuid7(world))
    one, activities = dialogs_url(dialog_id), dialogs_url(dialog_id, "activities")
    session.post(activities, json=activity)
    repeated = session.post(dialogs_url(), json=dialog(idempotentKey="duplicate-idempotent-key"))
    session.delete(dialogs_url(gone))
    other = as_owner(world, organisation=world.new_organisation())
    restricted = information(type="CorrespondenceOpened", description=[])
    key = {
        "idempotentKey": "duplicate-transmission-key",
        "type": "Information",
        "content": {"title": {"value": texts()}},
    }
    transmission = {**key, "sender": {"actorType": "ServiceOwner"}}
    session.post(dialogs_url(dialog_id, "transmissions"), json=transmission)
    other_revision = {"If-Match": str(world.chance.uuid4())}
    answers = {
        "400_For_Invalid_Dialog_Creation": session.post(dialogs_url(), json=invalid(serviceResource="a", party="b")),
        "400_For_Invalid_Dialog_Update": session.put(one, json=invalid()),
        "403_For_Update_With_Correspondence_Activity_Without_Scope": session.put(
            one, json=dialog(activities=[restricted])
        ),
        "404_Error_Response_For_Other_Orgs_Dialog": other.get(one),
        "404_Error_Response_In_ProblemDetails_Format": session.get(unknown),
        "404_For_Update_On_Non_Existent_Dialog": session.put(unknown, json=dialog()),
        "409_For_Duplicate_Dialog_Id": repeated,
        "409_For_Update_With_Duplicate_Transmission_Idempotent_Key": session.put(
            one, json=dialog(transmissions=[transmission])
        ),
        "410_Error_Response_In_ProblemDetails_Format_When_Creating_Activity_On_Deleted_Dialog": session.post(
            dialogs_url(gone, "activities"), json=information()
        ),
        "410_For_Update_On_Deleted_Dialog": session.put(dialogs_url(gone), json=dialog()),
        "412_Error_Response_In_ProblemDetails_Format": session.post(
            activities, json=information(), headers=other_revision
        ),
        "412_For_Update_With_Invalid_Revision": session.put(one, json=dialog(), headers=other_revision),
        "413_For_Payload_Too_Large": session.post(
            dialogs_url(), data=b" " * 20_000_001, headers={"Content-Type": "application/json"}
        ),
        "422_For_Duplicate_Activity": session.post(activities, json=activity),
        "422_For_Update_With_Duplicate_Activity_Id": session.put(one, json=dialog(activities=[activity])),
    }
    return {f"serviceowner.{name}.json": answer for name, answer in answers.items()}


def test_problem_documents_are_the_approved_ones() -> None:
    """Every snapshot of a service owner's error, letter by letter but for ids."""
    answers = problems()

    differences = {
        name: scrubbed(answer.json())
        for name, answer in answers.items()
        if scrubbed(answer.json()) != scrubbed(snapshot("errors", name)) or answer.status_code != int(name[13:16])
    }

    published = {path.name for path in (SNAPSHOTS / "errors").glob("serviceowner.*.json")}
    assert differences == {}
    assert published == set(answers)
    kinds = {name: each.headers["Content-Type"] for name, each in answers.items()}
    assert kinds.pop("serviceowner.413_For_Payload_Too_Large.json") == "application/json; charset=utf-8"
    assert set(kinds.values()) == {"application/problem+json; charset=utf-8"}


def end_user(world: World, **about: Any) -> Any:
    token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY, **about}).json()
    return session_into(world, headers={"Authorization": f"Bearer {token['token']}"})


def test_end_user_problems_are_the_approved_ones() -> None:
    """403 for a low level, 404 and 410."""
    world = make_world()
    owner = as_owner(world)
    strict, gone = created(owner), created(owner)
    owner.delete(dialogs_url(gone))
    about = {"service_resource": RESOURCE, "minimum_level": 4}
    session_into(world).post(f"{BASE_URL}/_sandbox/dialogporten/resources", json=about)
    base = f"{BASE_URL}/dialogporten/api/v1/enduser/dialogs"

    answers = {
        "403_For_Inadequate_Auth_Level": end_user(world).get(f"{base}/{strict}"),
        "404_Error_Response_For_Activities_On_NonExistent_Dialog": end_user(world).get(
            f"{base}/{uuid7(world)}/activities"
        ),
        "404_Error_Response_For_NonExistent_Activity": end_user(world, level=4).get(
            f"{base}/{strict}/activities/{uuid7(world)}"
        ),
        "404_Error_Response_In_ProblemDetails_Format": end_user(world).get(f"{base}/{uuid7(world)}"),
        "410_Error_Response_In_ProblemDetails_Format": end_user(world).get(f"{base}/{gone}"),
    }

    for name, answer in answers.items():
        assert scrubbed(answer.json()) == scrubbed(snapshot("errors", f"enduser.{name}.json"))
    published = {path.name for path in (SNAPSHOTS / "errors").glob("enduser.*.json")}
    assert published == {f"enduser.{name}.json" for name in answers}
