"""Altinn 2's end-user API as one client (facts/altinn2.md 1 to 5)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from bridge.adapters.altinn2 import attachments, forms
from bridge.adapters.altinn2.connection import Connection
from bridge.adapters.altinn2.errors import ListTruncated, paths_in, raise_for
from bridge.adapters.altinn2.messages import FLAGS, PAGE, Window, check, element_from, put_body
from bridge.adapters.altinn2.orders import ElementKey, PutMessage, PutReceipt, Verdict
from bridge.adapters.altinn2.reportees import Reportee, reportees_in
from bridge.adapters.altinn2.streams import Body
from bridge.adapters.altinn2.wire import (
    HAL,
    LANGUAGE,
    MESSAGE_ID,
    SYSTEM,
    embedded,
    field,
    json_body,
    moved_to,
    text,
    unreadable,
)
from bridge.adapters.http.call import StreamedAnswer
from bridge.adapters.http.credentials import Secret
from bridge.core.clock import Clock
from bridge.core.elements import Attachment, Content, Element, Form
from bridge.core.errors import Missing, OutcomeUnknown, Rejected, Unreachable
from bridge.core.upstream_pause import UpstreamPause

LONGEST_SEARCH = 100
"""Calls that one search among the archived elements may take."""

SLACK = timedelta(minutes=65)
"""How much earlier a search begins than asked: clocks differ, and in autumn local time goes back an hour."""

PRINT_BYTES = 1024 * 1024 * 1024
_REDIRECTS = range(300, 400)


class Altinn2Client:
    """
    One agency's access to Altinn 2.

    *base_url* ends in ``/api``; every URL is built from it, and none is taken from an answer. *auth* adds the
    bearer token or the cookie; *pause* is asked before each call; *timeout* and *put_timeout* are seconds for one
    whole call.
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
        pause: UpstreamPause | None = None,
    ) -> None:
        self._connection = Connection(
            session,
            base_url,
            api_key=api_key,
            auth=auth,
            clock=clock,
            timeout=timeout,
            put_timeout=put_timeout,
            pause=pause,
        )
        self._auth = auth
        self.put_timeout = put_timeout

    # Elements

    def read(self, key: ElementKey, *, content: bool) -> Element:
        """
        The element, without marking it as read; with *content* its forms and attachments as well.

        Without *content*, ``forms`` and ``attachments`` are empty whatever the element holds. An a-id that leads
        on to its archived copy gives that one, with its own key; what it leads on to must name it as ``OriginalId``.
        Large attachments lie on disk.

        Raises:
            Missing: There is no such element (``not_found``), or no longer (``gone``).
            Rejected: Altinn 2 refused, or answered what cannot be an element (``unreadable``).
            Unreachable: Ask again later; also where forms or attachments changed meanwhile.
        """
        element = self._on_own_pages(element_from(key.who, self._message(key), whole=True))
        if not element.is_of(key.case):
            raise Missing(SYSTEM, "it leads on to another element", reason="not_found")
        return self.read_contents(element, attached=True) if content else element

    def read_contents(self, element: Element, *, attached: bool) -> Element:
        """
        Fetch the forms of an element that was read, and with *attached* its attachments, the large ones to disk.

        Raises:
            Unreachable: Ask again later; also where forms or attachments changed since *element* was read.
        """
        key = ElementKey.of(element.case)
        held = tuple(forms.read_forms(self._connection, key))
        files = tuple(attachments.read_attachments(self._connection, key)) if attached else ()
        lost = {each.id for each in element.listed_forms or ()} - {each.form_id for each in held}
        if attached:
            lost |= {each.id for each in element.listed_attachments or ()} - {each.attachment_id for each in files}
        if lost:
            # What is not read here would be deleted by the next PUT.
            raise Unreachable(SYSTEM, "the element changed while it was read")
        return replace(element, forms=held, attachments=files)

    def find_archived(self, key: ElementKey, *, since: datetime) -> Element | None:
        """
        The archived copy of an element that was archived after *since*; without forms and attachments.

        None means that there is none, which is also so for services that keep no copy.

        Raises:
            ListTruncated: Altinn 2 did not list everything.
            Rejected: Altinn 2 refused.
            Unreachable: Ask again later.
        """
        for message in self._messages(key.who, Window(since - SLACK, None, 0), {}, most=LONGEST_SEARCH):
            if text(message, "OriginalId", default="").casefold() == key.message_id.casefold():
                return element_from(key.who, message, whole=False)
        return None

    def in_trash(self, key: ElementKey, *, since: datetime) -> bool:
        """
        Whether an element that was thrown away after *since* lies in the trash bin.

        Raises:
            ListTruncated: Altinn 2 did not list everything.
            Rejected: Altinn 2 refused.
            Unreachable: Ask again later.
        """
        window = Window(since - SLACK, None, 0)
        found = self._messages(key.who, window, {}, most=LONGEST_SEARCH, trash=True)
        return any(text(each, "MessageId", default="").casefold() == key.message_id.casefold() for each in found)

    def elements(
        self,
        who: str,
        *,
        since: datetime,
        until: datetime | None = None,
        filtered: str = "",
        passed_over: Callable[[str | None, Rejected], None] | None = None,
    ) -> Iterator[Element]:
        """
        List what changed from *since* to *until*, newest first, without forms and attachments.

        With *passed_over* an element that cannot be read ends nothing: its id, where that can be read, is told there.

        *filtered* is a ``$filter`` in OData v3. A list that Altinn 2 cuts is asked for in halves of its time, so an
        element that changes meanwhile may come twice.

        Raises:
            ListTruncated: It cuts even the narrowest list.
        """
        query = {"$filter": filtered} if filtered else {}
        for message in self._messages(who, Window(since, until, 0), query, most=None):
            try:
                element = element_from(who, message, whole=False)
            except Rejected as error:
                if passed_over is None:
                    raise
                found = text(message, "MessageId", default="")
                passed_over(found if MESSAGE_ID.fullmatch(found) else None, error)
                continue
            yield self._on_own_pages(element)

    def put(self, order: PutMessage) -> PutReceipt:
        """
        Replace the content of an element, then do what *order.after* says.

        Raises:
            UnsafeUpdate: The order would delete forms or attachments; nothing was sent.
            Unreachable: Nothing was written.
            OutcomeUnknown: It may have been written; read it back first.
            Rejected: Altinn 2 refused, and will refuse again; with ``form_invalid``, *keys* are the paths at fault.
        """
        check(order)
        query = {**FLAGS[order.after], **LANGUAGE}
        url = self._connection.url(order.key.who, order.key.message_id)
        return self._receipt("PUT", url, query=query, body=put_body(order))

    def delete(self, key: ElementKey) -> None:
        """Move an element to the trash bin; one that is not there any more is a success."""
        answer = self._connection.write("DELETE", self._connection.url(key.who, key.message_id))
        if answer.status != 404:
            raise_for(answer, writes=True, now=self._connection.clock())

    def archive(self, key: ElementKey) -> PutReceipt:
        """Archive a correspondence."""
        return self._receipt("PUT", self._connection.url(key.who, key.message_id, "archive"), query=LANGUAGE, body=None)

    def confirm(self, key: ElementKey) -> None:
        """Confirm a correspondence that asks for it."""
        self._connection.written("PUT", self._connection.url(key.who, key.message_id, "confirm"))

    def validate(self, key: ElementKey) -> Verdict:
        """Have Altinn 2 check an element in form filling; warnings never stop anything."""
        answer = self._connection.get(self._connection.url(key.who, key.message_id, "validate"))
        body = json_body(answer)
        if not isinstance(body, Mapping):
            raise unreadable("the verdict is not an object")
        return Verdict(
            sound=field(body, "Success") is True,
            errors=paths_in(body),
            warnings=paths_in(body, "ValidationWarnings"),
        )

    def signing_text(self, key: ElementKey, *, language: str = LANGUAGE["language"]) -> str:
        """The text that who signs must have seen. Raises Missing where nothing is to be signed."""
        url = self._connection.url(key.who, key.message_id, "signingtext")
        answer = self._connection.get(url, {"language": language}, html=True)
        try:
            body: Any = json_body(answer)
        except Unreachable:
            return answer.body.decode("utf-8", "replace")
        if isinstance(body, str):
            return body
        return text(body, "SigningText", default="") or text(body, "Text", default="")

    def print(self, key: ElementKey, *, language: str = LANGUAGE["language"]) -> StreamedAnswer:
        """An element's print as it comes. Whoever takes it closes it."""
        url = self._connection.url(key.who, key.message_id, "print")
        return self._connection.streamed(url, {"language": language}, "application/pdf", max_bytes=PRINT_BYTES)

    # Forms

    def list_forms(self, key: ElementKey) -> tuple[Form, ...]:
        """All forms without their data."""
        return tuple(forms.list_forms(self._connection, key))

    def add_subform(self, key: ElementKey, form: Form) -> int | None:
        """Add a subform (without data: prefilled); its id where Altinn 2 tells."""
        return forms.add_subform(self._connection, key, form)

    def update_form(self, key: ElementKey, form: Form) -> None:
        """Replace one form's data, and nothing else of the element."""
        forms.update_form(self._connection, key, form)

    def delete_subform(self, key: ElementKey, form: Form) -> None:
        """Take a subform away."""
        forms.delete_subform(self._connection, key, form)

    # Attachments

    def list_attachments(self, key: ElementKey) -> tuple[Attachment, ...]:
        """All attachments without their bytes."""
        return attachments.list_attachments(self._connection, key)

    def read_content(self, key: ElementKey, listed: Attachment) -> Content:
        """Fetch one attachment's bytes, to disk when there are many."""
        return attachments.read_content(self._connection, key, listed)

    def post_attachment(self, key: ElementKey, attachment: Attachment) -> int | None:
        """Add an attachment as base64; its id where Altinn 2 tells."""
        return attachments.post_attachment(self._connection, key, attachment)

    def stream_attachment(self, key: ElementKey, attachment: Attachment, body: Body) -> int | None:
        """Add an attachment as it comes; its id where Altinn 2 tells."""
        return attachments.stream_attachment(self._connection, key, attachment, body=body)

    def delete_attachment(self, key: ElementKey, attachment_id: int) -> None:
        """Take an attachment away."""
        attachments.delete_attachment(self._connection, key, attachment_id)

    # Who

    def look_in(self, who: str) -> None:
        """
        Ask for the least of what stands around the elements of *who*, to see whether Altinn 2 takes our credentials.

        Raises:
            CredentialsRefused: It does not.
            UpstreamError: It cannot be told.
        """
        self._connection.get(self._connection.url(who), {**LANGUAGE, "$top": "1"})

    def reportees(self) -> tuple[Reportee, ...]:
        """List on whose behalf we may act."""
        found: dict[str, Reportee] = {}
        while True:
            query = {**LANGUAGE, **({"$skip": str(len(found))} if found else {})}
            page, length = reportees_in(json_body(self._connection.get(self._connection.top("reportees"), query)))
            fresh = {each.reportee_id: each for each in page if each.reportee_id not in found}
            found |= fresh
            # A server that does not page gives the same again, and is not asked for ever.
            if length < PAGE or not fresh:
                return tuple(found.values())

    # Below

    def _on_own_pages(self, element: Element) -> Element:
        """Send a person to Altinn's own pages only, wherever a link may lead."""
        try:
            ours = urlsplit(element.page or "").netloc == urlsplit(self._connection.top()).netloc
        except ValueError:  # Not a link at all.
            ours = False
        return element if ours else replace(element, page=None)

    def _messages(
        self, who: str, first: Window, query: Mapping[str, str], *, most: int | None, trash: bool = False
    ) -> Iterator[Mapping[str, object]]:
        url = self._connection.url(who) + ("/trashbin" if trash else "")
        windows, calls = [first], 0
        before: list[str] = []
        while windows:
            if calls == most:
                raise ListTruncated(SYSTEM, f"the search took more than {most} calls", reason="list_truncated")
            calls += 1
            window = windows.pop()
            answer = self._connection.get(url, {**LANGUAGE, **window.query(), **query})
            messages = embedded(json_body(answer), "messages")
            ids = [text(each, "MessageId", default="") for each in messages]
            if window.skip and ids == before:
                # A server that does not page would give the same for ever.
                raise ListTruncated(SYSTEM, "the next page is the one before", reason="list_truncated")
            before = ids
            yield from messages
            if "X-Warning-LimitReached" in answer.headers:
                windows += window.halves(self._connection.clock())
            elif len(messages) >= PAGE:
                windows.append(window.next())

    def _receipt(self, method: str, url: str, *, query: Mapping[str, str], body: Body | None) -> PutReceipt:
        answer = self._connection.write(method, url, query, data=body)
        if moved_to(answer) is not None and answer.status in _REDIRECTS:
            # A redirect to an element is no login page: something was done.
            raise OutcomeUnknown(SYSTEM, "the answer leads to another element", status=answer.status)
        raise_for(answer, writes=True, now=self._connection.clock())
        return PutReceipt(location_id=moved_to(answer))

    def _message(self, key: ElementKey, *, hops: int = 1) -> Mapping[str, object]:
        url = self._connection.url(key.who, key.message_id)
        answer = self._connection.ask(url, {**LANGUAGE, "markAsRead": "false"}, HAL)
        moved = moved_to(answer)
        if answer.status in _REDIRECTS and moved is not None and hops:
            return self._message(ElementKey(who=key.who, message_id=moved), hops=hops - 1)
        raise_for(answer, writes=False, now=self._connection.clock())
        body = json_body(answer)
        if not isinstance(body, Mapping):
            raise unreadable("the message is not an object")
        if text(body, "MessageId").casefold() != key.message_id.casefold():
            raise unreadable("the message has another id")
        return body
