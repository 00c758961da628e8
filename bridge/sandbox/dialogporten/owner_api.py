"""The rest of the service-owner API: search, life and death, transmissions, labels, look-ups (facts 2.4, 2.7-2.9)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import Route, as_json, plain
from bridge.sandbox.dialogporten import search as search
from bridge.sandbox.dialogporten.binding import Query, guid
from bridge.sandbox.dialogporten.catalogue import limits, looked_up, resources
from bridge.sandbox.dialogporten.http import DialogSystem
from bridge.sandbox.dialogporten.labels import bulk_faults, faults, wanted
from bridge.sandbox.dialogporten.model import Dialog, Problem, Writer, missing, removed
from bridge.sandbox.dialogporten.rules import ADMIN
from bridge.sandbox.dialogporten.schema import (
    ACTIVITY_TYPES,
    BULK_LABEL_CHANGE,
    CHANGED_TRANSMISSION,
    LABEL_CHANGE,
    NEW_TIME,
    OWNER_LABEL,
)
from bridge.sandbox.dialogporten.views import (
    Reader,
    activity_items,
    for_owner,
    in_owners_list,
    seen_log,
    transmission_items,
)

SEARCH = "digdir:dialogporten.serviceprovider.search"
CHANGE_TRANSMISSIONS = "digdir:dialogporten.serviceprovider.changetransmissions"
NOTIFICATIONS = "altinn:system/notifications.condition.check"
_ALL = "/api/v1/serviceowner/dialogs"
_ONE = f"{_ALL}/<dialog_id>"
_BULK = 200


class OwnerApi:
    """What a service owner may do besides writing dialogs; *api* is the system that it belongs to."""

    def __init__(self, api: DialogSystem) -> None:
        self._api = api

    def routes(self) -> Iterable[Route]:
        """List what is answered here."""
        saved = f"{_ONE}/activities/<activity_id>/actions/updateformsavedactivitytime"
        return (
            Route("GET", _ALL, self.search),
            Route("POST", f"{_ONE}/actions/restore", self.restore),
            Route("POST", f"{_ONE}/actions/purge", self.purge),
            Route("POST", f"{_ONE}/actions/freeze", self.freeze),
            Route("GET", f"{_ONE}/actions/should-send-notification", self.should_send),
            Route("GET", f"{_ONE}/activities", self.list_activities),
            Route("GET", f"{_ONE}/activities/<activity_id>", self.get_activity),
            Route("POST", saved, self.move_saved),
            Route("GET", f"{_ONE}/transmissions", self.list_transmissions),
            Route("GET", f"{_ONE}/transmissions/<transmission_id>", self.get_transmission),
            Route("PUT", f"{_ONE}/transmissions/<transmission_id>", self.put_transmission),
            Route("GET", f"{_ONE}/seenlog", self.list_looks),
            Route("GET", f"{_ONE}/seenlog/<look_id>", self.get_look),
            Route("GET", f"{_ONE}/context/labels", self.list_labels),
            Route("POST", f"{_ONE}/context/labels", self.add_label),
            Route("DELETE", f"{_ONE}/context/labels/<label>", self.remove_label),
            Route("PUT", f"{_ONE}/endusercontext/systemlabels", self.put_labels),
            Route("POST", f"{_ALL}/endusercontext/systemlabels/actions/bulkset", self.bulk_labels),
            Route("GET", f"{_ALL}/endusercontext", self.search_contexts),
            Route("GET", "/api/v1/serviceowner/dialoglookup", self.look_up),
            Route("GET", "/api/v1/metadata/limits", self.get_limits),
            Route("GET", "/api/v1/metadata/serviceresources", self.get_resources),
        )

    def search(self, request: Request) -> Response:
        """GET a page of the caller's dialogs."""
        api, state = self._api, self._api.world.dialogporten
        writer = api.writer(request, SEARCH)
        found = search.asked(Query.of(request), search.OWNER)
        if found.errors:
            return api.problem(request, 400, found.errors)
        users = found.many("endUserId")
        reader = api.on_behalf(request) if users else None

        def keep(dialog: Dialog) -> bool:
            if not _is_own(dialog, writer):
                return False
            return not users or (reader is not None and dialog.party in reader.parties and reader.may("read"))

        if search.too_broad(found, api.world.switches):
            return api.problem(request, 422, search.TOO_BROAD)
        page = search.run(state.dialogs(), found, keep=keep)
        return as_json(200, page.as_json([in_owners_list(each, state) for each in page.dialogs]))

    def restore(self, request: Request, dialog_id: str) -> Response:
        """POST: undo a soft deletion."""
        api = self._api
        asked = api.bound(request, {"dialogId": dialog_id})
        intent = api.intending(request, asked)
        dialog = api.world.dialogporten.restore(asked.dialog_id, asked.writer, intent)
        return plain(204, headers={"Etag": dialog.revision})

    def purge(self, request: Request, dialog_id: str) -> Response:
        """POST: remove for good."""
        api = self._api
        asked = api.bound(request, {"dialogId": dialog_id})
        api.world.dialogporten.purge(asked.dialog_id, asked.writer, api.intending(request, asked))
        return plain(204)

    def freeze(self, request: Request, dialog_id: str) -> Response:
        """POST: protect a dialog; for admins only."""
        api = self._api
        asked = api.bound(request, {"dialogId": dialog_id})
        dialog = api.world.dialogporten.freeze_as(asked.dialog_id, asked.writer, api.intending(request, asked))
        return plain(204, headers={"Etag": dialog.revision})

    def should_send(self, request: Request, dialog_id: str) -> Response:
        """GET whether Altinn shall notify, of any dialog: while an activity is there, or while it is not."""
        api, query = self._api, Query.of(request)
        api.claims_with(request, NOTIFICATIONS)
        wanted_type, condition = query.one("activityType") or "", query.one("conditionType") or ""
        transmission = query.one("transmissionId")
        errors = _condition_faults(wanted_type, condition, transmission)
        if errors:
            return api.problem(request, 400, errors)
        dialog = api.world.dialogporten.find(dialog_id.lower())
        if dialog is None:
            raise missing("DialogEntity", dialog_id)
        there = any(
            each["type"].lower() == wanted_type.lower()
            and (transmission is None or each["transmissionId"] == guid(transmission))
            for each in dialog.body["activities"]
        )
        return as_json(200, {"sendNotification": there is (condition.lower() == "exists")})

    def list_activities(self, request: Request, dialog_id: str) -> Response:
        """GET all activities."""
        asked = self._api.bound(request, {"dialogId": dialog_id})
        return as_json(200, activity_items(self._api.owned(asked), described=False))

    def get_activity(self, request: Request, dialog_id: str, activity_id: str) -> Response:
        """GET one activity."""
        dialog, wanted_id = self._alive(request, dialog_id, activityId=activity_id)
        return _one_of(for_owner(dialog, self._api.world.dialogporten)["activities"], "DialogActivity", wanted_id)

    def move_saved(self, request: Request, dialog_id: str, activity_id: str) -> Response:
        """POST another time for an activity of form saving; for admins only."""
        api = self._api
        api.writer(request)
        dto = api.read(request, NEW_TIME)
        asked = api.bound(request, {"dialogId": dialog_id, "activityId": activity_id})
        created = dto["newCreatedAt"] or "0001-01-01T00:00:00.0000000Z"
        dialog = api.world.dialogporten.move_saved(
            asked.dialog_id, asked.ids["activityId"], created, writer=asked.writer, intent=asked.intent
        )
        return plain(204, headers={"Etag": dialog.revision})

    def list_transmissions(self, request: Request, dialog_id: str) -> Response:
        """GET all transmissions."""
        dialog, _ = self._alive(request, dialog_id)
        return as_json(200, transmission_items(dialog, None))

    def get_transmission(self, request: Request, dialog_id: str, transmission_id: str) -> Response:
        """GET one transmission."""
        dialog, wanted_id = self._alive(request, dialog_id, transmissionId=transmission_id)
        return _one_of(transmission_items(dialog, None), "DialogTransmission", wanted_id)

    def put_transmission(self, request: Request, dialog_id: str, transmission_id: str) -> Response:
        """PUT a transmission: a technical correction, which has to be silent."""
        api = self._api
        api.writer(request, CHANGE_TRANSMISSIONS)
        transmission = api.read(request, CHANGED_TRANSMISSION)
        asked = api.bound(request, {"dialogId": dialog_id, "transmissionId": transmission_id}, CHANGE_TRANSMISSIONS)
        held = api.owned(asked)
        rules = api.rules(asked.writer, creating=False)
        rules.transmission("dto", transmission, api_only=held.body["isApiOnly"])
        if not (transmission["isSilentUpdate"] or asked.intent.silent):
            rules.errors.setdefault("dto.isSilentUpdate", []).append("'IsSilentUpdate' must be equal to 'True'.")
        api.check(rules)
        intent = api.intending(request, asked)
        dialog = api.world.dialogporten.change_transmission(
            asked.dialog_id, asked.ids["transmissionId"], transmission, writer=asked.writer, intent=intent
        )
        return plain(204, headers={"Etag": dialog.revision})

    def list_looks(self, request: Request, dialog_id: str) -> Response:
        """GET who looked at the dialog."""
        dialog, _ = self._alive(request, dialog_id)
        return as_json(200, seen_log(dialog, None))

    def get_look(self, request: Request, dialog_id: str, look_id: str) -> Response:
        """GET one look."""
        dialog, wanted_id = self._alive(request, dialog_id, seenLogId=look_id)
        return _one_of(seen_log(dialog, None), "DialogSeenLog", wanted_id)

    def list_labels(self, request: Request, dialog_id: str) -> Response:
        """GET the service-owner labels."""
        dialog = self._api.owned(self._api.bound(request, {"dialogId": dialog_id}))
        labels = [{"value": label} for label in dialog.owner_labels]
        return as_json(200, labels, headers={"Etag": dialog.owner_revision})

    def add_label(self, request: Request, dialog_id: str) -> Response:
        """POST a service-owner label."""
        api = self._api
        api.writer(request)
        value = api.read(request, OWNER_LABEL)["value"]
        asked = api.bound(request, {"dialogId": dialog_id})
        held = api.owned(asked)
        rules, place = api.rules(asked.writer, creating=True), f"dto.serviceOwnerLabels[{len(held.owner_labels)}].value"
        if not (value or "").strip():
            rules.errors[place] = ["'Value' must not be empty."]
        if value is not None:
            rules.label(place, value)
        api.check(rules)
        intent = replace(asked.intent, read=held)
        api.saving(request)
        dialog = api.world.dialogporten.add_label(asked.dialog_id, value or "", asked.writer, intent=intent)
        return plain(204, headers={"Etag": dialog.owner_revision})

    def remove_label(self, request: Request, dialog_id: str, label: str) -> Response:
        """DELETE a service-owner label."""
        api = self._api
        asked = api.bound(request, {"dialogId": dialog_id})
        intent = replace(asked.intent, read=api.owned(asked))
        api.saving(request)
        dialog = api.world.dialogporten.remove_label(asked.dialog_id, label, asked.writer, intent=intent)
        return plain(204, headers={"Etag": dialog.owner_revision})

    def put_labels(self, request: Request, dialog_id: str) -> Response:
        """PUT system labels on behalf of a user."""
        api = self._api
        api.writer(request)
        change = api.read(request, LABEL_CHANGE)
        asked = api.bound(request, {"dialogId": dialog_id})
        held = _live(api.owned(asked))
        actor = self._acting(request, change, asked.writer, dialogs=[held])
        intent = replace(asked.intent, read=held)
        api.saving(request)
        dialog = api.world.dialogporten.change_labels(asked.dialog_id, *wanted(change), actor=actor, intent=intent)
        return plain(204, headers={"Etag": dialog.end_user_revision})

    def bulk_labels(self, request: Request) -> Response:
        """POST system labels for 1 to 200 dialogs, all or nothing."""
        api = self._api
        api.writer(request)
        change = api.read(request, BULK_LABEL_CHANGE)
        asked = api.bound(request, {})
        errors = bulk_faults(change, most=_BULK)
        if errors:
            return api.problem(request, 400, errors)
        state = api.world.dialogporten
        dialogs = [_live(state.owned(each["dialogId"], asked.writer)) for each in change["dialogs"]]
        actor = self._acting(request, change, asked.writer, dialogs=dialogs)
        pairs = [(each["dialogId"], each["endUserContextRevision"]) for each in change["dialogs"]]
        state.change_many_labels(pairs, *wanted(change), actor=actor)
        return plain(204)

    def search_contexts(self, request: Request) -> Response:
        """GET what users did with labels, a page at a time."""
        api = self._api
        writer = api.writer(request, SEARCH)
        found = search.asked(Query.of(request), search.CONTEXTS)
        if found.errors:
            return api.problem(request, 400, found.errors)
        dialogs = api.world.dialogporten.dialogs()
        page = search.run(dialogs, found, keep=lambda each: _is_own(each, writer))
        order = ("Default", "Bin", "Archive", "MarkedAsUnopened", "Sent")
        items = [
            {
                "dialogId": each.id,
                "endUserContextRevision": each.end_user_revision,
                "systemLabels": [label for label in order if label in each.labels],
            }
            for each in page.dialogs
        ]
        return as_json(200, page.as_json(items))

    def look_up(self, request: Request) -> Response:
        """GET the dialog that stands for an instance, a correspondence or a dialog id."""
        api, state = self._api, self._api.world.dialogporten
        writer = api.writer(request)
        dialog, reference = looked_up(state, Query.of(request).one("instanceRef") or "")
        if not _is_own(dialog, writer):
            raise Problem(403, {"Forbidden": ["The dialog belongs to another service owner."]})
        content = dialog.body["content"] or {}
        hidden = content.get("nonSensitiveTitle")
        return as_json(
            200,
            {
                "dialogId": dialog.id,
                "instanceRef": reference,
                "party": dialog.party,
                **resources(api.world, [dialog.service_resource])[0]["lookup"],
                "title": [] if content.get("title") is None else content["title"]["value"],
                **({} if hidden is None else {"nonSensitiveTitle": hidden["value"]}),
            },
        )

    def get_limits(self, request: Request) -> Response:
        """GET how many values the filters take."""
        del request
        return as_json(200, limits())

    def get_resources(self, request: Request) -> Response:
        """GET the service resources that dialogs refer to."""
        del request
        known = sorted({each.service_resource for each in self._api.world.dialogporten.dialogs()})
        return as_json(200, {"items": [each["metadata"] for each in resources(self._api.world, known, self._api.host)]})

    def _alive(self, request: Request, dialog_id: str, **ids: str) -> tuple[Dialog, str]:
        """A dialog that is not deleted, and the bound id of the part that the path names."""
        asked = self._api.bound(request, {"dialogId": dialog_id, **ids})
        dialog = self._api.owned(asked)
        if dialog.deleted_at is not None:
            raise removed(dialog.id)
        return dialog, next((asked.ids[name] for name in ids), "")

    def _acting(
        self, request: Request, change: Mapping[str, Any], writer: Writer, *, dialogs: Iterable[Dialog]
    ) -> str | None:
        """Who is behind a change of labels; only an admin may name somebody without asking for their rights."""
        api = self._api
        by = change["performedBy"]
        if by is not None and ADMIN not in writer.scopes:
            raise Problem(403, {"Forbidden": ["performedBy is only allowed for admin-integrations."]})
        errors = faults(change)
        if errors:
            raise Problem(400, errors)
        if by is not None:
            return None if by["actorType"] == "ServiceOwner" else str(by["actorId"] or by["actorName"] or "")
        if Query.of(request).one("endUserId") is None:
            raise Problem(400, {"enduserId": ["'EndUserId' must not be empty."]})
        reader: Reader | None = api.on_behalf(request)
        if reader is None or any(each.party not in reader.parties for each in dialogs):
            raise Problem(403, {"Forbidden": ["The end user has no access to the dialog."]})
        return reader.actor


