"""A run among elements under completion: those that no dialog stands for get one, and dialogs follow their elements."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from itertools import islice
from typing import TypeVar
from uuid import UUID

import structlog

from bridge.adapters.altinn2 import PAGE
from bridge.adapters.altinn2.reportees import Reportee, address_of, party_of
from bridge.adapters.altinn2.tasks import open_tasks
from bridge.core.drafts import Draft, Ending, Look, look
from bridge.core.elements import Element
from bridge.core.errors import OutcomeUnknown, Rejected, Unreachable, UpstreamError, place_of
from bridge.core.mapping import ServiceMapping
from bridge.parts import Bridge
from bridge.steps.batch.draft_dialogs import follow, make, standing
from bridge.storage.drafts import DraftRun, Drafts, Runs
from bridge.storage.trouble import is_the_stores

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.drafts")

ALL = "all"
"""The scope that is everybody whom the bridge may act for."""

SILENT = timedelta(minutes=15)
"""A run from the command line that did not move for so long has lost its process; workers have a heartbeat."""

AWAY_AFTER = 5
"""So many elements or lists in a row that a system was away for, and the run rests."""

FOREVER = frozenset({"gone"})
"""Refusals that say nothing of the element that was asked about."""

_Item = TypeVar("_Item")


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
    """A write action on its dialog is under way, which tells the dialog itself."""
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
    """One line of the plan, or of what was done: ids only."""

    what: DraftOutcome
    who: str
    message_id: str | None = None
    dialog_id: UUID | None = None
    service_resource: str | None = None
    why: str | None = None


_UNLISTED = "Altinn 2 does not list it among those that the bridge may act for: mend the number, or the rights"

BY_HAND = "drafts-by-hand-"
"""How runs from the command line are called: they try everything, since somebody may have mended it."""


class Stopped(Exception):
    """The run ends here and is gone on with later; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Who hears of a run: each element that is no longer as it was, and how many of how many reportees are done."""

    tell: Callable[[PlanLine], None]
    progress: Callable[[int, int], None]
    stopping: Callable[[], bool]


def services_of(bridge: Bridge) -> Mapping[tuple[str, int], ServiceMapping]:
    """Give the mappings whose elements become dialogs, by service and edition: those that have a write action."""
    found = (each for _, each in sorted(bridge.mappings.items()) if each.altinn2 is not None and each.actions)
    return {(each.altinn2.service_code, each.altinn2.service_edition): each for each in found if each.altinn2}


def run_drafts(bridge: Bridge, run: DraftRun, watcher: Watcher, *, dry: bool) -> Counter[DraftOutcome]:
    """
    Go through *run*'s reportees and then the dialogs whose elements were in no list; with *dry* nothing is written.

    How far it came is written down as it goes, so that a run which ends anywhere is gone on with from there.

    Raises:
        Stopped: Told to, taken over by another process, or a system is away.
        UpstreamError: Altinn 2 does not say whom the bridge may act for.
    """
    return _DraftRunner(bridge, run, watcher, dry=dry).go()


def take_run(bridge: Bridge, run_id: str, scope: Sequence[str], *, at_once: bool = False) -> DraftRun | None:
    """
    Begin the run *run_id*, or go on with an unfinished one, *at_once* or when its process is dead.

    None where another process is at one, or this one is done.
    """
    now = bridge.clock()
    later = now + timedelta(days=1)
    with bridge.store.transaction() as tx:
        return Runs(tx).take(
            run_id,
            scope,
            holder=bridge.holder,
            now=now,
            alive_since=later if at_once else now - timedelta(seconds=bridge.settings.worker_silent),
            seen_since=later if at_once else now - SILENT,
        )


class _DraftRunner:
    def __init__(self, bridge: Bridge, run: DraftRun, watcher: Watcher, *, dry: bool) -> None:
        self._bridge, self._run, self._watcher, self._dry = bridge, run, watcher, dry
        self._services = services_of(bridge)
        self._counts: Counter[DraftOutcome] = Counter({DraftOutcome(name): count for name, count in run.counts.items()})
        self._away = 0
        self._part, self._after = run.part, run.after
        self._met: set[str] = set()
        self._failing: dict[str, datetime] = {}

    def go(self) -> Counter[DraftOutcome]:
        try:
            with self._bridge.store.reading() as tx:
                self._failing = Drafts(tx).failures()
            reportees = [each for each in self._bridge.altinn2.reportees() if _in_scope(each, self._run.scope)]
            if self._part == "list":
                self._list_all(sorted(reportees, key=lambda each: each.reportee_id))
                self._miss({name for each in reportees for name in (each.reportee_id, address_of(each))})
                self._moved_to("follow", "")
            self._follow_unseen({address_of(each) for each in reportees})
            self._write(ended_at=self._bridge.clock())
        except BaseException:
            if not self._dry:
                with self._bridge.store.transaction() as tx:
                    Runs(tx).rest(self._run.id, holder=self._bridge.holder)
            raise
        return self._counts

    # Elements in lists

    def _list_all(self, wanted: Sequence[Reportee]) -> None:
        services = [each.altinn2 for each in self._services.values() if each.altinn2 is not None]
        for number, reportee in enumerate(wanted):
            self._watcher.progress(number, len(wanted))
            if reportee.reportee_id <= self._after:
                continue
            party = party_of(reportee)
            if party is None:
                self._tell(PlanLine(what=DraftOutcome.MASKED, who=reportee.reportee_id))
            elif services and not self._waits(reportee.reportee_id):
                who = address_of(reportee)
                with self._guarded(PlanLine(what=DraftOutcome.FAILED, who=reportee.reportee_id)):
                    tasks = open_tasks(self._bridge.altinn2, who, services, passed_over=partial(self._unread, who))
                    for some in _chunks(tasks, PAGE):
                        # A list that was cut gives the same element in a whole and in its halves.
                        self._page(list({each.key.message_id: each for each in some}.values()), party)
            self._moved_to("list", reportee.reportee_id)
        self._watcher.progress(len(wanted), len(wanted))

    def _miss(self, listed: Set[str]) -> None:
        """Tell of who was asked for by name and is in no list: nothing of theirs was looked at."""
        for who in self._run.scope:
            key = f"unlisted {who}"  # Beside what fails of a list that there is.
            if who == ALL or who in listed:
                self._recovered(key)
                continue
            log.warning("a reportee that drafts are asked for is not listed by Altinn 2", who=who)
            self._tell(PlanLine(what=DraftOutcome.FAILED, who=who, why=_UNLISTED))
            if not self._dry:
                with self._bridge.store.transaction() as tx:
                    Drafts(tx).failed(key, _UNLISTED, now=self._bridge.clock())

    def _page(self, elements: Sequence[Element], party: str) -> None:
        ids = [each.key.message_id for each in elements]
        with self._bridge.store.reading() as tx:
            known, linked = Drafts(tx).known(ids), Drafts(tx).linked(ids)
        for element in elements:
            draft = known.get(element.key.message_id)
            called_for = look(element, draft, linked=element.key.message_id in linked)
            if called_for in (Look.NOTHING, Look.STANDS):
                self._counts[DraftOutcome.UNCHANGED if called_for is Look.NOTHING else DraftOutcome.STANDING] += 1
                self._recovered(element.key.message_id)
            elif not self._waits(element.key.message_id):
                self._one(element, draft, called_for, party)
        if self._dry:
            self._met.update(ids)
            return
        with self._bridge.store.transaction() as tx:
            Drafts(tx).seen(ids, self._run.id)

    def _one(self, element: Element, draft: Draft | None, called_for: Look, party: str) -> None:
        mapping = self._services[element.service_code, element.service_edition]
        about = PlanLine(
            what=DraftOutcome.FAILED,
            who=element.key.who,
            message_id=element.key.message_id,
            dialog_id=None if draft is None else draft.dialog_id,
            service_resource=mapping.service_resource,
        )
        with self._guarded(about):
            self._beat()
            if called_for is Look.FOLLOW and draft is not None:
                self._follow(draft)
                return
            found = standing(self._bridge, element.key.message_id) if called_for is Look.SEARCH else None
            if found is not None:
                if not self._dry:
                    with self._bridge.store.transaction() as tx:
                        Drafts(tx).foreign(element, found, now=self._bridge.clock())
                self._tell(_changed(about, DraftOutcome.STANDING, found))
            elif self._dry:
                self._tell(_changed(about, DraftOutcome.CREATED, about.dialog_id))
            else:
                dialog_id, ending = make(self._bridge, mapping, element, party=party)
                self._tell(_changed(about, DraftOutcome.CREATED if ending is None else ENDED[ending], dialog_id))

    # Dialogs whose elements were in no list

    def _follow_unseen(self, whose: Set[str]) -> None:
        while True:
            with self._bridge.store.reading() as tx:
                page = Drafts(tx).unseen(self._run.id, after=self._after, limit=PAGE)
            if not page:
                return
            for draft, link in page:
                # Where the bridge may not look any more, it cannot say what became of an element.
                if draft.message_id in self._met or link.key.who not in whose or self._waits(draft.message_id):
                    continue
                about = PlanLine(
                    what=DraftOutcome.FAILED,
                    who=link.key.who,
                    message_id=draft.message_id,
                    dialog_id=draft.dialog_id,
                    service_resource=link.service_resource,
                )
                with self._guarded(about):
                    self._beat()
                    self._follow(draft)
            self._moved_to("follow", page[-1][0].message_id)

    def _follow(self, draft: Draft) -> None:
        with self._bridge.store.reading() as tx:
            link = tx.link(draft.dialog_id)
        if link is None or link.service_resource not in self._bridge.mappings:
            return
        outcome = follow(self._bridge, draft, link, dry=self._dry)
        match outcome:
            case Ending():
                what = ENDED[outcome]
            case True:
                what = DraftOutcome.CHANGED
            case False:
                what = DraftOutcome.UNCHANGED
            case None:
                what = DraftOutcome.BUSY
        about = PlanLine(
            what=what,
            who=link.key.who,
            message_id=draft.message_id,
            dialog_id=draft.dialog_id,
            service_resource=link.service_resource,
        )
        self._tell(about)

    # How far it is

    def _guarded(self, about: PlanLine) -> "_Guard":
        return _Guard(self, about)

    def _waits(self, about: str) -> bool:
        """Say whether it failed, and is to be tried later."""
        until = None if self._run.id.startswith(BY_HAND) else self._failing.get(about)
        if until is None or until <= self._bridge.clock():
            return False
        self._counts[DraftOutcome.WAITING] += 1
        return True

    def _unread(self, who: str, message_id: str | None, error: Rejected) -> None:
        about = PlanLine(what=DraftOutcome.FAILED, who=who, message_id=message_id)
        if message_id is None or not self._waits(message_id):
            self.failed(about, error, keep=message_id is not None)

    def failed(self, about: PlanLine, error: Exception, *, keep: bool = True) -> None:
        """
        Count a failure; where it is the element's own, leave that alone for a while, the longer the more often.

        What has no name that a later run would know it by is told and not kept.
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
        self._tell(replace(about, why=why))
        away = isinstance(error, Unreachable | OutcomeUnknown) or (
            isinstance(error, Rejected) and error.reason in FOREVER
        )
        self._away = self._away + 1 if away else 0
        if isinstance(error, UpstreamError) and self._away >= AWAY_AFTER:
            raise Stopped(f"{error.system} is away: {error.detail}") from error
        if keep and not away and not self._dry:
            key = about.message_id or about.who
            with self._bridge.store.transaction() as tx:
                self._failing[key] = Drafts(tx).failed(key, why, now=self._bridge.clock())

    def went_well(self, about: PlanLine) -> None:
        """Note that nothing is wrong with it any more."""
        self._away = 0
        self._recovered(about.message_id or about.who)

    def _recovered(self, about: str) -> None:
        if self._failing.pop(about, None) is not None and not self._dry:
            with self._bridge.store.transaction() as tx:
                Drafts(tx).recovered(about)

    def _tell(self, told: PlanLine) -> None:
        self._counts[told.what] += 1
        if (
            told.what not in (DraftOutcome.UNCHANGED, DraftOutcome.FAILED)
            and told.message_id is not None
            and not self._dry
        ):
            log.info(
                "draft",
                what=told.what.value,
                element=told.message_id,
                dialog=None if told.dialog_id is None else str(told.dialog_id),
            )
        if not self._dry:
            self._bridge.metrics.drafts.labels(told.service_resource or "", told.what.value).inc()
        self._watcher.tell(told)

    def _moved_to(self, part: str, after: str) -> None:
        self._part, self._after = part, after
        self._beat()

    def _beat(self) -> None:
        counts = {what.value: count for what, count in self._counts.items()}
        if not self._write(part=self._part, after=self._after, counts=counts):
            raise Stopped("another process took the run over")
        if self._watcher.stopping():
            raise Stopped("told to stop")

    def _write(self, **values: object) -> bool:
        if self._dry:
            return True
        with self._bridge.store.transaction() as tx:
            return Runs(tx).write(self._run.id, holder=self._bridge.holder, now=self._bridge.clock(), **values)


class _Guard:
    """Counts what fails for one element or list, so that the run goes on with the next."""

    def __init__(self, round_: _DraftRunner, about: PlanLine) -> None:
        self._round, self._about = round_, about

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        """Count a failure, or that none was."""
        if error is None:
            self._round.went_well(self._about)
        elif isinstance(error, Exception) and not isinstance(error, Stopped) and not is_the_stores(error):
            # Whatever it is, the next element has nothing to do with it. The store's trouble is everybody's.
            self._round.failed(self._about, error)
            return True
        return False


def tick(now: datetime, every: timedelta) -> str:
    """Name the run that is due at *now*, the same in every process."""
    return f"drafts-{int(every.total_seconds())}-{int(now.astimezone(UTC).timestamp() // every.total_seconds())}"


def _in_scope(reportee: Reportee, scope: Sequence[str]) -> bool:
    return scope == (ALL,) or reportee.reportee_id in scope or address_of(reportee) in scope


def _changed(about: PlanLine, what: DraftOutcome, dialog_id: UUID | None) -> PlanLine:
    return replace(about, what=what, dialog_id=dialog_id)


def _chunks(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while some := list(islice(items, size)):
        yield some
