"""A write that nobody answered may still arrive: until it cannot, nothing is decided, denied, or sent over it."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from bridge.core.cases import CaseRef
from bridge.core.operations import Operation, Outcome
from bridge.core.operations import Stage as Progress
from bridge.storage.tables import attachments
from bridge.storage.uploads import Uploads
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage, until

# Each waits until what is out cannot arrive any more, in both ways of writing.
pytestmark = pytest.mark.slow

ONE, TWO = (VALID.replace("<sitteplasserInne>40<", f"<sitteplasserInne>{seats}<") for seats in (51, 52))
XML = {"Content-Type": "application/xml"}
HAL = {"Content-Type": "application/hal+json"}
SERVICE = {
    "forms": [
        {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"},
        {"type": "SubForm", "data_format_id": "5802", "data_format_version": "42002", "max_one": False},
    ]
}
REFUSED = {"status": 400, "reason": "Form validation failed, see the attached validation details"}
PDF = b"%PDF-1.7 en tegning"


LONG = [(False, "300"), (True, "300")]
"""What is late may arrive for as long as a test takes, and tests say when it does. True: attachments are too large to
be carried, and the forms are written one by one around them."""
BRIEF = [(False, "1"), (True, "1")]
"""What is late cannot arrive any more after a second."""
WAYS = ["carried", "around"]


@pytest.fixture(scope="module", params=LONG, ids=WAYS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    around, seconds = request.param
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(write_mapping(tmp_path_factory.mktemp("mappings"), bare_completion=True)),
        BRIDGE_ANSWER_WITHIN="0.05",
        BRIDGE_ALTINN2_SETTLE="0.1",
        BRIDGE_ALTINN2_LATE=seconds,
        BRIDGE_GIVE_UP_AFTER="1",
        BRIDGE_RETRY_FIRST="0.05",
        **({"BRIDGE_ALTINN2_MAX_PUT": "1000"} if around else {}),
    )
    yield made
    made.stop()


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2]


def save(stage: Stage, case: Case, form: str) -> TestResponse:
    return stage.press(case, "send", data=form.encode(), headers=XML)


def seats(stage: Stage, case: Case) -> str:
    xml = str(stage.element(case)["forms"][0]["xml"])
    return xml.partition("<sitteplasserInne>")[2].partition("<")[0]


def last(stage: Stage, case: Case) -> Operation:
    return stage.operations(case)[-1]


def ended(stage: Stage, case: Case) -> Operation:
    until(lambda: all(each.stage is Progress.FINISHED for each in stage.operations(case)))
    return last(stage, case)


def open_at(stage: Stage, case: Case) -> None:
    """Wait until the dialog was told that nobody knows."""
    until(lambda: stage.operations(case)[0].uncertain_at is not None)


def told(stage: Stage, case: Case) -> str:
    """All that the dialog's history says, in English."""
    texts = [each.get("description", []) for each in stage.dialog(case)["activities"]]
    return " ".join(text["value"] for each in texts for text in each if text["languageCode"] == "en")


def puts(stage: Stage, case: Case) -> int:
    """How many writes of content took effect."""
    return len(stage.effects(case, "altinn2.put")) + len(stage.effects(case, "altinn2.form"))


def subform(value: int) -> dict[str, str]:
    key = {"type": "SubForm", "data_format_id": "5802", "data_format_version": "42002"}
    return {**key, "xml": f"<under><a>{value}</a></under>"}


def late(stage: Stage, case: Case, *, method: str = "PUT") -> None:
    """Have the next write cut, and its effect held back."""
    stage.fault("altinn2", method, case.message_id, cut="held")


def lands(stage: Stage) -> None:
    assert stage.control("POST", "/faults/held") == {"came": 1}


def test_a_late_draft_never_lands_over_a_newer_one(stage: Stage) -> None:
    """While the first may arrive, the second is refused with when to come again; then it is the one that stays."""
    case = stage.case()
    late(stage, case)

    first = save(stage, case, ONE)
    open_at(stage, case)
    meanwhile = stage.client.get(
        first.headers["Location"], headers={"Authorization": f"Bearer {stage.token(case)}"}
    ).get_json()
    early = save(stage, case, TWO)
    lands(stage)
    outcome = ended(stage, case).outcome
    save(stage, case, TWO)
    ended(stage, case)

    assert first.status_code == 202
    assert first.headers["Location"] == f"/operations/{first.headers['Operation-Id']}"
    assert (meanwhile["status"], "outcome" in meanwhile, "uncertainUntil" in meanwhile) == ("underWay", False, True)
    assert code(early) == (409, "other_form_under_way")
    assert int(early.headers["Retry-After"]) >= 1
    assert "We do not know yet" in told(stage, case)
    assert outcome is Outcome.DONE
    assert (seats(stage, case), puts(stage, case)) == ("52", 2)


