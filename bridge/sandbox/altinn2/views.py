"""How Altinn 2 shows elements, forms and attachments: HAL+JSON with absolute links (facts/altinn2.md 1.3, 2.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.sandbox.altinn2.model import Attachment, Element, Finding, Form, Letter, State, Validation, status_text
from bridge.sandbox.core.switches import Switches

# Seen on elements in form filling only; 1 for signing is a guess of the facts (2.4).
_AVAILABLE_ACTION = {State.FORM_FILLING: 2, State.SIGNING: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where the links of one answer point: *host* is the sandbox, *who* as the request had it."""

    host: str
    api: str
    who: str
    language: str
    switches: Switches

    def messages_href(self) -> str:
        """The address of the list."""
        return f"{self.api}/{self.who}/messages"

    def element_href(self, element_id: str) -> str:
        """The address of an element."""
        return f"{self.messages_href()}/{element_id}"

    def element(self, element: Element, *, whole: bool) -> dict[str, Any]:
        """Show an element; list entries (not *whole*) have no links to forms and attachments."""
        letter = element.letter
        shown: dict[str, Any] = {
            "MessageId": element.id,
            "Subject": element.subject,
            "Status": status_text(element, self.language),
            "LastChangedDateTime": self._date(element.changed),
            "CreatedDate": self._date(element.created),
            "LastChangedBy": element.changed_by if letter is None else element.service.owned(self.language),
            "ServiceOwner": element.service.owned(self.language),
            "Type": element.service.kind,
            "ServiceCode": element.service.code,
            "ServiceEdition": element.service.edition,
            "MarkedUnread": element.state is State.UNREAD,
        }
        if element.original_id is not None:
            shown["OriginalId"] = element.original_id
        if element.state in _AVAILABLE_ACTION and self.switches.available_action == "numbered":
            shown["AvailableAction"] = _AVAILABLE_ACTION[element.state]
        if letter is not None:
            shown.update(self._letter(letter, whole=whole))
        shown["_links"] = self._links(element, whole=whole)
        return shown

    def _letter(self, letter: Letter, *, whole: bool) -> dict[str, Any]:
        found: dict[str, Any] = {
            "MessageSender": letter.sender,
            "DueDate": None if letter.due is None else self._date(letter.due),
            "ReplyOptions": [dict(each) for each in letter.reply_options],
        }
        if whole:
            number = letter.archive_reference
            found["ArchiveReference"] = None if number is None else f"AR{number[1:]}"
            found |= {"Summary": letter.summary, "Body": letter.body}
        return {name: value for name, value in found.items() if value not in (None, [])}

    def message_list(self, elements: Sequence[Element]) -> dict[str, Any]:
        """Show a page of the list."""
        find = {"href": f"{self.messages_href()}/{{MessageId}}", "isTemplated": True}
        return {
            "_links": {"self": {"href": self.messages_href()}, "find": find},
            "_embedded": {"messages": [self.element(each, whole=False) for each in elements]},
        }

    def form(self, element: Element, form: Form, *, with_id: bool = False) -> dict[str, Any]:
        """Show a form without its data; in lists *with_id*."""
        href = f"{self.element_href(element.id)}/forms/{form.id}"
        identity = {"FormId": form.id} if with_id else {}
        return {
            **identity,
            "Type": form.kind,
            "DataFormatId": form.data_format_id,
            "DataFormatVersion": _number(form.data_format_version),
            "ValidationStatus": "Valid" if form.validated else "NotValidated",
            "Name": form.name,
            "SigningLocked": element.state is State.SIGNING,
            "SignedByDefault": True,
            "_links": {
                "self": {"href": href},
                "formdata": {"href": f"{href}/formdata", "mime-type": "application/xml"},
            },
        }

    def form_list(self, element: Element) -> dict[str, Any]:
        """Show an element's forms."""
        return {
            "_links": {"self": {"href": f"{self.element_href(element.id)}/forms"}},
            "_embedded": {"forms": [self.form(element, form, with_id=True) for form in element.forms]},
        }

    def attachment_list(self, element: Element) -> dict[str, Any]:
        """Show an element's attachments."""
        return {
            "_links": {"self": {"href": f"{self.element_href(element.id)}/attachments"}},
            "_embedded": {"attachments": [self._attachment(element, each) for each in element.attachments]},
        }

    def _attachment(self, element: Element, attachment: Attachment) -> dict[str, Any]:
        href = self.attachment_href(element, attachment)
        return {
            "FileName": attachment.file_name,
            "Name": _stem(attachment.file_name),
            "AttachmentLink": href,
            "AttachmentType": attachment.attachment_type,
            "AttachmentTypeLocalized": attachment.attachment_type,
            "Encrypted": False,
            "SigningLocked": False,
            "SignedByDefault": True,
            "FileSize": self._size(attachment),
            "_links": {"self": {"href": href}},
        }

    def attachment_href(self, element: Element, attachment: Attachment) -> str:
        """The address of an attachment."""
        return f"{self.element_href(element.id)}/attachments/{attachment.id}"

    def form_href(self, element: Element, form: Form) -> str:
        """The address of a form."""
        return f"{self.element_href(element.id)}/forms/{form.id}"

    def _size(self, attachment: Attachment) -> int:
        return -1 if self.switches.file_size_unknown else attachment.size

    def _date(self, moment: datetime) -> str:
        return local(moment) if self.switches.date_format == "local" else with_offset(moment)

    def _links(self, element: Element, *, whole: bool) -> dict[str, Any]:
        href, service = self.element_href(element.id), element.service
        links: dict[str, Any] = {"self": {"href": href}}
        if element.letter is None:
            kind = "application/pdf" if self.switches.print_type == "pdf" else "application/text-html"
            links["print"] = {"href": f"{href}/print", "mime-type": kind}
        links["metadata"] = {"href": f"{self.api}/metadata/{service.kind.lower()}/{service.code}/{service.edition}"}
        if element.letter is not None and element.state is not State.DELETED:
            links["portalview"] = {
                "href": f"{self.host}/Pages/ServiceEngine/Correspondence/Open.aspx?ID={element.id[1:]}"
            }
        elif element.state in (*_AVAILABLE_ACTION, State.PAYMENT):
            page = f"{self.host}/Pages/ServiceEngine/FormsEngine/FillInForm.aspx"
            query = f"ReporteeElementID={element.id[1:]}&ESC={service.code}&ESEC={service.edition}"
            links["portalview"] = {"href": f"{page}?{query}"}
        if element.state is State.SIGNING:
            links["signingtext"] = {"href": f"{href}/signingtext"}
        if element.state is State.PAYMENT:
            links["payment"] = {"href": f"{self.host}/Pages/ServiceEngine/Payment/Pay.aspx?ID={element.id[1:]}"}
        if whole and element.letter is not None and element.letter.archive_reference is not None:
            links["archivereference"] = {"href": self.element_href(element.letter.archive_reference)}
        if not whole:
            return links
        if element.letter is None:
            links["form"] = self._form_links(element)
        if element.attachments:
            links["attachment"] = self._attachment_links(element)
        return links

    def _form_links(self, element: Element) -> list[dict[str, Any]]:
        return [
            {
                "href": self.form_href(element, form),
                "name": form.name,
                "signinglocked": element.state is State.SIGNING,
                "signedbydefault": True,
            }
            for form in element.forms
        ]

    def _attachment_links(self, element: Element) -> list[dict[str, Any]]:
        return [
            {
                "href": self.attachment_href(element, each),
                "name": _stem(each.file_name),
                "fileName": each.file_name,
                "encrypted": False,
                "signinglocked": False,
                "signedbydefault": True,
                "filesize": self._size(each),
            }
            for each in element.attachments
        ]


