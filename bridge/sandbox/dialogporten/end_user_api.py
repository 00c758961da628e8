"""Dialogporten's end-user API: reading, searching, and the user's own labels (facts/dialogporten.md 4.1)."""

from collections.abc import Iterable, Mapping, Sequence
from email.utils import format_datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import Route, as_json, plain
from bridge.sandbox.dialogporten import search as search
from bridge.sandbox.dialogporten.binding import Bound, Query
from bridge.sandbox.dialogporten.catalogue import looked_up, parties, resources
from bridge.sandbox.dialogporten.http import DialogSystem
from bridge.sandbox.dialogporten.kinds import moment_of, moment_text
from bridge.sandbox.dialogporten.labels import bulk_faults, faults, wanted
from bridge.sandbox.dialogporten.model import Dialog, Intent, Problem, missing, removed
from bridge.sandbox.dialogporten.schema import BULK_LABEL_CHANGE, LABEL_CHANGE
from bridge.sandbox.dialogporten.tokens import mint
from bridge.sandbox.dialogporten.views import (
    Reader,
    activity_item,
    activity_items,
    for_end_user,
    in_end_users_list,
    label_log,
    seen_log,
    transmission_items,
)
from bridge.sandbox.dialogporten.world import DialogportenWorld

_ALL = "/api/v1/enduser/dialogs"
_ONE = f"{_ALL}/<dialog_id>"
MOST_LABELLED = 100
"""Dialogs whose labels are changed in one call."""


LEVEL_TOO_LOW = "Altinn authentication level too low."


