"""What is known of Altinn 2's services: asked for once, kept, and done without where it cannot be had."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bridge.adapters.altinn2.metadata import MetadataClient, MetadataFiles, ServiceMetadata, read_metadata
from bridge.core.clock import Clock
from bridge.core.errors import Missing, Rejected, UpstreamError

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.altinn2")

LIVES = timedelta(days=1)
"""How long an answer serves before it is asked for again."""

AGAIN_FIRST, AGAIN = timedelta(seconds=5), timedelta(minutes=10)
"""How long nobody asks after an answer did not come: twice as long each time, so that a blip at the start is short."""


@dataclass(frozen=True, slots=True)
class _Found:
    service: ServiceMetadata | None
    until: datetime
    pause: timedelta = timedelta(0)
    """How long this one serves because no answer came."""


class KnownServices:
    """
    Metadata of service editions, from *client*, and where it gives none, from *files*.

    One thread asks at a time; those that wait have the answer, too.
    """

    def __init__(self, client: MetadataClient, files: MetadataFiles, *, clock: Clock) -> None:
        self._client, self._files, self._clock = client, files, clock
        self._lock = threading.Lock()
        self._known: Mapping[tuple[str, int], _Found] = {}
        self._unlisted: set[tuple[str, int]] = set()

    def find(self, code: str, edition: int) -> ServiceMetadata | None:
        """What is known of an edition, None where that is nothing."""
        key, now = (code, edition), self._clock()
        found = self._known.get(key)
        if found is not None and now < found.until:
            return found.service
        with self._lock:
            found = self._known.get(key)
            if found is None or now >= found.until:
                found = self._fetched(code, edition, now=now, paused=timedelta(0) if found is None else found.pause)
                self._known = {**self._known, key: found}
        return found.service

    def known(self, code: str, edition: int) -> ServiceMetadata | None:
        """What was learnt of an edition already; nobody is asked."""
        found = self._known.get((code, edition))
        return None if found is None else found.service

    def _fetched(self, code: str, edition: int, *, now: datetime, paused: timedelta) -> _Found:
        try:
            body = self._client.service(code, edition)
        except UpstreamError as error:
            kept = self._kept(code, edition)
            log.warning("no metadata came", service=f"{code}/{edition}", why=error.detail, kept=kept is not None)
            if isinstance(error, Missing) and kept is None and (code, edition) not in self._unlisted:
                self._unlisted = {*self._unlisted, (code, edition)}
                log.error("Altinn 2 does not list a service: it may not be in force", service=f"{code}/{edition}")
            pause = min(max(2 * paused, AGAIN_FIRST), AGAIN)
            return _Found(kept, now + pause, pause)
        try:
            self._files.keep(code, edition, body)
        except OSError as error:
            log.warning("metadata was not kept", service=f"{code}/{edition}", why=type(error).__name__)
        return _Found(read_metadata(json.loads(body)), now + LIVES)

    def _kept(self, code: str, edition: int) -> ServiceMetadata | None:
        try:
            return self._files.find(code, edition)
        except (Rejected, OSError) as error:
            log.warning("kept metadata cannot be read", service=f"{code}/{edition}", why=type(error).__name__)
            return None
