"""Activities that need a name which Dialogporten did not find: they are added later, and never block the rest."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

from bridge.core.dialog_plan import activity_plan
from bridge.core.dialogs import SERVICE_OWNER, Activity, ActorType, DialogChange, actor_to_json
from bridge.core.errors import Conflict, Missing, Rejected, UpstreamError, place_of
from bridge.core.ids import sibling_id
from bridge.core.texts.states import TEXTS
from bridge.parts import Bridge
from bridge.steps.alarm import alarm
from bridge.steps.dialog.update import apply
from bridge.storage.snapshots import Snapshots
from bridge.storage.trouble import is_the_stores

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

AGAIN_AFTER = timedelta(minutes=10)
PATIENCE = timedelta(hours=24)
"""After so long the activity is the service owner's."""
AT_ONCE = 50


def without_names(change: DialogChange) -> DialogChange:
    """
    *change* without whoever needs a name: an activity of the service owner's says that it is done.

    There is still an activity, so that Arbeidsflate wakes up.
    """
    return replace(
        change,
        activities=tuple(
            replace(
                each,
                id=sibling_id(each.id, "unnamed"),
                type="Information",
                performed_by=SERVICE_OWNER,
                description=each.description or TEXTS["done"],
            )
            if _needs_name(each)
            else each
            for each in change.activities
        ),
        transmissions=tuple({**each, "sender": actor_to_json(SERVICE_OWNER)} for each in change.transmissions),
    )


def keep_for_later(bridge: Bridge, dialog_id: UUID, change: DialogChange) -> None:
    """Store the activities of *change* that wait for a name."""
    with bridge.store.transaction() as tx:
        for each in change.activities:
            if _needs_name(each):
                Snapshots(tx).wait_for_name(dialog_id, each, next_at=bridge.clock() + AGAIN_AFTER)


def add_deferred_activities(bridge: Bridge) -> None:
    """Try what waits for a name, once each."""
    with bridge.store.transaction() as tx:
        due = Snapshots(tx).due(now=bridge.clock(), lease=AGAIN_AFTER, limit=AT_ONCE)
    for dialog_id, activity in due:
        try:
            settled = _settle(bridge, dialog_id, activity)
        except UpstreamError as error:
            alarm(bridge, error)
            log.warning("an activity still waits for a name", dialog=str(dialog_id), why=type(error).__name__)
            continue
        except Exception as error:
            if is_the_stores(error):
                raise
            why, at = type(error).__name__, place_of(error)
            log.error("an activity could not be told, and is tried later", dialog=str(dialog_id), why=why, at=at)
            continue
        if settled:
            with bridge.store.transaction() as tx:
                Snapshots(tx).named(activity.id)


def _settle(bridge: Bridge, dialog_id: UUID, activity: Activity) -> bool:
    """Add *activity* to the dialog's history; whether it is done with."""
    late = bridge.clock() - activity.created_at >= PATIENCE
    added = activity if not late else replace(activity, performed_by=SERVICE_OWNER)
    try:
        apply(bridge, activity_plan(dialog_id, added))
    except Missing:
        return True
    except Rejected as error:
        if isinstance(error, Conflict):
            raise  # Others keep writing to the dialog: it is added at the next look.
        if error.reason == "name_lookup_failed":
            return False
        if error.reason != "already_exists":
            log.error("an activity was refused", dialog=str(dialog_id), reason=error.reason)
    return True


def _needs_name(activity: Activity) -> bool:
    return activity.performed_by.actor_type is ActorType.PARTY_REPRESENTATIVE
