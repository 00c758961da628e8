"""Bring an operation to Altinn 2: read, decide, build, check, say what will be sent, send, read back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bridge.core.altinn2_errors import problem_for
from bridge.core.decision import (
    SOONEST,
    Decision,
    Ended,
    Refuse,
    Send,
    Took,
    Uncertain,
    WaitUntil,
    decide,
    look_again,
    may_arrive,
)
from bridge.core.delivery import Phase, Verification, verify
from bridge.core.elements import Element, ElementState, Form, aim
from bridge.core.errors import (
    BridgeError,
    CredentialsRefused,
    Finding,
    Missing,
    OutcomeUnknown,
    Rejected,
    Unreachable,
    UpstreamError,
)
from bridge.core.mapping import ActionMapping, FormSource, ServiceMapping, Target, Verb
from bridge.core.operations import Operation, Outcome, Stage
from bridge.core.problems import Problem, Refusal
from bridge.core.signing import MaySign, Signer, has_signed, may_sign
from bridge.parts import Bridge
from bridge.steps.dialog.look import DialogLook
from bridge.steps.drivers.altinn2.attachments import look_for_uploads, note_brought, settle, unsettled
from bridge.steps.drivers.altinn2.ended import deleted_before, sent_before
from bridge.steps.drivers.altinn2.first_look import first_look, kept, late
from bridge.steps.drivers.altinn2.prevalidation import after_draft_saved, prevalidated, refuse_what_altinn_refuses
from bridge.steps.drivers.altinn2.reach import OUT_OF_REACH, call_for_a_level, level_missing, out_of_reach
from bridge.steps.drivers.altinn2.recovery import (
    after_form_updates,
    already_applied,
    forms_to_roll_back,
    is_our_write,
    remaining_forms,
)
from bridge.steps.drivers.altinn2.requests import (
    LOOK_BACK,
    DraftPut,
    PlannedWrite,
    can_be_carried,
    complete_verified,
    complete_without_content,
    latest_arrival,
    living_uploads,
    one_signature,
    refuse_what_rest_cannot_do,
    upload_silence,
    write_content,
    write_signature,
    write_to_element,
)
from bridge.steps.drivers.altinn2.subforms import refuse_what_is_not_allowed, subform_call
from bridge.steps.drivers.altinn2.verification import NOT_COMPARABLE, Incomparable, missing_values
from bridge.steps.drivers.calculation import calculate_only
from bridge.steps.forms.build import check_forms, wanted_forms
from bridge.steps.forms.request_body import sent_content
from bridge.steps.lease import LeaseLost, write
from bridge.steps.operation.agreed import agreed
from bridge.steps.operation.meanwhile import Behind, Open, tell_what_is_open
from bridge.steps.operation.restored import held_as_told

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

UPLOAD_PAUSE, LONGEST_UPLOAD_PAUSE = timedelta(seconds=1), timedelta(seconds=5)
"""How long an operation waits before it looks again for an attachment that is on its way: at first, and at most."""


_ANEW = (ElementState.FORM_FILLING, ElementState.SIGNING, ElementState.DELETED)
"""Where an element that is taken there by a press that signs nothing has no signature that counts."""


class Lost(BridgeError):
    """What was carried is not there any more."""

    def __init__(self, element: Element, gone: tuple[Finding, ...] = ()) -> None:
        super().__init__("lost")
        self.element, self.gone = element, gone


class Changed(BridgeError):
    """Somebody else changed the element while ours was on its way."""

    def __init__(self, element: Element) -> None:
        super().__init__("changed")
        self.element = element


def deliver(bridge: Bridge, operation: Operation) -> datetime | None:
    """
    Take the element where the action wants it. None when that has ended, well or badly; else when to look again.

    Raises:
        UpstreamError: Altinn 2 could not be asked, or its answer is unknown; the next try reads back first.
    """
    try:
        return _delivered(bridge, operation)
    except Incomparable as error:
        return _unverified(bridge, operation, error.element, (error.finding,), answered=False)
    except CredentialsRefused as error:
        # It may have written down that a write set out, and that it did not leave.
        with bridge.store.reading() as tx:
            operation = tx.operation(operation.id) or operation
        begun = operation.sending_at is not None or operation.stage is not Stage.DELIVER or operation.element is None
        if begun or not out_of_reach(bridge, operation.service_resource, operation.key.who, error):
            raise
        return _end(bridge, operation, Outcome.REFUSED, OUT_OF_REACH)


def _delivered(bridge: Bridge, operation: Operation) -> datetime | None:
    try:
        mapping, action = agreed(bridge, operation)
    except Refusal as refusal:
        uncertain = refusal.problem.code == "outcome_uncertain"
        return _end(bridge, operation, Outcome.GIVEN_UP if uncertain else Outcome.REFUSED, refusal.problem)
    if action.target is Target.ALTINN3:
        return calculate_only(bridge, operation, mapping, action, lambda: _read(bridge, operation))
    if operation.element is None:
        # Accepted before its meaning was kept, when the mapping said altinn3.
        return _end(bridge, operation, Outcome.REFUSED, Problem(code="not_linked", status=404))
    if operation.sending_at is None:
        level = action.minimum_level if operation.level is None else operation.level
        if (problem := level_missing(bridge, mapping, action, level, ask=True)) is not None:
            return _end(bridge, operation, Outcome.REFUSED, problem)
    try:
        if (moment := _behind_upload(bridge, operation)) is not None:
            return moment
        if (behind := _others_out(bridge, operation)) is not None:
            return _held_back(bridge, operation, behind)
        looked = bridge.clock()
        element = _looked(bridge, operation)
        if (
            element is not None
            and element.state is ElementState.FORM_FILLING
            and (open_ := unsettled(bridge, operation.dialog_id))
        ):
            if not settle(bridge, open_, element.key) and aim(action) is not ElementState.FORM_FILLING:
                return _end(bridge, operation, Outcome.REFUSED, Problem(code="attachment_lost", status=409))
            looked = bridge.clock()
            element = _read(bridge, operation)
        if operation.manifest is not None and operation.manifest.phase is Phase.ROLLING_BACK:
            return _roll_back(bridge, operation, element)
        operation = _advanced(bridge, operation, element, mapping, action)
    except Changed as changed:
        return _changed(bridge, operation, changed.element)
    except Lost as lost:
        return _lost(bridge, operation, lost.element, lost.gone)
    except Rejected as error:
        return _refused(bridge, operation, error)
    except Refusal as refusal:
        return _end(bridge, operation, Outcome.REFUSED, refusal.problem)
    first = operation.built_on is None
    if first and element is not None:
        operation = first_look(bridge, operation, element)
    if _is(operation, Phase.WRITTEN) and aim(action) is ElementState.FORM_FILLING and element is not None:
        return _proved(bridge, operation, Took(Outcome.DONE, element.state, None), element)
    decision = _decided(bridge, mapping, action, operation, element)
    if element is not None and isinstance(decision, Send | Refuse):
        decision = _by_signatures(bridge, operation, mapping, action, element, decision)
    if first and isinstance(decision, Send | Refuse) and late(bridge, operation) and held_as_told(bridge, operation):
        return None
    match decision:
        case Took(Outcome.REPEATED) as took:
            return _repeated(bridge, operation, mapping, action, took, element)
        case Took() as took:
            return _proved(bridge, operation, took, element)
        case WaitUntil(moment):
            return _waiting(bridge, operation, moment)
        case Refuse(code, status, facts, known):
            if element is not None and _was_lost(operation, element) and not may_arrive(operation, bridge.clock()):
                return _lost(bridge, operation, element)
            if code == "element_changed" and element is not None and _left_behind(bridge, operation, action, element):
                code = "left_in_form_filling"
            problem = Problem(code=code, status=status, facts=facts)
            return _end(bridge, operation, Outcome.REFUSED, problem, element=element, state=known)
        case Uncertain():
            if not may_arrive(operation, bridge.clock()):
                log.error("the outcome of a write is uncertain: neither the element nor a trace of it is to be found")
            return _end(bridge, operation, Outcome.GIVEN_UP, Problem(code="outcome_uncertain", status=504))
        case Send() if operation.problem is not None:
            # Altinn 2 said no to a repeat while an earlier PUT might still arrive; it did not, so the no stands.
            return _end(bridge, operation, Outcome.REFUSED, operation.problem, element=element)
        case Send():
            assert element is not None  # noqa: S101 - decide() sends only what it has seen
            with kept(bridge, operation):
                return _send(bridge, operation, mapping, action, element, looked=looked)


def _repeated(
    bridge: Bridge,
    operation: Operation,
    mapping: ServiceMapping,
    action: ActionMapping,
    took: Took,
    element: Element | None,
) -> datetime | None:
    """End as done before; not where other content stands there, or where it was not this person who signed."""
    code = None
    if not already_applied(bridge, operation, mapping, action, element):
        code = "element_wrong_state"
    elif took.state is ElementState.ARCHIVED and not _signed_by_them(bridge, operation, mapping, action):
        code = "signature_not_needed"
    if code is not None:
        return _end(
            bridge, operation, Outcome.REFUSED, Problem(code=code, status=409), element=element, state=took.state
        )
    return _proved(bridge, operation, took, element)


def _signed_by_them(bridge: Bridge, operation: Operation, mapping: ServiceMapping, action: ActionMapping) -> bool:
    """Say whether who pressed has signed the element, which is archived; where nobody signs, everybody has."""
    service = mapping.altinn2
    if not action.signs or service is None:
        return True
    known = bridge.services.find(service.service_code, service.service_edition)
    if known is not None and known.steps and not known.signing_steps:
        return True
    with bridge.store.reading() as tx:
        earlier = tx.signatures(operation)
    return has_signed(_signer(operation), earlier, service=service)


def _signer(operation: Operation) -> Signer:
    return Signer(digest=operation.signer, actor=operation.actor)


def _by_signatures(
    bridge: Bridge,
    operation: Operation,
    mapping: ServiceMapping,
    action: ActionMapping,
    element: Element,
    decision: Send | Refuse,
) -> Send | Refuse | Took:
    """Give *decision*, or what becomes of a press that signs by who has signed before."""
    service = mapping.altinn2
    if not action.signs or service is None or operation.sending_at is not None:
        return decision
    with bridge.store.reading() as tx:
        earlier = tx.signatures(operation)
    if earlier and element.state is ElementState.FORM_FILLING:
        # It was taken back: what they signed is not what will be sent, and does not count in what follows either.
        with bridge.store.transaction() as tx:
            tx.forget_signers(operation.key)
    known = bridge.services.find(service.service_code, service.service_edition)
    steps = None if known is None else known.signing_steps
    match may_sign(_signer(operation), earlier, service=service, element=element, steps=steps):
        case MaySign.REPEATED:
            return Took(Outcome.REPEATED, element.state, None)
        case MaySign.ELSEWHERE if isinstance(decision, Send):
            log.warning(
                "a signature was not given: the service takes more of them than its mapping says, or others went on",
                signing_steps=steps,
                said=service.signing_steps,
                given=sum(each.given for each in earlier),
            )
            return Refuse("sign_in_altinn", 409)
        case _:
            return decision


def _behind_upload(bridge: Bridge, operation: Operation) -> datetime | None:
    """
    Say when to look again for an attachment that is on its way to the element: a PUT would overwrite it.

    None where there is none. It began before the press, since none begins beside one. One that does not move is taken
    for dead in a while; one that moves for longer than that ends the waiting.

    Raises:
        Refusal: ``upload_under_way``.
    """
    now, since = bridge.clock(), operation.awaits_upload_since
    with bridge.store.reading() as tx:
        uploading = tx.uploading(operation.key, living_uploads(bridge))
    if not uploading:
        if since is not None:
            write(bridge, operation, awaits_upload_since=None)
        return None
    if since is None:
        log.info("waits for an attachment that is on its way", dialog=str(operation.dialog_id))
        write(bridge, operation, awaits_upload_since=now)
        return now + UPLOAD_PAUSE
    if now - since > upload_silence(bridge):
        log.warning("an attachment is on its way for too long to wait for it", dialog=str(operation.dialog_id))
        raise Refusal("upload_under_way", 409)
    return now + min(max(UPLOAD_PAUSE, (now - since) / 5), LONGEST_UPLOAD_PAUSE)


def _others_out(bridge: Bridge, operation: Operation) -> Behind | None:
    """Say what else nobody answered and may arrive at the element, and until when; None where nothing may."""
    now = bridge.clock()
    with bridge.store.reading() as tx:
        if tx.others_out(operation, since=now, now=now):
            return Behind(Open.OPERATION, tx.others_arrive_until(operation, now=now))
    until = max((until for _, until in look_for_uploads(bridge, operation.key)), default=None)
    return None if until is None else Behind(Open.ATTACHMENT, until)


def _decided(
    bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, operation: Operation, element: Element | None
) -> Decision:
    now = bridge.clock()
    # Metadata is asked for only where it counts.
    one = not may_arrive(operation, now) or one_signature(bridge, mapping)
    ended = None if element is not None else _ended(bridge, operation, action)
    return decide(action, operation, element, now=now, settle=bridge.settle, one_signature=one, ended=ended)


def _ended(bridge: Bridge, operation: Operation, action: ActionMapping) -> Ended | None:
    """
    Say how an element ended that is not to be found. What Altinn 2 answered with a yes needs no other witness.

    Raises:
        Unreachable: Altinn 2 does not list its bin now.
    """
    if operation.answered_at is not None:
        return None
    ended = sent_before(bridge, operation.dialog_id, operation.key, but=operation.id)
    if ended is not None or action.verb is not Verb.DELETE:
        return ended
    try:
        since = operation.accepted_at - LOOK_BACK
        deleted = deleted_before(bridge, operation.key, but=operation.id, since=since)
    except Rejected as error:
        log.warning("it cannot be seen whether an element that is gone was deleted", reason=error.reason)
        return None
    return Ended(ElementState.DELETED) if deleted else None


def _looked(bridge: Bridge, operation: Operation) -> Element | None:
    """
    Read the element; where a write may still arrive and nobody can see whether it did, the dialog is told so.

    Raises:
        UpstreamError: As for ``_read``.
    """
    try:
        return _read(bridge, operation)
    except Unreachable:
        _tell_if_open(bridge, operation)
        raise


def _waiting(bridge: Bridge, operation: Operation, moment: datetime) -> datetime:
    _tell_if_open(bridge, operation)
    return moment


def _held_back(bridge: Bridge, operation: Operation, behind: Behind) -> datetime:
    """Wait for what else may arrive at the element; the dialog is told, since that may take its time."""
    now = bridge.clock()
    if now >= operation.accepted_at + bridge.settle:
        tell_what_is_open(bridge, operation, behind.what, behind.until)
    soon = now + max(bridge.settle, SOONEST)
    return soon if behind.until is None else min(behind.until, soon)


def _tell_if_open(bridge: Bridge, operation: Operation) -> None:
    """Tell the dialog that the outcome is not known yet, once the write has had its usual time."""
    now = bridge.clock()
    sent = operation.sending_at
    if sent is not None and may_arrive(operation, now) and now >= sent + bridge.settle:
        tell_what_is_open(bridge, operation, Open.OUTCOME, operation.may_arrive_until)


def _read(bridge: Bridge, operation: Operation) -> Element | None:
    """Read the element without its content; if it has left its place, its archived copy."""
    try:
        return bridge.altinn2.read(operation.key, content=False)
    except Missing:
        pass
    archived_id = operation.archived_id
    if archived_id is None:
        with bridge.store.reading() as tx:
            link = tx.link(operation.dialog_id)
        archived_id = None if link is None else link.archived_id
    # A copy may be gone as well: what is known without it is for the decision.
    copy = None if archived_id is None else _or_none(lambda: _copy(bridge, operation, archived_id))
    return copy or bridge.altinn2.find_archived(operation.key, since=operation.accepted_at - LOOK_BACK)


def _copy(bridge: Bridge, operation: Operation, archived_id: str) -> Element | None:
    """Read the archived copy of that id; None where it is no copy of the operation's element."""
    copy = bridge.altinn2.read(replace(operation.key, message_id=archived_id), content=False)
    if copy.is_of(operation.key):
        return copy
    log.error("the archived copy that Altinn 2 named is another element's", element=operation.key.message_id)
    if operation.archived_id == archived_id:
        write(bridge, operation, archived_id=None)
    return None


