"""How work grows with what comes in: the processor's time of one thread, so that nobody else's counts."""

import time
from collections.abc import Callable

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
    before = time.thread_time()
    work(size)
    return time.thread_time() - before
