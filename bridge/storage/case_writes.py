"""What operations, of whichever dialogs, do or did to one case."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from bridge.core.cases import CaseRef
from bridge.core.operations import Operation, Outcome
from bridge.core.signing import Signature
from bridge.storage.database import Rows
from bridge.storage.links import is_case
from bridge.storage.tables import attachments, operations


class CaseWrites(Rows):
    """Writes that are out for a case, where they left it, and who signed it."""

    def lock_case(self, case: CaseRef) -> None:
        """Let nobody else set out for this case until this transaction ends. SQLite has one writer anyway."""
        if self.connection.dialect.name == "postgresql":
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:case, 7246303))")
            self.connection.execute(lock, {"case": f"{case.system}/{case.key}"})

    def others_out(self, operation: Operation, *, since: datetime, now: datetime) -> bool:
        """
        Whether another operation's write is out for the same case, or was answered since *since*.

        To one that signs and has not set out, another that signs is out until its outcome is known.
        """
        signing = sa.and_(
            operations.c.signer != "",
            operations.c.sending_at.is_not(None),
            operations.c.outcome.is_(None),
            operations.c.finished_at.is_(None),
        )
        meets_signing = signing if operation.signer != "" and operation.sending_at is None else sa.false()
        other = sa.exists().where(
            is_case(operations, operation.required_case),
            operations.c.id != str(operation.id),
            sa.or_(operations.c.may_arrive_until > now, operations.c.answered_at >= since, meets_signing),
        )
        return bool(self.connection.scalar(sa.select(other)))

    def others_arrive_until(self, operation: Operation, *, now: datetime) -> datetime | None:
        """Until when another operation's write may arrive at the same case; None where none is out."""
        latest: datetime | None = self.connection.scalar(
            sa.select(sa.func.max(operations.c.may_arrive_until, type_=operations.c.may_arrive_until.type)).where(
                is_case(operations, operation.required_case),
                operations.c.id != str(operation.id),
                operations.c.may_arrive_until > now,
            )
        )
        return latest

    def last_states(self, case: CaseRef, *, but: UUID | None = None) -> list[str]:
        """Where operations left the case or saw it, the latest first; without those of the operation *but*."""
        found = self.connection.scalars(
            sa.select(operations.c.state_after)
            .where(
                is_case(operations, case),
                operations.c.id != str(but),
                operations.c.state_after.is_not(None),
            )
            .order_by(operations.c.accepted_at.desc(), operations.c.sequence.desc())
        )
        return list(found)

    def moved_by_us(self, operation: Operation) -> bool:
        """Whether a press before *operation*, or an upload, may have changed its case since it was accepted."""
        since = operation.accepted_at
        earlier = sa.exists().where(
            is_case(operations, operation.case),
            operations.c.id != str(operation.id),
            operations.c.accepted_at <= since,
            operations.c.sending_at.is_not(None),
            sa.or_(operations.c.finished_at.is_(None), operations.c.finished_at >= since),
        )
        uploaded = sa.exists().where(
            is_case(attachments, operation.case),
            attachments.c.began_at <= since,
            sa.or_(attachments.c.ended_at.is_(None), attachments.c.ended_at >= since),
        )
        return bool(self.connection.scalar(sa.select(sa.or_(earlier, uploaded))))

    def signatures(self, operation: Operation) -> tuple[Signature, ...]:
        """
        The signatures that other presses gave the element, by whichever dialog, as long as they are remembered.

        Their dialogs need not have been told yet.
        """
        rows = self.connection.execute(
            sa.select(operations).where(
                is_case(operations, operation.required_case),
                operations.c.id != str(operation.id),
                operations.c.outcome.in_((Outcome.DONE.value, Outcome.GIVEN_UP.value)),
                operations.c.signer != "",
                operations.c.sending_at.is_not(None),
            )
        ).mappings()
        return tuple(
            Signature(
                signer=row["signer"],
                dialog_id=UUID(row["dialog_id"]),
                given=row["outcome"] == Outcome.DONE.value,
                built_on=row["built_on"],
                left_on=row["left_on"],
            )
            for row in rows
        )

    def forget_signers(self, case: CaseRef) -> None:
        """Erase who signed the case, once none of the signatures counts any more."""
        self.connection.execute(
            operations.update()
            .where(
                is_case(operations, case),
                operations.c.finished_at.is_not(None),
                operations.c.dead_at.is_(None),
                operations.c.signer != "",
            )
            .values(signer="")
        )
