"""Several signatures: each is one person's press, and nobody's is given twice or for somebody else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from bridge.core.operations import Outcome
from bridge.storage.tables import operations
from tests.scenarios.altinn2_mapping import TEXT
from tests.scenarios.stage import Case, Stage

FORM = {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"}


def made(folder: Path, says: str, **environ: str) -> Stage:
    (folder / "mappings").mkdir()
    text = TEXT.replace("bare_completion: BARE", says)
    (folder / "mappings" / "all.yaml").write_text(text, "utf-8")
    return Stage(folder, BRIDGE_MAPPINGS=str(folder / "mappings"), **environ)


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = made(tmp_path, getattr(request, "param", "signing_steps: 2"))
    yield stage
    stage.stop()


SILENT = pytest.mark.parametrize("stage", ["others_sign: false"], indirect=True)


def case(stage: Stage, **about: Any) -> Case:
    return stage.case(service={"forms": [FORM], "signing_steps": 2, **about}, state="signing")


class Person:
    """Somebody with a token of their own."""

    def __init__(self, stage: Stage, case: Case) -> None:
        self.stage, self.case = stage, case
        actor = f"urn:altinn:person:identifier-no:{stage.world.new_person()}"
        self.token = stage.token(case, level=4, claims={"a": "sign;read;write", "c": actor})

    def press(self, action: str = "sign") -> TestResponse:
        return self.stage.press(self.case, action, token=self.token)


def code(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def remembered(stage: Stage, case: Case) -> int:
    """How many of the case's operations still know who signed."""
    query = sa.select(sa.func.count()).where(operations.c.dialog_id == str(case.dialog_id), operations.c.signer != "")
    with stage.bridge.store.engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def test_the_same_person_signs_once(stage: Stage) -> None:
    """However often they press: Altinn 2 would take the second PUT for the next person's."""
    mine = case(stage)
    person = Person(stage, mine)

    answers = [person.press().status_code for _ in range(3)]

    assert answers == [204, 204, 204]
    assert (stage.element(mine)["state"], stage.element(mine)["signatures"]) == ("signing", 1)
    assert [each.outcome for each in stage.operations(mine)] == [Outcome.DONE, Outcome.REPEATED, Outcome.REPEATED]


def test_two_people_sign_at_the_same_moment(stage: Stage) -> None:
    """Neither joins the other's press: both signatures are given, and then it is archived."""
    mine = case(stage)
    people = [Person(stage, mine), Person(stage, mine)]
    stage.fault("altinn2", "PUT", mine.message_id, delay_seconds=0.3)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: each.press().status_code, people))

    assert answers == [204, 204]
    assert (stage.element(mine)["state"], len(stage.effects(mine, "altinn2.put"))) == ("archived", 2)
    assert [each.outcome for each in stage.operations(mine)] == [Outcome.DONE, Outcome.DONE]
    assert stage.activities(mine)[-1] == "FormSubmitted"


def test_one_person_pressing_twice_at_once_is_one_press(stage: Stage) -> None:
    """The second joins the first."""
    mine = case(stage)
    person = Person(stage, mine)
    stage.fault("altinn2", "PUT", mine.message_id, delay_seconds=0.3)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: person.press().status_code, range(2)))

    assert answers == [204, 204]
    assert stage.element(mine)["signatures"] == 1


def test_the_button_stays_for_the_others(stage: Stage) -> None:
    """After one of two signatures the dialog still offers to sign."""
    mine = case(stage)

    Person(stage, mine).press()

    assert "sign" in stage.buttons(mine)


def test_who_completed_and_signed_has_signed(stage: Stage) -> None:
    """The press that sent the form in was the first signature; the same person's sign button is a repeat."""
    mine = stage.case(service={"forms": [FORM], "signing_steps": 2})
    person, other = Person(stage, mine), Person(stage, mine)

    answers = [person.press("submit"), person.press("sign"), person.press("submit"), other.press("sign")]

    assert [each.status_code for each in answers] == [204, 204, 204, 204]
    assert stage.element(mine)["state"] == "archived"
    assert [each["complete"] for each in stage.effects(mine, "altinn2.put")] == [True, True]


