"""Operations that are set aside until an operator decides."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

COLUMNS = (
    sa.Column("tried_since", sa.DateTime),
    sa.Column("left_out", sa.JSON),
    sa.Column("dead_at", sa.DateTime),
    sa.Column("dead_stage", sa.String(16)),
    sa.Column("dead_why", sa.String(64)),
    sa.Column("dismissed_at", sa.DateTime),
    sa.Column("dismissed_why", sa.Text),
)


def upgrade() -> None:
    """Add the columns; what was given up before keeps nothing that could be tried again."""
    for column in COLUMNS:
        op.add_column("operations", sa.Column(column.name, column.type))
    op.create_index(
        "ix_operations_dead",
        "operations",
        ["dead_why"],
        sqlite_where=sa.text("dead_at IS NOT NULL"),
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_operations_dead", "operations")
    with op.batch_alter_table("operations") as batch:
        for column in COLUMNS:
            batch.drop_column(column.name)