@pytest.mark.parametrize("stage", BRIEF, ids=WAYS, indirect=True)
@pytest.mark.parametrize("action", ["send", "to-signing"])
def test_what_is_no_harm_only_once_waits_until_it_cannot_arrive(stage: Stage, action: str) -> None:
    """It never arrived: it is sent again when its time is over, once, and not before."""
    case = stage.case(service={**SERVICE, "signing_steps": 1})
    stage.fault("altinn2", "PUT", case.message_id, cut="before")

    if action == "send":
        save(stage, case, ONE)
    else:
        stage.press(case, action)
    operation = ended(stage, case)

    assert operation.outcome is Outcome.DONE
    assert operation.finished_at is not None
    assert (operation.finished_at - operation.accepted_at).total_seconds() >= 1
    assert puts(stage, case) == 1
    assert stage.element(case)["state"] == ("formfilling" if action == "send" else "signing")


def test_a_no_to_the_repeat_is_not_told_while_the_first_may_arrive(stage: Stage) -> None:
    """The second PUT is refused and the first one lands: the form was signed, and nothing else is ever told."""
    case = stage.case(service={**SERVICE, "signing_steps": 1})
    late(stage, case)
    stage.fault("altinn2", "PUT", case.message_id, **REFUSED)

    pressed = stage.press(case, "submit")
    open_at(stage, case)
    early = last(stage, case).outcome
    lands(stage)
    operation = ended(stage, case)
    shown = stage.client.get(pressed.headers["Location"], headers={"Authorization": f"Bearer {stage.token(case)}"})

    assert early is None
    assert (operation.outcome, operation.problem) == (Outcome.DONE, None)
    assert (shown.get_json()["outcome"], "problem" in shown.get_json()) == ("done", False)
    assert stage.element(case)["state"] == "archived"
    assert "nothing was sent" not in told(stage, case)


@pytest.mark.parametrize("stage", BRIEF, ids=WAYS, indirect=True)
def test_the_no_stands_once_the_first_cannot_arrive(stage: Stage) -> None:
    """It did not land within its time, so the refusal is told, and nobody is asked a third time."""
    case = stage.case()
    stage.fault("altinn2", "PUT", case.message_id, cut="before")
    stage.fault("altinn2", "PUT", case.message_id, **REFUSED)

    stage.press(case, "submit")
    operation = ended(stage, case)

    assert operation.outcome is Outcome.REFUSED
    assert operation.problem is not None
    assert operation.problem.code == "form_refused"
    assert "nothing was sent" in told(stage, case)
    assert stage.element(case)["state"] == "formfilling"


def test_another_dialog_of_the_element_waits_as_well(stage: Stage) -> None:
    """What may still arrive belongs to the element: the other dialog's draft is written after it, and stays."""
    case = stage.case()
    other = stage.dialog_for(case.message_id, case.who)
    late(stage, case)

    save(stage, case, ONE)
    until(lambda: stage.control("GET", "/faults") == [])
    second = save(stage, other, TWO)
    open_at(stage, other)
    early = puts(stage, case)
    lands(stage)
    operations = ended(stage, case), ended(stage, other)

    assert (second.status_code, early) == (202, 0)
    assert [each.outcome for each in operations] == [Outcome.DONE, Outcome.DONE]
    assert seats(stage, case) == "52"


def test_a_change_by_others_decides_nothing(stage: Stage) -> None:
    """Somebody saves in the portal while ours may arrive: ours is not denied, and told when it lands."""
    case = stage.case()
    late(stage, case)

    save(stage, case, ONE)
    until(lambda: stage.control("GET", "/faults") == [])
    form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": TWO}
    stage.as_citizen("PUT", case, f"/forms/{stage.element(case)['forms'][0]['id']}", form)
    open_at(stage, case)
    early = last(stage, case).outcome
    lands(stage)
    operation = ended(stage, case)

    assert early is None
    assert operation.outcome is Outcome.DONE
    assert seats(stage, case) == "51"


