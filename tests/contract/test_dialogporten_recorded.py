"""Every answer of the real Dialogporten (../shared/contracts/dialogporten) is the sandbox's, but for those named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.recordings import AT_HAND, SHARED, needs_shared, script

pytestmark = [needs_shared, pytest.mark.contract]

RECORDED = SHARED / "contracts" / "dialogporten" / "recorded.json"
LISTED = Path(__file__).with_name("dialogporten_differs.txt")
EXCHANGES = json.loads(RECORDED.read_text("utf-8")) if AT_HAND else []
JUDGED = [each["name"] for each in EXCHANGES if "status" in each]


def listed() -> dict[str, str]:
    """The exchanges that may differ, each with its reason; a name may have colons."""
    lines = [line.rpartition(" | ") for line in LISTED.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return {name.strip(): reason.strip() for name, _, reason in lines}


@pytest.fixture(scope="module")
def verdicts() -> Iterator[dict[str, Any]]:
    """What differs by exchange: all are sent in their order, since one builds on the other."""
    cases, recorded = script("dialogporten_cases"), script("dialogporten_recorded")
    sandbox = cases.own_sandbox()
    site = cases.Site(sandbox.base_url)
    replay, found = recorded.Replay(site), {}
    for exchange in EXCHANGES:
        answer = exchange.get("answer", exchange.get("ids"))
        sent = {**exchange, "_answer": answer, "_headers": exchange.get("answer_headers", {})}
        found[exchange["name"]] = replay.judge(sent)
    yield found
    site.http.close()
    sandbox.stop()


@pytest.mark.parametrize("name", JUDGED)
def test_the_sandbox_answers_as_dialogporten(verdicts: dict[str, Any], name: str) -> None:
    """Status, headers, members and words; one that is listed differs indeed, else its line is to go."""
    if name in listed():
        assert verdicts[name] is not None, "as recorded now: its line in dialogporten_differs.txt is no longer needed"
    else:
        assert verdicts[name] is None


def test_every_line_names_an_exchange_and_a_reason() -> None:
    """So that none outlives what it is about."""
    assert set(listed()) <= set(JUDGED)
    assert all(listed().values())
    assert len(set(JUDGED)) == len(JUDGED)
