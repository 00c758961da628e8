"""Maskinporten under ``/maskinporten``: JWT grants to access tokens (facts/altinn3-and-tokens.md 4.2, 4.8)."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import Route, System, as_json, refuse
from bridge.sandbox.core.jose import NotAToken, Token, is_genuine, public_jwk, taken_apart
from bridge.sandbox.core.tokens import issue, issuer
from bridge.sandbox.core.world import Client, CoreWorld

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE, _SKEW = 120, 10
_REAL = {
    "test": "https://test.maskinporten.no/",
    "production": "https://maskinporten.no/",
    "ver1": "https://ver1.maskinporten.no/",
    "ver2": "https://ver2.maskinporten.no/",
}
"""Those that Altinn's .NET library has built in (facts/dialogporten.md 14.2)."""
_KNOWN = frozenset(
    {"aud", "iss", "scope", "iat", "exp", "nbf", "jti", "resource", "sub", "pid"}
    | {"consumer_org", "iss_onbehalfof", "authorization_details"}
)


class Maskinporten(System[CoreWorld]):
    """Hands out access tokens to registered clients."""

    name = "maskinporten"
    prefix = "/maskinporten"

    def routes(self) -> Iterable[Route]:
        """List the three documents and the token endpoint."""
        return (
            Route("GET", "/.well-known/oauth-authorization-server", self.get_metadata),
            Route("GET", "/jwks", self.get_jwks),
            Route("POST", "/token", self.grant),
        )

    def get_metadata(self, request: Request) -> Response:
        """GET the issuer and its endpoints."""
        del request
        return as_json(
            200,
            {
                "issuer": issuer("maskinporten", self.host),
                "token_endpoint": f"{self.base}/token",
                "jwks_uri": f"{self.base}/jwks",
                "grant_types_supported": [GRANT],
                "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
            },
        )

    def get_jwks(self, request: Request) -> Response:
        """GET the key of access tokens."""
        del request
        return as_json(200, {"keys": [public_jwk(self.world.key("maskinporten"))]})

    def grant(self, request: Request) -> Response:
        """POST an assertion, get an access token."""
        kind = request.form.get("grant_type")
        if kind != GRANT:
            _fail(400, "unsupported_grant_type", "Unsupported grant type (MP-010)")
        token = self._assertion(request.form.get("assertion", ""))
        client = self._client(token)
        self._check_times(token.claims)
        self._check_resource(token.claims)
        scopes = self._scopes(token.claims, client)
        jti = token.claims.get("jti")
        # Used up last, so that a grant that was refused for another reason can be corrected and sent again.
        if isinstance(jti, str) and not self.world.use_grant(client.id, jti):
            _fail(400, "invalid_grant", "Invalid assertion. JWT grant already used (MP-012)")
        lifetime = self.world.switches.maskinporten_lifetime
        resource = token.claims.get("resource", "unspecified")
        claims: dict[str, Any] = {
            "client_id": client.id,
            "client_amr": "private_key_jwt",
            "aud": resource,
            "scope": " ".join(scopes),
            "token_type": "Bearer",
            "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{client.organisation.number}"},
            "jti": str(self.world.chance.uuid4()),
        }
        answer = {
            "access_token": issue(self.world, self.host, "maskinporten", claims, lifetime=lifetime),
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": " ".join(scopes),
        }
        return as_json(200, answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _assertion(self, text: str) -> Token:
        try:
            token = taken_apart(text)
        except NotAToken:
            _fail(400, "invalid_grant", "Invalid assertion (MP-100)")
        unknown = set(token.claims) - _KNOWN
        if unknown and self.world.switches.maskinporten_unknown_claims == "refused":
            _fail(400, "invalid_request", "Invalid assertion (MP-100)")
        if ("kid" in token.header) == ("x5c" in token.header):
            _fail(400, "invalid_grant", "Invalid assertion. Exactly one of kid and x5c must be given (MP-011)")
        return token

    def _client(self, token: Token) -> Client:
        # The bridge's own client is registered when it is first asked for.
        clients = {self.world.client.id: self.world.client, **self.world.clients}
        client = clients.get(str(token.claims.get("iss")))
        if client is None:
            status = int(self.world.switches.invalid_client_status)
            _fail(status, "invalid_client", "Invalid client (MP-001)")
        if token.claims.get("aud") not in self._audiences():
            _fail(400, "invalid_grant", "Invalid assertion. Invalid audience (MP-110)")
        if token.header.get("kid") != client.key.kid:
            _fail(400, "invalid_grant", "Invalid assertion. Unknown key (MP-120)")
        if not is_genuine(token, client.key):
            _fail(400, "invalid_grant", "Invalid assertion. Invalid signature (MP-124)")
        return client

    def _audiences(self) -> tuple[str, ...]:
        """Whom assertions may be for: this Maskinporten, and by switch a real one, as libraries have built in."""
        own = issuer("maskinporten", self.host)
        real = _REAL.get(self.world.switches.maskinporten_audience)
        return (own,) if real is None else (own, real)

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now, issued, expires = self.world.clock().timestamp(), claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or not isinstance(expires, int):
            _fail(400, "invalid_grant", "Invalid assertion. iat and exp must be given (MP-100)")
        if issued - now > _SKEW:
            _fail(400, "invalid_grant", "Invalid assertion. Issued in the future (MP-130)")
        late = now - issued > _SKEW and self.world.switches.maskinporten_old_iat == "refused"
        if expires < now - _SKEW or late:
            _fail(400, "invalid_grant", "Invalid assertion. Expired (MP-130)")
        if expires - issued > _LIFE:
            _fail(400, "invalid_grant", "Invalid assertion. Maximum lifetime is 120 seconds (MP-130)")

    def _check_resource(self, claims: Mapping[str, Any]) -> None:
        resource = claims.get("resource")
        if resource is None:
            return
        for each in resource if isinstance(resource, list) else [resource]:
            parts = urlsplit(each) if isinstance(each, str) else None
            if parts is None or not parts.scheme or parts.fragment:
                _fail(400, "invalid_target", "Resource must be an absolute URI without fragment")

    def _scopes(self, claims: Mapping[str, Any], client: Client) -> list[str]:
        scopes = str(claims.get("scope") or "").split()
        if not scopes:
            _fail(400, "invalid_scope", "Scope must be given (MP-200)")
        if not client.may_have(scopes):
            _fail(403, "invalid_scope", "The client does not have access to all of the requested scopes (MP-250)")
        return scopes


def _fail(status: int, error: str, description: str) -> NoReturn:
    refuse(as_json(status, {"error": error, "error_description": description}, headers={"Cache-Control": "no-store"}))
