"""The bridge's own store, for a command that reads or changes a few rows of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # It brings the database, which nobody waits for who asks for help.
    from bridge.storage.store import Store


@contextmanager
def opened_store(*, pool: int = 1) -> "Iterator[Store]":
    """The store that the environment names, at its present version and by *pool* connections, until the block ends."""
    from bridge.config.settings import Settings
    from bridge.storage.database import open_database
    from bridge.storage.store import Store
    from bridge.wiring import prepare_database

    settings = Settings.from_environ(os.environ)
    prepare_database(settings)
    engine = open_database(settings.database_url, pool=pool)
    try:
        yield Store(engine)
    finally:
        engine.dispose()
