"""Dialogporten's validators: what is wrong with a dialog, under the keys and in the words of its API (facts 2.5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bridge.sandbox.core.identities import is_party
from bridge.sandbox.dialogporten import uris
from bridge.sandbox.dialogporten.html import SUPPORTED, is_supported
from bridge.sandbox.dialogporten.kinds import moment_of
from bridge.sandbox.dialogporten.languages import NORMALISED, is_language, language, not_a_language

SHORT, LONG, STATUS_TEXT = 255, 1023, 25
MOST_LABELS = 20
# What the scope of Altinn's own Correspondence lets it write.
CORRESPONDENCE, LEGACY_HTML = "digdir:dialogporten.correspondence", "digdir:dialogporten.serviceprovider.legacyhtml"
ADMIN = "digdir:dialogporten.serviceprovider.admin"
_CONTENT_OF_CORRESPONDENCE, _DESCRIPTION_OF_CORRESPONDENCE = 512, 4095
_SKEW = timedelta(seconds=15)
_EMBEDS = "application/vnd.dialogporten.frontchannelembed"
_EMBED = f"{_EMBEDS}-url;type=text/markdown"
MEDIA_TYPES: Mapping[str, Sequence[str]] = {
    "additionalInfo": ("text/plain", "text/markdown"),
    "mainContentReference": (_EMBED,),
    "contentReference": (_EMBED,),
}
# Still read, and kept in their new spelling; no message names them.
OLD_MEDIA_TYPES = {
    f"{_EMBEDS}+json;type=markdown": _EMBED,
    f"{_EMBEDS}+json;type=html": f"{_EMBEDS}-url;type=text/html",
}
_ATTRIBUTE = re.compile(r"(?:urn:altinn:(?:[a-z][a-z0-9_-]*):)?[a-z][a-z0-9_-]*", re.IGNORECASE)
_ACTOR = (
    "If 'ActorType' is 'ServiceOwner', both 'ActorId' and 'ActorName' must be null. For any other value of "
    "'ActorType', 'ActorId' or 'ActorName' must be set, but not both simultaneously."
)


def no_party(name: str) -> str:
    """What a party has to look like."""
    return (
        f"'{name}' must be on format 'urn:altinn:organization:identifier-no:{{norwegian org-nr}}', "
        "'urn:altinn:person:identifier-no:{norwegian f-nr/d-nr}', 'urn:altinn:person:legacy-selfidentified:{username}' "
        "or 'urn:altinn:person:idporten-email:{e-mail}' with valid values, respectively."
    )


def too_long(name: str, limit: int, entered: int) -> str:
    """What is said of a text with too many characters."""
    return f"The length of '{name}' must be {limit} characters or fewer. You entered {entered} characters."


def too_short(name: str, limit: int, entered: int) -> str:
    """What is said of a text with too few characters."""
    return f"The length of '{name}' must be at least {limit} characters. You entered {entered} characters."


def out_of_range(name: str, value: object) -> str:
    """What is said of a value that an enumeration does not have."""
    return f"'{name}' has a range of values which does not include '{value}'."


@dataclass(slots=True)
class Rules:
    """Collects every finding of one body. *loopback_http* lets action URLs be http on this machine."""

    now: datetime
    loopback_http: bool
    creating: bool
    scopes: frozenset[str] = frozenset()
    visible_from: str | None = None
    """Of the dialog that is updated, which no update can change and every update is held against."""
    mute: bool = False
    """Whether the dialog that is updated has a transmission without content."""
    errors: dict[str, list[str]] = field(default_factory=dict)

    def dialog(self, dto: Mapping[str, Any]) -> None:
        """Check what POST and PUT of a dialog share, and what only POST has."""
        if self.creating:
            self._only_on_create(dto)
        else:
            self._only_on_update(dto)
        progress = dto["progress"]
        if progress is not None and not 0 <= progress <= 100:
            self._add("dto.progress", f"'Progress' must be between 0 and 100. You entered {progress}.")
        if dto["status"] is not None:
            self._choice("dto.status", dto["status"])
        self._length("dto.extendedStatus", dto["extendedStatus"], SHORT)
        self._length("dto.externalReference", dto["externalReference"], SHORT)
        self._process(dto)
        if dto["content"] is not None:
            self._values("dto.content", dto["content"])
        elif not dto["isApiOnly"]:
            self._add("dto.content", "'Content' must not be empty.")
        self._tags(dto["searchTags"])
        self._attachments("dto.attachments", dto["attachments"], judged=self.creating)
        self._gui_actions(dto["guiActions"])
        for index, action in enumerate(dto["apiActions"]):
            self._api_action(f"dto.apiActions[{index}]", action)
        self._unique("dto.apiActions", dto["apiActions"])
        for index, transmission in enumerate(dto["transmissions"]):
            self.transmission(f"dto.transmissions[{index}]", transmission, api_only=dto["isApiOnly"])
        self._unique("dto.transmissions", dto["transmissions"])
        for index, activity in enumerate(dto["activities"]):
            self.activity(f"dto.activities[{index}]", activity)
        self._unique("dto.activities", dto["activities"])

    def activity(self, key: str, activity: Mapping[str, Any]) -> None:
        """Check one activity."""
        self._id(f"{key}.id", activity["id"])
        self._not_ahead(f"{key}.createdAt", activity["createdAt"])
        self._link(f"{key}.extendedType", activity["extendedType"])
        self._choice(f"{key}.type", activity["type"])
        self._actor(f"{key}.performedBy", activity["performedBy"])
        kind, informs = activity["type"], activity["type"] == "Information"
        if informs and not activity["description"]:
            self._add(f"{key}.description", "Description is required when the type is 'Information'.")
        if not informs and activity["description"]:
            self._add(f"{key}.description", "Description is only allowed when the type is 'Information'.")
        names = activity["transmissionId"] is not None
        if names and kind != "TransmissionOpened":
            message = "Only activities of type TransmissionOpened can reference a transmission."
            self._add(f"{key}.transmissionId", message)
        if not names and kind == "TransmissionOpened":
            message = "An activity of type TransmissionOpened needs to reference a transmission."
            self._add(f"{key}.transmissionId", message)
        if informs:
            limit = _DESCRIPTION_OF_CORRESPONDENCE if CORRESPONDENCE in self.scopes else SHORT
            self._localizations(f"{key}.description", activity["description"], limit)

    def transmission(self, key: str, transmission: Mapping[str, Any], *, api_only: bool) -> None:
        """Check one transmission."""
        self._id(f"{key}.id", transmission["id"])
        self._idempotent_key(f"{key}.idempotentKey", transmission["idempotentKey"])
        self._not_ahead(f"{key}.createdAt", transmission["createdAt"])
        self._attribute(f"{key}.authorizationAttribute", transmission["authorizationAttribute"])
        self._link(f"{key}.extendedType", transmission["extendedType"])
        self._length(f"{key}.externalReference", transmission["externalReference"], SHORT)
        self._choice(f"{key}.type", transmission["type"])
        if transmission["id"] is not None and transmission["id"] == transmission["relatedTransmissionId"]:
            self._add(
                f"{key}.relatedTransmissionId",
                "A transmission cannot reference itself (RelatedTransmissionId is equal to Id, "
                f"'{transmission['id']}').",
            )
        self._actor(f"{key}.sender", transmission["sender"])
        if transmission["content"] is not None:
            self._values(f"{key}.content", transmission["content"])
        elif not api_only:
            self._add(f"{key}.content", "'Content' must not be empty.")
        self._attachments(f"{key}.attachments", transmission["attachments"], judged=self.creating)
        for index, action in enumerate(transmission["navigationalActions"]):
            place = f"{key}.navigationalActions[{index}]"
            self._required(f"{place}.title", action["title"])
            self._localizations(f"{place}.title", action["title"], SHORT)
            self._url(f"{place}.url", action["url"])
            self._future(f"{place}.expiresAt", action["expiresAt"])

    def label(self, key: str, value: str | None) -> None:
        """Check a service-owner label; it is trimmed before."""
        length = units((value or "").strip())
        if length < 3:
            self._add(key, too_short("Value", 3, length))
        self._length(key, (value or "").strip(), SHORT)

    def labels(self, place: str, labels: Sequence[Mapping[str, Any]]) -> None:
        """Check all service-owner labels together."""
        for index, label in enumerate(labels):
            self.label(f"{place}[{index}].value", label["value"])
        self._no_repeats(place, [(label["value"] or "").strip().lower() for label in labels])
        if len(labels) > MOST_LABELS:
            self._add(place, f"Maximum {MOST_LABELS} service owner labels are allowed.")

    def _only_on_create(self, dto: Mapping[str, Any]) -> None:
        self._id("dto.id", dto["id"])
        self._idempotent_key("dto.idempotentKey", dto["idempotentKey"])
        self._resource(dto["serviceResource"])
        party = dto["party"]
        self._required("dto.party", party)
        self._length("dto.party", party, SHORT)
        if party is not None and not is_party(party):
            self._add("dto.party", no_party("Party"))
        self._made(dto["createdAt"], dto["updatedAt"])
        self._order(dto)
        context = dto["serviceOwnerContext"]
        if context is not None:
            self.labels("dto.serviceOwnerContext.serviceOwnerLabels", context["serviceOwnerLabels"])
        if dto["systemLabel"] not in (None, "Default", "Bin", "Archive"):
            self._add("dto.systemLabel", "SystemLabel must be Default, Bin or Archive.")
        self._references(dto)

    def _only_on_update(self, dto: Mapping[str, Any]) -> None:
        due, expires = dto["dueAt"], dto["expiresAt"]
        if expires is not None and due is not None and expires < due:
            self._add("dto.expiresAt", "'ExpiresAt' must be after 'DueAt'.")
        # Canonical times compare as text. Altinn's own adapter makes dialogs that are due before they are seen.
        for name, value in (("dueAt", due), ("expiresAt", expires)):
            exempt = name == "dueAt" and ADMIN in self.scopes
            if value is not None and self.visible_from is not None and value < self.visible_from and not exempt:
                title = f"{name[0].upper()}{name[1:]}"
                self._add(f"dto.{name}", f"{title} must be greater than or equal to VisibleFrom.")
        if self.mute and not dto["isApiOnly"]:
            self._add(
                "dto.transmissions",
                "This dialog is locked to IsApiOnly=true, as one or more of the existing immutable transmissions do "
                "not have content.",
            )

    def _resource(self, resource: str | None) -> None:
        if resource is None:
            return
        if not uris.is_well_formed(resource):
            self._add("dto.serviceResource", "'ServiceResource' is not a well-formatted URI.")
        self._length("dto.serviceResource", resource, LONG)
        if not resource.startswith("urn:altinn:resource:"):
            self._add("dto.serviceResource", "'ServiceResource' must start with 'urn:altinn:resource:'.")

    def _made(self, created: str | None, updated: str | None) -> None:
        self._not_ahead("dto.createdAt", created)
        if updated is None:
            return
        if created is None:
            self._add("dto.createdAt", "CreatedAt must not be empty when 'UpdatedAt is set.")
            return
        self._not_ahead("dto.updatedAt", updated)
        if updated < created:
            self._add("dto.updatedAt", "'UpdatedAt' must be greater than or equal to 'CreatedAt'.")

    def _order(self, dto: Mapping[str, Any]) -> None:
        visible, due, expires = dto["visibleFrom"], dto["dueAt"], dto["expiresAt"]
        if due is not None and visible is not None and due < visible and ADMIN not in self.scopes:
            self._add("dto.dueAt", "'DueAt' must be after 'VisibleFrom'.")
        if expires is not None and due is not None and expires < due:
            self._add("dto.expiresAt", "'ExpiresAt' must be after 'DueAt'.")
        if expires is not None and visible is not None and expires < visible:
            self._add("dto.expiresAt", "'ExpiresAt' must be after 'VisibleFrom'.")

    def _references(self, dto: Mapping[str, Any]) -> None:
        """A new dialog refers only to what is sent along with it."""
        sent = {each["id"] for each in dto["transmissions"] if each["id"] is not None}
        for member, name in (("transmissions", "relatedTransmissionId"), ("activities", "transmissionId")):
            for index, each in enumerate(dto[member]):
                wanted = each[name]
                if wanted is not None and wanted not in sent:
                    message = f"'{wanted}' not found in 'Transmissions'."
                    self._add(f"dto.{member}[{index}]", message)

    def _process(self, dto: Mapping[str, Any]) -> None:
        for name in ("process", "precedingProcess"):
            if dto[name] is not None and not uris.is_well_formed(dto[name]):
                self._add(f"dto.{name}", f"'{_named(name)}' is not a well-formatted URI.")
            self._length(f"dto.{name}", dto[name], LONG)
        if dto["precedingProcess"] is not None and not dto["process"]:
            self._add("dto.process", "Process must not be empty when PrecedingProcess is set.")

    def _values(self, key: str, content: Mapping[str, Any]) -> None:
        """Check contents; as with the real one, keys of errors have no name of the content in them."""
        if content["title"] is None:
            self._add(key, "Title must not be empty.")
        for name, value in content.items():
            if value is None:
                continue
            allowed = self._media_types(name)
            given = value["mediaType"]
            if given not in allowed and not (given in OLD_MEDIA_TYPES and OLD_MEDIA_TYPES[given] in allowed):
                listed = ", ".join(f"'{each}'" for each in allowed)
                self._add(
                    f"{key}.mediaType",
                    f"MediaType '{given}' is not allowed for content type {name[:1].upper()}{name[1:]}. "
                    f"Allowed media types are {listed}",
                )
            self._required(f"{key}.value", value["value"])
            usual = _CONTENT_OF_CORRESPONDENCE if CORRESPONDENCE in self.scopes else SHORT
            limit = STATUS_TEXT if name == "extendedStatus" else LONG if name in MEDIA_TYPES else usual
            self._localizations(f"{key}.value", value["value"], limit)
            for index, each in enumerate(value["value"]):
                if given.lower().startswith(_EMBEDS):
                    self._https(f"{key}.value[{index}].value", each["value"])
                if given == "text/html" and not is_supported(each["value"] or ""):
                    self._add(f"{key}.value[{index}]", SUPPORTED)

    def _media_types(self, name: str) -> Sequence[str]:
        usual = MEDIA_TYPES.get(name, ("text/plain",))
        if LEGACY_HTML not in self.scopes:
            return usual
        more = {"additionalInfo": "text/html", "mainContentReference": f"{_EMBEDS}-url;type=text/html"}.get(name)
        return usual if more is None else (*usual, more)

    def _tags(self, tags: Sequence[Mapping[str, Any]]) -> None:
        for index, tag in enumerate(tags):
            value = (tag["value"] or "").strip()
            if units(value) < 3:
                self._add(f"dto.searchTags[{index}].value", too_short("Value", 3, units(value)))
            self._length(f"dto.searchTags[{index}].value", value, 63)
        self._no_repeats("dto.searchTags", [(tag["value"] or "").strip().lower() for tag in tags])

    def _attachments(self, key: str, attachments: Sequence[Mapping[str, Any]], *, judged: bool) -> None:
        for index, attachment in enumerate(attachments):
            place = f"{key}[{index}]"
            self._id(f"{place}.id", attachment["id"])
            self._localizations(f"{place}.displayName", attachment["displayName"], SHORT)
            self._length(f"{place}.name", attachment["name"], SHORT)
            self._required(f"{place}.urls", attachment["urls"])
            for number, url in enumerate(attachment["urls"]):
                self._id(f"{place}.urls[{number}].id", url["id"])
                self._url(f"{place}.urls[{number}].url", url["url"])
                self._choice(f"{place}.urls[{number}].consumerType", url["consumerType"])
            if judged:
                self._future(f"{place}.expiresAt", attachment["expiresAt"])
        self._unique(key, attachments)

    def _gui_actions(self, actions: Sequence[Mapping[str, Any]]) -> None:
        for index, action in enumerate(actions):
            place = f"dto.guiActions[{index}]"
            if self.creating:
                self._id(f"{place}.id", action["id"])
            self._action(place, action)
            self._url(f"{place}.url", action["url"])
            if action["httpMethod"] not in ("GET", "POST", "DELETE"):
                message = "'HttpMethod' for GUI actions must be one of the following: [GET, POST, DELETE]."
                self._add(f"{place}.httpMethod", message)
            self._choice(f"{place}.priority", action["priority"])
            self._required(f"{place}.title", action["title"])
            self._localizations(f"{place}.title", action["title"], SHORT)
            self._localizations(f"{place}.prompt", action["prompt"] or (), SHORT)
        for priority, limit, words in (
            ("Primary", 1, "one primary GUI action is"),
            ("Secondary", 1, "one secondary GUI action is"),
            ("Tertiary", 5, "five tertiary GUI actions are"),
        ):
            if sum(action["priority"] == priority for action in actions) > limit:
                self._add("dto.guiActions", f"Only {words} allowed.")
        self._unique("dto.guiActions", actions)

    def _api_action(self, key: str, action: Mapping[str, Any]) -> None:
        self._id(f"{key}.id", action["id"])
        self._action(key, action)
        self._length(f"{key}.name", action["name"], SHORT)
        self._required(f"{key}.endpoints", action["endpoints"])
        for index, endpoint in enumerate(action["endpoints"]):
            place = f"{key}.endpoints[{index}]"
            self._length(f"{place}.version", endpoint["version"], SHORT)
            self._url(f"{place}.url", endpoint["url"])
            self._choice(f"{place}.httpMethod", endpoint["httpMethod"])
            for name in ("documentationUrl", "requestSchema", "responseSchema"):
                self._link(f"{place}.{name}", endpoint[name])
            if endpoint["sunsetAt"] is not None and not endpoint["deprecated"]:
                self._add(f"{place}.deprecated", "'Deprecated' must be equal to 'True' when SunsetAt is set.")

    def _action(self, key: str, action: Mapping[str, Any]) -> None:
        self._required(f"{key}.action", action["action"])
        self._length(f"{key}.action", action["action"], SHORT)
        self._attribute(f"{key}.authorizationAttribute", action["authorizationAttribute"])

    def _actor(self, key: str, actor: Mapping[str, Any] | None) -> None:
        if actor is None:
            self._required(key, actor)
            return
        self._choice(f"{key}.actorType", actor["actorType"])
        given = sum(bool(actor[name]) for name in ("actorId", "actorName"))
        if given != (0 if actor["actorType"] == "ServiceOwner" else 1):
            self._add(key, _ACTOR)
        if actor["actorId"] and not is_party(actor["actorId"]):
            self._add(f"{key}.actorId", no_party("ActorId"))
        self._length(f"{key}.actorName", actor["actorName"], SHORT)

    def _localizations(self, key: str, texts: Sequence[Mapping[str, Any]], limit: int) -> None:
        for index, each in enumerate(texts):
            code = (each["languageCode"] or "").strip()
            self._required(f"{key}[{index}].languageCode", code)
            if not is_language(code):
                self._add(f"{key}[{index}].languageCode", not_a_language("LanguageCode", code))
            self._required(f"{key}[{index}].value", (each["value"] or "").strip())
            self._length(f"{key}[{index}].value", each["value"], limit)
        codes = [language(each["languageCode"] or "") for each in texts]
        repeated = _repeated(codes)
        if repeated:
            self._add(key, f"Can not contain duplicate items: [{', '.join(repeated)}]. {NORMALISED}")

    def _id(self, key: str, value: str | None) -> None:
        if value is None:
            return
        identity, name, date = UUID(value), _named(key), "invalid date"
        is_seventh = identity.version == 7
        if not is_seventh:
            self._add(key, f"Invalid {name}. Expected big endian UUIDv7 format. Got '{value}'.")
        else:
            made = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=min(identity.int >> 80, 2**47))
            date = f"{made:%Y-%m-%dT%H:%M:%S.%f}0+00:00"
        if not is_seventh or made > self.now + _SKEW:
            self._add(
                key,
                f"Invalid {name}. Expected the unix timestamp portion of the UUIDv7 to be in the past. Extrapolated "
                f"'{date}' from '{value}'.",
            )

    def _idempotent_key(self, key: str, value: str | None) -> None:
        if value is not None and units(value) < 3:
            self._add(key, too_short("IdempotentKey", 3, units(value)))
        self._length(key, value, 36)

    def _attribute(self, key: str, value: str | None) -> None:
        self._length(key, value, SHORT)
        if value is not None and not _ATTRIBUTE.fullmatch(value):
            self._add(
                key,
                "'AuthorizationAttribute' must be on format 'urn:altinn:{resourcetype}:{resourcename}' or "
                "{resourcename} with valid names (letters, digits, '-' or '_', starting with a letter).",
            )

    def _length(self, key: str, value: str | None, limit: int) -> None:
        if value is not None and units(value) > limit:
            self._add(key, too_long(_named(key), limit, units(value)))

    def _url(self, key: str, value: str | None) -> None:
        if value is None:
            self._required(key, value)
            return
        self._https(key, value)
        self._length(key, value, LONG)

    def _https(self, key: str, value: str | None) -> None:
        parts = uris.split(value or "")
        loopback = self.loopback_http and parts is not None and parts.host in ("127.0.0.1", "localhost")
        if parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
            self._add(key, f"'{_named(key)}' is not a well-formatted HTTPS URL.")

    def _link(self, key: str, value: str | None) -> None:
        if value is None:
            return
        self._length(key, value, LONG)
        if not uris.is_well_formed(value):
            self._add(key, f"'{_named(key)}' is not a well formatted URI.")

    def _future(self, key: str, value: str | None) -> None:
        # An update may send back what has expired meanwhile, so only new dialogs are held to it.
        if self.creating and value is not None and moment_of(value) <= self.now:
            self._add(key, f"'{_named(key)}' must be in the future.")

    def _not_ahead(self, key: str, value: str | None) -> None:
        if value is not None and moment_of(value) > self.now + _SKEW:
            self._add(key, f"'{_named(key)}' must be in the past.")

    def _choice(self, key: str, value: object) -> None:
        if not isinstance(value, str):
            self._add(key, out_of_range(_named(key), value))

    def _required(self, key: str, value: object) -> None:
        if not value:
            self._add(key, f"'{_named(key)}' must not be empty.")

    def _unique(self, key: str, items: Sequence[Mapping[str, Any]]) -> None:
        self._no_repeats(key, [each["id"] for each in items if each["id"] is not None])

    def _no_repeats(self, key: str, values: Sequence[str]) -> None:
        repeated = _repeated(values)
        if repeated:
            self._add(key, f"Can not contain duplicate items: [{', '.join(repeated)}].")

    def _add(self, key: str, message: str) -> None:
        held = self.errors.setdefault(key, [])
        if message not in held:
            held.append(message)


def units(text: str) -> int:
    """Count as .NET does, in UTF-16 code units: two for a letter beyond the first plane, such as an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _repeated(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each for each in values if values.count(each) > 1))


def _named(key: str) -> str:
    name = re.sub(r"\[\d+\]$", "", key).rpartition(".")[2]
    return name[:1].upper() + name[1:]
