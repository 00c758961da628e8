"""A database that cannot be opened is told in words, and whether waiting helps."""

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bridge.cli.pauses import pauses
from bridge.core.errors import ConfigurationError, UpstreamError
from bridge.sandbox.control import settings
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World
from bridge.storage.opening import told_of, unopened
from bridge.wiring import utc_now


@pytest.mark.parametrize(
    ("said", "waits", "expected"),
    [
        ('connection to server at "127.0.0.1", port 1 failed: Connection refused', True, "nobody listens"),
        ("connection timeout expired", True, "it did not answer in time"),
        ("failed to resolve host 'h': [Errno -2] Name or service not known", True, "its host's name is not known"),
        ("FATAL:  sorry, too many clients already", True, "all its connections are taken"),
        ("FATAL:  the database system is starting up", True, "it is starting up"),
        ('FATAL:  password authentication failed for user "ola"', False, "it refuses the user's name or password"),
        ("fe_sendauth: no password supplied", False, "it wants a password"),
        ('FATAL:  database "b" does not exist', False, "it has no database of this name"),
        ('FATAL:  role "ola" does not exist', False, "it knows no user of this name"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', False, "it lets nobody of this name in"),
        ("server does not support SSL, but SSL was required", False, "they cannot agree on TLS"),
        ("something new", True, "it cannot be reached, or broke off"),
    ],
)
def test_a_connection_that_is_not_had_is_told(said: str, waits: bool, expected: str):
    """What libpq says may name a user; ours does not."""
    error = sa.exc.OperationalError(None, None, psycopg.OperationalError(said))

    told = unopened(error)

    assert isinstance(told, UpstreamError if waits else ConfigurationError)
    assert expected in str(told)
    assert "ola" not in str(told)


def test_a_file_that_is_no_database_is_told(tmp_path: Path):
    """As a command meets it: words, and exit code 2."""
    (tmp_path / "b.sqlite").write_text("no database " * 100)
    with Sandbox(World(utc_now, 0)).start() as sandbox:
        environ = settings(sandbox.world, sandbox.base_url)

    result = CliRunner().invoke(
        pauses, ["list"], env={**environ, "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/b.sqlite"}
    )

    assert isinstance(result.exception, ConfigurationError)
    assert str(result.exception) == (
        "BRIDGE_DATABASE_URL: the file is no SQLite database: name another, or move it away"
    )


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (("UPDATE bridge_version SET version_num = '9999'",), "its tables are of a newer release: run that one"),
        (("DROP TABLE bridge_version",), "its tables are not those of the bridge, or not as the bridge left them"),
    ],
    ids=["a newer release", "somebody else's"],
)
def test_other_tables_are_told(tmp_path: Path, statements: tuple[str, ...], expected: str):
    """In words, whether a newer release was there or something else."""
    with Sandbox(World(utc_now, 0)).start() as sandbox:
        environ = {**settings(sandbox.world, sandbox.base_url), "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/b.sqlite"}
    assert CliRunner().invoke(pauses, ["list"], env=environ).exit_code == 0
    engine = sa.create_engine(environ["BRIDGE_DATABASE_URL"])
    with engine.begin() as connection:
        for each in statements:
            connection.exec_driver_sql(each)
    engine.dispose()

    result = CliRunner().invoke(pauses, ["list"], env=environ)

    assert isinstance(result.exception, ConfigurationError)
    assert expected in str(result.exception)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    """And not that the file could be kept from others."""
    with Sandbox(World(utc_now, 0)).start() as sandbox:
        environ = settings(sandbox.world, sandbox.base_url)

    result = CliRunner().invoke(
        pauses, ["list"], env={**environ, "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/none/b.sqlite"}
    )

    assert str(result.exception) == (
        f"BRIDGE_DATABASE_URL: there is no folder {tmp_path}/none: make it, or name another"
    )


def test_only_the_databases_errors_are_its_own():
    """Another error stays what it is."""
    assert told_of(ValueError("x")) is None
    assert str(told_of(sa.exc.TimeoutError())) == "the database: others hold it, and did not let go in time"


@pytest.mark.parametrize(
    ("original", "kind"),
    [
        (psycopg.errors.InvalidPassword(), ConfigurationError),
        (psycopg.errors.InvalidCatalogName(), ConfigurationError),
        (psycopg.errors.TooManyConnections(), UpstreamError),
    ],
)
def test_what_is_set_up_wrongly_is_told_apart_from_what_is_away(original: Exception, kind: type[Exception]):
    """Commands end with 2 for the one and with 1 for the other, which may come back."""
    assert isinstance(told_of(sa.exc.OperationalError("connect", {}, original)), kind)
