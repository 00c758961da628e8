"""One bridge for a module's tests; each test brings its own case."""

from collections.abc import Iterator

import pytest

from tests.scenarios.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def every_fault_is_played(stage: Stage) -> Iterator[None]:
    """A fault that no call met proves nothing."""
    yield
    assert stage.control("GET", "/faults") == []
