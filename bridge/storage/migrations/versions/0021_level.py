"""The authentication level of who pressed, to be held against the service's own."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the column; what was accepted before counts as of the mapping's least level."""
    op.add_column("operations", sa.Column("level", sa.Integer))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("level")
