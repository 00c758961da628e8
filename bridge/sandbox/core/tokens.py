"""Tokens that the sandbox's own issuers made: who accepts which, as the systems do (by ``iss``, then its key)."""

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Request

from bridge.sandbox.core.http_system import bearer
from bridge.sandbox.core.jose import NotAToken, is_genuine, sign, taken_apart
from bridge.sandbox.core.world import CoreWorld

ISSUERS: Mapping[str, str] = {
    "maskinporten": "/maskinporten/",
    "platform": "/platform/authentication/api/v1/openid/",
    "idporten": "/idporten",
}


def issuer(name: str, base_url: str) -> str:
    """The ``iss`` of an issuer."""
    return base_url + ISSUERS[name]


def genuine_claims(
    request: Request, world: CoreWorld, base_url: str, *, issuers: Sequence[str], skew: int
) -> Mapping[str, Any] | None:
    """
    The claims of the bearer token, if one of *issuers* signed it and it is in force.

    *skew* in seconds. None stands for every fault: the systems do not tell which.
    """
    text = bearer(request)
    if text is None:
        return None
    try:
        token = taken_apart(text)
    except NotAToken:
        return None
    name = next((each for each in issuers if token.claims.get("iss") == issuer(each, base_url)), None)
    if name is None or not is_genuine(token, world.key(name)):
        return None
    now = world.clock().timestamp()
    expires, begins = token.claims.get("exp"), token.claims.get("nbf", 0)
    if not isinstance(expires, int) or not isinstance(begins, int):
        return None
    return token.claims if begins - skew <= now <= expires + skew else None


def scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """The scopes of a token."""
    return frozenset(str(claims.get("scope", "")).split())


def consumer(claims: Mapping[str, Any]) -> str | None:
    """The number of the organisation that a token stands for."""
    value = claims.get("consumer")
    identity = value.get("ID") if isinstance(value, Mapping) else None
    return identity.removeprefix("0192:") if isinstance(identity, str) and identity.startswith("0192:") else None


def issue(world: CoreWorld, base_url: str, name: str, claims: Mapping[str, Any], *, lifetime: int) -> str:
    """Make a token of issuer *name* that is in force from now for *lifetime* seconds."""
    now = int(world.clock().timestamp())
    return sign(
        {"iss": issuer(name, base_url), **claims, "iat": now, "nbf": now, "exp": now + lifetime}, world.key(name)
    )
