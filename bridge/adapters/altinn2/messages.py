"""Elements: as Altinn 2 shows and lists them, and the bodies that replace and sign them (facts/altinn2.md 2)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.adapters.altinn2.errors import ListTruncated, UnsafeUpdate
from bridge.adapters.altinn2.orders import ElementKey, PutMessage
from bridge.adapters.altinn2.states import state_of
from bridge.adapters.altinn2.streams import Body, base64_length, base64_pieces
from bridge.adapters.altinn2.wire import MESSAGE_ID, NUMBER, SYSTEM, field, last_segment, links, text, unreadable
from bridge.core.altinn_dates import altinn_date, parse_altinn_date
from bridge.core.elements import Attachment, Element, Form, Listed
from bridge.core.mapping import AfterUpdate

PAGE = 50
"""Elements in a full page of a list."""

NARROWEST = timedelta(seconds=10)
"""The window of a list that is not halved any more."""

# Altinn 2 takes a flag that is left out for true, so both are always sent.
FLAGS: Mapping[AfterUpdate, Mapping[str, str]] = {
    after: {"complete": str(after.value[0]).lower(), "sign": str(after.value[1]).lower()} for after in AfterUpdate
}


@dataclass(frozen=True, slots=True)
class Window:
    """What one page of a list is asked for: what changed from *since* to *until*, less the first *skip*."""

    since: datetime
    until: datetime | None
    skip: int

    def query(self) -> dict[str, str]:
        """The query; ``dateTo`` is taken one second late, since queries have whole seconds."""
        query = {"dateFrom": altinn_date(self.since)}
        if self.until is not None:
            query["dateTo"] = altinn_date(self.until + timedelta(seconds=1))
        if self.skip:
            query["$skip"] = str(self.skip)
        return query

    def halves(self, now: datetime) -> list["Window"]:
        """Divide it. Raises ListTruncated when it is as narrow as it gets."""
        width = (self.until or now) - self.since
        if width <= NARROWEST:
            raise ListTruncated(SYSTEM, "more elements than it lists changed at once", reason="list_truncated")
        middle = self.since + width / 2
        return [Window(self.since, middle, 0), Window(middle, self.until, 0)]

    def next(self) -> "Window":
        """The following page."""
        return Window(self.since, self.until, self.skip + PAGE)


def element_from(who: str, body: Mapping[str, object], *, whole: bool) -> Element:
    """The element that a message tells of; only a *whole* one says which forms and attachments it has."""
    status = text(body, "Status")
    try:
        edition, changed = int(text(body, "ServiceEdition")), parse_altinn_date(text(body, "LastChangedDateTime"))
    except ValueError as error:
        raise unreadable("ServiceEdition or LastChangedDateTime") from error
    message_id = text(body, "MessageId")
    if not MESSAGE_ID.fullmatch(message_id):
        raise unreadable("MessageId")
    return Element(
        case=ElementKey(who=who, message_id=message_id).case,
        state=state_of(status),
        status_text=status,
        service_code=text(body, "ServiceCode"),
        service_edition=edition,
        last_changed=changed,
        original_id=text(body, "OriginalId", default="") or None,
        forms=(),
        attachments=(),
        listed_forms=tuple(_listed(body, "form")) if whole else None,
        listed_attachments=tuple(_listed(body, "attachment")) if whole else None,
        page=next((text(each, "href", default="") for each in links(body, "portalview")), None) or None,
        type=text(body, "Type", default="FormTask"),
        payment=any(True for _ in links(body, "payment")),
        subject=text(body, "Subject", default="").strip(),
        created=_date_or_none(body, "CreatedDate"),
        due=_date_or_none(body, "DueDate"),
    )


def _date_or_none(body: Mapping[str, object], name: str) -> datetime | None:
    """The date, or None where it is missing or none: nothing depends on it that would be worth losing the element."""
    try:
        return parse_altinn_date(text(body, name, default=""))
    except ValueError:
        return None


def check(order: PutMessage) -> None:
    """
    Refuse what would delete something, before it is sent.

    Raises:
        UnsafeUpdate: Nothing was sent.
    """
    if any(attachment.content is None for attachment in order.attachments):
        raise UnsafeUpdate("an attachment without its content would be deleted")
    if order.forms:
        return
    if order.attachments or not order.after.value[0]:
        raise UnsafeUpdate("without forms, attachments are deleted and nothing is completed")
    if order.after is not AfterUpdate.SIGN_AND_ARCHIVE and not order.bare:
        raise UnsafeUpdate("without forms, only signing what is there is safe")


def put_body(order: PutMessage) -> Body:
    """The body of a PUT; attachments become base64 while it is sent."""
    head: dict[str, object] = {
        "Type": "FormTask",
        "ServiceCode": order.service_code,
        "ServiceEdition": order.service_edition,
    }
    embedded = _signature(order)
    if not order.forms:
        whole = json.dumps({**head, **({"_embedded": embedded} if embedded else {})}).encode()
        return Body([whole], len(whole))
    inside = {**embedded, "forms": [_form_body(form) for form in order.forms]}
    # The list of attachments comes last, so that all before it is one piece.
    start = json.dumps({**head, "_embedded": {**inside, "attachments": []}}).encode()[: -len("]}}")]
    return attachments_body(start, order.attachments, b"]}}")


def attachments_body(start: bytes, attachments: tuple[Attachment, ...], end: bytes) -> Body:
    """The attachments' entries between *start* and *end*."""
    heads = [_before_data(each, first=index == 0) for index, each in enumerate(attachments)]
    contents = [each.content for each in attachments if each.content is not None]
    length = len(start) + len(end)
    length += sum(len(head) + base64_length(content.size) + 2 for head, content in zip(heads, contents, strict=True))

    def pieces() -> Iterator[bytes]:
        yield start
        for head, content in zip(heads, contents, strict=True):
            yield head
            yield from base64_pieces(content)
            yield b'"}'
        yield end

    return Body(pieces(), length)


def _before_data(attachment: Attachment, *, first: bool) -> bytes:
    entry = {"FileName": attachment.file_name, "AttachmentType": attachment.attachment_type, "Data": ""}
    return (b"" if first else b", ") + json.dumps(entry).encode()[:-2]


def _form_body(form: Form) -> Mapping[str, object]:
    return {
        "Type": form.kind.value,
        "DataFormatId": form.data_format_id,
        "DataFormatVersion": form.data_format_version,
        "FormData": form.data,
    }


def _signature(order: PutMessage) -> Mapping[str, object]:
    if order.signature is None:
        return {}
    ids = {"FormIds": list(order.signature.form_ids), "AttachmentIds": list(order.signature.attachment_ids)}
    return {"SignatureSpec": ids}


def _listed(body: Mapping[str, object], relation: str) -> Iterator[Listed]:
    for link in links(body, relation):
        end = last_segment(text(link, "href", default=""))
        if NUMBER.fullmatch(end):
            size = text(link, "filesize", default="-1")
            yield Listed(
                id=int(end),
                # Elements from before release 18.11 have the name alone.
                name=text(link, "fileName", default="") or text(link, "name", default=""),
                size=int(size) if NUMBER.fullmatch(size) else None,
                locked=field(link, "signinglocked") is True,
                by_default=field(link, "signedbydefault") is not False,
            )
