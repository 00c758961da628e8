"""Attachments one at a time: what a caller offers, what became of it, and what a case holds."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from bridge.core.elements import Attachment
from bridge.core.operations import Upload

AttachmentId = UUID | int
"""Which attachment is meant: an upload of the dialog by its id, or any by its id in its system as it is listed now."""


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """One attachment of a case, and the upload that it came by, where it came by one of the dialog's."""

    attachment: Attachment
    upload: Upload | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Offer:
    """What a caller sends: *read* gives up to so many bytes of it; *length* None where nobody said it before."""

    file_name: str
    attachment_type: str
    length: int | None
    read: Callable[[int], bytes]
    base64: bool = False
    """It came as base64, and goes on as base64 when it is small."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The upload that stands for the offer; *repeated* when the attachment was there already."""

    upload: Upload
    repeated: bool
