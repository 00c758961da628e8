"""The gate before Altinn 2's login on PostgreSQL: threads of several processes spend no more than two tries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bridge.core.errors import Rejected, Unreachable
from bridge.core.gates import through
from bridge.storage.gates import StoredGate, gates_of
from bridge.storage.store import Store, migrate, open_database

pytestmark = pytest.mark.slow


def test_many_at_once_try_twice(database_url: str) -> None:
    """However many ask at the same time; the rest are told to come back, or that it is closed."""
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engine = open_database(url, pool=8)
    migrate(engine)
    tries: list[int] = []

    def refuse() -> str:
        tries.append(1)
        raise Rejected("Altinn 2", "no", reason="login_refused")

    def one(number: int) -> str:
        del number
        gate = StoredGate(Store(engine), about="password", secret="bruker:feil", clock=lambda: datetime.now(UTC))
        try:
            return through(gate, refuse, system="Altinn 2", refused="login_refused")
        except Unreachable:
            return "busy"
        except Rejected as error:
            return error.reason

    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            told = list(pool.map(one, range(16)))
    closed = [each.closed for each in gates_of(Store(engine))]
    engine.dispose()

    assert len(tries) == 2
    assert set(told) == {"login_closed"}
    assert closed == [True]
