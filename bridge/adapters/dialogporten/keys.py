"""The issuer's keys, and how they are kept fresh (facts/dialogporten.md 3.3)."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import requests
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bridge.adapters.dialogporten.errors import SYSTEM
from bridge.adapters.dialogporten.reasons import SENDER_CODES
from bridge.adapters.dialogporten.strict_jws import decoded, strict_json
from bridge.adapters.http.call import call
from bridge.core.clock import Clock
from bridge.core.errors import Unreachable, UpstreamError
from bridge.core.problems import Refusal

KEYS_LIVE = timedelta(hours=24)
"""How long keys serve without a successful fetch: a new key is out 48 h before its use (3.3)."""

PROBE_EVERY = timedelta(minutes=1)
WANTED_AGAIN = timedelta(seconds=5)
"""While there are no keys at all they are asked for every few seconds."""


class Keys(Protocol):
    """Published keys of one issuer."""

    def find(self, kid: str) -> Ed25519PublicKey | None:
        """
        The key named *kid*, or None where the issuer has no such key.

        Raises:
            Refusal: ``keys_unavailable``, nobody can say.
        """


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """Keys that were read once."""

    keys: Mapping[str, Ed25519PublicKey]

    def find(self, kid: str) -> Ed25519PublicKey | None:
        """See ``Keys``."""
        return self.keys.get(kid)


def read_keys(document: bytes) -> dict[str, Ed25519PublicKey]:
    """
    The usable keys of a JWKS by their kid; others, such as RSA keys and malformed ones, are passed over.

    Raises:
        ValueError: There is none; the text says why and quotes nothing.
    """
    try:
        content = strict_json(document)
    except ValueError:
        raise ValueError("not JSON") from None
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no list of keys")  # noqa: TRY004 - one kind of error for what came from outside
    keys: dict[str, Ed25519PublicKey] = {}
    for entry in entries:
        found = _usable(entry)
        if found is not None:
            keys.setdefault(*found)
    if not keys:
        raise ValueError("no usable Ed25519 key")
    return keys


def _usable(entry: object) -> tuple[str, Ed25519PublicKey] | None:
    if not isinstance(entry, dict):
        return None
    kid, x, alg = entry.get("kid"), entry.get("x"), entry.get("alg", "EdDSA")
    fits = (
        (entry.get("kty"), entry.get("crv"), entry.get("use", "sig")) == ("OKP", "Ed25519", "sig")
        and isinstance(alg, str)
        and alg.lower() == "eddsa"
        # Whoever reads a key set with a private half can sign.
        and "d" not in entry
    )
    if not fits or not isinstance(kid, str) or not kid or not isinstance(x, str):
        return None
    try:
        return kid, Ed25519PublicKey.from_public_bytes(decoded(x))
    except ValueError:
        return None


class KeyStore:
    """
    The keys of one issuer, fetched at start and then by a scheduler, kept through an outage for ``KEYS_LIVE``.

    Looking up a known kid takes no lock. An unknown kid fetches once a minute at most, in the thread that asked;
    those who ask for an unknown kid meanwhile are told at once that there is none.
    """

    def __init__(self, session: requests.Session, *, issuer: str, clock: Clock, url: str | None = None) -> None:
        self._session, self._clock = session, clock
        self._url = url or f"{issuer.rstrip('/')}/.well-known/jwks.json"
        self._known: tuple[Mapping[str, Ed25519PublicKey], datetime | None] = ({}, None)
        self._fetching, self._probing = threading.Lock(), threading.Lock()
        self._probed: datetime | None = None

    def __repr__(self) -> str:
        return f"KeyStore({self._url})"

    @property
    def ready(self) -> bool:
        """Whether there are keys that may be trusted now."""
        return bool(self._current())

    def start(self) -> None:
        """
        Fetch for the first time.

        Raises:
            Unreachable: There are no keys; ``refresh`` and the first token try again.
            Rejected: The answer is too large.
        """
        with self._fetching:
            self._fetch()

    def refresh(self) -> bool:
        """Fetch, unless a fetch is under way; True where there are new keys. What fails leaves the old ones."""
        if not self._fetching.acquire(blocking=False):
            return False
        try:
            self._fetch()
        except UpstreamError as error:
            structlog.get_logger().warning("The issuer's keys were not fetched", action="keys_fetch", why=error.detail)
            return False
        finally:
            self._fetching.release()
        return True

    def find(self, kid: str) -> Ed25519PublicKey | None:
        """See ``Keys``."""
        keys = self._current()
        if kid not in keys and self._may_probe():
            self.refresh()
            keys = self._current()
        if not keys:
            raise Refusal("keys_unavailable", SENDER_CODES["keys_unavailable"], retry_after=WANTED_AGAIN)
        return keys.get(kid)

    def _current(self) -> Mapping[str, Ed25519PublicKey]:
        # One read of the pair, which another thread may replace.
        keys, fetched = self._known
        return keys if fetched is not None and self._clock() - fetched <= KEYS_LIVE else {}

    def _may_probe(self) -> bool:
        with self._probing:
            now = self._clock()
            # A clock that was set back must not shut the door for as long.
            if self._probed is not None and timedelta() <= now - self._probed < PROBE_EVERY:
                return False
            self._probed = now
            return True

    def _fetch(self) -> None:
        self._known = (fetch_keys(self._session, self._url), self._clock())


def fetch_keys(session: requests.Session, url: str) -> dict[str, Ed25519PublicKey]:
    """
    Fetch the usable keys of a JWKS at *url*.

    Raises:
        Unreachable: No whole answer, or another one than 200 with usable keys.
        Rejected: The answer is too large.
    """
    answer = call(
        session,
        "GET",
        url,
        system=SYSTEM,
        writes=False,
        headers={"Accept": "application/json"},
        connect_timeout=3,
        deadline_seconds=5,
        max_bytes=256 * 1024,
    )
    if answer.status != 200:
        raise Unreachable(SYSTEM, f"status {answer.status} instead of keys", status=answer.status)
    try:
        return read_keys(answer.body)
    except ValueError as error:
        raise Unreachable(SYSTEM, str(error), status=answer.status) from None