def _advanced(
    bridge: Bridge, operation: Operation, element: Element | None, mapping: ServiceMapping, action: ActionMapping
) -> Operation:
    """
    Go on to the signature where the PUT that completes without carrying attachments left them in place.

    Or to Altinn 2's own validation, where what it is asked about is there.

    Or to completing, where all forms that were written one by one are there.

    Raises:
        Lost: It did not.
        Changed: Somebody else wrote between.
    """
    manifest = operation.manifest
    if _is(operation, Phase.UPDATING_FORMS):
        answered = operation
        operation, ours = after_form_updates(bridge, operation, element)
        if not ours and element is not None:
            raise Changed(element)
        if element is not None and _is(operation, Phase.WRITTEN):
            # By when they were answered: a draft that was sent just now is taken for ours.
            gone = missing_values(bridge, answered, element)
            if gone:
                raise Lost(element, gone)
        return operation
    if manifest is not None and manifest.phase is Phase.SAVING:
        return after_draft_saved(
            bridge, operation, element, lambda held: wanted_forms(bridge, operation, mapping, action, held)
        )
    if (
        manifest is None
        or manifest.phase is not Phase.COMPLETING_WITHOUT_SIGNATURE
        or operation.sending_at is None
        or element is None
    ):
        return operation
    moved = element.last_changed != operation.built_on
    if not moved or (element.state is ElementState.FORM_FILLING and operation.answered_at is None):
        return operation
    if element.state not in (ElementState.SIGNING, ElementState.FORM_FILLING):
        return operation
    if verify(manifest, element) is not Verification.WHOLE:
        raise Lost(element)
    if gone := missing_values(bridge, operation, element):
        raise Lost(element, gone)
    changed: dict[str, Any] = {
        "sent_forms": (),
        "sending_at": None,
        "answered_at": None,
        "may_arrive_until": None,
        "built_on": element.last_changed,
        "manifest": manifest.in_phase(Phase.ATTACHMENTS_VERIFIED),
        # A no to a repeat of what did arrive.
        "problem": None,
    }
    write(bridge, operation, **changed)
    return replace(operation, **changed)


