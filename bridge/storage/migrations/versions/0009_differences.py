"""What Altinn 2 made of the forms that it was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; it is empty for what was done before."""
    op.add_column("operations", sa.Column("differences", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("differences")
