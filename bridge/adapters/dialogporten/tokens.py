"""Dialog tokens: who may press a button (facts/dialogporten.md 3)."""

import base64
import binascii
import json
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import requests
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

from bridge.adapters.http.call import call
from bridge.core.callers import Caller
from bridge.core.clock import Clock
from bridge.core.errors import Unreachable, UpstreamError
from bridge.core.mapping import Narrowed, Requirement, Right
from bridge.core.problems import Refusal

LONGEST_TOKEN = 16 * 1024
"""In characters. A token with hundreds of grants has a few thousand."""

_SYSTEM = "Dialogporten"

KEYS_LIVE = timedelta(hours=24)
"""How long keys serve without a successful fetch: a new key is out 48 h before its use (3.3)."""

PROBE_EVERY = timedelta(minutes=1)
WANTED_AGAIN = timedelta(seconds=5)
"""While there are no keys at all they are asked for every few seconds."""

REASONS: Mapping[str, str] = {
    # the token is not genuine, or not now: 401
    "token_missing": "There is no token.",
    "too_long": f"The token is longer than {LONGEST_TOKEN} characters.",
    "not_three_parts": "The token is not three parts with dots between them.",
    "bad_encoding": "A part of the token is not unpadded base64url.",
    "bad_header": "The token's header is not a JSON object with every name once.",
    "bad_payload": "The token's payload is not a JSON object with every name once.",
    "wrong_algorithm": "The header's alg is not EdDSA.",
    "wrong_type": "The header's typ is not JWT.",
    "unknown_header": "The header demands or brings what dialog tokens never have.",
    "wrong_issuer": "The token was issued by another environment.",
    "bad_claim": "A claim is missing, or not of the shape that Dialogporten writes.",
    "unknown_key": "The header's kid names no published key of the issuer.",
    "bad_signature": "The signature does not fit the token and the key.",
    "not_yet_valid": "The token is not valid yet.",
    "token_expired": "The token has expired.",
    # the token could not be checked: 503
    "keys_unavailable": "The issuer's keys could not be fetched for too long.",
    # the token is genuine, but for something else: 403
    "other_dialog": "The token is for another dialog.",
    "other_service": "The token is for another service resource.",
    "other_party": "The token is for another party.",
    "action_not_granted": "The token does not grant the action.",
    "level_too_low": "The authentication level is too low.",
}
"""Each code that speaks against a token, in words for operators."""

SENDER_CODES: Mapping[str, int] = {
    "token_missing": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "keys_unavailable": 503,
    "other_dialog": 403,
    "other_service": 403,
    "other_party": 403,
    "action_not_granted": 403,
    "level_too_low": 403,
}
"""What senders are told, and its status; every other code of ``REASONS`` is ``token_invalid`` to them."""

