"""Whose signature is whose: what a person's press may still sign (facts/altinn2.md 2.8)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.elements import Element
from bridge.core.mapping import Altinn2Service


def signer_of(case: CaseRef, actor: str) -> str:
    """The digest by which *actor* is known again on this case, by whichever dialog, and on no other."""
    return hashlib.sha256(f"{case.system} {case.key} {actor}".encode()).hexdigest()


def earlier_signer_of(dialog_id: UUID, actor: str) -> str:
    """The digest of earlier releases, which knew somebody again on one dialog alone."""
    return hashlib.sha256(f"{dialog_id} {actor}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Signer:
    """Who presses, for an element: what they signed before is found by *digest*, or by that of an earlier release."""

    digest: str
    actor: str | None

    def gave(self, signature: "Signature") -> bool:
        """Whether *signature* is theirs."""
        if signature.signer == self.digest:
            return True
        return self.actor is not None and signature.signer == earlier_signer_of(signature.dialog_id, self.actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """
    What an earlier press signed: *given*, or else nobody knows.

    *built_on* and *left_on* are the element's last change before and after it.
    """

    signer: str
    dialog_id: UUID
    """The dialog that it was given by."""
    given: bool
    built_on: datetime | None
    left_on: datetime | None


class MaySign(Enum):
    """What a press that signs may do."""

    YES = "yes"
    REPEATED = "repeated"
    """This person's signature stands there: Altinn 2 would count a second PUT as the next person's."""
    ELSEWHERE = "elsewhere"
    """It is not said, or not known, that the next signature may be given here: it is given in Altinn."""


def has_signed(signer: Signer, earlier: Sequence[Signature], *, service: Altinn2Service) -> bool:
    """
    Whether *signer*'s signature is among those by which an element was archived, after those that came *earlier*.

    One that went out, and of which nobody knows whether it took, is, unless those of others were enough.
    """
    others = sum(each.given and not signer.gave(each) for each in earlier)
    return any(signer.gave(each) and (each.given or others < service.signing_steps) for each in earlier)


def may_sign(
    signer: Signer, earlier: Sequence[Signature], *, service: Altinn2Service, element: Element, steps: int | None
) -> MaySign:
    """
    Whether *signer* may sign *element*, which waits for it, after the signatures that came *earlier* through us.

    To Altinn 2 all of them are the bridge's own user's, so it is here that they are told apart. *steps* are the
    signing steps that metadata tells, None where it tells none.
    """
    if (steps or 0) > service.signing_steps:
        return MaySign.ELSEWHERE
    if element.state is CaseStatus.FORM_FILLING:
        # Whoever signed, signed what stood there before: Altinn 2 begins anew.
        return MaySign.YES
    given = [each for each in earlier if each.given]
    if any(map(signer.gave, given)):
        # Where others went on since, they may have signed, or taken it back to be filled in and sent it here again.
        untouched = element.last_changed == max((each.left_on for each in given if each.left_on), default=None)
        return MaySign.REPEATED if untouched else MaySign.ELSEWHERE
    if any(not each.given and signer.gave(each) and each.built_on != element.last_changed for each in earlier):
        return MaySign.ELSEWHERE
    if given and (service.unique_signers or len(given) >= service.signing_steps):
        return MaySign.ELSEWHERE
    return MaySign.YES
