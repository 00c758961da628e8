"""Links that open a print once: kept as digests, until they are used or their time is over."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bridge.storage.store import Transaction
from bridge.storage.tables import print_links


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintLink:
    """What one link opens; *digest* is that of its secret part."""

    digest: str
    dialog_id: UUID
    language: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PrintLinks:
    """The links that are good in *tx*."""

    tx: Transaction

    def add(self, link: PrintLink, *, now: datetime) -> None:
        """Remember *link*, and forget those whose time is over."""
        self.forget(now)
        self.tx.connection.execute(
            print_links.insert().values(
                digest=link.digest,
                dialog_id=str(link.dialog_id),
                language=link.language,
                expires_at=link.expires_at,
            )
        )

    def forget(self, now: datetime) -> None:
        """Drop those whose time is over."""
        self.tx.connection.execute(print_links.delete().where(print_links.c.expires_at <= now))

    def take(self, digest: str, *, now: datetime) -> PrintLink | None:
        """Use the link up: of two who come at the same time one gets it."""
        row = (
            self.tx.connection.execute(
                print_links.delete()
                .where(print_links.c.digest == digest, print_links.c.expires_at > now)
                .returning(print_links)
            )
            .mappings()
            .first()
        )
        if row is None:
            return None
        return PrintLink(
            digest=row["digest"],
            dialog_id=UUID(row["dialog_id"]),
            language=row["language"],
            expires_at=row["expires_at"],
        )
