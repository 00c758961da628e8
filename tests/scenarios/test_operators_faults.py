"""What only an operator can mend is told to the operator, with its place, and not to a citizen as something to mend."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.scenarios.stage import RESOURCE, VALID, Stage

MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  fill:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    set: {{/melding/drift/sluttdato: "{{now:date}}"}}
    complete: true
    sign: true
"""
PART = "<sluttdato>"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("operators")
    (folder / "m").mkdir()
    (folder / "m" / "one.yaml").write_text(MAPPING, "utf-8")
    made = Stage(folder, BRIDGE_MAPPINGS=str(folder / "m"))
    yield made
    made.stop()


def test_a_value_without_a_place_is_told_with_its_path(stage: Stage) -> None:
    """The form lacks a part that it may lack: who pressed cannot put it there, and is sent to the sender."""
    case = stage.case()
    assert PART not in VALID

    with capture_logs() as lines:
        answer = stage.press(case, "fill")

    told = [each for each in lines if each["event"] == "a value of the mapping has no place in the form"]
    assert [(each["log_level"], each["path"], each["action"]) for each in told] == [
        ("warning", "/melding/drift/sluttdato", "fill")
    ]
    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (422, "form_value_missing")
    shown = str(stage.dialog(case))
    assert "Kontakt avsenderen" in shown
    assert "prøv igjen" not in shown
    assert stage.effects(case, "altinn2.put") == []