class EndUserApi:
    """What end users and their systems may do; *api* is the system that it belongs to."""

    def __init__(self, api: DialogSystem) -> None:
        self._api = api

    def routes(self) -> Iterable[Route]:
        """List what is answered here."""
        return (
            Route("GET", _ALL, self.search),
            Route("GET", _ONE, self.get),
            Route("GET", f"{_ONE}/activities", self.list_activities),
            Route("GET", f"{_ONE}/activities/<item_id>", self.get_activity),
            Route("GET", f"{_ONE}/transmissions", self.list_transmissions),
            Route("GET", f"{_ONE}/transmissions/<item_id>", self.get_transmission),
            Route("GET", f"{_ONE}/seenlog", self.list_looks),
            Route("GET", f"{_ONE}/seenlog/<item_id>", self.get_look),
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
        found = search.asked(Query.of(request), search.END_USER)
        if found.errors:
            return api.problem(request, 400, found.errors)
        if search.too_broad(found, api.world.switches):
            return api.problem(request, 422, search.TOO_BROAD)
        page, items = searched(api.world, found, reader)
        return as_json(200, arranged(page.as_json(items), request))

    def get(self, request: Request, dialog_id: str) -> Response:
        """GET a dialog: with a dialog token of its own, and a seen-log entry."""
        api = self._api
        reader, ids, _ = self._bound(request, {"dialogId": dialog_id})
        shown = opened(api.world, ids[0], reader, host=api.host)
        return as_json(200, arranged(shown, request), headers={"Etag": shown["revision"]})

    def list_activities(self, request: Request, dialog_id: str) -> Response:
        """GET all activities."""
        dialog, _, _ = self._there(request, dialog_id)
        return as_json(200, arranged(activity_items(dialog, described=True), request))

    def get_activity(self, request: Request, dialog_id: str, item_id: str) -> Response:
        """GET one activity, with who did it."""
        dialog, _, wanted_id = self._there(request, dialog_id, activityId=item_id)
        return self._one_of(
            request, map(activity_item, dialog.body["activities"]), "DialogActivity", wanted_id=wanted_id
        )

    def list_transmissions(self, request: Request, dialog_id: str) -> Response:
        """GET all transmissions."""
        dialog, reader, _ = self._there(request, dialog_id)
        return as_json(200, arranged(transmission_items(dialog, reader, self._now()), request))

    def get_transmission(self, request: Request, dialog_id: str, item_id: str) -> Response:
        """GET one transmission."""
        dialog, reader, wanted_id = self._there(request, dialog_id, transmissionId=item_id)
        return self._one_of(
            request, transmission_items(dialog, reader, self._now()), "DialogTransmission", wanted_id=wanted_id
        )

    def list_looks(self, request: Request, dialog_id: str) -> Response:
        """GET who looked at the dialog."""
        dialog, reader, _ = self._there(request, dialog_id)
        return as_json(200, seen_log(dialog, reader))

    def get_look(self, request: Request, dialog_id: str, item_id: str) -> Response:
        """GET one look."""
        dialog, reader, wanted_id = self._there(request, dialog_id, seenLogId=item_id)
        return self._one_of(request, seen_log(dialog, reader), "DialogSeenLog", wanted_id=wanted_id)

    def list_label_log(self, request: Request, dialog_id: str) -> Response:
        """GET what was done to the labels."""
        dialog, _, _ = self._there(request, dialog_id)
        return as_json(200, label_log(dialog))

    def put_labels(self, request: Request, dialog_id: str) -> Response:
        """PUT the user's own labels."""
        api = self._api
        api.reader(request)
        change = api.read(request, LABEL_CHANGE)
        reader, ids, if_match = self._bound(request, {"dialogId": dialog_id})
        held = there(api.world, ids[0], reader)
        errors = faults(change)
        if errors:
            raise Problem(400, errors)
        intent = Intent(if_match=if_match, read=held)
        api.saving(request)
        dialog = api.world.dialogporten.change_labels(ids[0], *wanted(change), actor=reader.actor, intent=intent)
        return plain(204, headers={"Etag": dialog.end_user_revision})

    def bulk_labels(self, request: Request) -> Response:
        """POST labels for many dialogs, all or nothing."""
        api = self._api
        reader = api.reader(request)
        change = api.read(request, BULK_LABEL_CHANGE)
        errors = bulk_faults(change, most=MOST_LABELLED)
        if errors:
            raise Problem(400, errors)
        pairs = [(each["dialogId"], each["endUserContextRevision"]) for each in change["dialogs"]]
        for dialog_id, _ in pairs:
            visible(api.world, dialog_id, reader)
        api.world.dialogporten.change_many_labels(pairs, *wanted(change), actor=reader.actor)
        return plain(204)

    def get_parties(self, request: Request) -> Response:
        """GET whom the user may act for."""
        reader = self._api.reader(request)
        return as_json(200, {"authorizedParties": parties(self._api.world.dialogporten, reader)})

    def get_resources(self, request: Request) -> Response:
        """GET the resources of the dialogs that the user may see."""
        reader = self._api.reader(request)
        return as_json(200, {"items": resources_of(self._api, reader, Query.of(request).many("party"))})

    def look_up(self, request: Request) -> Response:
        """GET the dialog that stands for an instance, a correspondence or a dialog id."""
        api = self._api
        reader = api.reader(request)
        answer = looked_up_by(api, reader, Query.of(request).one("instanceRef") or "")
        return as_json(200, arranged(answer, request))

    def _now(self) -> str:
        return moment_text(self._api.world.clock())

    def _bound(self, request: Request, ids: Mapping[str, str]) -> tuple[Reader, list[str], str | None]:
        """Who reads, with the path's ids and If-Match as they were bound."""
        reader, found = self._api.reader(request), Bound(patching=False)
        bound = [found.route(name, text) for name, text in ids.items()]
        if_match = found.if_match(request)
        if found.errors:
            raise Problem(400, found.errors)
        return reader, bound, if_match

    def _there(self, request: Request, dialog_id: str, **ids: str) -> tuple[Dialog, Reader, str]:
        """The dialog whose parts are asked for, who asks, and the id of the part."""
        reader, bound, _ = self._bound(request, {"dialogId": dialog_id, **ids})
        return there(self._api.world, bound[0], reader), reader, bound[-1]

    def _one_of(self, request: Request, items: Iterable[Mapping[str, Any]], entity: str, *, wanted_id: str) -> Response:
        for each in items:
            if each["id"] == wanted_id:
                return as_json(200, arranged(each, request))
        raise missing(entity, wanted_id)


def looked_up_by(api: DialogSystem, reader: Reader, reference: str) -> Mapping[str, Any]:
    """
    The dialog that an instance, a correspondence or a dialog id stands for.

    Raises:
        Problem: 400, 403 or 404.
    """
    dialog, reference = looked_up(api.world.dialogporten, reference)
    if dialog.party not in reader.parties or not reader.may("read"):
        raise Problem(403, {"Forbidden": ["You have no access to the dialog."]})
    title = (dialog.body["content"] or {}).get("title")
    evidence = {
        "currentAuthenticationLevel": reader.level,
        "viaRole": True,
        "viaAccessPackage": False,
        "viaResourceDelegation": False,
        "viaInstanceDelegation": False,
        "evidence": [],
    }
    return {
        "dialogId": dialog.id,
        "instanceRef": reference,
        "party": dialog.party,
        **resources(api.world, [dialog.service_resource])[0]["lookup"],
        "title": [] if title is None else title["value"],
        "authorizationEvidence": evidence,
    }


def resources_of(api: DialogSystem, reader: Reader | None, asked: Iterable[str]) -> list[Any]:
    """Describe the resources of the dialogs that *reader* may see, of these parties; None stands for everybody."""
    wanted_of = {each.lower() for each in asked}
    known = sorted(
        {
            each.service_resource
            for each in api.world.dialogporten.dialogs()
            if (reader is None or each.party in reader.parties) and (not wanted_of or each.party in wanted_of)
        }
    )
    return [each["metadata"] for each in resources(api.world, known, api.host)]


def there(world: DialogportenWorld, dialog_id: str, reader: Reader) -> Dialog:
    """
    A dialog to whose parts the user has access, whether or not it is visible.

    Raises:
        Problem: 404 or 410.
    """
    dialog = world.dialogporten.find(dialog_id)
    if dialog is None or dialog.party not in reader.parties or not reader.may("read"):
        raise missing("DialogEntity", dialog_id)
    if dialog.deleted_at is not None:
        raise removed(dialog.id)
    return dialog


def visible(world: DialogportenWorld, dialog_id: str, reader: Reader) -> Dialog:
    """
    A dialog that the user may see.

    Raises:
        Problem: 403, 404 or 410; with ``Expires`` where it will be visible later.
    """
    state, now = world.dialogporten, world.clock()
    dialog = state.find(dialog_id)
    if dialog is None:
        raise missing("DialogEntity", dialog_id)
    if dialog.party not in reader.parties or not reader.may("read"):
        raise Problem(403, {"Forbidden": ["Forbidden"]})
    if dialog.deleted_at is not None:
        raise removed(dialog.id)
    if reader.level < state.resource(dialog.service_resource).minimum_level:
        raise Problem(403, {"Forbidden": [LEVEL_TOO_LOW]})
    if dialog.visible_from is not None and moment_of(dialog.visible_from) > now:
        problem = missing("DialogEntity", dialog.id)
        problem.headers = {"Expires": format_datetime(moment_of(dialog.visible_from), usegmt=True)}
        raise problem
    if not search.shown_to_end_users(dialog, now):
        raise missing("DialogEntity", dialog.id)
    return dialog


def opened(world: DialogportenWorld, dialog_id: str, reader: Reader, *, host: str) -> dict[str, Any]:
    """
    Show a dialog to the user, which marks it as seen.

    Raises:
        Problem: As for ``visible``.
    """
    dialog = visible(world, dialog_id, reader)
    dialog = world.dialogporten.see(dialog.id, reader.actor)
    token = mint(dialog, reader, world, base_url=host)
    return for_end_user(dialog, world.dialogporten, reader, token=token, now=moment_text(world.clock()))


def searched(world: DialogportenWorld, found: search.Asked, reader: Reader) -> tuple[search.Page, list[dict[str, Any]]]:
    """Run a search of this user's; it marks nothing as seen."""
    state, now = world.dialogporten, world.clock()

    def keep(dialog: Dialog) -> bool:
        return dialog.party in reader.parties and reader.may("read") and search.shown_to_end_users(dialog, now)

    page = search.run(state.dialogs(), found, keep=keep)
    return page, [in_end_users_list(each, state, reader) for each in page.dialogs]


def arranged(value: Any, request: Request) -> Any:
    """Prune texts to one language: the best of Accept-Language, or one that most people read."""
    given = [code.partition("-")[0].lower() for code, _ in request.accept_languages if code != "*"]
    if not given:
        return value
    usual = ("nb", "en") if {"sv", "da"} & set(given) else ("en", "nb")
    return _arranged(value, (*given, *usual))


def _arranged(value: Any, languages: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _arranged(each, languages) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], dict) and "languageCode" in value[0]:
        there = {each["languageCode"]: each for each in value}
        best = next((code for code in languages if code in there), None)
        return value if best is None else [there[best]]
    return [_arranged(each, languages) for each in value]
