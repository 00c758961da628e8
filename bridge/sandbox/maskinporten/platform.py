"""The Altinn platform under ``/platform``: Maskinporten tokens to Altinn tokens (facts/altinn3-and-tokens.md 4.3)."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.people import LockedOut, WrongPassword
from bridge.sandbox.altinn2.world import Altinn2World
from bridge.sandbox.core.http_system import Route, System, as_json, bearer, plain
from bridge.sandbox.core.jose import decoded, public_jwk
from bridge.sandbox.core.tokens import consumer, genuine_claims, issue, issuer, scopes

LIFETIME = 1800
_OPENID = "/authentication/api/v1/openid/.well-known/openid-configuration"
_DROPPED = frozenset({"aud", "iss", "client_amr", "sid", "iat", "nbf", "exp"})
_SKEW = 10
_NO_ENTERPRISE_USERS = {
    "type": "https://docs.altinn.studio",
    "title": "Virksomhetsbruker is no longer available",
    "status": 410,
    "detail": "Enterprise users are gone. Use a system user or ID-porten.",
}


class Platform(System[Altinn2World]):
    """Exchanges tokens, and publishes the key of what it issues."""

    name = "platform"
    prefix = "/platform"

    def routes(self) -> Iterable[Route]:
        """List the exchange and the OpenID documents."""
        return (
            Route("GET", "/authentication/api/v1/exchange/<provider>", self.exchange),
            Route("GET", _OPENID, self.get_configuration),
            Route("GET", f"{_OPENID}/jwks", self.get_jwks),
        )

    def exchange(self, request: Request, provider: str) -> Response:
        """GET an Altinn token: bare text, or a JSON string where the client accepts only JSON."""
        if bearer(request) is None:
            return self._unauthorized()
        if provider.lower() not in ("maskinporten", "id-porten", "altinnstudio"):
            message = (
                f"Invalid token provider: {provider}. Trusted token providers are 'Maskinporten', 'Id-porten' and "
                "'AltinnStudio'."
            )
            return _text(request, 400, message)
        # Only Maskinporten's tokens are made here: every other one is a token that the provider did not issue.
        issuers = ("maskinporten",) if provider.lower() == "maskinporten" else ()
        claims = genuine_claims(request, self.world, self.host, issuers=issuers, skew=_SKEW)
        number = None if claims is None else consumer(claims)
        if claims is None or number is None:
            return self._unauthorized()
        enterprise = request.headers.get("X-Altinn-EnterpriseUser-Authentication")
        if enterprise is not None and self.world.switches.enterprise_user_exchange == "works":
            return self._enterprise_user(claims, number, enterprise)
        if enterprise is not None:
            return as_json(410, _NO_ENTERPRISE_USERS, content_type="application/problem+json; charset=utf-8")
        return _text(request, 200, self._token(claims, number))

    def _token(self, claims: Mapping[str, Any], number: str) -> str:
        """Altinn's token for who has Maskinporten's with *claims*."""
        known = self.world.organisation(number)
        wanted = {key: value for key, value in claims.items() if key not in _DROPPED}
        if known is not None and any(each.startswith("altinn:serviceowner") for each in scopes(claims)):
            wanted["urn:altinn:org"] = known.code
        return issue(
            self.world,
            self.host,
            "platform",
            {
                **wanted,
                "urn:altinn:orgNumber": number,
                "urn:altinn:authenticatemethod": "maskinporten",
                "urn:altinn:authlevel": 3,
                "sid": str(self.world.chance.uuid4()),
            },
            lifetime=LIFETIME,
        )

    def _enterprise_user(self, claims: Mapping[str, Any], number: str, credentials: str) -> Response:
        """What enterprise users had until mid-2026: a token for Altinn 2, always as a JSON string."""
        try:
            name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
            user = self.world.altinn2.people.proven(name, password, now=self.world.clock())
        except (ValueError, LockedOut, WrongPassword):
            return self._unauthorized()
        if not user.enterprise or user.party != number:
            return self._unauthorized()
        own = {
            "urn:altinn:orgNumber": number,
            "urn:altinn:authenticatemethod": "virksomhetsbruker",
            "urn:altinn:authlevel": user.level,
            "urn:altinn:enterpriseuser": user.name,
        }
        kept = {key: value for key, value in claims.items() if key not in _DROPPED}
        return as_json(200, issue(self.world, self.host, "platform", {**kept, **own}, lifetime=LIFETIME))

    def get_configuration(self, request: Request) -> Response:
        """GET where the keys are."""
        del request
        address = f"{self.base}{_OPENID}/jwks"
        return as_json(200, {"issuer": issuer("platform", self.host), "jwks_uri": address})

    def get_jwks(self, request: Request) -> Response:
        """GET the key of Altinn tokens; its numbers are in plain base64, which is Altinn's way."""
        del request
        key = public_jwk(self.world.key("platform"))
        numbers = {name: base64.b64encode(decoded(key[name])).decode() for name in ("n", "e")}
        return as_json(200, {"keys": [{**key, **numbers}]})

    def _unauthorized(self) -> Response:
        if self.world.switches.exchange_401_body == "empty":
            return plain(401)
        document = {
            "type": "https://tools.ietf.org/html/rfc9110#section-15.5.2",
            "title": "Unauthorized",
            "status": 401,
        }
        return as_json(401, document, content_type="application/problem+json; charset=utf-8")


def _text(request: Request, status: int, text: str) -> Response:
    accept = request.headers.get("Accept", "")
    if "application/json" in accept and "*/*" not in accept:
        return as_json(status, text)
    return plain(status, text, content_type="text/plain; charset=utf-8")