def _live(dialog: Dialog) -> Dialog:
    """Pass a dialog on; to labels a deleted one is not there."""
    if dialog.deleted_at is not None:
        raise missing("DialogEntity", dialog.id)
    return dialog


def _one_of(items: Iterable[Mapping[str, Any]], entity: str, wanted_id: str) -> Response:
    for each in items:
        if each["id"] == wanted_id:
            return as_json(200, each)
    raise missing(entity, wanted_id)


def _is_own(dialog: Dialog, writer: Writer) -> bool:
    return dialog.owner == writer.organisation or ADMIN in writer.scopes


def _condition_faults(activity_type: str, condition: str, transmission: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if activity_type.lower() not in map(str.lower, ACTIVITY_TYPES):
        errors["activityType"] = [f"Value [{activity_type}] is not valid for a [Values] property!"]
    if condition.lower() not in ("exists", "notexists"):
        errors["conditionType"] = [f"Value [{condition}] is not valid for a [NotificationConditionType] property!"]
    opened = activity_type.lower() == "transmissionopened"
    try:
        named = None if transmission is None else guid(transmission)
    except ValueError:
        named, opened = "", False
    if opened != (named is not None):
        errors["transmissionId"] = ["'TransmissionId' must be given for 'TransmissionOpened', and only for it."]
    return errors
