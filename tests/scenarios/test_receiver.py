"""A valid form that Altinn 2's .NET would refuse: stopped before it is sent, unless the mapping says otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Stage

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="melding"><xs:complexType>
<xs:sequence><xs:element name="stenger" type="xs:time"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
FORM = "<melding>\n<stenger>%s</stenger></melding>"
MAPPING = """
service_resource: urn:altinn:resource:serveringsbevilling
altinn2: {{service_code: "5701", service_edition: 1}}
forms: [{{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: skjema.xsd}}]
{0}
actions:
  submit:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    validate: strict
    complete: true
    sign: true
"""


@pytest.fixture(scope="module", params=["", "receiver: other"], ids=["Altinn 2", "other"])
def receiver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def stage(receiver: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    mappings, schemas = tmp_path_factory.mktemp("mappings"), tmp_path_factory.mktemp("schemas")
    (mappings / "all.yaml").write_text(MAPPING.format(receiver), "utf-8")
    (schemas / "skjema.xsd").write_text(SCHEMA, "utf-8")
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(mappings), BRIDGE_SCHEMAS=str(Path(schemas)))
    yield made
    made.stop()


def test_a_doubtful_value_stops_the_press_where_dotnet_gets_it(stage: Stage, receiver: str) -> None:
    """With its place and a sentence; elsewhere it is a warning, and the form goes on."""
    case = stage.case(FORM % "12:00:00")

    answer = stage.press(case, data=FORM % "24:00:00", content_type="application/xml")

    if receiver:
        assert answer.status_code == 204, answer.get_json()
        assert "24:00:00" in stage.element(case)["forms"][0]["xml"]
        return
    (finding,) = answer.get_json()["findings"]
    assert answer.status_code == 422
    assert (finding["path"], finding["line"], finding["rule"]) == ("/melding/stenger", 2, "receiver_may_refuse")
    assert finding["message"].startswith("Mottakeren kan avvise stenger: ")
    assert "12:00:00" in stage.element(case)["forms"][0]["xml"]
