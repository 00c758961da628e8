"""One bridge for a module's tests; each test brings its own case."""

from collections.abc import Iterator

import pytest

from tests.scenarios.stage import JUDGE, Stage


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


@pytest.fixture(autouse=True)
def every_exchange_is_as_published() -> Iterator[None]:
    """Dialogporten's own documents judge what the bridge asked and what the sandbox answered."""
    yield
    assert JUDGE.take() == []
