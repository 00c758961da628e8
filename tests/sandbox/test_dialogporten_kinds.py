"""How Dialogporten reads names, dates, numbers, patches and addresses, and what it says when it cannot."""

import json
from typing import Any

import pytest
import requests

from bridge.sandbox.core.world import SERVICE_OWNER_SCOPES
from bridge.sandbox.dialogporten.rules import ADMIN
from bridge.sandbox.in_process import BASE_URL, SandboxAdapter
from bridge.sandbox.world import World
from tests.sandbox.support import PARTY, RESOURCE, dialog, dialogs_url, gui_action, make_world, owner_token, texts

PATCH = {"Content-Type": "application/json-patch+json"}
FAULT = "An error occurred while processing the request."


def owner(world: World, **about: Any) -> requests.Session:
    """A service owner's session that no published document judges: much of this is in none."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", SandboxAdapter(world))
    session.headers["Authorization"] = f"Bearer {owner_token(world, **about)}"
    return session


def made(session: requests.Session, **members: Any) -> str:
    answer = session.post(dialogs_url(), json=dialog(**members))
    assert answer.status_code == 201, answer.text
    return str(answer.json())


def patched(session: requests.Session, dialog_id: str, *operations: Any) -> requests.Response:
    return session.patch(dialogs_url(dialog_id), data=json.dumps(operations), headers=PATCH)


def raw(session: requests.Session, body: str | bytes, media: str = "application/json") -> requests.Response:
    data = body.encode() if isinstance(body, str) else body
    return session.post(dialogs_url(), data=data, headers={"Content-Type": media})


# Queries


DATES = [
    "2026-03-10",
    "2026-03-10T11:00",
    "2026-03-10T12:00:00+01:00",
    "03/10/2026 12:00:00 +01:00",
    "2026-03-10 11:00",
]


@pytest.mark.parametrize("date", DATES)
def test_query_dates_are_read_as_dotnet_reads_them(date: str) -> None:
    """A day, a time without seconds, month first: UTC where there is no offset."""
    session = owner(make_world())
    dialog_id = made(session)

    found = session.get(dialogs_url(), params={"createdAfter": date}).json()["items"]

    assert [each["id"] for each in found] == [dialog_id]


def test_query_names_have_any_letters() -> None:
    """The official client begins them with capitals."""
    session = owner(make_world())
    made(session)
    other = made(session, party="urn:altinn:organization:identifier-no:310000027")

    found = session.get(dialogs_url(), params={"Party": "urn:altinn:organization:identifier-no:310000027", "LIMIT": 1})

    assert [each["id"] for each in found.json()["items"]] == [other]


UNBOUND = [
    ("limit", "", "Int32"), ("limit", "1,5", "Int32"), ("orderBy", "", "OrderSet`2"),
    ("deleted", "never", "DeletedFilter"),
    ("continuationToken", "", "ContinuationTokenSet`2"), ("status", "", "List`1"), ("systemLabel", "Trash", "List`1"),
    ("createdAfter", "0001-01-01T00:00:00+14:00", "DateTimeOffset"),
    ("isContentSeen", "1", "Boolean"), ("dueAfter", "31.12.2026", "DateTimeOffset"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "kind"), UNBOUND)
def test_what_cannot_be_bound_is_told_alone(name: str, value: str, kind: str) -> None:
    """With the value and the type that it should have; what validators would find besides is not told."""
    answer = owner(make_world()).get(dialogs_url(), params={name: value, "party": "nobody"})

    errors = {name: [f"Value [{value}] is not valid for a [{kind}] property!"]}
    assert (answer.status_code, answer.json()["errors"]) == (400, errors)


FALLS_OVER: list[dict[str, Any]] = [
    {"serviceOwnerLabels": "sak-7", "deleted": "include"},
    {"systemLabel": "Bin", "deleted": "Include"},
    {"serviceOwnerLabels": "s*k", "party": PARTY},
    {"orderBy": "dueAt_asc", "continuationToken": "dueat_,id_019cd767-5adc-7098-b6f6-75cc81e74ef5"},
]


@pytest.mark.parametrize("params", FALLS_OVER)
def test_some_searches_are_too_much_for_the_real_one(params: dict[str, Any]) -> None:
    """Its SQL is not well-formed then: 500, as JSON that nobody shall keep."""
    session = owner(make_world())

    answer = session.get(dialogs_url(), params=params)
    with_party = session.get(
        dialogs_url(), params={"serviceOwnerLabels": "sak-7", "deleted": "include", "party": PARTY}
    )

    assert (answer.status_code, answer.json()["title"]) == (500, FAULT)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache,no-store"
    assert with_party.status_code == 200


def test_several_system_labels_are_all_of_them() -> None:
    """Not any of them."""
    session = owner(make_world())
    sent = {"type": "Submission", "sender": {"actorType": "ServiceOwner"}, "content": {"title": {"value": texts()}}}
    both = made(session, systemLabel="Archive", transmissions=[sent])
    made(session, systemLabel="Archive")

    found = session.get(dialogs_url(), params={"systemLabel": ["Archive", "Sent"]}).json()["items"]

    assert [each["id"] for each in found] == [both]


def test_labels_of_contexts_are_any_of_them() -> None:
    """Where the search of dialogs wants all."""
    session = owner(make_world())
    archived, binned = made(session, systemLabel="Archive"), made(session, systemLabel="Bin")
    made(session)

    params = {"party": PARTY, "label": ["Archive", "Bin"]}
    found = session.get(dialogs_url("endusercontext"), params=params).json()["items"]

    assert sorted(each["dialogId"] for each in found) == sorted([archived, binned])


# Bodies


def test_members_have_any_letters_and_the_last_counts() -> None:
    """Names, enumerations, and what comes twice."""
    session = owner(make_world())
    body = json.dumps({**dialog(), "PROGRESS": 5, "STATUS": " draft "})[:-1] + ', "progress": "6"}'

    answer = raw(session, body)

    found = session.get(dialogs_url(answer.json())).json()
    assert (found["progress"], found["status"]) == (6, "Draft")


@pytest.mark.parametrize(
    "media", ["application/json", "application/merge-patch+json", "application/JSON; charset=utf-8"]
)
def test_any_json_is_json(media: str) -> None:
    """Whatever its kind; what is none is 415 without a word."""
    session = owner(make_world())

    answer = raw(session, json.dumps(dialog()), media)
    refused = raw(session, json.dumps(dialog()), "text/json")

    assert (answer.status_code, refused.status_code, refused.content) == (201, 415, b"")


BROKEN = [
    ('{"a":1,}', "The JSON object contains a trailing comma at the end", 7),
    ("[1,]", "The JSON array contains a trailing comma at the end", 3),
    ('{"a" 1}', "'1' is invalid after a property name. Expected a ':'.", 5),
    ("{a:1}", "'a' is an invalid start of a property name.", 1),
    ('{"a":NaN}', "'N' is an invalid start of a value.", 5),
    ('{"a":tru}', "'tru' is an invalid JSON literal. Expected the literal 'true'.", 5),
    ('{"a":1} x', "'x' is invalid after a single JSON value. Expected end of data.", 8),
    ('{"a":"b', "Expected end of string, but instead reached end of data.", 7),
    ('{"a":"\\q"}', "'q' is an invalid escapable character within a JSON string.", 7),
    ('{"a":[1 2]}', "'2' is invalid after a value.", 8),
    ("[" * 65, "The maximum configured depth of 64 has been exceeded.", 65),
    ("", "The input does not contain any JSON tokens.", 0),
]


@pytest.mark.parametrize(("body", "words", "place"), BROKEN, ids=[row[0][:12] or "nothing" for row in BROKEN])
def test_broken_json_is_told_with_its_place(body: str, words: str, place: int) -> None:
    """Under SerializerErrors."""
    answer = raw(owner(make_world()), body)

    message = answer.json()["errors"]["SerializerErrors"][0]
    assert (answer.status_code, message.startswith(words)) == (400, True), message
    assert message.endswith(f"LineNumber: 0 | BytePositionInLine: {place}.")


MISREAD: list[tuple[dict[str, Any], str, str]] = [
    ({"isApiOnly": None}, "isApiOnly", "could not be converted to System.Boolean."),
    ({"searchTags": None}, "searchTags", "doesn't allow setting null values."),
    ({"guiActions": [gui_action(url=5)]}, "guiActions[0].url", "a token type 'Number' as a string."),
    ({"guiActions": [gui_action(title=None)]}, "guiActions[0].title", "doesn't allow setting null values."),
    ({"progress": 5_000_000_000}, "progress", "out of bounds for an Int32."),
    ({"externalReference": True}, "externalReference", "a token type 'True' as a string."),
    ({"dueAt": "2027-01-01"}, "dueAt", "Expected explicit offset postfix."),
]


@pytest.mark.parametrize(("members", "key", "words"), MISREAD, ids=[row[1] for row in MISREAD])
def test_a_member_of_the_wrong_kind_is_named(members: dict[str, Any], key: str, words: str) -> None:
    """By its path, without what validators put before theirs."""
    answer = owner(make_world()).post(dialogs_url(), json=dialog(**members))

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [key]
    assert words in answer.json()["errors"][key][0]


NO_FAULT_OF_ITS_OWN: list[Any] = [
    None, {}, {"party": PARTY}, dialog(guiActions=[None]), dialog(externalReference="a\0b"),
    dialog(attachments=[{"urls": [{"url": "https://a.no", "consumerType": "Gui", "mediaType": "a" * 257}]}]),
]  # fmt: skip


@pytest.mark.parametrize(
    "body", NO_FAULT_OF_ITS_OWN, ids=["null", "empty", "no resource", "null in a list", "U+0000", "media"]
)
def test_some_bodies_are_too_much_for_the_real_one(body: Any) -> None:
    """500 for what is the sender's fault; nothing is stored."""
    world = make_world()

    answer = raw(owner(world), json.dumps(body))

    assert (answer.status_code, answer.json()["title"], world.dialogporten.dialogs()) == (500, FAULT, ())


