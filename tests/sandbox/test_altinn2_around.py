"""Altinn 2's neighbours of the messages: metadata, reportees, profiles, rights, and the ways to log in."""

import base64
from typing import Any

import pytest
import requests

from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    HAL,
    MAIN_TYPE,
    SCHEMA,
    as_altinn2_user,
    main_form,
    make_world,
    message,
    moved,
    owner_token,
    seeded,
    session_into,
)

API = f"{BASE_URL}/altinn2/api"
CONTROL = f"{BASE_URL}/_sandbox/altinn2"
LOGIN = f"{API}/authentication/authenticatewithpassword"
CREATED_AT_LOGIN = "User profile is created at first login to the Altinn.no portal"
SERVICE = {
    "code": "4711",
    "edition": 1,
    "name": "Målekort",
    "names": {"1033": "Meter card"},
    "signing_steps": 1,
    "security_level": 3,
    "forms": [{**MAIN_TYPE, "data_format_id": "Sofus", "schema": SCHEMA}],
    "attachment_rules": [{"name": "Plan", "id": 52, "file_types": "*.xml", "max_count": 2, "schema": SCHEMA}],
}


def service(world: World, **about: Any) -> None:
    assert session_into(world).post(f"{CONTROL}/services", json={**SERVICE, **about}).status_code == 201


def user(world: World, **about: Any) -> dict[str, Any]:
    number = world.new_person()
    body = {"name": "sandkasse", "password": "øøø", "party": number, **about}
    assert session_into(world).post(f"{CONTROL}/users", json=body).status_code == 201
    return body


def log_in(world: World, name: str = "sandkasse", password: str = "øøø", **headers: str) -> requests.Response:
    body = {"UserName": name, "UserPassword": password}
    return session_into(world).post(LOGIN, json=body, headers={**HAL, **headers})


def logged_in(world: World, **about: Any) -> requests.Session:
    """A session that carries the login's cookie, as a cookie jar would."""
    user(world, **about)
    session = session_into(world, headers={"ApiKey": world.altinn2_api_key})
    session.post(LOGIN, json={"UserName": "sandkasse", "UserPassword": "øøø"}, headers=HAL)
    return session


def names(session: requests.Session) -> list[str]:
    return [each for each in session.cookies.keys() if each.lower().startswith(".aspxauth")]  # noqa: SIM118


def test_metadata_is_open() -> None:
    """No key, no login; names in English unless asked for otherwise; REST is said to be off."""
    world = make_world()
    service(world)
    session = session_into(world)

    english = session.get(f"{API}/metadata/formtask/4711/1").json()
    norwegian = session.get(f"{API}/metadata/formtask/4711/1", params={"language": "1044"}).json()

    assert (english["ServiceName"], norwegian["ServiceName"]) == ("Meter card", "Målekort")
    assert english["RestEnabled"] is False
    assert [(each["Name"], each["SecurityLevel"]) for each in english["ProcessSteps"]] == [
        ("FormFilling", 3),
        ("Signing", 3),
    ]


def test_metadata_leads_to_its_schemas() -> None:
    """The links of forms and attachment rules give XSD files; plain JSON has no links."""
    world = make_world()
    service(world)
    session = session_into(world)
    address = f"{API}/metadata/formtask/4711/1"

    found = session.get(address).json()
    answers = [session.get(found[part][0]["_links"]["schema"]["href"]) for part in ("FormsMetaData", "AttachmentRules")]
    bare = session.get(address, headers={"Accept": "application/json"}).json()

    assert {each.text for each in answers} == {SCHEMA}
    assert {each.headers["Content-Type"] for each in answers} == {"application/xml"}
    assert answers[0].headers["Content-Disposition"] == "attachment; filename=schema.xsd"
    assert found["FormsMetaData"][0]["DataFormatID"] == "Sofus"
    assert "_links" not in bare["FormsMetaData"][0]
    assert session.get(f"{address}/forms/Sofus/2/xsd").status_code == 404
    assert session.get(f"{address}/attachmentrules/1/xsd").status_code == 404


