"""What our own store knows of an element that cannot be found any more, nor an archived copy of it."""

from uuid import UUID

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.decision import Ended
from bridge.parts import Bridge
from bridge.storage.snapshots import Snapshots


def sent_before(bridge: Bridge, dialog_id: UUID, case: CaseRef, *, but: UUID | None = None) -> Ended | None:
    """
    That the element was archived, where anything here says so; a service may keep no copy to be seen.

    The operation *but* does not bear witness of itself.
    """
    with bridge.store.reading() as tx:
        link = tx.link(dialog_id)
        known = link is not None and link.case is not None and link.case.is_same(case)
        archived_id = link.archived_id if link is not None and known else None
        archived = CaseStatus.ARCHIVED.value
        said = archived in tx.last_states(case, but=but)
        written = known and Snapshots(tx).written(dialog_id).last_state_is(archived)
    return Ended(CaseStatus.ARCHIVED, archived_id) if said or written or archived_id is not None else None
