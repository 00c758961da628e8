"""What stops a write once its body is valid: keys used twice, trees that grow too far, times that are over."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bridge.sandbox.dialogporten.kinds import Faulty, moment_of
from bridge.sandbox.dialogporten.model import Body, Dialog, Problem, Writer
from bridge.sandbox.dialogporten.rules import CORRESPONDENCE

_RESTRICTED_ACTIVITIES = ("CorrespondenceOpened", "CorrespondenceConfirmed")
_LONGEST_CHAIN = _MOST_SIBLINGS = 100
_MOST_TRANSMISSIONS = 32_767
_LONGEST_MEDIA_TYPE = 255
ENTITIES = {
    "attachments": "DialogAttachment",
    "guiActions": "DialogGuiAction",
    "apiActions": "DialogApiAction",
    "transmissions": "DialogTransmission",
    "activities": "DialogActivity",
}


def entities(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """List everything in a dialog that has an id of its own: its kind and its id."""
    for member, entity in ENTITIES.items():
        for each in body.get(member, ()):
            if each["id"] is not None:
                yield entity, each["id"]
            if member == "transmissions":
                yield from (
                    ("DialogTransmissionAttachment", part["id"])
                    for part in each["attachments"]
                    if part["id"] is not None
                )


def check_activities(activities: Iterable[Mapping[str, Any]], writer: Writer) -> None:
    """Refuse activities of correspondences, 403, to all but Altinn's Correspondence."""
    if CORRESPONDENCE in writer.scopes or all(each["type"] not in _RESTRICTED_ACTIVITIES for each in activities):
        return
    message = (
        f"Use of CorrespondenceConfirmed or CorrespondenceOpened activity types requires the scope {CORRESPONDENCE}."
    )
    raise Problem(403, {"Forbidden": [message]})


def check_transmission_keys(held: Iterable[Mapping[str, Any]], added: Iterable[Mapping[str, Any]]) -> None:
    """Refuse, 409, an idempotent key that another transmission of the dialog has."""
    known = {each["idempotentKey"] for each in held if each["idempotentKey"] is not None}
    repeated: list[str] = []
    for each in added:
        key = each["idempotentKey"]
        if key is not None and key in known:
            repeated.append(f"'{key}'")
        known.add(key)
    if repeated:
        keys = ", ".join(dict.fromkeys(repeated))
        message = f"Duplicate IdempotentKey detected in dialog transmissions. Conflicting keys: {keys}."
        raise Problem(409, {"IdempotentKey": [message]})


def check_opened(
    transmissions: Iterable[Mapping[str, Any]], activities: Iterable[Mapping[str, Any]], *, key: str
) -> None:
    """Refuse, 422, activities about transmissions that are not there."""
    known = {each["id"] for each in transmissions}
    named = [each["transmissionId"] for each in activities if each["transmissionId"] is not None]
    unknown = [each for each in named if each not in known]
    if unknown:
        message = (
            "Invalid 'TransmissionId, entity 'DialogTransmission' with the following key(s) does not exist: "
            f"({', '.join(unknown)}) in 'Transmissions'"
        )
        raise Problem(422, {key: [message]})


def check_related(held: Iterable[Mapping[str, Any]], added: Iterable[Mapping[str, Any]]) -> None:
    """Hold the tree of transmissions to its limits: it must exist, and not grow too deep or too wide."""
    before, new = [*held], [*added]
    everything = [*before, *new]
    parents = {each["id"]: each["relatedTransmissionId"] for each in everything if each["id"] is not None}
    if len(everything) > _MOST_TRANSMISSIONS:
        raise Problem(422, {"Transmissions": [f"A dialog can have at most {_MOST_TRANSMISSIONS} transmissions."]})
    unknown = [each["relatedTransmissionId"] for each in new if each["relatedTransmissionId"] not in (None, *parents)]
    if unknown:
        raise _violation("reference", f"referenced ids does not exist: [{','.join(dict.fromkeys(unknown))}].")
    for each in new:
        related, depth = each["relatedTransmissionId"], 1
        siblings = sum(1 for other in everything if related is not None and other["relatedTransmissionId"] == related)
        parent = related
        while related is not None and depth <= _LONGEST_CHAIN:
            related, depth = parents.get(related), depth + 1
        if depth > _LONGEST_CHAIN:
            ids = f"[{each['id']}]"
            raise _violation("depth", f"ids is at depth {depth}, exceeding the max allowed depth of 100. {ids}.")
        if siblings > _MOST_SIBLINGS:
            raise _violation("width", f"id has to many referring entities, exceeding the max width of 100: [{parent}].")