def _send(
    bridge: Bridge,
    operation: Operation,
    mapping: ServiceMapping,
    action: ActionMapping,
    element: Element,
    *,
    looked: datetime,
) -> datetime | None:
    """Send, unless something else of ours was at work on the element since it was *looked* at."""
    try:
        call = _call(bridge, operation, mapping, action, element)
        # A draft can be saved again; whatever else is done stays done, and somebody has to be told of it.
        look = None if aim(action) is ElementState.FORM_FILLING else DialogLook(bridge, operation.dialog_id, action)
        _still_the_same(bridge, operation, element)
        if look is not None:
            look.refuse_what_it_forbids()
    except Refusal as refusal:
        return _end(bridge, operation, Outcome.REFUSED, refusal.problem, element=element)
    # From here on a crash leaves a trace: whoever takes over sees that a PUT may be out, and reads before sending.
    now = bridge.clock()
    sending: dict[str, Any] = {
        "sending_at": now,
        "may_arrive_until": latest_arrival(bridge),
        # Until now the dialog may have been told of others' writes only.
        "uncertain_at": None if operation.sending_at is None else operation.uncertain_at,
        "built_on": element.last_changed,
        "answered_at": None,
        "manifest": call.manifest,
        # A signature may follow the forms that it signs.
        "sent_forms": call.forms or operation.sent_forms,
        "held_forms": operation.held_forms if _is(operation, Phase.UPDATING_FORMS) or not call.forms else call.before,
    }
    other = _set_out(bridge, operation, since=looked, values=sending)
    if other is not None:
        return _held_back(bridge, operation, other)
    before = operation
    operation = replace(operation, **sending)
    try:
        location_id = call.send()
    except OutcomeUnknown as error:
        until = bridge.clock() + bridge.late if error.under_way else before.may_arrive_until
        write(bridge, operation, may_arrive_until=until)
        raise
    except Unreachable:
        # It never left us, so the next try need not wait for it to settle.
        write(bridge, operation, sending_at=before.sending_at, may_arrive_until=before.may_arrive_until)
        raise
    except Rejected as error:
        # This one is at its end; an earlier one may still arrive, and is not sent a third time.
        ended: dict[str, Any] = {"may_arrive_until": before.may_arrive_until}
        if may_arrive(before, bridge.clock()):
            ended["problem"] = _problem_of(error)
        write(bridge, operation, **ended)
        operation, before = replace(operation, **ended), replace(before, **ended)
        after = _read(bridge, operation)
        if _is(operation, Phase.UPDATING_FORMS) and after is not None and after.state is ElementState.FORM_FILLING:
            return _begin_roll_back(bridge, operation, error)
        # An earlier PUT of ours, or somebody else, may have brought the element there meanwhile.
        again = _decided(bridge, mapping, action, operation, after)
        signed_by_others = action.signs and before.sending_at is None
        if isinstance(again, Took) and signed_by_others and again.state is ElementState.ARCHIVED and after is not None:
            # Nothing of ours was out but this one, and its signature was not taken.
            again = replace(again, outcome=Outcome.REPEATED)
            return _repeated(bridge, operation, mapping, action, again, after)
        if isinstance(again, Took) and not signed_by_others:
            return _proved(bridge, operation, again, after)
        # Where it stood before is not where it stands, if it is not there any more.
        return _refused(bridge, before, error, element=None if after is None else element)
    answered = bridge.clock()
    if location_id == operation.key.message_id:
        # A PUT that archives nothing may answer with the element's own address.
        location_id = None
    told: dict[str, Any] = {"answered_at": answered, "archived_id": location_id, "may_arrive_until": None}
    write(bridge, operation, **told)
    operation = replace(operation, **told)
    if call.manifest is not None and call.manifest.phase in (
        Phase.COMPLETING_WITHOUT_SIGNATURE,
        Phase.SAVING,
        Phase.UPDATING_FORMS,
    ):
        return answered
    return _read_back(bridge, operation, mapping, action, location_id)


