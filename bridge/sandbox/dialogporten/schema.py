"""The bodies that Dialogporten takes, as tables of kinds; and what is wrong where one cannot be read."""

from collections.abc import Mapping
from typing import Any

from bridge.sandbox.dialogporten import json_reader
from bridge.sandbox.dialogporten.kinds import (
    Choice,
    Flag,
    Guid,
    Kind,
    Link,
    Many,
    Maybe,
    Moment,
    NotReadable,
    Passed,
    Place,
    Record,
    Text,
    Whole,
)

_DOMAIN = "Digdir.Domain.Dialogporten.Domain"
_FEATURES = "Digdir.Domain.Dialogporten.Application.Features.V1"
_COMMANDS = f"{_FEATURES}.ServiceOwner.Dialogs.Commands"

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT")
STATUSES = ("New", "InProgress", "Draft", "Sent", "RequiresAttention", "Completed", "NotApplicable", "Awaiting")
# What a caller writes and what is stored (facts/dialogporten.md 2.5).
STORED_STATUS = {"New": "NotApplicable", "Sent": "Awaiting"}
ACTIVITY_TYPES = (
    *("DialogCreated", "DialogClosed", "Information", "TransmissionOpened", "PaymentMade", "SignatureProvided"),
    *("DialogOpened", "DialogDeleted", "DialogRestored", "SentToSigning", "SentToFormFill", "SentToSendIn"),
    *("SentToPayment", "FormSubmitted", "FormSaved", "CorrespondenceOpened", "CorrespondenceConfirmed"),
)
TRANSMISSION_TYPES = (
    *("Information", "Acceptance", "Rejection", "Request", "Alert", "Decision", "Submission", "Correction"),
)
CONTENT = (
    *("title", "nonSensitiveTitle", "summary", "nonSensitiveSummary", "senderName", "additionalInfo"),
    *("extendedStatus", "mainContentReference"),
)
TRANSMISSION_CONTENT = ("title", "summary", "contentReference")
SYSTEM_LABELS = ("Default", "Bin", "Archive", "MarkedAsUnopened", "Sent")

_TEXT, _GUID, _MOMENT, _FLAG, _LINK = Text(), Guid(), Moment(), Flag(), Link()
_MAYBE_TEXT, _MAYBE_GUID, _MAYBE_MOMENT, _MAYBE_LINK = Maybe(_TEXT), Maybe(_GUID), Maybe(_MOMENT), Maybe(_LINK)
_VERB = Choice(f"{_DOMAIN}.Http.HttpVerb+Values", *VERBS)
_STATUS = Choice(f"{_FEATURES}.ServiceOwner.Common.DialogStatuses.DialogStatusInput", *STATUSES)
_LABEL = Choice(f"{_DOMAIN}.DialogEndUserContexts.Entities.SystemLabel+Values", *SYSTEM_LABELS)

LOCALIZATIONS = Many(
    Record(f"{_FEATURES}.Common.Localizations.LocalizationDto", {"value": _TEXT, "languageCode": _TEXT})
)
_VALUE = Record(
    f"{_FEATURES}.Common.Content.ContentValueDto",
    {"value": LOCALIZATIONS, "mediaType": Maybe(_TEXT, other="text/plain")},
)


def _content(name: str, members: tuple[str, ...]) -> Maybe:
    return Maybe(Record(name, {each: _VALUE if each == "title" else Maybe(_VALUE) for each in members}))


ACTOR = Record(
    f"{_FEATURES}.ServiceOwner.Common.Actors.ActorDto",
    {
        "actorType": Choice(f"{_DOMAIN}.Actors.ActorType+Values", "PartyRepresentative", "ServiceOwner"),
        "actorName": _MAYBE_TEXT,
        "actorId": _MAYBE_TEXT,
    },
)
_CONSUMER = Choice(f"{_DOMAIN}.Attachments.AttachmentUrlConsumerType+Values", "Gui", "Api")


