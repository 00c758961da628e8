"""How Dialogporten shows a dialog to its owner and to end users (the approved bodies of its own tests)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.dialogporten.kinds import moment_of
from bridge.sandbox.dialogporten.model import Dialog, Seen
from bridge.sandbox.dialogporten.schema import UPDATE_MEMBERS
from bridge.sandbox.dialogporten.state import DialogportenState

UNAUTHORIZED = "urn:dialogporten:unauthorized"
EXPIRED = "urn:dialogporten:expired"
_IN_LISTS = ("title", "summary", "senderName", "extendedStatus")
_NOBODY_KNOWS = "urn:altinn:person:identifier-ephemeral:"
_TO_END_USERS = (*_IN_LISTS, "additionalInfo", "mainContentReference")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reader:
    """
    An end user: *actor* is claim ``c`` of the tokens made for them.

    *grants* are ``action`` or ``action,attribute``; ``*`` is everything. A system user has *system_user* and *owner*.
    """

    actor: str
    parties: frozenset[str]
    grants: frozenset[str]
    level: int
    system_user: str | None = None
    owner: str | None = None

    def may(self, action: str, attribute: str | None = None) -> bool:
        """What the decision point would answer."""
        return "*" in self.grants or entry(action, attribute) in self.grants


def entry(action: str, attribute: str | None) -> str:
    """One entry of claim ``a``."""
    return action if attribute is None else f"{action},{attribute}"


def authorized_actions(dialog: Dialog, reader: Reader) -> str:
    """Claim ``a``, sorted: read, and what the dialog's actions and transmissions ask for and the reader may."""
    wanted = [("read", None)]
    for name in ("guiActions", "apiActions"):
        open_to_all = (each for each in dialog.body[name] if each["id"] not in dialog.contexts)
        wanted += [(each["action"], each["authorizationAttribute"]) for each in open_to_all]
    wanted += [("read", each["authorizationAttribute"]) for each in dialog.body["transmissions"]]
    return ";".join(sorted({entry(*each) for each in wanted if reader.may(*each)}))


def authorized_entities(dialog: Dialog, reader: Reader) -> list[str]:
    """Claim ``e``: what an authorization context narrows and takes the reader in (facts 3.9)."""
    return [
        str(context.get("tokenRef") or element)
        for element, context in dialog.contexts.items()
        if reader.may(str(context.get("action", "read")), context.get("additionalResourceAttribute"))
    ]


def for_owner(dialog: Dialog, state: DialogportenState, reader: Reader | None = None) -> dict[str, Any]:
    """
    Show a dialog to its service owner; members without a value are left out.

    With a *reader* it tells besides what that end user may do.
    """
    body = dialog.body
    shown: dict[str, Any] = _without_nulls(
        {
            "id": dialog.id,
            "idempotentKey": dialog.idempotent_key,
            **_head(dialog, state),
            "deletedAt": dialog.deleted_at,
            "visibleFrom": dialog.visible_from,
            "expiresAt": body["expiresAt"],
            **_middle(dialog),
            "content": body["content"] if reader is None else _judged_content(body["content"], reader),
            **_counts(dialog),
            **{name: body[name] for name in ("searchTags", "attachments")},
            "transmissions": [
                {**each, "isOpened": _opened(dialog, each["id"]), **_judged(each, reader, "read")}
                for each in _by_time(body["transmissions"])
            ],
            **{
                name: [{**each, **_judged(each, reader), **_narrowed(dialog, each)} for each in _by_id(body[name])]
                for name in ("guiActions", "apiActions")
            },
            "activities": _by_time(body["activities"]),
            **_seen(dialog, None if reader is None else reader.actor, masked=False),
            "serviceOwnerContext": {
                "serviceOwnerLabels": [{"value": label} for label in dialog.owner_labels],
                "revision": dialog.owner_revision,
            },
            "endUserContext": _end_user_context(dialog),
        }
    )
    return shown


