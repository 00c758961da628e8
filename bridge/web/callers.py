"""Who calls, and whether they may."""

from uuid import UUID

from flask import request

from bridge.adapters.dialogporten.tokens import authorize, verify
from bridge.core.callers import Caller
from bridge.core.dialog_presentation import own_ids
from bridge.core.mapping import ActionMapping, Requirement
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.drivers.altinn2.reach import level_missing
from bridge.steps.operation.submit import action_for
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


def permitted(
    bridge: Bridge, caller: Caller, dialog_id: UUID, *, name: str, requires: Requirement | None = None
) -> ActionMapping:
    """
    The action, when the token allows it; *requires* stands in for the right that the action itself requires.

    Looking requires ``READ``: a token names an action only as long as its button stands.

    Raises:
        Refusal: 403 and 404.
    """
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
    # Without a look at Altinn 2: what nobody knows yet is found out at delivery.
    missing = level_missing(bridge, mapping, None if requires else action, level=caller.level, ask=False)
    if missing is not None:
        raise Refusal(missing.code, missing.status, facts=missing.facts)
    return action
