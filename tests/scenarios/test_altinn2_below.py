"""Below an action: the element's forms, print and signing text, and what a message does to single subforms."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import ORIGIN, VALID, Case, Stage

MAIN = {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"}
SUB = {"type": "SubForm", "data_format_id": "5802", "data_format_version": "42002", "max_one": False}
SERVICE = {"forms": [MAIN, {**SUB, "prefill": "<under><a>ferdig</a></under>"}]}
KEY = {"Type": "SubForm", "DataFormatId": "5802", "DataFormatVersion": "42002"}
HAL = {"Content-Type": "application/hal+json"}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = write_mapping(tmp_path_factory.mktemp("mappings"))
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder), BRIDGE_ALTINN2_SETTLE="0.05")
    yield made
    made.stop()


@pytest.fixture
def stage(stages: Stage) -> Iterator[Stage]:
    yield stages
    stages.world.change_switches(print_type="pdf", signingtext_shape="json")


def case(stage: Stage, **element: Any) -> Case:
    subs = [
        {
            "type": "SubForm",
            "data_format_id": "5802",
            "data_format_version": "42002",
            "xml": f"<under><a>{n}</a></under>",
        }
        for n in (1, 2)
    ]
    main = {"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}
    return stage.case(service={**SERVICE, **element.pop("service", {})}, forms=[main, *subs], **element)


def below(stage: Stage, mine: Case, what: str, action: str = "parts", **request: Any) -> TestResponse:
    return stage.press(mine, f"{action}/{what}", method="GET", **request)


def parts(stage: Stage, mine: Case, *forms: Any, action: str = "parts") -> TestResponse:
    return stage.press(mine, action, data=json.dumps({"forms": forms}), headers=HAL)


def code(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def subforms(stage: Stage, mine: Case) -> list[str]:
    return [
        each["xml"].partition("<a>")[2].partition("<")[0]
        for each in stage.element(mine)["forms"]
        if each["type"] == "SubForm"
    ]


def ids(stage: Stage, mine: Case) -> list[int]:
    """Of the subforms, as the bridge lists them."""
    listed = below(stage, mine, "forms").get_json()["forms"]
    return [each["FormId"] for each in listed if each["Type"] == "SubForm"]


# What is seen


def test_forms_are_listed_without_their_data(stage: Stage) -> None:
    """Ids and keys, in Altinn 2's spelling, so that they can be sent back."""
    mine = case(stage)

    answer = below(stage, mine, "forms")

    forms = answer.get_json()["forms"]
    assert [(each["Type"], each["DataFormatId"]) for each in forms] == [
        ("MainForm", "5801"),
        ("SubForm", "5802"),
        ("SubForm", "5802"),
    ]
    assert {len(each) for each in forms} == {4}


def test_a_print_is_handed_on(stage: Stage) -> None:
    """The PDF byte for byte, of the element and, once it is archived, of its copy; a browser may read it."""
    mine = case(stage)

    draft = below(stage, mine, "print", headers={"Origin": ORIGIN})
    stage.press(mine, "submit")
    archived = below(stage, mine, "print")

    assert (draft.status_code, draft.content_type) == (200, "application/pdf")
    assert draft.data.startswith(b"%PDF")
    assert draft.data.rstrip().endswith(b"%%EOF")
    assert draft.content_length == len(draft.data)
    assert draft.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert archived.status_code == 200
    assert f"Element {stage.element(mine)['archived_id']}".encode() in archived.data


def test_a_print_that_is_a_page_runs_nothing(stage: Stage) -> None:
    """Altinn 2 gives some prints as HTML: it is a download, and no script of it runs at our address."""
    mine = case(stage)
    stage.world.change_switches(print_type="html")

    answer = below(stage, mine, "print")

    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("shape", ["json", "text"])
def test_the_text_that_is_signed_can_be_read(stage: Stage, shape: str) -> None:
    """As plain text, whichever way Altinn 2 gives it; where nothing is to be signed there is none."""
    mine = case(stage, service={"signing_steps": 1, "signing_text": "Jeg bekrefter at alt er riktig å lese."})
    stage.world.change_switches(signingtext_shape=shape)

    before = below(stage, mine, "signingtext", "sign", token=stage.token(mine))
    stage.press(mine, "to-signing")
    after = below(stage, mine, "signingtext", "sign")

    assert (before.status_code, code(before)) == (404, "nothing_to_sign")
    assert (after.status_code, after.mimetype) == (200, "text/plain")
    assert after.text == "Jeg bekrefter at alt er riktig å lese."