def for_end_user(dialog: Dialog, state: DialogportenState, reader: Reader, *, token: str, now: str) -> dict[str, Any]:
    """Show a dialog to an end user, with a new dialog token; URLs that are not for them are masked."""
    body = dialog.body
    content = _judged_content(body["content"], reader)
    shown: dict[str, Any] = _without_nulls(
        {
            "id": dialog.id,
            **_head(dialog, state),
            "expiresAt": body["expiresAt"],
            **_middle(dialog),
            "content": None if content is None else {name: content[name] for name in content if name in _TO_END_USERS},
            "dialogToken": token,
            **_counts(dialog),
            "attachments": [_attachment(each, now) for each in body["attachments"]],
            "transmissions": [_transmission(dialog, each, reader, now=now) for each in _by_time(body["transmissions"])],
            "guiActions": [_gui_action(each, reader) for each in _by_id(body["guiActions"])],
            "apiActions": [_api_action(each, reader) for each in _by_id(body["apiActions"])],
            "activities": [masked_activity(each) for each in _by_time(body["activities"])],
            **_seen(dialog, reader.actor, masked=True),
            "endUserContext": _end_user_context(dialog),
        }
    )
    return shown


def in_owners_list(dialog: Dialog, state: DialogportenState) -> dict[str, Any]:
    """Show a dialog as one item of its owner's search."""
    shown: dict[str, Any] = _without_nulls(
        {
            "id": dialog.id,
            **_head(dialog, state),
            "deletedAt": dialog.deleted_at,
            "visibleFrom": dialog.visible_from,
            **_listed(dialog, masked=False),
            **_seen(dialog, None, masked=False),
            "serviceOwnerContext": {
                "serviceOwnerLabels": [{"value": label} for label in dialog.owner_labels],
                "revision": dialog.owner_revision,
            },
        }
    )
    return shown


def in_end_users_list(dialog: Dialog, state: DialogportenState, reader: Reader) -> dict[str, Any]:
    """Show a dialog as one item of an end user's search: no revision."""
    head = {name: value for name, value in _head(dialog, state).items() if name != "revision"}
    shown: dict[str, Any] = _without_nulls(
        {"id": dialog.id, **head, **_listed(dialog, masked=True), **_seen(dialog, reader.actor, masked=True)}
    )
    return shown


def activity_items(dialog: Dialog, *, described: bool) -> list[dict[str, Any]]:
    """Activities as a list has them: without who did them, and with their descriptions for end users (*described*)."""
    names = ("id", "createdAt", "extendedType", "type", "transmissionId")
    items: list[dict[str, Any]] = _without_nulls(
        [
            {
                **{name: each[name] for name in names},
                **({"description": each["description"] or []} if described else {}),
            }
            for each in _by_time(dialog.body["activities"])
        ]
    )
    return items


def activity_item(activity: Mapping[str, Any]) -> dict[str, Any]:
    """Show one activity to an end user."""
    shown: dict[str, Any] = _without_nulls(masked_activity(activity))
    return shown


def transmission_items(dialog: Dialog, reader: Reader | None, now: str = "") -> list[dict[str, Any]]:
    """List transmissions: to the owner the newest first, to an end user the oldest, with *reader*'s masks."""
    by_time = _by_time(dialog.body["transmissions"])
    if reader is None:
        items: list[dict[str, Any]] = _without_nulls(by_time[::-1])
        return items
    masked = [_transmission(dialog, each, reader, now=now) for each in by_time]
    shown: list[dict[str, Any]] = _without_nulls(
        [{name: each[name] for name in each if name != "isOpened"} for each in masked]
    )
    return shown


def seen_log(dialog: Dialog, reader: Reader | None) -> list[dict[str, Any]]:
    """List every look, the oldest first; end users see whether it was their own."""
    items = [_look(each, None if reader is None else reader.actor, masked=reader is not None) for each in dialog.seen]
    hidden = () if reader is not None else ("isCurrentEndUser",)
    return [{name: value for name, value in each.items() if name not in hidden} for each in items]


