"""An element or reportee that fails by itself is left alone for a while, in every process and after a restart."""

import sqlalchemy as sa
from alembic import op

from bridge.storage.tables import Moment

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "draft_failures",
        sa.Column("about", sa.String(64), primary_key=True),
        sa.Column("why", sa.String(255), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("next_at", Moment, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("draft_failures")
