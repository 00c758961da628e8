"""What keeps the store from working, in a word, and the file that is not the one that was opened."""

import os
from enum import Enum
from pathlib import Path
from typing import Any

import sqlalchemy as sa


class Trouble(Enum):
    """Why the store did not do what it was asked for."""

    AWAY = "away"
    """It cannot be reached, or broke off."""
    BUSY = "busy"
    """All connections are taken, here or at the server, or another writer does not let go."""
    FULL = "full"
    READ_ONLY = "read_only"
    GONE = "gone"
    """The embedded store's file was deleted, or another one was put in its place: restart, with the right file."""


class StoreGone(sa.exc.SQLAlchemyError):
    """What would be written now would be in no file that anybody opens again."""


def trouble_of(error: BaseException) -> Trouble | None:
    """Why the store refused; None where it is not the store's fault, but that of a statement."""
    match error:
        case StoreGone():
            return Trouble.GONE
        case sa.exc.TimeoutError():
            return Trouble.BUSY
        case sa.exc.IntegrityError() | sa.exc.DataError() | sa.exc.NotSupportedError():
            return None
        case sa.exc.DBAPIError():
            return _of_driver(error)
        case _:
            return None


def is_the_stores(error: BaseException) -> bool:
    """Whether *error* is the store's trouble, which whatever is tried next would meet as well."""
    return trouble_of(error) is not None


_SQLITE = {
    "SQLITE_FULL": Trouble.FULL,
    "SQLITE_READONLY": Trouble.READ_ONLY,
    "SQLITE_BUSY": Trouble.BUSY,
    "SQLITE_LOCKED": Trouble.BUSY,
}
_POSTGRESQL = {
    "53100": Trouble.FULL,
    "53300": Trouble.BUSY,
    "55P03": Trouble.BUSY,
    "57014": Trouble.BUSY,
    "25006": Trouble.READ_ONLY,
}


def _of_driver(error: sa.exc.DBAPIError) -> Trouble | None:
    name: str = getattr(error.orig, "sqlite_errorname", None) or ""
    # SQLITE_READONLY_DBMOVED and the like name the same kind more closely.
    kind = "_".join(name.split("_")[:2])
    state: str = getattr(error.orig, "sqlstate", None) or ""
    if found := _SQLITE.get(kind) or _POSTGRESQL.get(state):
        return found
    # A statement that does not fit the tables: a fault of ours, unless the tables are those of another store.
    return None if isinstance(error, sa.exc.ProgrammingError) and state not in ("42P01", "3F000") else Trouble.AWAY


class SameFile:
    """Refuses connections of an embedded store whose file is not the one that they opened."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None
        self._log_lost = False

    def connected(self, record: Any) -> None:
        """Remember what a new connection has opened."""
        if self._opened is None:
            self._opened = _identity(self._path)
        # Until the last connection closes nobody but a stranger takes the log away: what is in it would be lost.
        record.info["log"] = _identity(f"{self._path}-wal")

    def check_file(self) -> None:
        """Look before a new connection is made. Raises StoreGone."""
        if self._opened is not None and _identity(self._path) != self._opened:
            raise StoreGone("the store's file was deleted or replaced")
        if self._log_lost:
            raise StoreGone("the store's log was deleted or replaced")

    def check(self, record: Any) -> None:
        """Look before every use. Raises StoreGone."""
        self.check_file()
        log = record.info.get("log")
        if log is not None and _identity(f"{self._path}-wal") != log:
            # For good: a new connection would find a log that fits, beside a file that may be another's.
            self._log_lost = True
            raise StoreGone("the store's log was deleted or replaced")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - at every use of a connection: a third of pathlib's time
    except OSError:
        return None
    return found.st_dev, found.st_ino


def file_of(engine: sa.Engine) -> Path | None:
    """The embedded store's file; None on PostgreSQL."""
    path = engine.url.database
    return Path(path) if engine.dialect.name == "sqlite" and path is not None else None
