"""What an element holds survives every action, or nobody is told that it was done."""

import base64
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge.core.operations import Outcome
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

BIG = b"%PDF-1.7 " + bytes(200_000)
SUB = '<under xmlns=""><a>1</a></under>'
SERVICE = {
    "forms": [
        {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"},
        {"type": "SubForm", "data_format_id": "5802", "data_format_version": "42002", "max_one": False},
    ]
}


@pytest.fixture(scope="module", params=[False, True], ids=["portal", "bare"])
def stages(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stage]:
    folder = write_mapping(tmp_path_factory.mktemp("mappings"), bare_completion=request.param)
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder), BRIDGE_ALTINN2_MAX_PUT="100000")
    yield made
    made.stop()


@pytest.fixture
def stage(stages: Stage) -> Iterator[Stage]:
    yield stages
    stages.world.change_switches(bare_put_in_formfilling="complete")


def file(name: str = "plan.pdf", data: bytes = b"%PDF-1.7 plan") -> Mapping[str, str]:
    return {"file_name": name, "attachment_type": "Plan", "data": base64.b64encode(data).decode()}


def is_bare(stage: Stage) -> bool:
    mapping = next(iter(stage.bridge.mappings.values()))
    return mapping.altinn2 is not None and mapping.altinn2.bare_completion


def holds(stage: Stage, case: Case) -> tuple[list[str], list[str]]:
    element = stage.element(case)
    return [each["sha256"] for each in element["forms"]], sorted(each["sha256"] for each in element["attachments"])


@pytest.mark.parametrize("action", ["save", "save-too", "submit", "to-signing"])
def test_all_that_was_there_is_there(stage: Stage, action: str) -> None:
    """Two attachments of one name, a third and a subform survive each action."""
    case = stage.case(
        service={**SERVICE, "signing_steps": 1},
        forms=[
            {"data_format_id": "5801", "data_format_version": "42001", "xml": stage_form(stage)},
            {"type": "SubForm", "data_format_id": "5802", "data_format_version": "42002", "xml": SUB},
        ],
        attachments=[file(), file(), file("æøå.zip", b"\x00\xff")],
    )
    before = holds(stage, case)[1]

    answer = stage.press(case, action)

    assert answer.status_code == 204
    assert holds(stage, case)[1] == before
    assert len(holds(stage, case)[0]) == 2


def stage_form(stage: Stage) -> str:
    return str(stage.element(stage.case())["forms"][0]["xml"])


def test_what_changes_while_it_is_built_is_not_overwritten(stage: Stage) -> None:
    """An attachment that somebody adds between our read and our PUT stays, and the press is refused."""
    case = stage.case()
    stage.fault("altinn2", "GET", "formdata", delay_seconds=0.5)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case, "submit")
        until(lambda: stage.control("GET", "/faults") == [])
        body = {"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": "JVBERi0="}
        stage.as_citizen("POST", case, "/attachments", body)
        answer = pressed.result()

    assert answer.status_code == 409
    assert answer.get_json()["type"].endswith("element_changed")
    assert sorted(each["file_name"] for each in stage.element(case)["attachments"]) == ["ny.pdf", "plan.pdf"]
    assert stage.effects(case, "altinn2.put") == []


def test_what_is_gone_afterwards_is_not_called_done(stage: Stage) -> None:
    """An attachment that the read-back does not show ends the action with an alarm."""
    case = stage.case()
    held = stage.element(case)["attachments"][0]["id"]
    stage.fault("altinn2", "PUT", case.message_id, delay_after=0.5)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case, "save")
        until(lambda: bool(stage.effects(case, "altinn2.put")))
        number = stage.element(case)["attachments"][0]["id"]
        stage.as_citizen("DELETE", case, f"/attachments/{number}")
        answer = pressed.result()

    assert held != number
    assert answer.status_code == 502
    assert answer.get_json()["type"].endswith("content_lost")
    assert [each.outcome for each in stage.operations(case)] == [Outcome.GIVEN_UP]


@pytest.mark.parametrize("action", ["submit", "to-signing"])
@pytest.mark.parametrize("signing_steps", [0, 1])
@pytest.mark.parametrize("bare", ["complete", "reject", "wipe"])
def test_what_cannot_be_carried_is_never_lost_in_silence(
    stage: Stage, bare: str, signing_steps: int, action: str
) -> None:
    """Too large for a PUT: handed over, or completed around, and never archived without what it had."""
    case = stage.case(attachments=[file("stor.pdf", BIG)], service={"signing_steps": signing_steps})
    stage.world.change_switches(bare_put_in_formfilling=bare)
    before = holds(stage, case)

    answer = stage.press(case, action)

    element = stage.element(case)
    if action == "to-signing" and not signing_steps:
        assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (409, "no_signing_step")
        assert (element["state"], holds(stage, case)) == ("formfilling", before)
    elif not is_bare(stage):
        problem = answer.get_json()
        assert (answer.status_code, problem["type"].rpartition(":")[2]) == (409, "too_large_to_carry")
        assert f"ReporteeElementID={case.message_id[1:]}" in problem["detail"]
        assert (element["state"], holds(stage, case)) == ("formfilling", before)
    elif bare == "complete":
        assert answer.status_code == 204
        assert element["state"] == ("archived" if action == "submit" else "signing")
        assert holds(stage, case) == before
    elif bare == "wipe":
        assert answer.status_code == 502
        assert element["state"] != "archived"
    else:
        assert answer.status_code >= 400 or answer.status_code == 202
        assert holds(stage, case) == before


