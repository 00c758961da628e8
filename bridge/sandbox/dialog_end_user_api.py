"""Dialogporten's end-user API: reading, searching, and the user's own labels (facts/dialogporten.md 4.1)."""

from collections.abc import Iterable, Mapping, Sequence
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from werkzeug.wrappers import Request, Response

from bridge.sandbox import dialog_search as search
from bridge.sandbox.dialog_catalogue import looked_up, parties, resources
from bridge.sandbox.dialog_labels import faults, wanted
from bridge.sandbox.dialog_owner_api import TOO_BROAD, bulk_faults, given, too_broad
from bridge.sandbox.dialog_schema import BULK_LABEL_CHANGE, LABEL_CHANGE, moment_of, moment_text
from bridge.sandbox.dialog_state import Dialog, Problem, missing, removed
from bridge.sandbox.dialog_tokens import mint
from bridge.sandbox.dialog_views import (
    Reader,
    activity_items,
    for_end_user,
    in_end_users_list,
    label_log,
    seen_log,
    transmission_items,
)
from bridge.sandbox.wire import Route, as_json, plain
from bridge.sandbox.world import World

if TYPE_CHECKING:
    from bridge.sandbox.dialogporten import Dialogporten

_ALL = "/api/v1/enduser/dialogs"
_ONE = f"{_ALL}/<uuid:dialog_id>"
_JSON = ("application/json",)


