"""Accept a write action: find what it is about, and write it down together with its place in the queue."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bridge.core.callers import Caller
from bridge.core.errors import Missing, Rejected, UpstreamError
from bridge.core.mapping import ActionMapping, FormSource, ServiceMapping
from bridge.core.meaning import meaning_of
from bridge.core.operations import Intent, Link
from bridge.core.problems import Refusal
from bridge.core.signing import signer_of
from bridge.engine import Attempt
from bridge.parts import Bridge
from bridge.steps.drivers.registry import first_use
from bridge.storage.operations import UnderWay
from bridge.storage.store import Transaction

MOST_REPEATS, REPEATS_WITHIN = 10, timedelta(minutes=1)
"""So many presses of one button may end without effect, because it was done or is refused, in so long a time."""
QUICK_TRIES = 5
"""How often a lost race is run again at once."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The operation that stands for a press; *joined* when an earlier press made it."""

    operation_id: UUID
    joined: bool


def action_for(bridge: Bridge, caller: Caller, name: str) -> tuple[ServiceMapping, ActionMapping]:
    """The mapping of the caller's service, and its action *name*. Raises Refusal 404."""
    mapping = bridge.mappings.get(caller.service_resource)
    if mapping is None:
        raise Refusal("unknown_service", 404)
    action = mapping.actions.get(name)
    if action is None:
        raise Refusal("unknown_action", 404)
    return mapping, action


def link_for(bridge: Bridge, caller: Caller, *, element: bool = True) -> Link:
    """
    The link from the caller's dialog to its case; on first use Dialogporten is asked, and the answer kept.

    Without *element* it need not stand for any, and Altinn 2 is not asked.

    Raises:
        Refusal: The dialog points at no element, or it is not the one that the token is for.
    """
    with bridge.store.reading() as tx:
        link = tx.link(caller.dialog_id)
    if link is None or (element and link.case is None):
        with bridge.rooms.links.place():
            known, link = link, _first_use(bridge, caller, element=element)
        with bridge.store.transaction() as tx:
            if known is None:
                tx.add_link(link, now=bridge.clock())
            tx.set_case(link)
    if link.service_resource != caller.service_resource:
        raise Refusal("other_service", 403)
    if link.party != caller.party:
        raise Refusal("other_party", 403)
    return link


def submit(
    bridge: Bridge, *, caller: Caller, action: ActionMapping, link: Link, body: bytes | None, language: str
) -> Accepted:
    """
    Store the press as an operation, or join the one that it repeats. Once stored it survives any crash.

    Raises:
        Refusal: The body does not go with the action, an operation with another body is under way, or others keep
            being quicker.
    """
    if body is None and action.form is FormSource.BODY:
        raise Refusal("body_missing", 400)
    if body is not None and action.form is not FormSource.BODY:
        raise Refusal("body_not_expected", 400)
    mapping, action = action_for(bridge, caller, action.name)
    case = link.case if action.needs_element else None
    intent = Intent(
        dialog_id=caller.dialog_id,
        action=action.name,
        service_resource=caller.service_resource,
        case=case,
        actor=caller.actor,
        body=body,
        body_digest=hashlib.sha256(body or b"").hexdigest(),
        meaning=meaning_of(mapping, action),
        mapping_digest=mapping.digest,
        signer=signer_of(case, caller.actor) if action.signs and case is not None else "",
        language=language,
        level=caller.level,
    )
    for _ in range(QUICK_TRIES):
        try:
            return _accept_or_join(bridge, intent, mapping)
        except UnderWay:
            # Another process was quicker by less than our look: this time its row is there to join.
            continue
    raise Refusal("operation_under_way", 409, retry_after=timedelta(seconds=1))


def _accept_or_join(bridge: Bridge, intent: Intent, mapping: ServiceMapping) -> Accepted:
    with bridge.store.transaction() as tx:
        tx.lock_dialog(intent.dialog_id)
        earlier = tx.under_way(intent)
        if earlier is not None:
            if earlier.body_digest != intent.body_digest:
                # What is out may still arrive over what would be written now: the sender keeps it until then.
                until = earlier.may_arrive_until
                wait = None if until is None else max(until - bridge.clock(), timedelta(seconds=1))
                raise Refusal("other_form_under_way", 409, retry_after=wait)
            return Accepted(earlier.id, joined=True)
        now = bridge.clock()
        refuse_endless_repeats(tx, intent, now=now)
        rank = tx.standing_of(intent.actor) + 1
        operation_id = bridge.new_id()
        tx.keep_mapping(mapping, now=bridge.clock())
        sequence = tx.add_operation(operation_id, intent, now=bridge.clock())
        run = Attempt(
            operation_id=operation_id,
            attempt=1,
            dialog_id=intent.dialog_id,
            sequence=sequence,
            caller=intent.actor,
            rank=rank,
        )
        bridge.queue.enqueue(tx.connection, run)
    return Accepted(operation_id, joined=False)


def refuse_endless_repeats(tx: Transaction, intent: Intent, *, now: datetime) -> None:
    """
    Let a press that was done, or is refused, be repeated some times a minute: each is a row and a change of the dialog.

    Raises:
        Refusal: 429 ``pressed_too_often``, with the time until the next may come.
    """
    oldest = tx.repeats(intent, since=now - REPEATS_WITHIN, at_most=MOST_REPEATS)
    if oldest is not None:
        wait = max(oldest + REPEATS_WITHIN - now, timedelta(seconds=1))
        raise Refusal("pressed_too_often", 429, retry_after=wait)


def _first_use(bridge: Bridge, caller: Caller, *, element: bool) -> Link:
    try:
        dialog = bridge.dialogporten.get(caller.dialog_id)
    except Missing as error:
        # Its token is genuine, so it was there: it is purged.
        raise Refusal("dialog_gone", 410) from error
    except Rejected as error:
        raise Refusal("upstream_refused", 502) from error
    except UpstreamError as error:
        raise Refusal("upstream_unavailable", 503) from error
    if dialog.deleted_at is not None:
        raise Refusal("dialog_gone", 410)
    if not element:
        return Link(dialog_id=dialog.id, service_resource=dialog.service_resource, party=dialog.party, case=None)
    case = first_use(bridge, dialog)
    if case is None:
        raise Refusal("not_linked", 404)
    return Link(dialog_id=dialog.id, service_resource=dialog.service_resource, party=dialog.party, case=case)
