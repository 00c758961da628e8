"""Runs of any kind of batch in one table: what was a part and a place in it is a cursor, the batch's own word."""

import sqlalchemy as sa
from alembic import op

from bridge.storage.tables import Moment

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Make the table, and move the runs among drafts there."""
    op.create_table(
        "runs",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("holder", sa.String(255)),
        sa.Column("scope", sa.JSON, nullable=False),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.execute(
        "INSERT INTO runs (kind, id, began_at, seen_at, ended_at, holder, scope, cursor, counts)"
        " SELECT 'drafts', id, began_at, seen_at, ended_at, holder, scope, part || ' ' || \"after\", counts"
        " FROM draft_runs"
    )
    op.drop_table("draft_runs")


def downgrade() -> None:
    """Move them back; runs of other kinds are dropped."""
    op.create_table(
        "draft_runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("holder", sa.String(255)),
        sa.Column("scope", sa.JSON, nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.execute(
        'INSERT INTO draft_runs (id, began_at, seen_at, ended_at, holder, scope, part, "after", counts)'
        " SELECT id, began_at, seen_at, ended_at, holder, scope,"
        " CASE WHEN cursor LIKE 'follow %' THEN 'follow' ELSE 'list' END,"
        " CASE WHEN cursor LIKE 'follow %' THEN substr(cursor, 8) ELSE substr(cursor, 6) END,"
        " counts FROM runs WHERE kind = 'drafts'"
    )
    op.drop_table("runs")
