"""Lockouts and pauses on PostgreSQL: threads of several processes spend no more than two tries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bridge.core.errors import CredentialsRefused, Unreachable
from bridge.core.login_lockout import guarded_login
from bridge.core.upstream_pause import Why
from bridge.storage.database import migrate, open_database
from bridge.storage.lockouts import StoredLockout, lockouts_of
from bridge.storage.pauses import StoredPause
from bridge.storage.store import Store

pytestmark = pytest.mark.slow


def test_many_at_once_try_twice(database_url: str) -> None:
    """However many ask at the same time; the rest are told to come back, or that it is locked."""
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engine = open_database(url, pool=8)
    migrate(engine)
    tries: list[int] = []

    def refuse() -> str:
        tries.append(1)
        raise CredentialsRefused("Altinn 2", "no", reason="login_refused")

    def one(number: int) -> str:
        del number
        lockout = StoredLockout(Store(engine), about="password", secret="bruker:feil", clock=lambda: datetime.now(UTC))
        try:
            return guarded_login(lockout, refuse, system="Altinn 2", refused="login_refused")
        except CredentialsRefused as error:
            return error.reason
        except Unreachable:
            return "busy"

    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            told = list(pool.map(one, range(16)))
    locked = [each.locked for each in lockouts_of(Store(engine))]
    engine.dispose()

    assert len(tries) == 2
    assert set(told) == {"login_locked"}
    assert locked == [True]


def test_one_of_many_goes_first_after_a_pause(database_url: str) -> None:
    """Of eight processes that ask in the moment in which it ends, one is let through."""
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engine = open_database(url, pool=8)
    migrate(engine)
    now = [datetime(2026, 3, 2, 12, tzinfo=UTC)]
    pauses = [
        StoredPause(Store(engine), system="altinn2", url="https://altinn.example", clock=lambda: now[0])
        for _ in range(8)
    ]
    pauses[0].begin(timedelta(minutes=1), Why.THROTTLED)
    before = [each.remaining() for each in pauses]
    now[0] += timedelta(minutes=1)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda each: each.remaining(), pauses))
    engine.dispose()

    assert before == [timedelta(minutes=1)] * 8
    assert sum(each is None for each in told) == 1
