"""How Altinn 2 shows elements, forms and attachments: HAL+JSON with absolute links (facts/altinn2.md 1.3, 2.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.sandbox.altinn2_state import TEXTS, Attachment, Element, Form, State

# Seen on elements in form filling only; 1 for signing is a guess of the facts (2.4).
_AVAILABLE_ACTION = {State.FORM_FILLING: 2, State.SIGNING: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where the links of one answer point: *host* is the sandbox, *who* as the request had it."""

    host: str
    api: str
    who: str
    language: str

    def messages_href(self) -> str:
        """The address of the list."""
        return f"{self.api}/{self.who}/messages"

    def element_href(self, element_id: str) -> str:
        """The address of an element."""
        return f"{self.messages_href()}/{element_id}"

    def element(self, element: Element, *, whole: bool) -> dict[str, Any]:
        """Show an element; list entries (not *whole*) have no links to forms and attachments."""
        shown: dict[str, Any] = {
            "MessageId": element.id,
            "Subject": element.subject,
            "Status": TEXTS[element.state][self.language],
            "LastChangedDateTime": local(element.changed),
            "CreatedDate": local(element.created),
            "LastChangedBy": element.changed_by,
            "ServiceOwner": element.service.owner,
            "Type": "FormTask",
            "ServiceCode": element.service.code,
            "ServiceEdition": element.service.edition,
        }
        if element.original_id is not None:
            shown["OriginalId"] = element.original_id
        if element.state in _AVAILABLE_ACTION:
            shown["AvailableAction"] = _AVAILABLE_ACTION[element.state]
        shown["_links"] = self._links(element, whole=whole)
        return shown

    def message_list(self, elements: list[Element]) -> dict[str, Any]:
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
            "ValidationStatus": "NotValidated",
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
        href = self._attachment_href(element, attachment)
        return {
            "FileName": attachment.file_name,
            "Name": _stem(attachment.file_name),
            "AttachmentLink": href,
            "AttachmentType": attachment.attachment_type,
            "AttachmentTypeLocalized": attachment.attachment_type,
            "Encrypted": False,
            "SigningLocked": False,
            "SignedByDefault": True,
            "FileSize": len(attachment.content),
            "_links": {"self": {"href": href}},
        }

    def _attachment_href(self, element: Element, attachment: Attachment) -> str:
        return f"{self.element_href(element.id)}/attachments/{attachment.id}"

    def _links(self, element: Element, *, whole: bool) -> dict[str, Any]:
        href, service = self.element_href(element.id), element.service
        links: dict[str, Any] = {
            "self": {"href": href},
            "print": {"href": f"{href}/print", "mime-type": "application/pdf"},
            "metadata": {"href": f"{self.api}/metadata/formtask/{service.code}/{service.edition}"},
        }
        if element.state in _AVAILABLE_ACTION:
            page = f"{self.host}/Pages/ServiceEngine/FormsEngine/FillInForm.aspx"
            query = f"ReporteeElementID={element.id[1:]}&ESC={service.code}&ESEC={service.edition}"
            links["portalview"] = {"href": f"{page}?{query}"}
        if element.state is State.SIGNING:
            links["signingtext"] = {"href": f"{href}/signingtext"}
        if not whole:
            return links
        links["form"] = [
            {
                "href": f"{href}/forms/{form.id}",
                "name": form.name,
                "signinglocked": element.state is State.SIGNING,
                "signedbydefault": True,
            }
            for form in element.forms
        ]
        if element.attachments:
            links["attachment"] = [
                {
                    "href": self._attachment_href(element, each),
                    "name": _stem(each.file_name),
                    "fileName": each.file_name,
                    "encrypted": False,
                    "signinglocked": False,
                    "signedbydefault": True,
                    "filesize": len(each.content),
                }
                for each in element.attachments
            ]
        return links


def plain_json(resource: Mapping[str, Any]) -> Any:
    """Show a HAL resource as plain JSON: lists are bare arrays, links vanish (facts/altinn2.md 1.3)."""
    embedded = resource.get("_embedded")
    if isinstance(embedded, Mapping):
        return [plain_json(each) for values in embedded.values() for each in values]
    return {key: value for key, value in resource.items() if key != "_links"}


def local(moment: datetime) -> str:
    """Write a time as Altinn 2 does: Oslo's clock without a zone, and 0 to 3 fraction digits."""
    there = (moment.astimezone(UTC) + oslo_offset(moment)).replace(tzinfo=None)
    fraction = f"{there.microsecond // 1000:03}".rstrip("0")
    return there.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "")


def oslo_offset(moment: datetime) -> timedelta:
    """Say how far Oslo is ahead of UTC: summer time between the last Sundays of March and October, 01:00 UTC."""
    utc = moment.astimezone(UTC)
    begins, ends = (_last_sunday(utc.year, month) for month in (3, 10))
    return timedelta(hours=2 if begins <= utc < ends else 1)


def utc_from_local(text: str) -> datetime:
    """
    Read a time in Oslo without a zone, 0 to 7 fraction digits.

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
