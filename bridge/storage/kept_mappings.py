"""Mappings as they were when an operation was accepted, kept under their digests."""

from datetime import datetime

import sqlalchemy as sa

from bridge.core.mapping import ServiceMapping
from bridge.storage.database import Rows, insert_ignore
from bridge.storage.tables import mappings


class MappingRows(Rows):
    """What mappings said."""

    def keep_mapping(self, mapping: ServiceMapping, *, now: datetime) -> None:
        """Keep what *mapping* says, under its digest."""
        values = {"digest": mapping.digest, "said": mapping.said, "kept_at": now}
        self.connection.execute(insert_ignore(self.connection, mappings).values(values))

    def mapping(self, digest: str) -> str | None:
        """What the mapping of *digest* says, as ``ServiceMapping.said``."""
        return self.connection.scalar(sa.select(mappings.c.said).where(mappings.c.digest == digest))
