"""Altinn tokens, exchanged for Maskinporten's (facts/altinn3-and-tokens.md 4.3)."""

import base64
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import jwt
import requests
from requests.auth import AuthBase

from bridge.adapters.http.credentials import Secret
from bridge.adapters.maskinporten.cache import Token, TokenCache
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.endpoints import TOKEN_LIVES_UNSAID, ask, busy_error, fetched_twice, is_bearer_token
from bridge.core.clock import Clock
from bridge.core.errors import CredentialsRefused, Rejected, Unreachable
from bridge.core.login_lockout import LoginLockout, OwnLockout, guarded_login

_ENTERPRISE_REFUSED = "login_refused"


class PlatformTokens:
    """Altinn tokens, exchanged for Maskinporten's. They live 30 minutes, whatever the life of those."""

    def __init__(
        self,
        session: requests.Session,
        *,
        platform_url: str,
        maskinporten: MaskinportenClient,
        clock: Clock,
        enterprise_user: Secret | None = None,
        lockout: LoginLockout | None = None,
    ) -> None:
        """
        Hold them; with *enterprise_user*, ``user:password``, the token is that user's (facts/altinn2.md 1.6 d).

        *lockout* then counts its refusals.
        """
        self._session, self._maskinporten, self._clock = session, maskinporten, clock
        self._enterprise_user = enterprise_user
        self._url = f"{platform_url.rstrip('/')}/authentication/api/v1/exchange/maskinporten"
        self._cache = TokenCache(clock)
        self._one_at_a_time, self._lockout = threading.Lock(), lockout or OwnLockout()

    def __repr__(self) -> str:
        return f"PlatformTokens({self._url})"

    def token(self, scopes: Iterable[str]) -> str:
        """
        An Altinn token for *scopes*.

        Raises:
            Unreachable: Maskinporten or Altinn did not answer, twice.
            CredentialsRefused: One of them refused. For an enterprise user also ``login_locked`` without asking, after
                two refusals in a row, until the login is unlocked.
            Rejected: ``gone``: enterprise users are no more.
        """
        wanted = tuple(sorted(set(scopes)))
        return self._cache.get((wanted,), lambda: self._fetch(wanted))

    def drop(self, token: str) -> None:
        """Forget *token*, after another system refused it."""
        self._cache.drop(token)

    def _fetch(self, scopes: tuple[str, ...]) -> Token:
        token = self._maskinporten.token(scopes)
        try:
            return fetched_twice(lambda: self._exchange(token))
        except CredentialsRefused as error:
            if error.status != 401:
                raise
            self._maskinporten.drop(token)
        fresh = self._maskinporten.token(scopes)
        return fetched_twice(lambda: self._exchange(fresh))

    def _exchange(self, token: str) -> Token:
        if self._enterprise_user is None:
            return self._ask_for(token, {}, refused="exchange_refused")
        coded = base64.b64encode(self._enterprise_user.reveal().encode()).decode("ascii")
        # One at a time, so that no two threads spend the last try.
        enterprise_user = {"X-Altinn-EnterpriseUser-Authentication": coded}
        with self._one_at_a_time:
            return guarded_login(
                self._lockout,
                lambda: self._ask_for(token, enterprise_user, refused=_ENTERPRISE_REFUSED),
                system="Altinn",
                refused=_ENTERPRISE_REFUSED,
            )

    def _ask_for(self, token: str, headers: Mapping[str, str], *, refused: str) -> Token:
        answer = ask(self._session, "GET", self._url, system="Altinn", auth=_Bearer(token), headers=headers)
        now = self._clock()
        if answer.status == 410 and self._enterprise_user is not None:
            detail = "enterprise users are gone: Altinn 2 is closed (410)"
            raise Rejected("Altinn", detail, status=410, reason="gone")
        if answer.status != 200:
            raise busy_error("Altinn", answer, now) or CredentialsRefused(
                "Altinn", "the token exchange was refused", status=answer.status, reason=refused
            )
        # A JSON string or bare, whatever was asked for (4.3).
        value = answer.body.decode("utf-8", "replace").strip().strip('"')
        if not is_bearer_token(value):
            raise Unreachable("Altinn", "an answer to the exchange that is no token", status=answer.status)
        return Token(value=value, expires_at=_claimed_end(value) or now + TOKEN_LIVES_UNSAID)


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _claimed_end(token: str) -> datetime | None:
    """When *token* ends; it came from its issuer over TLS and is only asked for its end."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        end = claims.get("exp")
        return datetime.fromtimestamp(end, UTC) if isinstance(end, int) else None
    except (jwt.InvalidTokenError, ValueError, OverflowError, OSError):
        return None
