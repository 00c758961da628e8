"""Altinn 2's simulator against every published sample that is not inferred: the same members, types, relations."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree

from bridge.sandbox.altinn2.model import TEXTS, State
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
    seeded,
    session_into,
    types_of,
)

SHARED = Path(__file__).parents[2] / ".." / "shared" / "contracts" / "altinn2"
pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        not SHARED.is_dir() and not os.environ.get("CI"), reason="the folder shared beside the checkout is missing"
    ),
]
API = f"{BASE_URL}/altinn2/api"
CONTROL = f"{BASE_URL}/_sandbox/altinn2"
FORMS = [
    {**MAIN, "data_format_id": "1232", "data_format_version": "10123"},
    {**MAIN, "type": "SubForm", "data_format_id": "1243", "data_format_version": "10656"},
]
SERVICE = {"code": "1029", "edition": 64, "forms": types_of(FORMS), "signing_steps": 1}
LETTER = {
    "sender": "Sandvika kommune",
    "summary": "Kort",
    "body": "<p>Hei</p>",
    "archive_reference": "b3513210",
    "reply_options": [
        {"Type": "Service", "URL": "x", "Text": "y", "ServiceCode": "3008", "ServiceEditionCode": 102},
    ],
}


def sample(name: str) -> Any:
    return json.loads((SHARED / name).read_text("utf-8-sig"))


def differences(wanted: Any, found: Any, path: str = "$") -> list[str]:
    """List by path what the sample has and the answer has not, and what is of another type."""
    match wanted:
        case None:
            return []
        case dict():
            if not isinstance(found, dict):
                return [f"{path} is no object"]
            gone = [f"{path}.{key} is missing" for key in wanted if key not in found]
            return gone + [
                each for key in wanted if key in found for each in differences(wanted[key], found[key], f"{path}.{key}")
            ]
        case list():
            if not isinstance(found, list):
                return [f"{path} is no list"]
            if wanted and not found:
                return [f"{path} is empty"]
            # Each item of the sample must have a like among those found.
            return [
                f"{path}[{place}] is like none: {differences(each, found[0])}"
                for place, each in enumerate(wanted)
                if all(differences(each, one) for one in found)
            ]
        case _:
            same = type(wanted) is type(found)
            return [] if same else [f"{path} is {type(found).__name__}, not {type(wanted).__name__}"]


def got(world: World, path: str, **headers: str) -> Any:
    answer = as_altinn2_user(world).get(f"{API}/{path}", headers=headers)
    assert answer.status_code == 200, answer.reason
    return answer.json()


def service(world: World, **about: Any) -> None:
    answer = session_into(world).post(f"{CONTROL}/services", json={**SERVICE, **about})
    assert answer.status_code == 201, answer.text


def like_metadata(name: str) -> tuple[World, dict[str, Any]]:
    """A world with a service that says what a metadata sample says."""
    wanted = sample(name)
    world = make_world(process_step_names="norwegian" if "Innsending" in str(wanted.get("ProcessSteps")) else "english")
    names = {"FormFilling", "SendIn", "Innsending"}
    about = {
        "code": wanted["ServiceCode"],
        "edition": wanted["ServiceEditionCode"],
        "name": wanted["ServiceName"],
        "owner": wanted["ServiceOwnerName"],
        "owner_code": wanted["ServiceOwnerCode"],
        "kind": wanted["ServiceType"],
        "valid_from": f"{wanted['ValidFrom']}+01:00",
        "valid_to": f"{wanted['ValidTo']}+01:00",
        "enterprise_users": wanted.get("EnterpriseUserEnabled", True),
        "signing_steps": sum(each["Name"] not in names for each in wanted.get("ProcessSteps", [])),
        "forms": [
            {
                "type": each["FormType"],
                "name": each["FormName"],
                "data_format_id": each["DataFormatID"],
                "data_format_version": str(each["DataFormatVersion"]),
                "provider": each["DataFormatProviderType"],
                "only_xsd": each["IsOnlyXsdValidation"],
                "schema": SCHEMA,
            }
            for each in wanted.get("FormsMetaData", [])
        ],
        "attachment_rules": [
            {
                "id": each["AttachmentRuleId"],
                "name": each["AttachmentTypeName"],
                "file_types": each["AllowedFileTypes"],
                "min_count": each["MinAttachmentCount"],
                "max_count": each["MaxAttachmentCount"],
                "max_size": each["MaxFileSize"],
                "schema": SCHEMA if each["IsXsdValidationRequired"] else None,
            }
            for each in wanted.get("AttachmentRules", [])
        ],
    }
    service(world, **about)
    return world, wanted


METADATA = [
    "metadata_formtask_3734_150114.hal.json",
    "metadata_formtask_3357_130815_attachmentrule.hal.json",
    "metadata_formtask_3225_2_two_attachmentrules.hal.json",
    "metadata_correspondence.hal.json",
    "metadata_formtask_4711_1.recorded.json",
    "metadata_formtask_4942_2017.recorded.json",
]


@pytest.mark.parametrize("name", METADATA)
def test_metadata_is_like_its_sample(name: str) -> None:
    """HAL samples as HAL, recorded ones as the plain JSON that they were; what decides is equal, too."""
    world, wanted = like_metadata(name)
    plain = {"Accept": "application/json"} if "recorded" in name else {}
    path = f"metadata/{wanted['ServiceType'].lower()}/{wanted['ServiceCode']}/{wanted['ServiceEditionCode']}"

    answer = session_into(world).get(f"{API}/{path}", headers=plain)

    found = answer.json()
    same = ("ServiceOwnerCode", "ServiceName", "ServiceCode", "ServiceEditionCode", "ServiceType", "RestEnabled")
    assert differences(wanted, found) == []
    assert {key: found[key] for key in same if key in wanted} == {key: wanted[key] for key in same if key in wanted}
    assert found.get("AttachmentRules", []) == [
        {**mine, **theirs, "_links": mine["_links"]} if "_links" in theirs else {**mine, **theirs}
        for mine, theirs in zip(found.get("AttachmentRules", []), wanted.get("AttachmentRules", []), strict=True)
    ]


@pytest.mark.parametrize("name", ["4711_1", "4942_2017"])
def test_metadata_has_the_recorded_headers(name: str) -> None:
    """Content type, caching and security headers as they came; server and date are the machine's own."""
    world, wanted = like_metadata(f"metadata_formtask_{name}.recorded.json")
    lines = (SHARED / f"metadata_formtask_{name}.recorded.headers.txt").read_text("utf-8").splitlines()[1:]
    recorded = dict(line.split(": ", 1) for line in lines if line.strip())
    own = {"Server", "Date", "Set-Cookie"}

    answer = session_into(world).get(
        f"{API}/metadata/formtask/{wanted['ServiceCode']}/{wanted['ServiceEditionCode']}",
        headers={"Accept": "application/json"},
    )

    assert {key: answer.headers.get(key) for key in recorded if key not in own} == {
        key: value for key, value in recorded.items() if key not in own
    }
    assert answer.headers["Set-Cookie"].startswith("BIGipServer~")


