"""The rest of the service-owner API: search, life and death, transmissions, labels, look-ups (facts 2.4, 2.7-2.9)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from werkzeug.wrappers import Request, Response

from bridge.sandbox import dialog_search as search
from bridge.sandbox.dialog_catalogue import limits, looked_up, resources
from bridge.sandbox.dialog_labels import faults, wanted
from bridge.sandbox.dialog_rules import ADMIN
from bridge.sandbox.dialog_schema import ACTIVITY_TYPES, BULK_LABEL_CHANGE, LABEL_CHANGE, TRANSMISSION
from bridge.sandbox.dialog_state import Dialog, Problem, Writer, missing, removed
from bridge.sandbox.dialog_views import Reader, in_owners_list, seen_log, transmission_items
from bridge.sandbox.wire import Route, as_json, plain

if TYPE_CHECKING:
    from bridge.sandbox.dialogporten import Dialogporten

SEARCH = "digdir:dialogporten.serviceprovider.search"
CHANGE_TRANSMISSIONS = "digdir:dialogporten.serviceprovider.changetransmissions"
NOTIFICATIONS = "altinn:system/notifications.condition.check"
_ALL = "/api/v1/serviceowner/dialogs"
_ONE = f"{_ALL}/<uuid:dialog_id>"
_JSON = ("application/json",)
_BULK = 200
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class OwnerApi:
    """What a service owner may do besides writing dialogs; *api* is the system that it belongs to."""

    def __init__(self, api: "Dialogporten") -> None:
        self._api = api

    def routes(self) -> Iterable[Route]:
        """List what is answered here."""
        return (
            Route("GET", _ALL, self.search),
            Route("POST", f"{_ONE}/actions/restore", self.restore),
            Route("POST", f"{_ONE}/actions/purge", self.purge),
            Route("POST", f"{_ONE}/actions/freeze", self.freeze),
            Route("GET", f"{_ONE}/actions/should-send-notification", self.should_send),
            Route("GET", f"{_ONE}/transmissions", self.list_transmissions),
            Route("GET", f"{_ONE}/transmissions/<uuid:transmission_id>", self.get_transmission),
            Route("PUT", f"{_ONE}/transmissions/<uuid:transmission_id>", self.put_transmission),
            Route("GET", f"{_ONE}/seenlog", self.list_looks),
            Route("GET", f"{_ONE}/seenlog/<uuid:look_id>", self.get_look),
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
        writer = self._with_scope(request, SEARCH)
        found = search.asked(given(request), search.OWNER)
        if found.errors:
            return api.problem(request, 400, found.errors)
        users = found.many("endUserId")
        reader = api.world.reader(users[0]) if users else None

        def keep(dialog: Dialog) -> bool:
            if not _is_own(dialog, writer):
                return False
            return not users or (reader is not None and dialog.party in reader.parties and reader.may("read"))

        if too_broad(api, found):
            return api.problem(request, 422, TOO_BROAD)
        page = search.run(state.dialogs(), found, keep=keep)
        return as_json(200, page.as_json([in_owners_list(each, state) for each in page.dialogs]))

    def restore(self, request: Request, dialog_id: UUID) -> Response:
        """POST: undo a soft deletion."""
        api = self._api
        writer, if_match = api.writer(request), api.if_match(request)
        try:
            dialog = api.world.dialogporten.restore(
                str(dialog_id), writer, if_match=if_match, silent=api.silent(request)
            )
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.revision})

    def purge(self, request: Request, dialog_id: UUID) -> Response:
        """POST: remove for good."""
        api = self._api
        writer, if_match = api.writer(request), api.if_match(request)
        try:
            api.world.dialogporten.purge(str(dialog_id), writer, if_match=if_match, silent=api.silent(request))
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204)

    def freeze(self, request: Request, dialog_id: UUID) -> Response:
        """POST: protect a dialog; for admins only."""
        api = self._api
        writer, if_match = api.writer(request), api.if_match(request)
        try:
            dialog = api.world.dialogporten.freeze_as(str(dialog_id), writer, if_match=if_match)
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.revision})

    def should_send(self, request: Request, dialog_id: UUID) -> Response:
        """GET whether an activity stands there, or does not: asked by Altinn's notifications about any dialog."""
        api = self._api
        api.claims_with(request, NOTIFICATIONS)
        wanted_type, condition = request.args.get("activityType", ""), request.args.get("conditionType", "")
        transmission = request.args.get("transmissionId")
        errors = _condition_faults(wanted_type, condition, transmission)
        if errors:
            return api.problem(request, 400, errors)
        dialog = api.world.dialogporten.find(str(dialog_id))
        if dialog is None:
            return api.problem_of(request, missing("DialogEntity", str(dialog_id)))
        there = any(
            each["type"].lower() == wanted_type.lower()
            and (transmission is None or each["transmissionId"] == transmission.lower())
            for each in dialog.body["activities"]
        )
        return as_json(200, {"sendNotification": there is (condition.lower() == "exists")})

    def list_transmissions(self, request: Request, dialog_id: UUID) -> Response:
        """GET all transmissions."""
        return as_json(200, transmission_items(self._alive(request, dialog_id), None))

    def get_transmission(self, request: Request, dialog_id: UUID, transmission_id: UUID) -> Response:
        """GET one transmission."""
        items = transmission_items(self._alive(request, dialog_id), None)
        return self._one_of(request, items, "DialogTransmission", transmission_id)

    def put_transmission(self, request: Request, dialog_id: UUID, transmission_id: UUID) -> Response:
        """PUT a transmission: a technical correction, which has to be silent."""
        api = self._api
        writer = self._with_scope(request, CHANGE_TRANSMISSIONS)
        held = api.exists(request, dialog_id, writer)
        asked: list[bool] = []

        def read(value: Any, path: str) -> Any:
            asked.append(isinstance(value, dict) and value.get("isSilentUpdate") is True)
            return TRANSMISSION(value, path)

        transmission = api.read(request, read, _JSON)
        rules = api.rules(writer, creating=False)
        rules.transmission("dto", transmission, api_only=held.body["isApiOnly"])
        if not (asked[0] or api.silent(request)):
            rules.errors.setdefault("dto.isSilentUpdate", []).append("'IsSilentUpdate' must be equal to 'True'.")
        api.check(request, rules)
        if_match = api.if_match(request)
        try:
            dialog = api.world.dialogporten.change_transmission(
                str(dialog_id),
                str(transmission_id),
                transmission,
                writer,
                if_match=if_match,
                lookup_fails=api.world.switches.name_lookup_fails,
            )
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.revision})

    def list_looks(self, request: Request, dialog_id: UUID) -> Response:
        """GET who looked at the dialog."""
        return as_json(200, seen_log(self._alive(request, dialog_id), None))

    def get_look(self, request: Request, dialog_id: UUID, look_id: UUID) -> Response:
        """GET one look."""
        items = seen_log(self._alive(request, dialog_id), None)
        return self._one_of(request, items, "DialogSeenLog", look_id)

    def put_labels(self, request: Request, dialog_id: UUID) -> Response:
        """PUT system labels on behalf of a user."""
        api = self._api
        writer = api.writer(request)
        held = api.exists(request, dialog_id, writer)
        change = api.read(request, LABEL_CHANGE, _JSON)
        actor = self._acting(request, change, writer, [held])
        if_match = api.if_match(request)
        try:
            dialog = api.world.dialogporten.change_labels(
                str(dialog_id), *wanted(change), actor=actor, revision=if_match
            )
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.end_user_revision})

    def bulk_labels(self, request: Request) -> Response:
        """POST system labels for 1 to 200 dialogs, all or nothing."""
        api = self._api
        writer = api.writer(request)
        change = api.read(request, BULK_LABEL_CHANGE, _JSON)
        errors = bulk_faults(change)
        if errors:
            return api.problem(request, 400, errors)
        dialogs = [api.exists(request, UUID(each["dialogId"]), writer) for each in change["dialogs"]]
        actor = self._acting(request, change, writer, dialogs)
        pairs = [(each["dialogId"], each["endUserContextRevision"]) for each in change["dialogs"]]
        try:
            api.world.dialogporten.change_many_labels(pairs, *wanted(change), actor=actor)
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204)

    def search_contexts(self, request: Request) -> Response:
        """GET what users did with labels, a page at a time."""
        api = self._api
        writer = self._with_scope(request, SEARCH)
        found = search.asked(given(request), search.CONTEXTS)
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
        try:
            dialog, reference = looked_up(state, request.args.get("instanceRef", ""))
        except Problem as found:
            return api.problem_of(request, found)
        if not _is_own(dialog, writer):
            return api.problem_of(
                request, Problem(403, {"Forbidden": ["The dialog belongs to another service owner."]})
            )
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
        return as_json(200, {"items": [each["metadata"] for each in resources(self._api.world, known)]})

    def _with_scope(self, request: Request, scope: str) -> Writer:
        writer = self._api.writer(request)
        if scope not in writer.scopes:
            self._api.refuse(request, 403)
        return writer

    def _alive(self, request: Request, dialog_id: UUID) -> Dialog:
        dialog = self._api.owned(request, dialog_id)
        if dialog.deleted_at is not None:
            self._api.stop(request, removed(dialog.id))
        return dialog

    def _one_of(self, request: Request, items: Iterable[Mapping[str, Any]], entity: str, wanted_id: UUID) -> Response:
        for each in items:
            if each["id"] == str(wanted_id):
                return as_json(200, each)
        return self._api.problem_of(request, missing(entity, str(wanted_id)))

    def _acting(self, request: Request, change: Mapping[str, Any], writer: Writer, dialogs: Iterable[Dialog]) -> str:
        """Say who is behind a change of labels; only an admin may name somebody without asking for their rights."""
        api = self._api
        by = change["performedBy"]
        if by is not None and ADMIN not in writer.scopes:
            message = "performedBy is only allowed for admin-integrations."
            api.stop(request, Problem(403, {"Forbidden": [message]}))
        errors = faults(change)
        user = request.args.get("enduserId", "")
        reader: Reader | None = api.world.reader(user)
        if by is None and not user:
            errors["enduserId"] = ["'EndUserId' must not be empty."]
        if errors:
            api.stop(request, Problem(400, errors))
        if by is not None:
            return str(by["actorId"] or by["actorName"] or "")
        if reader is None or any(each.party not in reader.parties for each in dialogs):
            api.stop(request, Problem(403, {"Forbidden": ["The end user has no access to the dialog."]}))
        return reader.actor


