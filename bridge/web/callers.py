"""Who calls, and whether they may."""

from uuid import UUID

from flask import request

from bridge.adapters.dialogporten.tokens import authorize, verify
from bridge.core.callers import Caller
from bridge.core.dialog_presentation import own_ids
from bridge.core.mapping import ActionMapping, Requirement, ServiceMapping
from bridge.core.operations import Link
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.drivers.registry import DRIVERS, views_of
from bridge.steps.operation.submit import action_for, link_for
from bridge.web.request_io import bearer_token

READ = Requirement(action="read")
"""What a dialog token grants to whoever may see the dialog, whatever buttons it has (facts/dialogporten.md 3.2)."""


def caller_of(bridge: Bridge) -> Caller:
    """Verify the request's dialog token. Raises Refusal 401."""
    return verify(
        bearer_token(request),
        bridge.keys,
        issuer=bridge.settings.dialogporten_issuer,
        now=bridge.clock(),
        clock_skew=bridge.settings.clock_skew,
    )


def permitted(bridge: Bridge, caller: Caller, dialog_id: UUID, *, name: str) -> ActionMapping:
    """
    The action, when the token allows it.

    Raises:
        Refusal: 403 and 404.
    """
    mapping, action = _authorized(bridge, caller, dialog_id, name=name, requires=None)
    # Without a look at its system: what nobody knows yet is found out at delivery.
    missing = DRIVERS[action.target].level_missing(bridge, mapping, action, level=caller.level)
    if missing is not None:
        raise Refusal.of(missing)
    return action


def looked_at(bridge: Bridge, dialog_id: UUID, *, name: str) -> Link:
    """
    What leads to the case of the action's dialog, when the request's token allows to look at it.

    That requires ``READ``, not the action's own right: a token names an action only as long as its button stands.

    Raises:
        Refusal: 401, 403 and 404, and as ``link_for``.
    """
    caller = caller_of(bridge)
    mapping, _ = _authorized(bridge, caller, dialog_id, name=name, requires=READ)
    link = link_for(bridge, caller)
    missing = views_of(link.required_case).level_missing(bridge, mapping, level=caller.level)
    if missing is not None:
        raise Refusal.of(missing)
    return link


def _authorized(
    bridge: Bridge, caller: Caller, dialog_id: UUID, *, name: str, requires: Requirement | None
) -> tuple[ServiceMapping, ActionMapping]:
    """The action and its mapping; *requires* stands in for the right that the action itself requires."""
    if caller.dialog_id != dialog_id:
        raise Refusal("other_dialog", 403)
    mapping, action = action_for(bridge, caller, name)
    authorize(
        caller,
        dialog_id=dialog_id,
        service_resource=mapping.service_resource,
        party=caller.party,
        requirement=requires or action.requires,
        minimum_level=action.minimum_level,
        elements=own_ids(dialog_id, name),
    )
    return mapping, action
