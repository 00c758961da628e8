"""Searching Dialogporten: pages to the end, readable refusals, patience; the sandbox stands in for it."""

import json
from typing import Any

import pytest
import requests

from bridge.adapters.dialogporten.end_user import Bearer
from bridge.adapters.dialogporten.search import DialogSearch, SearchRefused
from bridge.adapters.http.session import new_session
from bridge.core.dialog_queries import Side, read_query
from bridge.core.errors import CredentialsRefused, Rejected, Unreachable
from bridge.sandbox.core.ledger import How
from bridge.sandbox.in_process import BASE_URL, SandboxAdapter
from bridge.sandbox.world import World
from tests.sandbox.support import PARTY, as_owner, created, dialogs_url, make_world, moved, owner_token, session_into

DP = f"{BASE_URL}/dialogporten"


class Waits:
    """Passes time at once, and in the world as well."""

    def __init__(self, world: World) -> None:
        self.world, self.seconds = world, list[float]()

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        moved(self.world, seconds=seconds)


def searching(world: World, side: Side, **about: Any) -> DialogSearch:
    """A search with a token that fits the side."""
    if side is Side.OWNER:
        token = owner_token(world, **about)
    else:
        asked = {"party": PARTY, **about}
        token = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json=asked).json()["token"]
    session = new_session(pool=1, mounts={"http://": SandboxAdapter(world)})
    return DialogSearch(session, DP, auth=Bearer(token), clock=world.clock, sleep=Waits(world))


def some(world: World, count: int, **members: Any) -> list[str]:
    ids = []
    for _ in range(count):
        ids.append(created(as_owner(world), **members))
        moved(world, seconds=1)
    return ids


@pytest.mark.parametrize("side", list(Side))
def test_all_pages_are_followed(side: Side) -> None:
    """Each dialog once, newest first, whatever the side; and as many calls as there are pages."""
    world = make_world()
    ids = some(world, 7)
    query = read_query(side, {"party": [PARTY]}, page=3)
    before = len(world.calls.all("dialogporten"))

    found = [each["id"] for each in searching(world, side).items(query)]

    assert found == ids[::-1]
    assert len(world.calls.all("dialogporten")) - before == 3


@pytest.mark.parametrize("side", list(Side))
def test_a_total_ends_the_search(side: Side) -> None:
    """The last page is no larger than what is left; its token goes on from there."""
    world = make_world()
    ids = some(world, 5)[::-1]
    search = searching(world, side)

    pages = list(search.pages(read_query(side, {"party": [PARTY]}, page=2), total=3))
    rest = search.items(read_query(side, {"party": [PARTY]}, token=pages[-1].token))

    assert [[each["id"] for each in page.items] for page in pages] == [ids[:2], ids[2:3]]
    assert [each["id"] for each in rest] == ids[3:]


def test_changes_under_way_make_neither_gap_nor_double() -> None:
    """In the usual order a dialog stays where it is, even when it is updated between two pages."""
    world = make_world()
    ids = some(world, 6)
    search = searching(world, Side.OWNER)
    found = []

    for page in search.pages(read_query(Side.OWNER, {}, page=2)):
        found += [each["id"] for each in page.items]
        for each in ids:
            change = [{"op": "replace", "path": "/progress", "value": len(found)}]
            as_owner(world).patch(dialogs_url(each), json=change)

    assert found == ids[::-1]


def test_a_page_is_held_at_a_time() -> None:
    """Nothing is asked for before it is wanted."""
    world = make_world()
    some(world, 4)
    before = len(world.calls.all("dialogporten"))

    items = searching(world, Side.OWNER).items(read_query(Side.OWNER, {}, page=2))
    next(items)
    calls = len(world.calls.all("dialogporten")) - before

    assert calls == 1


