"""The end user's client and the API's approved body."""

import json
import os

import pytest

from bridge.adapters.dialogporten.end_user import _dialog
from tests.sandbox.openapi import FOLDER, documents_at_hand


@pytest.mark.contract
@pytest.mark.skipif(
    not documents_at_hand() and not os.environ.get("CI"), reason="the folder shared beside the checkout is missing"
)
def test_the_approved_body_is_read_whole() -> None:
    """Every button, endpoint and activity, though members that the wire leaves out are null here."""
    path = FOLDER / "upstream-snapshots" / "bodies" / "enduser.GetDialogTests.Get_Dialog_Verify_Snapshot.json"
    body = json.loads(path.read_text("utf-8-sig"))

    seen = _dialog(body, "")

    endpoints = sum(len(each["endpoints"]) for each in body["apiActions"])
    assert len(seen.buttons) == len(body["guiActions"]) + endpoints > 0
    assert [each.type for each in seen.events] == [each["type"] for each in body["activities"]]
    assert (seen.status, seen.revision) == (body["status"], body["revision"])
    assert repr(seen) == f"SeenDialog({seen.id}, {seen.status})"
