"""Turns that all processes share."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "turns",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.DateTime, nullable=False),
    )
    op.create_table(
        "turn_keys",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("turn_keys")
    op.drop_table("turns")
