"""What keeps a store from working is told apart from statements that are wrong."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bridge.storage.database import migrate, open_database
from bridge.storage.store import Store
from bridge.storage.tables import links
from bridge.storage.trouble import Trouble, trouble_of


def of_postgresql(kind: type[psycopg.Error], wrapped: type[sa.exc.DBAPIError]) -> sa.exc.DBAPIError:
    return wrapped("INSERT", {}, kind())


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (of_postgresql(psycopg.errors.DiskFull, sa.exc.OperationalError), Trouble.FULL),
        (of_postgresql(psycopg.errors.TooManyConnections, sa.exc.OperationalError), Trouble.BUSY),
        (of_postgresql(psycopg.errors.ReadOnlySqlTransaction, sa.exc.InternalError), Trouble.READ_ONLY),
        (of_postgresql(psycopg.errors.AdminShutdown, sa.exc.OperationalError), Trouble.AWAY),
        (of_postgresql(psycopg.errors.UndefinedTable, sa.exc.ProgrammingError), Trouble.AWAY),
        (of_postgresql(psycopg.errors.UndefinedColumn, sa.exc.ProgrammingError), None),
        (of_postgresql(psycopg.errors.UniqueViolation, sa.exc.IntegrityError), None),
        (sa.exc.TimeoutError(), Trouble.BUSY),
        (sa.exc.DatabaseError("SELECT", {}, sqlite3.DatabaseError("malformed")), Trouble.AWAY),
        (ValueError(), None),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each),
)
def test_each_error_is_sorted(error: Exception, trouble: Trouble | None) -> None:
    """Another fault of ours must not pass for a store that is away, nor the other way round."""
    assert trouble_of(error) is trouble


def test_a_full_store_is_known_as_full(tmp_path: Path) -> None:
    """As SQLite itself says it, when no page is left."""
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=1)
    migrate(engine)
    store = Store(engine)

    with store.reading() as tx:
        tx.connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(sa.exc.SQLAlchemyError) as caught, store.transaction() as tx:
        for number in range(500):
            row = {"dialog_id": str(number), "service_resource": "x" * 1000, "party": "p", "owner": "", "key": ""}
            tx.connection.execute(links.insert().values(**row, created_at=None).values(created_at=sa.func.now()))

    assert trouble_of(caught.value) is Trouble.FULL
    engine.dispose()
