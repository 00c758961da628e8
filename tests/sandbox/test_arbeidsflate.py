"""The backend of the Arbeidsflate page: for this machine, on an origin of its own, for one party at a time."""

from collections.abc import Iterator

import pytest
import requests

from bridge.sandbox.control import settings
from bridge.sandbox.server import Sandbox
from tests.sandbox.support import PARTY, dialog, make_world

OTHER = "urn:altinn:organization:identifier-no:310000027"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(make_world()) as running:
        yield running


@pytest.fixture
def page(sandbox: Sandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def created(sandbox: Sandbox, **members: str) -> str:
    address = f"{sandbox.base_url}/_sandbox/dialogporten/dialogs"
    return str(requests.post(address, json=dialog(**members), timeout=10).json())


def test_the_page_has_an_origin_of_its_own(sandbox: Sandbox, page: requests.Session) -> None:
    """Another port, which the bridge allows; script and style come from it alone."""
    address = sandbox.world.arbeidsflate_url

    answer = page.get(f"{address}/arbeidsflate/")

    assert address not in (None, sandbox.base_url)
    assert settings(sandbox.world, sandbox.base_url)["BRIDGE_ALLOWED_ORIGINS"] == f"{sandbox.base_url},{address}"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert '<html lang="nb">' in answer.text


def test_one_party_is_acted_for_at_a_time(sandbox: Sandbox, page: requests.Session) -> None:
    """The first that has a dialog, another when it is chosen, and the dialog's own when one is opened by a link."""
    mine, other = created(sandbox), created(sandbox, party=OTHER)
    api = f"{sandbox.world.arbeidsflate_url}/arbeidsflate/api"

    def listed() -> list[str]:
        return [each["id"] for each in page.get(f"{api}/dialogs").json()["items"]]

    first = listed()
    page.post(f"{api}/session", json={"party": OTHER})
    second = listed()
    linked = page.get(f"{api}/dialogs/{mine}").json()

    assert (first, second, listed()) == ([mine], [other], [mine])
    assert linked["dialogToken"]
    assert page.get(f"{api}/session").json()["party"] == PARTY


def test_strangers_are_kept_out(sandbox: Sandbox, page: requests.Session) -> None:
    """A name that leads to this machine, and a form that a strange page could send."""
    api = f"{sandbox.world.arbeidsflate_url}/arbeidsflate/api"

    named = page.get(f"{api}/session", headers={"Host": "steal.example.no"})
    posted = page.post(f"{api}/session", data="{}", headers={"Content-Type": "text/plain"})
    broken = page.post(f"{api}/session", data="{", headers={"Content-Type": "application/json"})

    assert (named.status_code, posted.status_code, broken.status_code) == (403, 415, 400)


def test_only_the_page_may_subscribe_across_origins(sandbox: Sandbox, page: requests.Session) -> None:
    """Its preflight is answered, another's is not."""
    stream = f"{sandbox.base_url}/dialogporten/graphql/stream"
    origins = (sandbox.world.arbeidsflate_url, "https://steal.example.no")

    allowed = [
        page.options(stream, headers={"Origin": str(each)}).headers.get("Access-Control-Allow-Origin")
        for each in origins
    ]

    assert allowed == [origins[0], None]
