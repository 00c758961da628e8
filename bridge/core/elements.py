"""Altinn 2 elements and what is asked of them, as values (facts/altinn2.md 2 and 3)."""

import hashlib
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import BinaryIO, assert_never

from bridge.core.mapping import ActionMapping, AfterUpdate, FormKind, FormSource, Verb
from bridge.core.targets import Target


class ElementState(Enum):
    """Where an element stands; the values are what mapping files and rows call it."""

    FORM_FILLING = "Utfylling"
    SIGNING = "Signering"
    ARCHIVED = "Sendt og arkivert"
    DELETED = "Slettet"
    # Correspondences.
    UNREAD = "Ulest"
    OPENED = "Åpnet"
    READ = "Lest"
    CONFIRMED = "Bekreftet"
    UNKNOWN = "ukjent"
    """A text that no table knows: never taken for done."""
    CALCULATED = "beregnet"
    """No state of Altinn 2: an app calculated the form, and no element was touched."""


AIM: Mapping[AfterUpdate, ElementState] = {
    AfterUpdate.KEEP_AS_DRAFT: ElementState.FORM_FILLING,
    AfterUpdate.BACK_TO_FORM_FILLING: ElementState.FORM_FILLING,
    AfterUpdate.SEND_TO_SIGNING: ElementState.SIGNING,
    AfterUpdate.SIGN_AND_ARCHIVE: ElementState.ARCHIVED,
}
"""Where a PUT wants the element."""


def aim(action: ActionMapping) -> ElementState:
    """Where *action* wants the element."""
    if action.target is Target.ALTINN3:
        return ElementState.CALCULATED
    match action.verb:
        case Verb.PUT:
            return AIM[action.after]
        case Verb.DELETE:
            return ElementState.DELETED
        case Verb.CONFIRM:
            return ElementState.CONFIRMED
        case Verb.ARCHIVE:
            return ElementState.ARCHIVED
        case _:
            assert_never(action.verb)


CORRESPONDENCE = frozenset({ElementState.UNREAD, ElementState.OPENED, ElementState.READ, ElementState.CONFIRMED})
ENDED = frozenset({ElementState.ARCHIVED, ElementState.DELETED})
"""Where the case is at its end, and nothing more is done with the element."""


def can_act(action: ActionMapping, state: ElementState) -> bool:
    """
    Whether *action* can do something with an element that stands there.

    What would be refused, or found done already, is no. It says of states what ``decision.decide`` does of elements.
    """
    if action.target is Target.ALTINN3:
        # A form of the caller's is calculated whatever stands there; the element's own must be there to be read.
        held = (ElementState.FORM_FILLING, ElementState.SIGNING, ElementState.ARCHIVED)
        return action.form is FormSource.BODY or state in held
    match action.verb:
        case Verb.PUT:
            # Forms may only be put while the element is being filled in, and only what is signed goes without.
            return state is (ElementState.SIGNING if action.form is FormSource.NONE else ElementState.FORM_FILLING)
        case Verb.DELETE:
            return state in {ElementState.FORM_FILLING, ElementState.SIGNING, *CORRESPONDENCE}
        case Verb.CONFIRM:
            return state in CORRESPONDENCE - {ElementState.CONFIRMED}
        case Verb.ARCHIVE:
            return state in CORRESPONDENCE
        case _:
            assert_never(action.verb)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementKey:
    """On whose behalf (``my``, nine digits or ``r`` + number), and which element."""

    who: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Form:
    """One form of an element; *data* is its XML as text and never printed."""

    kind: FormKind
    data_format_id: str
    data_format_version: str
    data: str
    form_id: int | None = None

    def __repr__(self) -> str:
        return f"Form({self.kind.value}, {self.data_format_id}/{self.data_format_version}, id={self.form_id})"