# Members by which a header brings its own key or changes what is signed: RFC 7515 4.1, RFC 7797.
_FOREIGN_HEADER = ("crit", "b64", "jwk", "jku", "x5u", "x5c")

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HIGHEST_LEVEL = 9
_SYSTEM_USER = "urn:altinn:systemuser:"
_YEAR_10000 = 253_402_300_800
_VERIFIER = OKPAlgorithm()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that speaks against a token; *note* says which claim or value, and names no person."""

    code: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {REASONS[self.code]}" + (f" ({self.note})" if self.note else "")


# Keys


class Keys(Protocol):
    """Published keys of one issuer."""

    def find(self, kid: str) -> Ed25519PublicKey | None:
        """
        Give the key named *kid*, or None where the issuer has no such key.

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
    Read the usable keys of a JWKS by their kid; others, such as RSA keys and malformed ones, are passed over.

    Raises:
        ValueError: There is none; the text says why and quotes nothing.
    """
    try:
        content = _strict_json(document)
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
        return kid, Ed25519PublicKey.from_public_bytes(_decode(x))
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
        """Fetch, unless a fetch is under way; say whether there are new keys. What fails leaves the old ones."""
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
        system=_SYSTEM,
        writes=False,
        headers={"Accept": "application/json"},
        connect_timeout=3,
        deadline_seconds=5,
        max_bytes=256 * 1024,
    )
    if answer.status != 200:
        raise Unreachable(_SYSTEM, f"status {answer.status} instead of keys", status=answer.status)
    try:
        return read_keys(answer.body)
    except ValueError as error:
        raise Unreachable(_SYSTEM, str(error), status=answer.status) from None


# Genuine?


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Claims:
    """What the claims mean; None where one is missing or misshapen. The names are those of ``Caller``."""

    dialog_id: UUID | None
    party: str | None
    service_resource: str | None
    level: int | None
    grants: frozenset[Requirement] | None
    entities: frozenset[str]
    actor: str | None
    starts: int | None
    ends: int | None

    def flaws(self) -> Iterator[Reason]:
        named = {
            "i": self.dialog_id,
            "p": self.party,
            "s": self.service_resource,
            "l": self.level,
            "a": self.grants,
            "c or o": self.actor,
            "nbf": self.starts,
            "exp": self.ends,
        }
        return (Reason(code="bad_claim", note=name) for name, value in named.items() if value is None)

    def caller(self) -> Caller | None:
        if (
            self.dialog_id is None
            or self.party is None
            or self.service_resource is None
            or self.level is None
            or self.grants is None
            or self.actor is None
            or self.ends is None
        ):
            return None
        return Caller(
            dialog_id=self.dialog_id,
            party=self.party,
            service_resource=self.service_resource,
            level=self.level,
            grants=self.grants,
            entities=self.entities,
            actor=self.actor,
            expires_at=datetime.fromtimestamp(self.ends, UTC),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Reading:
    """A token taken apart; nothing in it is believed yet."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    claims: _Claims
    signed: bytes
    signature: bytes


def verify(token: str | None, keys: Keys, *, issuer: str, now: datetime, clock_skew: float = 10.0) -> Caller:
    """
    Read a genuine token of *issuer* that is valid now, give or take *clock_skew* seconds.

    Raises:
        Refusal: 401, or 503 where the keys are not known; ``facts["reason"]`` is a code of ``REASONS``.
    """
    reading = _read(token)
    if isinstance(reading, Reason):
        raise _refusal(reading)
    # The first flaw decides; those that cost a signature or a fetch come last.
    for flaw in _flaws(reading, keys, issuer=issuer, now=now, clock_skew=clock_skew):
        raise _refusal(flaw)
    caller = reading.claims.caller()
    if caller is None:
        raise _refusal(Reason(code="bad_claim"))
    return caller


def _refusal(reason: Reason, **facts: str) -> Refusal:
    code = reason.code if reason.code in SENDER_CODES else "token_invalid"
    return Refusal(code, SENDER_CODES[code], facts={"reason": reason.code, **facts})


def _read(token: str | None) -> _Reading | Reason:
    if not token:
        return Reason(code="token_missing")
    if len(token) > LONGEST_TOKEN:
        return Reason(code="too_long", note=f"{len(token)} characters")
    parts = token.split(".")
    if len(parts) != 3:
        return Reason(code="not_three_parts", note=f"{len(parts)} parts")
    try:
        header, payload, signature = map(_decode, parts)
    except ValueError:
        return Reason(code="bad_encoding")
    objects = []
    for raw, code in ((header, "bad_header"), (payload, "bad_payload")):
        try:
            content = _strict_json(raw)
        except ValueError:
            return Reason(code=code)
        if not isinstance(content, dict):
            return Reason(code=code)
        objects.append(content)
    return _Reading(
        header=objects[0],
        payload=objects[1],
        claims=_claims(objects[1]),
        signed=f"{parts[0]}.{parts[1]}".encode(),
        signature=signature,
    )


def _decode(part: str) -> bytes:
    """Decode unpadded base64url in its one canonical spelling; Python's own decoder takes many."""
    if not _BASE64URL.fullmatch(part):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise ValueError("not canonical base64url")
    return data