def _set_out(bridge: Bridge, operation: Operation, *, since: datetime, values: dict[str, Any]) -> Behind | None:
    """
    Write down that a write sets out, if nothing else is out for the element; else say what is waited for.

    Another dialog's operation may be at work on the same element, or have been since it was read: Altinn 2 has no lock,
    so ours is here.
    """
    now = bridge.clock()
    with bridge.store.transaction() as tx:
        tx.lock_element(operation.key)
        if tx.others_out(operation, since=since, now=now):
            return Behind(Open.OPERATION, tx.others_arrive_until(operation, now=now))
        if not tx.update(operation.id, now=now, held_by=bridge.holder, **values):
            raise LeaseLost(str(operation.id))
    return None


def _still_the_same(bridge: Bridge, operation: Operation, element: Element) -> None:
    """
    Look once more before sending: building took time, and a PUT overwrites what came meanwhile.

    Raises:
        Refusal: Somebody changed the element; what was built on it is not sent.
        Unreachable: It may have been an earlier PUT of ours: look at it as a whole.
    """
    try:
        now = bridge.altinn2.read(operation.key, content=False)
    except Missing as error:
        raise Unreachable(error.system, "the element left its place while a PUT was built") from error
    same = (now.last_changed, now.state, now.listed_forms, now.listed_attachments) == (
        element.last_changed,
        element.state,
        element.listed_forms,
        element.listed_attachments,
    )
    if not same and operation.sending_at is not None:
        raise Unreachable("Altinn 2", "the element changed while a PUT was built")
    if not same:
        raise Refusal("element_changed", 409)


