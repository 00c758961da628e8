"""Bring an operation to Altinn 2: read, decide, build, check, record what will be sent, send, read back."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bridge.adapters.altinn2.orders import ElementKey, archived_copy
from bridge.config.mapping_keys import ActionKeys, Altinn2ActionKeys
from bridge.config.mapping_parts import Parts
from bridge.config.yaml_source import Place
from bridge.core.cases import ArchivedCopy, CaseRef, CaseState, CaseStatus
from bridge.core.decision import Refuse, Send, Took, Uncertain, WaitUntil
from bridge.core.delivery import Phase
from bridge.core.dialogs import Dialog
from bridge.core.elements import Element, Form, aim
from bridge.core.errors import CredentialsRefused, Missing, Rejected
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.operations import Link, Outcome, Stage
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery
from bridge.steps.dialog.look import hold_if_in_history
from bridge.steps.drivers.altinn2.advancing import Changed, Lost, advanced
from bridge.steps.drivers.altinn2.attachments import settle, unsettled
from bridge.steps.drivers.altinn2.endings import changed, end, lost, refuse, refused, uncertain, unverified
from bridge.steps.drivers.altinn2.first_use import element_of
from bridge.steps.drivers.altinn2.looking import decided, first_look, is_late, kept, looked, read
from bridge.steps.drivers.altinn2.mapping_faults import mapping_faults
from bridge.steps.drivers.altinn2.online import check_metadata
from bridge.steps.drivers.altinn2.reach import OUT_OF_REACH, level_missing, out_of_reach
from bridge.steps.drivers.altinn2.reading_back import confirmed, left_behind, repeated, was_lost
from bridge.steps.drivers.altinn2.recovery import roll_back
from bridge.steps.drivers.altinn2.refusals import refusal_of
from bridge.steps.drivers.altinn2.requests import refuse_other_service
from bridge.steps.drivers.altinn2.sending import send
from bridge.steps.drivers.altinn2.signatures import by_signatures
from bridge.steps.drivers.altinn2.verification import Incomparable
from bridge.steps.drivers.altinn2.views import element_at
from bridge.steps.drivers.altinn2.waiting import before_delivery, waits
from bridge.steps.drivers.protocol import Online, OnlineReport


class Altinn2:
    """Altinn 2, where the case is an element."""

    @property
    def keys(self) -> type[ActionKeys]:
        """Those of an action that does something with the element."""
        return Altinn2ActionKeys

    def check_mapping(self, said: Parts) -> Iterator[tuple[Place, str]]:
        """What Altinn 2 would do otherwise than the file says, or not at all."""
        return mapping_faults(said)

    def check_online(self, mappings: Sequence[ServiceMapping], online: Online) -> OnlineReport:
        """What the services' metadata say otherwise than the mappings; it is kept on disk for the runs to come."""
        return check_metadata(mappings, online)

    def deliver(self, delivery: Delivery) -> datetime | None:
        """
        Take the element where the action wants it. None when that has ended, well or badly; else when to look again.

        Raises:
            UpstreamError: Altinn 2 could not be asked, or its answer is unknown; the next try reads back first.
        """
        try:
            return _delivered(delivery)
        except Incomparable as error:
            return unverified(delivery, error.element, (error.finding,), answered=False)
        except CredentialsRefused as error:
            # By now it may be recorded that a write set out, and that it did not leave.
            delivery = delivery.as_recorded()
            _raise_what_is_in_reach(delivery, error)
            return end(delivery, Outcome.REFUSED, OUT_OF_REACH)

    def level_missing(
        self, bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, level: int
    ) -> Problem | None:
        """The problem where *level* is below that of the steps that *action* goes through, as far as that is known."""
        return level_missing(bridge, mapping, action, level=level, ask=False)

    def first_use(self, bridge: Bridge, dialog: Dialog) -> CaseRef | None:
        """The element that *dialog* stands for, or None. Raises Refusal where that cannot be found out."""
        return element_of(bridge, dialog)

    def observe(self, bridge: Bridge, link: Link) -> CaseState | None:
        """Where the element, or its archived copy, stands; None where there is neither. Raises UpstreamError."""
        try:
            element = element_at(bridge, link)
        except Missing:
            return None
        return CaseState(
            status=element.state,
            # Altinn 2 counts no versions: the moment of the last change stands for one.
            version=element.last_changed.isoformat(),
            last_changed=element.last_changed,
            archived_as=element.case.key if element.state is CaseStatus.ARCHIVED else None,
        )

    def read(self, bridge: Bridge, case: CaseRef) -> Element:
        """The element where it stands, without its content. Raises Missing, and UpstreamError."""
        return bridge.altinn2.read(ElementKey.of(case), content=False)

    def archived_copy(self, key: str) -> ArchivedCopy:
        """The archived copy of that id."""
        return archived_copy(key)

    def find_archived(self, bridge: Bridge, case: CaseRef, *, since: datetime) -> Element | None:
        """Its archived copy, of after *since*. Raises UpstreamError."""
        return bridge.altinn2.find_archived(ElementKey.of(case), since=since)

    def in_trash(self, bridge: Bridge, case: CaseRef, *, since: datetime) -> bool:
        """Whether it lies in Altinn's bin since *since*. Raises UpstreamError."""
        return bridge.altinn2.in_trash(ElementKey.of(case), since=since)

    def held_forms(self, delivery: Delivery) -> tuple[Form, ...]:
        """
        The forms that the element holds now, or its archived copy.

        Raises:
            Refusal: It is gone, is another service's, is out of the bridge's reach, or Altinn 2 refuses to show it.
            UpstreamError: Altinn 2 could not be asked.
        """
        try:
            element = read(delivery)
            if element is None or element.state is CaseStatus.DELETED:
                raise Refusal("element_gone", 410)
            refuse_other_service(delivery.mapping, element)
            return delivery.bridge.altinn2.read_contents(element, attached=False).forms
        except CredentialsRefused as error:
            _raise_what_is_in_reach(delivery, error)
            raise Refusal.of(OUT_OF_REACH) from error
        except Rejected as error:
            raise refusal_of(error) from error


