"""The examples of docs/mappings.md, each loaded by a whole bridge, each of its actions pressed."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.core.operations import Stage as Progress
from tests.scenarios.stage import VALID, Stage

DOCUMENT = Path(__file__).parents[2] / "docs" / "mappings.md"
EXAMPLES = re.findall(r"```yaml\n(?:#.*\n)?(service_resource.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
LETTER = {"forms": [], "attachments": [], "letter": {"needs_confirmation": True}}
SERVICE = {"kind": "Correspondence"}


@pytest.fixture(scope="module", params=range(len(EXAMPLES)))
def example(request: pytest.FixtureRequest) -> Iterator[tuple[int, Stage]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mappings").mkdir()
        (folder / "bridge").mkdir()
        (folder / "mappings" / "example.yaml").write_text(EXAMPLES[request.param], "utf-8")
        made = Stage(folder / "bridge", BRIDGE_MAPPINGS=str(folder / "mappings"))
        yield request.param, made
        made.stop()


@pytest.fixture
def stage(example: tuple[int, Stage]) -> Stage:
    return example[1]


def test_every_action_of_an_example_does_what_it_says(example: tuple[int, Stage]) -> None:
    """Pressed on an element that it fits, each ends well, and leaves the element where the page says."""
    number, stage = example
    for name, about in yaml.safe_load(EXAMPLES[number])["actions"].items():
        whole = next((key for key in ("delete", "confirm", "archive") if about.get(key)), None)
        letter = whole in ("confirm", "archive")
        attachments = [{"file_name": "plan.pdf", "attachment_type": "Plan", "data": "JVBERi0xLjc="}]
        element: dict[str, Any] = {"attachments": attachments, "service": {"signing_steps": 1}}
        if letter:
            element = {**LETTER, "letter": {"needs_confirmation": whole == "confirm"}, "service": SERVICE}
        elif about["form"] == "none" and whole is None:
            element["state"] = "signing"
        case = stage.case(**element)
        body = (
            {"data": VALID.encode(), "headers": {"Content-Type": "application/xml"}} if about["form"] == "body" else {}
        )

        answer = stage.press(case, name, **body)

        assert all(each.stage is Progress.FINISHED for each in stage.operations(case))
        wanted = {"delete": "deleted", "confirm": "confirmed", "archive": "archived"}.get(str(whole))
        if wanted is None:
            flags = about["complete"], about["sign"]
            wanted = {(True, False): "signing", (True, True): "archived"}.get(flags, "formfilling")
        assert (name, answer.status_code, stage.element(case)["state"]) == (name, 204, wanted)
