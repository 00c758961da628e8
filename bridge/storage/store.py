"""Our tables: the transactions in which they are read and written."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from bridge.storage.attachments import AttachmentRows
from bridge.storage.case_writes import CaseWrites
from bridge.storage.kept_mappings import MappingRows
from bridge.storage.links import LinkRows
from bridge.storage.operations import OperationRows
from bridge.storage.retention import OldRows
from bridge.storage.tables import pulse
from bridge.storage.workers import WorkerRows


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


class Transaction(LinkRows, OperationRows, CaseWrites, AttachmentRows, MappingRows, WorkerRows, OldRows):
    """What can be asked and written in one transaction: all tables under one name, as most steps need several."""

    def beat(self, *, now: datetime) -> None:
        """Set the time of the pulse, so that a store that cannot be written is noticed before somebody presses."""
        self.connection.execute(pulse.update().values(beat_at=now))
