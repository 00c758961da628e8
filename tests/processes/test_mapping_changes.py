"""A mapping that is another, or gone, when a press that was accepted under it is brought to Altinn 2."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.bundled import schemas_folder
from tests.processes.harness import VALID, Case, Site, site, until

pytestmark = pytest.mark.slow

ACTION = "{requires: write, minimum_level: 3, target: altinn2, form: body, complete: false, sign: false}"
MAPPING = f"""\
service_resource: urn:altinn:resource:serveringsbevilling
altinn2: {{service_code: "5701", service_edition: 1}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  save: {ACTION}
"""
SIGNS = MAPPING.replace("complete: false, sign: false", "complete: true, sign: true")
TELLS = MAPPING + "dialog: {search_tags: [servering]}\n"
CHANGED = VALID.replace("Kafé", "Ny kafé", 1)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Site]:
    """A site with one mapping, which a test may write anew."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "servering.yaml").write_text(MAPPING, "utf-8")
    settings = {
        "BRIDGE_MAPPINGS": str(tmp_path / "mappings"),
        "BRIDGE_SCHEMAS": str(shutil.copytree(schemas_folder(), tmp_path / "schemas")),
        "BRIDGE_ANSWER_WITHIN": "0",
        # What is out may take as long as it takes to deploy.
        "BRIDGE_ALTINN2_SETTLE": "1",
    }
    with site(tmp_path, **settings) as made:
        yield made


def away(made: Site) -> None:
    made.control("POST", "/faults", {"system": "altinn2", "match": {"method": "GET"}, "how": {"status": 503}} | MANY)


MANY: dict[str, Any] = {"times": None}


def deploy(made: Site, mapping: str | None, **environ: str) -> None:
    """Stop the process, write the mapping, and start another with Altinn 2 back."""
    made.processes[-1].stop()
    file = made.folder / "mappings" / "servering.yaml"
    if mapping is None:
        # Another service's stays, so that there is something to serve.
        file.write_text(MAPPING.replace("resource:servering", "resource:utleie"), "utf-8")
    else:
        file.write_text(mapping, "utf-8")
    made.control("DELETE", "/faults")
    made.environ |= environ
    made.serve()


def pressed(made: Site) -> Case:
    """A draft that was accepted while Altinn 2 was away."""
    made.serve()
    case = made.case()
    away(made)
    answer = made.press(case, "save", data=CHANGED.encode(), **{"Content-Type": "application/xml"})
    assert answer.status_code == 202
    return case


def ended(made: Site, case: Case) -> tuple[str, str | None]:
    row = until(lambda: made.finished(case), what="the end of the operation")[0]
    told = made.http.get(f"{made.url}/operations/{row.id}", headers={"Authorization": f"Bearer {case.token}"})
    problem = told.json().get("problem")
    return told.json()["outcome"], None if problem is None else problem["type"].rpartition(":")[2]


def test_a_draft_that_was_accepted_is_never_signed(made: Site) -> None:
    """The mapping was changed while it waited: refused, told to the dialog, and nothing sent."""
    case = pressed(made)

    deploy(made, SIGNS)

    assert ended(made, case) == ("refused", "mapping_changed")
    assert made.effects(case, "altinn2.put") == []
    assert made.activities(case) == ["Information"]


def test_a_mapping_that_only_tells_otherwise_refuses_nothing(made: Site) -> None:
    """A better text does not lose a press; the dialog says it as the mapping says it by then."""
    case = pressed(made)

    deploy(made, TELLS)

    assert ended(made, case) == ("done", None)
    assert [each["complete"] for each in made.effects(case, "altinn2.put")] == [False]
    assert made.as_owner("GET", f"/{case.dialog_id}").json()["searchTags"] == [{"value": "servering"}]


def test_what_was_sent_already_goes_on_as_it_was_accepted(made: Site) -> None:
    """A PUT is out without an answer: it is looked after by what was accepted, and not sent as something else."""
    made.serve()
    case = made.case()
    cut = {"system": "altinn2", "match": {"method": "PUT"}, "how": {"cut": "after"}}
    made.control("POST", "/faults", cut)
    made.press(case, "save", data=CHANGED.encode(), **{"Content-Type": "application/xml"})
    until(lambda: made.effects(case, "altinn2.put"), what="the PUT")

    deploy(made, SIGNS)

    assert ended(made, case) == ("done", None)
    assert [each["complete"] for each in made.effects(case, "altinn2.put")] == [False]
    assert made.activities(case) == ["FormSaved"]


def test_an_action_that_is_gone_is_refused_at_once(made: Site) -> None:
    """The service goes on without it: nothing comes back by waiting, and the button is not there any more."""
    case = pressed(made)

    deploy(made, MAPPING.replace("  save:", "  store:"))

    assert ended(made, case) == ("refused", "mapping_changed")
    assert made.effects(case, "altinn2.put") == []
    assert made.activities(case) == ["Information"]


def test_a_dialog_is_told_though_its_mapping_is_gone(made: Site) -> None:
    """When the bridge gives up it says so by what it kept when it accepted the press."""
    case = pressed(made)

    deploy(made, None, BRIDGE_GIVE_UP_AFTER="2")

    assert ended(made, case) == ("givenUp", "mapping_changed")
    assert made.effects(case, "altinn2.put") == []
    assert made.activities(case) == ["Information"]
