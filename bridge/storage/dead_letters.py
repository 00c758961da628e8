"""Operations that were set aside with what they hold, until an operator tries them again or dismisses them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

import sqlalchemy as sa

from bridge.core.ids import mask_identity_numbers
from bridge.core.operations import HELD, Operation, Outcome, Stage
from bridge.core.problems import Problem
from bridge.storage.operation_columns import columns_of, operation_of
from bridge.storage.store import Transaction
from bridge.storage.tables import operations

ERASED: Mapping[str, object] = dict.fromkeys(("actor", "body", "manifest", "sent_forms", "results"))
"""What says who pressed and what was sent, as it is when that is gone."""


class Kind(Enum):
    """What an operator may look for."""

    DEAD = "dead"
    """Given up, or its dialog could not be told."""
    HELD = "held"
    """Accepted before the store was restored, and never sent since."""
    UNDER_WAY = "under-way"
    LEFT_OUT = "left-out"
    """Finished, and its dialog was told less than it should say."""
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One operation as an operator sees it: nothing of who pressed, and nothing of the form but its size."""

    operation: Operation
    kind: Kind
    updated_at: datetime
    form_bytes: int
    keeps_form: bool
    keeps_actor: bool
    waits_behind: int
    """Unfinished operations of its dialog that were accepted before it."""


class CannotBeDone(Exception):
    """What was asked of an operation does not fit how it stands; the text says why."""


