"""Who sends a form as JSON where it cannot be taken is told why, and the operator what to write where."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.scenarios.stage import RESOURCE, Stage

MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001" SCHEMA}}
actions:
  submit:
    {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true, validate: off}}
"""
TWO = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="a" type="x:string"/>
<x:element name="c" type="x:string"/></x:schema>"""
CASES = {
    "two roots": (", schema: two.xsd", "json_root_unsaid", ["the mapping names no root"]),
    "no schema": ("", "json_not_taken", []),
}


@pytest.fixture(scope="module", params=CASES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def stage(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("json")
    (folder / "m").mkdir()
    (folder / "m" / "a.yaml").write_text(MAPPING.replace(" SCHEMA", CASES[kind][0]), "utf-8")
    (folder / "two.xsd").write_text(TWO, "utf-8")
    made = Stage(folder, BRIDGE_MAPPINGS=str(folder / "m"), BRIDGE_SCHEMAS=str(folder))
    yield made
    made.stop()


def test_the_refusal_says_what_stands_in_the_way(stage: Stage, kind: str) -> None:
    """Nobody who sent JSON is told to send JSON."""
    _, code, reasons = CASES[kind]
    case = stage.case()

    with capture_logs() as lines:
        answer = stage.press(case, "submit", data='{"a": "1"}', content_type="application/json")

    told = [each for each in lines if each["event"].startswith("forms in JSON cannot be taken")]
    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (415, code)
    assert "Send skjemaet som XML, JSON" not in answer.get_json()["detail"]
    assert [each["event"].partition(": ")[2] for each in told] == reasons
    assert all(each["log_level"] == "warning" and each["mapping"].endswith("a.yaml: forms[0]") for each in told)


def test_the_page_promises_no_json(stage: Stage) -> None:
    """Of what an action takes it tells what is taken."""
    page = stage.client.get("/docs").text

    assert "the form as application/xml, text/xml; or a Message as application/hal+json" in page
