"""The platform's token exchange."""

import base64
from typing import Any

import jwt
import requests

from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import make_world, moved, owner_token, session_into

PLATFORM = f"{BASE_URL}/platform/authentication/api/v1"


def exchanged(world: World, headers: dict[str, str] | None = None, **about: Any) -> requests.Response:
    session = session_into(world, headers={"Authorization": f"Bearer {owner_token(world, **about)}"})
    return session.get(f"{PLATFORM}/exchange/maskinporten", headers=headers or {})


def test_the_token_is_bare_text_or_a_json_string() -> None:
    """Accept decides about the quotes."""
    world = make_world()

    bare, quoted = exchanged(world), exchanged(world, {"Accept": "application/json"})

    assert bare.headers["Content-Type"].startswith("text/plain")
    assert bare.text.count(".") == 2
    assert '"' not in bare.text
    assert quoted.text.startswith('"')
    assert quoted.json().count(".") == 2


def test_the_new_token_keeps_scope_and_organisation() -> None:
    """Thirty minutes, Altinn's own claims, by the published key (whose numbers are plain base64)."""
    world = make_world()

    token = exchanged(world).text

    configuration = session_into(world).get(f"{PLATFORM}/openid/.well-known/openid-configuration").json()
    published = session_into(world).get(configuration["jwks_uri"]).json()["keys"][0]
    numbers = {
        name: base64.urlsafe_b64encode(base64.b64decode(published[name])).decode().rstrip("=") for name in ("n", "e")
    }
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    key = jwt.PyJWK({**published, **numbers})
    claims: dict[str, Any] = jwt.decode(token, key, ["RS256"], options=options, issuer=configuration["issuer"])
    assert (claims["urn:altinn:org"], claims["urn:altinn:orgNumber"]) == ("ttd", world.owner.number)
    assert claims["exp"] - claims["iat"] == 1800
    assert "altinn:serviceowner" in claims["scope"].split()


def test_without_the_scope_no_service_owner() -> None:
    """urn:altinn:org is only there with altinn:serviceowner."""
    world = make_world()

    token = exchanged(world, scopes=["altinn:instances.read"]).text

    assert "urn:altinn:org" not in jwt.decode(token, options={"verify_signature": False})


def test_an_enterprise_user_is_gone() -> None:
    """410 with a problem document."""
    answer = exchanged(make_world(), {"X-Altinn-EnterpriseUser-Authentication": "YTpi"})

    assert (answer.status_code, answer.json()["title"]) == (410, "Virksomhetsbruker is no longer available")


def test_a_token_that_is_not_in_force_is_401() -> None:
    """Expired, foreign and missing tokens."""
    world = make_world()
    token = owner_token(world)
    address = f"{PLATFORM}/exchange/maskinporten"
    moved(world, seconds=611)

    answers = [
        session_into(world).get(address),
        session_into(world).get(address, headers={"Authorization": "Bearer a.b.c"}),
        session_into(world).get(address, headers={"Authorization": f"Bearer {token}"}),
    ]

    assert [each.status_code for each in answers] == [401] * 3


def test_an_unknown_provider_is_named() -> None:
    """400 with the text of the platform."""
    world = make_world()
    session = session_into(world, headers={"Authorization": f"Bearer {owner_token(world)}"})

    answer = session.get(f"{PLATFORM}/exchange/feide")

    assert answer.text.startswith("Invalid token provider: feide.")
