"""Links that open a print once."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "print_links",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("dialog_id", sa.String(36), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_print_links_expires_at", "print_links", ["expires_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("print_links")
