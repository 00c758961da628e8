"""What holds for all tests."""

import coverage


def pytest_sessionfinish() -> None:
    """Save what coverage saw where it looks (.ci/run): xdist gives its processes ten seconds to end, and kills them."""
    if measuring := coverage.Coverage.current():
        measuring.stop()
        measuring.save()
