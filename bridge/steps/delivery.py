"""One try to deliver an operation: what it is about, read at most once, and each step recorded in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.core import changes
from bridge.core.cases import ArchivedCopy
from bridge.core.changes import KEPT, Kept, OperationChange
from bridge.core.decision import may_arrive
from bridge.core.delivery import Event, Manifest, Phase
from bridge.core.elements import Element, Form, Sent
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.operations import Link, Operation, Outcome, Upload
from bridge.core.problems import Problem
from bridge.parts import Bridge
from bridge.steps import lease
from bridge.steps.meanwhile import Behind, Open


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PlannedWrite:
    """One write: which event it is, what must be there afterwards (None: nothing to compare), and how it is sent."""

    event: Event
    manifest: Manifest | None
    send: Callable[[], str | None]
    """The result is the new id, where the answer tells one."""
    forms: tuple[Form, ...] = ()
    """The forms that the element shall hold then, where they are sent."""
    before: tuple[Form, ...] = ()
    """Those of them that change, as they are now."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Delivery:
    """
    An operation with what it was accepted to do, as they stand in this try.

    A method that records gives the delivery as it stands then. It raises LeaseLost, and records nothing, where another
    worker holds the operation by now.
    """

    bridge: Bridge
    operation: Operation
    mapping: ServiceMapping
    action: ActionMapping
    link: Callable[[], Link | None]
    """Its dialog's link, read once it is wanted: most deliveries do without."""
    sent: Callable[[], Sent]
    """What came with the press, decoded once. Raises Refusal ``message_invalid``, with every member that is wrong."""

    def __repr__(self) -> str:
        return f"Delivery({self.operation!r})"

    @property
    def phase(self) -> Phase:
        """Which of its writes it has come to."""
        return self.operation.phase

    @property
    def may_arrive(self) -> bool:
        """Whether a write of its is out that nobody answered, and that may still take effect."""
        return may_arrive(self.operation, self.bridge.clock())

    def on(self, built_on: datetime | None) -> "Delivery":
        """The delivery, built on what was last changed at *built_on*; that is recorded with the next write."""
        return replace(self, operation=replace(self.operation, built_on=built_on))

    def as_recorded(self) -> "Delivery":
        """The delivery as its operation's row has it by now."""
        with self.bridge.store.reading() as tx:
            return replace(self, operation=tx.operation(self.operation.id) or self.operation)

    def recorded(self, change: OperationChange) -> "Delivery":
        """Record what is no step of a phase: what was seen, or is waited for."""
        return replace(self, operation=lease.write(self.bridge, self.operation, change))

    def answered(self, archived_id: str | None) -> "Delivery":
        """Record a yes to what is out, with the id of the copy that it made."""
        return self.recorded(changes.answered(self.operation, at=self.bridge.clock(), archived_id=archived_id))

    def unanswered(self, until: datetime | None) -> "Delivery":
        """Record that no answer came to what is out, which may take effect *until*."""
        return self.recorded(changes.unanswered(self.operation, until=until))

    def never_left(self, before: "Delivery") -> "Delivery":
        """Record that what was to set out did not: all is as it was *before*."""
        return self.recorded(changes.never_left(self.operation, before.operation))

    def refused(self, before: "Delivery", problem: Problem) -> "Delivery":
        """Record a no to what is out; what was out *before* may still arrive."""
        now = self.bridge.clock()
        return self.recorded(changes.refused(self.operation, before.operation, now=now, problem=problem))

    def form_refused(self, problem: Problem) -> "Delivery":
        """Record a no to one form, after which those before it are put back."""
        return self.recorded(changes.form_refused(self.operation, problem=problem))

    def set_out_again(self, until: datetime) -> "Delivery":
        """Record that a form sets out that is put back, and may take effect *until*."""
        return self.recorded(changes.set_out_again(self.operation, now=self.bridge.clock(), until=until))

    def seen(self, event: Event, element: Element, *, brought: Sequence[Upload] = ()) -> "Delivery":
        """Record that *element* shows what was written, and the attachments that came with it, or that it is moot."""
        change = changes.seen(self.operation, event, last_changed=element.last_changed)
        return replace(self, operation=lease.write(self.bridge, self.operation, change, brought=brought))

    def set_out(
        self, planned: PlannedWrite, *, built_on: datetime | None, until: datetime, since: datetime
    ) -> "Delivery | Behind":
        """
        Record that *planned*, built on what was last changed then, sets out and may take effect *until*.

        From here on a crash leaves a trace: whoever takes over sees that a write may be out, and reads before sending.
        Where something else of ours is out for the element, or was *since*, nothing is recorded, and what is waited for
        is the result: the other system has no lock, so ours is here.
        """
        now = self.bridge.clock()
        change = changes.set_out(
            self.operation,
            planned.event,
            now=now,
            until=until,
            built_on=built_on,
            manifest=planned.manifest,
            forms=planned.forms,
            before=planned.before,
        )
        with self.bridge.store.transaction() as tx:
            if self.operation.case is not None:
                tx.lock_case(self.operation.case)
                if tx.others_out(self.operation, since=since, now=now):
                    return Behind(Open.OPERATION, tx.others_arrive_until(self.operation, now=now))
            lease.record(self.bridge, tx, self.operation, change=change, now=now)
        return replace(self, operation=change.to(self.operation))

    def ended(
        self,
        outcome: Outcome,
        *,
        state: str | None,
        problem: Problem | Kept | None = KEPT,
        archived_id: str | Kept | None = KEPT,
        copy: ArchivedCopy | None = None,
        left_on: datetime | Kept | None = KEPT,
        signed_anew: bool = False,
        brought: Sequence[Upload] = (),
    ) -> None:
        """
        Record how it ended, with all that follows from it: the case stands at *state*, *copy* is its archived copy.

        What it *brought* is there; *signed_anew* says that no signature from before counts.
        """
        change = changes.ended(
            self.operation,
            outcome=outcome,
            state_after=state,
            archived_id=archived_id,
            problem=problem,
            left_on=left_on,
        )
        lease.write(self.bridge, self.operation, change, copy=copy, signed_anew=signed_anew, brought=brought)
