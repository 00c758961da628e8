"""``kill -9`` at every call of an action that calculates: one PUT or none, one dialog change, the results in it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.processes.harness import Case, Process, Site, site, until
from tests.scenarios.calculating import SUM, XML, configuration

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """
    An action, how many calls it makes in a fresh process (counted in a real run), and what it leaves.

    *writes* are those calls that are more than reads: dying after a read is dying before it.
    """

    action: str
    data: bytes | None
    calls: int
    writes: tuple[int, ...]
    puts: int
    activity: str


SUBMIT = Pressed(action="submit", data=None, calls=22, writes=(1, 4, 12, 16, 21), puts=1, activity="FormSubmitted")
SHOW = Pressed(action="show", data=SUM.encode(), calls=8, writes=(1, 4, 7), puts=0, activity="Information")
MOMENTS = [
    (pressed, call, side)
    for pressed in (SUBMIT, SHOW)
    for side, calls in (("before", range(pressed.calls)), ("after", pressed.writes))
    for call in calls
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("calculation-crashes")
    with site(folder, **configuration(folder)) as one:
        yield one


def a_case(made: Site) -> Case:
    case = made.case(SUM, data_format=("9001", "1"))
    made.control("DELETE", "/calls")
    return case


def press(made: Site, case: Case, pressed: Pressed) -> requests.Response:
    return made.press(case, pressed.action, data=pressed.data, **(XML if pressed.data else {}))


def killed_at(made: Site, process: Process, case: Case, pressed: Pressed, *, call: int, side: str) -> None:
    """Press, and let the process die at its call number *call*, just before or just after it takes effect."""
    made.trap = process.kill
    made.control("POST", "/faults", {"skip": call, "how": {"delay_seconds" if side == "before" else "delay_after": 1}})

    def try_it() -> None:
        try:
            press(made, case, pressed)
        except requests.RequestException:
            return

    thread = threading.Thread(target=try_it)
    thread.start()
    process.popen.wait(30)
    thread.join()
    made.control("DELETE", "/faults")


def calculations(made: Site) -> int:
    return sum(each.method == "POST" and each.path.endswith("/v1/data") for each in made.world.calls.all("apps"))


def check_once(made: Site, case: Case, pressed: Pressed) -> None:
    """One completing PUT where there is one at all, one change of the dialog, and the result in its words."""
    puts = [each for each in made.effects(case, "altinn2.put") if each["complete"]]
    assert [each["state_after"] for each in puts] == ["archived"] * pressed.puts
    assert len(made.effects(case, "altinn2.put")) == len(made.effects(case, "altinn2.archived")) == pressed.puts
    assert len(made.effects(case, "dialogporten.patch")) == 1
    assert made.activities(case) == [pressed.activity]
    content = made.as_owner("GET", f"/{case.dialog_id}").json()["content"]
    assert content["summary"]["value"][0]["value"] == "Sum 209.00"


@pytest.mark.parametrize("pressed", [SUBMIT, SHOW], ids=lambda each: each.action)
def test_calls_are_all_counted(made: Site, pressed: Pressed) -> None:
    """The moments below cover a whole operation, from its first call to its last, its one calculation included."""
    process = made.serve()
    case = a_case(made)

    answer = press(made, case, pressed)

    calls = [each for each in made.world.calls.all() if each.caller.startswith("altinn-dialog-bridge")]
    process.kill()
    assert answer.status_code == 204
    check_once(made, case, pressed)
    assert calculations(made) == 1
    told = [f"{each.method} {each.template}" for each in calls]
    assert len(calls) == pressed.calls, told
    assert tuple(index for index, each in enumerate(calls) if each.method != "GET") == pressed.writes, told


@pytest.mark.parametrize(
    ("pressed", "call", "side"), MOMENTS, ids=[f"{each.action}, {side} call {call}" for each, call, side in MOMENTS]
)
def test_killed_at_a_call_goes_on_after_restart(made: Site, pressed: Pressed, call: int, side: str) -> None:
    """A calculation stores nothing, so it is made once more where it has to be; its effect is there once."""
    process = made.serve()
    case = a_case(made)

    killed_at(made, process, case, pressed, call=call, side=side)
    revived = made.serve()
    if not made.rows(case):
        assert press(made, case, pressed).status_code == 204
    until(lambda: made.finished(case), what="the end of the operation")

    check_once(made, case, pressed)
    assert calculations(made) in (1, 2)
    revived.kill()
