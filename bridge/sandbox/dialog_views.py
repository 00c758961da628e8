"""How Dialogporten shows a dialog to its owner and to end users (the approved bodies of its own tests)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.dialog_schema import UPDATE_MEMBERS, moment_of
from bridge.sandbox.dialog_state import Dialog, DialogportenState, Seen

UNAUTHORIZED = "urn:dialogporten:unauthorized"
EXPIRED = "urn:dialogporten:expired"
_IN_LISTS = ("title", "summary", "senderName", "extendedStatus")
_IN_OWNERS_LISTS = (*_IN_LISTS, "nonSensitiveTitle", "nonSensitiveSummary")
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
        """Say what the decision point would."""
        return "*" in self.grants or entry(action, attribute) in self.grants


def entry(action: str, attribute: str | None) -> str:
    """Write one entry of claim ``a``."""
    return action if attribute is None else f"{action},{attribute}"


def authorized_actions(dialog: Dialog, reader: Reader) -> str:
    """Write claim ``a``: read, and what the dialog's own actions and transmissions ask for and the reader may do."""
    wanted = [("read", None)]
    for name in ("guiActions", "apiActions"):
        open_to_all = (each for each in dialog.body[name] if each["id"] not in dialog.contexts)
        wanted += [(each["action"], each["authorizationAttribute"]) for each in open_to_all]
    wanted += [("read", each["authorizationAttribute"]) for each in dialog.body["transmissions"]]
    return ";".join(dict.fromkeys(entry(*each) for each in wanted if reader.may(*each)))


def authorized_entities(dialog: Dialog, reader: Reader) -> list[str]:
    """Write claim ``e``: what an authorization context narrows and takes the reader in (facts 3.9)."""
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
            "content": body["content"],
            **_counts(dialog),
            **{name: body[name] for name in ("searchTags", "attachments")},
            "transmissions": [
                {**each, "isOpened": _opened(dialog, each["id"]), **_judged(each, reader, "read")}
                for each in body["transmissions"]
            ],
            **{
                name: [{**each, **_judged(each, reader), **_narrowed(dialog, each)} for each in body[name]]
                for name in ("guiActions", "apiActions")
            },
            "activities": body["activities"],
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
    content = body["content"]
    if content is not None and content["mainContentReference"] is not None:
        content = {**content, "mainContentReference": {**content["mainContentReference"], "isAuthorized": True}}
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
            "transmissions": [_transmission(dialog, each, reader) for each in body["transmissions"]],
            "guiActions": [_gui_action(each, reader) for each in body["guiActions"]],
            "apiActions": [_api_action(each, reader) for each in body["apiActions"]],
            "activities": body["activities"],
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
            **_listed(dialog, _IN_OWNERS_LISTS),
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
        {"id": dialog.id, **head, **_listed(dialog, _IN_LISTS), **_seen(dialog, reader.actor, masked=True)}
    )
    return shown


def activity_items(dialog: Dialog, *, described: bool) -> list[dict[str, Any]]:
    """List activities: who did them is told by each one alone, what they say only to end users."""
    names = ("id", "createdAt", "extendedType", "type", "transmissionId", *(("description",) if described else ()))
    items: list[dict[str, Any]] = _without_nulls(
        [{name: each[name] for name in names} for each in dialog.body["activities"]]
    )
    return items


def transmission_items(dialog: Dialog, reader: Reader | None) -> list[dict[str, Any]]:
    """List transmissions, the newest first; to an end user with *reader*'s masks."""
    newest_first = sorted(dialog.body["transmissions"], key=lambda each: (each["createdAt"], each["id"]), reverse=True)
    if reader is None:
        items: list[dict[str, Any]] = _without_nulls(newest_first)
        return items
    masked = [_transmission(dialog, each, reader) for each in newest_first]
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
    """List what was done to the labels, the newest first."""
    return [
        {
            "createdAt": each.at,
            "name": each.label,
            "action": each.action,
            "performedBy": {"actorType": "PartyRepresentative", "actorName": each.name},
        }
        for each in reversed(dialog.label_log)
    ]


def as_update(dialog: Dialog) -> dict[str, Any]:
    """Turn a dialog into the object that PATCH works on: nulls are there, activities and transmissions are empty."""
    return {**{name: dialog.body[name] for name in UPDATE_MEMBERS}, "activities": [], "transmissions": []}


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
        return [_look(seen, actor, masked=masked) for seen in dialog.seen if seen.at >= since]

    return {
        "seenSinceLastUpdate": shown(dialog.updated_at),
        "seenSinceLastContentUpdate": shown(dialog.content_updated_at),
        "isContentSeen": dialog.content_seen,
    }


def _look(seen: Seen, actor: str | None, *, masked: bool) -> dict[str, Any]:
    ephemeral = f"urn:altinn:person:identifier-ephemeral:{seen.id[-10:]}"
    return {
        "id": seen.id,
        "seenAt": seen.at,
        "seenBy": {
            "actorType": "PartyRepresentative",
            "actorName": seen.name,
            # End users never see each other's numbers.
            "actorId": ephemeral if masked else seen.actor,
        },
        "isViaServiceOwner": seen.via_owner,
        "isCurrentEndUser": actor == seen.actor,
    }


def _listed(dialog: Dialog, content: tuple[str, ...]) -> dict[str, Any]:
    body = dialog.body
    texts = {} if body["content"] is None else {name: body["content"][name] for name in content}
    return {
        **_middle(dialog),
        "content": texts,
        **_counts(dialog),
        "guiAttachmentCount": sum(
            any(url["consumerType"] == "Gui" for url in each["urls"]) for each in body["attachments"]
        ),
        "latestActivity": max(body["activities"], key=lambda each: each["createdAt"], default=None),
        "endUserContext": _end_user_context(dialog),
    }


def _narrowed(dialog: Dialog, item: Mapping[str, Any]) -> dict[str, Any]:
    """The context goes before the item's own action, which is then shown as empty (facts 13)."""
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
    expired = attachment["expiresAt"] is not None and moment_of(attachment["expiresAt"]) <= moment_of(now)
    urls = [{**each, "url": EXPIRED if expired else each["url"]} for each in attachment["urls"]]
    return {**attachment, "urls": urls}


def _transmission(dialog: Dialog, transmission: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    allowed = reader.may("read", transmission["authorizationAttribute"])
    attachments = [
        {**each, "urls": [{**url, "url": url["url"] if allowed else UNAUTHORIZED} for url in each["urls"]]}
        for each in transmission["attachments"]
    ]
    shown = {key: value for key, value in transmission.items() if key != "idempotentKey"}
    return {
        **shown,
        "isAuthorized": allowed,
        "isOpened": _opened(dialog, transmission["id"]),
        "attachments": attachments,
    }


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value
