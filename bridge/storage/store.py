"""Operations, links and workers: every read and write of our own tables."""

import contextlib
import errno
import json
import os
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event

from bridge.core.delivery import Manifest, Phase
from bridge.core.elements import ElementKey, ElementState, Form
from bridge.core.errors import ConfigurationError, Fault, Finding
from bridge.core.mapping import FormKind, FormSource, ServiceMapping, Target, Verb
from bridge.core.meaning import Meaning
from bridge.core.operations import Intent, Link, Operation, Outcome, Stage, Upload
from bridge.core.problems import Problem
from bridge.core.signing import Signature, earlier_signer_of
from bridge.storage.opening import no_folder, not_ours
from bridge.storage.tables import attachments, drafts, links, mappings, operations, pulse, snapshots, workers
from bridge.storage.trouble import SameFile, file_of

_BUSY_TIMEOUT = 30_000
"""Milliseconds that SQLite waits for another writer."""
POOL_WAIT = 3.0
"""Seconds that a request waits for a connection before it is told to come again."""
_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 15_000}
"""A server that is away without a word would be waited for without end."""


def open_database(url: str, *, pool: int, wait: float = POOL_WAIT) -> sa.Engine:
    """
    Open the database of *url*, with *pool* connections and no more, each waited for *wait* seconds.

    On SQLite: write-ahead log (readers do not wait for the writer), ``synchronous=FULL`` (an answer never
    promises what a power cut may take back), and no use of a file that was put in the place of the one opened. Its
    files are their owner's alone, and what is erased is overwritten.
    """
    arguments = _POSTGRESQL if sa.make_url(url).get_backend_name() == "postgresql" else {}
    engine = sa.create_engine(
        url, pool_size=pool, max_overflow=0, pool_timeout=wait, connect_args=arguments, hide_parameters=True
    )
    if (file := file_of(engine)) is not None:
        same = SameFile(str(file))

        def connecting(*_: Any) -> None:
            # SQLite would make the file anew, and it would be empty.
            same.check_file()
            _keep_private(str(file))

        def connected(connection: Any, record: Any) -> None:
            _prepare_sqlite(connection)
            same.connected(record)

        event.listen(engine, "do_connect", connecting)
        event.listen(engine, "connect", connected)
        event.listen(engine, "checkout", lambda _connection, record, _proxy: same.check(record))
    return engine


def _keep_private(database: str | None) -> None:
    """Raises ConfigurationError: A file is another user's."""
    if not database or database == ":memory:":
        return
    # SQLite gives its log the permissions of the database; one from before has its own.
    for path in map(Path, (database, f"{database}-wal", f"{database}-shm")):
        if path.exists() or path == Path(database):
            make_private(path, setting="BRIDGE_DATABASE_URL")


def make_private(path: Path, *, setting: str) -> None:
    """
    Let nobody but its owner read or write *path*, which is made where it is not there.

    Raises:
        ConfigurationError: It cannot be; *setting* says where it lies.
    """
    # Never opened where it is there: when it is closed, all locks go that SQLite holds on it in this process.
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        missing = error.errno == errno.ENOENT and not path.parent.is_dir()
        message = no_folder(path) if missing else not_ours(path, error.errno or 0)
        raise ConfigurationError([Fault(where=setting, message=message)]) from error


def _prepare_sqlite(connection: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={_BUSY_TIMEOUT}",
        "foreign_keys=ON",
        "secure_delete=ON",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    # A first look opens the log.
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()


def empty_log(engine: sa.Engine) -> bool:
    """
    Move what SQLite's write-ahead log holds into the database, and cut the log to nothing.

    Until then it holds what was erased since. False where somebody is reading or writing: nobody is made to wait.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_TIMEOUT}")
    return not busy


def close_database(engine: sa.Engine) -> None:
    """Let go of the database; on SQLite nothing of what was erased stays in its files."""
    engine.dispose()
    empty_log(engine)
    engine.dispose()


def migrate(engine: sa.Engine) -> None:
    """
    Bring our tables to the present version. Safe to call from several processes at once.

    Raises:
        ConfigurationError: A newer release has been there.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text("BEGIN IMMEDIATE"))
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7246301)"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            message = "its tables are of a newer release: run that one, or restore the database from before it"
            raise ConfigurationError([Fault(where="BRIDGE_DATABASE_URL", message=message)]) from error