def test_metadata_is_spelled_as_switched() -> None:
    """Two spellings of one member, and names of steps in two languages."""
    world = make_world(metadata_xsd_spelling="IsXSDValidationRequired", process_step_names="norwegian")
    service(world, signing_steps=0)

    found = session_into(world).get(f"{API}/metadata/formtask/4711/1").json()

    assert found["AttachmentRules"][0]["IsXSDValidationRequired"] is True
    assert [each["Name"] for each in found["ProcessSteps"]] == ["Utfylling", "Innsending"]


def test_services_out_of_force_have_no_metadata() -> None:
    """Expired and future ones are in no list, though their elements are there."""
    world = make_world()
    service(world, code="1", valid_to="2026-03-10T10:00:00+00:00")
    service(world, code="2", valid_from="2027-01-01T00:00:00+00:00")
    service(world, code="3")
    session = session_into(world)

    listed = session.get(f"{API}/metadata").json()["_embedded"]["metadata"]
    statuses = [session.get(f"{API}/metadata/formtask/{code}/1").status_code for code in "123"]

    assert [each["ServiceCode"] for each in listed] == ["3"]
    assert statuses == [404, 404, 200]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (
            {"$top": "10001"},
            "The limit of '10000' for Top query has been exceeded. The value from the incoming request is '10001'",
        ),
        (
            {"$orderby": "ValidTil"},
            "Could not find property named 'ValidTil' on type 'Altinn.SBL.AltinnWebAPI.Models.ServiceMetaData'",
        ),
        ({"$filter": "ServiceOwnerCode neq 'ACN'"}, "Syntax error at position 20 in 'ServiceOwnerCode neq 'ACN''"),
    ],
)
def test_wrong_options_of_metadata_have_the_published_words(query: dict[str, str], reason: str) -> None:
    """The three faults that are printed somewhere, to the letter."""
    answer = session_into(make_world()).get(f"{API}/metadata", params=query)

    assert (answer.status_code, answer.reason) == (400, reason)


def test_role_requirements_know_the_service() -> None:
    """404 for one that is unknown."""
    world = make_world()
    service(world)
    session = session_into(world)
    address = f"{API}/metadata/rolerequirements"

    known = session.get(address, params={"serviceCode": "4711", "serviceEditionCode": "1"})

    assert known.status_code == 200
    assert session.get(address, params={"serviceCode": "1", "serviceEditionCode": "1"}).status_code == 404


def test_a_closed_altinn2_has_no_metadata() -> None:
    """Open to all does not mean there for ever."""
    assert session_into(make_world(shutdown="410")).get(f"{API}/metadata").status_code == 410


def test_reportees_are_those_that_elements_and_users_name() -> None:
    """With their ids, and links to their messages; one by one as well."""
    world = make_world()
    seeded(world)
    session = as_altinn2_user(world)

    found = session.get(f"{API}/reportees").json()["_embedded"]["reportees"]

    assert [(each["OrganizationNumber"], each["Type"]) for each in found] == [("310000019", "Foretak")]
    assert session.get(found[0]["_links"]["self"]["href"]).json() == found[0]
    assert len(session.get(found[0]["_links"]["messages"]["href"]).json()["_embedded"]["messages"]) == 1
    assert session.get(f"{API}/reportees/r1").status_code == 404
    assert session.get(f"{API}/reportees", params={"serviceCode": "1"}).json()["_embedded"]["reportees"] == []


@pytest.mark.parametrize("kind", ["person", "organisation"])
def test_a_number_is_converted_to_a_reportee(kind: str) -> None:
    """By number and name; a wrong name or number is 404."""
    world = make_world(reportee_numbers="masked")
    number = world.new_person() if kind == "person" else world.new_organisation().number
    session_into(world).post(f"{CONTROL}/reportees", json={"number": number, "name": "KARI SAND"})
    keys = ("SocialSecurityNumber", "LastName") if kind == "person" else ("OrganizationNumber", "OrganizationName")
    session = as_altinn2_user(world)
    address = f"{API}/reportees/ReporteeConversion"

    right = session.post(address, json={keys[0]: number, keys[1]: "Sand"})
    wrong = [session.post(address, json=body) for body in ({keys[0]: number, keys[1]: "Berg"}, {keys[0]: "1"}, {})]

    assert right.json()["ReporteeId"].startswith("r5")
    assert [each.status_code for each in wrong] == [404, 404, 404]
    assert (number in right.text) == (kind == "organisation")


