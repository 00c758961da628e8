"""A session as the app frontend has it (facts/altinn3-and-tokens.md 2): whole models, echoes, patches, later edits."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.proxying import HOURS, Proxying

ROUTE = """\
token: caller
anonymous: true
one_at_a_time: true
data_types: {timeliste: {schema: timeliste.xsd, validate: warn}}
"""
QUERY = "dataType=timeliste&includeRowId=true&language=nb"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/plain, */*"}
GROUP, DAYS, HOURS_FIELD = "Ansatt-grp-7101", "Dag-grp-7102", "Timer-datadef-7103"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Proxying]:
    made = Proxying(tmp_path, {HOURS: ROUTE})
    yield made
    made.close()


class Frontend:
    """Keeps *current* (what the person sees) and *saved* (the last answer), as the frontend does."""

    def __init__(self, stage: Proxying) -> None:
        self._stage = stage
        self.saved: Any = stage.send("GET", HOURS, QUERY).get_json()
        self.current = copy.deepcopy(self.saved)
        self.under_way: Any = None

    def begin_save(self) -> None:
        """Send the whole model; the person goes on typing."""
        self.under_way = copy.deepcopy(self.current)

    def end_save(self) -> None:
        """Take the answer: what it changed of what was sent is put on what stands there now."""
        answer = self._stage.send("POST", HOURS, QUERY, data=json.dumps(self.under_way), headers=HEADERS).get_json()
        self.current = patched(self.current, self.under_way, answer)
        self.saved = answer


def patched(current: Any, sent: Any, answer: Any) -> Any:
    """Put the difference between *sent* and *answer* on *current*, where nobody typed meanwhile."""
    if isinstance(sent, dict) and isinstance(answer, dict) and isinstance(current, dict):
        names = dict.fromkeys([*current, *answer])
        return {
            name: patched(current.get(name), sent.get(name), answer.get(name))
            for name in names
            if name in answer or name not in sent
        }
    if isinstance(sent, list) and isinstance(answer, list) and isinstance(current, list) and len(sent) == len(answer):
        return [
            patched(here, before, after) for here, before, after in zip(current, sent, answer, strict=False)
        ] + current[len(sent) :]
    return answer if current == sent else current


def test_later_edits_of_the_user_win(stage: Proxying) -> None:
    """What is typed while a save is under way survives its answer, and is saved by the next."""
    page = Frontend(stage)
    page.current[GROUP] = [{"ansattnummer": "1", DAYS: [{"dato": "2026-03-02", HOURS_FIELD: {"value": 7.5}}]}]

    page.begin_save()
    page.current[GROUP][0]["stilling"] = "kokk"
    page.current[GROUP].append({"ansattnummer": "2", DAYS: []})
    page.end_save()
    between = copy.deepcopy(page.current)
    page.begin_save()
    page.end_save()

    assert between[GROUP][0]["stilling"] == "kokk"
    assert between[GROUP][0]["sumTimer"] == 7.5
    assert [each["ansattnummer"] for each in page.current[GROUP]] == ["1", "2"]
    assert (page.current["sumTimer"], page.current["antallAnsatte"]) == (7.5, 2)


def test_an_answer_echoes_what_was_sent(stage: Proxying) -> None:
    """Saving what came back changes nothing: nulls, rows, their ids and their order are the same."""
    page = Frontend(stage)
    page.current[GROUP] = [{"ansattnummer": str(number), DAYS: [{"dato": None}]} for number in (3, 1, 2)]

    page.begin_save()
    page.end_save()
    first = copy.deepcopy(page.saved)
    page.begin_save()
    page.end_save()

    assert page.saved == first == page.current
    assert [each["ansattnummer"] for each in first[GROUP]] == ["3", "1", "2"]
    assert len({each["altinnRowId"] for each in first[GROUP]}) == 3


def test_ten_saves_in_a_row_stand_still(stage: Proxying) -> None:
    """The frontend stops with an error when saves go on and on; the bridge adds nothing that would make them."""
    page = Frontend(stage)
    page.current[GROUP] = [{"ansattnummer": "1", DAYS: [{HOURS_FIELD: {"value": 3}}]}]
    answers = []

    for _ in range(10):
        page.begin_save()
        page.end_save()
        answers.append(json.dumps(page.saved))

    assert len(set(answers)) == 1
