"""A mapping that says all that one can say of a dialog, and a stage that plays it."""

from pathlib import Path

from tests.scenarios.stage import RESOURCE, Stage

PUBLIC = "https://bridge.example.no"
MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  submit:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    complete: true
    sign: true
    button: {{title: {{nb: Send inn, nn: Send inn, en: Submit}}, priority: Primary, api: true}}
    then:
      code: received
      additional_info:
        nb: Ref {{archive_reference}}
        nn: Ref {{archive_reference}}
        en: Ref {{archive_reference}}
  send-to-signing:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    complete: true
    sign: false
    button: {{title: {{nb: Til signering, nn: Til signering, en: To signing}}, priority: Secondary}}
    then: {{silent: false}}
  sign:
    requires: sign
    minimum_level: 3
    target: altinn2
    form: none
    complete: true
    sign: true
    button: {{title: {{nb: Signer, nn: Signer, en: Sign}}, priority: Primary, prompt: {{nb: Nå?, nn: No?, en: Now?}}}}
  discard:
    requires: write
    minimum_level: 3
    target: altinn2
    form: none
    delete: true
    button: {{title: {{nb: Slett, nn: Slett, en: Delete}}, priority: Tertiary}}
  empty:
    requires: write
    minimum_level: 3
    target: altinn2
    form: none
    delete: true
    keep_dialog: true
    button: {{title: {{nb: Kast, nn: Kast, en: Discard}}, priority: Tertiary}}
  discard-old:
    requires: write
    minimum_level: 3
    target: altinn2
    form: none
    delete: true
    grace_period_days: 30
states:
  Utfylling:
    actions: [submit, send-to-signing]
    status: Draft
    summary: {{nb: Ikke sendt., nn: Ikkje send., en: Not submitted.}}
  Signering:
    actions: [sign]
    summary: {{nb: Til signering., nn: Til signering., en: To be signed.}}
dialog:
  summary: {{nb: Hos kommunen., nn: Hos kommunen., en: With the municipality.}}
  title: {{nb: Bevilling, nn: Løyve, en: Licence}}
  search_tags: [servering]
  receipt:
    title: {{nb: Søknad, nn: Søknad, en: Application}}
    url: "https://www.altinn.no/arkiv/{{archived_id}}"
"""


def saying(folder: Path, *, mapping: str = MAPPING, **environ: str) -> Stage:
    """A stage with that mapping, or another."""
    (folder / "mappings").mkdir()
    (folder / "bridge").mkdir()
    (folder / "mappings" / "says.yaml").write_text(mapping, "utf-8")
    about = {"BRIDGE_MAPPINGS": str(folder / "mappings"), "BRIDGE_PUBLIC_URL": PUBLIC}
    return Stage(folder / "bridge", **about, **environ)