def _call(
    bridge: Bridge, operation: Operation, mapping: ServiceMapping, action: ActionMapping, element: Element
) -> PlannedWrite:
    """
    Say what is sent: the whole, built on what was read and checked, or only what is to be done with it.

    Raises:
        Refusal: The action does not fit the element, or the form has faults.
    """
    service = mapping.altinn2
    if service is None or (element.service_code, element.service_edition) != (
        service.service_code,
        service.service_edition,
    ):
        raise Refusal("other_service_edition", 409)
    if action.verb is not Verb.PUT:
        return write_to_element(bridge, action, element)
    level = action.minimum_level if operation.level is None else operation.level
    refuse_what_rest_cannot_do(bridge, service, action, element, level=level)
    phase = Phase.WHOLE if operation.manifest is None else operation.manifest.phase
    if action.form is FormSource.NONE or element.state is ElementState.SIGNING:
        return write_signature(bridge, action, element, phase)
    if operation.manifest is not None and phase is Phase.ATTACHMENTS_VERIFIED:
        return complete_verified(bridge, action, element, operation.manifest)
    if phase is Phase.WRITTEN:
        if action.altinn_validation:
            refuse_what_altinn_refuses(bridge, element)
        return complete_without_content(bridge, action, element)
    if phase is Phase.SAVED:
        # What Altinn 2 is asked about is what is completed: nothing is put in any more.
        action = replace(action, form=FormSource.MESSAGE, set_values=(), calculate=False)
    sent = sent_content(operation.body if action.form is FormSource.BODY else None)
    refuse_what_is_not_allowed(action, sent)
    carried = bridge.altinn2.read_contents(element, attached=can_be_carried(bridge, element))
    resumed = phase is Phase.UPDATING_FORMS and operation.sending_at is not None
    if resumed:
        # Some of them are written already: made anew of those, the others might be others.
        forms = remaining_forms(bridge, operation, carried.forms)
    else:
        forms = wanted_forms(bridge, operation, mapping, action, carried.forms)
    check_forms(bridge, mapping, action, forms)
    building = DraftPut(element=element, held=carried, forms=forms, attachments=sent.attachments)
    if not resumed and (call := subform_call(bridge, action, building)) is not None:
        return call
    call = write_content(bridge, mapping, action, building)
    return prevalidated(bridge, mapping, action, building, saved=phase is Phase.SAVED, call=call)


