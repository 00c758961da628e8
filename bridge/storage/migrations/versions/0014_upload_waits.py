"""Which process an attachment comes through, whether it is known how it ended, and since when one is waited for."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns; what is under way during the upgrade is of no known process."""
    op.add_column("attachments", sa.Column("process", sa.String(64)))
    op.add_column("attachments", sa.Column("uncertain_at", sa.DateTime))
    op.add_column("operations", sa.Column("awaits_upload_since", sa.DateTime))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("attachments") as batch:
        batch.drop_column("process")
        batch.drop_column("uncertain_at")
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("awaits_upload_since")