def test_rights_are_those_of_the_party() -> None:
    """All actions unless the party was given fewer; by service and filter."""
    world = make_world()
    seeded(world)
    session_into(world).post(f"{CONTROL}/reportees", json={"number": "310000019", "rights": ["Read", "Write"]})
    session = as_altinn2_user(world)

    some = session.get(f"{API}/310000019/authorization/rights", params={"serviceCode": "4711"}).json()
    signing = session.get(f"{API}/my/authorization/rights", params={"$filter": "Action eq 'Sign'"}).json()
    none = session.get(f"{API}/my/authorization/rights", params={"serviceCode": "1"}).json()

    assert [each["Action"] for each in some["_embedded"]["rights"]] == ["Read", "Write"]
    assert [each["Action"] for each in signing["_embedded"]["rights"]] == ["Sign"]
    assert none["_embedded"]["rights"] == []


def test_profiles_of_users_and_organisations() -> None:
    """The cheapest probe of a login; a person's number has no such profile."""
    world = make_world()
    seeded(world)
    session = as_altinn2_user(world)

    own, organisation = session.get(f"{API}/my/profile"), session.get(f"{API}/310000019/profile")

    assert "ContactInformation" in own.json()
    assert organisation.json()["_links"]["contactinformation"]["href"].endswith("/310000019/profile/contactinformation")
    assert session.get(f"{API}/310000027/profile").status_code == 404


@pytest.mark.parametrize("name", ["AspxAuthTT02", "ASPXAUTH", "AspxAuthProd", "AspxAuthCloud"])
def test_a_password_gives_the_cookie_of_the_environment(name: str) -> None:
    """With it and the key, calls go through, and my is the user's own party."""
    world = make_world(cookie_name=name)
    session = logged_in(world)

    answer = session.get(f"{API}/my/messages")
    profile = session.get(f"{API}/my/profile").json()

    assert names(session) == [f".{name}"]
    assert answer.status_code == 200
    assert profile["UserName"] == "sandkasse"


def test_an_own_element_is_found_under_my() -> None:
    """What was made for the user's number is there for the user, and for no other user."""
    world = make_world()
    session = logged_in(world)
    own = next(each.number for each in world.altinn2.people.parties())
    element = seeded(world, who=[own])

    mine = session.get(f"{API}/my/messages/{element}")
    others = as_altinn2_user(world).get(f"{API}/my/messages/{element}")

    assert (mine.status_code, others.status_code) == (200, 404)


def test_two_users_have_two_mys() -> None:
    """What one user makes under my is not there under the other one's, though both say my."""
    world = make_world()
    service(world, forms=[MAIN_TYPE], security_level=0, attachment_rules=[])
    session = logged_in(world)
    made = session.post(f"{API}/my/messages", json=message(main_form()), params={"complete": "false"}, headers=HAL)
    user(world, name="annen", password="x")
    cookie = log_in(world, name="annen", password="x").headers["Set-Cookie"].partition(";")[0]
    other = session_into(world, headers={"ApiKey": world.altinn2_api_key, "Cookie": cookie})

    assert session.get(made.headers["Location"]).status_code == 200
    assert other.get(made.headers["Location"]).status_code == 404


def test_asking_makes_no_reportee() -> None:
    """A number that only stood in an address is in no list."""
    world = make_world()
    session = as_altinn2_user(world)

    session.get(f"{API}/310000019/messages")

    assert session.get(f"{API}/reportees").json()["_embedded"]["reportees"] == []


def test_a_user_stands_for_those_it_represents_only() -> None:
    """403 for another organisation; only the represented are reportees."""
    world = make_world()
    one, other = world.new_organisation().number, world.new_organisation().number
    session_into(world).post(f"{CONTROL}/reportees", json={"number": other})
    session = logged_in(world, represents=[one])

    statuses = [session.get(f"{API}/{number}/messages").status_code for number in (one, other)]
    reportees = session.get(f"{API}/reportees").json()["_embedded"]["reportees"]

    assert statuses == [200, 403]
    assert [each.get("OrganizationNumber") for each in reportees] == [None, one]