def validation_body(found: Validation) -> dict[str, Any]:
    """Show what ``validate`` found."""
    return {
        "Success": not found.errors,
        "ValidationErrors": finding_list(found.errors),
        "ValidationWarnings": finding_list(found.warnings),
    }


def finding_list(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Show findings."""
    return [{"FieldName": each.field, "ErrorMessage": each.message, "FieldXPath": each.xpath} for each in findings]


def plain_json(resource: Mapping[str, Any]) -> Any:
    """Show a HAL resource as plain JSON: lists are bare arrays, links vanish (facts/altinn2.md 1.3)."""
    embedded = resource.get("_embedded")
    if isinstance(embedded, Mapping):
        return [plain_json(each) for values in embedded.values() for each in values]
    return {key: _without_links(value) for key, value in resource.items() if key != "_links" and value is not None}


def _without_links(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: each for key, each in value.items() if key != "_links" and each is not None}
    return [_without_links(each) for each in value] if isinstance(value, list) else value


def local(moment: datetime) -> str:
    """A time in Altinn 2's words: Oslo's clock without a zone, and 0 to 3 fraction digits."""
    there = (moment.astimezone(UTC) + oslo_offset(moment)).replace(tzinfo=None)
    fraction = f"{there.microsecond // 1000:03}".rstrip("0")
    return there.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "")


def with_offset(moment: datetime) -> str:
    """A time with Oslo's offset and seven fraction digits, as the samples of the help pages have it."""
    offset = oslo_offset(moment)
    there = (moment.astimezone(UTC) + offset).replace(tzinfo=None)
    return f"{there:%Y-%m-%dT%H:%M:%S}.{there.microsecond:06}0+{offset.seconds // 3600:02}:00"


def oslo_offset(moment: datetime) -> timedelta:
    """How far Oslo is ahead of UTC: summer time between the last Sundays of March and October, 01:00 UTC."""
    utc = moment.astimezone(UTC)
    begins, ends = (_last_sunday(utc.year, month) for month in (3, 10))
    return timedelta(hours=2 if begins <= utc < ends else 1)


def utc_from_local(text: str) -> datetime:
    """
    The moment that a time in Oslo without a zone stands for, 0 to 7 fraction digits.

    Raises:
        ValueError: It is not one.
    """
    whole, _, fraction = text.partition(".")
    naive = datetime.fromisoformat(f"{whole}.{fraction[:6]}" if fraction else whole)
    if naive.tzinfo is not None:
        return naive.astimezone(UTC)
    guess = naive.replace(tzinfo=UTC)
    return guess - oslo_offset(guess - timedelta(hours=1))


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _stem(file_name: str) -> str:
    stem, dot, _ = file_name.rpartition(".")
    return stem if dot else file_name


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