def test_lengths_count_utf_16_units() -> None:
    """An emoji is two; labels and tags are trimmed before they are measured."""
    session = owner(make_world())
    title = {"title": {"value": texts("😀" * 128)}}

    refused = session.post(dialogs_url(), json=dialog(content=title))
    taken = session.post(dialogs_url(), json=dialog(searchTags=[{"value": f"  {'a' * 63}  "}]))

    assert "You entered 256 characters." in refused.json()["errors"]["dto.content.value[0].value"][0]
    assert taken.status_code == 201


# What is stored


STORED = [
    ("https://example.com", "https://example.com/"), ("HTTPS://Example.COM:443/a", "https://example.com/a"),
    (" https://example.com/a/../b/./c ", "https://example.com/b/c"), ("https://example.com/a%2Fb", "https://example.com/a%2Fb"),
    ("https://example.com/å?q=%C3%A5#x", "https://example.com/å?q=å#x"), ("https://example.com:8443?a", "https://example.com:8443/?a"),
    ("https://example.com/a%20b%7E", "https://example.com/a b~"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "kept"), STORED)
def test_addresses_are_kept_as_dotnet_writes_them(sent: str, kept: str) -> None:
    """So that what comes back is not what was sent."""
    session = owner(make_world())

    dialog_id = made(session, guiActions=[gui_action(url=sent)])

    assert session.get(dialogs_url(dialog_id)).json()["guiActions"][0]["url"] == kept


