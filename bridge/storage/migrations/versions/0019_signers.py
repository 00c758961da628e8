"""Who signs, as a digest, and how the element stood afterwards: two people's presses are two operations."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_UNFINISHED = sa.text("finished_at IS NULL")


def upgrade() -> None:
    """Add the columns, and let one intent be under way once for each signer; what is under way has none."""
    op.add_column("operations", sa.Column("signer", sa.String(64), nullable=False, server_default=""))
    op.add_column("operations", sa.Column("left_on", sa.DateTime))
    _index("dialog_id", "intent", "signer")


def downgrade() -> None:
    """
    Drop them.

    Of one intent that is under way for several signers, all but the first get an intent of their own.
    """
    op.execute(
        "UPDATE operations SET intent = id WHERE finished_at IS NULL AND EXISTS (SELECT 1 FROM operations o WHERE "
        "o.dialog_id = operations.dialog_id AND o.intent = operations.intent AND o.finished_at IS NULL AND "
        "o.sequence < operations.sequence)"
    )
    _index("dialog_id", "intent")
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("signer")
        batch.drop_column("left_on")


def _index(*columns: str) -> None:
    op.drop_index("uq_operations_under_way", "operations")
    op.create_index(
        "uq_operations_under_way",
        "operations",
        list(columns),
        unique=True,
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )
