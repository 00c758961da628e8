"""
How far the store had come, noted in it and beside it: a store that is older than its own mark was restored.

A backup holds presses as they waited, and most of them were carried out since. Nothing in the store itself tells.
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from threading import Lock
from uuid import uuid4

import sqlalchemy as sa

from bridge.core.clock import Clock
from bridge.storage.database import insert_ignore
from bridge.storage.store import Store, Transaction
from bridge.storage.tables import marks

LEAP = 1_000_000
"""So much further the count is once a restore was found: other processes may have noted later marks."""


class Restored(Enum):
    """How it shows that the store is not the one that was left."""

    OLDER = "the store is older than its mark"
    ANOTHER = "the mark is another store's"
    NO_MARK = "the store has no mark beside it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A count that only grows, of the store of this *name*."""

    name: str
    number: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """That the store was restored, and until when what it holds was accepted before that."""

    why: Restored
    accepted_until: datetime


class StoreMark:
    """
    Notes the mark, and holds the store against the last one that it knows: its own, or that of *path* at the start.

    *path* None leaves it to what this process knows, which is enough to notice a store that is restored under it.
    """

    def __init__(self, store: Store, path: Path | None, *, clock: Clock) -> None:
        self._store, self._path, self._clock = store, path, clock
        self._lock, self._looked = Lock(), False
        self._last: Mark | None = None
        self.unwritten: OSError | None = None

    def look(self) -> Found | None:
        """
        How it shows that the store was restored, None if it does not; the next mark is noted in it and then beside it.

        What could not be noted beside it is told by ``unwritten``.
        """
        with self._lock:
            if not self._looked and self._path is not None:
                self._last = _read(self._path)
            first, self._looked = not self._looked, True
            now = self._clock()
            with self._store.transaction() as tx:
                there = _there(tx)
                found = self._judged(there, first=first, now=now)
                known = 0 if self._last is None else self._last.number
                # After a restore beyond whatever others know of the old one, so that they do not find it again.
                number = there.number + 1 if found is None else max(there.number, known) + LEAP
                mark = Mark(name=there.name, number=number, at=now)
                tx.connection.execute(marks.update().values(number=mark.number, noted_at=now))
            self._last = mark
            self.unwritten = None
            if self._path is not None:
                try:
                    _write(self._path, mark)
                except OSError as error:
                    self.unwritten = error
            return found

    def _judged(self, there: Mark, *, first: bool, now: datetime) -> Found | None:
        if self._last is None:
            # A store that was never noted is new, or of a version that noted nothing.
            missing = first and self._path is not None and there.number > 0
            return Found(why=Restored.NO_MARK, accepted_until=now) if missing else None
        if self._last.name != there.name:
            return Found(why=Restored.ANOTHER, accepted_until=now)
        if self._last.number > there.number:
            return Found(why=Restored.OLDER, accepted_until=self._last.at)
        return None


def _there(tx: Transaction) -> Mark:
    row = {"id": 1, "name": str(uuid4()), "number": 0}
    tx.connection.execute(insert_ignore(tx.connection, marks).values(row))
    found = tx.connection.execute(sa.select(marks).with_for_update()).mappings().one()
    return Mark(name=found["name"], number=found["number"], at=found["noted_at"])


def _read(path: Path) -> Mark | None:
    try:
        content = json.loads(path.read_text("utf-8"))
        return Mark(name=content["name"], number=content["number"], at=datetime.fromisoformat(content["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        # Unreadable is as good as none: then what waits is held.
        return None


def _write(path: Path, mark: Mark) -> None:
    """Put *mark* in the place of the last one, whole or not at all, for nobody else to read."""
    new = path.with_name(f"{path.name}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        os.fchmod(opened.fileno(), 0o600)
        json.dump({"name": mark.name, "number": mark.number, "at": mark.at.isoformat()}, opened)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(path)
