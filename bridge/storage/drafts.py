"""What is remembered of elements under completion."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bridge.core.cases import CaseStatus
from bridge.core.drafts import Draft, Ending, pause_after
from bridge.core.elements import Element
from bridge.core.operations import Link
from bridge.core.targets import Target
from bridge.storage.database import insert_ignore
from bridge.storage.store import Transaction
from bridge.storage.tables import draft_failures, drafts, links, operations


class Drafts:
    """The drafts' rows, in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx, self._connection = tx, tx.connection

    def known(self, message_ids: Sequence[str]) -> dict[str, Draft]:
        """What is remembered of these elements, by their ids."""
        rows = self._connection.execute(sa.select(drafts).where(drafts.c.message_id.in_(message_ids))).mappings()
        return {row["message_id"]: _draft(row) for row in rows}

    def linked(self, message_ids: Sequence[str]) -> set[str]:
        """Those of these elements that some dialog is linked to."""
        mine = (links.c.key.in_(message_ids), links.c.system == Target.ALTINN2.value)
        return set(self._connection.scalars(sa.select(links.c.key).where(*mine)))

    def begin(self, link: Link, *, born_at: datetime, now: datetime) -> Draft:
        """
        Note that *link*'s dialog is about to be made, and the link itself; where another run was first, its row.

        From here on a crash leaves enough to send the same again.
        """
        self._connection.execute(drafts.delete().where(_is(link.required_case.key), drafts.c.ending == "foreign"))
        values = {"message_id": link.required_case.key, "dialog_id": str(link.dialog_id), "born_at": born_at}
        if link.required_case.key not in self.known([link.required_case.key]):
            insert = insert_ignore(self._connection, drafts).values(values)
            # Where another process wrote it between our look and this, its row counts.
            if self._connection.execute(insert).rowcount:
                self._tx.add_link(link, now=now)
        return self.known([link.required_case.key])[link.required_case.key]

    def made(self, draft: Draft, element: Element | None, *, now: datetime) -> None:
        """Note that the dialog stands, and what it was made of; None where nobody knows."""
        of = {} if element is None else {"last_changed": element.last_changed, "state": element.state.value}
        self._write(draft, made_at=now, **of)

    def give_way(self, draft: Draft, element: Element, *, dialog_id: UUID, ending: Ending, now: datetime) -> None:
        """Note that another dialog has the element's key; the link to the one that was to be made goes."""
        self._write(
            draft,
            dialog_id=str(dialog_id),
            last_changed=element.last_changed,
            state=element.state.value,
            ending=ending.value,
            ended_at=now,
        )
        used = sa.exists().where(operations.c.dialog_id == links.c.dialog_id)
        self._connection.execute(links.delete().where(links.c.dialog_id == str(draft.dialog_id), ~used))

    def foreign(self, element: Element, dialog_id: UUID, *, now: datetime) -> None:
        """Remember that somebody else's dialog stands for the element, so that it is not searched for every time."""
        about = {
            "dialog_id": str(dialog_id),
            "born_at": now,
            "last_changed": element.last_changed,
            "state": element.state.value,
            "ending": Ending.FOREIGN.value,
            "ended_at": now,
        }
        message_id = element.case.key
        if message_id in self.known([message_id]):
            condition = (_is(message_id), drafts.c.ending == Ending.FOREIGN.value)
            self._connection.execute(drafts.update().where(*condition).values(about))
        else:
            self._connection.execute(drafts.insert().values(message_id=message_id, **about))

    def followed(self, draft: Draft, *, last_changed: datetime | None, state: CaseStatus, now: datetime) -> None:
        """Note what the dialog was brought up to date with; one that is not ours is its maker's again from here on."""
        ending, ended_at = (None, None) if draft.ours else (Ending.FOREIGN.value, now)
        self._write(draft, last_changed=last_changed, state=state.value, ending=ending, ended_at=ended_at)

    def end(self, draft: Draft, ending: Ending, *, now: datetime) -> None:
        """Follow the element no more; should it be seen again, it has changed, whatever it says then."""
        made_at = sa.func.coalesce(drafts.c.made_at, now)
        self._write(draft, ending=ending.value, ended_at=now, made_at=made_at, last_changed=None, state=None)

    def thrown_away(self, dialog_id: UUID, message_id: str, *, now: datetime) -> None:
        """
        Follow the dialog's element no more, since it was deleted; out of the trash bin it is followed again.

        Also where somebody else made the dialog: what the bridge did to it is for the bridge to undo.
        """
        values = {"ending": Ending.DELETED.value, "ended_at": now, "last_changed": None, "state": None}
        row = {"message_id": message_id, "dialog_id": str(dialog_id), "born_at": now, "made_at": now, **values}
        if not self._connection.execute(insert_ignore(self._connection, drafts).values(row)).rowcount:
            followed = sa.or_(drafts.c.ending.is_(None), drafts.c.ending == Ending.FOREIGN.value)
            mine = (_is(message_id), drafts.c.dialog_id == str(dialog_id), followed)
            self._connection.execute(drafts.update().where(*mine).values(values))

    def busy(self, dialog_id: UUID) -> bool:
        """Whether an operation of the dialog is under way; call it with the dialog locked."""
        under_way = sa.exists().where(operations.c.dialog_id == str(dialog_id), operations.c.finished_at.is_(None))
        return bool(self._connection.scalar(sa.select(under_way)))

    def seen(self, message_ids: Sequence[str], run_id: str) -> None:
        """Note that a run met these elements in a list."""
        self._connection.execute(drafts.update().where(drafts.c.message_id.in_(message_ids)).values(seen_in=run_id))

    def unseen(self, run_id: str, *, after: str, limit: int) -> list[tuple[Draft, Link]]:
        """Open drafts that the run met in no list, in order of their ids, beginning behind *after*."""
        rows = self._connection.execute(
            sa.select(drafts.c.message_id)
            .where(
                drafts.c.ending.is_(None),
                drafts.c.message_id > after,
                sa.func.coalesce(drafts.c.seen_in, "") != run_id,
            )
            .order_by(drafts.c.message_id)
            .limit(limit)
        )
        known = self.known([row.message_id for row in rows])
        found = [(draft, self._tx.link(draft.dialog_id)) for _, draft in sorted(known.items())]
        return [(draft, link) for draft, link in found if link is not None]

    def failures(self) -> dict[str, datetime]:
        """When each element and reportee is tried again that failed by itself when last tried, by id."""
        found = self._connection.execute(sa.select(draft_failures.c.about, draft_failures.c.next_at))
        return {row.about: row.next_at for row in found}

    def failed(self, about: str, why: str, *, now: datetime) -> datetime:
        """Note one more failure, of which the pause grows; when it is tried again."""
        mine = draft_failures.c.about == about
        tries = 1 + (self._connection.scalar(sa.select(draft_failures.c.tries).where(mine)) or 0)
        next_at = now + pause_after(tries)
        values = {"why": why[:255], "tries": tries, "next_at": next_at}
        begun = insert_ignore(self._connection, draft_failures).values(about=about, since=now, **values)
        if not self._connection.execute(begun).rowcount:
            self._connection.execute(draft_failures.update().where(mine).values(values))
        return next_at

    def recovered(self, about: str) -> None:
        """Note that it went well."""
        self._connection.execute(draft_failures.delete().where(draft_failures.c.about == about))

    def failing(self) -> int:
        """How many failed when they were last tried."""
        return self._connection.scalar(sa.select(sa.func.count()).select_from(draft_failures)) or 0

    def open(self) -> int:
        """How many dialogs are followed."""
        condition = (drafts.c.ending.is_(None), drafts.c.made_at.is_not(None))
        return self._connection.scalar(sa.select(sa.func.count()).select_from(drafts).where(*condition)) or 0

    def forget_failures(self, before: datetime) -> None:
        """Drop failures that were due before *before* and not met again since."""
        self._connection.execute(draft_failures.delete().where(draft_failures.c.next_at < before))

    def _write(self, draft: Draft, **values: object) -> None:
        self._connection.execute(drafts.update().where(_is(draft.message_id)).values(**values))


def _is(message_id: str) -> sa.ColumnElement[bool]:
    return drafts.c.message_id == message_id


def _draft(row: sa.RowMapping) -> Draft:
    return Draft(
        message_id=row["message_id"],
        dialog_id=UUID(row["dialog_id"]),
        born_at=row["born_at"],
        made=row["made_at"] is not None,
        last_changed=row["last_changed"],
        state=None if row["state"] is None else CaseStatus(row["state"]),
        ending=None if row["ending"] is None else Ending(row["ending"]),
    )