@pytest.mark.parametrize(
    "url", ["http://example.com", "https://", "//example.com", "https:example.com", "https://a b/"]
)
def test_what_is_no_address_over_https_is_refused(url: str) -> None:
    """By whichever of the two looks first, the deserialiser or the validator."""
    answer = owner(make_world()).post(dialogs_url(), json=dialog(guiActions=[gui_action(url=url)]))

    assert answer.status_code == 400
    assert [key.removeprefix("dto.") for key in answer.json()["errors"]] == ["guiActions[0].url"]


def test_tags_and_labels_are_kept_small() -> None:
    """Trimmed, in small letters; labels sorted."""
    session = owner(make_world())
    labels = {"serviceOwnerLabels": [{"value": " Sak-7 "}, {"value": "Ål"[:1] + "bcd"}, {"value": "abc"}]}

    dialog_id = made(session, searchTags=[{"value": " Skjema "}], serviceOwnerContext=labels)

    found = session.get(dialogs_url(dialog_id)).json()
    assert found["searchTags"] == [{"value": "skjema"}]
    assert [each["value"] for each in found["serviceOwnerContext"]["serviceOwnerLabels"]] == ["abc", "sak-7", "åbcd"]


def test_buttons_come_by_their_ids() -> None:
    """In whatever order they were sent, for reading and for the indexes of a patch."""
    session = owner(make_world())
    late, early = "019cd767-5adc-7098-b6f6-75cc81e74ef5", "019cd767-5adc-7098-b6f6-75cc81e74ef4"

    dialog_id = made(session, guiActions=[gui_action(id=late), gui_action(id=early, priority="Secondary")])
    answer = patched(session, dialog_id, {"op": "replace", "path": "/guiActions/0/action", "value": "read"})

    found = session.get(dialogs_url(dialog_id)).json()["guiActions"]
    assert answer.status_code == 204
    assert [(each["id"], each["action"]) for each in found] == [(early, "read"), (late, "write")]


