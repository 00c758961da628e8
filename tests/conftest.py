"""What holds for all tests."""

import coverage
import pytest

LONGEST = (
    "scenarios/test_four_writers.py",
    "forms/test_streaming.py",
    "scenarios/test_strictness.py",
    "forms/test_schema_kinds.py",
    "scenarios/test_altinn2_property.py",
)
"""Files that take minutes: begun last, each would run alone at the end while the other cores have nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the rest stays in its order (with ``--no-loadscope-reorder``)."""
    rank = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get("/".join(item.path.parts[-2:]), len(rank)))


def pytest_sessionfinish() -> None:
    """Save what coverage saw where it looks (.ci/run): xdist gives its processes ten seconds to end, and kills them."""
    if measuring := coverage.Coverage.current():
        measuring.stop()
        measuring.save()
