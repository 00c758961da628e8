"""A body that may be signed and archived says what it means, or is refused: nothing of it is passed over."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.scenarios.stage import RESOURCE, VALID, Case, Stage

MAPPING = f"""\
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  send:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    complete: true
    sign: true
    attachments: {{types: [Plan], from: [body]}}
  send-held: {{requires: write, minimum_level: 3, target: altinn2, form: message, complete: true, sign: true}}
"""
NEW = re.sub(r"<postnummer>\d+</postnummer>", "<postnummer>9999</postnummer>", VALID)
MAIN = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": NEW}
PLAN = {"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": "JVBERi0xLjc="}
FORMS = f'"forms": [{json.dumps(MAIN)}]'
HAL = "application/hal+json"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("mappings")
    (folder / "a.yaml").write_text(MAPPING, "utf-8")
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def case(stage: Stage) -> Case:
    """One for all that is refused, which changes nothing."""
    return stage.case()


def send(stage: Stage, case: Case, body: Any, content_type: str = HAL, **request: Any) -> TestResponse:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return stage.press(case, "send", data=data, content_type=content_type, **request)


REFUSED = {
    "nothing": ({}, "/forms"),
    "nothing embedded": ({"_embedded": {}}, "/_embedded/forms"),
    "attachments alone": ({"attachments": [PLAN]}, "/forms"),
    "no forms": ({"forms": []}, "/forms"),
    "null": ({"forms": None}, "/forms"),
    "no list": ({"forms": MAIN}, "/forms"),
    "null embedded": ({"_embedded": None}, "/_embedded"),
    "capital": ({"Forms": [MAIN]}, "/Forms"),
    "capital embedded": ({"_embedded": {"Forms": [MAIN]}}, "/_embedded/Forms"),
    "singular": ({"form": [MAIN]}, "/form"),
    "misspelt embedded": ({"Embedded": {"forms": [MAIN]}}, "/Embedded"),
    "beside an empty embedded": ({"_embedded": {}, "forms": [MAIN]}, "/forms"),
    "in both places": ({"_embedded": {"forms": [MAIN]}, "forms": [MAIN]}, "/forms"),
    "attachments in the other place": ({"_embedded": {"forms": [MAIN]}, "attachments": [PLAN]}, "/attachments"),
    "the bare form": (MAIN, "/Type, /DataFormatId, /DataFormatVersion"),
    "a list": ([MAIN], "/"),
    "attachments with a capital": ({"forms": [MAIN], "Attachments": [PLAN]}, "/Attachments"),
    "attachment": ({"forms": [MAIN], "attachment": [PLAN]}, "/attachment"),
    "no attachments": ({"forms": [MAIN], "attachments": []}, "/attachments"),
    "data in small letters": (
        {"forms": [MAIN], "attachments": [{"FileName": "a.pdf", "AttachmentType": "Plan", "data": "QQ=="}]},
        "/attachments/0/Data, /attachments/0/data",
    ),
    "no data": ({"forms": [MAIN], "attachments": [{**PLAN, "Data": ""}]}, "/attachments/0/Data"),
    "a number for a name": ({"forms": [MAIN], "attachments": [{**PLAN, "FileName": 7}]}, "/attachments/0/FileName"),
    "one attachment twice": ({"forms": [MAIN], "attachments": [PLAN, PLAN]}, "/attachments/1/FileName"),
    "two main forms": ({"forms": [MAIN, MAIN]}, "/forms/1/Type"),
    "a read-only member of a form": ({"forms": [{**MAIN, "ValidationStatus": "Valid"}]}, "/forms/0/ValidationStatus"),
    "read-only members": ({"Status": "Utfylling", "_links": {}, "forms": [MAIN]}, "/Status, /_links"),
    "another service": ({"ServiceCode": "9999", "forms": [MAIN]}, "/ServiceCode"),
    "another edition": ({"ServiceEdition": 7, "forms": [MAIN]}, "/ServiceEdition"),
    "another type": ({"Type": "Correspondence", "forms": [MAIN]}, "/Type"),
    "another element": ({"MessageId": "a1", "forms": [MAIN]}, "/MessageId"),
    "another service alone": (
        {"Type": "FormTask", "ServiceCode": "9999", "ServiceEdition": 7},
        "/ServiceCode, /Servic",
    ),
    "SignatureSpec": ({"forms": [MAIN], "SignatureSpec": {"FormIds": [1]}}, "/SignatureSpec"),
    "SignatureSpec embedded": (
        {"_embedded": {"forms": [MAIN], "SignatureSpec": {"FormIds": [1]}}},
        "/_embedded/SignatureSpec",
    ),
    "forms twice": (f'{{{FORMS}, "forms": []}}', "/forms"),
    "embedded twice": (f'{{"_embedded": {{{FORMS}}}, "_embedded": {{}}}}', "/_embedded"),
    "twice by an escape": (f'{{{FORMS}, "f\\u006frms": []}}', "/forms"),
    "rest behind": (json.dumps({"forms": [MAIN]}) + " {}", "/"),
    "NaN": (f'{{{FORMS}, "ServiceEdition": NaN}}', "/"),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps({"forms": [MAIN]}).encode(), "/"),
    "UTF-16": (json.dumps({"forms": [MAIN]}).encode("utf-16"), "/"),
    "Latin-1": (json.dumps({"forms": [{**MAIN, "FormData": "å"}]}, ensure_ascii=False).encode("latin-1"), "/"),
    "half a character": ('{"forms":[{"Type":"\\ud800"}]}', "/"),
    "blanks": (b" \n ", "/"),
    "XML": (NEW, "/"),
    "a number that names nobody": ({"13815912345": 1, "forms": [MAIN]}, "/***********"),
    "too many members": (json.dumps({"x": [{"": 0}] * 30_000}), "/"),
}


@pytest.mark.parametrize(("body", "where"), REFUSED.values(), ids=REFUSED)
def test_a_message_that_says_anything_else_is_refused(stage: Stage, case: Case, body: Any, where: str) -> None:
    """With the member's name, and the old form is not signed in its place."""
    answer = send(stage, case, body, headers={"Accept-Language": "en"})

    problem = answer.get_json()
    assert (answer.status_code, problem["type"].rpartition(":")[2]) == (400, "message_invalid")
    assert f"Wrong at {where}" in problem["detail"]
    assert all(each["message"].endswith(".") for each in problem["findings"])
    assert stage.element(case)["state"] == "formfilling"
    assert stage.operations(case) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"forms": [MAIN], "attachments": [PLAN]}, id="beside the head"),
        pytest.param({"_embedded": {"forms": [MAIN], "attachments": [PLAN]}}, id="embedded"),
        pytest.param(
            {
                "Type": "FormTask",
                "ServiceCode": "5701",
                "ServiceEdition": "1",
                "forms": [{**MAIN, "DataFormatId": 5801, "DataFormatVersion": 42001, "Remove": False}],
                "attachments": [PLAN],
            },
            id="with a head, and numbers as Altinn 2 takes them",
        ),
    ],
)
def test_a_message_does_what_it_says(stage: Stage, body: Any) -> None:
    """The new form is signed, with the attachment that came with it."""
    mine = stage.case()

    answer = send(stage, mine, body)

    assert answer.status_code == 204
    archived = stage.control("GET", f"/altinn2/elements/{stage.element(mine)['archived_id']}")
    assert "9999" in archived["forms"][0]["xml"]
    assert [each["file_name"] for each in archived["attachments"]] == ["plan.pdf", "ny.pdf"]


def test_the_elements_own_id_may_be_named(stage: Stage) -> None:
    """What says the same as the link says nothing new."""
    mine = stage.case()

    answer = send(stage, mine, {"MessageId": mine.message_id, "ServiceEdition": 1, "forms": [MAIN]})

    assert answer.status_code == 204


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        pytest.param("{}", "application/json", id="an empty object"),
        pytest.param(json.dumps({"forms": [MAIN]}), HAL, id="a message"),
        pytest.param(NEW, "application/xml", id="a form"),
        pytest.param(" ", "text/plain", id="a blank"),
    ],
)
def test_a_body_that_would_be_ignored_is_refused(stage: Stage, case: Case, body: str, media_type: str) -> None:
    """An action that sends what Altinn 2 holds takes none, of whatever kind."""
    answer = stage.press(case, "send-held", data=body, content_type=media_type)

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (400, "body_not_expected")
    assert stage.operations(case) == []