def test_a_recorded_schema_comes_back_as_it_is() -> None:
    """The XSD of a recorded service, one long line, as a file."""
    world = make_world()
    text = (SHARED / "metadata_4711_1_form_5466_41779.xsd").read_text("utf-8")
    form = {**MAIN_TYPE, "data_format_id": "5466", "data_format_version": "41779", "schema": text}
    service(world, code="4711", edition=1, forms=[form])

    answer = session_into(world).get(f"{API}/metadata/formtask/4711/1/forms/5466/41779/xsd")

    assert answer.content.decode() == text
    assert answer.headers["Content-Type"] == "application/xml"
    assert answer.headers["Content-Disposition"] == "attachment; filename=schema.xsd"


def test_the_list_of_services_is_like_its_sample() -> None:
    """Open, under the key that the sample has."""
    world = make_world()
    service(world)

    assert differences(sample("metadata_list.hal.json"), session_into(world).get(f"{API}/metadata").json()) == []


def test_messages_and_the_trash_bin_are_like_their_samples() -> None:
    """Correspondence and form tasks side by side; what was deleted elsewhere."""
    world = make_world()
    seeded(world)
    letter = {"service": {"code": "2479", "edition": 2}, "forms": [], "letter": LETTER}
    seeded(world, **letter)
    gone = seeded(world, **letter)
    as_altinn2_user(world).delete(f"{API}/my/messages/{gone}")

    listed = got(world, "my/messages")
    wanted = sample("get_messages_list.hal.json")
    # The three reply options of the sample differ in their members; they are the agency's own.
    for each in wanted["_embedded"]["messages"]:
        each.get("ReplyOptions", [])[1:] = []

    assert differences(wanted, listed) == []
    assert differences(sample("get_messages_trashbin.hal.json"), got(world, "my/messages/trashbin")) == []
    assert [each["Status"] for each in got(world, "my/messages/trashbin")["_embedded"]["messages"]] == ["Slettet"]


