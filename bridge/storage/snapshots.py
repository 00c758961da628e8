"""What dialogs were told: digests of what the bridge wrote, and activities that wait for a name."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bridge.core.dialogs import Activity, party_representative
from bridge.core.written import NOTHING_WRITTEN, Written
from bridge.storage.database import insert_ignore
from bridge.storage.store import Transaction
from bridge.storage.tables import snapshots, unnamed


class Snapshots:
    """The rows of what was told, in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def written(self, dialog_id: UUID) -> Written:
        """What the bridge last wrote into the dialog."""
        digests = self._connection.scalar(sa.select(snapshots.c.digests).where(snapshots.c.dialog_id == str(dialog_id)))
        return NOTHING_WRITTEN if digests is None else Written(digests)

    def write(self, dialog_id: UUID, written: Written, *, now: datetime) -> None:
        """Keep what the bridge wrote into the dialog."""
        values = {"digests": dict(written.digests), "written_at": now}
        row = {"dialog_id": str(dialog_id), **values}
        self._connection.execute(insert_ignore(self._connection, snapshots).values(row))
        self._connection.execute(snapshots.update().where(snapshots.c.dialog_id == str(dialog_id)).values(values))

    # Activities that wait for a name

    def wait_for_name(self, dialog_id: UUID, activity: Activity, *, next_at: datetime) -> None:
        """Keep an activity whose actor has no name yet."""
        row = {
            "activity_id": str(activity.id),
            "dialog_id": str(dialog_id),
            "type": activity.type,
            "description": dict(activity.description),
            "actor": activity.performed_by.actor_id or "",
            "created_at": activity.created_at,
            "next_at": next_at,
        }
        self._connection.execute(insert_ignore(self._connection, unnamed).values(row))

    def due(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[tuple[UUID, Activity]]:
        """Take activities whose time has come, with their dialogs; no other process gets them within *lease*."""
        rows = (
            self._connection.execute(
                sa.select(unnamed)
                .where(unnamed.c.next_at <= now)
                .order_by(unnamed.c.next_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            .mappings()
            .all()
        )
        ids = [row["activity_id"] for row in rows]
        self._connection.execute(unnamed.update().where(unnamed.c.activity_id.in_(ids)).values(next_at=now + lease))
        return [
            (
                UUID(row["dialog_id"]),
                Activity(
                    id=UUID(row["activity_id"]),
                    type=row["type"],
                    created_at=row["created_at"],
                    performed_by=party_representative(row["actor"]),
                    description=row["description"],
                ),
            )
            for row in rows
        ]

    def named(self, activity_id: UUID) -> None:
        """Forget an activity that was told, or never will be, and with it who acted."""
        self._connection.execute(unnamed.delete().where(unnamed.c.activity_id == str(activity_id)))
