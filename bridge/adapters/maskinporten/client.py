"""Tokens for calling others: Maskinporten's grants and Altinn's exchange (facts/altinn3-and-tokens.md 4)."""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import requests
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm
from requests.auth import AuthBase

from bridge.adapters.altinn2.connection import Secret
from bridge.adapters.http.call import Answer, call, retry_after
from bridge.adapters.http.session import RenewableAuth
from bridge.core.clock import Clock
from bridge.core.errors import ConfigurationError, CredentialsRefused, Fault, Rejected, Unreachable, UpstreamError
from bridge.core.gates import LoginLockout, OwnLockout, guarded_login

GRANT_LIVES = timedelta(seconds=60)
"""Maskinporten takes 120 s at most."""

TOKEN_LIVES_UNSAID = timedelta(seconds=60)
"""How long a token serves that does not say how long it lives."""

METADATA_LIVES = timedelta(hours=1)

_TRIES = 2
_ENTERPRISE_REFUSED = "login_refused"
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_METADATA_AGAIN = timedelta(minutes=1)
# A token that another system refuses is dropped, but not again and again: it may refuse all.
_DROP_EVERY = timedelta(seconds=30)
# A renewal that failed is tried again after this long, while the token at hand still serves.
_RENEW_AGAIN = timedelta(seconds=5)
# A token with less time left may run out on its way.
_TOO_LATE = timedelta(seconds=5)

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

# What may stand behind "Bearer" (RFC 6750, 2.1).
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


# The key


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private RSA key and the name under which Maskinporten knows it."""

    kid: str
    private: RSAPrivateKey = field(repr=False)


def signing_key(text: str, kid: str | None = None) -> SigningKey:
    """
    Read a private key: a JWK with its kid, or PEM together with *kid*.

    Raises:
        ConfigurationError: It is none of these; the text quotes nothing of the key.
    """
    stripped = text.strip()
    private, name = _from_jwk(stripped) if stripped.startswith("{") else (_from_pem(stripped), kid)
    if kid and name != kid:
        raise _bad_key("its kid differs from the one that is set beside it")
    if not name:
        raise _bad_key("a kid is missing; write it into the JWK, or set it beside the PEM")
    if not isinstance(private, RSAPrivateKey):
        raise _bad_key("it is no private RSA key; Maskinporten takes RS256 only")
    if private.key_size < 2048:
        raise _bad_key("the RSA key is shorter than 2048 bits")
    return SigningKey(kid=name, private=private)


def _from_jwk(text: str) -> tuple[object, str | None]:
    try:
        content = json.loads(text)
        kid = content.get("kid")
        key = RSAAlgorithm.from_jwk(content)
    except (ValueError, TypeError, RecursionError, jwt.InvalidKeyError):
        # No cause: its text may quote the key.
        raise _bad_key("it looks like a JWK and cannot be read as a private RSA key") from None
    if isinstance(key, RSAPrivateKey) and (why := _not_for_signing(content)):
        raise _bad_key(why)
    return key, kid if isinstance(kid, str) else None


def _not_for_signing(jwk: Mapping[str, Any]) -> str | None:
    """Say what in *jwk* forbids RS256 signatures (RFC 7517, 4.2 to 4.4), without a word of the key."""
    if jwk.get("use") not in (None, "sig"):
        return "its use is not sig: give the key that signs"
    if jwk.get("alg") not in (None, "RS256", "RS384", "RS512"):
        return "its alg is another than RS256, which is what Maskinporten takes: give a key for that"
    operations = jwk.get("key_ops")
    if operations is not None and not (isinstance(operations, list) and "sign" in operations):
        return "its key_ops lack sign: give the key that signs"
    return None


def _from_pem(text: str) -> object:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _bad_key("it is neither a JWK nor a PEM without a password") from None


def _bad_key(message: str) -> ConfigurationError:
    return ConfigurationError([Fault(where="BRIDGE_MASKINPORTEN_KEY", message=message)])


# Keeping tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and when it runs out."""

    value: str = field(repr=False)
    expires_at: datetime


@dataclass(slots=True)
class _Place:
    fetching: threading.Lock = field(default_factory=threading.Lock)
    token: Token | None = None
    renew_at: datetime | None = None
    dropped_at: datetime | None = None


