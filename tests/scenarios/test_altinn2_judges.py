"""What Altinn 2's schema judge says of a form with dates, whatever its namespace, and how a sender is told."""

from collections.abc import Iterator

import pytest

from tests.scenarios.stage import Case, Stage

RESOURCE = "urn:altinn:resource:sum"
NAMESPACE = "http://x.example/æ"
SCHEMA = f"""<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}"
 elementFormDefault="qualified"><x:element name="Sum"><x:complexType><x:sequence>
 <x:element name="d" type="x:date"/></x:sequence></x:complexType></x:element></x:schema>"""
KIND = {"data_format_id": "7200", "data_format_version": "1"}
MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 9}}
forms:
  - {{type: MainForm, data_format_id: "7200", data_format_version: "1", schema: sum.xsd}}
actions:
  submit: {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true}}
  unchecked:
    {{requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true, validate: off}}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("judged")
    (folder / "m").mkdir()
    (folder / "m" / "sum.yaml").write_text(MAPPING, "utf-8")
    (folder / "sum.xsd").write_text(SCHEMA, "utf-8")
    made = Stage(folder, BRIDGE_MAPPINGS=str(folder / "m"), BRIDGE_SCHEMAS=str(folder), BRIDGE_ALTINN2_SETTLE="0.05")
    made.control("POST", "/dialogporten/resources", {"service_resource": RESOURCE})
    yield made
    made.stop()


def form(date: str) -> str:
    return f'<Sum xmlns="{NAMESPACE}"><d>{date}</d></Sum>'


def held(stage: Stage) -> Case:
    who = stage.world.new_organisation().number
    service = {"code": "5701", "edition": 9, "forms": [{**KIND, "schema": SCHEMA}]}
    seed = {"who": who, "service": service, "forms": [{**KIND, "xml": form("2026-01-01")}]}
    return stage.dialog_for(
        stage.control("POST", "/altinn2/elements", seed)["message_id"], who, serviceResource=RESOURCE
    )


@pytest.mark.parametrize(
    ("action", "date", "status", "places"),
    [
        pytest.param("submit", " 2026-01-01 ", 204, [], id="blanks"),
        pytest.param("submit", "2026-01-01\n", 204, [], id="a line end"),
        pytest.param("unchecked", "i morgen", 422, ["/Sum/d"], id="no date"),
    ],
)
def test_a_date_is_judged_alike_by_both(stage: Stage, action: str, date: str, status: int, places: list[str]) -> None:
    """Blanks around it are no fault; what is one is told by the names of the form."""
    answer = stage.press(held(stage), action, data=form(date).encode(), content_type="application/xml")

    told = answer.get_json(silent=True) or {}
    assert answer.status_code == status, told
    assert [each["path"] for each in told.get("findings", [])] == places
