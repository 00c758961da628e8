"""Dialog tokens: who may press a button (facts/dialogporten.md 3)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jwt.algorithms import OKPAlgorithm

from bridge.adapters.dialogporten.claims import UUID_TEXT, Claims, claims_in
from bridge.adapters.dialogporten.keys import Keys
from bridge.adapters.dialogporten.reasons import Reason, refusal
from bridge.adapters.dialogporten.strict_jws import Jws, header_flaws, quoted, taken_apart
from bridge.core.callers import Caller
from bridge.core.mapping import Narrowed, Requirement, Right

_VERIFIER = OKPAlgorithm()


def verify(token: str | None, keys: Keys, *, issuer: str, now: datetime, clock_skew: float = 10.0) -> Caller:
    """
    The caller of a genuine token of *issuer* that is valid now, give or take *clock_skew* seconds.

    Raises:
        Refusal: 401, or 503 where the keys are not known; ``facts["reason"]`` is a code of ``REASONS``.
    """
    jws = taken_apart(token)
    if isinstance(jws, Reason):
        raise refusal(jws)
    claims = claims_in(jws.payload)
    # The first flaw decides; those that cost a signature or a fetch come last.
    for flaw in _flaws(jws, claims, keys, issuer=issuer, now=now, clock_skew=clock_skew):
        raise refusal(flaw)
    caller = claims.caller()
    if caller is None:
        raise refusal(Reason(code="bad_claim"))
    return caller


def _flaws(jws: Jws, claims: Claims, keys: Keys, *, issuer: str, now: datetime, clock_skew: float) -> Iterator[Reason]:
    """What speaks against a token being genuine and valid, the cheap things first."""
    yield from header_flaws(jws)
    if jws.payload.get("iss") != issuer:
        yield Reason(code="wrong_issuer", note=quoted(jws.payload.get("iss")))
    yield from claims.flaws()
    yield from _signature_flaws(jws, keys)
    moment = now.timestamp()
    if claims.starts is not None and not claims.starts - clock_skew <= moment:
        yield Reason(code="not_yet_valid", note=f"nbf {claims.starts}, now {moment:.0f}")
    if claims.ends is not None and not moment <= claims.ends + clock_skew:
        yield Reason(code="token_expired", note=f"exp {claims.ends}, now {moment:.0f}")


def _signature_flaws(jws: Jws, keys: Keys) -> Iterator[Reason]:
    if jws.header.get("alg") != "EdDSA":
        return
    kid = jws.header.get("kid")
    key = keys.find(kid) if isinstance(kid, str) and kid else None
    if key is None:
        yield Reason(code="unknown_key", note=quoted(kid))
    elif not _VERIFIER.verify(jws.signed, key, jws.signature):
        yield Reason(code="bad_signature")


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

    claims: Mapping[str, object]
    """As they stand in the token, believed or not."""
    reasons: tuple[Reason, ...]

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def judge(token: str | None, keys: Keys, expectation: Expectation, *, now: datetime) -> Judgement:
    """Everything that speaks against *token*, by the same checks as ``verify`` and ``authorize``."""
    jws = taken_apart(token)
    if isinstance(jws, Reason):
        return Judgement(claims={}, reasons=(jws,))
    claims = claims_in(jws.payload)
    flaws = _flaws(jws, claims, keys, issuer=expectation.issuer, now=now, clock_skew=expectation.clock_skew)
    return Judgement(claims=jws.payload, reasons=(*flaws, *_unmet(claims, expectation)))


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
    for reason in _unmet(caller, wanted):
        raise refusal(reason, requires=str(requirement), level=str(minimum_level))


def _unmet(held: Caller | Claims, wanted: Expectation) -> Iterator[Reason]:
    """What does not fit; a claim that is None has its flaw already."""
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
        if not names & ({*held.entities, *(each.lower() for each in held.entities if UUID_TEXT.fullmatch(each))}):
            yield Reason(code="action_not_granted", note=f"needed in e: {' or '.join(sorted(names))}")
    if held.level is not None and held.level < wanted.minimum_level:
        yield Reason(code="level_too_low", note=f"it is {held.level}, needed: {wanted.minimum_level}")


def _names_of(narrowed: Narrowed, elements: Collection[UUID]) -> frozenset[str]:
    return frozenset(map(str, elements)) if narrowed.token_ref is None else frozenset((narrowed.token_ref,))


def _folded(requirement: Requirement) -> bytes:
    # Dialogporten's own client ignores case (3.5); only that of ASCII, so that no other letter becomes one.
    return str(requirement).encode().lower()


def www_authenticate(code: str) -> str:
    """The header that goes with a sender code (RFC 6750, section 3)."""
    match code:
        case "token_missing" | "proxy_key_missing":
            return "Bearer"
        case "token_expired":
            return 'Bearer error="invalid_token", error_description="The token has expired"'
        case "token_invalid" | "proxy_key_wrong":
            return 'Bearer error="invalid_token"'
        case _:
            return 'Bearer error="insufficient_scope"'
