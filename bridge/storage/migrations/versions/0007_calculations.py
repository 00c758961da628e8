"""What a calculation is asked in, and what the dialog is told of its result."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns; they are empty for what was accepted before."""
    op.add_column("operations", sa.Column("language", sa.String(8)))
    op.add_column("operations", sa.Column("results", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("results")
        batch.drop_column("language")
