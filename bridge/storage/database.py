"""How the database is opened, brought to the present version and closed, and where SQLite and PostgreSQL differ."""

import contextlib
import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bridge.core.errors import ConfigurationError, Fault
from bridge.storage.opening import no_folder, not_ours
from bridge.storage.trouble import SameFile, file_of

_BUSY_TIMEOUT = 30_000
"""Milliseconds that SQLite waits for another writer."""
POOL_WAIT = 3.0
"""Seconds that a request waits for a connection before it is told to come again."""
_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 15_000}
"""A server that is away without a word would be waited for without end."""


def open_database(url: str, *, pool: int, wait: float = POOL_WAIT) -> sa.Engine:
    """
    Open the database of *url*, with *pool* connections and no more, each waited for *wait* seconds.

    On SQLite: write-ahead log (readers do not wait for the writer), ``synchronous=FULL`` (an answer never
    promises what a power cut may take back), and no use of a file that was put in the place of the one opened. Its
    files are their owner's alone, and what is erased is overwritten.
    """
    arguments = _POSTGRESQL if sa.make_url(url).get_backend_name() == "postgresql" else {}
    engine = sa.create_engine(
        url, pool_size=pool, max_overflow=0, pool_timeout=wait, connect_args=arguments, hide_parameters=True
    )
    if (file := file_of(engine)) is not None:
        same = SameFile(str(file))

        def connecting(*_: object) -> None:
            # SQLite would make the file anew, and it would be empty.
            same.check_file()
            _keep_private(str(file))

        def connected(connection: object, record: object) -> None:
            _prepare_sqlite(connection)
            same.connected(record)

        event.listen(engine, "do_connect", connecting)
        event.listen(engine, "connect", connected)
        event.listen(engine, "checkout", lambda _connection, record, _proxy: same.check(record))
    return engine


def _keep_private(database: str | None) -> None:
    """Raises ConfigurationError: A file is another user's."""
    if not database or database == ":memory:":
        return
    # SQLite gives its log the permissions of the database; one from before has its own.
    for path in map(Path, (database, f"{database}-wal", f"{database}-shm")):
        if path.exists() or path == Path(database):
            make_private(path, setting="BRIDGE_DATABASE_URL")


def make_private(path: Path, *, setting: str) -> None:
    """
    Let nobody but its owner read or write *path*, which is made where it is not there.

    Raises:
        ConfigurationError: It cannot be; *setting* says where it lies.
    """
    # Never opened where it is there: when it is closed, all locks go that SQLite holds on it in this process.
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        missing = error.errno == errno.ENOENT and not path.parent.is_dir()
        message = no_folder(path) if missing else not_ours(path, error.errno or 0)
        raise ConfigurationError([Fault(where=setting, message=message)]) from error


def _prepare_sqlite(connection: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={_BUSY_TIMEOUT}",
        "foreign_keys=ON",
        "secure_delete=ON",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    # A first look opens the log.
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()


def empty_log(engine: sa.Engine) -> bool:
    """
    Move what SQLite's write-ahead log holds into the database, and cut the log to nothing.

    Until then it holds what was erased since. False where somebody is reading or writing: nobody is made to wait.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_TIMEOUT}")
    return not busy


def close_database(engine: sa.Engine) -> None:
    """Let go of the database; on SQLite nothing of what was erased stays in its files."""
    engine.dispose()
    empty_log(engine)
    engine.dispose()


def migrate(engine: sa.Engine) -> None:
    """
    Bring our tables to the present version. Safe to call from several processes at once.

    Raises:
        ConfigurationError: A newer release has been there.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text("BEGIN IMMEDIATE"))
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7246301)"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            message = "its tables are of a newer release: run that one, or restore the database from before it"
            raise ConfigurationError([Fault(where="BRIDGE_DATABASE_URL", message=message)]) from error


class Rows:
    """Base of what asks and writes rows of some of our tables, in one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection


def insert_ignore(connection: sa.Connection, table: sa.Table) -> Any:
    """Insert what is not there yet, on either database."""
    return _insert(connection, table).on_conflict_do_nothing()


def added(
    connection: sa.Connection,
    table: sa.Table,
    values: Mapping[str, object],
    *,
    one: Sequence[str],
    of: sa.ColumnElement[bool],
) -> bool:
    """
    Add a row, and return whether it was: not where the index *one*, over the rows that are *of*, has its like.

    Whatever else stands in the way is raised as what it is.
    """
    insert = _insert(connection, table).values(values)
    insert = insert.on_conflict_do_nothing(index_elements=list(one), index_where=of)
    return bool(connection.execute(insert).rowcount)


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return insert(table)
    from sqlalchemy.dialects.postgresql import insert as pg_insert

    return pg_insert(table)
