"""A mapping with every kind of action that Altinn 2's elements know."""

from pathlib import Path

RESOURCE = "urn:altinn:resource:serveringsbevilling"
TEXT = """
service_resource: urn:altinn:resource:serveringsbevilling
altinn2: {service_code: "5701", service_edition: 1, bare_completion: BARE}
forms:
  - {type: MainForm, data_format_id: "5801", data_format_version: "42001"}
  - {type: SubForm, data_format_id: "5802", data_format_version: "42002"}
actions:
  save:
    {requires: write, minimum_level: 3, target: altinn2, form: message, validate: "off", complete: false, sign: false}
  save-too:
    {requires: write, minimum_level: 3, target: altinn2, form: message, validate: "off", complete: false, sign: true}
  submit:
    {requires: write, minimum_level: 3, target: altinn2, form: message, validate: "off", complete: true, sign: true}
  to-signing:
    {requires: write, minimum_level: 3, target: altinn2, form: message, validate: "off", complete: true, sign: false}
  send:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    validate: "off"
    attachments: {types: [Plan], from: [body, upload]}
    complete: false
    sign: false
  ask:
    requires: write
    minimum_level: 3
    target: altinn2
    form: message
    validate: "off"
    altinn_validate: true
    complete: true
    sign: true
  ask-with:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    validate: "off"
    altinn_validate: true
    attachments: {types: [Plan], from: [body]}
    complete: true
    sign: true
  parts:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    validate: "off"
    subforms: [prefill, remove]
    complete: false
    sign: false
  sign: {requires: sign, minimum_level: 3, target: altinn2, form: none, complete: true, sign: true}
  sign-required:
    {requires: sign, minimum_level: 3, target: altinn2, form: none, complete: true, sign: true, signature: required}
  discard: {requires: write, minimum_level: 3, target: altinn2, form: none, delete: true}
  confirm: {requires: write, minimum_level: 3, target: altinn2, form: none, confirm: true}
  put-away: {requires: write, minimum_level: 3, target: altinn2, form: none, archive: true}
"""


def write_mapping(folder: Path, *, bare_completion: bool = False) -> Path:
    """Put it into *folder*."""
    (folder / "all.yaml").write_text(TEXT.replace("BARE", str(bare_completion).lower()), "utf-8")
    return folder