def test_nothing_is_given_up_while_it_may_arrive(stage: Stage) -> None:
    """The element cannot be read, and the time for tries is over: it is looked for until it cannot arrive any more."""
    case = stage.case()
    late(stage, case)
    stage.fault("altinn2", "GET", f"{case.message_id}$", status=500, times=None, skip=2)

    save(stage, case, ONE)
    open_at(stage, case)
    over = last(stage, case).accepted_at + timedelta(seconds=1.2)
    until(lambda: stage.bridge.clock() > over)
    early = last(stage, case).stage
    stage.control("DELETE", "/faults")
    lands(stage)
    operation = ended(stage, case)

    assert early is Progress.DELIVER
    assert operation.outcome is Outcome.DONE
    assert seats(stage, case) == "51"


def test_a_late_deletion_of_a_subform_is_not_sent_again(stage: Stage) -> None:
    """It lands, is seen, and takes one subform, not the one that came in its place."""
    subs = [subform(value) for value in (1, 2)]
    main = {"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}
    case = stage.case(service=SERVICE, forms=[main, *subs])
    form_id = next(each["id"] for each in stage.element(case)["forms"] if "<a>1</a>" in each["xml"])
    late(stage, case, method="DELETE")

    stage.press(case, "parts", data=json.dumps({"forms": [{"FormId": form_id, "Remove": True}]}), headers=HAL)
    open_at(stage, case)
    lands(stage)
    operation = ended(stage, case)

    assert operation.outcome is Outcome.DONE
    assert ["<a>2</a>" in each["xml"] for each in stage.element(case)["forms"]] == [False, True]


def test_a_discard_is_repeated_without_harm(stage: Stage) -> None:
    """What is deleted is deleted once, however often it is asked for and whenever that arrives."""
    case = stage.case()
    late(stage, case, method="DELETE")

    stage.press(case, "discard", method="DELETE")
    operation = ended(stage, case)
    lands(stage)

    assert operation.outcome is Outcome.DONE
    assert stage.element(case)["state"] == "deleted"
    assert len(stage.effects(case, "altinn2.delete")) == 1


def test_a_late_attachment_is_there_once_and_is_carried(stage: Stage) -> None:
    """While it may arrive, the same is not sent beside it, and no PUT overwrites it."""
    case = stage.case()
    late(stage, case, method="POST")
    token = stage.token(case)

    def upload() -> TestResponse:
        path = "send/attachments?fileName=tegning.pdf&attachmentType=Plan"
        return stage.press(case, path, token=token, data=PDF, headers={"Content-Type": "application/octet-stream"})

    first, again = upload(), upload()
    held_back = save(stage, case, ONE)
    open_at(stage, case)
    early = puts(stage, case)
    lands(stage)
    outcome = ended(stage, case).outcome
    third = upload()

    assert (code(first), code(again)) == ((504, "attachment_uncertain"), (409, "attachment_unsettled"))
    assert int(again.headers["Retry-After"]) >= 1
    assert (held_back.status_code, early, outcome) == (202, 0, Outcome.DONE)
    assert third.status_code == 201
    digests = [each["sha256"] for each in stage.element(case)["attachments"]]
    assert digests.count(hashlib.sha256(PDF).hexdigest()) == 1
    assert len(digests) == 2


@pytest.mark.parametrize("stage", BRIEF, ids=WAYS, indirect=True)
def test_an_attachment_that_cannot_arrive_any_more_is_sent_again(stage: Stage) -> None:
    """Its time is over and it is not there: the same press puts it there."""
    case = stage.case()
    stage.fault("altinn2", "POST", case.message_id, cut="before")
    token = stage.token(case)

    def arrived() -> bool:
        path = "send/attachments?fileName=tegning.pdf&attachmentType=Plan"
        answer = stage.press(case, path, token=token, data=PDF, headers={"Content-Type": "application/octet-stream"})
        return answer.status_code == 201

    assert not arrived()
    until(arrived)
    assert len(stage.element(case)["attachments"]) == 2


@pytest.mark.parametrize("stage", LONG[1:], ids=WAYS[1:], indirect=True)
def test_forms_are_not_put_back_twice(stage: Stage) -> None:
    """What puts a form back may arrive late as well: a newer draft comes after it, and stays."""
    subs = [subform(value) for value in (1, 2)]
    main = {"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}
    case = stage.case(service=SERVICE, forms=[main, *subs])
    key = {"Type": "SubForm", "DataFormatId": "5802", "DataFormatVersion": "42002"}
    forms = [
        {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": ONE},
        {**key, "FormData": "<under><a>ny</a></under>"},
    ]
    stage.fault("altinn2", "PUT", f"{case.message_id}/forms", skip=1, **REFUSED)
    stage.fault("altinn2", "PUT", f"{case.message_id}/forms", cut="held")

    stage.press(case, "send", data=json.dumps({"forms": forms}), headers=HAL)
    open_at(stage, case)
    early = code(save(stage, case, TWO))
    lands(stage)
    operation = ended(stage, case)
    save(stage, case, TWO)
    ended(stage, case)

    assert early == (409, "other_form_under_way")
    assert operation.outcome is Outcome.REFUSED
    assert len(stage.effects(case, "altinn2.form")) == 3
    assert seats(stage, case) == "52"


def upload(stage: Stage, case: Case) -> TestResponse:
    path = "send/attachments?fileName=tegning.pdf&attachmentType=Plan"
    return stage.press(case, path, data=PDF, headers={"Content-Type": "application/octet-stream"})


def shown(stage: Stage, case: Case, answer: TestResponse) -> Any:
    token = {"Authorization": f"Bearer {stage.token(case)}"}
    return stage.client.get(answer.headers["Location"], headers=token).get_json()


def open_until(stage: Stage, case: Case) -> datetime:
    """Until when the case's one upload may arrive."""
    key = CaseRef(system="altinn2", owner=case.who, key=case.message_id)
    with stage.bridge.store.reading() as tx:
        [(_, moment)] = Uploads(tx).out(key, now=stage.bridge.clock())
    return moment


@pytest.mark.parametrize("how", ["held", "before", "raises"])
def test_a_press_behind_an_upload_of_unknown_end_waits_and_says_so(stage: Stage, how: str) -> None:
    """It says for what and until when, its dialog says that it waits, and when the time is over it is sent, once."""
    case = stage.case()
    adapters = stage.bridge.altinn2._connection._session.adapters
    if how == "raises":
        # After it set out, where nothing is expected to fail: as the machine's own faults do.
        network = adapters["http://"]
        adapters["http://"] = _Breaking(network)
    else:
        stage.fault("altinn2", "POST", case.message_id, cut=how)
    uploaded = upload(stage, case)
    if how == "raises":
        adapters["http://"] = network

    pressed = stage.press(case, "submit")
    until(lambda: last(stage, case).uncertain_at is not None)
    waiting = shown(stage, case, pressed)
    moment, now = open_until(stage, case), stage.bridge.clock()
    words = told(stage, case)
    before = puts(stage, case)
    it_is_over = sa.update(attachments).values(may_arrive_until=now).where(attachments.c.may_arrive_until > now)
    with stage.bridge.store.engine.begin() as connection:
        connection.execute(it_is_over.where(attachments.c.key == case.message_id))
    operation = ended(stage, case)
    if how == "held":
        lands(stage)

    assert uploaded.status_code == (500 if how == "raises" else 504)
    assert pressed.status_code == 202
    assert (waiting["status"], waiting["waitsFor"]) == ("underWay", "attachment")
    assert datetime.fromisoformat(waiting["waitsUntil"]) == moment
    assert moment - now <= stage.bridge.late
    assert "uncertainUntil" not in waiting
    assert "An attachment may still be on its way to Altinn" in words
    assert "We do not know yet" not in words
    assert before == 0
    assert operation.outcome is Outcome.DONE
    assert len(stage.effects(case, "altinn2.archived")) == 1
    assert "waitsFor" not in shown(stage, case, pressed)


class _Breaking(BaseAdapter):
    """A network that fails as no network does, where an attachment sets out."""

    def __init__(self, network: BaseAdapter) -> None:
        super().__init__()
        self._network = network

    def send(self, request: requests.PreparedRequest, *about: Any, **how: Any) -> requests.Response:
        if "streamedattachment" in (request.url or ""):
            raise RuntimeError
        return self._network.send(request, *about, **how)

    def close(self) -> None:
        self._network.close()


def test_a_press_behind_another_dialogs_write_says_so(stage: Stage) -> None:
    """Of two dialogs of one element the second waits for what the first sent, and was not sent itself."""
    case = stage.case()
    twin = stage.dialog_for(case.message_id, case.who)
    late(stage, case)
    first = save(stage, case, ONE)
    open_at(stage, case)

    second = stage.press(twin, "submit")
    until(lambda: last(stage, twin).uncertain_at is not None)
    waiting = shown(stage, twin, second)
    words = told(stage, twin)
    lands(stage)
    ended(stage, case)
    ended(stage, twin)

    assert (first.status_code, second.status_code) == (202, 202)
    assert (waiting["waitsFor"], "waitsUntil" in waiting, "uncertainUntil" in waiting) == (
        "earlierOperation",
        True,
        False,
    )
    assert "An earlier action may still reach Altinn" in words
    assert "We do not know yet" not in words
