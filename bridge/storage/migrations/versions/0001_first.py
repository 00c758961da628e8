"""Operations, links and workers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "links",
        sa.Column("dialog_id", sa.String(36), primary_key=True),
        sa.Column("service_resource", sa.String(1023), nullable=False),
        sa.Column("party", sa.String(255), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("archived_id", sa.String(64)),
        sa.Column("archive_reference", sa.String(64)),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "operations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("dialog_id", sa.String(36), sa.ForeignKey("links.dialog_id"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("intent", sa.String(512), nullable=False),
        sa.Column("service_resource", sa.String(1023), nullable=False),
        sa.Column("action", sa.String(255), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(255)),
        sa.Column("body", sa.LargeBinary),
        sa.Column("body_digest", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("problem", sa.JSON),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.Column("holder", sa.String(255)),
        sa.Column("sending_at", sa.DateTime),
        sa.Column("answered_at", sa.DateTime),
        sa.Column("built_on", sa.DateTime),
        sa.Column("state_after", sa.String(64)),
        sa.Column("archived_id", sa.String(64)),
        sa.Column("accepted_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("last_error", sa.Text),
        sa.UniqueConstraint("dialog_id", "sequence", name="uq_operations_sequence"),
    )
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "uq_operations_under_way",
        "operations",
        ["dialog_id", "intent"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_index(
        "ix_operations_unfinished",
        "operations",
        ["updated_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("token", sa.String(36), nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    """Drop everything; there is nothing before the first version."""
    op.drop_table("workers")
    op.drop_table("operations")
    op.drop_table("links")
