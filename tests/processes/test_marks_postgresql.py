"""On PostgreSQL, a store that is restored under processes that go on is found by the first of them, and by one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from bridge.core.cases import CaseRef
from bridge.core.mapping import FormSource, Verb
from bridge.core.meaning import Meaning
from bridge.core.operations import HELD, Intent, Link, Stage
from bridge.core.targets import Target
from bridge.storage.database import migrate, open_database
from bridge.storage.dead_letters import CannotBeDone, DeadLetters, Kind
from bridge.storage.mark import StoreMark
from bridge.storage.store import Store

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def intent(message_id: str) -> Intent:
    return Intent(
        dialog_id=uuid4(),
        action="submit",
        service_resource="urn:altinn:resource:x",
        case=CaseRef(system="altinn2", owner="310000005", key=message_id),
        actor="urn:x",
        body=None,
        body_digest="d",
        meaning=Meaning(
            target=Target.ALTINN2, verb=Verb.PUT, complete=True, sign=True, form=FormSource.MESSAGE, digest="d"
        ),
        mapping_digest="d",
    )


def test_a_restored_store_is_found_once_and_what_waits_is_held(database_url: str) -> None:
    """By whichever of eight processes notes next; what is held is released once, behind nothing."""
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engine = open_database(url, pool=8)
    migrate(engine)
    store = Store(engine)
    processes = [StoreMark(store, None, clock=lambda: NOW) for _ in range(8)]
    for _ in range(3):
        assert [each.look() for each in processes] == [None] * 8
    waiting, mine = intent("a1"), uuid4()
    with store.transaction() as tx:
        tx.add_link(
            Link(
                dialog_id=waiting.dialog_id,
                service_resource=waiting.service_resource,
                party="urn:x",
                case=waiting.case,
            ),
            now=NOW,
        )
        tx.add_operation(mine, waiting, now=NOW - timedelta(hours=1))
        tx.connection.exec_driver_sql("UPDATE marks SET number = 2")

    with ThreadPoolExecutor(8) as pool:
        found = [each for each in pool.map(lambda each: each.look(), processes) if each is not None]
    with store.transaction() as tx:
        held = DeadLetters(tx).hold_unsent(now=NOW, accepted_until=found[0].accepted_until, limit=10)
        entries = DeadLetters(tx).entries([Kind.HELD], limit=10)
    with store.transaction() as tx:
        released = DeadLetters(tx).reopen(mine, now=NOW, held=True)
    with store.transaction() as tx, pytest.raises(CannotBeDone):
        DeadLetters(tx).reopen(mine, now=NOW, held=True)
    engine.dispose()

    assert (len(found), list(held)) == (1, [mine])
    assert [each.operation.dead_why for each in entries] == [HELD]
    assert (released.stage, released.sequence, released.dead_at) == (Stage.DELIVER, 2, None)
