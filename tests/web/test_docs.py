"""``/docs`` tells what this very bridge has: its services, their actions, and the apps that calculate."""

import pytest

from tests.scenarios.stage import Stage

_TWO = """\
service_resource: urn:altinn:resource:proeve
altinn2: {service_code: "5701", service_edition: 1}
altinn3: {app: ttd/regner, data_type: skjema}
attachment_rules:
  - {type: Plan, file_types: "pdf", min_count: 0, max_count: 1, max_size_mb: 30}
forms:
  - {type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}
actions:
  lagre: {requires: write, minimum_level: 3, target: altinn2, form: body, validate: warn, complete: false, sign: false,
          attachments: {types: [Plan], from: [upload, body]}}
  til-signering: {requires: "write,urn:altinn:task:task_1", minimum_level: 2, target: altinn2, form: message,
                  complete: true, sign: false}
  signer: {requires: {token_ref: signatur}, minimum_level: 4, target: altinn2, form: none, complete: true, sign: true}
  slett: {requires: delete, minimum_level: 3, target: altinn2, form: none, delete: true}
  regn-ut: {requires: write, minimum_level: 3, target: altinn3, form: body}
  regn-og-send: {requires: write, minimum_level: 3, target: altinn2, form: message, calculate: true, complete: true,
                 sign: true}
states:
  Signering: {actions: [signer]}
"""
_ROUTES = """\
app: ttd/regner
token: dialog
dialog: {service_resource: "urn:altinn:resource:proeve", requires: read, minimum_level: 3}
data_types: {skjema: {schema: serveringsbevilling.xsd, validate: warn}}
"""


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("configured")
    for name, text in (("mappings", _TWO), ("routes", _ROUTES)):
        (folder / name).mkdir()
        (folder / name / "a.yaml").write_text(text, "utf-8")
    made = Stage(folder, BRIDGE_MAPPINGS=str(folder / "mappings"), BRIDGE_ROUTES=str(folder / "routes"))
    try:
        return made.client.get("/docs").text
    finally:
        made.stop()


@pytest.mark.parametrize(
    "said",
    [
        'id="service-proeve-lagre"',
        "<code>write</code> (in its <code>a</code>)",
        "<code>write,urn:altinn:task:task_1</code> (in its <code>a</code>)",
        "<code>signatur</code> (in its <code>e</code>)",
        "of level 4 or higher",
        "the form as application/xml, text/xml, application/json; or a Message as application/hal+json",
        "none: what Altinn 2 holds is used",
        "none: no form is sent",
        "Plan, by …/attachments or in the message",
        "Saves the form and leaves it a draft.",
        "Completes the form and sends it to signing.",
        "Signs what waits for a signature, and archives it.",
        "Deletes the element and its dialog.",
        "Has the app ttd/regner calculate the form.",
        "Completes, signs and archives the form. Before that the app ttd/regner calculates it.",
        "faults of the form are noted and stop nothing",
        "$BRIDGE/actions/$DIALOG/lagre",
        '<td data-head="state">Signering</td><td data-head="actions">signer</td>',
        'id="app-ttd/regner"',
        "a dialog token; the app sees the bridge&#39;s own token (of urn:altinn:resource:proeve, level 3 or higher)",
        "checked against serveringsbevilling.xsd (warn)",
        "$BRIDGE/ttd/regner/v1/data?dataType=skjema",
    ],
)
def test_the_page_names_what_is_configured(configured: str, said: str) -> None:
    """Services and actions by name, with who may, what is sent, and what becomes of it; and apps."""
    assert said in configured
