"""What Altinn 2 checks of an update before it changes anything (facts/altinn2.md 2.7, 2.10, 3)."""

from dataclasses import replace

from bridge.sandbox.altinn2.model import (
    MAIN,
    SUB,
    Attachment,
    BadAttachment,
    BadUpdate,
    Element,
    Form,
    FormType,
    Invalid,
    NotAllowed,
    Service,
    Update,
)
from bridge.sandbox.altinn2.process import ONE_MAIN, same_kind
from bridge.sandbox.altinn2.rules import (
    attachment_fault,
    content_fault,
    judged,
    parsed_form,
)
from bridge.sandbox.altinn2.schemas import Schemas
from bridge.sandbox.core.switches import Switches


def checked_update(element: Element, order: Update, *, schemas: Schemas, switches: Switches) -> Update:
    """Check what needs no lock: the body against the service, its schemas and rules. Altinn 2's additions stay."""
    service = element.service
    if (order.service_code, order.service_edition) != (service.code, str(service.edition)):
        raise BadUpdate("ServiceCode and ServiceEdition do not match the element")
    if order.forms is None:
        if order.attachments:
            raise BadUpdate(ONE_MAIN)
        return order
    if service.encrypted:
        raise NotAllowed("Forms of an encrypted service cannot be updated")
    if sum(form.kind == MAIN for form in order.forms) != 1:
        raise BadUpdate(ONE_MAIN)
    for form in order.forms:
        kind = service.form_type(form.kind, form.data_format_id, form.data_format_version)
        if kind is None:
            place = "the service's form set" if form.kind == MAIN else "the service's subforms"
            raise BadUpdate(f"{form.kind} DataFormatId or DataFormatVersion is not in {place}")
        if kind.max_one and form.kind == SUB and sum(same_kind(each, form) for each in order.forms) > 1:
            raise BadUpdate("The subform can be added once only")
        parsed_form(form.data)
    for each in order.attachments:
        hold_against_rules(service, each, schemas=schemas, streamed=False, switches=switches)
    if not order.complete:
        if switches.validate_drafts:
            for form in order.forms:
                kind = service.form_type(form.kind, form.data_format_id, form.data_format_version)
                if kind is not None and not form.validated:
                    hold_against_schema(kind, form, schemas)
        return order
    found = judged(service, order.forms, schemas)
    if found.errors:
        raise Invalid(found.errors, found.warnings)
    return replace(order, forms=found.forms)


def hold_against_schema(kind: FormType, form: Form, schemas: Schemas) -> None:
    tree = parsed_form(form.data)
    faults = () if kind.schema is None else schemas.faults(kind.schema, tree)
    if faults:
        raise Invalid(faults)


def hold_against_rules(
    service: Service, attachment: Attachment, *, schemas: Schemas, streamed: bool, switches: Switches
) -> None:
    fault = attachment_fault(
        service,
        file_name=attachment.file_name,
        attachment_type=attachment.attachment_type,
        size=attachment.size,
        streamed=streamed,
        switches=switches,
    ) or content_fault(service, attachment, schemas)
    if fault is not None:
        raise BadAttachment(fault)
