"""Dialogporten's validators: what is wrong with a dialog, under the keys and in the words of its API (facts 2.5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from bridge.sandbox.dialog_schema import moment_of
from bridge.sandbox.identities import is_party

SHORT, LONG, STATUS_TEXT = 255, 1023, 25
# What the scope of Altinn's own Correspondence lets it write.
CORRESPONDENCE, LEGACY_HTML = "digdir:dialogporten.correspondence", "digdir:dialogporten.serviceprovider.legacyhtml"
ADMIN = "digdir:dialogporten.serviceprovider.admin"
_CONTENT_OF_CORRESPONDENCE, _DESCRIPTION_OF_CORRESPONDENCE = 512, 4095
_SKEW = timedelta(seconds=15)
# ISO 639-1, with "no" taken out where it is checked.
LANGUAGES = frozenset(
    re.findall(
        "[a-z]{2}",
        "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee"
        " el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is"
        " it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms"
        " mt my na nb nd ne ng nl nn nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl"
        " sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo"
        " za zh zu",
    )
)
_EMBED = "application/vnd.dialogporten.frontchannelembed-url;type=text/markdown"
_OLD_EMBED = "application/vnd.dialogporten.frontchannelembed+json;type=markdown"
MEDIA_TYPES: Mapping[str, Sequence[str]] = {
    "additionalInfo": ("text/plain", "text/markdown"),
    "mainContentReference": (_EMBED, _OLD_EMBED),
    "contentReference": (_EMBED, _OLD_EMBED),
}
_HTML: Mapping[str, Sequence[str]] = {
    name: tuple(each.replace("markdown", "html") for each in types if "markdown" in each)
    for name, types in MEDIA_TYPES.items()
}
_ATTRIBUTE = re.compile(r"(?:urn:altinn:(?:[a-z][a-z0-9_-]*):)?[a-z][a-z0-9_-]*", re.IGNORECASE)
_PARTY = (
    "'Party' must be on format 'urn:altinn:organization:identifier-no:{norwegian org-nr}', "
    "'urn:altinn:person:identifier-no:{norwegian f-nr/d-nr}', 'urn:altinn:person:legacy-selfidentified:{username}' "
    "or 'urn:altinn:person:idporten-email:{e-mail}' with valid values, respectively."
)
_ACTOR = (
    "If 'ActorType' is 'ServiceOwner', both 'ActorId' and 'ActorName' must be null. For any other value of "
    "'ActorType', 'ActorId' or 'ActorName' must be set, but not both simultaneously."
)


def language(code: str) -> str:
    """Reduce culture forms: ``en-US`` and ``en_GB`` are ``en``."""
    return re.split("[-_]", code)[0].lower()


@dataclass(slots=True)
class Rules:
    """Collects every finding of one body. *loopback_http* lets action URLs be http on this machine."""

    now: datetime
    loopback_http: bool
    creating: bool
    scopes: frozenset[str] = frozenset()
    visible_from: str | None = None
    """Of the dialog that is updated, which no update can change and every update is held against."""
    errors: dict[str, list[str]] = field(default_factory=dict)

    def dialog(self, dto: Mapping[str, Any]) -> None:
        """Check what POST and PUT of a dialog share, and what only POST has."""
        if self.creating:
            self._only_on_create(dto)
        elif dto["status"] is None:
            self._add("dto.status", "'Status' has a range of values which does not include '0'.")
        progress = dto["progress"]
        if progress is not None and not 0 <= progress <= 100:
            self._add("dto.progress", f"'Progress' must be between 0 and 100. You entered {progress}.")
        self._length("dto.extendedStatus", dto["extendedStatus"], SHORT)
        self._length("dto.externalReference", dto["externalReference"], SHORT)
        self._uri("dto.process", dto["process"])
        self._uri("dto.precedingProcess", dto["precedingProcess"])
        if dto["precedingProcess"] and not dto["process"]:
            self._add("dto.process", "'Process' must not be empty.")
        self._order(dto)
        self._content(dto)
        self._tags(dto["searchTags"])
        self._attachments("dto.attachments", dto["attachments"])
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
        self._uri(f"{key}.extendedType", activity["extendedType"])
        self._actor(f"{key}.performedBy", activity["performedBy"])
        kind = activity["type"]
        if kind is None:
            self._add(f"{key}.type", "'Type' has a range of values which does not include '0'.")
        if kind == "Information":
            if not activity["description"]:
                self._add(f"{key}.description", "Description is required when the type is 'Information'.")
        elif activity["description"]:
            self._add(f"{key}.description", "Description is only allowed when the type is 'Information'.")
        if kind == "TransmissionOpened":
            if activity["transmissionId"] is None:
                self._add(f"{key}.transmissionId", "TransmissionId is required when the type is 'TransmissionOpened'.")
        elif activity["transmissionId"] is not None:
            message = "TransmissionId is only allowed when the type is 'TransmissionOpened'."
            self._add(f"{key}.transmissionId", message)
        limit = _DESCRIPTION_OF_CORRESPONDENCE if CORRESPONDENCE in self.scopes else SHORT
        self._localizations(f"{key}.description", activity["description"], limit)

    def transmission(self, key: str, transmission: Mapping[str, Any], *, api_only: bool) -> None:
        """Check one transmission."""
        self._id(f"{key}.id", transmission["id"])
        self._idempotent_key(f"{key}.idempotentKey", transmission["idempotentKey"])
        self._not_ahead(f"{key}.createdAt", transmission["createdAt"])
        self._attribute(f"{key}.authorizationAttribute", transmission["authorizationAttribute"])
        self._uri(f"{key}.extendedType", transmission["extendedType"])
        self._length(f"{key}.externalReference", transmission["externalReference"], SHORT)
        if transmission["type"] is None:
            self._add(f"{key}.type", "'Type' has a range of values which does not include '0'.")
        if transmission["id"] is not None and transmission["id"] == transmission["relatedTransmissionId"]:
            self._add(f"{key}.relatedTransmissionId", "A transmission cannot reference itself.")
        self._actor(f"{key}.sender", transmission["sender"])
        self._values(f"{key}.content", transmission["content"], required=not api_only)
        self._attachments(f"{key}.attachments", transmission["attachments"])
        for index, action in enumerate(transmission["navigationalActions"]):
            place = f"{key}.navigationalActions[{index}]"
            self._required(f"{place}.title", action["title"])
            self._localizations(f"{place}.title", action["title"], SHORT)
            self._url(f"{place}.url", action["url"])
            self._future(f"{place}.expiresAt", action["expiresAt"])

    def label(self, key: str, value: str | None) -> None:
        """Check a service-owner label."""
        length = units((value or "").strip())
        if length < 3:
            self._add(key, f"'Value' must be at least 3 characters. You entered {length} characters.")
        self._length(key, value, SHORT)

    def _only_on_create(self, dto: Mapping[str, Any]) -> None:
        self._id("dto.id", dto["id"])
        self._idempotent_key("dto.idempotentKey", dto["idempotentKey"])
        resource = dto["serviceResource"]
        self._required("dto.serviceResource", resource)
        self._length("dto.serviceResource", resource, LONG)
        if resource and not resource.startswith("urn:altinn:resource:"):
            self._add("dto.serviceResource", "'ServiceResource' must start with 'urn:altinn:resource:'.")
        party = dto["party"]
        self._required("dto.party", party)
        self._length("dto.party", party, SHORT)
        if party and not is_party(party):
            self._add("dto.party", _PARTY)
        created, updated = dto["createdAt"], dto["updatedAt"]
        for name, value in (("CreatedAt", created), ("UpdatedAt", updated)):
            if value is not None and moment_of(value) > self.now:
                self._add(f"dto.{name[0].lower()}{name[1:]}", f"'{name}' must be in the past.")
        if updated is not None and (created is None or updated < created):
            self._add("dto.updatedAt", "'UpdatedAt' must be after 'CreatedAt'.")
        context = dto["serviceOwnerContext"]
        labels = [] if context is None else context["serviceOwnerLabels"]
        place = "dto.serviceOwnerContext.serviceOwnerLabels"
        for index, label in enumerate(labels):
            self.label(f"{place}[{index}].value", label["value"])
        self._no_repeats(place, [(label["value"] or "").strip().lower() for label in labels])

    def _order(self, dto: Mapping[str, Any]) -> None:
        visible, due, expires = dto.get("visibleFrom") or self.visible_from, dto["dueAt"], dto["expiresAt"]
        # Canonical times compare as text. Altinn's own adapter makes dialogs that are due before they are seen.
        if due is not None and visible is not None and due < visible and ADMIN not in self.scopes:
            self._add("dto.dueAt", "'DueAt' must be after 'VisibleFrom'.")
        if expires is not None and due is not None and expires < due:
            self._add("dto.expiresAt", "'ExpiresAt' must be after 'DueAt'.")
        if expires is not None and visible is not None and expires < visible:
            self._add("dto.expiresAt", "'ExpiresAt' must be after 'VisibleFrom'.")

    def _content(self, dto: Mapping[str, Any]) -> None:
        content = dto["content"]
        if content is None:
            if not dto["isApiOnly"]:
                self._add("dto.content", "'Content' must not be empty.")
            return
        self._values("dto.content", content, required=not dto["isApiOnly"])

    def _values(self, key: str, content: Mapping[str, Any] | None, *, required: bool) -> None:
        if content is None:
            if required:
                self._add(key, "'Content' must not be empty.")
            return
        if content["title"] is None and required:
            self._add(key, "Title must not be empty.")
        for name, value in content.items():
            if value is None:
                continue
            place = f"{key}.{name}"
            allowed = (
                *MEDIA_TYPES.get(name, ("text/plain",)),
                *(_HTML.get(name, ()) if LEGACY_HTML in self.scopes else ()),
            )
            if value["mediaType"] not in allowed:
                self._add(f"{place}.mediaType", f"'MediaType' must be one of the following: [{', '.join(allowed)}].")
            self._required(f"{place}.value", value["value"])
            usual = _CONTENT_OF_CORRESPONDENCE if CORRESPONDENCE in self.scopes else SHORT
            limit = STATUS_TEXT if name == "extendedStatus" else LONG if name in MEDIA_TYPES else usual
            self._localizations(f"{place}.value", value["value"], limit)
            if name.endswith("ContentReference") or name == "contentReference":
                for index, each in enumerate(value["value"]):
                    self._https(f"{place}.value[{index}].value", each["value"])

    def _tags(self, tags: Sequence[Mapping[str, Any]]) -> None:
        for index, tag in enumerate(tags):
            length = units(tag["value"] or "")
            if length < 3:
                message = f"The length of 'Value' must be at least 3 characters. You entered {length} characters."
                self._add(f"dto.searchTags[{index}].value", message)
            self._length(f"dto.searchTags[{index}].value", tag["value"], 63)
        self._no_repeats("dto.searchTags", [(tag["value"] or "").lower() for tag in tags])

    def _attachments(self, key: str, attachments: Sequence[Mapping[str, Any]]) -> None:
        for index, attachment in enumerate(attachments):
            place = f"{key}[{index}]"
            self._id(f"{place}.id", attachment["id"])
            self._required(f"{place}.displayName", attachment["displayName"])
            self._localizations(f"{place}.displayName", attachment["displayName"], SHORT)
            self._length(f"{place}.name", attachment["name"], SHORT)
            self._required(f"{place}.urls", attachment["urls"])
            for number, url in enumerate(attachment["urls"]):
                self._id(f"{place}.urls[{number}].id", url["id"])
                self._url(f"{place}.urls[{number}].url", url["url"])
                if url["consumerType"] is None:
                    message = "'ConsumerType' has a range of values which does not include '0'."
                    self._add(f"{place}.urls[{number}].consumerType", message)
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
            if action["priority"] is None:
                self._add(f"{place}.priority", "'Priority' has a range of values which does not include '0'.")
            self._required(f"{place}.title", action["title"])
            self._localizations(f"{place}.title", action["title"], SHORT)
            self._localizations(f"{place}.prompt", action["prompt"], SHORT)
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
            if endpoint["httpMethod"] is None:
                self._add(f"{place}.httpMethod", "'HttpMethod' has a range of values which does not include '0'.")
            for name in ("documentationUrl", "requestSchema", "responseSchema"):
                self._uri(f"{place}.{name}", endpoint[name])
            if endpoint["sunsetAt"] is not None and not endpoint["deprecated"]:
                self._add(f"{place}.deprecated", "'Deprecated' must be equal to 'True' when 'SunsetAt' is set.")

    def _action(self, key: str, action: Mapping[str, Any]) -> None:
        self._required(f"{key}.action", action["action"])
        self._length(f"{key}.action", action["action"], SHORT)
        self._attribute(f"{key}.authorizationAttribute", action["authorizationAttribute"])

    def _actor(self, key: str, actor: Mapping[str, Any] | None) -> None:
        if actor is None or actor["actorType"] is None:
            self._add(key if actor is None else f"{key}.actorType", f"'{_named(key)}' must not be empty.")
            return
        given = sum(bool(actor[name]) for name in ("actorId", "actorName"))
        if given != (0 if actor["actorType"] == "ServiceOwner" else 1):
            self._add(key, _ACTOR)
        if actor["actorId"] and not is_party(actor["actorId"]):
            self._add(f"{key}.actorId", _PARTY.replace("'Party'", "'ActorId'"))
        self._length(f"{key}.actorName", actor["actorName"], SHORT)

    def _localizations(self, key: str, texts: Sequence[Mapping[str, Any]], limit: int) -> None:
        for index, each in enumerate(texts):
            code = each["languageCode"] or ""
            if language(code) not in LANGUAGES or language(code) == "no":
                self._add(
                    f"{key}[{index}].languageCode",
                    f"'LanguageCode' '{code}' is not a valid language code. Use 'nb' or 'nn' for Norwegian. Culture "
                    "specific codes like 'en_GB' and 'en-US' are normalized to 'en' (ISO 639).",
                )
            self._required(f"{key}[{index}].value", (each["value"] or "").strip())
            self._length(f"{key}[{index}].value", each["value"], limit)
        self._no_repeats(key, [language(each["languageCode"] or "") for each in texts])

    def _id(self, key: str, value: str | None) -> None:
        if value is None:
            return
        identity = UUID(value)
        if identity.version != 7:
            self._add(key, f"'{_named(key)}' must be a valid version 7 UUID.")
        elif identity.int >> 80 > (self.now + _SKEW).timestamp() * 1000:
            self._add(key, f"'{_named(key)}' must have a timestamp that is not in the future.")

    def _idempotent_key(self, key: str, value: str | None) -> None:
        if value is not None and units(value) < 3:
            message = (
                f"The length of 'IdempotentKey' must be at least 3 characters. You entered {units(value)} characters."
            )
            self._add(key, message)
        self._length(key, value, 36)

    def _attribute(self, key: str, value: str | None) -> None:
        self._length(key, value, SHORT)
        if value is not None and not _ATTRIBUTE.fullmatch(value):
            self._add(key, "'AuthorizationAttribute' is not in the correct format.")

    def _length(self, key: str, value: str | None, limit: int) -> None:
        if value is not None and units(value) > limit:
            name, entered = _named(key), units(value)
            message = f"The length of '{name}' must be {limit} characters or fewer. You entered {entered} characters."
            self._add(key, message)

    def _url(self, key: str, value: str | None) -> None:
        self._required(key, value)
        if value:
            self._https(key, value)
            self._length(key, value, LONG)

    def _https(self, key: str, value: str | None) -> None:
        parts = _split(value)
        host = None if parts is None else parts.hostname
        loopback = self.loopback_http and host in ("127.0.0.1", "localhost")
        if parts is None or not host or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
            self._add(key, f"'{_named(key)}' is not a well-formatted HTTPS URL.")

    def _uri(self, key: str, value: str | None) -> None:
        if value is None:
            return
        self._length(key, value, LONG)
        parts = _split(value)
        if parts is None or not parts.scheme or re.search(r"\s", value):
            self._add(key, f"'{_named(key)}' is not a well formatted URI.")

    def _future(self, key: str, value: str | None) -> None:
        # An update may send back what has expired meanwhile, so only new dialogs are held to it.
        if self.creating and value is not None and moment_of(value) <= self.now:
            self._add(key, f"'{_named(key)}' must be in the future.")

    def _not_ahead(self, key: str, value: str | None) -> None:
        if value is not None and moment_of(value) > self.now + _SKEW:
            self._add(key, f"'{_named(key)}' must be in the past.")

    def _required(self, key: str, value: object) -> None:
        if not value:
            self._add(key, f"'{_named(key)}' must not be empty.")

    def _unique(self, key: str, items: Sequence[Mapping[str, Any]]) -> None:
        self._no_repeats(key, [each["id"] for each in items if each["id"] is not None])

    def _no_repeats(self, key: str, values: Sequence[str]) -> None:
        repeated = list(dict.fromkeys(each for each in values if values.count(each) > 1))
        if repeated:
            self._add(key, f"Can not contain duplicate items: [{', '.join(repeated)}].")

    def _add(self, key: str, message: str) -> None:
        self.errors.setdefault(key, []).append(message)


def units(text: str) -> int:
    """Count as .NET does, in UTF-16 code units: two for a letter beyond the first plane, such as an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _named(key: str) -> str:
    name = re.sub(r"\[\d+\]$", "", key).rpartition(".")[2]
    return name[:1].upper() + name[1:]


def _split(value: str | None) -> Any:
    try:
        return urlsplit(value or "")
    except ValueError:
        return None
