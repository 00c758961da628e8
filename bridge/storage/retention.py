"""When a row is old, and its deletion."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bridge.core.cases import CaseStatus
from bridge.storage.database import Rows
from bridge.storage.tables import attachments, drafts, links, operations, snapshots


class OldRows(Rows):
    """Rows that nobody needs any more."""

    def forget(self, table: sa.Table, *, before: datetime, signed_before: datetime, limit: int) -> int:
        """
        Delete rows of *table* that were used last before *before*, at most *limit*, and return how many there were.

        A link stays as long as anything of its dialog does; who signed what waits for others, until *signed_before*.
        """
        key = next(iter(table.primary_key.columns))
        old = sa.select(key).where(*_unused(table, before, signed_before)).limit(limit)
        return self.connection.execute(table.delete().where(key.in_(old))).rowcount


def _unused(table: sa.Table, before: datetime, signed_before: datetime) -> Sequence[sa.ColumnElement[bool]]:
    match table.name:
        case "operations":
            # What an operator has not decided about stays, and who signed what waits for others: nobody signs it twice.
            archived = sa.exists().where(
                links.c.key == operations.c.key, links.c.system == operations.c.system, links.c.archived_id.is_not(None)
            )
            # What was archived or deleted in Altinn itself, nobody tells us of: no signature is remembered for ever.
            waits = sa.and_(
                operations.c.signer != "",
                operations.c.state_after == CaseStatus.SIGNING.value,
                ~archived,
                operations.c.finished_at >= signed_before,
            )
            return (operations.c.finished_at < before, operations.c.dead_at.is_(None), ~waits)
        case "attachments":
            return (attachments.c.ended_at < before,)
        case "snapshots":
            return (snapshots.c.written_at < before,)
        case "links":
            mine = links.c.dialog_id
            followed = sa.exists().where(drafts.c.dialog_id == mine, drafts.c.ending.is_(None))
            used = [sa.exists().where(each.c.dialog_id == mine) for each in (operations, attachments)]
            return (links.c.created_at < before, ~followed, *(~each for each in used))
        case name:
            raise ValueError(f"nothing says when a row of {name} is old")
