"""What is no XML is refused by the bridge, however little a mapping looks at forms."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import RESOURCE, Stage

MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  "off": {{requires: write, minimum_level: 3, target: altinn2, form: body, validate: "off", complete: true, sign: true}}
  warn: {{requires: write, minimum_level: 3, target: altinn2, form: body, validate: warn, complete: true, sign: true}}
"""
NO_FORMS = {
    "cut": "<melding><navn>",
    "two roots": "<melding/><melding/>",
    "text": "melding",
    "prefix without namespace": "<melding><a:navn/></melding>",
    "NUL": "<melding>\x00</melding>",
    "text behind": "<melding/>mer",
    "DOCTYPE": "<!DOCTYPE melding><melding/>",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("unreadable")
    (folder / "m").mkdir()
    (folder / "m" / "one.yaml").write_text(MAPPING, "utf-8")
    made = Stage(folder, BRIDGE_MAPPINGS=str(folder / "m"))
    yield made
    made.stop()


@pytest.mark.parametrize("action", ["off", "warn"])
@pytest.mark.parametrize("kind", ["application/xml", "application/hal+json"])
@pytest.mark.parametrize("name", NO_FORMS)
def test_what_is_no_xml_is_no_form(stage: Stage, name: str, kind: str, action: str) -> None:
    """422 with the place, and Altinn 2 hears nothing: a mapping that does not validate still files forms."""
    case, form = stage.case(), NO_FORMS[name]
    entry = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": form}
    body = json.dumps({"forms": [entry]}) if kind == "application/hal+json" else form

    answer = stage.press(case, action, data=body.encode(), content_type=kind)

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (422, "form_invalid")
    assert stage.effects(case, "altinn2.put") == []
    assert stage.element(case)["state"] == "formfilling"
