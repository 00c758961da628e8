"""What to do with an element, from what was read of it and what this operation has already done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.core.altinn_dates import OSLO
from bridge.core.cases import CaseStatus
from bridge.core.delivery import ENDS_ONCE, Phase
from bridge.core.dialogs import moment_to_json
from bridge.core.elements import Element, aim
from bridge.core.mapping import ActionMapping, AfterUpdate, FormSource, Verb
from bridge.core.operations import Operation, Outcome


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing of this operation stands there: build the PUT on what was read, and send it."""


@dataclass(frozen=True, slots=True)
class Took:
    """The element is where the action wants it, or beyond."""

    outcome: Outcome
    state: CaseStatus
    archived_id: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of an element that is not to be found: it was archived, or lies in the bin."""

    state: CaseStatus
    archived_id: str | None = None


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """A PUT is out without an answer and may still be at work: look again at *moment*, not before."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """
    The action does not fit the element; the code and HTTP status of the refusal, and what its text needs.

    *state* is where the element stands that is not to be found, if anybody knows.
    """

    code: str
    status: int
    facts: Mapping[str, str] = field(default_factory=dict)
    state: CaseStatus | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A write is out, and neither the element nor a trace of it can be found: never send again, call an operator."""


Decision = Send | Took | WaitUntil | Refuse | Uncertain


LOOK_EVERY = timedelta(minutes=1)
"""The longest pause between two looks at an element for a write that may still arrive."""
SOONEST = timedelta(milliseconds=50)
"""The shortest."""


def may_arrive(operation: Operation, now: datetime) -> bool:
    """Whether a write of *operation* is out that nobody answered, and that may still take effect."""
    return operation.may_arrive_until is not None and now < operation.may_arrive_until


def look_again(operation: Operation, *, now: datetime, settle: timedelta) -> datetime:
    """When to look again for a write that may still arrive: often at first, then more seldom."""
    sent, until = operation.sending_at or now, operation.may_arrive_until or now
    pause = max(settle, min((now - sent) / 2, LOOK_EVERY), SOONEST)
    return min(now + pause, max(until, now + SOONEST))


def repeatable(action: ActionMapping, operation: Operation) -> bool:
    """
    Whether a write may be sent again while the first one may still arrive.

    It may where one of the two takes the element away from the other: what is archived, deleted or confirmed is so
    once. A draft may not: the late one would overwrite what came after the repeat. Neither may what was answered with a
    no meanwhile. Whether one signature archives is for the caller to know.
    """
    if operation.problem is not None:
        return False
    if action.verb is not Verb.PUT:
        return True
    return action.after is AfterUpdate.SIGN_AND_ARCHIVE and operation.phase in ENDS_ONCE


def decide(
    action: ActionMapping,
    operation: Operation,
    element: Element | None,
    *,
    now: datetime,
    settle: timedelta,
    one_signature: bool,
    ended: Ended | None = None,
) -> Decision:
    """
    What to do next.

    *element* is what stands there now: the element, or its archived copy, or None when neither is to be found. *ended*
    is what is known of it all the same, and None where nobody knows: what is missing was not thereby deleted.
    *settle* is how long a PUT without an answer is given before it may be repeated where that is harmless; where it is
    not, it is repeated when it cannot arrive any more. *one_signature* says that no second one can be given by mistake.
    """
    sent = operation.sending_at is not None
    took = Outcome.DONE if sent else Outcome.REPEATED
    if action.verb is not Verb.PUT:
        return _whole(action, operation, element, took=took, now=now, settle=settle, ended=ended)
    again = one_signature and repeatable(action, operation)
    if element is None:
        return _vanished(operation, sent=sent, ended=ended)
    wanted = aim(action)
    proved = operation.phase is Phase.ATTACHMENTS_VERIFIED
    untouched = operation.built_on is None or operation.built_on == element.last_changed
    match element.state:
        case CaseStatus.ARCHIVED:
            return Took(took, CaseStatus.ARCHIVED, element.case.key)
        case CaseStatus.SIGNING if wanted is CaseStatus.SIGNING:
            return Took(took, CaseStatus.SIGNING, None)
        case CaseStatus.SIGNING if wanted is CaseStatus.ARCHIVED:
            if sent and not untouched:
                # One signature of several, or the step before the signature: the element moved, and rests here.
                return Took(Outcome.DONE, CaseStatus.SIGNING, None)
            if action.form is not FormSource.NONE and not proved:
                # Forms may only be put while the element is being filled in.
                return Refuse("element_wrong_state", 409)
            return _send_once_settled(operation, now=now, settle=settle, again=again)
        case CaseStatus.FORM_FILLING if action.form is FormSource.NONE:
            # Whether a bare PUT completes or empties an element in form filling is unknown (facts/altinn2.md 3).
            return Refuse("element_wrong_state", 409)
        case CaseStatus.FORM_FILLING if untouched:
            return _send_once_settled(operation, now=now, settle=settle, again=again)
        case CaseStatus.FORM_FILLING if sent and wanted is CaseStatus.FORM_FILLING:
            return Took(Outcome.DONE, CaseStatus.FORM_FILLING, None)
        case CaseStatus.FORM_FILLING:
            return Refuse("element_changed", 409)
        case CaseStatus.DELETED:
            return Refuse("element_gone", 410)
        case _ if element.payment:
            return Refuse("payment_needed", 409)
        case _:
            return Refuse("element_wrong_state", 409)


