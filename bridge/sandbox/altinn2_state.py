"""Altinn 2's elements and services, and what an update does to them (facts/altinn2.md 2; no HTTP here)."""

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from lxml import etree

from bridge.sandbox.records import Ledger
from bridge.sandbox.switches import Switches

MAIN, SUB = "MainForm", "SubForm"


class State(Enum):
    """Where an element stands."""

    FORM_FILLING = "formfilling"
    SIGNING = "signing"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormType:
    """One form of a service's form set. *schema* is XSD text, None where Altinn 2 shall not validate."""

    kind: str
    data_format_id: str
    data_format_version: str
    name: str = "Skjema"
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service edition. *signing_steps* 0 is form filling and send-in; *keeps_copy* puts a copy into the archive."""

    code: str
    edition: int
    forms: tuple[FormType, ...]
    name: str = "Sandkassetjeneste"
    owner: str = "Testdepartementet"
    signing_steps: int = 0
    payment: bool = False
    user_controlled_signing: bool = False
    keeps_copy: bool = True

    def form_type(self, kind: str, data_format_id: str, data_format_version: str) -> FormType | None:
        """Find a form of the set."""
        key = (kind, data_format_id, data_format_version)
        return next((f for f in self.forms if (f.kind, f.data_format_id, f.data_format_version) == key), None)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Form:
    """A form as it is held; *id* 0 has none yet."""

    kind: str
    data_format_id: str
    data_format_version: str
    data: str
    name: str = "Skjema"
    id: int = 0

    @property
    def sha256(self) -> str:
        """The digest of the text as it came."""
        return hashlib.sha256(self.data.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attachment:
    """An attachment as it is held; *id* 0 has none yet."""

    file_name: str
    attachment_type: str
    content: bytes
    id: int = 0

    @property
    def sha256(self) -> str:
        """The digest of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Element:
    """One element. *who* holds every way in which its owner is addressed; *signatures* counts finished steps."""

    id: str
    who: frozenset[str]
    service: Service
    state: State
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    subject: str
    created: datetime
    changed: datetime
    changed_by: str = "SANDKASSE BRUKER"
    signatures: int = 0
    original_id: str | None = None
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureSpec:
    """Which forms and attachments are signed, by their ids."""

    form_ids: frozenset[int]
    attachment_ids: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Update:
    """A PUT, read. *forms* is None where the body holds none: then nothing is overwritten."""

    service_code: str
    service_edition: str
    forms: tuple[Form, ...] | None
    attachments: tuple[Attachment, ...]
    signed: SignatureSpec | None
    complete: bool
    sign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFault:
    """One entry of a validation answer."""

    field: str
    message: str
    xpath: str


class NoSuchElement(LookupError):
    """There is none, or it belongs to somebody else. *archived_id* where it moved there."""

    def __init__(self, archived_id: str | None = None) -> None:
        super().__init__("no such element")
        self.archived_id = archived_id


class NotAllowed(Exception):
    """The element's state or the service's process forbids it; the message is Altinn 2's explanation."""


class BadUpdate(Exception):
    """The update itself is wrong; the message is Altinn 2's explanation."""


class SchemaFaults(Exception):
    """Forms break their schema."""

    def __init__(self, faults: Sequence[SchemaFault]) -> None:
        super().__init__("Form validation failed, see the attached validation details")
        self.faults = tuple(faults)


