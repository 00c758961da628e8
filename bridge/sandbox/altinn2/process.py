"""What the flags and the service's process make of an element (facts/altinn2.md 2.7, 2.8; no lock, no ledger here)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.sandbox.altinn2.model import (
    MAIN,
    Act,
    BadUpdate,
    Element,
    Finding,
    Form,
    Invalid,
    NoSuchPart,
    NotAllowed,
    Service,
    SignatureSpec,
    State,
    Update,
)
from bridge.sandbox.altinn2.rules import as_kept, count_findings, empty_form, judged
from bridge.sandbox.altinn2.schemas import Schemas
from bridge.sandbox.core.switches import Switches

ONE_MAIN = "There must be exactly one form of Type MainForm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What a process needs from outside: compiled schemas, and ids for what is new."""

    schemas: Schemas
    next_id: Callable[[], int]


def after(element: Element, order: Update, act: Act, *, process: Process) -> Element:
    """
    How an element stands after an update that was checked.

    Raises:
        NotAllowed: Its state or the service's process forbids it.
        BadUpdate: The signature names what is not there.
        Invalid: What is completed breaks a rule.
    """
    service = element.service
    if element.state in (State.ARCHIVED, State.DELETED):
        raise NotAllowed(f"The element has already been {element.state.value}")
    completing = order.complete and order.sign
    if completing and service.payment:
        raise NotAllowed("The service has a payment step, which cannot be done over REST")
    if completing and service.user_controlled_signing and element.state is State.FORM_FILLING:
        raise NotAllowed("The service needs the signature of others: use sign=false")
    filling = element.state is State.FORM_FILLING
    element = _overwritten(element, order, act.switches, next_id=process.next_id)
    if not order.complete:
        return replace(element, state=State.FORM_FILLING, signatures=0, signers=frozenset())
    _check_complete(element, order, process.schemas, was_filling=filling)
    if not order.sign:
        # Stops before archiving even where no signing step exists (status_transitions.json).
        return replace(element, state=_after_filling(service))
    _check_signature(element, order.signed)
    if service.unique_signers and act.user in element.signers:
        raise NotAllowed("The user has already signed the element")
    signatures = element.signatures + (1 if service.signing_steps else 0)
    done = signatures >= service.signing_steps
    return replace(
        element,
        state=State.ARCHIVED if done else State.SIGNING,
        signatures=signatures,
        signers=element.signers | {act.user},
    )


def _check_complete(element: Element, order: Update, schemas: Schemas, *, was_filling: bool) -> None:
    """Hold what is completed against the rules that count then: attachments, and forms that no body brought."""
    findings = count_findings(element) if was_filling or order.forms is not None else ()
    warnings: tuple[Finding, ...] = ()
    if was_filling and order.forms is None:
        found = judged(element.service, element.forms, schemas)
        findings, warnings = (*found.errors, *findings), found.warnings
    if findings:
        raise Invalid(findings, warnings)


def _overwritten(element: Element, order: Update, switches: Switches, *, next_id: Callable[[], int]) -> Element:
    if order.forms is not None:
        kept = switches.form_ids_after_put == "kept"
        old_forms = [form.id for form in element.forms] if kept else []
        old_attachments = [each.id for each in element.attachments] if kept else []
        return replace(
            element,
            forms=tuple(
                replace(
                    form,
                    id=_reused(old_forms, next_id),
                    name=_form_name(element.service, form),
                    data=as_kept(form.data, switches.put_forms),
                )
                for form in order.forms
            ),
            attachments=tuple(replace(each, id=_reused(old_attachments, next_id)) for each in order.attachments),
            signatures=0,
            signers=frozenset(),
        )
    if element.state is State.SIGNING:
        return element
    match switches.bare_put_in_formfilling:
        case "complete":
            return element
        case "reject":
            raise NotAllowed(ONE_MAIN)
        case _:
            # The main form stays: without one the service would refuse, which is the case above.
            return replace(element, forms=tuple(f for f in element.forms if f.kind == MAIN), attachments=())


def _check_signature(element: Element, spec: SignatureSpec | None) -> None:
    if spec is None:
        return
    forms, attachments = {form.id for form in element.forms}, {each.id for each in element.attachments}
    if not spec.form_ids <= forms or not spec.attachment_ids <= attachments:
        raise BadUpdate("SignatureSpec names forms or attachments that the element does not have")
    if not forms <= spec.form_ids:
        raise BadUpdate("SignatureSpec leaves out forms that must be signed")


def prefilled(order: Update, service: Service) -> Update:
    """
    *order* with the service's own main form where it has no forms, for a draft.

    Raises:
        BadUpdate: It is no draft.
    """
    main = service.main()
    if order.forms is not None:
        return order
    if order.complete or main is None or order.attachments:
        raise BadUpdate(ONE_MAIN)
    form = Form(
        kind=MAIN,
        data_format_id=main.data_format_id,
        data_format_version=main.data_format_version,
        data=empty_form(main),
        name=main.name,
        # Altinn 2 does not hold its own prefill against the schema.
        validated=True,
    )
    return replace(order, forms=(form,))


def _after_filling(service: Service) -> State:
    if service.payment:
        return State.PAYMENT
    return State.SIGNING if service.signing_steps else State.FORM_FILLING


def must_be_filling(element: Element) -> Element:
    """
    *element*, which is in form filling.

    Raises:
        NotAllowed: It is not.
    """
    if element.state in (State.ARCHIVED, State.DELETED):
        raise NotAllowed(f"The element has already been {element.state.value}")
    if element.state is not State.FORM_FILLING:
        raise NotAllowed("The element is not in form filling")
    return element


def form_of(element: Element, form_id: int) -> Form:
    """
    The element's form with this id.

    Raises:
        NoSuchPart: There is none.
    """
    for form in element.forms:
        if form.id == form_id:
            return form
    raise NoSuchPart


def _form_name(service: Service, form: Form) -> str:
    kind = service.form_type(form.kind, form.data_format_id, form.data_format_version)
    return form.name if kind is None else kind.name


def same_kind(one: Form, other: Form) -> bool:
    """Whether two forms are of one type."""
    return (one.kind, one.data_format_id, one.data_format_version) == (
        other.kind,
        other.data_format_id,
        other.data_format_version,
    )


def _reused(ids: list[int], next_id: Callable[[], int]) -> int:
    return ids.pop(0) if ids else next_id()
