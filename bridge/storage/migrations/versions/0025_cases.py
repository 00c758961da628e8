"""Whose cases they are: an element's key becomes a case of a system, and where it stands is no system's own word."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from bridge.core.errors import Unreachable
from bridge.storage.tables import Moment

revision = "0025"
down_revision = "0024"

_STATES: Mapping[str, str] = {
    "Utfylling": "form_filling",
    "Signering": "signing",
    "Sendt og arkivert": "archived",
    "Slettet": "deleted",
    "Ulest": "unread",
    "Åpnet": "opened",
    "Lest": "read",
    "Bekreftet": "confirmed",
    "ukjent": "unknown",
    "beregnet": "calculated",
}
_TABLES = ("links", "operations", "attachments")
_AT_ONCE = 500
_ALIVE = timedelta(minutes=1)
"""Who works on the store writes so every few seconds."""


def upgrade() -> None:
    """
    Name the columns anew, and carry over what they and the digests say; all that is there is Altinn 2's.

    Raises:
        Unreachable: Another release is at work.
    """
    _refuse_beside_others()
    _drop_indexes("message_id")
    for table in _TABLES:
        op.add_column(table, sa.Column("system", sa.String(64), nullable=False, server_default=""))
        op.alter_column(table, "who", new_column_name="owner")
        op.alter_column(table, "message_id", new_column_name="key")
        op.execute(f"UPDATE {table} SET system = 'altinn2' WHERE key <> ''")  # noqa: S608 - names of ours
    for table in ("links", "operations"):
        op.create_index(f"ix_{table}_case", table, ["key", "system"])
    _may_arrive_index("key", "system")
    _carry_over(_STATES)


def downgrade() -> None:
    """
    Name them as before.

    Raises:
        RuntimeError: Cases of another system are there, which the columns of before take for elements of Altinn 2.
        Unreachable: Another release is at work.
    """
    _refuse_beside_others()
    _refuse_cases_of_others()
    for table in ("links", "operations"):
        op.drop_index(f"ix_{table}_case", table)
    op.drop_index("ix_attachments_may_arrive", "attachments")
    for table in _TABLES:
        op.alter_column(table, "key", new_column_name="message_id")
        op.alter_column(table, "owner", new_column_name="who")
        op.drop_column(table, "system")
    op.create_index("ix_links_message_id", "links", ["message_id"])
    op.create_index("ix_operations_message_id", "operations", ["message_id"])
    _may_arrive_index("message_id")
    _carry_over({new: old for old, new in _STATES.items()})


def _refuse_beside_others() -> None:
    """Raises Unreachable: Somebody would go on with the rows at hand, and put the other release's words into them."""
    workers = sa.table("workers", sa.column("seen_at", Moment))
    runs = sa.table("runs", sa.column("seen_at", Moment), sa.column("ended_at", Moment), sa.column("holder", sa.String))
    since = datetime.now(UTC) - _ALIVE
    working = sa.exists().where(workers.c.seen_at >= since)
    running = sa.exists().where(runs.c.seen_at >= since, runs.c.ended_at.is_(None), runs.c.holder.is_not(None))
    if op.get_bind().scalar(sa.select(sa.or_(working, running))):
        detail = "another release is at work on it: stop it first; where it was killed, wait a minute"
        raise Unreachable("the database", detail)


def _drop_indexes(column: str) -> None:
    for table in ("links", "operations"):
        op.drop_index(f"ix_{table}_{column}", table)
    op.drop_index("ix_attachments_may_arrive", "attachments")


def _may_arrive_index(*columns: str) -> None:
    out = sa.text("may_arrive_until IS NOT NULL")
    op.create_index("ix_attachments_may_arrive", "attachments", list(columns), sqlite_where=out, postgresql_where=out)


def _refuse_cases_of_others() -> None:
    for table in _TABLES:
        query = sa.text(f"SELECT count(*) FROM {table} WHERE system NOT IN ('', 'altinn2')")  # noqa: S608 - names of ours
        if op.get_bind().scalar(query):
            raise RuntimeError(f"{table} has cases of other systems than Altinn 2: the release before knows none")


def _carry_over(states: Mapping[str, str]) -> None:
    """The *states* said otherwise: where operations left a case, where drafts stand, and what dialogs were told."""
    for table, column in (("operations", "state_after"), ("drafts", "state")):
        for old, new in states.items():
            query = sa.text(f"UPDATE {table} SET {column} = :new WHERE {column} = :old")  # noqa: S608 - names of ours
            op.execute(query.bindparams(old=old, new=new))
    _carry_over_digests({_digest(old): _digest(new) for old, new in states.items()})


def _carry_over_digests(digests: Mapping[str, str]) -> None:
    """The same for digests of states, some rows in memory at a time."""
    snapshots = sa.table("snapshots", sa.column("dialog_id", sa.String), sa.column("digests", sa.JSON))
    mine = snapshots.c.dialog_id == sa.bindparam("of")
    update = sa.update(snapshots).where(mine).values(digests=sa.bindparam("said"))
    connection, last = op.get_bind(), ""
    while True:
        page = sa.select(snapshots).where(snapshots.c.dialog_id > last).order_by(snapshots.c.dialog_id).limit(_AT_ONCE)
        rows = connection.execute(page).all()
        if not rows:
            return
        carried = (
            (dialog_id, said, {place: _in_state(place, each, digests) for place, each in said.items()})
            for dialog_id, said in rows
        )
        changed = [{"of": dialog_id, "said": anew} for dialog_id, said, anew in carried if anew != said]
        if changed:
            connection.execute(update, changed)
        last = rows[-1].dialog_id


def _in_state(place: str, said: Any, digests: Mapping[str, str]) -> Any:
    """A digest as it is now where *place* is that of a state; those of texts stay, whatever the text."""
    return digests.get(said, said) if place == "state" or place.startswith("state:") else said


def _digest(state: str) -> str:
    """As ``core/written.py`` makes one of a state."""
    return hashlib.sha256(json.dumps(state, ensure_ascii=False).encode()).hexdigest()[:32]
