"""Sessions stand on the pinned urllib3 and no other."""

import configparser
from pathlib import Path

import pytest

from bridge.adapters.http.session import URLLIB3_BEFORE, URLLIB3_FROM, check_urllib3, urllib3_faults


@pytest.mark.parametrize(
    ("version", "impostors", "faults"),
    [
        ("2.5.0", [], 0),
        ("2.8.0", [], 0),
        ("2.4.9", [], 1),
        ("3.0.0", [], 1),
        ("unknown", [], 1),
        ("2.25.904", ["urllib3-future", "niquests"], 2),
    ],
)
def test_only_the_pinned_urllib3_will_do(version: str, impostors: list[str], faults: int) -> None:
    """Another urllib3 is refused in words, all reasons at once."""
    assert len(urllib3_faults(version, impostors)) == faults


def test_the_installed_urllib3_is_the_pinned_one() -> None:
    """This environment passes, and the check knows the range of setup.cfg."""
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")

    check_urllib3()

    low, high = (".".join(map(str, edge)) for edge in (URLLIB3_FROM, URLLIB3_BEFORE))
    assert f"urllib3>={low},<{high}" in setup["options"]["install_requires"].split()