# Patches


APPLIED: list[tuple[dict[str, Any], str, Any]] = [
    ({"OP": "Replace", "Path": "PROGRESS", "Value": "7"}, "progress", 7),
    ({"path": "/progress", "value": 8}, "progress", 8),
    ({"op": "replace", "path": "/progress"}, "progress", None),
    ({"op": "replace", "path": "/externalReference", "value": 12}, "externalReference", "12"),
    ({"op": "replace", "path": "/guiActions", "value": None}, "guiActions", []),
    ({"op": "copy", "path": "/externalReference", "from": "/process"}, "externalReference", "urn:a"),
    ({"op": "replace", "path": "/content/senderName", "value": {"Value": texts("A")}}, "status", "RequiresAttention"),
]


@pytest.mark.parametrize(("operation", "member", "value"), APPLIED)
def test_patches_are_read_with_leniency(operation: dict[str, Any], member: str, value: Any) -> None:
    """Any letters, no slash, no operation, no value, texts for numbers and numbers for texts."""
    session = owner(make_world())
    dialog_id = made(session, progress=3, process="urn:a")

    answer = patched(session, dialog_id, operation)

    assert (answer.status_code, session.get(dialogs_url(dialog_id)).json().get(member)) == (204, value)


UNAPPLIED: list[tuple[dict[str, Any], str]] = [
    ({"op": "frob", "path": "/progress"}, "Invalid JsonPatch operation 'frob'."),
    ({"op": "replace", "path": "/progress", "value": "many"}, "The value 'many' is invalid for target location."),
    ({"op": "replace", "path": "/isApiOnly", "value": None}, "The value '' is invalid for target location."),
    ({"op": "remove", "path": "/guiActions/x"}, "The path segment 'x' is invalid for an array index."),
    ({"op": "test", "path": "/progress", "value": 99},
     "The current value '3' at path 'progress' is not equal to the test value '99'."),
    ({"op": "move", "path": "/process", "from": "/nothing"},
     "The target location specified by path segment 'nothing' was not found."),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "message"), UNAPPLIED)
