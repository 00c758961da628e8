"""A bridge whose actions let the sandbox's apps calculate, and forms for them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.sandbox.apps.examples import example_app, hours_app
from bridge.sandbox.apps.schemas import xsd
from bridge.sandbox.apps.state import App
from tests.scenarios.stage import RESOURCE, Case, Stage

OLD = "urn:altinn:resource:regnestykke-2021"
HOURS = "urn:altinn:resource:timeliste"
IN_JSON = "urn:altinn:resource:regnestykke-json"
EDITIONS = {OLD: 2, IN_JSON: 3}
"""Of the one service, since each has a mapping of its own."""
XML = {"Content-Type": "application/xml"}
LINE = "<linje><tekst>Strikket genser</tekst><antall>2</antall><pris>104.50</pris></linje>"
PRESET = 'dataFormatProvider="SANDBOX" dataFormatId="9001" dataFormatVersion="1"'
SUM = f"<Regnestykke {PRESET}>{LINE}</Regnestykke>"
WITH_MORE = SUM.replace("</linje>", "</linje><ukjent>hemmelig</ukjent>")
VALUES = ("Strikket", "genser", "104.50", "209.00", "52.25", "hemmelig", "Beregnet")

MAPPING = """
service_resource: RESOURCE
altinn2: {service_code: "5701", service_edition: 1}
altinn3: {app: APP, data_type: regnestykke}
forms:
  - {type: MainForm, data_format_id: "9001", data_format_version: "1", schema: regnestykke.xsd}
actions:
  show:
    requires: write
    minimum_level: 3
    target: altinn3
    form: body
    results: {sum: /Regnestykke/sum, tax: /Regnestykke/avgift, note: /Regnestykke/merknad, none: "//*[.='x']"}
    then: {summary: {nb: "Sum {result.sum}", nn: "Sum {result.sum}", en: "Sum {result.sum}"}}
  show-rate:
    requires: write
    minimum_level: 3
    target: altinn3
    form: body
    results: {rate: /Regnestykke/sats, note: /Regnestykke/linje/tekst}
    then:
      links:
        rate: {title: {nb: "Sats {result.rate}", nn: "Sats {result.rate}", en: "Rate {result.rate}"}, url: "https://www.example.no/satser/{result.rate}"}
        text: {title: {nb: Vare, nn: Vare, en: Goods}, url: "https://www.example.no/varer?navn={result.note}"}
  show-held: {requires: write, minimum_level: 3, target: altinn3, form: message, results: {sum: /Regnestykke/sum}}
  show-anyway: {requires: write, minimum_level: 3, target: altinn3, form: body, lost_fields: warn}
  submit:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    calculate: true
    results: {sum: /Regnestykke/sum}
    complete: true
    sign: true
    then: {summary: {nb: "Sum {result.sum}", nn: "Sum {result.sum}", en: "Sum {result.sum}"}}
  save:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    calculate: true
    complete: false
    sign: false
  keep:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    complete: false
    sign: false
  ask:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    calculate: true
    altinn_validate: true
    complete: true
    sign: true
"""
HOURS_MAPPING = """
service_resource: RESOURCE
altinn3: {app: ttd/sandkasse-timeliste, data_type: timeliste}
forms:
  - {type: MainForm, data_format_id: "7100", data_format_version: "1", schema: timeliste.xsd, namespace: lenient}
actions:
  show:
    requires: write
    minimum_level: 3
    target: altinn3
    form: body
    results: {hours: "/*[local-name()='Timeliste']/*[local-name()='sumTimer']"}
"""


def configuration(folder: Path) -> dict[str, str]:
    """Put the four mappings and their schemas into *folder*, and give the settings that name them."""
    mappings, schemas = folder / "mappings", folder / "schemas"
    for each in (mappings, schemas):
        each.mkdir()
    for app in (example_app(), hours_app()):
        (schemas / f"{app.data_types[0].id}.xsd").write_text(xsd(app.data_types[0]), "utf-8")
    for name, resource, made in (
        ("new", RESOURCE, MAPPING.replace("APP", "ttd/sandkasse-regnestykke")),
        ("old", OLD, MAPPING.replace("APP", "ttd/sandkasse-regnestykke-2021")),
        ("hours", HOURS, HOURS_MAPPING),
        (
            "json",
            IN_JSON,
            MAPPING.replace("APP", "ttd/sandkasse-json").replace("data_type: r", "speaks: json, data_type: r"),
        ),
    ):
        text = made.replace("RESOURCE", resource).replace("edition: 1", f"edition: {EDITIONS.get(resource, 1)}")
        (mappings / f"{name}.yaml").write_text(text, "utf-8")
    return {"BRIDGE_MAPPINGS": str(mappings), "BRIDGE_SCHEMAS": str(schemas)}


def calculating(folder: Path, **environ: str) -> Stage:
    """A bridge with the four mappings, *folder* taking its files."""
    (folder / "bridge").mkdir()
    made = Stage(
        folder / "bridge",
        **{
            **configuration(folder),
            "BRIDGE_ALTINN2_SETTLE": "0.05",
            "BRIDGE_RETRY_FIRST": "0.05",
            **environ,
        },
    )
    made.world.apps.register(replace(example_app(), name="sandkasse-json", speaks="json"))
    for resource in (OLD, HOURS, IN_JSON):
        made.control("POST", "/dialogporten/resources", {"service_resource": resource})
    return made


def held(stage: Stage, xml: str = SUM, resource: str = RESOURCE) -> Case:
    """An element that holds a form, and its dialog."""
    who = stage.world.new_organisation().number
    form = {"data_format_id": "9001", "data_format_version": "1", "xml": xml}
    seed = {"who": who, "service": {"code": "5701", "edition": EDITIONS.get(resource, 1)}, "forms": [form]}
    return stage.dialog_for(
        stage.control("POST", "/altinn2/elements", seed)["message_id"], who, serviceResource=resource
    )


def alone(stage: Stage, resource: str = RESOURCE, **about: Any) -> Case:
    """A dialog that stands for no element."""
    who = stage.world.new_organisation().number
    return stage.dialog_for("none", who, serviceResource=resource, serviceOwnerContext={}, **about)


def changed_app(stage: Stage, **how: Any) -> App:
    """Put the sum app in another shape; every test puts it back."""
    app = replace(example_app(), **how)
    stage.world.apps.register(app)
    return app


def sent(stage: Stage, case: Case, action: str = "show", xml: str = SUM, **headers: str) -> Any:
    """Press with a form."""
    return stage.press(case, action, data=xml.encode(), headers={**XML, **headers})


def app_calls(stage: Stage) -> list[tuple[str, Mapping[str, str]]]:
    """Methods and queries of what the apps were asked, without their metadata."""
    return [(each.method, each.query) for each in stage.world.calls.all("apps") if each.path.endswith("/v1/data")]
