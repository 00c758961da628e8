"""What our own store knows of an element that cannot be found any more, nor an archived copy of it."""

from uuid import UUID

from bridge.core.decision import Ended
from bridge.core.elements import ElementKey, ElementState
from bridge.parts import Bridge
from bridge.storage.snapshots import Snapshots


def sent_before(bridge: Bridge, dialog_id: UUID, key: ElementKey, *, but: UUID | None = None) -> Ended | None:
    """
    That the element was archived, where anything here says so; a service may keep no copy to be seen.

    The operation *but* does not bear witness of itself.
    """
    with bridge.store.reading() as tx:
        link = tx.link(dialog_id)
        known = link is not None and link.element is not None and link.key.message_id == key.message_id
        archived_id = link.archived_id if link is not None and known else None
        archived = ElementState.ARCHIVED.value
        said = archived in tx.last_states(key.message_id, but=but)
        written = known and Snapshots(tx).written(dialog_id).last_state_is(archived)
    return Ended(ElementState.ARCHIVED, archived_id) if said or written or archived_id is not None else None
