"""The bridge's own tables, as a benchmark fills them and looks at them from outside."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from benchmarks.outside import ORGANISATION, SERVICE, Button
from bridge.core.cases import CaseRef
from bridge.core.operations import Link, Outcome
from bridge.storage.database import open_database
from bridge.storage.store import Store
from bridge.storage.tables import operations
from bridge.wiring import utc_now

DRAINED_WITHIN = 180.0


@contextmanager
def open_book(url: str) -> Iterator["Book"]:
    """The book of the database at *url*, which it lets go of in the end."""
    engine = open_database(url, pool=1)
    try:
        yield Book(Store(engine))
    finally:
        engine.dispose()


class Book:
    """The bridge's own tables, looked at from outside."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def link(self, buttons: Sequence[Button]) -> None:
        """Write down which element each dialog stands for, so that the first press need not ask Dialogporten."""
        with self._store.transaction() as tx:
            for button in buttons:
                element = CaseRef(system="altinn2", owner=ORGANISATION, key=button.message_id)
                party = f"urn:altinn:organization:identifier-no:{ORGANISATION}"
                link = Link(dialog_id=button.dialog_id, service_resource=SERVICE, party=party, case=element)
                tx.add_link(link, now=utc_now())

    def drained(self) -> bool:
        """Wait until nothing is left to do; False when that takes so long that what is left counts as lost."""
        ends = time.perf_counter() + DRAINED_WITHIN
        while time.perf_counter() < ends:
            with self._store.reading() as tx:
                if tx.backlog()[0] == 0:
                    return True
            time.sleep(0.2)
        return False

    def finished_well(self) -> Counter[str]:
        """Count the operations of each dialog that did what they should."""
        with self._store.reading() as tx:
            query = sa.select(operations.c.dialog_id).where(operations.c.outcome == Outcome.DONE.value)
            return Counter(tx.connection.scalars(query.where(operations.c.finished_at.is_not(None))))

    def finished_after(self, moment: datetime) -> tuple[int, float]:
        """How many operations were finished after *moment*, and how many a second."""
        with self._store.reading() as tx:
            query = sa.select(sa.func.count(), sa.func.max(operations.c.finished_at))
            count, last = tx.connection.execute(query.where(operations.c.finished_at > moment)).one()
        return count, count / (last - moment).total_seconds() if count else float("nan")
