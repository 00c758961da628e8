"""
A bridge whose statements are counted: a line for each transaction, in a file that several processes may share.

``python -m benchmarks.counting FILE serve`` is ``altinn-bridge serve`` with SQLAlchemy's own events listened to, on all
engines: the durable engine's statements are counted like ours. The bridge knows nothing of it.
"""

import argparse
import json
import os
import re
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bridge.storage.tables import operations

_WRITES = re.compile(r"\s*(?:WITH\b.*?\b)?(?:INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\b", re.IGNORECASE | re.DOTALL)
_SELECTED = re.compile(r"\s*SELECT\b(.*?)\bFROM\b", re.IGNORECASE | re.DOTALL)
_COLUMNS = {f"{operations.name}.{each.name}" for each in operations.columns}
_KEY = "benchmarks.counting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One transaction: its statements, with the commit or rollback that ended it as one more."""

    ended_at: float
    """Seconds of the machine's own clock, which all its processes share."""
    thread: str
    statements: int
    wrote: bool
    """It was committed, and changed rows: on the embedded store, and on PostgreSQL as it is set up, a forced write."""
    operation_selects: int


def is_write(statement: str) -> bool:
    """Whether *statement* changes rows, or tables, when it finds any."""
    return _WRITES.match(statement) is not None


def selects_operation(statement: str) -> bool:
    """Whether *statement* asks for rows of operations as wholes: half of their columns, or more."""
    selected = _SELECTED.match(statement)
    if selected is None:
        return False
    names = {each.partition(" AS ")[0].strip() for each in selected.group(1).split(",")}
    return len(names & _COLUMNS) >= len(_COLUMNS) / 2


class Counter:
    """Appends what the engines *on* do to a file, a line for each transaction that ended."""

    def __init__(self, path: Path) -> None:
        # Each line is one write to its end: processes that were forked from this one do not write into each other.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def listen(self, on: Any = sa.Engine) -> None:
        """Count from now on what is done by *on*, an engine, or by all engines."""
        event.listen(on, "before_cursor_execute", self._executing)
        event.listen(on, "after_cursor_execute", self._executed)
        event.listen(on, "commit", self._committed)
        event.listen(on, "rollback", self._rolled_back)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _executing(self, connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        # Before: one that fails was sent all the same.
        running = connection.info.setdefault(_KEY, _Running(changes=_changes(connection)))
        running.statements += 1
        running.operation_selects += selects_operation(statement)

    def _executed(self, connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
        if _KEY in connection.info:
            connection.info[_KEY].wrote |= is_write(statement) and cursor.rowcount > 0

    def _committed(self, connection: sa.Connection) -> None:
        self._ended(connection, committed=True)

    def _rolled_back(self, connection: sa.Connection) -> None:
        if not connection.invalidated:
            self._ended(connection, committed=False)

    def _ended(self, connection: sa.Connection, *, committed: bool) -> None:
        running: _Running = connection.info.pop(_KEY, None) or _Running(changes=_changes(connection))
        counted = Counted(
            ended_at=time.monotonic(),
            thread=threading.current_thread().name,
            statements=running.statements + 1,
            wrote=committed and (running.wrote or _changes(connection) > running.changes),
            operation_selects=running.operation_selects,
        )
        os.write(self._file, json.dumps(asdict(counted)).encode() + b"\n")


@dataclass(slots=True, kw_only=True)
class _Running:
    """A transaction that has not ended."""

    changes: int
    statements: int = 0
    wrote: bool = False
    operation_selects: int = 0


def _changes(connection: sa.Connection) -> int:
    # SQLite tells of a statement with RETURNING how many rows it changed only when its rows were fetched.
    return int(getattr(connection.connection.driver_connection, "total_changes", 0))


def read_counted(path: Path) -> list[Counted]:
    """All transactions in the file at *path* that have ended, in the order of their ends."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    counted = [Counted(**json.loads(line)) for line in lines if line.endswith("\n")]
    return sorted(counted, key=lambda each: each.ended_at)


def main() -> None:
    """Run the bridge's command line with its statements counted into the file that is named first."""
    from bridge.cli import main as bridge

    parser = argparse.ArgumentParser(prog="python -m benchmarks.counting", description=__doc__)
    parser.add_argument("file", type=Path, help="where a line for each transaction is written")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command line of altinn-bridge")
    arguments = parser.parse_args()
    Counter(arguments.file).listen()
    sys.argv[1:] = arguments.command
    bridge()


if __name__ == "__main__":
    main()