@pytest.mark.parametrize("shape", ["json", "text", "html"])
def test_the_text_that_is_signed_is_words(stage: Stage, shape: str) -> None:
    """What Altinn 2 gives as HTML is read without its tags and entities, in the paragraphs that it has."""
    mine = case(
        stage, service={"signing_steps": 1, "signing_text": "<p>Jeg bekrefter <b>alt</b> &amp; mer.</p><p>Ja</p>"}
    )
    stage.press(mine, "to-signing")
    stage.world.change_switches(signingtext_shape=shape)

    answer = below(stage, mine, "signingtext", "sign")

    assert answer.mimetype == "text/plain"
    assert answer.text == "Jeg bekrefter alt & mer.\n\nJa"


@pytest.mark.parametrize(("header", "language"), [("nn", "2068"), ("en", "1033"), ("nb", "1044")])
@pytest.mark.parametrize("what", ["print", "signingtext"])
def test_altinn_is_asked_in_the_persons_language(stage: Stage, what: str, header: str, language: str) -> None:
    """What a person reads comes in the language that the browser asks for."""
    mine = case(stage)

    below(stage, mine, what, headers={"Accept-Language": header})

    (call,) = [each for each in stage.world.calls.all("altinn2") if each.path.endswith(f"{mine.message_id}/{what}")]
    assert call.query["language"] == language


@pytest.mark.parametrize("what", ["forms", "print", "signingtext"])
def test_nobody_sees_another_persons_case(stage: Stage, what: str) -> None:
    """The token is for the dialog, of the action's level, and grants reading; Altinn 2 is not asked before."""
    mine, other = case(stage), case(stage)
    refused = {
        "no token": stage.client.get(f"/actions/{mine.dialog_id}/parts/{what}"),
        "another dialog's token": below(stage, mine, what, token=stage.token(other)),
        "too low": below(stage, mine, what, token=stage.token(mine, level=2)),
        "no right": below(stage, mine, what, token=stage.token(mine, actions=["write"])),
        "no such action": below(stage, mine, what, "nothing"),
    }

    assert {name: each.status_code for name, each in refused.items()} == {
        "no token": 401,
        "another dialog's token": 403,
        "too low": 403,
        "no right": 403,
        "no such action": 404,
    }
    assert all(mine.message_id not in each.path for each in stage.world.calls.all("altinn2"))


@pytest.mark.parametrize("what", ["forms", "print", "signingtext"])
def test_reading_is_enough_to_look(stage: Stage, what: str) -> None:
    """Once a button is gone no fresh token names its action; what it was about can still be seen, and not pressed."""
    mine = case(stage, service={"signing_steps": 1, "signing_text": "Jeg bekrefter."})
    stage.press(mine, "to-signing")
    fresh = stage.token(mine, actions=["read"])

    seen, pressed = below(stage, mine, what, "sign", token=fresh), stage.press(mine, "sign", token=fresh)

    assert seen.status_code == 200
    assert (pressed.status_code, code(pressed)) == (403, "action_not_granted")


@pytest.mark.parametrize(("how", "status"), [({"status": 503}, 503), ({"status": 403}, 403), ({"status": 404}, 404)])
def test_a_print_that_does_not_come_is_explained(stage: Stage, how: dict[str, Any], status: int) -> None:
    """A problem document, and never half a PDF."""
    mine = case(stage)
    stage.fault("altinn2", "GET", f"{mine.message_id}/print", **how)

    answer = below(stage, mine, "print")

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


# What is changed


def test_one_subform_is_changed_by_its_id(stage: Stage) -> None:
    """One call of its own: the others, and the attachments, are not touched."""
    mine = case(stage)
    attachments = [each["id"] for each in stage.element(mine)["attachments"]]

    answer = parts(stage, mine, {**KEY, "FormId": ids(stage, mine)[1], "FormData": "<under><a>ny</a></under>"})

    assert answer.status_code == 204
    assert subforms(stage, mine) == ["1", "ny"]
    assert [each["id"] for each in stage.element(mine)["attachments"]] == attachments
    assert stage.effects(mine, "altinn2.put") == []


def test_altinn_fills_a_new_subform_in(stage: Stage) -> None:
    """Without data it is the agency's prefill."""
    mine = case(stage)

    answer = parts(stage, mine, KEY)

    assert answer.status_code == 204
    assert subforms(stage, mine) == ["1", "2", "ferdig"]


def test_a_subform_is_taken_away(stage: Stage) -> None:
    """The one that was named, and no other."""
    mine = case(stage)

    answer = parts(stage, mine, {"FormId": ids(stage, mine)[0], "Remove": True})

    assert answer.status_code == 204
    assert subforms(stage, mine) == ["2"]
    assert len(stage.effects(mine, "altinn2.form_delete")) == 1