class EndUserApi:
    """What end users and their systems may do; *api* is the system that it belongs to."""

    def __init__(self, api: "Dialogporten") -> None:
        self._api = api

    def routes(self) -> Iterable[Route]:
        """List what is answered here."""
        return (
            Route("GET", _ALL, self.search),
            Route("GET", _ONE, self.get),
            Route("GET", f"{_ONE}/activities", self.list_activities),
            Route("GET", f"{_ONE}/activities/<uuid:item_id>", self.get_activity),
            Route("GET", f"{_ONE}/transmissions", self.list_transmissions),
            Route("GET", f"{_ONE}/transmissions/<uuid:item_id>", self.get_transmission),
            Route("GET", f"{_ONE}/seenlog", self.list_looks),
            Route("GET", f"{_ONE}/seenlog/<uuid:item_id>", self.get_look),
            Route("GET", f"{_ONE}/context/labellog", self.list_label_log),
            Route("PUT", f"{_ONE}/context/systemlabels", self.put_labels),
            Route("POST", f"{_ALL}/context/systemlabels/actions/bulkset", self.bulk_labels),
            Route("GET", "/api/v1/enduser/parties", self.get_parties),
            Route("GET", "/api/v1/enduser/serviceresources", self.get_resources),
            Route("GET", "/api/v1/enduser/dialoglookup", self.look_up),
        )

    def search(self, request: Request) -> Response:
        """GET a page of what the user may see; no right to a party is an empty page, not a refusal."""
        api = self._api
        reader = api.reader(request)
        found = search.asked(given(request), search.END_USER)
        if found.errors:
            return api.problem(request, 400, found.errors)
        if too_broad(api, found):
            return api.problem(request, 422, TOO_BROAD)
        page, items = searched(api.world, found, reader)
        return as_json(200, arranged(page.as_json(items), request))

    def get(self, request: Request, dialog_id: UUID) -> Response:
        """GET a dialog: with a dialog token of its own, and a seen-log entry."""
        api = self._api
        reader = api.reader(request)
        try:
            shown = opened(api.world, str(dialog_id), reader, api.host)
        except Problem as found:
            return api.problem_of(request, found)
        return as_json(200, arranged(shown, request), headers={"Etag": shown["revision"]})

    def list_activities(self, request: Request, dialog_id: UUID) -> Response:
        """GET all activities."""
        dialog, _ = self._visible(request, dialog_id)
        return as_json(200, arranged(activity_items(dialog, described=True), request))

    def get_activity(self, request: Request, dialog_id: UUID, item_id: UUID) -> Response:
        """GET one activity, with who did it."""
        dialog, _ = self._visible(request, dialog_id)
        items = [{k: v for k, v in each.items() if v is not None} for each in dialog.body["activities"]]
        return self._one_of(request, items, "DialogActivity", item_id)

    def list_transmissions(self, request: Request, dialog_id: UUID) -> Response:
        """GET all transmissions."""
        dialog, reader = self._visible(request, dialog_id)
        return as_json(200, arranged(transmission_items(dialog, reader), request))

    def get_transmission(self, request: Request, dialog_id: UUID, item_id: UUID) -> Response:
        """GET one transmission."""
        dialog, reader = self._visible(request, dialog_id)
        return self._one_of(request, transmission_items(dialog, reader), "DialogTransmission", item_id)

    def list_looks(self, request: Request, dialog_id: UUID) -> Response:
        """GET who looked at the dialog."""
        dialog, reader = self._visible(request, dialog_id)
        return as_json(200, seen_log(dialog, reader))

    def get_look(self, request: Request, dialog_id: UUID, item_id: UUID) -> Response:
        """GET one look."""
        dialog, reader = self._visible(request, dialog_id)
        return self._one_of(request, seen_log(dialog, reader), "DialogSeenLog", item_id)

    def list_label_log(self, request: Request, dialog_id: UUID) -> Response:
        """GET what was done to the labels."""
        dialog, _ = self._visible(request, dialog_id)
        return as_json(200, label_log(dialog))

    def put_labels(self, request: Request, dialog_id: UUID) -> Response:
        """PUT the user's own labels."""
        api = self._api
        reader = self._visible(request, dialog_id)[1]
        change = api.read(request, LABEL_CHANGE, _JSON)
        errors = faults(change)
        if errors:
            return api.problem(request, 400, errors)
        if_match = api.if_match(request)
        try:
            dialog = api.world.dialogporten.change_labels(
                str(dialog_id), *wanted(change), actor=reader.actor, revision=if_match
            )
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204, headers={"Etag": dialog.end_user_revision})

    def bulk_labels(self, request: Request) -> Response:
        """POST labels for many dialogs, all or nothing."""
        api = self._api
        reader = api.reader(request)
        change = api.read(request, BULK_LABEL_CHANGE, _JSON)
        errors = bulk_faults(change)
        if errors:
            return api.problem(request, 400, errors)
        pairs = [(each["dialogId"], each["endUserContextRevision"]) for each in change["dialogs"]]
        try:
            for dialog_id, _ in pairs:
                visible(api.world, dialog_id, reader)
            api.world.dialogporten.change_many_labels(pairs, *wanted(change), actor=reader.actor)
        except Problem as found:
            return api.problem_of(request, found)
        return plain(204)

    def get_parties(self, request: Request) -> Response:
        """GET whom the user may act for."""
        reader = self._api.reader(request)
        return as_json(200, {"authorizedParties": parties(self._api.world.dialogporten, reader)})

    def get_resources(self, request: Request) -> Response:
        """GET the resources of the dialogs that the user may see."""
        reader = self._api.reader(request)
        asked = {each.lower() for each in request.args.getlist("party")}
        known = sorted(
            {
                each.service_resource
                for each in self._api.world.dialogporten.dialogs()
                if each.party in reader.parties and (not asked or each.party in asked)
            }
        )
        items = [each["metadata"] for each in resources(self._api.world, known)]
        return as_json(200, {"isFullCatalogueFallback": False, "items": items})

    def look_up(self, request: Request) -> Response:
        """GET the dialog that stands for an instance, a correspondence or a dialog id."""
        api = self._api
        reader = api.reader(request)
        try:
            dialog, reference = looked_up(api.world.dialogporten, request.args.get("instanceRef", ""))
        except Problem as found:
            return api.problem_of(request, found)
        if dialog.party not in reader.parties or not reader.may("read"):
            return api.problem_of(request, Problem(403, {"Forbidden": ["You have no access to the dialog."]}))
        title = (dialog.body["content"] or {}).get("title")
        evidence = {
            "currentAuthenticationLevel": reader.level,
            "viaRole": True,
            "viaAccessPackage": False,
            "viaResourceDelegation": False,
            "viaInstanceDelegation": False,
            "evidence": [],
        }
        answer = {
            "dialogId": dialog.id,
            "instanceRef": reference,
            "party": dialog.party,
            **resources(api.world, [dialog.service_resource])[0]["lookup"],
            "title": [] if title is None else title["value"],
            "authorizationEvidence": evidence,
        }
        return as_json(200, arranged(answer, request))

    def _visible(self, request: Request, dialog_id: UUID) -> tuple[Dialog, Reader]:
        reader = self._api.reader(request)
        try:
            return visible(self._api.world, str(dialog_id), reader), reader
        except Problem as found:
            self._api.stop(request, found)

    def _one_of(self, request: Request, items: Iterable[Mapping[str, Any]], entity: str, wanted_id: UUID) -> Response:
        for each in items:
            if each["id"] == str(wanted_id):
                return as_json(200, arranged(each, request))
        return self._api.problem_of(request, missing(entity, str(wanted_id)))