class UnderWay(Exception):
    """Another process accepted the same intent in this instant: look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """
    Which uploads live: those that pass through *process* now, and those of others that moved since *silent_since*.

    So the row of an upload that ended while the store was away holds nobody up who comes to the same process.
    """

    process: str
    uploads: frozenset[UUID]
    silent_since: datetime

    def condition(self) -> sa.ColumnElement[bool]:
        """Say it of a row of ``attachments`` that is not ended."""
        mine = attachments.c.process.is_not_distinct_from(self.process)
        return sa.and_(
            attachments.c.seen_at >= self.silent_since,
            sa.or_(~mine, attachments.c.id.in_([str(each) for each in self.uploads])),
        )


class Store:
    """The way to our tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Open a transaction that writes; leaving by an error undoes it."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "sqlite":
                # What is read before the first write must be read under the same lock.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield Transaction(connection)

    @contextmanager
    def reading(self) -> Iterator["Transaction"]:
        """Open a transaction that only reads."""
        with self.engine.connect() as connection:
            yield Transaction(connection)


class Transaction:
    """What can be asked and written in one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    # Links

    def link(self, dialog_id: UUID) -> Link | None:
        """Find what *dialog_id* stands for."""
        row = self.connection.execute(sa.select(links).where(links.c.dialog_id == str(dialog_id))).mappings().first()
        return None if row is None else _link(row)

    def add_link(self, link: Link, *, now: datetime) -> None:
        """Remember *link*; the first one of a dialog stays."""
        values = {
            "dialog_id": str(link.dialog_id),
            "service_resource": link.service_resource,
            "party": link.party,
            **_element_columns(link.element),
            "created_at": now,
        }
        self.connection.execute(insert_ignore(self.connection, links).values(values))

    def set_element(self, link: Link) -> None:
        """Keep *link*'s element, which was not needed before."""
        mine = (links.c.dialog_id == str(link.dialog_id), links.c.message_id == "")
        self.connection.execute(links.update().where(*mine).values(**_element_columns(link.element)))

    # Attachments

    def begin_upload(self, upload: Upload, living: Living, *, now: datetime) -> None:
        """
        Note that *upload* is under way; one that does not live is closed: whoever sends the same again looks for it.

        Raises:
            UnderWay: Another one, or an operation of the dialog, is under way.
        """
        mine = attachments.c.dialog_id == str(upload.dialog_id)
        self.connection.execute(
            attachments.update().where(mine, attachments.c.ended_at.is_(None), ~living.condition()).values(ended_at=now)
        )
        busy = sa.exists().where(
            sa.or_(
                sa.and_(operations.c.dialog_id == str(upload.dialog_id), operations.c.finished_at.is_(None)),
                # Another dialog's, at work on the same element.
                sa.and_(operations.c.message_id == upload.element.message_id, operations.c.may_arrive_until > now),
            )
        )
        if self.connection.scalar(sa.select(busy)):
            raise UnderWay
        values = {
            "id": str(upload.id),
            "dialog_id": str(upload.dialog_id),
            "who": upload.element.who,
            "message_id": upload.element.message_id,
            "file_name": upload.file_name,
            "attachment_type": upload.attachment_type,
            "length": upload.length,
            "began_at": now,
            "seen_at": now,
            "process": living.process,
        }
        if not self._added(attachments, values, one=("dialog_id",), of=attachments.c.ended_at.is_(None)):
            raise UnderWay

    def upload_seen(self, upload_id: UUID, *, now: datetime) -> None:
        """Note that an upload still moves."""
        self.connection.execute(attachments.update().where(attachments.c.id == str(upload_id)).values(seen_at=now))

    def uploading(self, key: ElementKey, living: Living) -> bool:
        """Say whether an attachment is on its way to an element, by whichever dialog."""
        return bool(
            self.connection.scalar(
                sa.select(
                    sa.exists().where(
                        attachments.c.message_id == key.message_id,
                        attachments.c.ended_at.is_(None),
                        living.condition(),
                    )
                )
            )
        )

    def upload(self, upload_id: UUID) -> Upload | None:
        """Find an upload."""
        return self._upload(attachments.c.id == str(upload_id))

    def uploaded_as(self, dialog_id: UUID, attachment_id: int) -> Upload | None:
        """Find the dialog's upload that became this attachment."""
        return self._upload(attachments.c.dialog_id == str(dialog_id), attachments.c.attachment_id == attachment_id)

    def _upload(self, *condition: sa.ColumnElement[bool]) -> Upload | None:
        row = self.connection.execute(sa.select(attachments).where(*condition)).mappings().first()
        return None if row is None else upload_of(row)

    # Operations

    def lock_dialog(self, dialog_id: UUID) -> None:
        """Let nobody else accept, park or finish an operation of *dialog_id* until this transaction ends."""
        self.connection.execute(
            sa.select(links.c.dialog_id).where(links.c.dialog_id == str(dialog_id)).with_for_update()
        )

    def operation(self, operation_id: UUID) -> Operation | None:
        """Read one operation."""
        row = (
            self.connection.execute(sa.select(operations).where(operations.c.id == str(operation_id)))
            .mappings()
            .first()
        )
        return None if row is None else _operation(row)

    def under_way(self, intent: Intent) -> Operation | None:
        """Find the unfinished operation that means the same as *intent*."""
        row = (
            self.connection.execute(
                sa.select(operations).where(
                    operations.c.dialog_id == str(intent.dialog_id),
                    operations.c.intent == intent.key,
                    sa.or_(
                        operations.c.signer == intent.signer,
                        # Accepted by a release that did not keep who signs, or kept it otherwise.
                        sa.and_(
                            operations.c.signer.in_(("", earlier_signer_of(intent.dialog_id, intent.actor))),
                            operations.c.actor == intent.actor,
                        ),
                    ),
                    operations.c.finished_at.is_(None),
                )
            )
            .mappings()
            .first()
        )
        return None if row is None else _operation(row)

    def standing_of(self, actor: str) -> int:
        """Count the unfinished operations that *actor* asked for."""
        mine = (operations.c.actor == actor, operations.c.finished_at.is_(None))
        return self.connection.scalar(sa.select(sa.func.count()).select_from(operations).where(*mine)) or 0

    def repeats(self, intent: Intent, *, since: datetime, at_most: int) -> datetime | None:
        """
        Look for *at_most* presses of *intent*'s button that ended without effect after *since*.

        Gives when the first of them ended; None where there were fewer.
        """
        ended = list(
            self.connection.scalars(
                sa.select(operations.c.finished_at)
                .where(
                    operations.c.dialog_id == str(intent.dialog_id),
                    operations.c.action == intent.action,
                    operations.c.outcome.in_((Outcome.REPEATED.value, Outcome.REFUSED.value)),
                    operations.c.finished_at > since,
                )
                .order_by(operations.c.sequence.desc())
                .limit(at_most)
            )
        )
        return ended[-1] if len(ended) == at_most else None

    def add_operation(self, operation_id: UUID, intent: Intent, *, now: datetime) -> int:
        """
        Write down an accepted action, and give its place in the dialog's order.

        Raises:
            UnderWay: The same intent was accepted meanwhile.
        """
        last = self.connection.scalar(
            sa.select(sa.func.max(operations.c.sequence)).where(operations.c.dialog_id == str(intent.dialog_id))
        )
        sequence = (last or 0) + 1
        values = {
            "id": str(operation_id),
            "dialog_id": str(intent.dialog_id),
            "sequence": sequence,
            "intent": intent.key,
            "signer": intent.signer,
            "service_resource": intent.service_resource,
            "action": intent.action,
            **_element_columns(intent.element),
            "language": intent.language,
            "level": intent.level,
            "actor": intent.actor,
            "body": intent.body,
            "body_digest": intent.body_digest,
            **_meaning_columns(intent.meaning),
            "mapping_digest": intent.mapping_digest,
            "stage": Stage.DELIVER.value,
            "attempt": 1,
            "tries": 0,
            "waiting": False,
            "accepted_at": now,
            "updated_at": now,
        }
        if not self._added(
            operations, values, one=("dialog_id", "intent", "signer"), of=operations.c.finished_at.is_(None)
        ):
            raise UnderWay
        return sequence

    def _added(
        self, table: sa.Table, values: Mapping[str, Any], *, one: Sequence[str], of: sa.ColumnElement[bool]
    ) -> bool:
        """
        Add a row, and say whether it was added: not where the index *one*, over the rows that are *of*, has its like.

        Whatever else stands in the way is raised as what it is.
        """
        insert = _insert(self.connection, table).values(values)
        insert = insert.on_conflict_do_nothing(index_elements=list(one), index_where=of)
        return bool(self.connection.execute(insert).rowcount)

    def keep_mapping(self, mapping: ServiceMapping, *, now: datetime) -> None:
        """Keep what *mapping* says, under its digest."""
        values = {"digest": mapping.digest, "said": mapping.said, "kept_at": now}
        self.connection.execute(insert_ignore(self.connection, mappings).values(values))

    def mapping(self, digest: str) -> str | None:
        """Give what the mapping of *digest* says, as ``ServiceMapping.said``."""
        return self.connection.scalar(sa.select(mappings.c.said).where(mappings.c.digest == digest))

    def lock_element(self, key: ElementKey) -> None:
        """Let nobody else set out for this element until this transaction ends. SQLite has one writer anyway."""
        if self.connection.dialect.name == "postgresql":
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:element, 7246303))")
            self.connection.execute(lock, {"element": key.message_id})

    def others_out(self, operation: Operation, *, since: datetime, now: datetime) -> bool:
        """
        Say whether another operation's write is out for the same element, or was answered since *since*.

        To one that signs and has not set out, another that signs is out until its outcome is known.
        """
        signing = sa.and_(
            operations.c.signer != "",
            operations.c.sending_at.is_not(None),
            operations.c.outcome.is_(None),
            operations.c.finished_at.is_(None),
        )
        meets_signing = signing if operation.signer != "" and operation.sending_at is None else sa.false()
        other = sa.exists().where(
            operations.c.message_id == operation.key.message_id,
            operations.c.id != str(operation.id),
            sa.or_(operations.c.may_arrive_until > now, operations.c.answered_at >= since, meets_signing),
        )
        return bool(self.connection.scalar(sa.select(other)))

    def others_arrive_until(self, operation: Operation, *, now: datetime) -> datetime | None:
        """Say until when another operation's write may arrive at the same element; None where none is out."""
        latest: datetime | None = self.connection.scalar(
            sa.select(sa.func.max(operations.c.may_arrive_until, type_=operations.c.may_arrive_until.type)).where(
                operations.c.message_id == operation.key.message_id,
                operations.c.id != str(operation.id),
                operations.c.may_arrive_until > now,
            )
        )
        return latest

    def earlier_unfinished(self, operation: Operation) -> bool:
        """Say whether an operation accepted before *operation* on its dialog is not finished."""
        return bool(
            self.connection.scalar(
                sa.select(
                    sa.exists().where(
                        operations.c.dialog_id == str(operation.dialog_id),
                        operations.c.sequence < operation.sequence,
                        operations.c.finished_at.is_(None),
                    )
                )
            )
        )

    def done_before(self, operation: Operation) -> bool:
        """Say whether the same was sent before, by the same action for the same element, and was done."""
        earlier = sa.exists().where(
            operations.c.dialog_id == str(operation.dialog_id),
            operations.c.sequence < operation.sequence,
            operations.c.action == operation.action,
            operations.c.message_id == operation.key.message_id,
            operations.c.body_digest == operation.body_digest,
            operations.c.outcome == Outcome.DONE.value,
        )
        return bool(self.connection.scalar(sa.select(earlier)))

    def last_states(self, message_id: str, *, but: UUID | None = None) -> list[str]:
        """Give where operations left the element or saw it, the latest first; without those of the operation *but*."""
        found = self.connection.scalars(
            sa.select(operations.c.state_after)
            .where(
                operations.c.message_id == message_id,
                operations.c.id != str(but),
                operations.c.state_after.is_not(None),
            )
            .order_by(operations.c.accepted_at.desc(), operations.c.sequence.desc())
        )
        return list(found)

    def moved_by_us(self, operation: Operation) -> bool:
        """Say whether a press before *operation*, or an upload, may have changed its element since it was accepted."""
        message_id = "" if operation.element is None else operation.element.message_id
        since = operation.accepted_at
        earlier = sa.exists().where(
            operations.c.message_id == message_id,
            operations.c.id != str(operation.id),
            operations.c.accepted_at <= since,
            operations.c.sending_at.is_not(None),
            sa.or_(operations.c.finished_at.is_(None), operations.c.finished_at >= since),
        )
        uploaded = sa.exists().where(
            attachments.c.message_id == message_id,
            attachments.c.began_at <= since,
            sa.or_(attachments.c.ended_at.is_(None), attachments.c.ended_at >= since),
        )
        return bool(self.connection.scalar(sa.select(sa.or_(earlier, uploaded))))

    def keep_first_look(self, operation_id: UUID, built_on: datetime) -> None:
        """Keep what *operation_id* is built on, unless that is known."""
        mine = (operations.c.id == str(operation_id), operations.c.built_on.is_(None))
        self.connection.execute(operations.update().where(*mine).values(built_on=built_on))

    def told_after(self, operation: Operation) -> bool:
        """Say whether what was pressed later on the dialog has ended well, and so been told, before *operation*."""
        later = sa.exists().where(
            operations.c.dialog_id == str(operation.dialog_id),
            operations.c.accepted_at > operation.accepted_at,
            operations.c.finished_at.is_not(None),
            operations.c.outcome.in_((Outcome.DONE.value, Outcome.REPEATED.value)),
        )
        return bool(self.connection.scalar(sa.select(later)))

    def signatures(self, operation: Operation) -> tuple[Signature, ...]:
        """
        Give what other presses signed of the element, by whichever dialog, and are still remembered for.

        Their dialogs need not have been told yet.
        """
        rows = self.connection.execute(
            sa.select(operations).where(
                operations.c.message_id == operation.key.message_id,
                operations.c.id != str(operation.id),
                operations.c.outcome.in_((Outcome.DONE.value, Outcome.GIVEN_UP.value)),
                operations.c.signer != "",
                operations.c.sending_at.is_not(None),
            )
        ).mappings()
        return tuple(
            Signature(
                signer=row["signer"],
                dialog_id=UUID(row["dialog_id"]),
                given=row["outcome"] == Outcome.DONE.value,
                built_on=row["built_on"],
                left_on=row["left_on"],
            )
            for row in rows
        )

    def forget_signers(self, key: ElementKey) -> None:
        """Erase who signed the element, once none of the signatures counts any more."""
        self.connection.execute(
            operations.update()
            .where(
                operations.c.message_id == key.message_id,
                operations.c.finished_at.is_not(None),
                operations.c.dead_at.is_(None),
                operations.c.signer != "",
            )
            .values(signer="")
        )

    def next_waiting(self, dialog_id: UUID) -> Operation | None:
        """Find the first parked operation of *dialog_id*."""
        row = (
            self.connection.execute(
                sa.select(operations)
                .where(
                    operations.c.dialog_id == str(dialog_id),
                    operations.c.finished_at.is_(None),
                    operations.c.waiting.is_(True),
                )
                .order_by(operations.c.sequence)
                .limit(1)
            )
            .mappings()
            .first()
        )
        return None if row is None else _operation(row)

    def claim(self, operation_id: UUID, *, holder: str, now: datetime) -> None:
        """Make *holder* the one who writes this operation from now on."""
        self.connection.execute(
            operations.update()
            .where(operations.c.id == str(operation_id), operations.c.finished_at.is_(None))
            .values(holder=holder, updated_at=now)
        )

    def update(self, operation_id: UUID, *, now: datetime, held_by: str | None = None, **values: Any) -> bool:
        """
        Write *values* of an unfinished operation, and say whether it was written.

        With *held_by*, only while that worker holds it: one that slept while another took over writes nothing.
        """
        condition = [operations.c.id == str(operation_id), operations.c.finished_at.is_(None)]
        if held_by is not None:
            condition.append(operations.c.holder == held_by)
        done = self.connection.execute(operations.update().where(*condition).values(**_columns(values), updated_at=now))
        return done.rowcount == 1

    def record_archive(self, dialog_id: UUID, archived_id: str, archive_reference: str | None) -> None:
        """Keep the archived element's id and reference on the link."""
        self.connection.execute(
            links.update()
            .where(links.c.dialog_id == str(dialog_id))
            .values(archived_id=archived_id, archive_reference=archive_reference)
        )

    def forget(self, table: sa.Table, *, before: datetime, signed_before: datetime, limit: int) -> int:
        """
        Delete rows of *table* that were used last before *before*, at most *limit*, and say how many there were.

        A link stays as long as anything of its dialog does; who signed what waits for others, until *signed_before*.
        """
        key = next(iter(table.primary_key.columns))
        old = sa.select(key).where(*_unused(table, before, signed_before)).limit(limit)
        return self.connection.execute(table.delete().where(key.in_(old))).rowcount

    def finished_among(self, operation_ids: Sequence[UUID]) -> set[UUID]:
        """Say which of *operation_ids* are finished, in one query."""
        rows = self.connection.scalars(
            sa.select(operations.c.id).where(
                operations.c.id.in_([str(each) for each in operation_ids]), operations.c.finished_at.is_not(None)
            )
        )
        return {UUID(each) for each in rows}

    def stalled(self, *, before: datetime, limit: int) -> list[Operation]:
        """List unfinished, unparked operations that nobody has touched since *before*."""
        rows = self.connection.execute(
            sa.select(operations)
            .where(
                operations.c.finished_at.is_(None),
                operations.c.waiting.is_(False),
                operations.c.updated_at < before,
            )
            .order_by(operations.c.updated_at)
            .limit(limit)
        ).mappings()
        return [_operation(row) for row in rows]

    def backlog(self) -> tuple[int, datetime | None]:
        """Count the unfinished operations, and say when the oldest was accepted."""
        row = self.connection.execute(
            sa.select(sa.func.count(), sa.func.min(operations.c.accepted_at)).where(operations.c.finished_at.is_(None))
        ).one()
        return row[0], row[1]

    def beat(self, *, now: datetime) -> None:
        """Write something, so that a store that cannot be written is noticed before somebody presses."""
        self.connection.execute(pulse.update().values(beat_at=now))

    # Workers

    def take_worker_name(self, host: str, *, token: str, now: datetime, silent_since: datetime) -> str:
        """
        Give this process the first free name ``host#n``: one never used, or silent since *silent_since*.

        A worker that comes back under a dead one's name takes up what that one left.
        """
        self._lock_workers()
        taken = {
            row.name: row.seen_at
            for row in self.connection.execute(sa.select(workers.c.name, workers.c.seen_at))
            if row.name.rpartition("#")[0] == host
        }
        number = 0
        while (name := f"{host}#{number}") in taken and taken[name] >= silent_since:
            number += 1
        self.connection.execute(workers.delete().where(workers.c.name == name))
        self.connection.execute(workers.insert().values(name=name, token=token, seen_at=now))
        return name

    def worker_seen(self, name: str, *, token: str, now: datetime) -> bool:
        """Note that worker *name* is alive; False when its name has been given to another process."""
        done = self.connection.execute(
            workers.update().where(workers.c.name == name, workers.c.token == token).values(seen_at=now)
        )
        return done.rowcount == 1

    def leave(self, name: str, *, token: str) -> None:
        """Note that worker *name* has stopped in good order."""
        self.connection.execute(workers.delete().where(workers.c.name == name, workers.c.token == token))

    def silent_workers(self, *, since: datetime) -> list[str]:
        """Name the workers that were not seen since *since*; one caller at a time is answered."""
        self._lock_workers()
        return list(self.connection.scalars(sa.select(workers.c.name).where(workers.c.seen_at < since)))

    def forget_worker(self, name: str) -> None:
        """Drop a dead worker, once its work is taken over."""
        self.connection.execute(workers.delete().where(workers.c.name == name))

    def live_workers(self, *, since: datetime) -> int:
        """Count the workers seen since *since*."""
        return (
            self.connection.scalar(sa.select(sa.func.count()).select_from(workers).where(workers.c.seen_at >= since))
            or 0
        )

    def _lock_workers(self) -> None:
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.text("SELECT pg_advisory_xact_lock(7246302)"))


