"""Elements under completion and the dialogs made for them, and how far a run among them is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add both tables, and find links by their element."""
    op.create_index("ix_links_message_id", "links", ["message_id"])
    op.create_table(
        "drafts",
        sa.Column("message_id", sa.String(64), primary_key=True),
        sa.Column("dialog_id", sa.String(36), nullable=False),
        sa.Column("born_at", sa.DateTime, nullable=False),
        sa.Column("made_at", sa.DateTime),
        sa.Column("last_changed", sa.DateTime),
        sa.Column("state", sa.String(64)),
        sa.Column("seen_in", sa.String(64)),
        sa.Column("ending", sa.String(16)),
        sa.Column("ended_at", sa.DateTime),
    )
    op.create_index("ix_drafts_dialog_id", "drafts", ["dialog_id"])
    op.create_table(
        "draft_runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("began_at", sa.DateTime, nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("holder", sa.String(255)),
        sa.Column("scope", sa.JSON, nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("draft_runs")
    op.drop_table("drafts")
    op.drop_index("ix_links_message_id", "links")
