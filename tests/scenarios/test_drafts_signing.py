"""Drafts of a service with a signing step: a bridge of its own, since what one learns of a service it remembers."""

from collections.abc import Iterator

import pytest

from tests.scenarios.stage import Stage
from tests.scenarios.test_drafts import PUBLIC, drafted, summary


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("drafts"), BRIDGE_PUBLIC_URL=PUBLIC)
    yield made
    made.stop()


def test_a_sent_draft_does_not_say_that_it_is_not_sent(stage: Stage) -> None:
    """The shipped mapping has no summary: the built-in one changes with each press, and what others wrote stays."""
    case, other = (drafted(stage, service={"signing_steps": 1}) for _ in range(2))
    theirs = {"value": [{"languageCode": "nb", "value": "Ring oss"}], "mediaType": "text/plain"}
    change = [{"op": "replace", "path": "/content/summary", "value": theirs}]
    assert stage.as_owner("PATCH", f"/{other.dialog_id}", change).status_code == 204

    told = [summary(stage, case)]
    for action in ("send-to-signing", "sign"):
        assert stage.press(case, action).status_code == stage.press(other, action).status_code == 204
        told.append(summary(stage, case))

    assert told == [
        "The form has not been submitted yet.",
        "The form waits for a signature.",
        "The form has been submitted.",
    ]
    assert summary(stage, other, "nb") == "Ring oss"
