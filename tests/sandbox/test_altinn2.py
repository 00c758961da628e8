"""Altinn 2: defaults, overwriting, the state machine, what is refused and how."""

import json
from typing import Any

import pytest

from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    HAL,
    MAIN,
    MAIN_TYPE,
    SCHEMA,
    as_altinn2_user,
    attachment,
    main_form,
    make_world,
    message,
    moved,
    owner_token,
    seeded,
    session_into,
    types_of,
)

API = f"{BASE_URL}/altinn2/api"
SIGNED = {"signing_steps": 1}
ATTACHED = {"FileName": "plan øst.pdf", "AttachmentType": "Vedlegg", "Data": attachment(b"\x00\xff")["data"]}
SUB = {"type": "SubForm", "data_format_id": "9002", "data_format_version": "3", "xml": "<del/>"}
(SUB_TYPE,) = types_of([SUB])


def state(world: World, message_id: str) -> Any:
    return session_into(world).get(f"{BASE_URL}/_sandbox/altinn2/elements/{message_id}").json()


def put(world: World, message_id: str, body: Any, **flags: str) -> Any:
    return as_altinn2_user(world).put(f"{API}/my/messages/{message_id}", json=body, params=flags, headers=HAL)


def test_flags_left_out_sign_and_archive() -> None:
    """A PUT that forgets both flags is final, as in Altinn 2: a new b-id, its Location, and the old id is gone."""
    world = make_world()
    element = seeded(world)

    answer = put(world, element, message(main_form()))

    archived = answer.headers["Location"].rpartition("/")[2]
    session = as_altinn2_user(world)
    assert (answer.status_code, archived[0]) == (204, "b")
    assert session.get(f"{API}/my/messages/{element}").status_code == 404
    assert session.get(f"{API}/my/messages/{archived}").json()["OriginalId"] == element
    assert [each.kind for each in world.ledger.effects()] == ["altinn2.put", "altinn2.archived"]


# Columns: signing steps, state before, form in the body, complete, sign -> state after
TRANSITIONS = [
    (0, "formfilling", True, "true", "true", "archived"),
    (0, "formfilling", True, "true", "false", "formfilling"),
    (0, "formfilling", True, "false", "true", "formfilling"),
    (1, "formfilling", True, "true", "true", "archived"),
    (1, "formfilling", True, "true", "false", "signing"),
    (1, "formfilling", True, "false", "false", "formfilling"),
    (1, "signing", False, "true", "true", "archived"),
    (1, "signing", False, "true", "false", "signing"),
    (1, "signing", False, "false", "true", "formfilling"),
    (1, "signing", True, "true", "true", "archived"),
    (2, "formfilling", True, "true", "true", "signing"),
    (2, "signing", False, "true", "true", "signing"),
]


@pytest.mark.parametrize(("steps", "before", "form", "complete", "sign", "after"), TRANSITIONS)
def test_flags_and_process_decide_the_state(
    steps: int, before: str, form: bool, complete: str, sign: str, after: str
) -> None:
    """Each row of the transition table holds."""
    world = make_world()
    element = seeded(world, service={"signing_steps": steps}, state=before)

    answer = put(world, element, message(main_form()) if form else message(), complete=complete, sign=sign)

    assert answer.status_code == 204
    assert state(world, element)["state"] == after


def test_the_last_of_two_signatures_archives() -> None:
    """An element with two signing steps stays in signing until the second PUT."""
    world = make_world()
    element = seeded(world, service={"signing_steps": 2}, state="signing")

    put(world, element, message())
    put(world, element, message())

    assert state(world, element)["state"] == "archived"


def test_put_overwrites_every_form_and_attachment() -> None:
    """What the body leaves out is gone: a subform and an attachment that were there."""
    world = make_world()
    forms = [{**MAIN, "xml": "<melding><a>9</a></melding>"}, SUB]
    element = seeded(world, forms=forms, attachments=[attachment()])

    put(world, element, message(main_form()), complete="false", sign="false")

    after = state(world, element)
    assert [form["xml"] for form in after["forms"]] == ["<melding><a>2</a></melding>"]
    assert after["attachments"] == []
    effect = world.ledger.effects("altinn2.put")[0].facts
    assert (effect["form_count"], effect["attachment_count"], effect["complete"]) == (1, 0, False)