def test_who_signed_is_forgotten_in_the_end(stage: Stage) -> None:
    """While others are waited for it is remembered, once it is archived no more."""
    mine = case(stage)

    Person(stage, mine).press()
    waiting = remembered(stage, mine)
    Person(stage, mine).press()

    assert (waiting, remembered(stage, mine)) == (1, 0)


def test_a_form_that_was_filled_in_anew_is_signed_anew(stage: Stage) -> None:
    """What was signed before does not count any more, and the same person may sign again."""
    mine = stage.case(service={"forms": [FORM], "signing_steps": 2})
    person = Person(stage, mine)
    person.press("to-signing")
    person.press("sign")
    stage.as_citizen("PUT", mine, body=_draft(stage, mine), complete="false", sign="false")
    person.press("to-signing")

    again = person.press("sign")

    assert again.status_code == 204
    assert stage.element(mine)["signatures"] == 1
    assert stage.operations(mine)[-1].outcome is Outcome.DONE


@pytest.mark.parametrize("stage", ["signing_steps: 3"], indirect=True)
def test_others_who_went_on_in_altinn_leave_it_unclear(stage: Stage) -> None:
    """It may be a signature of theirs, or the form sent anew: the person is sent to Altinn, and nothing is signed."""
    mine = case(stage, signing_steps=3)
    person = Person(stage, mine)
    first = person.press()
    stage.as_citizen("PUT", mine, body=_head(), complete="true", sign="true")

    again = person.press()

    assert (first.status_code, again.status_code, code(again)) == (204, 409, "sign_in_altinn")
    assert (stage.element(mine)["state"], stage.element(mine)["signatures"]) == ("signing", 2)


@SILENT
@pytest.mark.parametrize("action", ["sign", "submit"])
def test_several_steps_that_the_mapping_does_not_know_are_refused(stage: Stage, action: str) -> None:
    """By what metadata tells, before anything is sent; the dialog says where to sign."""
    state = "signing" if action == "sign" else "formfilling"
    mine = stage.case(service={"forms": [FORM], "signing_steps": 2}, state=state)

    answer = Person(stage, mine).press(action)

    assert (answer.status_code, code(answer)) == (409, "sign_in_altinn")
    assert (stage.element(mine)["state"], stage.effects(mine, "altinn2.put")) == (state, [])
    assert stage.activities(mine) == ["Information"]


@SILENT
def test_without_metadata_the_first_signature_tells(stage: Stage) -> None:
    """It is given, and shows that there are more: the same person's is a repeat, another's is refused."""
    stage.fault("altinn2", "GET", "/metadata/", status=503)
    mine = case(stage)
    person, other = Person(stage, mine), Person(stage, mine)

    answers = [person.press(), person.press(), other.press()]

    assert [each.status_code for each in answers] == [204, 204, 409]
    assert code(answers[2]) == "sign_in_altinn"
    assert stage.element(mine)["signatures"] == 1


@pytest.mark.parametrize("stage", ["signing_steps: 2, unique_signers: true", "signing_steps: 2"], indirect=True)
def test_unique_signers_sign_in_altinn_after_the_bridge(stage: Stage) -> None:
    """To Altinn 2 the bridge is one user: known beforehand, or told by its refusal, the second person goes there."""
    mine = case(stage, unique_signers=True)

    first, second = Person(stage, mine).press(), Person(stage, mine).press()

    assert (first.status_code, second.status_code, code(second)) == (204, 409, "sign_in_altinn")
    assert stage.element(mine)["signatures"] == 1


def _head() -> dict[str, Any]:
    return {"Type": "FormTask", "ServiceCode": "5701", "ServiceEdition": 1}


def _draft(stage: Stage, mine: Case) -> dict[str, Any]:
    form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001"}
    return {**_head(), "_embedded": {"forms": [{**form, "FormData": stage.element(mine)["forms"][0]["xml"]}]}}
