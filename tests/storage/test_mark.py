"""A store that is older than its mark was restored, and what it would do again is held."""

import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.storage.database import close_database, migrate, open_database
from bridge.storage.mark import Restored, StoreMark
from bridge.storage.store import Store

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """Moves on by a second with every look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    engine = open_database(f"sqlite:///{path}", pool=2)
    migrate(engine)
    yield Store(engine)
    close_database(engine)


def looked(path: Path, clock: Clock, *, times: int = 1) -> list[Restored | None]:
    """What one process finds that looks so often, with the mark beside the store."""
    with opened(path) as store:
        mark = StoreMark(store, path.with_suffix(".mark"), clock=clock)
        found = [mark.look() for _ in range(times)]
    return [None if each is None else each.why for each in found]


def test_a_store_that_goes_on_was_not_restored(tmp_path: Path, clock: Clock) -> None:
    """Neither a new one, nor one whose process was started again; the mark is its owner's alone."""
    store = tmp_path / "b.sqlite"

    found = [*looked(store, clock, times=3), *looked(store, clock, times=2)]

    assert found == [None] * 5
    assert stat.S_IMODE((tmp_path / "b.mark").stat().st_mode) == 0o600


def test_an_older_store_is_found_once(tmp_path: Path, clock: Clock) -> None:
    """With the time of the mark, until when what is in it was accepted; afterwards it goes on from both."""
    store = tmp_path / "b.sqlite"
    looked(store, clock, times=2)
    shutil.copy(store, tmp_path / "backup")
    looked(store, clock, times=3)
    marked = clock.now
    shutil.copy(tmp_path / "backup", store)

    with opened(store) as restored:
        mark = StoreMark(restored, tmp_path / "b.mark", clock=clock)
        found, again = mark.look(), mark.look()

    assert found is not None
    assert (found.why, found.accepted_until, again) == (Restored.OLDER, marked, None)
    assert looked(store, clock) == [None]


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_store_without_its_mark_is_taken_for_restored(tmp_path: Path, clock: Clock, content: str | None) -> None:
    """As where a backup is put on another machine: nothing says how old it is."""
    store = tmp_path / "b.sqlite"
    looked(store, clock)
    (tmp_path / "b.mark").unlink()
    if content is not None:
        (tmp_path / "b.mark").write_text(content)

    assert looked(store, clock, times=2) == [Restored.NO_MARK, None]


def test_another_store_in_its_place_is_found(tmp_path: Path, clock: Clock) -> None:
    """A count says nothing of another store."""
    for name, times in (("b", 1), ("other", 9)):
        looked(tmp_path / f"{name}.sqlite", clock, times=times)
    shutil.copy(tmp_path / "other.sqlite", tmp_path / "b.sqlite")

    assert looked(tmp_path / "b.sqlite", clock) == [Restored.ANOTHER]


def test_a_store_that_is_restored_under_a_process_is_found_by_it(tmp_path: Path, clock: Clock) -> None:
    """Without a file, as on PostgreSQL: what the process noted last is enough."""
    with opened(tmp_path / "b.sqlite") as store:
        mark = StoreMark(store, None, clock=clock)
        for _ in range(5):
            assert mark.look() is None
        with store.transaction() as tx:
            tx.connection.exec_driver_sql("UPDATE marks SET number = 2")

        found = mark.look()

    assert found is not None
    assert found.why is Restored.OLDER


def test_a_mark_that_cannot_be_written_hides_nothing(tmp_path: Path, clock: Clock) -> None:
    """What was found is told all the same, and that it could not be noted as well."""
    store = tmp_path / "b.sqlite"
    looked(store, clock)
    with opened(store) as restored:
        mark = StoreMark(restored, tmp_path / "nowhere" / "b.mark", clock=clock)

        found = mark.look()

    assert found is not None
    assert isinstance(mark.unwritten, OSError)
