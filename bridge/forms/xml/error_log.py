"""libxml2's errors, as lxml keeps them: its stubs know nothing of what is in a log."""

from collections.abc import Sequence
from typing import Protocol, cast


class LogEntry(Protocol):
    """One error, with its place. *path* leads to an element by libxml2's reckoning; *type_name* names the *type*."""

    message: str
    path: str
    line: int
    column: int
    type: int
    type_name: str


def entries(log: object) -> Sequence[LogEntry]:
    """The entries of lxml's *log*."""
    return cast("Sequence[LogEntry]", log)
