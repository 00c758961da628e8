"""Altinn 2's elements and services, and what an update does to them (facts/altinn2.md 2; no HTTP here)."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.sandbox.altinn2.checks import checked_update, hold_against_rules, hold_against_schema
from bridge.sandbox.altinn2.model import (
    CORRESPONDENCE,
    MAIN,
    SUB,
    Act,
    Attachment,
    BadAttachment,
    BadUpdate,
    Element,
    Form,
    FormPut,
    Letter,
    NoSuchElement,
    NoSuchPart,
    NoSuchService,
    NotAllowed,
    Service,
    State,
    Update,
    Validation,
)
from bridge.sandbox.altinn2.people import Library, People
from bridge.sandbox.altinn2.process import Process, after, form_of, must_be_filling, prefilled, same_kind
from bridge.sandbox.altinn2.rules import (
    as_kept,
    count_findings,
    empty_form,
    judged,
)
from bridge.sandbox.altinn2.schemas import Schemas


class Altinn2State:
    """All elements, services and people. Updates are one at a time; nothing slow happens under the lock."""

    def __init__(self, first_number: int) -> None:
        self._lock = threading.Lock()
        self._number = first_number
        self._elements: dict[str, Element] = {}
        self._moved: dict[str, str] = {}
        self._services: dict[tuple[str, int], Service] = {}
        self._schemas = Schemas()
        self._process = Process(schemas=self._schemas, next_id=self._next)
        self._busy: set[str] = set()
        self.people = People()
        self.library = Library()

    @contextmanager
    def writing(self, message_id: str) -> Iterator[bool]:
        """Whether no other call writes to the element; until it leaves, this one does. An empty id is none."""
        with self._lock:
            alone = message_id not in self._busy
            if alone and message_id:
                self._busy.add(message_id)
        try:
            yield alone
        finally:
            if alone:
                with self._lock:
                    self._busy.discard(message_id)

    def register(self, service: Service) -> None:
        """Add or replace a service edition."""
        with self._lock:
            self._services[service.code, service.edition] = service

    def learn(self, schema: str) -> None:
        """Compile a schema that forms or attachments will be held against. Raises NoSchema."""
        self._schemas.learn(schema)

    def service(self, code: str, edition: int) -> Service | None:
        """A service edition, None where nobody registered it."""
        return self._services.get((code, edition))

    def services(self) -> tuple[Service, ...]:
        """All service editions."""
        with self._lock:
            return tuple(self._services.values())

    def add(
        self,
        *,
        who: Iterable[str],
        service: Service,
        forms: Iterable[Form] = (),
        attachments: Iterable[Attachment] = (),
        state: State = State.FORM_FILLING,
        subject: str = "",
        letter: Letter | None = None,
        now: datetime,
    ) -> Element:
        """Put an element in place as if it had been there already: no effect is written."""
        self.register(service)
        names = frozenset(each.lower() for each in who)
        for each in names:
            self.people.know(each)
        with self._lock:
            prefix = "b" if state is State.ARCHIVED else "a"
            element = Element(
                id=f"{prefix}{self._next()}",
                who=names,
                service=service,
                state=state,
                forms=tuple(replace(form, id=self._next()) for form in forms),
                attachments=tuple(replace(each, id=self._next()) for each in attachments),
                subject=subject or service.name,
                created=now,
                changed=now,
                letter=letter or (Letter() if service.kind == CORRESPONDENCE else None),
            )
            self._elements[element.id] = element
            return element

    def find(self, message_id: str) -> Element | None:
        """Look an element up, whoever owns it and whether or not a user can see it."""
        return self._elements.get(message_id)

    def archived_as(self, message_id: str) -> str | None:
        """Under which b-id an a-id was archived."""
        return self._moved.get(message_id)

    def elements(self) -> tuple[Element, ...]:
        """All elements."""
        with self._lock:
            return tuple(self._elements.values())

    def read(self, names: frozenset[str], message_id: str) -> Element:
        """
        An element as seen by who asks under one of *names*; deleted ones as well.

        Raises:
            NoSuchElement: There is none to see.
        """
        element = self._elements.get(message_id)
        if element is None or not element.visible:
            raise NoSuchElement(self._visible_copy(names, message_id))
        if not names & element.who:
            raise NoSuchElement
        return element

    def create(self, act: Act, order: Update) -> Element:
        """
        Do what a POST asks for: a new element, prefilled, as a draft, in signing or archived at once.

        Raises:
            NoSuchService: Nothing can be made of it.
            NotAllowed: The service's process forbids it.
            BadUpdate: The body does not fit the service.
            Invalid: Forms break their schema or rules; nothing was stored.
        """
        service = self._services.get((order.service_code, _edition(order.service_edition)))
        if service is None or service.kind == CORRESPONDENCE:
            raise NoSuchService
        order = prefilled(order, service)
        for each in act.names:
            self.people.know(each)
        blank = Element(
            id="",
            # Another user's "my" is somebody else.
            who=act.names - {"my"} or act.names,
            service=service,
            state=State.FORM_FILLING,
            forms=(),
            attachments=(),
            subject=service.name,
            created=act.now,
            changed=act.now,
        )
        checked = checked_update(blank, order, schemas=self._schemas, switches=act.switches)
        with self._lock:
            made = after(blank, checked, act, process=self._process)
            return self._store(replace(made, id=f"a{self._next()}"), "altinn2.post", act, order=order, before=None)

    def update(self, act: Act, message_id: str, order: Update) -> Element:
        """
        Do what a PUT asks for and give the element as it stands afterwards, under its new id if it was archived.

        Raises:
            NoSuchElement: There is none to update.
            NotAllowed: Its state or process forbids it.
            BadUpdate: The body does not fit the service.
            Invalid: Forms break their schema or rules; nothing was stored.
        """
        seen = self._task(act, message_id)
        checked = checked_update(seen, order, schemas=self._schemas, switches=act.switches)
        with self._lock:
            # Read again under the lock: last write wins, as nothing like a conflict is documented.
            element = self._task(act, message_id)
            changed = after(element, checked, act, process=self._process)
            return self._store(
                replace(changed, changed=act.now, id=element.id), "altinn2.put", act, order=order, before=element
            )

    def delete(self, act: Act, message_id: str) -> None:
        """
        Move an element to the trash bin, or for good by switch.

        Raises:
            NoSuchElement: There is none.
            NotAllowed: It is archived, and the switch says that this is an error.
        """
        with self._lock:
            element = self.read(act.names, message_id)
            if element.state is State.DELETED:
                raise NoSuchElement
            archived_task = element.state is State.ARCHIVED and element.letter is None
            if archived_task and act.switches.archived_delete == "error":
                raise NotAllowed("The element has already been archived")
            if act.switches.delete_for_good:
                del self._elements[element.id]
            else:
                self._elements[element.id] = replace(element, state=State.DELETED, changed=act.now)
            act.ledger.write("altinn2.delete", message_id=element.id, state_before=element.state.value)

    def add_form(self, act: Act, message_id: str, given: FormPut) -> tuple[Element, Form]:
        """
        Add a subform, prefilled where the body has no data.

        Raises:
            NoSuchElement, NotAllowed, BadUpdate, Invalid: As for ``update``.
        """
        if given.kind != SUB:
            raise BadUpdate("Only forms of Type SubForm can be added")
        service = self._filling(act, message_id).service
        kind = service.form_type(SUB, given.data_format_id, given.data_format_version)
        if kind is None:
            raise BadUpdate("SubForm DataFormatId or DataFormatVersion is not in the service's subforms")
        if not kind.user_may_add:
            raise NotAllowed("The subform cannot be added by the user")
        data = empty_form(kind) if given.data is None else given.data
        form = Form(
            kind=SUB,
            data_format_id=given.data_format_id,
            data_format_version=given.data_format_version,
            data=data,
            name=kind.name,
        )
        if given.data is not None:
            hold_against_schema(kind, form, self._schemas)
        with self._lock:
            element = self._filling(act, message_id)
            if kind.max_one and any(same_kind(each, form) for each in element.forms):
                raise NotAllowed("The subform can be added once only")
            form = replace(form, id=self._next())
            return self._kept(element, act, "altinn2.form", form=form, forms=(*element.forms, form)), form

    def replace_form(self, act: Act, message_id: str, form_id: int, *, given: FormPut) -> tuple[Element, Form]:
        """
        Replace one form's data; only its schema counts (facts/altinn2.md 2.9).

        Raises:
            NoSuchPart: The element has no such form.
            NoSuchElement, NotAllowed, BadUpdate, Invalid: As for ``update``.
        """
        element = self._filling(act, message_id)
        old = form_of(element, form_id)
        if given.data is None:
            raise BadUpdate("FormData must hold the form")
        new = replace(old, data=as_kept(given.data, act.switches.put_forms), validated=False)
        if (given.kind, given.data_format_id, given.data_format_version) != (
            old.kind,
            old.data_format_id,
            old.data_format_version,
        ):
            raise BadUpdate("Type, DataFormatId or DataFormatVersion is not that of the form")
        kind = element.service.form_type(old.kind, old.data_format_id, old.data_format_version)
        if kind is not None:
            hold_against_schema(kind, new, self._schemas)
        with self._lock:
            element = self._filling(act, message_id)
            form_of(element, form_id)
            forms = tuple(new if each.id == form_id else each for each in element.forms)
            return self._kept(element, act, "altinn2.form", form=new, forms=forms), new

    def remove_form(self, act: Act, message_id: str, form_id: int) -> None:
        """
        Take a subform away.

        Raises:
            NoSuchPart: The element has no such form.
            NoSuchElement, NotAllowed: As for ``update``.
        """
        with self._lock:
            element = self._filling(act, message_id)
            form = form_of(element, form_id)
            if form.kind == MAIN:
                raise NotAllowed("The main form cannot be deleted")
            forms = tuple(each for each in element.forms if each.id != form_id)
            self._elements[element.id] = replace(element, forms=forms, changed=act.now)
            act.ledger.write("altinn2.form_delete", message_id=element.id, id=form_id)

    def taking_attachments(self, act: Act, message_id: str) -> Element:
        """
        The element, which takes attachments now.

        Raises:
            NoSuchElement, NotAllowed: As for ``update``.
        """
        element = self._task(act, message_id)
        if element.state is State.SIGNING and element.service.attachments_in_signing:
            return element
        return must_be_filling(element)

    def add_attachment(
        self, act: Act, message_id: str, attachment: Attachment, *, streamed: bool
    ) -> tuple[Element, int]:
        """
        Add an attachment and give its id.

        Raises:
            BadUpdate: A rule forbids it.
            NoSuchElement, NotAllowed: As for ``update``.
        """
        seen = self.taking_attachments(act, message_id)
        hold_against_rules(seen.service, attachment, schemas=self._schemas, streamed=streamed, switches=act.switches)
        with self._lock:
            element = self.taking_attachments(act, message_id)
            new = replace(attachment, id=self._next())
            taken = replace(element, attachments=(*element.attachments, new), changed=act.now)
            if act.switches.attachment_count_check == "upload":
                for finding in count_findings(taken):
                    if "at most" in finding.message:
                        raise BadAttachment(finding.message)
            # A scan that finds something comes after the answer: the client learns it by looking.
            scanned = act.switches.attachment_scan == "removes"
            self._elements[element.id] = replace(element, changed=act.now) if scanned else taken
            act.ledger.write(
                "altinn2.attachment",
                message_id=element.id,
                id=new.id,
                attachment_type=_known_type(element.service, new),
                size=new.size,
                sha256=new.sha256,
                streamed=streamed,
            )
            if scanned:
                act.ledger.write("altinn2.attachment_delete", message_id=element.id, id=new.id)
            return taken, new.id

    def remove_attachment(self, act: Act, message_id: str, attachment_id: int) -> None:
        """
        Take an attachment away.

        Raises:
            NoSuchPart: The element has no such attachment.
            NoSuchElement, NotAllowed: As for ``update``.
        """
        with self._lock:
            element = self.taking_attachments(act, message_id)
            left = tuple(each for each in element.attachments if each.id != attachment_id)
            if len(left) == len(element.attachments):
                raise NoSuchPart
            self._elements[element.id] = replace(element, attachments=left, changed=act.now)
            act.ledger.write("altinn2.attachment_delete", message_id=element.id, id=attachment_id)

    def validation(self, act: Act, message_id: str) -> Validation:
        """
        What stands in the way of an element's completion; nothing changes.

        Raises:
            NoSuchElement, NotAllowed: As for ``update``; it must be in form filling.
        """
        element = must_be_filling(self.read(act.names, message_id))
        found = judged(element.service, element.forms, self._schemas)
        return replace(found, errors=(*found.errors, *count_findings(element)))

    def mark_read(self, act: Act, message_id: str) -> None:
        """Note that an unread correspondence was opened; anything else is left as it is."""
        with self._lock:
            element = self._elements.get(message_id)
            if element is None or element.letter is None or element.state is not State.UNREAD:
                return
            state = State.OPENED if element.letter.needs_confirmation else State.READ
            self._elements[element.id] = replace(element, state=state)
            act.ledger.write("altinn2.read", message_id=element.id, state_after=state.value)

    def confirm(self, act: Act, message_id: str) -> None:
        """
        Confirm a correspondence.

        Raises:
            NoSuchElement: There is none.
            NotAllowed: It needs no confirmation, or has it.
        """
        with self._lock:
            element = self.read(act.names, message_id)
            if element.letter is None or not element.letter.needs_confirmation:
                raise NotAllowed("The message does not require confirmation")
            if element.state not in (State.UNREAD, State.OPENED):
                raise NotAllowed("The message has already been confirmed")
            self._elements[element.id] = replace(element, state=State.CONFIRMED, changed=act.now)
            act.ledger.write("altinn2.confirm", message_id=element.id, state_before=element.state.value)

    def archive(self, act: Act, message_id: str) -> Element:
        """
        Archive a correspondence and give it under its new id.

        Raises:
            NoSuchElement: There is none.
            NotAllowed: It is none, needs confirmation, or is archived.
        """
        with self._lock:
            element = self.read(act.names, message_id)
            if element.letter is None:
                raise NotAllowed("Only correspondence can be archived")
            if element.letter.needs_confirmation:
                raise NotAllowed("The message requires confirmation and cannot be archived")
            if element.state in (State.ARCHIVED, State.DELETED):
                raise NotAllowed(f"The element has already been {element.state.value}")
            archived = self._archived(replace(element, state=State.ARCHIVED, changed=act.now), keeps=True)
            act.ledger.write("altinn2.archive", message_id=archived.id, original_id=element.id)
            return archived

    def _task(self, act: Act, message_id: str) -> Element:
        element = self.read(act.names, message_id)
        if element.letter is not None:
            raise NotAllowed("The operation is for form tasks only")
        return element

    def _filling(self, act: Act, message_id: str) -> Element:
        element = must_be_filling(self._task(act, message_id))
        if element.service.encrypted:
            raise NotAllowed("Forms of an encrypted service cannot be updated")
        return element

    def _kept(self, element: Element, act: Act, kind: str, *, form: Form, **changes: Any) -> Element:
        changed = replace(element, changed=act.now, **changes)
        self._elements[element.id] = changed
        act.ledger.write(
            kind,
            message_id=element.id,
            id=form.id,
            type=form.kind,
            data_format_id=form.data_format_id,
            sha256=form.sha256,
        )
        return changed

    def _store(self, stored: Element, kind: str, act: Act, *, order: Update, before: Element | None) -> Element:
        archived = None
        if stored.state is State.ARCHIVED:
            keeps = stored.service.keeps_copy and not act.switches.noarchive_service
            archived = self._archived(stored, keeps=keeps)
        else:
            self._elements[stored.id] = stored
        content = archived or stored
        act.ledger.write(
            kind,
            message_id=stored.id,
            complete=order.complete,
            sign=order.sign,
            state_before=None if before is None else before.state.value,
            state_after=content.state.value,
            overwritten=order.forms is not None,
            form_count=len(content.forms),
            attachment_count=len(content.attachments),
            form_sha256=[each.sha256 for each in content.forms],
            attachment_sha256=[each.sha256 for each in content.attachments],
            signatures=content.signatures,
        )
        if archived is not None:
            act.ledger.write("altinn2.archived", message_id=archived.id, original_id=stored.id, kept=archived.visible)
        return content

    def _archived(self, element: Element, *, keeps: bool) -> Element:
        archived = replace(element, id=f"b{self._next()}", original_id=element.id, visible=keeps)
        self._elements.pop(element.id, None)
        self._elements[archived.id] = archived
        self._moved[element.id] = archived.id
        return archived

    def _visible_copy(self, names: frozenset[str], message_id: str) -> str | None:
        archived = self._elements.get(self._moved.get(message_id, ""))
        return archived.id if archived is not None and archived.visible and names & archived.who else None

    def _next(self) -> int:
        self._number += 1
        return self._number


def _known_type(service: Service, attachment: Attachment) -> str:
    rule = service.attachment_rule(attachment.attachment_type)
    return attachment.attachment_type if rule is None else rule.name


def _edition(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else -1