def _violation(kind: str, rest: str) -> Problem:
    message = f"Hierarchy {kind} violation found. TransmissionHierarchyNode with the following {rest}"
    return Problem(422, {"Transmissions": [message]})


def check_future(dto: Mapping[str, Any], now: datetime) -> None:
    """Refuse a new dialog whose times are over."""
    errors = {
        f"{member[0].upper()}{member[1:]}": ["Must be in the future"]
        for member in ("dueAt", "expiresAt", "visibleFrom")
        if dto[member] is not None and moment_of(dto[member]) <= now
    }
    if errors:
        raise Problem(422, errors)


def late_times(dialog: Dialog, dto: Mapping[str, Any], now: datetime) -> dict[str, list[str]]:
    """Which times of an update are over and were not there before."""
    errors: dict[str, list[str]] = {}
    usual = "Must be in future or current value."
    for member in ("dueAt", "expiresAt"):
        value, key = dto[member], f"{member[0].upper()}{member[1:]}"
        if value == dialog.body[member] or (value is None and member == "dueAt"):
            continue
        if value is None or moment_of(value) <= now:
            errors[key] = [f"{usual} (Or null)" if member == "dueAt" else usual]
    return errors | late_attachments(dialog.body["attachments"], dto["attachments"], dto["transmissions"], now=now)


def late_attachments(
    held: Iterable[Mapping[str, Any]],
    given: Iterable[Mapping[str, Any]],
    transmissions: Iterable[Mapping[str, Any]],
    *,
    now: datetime,
) -> dict[str, list[str]]:
    """Which attachments have expired before they came."""
    before = {each["id"]: each["expiresAt"] for each in held}
    errors: dict[str, list[str]] = {}
    for key, attachments in (
        ("Attachments.ExpiresAt", given),
        ("Transmissions.Attachments.ExpiresAt", [part for each in transmissions for part in each["attachments"]]),
    ):
        for each in attachments:
            expires = each["expiresAt"]
            if expires is None or moment_of(expires) > now or before.get(each["id"]) == expires:
                continue
            named = "" if each["id"] is None else f" (Id: {each['id']})"
            at = moment_of(expires)
            shown = f"{at.month:02}/{at.day:02}/{at.year:04} {at:%H:%M:%S} +00:00"
            errors.setdefault(key, []).append(f"Must be in future or null, got '{shown}'.{named}")
    return errors


def repeated_entities(body: Body, dto: Mapping[str, Any]) -> dict[str, list[str]]:
    """Which of the activities and transmissions that an update appends are there already."""
    errors: dict[str, list[str]] = {}
    for entity, member in (("DialogActivity", "activities"), ("DialogTransmission", "transmissions")):
        held = {each["id"] for each in body[member]}
        repeated = [each["id"] for each in dto[member] if each["id"] in held]
        if repeated:
            keys = ", ".join(repeated)
            errors[entity] = [f"Entity '{entity}' with the following key(s) already exists: ({keys})."]
    return errors


def check_storable(value: Any) -> None:
    """Raise the real one's 500 for what its database does not take unasked: U+0000, long media types."""
    match value:
        case dict():
            if len(value.get("mediaType") or "") > _LONGEST_MEDIA_TYPE and "consumerType" in value:
                raise Faulty
            for each in value.values():
                check_storable(each)
        case list() | tuple():
            for each in value:
                check_storable(each)
        case str() if "\0" in value:
            raise Faulty
        case _:
            pass