def label_log(dialog: Dialog) -> list[dict[str, Any]]:
    """List what was done to the labels, the oldest first."""
    return [
        {
            "createdAt": each.at,
            "name": each.label,
            "action": each.action,
            "performedBy": {"actorType": "ServiceOwner"}
            if each.actor is None
            else {
                "actorType": "PartyRepresentative",
                "actorName": each.name,
                "actorId": ephemeral(each.actor),
            },
        }
        for each in dialog.label_log
    ]


def ephemeral(urn: str) -> str:
    """Hide a person behind a name that is theirs alone; organisations are shown."""
    if not urn.startswith("urn:altinn:person:"):
        return urn
    return f"{_NOBODY_KNOWS}{hashlib.sha256(urn.encode()).hexdigest()[:10]}"


def masked_activity(activity: Mapping[str, Any]) -> dict[str, Any]:
    """Hide who did something from those who may see what was done."""
    return {**activity, "performedBy": _masked(activity["performedBy"])}


def as_update(dialog: Dialog) -> dict[str, Any]:
    """Turn a dialog into the object that PATCH works on: nulls are there, activities and transmissions are empty."""
    lists = {name: _by_id(dialog.body[name]) for name in ("guiActions", "apiActions")}
    return {**{name: dialog.body[name] for name in UPDATE_MEMBERS}, **lists, "activities": [], "transmissions": []}


def _head(dialog: Dialog, state: DialogportenState) -> dict[str, Any]:
    body = dialog.body
    return {
        "revision": dialog.revision,
        "org": dialog.org,
        "serviceResource": dialog.service_resource,
        "serviceResourceType": state.resource(dialog.service_resource, dialog.owner).kind,
        "party": dialog.party,
        **{name: body[name] for name in ("progress", "process", "precedingProcess", "extendedStatus")},
        "externalReference": body["externalReference"],
    }


def _middle(dialog: Dialog) -> dict[str, Any]:
    places = ("Bin", "Archive")
    return {
        "dueAt": dialog.body["dueAt"],
        "createdAt": dialog.created_at,
        "updatedAt": dialog.updated_at,
        "contentUpdatedAt": dialog.content_updated_at,
        "status": dialog.body["status"],
        "systemLabel": next((label for label in places if label in dialog.labels), "Default"),
        "isApiOnly": dialog.body["isApiOnly"],
        "hasUnopenedContent": any(
            each["type"] not in ("Submission", "Correction") and not _opened(dialog, each["id"])
            for each in dialog.body["transmissions"]
        ),
    }


def _counts(dialog: Dialog) -> dict[str, Any]:
    by_party = sum(each["type"] in ("Submission", "Correction") for each in dialog.body["transmissions"])
    return {
        "fromServiceOwnerTransmissionsCount": len(dialog.body["transmissions"]) - by_party,
        "fromPartyTransmissionsCount": by_party,
    }


def _seen(dialog: Dialog, actor: str | None, *, masked: bool) -> dict[str, Any]:
    def shown(since: str) -> list[dict[str, Any]]:
        last = {seen.actor: seen for seen in dialog.seen if seen.at >= since}
        return [_look(seen, actor, masked=masked) for seen in last.values()]

    return {
        "seenSinceLastUpdate": shown(dialog.updated_at),
        "seenSinceLastContentUpdate": shown(dialog.content_updated_at),
        "isContentSeen": dialog.content_seen,
    }


def _look(seen: Seen, actor: str | None, *, masked: bool) -> dict[str, Any]:
    return {
        "id": seen.id,
        "seenAt": seen.at,
        "seenBy": {
            "actorType": "PartyRepresentative",
            "actorName": seen.name,
            # End users never see each other's numbers.
            "actorId": ephemeral(seen.actor) if masked else seen.actor,
        },
        "isViaServiceOwner": seen.via_owner,
        "isCurrentEndUser": actor == seen.actor,
    }


