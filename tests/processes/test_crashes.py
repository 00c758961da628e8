"""``kill -9`` at every call of an operation, and at moments between: one PUT, one dialog change, nothing lost."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.processes.harness import Case, Process, Site, site, until

pytestmark = pytest.mark.slow

CALLS = 19
"""The calls of one operation in a fresh process, tokens and metadata included; a test counts them in a real run."""
MOMENTS = [(call, side) for call in range(CALLS) for side in ("before", "after")]
PAUSES = (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15)
"""Seconds after the press, for what happens between the calls."""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("crashes")) as made:
        yield made


def check_once(made: Site, case: Case) -> None:
    """One completing PUT, one archived copy, one change of the dialog."""
    puts = [each for each in made.effects(case, "altinn2.put") if each["complete"]]
    assert [each["state_after"] for each in puts] == ["archived"]
    assert (puts[0]["form_count"], puts[0]["attachment_count"]) == (1, 1)
    assert len(made.effects(case, "altinn2.archived")) == 1
    assert len(made.effects(case, "dialogporten.patch")) == 1
    assert made.activities(case) == ["FormSubmitted"]


def press_in_background(made: Site, case: Case) -> threading.Thread:
    def press() -> None:
        try:
            made.press(case)
        except requests.RequestException:
            return

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def press_again_if_nothing_was_accepted(made: Site, case: Case) -> None:
    """A person whose press got no answer presses again; one that was accepted needs nobody."""
    if not made.rows(case):
        assert made.press(case).status_code == 204
    until(lambda: made.finished(case), what="the end of the operation")


def test_calls_of_an_operation_are_all_counted(embedded: Site) -> None:
    """The moments below cover a whole operation, from its first call to its last."""
    process = embedded.serve()
    case = embedded.case()
    embedded.control("DELETE", "/calls")

    answer = embedded.press(case)

    calls = [each for each in embedded.world.calls.all() if each.caller.startswith("altinn-dialog-bridge")]
    process.kill()
    assert answer.status_code == 204
    assert len(calls) == CALLS, [f"{each.method} {each.template}" for each in calls]


@pytest.mark.parametrize(("call", "side"), MOMENTS, ids=[f"{side} call {call}" for call, side in MOMENTS])
def test_killed_at_a_call_goes_on_after_restart(embedded: Site, call: int, side: str) -> None:
    """The process dies just before, or just after, a call takes effect."""
    process = embedded.serve()
    case = embedded.case()
    embedded.trap = process.kill
    delay = {"delay_seconds": 1} if side == "before" else {"delay_after": 1}
    embedded.control("POST", "/faults", {"skip": call, "how": delay})

    thread = press_in_background(embedded, case)
    process.popen.wait(30)
    thread.join()
    embedded.control("DELETE", "/faults")
    revived = embedded.serve()
    press_again_if_nothing_was_accepted(embedded, case)

    check_once(embedded, case)
    revived.kill()


@pytest.mark.parametrize("pause", PAUSES)
def test_killed_between_calls_goes_on_after_restart(embedded: Site, pause: float) -> None:
    """The process dies some time after the press, wherever it is then."""
    process = embedded.serve()
    case = embedded.case()

    thread = press_in_background(embedded, case)
    threading.Event().wait(pause)
    process.kill()
    thread.join()
    revived = embedded.serve()
    press_again_if_nothing_was_accepted(embedded, case)

    check_once(embedded, case)
    revived.kill()


def test_second_service_on_one_file_is_refused(embedded: Site, tmp_path: Path) -> None:
    """Two workers on an embedded store would be two workers under one name."""
    del tmp_path
    process = embedded.serve()

    second: Process = embedded.run("serve")

    assert second.popen.wait(30) == 2
    assert "another process serves" in second.log.read_text()
    process.kill()


HANG = """
CREATE TRIGGER hang BEFORE UPDATE OF archived_id ON links BEGIN
  SELECT count(*) FROM many a, many b, many c, many d, many e, many f;
END
"""
"""Holds up the write of the archived copy's id for longer than any test runs."""


def test_killed_while_it_writes_what_was_archived_loses_no_half(tmp_path: Path) -> None:
    """That it is done, and where its copy lies, is one fact: both are written down, or neither."""
    with site(tmp_path) as made:
        process = made.serve()
        case = made.case()
        database = sqlite3.connect(tmp_path / "bridge.sqlite", isolation_level=None, timeout=30)
        database.execute("CREATE TABLE many (n INTEGER)")
        database.executemany("INSERT INTO many VALUES (?)", [(n,) for n in range(1000)])
        database.execute(HANG)

        thread = press_in_background(made, case)
        until(lambda: made.effects(case, "altinn2.archived"), what="the PUT")
        until(lambda: is_busy(tmp_path / "bridge.sqlite"), what="the write of the copy's id")
        process.kill()
        thread.join()
        database.execute("DROP TRIGGER hang")
        database.execute("DROP TABLE many")
        made.serve()
        until(lambda: made.finished(case), what="the end of the operation")

        [archived] = made.effects(case, "altinn2.archived")
        kept = database.execute("SELECT archived_id FROM links WHERE dialog_id = ?", (str(case.dialog_id),)).fetchone()
        database.close()
        check_once(made, case)
        assert kept == (archived["message_id"],)


def is_busy(path: Path) -> bool:
    """Whether somebody writes, and goes on writing."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False
