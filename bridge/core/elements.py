"""Altinn 2 elements and what is asked of them, as values (facts/altinn2.md 2 and 3)."""

import hashlib
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, assert_never

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.mapping import ActionMapping, AfterUpdate, FormKind, FormSource, Verb
from bridge.core.targets import Target

AIM: Mapping[AfterUpdate, CaseStatus] = {
    AfterUpdate.KEEP_AS_DRAFT: CaseStatus.FORM_FILLING,
    AfterUpdate.BACK_TO_FORM_FILLING: CaseStatus.FORM_FILLING,
    AfterUpdate.SEND_TO_SIGNING: CaseStatus.SIGNING,
    AfterUpdate.SIGN_AND_ARCHIVE: CaseStatus.ARCHIVED,
}
"""Where a PUT wants the element."""


def aim(action: ActionMapping) -> CaseStatus:
    """Where *action* wants the element."""
    if action.target is Target.ALTINN3:
        return CaseStatus.CALCULATED
    match action.verb:
        case Verb.PUT:
            return AIM[action.after]
        case Verb.DELETE:
            return CaseStatus.DELETED
        case Verb.CONFIRM:
            return CaseStatus.CONFIRMED
        case Verb.ARCHIVE:
            return CaseStatus.ARCHIVED
        case _:
            assert_never(action.verb)


CORRESPONDENCE = frozenset({CaseStatus.UNREAD, CaseStatus.OPENED, CaseStatus.READ, CaseStatus.CONFIRMED})


def can_act(action: ActionMapping, state: CaseStatus) -> bool:
    """
    Whether *action* can do something with an element that stands there.

    What would be refused, or found done already, is no. It says of states what ``decision.decide`` does of elements.
    """
    if action.target is Target.ALTINN3:
        # A form of the caller's is calculated whatever stands there; the element's own must be there to be read.
        held = (CaseStatus.FORM_FILLING, CaseStatus.SIGNING, CaseStatus.ARCHIVED)
        return action.form is FormSource.BODY or state in held
    match action.verb:
        case Verb.PUT:
            # Forms may only be put while the element is being filled in, and only what is signed goes without.
            return state is (CaseStatus.SIGNING if action.form is FormSource.NONE else CaseStatus.FORM_FILLING)
        case Verb.DELETE:
            return state in {CaseStatus.FORM_FILLING, CaseStatus.SIGNING, *CORRESPONDENCE}
        case Verb.CONFIRM:
            return state in CORRESPONDENCE - {CaseStatus.CONFIRMED}
        case Verb.ARCHIVE:
            return state in CORRESPONDENCE
        case _:
            assert_never(action.verb)


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

    case: CaseRef
    state: CaseStatus
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
        return f"Element({self.case.key}, {self.state.name})"

    def is_of(self, case: CaseRef) -> bool:
        """Whether it is *case*, or says itself that it is the archived copy of that one."""
        return case.key.casefold() in (self.case.key.casefold(), (self.original_id or "").casefold())
