"""Every answer of a real stateless app (../shared/contracts/altinn3) is the sandbox's, but for those that are named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.recordings import AT_HAND, SHARED, needs_shared, script

pytestmark = [needs_shared, pytest.mark.contract]

RECORDED = SHARED / "contracts" / "altinn3" / "stateless.json"
LISTED = Path(__file__).with_name("altinn3_differs.txt")
EXCHANGES = json.loads(RECORDED.read_text("utf-8")) if AT_HAND else []


def listed() -> dict[str, str]:
    """The exchanges that may differ, each with its reason."""
    lines = [line.partition(":") for line in LISTED.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return {name.strip(): reason.strip() for name, _, reason in lines}


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    """A running sandbox, with the token of a service owner for the apps."""
    cases, recorded = script("dialogporten_cases"), script("altinn3_recorded")
    sandbox = cases.own_sandbox()
    site = cases.Site(sandbox.base_url)
    yield site, recorded.app_token(site)
    site.http.close()
    sandbox.stop()


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["name"] for each in EXCHANGES])
def test_the_app_answers_as_the_real_one(site: Any, exchange: dict[str, Any]) -> None:
    """Status, headers, members and words; one that is listed differs indeed, else its line is to go."""
    recorded = script("altinn3_recorded")

    found = recorded.judge(exchange, recorded.send(site[0], exchange, site[1]))

    if exchange["name"] in listed():
        assert found is not None, "as recorded now: its line in altinn3_differs.txt is no longer needed"
    else:
        assert found is None


def test_every_line_of_the_list_names_an_exchange_and_a_reason() -> None:
    """So that none outlives what it is about."""
    assert set(listed()) <= {each["name"] for each in EXCHANGES}
    assert all(listed().values())


def test_the_metadata_differs_in_its_data_types_alone(site: Any) -> None:
    """The recorded app has more of them; what they and the app say is said here, too."""
    recorded = script("altinn3_recorded")
    exchange = next(each for each in EXCHANGES if each["name"] == "meta_api_v1_applicationmetadata")

    answer = json.loads(recorded.send(site[0], exchange, site[1])[2])

    real = exchange["answer"]
    own = next(each for each in real["dataTypes"] if each["id"] == "regnestykke")
    logic = {**own["appLogic"], "allowAnonymousOnStateless": True}
    assert answer == {**real, "dataTypes": [{**own, "appLogic": logic}, real["dataTypes"][1]]}
