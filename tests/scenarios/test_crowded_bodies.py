"""Long bodies beside too many others: told to come again, with nothing done, and taken when there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.rooms import MOVES, STEP, Bodies
from tests.scenarios.stage import VALID, Stage
from tests.test_rooms import Ticks
from tests.web.proxying import SUM, Proxying

# Bodies of many megabytes, at once.
pytestmark = pytest.mark.slow

OPEN = "token: caller\nanonymous: true\nverbs: get_post\n"
LONG = VALID.replace("</melding>", f"<!--{'x' * STEP}--></melding>")
MAPPING = """\
service_resource: urn:altinn:resource:serveringsbevilling
altinn2: {service_code: "5701", service_edition: 1}
forms:
  - {type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}
actions:
  save: {requires: write, minimum_level: 3, target: altinn2, form: body, complete: false, sign: false}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "a.yaml").write_text(MAPPING, "utf-8")
    made = Stage(tmp_path, BRIDGE_MAPPINGS=str(tmp_path / "mappings"))
    yield made
    made.stop()


def test_a_press_beside_too_many_is_told_to_come_again(stage: Stage) -> None:
    """Nothing was done; a short form goes by, and the long one is taken once the others are gone."""
    ticks = Ticks()
    stage.bridge.rooms.bodies = Bodies(2 * STEP, clock=ticks)
    case = stage.case()
    token = stage.token(case)
    xml = {"Content-Type": "application/xml"}
    with stage.bridge.rooms.bodies.load() as others:
        others.grow(2 * STEP)
        ticks.now += MOVES
        refused = stage.press(case, "save", token=token, data=LONG.encode(), headers=xml)
        operations = stage.operations(case)
        short = stage.press(case, "save", token=token, data=VALID.encode(), headers=xml)
    taken = stage.press(case, "save", token=token, data=LONG.encode(), headers=xml)

    assert (refused.status_code, refused.get_json()["type"].rpartition(":")[2]) == (503, "too_busy")
    assert "Retry-After" in refused.headers
    assert operations == []
    assert (short.status_code, taken.status_code) == (204, 204)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_calculation_beside_too_many_is_told_to_come_again(tmp_path: Path, chunked: bool) -> None:
    """Where the form is read whole, as it is for a report; the app hears nothing of it."""
    (tmp_path / "proxy").mkdir()
    made, ticks = Proxying(tmp_path / "proxy", {SUM: OPEN}), Ticks()
    made.bridge.rooms.bodies = Bodies(2 * STEP, clock=ticks)
    body = b'{"linje": []' + b" " * STEP + b"}"
    about = {"environ_overrides": {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}} if chunked else {}
    headers = {"Content-Type": "application/json", **({"Transfer-Encoding": "chunked"} if chunked else {})}

    def calculate() -> int:
        return made.send(
            "POST", query="dataType=regnestykke&bridge-report=true", data=body, headers=headers, **about
        ).status_code

    with made.bridge.rooms.bodies.load() as others:
        others.grow(2 * STEP)
        ticks.now += MOVES
        refused, calls = calculate(), made.calls()
    taken = calculate()
    made.close()

    assert (refused, calls, taken) == (503, [], 200)
