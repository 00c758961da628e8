"""Whatever is pressed, and whatever goes wrong: nothing is lost, nothing doubled, nothing signed unasked."""

import base64
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.errors import BridgeError, Missing, OutcomeUnknown, Unreachable
from bridge.core.operations import Stage as Progress
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

# The engine's own threads draw random numbers while a strategy is at work, which Hypothesis takes for the strategy's.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "cut before": {"cut": "before"},
    "cut after": {"cut": "after"},
    "500 though done": {"status": 500, "after_effect": True},
    "500": {"status": 500},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
    "slow": {"delay_after": 0.05},
    "timeout before": {"delay_seconds": 0.03, "cut": "before"},
    "timeout after": {"delay_after": 0.03, "cut": "after"},
    "timeout, and done late": {"delay_seconds": 0.05, "cut": "late"},
}
LATE = "timeout, and done late"
PRESSES = ("save", "save-too", "submit", "to-signing", "sign", "sign-required", "discard", "ask", "ask-with")
COMPLETING = {"submit", "ask", "ask-with"}
SIGNING = {"sign", "sign-required"}
UPLOADS = ("upload", "upload-base64", "send-attachment")
PARTS = ("sub-add", "sub-prefill", "sub-change", "sub-remove", "sub-several")
CHANGED = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>39<").encode()
METHODS = {"discard": "DELETE", "upload": "POST", "upload-base64": "POST", "detach": "DELETE"}
SUB_METHODS = {"sub-add": "POST", "sub-prefill": "POST", "sub-remove": "DELETE"}
PREFILL = "ferdig"
SERVICE = {
    "forms": [
        {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"},
        {
            "type": "SubForm",
            "data_format_id": "5802",
            "data_format_version": "42002",
            "max_one": False,
            "prefill": f"<under><a>{PREFILL}</a></under>",
        },
    ]
}
KEY = {"Type": "SubForm", "DataFormatId": "5802", "DataFormatVersion": "42002"}
MAIN = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": CHANGED.decode()}
HAL = {"Content-Type": "application/hal+json"}

press = st.tuples(
    st.sampled_from((*PRESSES, *UPLOADS, *PARTS, *PARTS, "detach")),
    st.sampled_from(list(FAULTS)),
    st.integers(min_value=0, max_value=2),
)


@pytest.fixture(scope="module", params=["carried", "around"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """One with attachments that a PUT carries, and one with attachments that are too large for it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mappings").mkdir()
        (folder / "bridge").mkdir()
        around = request.param == "around"
        mappings = write_mapping(folder / "mappings", bare_completion=around)
        made = Stage(
            folder / "bridge",
            BRIDGE_MAPPINGS=str(mappings),
            BRIDGE_ALTINN2_SETTLE="0.5",
            BRIDGE_RETRY_FIRST="0.02",
            **({"BRIDGE_ALTINN2_MAX_PUT": "1000"} if around else {}),
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


def subforms(stage: Stage, case: Case) -> list[tuple[int, str]]:
    return [
        (each["id"], each["xml"].partition("<a>")[2].partition("<")[0])
        for each in stage.element(case)["forms"]
        if each["type"] == "SubForm"
    ]


def part(action: str, number: int, held: list[tuple[int, str]]) -> tuple[list[Any], list[str]]:
    """Say what is sent for *action*, and which values the subforms have once it is done."""
    values = [value for _, value in held]
    new = f"ny {number}"
    match action:
        case "sub-add":
            # A form without an id takes the place of the first that is not named: what is added comes with all others.
            kept = [{**KEY, "FormId": each, "FormData": f"<under><a>{value}</a></under>"} for each, value in held]
            return [*kept, {**KEY, "FormData": f"<under><a>{new}</a></under>"}], [*values, new]
        case "sub-prefill":
            return [KEY], [*values, PREFILL]
    at = number % len(held)
    form_id = held[at][0]
    if action == "sub-remove":
        return [{"FormId": form_id, "Remove": True}], [*values[:at], *values[at + 1 :]]
    changed = {**KEY, "FormId": form_id, "FormData": f"<under><a>{new}</a></under>"}
    return [MAIN, changed] if action == "sub-several" else [changed], [*values[:at], new, *values[at + 1 :]]


def change_subforms(stage: Stage, case: Case, action: str, number: int, *, done: set[str]) -> int | None:
    """
    Press it; the element shows it when it was done, and when it was refused shows what it showed before.

    What was sent and *done* before is a repeat once the element takes nothing more, and changes nothing (mappings.md).
    """
    held = subforms(stage, case)
    if not held and action not in ("sub-add", "sub-prefill"):
        return None
    before = [value for _, value in held]
    forms, after = part(action, number, held)
    sent, filling = json.dumps(forms), stage.element(case)["state"] == "formfilling"
    answer = stage.press(case, "parts", data=json.dumps({"forms": forms}), headers=HAL)
    settled(stage, case)
    status = answer.status_code
    shown = [value for _, value in subforms(stage, case)]
    # Beyond form filling a yes says that the same was done before, or that the copy shows it (docs/mappings.md).
    assert filling or status != 204 or sent in done or after == before, (action, status)
    assert shown == (after if filling and status == 204 else before), (action, status, before, after)
    if status == 204:
        done.add(sent)
    return int(status)


def detach(stage: Stage, case: Case, number: int) -> str | None:
    """Take an attachment away as the client does: after an unknown outcome it is listed before it is repeated."""
    held = stage.element(case)["attachments"]
    if not held:
        return None
    chosen = held[number % len(held)]
    key = ElementKey(who=case.who, message_id=case.message_id)
    for _ in range(3):
        try:
            if any(each.attachment_id == chosen["id"] for each in stage.bridge.altinn2.list_attachments(key)):
                stage.bridge.altinn2.delete_attachment(key, chosen["id"])
        except (OutcomeUnknown, Unreachable):
            continue
        except Missing:
            break
        except BridgeError:
            return None
        return str(chosen["sha256"])
    return None


def upload(stage: Stage, case: Case, action: str, number: int) -> tuple[bytes, int]:
    data = b"%PDF" + bytes([number])
    encoded = {"FileName": f"v{number}.pdf", "AttachmentType": "Plan", "Data": base64.b64encode(data).decode()}
    match action:
        case "upload":
            path = f"send/attachments?fileName=v{number}.pdf&attachmentType=Plan"
            answer = stage.press(case, path, data=data, headers={"Content-Type": "application/octet-stream"})
        case "upload-base64":
            answer = stage.press(case, "send/attachments", data=json.dumps(encoded), headers=HAL)
        case _:
            main = {**MAIN, "FormData": stage.element(case)["forms"][0]["xml"]}
            answer = stage.press(
                case, "send", data=json.dumps({"forms": [main], "attachments": [encoded]}), headers=HAL
            )
            settled(stage, case)
    return data, answer.status_code


# The bridge's threads draw chance while Hypothesis draws, which it takes for a strategy's doing.
DRAWS = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")


@pytest.mark.slow
@DRAWS
@pytest.mark.parametrize("signing_steps", [0, 1])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(press, min_size=1, max_size=6))
def test_nothing_is_lost_doubled_or_signed_unasked(
    stage: Stage, signing_steps: int, steps: list[tuple[str, str, int]]
) -> None:
    """The element ends as some press asked or untouched, with all that it had and all that was said to be attached."""
    main = {"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}
    subs = [
        {
            "type": "SubForm",
            "data_format_id": "5802",
            "data_format_version": "42002",
            "xml": f"<under><a>{n}</a></under>",
        }
        for n in (1, 2)
    ]
    case = stage.case(service={**SERVICE, "signing_steps": signing_steps}, forms=[main, *subs])
    expected = {each["sha256"] for each in stage.element(case)["attachments"]}
    possible: set[str] = set()
    asked: set[str] = set()
    done: set[str] = set()

    for action, planned, number in steps:
        fault = planned
        stage.control("DELETE", "/faults")
        state = stage.element(case)["state"]
        if fault == LATE and action in (*UPLOADS, "detach"):
            # An attachment is sent by who is there to send it again, and who does so at once may be too early.
            fault = "timeout after"
        if FAULTS[fault]:
            method = SUB_METHODS.get(action) or METHODS.get(action, "PUT")
            stage.fault("altinn2", method, case.message_id, **FAULTS[fault])
        forms_before = stage.element(case)["forms"]
        if action in UPLOADS:
            data, status = upload(stage, case, action, number)
            (expected if status in (201, 204) else possible).add(digest(data))
        elif action == "detach":
            gone = detach(stage, case, number)
            if gone is not None:
                expected.discard(gone)
                possible.discard(gone)
        elif action in PARTS:
            status_or_none = change_subforms(stage, case, action, number, done=done)
            assert status_or_none is None or state == "formfilling" or status_or_none >= 400 or status_or_none == 204
        else:
            asked.add(action)
            body = {"data": CHANGED, "headers": {"Content-Type": "application/xml"}} if action == "ask-with" else {}
            stage.press(case, action, **body)
            settled(stage, case)
        held = Counter(each["sha256"] for each in stage.element(case)["attachments"])
        assert all(count == 1 for count in held.values())
        assert expected <= set(held) <= expected | possible
        if action not in PARTS:
            assert len(stage.element(case)["forms"]) == len(forms_before)
    stage.control("DELETE", "/faults")

    element = stage.element(case)
    allowed = {"formfilling"}
    allowed |= {"archived"} if asked & COMPLETING or ("to-signing" in asked and asked & SIGNING) else set()
    allowed |= {"signing"} if asked & {"to-signing", *COMPLETING} else set()
    allowed |= {"deleted"} if "discard" in asked else set()
    assert element["state"] in allowed
    for put in stage.effects(case, "altinn2.put"):
        assert not put["signatures"] or asked & {*SIGNING, *COMPLETING}
        assert put["state_after"] != "archived" or (put["complete"] and put["sign"])
    assert len(stage.effects(case, "altinn2.archived")) <= 1


LETTER_FAULTS = st.sampled_from(list(FAULTS))


@pytest.mark.slow
@DRAWS
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    needs=st.booleans(),
    steps=st.lists(st.tuples(st.sampled_from(("confirm", "put-away", "discard")), LETTER_FAULTS), max_size=4),
)
def test_a_letter_is_confirmed_and_put_away_once(stage: Stage, needs: bool, steps: list[tuple[str, str]]) -> None:
    """Whatever goes wrong, what was answered with a yes is so, and a no left the letter alone."""
    case = stage.case(
        forms=[], attachments=[], letter={"needs_confirmation": needs}, service={"kind": "Correspondence"}
    )
    wanted = {"confirm": "confirmed", "put-away": "archived", "discard": "deleted"}
    token = stage.token(case)

    for action, fault in steps:
        stage.control("DELETE", "/faults")
        before = stage.element(case)["state"]
        if FAULTS[fault]:
            method = "DELETE" if action == "discard" else "PUT"
            stage.fault("altinn2", method, case.message_id, **FAULTS[fault])
        status = stage.press(case, action, token=token).status_code
        settled(stage, case)
        assert stage.element(case)["state"] == (wanted[action] if status == 204 else before), (action, status)
    stage.control("DELETE", "/faults")

    for kind in ("altinn2.confirm", "altinn2.archive", "altinn2.delete"):
        assert len(stage.effects(case, kind)) <= 1
