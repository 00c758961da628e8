"""What a caller sent with an action: a form in XML, or a message with forms and attachments as Altinn 2 takes them."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bridge.core.elements import Attachment, Form, InMemory, Sent
from bridge.core.errors import ConfigurationError, Fault, errors_of
from bridge.core.mapping import ActionMapping, FormFormat, FormKind, FormSource, FormSpec, ServiceMapping, Validation
from bridge.core.operations import Link
from bridge.core.problems import Refusal, form_invalid
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.json_positions import all_of_json, said_of_json
from bridge.forms.conversion.media import charset_of, essence, kind_of
from bridge.forms.xml.input import UTF8_NAMES, Unreadable, in_charset
from bridge.parts import Bridge
from bridge.steps.forms.message import AttachmentEntry, FormEntry, Removal, hold_against, read_message

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

MESSAGE = "application/hal+json"
"""What a message with forms and attachments is sent as; every other JSON is a form."""


def is_message(body: bytes) -> bool:
    """Whether *body* is a message rather than the form itself: JSON begins with a brace, XML never does."""
    return body.lstrip()[:1] == b"{"


def in_its_charset(content_type: str, body: bytes) -> bytes:
    """
    *body* so that it says itself how it is written: XML may be in another encoding by its Content-Type alone.

    JSON is read as UTF-8: said to be in another encoding, its letters would be others.

    Raises:
        Refusal: 415 for a charset that is not known, or is not the body's.
    """
    charset = charset_of(content_type)
    if charset is None:
        return body
    if kind_of(content_type) is not FormFormat.XML:
        if charset not in UTF8_NAMES:
            raise Refusal("body_coding", 415)
        return body
    try:
        return in_charset(body, charset)
    except Unreadable as error:
        raise Refusal("body_coding", 415) from error


def form_or_message(
    bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, link: Link, media_type: str, body: bytes
) -> bytes:
    """
    Turn what was sent into what an operation keeps: XML, or a message about the element of *link*.

    Raises:
        Refusal: 400 where the action takes no body, and for a message with anything unknown in it, 415 for another
            kind of body, 422 for JSON that the form's schemas do not take.
    """
    if action.form is not FormSource.BODY:
        raise Refusal("body_not_expected", 400)
    if essence(media_type) == MESSAGE:
        hold_against(read_message(body), mapping, link)
        return body
    match kind_of(media_type):
        case FormFormat.XML if not is_message(body):
            return body
        case FormFormat.JSON:
            return _from_json(bridge, mapping, action, body=body)
        case _:
            raise Refusal("body_type", 415)


def takes_json(bridge: Bridge, mapping: ServiceMapping) -> bool:
    """Whether a form in JSON can be turned into XML: its schema makes a converter, and its root is known."""
    main = next((spec for spec in mapping.forms if spec.kind is FormKind.MAIN), None)
    try:
        return main is not None and converter_of(bridge, main).root is not None
    except ConfigurationError:
        return False


def _from_json(bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, body: bytes) -> bytes:
    main = next((spec for spec in mapping.forms if spec.kind is FormKind.MAIN), None)
    if main is None or main.schema is None:
        raise Refusal("json_not_taken", 415)
    if main.json_schema is not None and action.validate is not Validation.OFF:
        # What it says beyond the XSD is lost once the form is XML, which is held against the XSD before it is sent.
        findings = bridge.schemas.json.check(main.json_schema, body)
        if findings and action.validate is Validation.STRICT:
            raise form_invalid(findings)
        if findings:
            log.warning("the form has faults and is sent all the same", faults=len(findings))
    told_at_once = action.validate is Validation.STRICT and not action.set_values and not action.calculates
    try:
        converter = converter_of(bridge, main)
        form = converter.to_xml(body)
    except Unreadable as error:
        raise form_invalid((error.finding,)) from error
    except Unconvertible as error:
        findings = error.findings
        if told_at_once:
            findings = all_of_json(
                error, converter, body, check=lambda xml: errors_of(bridge.schemas.check_form(main, xml))
            )
        raise form_invalid(findings) from error
    except ConfigurationError as error:
        raise _unset(bridge, mapping, main, error=error) from error
    if told_at_once:
        # Later nobody knows any more where in the JSON it stood.
        errors = errors_of(bridge.schemas.check_form(main, form))
        if errors:
            raise form_invalid(said_of_json(errors, converter, body, limits=bridge.schemas.limits))
    return form


def _unset(bridge: Bridge, mapping: ServiceMapping, main: FormSpec, *, error: ConfigurationError) -> Refusal:
    """Tell the operator why *main* cannot be taken as JSON, and give what its sender is told."""
    several = main.root is None and main.schema is not None and len(bridge.schemas.roots(main.schema)) > 1
    log.warning(
        "forms in JSON cannot be taken: the mapping names no root"
        if several
        else "forms in JSON cannot be taken: the schema makes no converter",
        mapping=f"{mapping.source}: forms[{mapping.forms.index(main)}]",
        schema=main.schema,
        why="; ".join(fault.message for fault in error.faults),
    )
    return Refusal("json_root_unsaid" if several else "json_not_taken", 415)


def converter_of(bridge: Bridge, spec: FormSpec) -> Converter:
    """The converter of the schema of *spec*. Raises ConfigurationError where it has none that can be one."""
    if spec.schema is None:
        raise ConfigurationError([Fault(where="", message="the form has no schema")])
    return bridge.schemas.converter(spec.schema, spec.root)


def sent_content(body: bytes | None) -> Sent:
    """
    The forms, attachments and removals in a message that was sent; empty for a form in XML.

    Raises:
        Refusal: ``message_invalid``, with every member that is wrong.
    """
    if body is None or not is_message(body):
        return Sent((), ())
    content = read_message(body).content
    return Sent(
        tuple(_form(each) for each in content.forms if isinstance(each, FormEntry)),
        tuple(map(_attachment, content.attachments)),
        tuple(each.form_id for each in content.forms if isinstance(each, Removal)),
    )


def merged_forms(held: Sequence[Form], sent: Sequence[Form], removed: Sequence[int] = ()) -> tuple[Form, ...]:
    """
    Put what was sent in the place of what is held; what was not sent stays, and what is new comes last.

    A form with an id takes the place of that one; others of one key go in order, the first sent in the place of the
    first held. A subform without data is always a new one.

    Raises:
        Refusal: The main form that was sent is not the element's, or a form that is named is not there.
    """
    for form_id in removed:
        if not any(each.form_id == form_id and each.kind is FormKind.SUB for each in held):
            raise _not_there(str(form_id))
    forms, new = [each for each in held if each.form_id not in removed], []
    taken: set[int] = set()
    for form in sorted(sent, key=lambda each: each.form_id is None):
        place = next((at for at, each in enumerate(forms) if at not in taken and _is_meant(each, form)), None)
        if place is not None:
            taken.add(place)
            forms[place] = replace(forms[place], data=form.data)
        elif form.form_id is not None or form.kind is FormKind.MAIN:
            raise _not_there(f"{form.data_format_id}/{form.data_format_version}")
        else:
            new.append(form)
    return (*forms, *new)


def _is_meant(held: Form, sent: Form) -> bool:
    if _key(held) != _key(sent) or not sent.data:
        return False
    return sent.form_id is None or sent.form_id == held.form_id


def _not_there(name: str) -> Refusal:
    return Refusal("form_unknown", 422, facts={"form": name})


def _key(form: Form) -> tuple[FormKind, str, str]:
    return form.kind, form.data_format_id, form.data_format_version


def _form(form: FormEntry) -> Form:
    return Form(
        kind=FormKind(form.kind),
        data_format_id=form.data_format_id,
        data_format_version=form.data_format_version,
        data=form.data,
        form_id=form.form_id if form.has("form_id") else None,
    )


def _attachment(attachment: AttachmentEntry) -> Attachment:
    return Attachment(
        attachment_type=attachment.attachment_type,
        file_name=attachment.file_name,
        size=len(attachment.data),
        content=InMemory(attachment.data),
    )
