"""Whatever is pressed, and whatever goes wrong: nothing is lost, nothing doubled, nothing signed unasked."""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.operations import Stage as Progress
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "cut before": {"cut": "before"},
    "cut after": {"cut": "after"},
    "500 though done": {"status": 500, "after_effect": True},
    "500": {"status": 500},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
    "slow": {"delay_after": 0.05},
}
PRESSES = ("save", "save-too", "submit", "to-signing", "sign", "discard", "ask", "ask-with")
COMPLETING = {"submit", "ask", "ask-with"}
CHANGED = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>39<").encode()
METHODS = {"discard": "DELETE", "upload": "POST"}

press = st.tuples(
    st.sampled_from((*PRESSES, "upload", "upload")),
    st.sampled_from(list(FAULTS)),
    st.integers(min_value=0, max_value=2),
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mappings").mkdir()
        (folder / "bridge").mkdir()
        mappings = write_mapping(folder / "mappings")
        made = Stage(
            folder / "bridge",
            BRIDGE_MAPPINGS=str(mappings),
            BRIDGE_ALTINN2_SETTLE="0.05",
            BRIDGE_RETRY_FIRST="0.02",
        )
        yield made
        made.stop()


@pytest.fixture(autouse=True)
def every_fault_is_played() -> None:
    """A step that sends nothing meets no fault: here they are taken back instead."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def settled(stage: Stage, case: Case) -> None:
    until(lambda: all(each.stage is Progress.FINISHED for each in stage.operations(case)), seconds=30)


@pytest.mark.slow
@pytest.mark.parametrize("signing_steps", [0, 1])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(press, min_size=1, max_size=5))
def test_nothing_is_lost_doubled_or_signed_unasked(
    stage: Stage, signing_steps: int, steps: list[tuple[str, str, int]]
) -> None:
    """The element ends as some press asked or untouched, with all that it had and all that was said to be attached."""
    case = stage.case(service={"signing_steps": signing_steps})
    seeded = [each["sha256"] for each in stage.element(case)["attachments"]]
    sent: list[str] = []
    confirmed: set[str] = set()
    asked: set[str] = set()

    for action, fault, number in steps:
        stage.control("DELETE", "/faults")
        if FAULTS[fault]:
            stage.fault("altinn2", METHODS.get(action, "PUT"), case.message_id, **FAULTS[fault])
        if action == "upload":
            data = b"%PDF" + bytes([number])
            path = f"send/attachments?fileName=v{number}.pdf&attachmentType=Plan"
            answer = stage.press(case, path, data=data, headers={"Content-Type": "application/octet-stream"})
            sent.append(digest(data))
            if answer.status_code == 201:
                confirmed.add(digest(data))
        else:
            asked.add(action)
            body = {"data": CHANGED, "headers": {"Content-Type": "application/xml"}} if action == "ask-with" else {}
            stage.press(case, action, **body)
            settled(stage, case)
    stage.control("DELETE", "/faults")

    element = stage.element(case)
    held = Counter(each["sha256"] for each in element["attachments"])
    allowed = {"formfilling"}
    allowed |= {"archived"} if asked & COMPLETING or {"to-signing", "sign"} <= asked else set()
    allowed |= {"signing"} if asked & {"to-signing", *COMPLETING} else set()
    allowed |= {"deleted"} if "discard" in asked else set()
    assert element["state"] in allowed
    assert len(element["forms"]) == 1
    assert all(count == 1 for count in held.values())
    assert set(seeded) | confirmed <= set(held) <= set(seeded) | set(sent)
    for put in stage.effects(case, "altinn2.put"):
        assert put["form_count"] == 1
        assert set(seeded) <= set(put["attachment_sha256"])
        assert not put["signatures"] or asked & {"sign", *COMPLETING}
        assert put["state_after"] != "archived" or (put["complete"] and put["sign"])
    assert len(stage.effects(case, "altinn2.archived")) <= 1
