"""How far the store has come, to see that it was restored."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the table; its row comes with the first mark."""
    op.create_table(
        "marks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(36), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("noted_at", sa.DateTime),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("marks")
