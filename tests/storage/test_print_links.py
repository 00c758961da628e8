"""Links that open a print once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from bridge.storage.database import migrate, open_database
from bridge.storage.print_links import PrintLink, PrintLinks
from bridge.storage.store import Store
from bridge.storage.tables import print_links

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = PrintLink(digest="ab" * 32, dialog_id=UUID(int=1), language="nn", expires_at=NOW + timedelta(seconds=120))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=5)
    migrate(engine)
    made = Store(engine)
    with made.transaction() as tx:
        PrintLinks(tx).add(LINK, now=NOW)
    yield made
    engine.dispose()


def taken(store: Store, now: datetime = NOW) -> PrintLink | None:
    with store.transaction() as tx:
        return PrintLinks(tx).take(LINK.digest, now=now)


def test_of_many_at_once_one_gets_it(store: Store) -> None:
    """And it gets what was written."""
    with ThreadPoolExecutor(5) as pool:
        found = [each for each in pool.map(lambda _: taken(store), range(5)) if each is not None]

    assert found == [LINK]


def test_it_opens_nothing_when_its_time_is_over(store: Store) -> None:
    """To the moment."""
    late = taken(store, LINK.expires_at)

    assert late is None
    assert taken(store, LINK.expires_at - timedelta(microseconds=1)) == LINK


def test_old_ones_are_forgotten(store: Store) -> None:
    """With the next that is made, and with everything else that is old."""
    with store.transaction() as tx:
        PrintLinks(tx).forget(LINK.expires_at)

    with store.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(print_links)) == 0