def test_single_messages_are_like_their_samples() -> None:
    """A correspondence, two form tasks under completion, a form, forms and attachments."""
    world = make_world()
    letter = seeded(world, service={"code": "2479", "edition": 2}, forms=[], letter=LETTER, attachments=[attachment()])
    forms = [MAIN, {**MAIN, "type": "SubForm", "data_format_id": "2"}]
    task = seeded(world, forms=forms, attachments=[attachment()])
    first = got(world, f"my/messages/{task}")["_links"]["form"][0]["href"].removeprefix(f"{API}/")

    found = {
        "get_message_correspondence.hal.json": got(world, f"my/messages/{letter}?markAsRead=false"),
        "get_message_formtask.hal.json": got(world, f"my/messages/{task}"),
        "get_message_formtask_draft_tt02_2021.hal.json": got(world, f"my/messages/{task}"),
        "get_form.hal.json": got(world, first),
        "get_forms_list.hal.json": got(world, f"my/messages/{task}/forms"),
        "get_attachments_list.hal.json": got(world, f"my/messages/{task}/attachments"),
    }

    assert {name: differences(sample(name), each) for name, each in found.items()} == {name: [] for name in found}
    draft = sample("get_message_formtask_draft_tt02_2021.hal.json")
    mine = found["get_message_formtask_draft_tt02_2021.hal.json"]
    assert (mine["Status"], mine["AvailableAction"]) == (draft["Status"], draft["AvailableAction"])
    assert mine["_links"]["portalview"]["href"].partition("?")[0].endswith("/FormsEngine/FillInForm.aspx")


def test_people_are_like_their_samples() -> None:
    """Reportees, profiles, rights and enterprise users."""
    world = make_world()
    seeded(world, who=["my", "310000019", world.new_person()])
    users = {"name": "EKSEMPEL", "password": "x", "party": world.owner.number, "enterprise": True}
    session_into(world).post(f"{CONTROL}/users", json=users)

    found = {
        "get_reportees.hal.json": got(world, "reportees"),
        "get_my_profile.hal.json": got(world, "my/profile"),
        "get_org_profile.hal.json": got(world, "310000019/profile"),
        "get_rights.hal.json": got(world, "310000019/authorization/rights"),
        "get_enterpriseusers.json": got(world, "enterpriseusers"),
    }

    assert {name: differences(sample(name), each) for name, each in found.items()} == {name: [] for name in found}
    actions = {each["Action"] for each in sample("get_rights.hal.json")["_embedded"]["rights"]}
    assert actions <= {each["Action"] for each in found["get_rights.hal.json"]["_embedded"]["rights"]}


@pytest.mark.parametrize("name", ["get_validate_failed.json", "get_validate_ok_with_warnings.json"])
def test_validation_says_what_its_sample_says(name: str) -> None:
    """Hard rules as errors, soft ones as warnings, with fields, words and paths as published."""
    wanted = sample(name)
    rules = [
        {"path": each["FieldXPath"], "test": "false()", "message": each["ErrorMessage"], "soft": soft}
        for key, soft in (("ValidationErrors", False), ("ValidationWarnings", True))
        for each in wanted[key]
    ]
    world = make_world()
    element = seeded(world, service={"forms": [{**MAIN_TYPE, "rules": rules}]})

    found = got(world, f"my/messages/{element}/validate")

    def said(entries: Any) -> list[Any]:
        return [(each["ErrorMessage"], each["FieldXPath"]) for each in entries]

    assert found["Success"] == wanted["Success"]
    assert [said(found[key]) for key in ("ValidationErrors", "ValidationWarnings")] == [
        said(wanted[key]) for key in ("ValidationErrors", "ValidationWarnings")
    ]
    assert differences(wanted, found) == []


