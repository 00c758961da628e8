"""Several forms changed around attachments that are too large to be carried: all of them, or none."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.core.operations import Outcome
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

SERVICE = {
    "forms": [
        {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"},
        {"type": "SubForm", "data_format_id": "5802", "data_format_version": "42002", "max_one": False},
    ]
}
BIG = {
    "file_name": "stor.pdf",
    "attachment_type": "Plan",
    "data": base64.b64encode(b"%PDF-1.7 " + bytes(200_000)).decode(),
}
CHANGED = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>39<")
MAIN = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": CHANGED}
KEY = {"Type": "SubForm", "DataFormatId": "5802", "DataFormatVersion": "42002"}
SUBS = [{**KEY, "FormData": f"<under><a>ny {number}</a></under>"} for number in (1, 2)]
OLD, NEW = ["40", "1", "2"], ["39", "ny 1", "ny 2"]
ACTIONS = ["send", "ask-with"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = write_mapping(tmp_path_factory.mktemp("mappings"), bare_completion=True)
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(folder),
        BRIDGE_ALTINN2_MAX_PUT="100000",
        BRIDGE_ALTINN2_SETTLE="0.05",
        BRIDGE_RETRY_FIRST="0.02",
    )
    yield made
    made.stop()


def case(stage: Stage) -> Case:
    subs = [
        {**dict(zip(("type", "data_format_id", "data_format_version"), KEY.values(), strict=True)), "xml": xml}
        for xml in ("<under><a>1</a></under>", "<under><a>2</a></under>")
    ]
    main = {"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}
    return stage.case(service=SERVICE, forms=[main, *subs], attachments=[BIG])


def send(stage: Stage, mine: Case, action: str = "send", *forms: Any) -> TestResponse:
    data = json.dumps({"forms": forms or [MAIN, *SUBS]})
    return stage.press(mine, action, data=data, headers={"Content-Type": "application/hal+json"})


def values(stage: Stage, mine: Case) -> list[str]:
    """One value of each form, in order."""
    forms = [each["xml"] for each in stage.element(mine)["forms"]]
    marks = ["<sitteplasserInne>", "<a>", "<a>"]
    return [xml.partition(mark)[2].partition("<")[0] for xml, mark in zip(forms, marks, strict=True)]


def ended_whole(stage: Stage, mine: Case, action: str) -> None:
    """All forms are new, the attachment is there, and a completing action archived it, once."""
    element = stage.element(mine)
    assert values(stage, mine) == NEW
    assert [each["file_name"] for each in element["attachments"]] == ["stor.pdf"]
    assert element["state"] == ("archived" if action == "ask-with" else "formfilling")
    assert [each.outcome for each in stage.operations(mine)] == [Outcome.DONE]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("write", [0, 1, 2])
@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"cut": "before"}, id="cut before"),
        pytest.param({"cut": "after"}, id="cut after"),
        pytest.param({"status": 500, "after_effect": True}, id="500 though done"),
        pytest.param({"status": 503}, id="503"),
    ],
)
def test_a_lost_answer_between_forms_loses_none(stage: Stage, how: dict[str, Any], write: int, action: str) -> None:
    """Whichever of the writes goes wrong, done means that every form stands there."""
    mine = case(stage)
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", skip=write, **how)

    answer = send(stage, mine, action)

    assert answer.status_code == 204
    ended_whole(stage, mine, action)


def test_only_what_is_missing_is_written_again(stage: Stage) -> None:
    """The first form took, the second did not: the first is not written twice."""
    mine = case(stage)
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", skip=1, cut="before")

    send(stage, mine)

    assert len(stage.effects(mine, "altinn2.form")) == 3
    ended_whole(stage, mine, "send")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_refused_form_takes_the_others_back(stage: Stage, action: str) -> None:
    """Altinn 2 takes two forms and refuses the third: the draft is as it was, and the press is refused."""
    mine = case(stage)
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", skip=2, status=400, reason="Form validation failed")

    answer = send(stage, mine, action)

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (422, "form_refused")
    assert values(stage, mine) == OLD
    assert [each.outcome for each in stage.operations(mine)] == [Outcome.REFUSED]


def test_taking_back_survives_a_lost_answer(stage: Stage) -> None:
    """The write that puts the first form back is cut as well: it is looked at, and done again."""
    mine = case(stage)
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", skip=2, status=400, reason="Form validation failed")
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", cut="before")

    answer = send(stage, mine)

    assert answer.status_code == 422
    assert values(stage, mine) == OLD


@pytest.mark.parametrize("write", [0, 1])
@pytest.mark.parametrize("cut", ["before", "after"])
def test_what_is_taken_out_of_a_form_is_taken_out(stage: Stage, cut: str, write: int) -> None:
    """A value that is left out, and a letter's case: what Altinn 2 may do itself is no sign that it was written."""
    mine = case(stage)
    send(stage, mine, "send", *({**KEY, "FormData": f"<under><a>x{n}</a><b>bort</b></under>"} for n in (1, 2)))
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", skip=write, cut=cut)

    answer = send(stage, mine, "send", *({**KEY, "FormData": f"<under><a>X{n}</a></under>"} for n in (1, 2)))

    assert answer.status_code == 204
    assert values(stage, mine) == ["40", "X1", "X2"]
    assert "bort" not in "".join(each["xml"] for each in stage.element(mine)["forms"])


