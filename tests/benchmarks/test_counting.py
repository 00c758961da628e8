"""What is counted of statements and transactions, on engines that are listened to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.counting import Counted, Counter, is_write, read_counted, selects_operation
from bridge.storage.database import open_database
from bridge.storage.tables import operations

THINGS = sa.Table("things", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An embedded store with one table, as the bridge opens it."""
    made = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=2)
    THINGS.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def log(engine: sa.Engine, tmp_path: Path) -> Iterator[Path]:
    """Where the transactions of the store are counted from now on."""
    counter = Counter(tmp_path / "transactions")
    counter.listen(engine)
    yield tmp_path / "transactions"
    counter.close()


def brief(counted: Counted) -> tuple[int, bool, int]:
    """What a transaction was."""
    return counted.statements, counted.wrote, counted.operation_selects


def test_each_statement_and_each_end_is_one(engine: sa.Engine, log: Path) -> None:
    """A transaction of two statements is three with its commit, and one that only reads is two with its rollback."""
    with engine.begin() as connection:
        connection.execute(THINGS.insert().values(id=1, n=1))
        connection.execute(THINGS.update().values(n=2))
    with engine.connect() as connection:
        connection.execute(sa.select(THINGS)).all()

    assert [brief(each) for each in read_counted(log)] == [(3, True, 0), (2, False, 0)]


@pytest.mark.parametrize(
    ("statement", "wrote"),
    [
        pytest.param(THINGS.insert().values(id=2, n=1), True, id="a row more"),
        pytest.param(THINGS.insert().values(id=2, n=1).returning(THINGS.c.id), True, id="a row more, and told of"),
        pytest.param(THINGS.update().where(THINGS.c.id == 1).values(n=2), True, id="a row changed"),
        pytest.param(THINGS.update().where(THINGS.c.id == 7).values(n=2), False, id="no row found"),
        pytest.param(THINGS.delete().where(THINGS.c.id == 1), True, id="a row less"),
        pytest.param(sa.text("INSERT INTO things VALUES (1, 1) ON CONFLICT DO NOTHING"), False, id="there already"),
        pytest.param(sa.select(THINGS), False, id="only read"),
    ],
)
def test_a_transaction_wrote_if_rows_changed(engine: sa.Engine, log: Path, statement: Any, wrote: bool) -> None:
    """What found nothing to change leaves nothing to be forced to disk."""
    with engine.begin() as connection:
        connection.execute(THINGS.insert().values(id=1, n=1))

    with engine.begin() as connection:
        connection.execute(statement)

    assert brief(read_counted(log)[-1]) == (2, wrote, 0)


def test_what_was_undone_wrote_nothing(engine: sa.Engine, log: Path) -> None:
    """A statement that failed was sent all the same; the rollback after it forces nothing to disk."""
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(THINGS.insert().values(id=1, n=1))
        connection.execute(THINGS.insert().values(id=1, n=1))

    assert [brief(each) for each in read_counted(log)] == [(3, False, 0)]


def test_each_transaction_has_its_thread(engine: sa.Engine, log: Path) -> None:
    """By it what a press asks for is told from what is asked by the clock."""
    with engine.begin() as connection:
        connection.execute(sa.select(THINGS))

    assert [each.thread for each in read_counted(log)] == ["MainThread"]


def test_a_line_that_is_not_whole_is_left_for_later(engine: sa.Engine, log: Path) -> None:
    """The file is read while it is written."""
    with engine.begin() as connection:
        connection.execute(sa.select(THINGS))
    with log.open("ab") as file:
        file.write(b'{"ended_at": 1')

    assert len(read_counted(log)) == 1


@pytest.mark.parametrize(
    ("query", "whole"),
    [
        pytest.param(sa.select(operations), True, id="all columns"),
        pytest.param(sa.select(operations).where(operations.c.id == "x").limit(1), True, id="of one"),
        pytest.param(sa.select(*list(operations.c)[1:]), True, id="all but one"),
        pytest.param(sa.select(operations.c.id, operations.c.stage), False, id="two columns"),
        pytest.param(sa.select(sa.exists().where(operations.c.id == "x")), False, id="whether there is one"),
        pytest.param(sa.select(THINGS), False, id="another table"),
    ],
)
def test_whole_operations_are_told_from_parts(query: sa.Select[Any], whole: bool) -> None:
    """Whether the row was read, and not only asked about."""
    assert selects_operation(str(query)) is whole


@pytest.mark.parametrize(
    ("statement", "writes"),
    [
        ("INSERT INTO things VALUES (1, 1)", True),
        ("\n  update things set n = 1", True),
        ("WITH old AS (SELECT id FROM things) DELETE FROM things WHERE id IN (SELECT id FROM old)", True),
        ("WITH old AS (SELECT id FROM things) SELECT * FROM old", False),
        ("SELECT updated_at FROM things", False),
        ("BEGIN IMMEDIATE", False),
    ],
)
def test_writing_statements_are_known_by_their_verb(statement: str, writes: bool) -> None:
    """Also behind a WITH, and not by a column's name."""
    assert is_write(statement) is writes