def test_a_draft_around_large_attachments_is_saved(stage: Stage) -> None:
    """Nothing is completed, so nothing is in danger: the form alone is changed."""
    case = stage.case(attachments=[file("stor.pdf", BIG)])
    xml = stage_form(stage).replace("<", "<", 1)

    answer = stage.press(case, "send", data=xml.encode(), headers={"Content-Type": "application/xml"})

    assert answer.status_code == 204
    assert holds(stage, case)[1] != []


def test_a_new_subform_comes_beside_the_others(stage: Stage) -> None:
    """A message names what it brings; the rest stays."""
    case = stage.case(service=SERVICE)
    form = {"Type": "SubForm", "DataFormatId": "5802", "DataFormatVersion": "42002", "FormData": SUB}

    answer = stage.press(
        case, "send", data=json.dumps({"forms": [form]}), headers={"Content-Type": "application/hal+json"}
    )

    assert answer.status_code == 204
    assert [each["type"] for each in stage.element(case)["forms"]] == ["MainForm", "SubForm"]
    assert len(stage.element(case)["attachments"]) == 1


MAIN = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001"}


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        pytest.param("{", 400, "message_invalid", id="no JSON"),
        pytest.param({"forms": [{"Type": "Form"}]}, 400, "message_invalid", id="unknown type of form"),
        pytest.param({"attachments": [{"Data": "å"}]}, 400, "message_invalid", id="no base64"),
        pytest.param(
            {
                "forms": [{**MAIN, "FormData": VALID}],
                "attachments": [{"FileName": "a.pdf", "AttachmentType": "Kart", "Data": "QQ=="}],
            },
            422,
            "attachment_type",
            id="a type that the action does not take",
        ),
        pytest.param(
            {"forms": [{"Type": "MainForm", "DataFormatId": "1", "DataFormatVersion": "2", "FormData": "<a/>"}]},
            422,
            "form_unknown",
            id="another main form",
        ),
    ],
)
def test_a_message_that_does_not_fit_is_refused(stage: Stage, message: Any, status: int, code: str) -> None:
    """Refused with what is wrong, and nothing is sent."""
    case = stage.case()
    data = message if isinstance(message, str) else json.dumps(message)

    answer = stage.press(case, "send", data=data, headers={"Content-Type": "application/hal+json"})

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (status, code)
    assert stage.effects(case, "altinn2.put") == []


# What is done with the whole element


def test_a_draft_is_discarded(stage: Stage) -> None:
    """One DELETE; pressed again it is done already."""
    case = stage.case()
    token = stage.token(case)

    answers = [stage.press(case, "discard", method=method, token=token) for method in ("DELETE", "POST")]

    assert [each.status_code for each in answers] == [204, 204]
    assert stage.element(case)["state"] == "deleted"
    assert len(stage.effects(case, "altinn2.delete")) == 1


def test_what_is_archived_is_not_discarded(stage: Stage) -> None:
    """A submitted form is nobody's to throw away."""
    case = stage.case()
    stage.press(case, "submit")

    answer = stage.press(case, "discard")

    assert answer.status_code == 409
    assert stage.element(case)["state"] == "archived"


@pytest.mark.parametrize(("action", "state"), [("confirm", "confirmed"), ("put-away", "archived")])
def test_letters_are_confirmed_and_put_away(stage: Stage, action: str, state: str) -> None:
    """Correspondences know two things to do, each once."""
    case = stage.case(
        forms=[], attachments=[], letter={"needs_confirmation": action == "confirm"}, service={"kind": "Correspondence"}
    )
    token = stage.token(case)

    answers = [stage.press(case, action, token=token) for _ in range(2)]

    assert [each.status_code for each in answers] == [204, 204]
    assert stage.element(case)["state"] == state


def test_a_form_is_not_confirmed(stage: Stage) -> None:
    """What fits a letter does not fit a form."""
    case = stage.case()

    answer = stage.press(case, "confirm")

    assert answer.status_code == 409


def test_a_signature_covers_what_the_mapping_says(stage: Stage) -> None:
    """``required`` names the forms that must be signed, by the ids of the element's own links."""
    case = stage.case(service={"signing_steps": 1})
    stage.press(case, "to-signing")

    answer = stage.press(case, "sign-required")

    assert answer.status_code == 204
    assert stage.element(case)["state"] == "archived"
