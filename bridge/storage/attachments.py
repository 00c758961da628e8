"""Attachments on their way to Altinn 2: one at a time for a dialog, and none beside an operation."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bridge.core.cases import CaseRef
from bridge.core.operations import Upload
from bridge.storage.database import Rows, added
from bridge.storage.links import case_columns, is_case
from bridge.storage.operations import UnderWay
from bridge.storage.tables import attachments, operations


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """
    Which uploads live: those that pass through *process* now, and those of others that moved since *silent_since*.

    So the row of an upload that ended while the store was away holds nobody up who comes to the same process.
    """

    process: str
    uploads: frozenset[UUID]
    silent_since: datetime

    def condition(self) -> sa.ColumnElement[bool]:
        """The condition that the upload of an ``attachments`` row, which is not ended, lives."""
        mine = attachments.c.process.is_not_distinct_from(self.process)
        return sa.and_(
            attachments.c.seen_at >= self.silent_since,
            sa.or_(~mine, attachments.c.id.in_([str(each) for each in self.uploads])),
        )


class AttachmentRows(Rows):
    """Which uploads are under way, and what became of them."""

    def begin_upload(self, upload: Upload, living: Living, *, now: datetime) -> None:
        """
        Note that *upload* is under way; one that does not live is closed: whoever sends the same again looks for it.

        Raises:
            UnderWay: Another one, or an operation of the dialog, is under way.
        """
        mine = attachments.c.dialog_id == str(upload.dialog_id)
        self.connection.execute(
            attachments.update().where(mine, attachments.c.ended_at.is_(None), ~living.condition()).values(ended_at=now)
        )
        busy = sa.exists().where(
            sa.or_(
                sa.and_(operations.c.dialog_id == str(upload.dialog_id), operations.c.finished_at.is_(None)),
                # Another dialog's, at work on the same element.
                sa.and_(is_case(operations, upload.case), operations.c.may_arrive_until > now),
            )
        )
        if self.connection.scalar(sa.select(busy)):
            raise UnderWay
        values = {
            "id": str(upload.id),
            "dialog_id": str(upload.dialog_id),
            **case_columns(upload.case),
            "file_name": upload.file_name,
            "attachment_type": upload.attachment_type,
            "length": upload.length,
            "began_at": now,
            "seen_at": now,
            "process": living.process,
        }
        if not added(self.connection, attachments, values, one=("dialog_id",), of=attachments.c.ended_at.is_(None)):
            raise UnderWay

    def upload_seen(self, upload_id: UUID, *, now: datetime) -> None:
        """Note that an upload still moves."""
        self.connection.execute(attachments.update().where(attachments.c.id == str(upload_id)).values(seen_at=now))

    def uploading(self, case: CaseRef, living: Living) -> bool:
        """Whether an attachment is on its way to an element, by whichever dialog."""
        return bool(
            self.connection.scalar(
                sa.select(
                    sa.exists().where(
                        is_case(attachments, case),
                        attachments.c.ended_at.is_(None),
                        living.condition(),
                    )
                )
            )
        )

    def upload(self, upload_id: UUID) -> Upload | None:
        """The upload of this id."""
        return self._upload(attachments.c.id == str(upload_id))

    def uploaded_as(self, dialog_id: UUID, attachment_id: int) -> Upload | None:
        """The dialog's upload that became this attachment."""
        return self._upload(attachments.c.dialog_id == str(dialog_id), attachments.c.attachment_id == attachment_id)

    def _upload(self, *condition: sa.ColumnElement[bool]) -> Upload | None:
        row = self.connection.execute(sa.select(attachments).where(*condition)).mappings().first()
        return None if row is None else upload_of(row)


def upload_of(row: sa.RowMapping) -> Upload:
    """A row of ``attachments``."""
    return Upload(
        id=UUID(row["id"]),
        dialog_id=UUID(row["dialog_id"]),
        case=CaseRef(system=row["system"], owner=row["owner"], key=row["key"]),
        file_name=row["file_name"],
        attachment_type=row["attachment_type"],
        length=row["length"],
        sha256=row["sha256"],
        attachment_id=row["attachment_id"],
        replaces=tuple(row["replaces"] or ()),
        replaced_by=None if row["replaced_by"] is None else UUID(row["replaced_by"]),
        removed=row["removed_at"] is not None,
        found=row["found"],
    )
