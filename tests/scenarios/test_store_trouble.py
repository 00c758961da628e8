"""A store that cannot be written is told as that: nothing is promised, nothing is lost, and health notices."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from tests.scenarios.stage import Stage, until


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """One bridge for each test: its store is spoilt."""
    made = Stage(tmp_path, BRIDGE_DATABASE_POOL="4")
    yield made
    made.stop()


@contextmanager
def refusing_writes(stage: Stage) -> Iterator[None]:
    """Let SQLite itself refuse every write, as on a file system that was mounted read-only."""

    def on_use(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    def after_use(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only = OFF")

    engine = stage.bridge.store.engine
    event.listen(engine, "checkout", on_use)
    event.listen(engine, "checkin", after_use)
    try:
        yield
    finally:
        event.remove(engine, "checkout", on_use)


def told(answer: TestResponse) -> tuple[int, str, bool]:
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2], "Retry-After" in answer.headers


UNAVAILABLE = (503, "storage_unavailable", True)


def test_a_store_that_refuses_writes_is_told_as_that(stage: Stage) -> None:
    """503 with Retry-After instead of an internal error, nothing is sent, and the next press is the first."""
    case = stage.case()
    with refusing_writes(stage):
        assert told(stage.press(case)) == UNAVAILABLE
        assert stage.effects(case, "altinn2.archived") == []

    assert stage.press(case).status_code == 204
    assert len(stage.effects(case, "altinn2.archived")) == 1


def test_readiness_notices_that_writing_fails(stage: Stage) -> None:
    """Reading still works; it is the write that says no. Measurements go on."""
    assert stage.client.get("/health/readiness").status_code == 200
    with refusing_writes(stage):
        until(lambda: stage.client.get("/health/readiness").status_code == 503)
        ready, deep = stage.client.get("/health/readiness"), stage.client.get("/health/deep")
        measured = stage.client.get("/metrics")

        assert (ready.get_json()["database"], ready.get_json()["why"]) == (False, "read_only")
        assert (deep.status_code, deep.get_json()["why"]) == (503, "read_only")
        assert stage.client.get("/health/liveness").status_code == 200
        assert measured.status_code == 200
        assert "bridge_store_up 0.0" in measured.text

    until(lambda: stage.client.get("/health/readiness").status_code == 200)


def test_a_press_on_a_deleted_store_is_not_accepted(stage: Stage, tmp_path: Path) -> None:
    """Connections that are open could write on, into a file that nobody finds again."""
    first, second = stage.case(), stage.case()
    assert stage.press(first).status_code == 204
    for file in tmp_path.glob("bridge.sqlite*"):
        file.unlink()

    assert told(stage.press(second)) == UNAVAILABLE
    assert stage.effects(second, "altinn2.archived") == []
    until(lambda: stage.client.get("/health/readiness").status_code == 503)
    assert stage.client.get("/health/readiness").get_json()["why"] == "gone"
    assert stage.client.get("/metrics").status_code == 200
    assert list(tmp_path.glob("bridge.sqlite")) == []


def test_a_store_put_in_the_place_of_the_open_one_is_not_written(stage: Stage, tmp_path: Path) -> None:
    """A back-up that is copied over a running service belongs to a restart."""
    first, second = stage.case(), stage.case()
    assert stage.press(first).status_code == 204
    store = tmp_path / "bridge.sqlite"
    copy = store.read_bytes()
    for file in tmp_path.glob("bridge.sqlite*"):
        file.unlink()
    store.write_bytes(copy)

    assert told(stage.press(second)) == UNAVAILABLE
    assert store.read_bytes() == copy


def test_a_log_taken_away_is_not_written_on(stage: Stage, tmp_path: Path) -> None:
    """What SQLite has not moved into the file yet lies in its log; nothing is written until a restart."""
    case = stage.case()
    token = stage.token(case)
    (tmp_path / "bridge.sqlite-wal").unlink()

    assert [told(stage.press(case, token=token)) for _ in range(8)] == [UNAVAILABLE] * 8
    assert stage.client.get("/health/readiness").get_json()["why"] == "gone"
    assert stage.effects(case, "altinn2.archived") == []


def test_connections_that_are_all_taken_are_told_as_that(stage: Stage) -> None:
    """503 after three seconds at most; nobody waits for half a minute, and readiness stays."""
    case = stage.case()
    token = stage.token(case)
    assert stage.press(case, token=token).status_code == 204
    assert stage.client.get("/health/readiness").status_code == 200
    answers: list[TestResponse] = []
    taken = [stage.bridge.store.engine.connect() for _ in range(4)]
    try:
        pressing = threading.Thread(target=lambda: answers.append(stage.press(case, token=token)))
        pressing.start()
        pressing.join(10)
        assert [told(each) for each in answers] == [UNAVAILABLE]
        assert stage.client.get("/health/readiness").status_code == 200
    finally:
        for connection in taken:
            connection.close()

    assert stage.press(case, token=token).status_code == 204