def _listed(dialog: Dialog, *, masked: bool) -> dict[str, Any]:
    body = dialog.body
    texts = None if body["content"] is None else {name: body["content"][name] for name in _IN_LISTS}
    latest = _by_time(body["activities"])[-1:]
    shown = [
        {**(masked_activity(each) if masked else each), "description": each["description"] or []} for each in latest
    ]
    return {
        **_middle(dialog),
        "content": texts,
        **_counts(dialog),
        "guiAttachmentCount": sum(
            any(url["consumerType"] == "Gui" for url in each["urls"]) for each in body["attachments"]
        ),
        "latestActivity": shown[0] if shown else None,
        "endUserContext": _end_user_context(dialog),
    }


def _by_time(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda each: str(each["createdAt"]))


def _by_id(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda each: str(each["id"]))


def _masked(actor: Mapping[str, Any]) -> dict[str, Any]:
    return {**actor, "actorId": None if actor["actorId"] is None else ephemeral(actor["actorId"])}


def _judged_content(content: Mapping[str, Any] | None, reader: Reader) -> dict[str, Any] | None:
    if content is None or content["mainContentReference"] is None:
        return None if content is None else dict(content)
    reference = {**content["mainContentReference"], "isAuthorized": reader.may("read")}
    return {**content, "mainContentReference": reference}


def _narrowed(dialog: Dialog, item: Mapping[str, Any]) -> dict[str, Any]:
    """An action's authorization context; its own action, which no longer counts, is shown as empty (facts 13)."""
    context = dialog.contexts.get(item["id"])
    return {} if context is None else {"action": "", "authorizationContext": dict(context)}


def _judged(item: Mapping[str, Any], reader: Reader | None, action: str | None = None) -> dict[str, Any]:
    if reader is None:
        return {}
    return {"isAuthorized": reader.may(action or item["action"], item["authorizationAttribute"])}


def _end_user_context(dialog: Dialog) -> dict[str, Any]:
    order = ("Default", "Bin", "Archive", "MarkedAsUnopened", "Sent")
    return {
        "revision": dialog.end_user_revision,
        "systemLabels": [label for label in order if label in dialog.labels],
    }


def _opened(dialog: Dialog, transmission_id: str) -> bool:
    return any(each["transmissionId"] == transmission_id for each in dialog.body["activities"])


def _gui_action(action: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    allowed = reader.may(action["action"], action["authorizationAttribute"])
    return {**action, "isAuthorized": allowed, "url": action["url"] if allowed else UNAUTHORIZED}


def _api_action(action: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    allowed = reader.may(action["action"], action["authorizationAttribute"])
    endpoints = [{**each, "url": each["url"] if allowed else UNAUTHORIZED} for each in action["endpoints"]]
    return {**action, "isAuthorized": allowed, "endpoints": endpoints}


def _attachment(attachment: Mapping[str, Any], now: str) -> dict[str, Any]:
    expires = attachment["expiresAt"]
    urls = [{**each, "url": _unless_expired(expires, each["url"], now)} for each in attachment["urls"]]
    return {**attachment, "urls": urls}


def _transmission(dialog: Dialog, transmission: Mapping[str, Any], reader: Reader, *, now: str) -> dict[str, Any]:
    allowed = reader.may("read", transmission["authorizationAttribute"])
    shown = {key: value for key, value in transmission.items() if key != "idempotentKey"}
    attachments = [_attachment(each, now) for each in transmission["attachments"]]
    actions = [
        {**each, "url": _unless_expired(each["expiresAt"], each["url"], now)}
        for each in transmission["navigationalActions"]
    ]
    if not allowed:
        attachments = [{**each, "urls": [{**url, "url": UNAUTHORIZED} for url in each["urls"]]} for each in attachments]
        actions = [{**each, "url": UNAUTHORIZED} for each in actions]
    return {
        **shown,
        "sender": _masked(transmission["sender"]),
        "isAuthorized": allowed,
        "isOpened": _opened(dialog, transmission["id"]),
        "attachments": attachments,
        "navigationalActions": actions,
    }


def _unless_expired(expires: str | None, url: str, now: str) -> str:
    return EXPIRED if expires is not None and moment_of(expires) <= moment_of(now) else url


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value