_UNCONFIRMED = (CaseStatus.UNREAD, CaseStatus.OPENED, CaseStatus.READ)


def _whole(
    action: ActionMapping,
    operation: Operation,
    element: Element | None,
    *,
    took: Outcome,
    now: datetime,
    settle: timedelta,
    ended: Ended | None,
) -> Decision:
    """Decide for what needs no content: deleting, confirming, archiving. Asked again, they do nothing more."""
    if element is None:
        return _whole_vanished(action, operation, took=took, ended=ended)
    archived_id = element.case.key if element.state is CaseStatus.ARCHIVED else None
    match action.verb, element.state:
        case Verb.DELETE, CaseStatus.DELETED:
            return Took(took, CaseStatus.DELETED, None)
        case (Verb.ARCHIVE, CaseStatus.ARCHIVED) | (Verb.CONFIRM, CaseStatus.CONFIRMED):
            return Took(took, element.state, archived_id)
        case Verb.DELETE, CaseStatus.ARCHIVED:
            return Refuse("element_wrong_state", 409)
        case Verb.DELETE, _ if operation.built_on is not None and operation.built_on != element.last_changed:
            return Refuse("element_changed", 409)
        case Verb.DELETE, _ if operation.sending_at is None and (early := _too_early(action, element, now)):
            return early
        case Verb.DELETE, _:
            return _send_once_settled(operation, now=now, settle=settle, again=repeatable(action, operation))
        case Verb.CONFIRM, state if state in _UNCONFIRMED:
            return _send_once_settled(operation, now=now, settle=settle, again=repeatable(action, operation))
        case Verb.ARCHIVE, state if state in (*_UNCONFIRMED, CaseStatus.CONFIRMED):
            return _send_once_settled(operation, now=now, settle=settle, again=repeatable(action, operation))
        case _:
            return Refuse("element_wrong_state", 409)


def _too_early(action: ActionMapping, element: Element, now: datetime) -> Refuse | None:
    """Refuse a deletion within its period of grace, with what Arbeidsflate reads (facts/dialogporten.md 5.3)."""
    if action.grace_days is None or now >= (allowed := element.last_changed + timedelta(days=action.grace_days)):
        return None
    facts = {
        "deletionAllowedAt": moment_to_json(allowed),
        "gracePeriodDays": str(action.grace_days),
        "date": allowed.astimezone(OSLO).date().isoformat(),
    }
    return Refuse("deletion_too_early", 422, facts)


def _send_once_settled(operation: Operation, *, now: datetime, settle: timedelta, again: bool) -> Decision:
    if operation.sending_at is None:
        return Send()
    if now < operation.sending_at + settle:
        return WaitUntil(operation.sending_at + settle)
    if may_arrive(operation, now) and not again:
        return WaitUntil(look_again(operation, now=now, settle=settle))
    return Send()


def _vanished(operation: Operation, *, sent: bool, ended: Ended | None) -> Decision:
    if operation.answered_at is not None:
        # A service that keeps no copy answers a completing PUT without Location (facts/altinn2.md 2.7).
        return Took(Outcome.DONE, CaseStatus.ARCHIVED, None)
    if sent:
        return Uncertain()
    if ended is not None and ended.state is CaseStatus.ARCHIVED:
        return Took(Outcome.REPEATED, CaseStatus.ARCHIVED, ended.archived_id)
    return Refuse("element_gone", 410)


def _whole_vanished(action: ActionMapping, operation: Operation, *, took: Outcome, ended: Ended | None) -> Decision:
    state = None if ended is None else ended.state
    match action.verb, state:
        case Verb.DELETE, _ if operation.answered_at is not None:
            return Took(took, CaseStatus.DELETED, None)
        case Verb.DELETE, CaseStatus.DELETED:
            return Took(took, CaseStatus.DELETED, None)
        case Verb.ARCHIVE, CaseStatus.ARCHIVED if ended is not None:
            return Took(took, CaseStatus.ARCHIVED, ended.archived_id)
        case _, CaseStatus.ARCHIVED:
            return Refuse("element_wrong_state", 409, state=CaseStatus.ARCHIVED)
        case _ if operation.sending_at is not None:
            return Uncertain()
        case _:
            return Refuse("element_gone", 410)