def upload_of(row: sa.RowMapping) -> Upload:
    """Read a row of ``attachments``."""
    return Upload(
        id=UUID(row["id"]),
        dialog_id=UUID(row["dialog_id"]),
        element=ElementKey(who=row["who"], message_id=row["message_id"]),
        file_name=row["file_name"],
        attachment_type=row["attachment_type"],
        length=row["length"],
        sha256=row["sha256"],
        attachment_id=row["attachment_id"],
        replaces=tuple(row["replaces"] or ()),
        replaced_by=None if row["replaced_by"] is None else UUID(row["replaced_by"]),
        removed=row["removed_at"] is not None,
        found=row["found"],
    )


def insert_ignore(connection: sa.Connection, table: sa.Table) -> Any:
    """Insert what is not there yet, on either database."""
    return _insert(connection, table).on_conflict_do_nothing()


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return insert(table)
    from sqlalchemy.dialects.postgresql import insert as pg_insert

    return pg_insert(table)


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in values.items():
        if name == "held_forms":  # It lies with those that were sent.
            continue
        match value:
            case Stage() | Outcome():
                columns[name] = value.value
            case Problem():
                columns[name] = _problem_json(value)
            case Manifest():
                columns[name] = {"forms": value.forms, "files": list(value.files), "phase": value.phase.value}
            case tuple():
                columns[name] = _packed(value, values.get("held_forms", ()))
            case _:
                columns[name] = value
    return columns


