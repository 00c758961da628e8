"""A service that needs a higher level than who pressed has, or than the bridge's own login at Altinn 2 has."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bridge.adapters.altinn2.metadata import level_fault
from bridge.adapters.altinn2.wire import SYSTEM
from bridge.core.errors import CredentialsRefused, Rejected, UpstreamError
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.alarm import alarm_out_of_reach

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

OUT_OF_REACH = Problem(code="service_out_of_reach", status=409)
LOWEST_LOGIN = 1
"""The level that every login at Altinn 2 has: what needs no more than that refuses none for its level."""


def level_missing(
    bridge: Bridge, mapping: ServiceMapping, action: ActionMapping | None, *, level: int, ask: bool
) -> Problem | None:
    """
    The problem where *level* is below that of the steps that *action* goes through, or to look (None) of every step.

    Without *ask* only what is known already counts, and Altinn 2 is not waited for.
    """
    service = mapping.altinn2
    if service is None:
        return None
    find = bridge.services.find if ask else bridge.services.known
    known = find(service.service_code, service.service_edition)
    needed = 0 if known is None else known.level_for(action)
    if level >= needed:
        return None
    if action is None:
        return Problem(code="service_level_too_low", status=403, facts={"level": str(needed)})
    fault = level_fault(action, needed)
    if ask and level >= action.minimum_level:
        # Said once, at delivery: from then on it is known, and refused at the door.
        log.warning("the mapping does not go with the service", action=action.name, why=fault.message)
    return fault.problem


def out_of_reach(bridge: Bridge, service_resource: str, who: str, *, error: CredentialsRefused) -> bool:
    """
    Whether *error* is about the element only: its service's level is above that of the bridge's own login.

    Altinn 2 says the same 401 to that as to a token that it does not take, so what stands around the element is asked
    for with the same token. Where it is that, an operator is called.
    """
    mapping = bridge.mappings.get(service_resource)
    service = None if mapping is None else mapping.altinn2
    if service is None or (error.system, error.status, error.reason) != (SYSTEM, 401, "not_authenticated"):
        return False
    known = bridge.services.find(service.service_code, service.service_edition)
    if known is not None and known.highest_level is not None and known.highest_level <= LOWEST_LOGIN:
        return False
    try:
        bridge.altinn2.look_in(who)
    except UpstreamError:
        return False
    alarm_out_of_reach(bridge, service)
    return True


@contextmanager
def within_reach(bridge: Bridge, service_resource: str, who: str) -> Iterator[None]:
    """Refuse what an element answers that is out of reach. Raises Refusal 409 ``service_out_of_reach``."""
    try:
        yield
    except CredentialsRefused as error:
        if not out_of_reach(bridge, service_resource, who, error=error):
            raise
        raise Refusal(OUT_OF_REACH.code, OUT_OF_REACH.status) from None
    except Rejected as error:
        call_for_a_level(bridge, service_resource, error)
        raise


def call_for_a_level(bridge: Bridge, service_resource: str, error: Rejected) -> None:
    """Call an operator where Altinn 2 says in words that a level is too low: it knows that of the bridge only."""
    mapping = bridge.mappings.get(service_resource)
    if error.reason == "level_too_low" and mapping is not None and mapping.altinn2 is not None:
        alarm_out_of_reach(bridge, mapping.altinn2)
