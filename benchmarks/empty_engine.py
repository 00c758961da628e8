"""The durable engine alone: runs of two empty steps. A baseline of ``benchmarks.write_action``; prints JSON."""

import argparse
import json
import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID, uuid4

from bridge.engine import Attempt, Queue, Step, Worker, prepare
from bridge.storage.database import open_database
from bridge.storage.store import Store

LOOK_EVERY = 0.005


class Bench:
    """A database with a queue and a worker, and the moments at which runs had recorded their second step."""

    def __init__(self, url: str, *, concurrency: int) -> None:
        self._engine = open_database(url, pool=2 * concurrency)
        prepare(self._engine)
        self._queue, self._store = Queue(self._engine), Store(self._engine)
        self._ended: dict[UUID, float] = {}
        self._one_ended = threading.Event()
        self.worker = Worker(self._engine, name="bench#0", concurrency=concurrency, work=self._work)
        self.worker.start()

    def latency(self) -> tuple[float, float]:
        """Ask for one run and wait for it: seconds until it was asked for, and until it had ended."""
        run, begin = _run(), time.perf_counter()
        self._one_ended.clear()
        self._ask([run])
        asked = time.perf_counter() - begin
        self.worker.wake()
        while run.operation_id not in self._ended:
            self._one_ended.wait(1)
        return asked, self._ended[run.operation_id] - begin

    def rate(self, count: int) -> float:
        """Ask for so many runs at once, and say how many end in a second. The queue is looked at all the time."""
        runs = [_run() for _ in range(count)]
        for start in range(0, count, 100):
            self._ask(runs[start : start + 100])
        begin = time.perf_counter()
        while not all(run.operation_id in self._ended for run in runs):
            self.worker.wake()
            time.sleep(LOOK_EVERY)
        return count / (max(self._ended[run.operation_id] for run in runs) - begin)

    def close(self) -> None:
        """Stop the worker and let go of the database."""
        self.worker.stop(patience=timedelta(seconds=5))
        self._queue.close()
        self._engine.dispose()

    def _ask(self, runs: Iterable[Attempt]) -> None:
        with self._store.transaction() as tx:
            for run in runs:
                self._queue.enqueue(tx.connection, run)

    def _work(self, operation_id: UUID, _attempt: int, step: Step) -> None:
        for name in ("deliver", "sync"):
            step(name, lambda: "on")
        self._ended[operation_id] = time.perf_counter()
        self._one_ended.set()


def _run() -> Attempt:
    return Attempt(operation_id=uuid4(), attempt=1, dialog_id=uuid4(), sequence=1)


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.empty_engine", description=__doc__)
    parser.add_argument("--database-url", required=True, help="an empty database, as SQLAlchemy takes it")
    parser.add_argument("--one-by-one", type=int, default=200, metavar="N", help="runs whose latency is measured")
    parser.add_argument("--at-once", type=int, default=500, metavar="N", help="runs that wait in the queue together")
    parser.add_argument("--concurrency", type=int, default=8, metavar="N")
    arguments = parser.parse_args()
    bench = Bench(arguments.database_url, concurrency=arguments.concurrency)
    try:
        bench.rate(arguments.concurrency)
        timed = [bench.latency() for _ in range(arguments.one_by_one)]
        per_second = bench.rate(arguments.at_once)
    finally:
        bench.close()
    asked, ended = zip(*timed, strict=True)
    print(json.dumps({"asked": asked, "ended": ended, "per_second": per_second}))


if __name__ == "__main__":
    main()
