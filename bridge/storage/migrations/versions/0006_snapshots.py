"""What the bridge last wrote into dialogs, and activities that wait for a name."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "snapshots",
        sa.Column("dialog_id", sa.String(36), primary_key=True),
        sa.Column("digests", sa.JSON, nullable=False),
        sa.Column("written_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "unnamed",
        sa.Column("activity_id", sa.String(36), primary_key=True),
        sa.Column("dialog_id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("description", sa.JSON, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("next_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("unnamed")
    op.drop_table("snapshots")