TOO_BROAD = {"Search": ["The search is too broad. Narrow it, for instance with contentUpdatedAfter."]}


def given(request: Request) -> dict[str, Sequence[str]]:
    """Give the query with all its repetitions."""
    return {name: request.args.getlist(name) for name in request.args}


def too_broad(api: "Dialogporten", found: search.Asked) -> bool:
    """Whether the switch makes this search too broad."""
    narrow = "contentUpdatedAfter" in found.values
    return api.world.switches.search_too_broad and bool(found.many("search")) and not narrow


def bulk_faults(change: Mapping[str, Any]) -> dict[str, list[str]]:
    """Say what is wrong with a change of many dialogs' labels."""
    errors = faults(change)
    ids = [each["dialogId"] for each in change["dialogs"]]
    if not 1 <= len(ids) <= _BULK:
        errors["dialogs"] = [f"Between 1 and {_BULK} dialogs must be given. You gave {len(ids)}."]
    if None in ids or len(set(ids)) != len(ids):
        errors.setdefault("dialogs", []).append("Dialog ids must be given, each once.")
    return errors


def _is_own(dialog: Dialog, writer: Writer) -> bool:
    return dialog.owner == writer.organisation or ADMIN in writer.scopes


def _condition_faults(activity_type: str, condition: str, transmission: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if activity_type.lower() not in map(str.lower, ACTIVITY_TYPES):
        errors["activityType"] = ["'ActivityType' has a range of values which does not include it."]
    if condition.lower() not in ("exists", "notexists"):
        errors["conditionType"] = ["'ConditionType' has a range of values which does not include it."]
    opened = activity_type.lower() == "transmissionopened"
    if opened != (transmission is not None) or (transmission is not None and not _UUID.fullmatch(transmission)):
        errors["transmissionId"] = ["'TransmissionId' must be given for 'TransmissionOpened', and only for it."]
    return errors
