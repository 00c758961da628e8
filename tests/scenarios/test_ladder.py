"""Dialogporten judges a whole dialog at every change; what it refuses for a trifle is told all the same."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from bridge.cli.operations import operations
from bridge.core.operations import Outcome
from bridge.steps.dialog.thawed import retry_frozen
from tests.scenarios.stage import RESOURCE, Case, Stage, until

MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001"}}
actions:
  submit:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    validate: "off"
    complete: true
    sign: true
    then:
      status: Completed
      expires_in_days: 30
      summary: {{nb: Hos kommunen., nn: Hos kommunen., en: With the municipality.}}
  save:
    {{requires: write, minimum_level: 3, target: altinn2, form: message, validate: "off", complete: false, sign: false}}
dialog: {{search_tags: [servering]}}
"""
LEGACY, CORRESPONDENCE = "digdir:dialogporten.serviceprovider.legacyhtml", "digdir:dialogporten.correspondence"
ADMIN = "digdir:dialogporten.serviceprovider.admin"
HTML = {"value": [{"languageCode": "nb", "value": "<p>Gammelt</p>"}], "mediaType": "text/html"}
EMBED = {
    "value": [{"languageCode": "nb", "value": "https://gammel.example.no/side"}],
    "mediaType": "application/vnd.dialogporten.frontchannelembed+json;type=html",
}
TITLE = {"value": [{"languageCode": "nb", "value": "Søknad"}], "mediaType": "text/plain"}
LONG = {"value": [{"languageCode": "nb", "value": "Lang tittel " * 30}], "mediaType": "text/plain"}
EARLIER = {
    "visibleFrom": (datetime.now(UTC) + timedelta(days=2)).isoformat(),
    "dueAt": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
}

FROZEN = (
    '{"type":"about:blank","title":"Forbidden.","status":403,'
    '"errors":{"Forbidden":["User cannot modify frozen dialog"]}}'
)
OLD = [
    pytest.param({"content": {"title": TITLE, "additionalInfo": HTML}}, [LEGACY], id="HTML"),
    pytest.param({"content": {"title": TITLE, "mainContentReference": EMBED}}, [LEGACY], id="older embed"),
    pytest.param({"content": {"title": LONG}}, [CORRESPONDENCE], id="title of 360 letters"),
    pytest.param(EARLIER, [ADMIN], id="due before it is seen"),
]
"""Dialogs that Altinn's own adapter makes, and their owner may not change."""


@pytest.fixture(scope="module")
def mappings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mappings")
    (folder / "m.yaml").write_text(MAPPING, "utf-8")
    return folder


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, mappings: Path) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(mappings), BRIDGE_RETRY_FIRST="0.02")
    yield made
    made.stop()


def seeded(stage: Stage, about: dict[str, Any], scopes: list[str]) -> Case:
    """A case whose dialog Altinn's own adapter made."""
    mine = stage.case()
    return stage.dialog_for(mine.message_id, mine.who, scopes=scopes, **about)


def only(stage: Stage, mine: Case) -> Any:
    (operation,) = stage.operations(mine)
    return operation


def test_what_is_refused_by_name_is_left_out(stage: Stage) -> None:
    """A date of ours before the agency's own: all else is told, in the same second."""
    mine = seeded(stage, {"dueAt": "2038-06-01T00:00:00Z"}, [])

    with capture_logs() as logs:
        answer = stage.press(mine)

    dialog, operation = stage.dialog(mine), only(stage, mine)
    assert answer.status_code == 204
    assert (dialog["status"], "expiresAt" in dialog, dialog["dueAt"][:4]) == ("Completed", False, "2038")
    assert "Hos kommunen." in {each["value"] for each in dialog["content"]["summary"]["value"]}
    assert [each["value"] for each in dialog["searchTags"]] == ["servering"]
    assert "submit" not in stage.buttons(mine)
    assert stage.activities(mine) == ["FormSubmitted"]
    assert (operation.left_out, operation.dead_at) == (("/dueAt", "/expiresAt"), None)
    (told,) = [each for each in logs if "left_out" in each]
    assert (told["log_level"], told["rung"]) == ("error", "named")


def test_what_is_refused_without_a_name_is_told_bare(stage: Stage) -> None:
    """Status, buttons and history are told; dates, texts and tags are not."""
    mine = stage.case()
    body = '{"title":"One or more validation errors occurred.","status":400,"errors":{"dto.noe":["Nei."]}}'
    stage.fault("dialogporten", "PATCH", str(mine.dialog_id), status=400, body=body)

    answer = stage.press(mine)

    dialog = stage.dialog(mine)
    assert answer.status_code == 204
    assert (dialog["status"], "expiresAt" in dialog, "summary" in dialog["content"]) == ("Completed", False, False)
    assert dialog.get("searchTags", []) == []
    assert "submit" not in stage.buttons(mine)
    assert stage.activities(mine) == ["FormSubmitted"]
    assert {"/expiresAt", "/content/summary", "/searchTags"} <= set(only(stage, mine).left_out)