def test_what_came_in_addition_is_put_back(stage: Stage) -> None:
    """A value that was added to the first form goes again when the second is refused."""
    mine = case(stage)
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", skip=1, status=400, reason="Form validation failed")

    answer = send(stage, mine, "send", *({**KEY, "FormData": f"<under><a>{n}</a><b>ny</b></under>"} for n in (1, 2)))

    assert answer.status_code == 422
    assert "ny" not in "".join(each["xml"] for each in stage.element(mine)["forms"][1:])


@pytest.mark.parametrize("action", ACTIONS)
def test_a_value_that_altinn_drops_is_told(stage: Stage, action: str) -> None:
    """Every write was answered with a yes, and one value is gone: nothing is completed, nothing written again."""
    mine = case(stage)
    stage.world.change_switches(put_forms="last_value_dropped")

    answer = send(stage, mine, action, *({**KEY, "FormData": f"<under><a>ny {n}</a></under>"} for n in (1, 2)))
    stage.world.change_switches(put_forms="kept")

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (502, "content_lost")
    assert stage.element(mine)["state"] == "formfilling"
    assert len(stage.effects(mine, "altinn2.form")) == 2


def test_what_somebody_else_wrote_between_stays(stage: Stage) -> None:
    """A person changes the second form after ours was cut: theirs stays, and the press is refused."""
    mine = case(stage)
    form = next(each for each in stage.element(mine)["forms"] if "<a>1</a>" in each["xml"])
    stage.fault("altinn2", "PUT", f"{mine.message_id}/forms", skip=1, cut="before", delay_seconds=0.5)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(send, stage, mine)
        until(lambda: stage.control("GET", "/faults") == [])
        stage.as_citizen("PUT", mine, f"/forms/{form['id']}", {**KEY, "FormData": "<under><a>min</a></under>"})
        answer = pressed.result()

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (409, "element_changed")
    assert "min" in values(stage, mine)


def test_a_draft_that_is_so_already_is_done(stage: Stage) -> None:
    """Nothing differs, so nothing is written."""
    mine = case(stage)
    send(stage, mine, "send", *SUBS)

    answer = send(stage, mine, "send", *SUBS)

    assert answer.status_code == 204
    assert len(stage.effects(mine, "altinn2.form")) == 2


def test_a_subform_is_not_taken_away_in_passing(stage: Stage) -> None:
    """Taking one away beside a change cannot be put back, so it is refused where it cannot be one PUT."""
    mine = case(stage)
    form = next(each for each in stage.element(mine)["forms"] if "<a>1</a>" in each["xml"])

    answer = send(stage, mine, "parts", MAIN, {"FormId": form["id"], "Remove": True})

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (409, "too_large_to_carry")
    assert values(stage, mine) == OLD
