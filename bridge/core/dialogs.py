"""Dialogs as the service-owner API shows and takes them (facts/dialogporten.md 2.5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from urllib.parse import unquote, urlsplit
from uuid import UUID

Json = Mapping[str, object]

_REFERENCE = re.compile(r"(?:urn:altinn:integration:)?a2:message:(?P<letter>[abc]?)(?P<number>\d{1,18})", re.ASCII)

_KEY = re.compile(r"a2-message-(?P<id>[abc]\d{1,18})", re.ASCII)

_STORED_AS = {"new": "notapplicable", "sent": "awaiting"}
"""Statuses that are taken under one name and shown under another."""


class ActorType(Enum):
    """Who did it, as Dialogporten says it."""

    SERVICE_OWNER = "ServiceOwner"
    PARTY_REPRESENTATIVE = "PartyRepresentative"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Actor:
    """Who did it. *actor_id* is a urn, given for a party's representative and for nobody else."""

    actor_type: ActorType
    actor_id: str | None = None

    def __post_init__(self) -> None:
        if (self.actor_type is ActorType.PARTY_REPRESENTATIVE) != (self.actor_id is not None):
            raise ValueError("a party's representative has an id, the service owner has none")

    def __repr__(self) -> str:
        return f"Actor({self.actor_type.value})"


SERVICE_OWNER = Actor(actor_type=ActorType.SERVICE_OWNER)