class DeadLetters:
    """What an operator sees and does, in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx, self._connection = tx, tx.connection

    # Looking

    def counts(self) -> Mapping[str, int]:
        """How many were set aside, by why."""
        rows = self._connection.execute(
            sa.select(operations.c.dead_why, sa.func.count())
            .where(operations.c.dead_at.is_not(None))
            .group_by(operations.c.dead_why)
        )
        return {why: count for why, count in rows}  # noqa: C416 - rows are no pairs to mypy

    def entries(
        self, kinds: Sequence[Kind], *, service: str | None = None, why: str | None = None, limit: int
    ) -> Sequence[Entry]:
        """Operations of these *kinds*, the oldest first."""
        query = sa.select(operations).where(sa.or_(*(_is(each) for each in kinds)))
        if service is not None:
            query = query.where(operations.c.service_resource == service)
        if why is not None:
            query = query.where(operations.c.dead_why == why)
        rows = self._connection.execute(query.order_by(operations.c.accepted_at, operations.c.id).limit(limit))
        return [self._entry(row) for row in rows.mappings()]

    def entry(self, operation_id: UUID) -> Entry | None:
        """One operation, whether it was set aside or not; None where there is none."""
        row = self._connection.execute(sa.select(operations).where(operations.c.id == str(operation_id)))
        found = row.mappings().first()
        return None if found is None else self._entry(found)

    def _entry(self, row: sa.RowMapping) -> Entry:
        operation = operation_of(row)
        before = sa.select(sa.func.count()).where(
            operations.c.dialog_id == row["dialog_id"],
            operations.c.sequence < row["sequence"],
            operations.c.finished_at.is_(None),
        )
        return Entry(
            operation=operation,
            kind=_kind_of(operation),
            updated_at=row["updated_at"],
            form_bytes=len(operation.body or b"") + sum(len(each.data.encode()) for each in operation.sent_forms),
            keeps_form=operation.body is not None or bool(operation.sent_forms),
            keeps_actor=operation.actor is not None,
            waits_behind=self._connection.scalar(before) or 0 if operation.finished_at is None else 0,
        )

    # Setting aside

    def hold_unsent(self, *, now: datetime, accepted_until: datetime, limit: int) -> Sequence[UUID]:
        """Set aside what was accepted until *accepted_until* and never sent, at most *limit*; their ids."""
        mine = (
            operations.c.finished_at.is_(None),
            operations.c.sending_at.is_(None),
            operations.c.accepted_at <= accepted_until,
        )
        waiting = operations.c.stage == Stage.DELIVER.value
        ids = list(self._connection.scalars(sa.select(operations.c.id).where(*mine, waiting).limit(limit)))
        self._connection.execute(
            operations.update()
            .where(operations.c.id.in_(ids), *mine)
            .values(
                stage=Stage.FINISHED.value,
                finished_at=now,
                updated_at=now,
                dead_at=now,
                dead_stage=Stage.DELIVER.value,
                dead_why=HELD,
                waiting=False,
                holder=None,
            )
        )
        return [UUID(each) for each in ids]

    # What an operator does

    def reopen(self, operation_id: UUID, *, now: datetime, held: bool) -> Operation:
        """
        Let a dead letter, or with *held* one that is held, go on from the step that failed, behind all of its dialog.

        Gives it as it then is; the caller asks for its run.

        Raises:
            CannotBeDone: There is none, or the same was pressed meanwhile and is under way.
        """
        operation = self._locked(operation_id)
        if operation.dead_at is None or operation.dead_stage is None or (operation.dead_why == HELD) is not held:
            raise CannotBeDone("it is not held" if held else "it is no dead letter")
        intent = sa.select(operations.c.intent).where(operations.c.id == str(operation_id)).scalar_subquery()
        same = sa.exists().where(
            operations.c.dialog_id == str(operation.dialog_id),
            operations.c.intent == intent,
            sa.or_(operations.c.signer == operation.signer, operations.c.actor == operation.actor),
            operations.c.finished_at.is_(None),
        )
        if self._connection.scalar(sa.select(same)):
            raise CannotBeDone("the same was pressed again meanwhile and is under way; look at it when that has ended")
        values: dict[str, object] = {"stage": operation.dead_stage}
        if operation.dead_stage is Stage.DELIVER:
            values |= {"outcome": None, "problem": None, "state_after": None}
        return self._opened(operation, now=now, **values)

    def cancel(self, operation_id: UUID, *, now: datetime, why: str) -> Operation | None:
        """
        Dismiss an operation, for the reason *why* in the operator's words, and erase what it holds.

        What was never sent and whose dialog heard nothing goes on to tell that: it is given, and the caller asks for
        its run. None when nothing is left to do.

        Raises:
            CannotBeDone: It is finished, or a call of it may be out.
        """
        operation = self._locked(operation_id)
        said = {"dismissed_at": now, "dismissed_why": mask_identity_numbers(why)[:1000]}
        if operation.finished_at is not None and operation.dead_at is None:
            raise CannotBeDone("it is finished")
        if operation.dead_at is not None and operation.outcome is not None:
            self._write(operation_id, **ERASED, **said, dead_at=None, updated_at=now)
            return None
        if operation.sending_at is not None:
            raise CannotBeDone("it was sent, and how that ended is being looked for; wait until it has ended")
        if operation.dead_at is None and operation.stage is not Stage.DELIVER:
            raise CannotBeDone("it has ended already, and its dialog is about to be told")
        return self._opened(
            operation,
            now=now,
            stage=Stage.SYNC,
            outcome=Outcome.GIVEN_UP,
            problem=Problem(code="cancelled", status=409),
            body=None,
            **said,
        )

    def try_now(self, operation_id: UUID, *, now: datetime) -> Operation:
        """
        Let an operation that waits for its next try go at once; the caller asks for its run.

        Raises:
            CannotBeDone: It is finished, or waits behind another one.
        """
        operation = self._locked(operation_id)
        if operation.finished_at is not None:
            raise CannotBeDone("it is finished")
        if operation.waiting:
            raise CannotBeDone("it waits until an earlier press on its dialog has ended")
        self._write(operation_id, attempt=operation.attempt + 1, updated_at=now)
        return self._found(operation_id)

    def _opened(self, operation: Operation, *, now: datetime, **values: object) -> Operation:
        sequence = operation.sequence
        if operation.finished_at is not None:
            last = sa.select(sa.func.max(operations.c.sequence)).where(
                operations.c.dialog_id == str(operation.dialog_id)
            )
            sequence = (self._connection.scalar(last) or 0) + 1
        self._write(
            operation.id,
            finished_at=None,
            dead_at=None,
            dead_stage=None,
            dead_why=None,
            sequence=sequence,
            attempt=operation.attempt + 1,
            tries=0,
            tried_since=now,
            waiting=False,
            # Whoever was at it writes nothing more.
            holder=None,
            updated_at=now,
            **values,
        )
        return self._found(operation.id)

    def _locked(self, operation_id: UUID) -> Operation:
        found = self._tx.operation(operation_id)
        if found is None:
            raise CannotBeDone("there is no such operation")
        self._tx.lock_dialog(found.dialog_id)
        return self._found(operation_id)

    def _found(self, operation_id: UUID) -> Operation:
        found = self._tx.operation(operation_id)
        if found is None:
            raise CannotBeDone("there is no such operation")
        return found

    def _write(self, operation_id: UUID, **values: object) -> None:
        self._connection.execute(
            operations.update().where(operations.c.id == str(operation_id)).values(**columns_of(values))
        )


def _is(kind: Kind) -> sa.ColumnElement[bool]:
    match kind:
        case Kind.DEAD:
            return sa.and_(operations.c.dead_at.is_not(None), operations.c.dead_why != HELD)
        case Kind.HELD:
            return sa.and_(operations.c.dead_at.is_not(None), operations.c.dead_why == HELD)
        case Kind.UNDER_WAY:
            return operations.c.finished_at.is_(None)
        case Kind.LEFT_OUT:
            return sa.and_(_is(Kind.FINISHED), operations.c.left_out.is_not(None))
        case Kind.FINISHED:
            return sa.and_(operations.c.finished_at.is_not(None), operations.c.dead_at.is_(None))


def _kind_of(operation: Operation) -> Kind:
    if operation.dead_at is not None:
        return Kind.HELD if operation.dead_why == HELD else Kind.DEAD
    if operation.finished_at is None:
        return Kind.UNDER_WAY
    return Kind.LEFT_OUT if operation.left_out else Kind.FINISHED
