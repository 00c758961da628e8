"""What a caller waits for is counted at every press."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the index; it holds what is not finished, and a finished operation has no actor."""
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "ix_operations_actor", "operations", ["actor"], sqlite_where=unfinished, postgresql_where=unfinished
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_operations_actor", "operations")