@dataclass(slots=True)
class _Schemas:
    """Compiled schemas by their text; libxml2 keeps a schema's errors with it, hence the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    compiled: dict[str, etree.XMLSchema] = field(default_factory=dict)

    def faults(self, schema: str, document: etree._ElementTree) -> tuple[SchemaFault, ...]:
        with self.lock:
            found = self.compiled.get(schema)
            if found is None:
                found = self.compiled[schema] = etree.XMLSchema(etree.fromstring(schema.encode(), _parser()))
            if found.validate(document):
                return ()
            return tuple(
                SchemaFault(
                    field=(entry.path or "").rpartition("/")[2].partition("[")[0],
                    message=entry.message,
                    xpath=entry.path or "",
                )
                for entry in list(found.error_log)  # type: ignore[call-overload]
            )


class Altinn2State:
    """All elements and services. Updates are one at a time; nothing slow happens under the lock."""

    def __init__(self, first_number: int) -> None:
        self._lock = threading.Lock()
        self._number = first_number
        self._elements: dict[str, Element] = {}
        self._moved: dict[str, str] = {}
        self._services: dict[tuple[str, int], Service] = {}
        self._schemas = _Schemas()

    def register(self, service: Service) -> None:
        """Add or replace a service edition."""
        with self._lock:
            self._services[service.code, service.edition] = service

    def service(self, code: str, edition: int) -> Service | None:
        """Find a service edition."""
        return self._services.get((code, edition))

    def add(
        self,
        *,
        who: Iterable[str],
        service: Service,
        forms: Iterable[Form],
        attachments: Iterable[Attachment] = (),
        state: State = State.FORM_FILLING,
        subject: str = "",
        now: datetime,
    ) -> Element:
        """Put an element in place as if it had been there already: no effect is written."""
        self.register(service)
        with self._lock:
            prefix = "b" if state is State.ARCHIVED else "a"
            element = Element(
                id=f"{prefix}{self._next()}",
                who=frozenset(each.lower() for each in who),
                service=service,
                state=state,
                forms=tuple(replace(form, id=self._next()) for form in forms),
                attachments=tuple(replace(each, id=self._next()) for each in attachments),
                subject=subject or service.name,
                created=now,
                changed=now,
            )
            self._elements[element.id] = element
            return element

    def find(self, message_id: str) -> Element | None:
        """Look an element up, whoever owns it and whether or not a user can see it."""
        return self._elements.get(message_id)

    def archived_as(self, message_id: str) -> str | None:
        """Say under which b-id an a-id was archived."""
        return self._moved.get(message_id)

    def elements(self) -> tuple[Element, ...]:
        """Give all elements."""
        with self._lock:
            return tuple(self._elements.values())

    def read(self, who: str, message_id: str) -> Element:
        """
        Give an element to the one who asks on behalf of *who*; deleted ones as well.

        Raises:
            NoSuchElement: There is none to see.
        """
        element = self._elements.get(message_id)
        if element is None or not element.visible:
            raise NoSuchElement(self._visible_copy(who, message_id))
        if who.lower() not in element.who:
            raise NoSuchElement
        return element

    def update(
        self, who: str, message_id: str, order: Update, *, now: datetime, switches: Switches, ledger: Ledger
    ) -> Element:
        """
        Do what a PUT asks for and give the element as it stands afterwards, under its new id if it was archived.

        Raises:
            NoSuchElement: There is none to update.
            NotAllowed: Its state or process forbids it.
            BadUpdate: The body does not fit the service.
            SchemaFaults: Forms break their schema; nothing was stored.
        """
        self._check(self.read(who, message_id), order, switches)
        with self._lock:
            # Read again under the lock: last write wins, as nothing like a conflict is documented.
            element = self.read(who, message_id)
            after = self._after(element, order, switches)
            stored = replace(after, changed=now, id=element.id)
            archived = None
            if stored.state is State.ARCHIVED:
                archived = self._archived(stored, keeps=element.service.keeps_copy and not switches.noarchive_service)
            else:
                self._elements[element.id] = stored
            content = archived or stored
            ledger.write(
                "altinn2.put",
                message_id=element.id,
                complete=order.complete,
                sign=order.sign,
                state_before=element.state.value,
                state_after=content.state.value,
                overwritten=order.forms is not None,
                form_count=len(content.forms),
                attachment_count=len(content.attachments),
                form_sha256=[each.sha256 for each in content.forms],
                attachment_sha256=[each.sha256 for each in content.attachments],
                signatures=content.signatures,
            )
            if archived is not None:
                ledger.write("altinn2.archived", message_id=archived.id, original_id=element.id, kept=archived.visible)
            return content

    def delete(self, who: str, message_id: str, *, now: datetime, switches: Switches, ledger: Ledger) -> None:
        """
        Move an element to the trash bin.

        Raises:
            NoSuchElement: There is none.
            NotAllowed: It is archived, and the switch says that this is an error.
        """
        with self._lock:
            element = self.read(who, message_id)
            if element.state is State.DELETED:
                raise NoSuchElement
            if element.state is State.ARCHIVED and switches.archived_delete == "error":
                raise NotAllowed("The element has already been archived")
            self._elements[element.id] = replace(element, state=State.DELETED, changed=now)
            ledger.write("altinn2.delete", message_id=element.id, state_before=element.state.value)

    def schema_faults(self, service: Service, forms: Iterable[Form]) -> tuple[SchemaFault, ...]:
        """Hold forms against their schemas, where the service has any."""
        found: list[SchemaFault] = []
        for form in forms:
            kind = service.form_type(form.kind, form.data_format_id, form.data_format_version)
            if kind is not None and kind.schema is not None:
                found.extend(self._schemas.faults(kind.schema, parsed_form(form.data)))
        return tuple(found)

    def _check(self, element: Element, order: Update, switches: Switches) -> None:
        """Check what needs no lock: the body against the service and its schemas."""
        service = element.service
        if (order.service_code, order.service_edition) != (service.code, str(service.edition)):
            raise BadUpdate("ServiceCode and ServiceEdition do not match the element")
        if order.forms is None:
            if order.attachments:
                raise BadUpdate("There must be exactly one form of Type MainForm")
            return
        if sum(form.kind == MAIN for form in order.forms) != 1:
            raise BadUpdate("There must be exactly one form of Type MainForm")
        for form in order.forms:
            if service.form_type(form.kind, form.data_format_id, form.data_format_version) is None:
                place = "the service's form set" if form.kind == MAIN else "the service's subforms"
                raise BadUpdate(f"{form.kind} DataFormatId or DataFormatVersion is not in {place}")
        faults = () if not (order.complete or switches.validate_drafts) else self.schema_faults(service, order.forms)
        for form in order.forms:
            parsed_form(form.data)
        if faults:
            raise SchemaFaults(faults)

    def _after(self, element: Element, order: Update, switches: Switches) -> Element:
        service = element.service
        if element.state in (State.ARCHIVED, State.DELETED):
            raise NotAllowed(f"The element has already been {element.state.value}")
        completing = order.complete and order.sign
        if completing and service.payment:
            raise NotAllowed("The service has a payment step, which cannot be done over REST")
        if completing and service.user_controlled_signing and element.state is State.FORM_FILLING:
            raise NotAllowed("The service needs the signature of others: use sign=false")
        element = self._overwritten(element, order, switches)
        if not order.complete:
            return replace(element, state=State.FORM_FILLING, signatures=0)
        if not order.sign:
            # Stops before archiving even where no signing step exists (status_transitions.json).
            return replace(element, state=State.SIGNING if service.signing_steps else State.FORM_FILLING)
        self._check_signature(element, order.signed)
        signatures = element.signatures + (1 if service.signing_steps else 0)
        done = signatures >= service.signing_steps
        return replace(element, state=State.ARCHIVED if done else State.SIGNING, signatures=signatures)

    def _overwritten(self, element: Element, order: Update, switches: Switches) -> Element:
        if order.forms is not None:
            kept = switches.form_ids_after_put == "kept"
            old_forms = [form.id for form in element.forms] if kept else []
            old_attachments = [each.id for each in element.attachments] if kept else []
            return replace(
                element,
                forms=tuple(replace(form, id=self._reused(old_forms)) for form in order.forms),
                attachments=tuple(replace(each, id=self._reused(old_attachments)) for each in order.attachments),
                signatures=0,
            )
        if element.state is State.SIGNING:
            return element
        match switches.bare_put_in_formfilling:
            case "complete":
                return element
            case "reject":
                raise NotAllowed("There must be exactly one form of Type MainForm")
            case _:
                # The main form stays: without one the service would refuse, which is the case above.
                return replace(element, forms=tuple(f for f in element.forms if f.kind == MAIN), attachments=())

    @staticmethod
    def _check_signature(element: Element, spec: SignatureSpec | None) -> None:
        if spec is None:
            return
        forms, attachments = {form.id for form in element.forms}, {each.id for each in element.attachments}
        if not spec.form_ids <= forms or not spec.attachment_ids <= attachments:
            raise BadUpdate("SignatureSpec names forms or attachments that the element does not have")
        if not forms <= spec.form_ids:
            raise BadUpdate("SignatureSpec leaves out forms that must be signed")

    def _archived(self, element: Element, *, keeps: bool) -> Element:
        archived = replace(element, id=f"b{self._next()}", original_id=element.id, visible=keeps)
        del self._elements[element.id]
        self._elements[archived.id] = archived
        self._moved[element.id] = archived.id
        return archived

    def _visible_copy(self, who: str, message_id: str) -> str | None:
        archived = self._elements.get(self._moved.get(message_id, ""))
        return archived.id if archived is not None and archived.visible and who.lower() in archived.who else None

    def _reused(self, ids: list[int]) -> int:
        return ids.pop(0) if ids else self._next()

    def _next(self) -> int:
        self._number += 1
        return self._number


def parsed_form(data: str) -> etree._ElementTree:
    """
    Parse a form with everything closed that XML can open.

    Raises:
        BadUpdate: Not well-formed, or with a document type.
    """
    try:
        tree = etree.fromstring(data.encode(), _parser()).getroottree()
    except etree.XMLSyntaxError as error:
        raise BadUpdate("FormData is not well-formed XML") from error
    if tree.docinfo.internalDTD is not None:
        raise BadUpdate("FormData must not have a document type")
    return tree


def washed(data: str) -> bytes:
    """Give a form as ``formdata`` does: the same content without declaration and processing instructions."""
    root = parsed_form(data).getroot()
    etree.strip_tags(root, etree.ProcessingInstruction)
    return etree.tostring(root, encoding="utf-8", xml_declaration=False, with_tail=False)


def _parser() -> etree.XMLParser:
    # A form arrives as text inside JSON: what its declaration says about bytes does not count.
    return etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


TEXTS: Mapping[State, Mapping[str, str]] = {
    State.FORM_FILLING: {"1044": "Utfylling", "2068": "Utfylling", "1033": "Completion"},
    State.SIGNING: {"1044": "Signering", "2068": "Signering", "1033": "Signing"},
    State.ARCHIVED: {"1044": "Sendt og arkivert", "2068": "Sendt og arkivert", "1033": "Sent and archived"},
    State.DELETED: {"1044": "Slettet", "2068": "Sletta", "1033": "Deleted"},
}
