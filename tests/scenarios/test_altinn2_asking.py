"""``altinn_validate``: Altinn 2's own validation has the last word before anything is completed."""

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

SEATS = "/melding/serveringssted/sitteplasserInne"
RULES = [
    {"path": SEATS, "test": f"{SEATS} <= 40", "message": "For mange plasser"},
    {"path": "/melding/virksomhet/navn", "test": "false()", "message": "Et råd", "soft": True},
]
FORM = {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001", "rules": RULES}
MORE = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>41<")
FEWER = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>39<")
XML = {"Content-Type": "application/xml"}
FAULTS: list[Any] = [
    pytest.param({"cut": "after"}, id="cut after the effect"),
    pytest.param({"status": 500, "after_effect": True}, id="500 though it was done"),
    pytest.param({"cut": "before"}, id="cut before the effect"),
    pytest.param({"status": 503}, id="maintenance"),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = write_mapping(tmp_path_factory.mktemp("mappings"))
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(folder),
        BRIDGE_ALTINN2_SETTLE="0.05",
        BRIDGE_RETRY_FIRST="0.05",
    )
    yield made
    made.stop()


def case(stage: Stage, xml: str = VALID, **service: Any) -> Case:
    return stage.case(xml, service={"forms": [FORM], **service})


def code(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def seats(stage: Stage, each: Case) -> str:
    xml = str(stage.element(each)["forms"][0]["xml"])
    return xml.partition("<sitteplasserInne>")[2].partition("<")[0]


def asked(stage: Stage, each: Case) -> int:
    return sum(call.path.endswith(f"{each.message_id}/validate") for call in stage.world.calls.all("altinn2"))


def test_what_altinn_accepts_is_completed(stage: Stage) -> None:
    """Asked once about what it holds already; one PUT, and advice stops nothing."""
    mine = case(stage)

    answer = stage.press(mine, "ask")

    assert answer.status_code == 204
    assert stage.element(mine)["state"] == "archived"
    assert (asked(stage, mine), len(stage.effects(mine, "altinn2.put"))) == (1, 1)


def test_what_altinn_refuses_is_not_completed(stage: Stage) -> None:
    """Its faults become findings with their paths, and no PUT is sent."""
    mine = case(stage, MORE)

    answer = stage.press(mine, "ask")

    assert (answer.status_code, code(answer)) == (422, "form_refused")
    assert [each["path"] for each in answer.get_json()["findings"]] == [SEATS]
    assert stage.element(mine)["state"] == "formfilling"
    assert stage.effects(mine, "altinn2.put") == []


def test_what_is_new_is_saved_before_it_is_judged(stage: Stage) -> None:
    """Altinn 2 judges what it holds: the caller's form is a draft first, and completed when it is sound."""
    mine = case(stage)

    answer = stage.press(mine, "ask-with", data=FEWER.encode(), headers=XML)

    assert answer.status_code == 204
    assert (stage.element(mine)["state"], seats(stage, mine)) == ("archived", "39")
    assert [(put["complete"], put["sign"]) for put in stage.effects(mine, "altinn2.put")] == [
        (False, False),
        (True, True),
    ]


def test_a_faulty_new_form_stays_a_draft(stage: Stage) -> None:
    """The person finds what they wrote, and nothing is completed."""
    mine = case(stage)

    answer = stage.press(mine, "ask-with", data=MORE.encode(), headers=XML)

    assert (answer.status_code, code(answer)) == (422, "form_refused")
    assert (stage.element(mine)["state"], seats(stage, mine)) == ("formfilling", "41")
    assert len(stage.element(mine)["attachments"]) == 1


def test_new_attachments_are_judged_as_well(stage: Stage) -> None:
    """They come with the draft, once."""
    mine = case(stage)
    attachment = {"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": base64.b64encode(b"%PDF-1.7").decode()}
    main = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": VALID}

    answer = stage.press(
        mine,
        "ask-with",
        data=json.dumps({"forms": [main], "attachments": [attachment]}),
        headers={"Content-Type": "application/hal+json"},
    )

    assert answer.status_code == 204
    assert sorted(each["file_name"] for each in stage.element(mine)["attachments"]) == ["ny.pdf", "plan.pdf"]


def test_what_a_refused_message_left_in_the_draft_is_the_senders(stage: Stage) -> None:
    """Its file stands there, came through us, and is listed as what may be changed."""
    mine = case(stage)
    attachment = {"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": base64.b64encode(b"%PDF-1.7").decode()}
    main = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": MORE}

    answer = stage.press(
        mine,
        "ask-with",
        data=json.dumps({"forms": [main], "attachments": [attachment]}),
        headers={"Content-Type": "application/hal+json"},
    )
    listed = stage.press(mine, "ask-with/attachments", method="GET").get_json()["attachments"]

    assert (answer.status_code, code(answer)) == (422, "form_refused")
    assert {each["fileName"]: each["uploaded"] for each in listed} == {"plan.pdf": False, "ny.pdf": True}


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("which", [0, 1], ids=["the draft", "the completion"])
def test_a_lost_answer_stops_nothing(stage: Stage, which: int, how: dict[str, Any]) -> None:
    """Whichever PUT goes wrong, the caller's form is archived, once."""
    mine = case(stage)
    stage.fault("altinn2", "PUT", mine.message_id, **how, skip=which)

    answer = stage.press(mine, "ask-with", data=FEWER.encode(), headers=XML)

    assert answer.status_code == 204
    assert (stage.element(mine)["state"], seats(stage, mine)) == ("archived", "39")
    assert len(stage.effects(mine, "altinn2.archived")) == 1


def test_another_draft_is_never_completed_for_ours(stage: Stage) -> None:
    """A draft that was not answered, and then holds what somebody else wrote, is left alone."""
    mine = case(stage)
    stage.fault("altinn2", "PUT", mine.message_id, cut="after", delay_after=0.3)

    def meddle() -> None:
        until(lambda: bool(stage.effects(mine, "altinn2.put")))
        other = stage.element(mine)["forms"][0]["id"]
        form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": VALID}
        stage.as_citizen("PUT", mine, f"/forms/{other}", form)

    thread = threading.Thread(target=meddle)
    thread.start()
    answer = stage.press(mine, "ask-with", data=FEWER.encode(), headers=XML)
    thread.join()

    assert (answer.status_code, code(answer)) == (409, "element_changed")
    assert (stage.element(mine)["state"], seats(stage, mine)) == ("formfilling", "40")


@pytest.mark.parametrize(("how", "told"), [({"status": 403}, 403), ({"status": 404}, 502)])
def test_a_question_that_is_refused_stops_the_action(stage: Stage, how: dict[str, Any], told: int) -> None:
    """Without a verdict nothing is completed."""
    mine = case(stage)
    stage.fault("altinn2", "GET", f"{mine.message_id}/validate", **how)

    answer = stage.press(mine, "ask")

    assert answer.status_code == told
    assert stage.element(mine)["state"] == "formfilling"


def test_a_question_that_is_not_answered_is_asked_again(stage: Stage) -> None:
    """A system that is away for a moment costs a moment."""
    mine = case(stage)
    stage.fault("altinn2", "GET", f"{mine.message_id}/validate", status=503)

    answer = stage.press(mine, "ask")

    assert (answer.status_code, asked(stage, mine)) == (204, 2)
