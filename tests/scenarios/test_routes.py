"""Every route below a dialog says who may call it, answers browsers, and stands in the papers."""

import re
from pathlib import Path

import pytest
from werkzeug.routing import Rule

from bridge.web.app import create_app
from tests.scenarios.stage import ORIGIN, Stage

DOCS = Path(__file__).parents[2] / "docs"
SOME = "0196f000-0000-7000-8000-000000000002"


@pytest.fixture
def rules(stage: Stage) -> list[Rule]:
    return [
        each
        for each in create_app(stage.bridge).url_map.iter_rules()
        if each.rule.startswith(("/actions", "/operations"))
    ]


def test_nobody_gets_below_a_dialog_without_a_token(stage: Stage, rules: list[Rule]) -> None:
    """401 as a problem document, on every route and with every method."""
    answers = {
        (rule.rule, method): stage.client.open(re.sub(r"<[^>]+>", SOME, rule.rule), method=method)
        for rule in rules
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
    }

    assert len(answers) >= 9
    told = {(each.status_code, each.mimetype) for each in answers.values()}
    assert told == {(401, "application/problem+json")}


def test_a_browser_is_answered_on_every_route(stage: Stage, rules: list[Rule]) -> None:
    """The preflight carries no token; the configured origin may come."""
    answers = [stage.client.options(re.sub(r"<[^>]+>", SOME, rule.rule), headers={"Origin": ORIGIN}) for rule in rules]

    assert {(each.status_code, each.headers.get("Access-Control-Allow-Origin")) for each in answers} == {(204, ORIGIN)}


def test_every_route_stands_in_the_papers(rules: list[Rule]) -> None:
    """As it is called, with its parts in braces."""
    names = {
        "uuid:dialog_id": "dialogId",
        "name": "action",
        "uuid:operation_id": "id",
        "uuid:upload_id": "id",
        "uuid:attachment_id": "id",
        "int:attachment_id": "id",
    }
    text = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    paths = {re.sub(r"<([^>]+)>", lambda found: f"{{{names[found[1]]}}}", rule.rule) for rule in rules}

    assert {path for path in paths if path not in text} == set()
