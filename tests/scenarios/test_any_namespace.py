"""A form whose namespace is no URI to libxml2 goes through every door of a press: to Altinn 2 and apps it is a name."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bridge.sandbox.apps.examples import hours_app
from bridge.sandbox.apps.schemas import xsd
from bridge.sandbox.apps.state import DataType
from tests.scenarios.stage import Case, Stage

NAMESPACES = {"letter": "urn:timeliste:å", "relative": "timeliste", "blank": "urn:time liste"}
MAPPING = """
service_resource: RESOURCE
altinn2: {service_code: "5701", service_edition: EDITION}
altinn3: {app: APP, data_type: timeliste, speaks: SPEAKS}
forms:
  - type: MainForm
    data_format_id: "7100"
    data_format_version: "1"
    schema: NAME.xsd
    namespace: LENIENT
    rules:
      - at: "/*/*[local-name()='Ansatt-grp-7101']"
        test: "*[local-name()='stilling'] = 'Kokk'"
        severity: error
        text: {nb: Bare kokker., nn: Berre kokkar., en: Cooks only.}
actions:
  submit:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    calculate: true
    set: {"//*[local-name()='organisasjonsnummer']": "{party}"}
    results: {hours: "/*/*[local-name()='sumTimer']"}
    complete: true
    sign: true
    then: {summary: {nb: "Timer: {result.hours}", nn: "Timar: {result.hours}", en: "Hours: {result.hours}"}}
"""
FORM = (
    '<Timeliste xmlns="NAMESPACE" skjemanummer="7100"><Innsender><organisasjonsnummer/></Innsender><Ansatt-grp-7101>'
    "<ansattnummer>1</ansattnummer><stilling>Kokk</stilling><Dag-grp-7102><dato>2026-01-05</dato>"
    '<Timer-datadef-7103 orid="7103">7.5</Timer-datadef-7103></Dag-grp-7102></Ansatt-grp-7101></Timeliste>'
)
KINDS = [(name, speaks) for name in NAMESPACES for speaks in ("xml", "json")]


def resource(name: str, speaks: str) -> str:
    return f"urn:altinn:resource:timeliste-{name}-{speaks}"


def form_type(namespace: str) -> DataType:
    return replace(hours_app().data_types[0], namespace=namespace)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("namespaces")
    mappings, schemas = folder / "mappings", folder / "schemas"
    mappings.mkdir()
    schemas.mkdir()
    for name, speaks in KINDS:
        (schemas / f"{name}.xsd").write_text(xsd(form_type(NAMESPACES[name])), "utf-8")
        filled = {
            "RESOURCE": resource(name, speaks),
            "APP": f"ttd/{name}-{speaks}",
            "SPEAKS": speaks,
            "EDITION": str(KINDS.index((name, speaks)) + 1),
            "NAME": name,
            "LENIENT": "lenient" if speaks == "xml" else "strict",
        }
        text = MAPPING
        for word, value in filled.items():
            text = text.replace(word, value)
        (mappings / f"{name}-{speaks}.yaml").write_text(text, "utf-8")
    made = Stage(folder, BRIDGE_MAPPINGS=str(mappings), BRIDGE_SCHEMAS=str(schemas), BRIDGE_ALTINN2_SETTLE="0.05")
    for name, speaks in KINDS:
        made.control("POST", "/dialogporten/resources", {"service_resource": resource(name, speaks)})
        made.world.apps.register(
            replace(hours_app(), name=f"{name}-{speaks}", speaks=speaks, data_types=(form_type(NAMESPACES[name]),))
        )
    yield made
    made.stop()


def held(stage: Stage, name: str, speaks: str) -> Case:
    """An element whose service has the schema, too."""
    who = stage.world.new_organisation().number
    xml = FORM.replace("NAMESPACE", NAMESPACES[name])
    kind = {"data_format_id": "7100", "data_format_version": "1"}
    edition = KINDS.index((name, speaks)) + 1
    service = {"code": "5701", "edition": edition, "forms": [{**kind, "schema": xsd(form_type(NAMESPACES[name]))}]}
    seed = {"who": who, "service": service, "forms": [{**kind, "xml": xml}]}
    return stage.dialog_for(
        stage.control("POST", "/altinn2/elements", seed)["message_id"], who, serviceResource=resource(name, speaks)
    )


@pytest.mark.parametrize(("name", "speaks"), KINDS)
def test_a_form_in_any_namespace_is_set_calculated_checked_and_sent(stage: Stage, name: str, speaks: str) -> None:
    """And compared with what Altinn 2 shows afterwards: nothing is lost, and nothing is taken for lost."""
    mine = held(stage, name, speaks)
    # Where the mapping is lenient, the form comes without its namespace.
    form = FORM.replace(' xmlns="NAMESPACE"', "") if speaks == "xml" else FORM.replace("NAMESPACE", NAMESPACES[name])

    answer = stage.press(mine, "submit", data=form.encode(), headers={"Content-Type": "application/xml"})

    assert answer.status_code == 204, answer.get_json()
    kept = stage.element(mine)["forms"][0]["xml"]
    assert f'"{NAMESPACES[name]}"' in kept
    assert f"<organisasjonsnummer>{mine.who}</organisasjonsnummer>" in kept
    assert "Timer: 7.5" in str(stage.dialog(mine)["content"]["summary"])
    assert stage.operations(mine)[0].differences == {}


@pytest.mark.parametrize(("name", "speaks"), KINDS)
def test_a_rule_holds_in_any_namespace(stage: Stage, name: str, speaks: str) -> None:
    """It is no way around it."""
    mine = held(stage, name, speaks)
    form = FORM.replace("NAMESPACE", NAMESPACES[name]).replace("Kokk", "Sjef")

    answer = stage.press(mine, "submit", data=form.encode(), headers={"Content-Type": "application/xml"})

    assert (answer.status_code, [each["rule"] for each in answer.get_json()["findings"]]) == (422, ["business_rule"])