def _packed(sent: tuple[Form, ...], held: tuple[Form, ...]) -> bytes | None:
    """Press forms together; XML shrinks to a tenth."""
    rows = [[_form_row(form) for form in forms] for forms in (sent, held)]
    return zlib.compress(json.dumps(rows).encode()) if sent else None


def _form_row(form: Form) -> list[Any]:
    return [form.kind.value, form.data_format_id, form.data_format_version, form.data, form.form_id]


def _unpacked(packed: bytes | None) -> dict[str, tuple[Form, ...]]:
    rows = [[], []] if packed is None else json.loads(zlib.decompress(packed))
    if rows and not isinstance((rows[0] or [[]])[0], list):
        # Written before forms were kept with their ids: an operation that was under way during the upgrade.
        rows = [[[*row, None] for row in rows], []]
    sent, held = (
        tuple(
            Form(kind=FormKind(kind), data_format_id=format_id, data_format_version=version, data=data, form_id=form_id)
            for kind, format_id, version, data, form_id in forms
        )
        for forms in rows
    )
    return {"sent_forms": sent, "held_forms": held}


def _unused(table: sa.Table, before: datetime, signed_before: datetime) -> Sequence[sa.ColumnElement[bool]]:
    match table.name:
        case "operations":
            # What an operator has not decided about stays, and who signed what waits for others: nobody signs it twice.
            archived = sa.exists().where(
                links.c.message_id == operations.c.message_id, links.c.archived_id.is_not(None)
            )
            # What was archived or deleted in Altinn itself, nobody tells us of: no signature is remembered for ever.
            waits = sa.and_(
                operations.c.signer != "",
                operations.c.state_after == ElementState.SIGNING.value,
                ~archived,
                operations.c.finished_at >= signed_before,
            )
            return (operations.c.finished_at < before, operations.c.dead_at.is_(None), ~waits)
        case "attachments":
            return (attachments.c.ended_at < before,)
        case "snapshots":
            return (snapshots.c.written_at < before,)
        case "links":
            mine = links.c.dialog_id
            followed = sa.exists().where(drafts.c.dialog_id == mine, drafts.c.ending.is_(None))
            used = [sa.exists().where(each.c.dialog_id == mine) for each in (operations, attachments)]
            return (links.c.created_at < before, ~followed, *(~each for each in used))
        case name:
            raise ValueError(f"nothing says when a row of {name} is old")


