"""Attachments that came through us: whose place they take, and which of them stand in Altinn 2."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bridge.core.cases import CaseRef
from bridge.core.operations import Upload
from bridge.storage.attachments import Living, upload_of
from bridge.storage.links import case_columns, is_case
from bridge.storage.store import Transaction
from bridge.storage.tables import attachments


@dataclass(frozen=True, slots=True)
class Uploads:
    """What is known in *tx* of the attachments that came through us."""

    tx: Transaction

    def find(self, dialog_id: UUID, upload_id: UUID) -> Upload | None:
        """A dialog's upload, or the one that took its place."""
        mine = self._rows(attachments.c.dialog_id == str(dialog_id), attachments.c.id == str(upload_id))
        if not mine or mine[0].replaced_by is None:
            return mine[0] if mine else None
        return next(iter(self._rows(attachments.c.id == str(mine[0].replaced_by))), None)

    def of(self, dialog_id: UUID, case: CaseRef) -> tuple[Upload, ...]:
        """The dialog's uploads to an element that were not taken away, oldest first."""
        return self._rows(
            attachments.c.dialog_id == str(dialog_id),
            is_case(attachments, case),
            attachments.c.removed_at.is_(None),
        )

    def unsettled(self, dialog_id: UUID, living: Living) -> tuple[Upload, ...]:
        """Those of which it is not known whether they took the place of others: they ended, or died, within."""
        return self._rows(
            attachments.c.dialog_id == str(dialog_id),
            attachments.c.replaces.is_not(sa.null()),
            sa.or_(attachments.c.ended_at.is_not(None), ~living.condition()),
        )

    def replacing(self, upload: Upload) -> None:
        """Note down, before anything is sent, whose place *upload* takes and what it is."""
        self._write(upload.id, replaces=list(upload.replaces), length=upload.length, sha256=upload.sha256)

    def arrived(self, upload: Upload) -> None:
        """Note down that *upload* stands in Altinn 2, before those whose place it takes go."""
        self._write(
            upload.id,
            attachment_id=upload.attachment_id,
            length=upload.length,
            sha256=upload.sha256,
            found=upload.found,
        )

    def ended(self, upload_id: UUID, *, now: datetime) -> None:
        """Note down that nobody is at work on an upload any more."""
        self._write(upload_id, ended_at=now)

    def may_arrive(self, upload: Upload, until: datetime | None) -> None:
        """Note down what was sent, and until when it may still arrive: before it is, and when more is known."""
        bytes_ = {} if upload.sha256 is None else {"length": upload.length, "sha256": upload.sha256}
        self._write(upload.id, **bytes_, may_arrive_until=until)

    def out(self, case: CaseRef, *, now: datetime) -> tuple[tuple[Upload, datetime], ...]:
        """What was sent to an element, was not answered and may still arrive, with until when."""
        rows = self.tx.connection.execute(
            sa.select(attachments).where(is_case(attachments, case), attachments.c.may_arrive_until > now)
        )
        return tuple((upload_of(row), row["may_arrive_until"]) for row in rows.mappings())

    def settled(self, upload: Upload, gone: Sequence[int], *, now: datetime) -> None:
        """
        Note down that those of *gone* are not there any more, and that nothing of *upload* is open.

        Where it has bytes it has taken their place, and whoever asks for one of them gets it.
        """
        instead = None if upload.attachment_id is None or not gone else str(upload.id)
        old = self._rows(
            attachments.c.dialog_id == str(upload.dialog_id),
            attachments.c.id != str(upload.id),
            attachments.c.attachment_id.in_(gone),
        )
        ids = [str(each.id) for each in old]
        self.tx.connection.execute(
            attachments.update()
            .where(sa.or_(attachments.c.id.in_(ids), attachments.c.replaced_by.in_(ids)))
            .values(removed_at=now, replaced_by=instead)
        )
        self.tx.connection.execute(
            attachments.update()
            .where(attachments.c.id == str(upload.id))
            .values(replaces=sa.null(), ended_at=sa.func.coalesce(attachments.c.ended_at, now))
        )

    def moved(self, upload_id: UUID, attachment_id: int) -> None:
        """Note down under which id an upload stands now: a PUT gives new ones."""
        self._write(upload_id, attachment_id=attachment_id)

    def brought(self, upload: Upload, *, now: datetime) -> None:
        """
        Note down what a message brought: in the record of what stood there by its name, else in one of its own.

        Noted twice it is one record.
        """
        before = [
            each
            for each in self.of(upload.dialog_id, upload.case)
            if each.file_name == upload.file_name
            and each.attachment_type.casefold() == upload.attachment_type.casefold()
            # One without an id has nothing but its name and type to be known by again.
            and (each.attachment_id is not None or upload.attachment_id is None)
        ]
        last = before.pop() if before else None
        known = self._known_of(upload, mine=upload.id if last is None else last.id)
        if last is None:
            self._add_ended(upload, known, now=now)
            return
        self._write(last.id, **known)
        for each in before:
            self._write(each.id, removed_at=now, replaced_by=str(last.id))

    def _known_of(self, upload: Upload, *, mine: UUID) -> dict[str, object]:
        """What to write into the record *mine*; its id in Altinn 2 only where no other record has it."""
        known: dict[str, object] = {"length": upload.length, "sha256": upload.sha256, "found": False}
        holder = None if upload.attachment_id is None else self.tx.uploaded_as(upload.dialog_id, upload.attachment_id)
        if upload.attachment_id is not None and (holder is None or holder.id == mine):
            known["attachment_id"] = upload.attachment_id
        return known

    def _add_ended(self, upload: Upload, known: Mapping[str, object], *, now: datetime) -> None:
        self.tx.connection.execute(
            attachments.insert().values(
                id=str(upload.id),
                dialog_id=str(upload.dialog_id),
                **case_columns(upload.case),
                file_name=upload.file_name,
                attachment_type=upload.attachment_type,
                began_at=now,
                seen_at=now,
                ended_at=now,
                **known,
            )
        )

    def drop(self, upload_id: UUID) -> None:
        """Forget an upload that was none: it kept others away while one was taken away."""
        self.tx.connection.execute(attachments.delete().where(attachments.c.id == str(upload_id)))

    def _rows(self, *conditions: sa.ColumnElement[bool]) -> tuple[Upload, ...]:
        found = self.tx.connection.execute(
            sa.select(attachments).where(*conditions).order_by(attachments.c.began_at, attachments.c.id)
        )
        return tuple(map(upload_of, found.mappings()))

    def _write(self, upload_id: UUID, **values: object) -> None:
        self.tx.connection.execute(attachments.update().where(attachments.c.id == str(upload_id)).values(**values))
