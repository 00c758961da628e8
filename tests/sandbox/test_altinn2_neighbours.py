"""What lies beside Altinn 2's messages: code lists, organisations, roles, look-ups, events of letters."""

from typing import Any

import pytest
import requests

from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import as_altinn2_user, make_world, seeded, session_into

API = f"{BASE_URL}/altinn2/api"
CONTROL = f"{BASE_URL}/_sandbox/altinn2"
LAND = {"name": "Land", "version": 2, "codes": [{"Code": "NO", "Value1": "Norge"}, {"Code": "SE", "Value1": "Sverige"}]}


def put(world: World, what: str, body: Any) -> None:
    answer = session_into(world).post(f"{CONTROL}/{what}", json=body)
    assert answer.status_code == 201, answer.text


def agency(world: World) -> requests.Session:
    """Somebody whose token is an organisation's own."""
    return as_altinn2_user(world)


def test_code_lists_are_open_to_all() -> None:
    """Listed, and shown with their codes, without a key; a version that is not there is 404."""
    world = make_world()
    put(world, "codelists", LAND)
    nobody = session_into(world)

    listed = nobody.get(f"{API}/metadata/codelists").json()["_embedded"]["codelists"]
    shown = nobody.get(listed[0]["_links"]["self"]["href"]).json()

    assert [(each["Name"], each["Version"]) for each in listed] == [("Land", 2)]
    assert [each["Code"] for each in shown["Codes"]] == ["NO", "SE"]
    assert nobody.get(f"{API}/metadata/codelists/land/1").status_code == 404


def test_organisations_are_those_that_one_may_act_for() -> None:
    """No persons among them, and a filter works on them."""
    world = make_world()
    number = world.new_organisation().number
    for each in (number, world.new_organisation().number, world.new_person()):
        put(world, "reportees", {"number": each})
    session = as_altinn2_user(world)

    found = session.get(f"{API}/organizations").json()["_embedded"]["organizations"]
    one = session.get(f"{API}/organizations", params={"$filter": f"OrganizationNumber eq '{number}'"}).json()

    assert len(found) >= 2
    assert all(len(each["OrganizationNumber"]) == 9 for each in found)
    assert [each["OrganizationNumber"] for each in one["_embedded"]["organizations"]] == [number]


def test_roles_are_listed_for_whom_they_are() -> None:
    """An organisation has its manager; the words follow who it is."""
    world = make_world()
    number = world.new_organisation().number
    put(world, "reportees", {"number": number})

    (role,) = as_altinn2_user(world).get(f"{API}/{number}/authorization/roles").json()["_embedded"]["roles"]

    assert role["RoleName"] == "Daglig leder"


@pytest.mark.parametrize(("edition", "status"), [(1, 200), (2, 404)])
def test_a_look_up_answers_what_was_put_there(edition: int, status: int) -> None:
    """By code and edition."""
    world = make_world()
    put(world, "lookups", {"code": "4242", "answer": "<svar>ja</svar>"})

    answer = as_altinn2_user(world).get(f"{API}/my/lookup/4242/{edition}")

    assert answer.status_code == status
    assert ("ja" in answer.text) is (status == 200)


def test_letters_leave_events() -> None:
    """Made, read, archived and deleted, in order, after an offset; forms leave none."""
    world = make_world()
    seeded(world)
    first, second = (
        seeded(world, forms=[], service={"code": "2479", "edition": 2}, letter={"body": "Hei"}) for _ in range(2)
    )
    session = agency(world)
    session.get(f"{API}/my/messages/{first}")
    session.put(f"{API}/my/messages/{first}/archive")
    session.delete(f"{API}/my/messages/{second}")

    events = session.get(f"{API}/serviceowner/events/feed").json()
    later = session.get(f"{API}/serviceowner/events/feed", params={"eventOffset": "2", "fetch": "1"}).json()

    assert [(each["EventType"], each["MessageId"]) for each in events] == [
        ("Created", first),
        ("Created", second),
        ("Read", first),
        ("Archived", first),
        ("Deleted", second),
    ]
    assert [each["EventOffset"] for each in later] == [3]


@pytest.mark.parametrize("query", [{"fetch": "10001"}, {"fetch": "0"}, {"eventOffset": "x"}])
def test_the_feed_has_its_limits(query: dict[str, str]) -> None:
    """At most 10,000 at a time."""
    assert agency(make_world()).get(f"{API}/serviceowner/events/feed", params=query).status_code == 400


def test_a_person_gets_no_feed() -> None:
    """It is the agency's."""
    world = make_world()
    person = world.new_person()
    put(world, "users", {"name": "kari", "password": "x", "party": person})
    session = session_into(world)
    login = {"UserName": "kari", "UserPassword": "x"}
    cookie = session.post(f"{API}/authentication/authenticatewithpassword", json=login).headers["Set-Cookie"]
    headers = {"ApiKey": world.altinn2_api_key, "Cookie": cookie.partition(";")[0]}

    assert session.get(f"{API}/serviceowner/events/feed", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("codelists", {"name": "Land"}),
        ("codelists", {"name": "Land", "version": "1", "codes": []}),
        ("codelists", {"codes": []}),
        ("lookups", {"code": "1"}),
        ("lookups", {"code": "1", "edition": True, "answer": "<a/>"}),
    ],
)
def test_what_cannot_be_put_there_is_refused(what: str, body: Any) -> None:
    """With what is missing."""
    assert session_into(make_world()).post(f"{CONTROL}/{what}", json=body).status_code == 400
