"""What a run among elements under completion did with each: counted, reported, and remembered where it failed."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

import structlog

from bridge.core.drafts import Ending
from bridge.core.errors import OutcomeUnknown, Rejected, Unreachable, UpstreamError, place_of
from bridge.parts import Bridge
from bridge.steps.batch.runs import LeasedRun, Stopped
from bridge.storage.drafts import Drafts
from bridge.storage.trouble import is_the_stores

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.drafts")

AWAY_AFTER = 5
"""So many elements or lists in a row that a system was away for, and the run rests."""

FOREVER = frozenset({"gone"})
"""Refusals that say nothing of the element that was asked about."""

BY_HAND = "drafts-by-hand-"
"""How runs from the command line are called: they try everything, since somebody may have mended it."""


class DraftOutcome(Enum):
    """What a run did, or would do, with an element."""

    CREATED = "created"
    STANDING = "standing"
    """Somebody else's dialog stands for it."""
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    SENT = "sent"
    DELETED = "deleted"
    GONE = "gone"
    LEFT = "left"
    """Its dialog was deleted or frozen by others: it is left alone from now on."""
    BUSY = "busy"
    """A write action on its dialog is under way, which brings it up to date itself."""
    FAILED = "failed"
    WAITING = "waiting"
    """It failed by itself, and its time to be tried again has not come."""
    MASKED = "masked"
    """A reportee whose number Altinn 2 does not show, so that nobody can say whose dialog it would be."""


ENDED: Mapping[Ending, DraftOutcome] = {
    Ending.SENT: DraftOutcome.SENT,
    Ending.DELETED: DraftOutcome.DELETED,
    Ending.GONE: DraftOutcome.GONE,
    Ending.FOREIGN: DraftOutcome.STANDING,
    Ending.DIALOG_GONE: DraftOutcome.LEFT,
    Ending.FROZEN: DraftOutcome.LEFT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One line of the plan, or of what was done: ids only. *writes* is what a plan would write, by places."""

    what: DraftOutcome
    who: str
    message_id: str | None = None
    dialog_id: UUID | None = None
    service_resource: str | None = None
    why: str | None = None
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Who hears of a run: each element that is no longer as it was, and how many of how many reportees are done."""

    report: Callable[[PlanLine], None]
    progress: Callable[[int, int], None]
    stopping: Callable[[], bool]


class DraftReport:
    """The outcomes of one run; in a dry run they are watched, and neither logged nor remembered."""

    def __init__(self, bridge: Bridge, lease: LeasedRun, watcher: Watcher) -> None:
        self._bridge, self._lease, self._watcher = bridge, lease, watcher
        self._away = 0
        self._failing: dict[str, datetime] = {}

    @property
    def counts(self) -> Counter[DraftOutcome]:
        """How many elements came to which outcome, also before the run was gone on with here."""
        return Counter({DraftOutcome(name): count for name, count in self._lease.counts.items()})

    def recall_failures(self) -> None:
        """Take up what failed in earlier runs, which this one passes over until its time has come."""
        with self._bridge.store.reading() as tx:
            self._failing = Drafts(tx).failures()

    def count(self, what: DraftOutcome) -> None:
        """Count an outcome that is no news to anybody."""
        self._lease.counts[what.value] += 1

    def add(self, line: PlanLine) -> None:
        """Count an outcome, and hand it to whoever watches, to the log and to the metrics."""
        self.count(line.what)
        if not self._lease.dry:
            self._log(line)
            self._bridge.metrics.drafts.labels(line.service_resource or "", line.what.value).inc()
        self._watcher.report(line)

    def waits(self, about: str) -> bool:
        """Whether it failed, and is to be tried later; that is counted."""
        until = None if self._lease.id.startswith(BY_HAND) else self._failing.get(about)
        if until is None or until <= self._bridge.clock():
            return False
        self.count(DraftOutcome.WAITING)
        return True

    @contextmanager
    def guarded(self, about: PlanLine) -> Iterator[None]:
        """
        Count what fails for one element or list, so that the run goes on with the next.

        Whatever it is, the next element has nothing to do with it; but the store's trouble is everybody's.
        """
        try:
            yield
        except Stopped:
            raise
        except Exception as error:
            if is_the_stores(error):
                raise
            self.failed(about, error)
        else:
            self._away = 0
            self.recovered(about.message_id or about.who)

    def failed(self, about: PlanLine, error: Exception, *, keep: bool = True) -> None:
        """
        Count a failure; where it is the element's own, leave that alone for a while, the longer the more often.

        What has no name that a later run would know it by is reported and not kept.
        """
        # The text of an unforeseen error may hold anything; its type and place may not.
        known = isinstance(error, UpstreamError)
        why = f"{type(error).__name__}: {error}" if known else f"{type(error).__name__} at {place_of(error)}"
        log.log(
            logging.WARNING if known else logging.ERROR,
            "an element or list was left for a later run",
            element=about.message_id,
            who=None if about.message_id else about.who,
            why=why,
        )
        self.add(replace(about, why=why))
        away = _system_was_away(error)
        self._away = self._away + 1 if away else 0
        if isinstance(error, UpstreamError) and self._away >= AWAY_AFTER:
            raise Stopped(f"{error.system} is away: {error.detail}") from error
        if keep and not away:
            self.remember(about.message_id or about.who, why)

    def remember(self, about: str, why: str) -> None:
        """Leave it alone for a while, in every process."""
        if not self._lease.dry:
            with self._bridge.store.transaction() as tx:
                self._failing[about] = Drafts(tx).failed(about, why, now=self._bridge.clock())

    def recovered(self, about: str) -> None:
        """Note that nothing is wrong with it any more."""
        if self._failing.pop(about, None) is not None and not self._lease.dry:
            with self._bridge.store.transaction() as tx:
                Drafts(tx).recovered(about)

    def _log(self, line: PlanLine) -> None:
        # What failed was logged with its reason, and what is as it was is no news.
        if line.what in (DraftOutcome.UNCHANGED, DraftOutcome.FAILED) or line.message_id is None:
            return
        dialog = None if line.dialog_id is None else str(line.dialog_id)
        log.info("draft", what=line.what.value, element=line.message_id, dialog=dialog)


def _system_was_away(error: Exception) -> bool:
    """Whether the failure says nothing of the element that was asked about."""
    if isinstance(error, Rejected):
        return error.reason in FOREVER
    return isinstance(error, Unreachable | OutcomeUnknown)