def test_every_operation_that_does_not_apply_is_told(operation: dict[str, Any], message: str) -> None:
    """Bare, under the name of the object; nothing is changed."""
    session = owner(make_world())
    dialog_id = made(session, progress=3)
    missing = "The target location specified by path segment 'party' was not found."

    answer = patched(session, dialog_id, operation, {"op": "replace", "path": "/party", "value": "x"})

    assert (answer.status_code, answer.json()) == (400, {"UpdateDialogDto": [message, missing]})
    assert session.get(dialogs_url(dialog_id)).json()["progress"] == 3


@pytest.mark.parametrize(
    "body",
    [
        '[{"op":"add","path":"/searchTags/-","value":null}]',
        "",
        "null",
        "[null]",
        '[{"op":"replace","value":1}]',
        '[{"op":"move","path":"/process"}]',
    ],
)
def test_some_patches_are_too_much_for_the_real_one(body: str) -> None:
    """No body, an operation that is null or has no path, null for an object in a list."""
    session = owner(make_world())

    answer = session.patch(dialogs_url(made(session)), data=body.encode(), headers=PATCH)

    assert answer.status_code == 500


def test_all_that_a_patch_cannot_be_bound_by_is_told() -> None:
    """In the words of the other framework, and without the path of the request."""
    headers = {**PATCH, "If-Match": "*"}

    answer = owner(make_world()).patch(dialogs_url("abc"), data=b"{}", headers=headers, params={"isSilentUpdate": "ja"})

    said = {"dialogId": "abc", "If-Match": "*", "isSilentUpdate": "ja"}
    assert answer.json()["errors"] == {
        "": ["The JSON patch document was malformed and could not be parsed."],
        "patchDocument": ["The patchDocument field is required."],
        **{name: [f"The value '{value}' is not valid."] for name, value in said.items()},
    }
    assert answer.json()["type"] == "https://tools.ietf.org/html/rfc9110#section-15.5.1"
    assert "instance" not in answer.json()


# If-Match, and what is around it


@pytest.mark.parametrize("form", ['"{}"', "W/{}", "{},{}", "*", "abc"])
def test_if_match_is_one_bare_uuid(form: str) -> None:
    """Or empty, which is none."""
    session = owner(make_world())
    dialog_id = made(session)
    value = form.replace("{}", session.get(dialogs_url(dialog_id)).headers["Etag"])

    refused = session.delete(dialogs_url(dialog_id), headers={"If-Match": value})
    done = session.delete(dialogs_url(dialog_id), headers={"If-Match": ""})

    message = f"Unable to bind header value [{value}] to a [Nullable`1] property!"
    assert (refused.status_code, refused.json()["errors"]) == (400, {"If-Match": [message]})
    assert done.status_code == 204


def test_paths_have_any_letters_and_methods_do_not_lie() -> None:
    """And HEAD is not answered."""
    session = owner(make_world())
    dialog_id = made(session)
    shouted = dialogs_url(dialog_id.upper()).replace("serviceowner/dialogs", "ServiceOwner/Dialogs")

    wrong = session.post(dialogs_url(dialog_id))

    assert session.get(shouted).json()["id"] == dialog_id
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "DELETE, GET, PATCH, PUT")
    assert session.head(dialogs_url(dialog_id)).status_code == 405


def test_who_is_nobody_is_challenged_once_for_each_issuer() -> None:
    """401 without a token or with a bad one; a genuine one of the wrong kind is 403. No body says more."""
    world = make_world()
    session = owner(world)
    user = session.post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY}).json()["token"]

    answers = {
        token: session.get(dialogs_url(), headers={"Authorization": token})
        for token in ("", "Bearer a.b.c", f"Bearer {user}")
    }

    found = [(each.status_code, each.headers.get("WWW-Authenticate"), each.content) for each in answers.values()]
    bad = 'Bearer error="invalid_token"'
    assert found == [(401, "Bearer, Bearer, Bearer", b""), (401, f"{bad}, {bad}, {bad}", b""), (403, None, b"")]


# Scopes, resources, times


