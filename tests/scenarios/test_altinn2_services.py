"""What REST cannot do is refused before anything is sent, by what Altinn 2 itself says of the service."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from bridge.adapters.altinn2.metadata import MetadataFiles, read_metadata
from bridge.adapters.altinn2.services import AGAIN, AGAIN_FIRST, LIVES, KnownServices, _Found
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import Case, Stage, until

# Each case is pressed at a service of its own: most of a minute in all.
pytestmark = pytest.mark.slow

FORM = {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"}
RULE = {"name": "Plan", "file_types": "*.pdf", "max_count": 2, "max_size": 1}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """One bridge for each test: what it learns it remembers."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    made = Stage(tmp_path, BRIDGE_MAPPINGS=str(write_mapping(folder)), BRIDGE_ALTINN2_METADATA=str(tmp_path))
    yield made
    made.stop()


def code(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def case(stage: Stage, service: Any = None, **element: Any) -> Case:
    return stage.case(service={"forms": [FORM], **(service or {})}, **element)


def asked(stage: Stage) -> int:
    return sum("/metadata/" in call.path for call in stage.world.calls.all("altinn2"))


@pytest.mark.parametrize(("action", "state"), [("submit", "formfilling"), ("sign", "signing")])
def test_a_payment_step_is_refused_beforehand(stage: Stage, action: str, state: str) -> None:
    """Learnt from metadata, without any setting; the person is told to pay in Altinn."""
    mine = case(stage, {"payment": True, "signing_steps": 1}, state=state)

    answer = stage.press(mine, action)

    assert (answer.status_code, code(answer)) == (409, "payment_needed")
    assert [call.method for call in stage.world.calls.all("altinn2") if mine.message_id in call.path] == ["GET"]
    assert stage.element(mine)["state"] == state


def test_a_draft_of_such_a_service_is_saved(stage: Stage) -> None:
    """Only what would sign and archive meets the payment."""
    mine = case(stage, {"payment": True})

    assert stage.press(mine, "save").status_code == 204


def test_metadata_is_asked_for_once(stage: Stage) -> None:
    """Two presses, two elements, one question."""
    answers = [stage.press(case(stage), "submit").status_code for _ in range(2)]

    assert (answers, asked(stage)) == ([204, 204], 1)


@pytest.mark.parametrize("how", [{"status": 404}, {"status": 410}, {"status": 503}, {"cut": "before"}])
def test_a_form_is_filed_without_metadata(stage: Stage, how: dict[str, Any]) -> None:
    """It may be closed before the elements are; nobody is asked again at once."""
    stage.fault("altinn2", "GET", "/metadata/", **how)

    answers = [stage.press(case(stage), "submit").status_code for _ in range(2)]

    assert (answers, asked(stage)) == ([204, 204], 1)


def test_altinn_refuses_what_nobody_could_know(stage: Stage) -> None:
    """Without metadata and without ``others_sign`` it is Altinn 2's own refusal that is told; nothing was done."""
    mine = case(stage, {"signing_steps": 1, "user_controlled_signing": True})

    answer = stage.press(mine, "submit")

    assert (answer.status_code, code(answer)) == (409, "others_must_sign")
    assert stage.element(mine)["state"] == "formfilling"


def test_attachments_follow_the_rules_of_metadata(stage: Stage) -> None:
    """Where the mapping has none."""
    mine = case(stage, {"attachment_rules": [RULE]})
    path = "send/attachments?fileName=plan.docx&attachmentType=Plan"

    answer = stage.press(mine, path, data=b"x", headers={"Content-Type": "application/octet-stream"})

    assert (answer.status_code, code(answer)) == (422, "attachment_extension")


def test_what_was_learnt_outlives_the_source(stage: Stage, tmp_path: Path) -> None:
    """Kept on disk, and asked for again after a day; a source that is gone takes nothing away."""
    stage.press(case(stage, {"payment": True}), "submit")
    stage.control("PATCH", "/switches", {"shutdown": "410"})
    known, now = stage.bridge.services, stage.bridge.clock()
    later = KnownServices(known._client, known._files, clock=lambda: now)

    found = []
    for wait in (timedelta(), AGAIN, LIVES):
        now += wait
        found.append(later.find("5701", 1))

    assert [each is not None and each.has_payment for each in found] == [True] * 3
    assert asked(stage) == 4
    assert json.loads((tmp_path / "formtask-5701-1.json").read_bytes())["ServiceCode"] == "5701"


def test_a_blip_at_the_start_is_short(stage: Stage) -> None:
    """What did not come is asked for again within seconds, and then ever more seldom, up to ten minutes."""
    stage.control("PATCH", "/switches", {"shutdown": "410"})
    known, now = stage.bridge.services, stage.bridge.clock()
    first = KnownServices(known._client, MetadataFiles(None), clock=lambda: now)

    asked_after = []
    before = asked(stage)
    for second in range(0, 3600, 5):
        first.find("5701", 1)
        if asked(stage) > before:
            before = asked(stage)
            asked_after.append(second)
        now += AGAIN_FIRST

    assert asked_after[:5] == [0, 5, 15, 35, 75]
    assert {later - earlier for earlier, later in pairwise(asked_after[8:])} == {AGAIN.total_seconds()}


def test_a_spoilt_file_is_as_good_as_none(stage: Stage, tmp_path: Path) -> None:
    """It is told in the log, and the form is filed."""
    (tmp_path / "formtask-5701-1.json").write_text("{")
    stage.fault("altinn2", "GET", "/metadata/", status=503)

    assert stage.press(case(stage), "submit").status_code == 204


def test_words_that_nobody_knows_are_told_to_nobody(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown reason phrase may quote a form: of its words only those that errors are made of reach the log."""
    mine = case(stage)
    words = "Ørsmå blåbær må telles på nytt"
    stage.fault("altinn2", "PUT", mine.message_id, status=400, reason=words)

    answer = stage.press(mine, "submit")

    told = answer.get_data(as_text=True)
    assert (answer.status_code, code(answer)) == (502, "upstream_refused")
    log = capsys.readouterr().out
    assert "400 rejected: … må … på nytt" in log
    assert not [each for each in words.split() if len(each) > 4 and each in told + log]
    assert words not in json.dumps(stage.dialog(mine), ensure_ascii=False)


@pytest.mark.parametrize("action", ["to-signing", "sign"])
def test_nothing_is_sent_to_a_signing_that_is_not_there(stage: Stage, action: str) -> None:
    """Altinn 2 would overwrite the form and leave it in form filling: it is refused beforehand."""
    mine = case(stage, {"signing_steps": 0}, **({"state": "signing"} if action == "sign" else {}))

    answer = stage.press(mine, action)

    assert (answer.status_code, code(answer)) == (409, "no_signing_step")
    assert stage.effects(mine, "altinn2.put") == []


def knows(stage: Stage, tmp_path: Path, old: str, new: str) -> None:
    """Have the bridge know something else of the service than the sandbox does, which would refuse it itself."""
    stage.press(case(stage), "submit")
    found = stage.bridge.services.find("5701", 1)
    assert found is not None
    path = tmp_path / "formtask-5701-1.json"
    text = path.read_text("utf-8").replace(old, new)
    stage.bridge.services._known = {("5701", 1): _Found(read_metadata(json.loads(text)), stage.bridge.clock() + LIVES)}


def test_who_presses_has_the_level_of_the_service(stage: Stage, tmp_path: Path) -> None:
    """The mapping asks for level 3 and the service for 4: level 4 passes, level 3 is told what is missing."""
    knows(stage, tmp_path, '"SecurityLevel":1', '"SecurityLevel":4')
    mine = case(stage)

    low, high = (
        stage.press(mine, "submit", token=stage.token(mine, level=level), headers={"Accept-Language": "en"})
        for level in (3, 4)
    )

    assert (low.status_code, code(low), high.status_code) == (403, "service_level_too_low", 204)
    assert "level 4" in low.get_json()["detail"]


def test_nothing_is_sent_to_a_service_whose_time_is_over(stage: Stage, tmp_path: Path) -> None:
    """Altinn 2 gives no metadata of it any more; what was kept tells."""
    knows(stage, tmp_path, '"2199-', '"2020-')
    mine = case(stage)

    answer = stage.press(mine, "submit")

    assert (answer.status_code, code(answer)) == (409, "service_not_in_force")
    assert stage.effects(mine, "altinn2.put") == []


@pytest.mark.parametrize("how", [{}, {"cut": "after"}, {"status": 500, "after_effect": True}])
def test_what_was_saved_and_not_completed_is_our_own_doing(stage: Stage, how: dict[str, Any]) -> None:
    """Nobody knows the process beforehand: the form is there and waits, and nobody else is said to have changed it."""
    stage.fault("altinn2", "GET", "/metadata/", status=404)
    mine = case(stage, {"signing_steps": 0})
    if how:
        stage.fault("altinn2", "PUT", mine.message_id, **how)

    answer = stage.press(mine, "to-signing")

    assert (answer.status_code, code(answer)) == (409, "left_in_form_filling")
    assert stage.element(mine)["state"] == "formfilling"
    assert len(stage.effects(mine, "altinn2.put")) == 1
    told = json.dumps(stage.dialog(mine)["activities"], ensure_ascii=False)
    assert "saved in Altinn, but not sent in" in told
    assert "nothing was sent" not in told


HIGH = {"security_level": 4}
SERVICE = "Altinn 2, service 5701/1"


def presses(stage: Stage, mine: Case, level: int, action: str = "submit", **how: Any) -> TestResponse:
    """A press by a person of that level."""
    return stage.press(mine, action, token=stage.token(mine, level=level), **how)


def calls(stage: Stage, mine: Case) -> list[str]:
    return [call.method for call in stage.world.calls.all("altinn2") if mine.message_id in call.path]


@pytest.mark.parametrize("action", ["submit", "save", "to-signing"])
def test_a_low_level_is_told_before_altinn_refuses(stage: Stage, action: str) -> None:
    """At delivery where nobody knew, and then at the door; Altinn 2, which would refuse it, is not asked."""
    mine = case(stage, {**HIGH, "signing_steps": 1})

    with capture_logs() as lines:
        first, second = (presses(stage, mine, 3, action, headers={"Accept-Language": "en"}) for _ in range(2))

    assert [(each.status_code, code(each)) for each in (first, second)] == [(403, "service_level_too_low")] * 2
    assert "level 4" in second.get_json()["detail"]
    assert (calls(stage, mine), len(stage.operations(mine))) == ([], 1)
    (said,) = (each for each in lines if each["event"] == "the mapping does not go with the service")
    assert (said["action"], said["why"].rpartition(": ")[2]) == (action, "4")


@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("action", ["submit", "save"])
def test_what_is_above_our_own_login_is_told_at_once(stage: Stage, action: str, metadata: bool) -> None:
    """The person's level is enough, and Altinn 2 answers its 401: told to the person, the dialog and the operator."""
    if not metadata:
        stage.fault("altinn2", "GET", "/metadata/", status=404)
    mine = case(stage, HIGH)

    answer = presses(stage, mine, 4, action)

    assert (answer.status_code, code(answer)) == (409, "service_out_of_reach")
    assert stage.element(mine)["state"] == "formfilling"
    assert set(calls(stage, mine)) == {"GET"}
    assert "Complete the form in Altinn" in json.dumps(stage.dialog(mine), ensure_ascii=False)
    assert list(stage.client.get("/health/deep").get_json()["refusingUs"]) == [SERVICE]


def test_other_services_do_not_end_the_alarm(stage: Stage) -> None:
    """Altinn 2 takes the login for others; the operator is told all the same."""
    presses(stage, case(stage, HIGH), 4)
    stage.bridge.services._known = {}

    other = presses(stage, case(stage, {"security_level": 0}), 4)

    assert other.status_code == 204
    assert list(stage.client.get("/health/deep").get_json()["refusingUs"]) == [SERVICE]


def test_what_is_out_of_reach_is_told_wherever_it_is_asked_for(stage: Stage) -> None:
    """Looks and attachments as presses; a low level is refused there, too."""
    mine = case(stage, HIGH)
    octets = {"headers": {"Content-Type": "application/octet-stream"}, "data": b"x"}
    asked_for = [
        ("submit/forms", {"method": "GET"}),
        ("submit/attachments", {"method": "GET"}),
        ("submit/print", {"method": "GET"}),
        ("send/attachments?fileName=plan.pdf&attachmentType=Plan", octets),
        ("send/attachments/1", {"method": "DELETE"}),
    ]

    high = [presses(stage, mine, 4, path, **how) for path, how in asked_for]
    low = [presses(stage, mine, 3, path, **how) for path, how in asked_for]

    assert [(each.status_code, code(each)) for each in high] == [(409, "service_out_of_reach")] * 5
    assert [(each.status_code, code(each)) for each in low] == [(403, "service_level_too_low")] * 5


def test_a_refused_token_is_no_service_out_of_reach(stage: Stage) -> None:
    """Where the list is refused as well nothing is known of the service: the press is kept, and an operator called."""
    mine = case(stage, HIGH)
    stage.bridge.services.find("5701", 1)
    stage.fault("altinn2", "GET", "/messages", times=None, status=401)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(presses, stage, mine, 4)
        until(lambda: any(each.last_error for each in stage.operations(mine)))
        refusing = list(stage.client.get("/health/deep").get_json()["refusingUs"])
        [operation] = stage.operations(mine)
        stage.control("DELETE", "/faults")

    assert (operation.outcome, refusing) == (None, ["Altinn 2"])
    assert code(pressed.result()) == "service_out_of_reach"


def test_a_service_that_is_not_listed_is_told_once(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be over, or metadata closed: the form is filed, and the operator reads of it once."""
    known, now = stage.bridge.services, stage.bridge.clock()
    case(stage, {"valid_to": "2020-01-01T00:00:00Z"})
    found = KnownServices(known._client, MetadataFiles(None), clock=lambda: now)

    answers = []
    for _ in range(3):
        answers.append(found.find("5701", 1))
        now += AGAIN

    assert answers == [None] * 3
    assert capsys.readouterr().out.count("does not list a service") == 1
