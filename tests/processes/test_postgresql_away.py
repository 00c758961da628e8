"""A PostgreSQL that has few connections to give, or none: nothing is lost, and nothing is promised."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from tests.processes.harness import Site, site, until

pytestmark = pytest.mark.slow

POOL = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Site]:
    with site(
        tmp_path_factory.mktemp("away"),
        database_url=database_url,
        BRIDGE_DATABASE_POOL=str(POOL),
        BRIDGE_WORKER_SILENT="2",
    ) as made:
        made.serve()
        made.run("work")
        assert made.press(made.case()).status_code in (202, 204)
        yield made


@pytest.fixture
def server(made: Site) -> Iterator[sa.Connection]:
    """A connection to another database of the same server."""
    url = sa.make_url(made.database_url).set(drivername="postgresql+psycopg", database="postgres")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def count(server: sa.Connection, database: str | None) -> int:
    # Not those who tidy the database up.
    query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'")
    return int(server.execute(query, {"name": database}).scalar_one())


def test_a_crowd_takes_no_more_connections_than_the_pools_have(made: Site, server: sa.Connection) -> None:
    """Two web processes and a worker, three each; who gets none is told to come again, and then it is done."""
    database = sa.make_url(made.database_url).database
    cases = [made.case() for _ in range(60)]
    made._engine.dispose()
    most, stop = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not stop.wait(0.05):
            most = max(most, count(server, database))

    watching = threading.Thread(target=watch)
    watching.start()
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(made.press, cases))
    stop.set()
    watching.join()

    assert 0 < most <= 3 * POOL
    assert {each.status_code for each in answers} <= {202, 204, 503}
    assert all("Retry-After" in each.headers for each in answers if each.status_code == 503)
    for case, answer in zip(cases, answers, strict=True):
        if answer.status_code == 503:
            until(lambda again=case: made.press(again).status_code in (202, 204), what="a second press")
    until(lambda: all(made.finished(case) for case in cases), seconds=120, what="the end of all")
    assert all(len(made.effects(case, "altinn2.archived")) == 1 for case in cases)


def test_a_database_that_is_away_is_told_as_that(made: Site, server: sa.Connection) -> None:
    """503 and a reason, from presses and from health; measurements go on, and all is well when it is back."""
    database = sa.make_url(made.database_url).database
    case = made.case()
    made._engine.dispose()
    server.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    server.execute(
        sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": database}
    )
    try:
        answer = made.press(case)
        until(lambda: made.http.get(f"{made.url}/health/readiness", timeout=10).status_code == 503, what="unreadiness")
        ready = made.http.get(f"{made.url}/health/readiness", timeout=10).json()
        measured = made.http.get(f"{made.url}/metrics", timeout=10)

        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "storage_unavailable")
        assert "Retry-After" in answer.headers
        assert (ready["database"], ready["why"]) == (False, "away")
        assert (measured.status_code, "bridge_store_up 0.0" in measured.text) == (200, True)
    finally:
        server.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")

    until(lambda: made.http.get(f"{made.url}/health/readiness", timeout=10).status_code == 200, what="readiness")
    until(lambda: made.press(case).status_code in (202, 204), what="a press")
    until(lambda: made.finished(case), seconds=120, what="the end")
    assert len(made.effects(case, "altinn2.archived")) == 1
