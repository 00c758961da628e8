"""The forms that were sent, until they are seen to have arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; it is empty for what was sent before."""
    op.add_column("operations", sa.Column("sent_forms", sa.LargeBinary))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("sent_forms")
