"""The durable engine, on a real database: what it must keep to for the rest to hold."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bridge.engine import IDLE_POLL, SHARE, Attempt, Queue, Step, Worker, bucket, prepare
from bridge.storage.database import open_database
from bridge.storage.store import Store

DIALOG = UUID("0196f000-0000-7000-8000-000000000002")


class Desk:
    """A database with a queue, and a place to note what ran."""

    def __init__(self, path: Path) -> None:
        self.engine = open_database(f"sqlite:///{path}/engine.sqlite", pool=10)
        prepare(self.engine)
        self.queue, self.store = Queue(self.engine), Store(self.engine)
        self.ran: list[UUID] = []
        self.enough = threading.Event()

    def ask(self, *runs: Attempt) -> None:
        with self.store.transaction() as tx:
            for run in runs:
                self.queue.enqueue(tx.connection, run)

    def worker(self, *, wanted: int, name: str = "host#0", idle_poll: float = IDLE_POLL) -> Worker:
        def work(operation_id: UUID, _attempt: int, step: Step) -> None:
            step("note", lambda: self.ran.append(operation_id) or "on")  # type: ignore[func-returns-value]
            if len(self.ran) >= wanted:
                self.enough.set()

        return Worker(self.engine, name=name, concurrency=4, work=work, idle_poll=idle_poll)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.queue.close()
    made.engine.dispose()


def run(number: int, *, dialog: UUID = DIALOG, delay: timedelta = timedelta(0)) -> Attempt:
    return Attempt(operation_id=UUID(int=number), attempt=1, dialog_id=dialog, sequence=number, delay=delay)


def test_runs_of_a_dialog_keep_their_order(desk: Desk) -> None:
    """Twenty operations accepted in one instant start in the order of acceptance."""
    desk.ask(*(run(number) for number in range(1, 21)))
    worker = desk.worker(wanted=20)

    worker.start()
    for _ in range(200):
        worker.wake()
        if desk.enough.wait(0.1):
            break
    worker.stop(patience=timedelta(0))

    assert [each.int for each in desk.ran] == list(range(1, 21))


def test_same_run_asked_twice_runs_once(desk: Desk) -> None:
    """Its id is the operation and the attempt, so a doubled request is one run."""
    desk.ask(run(1))
    desk.ask(run(1), run(2))
    worker = desk.worker(wanted=2)

    worker.start()
    worker.wake()
    desk.enough.wait(20)
    worker.stop(patience=timedelta(0))

    assert sorted(each.int for each in desk.ran) == [1, 2]


def test_undone_transaction_asks_for_nothing(desk: Desk) -> None:
    """Row and run are written together or not at all."""
    with pytest.raises(LookupError), desk.store.transaction() as tx:
        desk.queue.enqueue(tx.connection, run(1))
        raise LookupError

    assert desk.queue.statuses([run(1).id]) == {}


def test_woken_worker_need_not_wait_for_its_poll(desk: Desk) -> None:
    """What was accepted is picked up by the wake-up: the loop's own pause is never what starts it."""
    worker = desk.worker(wanted=1)
    worker.start()

    desk.ask(run(1))
    worker.wake()

    assert desk.enough.wait(20)
    worker.stop(patience=timedelta(0))


def test_backlog_is_worked_off_without_new_arrivals(desk: Desk) -> None:
    """What waits for a slot or its partition is taken up when one is free, though nobody wakes the worker."""
    desk.ask(*(run(number) for number in range(1, 41)))
    worker = desk.worker(wanted=40, idle_poll=3600)

    worker.start()
    worker.wake()

    assert desk.enough.wait(60)
    worker.stop(patience=timedelta(0))


def test_dead_worker_leaves_its_runs_to_another(desk: Desk) -> None:
    """A run that a silent worker holds goes back to the queue, in its partition."""
    operation = run(1)
    desk.ask(operation)
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE workflow_status SET status = 'PENDING', executor_id = 'dead#0'")

    taken = desk.queue.reassign("dead#0")

    worker = desk.worker(wanted=1, name="host#1")
    worker.start()
    worker.wake()
    assert desk.enough.wait(20)
    worker.stop(patience=timedelta(0))
    assert taken == 1


def test_work_of_an_older_release_still_runs(desk: Desk) -> None:
    """The version is constant: what was accepted before a deploy runs after it."""
    desk.ask(run(1))
    with desk.engine.connect() as connection:
        versions = set(connection.exec_driver_sql("SELECT application_version FROM workflow_status").scalars())

    assert versions == {"bridge-1"}


def test_stored_arguments_are_ids_only(desk: Desk) -> None:
    """Nothing of a form, a token or a person lies in the engine's tables."""
    operation = Attempt(operation_id=uuid4(), attempt=3, dialog_id=DIALOG, sequence=1)
    desk.ask(operation)

    with desk.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT inputs FROM workflow_input").scalar_one()

    assert str(operation.operation_id) in stored
    assert len(stored) < 200


def of_caller(number: int, caller: str, *, rank: int) -> Attempt:
    """A run on a dialog of its own."""
    return Attempt(
        operation_id=UUID(int=number), attempt=1, dialog_id=UUID(int=number), sequence=1, caller=caller, rank=rank
    )


def test_a_caller_has_a_share_of_the_queue() -> None:
    """Hundreds of dialogs of one caller lie in a few buckets, so they run a few at a time; others have their own."""
    mine = {bucket(of_caller(number, "one", rank=number)) for number in range(600)}
    others = {bucket(of_caller(1, f"other {number}", rank=1)) for number in range(600)}

    assert len(mine) == SHARE
    assert len(others - mine) > 200


def test_who_waits_for_less_comes_first(desk: Desk) -> None:
    """Where a caller's single press shares a bucket with another's crowd, it does not wait for all of it."""
    place = bucket(of_caller(1, "many", rank=1))
    numbers = [number for number in range(1, 500) if bucket(of_caller(number, "many", rank=1)) == place][:30]
    caller = next(name for name in map(str, range(100_000)) if bucket(of_caller(9999, name, rank=1)) == place)
    desk.ask(*(of_caller(number, "many", rank=rank) for rank, number in enumerate(numbers, 1)))
    desk.ask(of_caller(9999, caller, rank=1))
    worker = desk.worker(wanted=3)

    worker.start()
    for _ in range(600):
        worker.wake()
        if desk.enough.wait(0.1):
            break
    worker.stop(patience=timedelta(0))

    assert [each.int for each in desk.ran[:3]] == [numbers[0], 9999, numbers[1]]
