"""Operations: accepted, held by a worker, updated, and found again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bridge.core.operations import Intent, Operation, Outcome, Stage
from bridge.core.signing import earlier_signer_of
from bridge.storage.database import Rows, added
from bridge.storage.links import case_columns, is_case
from bridge.storage.operation_columns import columns_of, meaning_columns, operation_of
from bridge.storage.tables import operations


class UnderWay(Exception):
    """Another process accepted the same intent in this instant: look again."""


class OperationRows(Rows):
    """Operations, each from its acceptance to its end."""

    # Accepting

    def under_way(self, intent: Intent) -> Operation | None:
        """The unfinished operation that means the same as *intent*."""
        row = (
            self.connection.execute(
                sa.select(operations).where(
                    operations.c.dialog_id == str(intent.dialog_id),
                    operations.c.intent == intent.key,
                    sa.or_(
                        operations.c.signer == intent.signer,
                        # Accepted by a release that did not keep who signs, or kept it otherwise.
                        sa.and_(
                            operations.c.signer.in_(("", earlier_signer_of(intent.dialog_id, intent.actor))),
                            operations.c.actor == intent.actor,
                        ),
                    ),
                    operations.c.finished_at.is_(None),
                )
            )
            .mappings()
            .first()
        )
        return None if row is None else operation_of(row)

    def standing_of(self, actor: str) -> int:
        """How many unfinished operations *actor* asked for."""
        mine = (operations.c.actor == actor, operations.c.finished_at.is_(None))
        return self.connection.scalar(sa.select(sa.func.count()).select_from(operations).where(*mine)) or 0

    def repeats(self, intent: Intent, *, since: datetime, at_most: int) -> datetime | None:
        """
        When the first of the last *at_most* presses of *intent*'s button ended that had no effect after *since*.

        None where there were fewer.
        """
        ended = list(
            self.connection.scalars(
                sa.select(operations.c.finished_at)
                .where(
                    operations.c.dialog_id == str(intent.dialog_id),
                    operations.c.action == intent.action,
                    operations.c.outcome.in_((Outcome.REPEATED.value, Outcome.REFUSED.value)),
                    operations.c.finished_at > since,
                )
                .order_by(operations.c.sequence.desc())
                .limit(at_most)
            )
        )
        return ended[-1] if len(ended) == at_most else None

    def add_operation(self, operation_id: UUID, intent: Intent, *, now: datetime) -> int:
        """
        Add an accepted action, and return its place in the dialog's order.

        Raises:
            UnderWay: The same intent was accepted meanwhile.
        """
        last = self.connection.scalar(
            sa.select(sa.func.max(operations.c.sequence)).where(operations.c.dialog_id == str(intent.dialog_id))
        )
        sequence = (last or 0) + 1
        values = {
            "id": str(operation_id),
            "dialog_id": str(intent.dialog_id),
            "sequence": sequence,
            "intent": intent.key,
            "signer": intent.signer,
            "service_resource": intent.service_resource,
            "action": intent.action,
            **case_columns(intent.case),
            "language": intent.language,
            "level": intent.level,
            "actor": intent.actor,
            "body": intent.body,
            "body_digest": intent.body_digest,
            **meaning_columns(intent.meaning),
            "mapping_digest": intent.mapping_digest,
            "stage": Stage.DELIVER.value,
            "attempt": 1,
            "tries": 0,
            "waiting": False,
            "accepted_at": now,
            "updated_at": now,
        }
        if not added(
            self.connection,
            operations,
            values,
            one=("dialog_id", "intent", "signer"),
            of=operations.c.finished_at.is_(None),
        ):
            raise UnderWay
        return sequence

    # Carrying out

    def operation(self, operation_id: UUID) -> Operation | None:
        """The operation, as it is written now."""
        row = (
            self.connection.execute(sa.select(operations).where(operations.c.id == str(operation_id)))
            .mappings()
            .first()
        )
        return None if row is None else operation_of(row)

    def acquire(self, operation_id: UUID, *, holder: str, now: datetime) -> None:
        """Make *holder* the one who writes this operation from now on."""
        self.connection.execute(
            operations.update()
            .where(operations.c.id == str(operation_id), operations.c.finished_at.is_(None))
            .values(holder=holder, updated_at=now)
        )

    def update(self, operation_id: UUID, *, now: datetime, held_by: str | None = None, **values: object) -> bool:
        """
        Set *values* of an unfinished operation, and return whether they were written.

        With *held_by*, only while that worker holds it: one that slept while another took over writes nothing.
        """
        condition = [operations.c.id == str(operation_id), operations.c.finished_at.is_(None)]
        if held_by is not None:
            condition.append(operations.c.holder == held_by)
        done = self.connection.execute(
            operations.update().where(*condition).values(**columns_of(values), updated_at=now)
        )
        return done.rowcount == 1

    def keep_first_look(self, operation_id: UUID, built_on: datetime) -> None:
        """Keep what *operation_id* is built on, unless that is known."""
        mine = (operations.c.id == str(operation_id), operations.c.built_on.is_(None))
        self.connection.execute(operations.update().where(*mine).values(built_on=built_on))

    # In the order of a dialog

    def earlier_unfinished(self, operation: Operation) -> bool:
        """Whether an operation accepted before *operation* on its dialog is not finished."""
        return bool(
            self.connection.scalar(
                sa.select(
                    sa.exists().where(
                        operations.c.dialog_id == str(operation.dialog_id),
                        operations.c.sequence < operation.sequence,
                        operations.c.finished_at.is_(None),
                    )
                )
            )
        )

    def next_waiting(self, dialog_id: UUID) -> Operation | None:
        """The first parked operation of *dialog_id*."""
        row = (
            self.connection.execute(
                sa.select(operations)
                .where(
                    operations.c.dialog_id == str(dialog_id),
                    operations.c.finished_at.is_(None),
                    operations.c.waiting.is_(True),
                )
                .order_by(operations.c.sequence)
                .limit(1)
            )
            .mappings()
            .first()
        )
        return None if row is None else operation_of(row)

    def done_before(self, operation: Operation) -> bool:
        """Whether the same was sent before, by the same action for the same element, and was done."""
        earlier = sa.exists().where(
            operations.c.dialog_id == str(operation.dialog_id),
            operations.c.sequence < operation.sequence,
            operations.c.action == operation.action,
            is_case(operations, operation.required_case),
            operations.c.body_digest == operation.body_digest,
            operations.c.outcome == Outcome.DONE.value,
        )
        return bool(self.connection.scalar(sa.select(earlier)))

    def told_after(self, operation: Operation) -> bool:
        """Whether what was pressed later on the dialog has ended well, and so been told, before *operation*."""
        later = sa.exists().where(
            operations.c.dialog_id == str(operation.dialog_id),
            operations.c.accepted_at > operation.accepted_at,
            operations.c.finished_at.is_not(None),
            operations.c.outcome.in_((Outcome.DONE.value, Outcome.REPEATED.value)),
        )
        return bool(self.connection.scalar(sa.select(later)))

    # Among all

    def finished_among(self, operation_ids: Sequence[UUID]) -> set[UUID]:
        """Those of *operation_ids* that are finished, in one query."""
        rows = self.connection.scalars(
            sa.select(operations.c.id).where(
                operations.c.id.in_([str(each) for each in operation_ids]), operations.c.finished_at.is_not(None)
            )
        )
        return {UUID(each) for each in rows}

    def stalled(self, *, before: datetime, limit: int) -> list[Operation]:
        """Unfinished, unparked operations that nobody has touched since *before*."""
        rows = self.connection.execute(
            sa.select(operations)
            .where(
                operations.c.finished_at.is_(None),
                operations.c.waiting.is_(False),
                operations.c.updated_at < before,
            )
            .order_by(operations.c.updated_at)
            .limit(limit)
        ).mappings()
        return [operation_of(row) for row in rows]

    def backlog(self) -> tuple[int, datetime | None]:
        """How many operations are unfinished, and when the oldest was accepted."""
        row = self.connection.execute(
            sa.select(sa.func.count(), sa.func.min(operations.c.accepted_at)).where(operations.c.finished_at.is_(None))
        ).one()
        return row[0], row[1]