def _read_back(
    bridge: Bridge, operation: Operation, mapping: ServiceMapping, action: ActionMapping, location_id: str | None
) -> datetime | None:
    after = None if location_id is None else _or_none(lambda: _copy(bridge, operation, location_id))
    if after is None:
        after = _or_none(lambda: bridge.altinn2.read(operation.key, content=False))
    if after is None and action.verb is not Verb.DELETE:
        after = bridge.altinn2.find_archived(operation.key, since=operation.accepted_at - LOOK_BACK)
    match _decided(bridge, mapping, action, operation, after):
        case Took() as took:
            return _proved(bridge, operation, took, after)
        case _:
            if after is not None and _was_lost(operation, after):
                return _lost(bridge, operation, after)
            # It said yes, and nothing moved: that is for the next try to look into.
            raise OutcomeUnknown("Altinn 2", "accepted a PUT, but the element does not show it", under_way=False)


def _proved(bridge: Bridge, operation: Operation, took: Took, after: Element | None) -> datetime | None:
    """Call it done only when all that was carried is seen to be there."""
    manifest = operation.manifest
    if manifest is None or took.outcome is not Outcome.DONE:
        return _took(bridge, operation, took, after)
    if after is not None and after.listed_attachments is None:
        key = after.key
        after = _or_none(lambda: bridge.altinn2.read(key, content=False))
    proof = Verification.NOT_SHOWN if after is None else verify(manifest, after)
    silent = operation.sending_at if operation.answered_at is None else None
    if (
        after is not None
        and proof is not Verification.NOT_SHOWN
        and silent
        and not is_our_write(bridge, operation, after, exactly=may_arrive(operation, bridge.clock()))
    ):
        settled = silent + bridge.settle
        return settled if bridge.clock() < settled else _changed(bridge, operation, after)
    if proof is Verification.LOST and after is not None:
        return _lost(bridge, operation, after)
    if proof is Verification.NOT_SHOWN:
        # A service that keeps no copy answers a completing PUT without Location (facts/altinn2.md 2.7).
        log.info("what was sent cannot be looked at any more: the service keeps no copy")
    elif after is not None and (gone := missing_values(bridge, operation, after)):
        return _lost(bridge, operation, after, gone)
    return _took(bridge, operation, took, after)


