"""Until when an upload that nobody answered may still arrive, instead of since when it is uncertain."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

LATEST = timedelta(minutes=20)
"""What is uncertain at the upgrade is given the setting's default."""

attachments = sa.table(
    "attachments",
    sa.column("id", sa.String),
    sa.column("uncertain_at", sa.DateTime),
    sa.column("may_arrive_until", sa.DateTime),
)


def upgrade() -> None:
    """Put the end of the time in the place of its beginning."""
    op.add_column("attachments", sa.Column("may_arrive_until", sa.DateTime))
    bind = op.get_bind()
    uncertain = sa.select(attachments.c.id, attachments.c.uncertain_at).where(attachments.c.uncertain_at.is_not(None))
    for row in bind.execute(uncertain).all():
        mine = attachments.update().where(attachments.c.id == row.id)
        bind.execute(mine.values(may_arrive_until=row.uncertain_at + LATEST))
    with op.batch_alter_table("attachments") as batch:
        batch.drop_column("uncertain_at")
    some = sa.text("may_arrive_until IS NOT NULL")
    op.create_index(
        "ix_attachments_may_arrive", "attachments", ["message_id"], sqlite_where=some, postgresql_where=some
    )


def downgrade() -> None:
    """Put it back, as of now for what may still arrive."""
    op.drop_index("ix_attachments_may_arrive", "attachments")
    op.add_column("attachments", sa.Column("uncertain_at", sa.DateTime))
    with op.batch_alter_table("attachments") as batch:
        batch.drop_column("may_arrive_until")