class Content(ABC):
    """Bytes that can be opened more than once, wherever they lie. Equal bytes are equal; none are ever printed."""

    __slots__ = ()

    @property
    @abstractmethod
    def size(self) -> int:
        """How many bytes there are."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """Their digest, in hex."""

    @abstractmethod
    def open(self) -> BinaryIO:
        """The bytes from their beginning; several readers do not disturb each other."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and (self.size, self.sha256) == (other.size, other.sha256)

    def __hash__(self) -> int:
        return hash((self.size, self.sha256))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size} bytes)"


class InMemory(Content):
    """Bytes that are small enough to be held."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    @property
    def sha256(self) -> str:
        """Their digest, in hex."""
        return hashlib.sha256(self._data).hexdigest()

    def open(self) -> BinaryIO:
        """The bytes from their beginning."""
        return io.BytesIO(self._data)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attachment:
    """One attachment as Altinn 2 lists it; *content* only where it was fetched. *size* in bytes, None when unknown."""

    attachment_type: str
    file_name: str
    size: int | None
    attachment_id: int | None = None
    content: Content | None = None

    def __repr__(self) -> str:
        return f"Attachment({self.attachment_type}, id={self.attachment_id}, size={self.size})"


@dataclass(frozen=True, slots=True)
class Sent:
    """
    Forms, attachments with their bytes, and the ids of subforms to take away.

    A form has an id where the caller named the one it means, and no data where Altinn 2 is to fill it in.
    """

    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    removed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Listed:
    """A form or attachment as the element itself links to it. *size* in bytes, None when unknown."""

    id: int
    name: str
    size: int | None = None
    locked: bool = False
    """Must be signed (``signinglocked``)."""
    by_default: bool = True
    """Ticked beforehand (``signedbydefault``)."""

    def __repr__(self) -> str:
        return f"Listed({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Element:
    """
    One read of an element. *last_changed* is in Europe/Oslo; *original_id* is the a-id of an archived element.

    *listed_forms* and *listed_attachments* are what the element itself links to, whether or not the content was read;
    None where it came out of a list, which does not say. *page* is where a person can be sent to, and *type* Altinn 2's
    kind of element. *subject* is its title, which may be empty; *created* and *due* are None where Altinn 2 tells none.
    """

    key: ElementKey
    state: ElementState
    status_text: str
    service_code: str
    service_edition: int
    last_changed: datetime
    original_id: str | None
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    listed_forms: tuple[Listed, ...] | None = None
    listed_attachments: tuple[Listed, ...] | None = None
    page: str | None = None
    type: str = "FormTask"
    payment: bool = False
    """It links to a payment, which nobody can make over REST."""
    subject: str = ""
    created: datetime | None = None
    due: datetime | None = None

    def __repr__(self) -> str:
        return f"Element({self.key.message_id}, {self.state.name})"

    def is_of(self, key: ElementKey) -> bool:
        """Whether it is the element of *key*, or says itself that it is the archived copy of that one."""
        return key.message_id.casefold() in (self.key.message_id.casefold(), (self.original_id or "").casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureSpec:
    """What a signature covers, by the ids of the element's own links; what is not named is not signed."""

    form_ids: tuple[int, ...]
    attachment_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutMessage:
    """Replace the content of an element, then do what *after* says. What is not listed is deleted by Altinn 2."""

    key: ElementKey
    service_code: str
    service_edition: int
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    after: AfterUpdate
    bare: bool = False
    """Send no forms although the element is not in signing: only where the mapping says that the service allows it."""
    signature: SignatureSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutReceipt:
    """What a PUT answered. *location_id* is the new id, None where Altinn 2 keeps no copy (facts/altinn2.md 2.7)."""

    location_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """Make a new element of a service, on behalf of *who*, then do what *after* says."""

    who: str
    service_code: str
    service_edition: int
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    after: AfterUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What Altinn 2's own validation found, by path; messages may hold values and stay out."""

    sound: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def archive_reference(message_id: str) -> str | None:
    """What users see as archive reference: ``AR`` and the number of the b-id (facts/altinn2.md 2.2)."""
    return f"AR{message_id[1:]}" if message_id.startswith("b") else None
