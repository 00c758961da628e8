"""Forms made to harm are refused over HTTP with a clear problem document, and nothing is sent."""

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.forms.test_hostile import ATTACKS
from tests.forms.test_json_in_mappings import FORM, JSON_SCHEMA, XSD
from tests.scenarios.stage import Case, Stage
from tests.scenarios.test_json_bodies import MAPPING

TEXT = json.dumps(FORM)
JSON_ATTACKS = [
    (TEXT.replace('"navn"', '"navn": "A", "navn"', 1), "duplicate_member"),
    (TEXT.replace('"gulvareal": 84.5', '"gulvareal": NaN'), "not_a_number"),
    (TEXT.replace('"gulvareal": 84.5', '"gulvareal": 1e400'), "number_range"),
    ('{"a":' * 400 + "1" + "}" * 400, "too_complex"),
    ("[" * 100_000, "too_complex"),
    ('{"a":[' * 500 + "1" + "]}" * 500, "too_complex"),
    (TEXT[:500], "not_json"),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    mappings, schemas = tmp_path_factory.mktemp("mappings"), tmp_path_factory.mktemp("schemas")
    (mappings / "a.yaml").write_text(MAPPING, "utf-8")
    shutil.copy(XSD, schemas)
    (schemas / "skjema.json").write_text(json.dumps(JSON_SCHEMA), "utf-8")
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(mappings),
        BRIDGE_SCHEMAS=str(schemas),
        BRIDGE_MAX_FORM="2000000",
        BRIDGE_MAX_FORM_MARKUP="100000",
    )
    yield made
    made.stop()


@pytest.fixture
def case(stage: Stage) -> Case:
    """One for each: who is refused too often has to wait."""
    return stage.case()


def refused(stage: Stage, case: Case, body: bytes, media_type: str) -> list[str]:
    """Press with *body*, and give the rules that the problem document tells."""
    answer = stage.press(case, "submit", data=body, content_type=media_type)
    told = answer.get_json()
    assert (answer.status_code, told["type"].rpartition(":")[2]) == (422, "form_invalid")
    assert all(finding["message"] for finding in told["findings"])
    assert stage.effects(case, "altinn2.put") == []
    return [finding["rule"] for finding in told["findings"]]


@pytest.mark.parametrize(("xml", "rule"), [each for each in ATTACKS if each[0]])
def test_each_hostile_xml_is_refused(stage: Stage, case: Case, xml: bytes, rule: str) -> None:
    """By the same rule as at the desk."""
    assert refused(stage, case, xml, "application/xml") == [rule]


@pytest.mark.parametrize(("text", "rule"), JSON_ATTACKS, ids=range(len(JSON_ATTACKS)))
def test_each_hostile_json_is_refused(stage: Stage, case: Case, text: str, rule: str) -> None:
    """Before it is turned into XML."""
    assert refused(stage, case, text.encode(), "application/json") == [rule]