def _attachment(prefix: str, url_id: Kind = _MAYBE_GUID) -> Record:
    url = {"id": url_id, "url": _LINK, "mediaType": _MAYBE_TEXT, "consumerType": _CONSUMER}
    return Record(
        f"{prefix}AttachmentDto",
        {
            "id": _MAYBE_GUID,
            "displayName": LOCALIZATIONS,
            "name": _MAYBE_TEXT,
            "urls": Many(Record(f"{prefix}AttachmentUrlDto", url)),
            "expiresAt": _MAYBE_MOMENT,
        },
    )


ATTACHMENT = _attachment("")
_ACTIVITY: Mapping[str, Kind] = {
    "id": _MAYBE_GUID,
    "createdAt": _MAYBE_MOMENT,
    "extendedType": _MAYBE_LINK,
    "type": Choice(f"{_DOMAIN}.Dialogs.Entities.Activities.DialogActivityType+Values", *ACTIVITY_TYPES),
    "transmissionId": _MAYBE_GUID,
    "performedBy": ACTOR,
    "description": LOCALIZATIONS,
}
_TRANSMISSION: Mapping[str, Kind] = {
    "id": _MAYBE_GUID,
    "idempotentKey": _MAYBE_TEXT,
    "createdAt": _MAYBE_MOMENT,
    "authorizationAttribute": _MAYBE_TEXT,
    "extendedType": _MAYBE_LINK,
    "externalReference": _MAYBE_TEXT,
    "relatedTransmissionId": _MAYBE_GUID,
    "type": Choice(f"{_DOMAIN}.Dialogs.Entities.Transmissions.DialogTransmissionType+Values", *TRANSMISSION_TYPES),
    "sender": ACTOR,
    "content": _content("TransmissionContentDto", TRANSMISSION_CONTENT),
    # What a transmission's attachment leads to has no id of one's own choice, except where one is corrected.
    "attachments": Many(_attachment("Transmission", Passed())),
    "navigationalActions": Many(
        Record(
            "TransmissionNavigationalActionDto",
            {"title": LOCALIZATIONS, "url": _LINK, "expiresAt": _MAYBE_MOMENT},
        )
    ),
}
GUI_ACTION = Record(
    "GuiActionDto",
    {
        "id": _MAYBE_GUID,
        "action": _TEXT,
        "url": _LINK,
        "authorizationAttribute": _MAYBE_TEXT,
        "isDeleteDialogAction": _FLAG,
        "priority": Choice(
            f"{_DOMAIN}.Dialogs.Entities.Actions.DialogGuiActionPriority+Values", "Primary", "Secondary", "Tertiary"
        ),
        "httpMethod": Maybe(_VERB, other="GET"),
        "title": LOCALIZATIONS,
        "prompt": Maybe(LOCALIZATIONS),
    },
)
_ENDPOINT = Record(
    "ApiActionEndpointDto",
    {
        "id": _MAYBE_GUID,
        "version": _MAYBE_TEXT,
        "url": _LINK,
        "httpMethod": _VERB,
        "documentationUrl": _MAYBE_LINK,
        "requestSchema": _MAYBE_LINK,
        "responseSchema": _MAYBE_LINK,
        "deprecated": _FLAG,
        "sunsetAt": _MAYBE_MOMENT,
    },
)
API_ACTION = Record(
    "ApiActionDto",
    {
        "id": _MAYBE_GUID,
        "action": _TEXT,
        "authorizationAttribute": _MAYBE_TEXT,
        "name": _MAYBE_TEXT,
        "endpoints": Many(_ENDPOINT),
    },
)
_LABELS = Many(_LABEL)
_LABEL_CHANGE: Mapping[str, Kind] = {
    "systemLabels": Maybe(_LABELS, other=()),
    "addLabels": _LABELS,
    "removeLabels": _LABELS,
    "performedBy": Maybe(ACTOR),
}
LABEL_CHANGE = Record("SetSystemLabelRequest", _LABEL_CHANGE)
BULK_LABEL_CHANGE = Record(
    "BulkSetSystemLabelDto",
    {
        "dialogs": Many(
            Record("DialogRevisionDto", {"dialogId": _GUID, "endUserContextRevision": _MAYBE_GUID}),
        ),
        **_LABEL_CHANGE,
    },
)
_TAGS = Many(Record("SearchTagDto", {"value": _TEXT}))
OWNER_LABEL = Record("ServiceOwnerLabelDto", {"value": _TEXT})
NEW_TIME = Record("UpdateFormSavedActivityTimeRequest", {"newCreatedAt": _MOMENT})
UPDATE_MEMBERS: Mapping[str, Kind] = {
    "progress": Maybe(Whole()),
    "extendedStatus": _MAYBE_TEXT,
    "externalReference": _MAYBE_TEXT,
    "dueAt": _MAYBE_MOMENT,
    "process": _MAYBE_TEXT,
    "precedingProcess": _MAYBE_TEXT,
    "expiresAt": _MAYBE_MOMENT,
    "isApiOnly": _FLAG,
    "status": _STATUS,
    "content": _content("ContentDto", CONTENT),
    "searchTags": _TAGS,
    "attachments": Many(ATTACHMENT),
    "transmissions": Many(Record("TransmissionDto", _TRANSMISSION)),
    "guiActions": Many(GUI_ACTION),
    "apiActions": Many(API_ACTION),
    "activities": Many(Record("ActivityDto", _ACTIVITY)),
}
UPDATE = Record("UpdateDialogDto", UPDATE_MEMBERS)
CREATE = Record(
    "CreateDialogDto",
    {
        "id": _MAYBE_GUID,
        "idempotentKey": _MAYBE_TEXT,
        "serviceResource": _TEXT,
        "party": _TEXT,
        "visibleFrom": _MAYBE_MOMENT,
        "createdAt": _MAYBE_MOMENT,
        "updatedAt": _MAYBE_MOMENT,
        "systemLabel": Maybe(_LABEL),
        "serviceOwnerContext": Maybe(Record("DialogServiceOwnerContextDto", {"serviceOwnerLabels": Many(OWNER_LABEL)})),
        **UPDATE_MEMBERS,
        "status": Maybe(_STATUS),
    },
)
ACTIVITY = Record("CreateActivityDto", _ACTIVITY)
TRANSMISSION = Record("CreateTransmissionDto", _TRANSMISSION)
CHANGED_TRANSMISSION = Record(
    "UpdateTransmissionDto",
    {
        **_TRANSMISSION,
        "attachments": Many(_attachment("Transmission")),
        "isSilentUpdate": Maybe(_FLAG, other=False),
    },
)
PATCHED = Place(f"{_COMMANDS}.Update", lenient=True)