@pytest.mark.parametrize(("about", "scopes"), OLD)
def test_a_dialog_that_its_owner_may_not_change_hears_what_was_done(
    stage: Stage, about: dict[str, Any], scopes: list[str]
) -> None:
    """Its history takes what a PATCH is refused for; an operator sees that its status and buttons are not so."""
    mine = seeded(stage, about, scopes)

    answer = stage.press(mine)

    operation = only(stage, mine)
    assert answer.status_code == 204
    assert stage.activities(mine) == ["FormSubmitted"]
    assert (operation.outcome, operation.dead_why) == (Outcome.DONE, "told_in_part")
    assert {"/status", "/actions"} <= set(operation.left_out)
    assert operation.actor is not None
    assert stage.element(mine)["state"] == "archived"


def test_a_retry_tells_what_was_left_out(stage: Stage) -> None:
    """Once the dialog is mended: status and buttons, and nothing in its history twice."""
    mine = seeded(stage, {"content": {"title": TITLE, "additionalInfo": HTML}}, [LEGACY])
    stage.press(mine)
    mended = [{"op": "remove", "path": "/content/additionalInfo"}]
    assert stage.as_owner("PATCH", f"/{mine.dialog_id}", mended).status_code == 204

    result = CliRunner().invoke(operations, ["retry", str(only(stage, mine).id)], env=stage.environ)
    until(lambda: only(stage, mine).finished_at is not None)

    operation = only(stage, mine)
    assert result.exit_code == 0
    assert (operation.dead_at, operation.left_out, operation.actor) == (None, (), None)
    assert stage.dialog(mine)["status"] == "Completed"
    assert "submit" not in stage.buttons(mine)
    assert stage.activities(mine) == ["FormSubmitted"]


def test_a_late_retry_does_not_bring_an_older_state_back(stage: Stage) -> None:
    """A draft whose dialog was told in part is no draft any more once the form was submitted."""
    mine = stage.case()
    stage.fault("dialogporten", "PATCH", str(mine.dialog_id), status=400, times=2, body="{}")
    assert stage.press(mine, "save").status_code == 204
    saved = only(stage, mine)
    assert stage.press(mine, "submit").status_code == 204
    before = stage.dialog(mine)

    CliRunner().invoke(operations, ["retry", str(saved.id)], env=stage.environ)
    until(lambda: all(each.finished_at is not None for each in stage.operations(mine)))

    after = stage.dialog(mine)
    same = ("status", "guiActions", "content", "revision")
    assert saved.dead_why == "told_in_part"
    assert {name: after.get(name) for name in same} == {name: before.get(name) for name in same}


def test_what_nothing_can_be_told_is_a_dead_letter_within_minutes(stage: Stage) -> None:
    """A correspondence is nobody else's to change: the press is done, an operator sees it, and the next one goes on."""
    mine, state = stage.case(), stage.world.dialogporten
    usual = state.resource(RESOURCE)
    stage.press(mine, "save")
    state.own(RESOURCE, replace(usual, owner=stage.world.owner.number, kind="correspondenceservice"))

    first = stage.press(mine, "save")
    operation = stage.operations(mine)[1]
    state.own(RESOURCE, usual)
    second = stage.press(mine, "submit")

    assert (first.status_code, second.status_code) == (204, 204)
    assert (operation.outcome, operation.dead_why, operation.tries) == (Outcome.DONE, "dialog_not_told", 2)
    patches = [each for each in stage.writes(mine) if each == "PATCH"]
    assert len(patches) <= 5
    assert stage.dialog(mine)["status"] == "Completed"


def test_a_write_that_breaks_the_server_is_told_in_less(stage: Stage) -> None:
    """Read it can be, and each PATCH is answered 500: that may be what we write, and is not tried for a day."""
    mine = stage.case()
    stage.fault("dialogporten", "PATCH", str(mine.dialog_id), status=500, times=5 * 5 + 2)

    answer = stage.press(mine)

    assert answer.status_code == 204
    assert stage.dialog(mine)["status"] == "Completed"
    assert stage.activities(mine) == ["FormSubmitted"]
    assert "/content/summary" in only(stage, mine).left_out


def test_a_frozen_dialog_is_told_when_it_thaws(stage: Stage) -> None:
    """Until then it is a dead letter, tried again each hour; then status, buttons and history are as ever."""
    mine = stage.case()
    stage.fault("dialogporten", "PATCH", str(mine.dialog_id), status=403, times=2, body=FROZEN)
    assert stage.press(mine).status_code == 204
    frozen = only(stage, mine)

    retry_frozen(stage.bridge)
    until(lambda: only(stage, mine).attempt > frozen.attempt and only(stage, mine).finished_at is not None)
    still = only(stage, mine).dead_why
    retry_frozen(stage.bridge)
    until(lambda: only(stage, mine).dead_at is None and only(stage, mine).finished_at is not None)

    assert (frozen.dead_why, still) == ("dialog_frozen", "dialog_frozen")
    assert stage.dialog(mine)["status"] == "Completed"
    assert "submit" not in stage.buttons(mine)
    assert stage.activities(mine) == ["FormSubmitted"]
