"""A batch of a kind that the bridge does not know: how far it is outlives the process that carries it out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.parts import Bridge
from bridge.steps.batch.runs import SILENT, LeasedRun, Stopped, take_run, tick
from bridge.storage.runs import Run, Runs
from tests.scenarios.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("runs"))
    yield made
    made.stop()


@pytest.fixture
def bridge(stage: Stage) -> Bridge:
    """One that no worker's heartbeat speaks for."""
    return replace(stage.bridge, holder="a command")


def other(bridge: Bridge, *, after: timedelta = timedelta()) -> Bridge:
    return replace(bridge, holder="another command", clock=lambda: bridge.clock() + after)


def begun(bridge: Bridge, kind: str) -> Run:
    run = take_run(bridge, kind, f"{kind}-{bridge.new_id()}", scope=("b", "a"))
    assert run is not None
    return run


def count(bridge: Bridge, run: Run, *, up_to: int, dry: bool = False, stop_at: int | None = None) -> LeasedRun:
    """Count from the cursor on."""
    done: list[int] = []
    with LeasedRun(bridge, run, stopping=lambda: bool(done) and done[-1] == stop_at, dry=dry) as lease:
        for number in range(int(lease.cursor or 0) + 1, up_to + 1):
            done.append(number)
            lease.counts["counted"] += 1
            lease.move_to(str(number))
    return lease


def test_who_died_is_taken_over_where_it_was(bridge: Bridge) -> None:
    """Not before it was silent for long; the one that died, if it did not, finds out at its next beat."""
    lease = LeasedRun(bridge, begun(bridge, "dying"), stopping=lambda: False, dry=False)
    lease.counts["counted"] += 1
    lease.move_to("1")

    early = take_run(other(bridge, after=SILENT / 2), "dying", "another")
    taken = take_run(other(bridge, after=SILENT * 2), "dying", "another")
    assert taken is not None
    whole = count(other(bridge), taken, up_to=3)

    assert early is None
    assert (taken.id, taken.scope, taken.cursor) == (lease.id, ("a", "b"), "1")
    assert whole.counts == {"counted": 3}
    with pytest.raises(Stopped, match="took the run over"):
        lease.beat()


def test_who_is_told_to_stop_leaves_it_at_once(bridge: Bridge) -> None:
    """Nobody waits for the silence of a process that said that it goes; what was counted counts."""
    run = begun(bridge, "stopping")
    with pytest.raises(Stopped, match="told to stop"):
        count(bridge, run, up_to=3, stop_at=2)

    taken = take_run(other(bridge), "stopping", "another")

    assert taken == replace(run, cursor="2", counts={"counted": 2})


def test_a_dry_run_leaves_nothing(bridge: Bridge) -> None:
    """It counts, and the next run begins anew."""
    lease = count(bridge, Run(kind="dry", id="plan", scope=()), up_to=3, dry=True)

    with bridge.store.reading() as tx:
        assert Runs(tx).last_ended("dry") is None
    assert lease.counts == {"counted": 3}
    assert begun(bridge, "dry").cursor == ""


def test_a_firing_has_one_name(bridge: Bridge) -> None:
    """The same for all who ask within one interval, and another for each kind."""
    now = bridge.clock().replace(minute=0, second=0, microsecond=0)
    hour = timedelta(hours=1)

    assert tick("counting", now, hour) == tick("counting", now + hour / 2, hour)
    assert len({tick("counting", now, hour), tick("counting", now + hour, hour), tick("drafts", now, hour)}) == 3
