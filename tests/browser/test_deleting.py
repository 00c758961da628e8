"""A draft is deleted from the bin, and its dialog goes with it, before the eyes of who pressed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bridge.bundled import schemas_folder
from tests.browser.test_arbeidsflate import button, opened
from tests.processes.harness import RESOURCE, Site, site, until

pytestmark = pytest.mark.browser
MAPPING = f"""
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  discard: {{requires: write, minimum_level: 3, target: altinn2, form: none, delete: true}}
"""


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory, context: BrowserContext) -> Iterator[Site]:
    """A bridge whose one action deletes."""
    del context
    folder: Path = tmp_path_factory.mktemp("deleting")
    (folder / "mappings").mkdir()
    (folder / "mappings" / "deleting.yaml").write_text(MAPPING, "utf-8")
    about = {"BRIDGE_MAPPINGS": str(folder / "mappings"), "BRIDGE_SCHEMAS": str(schemas_folder())}
    with site(folder, **about) as running:
        running.serve()
        yield running


def test_a_draft_in_the_bin_is_deleted_for_good(page: Page, bridge: Site) -> None:
    """Offered in the bin alone, pressed once: element and dialog are gone, and the page is back at the inbox."""
    case = bridge.case()
    action = {
        "action": "write",
        "url": f"{bridge.url}/actions/{case.dialog_id}/discard",
        "httpMethod": "DELETE",
        "isDeleteDialogAction": True,
        "priority": "Secondary",
        "title": [{"languageCode": "nb", "value": "Slett for godt"}],
    }
    assert bridge.as_owner("PATCH", f"/{case.dialog_id}", [{"op": "add", "path": "/guiActions", "value": [action]}])
    opened(page, bridge, case.dialog_id)
    before = button(page, "Slett for godt").count()
    page.get_by_role("button", name="Legg i papirkurven").click()

    button(page, "Slett for godt").click()

    expect(page.get_by_role("heading", name="Innboks")).to_be_visible()
    until(lambda: bridge.finished(case), what="the deletion")
    dialog = bridge.as_owner("GET", f"/{case.dialog_id}").json()
    assert before == 0
    assert bridge.control("GET", f"/altinn2/elements/{case.message_id}")["state"] == "deleted"
    assert dialog["deletedAt"]
    assert [each["type"] for each in dialog["activities"]] == ["DialogDeleted"]