class TokenCache:
    """
    Tokens by their key: renewed early, fetched by one thread at a time.

    While a token still serves, nobody but the one who renews it waits; a renewal that fails leaves it in place.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._places: dict[tuple[object, ...], _Place] = {}

    def get(self, key: tuple[object, ...], fetch: Callable[[], Token]) -> str:
        """
        Give the token of *key*, from *fetch* where there is none that serves.

        Raises:
            UpstreamError: *fetch* failed, and no token serves.
        """
        place = self._place(key)
        token = self._serving(place)
        if token is None:
            with place.fetching:
                # Another thread may have fetched it while this one waited.
                token = self._serving(place) or self._fetch(place, fetch)
        elif self._due(place) and place.fetching.acquire(blocking=False):
            try:
                token = self._renew(place, fetch, token) if self._due(place) else token
            finally:
                place.fetching.release()
        return token.value

    def drop(self, value: str) -> None:
        """Forget the token *value*, after another system refused it; at most every 30 s, since it may refuse all."""
        now = self._clock()
        with self._lock:
            for place in self._places.values():
                if place.token is not None and place.token.value == value and _passed(place.dropped_at, now):
                    place.token, place.dropped_at = None, now

    def _place(self, key: tuple[object, ...]) -> _Place:
        with self._lock:
            return self._places.setdefault(key, _Place())

    def _serving(self, place: _Place) -> Token | None:
        token = place.token
        return token if token is not None and self._clock() < token.expires_at - _TOO_LATE else None

    def _due(self, place: _Place) -> bool:
        return place.renew_at is None or self._clock() >= place.renew_at

    def _fetch(self, place: _Place, fetch: Callable[[], Token]) -> Token:
        now = self._clock()
        token = fetch()
        place.token, place.renew_at = token, renewal(now, token.expires_at)
        return token

    def _renew(self, place: _Place, fetch: Callable[[], Token], token: Token) -> Token:
        try:
            return self._fetch(place, fetch)
        except UpstreamError as error:
            place.renew_at = self._clock() + _RENEW_AGAIN
            structlog.get_logger().warning(
                "A token was not renewed; the one at hand still serves", action="token_renew", why=error.detail
            )
            return token


def renewal(now: datetime, expires_at: datetime) -> datetime:
    """Say when to renew: 30 s or a tenth of the life before the end, but not in the first half of it."""
    life = expires_at - now
    return expires_at - min(max(timedelta(seconds=30), life / 10), life / 2)


def _passed(moment: datetime | None, now: datetime) -> bool:
    # A clock that was set back counts as passed.
    return moment is None or not timedelta() <= now - moment < _DROP_EVERY


# Maskinporten


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
        Give a token for *scopes*; *consumer_org* is the organisation number of who delegated to this client.

        Raises:
            Unreachable: Maskinporten did not answer, twice.
            CredentialsRefused: It refused; the reason is its code, such as ``mp_250`` or ``invalid_client``.
        """
        wanted = tuple(sorted(set(scopes)))
        claims: dict[str, Any] = {"scope": " ".join(wanted)}
        if resource is not None:
            # The documentation knows an array only (4.2).
            claims["resource"] = [resource]
        if consumer_org is not None:
            claims["consumer_org"] = consumer_org
        return self._cache.get((wanted, resource, consumer_org), lambda: _twice(lambda: self._fetch(claims)))

    def drop(self, token: str) -> None:
        """Forget *token*, after another system refused it."""
        self._cache.drop(token)

    def _fetch(self, claims: Mapping[str, Any]) -> Token:
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
        answer = _ask(self._session, "POST", metadata.token_url, system="Maskinporten", data=form)
        if answer.status != 200:
            raise _refused_grant(answer, now)
        content = _object(answer.body)
        value = content.get("access_token")
        if not isinstance(value, str) or not _BEARER.fullmatch(value):
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
        answer = _ask(self._session, "GET", url, system="Maskinporten")
        content = _object(answer.body)
        issuer, token_url = content.get("issuer"), content.get("token_endpoint")
        if answer.status != 200 or not isinstance(issuer, str) or not isinstance(token_url, str):
            raise Unreachable("Maskinporten", "no metadata", status=answer.status)
        if origin(token_url) != origin(self._authority):
            raise Unreachable("Maskinporten", "metadata that names another host", status=answer.status)
        return _Metadata(issuer=issuer, token_url=token_url)


def _refused_grant(answer: Answer, now: datetime) -> UpstreamError:
    if (busy := _busy("Maskinporten", answer, now)) is not None:
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


