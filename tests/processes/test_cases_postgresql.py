"""On PostgreSQL a store of the release before is migrated as on SQLite."""

import pytest
import sqlalchemy as sa

from bridge.storage.database import migrate, open_database
from bridge.storage.store import Store
from tests.storage.test_cases_migration import filled, found_by_their_cases, moved, rows

pytestmark = pytest.mark.slow


def test_a_store_of_elements_becomes_one_of_cases(database_url: str) -> None:
    """Up, down and up again."""
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engine = open_database(url, pool=2)
    filled(engine)
    before = rows(engine)

    migrate(engine)
    found_by_their_cases(Store(engine))
    moved(engine, "0024")
    again = rows(engine)
    migrate(engine)

    found_by_their_cases(Store(engine))
    assert again == before
    engine.dispose()
