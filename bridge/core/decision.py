"""What to do with an element, from what was read of it and what this operation has already done."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.core.elements import AIM, Element, ElementState
from bridge.core.mapping import ActionMapping, FormSource
from bridge.core.operations import Operation, Outcome


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing of this operation stands there: build the PUT on what was read, and send it."""


@dataclass(frozen=True, slots=True)
class Took:
    """The element is where the action wants it, or beyond."""

    outcome: Outcome
    state: ElementState
    archived_id: str | None


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """A PUT is out without an answer and may still be at work: look again at *moment*, not before."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """The action does not fit the element; the code and HTTP status of the refusal."""

    code: str
    status: int


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A PUT is out, and neither the element nor an archived copy can be found: never send again, call an operator."""


Decision = Send | Took | WaitUntil | Refuse | Uncertain


def decide(
    action: ActionMapping, operation: Operation, element: Element | None, *, now: datetime, settle: timedelta
) -> Decision:
    """
    Say what to do next.

    *element* is what stands there now: the element, or its archived copy, or None when neither is to be found.
    *settle* is how long a PUT without an answer is given before it may be repeated.
    """
    sent = operation.sending_at is not None
    if element is None:
        return _vanished(operation, sent=sent)
    aim = AIM[action.after]
    took = Outcome.DONE if sent else Outcome.REPEATED
    untouched = operation.built_on is None or operation.built_on == element.last_changed
    match element.state:
        case ElementState.ARCHIVED:
            return Took(took, ElementState.ARCHIVED, element.key.message_id)
        case ElementState.SIGNING if aim is ElementState.SIGNING:
            return Took(took, ElementState.SIGNING, None)
        case ElementState.SIGNING if aim is ElementState.ARCHIVED:
            if sent and not untouched:
                # One signature of several, or the step before the signature: the element moved, and rests here.
                return Took(Outcome.DONE, ElementState.SIGNING, None)
            if action.form is not FormSource.NONE:
                # Forms may only be put while the element is being filled in.
                return Refuse("element_wrong_state", 409)
            return _send_once_settled(operation, now=now, settle=settle)
        case ElementState.FORM_FILLING if action.form is FormSource.NONE:
            # Whether a bare PUT completes or empties an element in form filling is unknown (facts/altinn2.md 3).
            return Refuse("element_wrong_state", 409)
        case ElementState.FORM_FILLING if untouched:
            return _send_once_settled(operation, now=now, settle=settle)
        case ElementState.FORM_FILLING if sent and aim is ElementState.FORM_FILLING:
            return Took(Outcome.DONE, ElementState.FORM_FILLING, None)
        case ElementState.FORM_FILLING:
            return Refuse("element_changed", 409)
        case ElementState.DELETED:
            return Refuse("element_gone", 410)
        case _:
            return Refuse("element_wrong_state", 409)


def _send_once_settled(operation: Operation, *, now: datetime, settle: timedelta) -> Decision:
    if operation.sending_at is None or now >= operation.sending_at + settle:
        return Send()
    return WaitUntil(operation.sending_at + settle)


def _vanished(operation: Operation, *, sent: bool) -> Decision:
    if operation.answered_at is not None:
        # A service that keeps no copy answers a completing PUT without Location (facts/altinn2.md 2.7).
        return Took(Outcome.DONE, ElementState.ARCHIVED, None)
    return Uncertain() if sent else Refuse("element_gone", 410)
