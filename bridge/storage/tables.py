"""The tables. A change here needs a migration beside it; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond, stored without zone (SQLite has none)."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Drop the zone after turning the moment into UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Put the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = sa.MetaData()

links = sa.Table(
    "links",
    metadata,
    sa.Column("dialog_id", sa.String(36), primary_key=True),
    sa.Column("service_resource", sa.String(1023), nullable=False),
    sa.Column("party", sa.String(255), nullable=False),
    # The case, by which system, whose, and which; empty texts where there is none.
    sa.Column("system", sa.String(64), nullable=False, server_default=""),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("archived_id", sa.String(64)),
    sa.Column("archive_reference", sa.String(64)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_links_case", "key", "system"),
)

operations = sa.Table(
    "operations",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("dialog_id", sa.String(36), sa.ForeignKey("links.dialog_id"), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("intent", sa.String(512), nullable=False),
    sa.Column("service_resource", sa.String(1023), nullable=False),
    sa.Column("action", sa.String(255), nullable=False),
    # The case, by which system, whose, and which; empty texts where there is none.
    sa.Column("system", sa.String(64), nullable=False, server_default=""),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
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
    sa.Column("sending_at", Moment),
    sa.Column("answered_at", Moment),
    sa.Column("built_on", Moment),
    sa.Column("state_after", sa.String(64)),
    sa.Column("archived_id", sa.String(64)),
    sa.Column("accepted_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("last_error", sa.Text),
    sa.Column("manifest", sa.JSON),
    sa.Column("sent_forms", sa.LargeBinary),
    sa.Column("language", sa.String(8)),
    sa.Column("level", sa.Integer),
    sa.Column("results", sa.JSON(none_as_null=True)),
    sa.Column("differences", sa.JSON(none_as_null=True)),
    # What it was accepted to do.
    sa.Column("target", sa.String(16)),
    sa.Column("verb", sa.String(16)),
    sa.Column("complete", sa.Boolean),
    sa.Column("sign", sa.Boolean),
    sa.Column("form", sa.String(16)),
    sa.Column("meaning_digest", sa.String(64)),
    sa.Column("mapping_digest", sa.String(64)),
    # From when the time counts after which it is given up; empty where that is when it was accepted.
    sa.Column("tried_since", Moment),
    # What the dialog was not told.
    sa.Column("left_out", sa.JSON(none_as_null=True)),
    # Set aside until an operator decides: it is finished for the engine, and keeps what it holds.
    sa.Column("dead_at", Moment),
    sa.Column("dead_stage", sa.String(16)),
    sa.Column("dead_why", sa.String(64)),
    sa.Column("dismissed_at", Moment),
    sa.Column("dismissed_why", sa.Text),
    sa.Index(
        "ix_operations_dead",
        "dead_why",
        sqlite_where=sa.text("dead_at IS NOT NULL"),
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    ),
    sa.Column("awaits_upload_since", Moment),
    sa.Column("may_arrive_until", Moment),
    sa.Column("uncertain_at", Moment),
    sa.Column("signer", sa.String(64), nullable=False, server_default=""),
    sa.Column("left_on", Moment),
    sa.UniqueConstraint("dialog_id", "sequence", name="uq_operations_sequence"),
    # One unfinished operation per dialog, action, target and, where it signs, person: a second press joins the first.
    sa.Index(
        "uq_operations_under_way",
        "dialog_id",
        "intent",
        "signer",
        unique=True,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
    sa.Index(
        "ix_operations_actor",
        "actor",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
    sa.Index(
        "ix_operations_unfinished",
        "updated_at",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
    # What else is out for the same case, also of another dialog.
    sa.Index("ix_operations_case", "key", "system"),
)

# Each mapping under which something was accepted, once: the file may be another, or gone, before that has ended.
mappings = sa.Table(
    "mappings",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("kept_at", Moment, nullable=False),
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("dialog_id", sa.String(36), sa.ForeignKey("links.dialog_id"), nullable=False),
    # The case, by which system, whose, and which; empty texts where there is none.
    sa.Column("system", sa.String(64), nullable=False, server_default=""),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("file_name", sa.String(255), nullable=False),
    sa.Column("attachment_type", sa.String(255), nullable=False),
    sa.Column("length", sa.BigInteger),
    sa.Column("sha256", sa.String(64)),
    sa.Column("attachment_id", sa.BigInteger),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    # Ids of those whose place it takes, until they are known to be gone or to stay.
    sa.Column("replaces", sa.JSON(none_as_null=True)),
    sa.Column("replaced_by", sa.String(36)),
    sa.Column("removed_at", Moment),
    # It was there before, and nothing says that it came through us.
    sa.Column("found", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("process", sa.String(64)),
    sa.Column("may_arrive_until", Moment),
    # One at a time for each dialog, and none beside an operation: a PUT would overwrite what comes meanwhile.
    sa.Index(
        "uq_attachments_under_way",
        "dialog_id",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index(
        "uq_attachments_uploaded",
        "dialog_id",
        "attachment_id",
        unique=True,
        sqlite_where=sa.text("attachment_id IS NOT NULL"),
        postgresql_where=sa.text("attachment_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_attachments_may_arrive",
        "key",
        "system",
        sqlite_where=sa.text("may_arrive_until IS NOT NULL"),
        postgresql_where=sa.text("may_arrive_until IS NOT NULL"),
    ),
)

# Links that open a print once, without a token: what is kept of one is a digest that nobody can open anything with.
print_links = sa.Table(
    "print_links",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("dialog_id", sa.String(36), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("ix_print_links_expires_at", "expires_at"),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("token", sa.String(36), nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)

# A login is known by a slow digest of user and password, which the table does not hold.
lockouts = sa.Table(
    "lockouts",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("about", sa.String(255), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    # While somebody logs in.
    sa.Column("held_until", Moment),
    sa.Column("changed_at", Moment, nullable=False),
)

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("about", sa.String(255), nullable=False),
    sa.Column("until", Moment),
    sa.Column("changed_at", Moment, nullable=False),
)

# Systems that refuse the bridge's own credentials.
alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("why", sa.String(255), nullable=False),
    sa.Column("raised_at", Moment, nullable=False),
)

# One row for each element under completion that we looked at: the key is what makes two dialogs impossible.
drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("message_id", sa.String(64), primary_key=True),
    sa.Column("dialog_id", sa.String(36), nullable=False),
    sa.Column("born_at", Moment, nullable=False),
    sa.Column("made_at", Moment),
    sa.Column("last_changed", Moment),
    sa.Column("state", sa.String(64)),
    sa.Column("seen_in", sa.String(64)),
    sa.Column("ending", sa.String(16)),
    sa.Column("ended_at", Moment),
    sa.Index("ix_drafts_dialog_id", "dialog_id"),
)

# Elements, and reportees by their ids, that runs pass over until their time comes.
draft_failures = sa.Table(
    "draft_failures",
    metadata,
    sa.Column("about", sa.String(64), primary_key=True),
    sa.Column("why", sa.String(255), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("next_at", Moment, nullable=False),
)

# How far batches are: a run of each kind, and the batch's own word for the last thing that is done.
runs = sa.Table(
    "runs",
    metadata,
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

# What the bridge last wrote into a dialog, as digests: enough to see what others changed since, and nothing to read.
snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("dialog_id", sa.String(36), primary_key=True),
    sa.Column("digests", sa.JSON, nullable=False),
    sa.Column("written_at", Moment, nullable=False),
)

# Activities that wait until Dialogporten finds the name of who acted.
unnamed = sa.Table(
    "unnamed",
    metadata,
    sa.Column("activity_id", sa.String(36), primary_key=True),
    sa.Column("dialog_id", sa.String(36), nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("description", sa.JSON, nullable=False),
    sa.Column("actor", sa.String(255), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("next_at", Moment, nullable=False),
)

# Whose turn it is among all processes: numbers by key, and the last one drawn. A key is a digest.
turns = sa.Table(
    "turns",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("until", Moment, nullable=False),
)

turn_keys = sa.Table(
    "turn_keys",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("used_at", Moment, nullable=False),
)

# How far the store has come: one row, whose count stands beside the store as well.
marks = sa.Table(
    "marks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(36), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("noted_at", Moment),
)

# One row, written to see whether the store can be written.
pulse = sa.Table(
    "pulse",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("beat_at", Moment),
)
