"""Several signatures: each is one person's press, and nobody's is given twice or for somebody else."""

import hashlib
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
from tests.scenarios.stage import Case, Stage, until

# Each case is pressed by several people, one after the other: a minute in all.
pytestmark = pytest.mark.slow

FORM = {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001"}


def made(folder: Path, says: str, **environ: str) -> Stage:
    (folder / "mappings").mkdir()
    text = TEXT.replace("bare_completion: BARE", says)
    (folder / "mappings" / "all.yaml").write_text(text, "utf-8")
    return Stage(folder, BRIDGE_MAPPINGS=str(folder / "mappings"), **environ)


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    says, environ = getattr(request, "param", "signing_steps: 2"), {}
    if isinstance(says, tuple):
        says, environ = says
    stage = made(tmp_path, says, **environ)
    yield stage
    stage.stop()


LATE = {"BRIDGE_ANSWER_WITHIN": "0.05", "BRIDGE_ALTINN2_SETTLE": "0.1", "BRIDGE_ALTINN2_LATE": "300"}
SILENT = pytest.mark.parametrize("stage", ["others_sign: false"], indirect=True)


def case(stage: Stage, **about: Any) -> Case:
    return stage.case(service={"forms": [FORM], "signing_steps": 2, **about}, state="signing")


class Person:
    """Somebody with a token of their own."""

    def __init__(self, stage: Stage, case: Case, actor: str = "") -> None:
        self.stage, self.case = stage, case
        self.actor = actor or f"urn:altinn:person:identifier-no:{stage.world.new_person()}"
        self.token = stage.token(case, level=4, claims={"a": "sign;read;write", "c": self.actor})

    def press(self, action: str = "sign") -> TestResponse:
        return self.stage.press(self.case, action, token=self.token)

    def at(self, case: Case) -> "Person":
        """The same person, at another dialog."""
        return Person(self.stage, case, self.actor)


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


def test_who_signed_is_known_by_a_digest_until_it_is_filled_in_anew(stage: Stage) -> None:
    """While others are waited for, and once it is archived: the row is erased when its time is over."""
    mine = case(stage)

    Person(stage, mine).press()
    waiting = remembered(stage, mine)
    Person(stage, mine).press()
    archived = remembered(stage, mine)

    other = stage.case(service={"forms": [FORM], "signing_steps": 2})
    person = Person(stage, other)
    person.press("submit")
    stage.as_citizen("PUT", other, body=_draft(stage, other), complete="false", sign="false")
    person.press("to-signing")

    assert (waiting, archived, remembered(stage, other)) == (1, 2, 0)


def beside(stage: Stage, mine: Case) -> Case:
    """Another dialog of the same element."""
    return stage.dialog_for(mine.message_id, mine.who)


@pytest.mark.parametrize("first", ["sign", "submit"])
def test_the_same_person_signs_once_by_two_dialogs(stage: Stage, first: str) -> None:
    """A signature is one of the element: the second press is a repeat, by whichever dialog it comes."""
    mine = case(stage) if first == "sign" else stage.case(service={"forms": [FORM], "signing_steps": 2})
    other = beside(stage, mine)
    person = Person(stage, mine)

    answers = [person.press(first), person.at(other).press(), person.press()]

    assert [each.status_code for each in answers] == [204, 204, 204]
    assert (stage.element(mine)["state"], stage.element(mine)["signatures"]) == ("signing", 1)
    assert [each.outcome for each in stage.operations(other)] == [Outcome.REPEATED]


@pytest.mark.parametrize("rounds", range(3))
def test_the_same_person_signs_once_by_two_dialogs_at_the_same_moment(stage: Stage, rounds: int) -> None:
    """The second waits until it is known what became of the first."""
    mine = case(stage)
    other = beside(stage, mine)
    person = Person(stage, mine)
    stage.fault("altinn2", "PUT", mine.message_id, delay_seconds=0.2 * rounds)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.press(), (person, person.at(other))))
    until(lambda: all(each.outcome for each in (*stage.operations(mine), *stage.operations(other))))

    assert (stage.element(mine)["state"], stage.element(mine)["signatures"]) == ("signing", 1)
    assert len(stage.effects(mine, "altinn2.put")) == 1


