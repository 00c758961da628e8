"""A run among elements under completion: those that no dialog stands for get one, and dialogs follow their elements."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
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
from bridge.core.errors import Rejected
from bridge.core.mapping import Altinn2Service, ServiceMapping
from bridge.core.operations import Link
from bridge.parts import Bridge
from bridge.steps.batch.draft_dialogs import existing_dialog, make, plan_make
from bridge.steps.batch.draft_following import Followed, follow, plan_follow
from bridge.steps.batch.draft_report import ENDED, DraftOutcome, DraftReport, PlanLine, Watcher
from bridge.steps.batch.runs import LeasedRun
from bridge.storage.drafts import Drafts
from bridge.storage.runs import Run

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.drafts")

ALL = "all"
"""The scope that is everybody whom the bridge may act for."""

LISTS, UNSEEN = "list", "follow"
"""The two parts of a run, as its cursor names them: the lists of each reportee, and what none of them showed."""

_UNLISTED = "Altinn 2 does not list it among those that the bridge may act for: mend the number, or the rights"

_Item = TypeVar("_Item")


def services_of(bridge: Bridge) -> Mapping[tuple[str, int], ServiceMapping]:
    """The mappings whose elements become dialogs, by service and edition: those that have a write action."""
    found = (each for _, each in sorted(bridge.mappings.items()) if each.altinn2 is not None and each.actions)
    return {(each.altinn2.service_code, each.altinn2.service_edition): each for each in found if each.altinn2}


def run_drafts(bridge: Bridge, run: Run, watcher: Watcher, *, dry: bool) -> Counter[DraftOutcome]:
    """
    Go through *run*'s reportees and then the dialogs whose elements were in no list; with *dry* nothing is written.

    How far it came is written down as it goes, so that a run which ends anywhere is gone on with from there.

    Raises:
        Stopped: Told to, taken over by another process, or a system is away.
        UpstreamError: Altinn 2 does not say whom the bridge may act for.
    """
    with LeasedRun(bridge, run, stopping=watcher.stopping, dry=dry) as lease:
        return DraftRunner(bridge, lease, watcher).go()


class DraftRunner:
    """Carries out one run, from where its cursor stands."""

    def __init__(self, bridge: Bridge, lease: LeasedRun, watcher: Watcher) -> None:
        self._bridge, self._lease, self._watcher = bridge, lease, watcher
        self._report = DraftReport(bridge, lease, watcher)
        self._services = services_of(bridge)
        self._met_dry: set[str] = set()

    def go(self) -> Counter[DraftOutcome]:
        """Do what is left of the run, and count all of it."""
        self._report.recall_failures()
        reportees = [each for each in self._bridge.altinn2.reportees() if _in_scope(each, self._lease.scope)]
        if self._part == LISTS:
            self._read_lists(sorted(reportees, key=lambda each: each.reportee_id))
            self._report_unlisted({name for each in reportees for name in (each.reportee_id, address_of(each))})
            self._move_to(UNSEEN, "")
        self._follow_unseen({address_of(each) for each in reportees})
        return self._report.counts

    # The cursor

    @property
    def _part(self) -> str:
        return self._lease.cursor.partition(" ")[0] or LISTS

    @property
    def _after(self) -> str:
        """The last reportee or element that is done."""
        return self._lease.cursor.partition(" ")[2]

    def _move_to(self, part: str, after: str) -> None:
        self._lease.move_to(f"{part} {after}")

    # Elements in lists

    def _read_lists(self, reportees: Sequence[Reportee]) -> None:
        services = [each.altinn2 for each in self._services.values() if each.altinn2 is not None]
        for number, reportee in enumerate(reportees):
            self._watcher.progress(number, len(reportees))
            if reportee.reportee_id <= self._after:
                continue
            party = party_of(reportee)
            if party is None:
                self._report.add(PlanLine(what=DraftOutcome.MASKED, who=reportee.reportee_id))
            elif services and not self._report.waits(reportee.reportee_id):
                self._read_list(reportee, party, services)
            self._move_to(LISTS, reportee.reportee_id)
        self._watcher.progress(len(reportees), len(reportees))

    def _read_list(self, reportee: Reportee, party: str, services: Sequence[Altinn2Service]) -> None:
        who = address_of(reportee)
        with self._report.guarded(PlanLine(what=DraftOutcome.FAILED, who=reportee.reportee_id)):
            tasks = open_tasks(self._bridge.altinn2, who, services, passed_over=partial(self._pass_over, who))
            for some in _chunks(tasks, PAGE):
                # A list that was cut gives the same element in a whole and in its halves.
                self._handle_page(list({each.case.key: each for each in some}.values()), party)

    def _pass_over(self, who: str, message_id: str | None, error: Rejected) -> None:
        about = PlanLine(what=DraftOutcome.FAILED, who=who, message_id=message_id)
        if message_id is None or not self._report.waits(message_id):
            self._report.failed(about, error, keep=message_id is not None)

    def _report_unlisted(self, listed: Set[str]) -> None:
        """Report who was asked for by name and is in no list: nothing of theirs was looked at."""
        for who in self._lease.scope:
            key = f"unlisted {who}"  # Beside what fails of a list that there is.
            if who == ALL or who in listed:
                self._report.recovered(key)
                continue
            log.warning("a reportee that drafts are asked for is not listed by Altinn 2", who=who)
            self._report.add(PlanLine(what=DraftOutcome.FAILED, who=who, why=_UNLISTED))
            self._report.remember(key, _UNLISTED)

    def _handle_page(self, elements: Sequence[Element], party: str) -> None:
        ids = [each.case.key for each in elements]
        with self._bridge.store.reading() as tx:
            known, linked = Drafts(tx).known(ids), Drafts(tx).linked(ids)
        for element in elements:
            message_id = element.case.key
            called_for = look(element, known.get(message_id), linked=message_id in linked)
            if called_for in (Look.NOTHING, Look.STANDS):
                self._report.count(DraftOutcome.UNCHANGED if called_for is Look.NOTHING else DraftOutcome.STANDING)
                self._report.recovered(message_id)
            elif not self._report.waits(message_id):
                self._handle(element, known.get(message_id), called_for, party=party)
        if self._lease.dry:
            self._met_dry.update(ids)
            return
        with self._bridge.store.transaction() as tx:
            Drafts(tx).seen(ids, self._lease.id)

    def _handle(self, element: Element, draft: Draft | None, called_for: Look, *, party: str) -> None:
        mapping = self._services[element.service_code, element.service_edition]
        about = PlanLine(
            what=DraftOutcome.FAILED,
            who=element.case.owner,
            message_id=element.case.key,
            dialog_id=None if draft is None else draft.dialog_id,
            service_resource=mapping.service_resource,
        )
        with self._report.guarded(about):
            self._lease.beat()
            if called_for is Look.FOLLOW and draft is not None:
                self._follow(draft)
                return
            found = existing_dialog(self._bridge, element.case.key) if called_for is Look.SEARCH else None
            if found is not None:
                self._leave_to(found, element, about)
            else:
                self._make(element, draft, about, party=party)

    def _make(self, element: Element, draft: Draft | None, about: PlanLine, *, party: str) -> None:
        mapping = self._services[element.service_code, element.service_edition]
        if self._lease.dry:
            plan = plan_make(self._bridge, mapping, element, party=party, draft=draft)
            dialog_id, ending, about = plan.dialog_id, plan.ending, replace(about, writes=plan.writes)
        else:
            dialog_id, ending = make(self._bridge, mapping, element, party=party)
        what = DraftOutcome.CREATED if ending is None else ENDED[ending]
        self._report.add(replace(about, what=what, dialog_id=dialog_id))

    def _leave_to(self, found: UUID, element: Element, about: PlanLine) -> None:
        """Leave *element* to the dialog *found*, which somebody else made for it."""
        if not self._lease.dry:
            with self._bridge.store.transaction() as tx:
                Drafts(tx).foreign(element, found, now=self._bridge.clock())
        self._report.add(replace(about, what=DraftOutcome.STANDING, dialog_id=found))

    # Dialogs whose elements were in no list

    def _follow_unseen(self, whose: Set[str]) -> None:
        while True:
            with self._bridge.store.reading() as tx:
                page = Drafts(tx).unseen(self._lease.id, after=self._after, limit=PAGE)
            if not page:
                return
            for draft, link in page:
                # Where the bridge may not look any more, it cannot say what became of an element.
                unknown = draft.message_id in self._met_dry or link.required_case.owner not in whose
                if unknown or self._report.waits(draft.message_id):
                    continue
                with self._report.guarded(_line_of(DraftOutcome.FAILED, draft, link)):
                    self._lease.beat()
                    self._follow(draft)
            self._move_to(UNSEEN, page[-1][0].message_id)

    def _follow(self, draft: Draft) -> None:
        with self._bridge.store.reading() as tx:
            link = tx.link(draft.dialog_id)
        if link is None or link.service_resource not in self._bridge.mappings:
            return
        if self._lease.dry:
            plan = plan_follow(self._bridge, draft, link)
            self._report.add(replace(_line_of(_what(plan.outcome), draft, link), writes=plan.writes))
        else:
            self._report.add(_line_of(_what(follow(self._bridge, draft, link)), draft, link))


def _what(outcome: Followed) -> DraftOutcome:
    match outcome:
        case Ending():
            return ENDED[outcome]
        case True:
            return DraftOutcome.CHANGED
        case False:
            return DraftOutcome.UNCHANGED
        case None:
            return DraftOutcome.BUSY


def _line_of(what: DraftOutcome, draft: Draft, link: Link) -> PlanLine:
    return PlanLine(
        what=what,
        who=link.required_case.owner,
        message_id=draft.message_id,
        dialog_id=draft.dialog_id,
        service_resource=link.service_resource,
    )


def _in_scope(reportee: Reportee, scope: Sequence[str]) -> bool:
    return scope == (ALL,) or reportee.reportee_id in scope or address_of(reportee) in scope


def _chunks(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while some := list(islice(items, size)):
        yield some
