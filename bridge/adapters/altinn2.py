"""Altinn 2's end-user API: elements read, found again after archiving, and put (facts/altinn2.md 1 to 5)."""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol, assert_never
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from bridge.adapters.transport import Answer, call, retry_after
from bridge.core.altinn_dates import altinn_date, parse_altinn_date
from bridge.core.clock import Clock
from bridge.core.elements import Attachment, Element, ElementKey, ElementState, Form, PutMessage, PutReceipt
from bridge.core.errors import BridgeError, Missing, OutcomeUnknown, Rejected, Unreachable, UpstreamError
from bridge.core.ids import mask_identity_numbers
from bridge.core.mapping import AfterUpdate, FormKind

SYSTEM = "Altinn 2"

PAGE = 50
"""Elements in a full page of a list."""

LONGEST_SEARCH = 100
"""Calls that one search among the archived elements may take."""

NARROWEST = timedelta(seconds=10)
"""The window of a list that is not halved any more."""

SLACK = timedelta(minutes=65)
"""How much earlier a search begins than asked: clocks differ, and in autumn local time goes back an hour."""

ATTACHMENT_BYTES = 64 * 1024 * 1024
"""The largest attachment that is read into memory; a message with all it holds was 50 MB at most."""

_BYTES = 16 * 1024 * 1024
"""The largest of all other answers."""

_HAL = "application/hal+json"

# Texts, and with them what the states are known by, follow the language (facts/altinn2.md 1.4).
_LANGUAGE = {"language": "1044"}

# Altinn 2 takes a flag that is left out for true, so both are always sent.
_FLAGS: Mapping[AfterUpdate, Mapping[str, str]] = {
    after: {"complete": str(after.value[0]).lower(), "sign": str(after.value[1]).lower()} for after in AfterUpdate
}

_STATES: Mapping[str, ElementState] = {
    "utfylling": ElementState.FORM_FILLING,
    "completion": ElementState.FORM_FILLING,
    "signering": ElementState.SIGNING,
    "signing": ElementState.SIGNING,
    "sendt og arkivert": ElementState.ARCHIVED,
    "sent and archived": ElementState.ARCHIVED,
    "slettet": ElementState.DELETED,
}
"""Form tasks' status texts (facts/altinn2.md 2.6); Altinn 2 may fall back to the user's own language."""

_REDIRECTS = range(300, 400)

