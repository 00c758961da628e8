"""Maskinporten: what a grant must be, and what comes for it."""

from typing import Any

import jwt
import pytest
import requests

from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import GRANT, grant, make_world, moved, session_into

MP = f"{BASE_URL}/maskinporten"


def asked(world: World, assertion: str, kind: str = GRANT) -> requests.Response:
    return session_into(world).post(f"{MP}/token", data={"grant_type": kind, "assertion": assertion})


def test_a_grant_gives_a_token() -> None:
    """Signed by the published key, for the client's organisation, with the scopes asked for."""
    world = make_world()

    answer = asked(world, grant(world, scope="altinn:serviceowner digdir:dialogporten.serviceprovider"))

    keys = jwt.PyJWKSet(session_into(world).get(f"{MP}/jwks").json()["keys"])
    token = answer.json()["access_token"]
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        ["RS256"],
        audience="unspecified",
        issuer=f"{MP}/",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 119)
    assert claims["consumer"] == {"authority": "iso6523-actorid-upis", "ID": f"0192:{world.owner.number}"}
    assert claims["scope"] == answer.json()["scope"] == "altinn:serviceowner digdir:dialogporten.serviceprovider"


def test_the_metadata_names_issuer_and_endpoint() -> None:
    """The trailing slash of the issuer matters."""
    document = session_into(make_world()).get(f"{MP}/.well-known/oauth-authorization-server").json()

    assert (document["issuer"], document["token_endpoint"]) == (f"{MP}/", f"{MP}/token")


NOW = int(make_world().clock().timestamp())
WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("the token address as audience", {"aud": f"{MP}/token"}, 400, "MP-110"),
    ("an audience list", {"aud": [f"{MP}/"]}, 400, "MP-110"),
    ("an unknown client", {"iss": "5a3c1a4e-9a0e-4f4e-8d2a-111111111111"}, 401, "MP-001"),
    ("an unknown key", {"header": {"kid": "x"}}, 400, "MP-120"),
    ("no expiry", {"exp": None}, 400, "MP-100"),
    ("a long life", {"exp": NOW + 121}, 400, "MP-130"),
    ("expired", {"iat": NOW - 60, "exp": NOW - 11}, 400, "MP-130"),
    ("from the future", {"iat": NOW + 11, "exp": NOW + 100}, 400, "MP-130"),
    ("no scope", {"scope": None}, 400, "MP-200"),
    ("a scope not granted", {"scope": "altinn:broker.write"}, 403, "MP-250"),
    ("a relative resource", {"resource": "altinn"}, 400, "Resource"),
]


@pytest.mark.parametrize(("claims", "status", "code"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_grant_is_refused_with_its_code(claims: dict[str, Any], status: int, code: str) -> None:
    """OAuth's error body, the code in the description."""
    world = make_world()

    answer = asked(world, grant(world, **claims))

    assert answer.status_code == status
    assert code in answer.json()["error_description"]


def test_a_grant_is_used_once() -> None:
    """Sent again it is MP-012."""
    world = make_world()
    assertion = grant(world)

    first, second = asked(world, assertion), asked(world, assertion)

    assert (first.status_code, second.status_code) == (200, 400)
    assert "MP-012" in second.json()["error_description"]


def test_a_changed_grant_is_not_genuine() -> None:
    """One letter of the signature."""
    world = make_world()
    head, _, signature = grant(world).rpartition(".")
    other = "A" if signature[0] != "A" else "B"

    answer = asked(world, f"{head}.{other}{signature[1:]}")

    assert "MP-124" in answer.json()["error_description"]


def test_other_grant_types_are_not_supported() -> None:
    """Only the JWT bearer grant."""
    answer = asked(make_world(), "", "client_credentials")

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_an_old_grant_counts_until_it_expires() -> None:
    """Thirty seconds under way are no fault while exp lies ahead; by switch they are."""
    world = make_world()
    first, second = grant(world), grant(world)
    moved(world, seconds=30)

    taken = asked(world, first)
    world.change_switches(maskinporten_old_iat="refused")
    refused = asked(world, second)

    assert (taken.status_code, refused.status_code) == (200, 400)
