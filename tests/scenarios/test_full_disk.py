"""A folder for temporary files that is full."""

import base64
import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from bridge.storage.database import empty_log
from tests.scenarios.stage import Stage
from tests.scenarios.test_altinn2_attachments import held, mappings


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "m").mkdir()
    folder = mappings(tmp_path / "m")
    made = Stage(tmp_path, BRIDGE_MAPPINGS=str(folder), BRIDGE_ALTINN2_MAX_ATTACHMENT="3000000")
    yield made
    made.stop()


def test_a_full_disk_is_told_as_that(stage: Stage) -> None:
    """Where there is no room for what passes through: 503 with a reason and a time, nothing sent, and later it goes."""
    case, data = stage.case(), b"%PDF-1.7 " + bytes(2_900_000)
    body = {"FileName": "stor.pdf", "AttachmentType": "Kart", "Data": base64.b64encode(data).decode()}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def sent() -> TestResponse:
        return stage.press(case, "submit/attachments", data=json.dumps(body), content_type="application/json")

    empty_log(stage.bridge.store.engine)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, before[1]))
    try:
        refused = sent()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    untouched = held(stage, case)
    later = sent()

    assert (refused.status_code, refused.get_json()["type"].rpartition(":")[2]) == (503, "storage_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert untouched == []
    assert later.status_code == 201
