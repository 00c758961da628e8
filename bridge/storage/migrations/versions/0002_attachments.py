"""What an operation must prove, and the attachments that came through us."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the manifest, and the table of attachments."""
    op.add_column("operations", sa.Column("manifest", sa.JSON))
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("dialog_id", sa.String(36), sa.ForeignKey("links.dialog_id"), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("attachment_type", sa.String(255), nullable=False),
        sa.Column("length", sa.BigInteger),
        sa.Column("sha256", sa.String(64)),
        sa.Column("attachment_id", sa.BigInteger),
        sa.Column("began_at", sa.DateTime, nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
    )
    op.create_index(
        "uq_attachments_under_way",
        "attachments",
        ["dialog_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_attachments_uploaded",
        "attachments",
        ["message_id", "attachment_id"],
        unique=True,
        sqlite_where=sa.text("attachment_id IS NOT NULL"),
        postgresql_where=sa.text("attachment_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("attachments")
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("manifest")