def test_a_signature_counts_before_its_dialog_was_told(stage: Stage) -> None:
    """While Dialogporten refuses to be told, the other dialog's press finds it all the same."""
    mine = case(stage)
    other = beside(stage, mine)
    person = Person(stage, mine)
    stage.fault("dialogporten", "PATCH", str(mine.dialog_id), status=503, times=1000)

    first, again = person.press(), person.at(other).press()
    stage.control("DELETE", "/faults")

    assert (first.status_code, again.status_code) == (202, 204)
    assert stage.element(mine)["signatures"] == 1
    assert [each.outcome for each in stage.operations(other)] == [Outcome.REPEATED]


def test_two_people_sign_by_two_dialogs(stage: Stage) -> None:
    """What holds one person back holds no other: both signatures are given."""
    mine = case(stage)
    other = beside(stage, mine)

    answers = [Person(stage, mine).press().status_code, Person(stage, other).press().status_code]

    assert answers == [204, 204]
    assert stage.element(mine)["state"] == "archived"


def test_a_signature_that_an_earlier_release_kept_protects(stage: Stage) -> None:
    """Its digest was of dialog and person: it is known again, also by another dialog."""
    mine = case(stage)
    other = beside(stage, mine)
    person = Person(stage, mine)
    person.press()
    before = hashlib.sha256(f"{mine.dialog_id} {person.actor}".encode()).hexdigest()
    with stage.bridge.store.engine.begin() as connection:
        connection.execute(operations.update().values(signer=before))

    answers = [person.press().status_code, person.at(other).press().status_code]

    assert answers == [204, 204]
    assert stage.element(mine)["signatures"] == 1


def test_who_comes_when_it_is_archived_is_not_told_that_they_signed(stage: Stage) -> None:
    """Those who signed are told that they had; the third is told that their press gave none."""
    mine = case(stage)
    people = [Person(stage, mine) for _ in range(3)]

    answers = [each.press() for each in people]
    again = [each.press() for each in people]

    assert [each.status_code for each in answers + again] == [204, 204, 409, 204, 204, 409]
    assert {code(answers[2]), code(again[2])} == {"signature_not_needed"}
    assert [each.outcome for each in stage.operations(mine)][:3] == [Outcome.DONE, Outcome.DONE, Outcome.REFUSED]
    told = stage.dialog(mine)["activities"][2]["description"]
    assert any("press to sign gave no signature" in each["value"] for each in told)


@pytest.mark.parametrize("stage", ["others_sign: false"], indirect=True)
@pytest.mark.parametrize("action", ["sign", "submit"])
def test_one_signature_is_one_persons(stage: Stage, action: str) -> None:
    """Also where the press takes the form as it lies, and by another dialog."""
    state = "signing" if action == "sign" else "formfilling"
    mine = stage.case(service={"forms": [FORM], "signing_steps": 1}, state=state)
    person, other = Person(stage, mine), Person(stage, beside(stage, mine))

    answers = [person.press(action), person.press(action), other.press(action)]

    assert [each.status_code for each in answers] == [204, 204, 409]
    assert code(answers[2]) == "signature_not_needed"
    assert stage.element(mine)["signatures"] == 1


@pytest.mark.parametrize("stage", ["others_sign: false"], indirect=True)
def test_where_nobody_signs_it_is_done_for_all(stage: Stage) -> None:
    """A service without a signing step has no signer to be mistaken for."""
    mine = stage.case(service={"forms": [FORM], "signing_steps": 0})

    answers = [Person(stage, mine).press("submit").status_code for _ in range(2)]

    assert answers == [204, 204]


@pytest.mark.parametrize("stage", [("others_sign: false", LATE)], indirect=True, ids=["late"])
@pytest.mark.parametrize("action", ["sign", "submit"])
def test_nothing_that_signs_is_repeated_where_nobody_knows_the_steps(stage: Stage, action: str) -> None:
    """Without metadata the late one could be the next signature: it is waited for."""
    stage.fault("altinn2", "GET", "/metadata/", status=503, times=1000)
    state = "signing" if action == "sign" else "formfilling"
    mine = stage.case(service={"forms": [FORM], "signing_steps": 2}, state=state)
    stage.fault("altinn2", "PUT", mine.message_id, cut="held")
    Person(stage, mine).press(action)
    until(lambda: stage.operations(mine)[0].uncertain_at is not None)
    looks = len(stage.effects(mine, "altinn2.put"))

    came = stage.control("POST", "/faults/held")
    until(lambda: stage.operations(mine)[0].outcome is not None)
    stage.control("DELETE", "/faults")

    assert (looks, came) == (0, {"came": 1})
    assert (stage.element(mine)["state"], stage.element(mine)["signatures"]) == ("signing", 1)


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
