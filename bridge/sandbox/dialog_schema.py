"""Reads dialogs from JSON into one canonical form, as Dialogporten's deserialiser would (facts/dialogporten.md 2.3)."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Reader = Callable[[Any, str], Any]


class NotReadable(ValueError):
    """A member has the wrong shape; *key* is its JSON path, or ``SerializerErrors`` where there is no JSON at all."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def read_json(body: bytes) -> Any:
    """
    Parse a body.

    Raises:
        NotReadable: It is not JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotReadable("SerializerErrors", "The body is not valid JSON.") from error


def moment_text(moment: datetime) -> str:
    """Write a time as Dialogporten does: UTC, microseconds and a seventh digit that is always 0."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def moment_of(text: str) -> datetime:
    """Read a canonical time back."""
    return datetime.fromisoformat(text.removesuffix("0Z")).replace(tzinfo=UTC)


def _wrong(path: str) -> NotReadable:
    return NotReadable(path, f"The JSON value could not be converted. Path: {path}")


def text(value: Any, path: str) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise _wrong(path)
    return value


def integer(value: Any, path: str) -> int:
    """Read a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(path)
    return value


def boolean(value: Any, path: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise _wrong(path)
    return value


def uuid(value: Any, path: str) -> str:
    """Read a UUID in its usual spelling."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise _wrong(path)
    return str(UUID(value))


