"""Links: what a dialog stands for, and the case columns that other tables share with them."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bridge.core.cases import ArchivedCopy, CaseRef
from bridge.core.operations import Link
from bridge.storage.database import Rows, insert_ignore
from bridge.storage.tables import links


class LinkRows(Rows):
    """What dialogs stand for."""

    def link(self, dialog_id: UUID) -> Link | None:
        """What *dialog_id* stands for; None where nothing is known of it."""
        row = self.connection.execute(sa.select(links).where(links.c.dialog_id == str(dialog_id))).mappings().first()
        return None if row is None else link_of(row)

    def add_link(self, link: Link, *, now: datetime) -> None:
        """Remember *link*; the first one of a dialog stays."""
        values = {
            "dialog_id": str(link.dialog_id),
            "service_resource": link.service_resource,
            "party": link.party,
            **case_columns(link.case),
            "created_at": now,
        }
        self.connection.execute(insert_ignore(self.connection, links).values(values))

    def set_case(self, link: Link) -> None:
        """Keep *link*'s case, which was not needed before."""
        mine = (links.c.dialog_id == str(link.dialog_id), links.c.key == "")
        self.connection.execute(links.update().where(*mine).values(**case_columns(link.case)))

    def record_archive(self, dialog_id: UUID, copy: ArchivedCopy) -> None:
        """Keep the key and the reference of the archived *copy* on the link."""
        self.connection.execute(
            links.update()
            .where(links.c.dialog_id == str(dialog_id))
            .values(archived_id=copy.key, archive_reference=copy.reference)
        )

    def lock_dialog(self, dialog_id: UUID) -> None:
        """Let nobody else accept, park or finish an operation of *dialog_id* until this transaction ends."""
        self.connection.execute(
            sa.select(links.c.dialog_id).where(links.c.dialog_id == str(dialog_id)).with_for_update()
        )


def case_columns(case: CaseRef | None) -> dict[str, str]:
    """No case is empty text: SQLite could drop NOT NULL only with a table made anew, to which others point."""
    if case is None:
        return {"system": "", "owner": "", "key": ""}
    return {"system": case.system, "owner": case.owner, "key": case.key}


def case_of(row: sa.RowMapping) -> CaseRef | None:
    """Inverse of `case_columns`."""
    return CaseRef(system=row["system"], owner=row["owner"], key=row["key"]) if row["key"] else None


def is_case(table: sa.Table, case: CaseRef | None) -> sa.ColumnElement[bool]:
    """Whether a row of *table* is about *case*, by whichever owner it is reached; about none where it is None."""
    of = case_columns(case)
    return sa.and_(table.c.key == of["key"], table.c.system == of["system"])


def link_of(row: sa.RowMapping) -> Link:
    """A row of ``links``."""
    return Link(
        dialog_id=UUID(row["dialog_id"]),
        service_resource=row["service_resource"],
        party=row["party"],
        case=case_of(row),
        archived_id=row["archived_id"],
        archive_reference=row["archive_reference"],
    )
