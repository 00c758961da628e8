"""The examples of docs/mappings.md, each loaded by a whole bridge, each of its actions pressed."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.bundled import schemas_folder
from bridge.core.operations import Stage as Progress
from bridge.sandbox.apps.examples import example_app
from bridge.sandbox.apps.schemas import xsd
from tests.scenarios.calculating import SUM
from tests.scenarios.stage import VALID, Stage

# Every mapping of the documents, each with a bridge of its own.
pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[2] / "docs" / "mappings.md"
EXAMPLES = re.findall(r"```yaml\n(?:#[^\n]*\n)?(service_resource.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
LETTER = {"forms": [], "attachments": [], "letter": {"needs_confirmation": True}}
SERVICE = {"kind": "Correspondence"}


@pytest.fixture(scope="module", params=range(len(EXAMPLES)))
def example(request: pytest.FixtureRequest) -> Iterator[tuple[int, Stage]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mappings").mkdir()
        (folder / "bridge").mkdir()
        (folder / "mappings" / "example.yaml").write_text(EXAMPLES[request.param], "utf-8")
        schemas = shutil.copytree(schemas_folder(), folder / "schemas")
        (schemas / "regnestykke.xsd").write_text(xsd(example_app().data_types[0]), "utf-8")
        made = Stage(folder / "bridge", BRIDGE_MAPPINGS=str(folder / "mappings"), BRIDGE_SCHEMAS=str(schemas))
        yield request.param, made
        made.stop()


@pytest.fixture
def stage(example: tuple[int, Stage]) -> Stage:
    return example[1]


def test_every_action_of_an_example_does_what_it_says(example: tuple[int, Stage]) -> None:
    """Pressed on an element that it fits, each ends well, and leaves the element where the page says."""
    number, stage = example
    xml = SUM if "regnestykke.xsd" in EXAMPLES[number] else VALID
    key = {"data_format_id": "9001", "data_format_version": "1"}
    for name, about in yaml.safe_load(EXAMPLES[number])["actions"].items():
        whole = next((key for key in ("delete", "confirm", "archive") if about.get(key)), None)
        letter = whole in ("confirm", "archive")
        attachments = [{"file_name": "plan.pdf", "attachment_type": "Plan", "data": "JVBERi0xLjc="}]
        element: dict[str, Any] = {"attachments": attachments, "service": {"signing_steps": 1}}
        if letter:
            element = {**LETTER, "letter": {"needs_confirmation": whole == "confirm"}, "service": SERVICE}
        elif about["form"] == "none" and whole is None:
            element["state"] = "signing"
        if xml is SUM:
            element["forms"] = [{**key, "xml": SUM}]
        case = stage.case(**element)
        body = {"data": xml.encode(), "headers": {"Content-Type": "application/xml"}} if about["form"] == "body" else {}

        # What the dialog's own button would ask for.
        token = stage.token(case, level=4, claims={"a": about["requires"]})

        answer = stage.press(case, name, token=token, **body)

        assert all(each.stage is Progress.FINISHED for each in stage.operations(case))
        wanted = {"delete": "deleted", "confirm": "confirmed", "archive": "archived"}.get(str(whole))
        if wanted is None:
            flags = about.get("complete"), about.get("sign")
            wanted = {(True, False): "signing", (True, True): "archived"}.get(flags, "formfilling")
        assert (name, answer.status_code, stage.element(case)["state"]) == (name, 204, wanted)


def test_the_example_of_a_calculation_fills_in_its_results(example: tuple[int, Stage]) -> None:
    """What the page promises the dialog says, it says, in each language."""
    number, stage = example
    if "show-tax:" not in EXAMPLES[number]:
        return
    form = {"data_format_id": "9001", "data_format_version": "1", "xml": SUM}
    mine, other = stage.case(forms=[form], attachments=[]), stage.case(forms=[form], attachments=[])

    answers = [
        stage.press(mine, "show-tax", data=SUM.encode(), headers={"Content-Type": "application/xml"}),
        stage.press(other, "submit"),
    ]

    assert [each.status_code for each in answers] == [204, 204]
    shown = {each["languageCode"]: each["value"] for each in stage.dialog(mine)["content"]["extendedStatus"]["value"]}
    assert shown == {"nb": "Avgift: 52.25 kr", "nn": "Avgift: 52.25 kr", "en": "Tax: NOK 52.25"}
    told = {each["languageCode"]: each["value"] for each in stage.dialog(other)["content"]["summary"]["value"]}
    assert told["en"] == "Total: 209.00 (209.00)"
