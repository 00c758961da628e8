"""What of a body is stored, and in which form: lists merged by id, texts by language, names looked up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bridge.sandbox.core.ledger import Faults
from bridge.sandbox.core.rng import Chance
from bridge.sandbox.dialogporten.kinds import moment_text
from bridge.sandbox.dialogporten.languages import language
from bridge.sandbox.dialogporten.model import Body, Intent, Problem
from bridge.sandbox.dialogporten.rules import OLD_MEDIA_TYPES
from bridge.sandbox.dialogporten.schema import STORED_STATUS, UPDATE_MEMBERS

_BY_PARTY = ("Submission", "Correction")


def empty_body() -> Body:
    """The body of a dialog that is not there yet."""
    return {name: kind.absent for name, kind in UPDATE_MEMBERS.items()}


def sent(transmissions: Iterable[Mapping[str, Any]]) -> set[str]:
    """The label of dialogs in which the party sent something."""
    return {"Sent"} if any(each["type"] in _BY_PARTY for each in transmissions) else set()


class Merging:
    """Puts what is sent into what is stored, at one moment. *name_of* asks the register of people."""

    def __init__(
        self, chance: Chance, faults: Faults, name_of: Callable[[str], str], *, now: datetime, intent: Intent
    ) -> None:
        self._chance, self._faults, self._name_of, self._now = chance, faults, name_of, now
        self._intent = intent

    def body(self, held: Body, dto: Mapping[str, Any]) -> Body:
        """Replace what PUT replaces, merge what has ids, append activities and transmissions."""
        status = dto["status"] or "NotApplicable"
        return {
            **{name: dto[name] for name in UPDATE_MEMBERS},
            "status": STORED_STATUS.get(status, status),
            "content": None if dto["content"] is None else _content(dto["content"]),
            "searchTags": _by_value(held["searchTags"], dto["searchTags"]),
            "attachments": self._by_id(held["attachments"], map(_attachment, dto["attachments"]), "urls"),
            "guiActions": self._by_id(held["guiActions"], map(_gui_action, dto["guiActions"]), None),
            "apiActions": self._by_id(held["apiActions"], dto["apiActions"], "endpoints"),
            "activities": [*held["activities"], *map(self.activity, dto["activities"])],
            "transmissions": [*held["transmissions"], *map(self.transmission, dto["transmissions"])],
        }

    def activity(self, given: Mapping[str, Any]) -> Body:
        """One activity as it is stored."""
        return {
            **given,
            "id": given["id"] or self._new_id(),
            "createdAt": given["createdAt"] or moment_text(self._now),
            "performedBy": self._actor(given["performedBy"]),
            "description": _texts(given["description"]) or None,
        }

    def transmission(self, given: Mapping[str, Any], before: Body | None = None) -> Body:
        """One transmission as it is stored; *before* is what a correction corrects."""
        held = [] if before is None else before["attachments"]
        return {
            **{name: value for name, value in given.items() if name != "isSilentUpdate"},
            "id": (given["id"] if before is None else before["id"]) or self._new_id(),
            "createdAt": given["createdAt"] or moment_text(self._now),
            "sender": self._actor(given["sender"]),
            "content": None if given["content"] is None else _content(given["content"]),
            "attachments": self._by_id(held, map(_attachment, given["attachments"]), "urls"),
            "navigationalActions": [{**each, "title": _texts(each["title"])} for each in given["navigationalActions"]],
        }

    def _new_id(self) -> str:
        return str(self._chance.uuid7(self._now))

    def _by_id(self, held: Sequence[Body], wanted: Iterable[Mapping[str, Any]], nested: str | None) -> list[Body]:
        """Merge lists by id: known ids stay in their place, unknown and missing ones are created, left-out ones go."""
        known = {each["id"]: each for each in held}
        kept: dict[str, Body] = {}
        created: list[Body] = []
        for each in wanted:
            before = known.get(each["id"]) if each["id"] is not None else None
            item = {**each, "id": each["id"] or self._new_id()}
            if nested is not None:
                item[nested] = self._by_id([] if before is None else before[nested], each[nested], None)
            if before is None:
                created.append(item)
            else:
                kept[item["id"]] = item
        return [kept[each["id"]] for each in held if each["id"] in kept] + created

    def _actor(self, given: Mapping[str, Any]) -> Body:
        actor = dict(given)
        if not actor["actorId"]:
            return actor
        if self._intent.alone:
            raise Problem(502)
        path = "/dialogporten/name-lookup"
        fault = self._faults.take(system="dialogporten", method="LOOKUP", path=path, internal="name_lookup_fails")
        if self._intent.lookup_fails or fault is not None:
            raise Problem(422, {"ActorId": [f"Unable to look up name for actor id: {actor['actorId']}"]})
        return {**actor, "actorId": actor["actorId"].lower(), "actorName": self._name_of(actor["actorId"])}


def _texts(texts: Sequence[Mapping[str, Any]]) -> list[Body]:
    """Keep localizations by language: their order is not kept, so reordering them is no change."""
    found = [{"value": each["value"], "languageCode": language(each["languageCode"])} for each in texts]
    return sorted(found, key=lambda each: each["languageCode"])


def _content(content: Mapping[str, Any]) -> Body:
    return {
        name: None
        if value is None
        else {
            "value": _texts(value["value"]),
            "mediaType": OLD_MEDIA_TYPES.get(value["mediaType"], value["mediaType"]),
        }
        for name, value in content.items()
    }


def _attachment(given: Mapping[str, Any]) -> Body:
    return {**given, "displayName": _texts(given["displayName"])}


def _gui_action(given: Mapping[str, Any]) -> Body:
    return {**given, "title": _texts(given["title"]), "prompt": _texts(given["prompt"] or ()) or None}


def _by_value(held: Sequence[Body], wanted: Sequence[Mapping[str, Any]]) -> list[Body]:
    """Merge search tags: kept trimmed and in small letters, those that stay in their place."""
    values = dict.fromkeys(each["value"].strip().lower() for each in wanted)
    stay = [each for each in held if each["value"] in values]
    names = {each["value"] for each in stay}
    return stay + [{"value": each} for each in values if each not in names]