def as_sent(world: World, method: str, path: str, name: str, **flags: str) -> requests.Response:
    """Send a sample's own bytes."""
    kind = "application/hal+xml" if name.endswith(".xml") else "application/hal+json"
    data = (SHARED / name).read_bytes()
    session = as_altinn2_user(world)
    return session.request(method, f"{API}/{path}", data=data, params=flags, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    ("name", "flags", "state"),
    [
        ("post_messages_submit.request.json", {}, "archived"),
        ("post_messages_submit.request.json", {"sign": "false"}, "signing"),
        ("post_messages_prefill.request.json", {"complete": "false"}, "formfilling"),
        ("post_message.request.hal.xml", {}, "archived"),
    ],
)
def test_the_samples_of_new_elements_are_taken(name: str, flags: dict[str, str], state: str) -> None:
    """JSON, XML and the empty body: 201, an address, and what the sample is a sample of."""
    world = make_world()
    service(world)

    answer = as_sent(world, "POST", "my/messages", name, **flags)

    effect = world.ledger.effects("altinn2.post")[0].facts
    assert (answer.status_code, effect["state_after"], effect["form_count"]) == (201, state, 1)
    assert answer.headers["Location"].startswith(f"{API}/my/messages/")
    assert effect["attachment_count"] == ("prefill" not in name)


def test_the_samples_of_parts_and_signatures_are_taken() -> None:
    """A subform, an attachment in base64, a signature of all and one of what is named."""
    world = make_world()
    element = seeded(world, service=SERVICE, forms=FORMS[:1])
    signed = [seeded(world, service=SERVICE, forms=FORMS[:1], state="signing") for _ in range(2)]
    held = world.altinn2.find(signed[1])
    assert held is not None
    selected = sample("put_message_sign_selected.request.json")
    selected["_embedded"]["SignatureSpec"] = {"FormIds": [held.forms[0].id], "AttachmentIds": []}

    answers = [
        as_sent(world, "POST", f"my/messages/{element}/forms", "post_forms_subform.request.json"),
        as_sent(world, "POST", f"my/messages/{element}/attachments", "post_attachment_base64.request.json"),
        as_sent(world, "PUT", f"my/messages/{signed[0]}", "put_message_sign_all.request.json"),
        as_altinn2_user(world).put(f"{API}/my/messages/{signed[1]}", json=selected, headers=HAL),
        as_sent(world, "PUT", f"my/messages/{element}", "put_message_sign_selected.request.json"),
    ]

    assert [each.status_code for each in answers] == [201, 201, 204, 204, 400]


def test_the_sample_of_a_login_is_taken() -> None:
    """Its user name and password give a cookie that starts as published."""
    world = make_world()
    given = sample("authenticatewithpassword.request.json")
    user = {"name": given["UserName"], "password": given["UserPassword"], "party": world.new_person()}
    session_into(world).post(f"{CONTROL}/users", json=user)

    answer = as_sent(world, "POST", "authentication/authenticatewithpassword", "authenticatewithpassword.request.json")

    assert answer.status_code == 200
    assert answer.headers["Set-Cookie"].startswith(".AspxAuthTT02=")
    assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_the_error_model_is_like_its_sample() -> None:
    """Where the switch wants a body beside the reason phrase."""
    world = make_world(error_text="reason_plus_errormodel")

    found = session_into(world).get(f"{API}/my/messages").json()

    assert differences(sample("error_model_newer_apis.json"), found) == []


def catalogue() -> set[tuple[str, str]]:
    rows = [line.split(" | ") for line in (SHARED / "error_catalogue.txt").read_text("utf-8").splitlines()]
    return {(row[0], row[1].strip()) for row in rows if len(row) == 4}