def test_filters_arrive_at_graphql() -> None:
    """Enums, flags, times and the order are taken."""
    world = make_world()
    some(world, 1)
    [wanted] = some(world, 1, status="Draft", searchTags=[{"value": "bevilling"}])
    given = {
        "party": [PARTY],
        "status": ["Draft"],
        "search": ["bevilling"],
        "isContentSeen": ["false"],
        "createdAfter": ["2026-01-01"],
    }
    query = read_query(Side.GRAPHQL, given, order_by="contentUpdatedAt_desc")

    [found] = searching(world, Side.GRAPHQL).items(query)

    assert (found["id"], found["status"]) == (wanted, "DRAFT")


@pytest.mark.parametrize("side", [Side.END_USER, Side.GRAPHQL])
def test_a_refusal_is_told_in_its_own_words(side: Side) -> None:
    """By key where there is one, and without the identity numbers that it may repeat."""
    world = make_world(search_too_broad=True)
    query = read_query(side, {"party": [PARTY], "search": ["skjema"]})

    with pytest.raises(SearchRefused) as caught:
        list(searching(world, side).items(query))

    assert "too broad" in caught.value.findings[0][1]


def test_identity_numbers_stay_out_of_refusals() -> None:
    """A server that repeats what it got does not make us repeat it."""
    world = make_world()
    number = world.new_person()
    body = json.dumps({"title": "x", "errors": {"party[0]": [f"'{number}' is no party"]}})
    world.faults.plan(How(status=400, body=body))

    with pytest.raises(SearchRefused) as caught:
        list(searching(world, Side.OWNER).items(read_query(Side.OWNER, {})))

    assert caught.value.findings == (("party[0]", "'***********' is no party"),)
    assert number not in str(caught.value)


def test_maintenance_is_waited_for() -> None:
    """As long as Dialogporten asks, and the page comes then."""
    world = make_world()
    ids = some(world, 1)
    world.faults.plan(How(status=503, headers={"Retry-After": "7"}), system="dialogporten")
    search = searching(world, Side.OWNER)

    found = [each["id"] for each in search.items(read_query(Side.OWNER, {}))]

    assert found == ids
    assert search._sleep.seconds == [7.0]  # type: ignore[attr-defined]


def test_patience_has_an_end() -> None:
    """After three repeats the caller hears of it."""
    world = make_world()
    world.faults.plan(How(cut="before"), system="dialogporten", times=None)
    search = searching(world, Side.OWNER)

    with pytest.raises(Unreachable):
        list(search.items(read_query(Side.OWNER, {})))

    assert search._sleep.seconds == [1.0, 2.0, 4.0]  # type: ignore[attr-defined]


def test_a_search_needs_its_scope() -> None:
    """403 is not tried again."""
    world = make_world()
    search = searching(world, Side.OWNER, scopes={"digdir:dialogporten.serviceprovider"})

    with pytest.raises(CredentialsRefused) as caught:
        list(search.items(read_query(Side.OWNER, {})))

    assert caught.value.reason == "scope_missing"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"items": [{"id": "a"}], "hasNextPage": True}, "paging_stuck"),
        ({"items": [], "hasNextPage": True, "continuationToken": "x"}, "paging_stuck"),
        ({"items": "a"}, "unreadable"),
        ([], "unreadable"),
    ],
)
def test_a_broken_pager_ends(body: Any, reason: str) -> None:
    """More without a way there is an error, not a circle."""
    world = make_world()
    world.faults.plan(How(status=200, body=json.dumps(body)), system="dialogporten", times=None)

    with pytest.raises(Rejected) as caught:
        list(searching(world, Side.OWNER).items(read_query(Side.OWNER, {})))

    assert caught.value.reason == reason


def test_a_session_for_users_shows_no_token() -> None:
    """Not in its repr."""
    request = requests.Request("GET", "http://sandbox.test", auth=Bearer("hemmelig")).prepare()

    assert request.headers["Authorization"] == "Bearer hemmelig"
    assert "hemmelig" not in repr(Bearer("hemmelig"))
