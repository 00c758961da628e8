"""Altinn 2 elements and what is asked of them, as values (facts/altinn2.md 2 and 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bridge.core.mapping import AfterUpdate, FormKind


class ElementState(Enum):
    """Where an element stands; the values are Altinn 2's bokmål texts (facts/altinn2.md 2.6)."""

    FORM_FILLING = "Utfylling"
    SIGNING = "Signering"
    ARCHIVED = "Sendt og arkivert"
    DELETED = "Slettet"
    UNKNOWN = "ukjent"
    """A text that no table knows: never taken for done."""


AIM: Mapping[AfterUpdate, ElementState] = {
    AfterUpdate.KEEP_AS_DRAFT: ElementState.FORM_FILLING,
    AfterUpdate.SEND_TO_SIGNING: ElementState.SIGNING,
    AfterUpdate.SIGN_AND_ARCHIVE: ElementState.ARCHIVED,
}
"""Where an action wants the element."""


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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attachment:
    """One attachment as Altinn 2 lists it; *content* only where it was fetched. *size* in bytes, None when unknown."""

    attachment_type: str
    file_name: str
    size: int | None
    attachment_id: int | None = None
    content: bytes | None = None

    def __repr__(self) -> str:
        return f"Attachment({self.attachment_type}, id={self.attachment_id}, size={self.size})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Element:
    """
    One read of an element. *last_changed* is in Europe/Oslo; *original_id* is the a-id of an archived element.

    *form_count* and *attachment_count* are what the element itself lists, whether or not the content was read; None
    where it came out of a list, which does not say.
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
    form_count: int | None = None
    attachment_count: int | None = None

    def __repr__(self) -> str:
        return f"Element({self.key.message_id}, {self.state.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutMessage:
    """Replace the content of an element, then do what *after* says. What is not listed is deleted by Altinn 2."""

    key: ElementKey
    service_code: str
    service_edition: int
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    after: AfterUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class PutReceipt:
    """What a PUT answered. *location_id* is the new id, None where Altinn 2 keeps no copy (facts/altinn2.md 2.7)."""

    location_id: str | None


def archive_reference(message_id: str) -> str | None:
    """Say what users see as archive reference: ``AR`` and the number of the b-id (facts/altinn2.md 2.2)."""
    return f"AR{message_id[1:]}" if message_id.startswith("b") else None