def test_attachments_survive_a_put_that_carries_them() -> None:
    """Base64 data comes back as the bytes that were sent."""
    world = make_world()
    element = seeded(world)

    put(world, element, message(main_form(), attachments=(ATTACHED,)), complete="false", sign="false")

    session = as_altinn2_user(world)
    listed = session.get(f"{API}/my/messages/{element}/attachments").json()["_embedded"]["attachments"][0]
    assert (listed["FileName"], listed["Name"], listed["FileSize"]) == ("plan øst.pdf", "plan øst", 2)
    assert session.get(listed["AttachmentLink"]).content == b"\x00\xff"


@pytest.mark.parametrize(
    ("switch", "status", "attachments"), [("complete", 204, 1), ("reject", 400, 1), ("wipe", 204, 0)]
)
def test_a_bare_put_in_form_filling_follows_its_switch(switch: str, status: int, attachments: int) -> None:
    """The open trap of the facts has three positions, and only one of them loses attachments."""
    world = make_world(bare_put_in_formfilling=switch)
    element = seeded(world, attachments=[attachment()])

    answer = put(world, element, message())

    assert answer.status_code == status
    assert len(state(world, element)["attachments"]) == attachments


REFUSED = [
    ("no main form", message(main_form(Type="SubForm", DataFormatId="9002", DataFormatVersion="3")), "MainForm"),
    ("two main forms", message(main_form(), main_form()), "MainForm"),
    ("another version", message(main_form(DataFormatVersion="2")), "form set"),
    ("an unknown subform", message(main_form(), main_form(Type="SubForm", DataFormatId="1")), "subforms"),
    ("another service", {**message(main_form()), "ServiceCode": "1"}, "ServiceCode"),
    ("attachments alone", message(attachments=(ATTACHED,)), "MainForm"),
    ("broken XML", message(main_form("<melding>")), "well-formed"),
    ("a document type", message(main_form("<!DOCTYPE a [<!ENTITY b 'c'>]><melding/>")), "document type"),
]


