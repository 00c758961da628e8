"""Until when a write that nobody answered may still take effect."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

LATEST = timedelta(minutes=22)
"""What a write that was out at the upgrade is given: the settings' defaults together."""

operations = sa.table(
    "operations",
    sa.column("id", sa.String),
    sa.column("sending_at", sa.DateTime),
    sa.column("answered_at", sa.DateTime),
    sa.column("finished_at", sa.DateTime),
    sa.column("may_arrive_until", sa.DateTime),
)


def upgrade() -> None:
    """Add the columns, and fill them in for what is out without an answer."""
    op.add_column("operations", sa.Column("may_arrive_until", sa.DateTime))
    op.add_column("operations", sa.Column("uncertain_at", sa.DateTime))
    bind = op.get_bind()
    out = sa.and_(operations.c.sending_at.is_not(None), operations.c.answered_at.is_(None))
    rows = bind.execute(
        sa.select(operations.c.id, operations.c.sending_at).where(out, operations.c.finished_at.is_(None))
    ).all()
    for row in rows:
        mine = operations.update().where(operations.c.id == row.id)
        bind.execute(mine.values(may_arrive_until=row.sending_at + LATEST))
    op.create_index("ix_operations_message_id", "operations", ["message_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_operations_message_id", "operations")
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("uncertain_at")
        batch.drop_column("may_arrive_until")
