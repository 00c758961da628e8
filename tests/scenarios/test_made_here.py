"""What the mapping's values or an app put into a form wrongly is an operator's to mend, and never its sender's."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.scenarios.calculating import alone, sent
from tests.scenarios.stage import RESOURCE, Case, Stage

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
 <x:element name="dato" minOccurs="0"><x:simpleType><x:restriction base="x:date">
  <x:maxInclusive value="2026-01-02"/></x:restriction></x:simpleType></x:element>
 <x:element name="navn" type="x:string" minOccurs="0"/>
 <x:element name="antall" type="x:int" minOccurs="0"/>
 <x:element name="kode" type="x:QName" minOccurs="0"/>
 <x:element name="frist" type="x:date" minOccurs="0" maxOccurs="9"/>
 </x:sequence><x:attribute name="dataFormatId" type="x:string" fixed="9001"/></x:complexType></x:element></x:schema>"""
MAPPING = f"""
service_resource: {RESOURCE}
altinn3: {{app: ttd/sandkasse-regnestykke, data_type: regnestykke, speaks: json}}
forms:
  - type: MainForm
    data_format_id: "9001"
    data_format_version: "1"
    schema: m.xsd
    rules:
      - at: /m/antall
        severity: error
        test: . < 100
        text: {{nb: For mange, nn: For mange, en: Too many}}
actions:
  show: {{requires: write, minimum_level: 3, target: altinn3, form: body, lost_fields: warn}}
  fill:
    requires: write
    minimum_level: 3
    target: altinn3
    form: body
    lost_fields: warn
    set: {{/m/dato: "{{now:date}}"}}
"""
VALUE, APP = "the form does not take what the mapping puts into it", "the form does not take what an app calculated"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("made")
    for name, file, text in (("m", "one.yaml", MAPPING), ("s", "m.xsd", SCHEMA)):
        (folder / name).mkdir()
        (folder / name / file).write_text(text, "utf-8")
    made = Stage(folder, BRIDGE_MAPPINGS=str(folder / "m"), BRIDGE_SCHEMAS=str(folder / "s"))
    yield made
    made.stop()


def pressed(
    stage: Stage, action: str, form: str, answer: str, *, times: int = 1
) -> tuple[Case, TestResponse, Sequence[Mapping[str, Any]]]:
    """The dialog, what the press is told, and what the log says, where the app answers so."""
    mine = alone(stage)
    body, headers = answer, {"Content-Type": "application/json"}
    stage.fault("apps", "POST", "sandkasse-regnestykke/v1/data", status=200, body=body, headers=headers, times=times)
    with capture_logs() as lines:
        return mine, sent(stage, mine, action, form), lines


def told(answer: TestResponse) -> tuple[int, str, list[str]]:
    """Status, code and paths of the findings."""
    problem = answer.get_json()
    return (
        answer.status_code,
        problem["type"].rpartition(":")[2],
        [each["path"] for each in problem.get("findings", [])],
    )


@pytest.mark.parametrize(
    ("action", "form", "answer", "expected", "event"),
    [
        (
            "fill",
            "<m><dato/></m>",
            '{"dato": "2026-10-01"}',
            (422, "form_value_refused", ["/m/dato"]),
            VALUE,
        ),
        (
            "show",
            '<m dataFormatId="9001"/>',
            '{"dataFormatId": "77"}',
            (502, "calculation_invalid", ["/m/@dataFormatId"]),
            APP,
        ),
        (
            "show",
            "<m><antall>5</antall></m>",
            '{"antall": 5, "dato": "i dag"}',
            (502, "calculation_invalid", ["/m/dato"]),
            APP,
        ),
    ],
    ids=["set", "app changed", "app added"],
)
def test_what_was_put_there_is_told_to_the_operator(
    stage: Stage, action: str, form: str, answer: str, expected: Any, event: str
) -> None:
    """By its path and without its value; who pressed is sent to the sender, and not asked to correct anything."""
    mine, got, lines = pressed(stage, action, form, answer)

    assert told(got) == expected
    (line,) = (each for each in lines if each["event"] in (VALUE, APP))
    assert (line["event"], line["log_level"]) == (event, "warning")
    assert [each.split()[0] for each in line["faults"]] == expected[2]
    assert "2026-10-01" not in str(line)
    shown = str(stage.dialog(mine))
    assert "Kontakt avsenderen" in shown
    assert "prøv igjen" not in shown


@pytest.mark.parametrize(
    ("form", "answer", "paths"),
    [
        ("<m><antall>x</antall></m>", '{"antall": "x", "dato": "i dag"}', ["/m/antall", "/m/antall"]),
        # What an app counts by what was sent may break a rule, whose words are for the sender.
        ("<m><antall>5</antall></m>", '{"antall": 500}', ["/m/antall"]),
        # A row that an app adds gives those that were sent another number.
        ("<m><frist>x</frist></m>", '{"frist": ["2026-01-01", "x"]}', ["/m/frist[2]"]),
    ],
)
def test_what_was_sent_is_its_senders_to_mend(stage: Stage, form: str, answer: str, paths: list[str]) -> None:
    """Also where something else was put there wrongly, which is told once that is mended."""
    _, got, _ = pressed(stage, "show", form, answer)

    assert told(got) == (422, "form_invalid", paths)


def test_prefixes_stand_for_what_they_stood_for_in_what_the_app_was_sent(stage: Stage) -> None:
    """An app passes over their declarations; a prefix that was never declared is not its sender's fault."""
    form = "<m><kode xmlns:k='urn:k'>k:a</kode></m>"

    _, known, _ = pressed(stage, "show", form, '{"kode": "k:a"}')
    _, unknown, lines = pressed(stage, "show", form, '{"kode": "l:a"}')

    assert known.status_code == 204
    assert told(unknown)[:2] == (502, "app_answer_unreadable")
    (line,) = (each for each in lines if each["event"] == "an app's answer is no form of its schema")
    assert line["faults"] == ["/kode namespace_unclear"]
