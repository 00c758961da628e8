"""What apps answer around their forms: formats, methods, parties, prefill, and documents (facts 1.11)."""

from typing import Any

import pytest
import requests

from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import make_world, session_into

APPS = f"{BASE_URL}/apps/ttd"
SUM, HOURS = f"{APPS}/sandkasse-regnestykke", f"{APPS}/sandkasse-timeliste"
DATA = f"{SUM}/v1/data/anonymous?dataType=regnestykke"
UTF8 = "; charset=utf-8"


def logged_in(world: World) -> requests.Session:
    claims = {"urn:altinn:orgNumber": world.owner.number}
    token = issue(world, BASE_URL, "platform", claims, lifetime=1800)
    return session_into(world, headers={"Authorization": f"Bearer {token}"})


FORMATS: list[tuple[str, str, str]] = [
    ("", "application/json", "text/plain"),
    ("*/*", "application/json", "text/plain"),
    ("text/*", "text/json", "text/plain"),
    ("application/*", "application/json", "application/json"),
    ("application/xml", "application/xml", "application/xml"),
    ("text/xml", "text/xml", "text/xml"),
    ("application/xml;q=0.5, application/json", "application/json", "application/json"),
    ("application/xml, */*;q=0.1", "application/json", "text/plain"),
    ("application/json; charset=utf-8", "application/json", "text/plain"),
    ("application/vnd.x+xml", "application/json", "text/plain"),
    ("garbage", "application/json", "text/plain"),
]


@pytest.mark.parametrize(("accept", "of_form", "of_error"), FORMATS)
def test_accept_chooses_the_format(accept: str, of_form: str, of_error: str) -> None:
    """Of forms among JSON and XML, of texts plain first; what fits nothing gets the first."""
    session = session_into(make_world())
    session.headers["Accept"] = accept

    form, error = session.get(DATA), session.post(DATA, data=b"x", headers={"Content-Type": "text/xml"})

    assert (form.headers["Content-Type"], error.headers["Content-Type"]) == (of_form + UTF8, of_error + UTF8)
    said = "Unknown content type text/xml. Cannot read the data."
    assert error.text == {"json": f'"{said}"', "xml": f"<string>{said}</string>"}.get(of_error.split("/")[1], said)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "DELETE", "PUT", "ANNET"])
def test_methods_are_refused_before_anybody_is_asked_who_they_are(method: str) -> None:
    """With an empty body and the methods that there are."""
    answer = session_into(make_world()).request(method, f"{SUM}/v1/data?dataType=regnestykke")

    assert (answer.status_code, answer.headers["Allow"], answer.content) == (405, "GET, POST", b"")


PARTIES: list[tuple[str | None, int]] = [
    ("partyid: 501337", 200),
    ("PartyId:501337", 200),
    ("org:897069650", 200),
    ("partyid:0", 400),
    ("partyid:-1", 400),
    ("partyid:", 400),
    ("org:", 403),
    ("org:123", 500),
    ("partyid", 400),
    (None, 200),
]


@pytest.mark.parametrize(("party", "status"), PARTIES)
def test_the_register_says_who_a_party_is(party: str | None, status: int) -> None:
    """A number of the party, or one to be looked up: nobody may do nothing, and an unknown one breaks the app."""
    session = logged_in(make_world())

    answer = session.get(f"{SUM}/v1/data?dataType=regnestykke", headers={} if party is None else {"party": party})

    assert answer.status_code == status


def test_an_organisation_that_the_register_does_not_know_breaks_the_app() -> None:
    """Also where it is the caller's own, by its token."""
    world = make_world()
    world.apps.unknown_parties.add(f"org:{world.owner.number}")

    answer = logged_in(world).get(f"{SUM}/v1/data?dataType=regnestykke")

    assert (answer.status_code, answer.content, "Cache-Control" in answer.headers) == (500, b"", False)


def test_an_app_that_cannot_reach_the_keys_breaks_at_every_token() -> None:
    """And at none without one."""
    world = make_world(app_keys="unreachable")

    assert [logged_in(world).get(f"{SUM}/v1/data").status_code, session_into(world).get(DATA).status_code] == [500, 200]