def _left_behind(bridge: Bridge, operation: Operation, action: ActionMapping, element: Element) -> bool:
    """Say whether what changed an element that was to be completed was our own PUT, which did not complete it."""
    if action.verb is not Verb.PUT or operation.sending_at is None or may_arrive(operation, bridge.clock()):
        return False
    return operation.answered_at is not None or is_our_write(bridge, operation, element, exactly=True)


def _was_lost(operation: Operation, element: Element) -> bool:
    """Say whether a PUT that went out left the element without something, wherever it took it."""
    manifest = operation.manifest
    if manifest is None or operation.sending_at is None or operation.built_on == element.last_changed:
        return False
    return verify(manifest, element) is Verification.LOST


def _lost(bridge: Bridge, operation: Operation, element: Element, gone: tuple[Finding, ...] = ()) -> datetime | None:
    """End with an alarm: the write took, and something that it carried is not there, or cannot be seen to be."""
    if gone and all(each.rule == NOT_COMPARABLE for each in gone):
        return _unverified(bridge, operation, element, gone, answered=operation.answered_at is not None)
    log.error(
        "something was lost on the way",
        forms=len(element.listed_forms or ()),
        attachments=len(element.listed_attachments or ()),
        expected=repr(operation.manifest),
    )
    problem = Problem(code="content_lost", status=502, findings=gone)
    return _end(bridge, operation, Outcome.GIVEN_UP, problem, element=element, landed=True)


def _unverified(
    bridge: Bridge, operation: Operation, element: Element, unknown: tuple[Finding, ...], *, answered: bool
) -> datetime | None:
    """
    End with an alarm: nobody can say whether all that was sent is there.

    Where Altinn 2 did not even say yes, nobody can say whether it was ours that moved the element.
    """
    log.error("what was sent could not be verified", forms=[each.facts.get("form") for each in unknown])
    problem = (
        Problem(code="content_unverified", status=502, findings=unknown)
        if answered
        else Problem(code="outcome_uncertain", status=504, findings=unknown)
    )
    return _end(bridge, operation, Outcome.GIVEN_UP, problem, element=element, landed=answered)


def _changed(bridge: Bridge, operation: Operation, element: Element) -> datetime | None:
    """End without what was wanted: somebody else changed the element, and what they wrote stays."""
    if not may_arrive(operation, bridge.clock()):
        log.warning("somebody else changed the element while a PUT without an answer was out")
    return _end(bridge, operation, Outcome.REFUSED, Problem(code="element_changed", status=409), element=element)


