"""Forms whose namespace libxml2 takes for no URI: what the check takes, everything after it reads (promise P7)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Case, Stage

NAMESPACES = {"å": "http://skjema.example/bevilling-på-prøve", "relative": "melding"}
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{0}" xmlns="{0}"
 elementFormDefault="qualified"><xs:element name="melding"><xs:complexType><xs:sequence>
<xs:element name="navn" type="xs:string"/><xs:element name="sted" type="xs:string"/>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
FORM = '<melding xmlns="{}"><navn>Kafé Påfunn</navn><sted>Prøvestad</sted></melding>'
MAPPING = """
service_resource: urn:altinn:resource:serveringsbevilling
altinn2: {service_code: "5701", service_edition: 1}
forms: [{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: skjema.xsd}]
actions:
  submit:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    set: {"//*[local-name()='sted']": "Annetsted"}
    validate: strict
    complete: true
    sign: true
"""


@pytest.fixture(scope="module", params=NAMESPACES.values(), ids=NAMESPACES)
def namespace(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, namespace: str) -> Iterator[Stage]:
    mappings, schemas = tmp_path_factory.mktemp("mappings"), tmp_path_factory.mktemp("schemas")
    (mappings / "all.yaml").write_text(MAPPING, "utf-8")
    (schemas / "skjema.xsd").write_text(SCHEMA.format(namespace), "utf-8")
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(mappings), BRIDGE_SCHEMAS=str(Path(schemas)))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def usual_again(stage: Stage) -> Iterator[None]:
    yield
    stage.world.change_switches(put_forms="kept")


@pytest.fixture
def case(stage: Stage, namespace: str) -> Case:
    return stage.case(FORM.format(namespace))


def test_the_form_is_checked_changed_sent_and_compared(stage: Stage, case: Case) -> None:
    """The whole way, as for any other form."""
    answer = stage.press(case)

    assert answer.status_code == 204, answer.get_json()
    assert "Annetsted" in stage.element(case)["forms"][0]["xml"]
    assert [each.differences for each in stage.operations(case)] == [{}]


def test_a_lost_value_is_told_by_its_path(stage: Stage, case: Case) -> None:
    """It is never taken for done."""
    stage.world.change_switches(put_forms="last_value_dropped")

    answer = stage.press(case)

    problem = answer.get_json()
    assert (answer.status_code, problem["type"].rpartition(":")[2]) == (502, "content_lost")
    assert [each["path"] for each in problem["findings"]] == ["/melding/sted"]


def test_a_changed_value_is_told_by_its_path(stage: Stage, case: Case) -> None:
    """Altinn 2 may calculate: done, and the difference stands in the operation."""
    stage.world.change_switches(put_forms="last_value_overwritten")

    answer = stage.press(case)

    assert answer.status_code == 204
    assert [each.differences for each in stage.operations(case)] == [{"count": 1, "changed": ["/melding/sted"]}]
