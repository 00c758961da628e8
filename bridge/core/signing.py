"""Whose signature is whose: what a person's press may still sign (facts/altinn2.md 2.8)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from bridge.core.elements import Element, ElementState
from bridge.core.mapping import Altinn2Service


def signer_of(dialog_id: UUID, actor: str) -> str:
    """Give the digest by which *actor* is known again on this dialog, and on no other."""
    return hashlib.sha256(f"{dialog_id} {actor}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """
    What an earlier press signed: *given*, or else nobody knows.

    *built_on* and *left_on* are the element's last change before and after it.
    """

    signer: str
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


def may_sign(
    signer: str, earlier: Sequence[Signature], *, service: Altinn2Service, element: Element, steps: int | None
) -> MaySign:
    """
    Say whether *signer* may sign *element*, which waits for it, after the signatures that came *earlier* through us.

    To Altinn 2 all of them are the bridge's own user's, so it is here that they are told apart. *steps* are the
    signing steps that metadata tells, None where it tells none.
    """
    if (steps or 0) > service.signing_steps:
        return MaySign.ELSEWHERE
    if element.state is ElementState.FORM_FILLING:
        # Whoever signed, signed what stood there before: Altinn 2 begins anew.
        return MaySign.YES
    given = [each for each in earlier if each.given]
    if any(each.signer == signer for each in given):
        # Where others went on since, they may have signed, or taken it back to be filled in and sent it here again.
        untouched = element.last_changed == max((each.left_on for each in given if each.left_on), default=None)
        return MaySign.REPEATED if untouched else MaySign.ELSEWHERE
    if any(not each.given and each.signer == signer and each.built_on != element.last_changed for each in earlier):
        return MaySign.ELSEWHERE
    if given and (service.unique_signers or len(given) >= service.signing_steps):
        return MaySign.ELSEWHERE
    return MaySign.YES