PREFILL: list[tuple[str, int, Any]] = [
    ('{"innsender.navn": "Q"}', 200, "Q"),
    ('{"Innsender.Navn": null}', 200, "Sandkasse AS"),
    ("null", 200, "Sandkasse AS"),
    (" ", 200, "Sandkasse AS"),
    ("[]", 500, None),
    ('{"sumTimer": 12}', 500, None),
    ('{"Ansatt-grp-7101.stilling": "Q"}', 500, None),
    ('{"x": "nei"}', 400, None),
]


@pytest.mark.parametrize(("prefill", "status", "name"), PREFILL)
def test_prefill_is_an_object_of_texts(prefill: str, status: int, name: Any) -> None:
    """Or nothing; a path into a list breaks the app, and its own check says what it does not like."""
    answer = logged_in(make_world()).get(
        f"{HOURS}/v1/data?dataType=timeliste", params={"prefill": prefill}, headers={"party": "partyid:501337"}
    )

    assert answer.status_code == status
    if status == 200:
        assert answer.json()["Innsender"] == {"navn": name, "organisasjonsnummer": "501337"}
    if status == 400:
        assert (answer.json()["detail"], answer.json()["issue"]["code"]) == ("Ikke nei", "nei")


DOCUMENTS: list[tuple[str, int, str | None]] = [
    ("/api/v1/texts/nb", 200, "application/json"),
    ("/api/v1/texts/nob", 400, "text/plain"),
    ("/api/v1/applicationlanguages", 200, "application/json"),
    ("/api/v1/footer", 204, None),
    ("/api/layoutsettings/stateless", 200, "text/plain"),
    ("/api/ruleconfiguration/stateless", 204, None),
    ("/api/validationconfig/timeliste", 204, None),
    ("/api/layouts/stateless", 200, "text/plain"),
    ("/api/options/land", 404, "application/problem+json"),
    ("/api/authentication/keepAlive", 401, None),
    ("/api/v1/parties", 401, None),
    ("/api/xsdschema/ukjent", 404, "application/problem+json"),
    ("/set-query-params?navn=x", 200, "text/html"),
    ("/set-query-params?annet=x", 400, "text/plain"),
    ("/v1/pages/order", 405, None),
    ("/ukjent", 404, None),
]


@pytest.mark.parametrize(("path", "status", "kind"), DOCUMENTS)
def test_what_frontends_ask_for_is_there(path: str, status: int, kind: str | None) -> None:
    """As the library serves it."""
    answer = session_into(make_world()).get(f"{HOURS}{path}")

    assert (answer.status_code, answer.headers.get("Content-Type", "").partition(";")[0] or None) == (status, kind)


def test_the_front_page_is_for_who_is_logged_in() -> None:
    """Others are sent to the login, and back."""
    world = make_world()

    sent, shown = session_into(world).get(SUM, allow_redirects=False), logged_in(world).get(SUM)

    assert (sent.status_code, sent.headers["Location"].endswith("%2fapps%2fttd%2fsandkasse-regnestykke")) == (302, True)
    assert (shown.status_code, "XSRF-TOKEN" in shown.cookies) == (200, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/V1/Data/Anonymous?dataType=regnestykke", 200),
        ("/API/V1/ApplicationMetadata", 200),
        ("/Api/XsdSchema/regnestykke", 200),
        ("/api/xsdschema/Regnestykke", 404),
        ("/v1/data/anonymous/?dataType=regnestykke", 200),
        ("//v1/data/anonymous?dataType=regnestykke", 404),
    ],
)
def test_routes_are_not_particular_about_letters(path: str, status: int) -> None:
    """As ASP.NET matches them; names are another matter."""
    assert session_into(make_world()).get(f"{SUM}{path}").status_code == status


def test_a_remark_can_break_the_calculation() -> None:
    """An empty 500, as for every exception in an app's own code."""
    answer = session_into(make_world()).post(DATA, json={"merknad": "kast"})

    assert (answer.status_code, answer.content) == (500, b"")
