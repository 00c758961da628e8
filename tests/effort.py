"""How work grows with what comes in: the processor's time of one thread, so that nobody else's counts."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import coverage

MUCH_MORE = 16
"""How many times larger the larger input is."""


def growth(work: Callable[[int], object], size: int) -> float:
    """
    Say how many times as much *work* the input of sixteen times *size* is: some 16 where each byte is looked at a
    bounded number of times, some 256 where each is held against each.
    """
    small = min(_effort(work, size) for _ in range(3))
    return _effort(work, MUCH_MORE * size) / max(small, 1e-6)


def _effort(work: Callable[[int], object], size: int) -> float:
    with _nothing_else():
        before = time.thread_time()
        work(size)
        return time.thread_time() - before


@contextmanager
def _nothing_else() -> Iterator[None]:
    """
    Without coverage (.ci/run), whose own work would be most of what is timed, and without collections of garbage: one
    that goes through all that earlier tests left would be more than a short work.
    """
    measuring, collecting = coverage.Coverage.current(), gc.isenabled()
    if measuring is not None:
        measuring.stop()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        if measuring is not None:
            measuring.start()