def party_representative(actor_id: str) -> Actor:
    """Name the person or organisation of this urn as the one who acted."""
    return Actor(actor_type=ActorType.PARTY_REPRESENTATIVE, actor_id=actor_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One line of a dialog's history. *description*, by language, is there for ``Information`` and nothing else."""

    id: UUID
    type: str
    created_at: datetime
    performed_by: Actor
    description: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.type == "Information") != bool(self.description):
            raise ValueError("an Information activity has a description, any other has none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEndpoint:
    """One version of an API action. *raw* is what was read."""

    id: UUID | None
    url: str = field(repr=False)
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAction:
    """One API action. *raw* is what was read."""

    id: UUID | None
    endpoints: tuple[ApiEndpoint, ...]
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuiAction:
    """One button. *raw* is what was read."""

    id: UUID | None
    url: str = field(repr=False)
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dialog:
    """One read of a dialog. *raw* is the answer as it came; *deleted_at* is set while it is soft-deleted."""

    id: UUID
    revision: str
    service_resource: str
    party: str
    status: str
    external_reference: str | None
    labels: tuple[str, ...]
    gui_actions: tuple[GuiAction, ...]
    api_actions: tuple[ApiAction, ...]
    activity_ids: frozenset[UUID]
    deleted_at: datetime | None
    raw: Json = field(compare=False)

    def __repr__(self) -> str:
        return f"Dialog({self.id}, {self.status}, revision={self.revision})"


REFUSAL = "refusal"
"""The ``state`` of a change that tells of a refusal."""


class Ends(Enum):
    """Whose words end with a change, where it does not say them anew and nobody else changed them."""

    NONE = "nobody's"
    REFUSAL = "a refusal's"
    STATES = "a refusal's, and those of any other state"


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogChange:
    """
    What a dialog shall say from now on; *status* None leaves that as it stands.

    *remove_actions* are names of the bridge's own actions: their buttons and endpoints go; *offers* are those that
    shall stand there. *fields* go by JSON pointer. *silent* spares the dialog's place in the user's archive, and
    still wakes Arbeidsflate (facts/dialogporten.md 2.6).
    """

    status: str | None
    remove_actions: frozenset[str]
    activities: tuple[Activity, ...]
    silent: bool
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    offers: tuple["Offer", ...] = ()
    search_tags: tuple[str, ...] = ()
    transmissions: tuple[Json, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = ()
    """Service-owner labels, which no patch reaches (facts/dialogporten.md 2.4)."""
    links: tuple["LinkOffer", ...] = ()
    state: str = ""
    """In which state this is said, so that it is known what ends with it; a refusal is one, too."""
    ends: Ends = Ends.NONE
    usual_status: str | None = None
    """The status in place of one that a refusal left, where *status* is None."""
    deletes: bool = False
    """Whether the dialog is deleted once it says this."""

    def in_history_of(self, dialog: Dialog) -> bool:
        """Whether all activities of the change, if it has any, stand in the history of *dialog*."""
        ids = {each.id for each in self.activities}
        return bool(ids) and ids <= dialog.activity_ids


class Only(Enum):
    """What a field may be written over, where that is less than usual."""

    OWN = "what the bridge wrote itself"
    UNSAID = "that, and nothing at all"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Field:
    """A wanted value as Dialogporten takes it; None takes it away. *asked*: a mapping says it, and not a default."""

    value: object
    asked: bool
    only: Only | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Offer:
    """One action as a dialog offers it: by a button, by an API action, or by both, with our own ids."""

    name: str
    button: Json | None = None
    api_action: Json | None = None
    on_ours_alone: bool = False
    """Whether only a dialog that the bridge made offers it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LinkOffer:
    """An attachment with an id of our own; *item* None is one that cannot be made this time, so that none stands."""

    name: str
    id: UUID
    item: Json | None


def dialog_from_json(body: Json, *, revision: str | None = None) -> Dialog:
    """
    The dialog in the answer of a service-owner GET; *revision* stands in where the body has none.

    Raises:
        ValueError: A member that a dialog cannot be without is missing or of another kind.
    """
    return Dialog(
        id=UUID(_text(body, "id")),
        revision=str(body.get("revision") or revision or _text(body, "revision")),
        service_resource=_text(body, "serviceResource"),
        party=_text(body, "party"),
        status=_text(body, "status"),
        external_reference=_optional_text(body, "externalReference"),
        labels=tuple(
            _text(label, "value") for label in _items(_object(body, "serviceOwnerContext"), "serviceOwnerLabels")
        ),
        gui_actions=tuple(
            GuiAction(id=_id(item), url=_optional_text(item, "url") or "", raw=item)
            for item in _items(body, "guiActions")
        ),
        api_actions=tuple(
            ApiAction(
                id=_id(item),
                endpoints=tuple(
                    ApiEndpoint(id=_id(endpoint), url=_optional_text(endpoint, "url") or "", raw=endpoint)
                    for endpoint in _items(item, "endpoints")
                ),
                raw=item,
            )
            for item in _items(body, "apiActions")
        ),
        activity_ids=frozenset(found for item in _items(body, "activities") if (found := _id(item)) is not None),
        deleted_at=_moment(body, "deletedAt"),
        raw=body,
    )


def activity_to_json(activity: Activity) -> dict[str, object]:
    """The *activity* as Dialogporten takes it: no nulls, times in UTC, the actor with an id or without."""
    body: dict[str, object] = {
        "id": str(activity.id),
        "createdAt": moment_to_json(activity.created_at),
        "type": activity.type,
        "performedBy": actor_to_json(activity.performed_by),
    }
    if activity.description:
        body["description"] = [
            {"languageCode": language, "value": value} for language, value in activity.description.items()
        ]
    return body


def moment_to_json(moment: datetime) -> str:
    """The *moment* as Dialogporten takes it: with a zone, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def actor_to_json(actor: Actor) -> dict[str, object]:
    """The *actor* as Dialogporten takes it: with an id, or without."""
    body: dict[str, object] = {"actorType": actor.actor_type.value}
    if actor.actor_id is not None:
        body["actorId"] = actor.actor_id
    return body


def element_reference(dialog: Dialog) -> str | None:
    """
    Which Altinn 2 element the dialog stands for: by its label, or its external reference, or its idempotent key.

    The first of them that says it counts. A number without letter is an active element's. Labels that name different
    elements name none. A key is fixed when the dialog is made, and only its owner can have given it.
    """
    labelled = {found for label in dialog.labels if (found := _message_id(label, labels=True)) is not None}
    if labelled:
        return labelled.pop() if len(labelled) == 1 else None
    referred = _message_id(dialog.external_reference or "", labels=False)
    key = _KEY.fullmatch((_optional_text(dialog.raw, "idempotentKey") or "").strip().lower())
    return referred or (None if key is None else key["id"])


def action_of(url: str, dialog_id: UUID) -> str | None:
    """Name the bridge's action behind *url*, whose path then ends in ``/actions/{dialog_id}/{name}``; else None."""
    try:
        segments = urlsplit(url).path.split("/")
    except ValueError:  # Not a URL that anything can be said about, so not one of ours.
        return None
    match segments:
        case [*_, "actions", dialog, name] if name and dialog.lower() == str(dialog_id):
            return unquote(name)
        case _:
            return None


def is_narrowed(dialog: Dialog, name: str) -> bool:
    """
    Whether the dialog offers the bridge's action *name* by elements with an authorization context, and no other.

    Then a token's ``a`` says nothing of it (facts/dialogporten.md 3.9, 13).
    """
    leading = [each.raw for each in dialog.gui_actions if action_of(each.url, dialog.id) == name]
    leading += [
        each.raw
        for each in dialog.api_actions
        if any(action_of(endpoint.url, dialog.id) == name for endpoint in each.endpoints)
    ]
    return bool(leading) and all(each.get("authorizationContext") for each in leading)


def _message_id(text: str, *, labels: bool) -> str | None:
    match = _REFERENCE.fullmatch(text.strip().lower())
    if match is None or labels != match[0].startswith("urn:"):
        return None
    return f"{match['letter'] or 'a'}{match['number']}"


def of_correspondence(dialog: Dialog) -> bool:
    """Whether it is a dialog of Altinn Correspondence's, which others may not change."""
    return str(dialog.raw.get("serviceResourceType", "")).casefold() == "correspondenceservice"


def stored_status(status: str) -> str:
    """The name, in small letters, under which Dialogporten keeps *status*."""
    name = status.casefold()
    return _STORED_AS.get(name, name)


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing or not a text")  # noqa: TRY004 - one kind of error for the reader.
    return value


def _optional_text(body: Json, name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None


def _object(body: Json, name: str) -> Json:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _items(body: Json, name: str) -> tuple[Json, ...]:
    value = body.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    if not all(isinstance(item, Mapping) for item in value):
        # Leaving one out would shift the indexes that a patch is computed from.
        raise ValueError(f"{name} holds something that is not an object")
    return tuple(value)


def _id(body: Json) -> UUID | None:
    value = _optional_text(body, "id")
    return None if value is None else UUID(value)


def _moment(body: Json, name: str) -> datetime | None:
    value = _optional_text(body, name)
    return None if value is None else datetime.fromisoformat(value)
