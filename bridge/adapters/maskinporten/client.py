"""Maskinporten: tokens for JWT grants (facts/altinn3-and-tokens.md 4.2)."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import jwt
import requests
import structlog

from bridge.adapters.http.call import Answer
from bridge.adapters.http.credentials import origin
from bridge.adapters.maskinporten.cache import Token, TokenCache
from bridge.adapters.maskinporten.endpoints import TOKEN_LIVES_UNSAID, ask, busy_error, fetched_twice, is_bearer_token
from bridge.adapters.maskinporten.keys import SigningKey
from bridge.core.clock import Clock
from bridge.core.errors import CredentialsRefused, Unreachable, UpstreamError

GRANT_LIVES = timedelta(seconds=60)
"""Maskinporten takes 120 s at most."""

METADATA_LIVES = timedelta(hours=1)

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_METADATA_AGAIN = timedelta(minutes=1)

_KEY_HINT = "the key is not registered on the client or has expired; keys live one year"

_HINTS: Mapping[str, str] = {
    "MP-012": "the grant was used before",
    "MP-110": "aud is not Maskinporten's issuer",
    "MP-120": _KEY_HINT,
    "MP-121": _KEY_HINT,
    "MP-122": _KEY_HINT,
    "MP-123": _KEY_HINT,
    "MP-124": "the signature does not fit the registered key",
    "MP-130": "the grant has expired; look at this machine's clock",
    "MP-200": "a scope is not accepted",
    "MP-201": "a scope is not accepted",
    "MP-250": "a scope is not granted to the organisation",
    "MP-251": "a scope is not delegated to the organisation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    issuer: str
    token_url: str


class MaskinportenClient:
    """
    Fetches tokens with a JWT grant, one at a time for each set of scopes, and keeps them for their life.

    *new_id* makes the single-use id of each grant.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        authority_url: str,
        client_id: str,
        key: SigningKey,
        clock: Clock,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._session, self._authority = session, authority_url.rstrip("/")
        self._client_id, self._key, self._clock, self._new_id = client_id, key, clock, new_id
        self._cache = TokenCache(clock)
        # The trailing slash of the issuer matters (4.2).
        self._metadata = _Metadata(issuer=f"{self._authority}/", token_url=f"{self._authority}/token")
        self._metadata_until: datetime | None = None

    def __repr__(self) -> str:
        return f"MaskinportenClient({self._authority})"

    def token(self, scopes: Iterable[str], *, resource: str | None = None, consumer_org: str | None = None) -> str:
        """
        A token for *scopes*; *consumer_org* is the organisation number of who delegated to this client.

        Raises:
            Unreachable: Maskinporten did not answer, twice.
            CredentialsRefused: It refused; the reason is its code, such as ``mp_250`` or ``invalid_client``.
        """
        wanted = tuple(sorted(set(scopes)))
        claims: dict[str, object] = {"scope": " ".join(wanted)}
        if resource is not None:
            # The documentation knows an array only (4.2).
            claims["resource"] = [resource]
        if consumer_org is not None:
            claims["consumer_org"] = consumer_org
        return self._cache.get((wanted, resource, consumer_org), lambda: fetched_twice(lambda: self._fetch(claims)))

    def drop(self, token: str) -> None:
        """Forget *token*, after another system refused it."""
        self._cache.drop(token)

    def _fetch(self, claims: Mapping[str, object]) -> Token:
        metadata = self._current_metadata()
        now = self._clock()
        issued = int(now.timestamp())
        grant = jwt.encode(
            {
                "iss": self._client_id,
                "aud": metadata.issuer,
                "iat": issued,
                "exp": issued + int(GRANT_LIVES.total_seconds()),
                "jti": self._new_id(),
                **claims,
            },
            self._key.private,
            algorithm="RS256",
            headers={"kid": self._key.kid},
        )
        form = {"grant_type": _GRANT_TYPE, "assertion": grant}
        answer = ask(self._session, "POST", metadata.token_url, system="Maskinporten", data=form)
        if answer.status != 200:
            raise _refused_grant(answer, now)
        content = _object(answer.body)
        value = content.get("access_token")
        if not isinstance(value, str) or not is_bearer_token(value):
            raise Unreachable("Maskinporten", "an answer without a token", status=answer.status)
        return Token(value=value, expires_at=now + _life(content.get("expires_in")))

    def _current_metadata(self) -> _Metadata:
        now = self._clock()
        if self._metadata_until is None or now >= self._metadata_until:
            try:
                self._metadata = self._fetch_metadata()
                self._metadata_until = now + METADATA_LIVES
            except UpstreamError as error:
                # What was known goes on, or what Maskinporten's addresses have in common.
                self._metadata_until = now + _METADATA_AGAIN
                structlog.get_logger().warning(
                    "Maskinporten's metadata was not read", action="metadata_fetch", why=error.detail
                )
        return self._metadata

    def _fetch_metadata(self) -> _Metadata:
        url = f"{self._authority}/.well-known/oauth-authorization-server"
        answer = ask(self._session, "GET", url, system="Maskinporten")
        content = _object(answer.body)
        issuer, token_url = content.get("issuer"), content.get("token_endpoint")
        if answer.status != 200 or not isinstance(issuer, str) or not isinstance(token_url, str):
            raise Unreachable("Maskinporten", "no metadata", status=answer.status)
        if origin(token_url) != origin(self._authority):
            raise Unreachable("Maskinporten", "metadata that names another host", status=answer.status)
        return _Metadata(issuer=issuer, token_url=token_url)


def _refused_grant(answer: Answer, now: datetime) -> UpstreamError:
    if (busy := busy_error("Maskinporten", answer, now)) is not None:
        return busy
    content = _object(answer.body)
    # Of their texts only codes are kept: the rest quotes what was sent.
    error = str(content.get("error", ""))
    error = error if re.fullmatch(r"[a-z_]{1,40}", error) else "no error code"
    found = re.search(r"\bMP-\d{3}\b", str(content.get("error_description", "")))
    code = found.group() if found else None
    detail = f"{error}, {code}: {_HINTS.get(code, 'see their documentation')}" if code else error
    reason = code.lower().replace("-", "_") if code else error.replace(" ", "_")
    return CredentialsRefused("Maskinporten", detail, status=answer.status, reason=reason)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _life(expires_in: object) -> timedelta:
    if isinstance(expires_in, int) and not isinstance(expires_in, bool) and 0 < expires_in < 10**8:
        return timedelta(seconds=expires_in)
    return TOKEN_LIVES_UNSAID