@pytest.mark.parametrize("status", ["401", "403", "400"])
def test_a_wrong_password_is_refused(status: str) -> None:
    """The same words whether the name or the password is wrong."""
    world = make_world(login_failed_status=status)
    user(world)

    answers = [log_in(world, password="x"), log_in(world, name="ingen")]

    assert [(each.status_code, each.reason) for each in answers] == [(int(status), "Invalid user name or password")] * 2
    assert session_into(world).post(LOGIN, json={}, headers=HAL).status_code == 400


def test_ten_failures_lock_for_an_hour() -> None:
    """Then even the right password does not help, until the hour is over; a success begins anew."""
    world = make_world()
    user(world)
    for _ in range(10):
        log_in(world, password="x")

    locked = log_in(world)
    moved(world, seconds=3601)
    after = log_in(world)
    for _ in range(9):
        log_in(world, password="x")
    nine = log_in(world)

    assert (locked.status_code, locked.reason) == (401, "The user is locked")
    assert (after.status_code, nine.status_code) == (200, 200)


def test_failures_are_forgotten_after_two_hours() -> None:
    """Nine, a pause, and one more lock nobody."""
    world = make_world()
    user(world)
    for _ in range(9):
        log_in(world, password="x")
    moved(world, seconds=7201)

    log_in(world, password="x")

    assert log_in(world).status_code == 200


def test_a_login_slides_on() -> None:
    """In the second half of its life an answer carries a new cookie; the old one runs out."""
    world = make_world()
    session = logged_in(world)
    first = {each.name: each.value for each in session.cookies}[".AspxAuthTT02"]
    moved(world, seconds=16 * 60)

    renewed = session.get(f"{API}/my/profile")
    moved(world, seconds=16 * 60)
    later = session.get(f"{API}/my/profile")
    old = session_into(world, headers={"ApiKey": world.altinn2_api_key, "Cookie": f".AspxAuthTT02={first}"})

    assert ".AspxAuthTT02" in renewed.headers["Set-Cookie"]
    assert later.status_code == 200
    assert old.get(f"{API}/my/profile").status_code == 403


def test_a_renewal_once_swallowed_the_answer() -> None:
    """By switch: 200, a new cookie, no body and no effect; the repeated call does it."""
    world = make_world(cookie_renewal="empty_200_bug")
    session = logged_in(world)
    own = next(each.number for each in world.altinn2.people.parties())
    element = seeded(world, who=[own])
    moved(world, seconds=16 * 60)
    address = f"{API}/my/messages/{element}"

    first = session.put(address, json=message(main_form()), headers=HAL)
    effects = len(world.ledger.effects("altinn2.put"))
    second = session.put(address, json=message(main_form()), headers=HAL)

    assert (first.status_code, first.content, effects) == (200, b"", 0)
    assert second.status_code == 204


@pytest.mark.parametrize(("switch", "status"), [("refused", 403), ("token", 200), ("cookie", 200)])
def test_a_cookie_beside_a_token_follows_its_switch(switch: str, status: int) -> None:
    """Two logins in one call often lead to errors."""
    world = make_world(cookie_and_token=switch)
    session = logged_in(world)
    session.headers["Authorization"] = f"Bearer {owner_token(world)}"

    answer = session.get(f"{API}/my/profile")

    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["UserName"] == "sandkasse") == (switch == "cookie")


@pytest.mark.parametrize("cookie", [".AspxAuthTT02=", ".AspxAuthTT02=wrong", ".ASPXAUTH=wrong"])
def test_a_cookie_that_is_no_login_lets_nobody_in(cookie: str) -> None:
    """Empty, invented, or of another environment."""
    world = make_world()
    session = session_into(world, headers={"ApiKey": world.altinn2_api_key, "Cookie": cookie})

    assert session.get(f"{API}/my/messages").status_code == 403


def test_a_user_without_profile_is_told_where_to_go() -> None:
    """400 in the words that clients look for, without the number."""
    world = make_world()
    session = logged_in(world, profile=False)

    answer = session.get(f"{API}/my/messages")

    assert (answer.status_code, answer.reason) == (
        400,
        f"User profile could not be found for {'*' * 11}. {CREATED_AT_LOGIN}",
    )


