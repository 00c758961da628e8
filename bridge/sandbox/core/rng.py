"""Ids and numbers that the seed decides."""

import random
import threading
from datetime import datetime
from uuid import UUID


class Chance:
    """Repeatable chance; safe to share between threads."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose; keys are made elsewhere
        self._lock = threading.Lock()
        self._latest = 0

    def below(self, limit: int) -> int:
        """A number from 0 to *limit* - 1."""
        with self._lock:
            return self._random.randrange(limit)

    def uuid4(self) -> UUID:
        """A random UUID."""
        with self._lock:
            return UUID(int=self._random.getrandbits(128), version=4)

    def uuid7(self, moment: datetime) -> UUID:
        """A UUID of version 7 that carries *moment*; of one moment each is above the one before."""
        milliseconds = int(moment.timestamp() * 1000)
        with self._lock:
            if self._latest >> 74 == milliseconds:
                self._latest += 1 + self._random.getrandbits(40)
            else:
                self._latest = milliseconds << 74 | self._random.getrandbits(73)
            bits = self._latest & (1 << 74) - 1
        stamp = milliseconds << 80
        return UUID(int=stamp | 0x7 << 76 | (bits >> 62) << 64 | 0x2 << 62 | bits & (1 << 62) - 1)