# Where the types of a body live.
_TYPES: Mapping[str, str] = {
    "CreateDialogDto": f"{_COMMANDS}.Create",
    "UpdateDialogDto": f"{_COMMANDS}.Update",
    "CreateActivityDto": f"{_COMMANDS}.CreateActivity",
    "CreateTransmissionDto": f"{_COMMANDS}.CreateTransmission",
    "UpdateTransmissionDto": f"{_COMMANDS}.UpdateTransmission",
}


class BadBody(ValueError):
    """A body that cannot be read; the message stands under *key*."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def read_body_as(kind: Record, body: bytes) -> dict[str, Any] | None:
    """
    A body in its canonical form, None where it says null.

    Raises:
        BadBody: It is no JSON, or not of this kind.
        Faulty: The real one falls over it.
    """
    place = Place(_TYPES.get(kind.name, f"{_FEATURES}.ServiceOwner"))
    try:
        value = json_reader.parsed(body)
        return None if value is None else kind.read(value, place)
    except json_reader.NotJson as error:
        raise BadBody("SerializerErrors", str(error)) from error
    except NotReadable as error:
        message = str(error)
        if error.placed:
            message = f"{message} Path: {error.path} | {json_reader.place(body, error.path)}"
        key = error.path.removeprefix("$").removeprefix(".") or "SerializerErrors"
        raise BadBody(key, message) from error
