"""Have what was pressed carried out by its target's driver, as it was accepted."""

from datetime import datetime
from functools import cache

from bridge.core import changes
from bridge.core.decision import look_again, may_arrive
from bridge.core.mapping import FormSource
from bridge.core.operations import Link, Operation, Outcome
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.registry import DRIVERS
from bridge.steps.forms.request_body import sent_content
from bridge.steps.lease import write
from bridge.steps.meanwhile import tell_if_open
from bridge.steps.operation.agreed import agreed


def deliver(bridge: Bridge, operation: Operation) -> datetime | None:
    """
    Take the case where the action wants it. None when that has ended, well or badly; else when to look again.

    Raises:
        UpstreamError: Its system could not be asked, or its answer is unknown; the next try reads back first.
    """
    try:
        mapping, action = agreed(bridge, operation)
    except Refusal as refusal:
        return _not_agreed(bridge, operation, refusal.problem)
    body = operation.body if action.form is FormSource.BODY else None
    delivery = Delivery(
        bridge=bridge,
        operation=operation,
        mapping=mapping,
        action=action,
        link=cache(lambda: _link(bridge, operation)),
        sent=cache(lambda: sent_content(body)),
    )
    return DRIVERS[action.target].deliver(delivery)


def _link(bridge: Bridge, operation: Operation) -> Link | None:
    with bridge.store.reading() as tx:
        return tx.link(operation.dialog_id)


def _not_agreed(bridge: Bridge, operation: Operation, problem: Problem) -> datetime | None:
    """End without what was wanted, unless a write may still arrive: then nothing is decided, and it is looked for."""
    now = bridge.clock()
    if may_arrive(operation, now):
        tell_if_open(bridge, operation)
        return look_again(operation, now=now, settle=bridge.settle)
    outcome = Outcome.GIVEN_UP if problem.code == "outcome_uncertain" else Outcome.REFUSED
    write(bridge, operation, changes.ended(operation, outcome=outcome, problem=problem, state_after=None))
    return None
