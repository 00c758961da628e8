"""Many presses at once: one effect, in order, and dialogs beside each other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes.harness import Site, site, until


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("concurrency")) as one:
        one.serve()
        yield one


def test_fifty_presses_have_one_effect(made: Site) -> None:
    """Fifty tabs press the same button at once: one archived form, fifty good answers."""
    case = made.case()

    with ThreadPoolExecutor(50) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: made.press(case), range(50))]

    until(lambda: made.finished(case), what="the end")
    assert set(statuses) <= {202, 204}
    assert len(made.effects(case, "altinn2.put")) == 1
    assert len(made.effects(case, "altinn2.archived")) == 1
    # One change for each operation: those that joined share it, a press after the end has its own.
    assert made.activities(case) == ["FormSubmitted", *["Information"] * (len(made.rows(case)) - 1)]
    assert len(made.effects(case, "dialogporten.patch")) == len(made.rows(case))


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[Site]:
    """A bridge that has not learned yet that the service has no signing step."""
    with site(tmp_path) as made:
        made.serve()
        yield made


def test_two_actions_on_a_dialog_keep_their_order(signing: Site) -> None:
    """The first takes long; the second waits for it, and finds what it left."""
    case = signing.case(service={"signing_steps": 1})
    signing.trap = lambda: until(lambda: len(signing.rows(case)) == 2, what="the second press")
    fault = {"system": "altinn2", "match": {"method": "PUT", "path": case.message_id}, "how": {"delay_seconds": 1}}
    signing.control("POST", "/faults", fault)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(signing.press, case, "send-to-signing")
        until(lambda: signing.rows(case), what="the first press")
        second = pool.submit(signing.press, case, "sign")

    assert (first.result().status_code, second.result().status_code) == (204, 204)
    states = [(each["state_before"], each["state_after"]) for each in signing.effects(case, "altinn2.put")]
    assert states == [("formfilling", "signing"), ("signing", "archived")]
    assert signing.activities(case) == ["SentToSigning", "FormSubmitted"]


def test_ten_dialogs_go_side_by_side(made: Site) -> None:
    """While one dialog's PUT is out, others finish; nobody waits for a stranger's upstream."""
    slow, others = made.case(), [made.case() for _ in range(9)]
    made.trap = lambda: until(lambda: all(made.finished(each) for each in others), what="the others' end")
    fault = {"system": "altinn2", "match": {"method": "PUT", "path": slow.message_id}, "how": {"delay_seconds": 1}}
    made.control("POST", "/faults", fault)

    with ThreadPoolExecutor(10) as pool:
        statuses = [answer.status_code for answer in pool.map(made.press, [slow, *others])]

    assert set(statuses) == {204}
    ends = [made.rows(each)[0].finished_at for each in (slow, *others)]
    assert ends[0] == max(ends)