def test_the_published_reasons_are_used_to_the_letter() -> None:
    """Every reason phrase of the catalogue that belongs to a call which the simulator answers."""
    known = catalogue()
    world = make_world()
    session, nobody = as_altinn2_user(world), session_into(world)
    task = seeded(world, service={"forms": [{**MAIN_TYPE, "schema": SCHEMA}]})
    letters = [
        seeded(world, forms=[], service={"code": "2"}, letter={"needs_confirmation": each}) for each in (True, False)
    ]
    session.headers["Content-Type"] = "application/hal+json"
    number = world.new_organisation().number
    user = {"name": "EKSEMPEL", "password": "x", "party": number, "enterprise": True}
    nobody.post(f"{CONTROL}/users", json=user)
    wrong_key = {**session.headers, "ApiKey": "another"}
    login = {"UserName": "EKSEMPEL", "UserPassword": "x"}
    missing = as_altinn2_user(without := make_world(user_profile="missing"))

    answers = [
        nobody.get(f"{API}/my/messages"),
        session.put(f"{API}/my/messages/{task}", json=message(main_form("<melding/>"))),
        session.get(f"{API}/metadata", params={"$top": "10001"}),
        session.get(f"{API}/metadata", params={"$orderby": "ValidTil"}),
        session.get(f"{API}/metadata", params={"$filter": "ServiceOwnerCode neq 'ACN'"}),
        missing.get(f"{API}/reportees"),
        nobody.get(f"{API}/my/messages", headers={str(k): str(v) for k, v in wrong_key.items()}),
        nobody.post(f"{API}/authentication/authenticatewithpassword?ForceEIAuthentication", json=login),
        session.put(f"{API}/my/messages/{letters[0]}/confirm"),
        session.put(f"{API}/my/messages/{letters[1]}/archive"),
    ]

    assert without.ledger.effects() == ()
    assert {(str(each.status_code), each.reason) for each in answers} <= known
    assert len({each.reason for each in answers}) == len(answers)


def test_every_status_text_is_the_published_one() -> None:
    """All states of form tasks and correspondences, in three languages; marks of inference aside."""
    table = sample("status_texts.json")

    for row in (*table["FormTask"], *table["Correspondence"], *table["trashbin"]):
        world = make_world(deleted_element="200")
        letter = row in table["Correspondence"]
        more = {"forms": [], "letter": {}} if letter else {}
        element = seeded(world, state=row["state"], **more)
        for code in ("1044", "2068", "1033"):
            query = f"?language={code}&markAsRead=false"
            found = got(world, f"my/messages/{element}{query}")["Status"]
            assert found == row[code].removesuffix(" (INFERRED)"), row["state"]
    assert set(TEXTS) == set(State)


# What a row of the published table says, in the words of the control API.
PROCESSES: dict[str, dict[str, Any]] = {
    "any": {},
    "with signing step": {"signing_steps": 1},
    "with simple signing step": {"signing_steps": 1},
    "FormFilling + SendIn, no signing step": {"signing_steps": 0},
    "third-party / user-controlled signing": {"signing_steps": 1, "user_controlled_signing": True},
    "with payment step": {"payment": True, "signing_steps": 0},
    "multi signature": {"signing_steps": 3, "unique_signers": True},
}
FLAGS = {
    "complete=false": {"complete": "false"},
    "sign=false": {"sign": "false"},
    "(true/true)": {},
    "complete=true&sign=true": {"complete": "true", "sign": "true"},
}


def rows() -> list[Any]:
    found = sample("status_transitions.json")["transitions"] if SHARED.is_dir() else []
    wanted = [row for row in found if row["process"] != "correspondence" and "/" not in row["operation"].split(" ")[0]]
    return [
        row for row in wanted if row["operation"].split(" ")[0] in ("POST", "PUT") and " / " not in row["operation"]
    ]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['operation']} {row['process']}"[:60])
