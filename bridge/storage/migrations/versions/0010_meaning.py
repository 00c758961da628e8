"""What an operation was accepted to do."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

COLUMNS = (
    sa.Column("target", sa.String(16)),
    sa.Column("verb", sa.String(16)),
    sa.Column("complete", sa.Boolean),
    sa.Column("sign", sa.Boolean),
    sa.Column("form", sa.String(16)),
    sa.Column("meaning_digest", sa.String(64)),
    sa.Column("mapping_digest", sa.String(64)),
)


def upgrade() -> None:
    """Add the columns, empty for what was accepted before, and the table of mappings."""
    op.create_table(
        "mappings",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("kept_at", sa.DateTime, nullable=False),
    )
    for column in COLUMNS:
        op.add_column("operations", sa.Column(column.name, column.type))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("operations") as batch:
        for column in COLUMNS:
            batch.drop_column(column.name)
    op.drop_table("mappings")
