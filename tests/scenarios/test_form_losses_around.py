"""Forms that are changed one by one, around attachments too large for a PUT, are compared before the signature."""

import base64
from collections.abc import Iterator

import pytest

from tests.scenarios.altinn2_mapping import TEXT
from tests.scenarios.stage import VALID, Stage

SEND_OFF = """
  send-off:
    {requires: write, minimum_level: 3, target: altinn2, form: body, validate: "off", complete: true, sign: true}
"""
BIG = {
    "file_name": "stor.pdf",
    "attachment_type": "Plan",
    "data": base64.b64encode(b"%PDF-1.7 " + bytes(200_000)).decode(),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("mappings")
    (folder / "all.yaml").write_text(TEXT.replace("BARE", "true").rstrip() + SEND_OFF, "utf-8")
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder), BRIDGE_ALTINN2_MAX_PUT="100000")
    yield made
    made.stop()


@pytest.mark.parametrize("action", ["send", "send-off"])
@pytest.mark.parametrize(("kept", "status"), [("kept", 204), ("last_value_dropped", 502)])
def test_a_lost_value_is_never_signed(stage: Stage, kept: str, status: int, action: str) -> None:
    """The action ends with the path, and without a signature; what arrived whole is signed."""
    case = stage.case(attachments=[BIG], service={"signing_steps": 1})
    stage.world.change_switches(put_forms=kept)

    changed = VALID.replace("Kafé Påfunn", "Kafé Nypåfunn")
    answer = stage.press(case, action, data=changed.encode(), content_type="application/xml")

    assert answer.status_code == status
    if status == 502:
        assert len(answer.get_json()["findings"]) == 1
        assert stage.effects(case, "altinn2.archived") == []
    elif action == "send-off":
        assert len(stage.effects(case, "altinn2.archived")) == 1