def moment(value: Any, path: str) -> str:
    """Read a time with an explicit offset; to microseconds."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)", value):
        raise _wrong(path)
    try:
        return moment_text(datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value)))
    except ValueError as error:
        raise _wrong(path) from error


def choice(*names: str) -> Reader:
    """Read one of *names*, whatever its case, or its number from 1; 0 is what the API takes for left out."""
    known: dict[object, str | None] = {name.lower(): name for name in names}
    known |= dict(enumerate((None, *names)))

    def read(value: Any, path: str) -> str | None:
        key = value.lower() if isinstance(value, str) else value
        if isinstance(value, bool) or not isinstance(value, str | int) or key not in known:
            raise _wrong(path)
        return known[key]

    return read


def many(item: Reader) -> Reader:
    """Read a list; null and absence are the empty list."""

    def read(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(path)
        return [item(each, f"{path}[{index}]") for index, each in enumerate(value)]

    read.empty = []  # type: ignore[attr-defined]
    return read


def record(members: Mapping[str, Reader], **defaults: Any) -> Reader:
    """Read an object: every known member is there afterwards, unknown ones are not."""

    def read(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(path)
        found: dict[str, Any] = {}
        for name, reader in members.items():
            given = value.get(name)
            if given is not None:
                found[name] = reader(given, f"{path}.{name}")
            else:
                found[name] = list(reader.empty) if hasattr(reader, "empty") else defaults.get(name)
        return found

    return read


VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT")
STATUSES = (
    "New",
    "InProgress",
    "Draft",
    "Sent",
    "RequiresAttention",
    "Completed",
    "NotApplicable",
    "Awaiting",
)
# What a caller writes and what is stored (facts/dialogporten.md 2.5).
STORED_STATUS = {"New": "NotApplicable", "Sent": "Awaiting"}
ACTIVITY_TYPES = (
    "DialogCreated",
    "DialogClosed",
    "Information",
    "TransmissionOpened",
    "PaymentMade",
    "SignatureProvided",
    "DialogOpened",
    "DialogDeleted",
    "DialogRestored",
    "SentToSigning",
    "SentToFormFill",
    "SentToSendIn",
    "SentToPayment",
    "FormSubmitted",
    "FormSaved",
    "CorrespondenceOpened",
    "CorrespondenceConfirmed",
)
TRANSMISSION_TYPES = (
    "Information",
    "Acceptance",
    "Rejection",
    "Request",
    "Alert",
    "Decision",
    "Submission",
    "Correction",
)
CONTENT = (
    "title",
    "nonSensitiveTitle",
    "summary",
    "nonSensitiveSummary",
    "senderName",
    "additionalInfo",
    "extendedStatus",
    "mainContentReference",
)
TRANSMISSION_CONTENT = ("title", "summary", "contentReference")

LOCALIZATIONS = many(record({"value": text, "languageCode": text}))
_VALUE = record({"value": LOCALIZATIONS, "mediaType": text}, mediaType="text/plain")
_URL = record({"id": uuid, "url": text, "mediaType": text, "consumerType": choice("Gui", "Api")})
ATTACHMENT = record(
    {"id": uuid, "displayName": LOCALIZATIONS, "name": text, "urls": many(_URL), "expiresAt": moment},
)
ACTOR = record({"actorType": choice("PartyRepresentative", "ServiceOwner"), "actorName": text, "actorId": text})
ACTIVITY = record(
    {
        "id": uuid,
        "createdAt": moment,
        "extendedType": text,
        "type": choice(*ACTIVITY_TYPES),
        "transmissionId": uuid,
        "performedBy": ACTOR,
        "description": LOCALIZATIONS,
    }
)
TRANSMISSION = record(
    {
        "id": uuid,
        "idempotentKey": text,
        "createdAt": moment,
        "authorizationAttribute": text,
        "extendedType": text,
        "externalReference": text,
        "relatedTransmissionId": uuid,
        "type": choice(*TRANSMISSION_TYPES),
        "sender": ACTOR,
        "content": record(dict.fromkeys(TRANSMISSION_CONTENT, _VALUE)),
        "attachments": many(ATTACHMENT),
        "navigationalActions": many(record({"title": LOCALIZATIONS, "url": text, "expiresAt": moment})),
    }
)
GUI_ACTION = record(
    {
        "id": uuid,
        "action": text,
        "url": text,
        "authorizationAttribute": text,
        "isDeleteDialogAction": boolean,
        "priority": choice("Primary", "Secondary", "Tertiary"),
        "httpMethod": choice(*VERBS),
        "title": LOCALIZATIONS,
        "prompt": LOCALIZATIONS,
    },
    isDeleteDialogAction=False,
    httpMethod="GET",
)
API_ACTION = record(
    {
        "id": uuid,
        "action": text,
        "authorizationAttribute": text,
        "name": text,
        "endpoints": many(
            record(
                {
                    "id": uuid,
                    "version": text,
                    "url": text,
                    "httpMethod": choice(*VERBS),
                    "documentationUrl": text,
                    "requestSchema": text,
                    "responseSchema": text,
                    "deprecated": boolean,
                    "sunsetAt": moment,
                },
                deprecated=False,
            )
        ),
    }
)
SYSTEM_LABELS = ("Default", "Bin", "Archive", "MarkedAsUnopened", "Sent")
_LABELS = many(choice(*SYSTEM_LABELS))
_LABEL_CHANGE: Mapping[str, Reader] = {
    "systemLabels": _LABELS,
    "addLabels": _LABELS,
    "removeLabels": _LABELS,
    "performedBy": ACTOR,
}
LABEL_CHANGE = record(_LABEL_CHANGE)
BULK_LABEL_CHANGE = record(
    {"dialogs": many(record({"dialogId": uuid, "endUserContextRevision": uuid})), **_LABEL_CHANGE}
)
_TAG = record({"value": text})
UPDATE_MEMBERS: Mapping[str, Reader] = {
    "progress": integer,
    "extendedStatus": text,
    "externalReference": text,
    "dueAt": moment,
    "process": text,
    "precedingProcess": text,
    "expiresAt": moment,
    "isApiOnly": boolean,
    "status": choice(*STATUSES),
    "content": record(dict.fromkeys(CONTENT, _VALUE)),
    "searchTags": many(_TAG),
    "attachments": many(ATTACHMENT),
    "transmissions": many(TRANSMISSION),
    "guiActions": many(GUI_ACTION),
    "apiActions": many(API_ACTION),
    "activities": many(ACTIVITY),
}
UPDATE = record(UPDATE_MEMBERS, isApiOnly=False)
CREATE = record(
    {
        "id": uuid,
        "idempotentKey": text,
        "serviceResource": text,
        "party": text,
        "visibleFrom": moment,
        "createdAt": moment,
        "updatedAt": moment,
        "systemLabel": choice("Default", "Bin", "Archive"),
        "serviceOwnerContext": record({"serviceOwnerLabels": many(_TAG)}),
        **UPDATE_MEMBERS,
    },
    isApiOnly=False,
    systemLabel="Default",
)