def test_the_missing_profile_is_a_switch_for_tokens() -> None:
    """On my and on reportees, not on behalf of an organisation."""
    world = make_world(user_profile="missing")
    session = as_altinn2_user(world)

    statuses = [session.get(f"{API}/{path}").status_code for path in ("my/messages", "reportees", "310000019/messages")]

    assert statuses == [400, 400, 200]


def test_an_enterprise_user_shows_its_certificate() -> None:
    """Without one 401 in the published words; with one a login at level 3 whose my is the organisation."""
    world = make_world()
    number = world.new_organisation().number
    user(world, party=number, enterprise=True)
    element = seeded(world, who=[number], service={"security_level": 3})

    without = log_in(world)
    with_one = log_in(world, **{"X-Sandbox-Client-Certificate": number})
    cookie = with_one.headers["Set-Cookie"].partition(";")[0]
    session = session_into(world, headers={"ApiKey": world.altinn2_api_key, "Cookie": cookie})

    assert (without.status_code, without.reason.split(",")[0]) == (401, "Enterprise certificate authentication failed")
    assert session.get(f"{API}/my/messages/{element}").status_code == 200
    assert session.get(f"{API}/my/profile").json()["_links"]["self"]["href"].endswith(f"/{number}/profile")


def test_a_password_alone_is_level_one() -> None:
    """An element of level 2 is 401."""
    world = make_world()
    session = logged_in(world)
    own = next(each.number for each in world.altinn2.people.parties())
    element = seeded(world, who=[own], service={"security_level": 2})

    assert session.get(f"{API}/my/messages/{element}").status_code == 401


EXCHANGE = f"{BASE_URL}/platform/authentication/api/v1/exchange/maskinporten"


def exchanged(world: World, name: str, password: str) -> requests.Response:
    claims = {"scope": "altinn:enduser", "consumer": {"ID": f"0192:{world.owner.number}"}}
    token = issue(world, BASE_URL, "maskinporten", claims, lifetime=60)
    secret = base64.b64encode(f"{name}:{password}".encode()).decode()
    headers = {"Authorization": f"Bearer {token}", "X-Altinn-EnterpriseUser-Authentication": secret}
    return session_into(world).get(EXCHANGE, headers=headers)


def test_the_exchange_once_knew_enterprise_users() -> None:
    """By switch a JSON string that Altinn 2 takes; without it 410, whoever asks."""
    world = make_world(enterprise_user_exchange="works")
    user(world, party=world.owner.number, enterprise=True)
    hidden = seeded(world, who=[world.owner.number], service={"code": "1", "enterprise_users": False})
    shown = seeded(world, who=[world.owner.number])

    token = exchanged(world, "sandkasse", "øøø").json()
    wrong = exchanged(world, "sandkasse", "x")
    session = session_into(world, headers={"ApiKey": world.altinn2_api_key, "Authorization": f"Bearer {token}"})
    listed = session.get(f"{API}/my/messages").json()["_embedded"]["messages"]
    world.change_switches(enterprise_user_exchange="410")

    assert [each["MessageId"] for each in listed] == [shown]
    assert session.get(f"{API}/my/messages/{hidden}").status_code == 404
    assert wrong.status_code == 401
    assert exchanged(world, "sandkasse", "øøø").status_code == 410


def test_the_load_balancer_sets_a_cookie() -> None:
    """On every answer, unless switched off."""
    with_one, without = make_world(), make_world(load_balancer_cookie=False)

    answers = [as_altinn2_user(world).get(f"{API}/my/messages") for world in (with_one, without)]

    assert ["Set-Cookie" in each.headers for each in answers] == [True, False]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("services", {"code": "1", "kind": "Broker"}),
        ("services", {"code": "1", "valid_to": "2026-03-10"}),
        ("services", {"edition": 1}),
        ("reportees", {"number": "1"}),
        ("users", {"name": "a", "password": "b"}),
    ],
)
def test_a_seed_that_makes_no_sense_is_refused(path: str, body: Any) -> None:
    """400 with the reason, and nothing is registered."""
    world = make_world()

    answer = session_into(world).post(f"{CONTROL}/{path}", json=body)

    assert answer.status_code == 400
    assert world.altinn2.services() == ()
