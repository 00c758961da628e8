"""Attachments that take the place of others, and those that were taken away."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_PLACED = sa.text("attachment_id IS NOT NULL")


def upgrade() -> None:
    """Add the columns, and let an element stand behind two dialogs, each with uploads of its own."""
    op.add_column("attachments", sa.Column("replaces", sa.JSON(none_as_null=True)))
    op.add_column("attachments", sa.Column("replaced_by", sa.String(36)))
    op.add_column("attachments", sa.Column("removed_at", sa.DateTime))
    op.add_column("attachments", sa.Column("found", sa.Boolean, nullable=False, server_default=sa.false()))
    op.drop_index("uq_attachments_uploaded", "attachments")
    op.create_index(
        "uq_attachments_uploaded",
        "attachments",
        ["dialog_id", "attachment_id"],
        unique=True,
        sqlite_where=_PLACED,
        postgresql_where=_PLACED,
    )


def downgrade() -> None:
    """Drop them; of an attachment that two dialogs know, the first keeps it."""
    op.drop_index("uq_attachments_uploaded", "attachments")
    op.execute(
        "UPDATE attachments SET attachment_id = NULL WHERE EXISTS (SELECT 1 FROM attachments a WHERE a.message_id = "
        "attachments.message_id AND a.attachment_id = attachments.attachment_id AND a.id < attachments.id)"
    )
    op.create_index(
        "uq_attachments_uploaded",
        "attachments",
        ["message_id", "attachment_id"],
        unique=True,
        sqlite_where=_PLACED,
        postgresql_where=_PLACED,
    )
    with op.batch_alter_table("attachments") as batch:
        for name in ("replaces", "replaced_by", "removed_at", "found"):
            batch.drop_column(name)
