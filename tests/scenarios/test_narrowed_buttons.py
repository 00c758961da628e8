"""A button that an authorization context narrows is pressed by whom the context takes in, and by nobody else."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.core.dialog_presentation import own_ids
from tests.scenarios.stage import RESOURCE, Case, Stage

MAPPING = f"""\
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
attachment_rules:
  - {{type: Plan, file_types: "*.*", min_count: 0, max_count: 9, max_size_mb: 9}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  submit: {{requires: write, minimum_level: 3, target: altinn2, form: message, complete: true, sign: true}}
  by-ref:
    requires: {{token_ref: countersign}}
    minimum_level: 3
    target: altinn2
    form: message
    complete: true
    sign: true
    attachments: {{types: [Plan], from: [upload]}}
  by-button:
    requires: {{element: own, action: write}}
    minimum_level: 3
    target: altinn2
    form: message
    complete: true
    sign: true
    button: {{title: {{nb: Send, nn: Send, en: Send}}, priority: Primary}}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("mappings")
    (folder / "a.yaml").write_text(MAPPING, "utf-8")
    made = Stage(
        tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder), BRIDGE_PUBLIC_URL="https://bridge.example.no"
    )
    yield made
    made.stop()


def entities(case: Case, action: str) -> list[str]:
    """What ``e`` holds where the context takes the reader in."""
    return ["countersign"] if action == "by-ref" else [str(own_ids(case.dialog_id, action)[0])]


@pytest.mark.parametrize("action", ["by-ref", "by-button"])
def test_the_rightful_press(stage: Stage, action: str) -> None:
    """Though their ``a`` holds nothing at all."""
    case = stage.case()
    token = stage.token(case, actions=[], entities=entities(case, action))

    assert stage.press(case, action, token=token).status_code == 204
    assert stage.element(case)["state"] == "archived"


@pytest.mark.parametrize("action", ["by-ref", "by-ref/attachments?fileName=a.pdf&attachmentType=Plan", "by-button"])
@pytest.mark.parametrize(
    "about",
    [
        pytest.param({"actions": ["*"]}, id="every right in a"),
        pytest.param({"actions": ["*"], "entities": []}, id="an empty e"),
        pytest.param({"actions": ["*"], "entities": ["write", "another"]}, id="another context"),
        pytest.param({"claims": {"a": "countersign;write"}}, id="the reference in a"),
        pytest.param({"claims": {"e": "countersign"}}, id="no list"),
        pytest.param({"entities": ["countersign"], "level": 2}, id="level"),
    ],
)
def test_nobody_else_presses(stage: Stage, action: str, about: dict[str, Any]) -> None:
    """What ``a`` happens to hold is for another button."""
    case = stage.case()

    answer = stage.press(
        case, action, token=stage.token(case, **about), data=b"", content_type="application/octet-stream"
    )

    assert answer.status_code == 403
    assert stage.element(case)["state"] == "formfilling"
    assert stage.effects(case, "altinn2.attachment") == []


def test_one_buttons_id_opens_no_other(stage: Stage) -> None:
    """Nor that of the same action in another dialog."""
    case, other = stage.case(), stage.case()
    for held in (entities(other, "by-button"), [str(own_ids(case.dialog_id, "by-ref")[0])]):
        assert stage.press(case, "by-button", token=stage.token(case, entities=held)).status_code == 403


# A mapping that does not say so


def narrow(stage: Stage, case: Case, **actions: dict[str, Any]) -> None:
    """Put a context on the dialog's own buttons, by the names of their actions."""
    mine = [each for each in stage.dialog(case)["guiActions"] if "/actions/" in each["url"]]
    ids = {each["url"].rpartition("/")[2]: each["id"] for each in mine}
    contexts = {ids[name]: context for name, context in actions.items()}
    stage.control("PUT", f"/dialogporten/dialogs/{case.dialog_id}/authorization-contexts", contexts)


def test_a_token_tells_a_context_in_e(stage: Stage) -> None:
    """The sandbox's tokens as the real ones: the narrowed action leaves a, and stands in e for whom it takes in."""
    case = stage.case()
    narrow(stage, case, sign={"tokenRef": "countersign", "action": "countersign"}, submit={"action": "approve"})
    shown = {each["title"][0]["value"]: each for each in stage.dialog(case)["guiActions"]}

    def claims(*actions: str) -> dict[str, Any]:
        part = stage.token(case, actions=list(actions)).split(".")[1]
        read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return read

    assert (shown["sign"]["action"], shown["sign"]["authorizationContext"]["tokenRef"]) == ("", "countersign")
    assert claims("read", "write", "sign")["a"] == "read;write"
    assert "e" not in claims("read", "write", "sign")
    assert claims("countersign", "approve")["e"] == ["countersign", shown["submit"]["id"]]


def test_a_narrowed_button_is_not_pressed_by_a(stage: Stage) -> None:
    """Where the mapping does not know of the context, the dialog does: nothing is signed."""
    case = stage.case()
    token = stage.token(case)
    narrow(stage, case, submit={"tokenRef": "countersign", "action": "countersign"})

    answer = stage.press(case, token=token)

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (403, "action_narrowed")
    assert stage.element(case)["state"] == "formfilling"
    assert stage.effects(case, "altinn2.put") == []


def test_another_buttons_context_stops_nothing(stage: Stage) -> None:
    """Only what leads to this action counts."""
    case = stage.case()
    narrow(stage, case, sign={"tokenRef": "countersign", "action": "countersign"})

    assert stage.press(case).status_code == 204