def _element_columns(element: ElementKey | None) -> dict[str, str]:
    """Write no element as empty text: SQLite could drop NOT NULL only with a table made anew, to which others point."""
    return {"who": "", "message_id": ""} if element is None else {"who": element.who, "message_id": element.message_id}


def _element(row: sa.RowMapping) -> ElementKey | None:
    return ElementKey(who=row["who"], message_id=row["message_id"]) if row["message_id"] else None


def _link(row: sa.RowMapping) -> Link:
    return Link(
        dialog_id=UUID(row["dialog_id"]),
        service_resource=row["service_resource"],
        party=row["party"],
        element=_element(row),
        archived_id=row["archived_id"],
        archive_reference=row["archive_reference"],
    )


def _operation(row: sa.RowMapping) -> Operation:
    return Operation(
        id=UUID(row["id"]),
        dialog_id=UUID(row["dialog_id"]),
        sequence=row["sequence"],
        service_resource=row["service_resource"],
        action=row["action"],
        element=_element(row),
        actor=row["actor"],
        body=row["body"],
        body_digest=row["body_digest"],
        stage=Stage(row["stage"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        problem=None if row["problem"] is None else _problem(row["problem"]),
        attempt=row["attempt"],
        tries=row["tries"],
        waiting=row["waiting"],
        holder=row["holder"],
        sending_at=row["sending_at"],
        answered_at=row["answered_at"],
        built_on=row["built_on"],
        state_after=row["state_after"],
        archived_id=row["archived_id"],
        accepted_at=row["accepted_at"],
        finished_at=row["finished_at"],
        level=row["level"],
        may_arrive_until=row["may_arrive_until"],
        uncertain_at=row["uncertain_at"],
        last_error=row["last_error"],
        manifest=None if row["manifest"] is None else _manifest(row["manifest"]),
        **_unpacked(row["sent_forms"]),
        language=row["language"] or "nb",
        results=row["results"] or {},
        differences=row["differences"] or {},
        meaning=_meaning(row),
        mapping_digest=row["mapping_digest"],
        tried_since=row["tried_since"],
        left_out=tuple(row["left_out"] or ()),
        dead_at=row["dead_at"],
        dead_stage=None if row["dead_stage"] is None else Stage(row["dead_stage"]),
        dead_why=row["dead_why"],
        dismissed_at=row["dismissed_at"],
        dismissed_why=row["dismissed_why"],
        awaits_upload_since=row["awaits_upload_since"],
        signer=row["signer"],
        left_on=row["left_on"],
    )


def _meaning_columns(meaning: Meaning) -> dict[str, Any]:
    return {
        "target": meaning.target.value,
        "verb": meaning.verb.value,
        "complete": meaning.complete,
        "sign": meaning.sign,
        "form": meaning.form.value,
        "meaning_digest": meaning.digest,
    }


def _meaning(row: sa.RowMapping) -> Meaning | None:
    if row["meaning_digest"] is None:
        return None
    return Meaning(
        target=Target(row["target"]),
        verb=Verb(row["verb"]),
        complete=row["complete"],
        sign=row["sign"],
        form=FormSource(row["form"]),
        digest=row["meaning_digest"],
    )


def _manifest(value: Mapping[str, Any]) -> Manifest:
    files = tuple((name, size) for name, size in value["files"])
    return Manifest(forms=value["forms"], files=files, phase=Phase(value["phase"]))


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "status": problem.status,
        "facts": dict(problem.facts),
        "findings": [
            {
                "path": finding.path,
                "rule": finding.rule,
                "facts": dict(finding.facts),
                "line": finding.line,
                "column": finding.column,
            }
            for finding in problem.findings
        ],
    }


def _problem(value: Mapping[str, Any]) -> Problem:
    return Problem(
        code=value["code"],
        status=value["status"],
        facts=value["facts"],
        findings=tuple(Finding(**finding) for finding in value["findings"]),
    )