def _strict_json(raw: bytes) -> Any:
    """Parse UTF-8 JSON in which no name stands twice and every number is one."""
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("too deep") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice")
    return content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _flaws(reading: _Reading, keys: Keys, *, issuer: str, now: datetime, clock_skew: float) -> Iterator[Reason]:
    """Say what speaks against a token being genuine and valid, the cheap things first."""
    header, claims = reading.header, reading.claims
    if header.get("alg") != "EdDSA":
        yield Reason(code="wrong_algorithm", note=_quoted(header.get("alg")))
    if header.get("typ") != "JWT":
        yield Reason(code="wrong_type", note=_quoted(header.get("typ")))
    for name in _FOREIGN_HEADER:
        if name in header:
            yield Reason(code="unknown_header", note=name)
    if reading.payload.get("iss") != issuer:
        yield Reason(code="wrong_issuer", note=_quoted(reading.payload.get("iss")))
    yield from claims.flaws()
    yield from _signature_flaws(reading, keys)
    moment = now.timestamp()
    if claims.starts is not None and not claims.starts - clock_skew <= moment:
        yield Reason(code="not_yet_valid", note=f"nbf {claims.starts}, now {moment:.0f}")
    if claims.ends is not None and not moment <= claims.ends + clock_skew:
        yield Reason(code="token_expired", note=f"exp {claims.ends}, now {moment:.0f}")


def _signature_flaws(reading: _Reading, keys: Keys) -> Iterator[Reason]:
    if reading.header.get("alg") != "EdDSA":
        return
    kid = reading.header.get("kid")
    key = keys.find(kid) if isinstance(kid, str) and kid else None
    if key is None:
        yield Reason(code="unknown_key", note=_quoted(kid))
    elif not _VERIFIER.verify(reading.signed, key, reading.signature):
        yield Reason(code="bad_signature")


def _quoted(value: object) -> str:
    if value is None:
        return "missing"
    return json.dumps(value)[:100] if isinstance(value, str) else "not a string"


# Claims


def _claims(payload: Mapping[str, Any]) -> _Claims:
    return _Claims(
        dialog_id=_uuid(payload.get("i")),
        party=_urn(payload.get("p")),
        service_resource=_urn(payload.get("s")),
        level=_whole(payload.get("l"), below=_HIGHEST_LEVEL + 1),
        grants=_grants(payload.get("a")),
        entities=_entities(payload.get("e")),
        actor=_actor(payload),
        starts=_whole(payload.get("nbf"), below=_YEAR_10000),
        ends=_whole(payload.get("exp"), below=_YEAR_10000),
    )


def _actor(payload: Mapping[str, Any]) -> str | None:
    """A system user is no actor that Dialogporten knows, so the organisation behind it stands for it."""
    authenticated = _urn(payload.get("c"))
    systems = authenticated is not None and authenticated.lower().startswith(_SYSTEM_USER)
    if authenticated and "o" in payload and ("y" in payload or systems):
        return _urn(payload["o"])
    return None if systems else authenticated


def _whole(value: object, *, below: int) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below
    return value if fits and isinstance(value, int) else None


def _uuid(value: object) -> UUID | None:
    # UUID() itself also takes braces, urn:uuid: and no hyphens at all.
    return UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else None


def _urn(value: object) -> str | None:
    fits = isinstance(value, str) and value.startswith("urn:") and value.isprintable() and value == value.strip()
    return value if fits and isinstance(value, str) else None


def _grants(value: object) -> frozenset[Requirement] | None:
    """Read ``action[,attribute]`` joined by ``;``. One entry of another shape, and the whole claim is unknown."""
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return None
    if not value:
        return frozenset()
    entries = [entry.split(",") for entry in value.split(";")]
    if not all(len(entry) <= 2 and all(entry) for entry in entries):
        return None
    return frozenset(Requirement(action=entry[0], attribute=entry[1] if entry[1:] else None) for entry in entries)


def _entities(value: object) -> frozenset[str]:
    """
    Read ``e``, which few tokens have. In another shape it opens nothing, and takes nothing from what ``a`` opens.

    It is experimental, and #4365 may yet change it (facts/dialogporten.md 3.9).
    """
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        return frozenset()
    return frozenset(value)


