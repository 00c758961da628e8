"""Forms in JSON are held to their JSON Schema and their XSD before anything is sent."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.forms.test_json_in_mappings import FORM, JSON_SCHEMA, XSD, changed
from tests.scenarios.stage import RESOURCE, Stage

MAPPING = f"""\
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - type: MainForm
    data_format_id: "5801"
    data_format_version: "42001"
    schema: serveringsbevilling.xsd
    json_schema: skjema.json
actions:
  submit: {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true}}
  save:
    {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: false, sign: false, validate: warn}}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    mappings, schemas = tmp_path_factory.mktemp("mappings"), tmp_path_factory.mktemp("schemas")
    (mappings / "a.yaml").write_text(MAPPING, "utf-8")
    shutil.copy(XSD, schemas)
    (schemas / "skjema.json").write_text(json.dumps(JSON_SCHEMA), "utf-8")
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(mappings), BRIDGE_SCHEMAS=str(schemas))
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("form", "action", "status", "path"),
    [
        pytest.param(FORM, "submit", 204, None, id="valid"),
        pytest.param(changed(navn="N" * 31), "submit", 422, "/virksomhet/navn", id="JSON Schema alone"),
        pytest.param(changed(navn="N" * 31), "save", 204, None, id="only warned of"),
        pytest.param(
            changed(organisasjonsnummer="1"), "submit", 422, "/virksomhet/organisasjonsnummer", id="XSD alone"
        ),
    ],
)
def test_a_form_in_json_is_held_to_both(stage: Stage, form: Any, action: str, status: int, path: str | None) -> None:
    """A refusal names the place, and nothing was sent."""
    case = stage.case()

    answer = stage.press(case, action, data=json.dumps(form), content_type="application/json")

    assert answer.status_code == status
    assert [each["path"] for each in (answer.get_json(silent=True) or {}).get("findings", [])] == [path] * bool(path)
    assert len(stage.effects(case, "altinn2.put")) == (1 if status == 204 else 0)