_WHO = re.compile(r"my|\d{9}|r\d{1,18}", re.ASCII)
_MESSAGE_ID = re.compile(r"[abc]\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
# Names and positions only: a predicate could hold a value.
_XPATH = re.compile(r"/?[\w.:*-]+(?:\[\d{1,6}\])?(?:/@?[\w.:*-]+(?:\[\d{1,6}\])?)*")
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_CLOSED = re.compile(
    r"altinn\s*(?:2|ii)\s+(?:er|ble|vart|is|was|has\s+been)\s+(?:nå\s+|no\s+|now\s+)?"
    r"(?:stengt|avviklet|avvikla|avslutta|avsluttet|lagt\s+ned|closed|shut\s+down|discontinued|retired)"
)
_NOT_FOR_GOOD = re.compile(r"vedlike?hald|vedlikehold|maintenance|type=[\"']?password")


class UnsafeUpdate(BridgeError, ValueError):
    """An order whose PUT would delete what Altinn 2 holds; nothing was sent."""


class ListTruncated(Rejected):
    """Altinn 2 left elements out of a list, however narrow it was asked for: not being in it proves nothing."""


class Secret(Protocol):
    """A value that shows itself when asked, and in no other way."""

    def reveal(self) -> str:
        """Give the value."""


class _Next(Enum):
    """What an answer means for the call: errors of ``core.errors``, by name."""

    UNREACHABLE = "nothing was done"
    UNKNOWN = "it may have been done"
    REJECTED = "it will not be done"
    MISSING = "it is not there"


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class _Row:
    first: int
    last: int
    phrase: str
    """Found anywhere in the reason phrase, case aside."""
    reading: _Next
    writing: _Next
    reason: str


_LATER, _UNKNOWN, _NO, _MISSING = _Next.UNREACHABLE, _Next.UNKNOWN, _Next.REJECTED, _Next.MISSING

ERRORS: Sequence[_Row] = (
    _Row(300, 399, "", _LATER, _LATER, "login_page"),
    _Row(400, 401, "form validation failed", _NO, _NO, "form_invalid"),  # 401 until release 20.5.
    _Row(400, 400, "header 'apikey'", _NO, _NO, "not_configured"),
    _Row(400, 400, "user profile could not be found", _NO, _NO, "no_profile"),
    _Row(401, 401, "level", _NO, _NO, "level_too_low"),
    _Row(401, 401, "nivå", _NO, _NO, "level_too_low"),
    _Row(401, 401, "", _NO, _NO, "not_authenticated"),
    _Row(403, 403, "api key", _NO, _NO, "not_configured"),
    _Row(403, 403, "authenticated", _NO, _NO, "not_authenticated"),  # Since release 21.7.
    _Row(403, 403, "", _NO, _NO, "forbidden"),
    _Row(404, 404, "", _MISSING, _MISSING, "not_found"),
    _Row(408, 408, "", _LATER, _UNKNOWN, "timeout"),
    # For one element it may also be how an a-id answers once it is archived (facts/altinn2.md 10).
    _Row(410, 410, "", _MISSING, _NO, "gone"),
    _Row(429, 429, "", _LATER, _LATER, "too_many_requests"),
    _Row(503, 503, "", _LATER, _LATER, "unavailable"),
    _Row(500, 599, "", _LATER, _UNKNOWN, "server_error"),
    _Row(0, 999, "", _NO, _NO, "rejected"),
)
"""What to do next by status and phrase; the first row that fits counts (facts/altinn2.md 5)."""


class Altinn2Client:
    """
    One agency's access to Altinn 2.

    *base_url* ends in ``/api``; every URL is built from it, and none is taken from an answer. *auth* adds the
    bearer token; *timeout* and *put_timeout* are seconds for one whole call.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        api_key: Secret,
        auth: AuthBase | None,
        clock: Clock,
        timeout: float = 30.0,
        put_timeout: float = 900.0,
    ) -> None:
        self._session, self._base = session, base_url.rstrip("/")
        self._api_key, self._auth, self._clock = api_key, auth, clock
        self._timeout, self._put_timeout = timeout, put_timeout

    def read(self, key: ElementKey, *, content: bool) -> Element:
        """
        Read an element, without marking it as read; with *content* its forms and attachments as well.

        Without *content*, ``forms`` and ``attachments`` are empty whatever the element holds. An a-id that leads
        on to its archived copy gives that one, with its own key.

        Raises:
            Missing: There is no such element (``not_found``), or no longer (``gone``).
            Rejected: Altinn 2 refused, or answered what cannot be an element (``unreadable``).
            Unreachable: Ask again later; also where forms or attachments changed meanwhile.
        """
        key, body = self._message(key)
        element = replace(
            _element(key.who, body),
            form_count=len(_linked(body, "form")),
            attachment_count=len(_linked(body, "attachment")),
        )
        if not content:
            return element
        forms, attachments = tuple(self._forms(key)), tuple(self._attachments(key))
        listed = {form.form_id for form in forms}, {attachment.attachment_id for attachment in attachments}
        if not (_linked(body, "form") <= listed[0] and _linked(body, "attachment") <= listed[1]):
            # What is not read here would be deleted by the next PUT.
            raise Unreachable(SYSTEM, "the element changed while it was read")
        return replace(element, forms=forms, attachments=attachments)

    def find_archived(self, key: ElementKey, *, since: datetime) -> Element | None:
        """
        Find the archived copy of an element that was archived after *since*; without forms and attachments.

        None means that there is none, which is also so for services that keep no copy.

        Raises:
            ListTruncated: Altinn 2 did not list everything.
            Rejected: Altinn 2 refused.
            Unreachable: Ask again later.
        """
        windows = [_Window(since - SLACK, None, 0)]
        for _ in range(LONGEST_SEARCH):
            if not windows:
                return None
            window = windows.pop()
            answer = self._get(self._url(key.who), {**_LANGUAGE, **window.query()})
            messages = _embedded(_json(answer), "messages")
            for message in messages:
                if _text(message, "OriginalId", default="").casefold() == key.message_id.casefold():
                    return _element(key.who, message)
            if "X-Warning-LimitReached" in answer.headers:
                windows += window.halves(self._clock())
            elif len(messages) >= PAGE:
                windows.append(_Window(window.since, window.until, window.skip + PAGE))
        raise ListTruncated(SYSTEM, f"the search took more than {LONGEST_SEARCH} calls", reason="list_truncated")

    def put(self, order: PutMessage) -> PutReceipt:
        """
        Replace the content of an element, then do what *order.after* says.

        Raises:
            UnsafeUpdate: The order would delete forms or attachments; nothing was sent.
            Unreachable: Nothing was written.
            OutcomeUnknown: It may have been written; read it back first.
            Rejected: Altinn 2 refused, and will refuse again; with ``form_invalid``, *keys* are the paths at fault.
        """
        _check(order)
        answer = call(
            self._session,
            "PUT",
            self._url(order.key.who, order.key.message_id),
            system=SYSTEM,
            writes=True,
            headers=self._headers({"Accept": _HAL, "Content-Type": _HAL}),
            params={**_FLAGS[order.after], **_LANGUAGE},
            data=_put_body(order),
            auth=self._auth,
            deadline_seconds=self._put_timeout,
        )
        if _moved_to(answer) is not None and answer.status in _REDIRECTS:
            # A redirect to an element is no login page: something was done.
            raise OutcomeUnknown(SYSTEM, "the answer leads to another element", status=answer.status)
        self._raise_for(answer, writes=True)
        return PutReceipt(location_id=_moved_to(answer))

    def _message(self, key: ElementKey, *, hops: int = 1) -> tuple[ElementKey, Mapping[str, Any]]:
        answer = self._ask(self._url(key.who, key.message_id), {**_LANGUAGE, "markAsRead": "false"}, _HAL)
        moved = _moved_to(answer)
        if answer.status in _REDIRECTS and moved is not None and hops:
            return self._message(ElementKey(who=key.who, message_id=moved), hops=hops - 1)
        self._raise_for(answer, writes=False)
        body = _json(answer)
        if not isinstance(body, Mapping):
            raise _unreadable("the message is not an object")
        if _text(body, "MessageId").casefold() != key.message_id.casefold():
            raise _unreadable("the message has another id")
        return key, body

    def _forms(self, key: ElementKey) -> Iterator[Form]:
        answer = self._get(self._url(key.who, key.message_id, "forms"), _LANGUAGE)
        for entry in _embedded(_json(answer), "forms"):
            form = _form(entry)
            url = self._url(key.who, key.message_id, "forms", str(form.form_id), "formdata")
            data = self._get(url, {}, accept="application/xml")
            yield replace(form, data=_xml_text(data))

    def _attachments(self, key: ElementKey) -> Iterator[Attachment]:
        answer = self._get(self._url(key.who, key.message_id, "attachments"), _LANGUAGE)
        for entry in _embedded(_json(answer), "attachments"):
            listed = _attachment(entry)
            url = self._url(key.who, key.message_id, "attachments", str(listed.attachment_id))
            # An attachment may be a web page, and may be empty: neither says anything about the call.
            page = listed.file_name.casefold().endswith((".htm", ".html", ".xhtml"))
            found = self._get(
                url,
                {},
                accept="*/*",
                max_bytes=ATTACHMENT_BYTES,
                empty=listed.size == 0,
                html=page,
            )
            yield replace(listed, content=found.body)

    def _get(
        self,
        url: str,
        params: Mapping[str, str],
        *,
        accept: str = _HAL,
        max_bytes: int = _BYTES,
        empty: bool = False,
        html: bool = False,
    ) -> Answer:
        answer = self._ask(url, params, accept, max_bytes=max_bytes, empty=empty)
        self._raise_for(answer, writes=False, html=html)
        return answer

    def _ask(
        self,
        url: str,
        params: Mapping[str, str],
        accept: str,
        *,
        max_bytes: int = _BYTES,
        empty: bool = False,
    ) -> Answer:
        # Known from release 20.11: a renewed session answers 200 with nothing (facts/altinn2.md 1.6). Asked once more.
        for _ in range(2):
            answer = call(
                self._session,
                "GET",
                url,
                system=SYSTEM,
                writes=False,
                headers=self._headers({"Accept": accept}),
                params=params,
                auth=self._auth,
                deadline_seconds=self._timeout,
                max_bytes=max_bytes,
            )
            if answer.body or empty or answer.status >= 300:
                return answer
        raise Unreachable(SYSTEM, "the answer is empty", status=answer.status)

    def _headers(self, more: Mapping[str, str]) -> Mapping[str, str]:
        return {"ApiKey": self._api_key.reveal(), **more}

    def _url(self, who: str, message_id: str | None = None, *below: str) -> str:
        if not _WHO.fullmatch(who) or (message_id is not None and not _MESSAGE_ID.fullmatch(message_id)):
            raise ValueError("not the key of an element")
        return "/".join([self._base, who, "messages", *([] if message_id is None else [message_id]), *below])

    def _raise_for(self, answer: Answer, *, writes: bool, html: bool = False) -> None:
        if _is_html(answer) and not html:
            page = answer.body.decode("utf-8", "replace").casefold()
            if _CLOSED.search(page) and not _NOT_FOR_GOOD.search(page):
                raise Rejected(SYSTEM, "a page says that it is closed", status=answer.status, reason="gone")
            if answer.status < 300:
                raise Unreachable(SYSTEM, "login page", status=answer.status)
        if answer.status >= 300:
            raise _failure(answer, writes=writes, now=self._clock())


@dataclass(frozen=True, slots=True)
class _Window:
    since: datetime
    until: datetime | None
    skip: int

    def query(self) -> dict[str, str]:
        query = {"dateFrom": altinn_date(self.since)}
        if self.until is not None:
            query["dateTo"] = altinn_date(self.until + timedelta(seconds=1))
        if self.skip:
            query["$skip"] = str(self.skip)
        return query

    def halves(self, now: datetime) -> list["_Window"]:
        width = (self.until or now) - self.since
        if width <= NARROWEST:
            raise ListTruncated(SYSTEM, "more elements than it lists changed at once", reason="list_truncated")
        middle = self.since + width / 2
        return [_Window(self.since, middle, 0), _Window(middle, self.until, 0)]


def _failure(answer: Answer, *, writes: bool, now: datetime) -> UpstreamError:
    explanation = _explanation(answer)
    row = next(row for row in ERRORS if row.first <= answer.status <= row.last and row.phrase in explanation.casefold())
    status = answer.status
    # For the operator alone: what Altinn 2 says, less identity numbers and whatever does not print.
    detail = f"{status} {row.reason}: {mask_identity_numbers(explanation)}"
    detail = "".join(each if each.isprintable() else " " for each in detail)[:300]
    match row.writing if writes else row.reading:
        case _Next.UNREACHABLE:
            detail = "login page" if row.reason == "login_page" else detail
            return Unreachable(SYSTEM, detail, status=status, retry_after=retry_after(answer.headers, now))
        case _Next.UNKNOWN:
            return OutcomeUnknown(SYSTEM, detail, status=status)
        case _Next.REJECTED:
            keys = _invalid_paths(answer) if row.reason == "form_invalid" else ()
            return Rejected(SYSTEM, detail, status=status, reason=row.reason, keys=keys)
        case _Next.MISSING:
            return Missing(SYSTEM, detail, status=status, reason=row.reason)
        case other:
            assert_never(other)


def _explanation(answer: Answer) -> str:
    """Give the reason phrase, and the message of the newer APIs' error model where that stands in the body."""
    body = _json_or_none(answer)
    message = _field(body, "ErrorMessage") if isinstance(body, Mapping) else None
    if isinstance(message, str) and message not in answer.reason:
        return f"{answer.reason} {message}"
    return answer.reason


def _invalid_paths(answer: Answer) -> tuple[str, ...]:
    """Give where a form is at fault, in the body's three known envelopes; messages may hold values and stay out."""
    body = _json_or_none(answer)
    errors = _field(body, "ValidationErrors") if isinstance(body, Mapping) else body
    if not isinstance(errors, list):
        return ()
    entries = [entry for entry in errors if isinstance(entry, Mapping)]
    found = [_field(entry, "FieldXPath") or _field(entry, "FieldName") for entry in entries]
    paths = [mask_identity_numbers(path) for path in found if isinstance(path, str) and _XPATH.fullmatch(path)]
    return tuple(dict.fromkeys(paths))


def _check(order: PutMessage) -> None:
    if any(attachment.content is None for attachment in order.attachments):
        raise UnsafeUpdate("an attachment without its content would be deleted")
    if not order.forms and (order.attachments or order.after is not AfterUpdate.SIGN_AND_ARCHIVE):
        raise UnsafeUpdate("without forms, only signing what is there is safe")


def _put_body(order: PutMessage) -> bytes:
    body: dict[str, Any] = {
        "Type": "FormTask",
        "ServiceCode": order.service_code,
        "ServiceEdition": order.service_edition,
    }
    if order.forms:
        body["_embedded"] = {
            "forms": [
                {
                    "Type": form.kind.value,
                    "DataFormatId": form.data_format_id,
                    "DataFormatVersion": form.data_format_version,
                    "FormData": form.data,
                }
                for form in order.forms
            ],
            "attachments": [
                {
                    "FileName": attachment.file_name,
                    "AttachmentType": attachment.attachment_type,
                    "Data": base64.b64encode(attachment.content or b"").decode(),
                }
                for attachment in order.attachments
            ],
        }
    return json.dumps(body).encode()


def _element(who: str, body: Mapping[str, Any]) -> Element:
    status = _text(body, "Status")
    try:
        edition, changed = int(_text(body, "ServiceEdition")), parse_altinn_date(_text(body, "LastChangedDateTime"))
    except ValueError as error:
        raise _unreadable("ServiceEdition or LastChangedDateTime") from error
    message_id = _text(body, "MessageId")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise _unreadable("MessageId")
    return Element(
        key=ElementKey(who=who, message_id=message_id),
        state=_STATES.get(status.strip().casefold(), ElementState.UNKNOWN),
        status_text=status,
        service_code=_text(body, "ServiceCode"),
        service_edition=edition,
        last_changed=changed,
        original_id=_text(body, "OriginalId", default="") or None,
        forms=(),
        attachments=(),
    )


def _form(entry: Mapping[str, Any]) -> Form:
    try:
        kind = FormKind(_text(entry, "Type"))
    except ValueError as error:
        raise _unreadable("Type of a form") from error
    return Form(
        kind=kind,
        data_format_id=_text(entry, "DataFormatId"),
        data_format_version=_text(entry, "DataFormatVersion"),
        data="",
        form_id=_own_id(entry, "FormId"),
    )


def _attachment(entry: Mapping[str, Any]) -> Attachment:
    size = _text(entry, "FileSize", default="-1")
    return Attachment(
        attachment_type=_text(entry, "AttachmentType"),
        # Elements from before release 18.11 have the name alone.
        file_name=_text(entry, "FileName", default="") or _text(entry, "Name"),
        size=int(size) if _NUMBER.fullmatch(size) else None,
        attachment_id=_own_id(entry, "AttachmentId", "AttachmentLink"),
    )


def _own_id(entry: Mapping[str, Any], *names: str) -> int:
    """Find the id in a member of its own or at the end of a link; the link itself is never followed."""
    links = entry.get("_links")
    own = links.get("self") if isinstance(links, Mapping) else None
    places = [*(_text(entry, name, default="") for name in names), _text(own, "href", default="") if own else ""]
    for place in places:
        last = _last_segment(place)
        if _NUMBER.fullmatch(last):
            return int(last)
    raise _unreadable(f"no {names[0]}")


def _linked(body: Mapping[str, Any], relation: str) -> set[int]:
    """Give the ids of the forms or attachments that a message links to; links name hosts at will."""
    links = body.get("_links")
    found = links.get(relation) if isinstance(links, Mapping) else None
    entries = found if isinstance(found, list) else [found]
    ends = [_last_segment(_text(each, "href", default="")) for each in entries if isinstance(each, Mapping)]
    return {int(end) for end in ends if _NUMBER.fullmatch(end)}


def _moved_to(answer: Answer) -> str | None:
    last = _last_segment(answer.headers.get("Location", ""))
    return last if _MESSAGE_ID.fullmatch(last) else None


def _last_segment(link: str) -> str:
    try:
        return urlsplit(link).path.rstrip("/").rpartition("/")[2].lower()
    except ValueError:  # Not a link at all.
        return ""


def _is_html(answer: Answer) -> bool:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") or answer.body[:200].lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError as error:
        # Cut short or not what was asked for; the parser's own error holds the document.
        raise Unreachable(SYSTEM, f"the answer is not JSON ({type(error).__name__})", status=answer.status) from None


def _json_or_none(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _embedded(body: Any, name: str) -> list[Mapping[str, Any]]:
    """List what lies under ``_embedded``; plain JSON has a bare list, and an empty one may be left out."""
    if isinstance(body, Mapping):
        embedded = body.get("_embedded")
        body = _field(embedded, name) if isinstance(embedded, Mapping) else None
    entries = [] if body is None else body if isinstance(body, list) else [body]
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise _unreadable(name)
    return entries


def _field(body: Mapping[str, Any], name: str) -> Any:
    """Find a member whatever its case: ``DataFormatId`` is ``DataFormatID`` elsewhere (facts/altinn2.md 4)."""
    if name in body:
        return body[name]
    return next((value for each, value in body.items() if each.casefold() == name.casefold()), None)


def _text(body: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    """Read a text or a whole number as text."""
    value = _field(body, name)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if default is None:
        raise _unreadable(name)
    return default


def _xml_text(answer: Answer) -> str:
    """Decode a form by its byte order mark, charset or declaration; the declaration is true no more, and goes."""
    charset = re.search(r"charset=[\"']?([\w.-]{1,40})", answer.headers.get("Content-Type", ""))
    declared = _ENCODING.match(answer.body[:400])
    if answer.body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif answer.body.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    elif charset is not None:
        encoding = charset[1]
    else:
        encoding = declared[1].decode("ascii") if declared is not None else "utf-8"
    try:
        text = answer.body.decode(encoding)
    except (LookupError, UnicodeError):
        raise _unreadable(f"a form that is not {encoding}") from None
    return _DECLARATION.sub("", text, count=1) if _DECLARATION.match(text) else text


def _unreadable(what: str) -> Rejected:
    return Rejected(SYSTEM, f"the answer cannot be read: {what}", reason="unreadable")
