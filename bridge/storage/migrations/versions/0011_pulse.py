"""One row that is written to see whether the store can be written."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table with its row."""
    pulse = op.create_table(
        "pulse",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("beat_at", sa.DateTime),
    )
    op.bulk_insert(pulse, [{"id": 1, "beat_at": None}])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("pulse")
