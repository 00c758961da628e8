"""Three tables for three things that were told apart by how a name began: lockouts, pauses, alarms."""

import sqlalchemy as sa
from alembic import op

from bridge.storage.tables import Moment

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the tables, and move each row to its own."""
    op.create_table(
        "lockouts",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("about", sa.String(255), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("held_until", Moment),
        sa.Column("changed_at", Moment, nullable=False),
    )
    op.create_table(
        "pauses",
        sa.Column("system", sa.String(64), primary_key=True),
        sa.Column("about", sa.String(255), nullable=False),
        sa.Column("until", Moment),
        sa.Column("changed_at", Moment, nullable=False),
    )
    op.create_table(
        "alarms",
        sa.Column("system", sa.String(64), primary_key=True),
        sa.Column("why", sa.String(255), nullable=False),
        sa.Column("raised_at", Moment, nullable=False),
    )
    op.execute(
        "INSERT INTO pauses (system, about, until, changed_at)"
        " SELECT substr(name, 7), about, held_until, changed_at FROM gates WHERE name LIKE 'pause:%'"
    )
    op.execute(
        "INSERT INTO alarms (system, why, raised_at)"
        " SELECT substr(name, 13), about, changed_at FROM gates WHERE name LIKE 'credentials:%'"
    )
    op.execute(
        "INSERT INTO lockouts (digest, about, failures, held_until, changed_at)"
        " SELECT name, about, failures, held_until, changed_at FROM gates WHERE name NOT LIKE '%:%'"
    )
    op.drop_table("gates")


def downgrade() -> None:
    """Put all into one again; a system whose name fills its column is left out, since a prefix must fit there, too."""
    op.create_table(
        "gates",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("about", sa.String(255), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("held_until", Moment),
        sa.Column("changed_at", Moment, nullable=False),
    )
    op.execute(
        "INSERT INTO gates (name, about, failures, held_until, changed_at)"
        " SELECT digest, about, failures, held_until, changed_at FROM lockouts"
    )
    op.execute(
        "INSERT INTO gates (name, about, failures, held_until, changed_at)"
        " SELECT 'pause:' || system, about, 0, until, changed_at FROM pauses WHERE length(system) <= 58"
    )
    op.execute(
        "INSERT INTO gates (name, about, failures, held_until, changed_at)"
        " SELECT 'credentials:' || system, why, 0, NULL, raised_at FROM alarms WHERE length(system) <= 52"
    )
    for table in ("lockouts", "pauses", "alarms"):
        op.drop_table(table)
