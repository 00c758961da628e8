"""Jobs over many things: one that fails keeps none of the others waiting."""

from functools import partial

import pytest
from structlog.testing import capture_logs

from bridge.core.errors import Unreachable
from bridge.metrics import Metrics
from bridge.storage.trouble import StoreGone
from bridge.worker import each_alone, every, new_scheduler

METRICS = Metrics()


def test_one_of_many_that_fails_keeps_nobody_waiting() -> None:
    """The others have their turn, and the log has its type and place, not its text."""
    done: list[int] = []

    def work(item: int) -> None:
        if item == 2:
            raise KeyError("hemmelig")
        done.append(item)

    with capture_logs() as logs:
        each_alone("a job", [1, 2, 3], work, metrics=METRICS)

    assert done == [1, 3]
    assert [(each["job"], each["error"]) for each in logs] == [("a job", "KeyError")]
    assert "hemmelig" not in str(logs)


def test_the_stores_trouble_ends_the_job() -> None:
    """Whatever comes next would meet it as well; the job runs again later."""
    asked: list[int] = []

    def work(item: int) -> None:
        asked.append(item)
        raise StoreGone

    with pytest.raises(StoreGone):
        each_alone("a job", [1, 2, 3], work, metrics=METRICS)

    assert asked == [1]


def test_a_job_that_fails_is_told_by_its_name() -> None:
    """Also one that is bound to what it works on; nobody is told of a lambda."""

    def _empties(of: object) -> None:
        raise ValueError(of)

    scheduler = new_scheduler()
    every(scheduler, 60, partial(_empties, "a"), metrics=METRICS)

    with capture_logs() as lines:
        for job in scheduler.get_jobs():
            job.func()

    assert [(each["job"], each["error"]) for each in lines] == [("empties", "ValueError")]


@pytest.mark.parametrize(
    ("error", "counted"), [(KeyError("x"), 1), (Unreachable("Altinn 2", "away"), 0), (StoreGone(), 0)]
)
def test_what_nobody_had_foreseen_is_counted(error: Exception, counted: int) -> None:
    """And not what is only away, which has measurements of its own."""
    metrics, scheduler = Metrics(), new_scheduler()

    def fails() -> None:
        raise error

    every(scheduler, 60, fails, metrics=metrics)
    for job in scheduler.get_jobs():
        job.func()

    assert metrics.registry.get_sample_value("bridge_unexpected_errors_total", {"where": "job"}) == counted