def visible(world: World, dialog_id: str, reader: Reader) -> Dialog:
    """
    Give a dialog that the user may see.

    Raises:
        Problem: 403, 404 or 410; with ``Expires`` where it will be visible later.
    """
    state, now = world.dialogporten, world.clock()
    dialog = state.find(dialog_id)
    if dialog is None or dialog.party not in reader.parties or not reader.may("read"):
        raise missing("DialogEntity", dialog_id)
    if dialog.deleted_at is not None:
        raise removed(dialog.id)
    if dialog.visible_from is not None and moment_of(dialog.visible_from) > now:
        problem = missing("DialogEntity", dialog.id)
        problem.headers = {"Expires": format_datetime(moment_of(dialog.visible_from), usegmt=True)}
        raise problem
    if not search.shown_to_end_users(dialog, now):
        raise missing("DialogEntity", dialog.id)
    if reader.level < state.resource(dialog.service_resource).minimum_level:
        raise Problem(403, {"Forbidden": ["Altinn authentication level too low."]})
    return dialog


def opened(world: World, dialog_id: str, reader: Reader, host: str) -> dict[str, Any]:
    """
    Show a dialog to the user, which marks it as seen.

    Raises:
        Problem: As for ``visible``.
    """
    dialog = visible(world, dialog_id, reader)
    dialog = world.dialogporten.see(dialog.id, reader.actor)
    token = mint(dialog, reader, world, host)
    return for_end_user(dialog, world.dialogporten, reader, token=token, now=moment_text(world.clock()))


def searched(world: World, found: search.Asked, reader: Reader) -> tuple[search.Page, list[dict[str, Any]]]:
    """Run a search of this user's; it marks nothing as seen."""
    state, now = world.dialogporten, world.clock()

    def keep(dialog: Dialog) -> bool:
        return dialog.party in reader.parties and reader.may("read") and search.shown_to_end_users(dialog, now)

    page = search.run(state.dialogs(), found, keep=keep)
    return page, [in_end_users_list(each, state, reader) for each in page.dialogs]


def arranged(value: Any, request: Request) -> Any:
    """Put texts in the languages of Accept-Language first."""
    wanted_languages = [code.partition("-")[0].lower() for code, _ in request.accept_languages]
    return _arranged(value, wanted_languages) if wanted_languages else value


def _arranged(value: Any, languages: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _arranged(each, languages) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], dict) and "languageCode" in value[0]:
        places = {code: place for place, code in reversed(list(enumerate(languages)))}
        return sorted(value, key=lambda each: places.get(each["languageCode"], len(languages)))
    return [_arranged(each, languages) for each in value]