def test_an_admin_moves_when_a_form_was_saved() -> None:
    """A hidden endpoint: the activity's time, and updatedAt after it, but never back."""
    world = make_world()
    admin = owner(world, scopes=SERVICE_OWNER_SCOPES | {ADMIN})
    saved = {"type": "FormSaved", "performedBy": {"actorType": "ServiceOwner"}}
    dialog_id = made(admin, activities=[saved])
    activity = admin.get(dialogs_url(dialog_id)).json()["activities"][0]["id"]
    address = dialogs_url(dialog_id, "activities", activity, "actions", "updateFormSavedActivityTime")
    later = {"newCreatedAt": "2026-03-10T12:00:00Z"}

    refused = owner(world).post(address, json=later)
    done = admin.post(address, json=later)

    found = admin.get(dialogs_url(dialog_id)).json()
    assert (refused.status_code, done.status_code) == (403, 204)
    assert done.headers["Etag"] == found["revision"]
    assert found["activities"][0]["createdAt"] == found["updatedAt"] == "2026-03-10T12:00:00.0000000Z"


def test_a_register_that_was_filled_is_asked() -> None:
    """A resource that it does not know is 422; while it is empty it knows them all."""
    world = make_world()
    session = owner(world)
    made(session)
    session.post(f"{BASE_URL}/_sandbox/dialogporten/resources", json={"service_resource": RESOURCE})

    unknown = session.post(dialogs_url(), json=dialog(serviceResource="urn:altinn:resource:annen"))

    assert (unknown.status_code, list(unknown.json()["errors"])) == (422, ["ServiceResource"])
    assert session.post(dialogs_url(), json=dialog()).status_code == 201


def test_dialogs_from_before_looks_were_kept_count_as_seen() -> None:
    """Until their content changes."""
    session = owner(make_world())
    dialog_id = made(session, createdAt="2024-01-01T00:00:00Z", updatedAt="2024-01-01T00:00:00Z")
    before = session.get(dialogs_url(dialog_id)).json()["isContentSeen"]

    patched(session, dialog_id, {"op": "replace", "path": "/status", "value": "Completed"})

    assert (before, session.get(dialogs_url(dialog_id)).json()["isContentSeen"]) == (True, False)


def test_without_what_is_behind_it_owners_still_read_and_write() -> None:
    """Users get 502, and so does whoever names a person; neither as a problem document."""
    world = make_world(dialogporten_behind="away")
    session = owner(world)
    dialog_id = made(session)
    user = session.post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY}).json()["token"]
    person = {"actorType": "PartyRepresentative", "actorId": "urn:altinn:person:legacy-selfidentified:leif"}

    read = session.get(
        f"{BASE_URL}/dialogporten/api/v1/enduser/dialogs/{dialog_id}", headers={"Authorization": f"Bearer {user}"}
    )
    told = session.post(dialogs_url(dialog_id, "activities"), json={"type": "DialogOpened", "performedBy": person})
    changed = patched(session, dialog_id, {"op": "replace", "path": "/progress", "value": 7})

    assert (read.status_code, told.status_code, changed.status_code) == (502, 502, 204)
    assert read.json()["title"] == "Bad gateway."
    assert read.headers["Content-Type"] == "application/json; charset=utf-8"


def test_ids_that_cannot_be_chosen_are_passed_over() -> None:
    """Those of what a transmission's attachment leads to; the attachment's own is held to its form."""
    session = owner(make_world())
    url = {"id": "5a3c1a4e-9a0e-4f4e-8d2a-111111111111", "url": "https://example.com/a", "consumerType": "Gui"}
    sent = {"type": "Information", "sender": {"actorType": "ServiceOwner"}, "content": {"title": {"value": texts()}}}

    dialog_id = made(session, transmissions=[{**sent, "attachments": [{"urls": [url]}]}])
    refused = session.post(dialogs_url(), json=dialog(attachments=[{"urls": [url]}]))

    (attachment,) = session.get(dialogs_url(dialog_id)).json()["transmissions"][0]["attachments"]
    assert attachment["urls"][0]["id"] != url["id"]
    assert list(refused.json()["errors"]) == ["dto.attachments[0].urls[0].id"]
