"""What the real Dialogporten's own tests say of its HTTP face holds in the sandbox (../shared/cases)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.recordings import AT_HAND, needs_shared, script

pytestmark = [needs_shared, pytest.mark.contract]

GROUPS = [function.__name__ for function, _ in script("dialogporten_cases").CASES] if AT_HAND else ["not at hand"]


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    """A running sandbox that knows two service owners, and whoever calls it."""
    cases = script("dialogporten_cases")
    sandbox = cases.own_sandbox()
    site = cases.Site(sandbox.base_url)
    yield site
    site.http.close()
    sandbox.stop()


@pytest.mark.parametrize("group", GROUPS)
def test_the_sandbox_does_as_dialogporten(site: Any, group: str) -> None:
    """Every case of a group holds."""
    function = next(each for each, _ in script("dialogporten_cases").CASES if each.__name__ == group)

    found = list(function(site))

    assert found
    assert [(name, got) for name, good, got in found if not good] == []