# Altinn's exchange


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
        gate: LoginLockout | None = None,
    ) -> None:
        """
        Make it; with *enterprise_user*, ``user:password``, the token is that user's (facts/altinn2.md 1.6 d).

        *gate* then counts its refusals.
        """
        self._session, self._maskinporten, self._clock = session, maskinporten, clock
        self._enterprise_user = enterprise_user
        self._url = f"{platform_url.rstrip('/')}/authentication/api/v1/exchange/maskinporten"
        self._cache = TokenCache(clock)
        self._one, self._gate = threading.Lock(), gate or OwnLockout()

    def __repr__(self) -> str:
        return f"PlatformTokens({self._url})"

    def token(self, scopes: Iterable[str]) -> str:
        """
        Give an Altinn token for *scopes*.

        Raises:
            Unreachable: Maskinporten or Altinn did not answer, twice.
            CredentialsRefused: One of them refused. For an enterprise user also ``login_closed`` without asking, after
                two refusals in a row, until the gate is opened.
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
            return _twice(lambda: self._exchange(token))
        except CredentialsRefused as error:
            if error.status != 401:
                raise
            self._maskinporten.drop(token)
        fresh = self._maskinporten.token(scopes)
        return _twice(lambda: self._exchange(fresh))

    def _exchange(self, token: str) -> Token:
        if self._enterprise_user is None:
            return self._ask_for(token, {}, refused="exchange_refused")
        coded = base64.b64encode(self._enterprise_user.reveal().encode()).decode("ascii")
        # One at a time, so that no two threads spend the last try.
        who = {"X-Altinn-EnterpriseUser-Authentication": coded}
        with self._one:
            return guarded_login(
                self._gate,
                lambda: self._ask_for(token, who, refused=_ENTERPRISE_REFUSED),
                system="Altinn",
                refused=_ENTERPRISE_REFUSED,
            )

    def _ask_for(self, token: str, headers: Mapping[str, str], *, refused: str) -> Token:
        answer = _ask(self._session, "GET", self._url, system="Altinn", auth=_Bearer(token), headers=headers)
        now = self._clock()
        if answer.status == 410 and self._enterprise_user is not None:
            detail = "enterprise users are gone: Altinn 2 is closed (410)"
            raise Rejected("Altinn", detail, status=410, reason="gone")
        if answer.status != 200:
            raise _busy("Altinn", answer, now) or CredentialsRefused(
                "Altinn", "the token exchange was refused", status=answer.status, reason=refused
            )
        # A JSON string or bare, whatever was asked for (4.3).
        value = answer.body.decode("utf-8", "replace").strip().strip('"')
        if not _BEARER.fullmatch(value):
            raise Unreachable("Altinn", "an answer to the exchange that is no token", status=answer.status)
        return Token(value=value, expires_at=_said_end(value) or now + TOKEN_LIVES_UNSAID)


def _said_end(token: str) -> datetime | None:
    """Read when *token* ends; it came from its issuer over TLS and is only asked for its end."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        end = claims.get("exp")
        return datetime.fromtimestamp(end, UTC) if isinstance(end, int) else None
    except (jwt.InvalidTokenError, ValueError, OverflowError, OSError):
        return None


# On requests


class TokenSource(Protocol):
    """Where a bearer token comes from, and goes back to when it is refused."""

    def token(self, scopes: Iterable[str]) -> str:
        """Give a token for *scopes*."""

    def drop(self, token: str) -> None:
        """Forget *token*."""


class _SourceAuth(RenewableAuth):
    """
    Puts a token on requests to the host of *base_url*, and on no other.

    A token that is answered with 401 is dropped, so that the same call made once more carries a new one.
    """

    def __init__(self, source: TokenSource, *, scopes: Iterable[str], base_url: str) -> None:
        self._source, self._scopes, self._origin = source, tuple(scopes), origin(base_url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """
        Authorise *request*.

        Raises:
            Rejected: It goes to another host (``foreign_host``); nothing is sent.
        """
        if origin(request.url or "") != self._origin:
            raise Rejected("bridge", "a token was wanted for another host than its own", reason="foreign_host")
        token = self._source.token(self._scopes)

        def forget(response: requests.Response, *_: Any, **__: Any) -> None:
            if response.status_code == 401:
                self._source.drop(token)

        request.headers["Authorization"] = f"Bearer {token}"
        request.register_hook("response", forget)  # type: ignore[no-untyped-call]
        return request


class MaskinportenAuth(_SourceAuth):
    """Bearer tokens of Maskinporten itself."""

    def __init__(self, client: MaskinportenClient, *, scopes: Iterable[str], base_url: str) -> None:
        super().__init__(client, scopes=scopes, base_url=base_url)


class PlatformAuth(_SourceAuth):
    """Bearer tokens of the Altinn platform."""

    def __init__(self, tokens: PlatformTokens, *, scopes: Iterable[str], base_url: str) -> None:
        super().__init__(tokens, scopes=scopes, base_url=base_url)


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def origin(url: str) -> tuple[str, str, int | None]:
    """Give scheme, host and port of *url*, with the port that its scheme implies."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        # No address: the same as itself and nothing else.
        return url, "", None


# Shared


def _ask(
    session: requests.Session,
    method: str,
    url: str,
    *,
    system: str,
    data: Mapping[str, str] | None = None,
    auth: AuthBase | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    return call(
        session,
        method,
        url,
        system=system,
        # A token that was made and never arrived harms nobody.
        writes=False,
        headers={"Accept": "application/json", **(headers or {})},
        data=data,
        auth=auth,
        connect_timeout=5,
        deadline_seconds=10,
        max_bytes=256 * 1024,
    )


def _twice(fetch: Callable[[], Token]) -> Token:
    for _ in range(_TRIES - 1):
        try:
            return fetch()
        except Unreachable as error:
            if error.retry_after or isinstance(error, CredentialsRefused):
                raise  # They said when, or that they do not want us: the engine waits, not this thread.
    return fetch()


def _busy(system: str, answer: Answer, now: datetime) -> Unreachable | None:
    if answer.status != 429 and answer.status < 500:
        return None
    return Unreachable(
        system, f"status {answer.status}", status=answer.status, retry_after=retry_after(answer.headers, now)
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _life(expires_in: object) -> timedelta:
    if isinstance(expires_in, int) and not isinstance(expires_in, bool) and 0 < expires_in < 10**8:
        return timedelta(seconds=expires_in)
    return TOKEN_LIVES_UNSAID
