"""``kill -9`` around a deletion: the element goes once, and its dialog is told once and goes once."""

import threading
from collections.abc import Iterator

import pytest
import requests

from bridge.bundled import schemas_folder
from tests.processes.harness import RESOURCE, Site, site, until

pytestmark = pytest.mark.slow

MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  discard: {{requires: write, minimum_level: 3, target: altinn2, form: none, delete: true}}
"""
CALLS = [("altinn2", "DELETE"), ("dialogporten", "PATCH"), ("dialogporten", "DELETE")]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("deletions")
    (folder / "mappings").mkdir()
    (folder / "mappings" / "deleting.yaml").write_text(MAPPING, "utf-8")
    about = {"BRIDGE_MAPPINGS": str(folder / "mappings"), "BRIDGE_SCHEMAS": str(schemas_folder())}
    with site(folder, **about) as made:
        yield made


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("system", "method"), CALLS, ids=[" ".join(each) for each in CALLS])
def test_a_deletion_that_was_killed_comes_to_its_end(embedded: Site, system: str, method: str, side: str) -> None:
    """Whichever of its writes the process died at, and whether that one took effect or not."""
    process = embedded.serve()
    case = embedded.case()
    embedded.trap = process.kill
    delay = {"delay_seconds": 1} if side == "before" else {"delay_after": 1}
    plan = {"system": system, "match": {"method": method}, "how": delay, "times": 1}
    embedded.control("POST", "/faults", plan)

    def press() -> None:
        try:
            embedded.press(case, "discard")
        except requests.RequestException:
            return

    thread = threading.Thread(target=press)
    thread.start()
    process.popen.wait(30)
    thread.join()
    embedded.control("DELETE", "/faults")
    revived = embedded.serve()
    until(lambda: embedded.finished(case), what="the end of the deletion")

    dialog = embedded.as_owner("GET", f"/{case.dialog_id}").json()
    revived.kill()
    assert dialog["deletedAt"]
    assert [each["type"] for each in dialog["activities"]] == ["DialogDeleted"]
    counts = {kind: len(embedded.effects(case, kind)) for kind in ("altinn2.delete", "dialogporten.patch")}
    assert counts == {"altinn2.delete": 1, "dialogporten.patch": 1}
    assert len(embedded.effects(case, "dialogporten.delete")) == 1