def _raise_what_is_in_reach(delivery: Delivery, error: CredentialsRefused) -> None:
    """Raise *error* again unless it is about the element only, of which nothing was written yet."""
    operation = delivery.operation
    begun = operation.sending_at is not None or operation.stage is not Stage.DELIVER or operation.case is None
    if begun or not out_of_reach(
        delivery.bridge, operation.service_resource, operation.required_case.owner, error=error
    ):
        raise error


def _delivered(delivery: Delivery) -> datetime | None:
    bridge, operation, action = delivery.bridge, delivery.operation, delivery.action
    if operation.case is None:
        # Accepted before its meaning was kept, when the mapping said altinn3.
        return refuse(delivery, "not_linked", 404)
    if operation.sending_at is None:
        level = action.minimum_level if operation.level is None else operation.level
        if (problem := level_missing(bridge, delivery.mapping, action, level=level, ask=True)) is not None:
            return end(delivery, Outcome.REFUSED, problem)
    try:
        moment = before_delivery(delivery)
        if moment is not None:
            return moment
        at, element = _looked_at(delivery)
        if delivery.phase is Phase.ROLLING_BACK:
            return roll_back(delivery, element)
        gone_on = advanced(delivery, element)
    except Changed as error:
        return changed(delivery, error.element)
    except Lost as error:
        return lost(delivery, error.element, error.gone)
    except Rejected as error:
        return refused(delivery, error)
    except Refusal as refusal:
        return end(delivery, Outcome.REFUSED, refusal.problem)
    return _by_what_is_there(gone_on, element, looked_at=at)


def _looked_at(delivery: Delivery) -> tuple[datetime, Element | None]:
    """The element, read once what broke off on it is settled. Raises Refusal ``attachment_lost`` for a gap left so."""
    bridge = delivery.bridge
    at = bridge.clock()
    element = looked(delivery)
    if element is None or element.state is not CaseStatus.FORM_FILLING:
        return at, element
    broken_off = unsettled(bridge, delivery.operation.dialog_id)
    if not broken_off:
        return at, element
    if not settle(bridge, broken_off, element.case) and aim(delivery.action) is not CaseStatus.FORM_FILLING:
        raise Refusal("attachment_lost", 409)
    at = bridge.clock()
    return at, read(delivery)


def _by_what_is_there(delivery: Delivery, element: Element | None, *, looked_at: datetime) -> datetime | None:
    first = delivery.operation.built_on is None
    if first and element is not None:
        delivery = first_look(delivery, element)
    if delivery.phase is Phase.WRITTEN and aim(delivery.action) is CaseStatus.FORM_FILLING and element is not None:
        return confirmed(delivery, Took(Outcome.DONE, element.state, None), element)
    decision = decided(delivery, element)
    if element is not None and isinstance(decision, Send | Refuse):
        decision = by_signatures(delivery, element, decision)
    unsent = first and isinstance(decision, Send | Refuse)
    if unsent and is_late(delivery) and hold_if_in_history(delivery.bridge, delivery.operation):
        return None
    match decision:
        case Took(Outcome.REPEATED):
            return repeated(delivery, decision, element)
        case Took():
            return confirmed(delivery, decision, element)
        case WaitUntil(moment):
            return waits(delivery, moment)
        case Refuse():
            return _refused(delivery, decision, element)
        case Uncertain():
            return uncertain(delivery)
        case Send() if delivery.operation.problem is not None:
            # Altinn 2 said no to a repeat while an earlier PUT might still arrive; it did not, so the no stands.
            return end(delivery, Outcome.REFUSED, delivery.operation.problem, element=element)
        case Send():
            assert element is not None  # noqa: S101 - decide() sends only what it has seen
            with kept(delivery):
                return send(delivery, element, looked_at=looked_at)


def _refused(delivery: Delivery, decision: Refuse, element: Element | None) -> datetime | None:
    """End with the decision's no; where it is our own PUT that fell short, with what became of that."""
    code = decision.code
    if element is not None and was_lost(delivery, element) and not delivery.may_arrive:
        return lost(delivery, element)
    if code == "element_changed" and element is not None and left_behind(delivery, element):
        code = "left_in_form_filling"
    problem = Problem(code=code, status=decision.status, facts=decision.facts)
    return end(delivery, Outcome.REFUSED, problem, element=element, state=decision.state)