def test_several_changes_are_one_put(stage: Stage) -> None:
    """One taken away, one changed, one new with data: all or nothing, and attachments are carried."""
    mine = case(stage)
    first, second = ids(stage, mine)

    answer = parts(
        stage,
        mine,
        {"FormId": first, "Remove": True},
        {**KEY, "FormId": second, "FormData": "<under><a>to</a></under>"},
        {**KEY, "FormData": "<under><a>tre</a></under>"},
    )

    assert answer.status_code == 204
    assert subforms(stage, mine) == ["to", "tre"]
    assert len(stage.element(mine)["attachments"]) == 1
    assert len(stage.effects(mine, "altinn2.put")) == 1


@pytest.mark.parametrize(
    ("form", "method"),
    [
        pytest.param(KEY, "POST", id="added"),
        pytest.param({**KEY, "FormData": "<under><a>ny</a></under>", "FormId": 0}, "PUT", id="changed"),
        pytest.param({"Remove": True, "FormId": 0}, "DELETE", id="taken away"),
    ],
)
@pytest.mark.parametrize(
    "how", [{"cut": "after"}, {"status": 500, "after_effect": True}, {"cut": "before"}, {"status": 503}]
)
def test_a_lost_answer_doubles_no_subform(stage: Stage, form: Any, method: str, how: dict[str, Any]) -> None:
    """Whatever goes wrong it is done, once."""
    mine = case(stage)
    form = {**form, "FormId": ids(stage, mine)[1]} if "FormId" in form else form
    stage.fault("altinn2", method, f"{mine.message_id}/forms", **how)

    answer = parts(stage, mine, form)

    assert answer.status_code == 204
    assert subforms(stage, mine) == {"POST": ["1", "2", "ferdig"], "PUT": ["1", "ny"], "DELETE": ["1"]}[method]


@pytest.mark.parametrize(
    ("forms", "status", "told"),
    [
        pytest.param([{"FormId": 1, "Remove": True}], 422, "form_unknown", id="not there"),
        pytest.param([{"Remove": True}], 400, "message_invalid", id="which one"),
        pytest.param([{"FormId": 1, "Remove": "ja"}], 400, "message_invalid", id="no boolean"),
        pytest.param([{"FormId": 1, "Remove": True, "FormData": "<a/>"}], 400, "message_invalid", id="both"),
        pytest.param([{"FormId": 1, "Remove": True}] * 2, 400, "message_invalid", id="twice"),
        pytest.param([{**KEY, "FormId": 1, "FormData": "<a/>"}], 422, "form_unknown", id="changes what is not there"),
        pytest.param([{**KEY, "FormId": True, "FormData": "<a/>"}], 400, "message_invalid", id="an id that is none"),
        pytest.param([{**KEY, "FormData": ""}], 400, "message_invalid", id="data that is empty"),
        pytest.param([KEY, KEY], 400, "message_invalid", id="two to fill in"),
        pytest.param(
            [{**KEY, "Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001"}],
            400,
            "message_invalid",
            id="a main form without data",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(stage: Stage, forms: list[Any], status: int, told: str) -> None:
    """With what is wrong, and nothing is sent."""
    mine = case(stage)

    answer = parts(stage, mine, *forms)

    assert (answer.status_code, code(answer)) == (status, told)
    assert subforms(stage, mine) == ["1", "2"]


def test_the_main_form_is_never_taken_away(stage: Stage) -> None:
    """An element cannot be without."""
    mine = case(stage)
    main = below(stage, mine, "forms").get_json()["forms"][0]["FormId"]

    answer = parts(stage, mine, {"FormId": main, "Remove": True})

    assert (answer.status_code, code(answer)) == (422, "form_unknown")
    assert len(stage.element(mine)["forms"]) == 3


@pytest.mark.parametrize(("form", "rule"), [(KEY, "prefill"), ({"FormId": 0, "Remove": True}, "remove")])
def test_a_mapping_has_to_allow_it(stage: Stage, form: Any, rule: str) -> None:
    """An action without ``subforms`` adds no empty ones and takes none away."""
    mine = case(stage)
    form = {**form, "FormId": ids(stage, mine)[0]} if "FormId" in form else form

    answer = parts(stage, mine, form, action="send")

    assert (answer.status_code, code(answer)) == (422, "subforms_not_allowed")
    assert f"subforms: [{rule}]" in answer.get_json()["detail"]
    assert subforms(stage, mine) == ["1", "2"]
