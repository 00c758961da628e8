"""What was accepted is what is done: an operation's mapping, whatever the mapping files say by now."""

import structlog

from bridge.config.mappings import recalled
from bridge.core.delivery import BEGUN
from bridge.core.errors import Unreachable
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.meaning import meaning_of
from bridge.core.operations import Operation, Outcome
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.drivers.registry import DRIVERS

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

Agreed = tuple[ServiceMapping, ActionMapping]


class MappingGone(Unreachable):
    """No mapping has the service any more: it may come back, and the press must not be lost meanwhile."""

    def __init__(self, operation: Operation) -> None:
        super().__init__("mappings", f"no mapping has the action {operation.action} any more")


def agreed(bridge: Bridge, operation: Operation) -> Agreed:
    """
    What *operation* was accepted to do.

    What has begun goes on as it was accepted, also where its mapping means something else by now, or is gone.

    Raises:
        Refusal: The mapping means something else by now, or has no such action, and nothing was sent.
        MappingGone: Nothing was sent.
    """
    now = _in_force(bridge, operation)
    if now is not None and _same(now, operation):
        return now
    begun = operation.sending_at is not None or operation.phase in BEGUN
    if begun and (then := _accepted(bridge, operation)) is not None:
        return then
    if now is None and bridge.mappings.get(operation.service_resource) is None:
        raise MappingGone(operation)
    log.warning("the mapping has changed since the press was accepted", action=operation.action, begun=begun)
    raise Refusal.of(
        Problem(code="outcome_uncertain", status=504) if begun else Problem(code="mapping_changed", status=409)
    )


def telling(bridge: Bridge, operation: Operation) -> tuple[Agreed, bool]:
    """
    What the dialog is told by, and whether its buttons may be offered: by a mapping that is gone, none leads on.

    What was done is told as it was accepted; of what was not done, the mapping in force says what may be pressed.

    Raises:
        MappingGone: None was kept either.
    """
    now = _in_force(bridge, operation)
    undone = operation.outcome in (Outcome.REFUSED, Outcome.GIVEN_UP)
    if now is not None and (undone or _same(now, operation)):
        return now, True
    then = _accepted(bridge, operation) or now
    if then is None:
        raise MappingGone(operation)
    return then, now is not None


def _in_force(bridge: Bridge, operation: Operation) -> Agreed | None:
    mapping = bridge.mappings.get(operation.service_resource)
    action = None if mapping is None else mapping.actions.get(operation.action)
    return None if mapping is None or action is None else (mapping, action)


def _same(now: Agreed, operation: Operation) -> bool:
    return operation.meaning is None or meaning_of(*now) == operation.meaning


def _accepted(bridge: Bridge, operation: Operation) -> Agreed | None:
    """The mapping as it was when the press was accepted; None where none was kept, or this release has no use."""
    if operation.mapping_digest is None:
        return None
    with bridge.store.reading() as tx:
        said = tx.mapping(operation.mapping_digest)
    mapping = None if said is None else recalled(said, DRIVERS)
    action = None if mapping is None else mapping.actions.get(operation.action)
    if mapping is None or action is None:
        log.error("the mapping under which the press was accepted cannot be read", action=operation.action)
        return None
    return mapping, action
