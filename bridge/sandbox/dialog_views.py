"""How Dialogporten shows a dialog to its owner and to end users (the approved bodies of its own tests)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.dialog_schema import UPDATE_MEMBERS, moment_of
from bridge.sandbox.dialog_state import Dialog, DialogportenState

UNAUTHORIZED = "urn:dialogporten:unauthorized"
EXPIRED = "urn:dialogporten:expired"


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
        wanted += [(each["action"], each["authorizationAttribute"]) for each in dialog.body[name]]
    wanted += [("read", each["authorizationAttribute"]) for each in dialog.body["transmissions"]]
    return ";".join(dict.fromkeys(entry(*each) for each in wanted if reader.may(*each)))


def for_owner(dialog: Dialog, state: DialogportenState) -> dict[str, Any]:
    """Show a dialog to its service owner; members without a value are left out."""
    body = dialog.body
    shown: dict[str, Any] = _without_nulls(
        {
            "id": dialog.id,
            "idempotentKey": dialog.idempotent_key,
            **_head(dialog, state),
            "deletedAt": dialog.deleted_at,
            "visibleFrom": dialog.visible_from,
            **_middle(dialog),
            "content": body["content"],
            **_counts(dialog),
            **{name: body[name] for name in ("searchTags", "attachments")},
            "transmissions": [{**each, "isOpened": _opened(dialog, each["id"])} for each in body["transmissions"]],
            **{name: body[name] for name in ("guiActions", "apiActions", "activities")},
            **_seen(dialog, None),
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
            **_middle(dialog),
            "content": content,
            "dialogToken": token,
            **_counts(dialog),
            "attachments": [_attachment(each, now) for each in body["attachments"]],
            "transmissions": [_transmission(dialog, each, reader) for each in body["transmissions"]],
            "guiActions": [_gui_action(each, reader) for each in body["guiActions"]],
            "apiActions": [_api_action(each, reader) for each in body["apiActions"]],
            "activities": body["activities"],
            **_seen(dialog, reader),
            "endUserContext": _end_user_context(dialog),
        }
    )
    return shown


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
        "expiresAt": dialog.body["expiresAt"],
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


def _seen(dialog: Dialog, reader: Reader | None) -> dict[str, Any]:
    def shown(since: str) -> list[dict[str, Any]]:
        return [
            {
                "id": seen.id,
                "seenAt": seen.at,
                "seenBy": {
                    "actorType": "PartyRepresentative",
                    "actorName": seen.name,
                    # End users never see each other's numbers.
                    "actorId": seen.actor
                    if reader is None
                    else f"urn:altinn:person:identifier-ephemeral:{seen.id[-10:]}",
                },
                "isViaServiceOwner": False,
                "isCurrentEndUser": reader is not None and reader.actor == seen.actor,
            }
            for seen in dialog.seen
            if seen.at >= since
        ]

    since_content = shown(dialog.content_updated_at)
    return {
        "seenSinceLastUpdate": shown(dialog.updated_at),
        "seenSinceLastContentUpdate": since_content,
        "isContentSeen": bool(since_content),
    }


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