def test_each_row_of_the_state_table_holds(row: Any) -> None:
    """State afterwards, or a refusal that changes nothing; the address where the row says that there is one."""
    world = make_world()
    about = {"forms": [MAIN_TYPE], **PROCESSES[row["process"]]}
    verb, _, rest = row["operation"].partition(" ")
    flags = next(value for key, value in FLAGS.items() if rest.startswith(key))
    session = as_altinn2_user(world)
    if verb == "POST":
        service(world, code="4711", edition=1, **about)
        body = {**message(), "_embedded": {}} if "empty" in rest else message(main_form())
        answer = session.post(f"{API}/my/messages", json=body, params=flags, headers=HAL)
    else:
        element = seeded(world, service=about, state=row["from_state"])
        body = message() if row["from_state"] == "signing" and "complete=false" not in rest else message(main_form())
        if "already signed" in rest:
            session.put(f"{API}/my/messages/{element}", json=message(), headers=HAL)
        answer = session.put(f"{API}/my/messages/{element}", json=body, params=flags, headers=HAL)

    if row["to_state"] == "error":
        assert answer.status_code == 400
        return
    after = session.get(answer.headers["Location"]).json()["Status"]
    wanted = {"formfilling": "Utfylling", "signing": "Signering", "archived": "Sendt og arkivert"}
    expected = next((text for key, text in wanted.items() if row["to_state"].startswith(key)), "Utfylling")
    assert after == expected


VALUES = {
    "who": "my",
    "messageId": "a1",
    "formId": "1",
    "attachmentId": "1",
    "serviceCode": "1",
    "serviceEdition": "1",
    "serviceEditionCode": "1",
    "dataFormatId": "1",
    "dataFormatVersion": "1",
    "ruleId": "1",
    "name": "Land",
    "version": "1",
}
NO_ROUTE = [("POST", "/api/{who}/messages/{messageId}/attachments/{attachmentId}")]
"""Listed without a purpose ("avoid"): nobody knows what it does, so it does nothing."""


@pytest.mark.parametrize(
    "each",
    sample("endpoints.json")["endpoints"] if SHARED.is_dir() else [],
    ids=lambda each: f"{each['method']} {each['path']}",
)
def test_every_published_address_is_answered(each: Any) -> None:
    """All of the list: the address, its method, the key that it needs, and every query parameter that it may have."""
    world = make_world()
    session = as_altinn2_user(world)
    path = each["path"].partition(".no/")[2] if each["path"].startswith("https:") else f"altinn2{each['path']}"
    url = f"{BASE_URL}/{'platform/' if path.startswith('authentication/api') else ''}{path.format(**VALUES)}"
    query = [re.split("[= ]", name)[0] for name in each["query"] if not name.startswith("$")]

    answer = session.request(each["method"], url, headers=HAL, data=b"{}", params=dict.fromkeys(query, "1"))
    template = world.calls.all()[-1].template
    keyless = session_into(world).request(each["method"], url, headers=HAL, data=b"{}")

    if (each["method"], each["path"]) in NO_ROUTE:
        assert answer.status_code == 405
        return
    assert template
    assert answer.status_code < 500
    needs_key = each["apikey_resource"] is not None
    assert ((keyless.status_code, keyless.reason) == (400, "Required header 'ApiKey' is missing.")) is needs_key


def test_every_sample_is_held_against() -> None:
    """No file of the contract is forgotten: each is named in a test, or inferred, or about the others."""
    tests = "".join(each.read_text("utf-8") for each in Path(__file__).parents[1].rglob("test_*.py"))
    about = {"SOURCE.txt", "INDEX.json", "http_exchanges.txt"}

    names = {each.name for each in SHARED.iterdir() if "INFERRED" not in each.name} - about
    recorded = {name for name in names if name.endswith(".recorded.headers.txt")}

    assert {name for name in names - recorded if name not in tests} == set()
    assert {name.split("_", 2)[2].partition(".")[0] for name in recorded} == {"4711_1", "4942_2017"}


def test_the_xml_sample_and_our_xml_have_one_shape() -> None:
    """Elements of the request sample are found in what is given for reading: resource in resource, fields as texts."""
    wanted = etree.fromstring((SHARED / "post_message.request.hal.xml").read_bytes())
    world = make_world()
    element = seeded(world, service=SERVICE, forms=FORMS[:1])
    accept = {"Accept": "application/hal+xml"}

    found = etree.fromstring(as_altinn2_user(world).get(f"{API}/my/messages/{element}", headers=accept).content)

    assert (found.tag, found.get("rel")) == (wanted.tag, wanted.get("rel"))
    fields = [each.tag for each in wanted if each.tag != "resource"]
    assert [found.findtext(each) for each in fields] == [wanted.findtext(each) for each in fields]
    assert world.clock() == datetime(2026, 3, 10, 11, 0, 0, 860_000, tzinfo=UTC)