# Fitting?


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a token shall say; None asks nothing. *clock_skew* is in seconds."""

    issuer: str
    dialog_id: UUID | None = None
    service_resource: str | None = None
    party: str | None = None
    requires: tuple[Requirement, ...] = ()
    narrowed: tuple[frozenset[str], ...] = ()
    """Of each, the token's ``e`` must hold one."""
    minimum_level: int = 0
    clock_skew: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Judgement:
    """Everything that can be said about a token; it is accepted where *reasons* is empty."""

    claims: Mapping[str, Any]
    """As they stand in the token, believed or not."""
    reasons: tuple[Reason, ...]

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def judge(token: str | None, keys: Keys, expectation: Expectation, *, now: datetime) -> Judgement:
    """Say everything that speaks against *token*, by the same checks as ``verify`` and ``authorize``."""
    reading = _read(token)
    if isinstance(reading, Reason):
        return Judgement(claims={}, reasons=(reading,))
    flaws = _flaws(reading, keys, issuer=expectation.issuer, now=now, clock_skew=expectation.clock_skew)
    return Judgement(claims=reading.payload, reasons=(*flaws, *_misfits(reading.claims, expectation)))


def authorize(
    caller: Caller,
    *,
    dialog_id: UUID,
    service_resource: str,
    party: str,
    requirement: Right,
    minimum_level: int,
    elements: Collection[UUID] = (),
) -> None:
    """
    Hold a genuine token against the dialog and the action, which the dialog offers by *elements*.

    Raises:
        Refusal: 403; its code says what does not fit.
    """
    wanted = Expectation(
        issuer="",
        dialog_id=dialog_id,
        service_resource=service_resource,
        party=party,
        requires=(requirement,) if isinstance(requirement, Requirement) else (),
        narrowed=(_names_of(requirement, elements),) if isinstance(requirement, Narrowed) else (),
        minimum_level=minimum_level,
    )
    for misfit in _misfits(caller, wanted):
        raise _refusal(misfit, requires=str(requirement), level=str(minimum_level))


def _misfits(held: Caller | _Claims, wanted: Expectation) -> Iterator[Reason]:
    """Say what does not fit; a claim that is None has its flaw already."""
    if wanted.dialog_id is not None and held.dialog_id not in (None, wanted.dialog_id):
        yield Reason(code="other_dialog", note=f"it is for {held.dialog_id}")
    if wanted.service_resource is not None and held.service_resource not in (None, wanted.service_resource):
        yield Reason(code="other_service", note=f"it is for {held.service_resource}")
    if wanted.party is not None and held.party not in (None, wanted.party):
        yield Reason(code="other_party")
    if held.grants is not None:
        granted = {_folded(grant) for grant in held.grants}
        for requirement in wanted.requires:
            if _folded(requirement) not in granted:
                yield Reason(code="action_not_granted", note=f"needed: {requirement}")
    # Ids may be written in either case; a token reference is the owner's own word.
    for names in wanted.narrowed:
        if not names & ({*held.entities, *(each.lower() for each in held.entities if _UUID.fullmatch(each))}):
            yield Reason(code="action_not_granted", note=f"needed in e: {' or '.join(sorted(names))}")
    if held.level is not None and held.level < wanted.minimum_level:
        yield Reason(code="level_too_low", note=f"it is {held.level}, needed: {wanted.minimum_level}")


def _names_of(narrowed: Narrowed, elements: Collection[UUID]) -> frozenset[str]:
    return frozenset(map(str, elements)) if narrowed.token_ref is None else frozenset((narrowed.token_ref,))


def _folded(requirement: Requirement) -> bytes:
    # Dialogporten's own client ignores case (3.5); only that of ASCII, so that no other letter becomes one.
    return str(requirement).encode().lower()


def www_authenticate(code: str) -> str:
    """Give the header that goes with a sender code (RFC 6750, section 3)."""
    match code:
        case "token_missing" | "proxy_key_missing":
            return "Bearer"
        case "token_expired":
            return 'Bearer error="invalid_token", error_description="The token has expired"'
        case "token_invalid":
            return 'Bearer error="invalid_token"'
        case _:
            return 'Bearer error="insufficient_scope"'