@pytest.mark.parametrize(("body", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_body_outside_the_form_set_is_refused(body: Any, words: str) -> None:
    """400, the explanation in the reason phrase, and nothing is remembered."""
    world = make_world()
    element = seeded(world, service={"forms": [MAIN_TYPE, SUB_TYPE]})

    answer = put(world, element, body)

    assert answer.status_code == 400
    assert words in answer.reason
    assert world.ledger.effects() == ()


def test_numbers_and_texts_name_the_same_form() -> None:
    """DataFormatId, DataFormatVersion and ServiceEdition may be numbers or texts."""
    world = make_world()
    element = seeded(world)
    body = {**message(main_form(DataFormatId=9001, DataFormatVersion=1)), "ServiceEdition": "1"}

    answer = put(world, element, body)

    assert answer.status_code == 204


def test_a_form_that_breaks_its_schema_stores_nothing() -> None:
    """400 with the reason phrase of Altinn 2 and the field's path; the element is as before."""
    world = make_world()
    element = seeded(world, service={"forms": [{**MAIN_TYPE, "schema": SCHEMA}]})

    answer = put(world, element, message(main_form("<melding><a>x</a></melding>")))

    assert (answer.status_code, answer.reason) == (
        400,
        "Form validation failed, see the attached validation details",
    )
    assert answer.json()["ValidationErrors"][0]["FieldXPath"] == "/melding/a"
    assert state(world, element)["forms"][0]["xml"] == MAIN["xml"]


@pytest.mark.parametrize(("switch", "body"), [("array", list), ("empty", None)])
def test_validation_details_come_in_other_shapes(switch: str, body: Any) -> None:
    """The envelope is not known: a bare array and no body at all are switches."""
    world = make_world(validation_body=switch)
    element = seeded(world, service={"forms": [{**MAIN_TYPE, "schema": SCHEMA}]})

    answer = put(world, element, message(main_form("<melding/>")))

    assert answer.status_code == 400
    assert (isinstance(answer.json(), body)) if body else answer.content == b""


def test_an_archived_element_takes_no_update() -> None:
    """A PUT to the b-id is refused with its state."""
    world = make_world()
    element = seeded(world, state="archived")

    answer = put(world, element, message(main_form()))

    assert (answer.status_code, answer.reason) == (400, "The element has already been archived")


@pytest.mark.parametrize("service", [{"payment": True}, {"user_controlled_signing": True, "signing_steps": 1}])
def test_payment_and_others_signatures_are_refused(service: dict[str, Any]) -> None:
    """REST cannot pay, and cannot sign for others."""
    world = make_world()
    element = seeded(world, service=service)

    answer = put(world, element, message(main_form()))

    assert answer.status_code == 400
    assert state(world, element)["state"] == "formfilling"


def test_a_signature_names_forms_that_are_there() -> None:
    """SignatureSpec takes ids of the element and must not leave out a form."""
    world = make_world()
    element = seeded(world, service=SIGNED, state="signing")
    form_id = state(world, element)["forms"][0]["id"]

    wrong = put(world, element, message(SignatureSpec={"FormIds": [1], "AttachmentIds": []}))
    right = put(world, element, message(SignatureSpec={"FormIds": [form_id], "AttachmentIds": []}))

    assert (wrong.status_code, right.status_code) == (400, 204)


def test_a_service_without_copies_gives_no_location() -> None:
    """2xx without Location is success, and nothing can be found afterwards."""
    world = make_world()
    element = seeded(world, service={"keeps_copy": False})

    answer = put(world, element, message(main_form()))

    listed = as_altinn2_user(world).get(f"{API}/my/messages").json()["_embedded"]["messages"]
    assert answer.status_code == 204
    assert "Location" not in answer.headers
    assert listed == []


@pytest.mark.parametrize(("switch", "status"), [("404", 404), ("410", 410), ("redirect", 302)])
def test_the_old_id_answers_as_switched(switch: str, status: int) -> None:
    """What an a-id answers after archiving is not known."""
    world = make_world(archived_aid=switch)
    element = seeded(world)
    location = put(world, element, message(main_form())).headers["Location"]

    answer = as_altinn2_user(world).get(f"{API}/my/messages/{element}", allow_redirects=False)

    assert answer.status_code == status
    assert answer.headers.get("Location") == (location if switch == "redirect" else None)


def test_an_archived_element_is_found_by_its_original_id() -> None:
    """The newest change comes first, with OriginalId; dateFrom (Oslo's clock) leaves out what is older."""
    world = make_world()
    element, older = seeded(world), seeded(world)
    moved(world, seconds=3600)
    put(world, element, message(main_form()))
    session = as_altinn2_user(world)

    everything = session.get(f"{API}/my/messages").json()["_embedded"]["messages"]
    later = session.get(f"{API}/my/messages", params={"dateFrom": "2026-03-10T12:30:00"}).json()["_embedded"]

    assert [each.get("OriginalId") for each in everything] == [element, None]
    assert everything[1]["MessageId"] == older
    assert [each["OriginalId"] for each in later["messages"]] == [element]


def test_the_list_has_pages_of_fifty() -> None:
    """$skip gives the rest; nothing comes twice."""
    world = make_world()
    for _ in range(51):
        seeded(world)
    session = as_altinn2_user(world)

    first = session.get(f"{API}/my/messages").json()["_embedded"]["messages"]
    second = session.get(f"{API}/my/messages", params={"$skip": "50"}).json()["_embedded"]["messages"]

    ids = {each["MessageId"] for each in [*first, *second]}
    assert (len(first), len(second), len(ids)) == (50, 1, 51)


def test_others_elements_are_not_there() -> None:
    """An element of one party cannot be seen on behalf of another."""
    world = make_world()
    element = seeded(world)

    answer = as_altinn2_user(world).get(f"{API}/310000027/messages/{element}")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("language", "text"), [("1044", "Sendt og arkivert"), ("1033", "Sent and archived"), ("2068", "Sendt og arkivert")]
)
def test_the_status_is_a_localised_text(language: str, text: str) -> None:
    """The language parameter decides it."""
    world = make_world()
    element = seeded(world, state="archived")

    answer = as_altinn2_user(world).get(f"{API}/my/messages/{element}", params={"language": language})

    assert answer.json()["Status"] == text


def test_formdata_comes_back_washed() -> None:
    """The same content without declaration and processing instructions, not the same bytes."""
    world = make_world()
    xml = '<?xml version="1.0" encoding="ISO-8859-1"?><?mso x?><melding><?y z?>æ<a>1</a> <!-- k --></melding>'
    element = seeded(world, forms=[{**MAIN, "xml": xml}])
    session = as_altinn2_user(world)

    link = session.get(f"{API}/my/messages/{element}/forms").json()["_embedded"]["forms"][0]["_links"]["formdata"]
    answer = session.get(link["href"])

    assert answer.headers["Content-Type"] == "application/xml"
    assert answer.content.decode() == "<melding>æ<a>1</a> <!-- k --></melding>"


def test_a_missing_api_key_says_so() -> None:
    """400, explained in the status line; the key comes before the login."""
    world = make_world()

    answer = session_into(world).get(f"{API}/my/messages")

    assert (answer.status_code, answer.reason) == (400, "Required header 'ApiKey' is missing.")


@pytest.mark.parametrize(
    ("switch", "status", "html"), [("403", 403, False), ("302_html", 302, True), ("200_html", 200, True)]
)
def test_a_call_without_token_follows_its_switch(switch: str, status: int, html: bool) -> None:
    """403 today, a login page before: as a redirect or as a success."""
    world = make_world(auth_failure=switch)
    session = session_into(world, headers={"ApiKey": world.altinn2_api_key})

    answer = session.get(f"{API}/my/messages", allow_redirects=False)

    assert answer.status_code == status
    assert answer.headers.get("Content-Type", "").startswith("text/html") == html


def test_an_expired_token_lets_nobody_in() -> None:
    """Ten seconds after its end a token is as good as none."""
    world = make_world()
    session = as_altinn2_user(world)
    moved(world, seconds=611)

    answer = session.get(f"{API}/my/messages")

    assert answer.status_code == 403


def test_scopes_count_when_switched_on() -> None:
    """A token without Altinn 2's scopes reads nothing."""
    world = make_world(altinn2_scope_check=True)
    token = owner_token(world, scopes=["digdir:dialogporten.serviceprovider"])
    session = session_into(world, headers={"Authorization": f"Bearer {token}", "ApiKey": world.altinn2_api_key})

    answer = session.get(f"{API}/my/messages")

    assert answer.status_code == 403


@pytest.mark.parametrize(("switch", "status"), [("410", 410), ("html_landing", 200)])
def test_a_closed_altinn2_answers_as_switched(switch: str, status: int) -> None:
    """After the shutdown there is no element any more."""
    world = make_world(shutdown=switch)

    answer = as_altinn2_user(world).get(f"{API}/my/messages")

    assert answer.status_code == status
    assert "_embedded" not in answer.text


def test_other_content_types_are_refused() -> None:
    """Only hal+json and json are bodies."""
    world = make_world()
    element = seeded(world)

    answer = as_altinn2_user(world).put(
        f"{API}/my/messages/{element}", data=json.dumps(message(main_form())), headers={"Content-Type": "text/plain"}
    )

    assert answer.status_code == 400


def test_a_streamed_body_is_read_whole() -> None:
    """A PUT from a generator, without a length, is the same PUT."""
    world = make_world()
    element = seeded(world)
    data = json.dumps(message(main_form())).encode()

    answer = as_altinn2_user(world).put(
        f"{API}/my/messages/{element}", data=(data[i : i + 7] for i in range(0, len(data), 7)), headers=HAL
    )

    assert answer.status_code == 204


def test_path_segments_ignore_case() -> None:
    """Messages and messages are one."""
    world = make_world()
    element = seeded(world)

    answer = as_altinn2_user(world).get(f"{API}/my/Messages/{element}")

    assert answer.status_code == 200


def test_deleted_elements_are_gone() -> None:
    """DELETE moves to the trash bin: 204, then 404, and out of the list."""
    world = make_world()
    element = seeded(world)
    session = as_altinn2_user(world)

    answer = session.delete(f"{API}/my/messages/{element}")

    assert answer.status_code == 204
    assert session.get(f"{API}/my/messages/{element}").status_code == 404
    assert session.get(f"{API}/my/messages").json()["_embedded"]["messages"] == []


def test_plain_json_has_another_shape() -> None:
    """application/json: lists are bare, links are gone."""
    world = make_world()
    element = seeded(world)

    answer = as_altinn2_user(world).get(f"{API}/my/messages", headers={"Accept": "application/json"})

    assert [each["MessageId"] for each in answer.json()] == [element]
    assert "_links" not in answer.json()[0]
