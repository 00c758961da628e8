"""How a delivery to Altinn 2 ends, well or badly: recorded once, and never while a write may still arrive."""

from datetime import datetime

import structlog

from bridge.adapters.altinn2.orders import archived_copy
from bridge.core.cases import CaseStatus
from bridge.core.changes import KEPT
from bridge.core.decision import Took
from bridge.core.elements import Element
from bridge.core.errors import Finding, Rejected
from bridge.core.operations import Outcome
from bridge.core.problems import Problem
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.attachments import brought_by
from bridge.steps.drivers.altinn2.reach import call_for_a_level
from bridge.steps.drivers.altinn2.refusals import note, problem_of
from bridge.steps.drivers.altinn2.verification import NOT_COMPARABLE
from bridge.steps.drivers.altinn2.waiting import waits

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

_ANEW = (CaseStatus.FORM_FILLING, CaseStatus.SIGNING, CaseStatus.DELETED)
"""Where an element that is taken there by a press that signs nothing has no signature that counts."""


def took(delivery: Delivery, result: Took, after: Element | None) -> datetime | None:
    """End well: the element is where it was wanted, and what came with the press is there. Always None."""
    done = result.outcome is Outcome.DONE
    delivery.ended(
        result.outcome,
        state=result.state.value,
        archived_id=result.archived_id,
        copy=None if result.archived_id is None else archived_copy(result.archived_id),
        left_on=None if after is None else after.last_changed,
        # A signature leaves the others; what was saved or sent anew leaves none to remember.
        signed_anew=delivery.operation.signer == "" and done and result.state in _ANEW,
        brought=brought_by(delivery, after) if done and after is not None else (),
    )
    return None


def refuse(
    delivery: Delivery,
    code: str,
    status: int = 409,
    *,
    element: Element | None = None,
    state: CaseStatus | None = None,
) -> datetime | None:
    """End without what was wanted, for a reason that has no more to it than its *code*; as ``end``."""
    return end(delivery, Outcome.REFUSED, Problem(code=code, status=status), element=element, state=state)


def end(
    delivery: Delivery,
    outcome: Outcome,
    problem: Problem,
    *,
    element: Element | None = None,
    landed: bool = False,
    state: CaseStatus | None = None,
) -> datetime | None:
    """
    End without what was wanted, unless a write may still arrive: then nothing is decided, and it is looked for again.

    *landed* says that the write was seen to have arrived; *state* where an element stood that is not to be found.
    """
    if not landed and delivery.may_arrive:
        return waits(delivery)
    copy = element.case.key if element is not None and element.state is CaseStatus.ARCHIVED else None
    stands_at = state if element is None else element.state
    delivery.ended(
        outcome,
        problem=problem,
        state=None if stands_at is None else stands_at.value,
        # What the row has by now: a copy that was another element's was taken off it.
        archived_id=copy or KEPT,
        copy=None if copy is None else archived_copy(copy),
    )
    return None


def uncertain(delivery: Delivery) -> datetime | None:
    """End with an alarm: a write is out, and neither the element nor a trace of it can be found."""
    if not delivery.may_arrive:
        log.error("the outcome of a write is uncertain: neither the element nor a trace of it is to be found")
    return end(delivery, Outcome.GIVEN_UP, Problem(code="outcome_uncertain", status=504))


def refused(delivery: Delivery, error: Rejected, *, element: Element | None = None) -> datetime | None:
    """End with Altinn 2's no; where an earlier PUT may be out and cannot be looked after, as uncertain."""
    note(error)
    call_for_a_level(delivery.bridge, delivery.operation.service_resource, error)
    if delivery.operation.sending_at is not None and element is None:
        return end(delivery, Outcome.GIVEN_UP, Problem(code="outcome_uncertain", status=504))
    return end(delivery, Outcome.REFUSED, problem_of(error), element=element)


def changed(delivery: Delivery, element: Element) -> datetime | None:
    """End without what was wanted: somebody else changed the element, and what they wrote stays."""
    if not delivery.may_arrive:
        log.warning("somebody else changed the element while a PUT without an answer was out")
    return refuse(delivery, "element_changed", element=element)


def lost(delivery: Delivery, element: Element, gone: tuple[Finding, ...] = ()) -> datetime | None:
    """End with an alarm: the write took, and something that it carried is not there, or cannot be seen to be."""
    if gone and all(each.rule == NOT_COMPARABLE for each in gone):
        return unverified(delivery, element, gone, answered=delivery.operation.answered_at is not None)
    log.error(
        "something was lost on the way",
        forms=len(element.listed_forms or ()),
        attachments=len(element.listed_attachments or ()),
        expected=repr(delivery.operation.manifest),
    )
    problem = Problem(code="content_lost", status=502, findings=gone)
    return end(delivery, Outcome.GIVEN_UP, problem, element=element, landed=True)


def unverified(
    delivery: Delivery, element: Element, unknown: tuple[Finding, ...], *, answered: bool
) -> datetime | None:
    """
    End with an alarm: nobody can say whether all that was sent is there.

    Where Altinn 2 did not even say yes, nobody can say whether it was ours that moved the element.
    """
    log.error("what was sent could not be verified", forms=[each.facts.get("form") for each in unknown])
    problem = (
        Problem(code="content_unverified", status=502, findings=unknown)
        if answered
        else Problem(code="outcome_uncertain", status=504, findings=unknown)
    )
    return end(delivery, Outcome.GIVEN_UP, problem, element=element, landed=answered)