def _begin_roll_back(bridge: Bridge, operation: Operation, error: Rejected) -> datetime | None:
    """Altinn 2 took some of the forms and not this one: note its no, and that the others are to be put back."""
    log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
    manifest = None if operation.manifest is None else operation.manifest.in_phase(Phase.ROLLING_BACK)
    write(bridge, operation, manifest=manifest, problem=_problem_of(error))
    return bridge.clock()


def _problem_of(error: Rejected) -> Problem:
    findings = tuple(Finding(path=path, rule="refused_by_altinn") for path in error.keys)
    return replace(problem_for(error.reason), findings=findings)


def _roll_back(bridge: Bridge, operation: Operation, element: Element | None) -> datetime | None:
    problem = operation.problem or Problem(code="upstream_refused", status=502)
    if element is None:
        return _end(bridge, operation, Outcome.REFUSED, problem)
    if element.state is not ElementState.FORM_FILLING:
        return _changed(bridge, operation, element)
    try:
        left = forms_to_roll_back(bridge, operation)
        if left and may_arrive(operation, bridge.clock()):
            # One of these may be on its way: written again, it could overwrite what comes after us.
            return _waiting(bridge, operation, look_again(operation, now=bridge.clock(), settle=bridge.settle))
        for form in left or ():
            _form_rolled_back(bridge, operation, form)
    except Rejected as error:
        log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
        left = None
    if left is not None:
        return _end(bridge, operation, Outcome.REFUSED, problem, element=element, landed=True)
    log.error("some forms of a draft are written and others not, and they cannot be put back")
    return _end(bridge, operation, Outcome.GIVEN_UP, Problem(code="content_lost", status=502), element=element)


def _form_rolled_back(bridge: Bridge, operation: Operation, form: Form) -> None:
    now = bridge.clock()
    write(bridge, operation, sending_at=now, may_arrive_until=latest_arrival(bridge))
    try:
        bridge.altinn2.update_form(operation.key, form)
    except OutcomeUnknown as error:
        write(bridge, operation, may_arrive_until=bridge.clock() + bridge.late if error.under_way else None)
        raise
    except UpstreamError:
        write(bridge, operation, may_arrive_until=None)
        raise


def _is(operation: Operation, phase: Phase) -> bool:
    return operation.manifest is not None and operation.manifest.phase is phase


def _refused(
    bridge: Bridge, operation: Operation, error: Rejected, *, element: Element | None = None
) -> datetime | None:
    """End with Altinn 2's no; where an earlier PUT may be out and cannot be looked after, as uncertain."""
    log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
    call_for_a_level(bridge, operation.service_resource, error)
    if operation.sending_at is not None and element is None:
        return _end(bridge, operation, Outcome.GIVEN_UP, Problem(code="outcome_uncertain", status=504))
    return _end(bridge, operation, Outcome.REFUSED, _problem_of(error), element=element)


def _or_none(read: Callable[[], Element | None]) -> Element | None:
    try:
        return read()
    except Missing:
        return None


def _took(bridge: Bridge, operation: Operation, took: Took, after: Element | None) -> datetime | None:
    if took.outcome is Outcome.DONE and after is not None:
        note_brought(bridge, operation, after)
    write(
        bridge,
        operation,
        stage=Stage.SYNC,
        outcome=took.outcome,
        state_after=took.state.value,
        archived_id=took.archived_id,
        left_on=None if after is None else after.last_changed,
        copy=took.archived_id,
        may_arrive_until=None,
        # A signature leaves the others; what was saved or sent anew leaves none to remember.
        signed_anew=operation.signer == "" and took.outcome is Outcome.DONE and took.state in _ANEW,
        tries=0,
    )
    return None


def _end(
    bridge: Bridge,
    operation: Operation,
    outcome: Outcome,
    problem: Problem,
    *,
    element: Element | None = None,
    landed: bool = False,
    state: ElementState | None = None,
) -> datetime | None:
    """
    End without what was wanted, unless a write may still arrive: then nothing is decided, and it is looked for again.

    *landed* says that the write was seen to have arrived; *state* where an element stood that is not to be found.
    """
    now = bridge.clock()
    if not landed and may_arrive(operation, now):
        return _waiting(bridge, operation, look_again(operation, now=now, settle=bridge.settle))
    copy = element.key.message_id if element is not None and element.state is ElementState.ARCHIVED else None
    standing = state if element is None else element.state
    write(
        bridge,
        operation,
        stage=Stage.SYNC,
        outcome=outcome,
        problem=problem,
        state_after=None if standing is None else standing.value,
        archived_id=copy or operation.archived_id,
        copy=copy,
        may_arrive_until=None,
        tries=0,
    )
    return None
