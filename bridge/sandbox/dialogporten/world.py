"""The world as Dialogporten sees it."""

from collections.abc import Callable
from datetime import datetime

from bridge.sandbox.core import identities
from bridge.sandbox.core.switches import Switches
from bridge.sandbox.core.world import CoreWorld
from bridge.sandbox.dialogporten.state import DialogportenState
from bridge.sandbox.dialogporten.views import Reader


class DialogportenWorld(CoreWorld):
    """A world with dialogs in it, the end users that were admitted, and the pages that may subscribe."""

    dialogporten: DialogportenState

    def __init__(
        self,
        clock: Callable[[], datetime],
        seed: int,
        switches: Switches,
        *,
        sleep: Callable[[float], None],
    ) -> None:
        super().__init__(clock, seed, switches, sleep=sleep)
        self._readers: dict[str, Reader] = {}
        self.origins: frozenset[str] = frozenset()
        """Origins of real clients in a browser, which may subscribe beside the Arbeidsflate page."""
        self.arbeidsflate_url: str | None = None
        """Where the Arbeidsflate page is, while the sandbox listens; an origin of its own."""

    def admit(self, reader: Reader) -> None:
        """Remember what an end user may do, for service owners who ask on their behalf."""
        with self._lock:
            for urn in filter(None, (reader.actor, reader.system_user)):
                self._readers[urn.lower()] = reader

    def reader(self, urn: str) -> Reader | None:
        """An end user: one who was admitted, or a person, who may do everything for themselves."""
        known = self._readers.get(urn.lower())
        if known is not None or not (urn.startswith(identities.PERSON) and identities.is_party(urn)):
            return known
        return Reader(actor=urn.lower(), parties=frozenset({urn.lower()}), grants=frozenset({"*"}), level=3)
