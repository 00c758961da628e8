"""Two workers on PostgreSQL, one killed for good at every call: the other takes its work over."""

import contextlib
from collections.abc import Iterator

import pytest
import requests

from tests.processes.harness import STARTING, Process, Site, free_port, site, until
from tests.processes.test_crashes import check_once, press_in_background

pytestmark = pytest.mark.slow

# The worker has its tokens after its first operation: element, forms, form data, attachments, attachment, PUT,
# element, dialog, PATCH. The dialog is first read by the web process, for its link.
MOMENTS = [(call, side) for call in range(1, 10) for side in ("before", "after")]


class Pool:
    """A ``altinn-bridge serve`` and two ``altinn-bridge work``, told apart by the names they took."""

    def __init__(self, made: Site) -> None:
        self.site = made
        self.web = made.serve()
        self.workers: dict[str, Process] = {}
        self.refill()

    def refill(self) -> None:
        """Bring the workers back to two, one after the other, so that each one's name is known."""
        while len(self.workers) < 2:
            process = self.site.run("work")
            names = until(lambda: self._names() - set(self.workers), what="a worker's name")
            self.workers[names.pop()] = process

    def kill_the_holder(self) -> None:
        """Kill the worker that holds the newest operation; it never comes back."""
        with self.site._engine.connect() as connection:
            holder = connection.exec_driver_sql(
                "SELECT holder FROM operations WHERE finished_at IS NULL ORDER BY accepted_at DESC LIMIT 1"
            ).scalar_one()
        self.workers.pop(str(holder).rpartition(":")[0]).kill()

    def _names(self) -> set[str]:
        with self.site._engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT name FROM workers").scalars()
            return set(rows)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Pool]:
    with site(tmp_path_factory.mktemp("pool"), database_url=database_url, BRIDGE_WORKER_SILENT="2") as made:
        pool = Pool(made)
        for _ in range(4):
            # Both workers fetch their tokens before the counted runs begin.
            case = made.case()
            assert made.press(case).status_code == 204
        yield pool


@pytest.mark.parametrize(("call", "side"), MOMENTS, ids=[f"{side} call {call}" for call, side in MOMENTS])
def test_work_of_a_dead_worker_is_taken_over(pool: Pool, call: int, side: str) -> None:
    """A worker dies for good just before, or just after, a call takes effect; the other one finishes."""
    made = pool.site
    case = made.case()
    made.trap = pool.kill_the_holder
    delay = {"delay_seconds": 1} if side == "before" else {"delay_after": 1}
    made.control("POST", "/faults", {"skip": call, "how": delay})

    thread = press_in_background(made, case)
    until(lambda: made.finished(case), seconds=60, what="the takeover")
    thread.join()

    made.control("DELETE", "/faults")
    check_once(made, case)
    assert len(pool.workers) == 1
    pool.refill()


def test_two_presses_of_many_processes_are_one(pool: Pool) -> None:
    """Web processes on PostgreSQL join a press that another one accepted."""
    case = pool.site.case()

    threads = [press_in_background(pool.site, case) for _ in range(10)]
    for thread in threads:
        thread.join()
    until(lambda: pool.site.finished(case), what="the end")

    assert len(pool.site.effects(case, "altinn2.archived")) == 1
    assert pool.site.activities(case)[0] == "FormSubmitted"


def test_a_worker_answers_probes(pool: Pool) -> None:
    """At an address of its own, where it counts what it finished; and it ends when it is told to."""
    site, address = pool.site, f"127.0.0.1:{free_port()}"
    process = Process(("work",), {**site.environ, "BRIDGE_HEALTH_LISTEN": address}, site.folder / "probed.log").start()
    site.processes.append(process)

    def alive() -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return site.http.get(f"http://{address}/health/liveness", timeout=5).status_code == 200
        return False

    until(alive, seconds=STARTING, what="liveness")
    told = site.http.get(f"http://{address}/metrics", timeout=5).text

    assert 'bridge_unexpected_errors_total{where="step"} 0.0' in told
    assert "bridge_store_up 1.0" in told
    assert process.stop() == 0
