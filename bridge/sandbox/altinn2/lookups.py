"""What lies beside the messages and no bridge needs: code lists, roles, look-ups, events (facts/altinn2.md 6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.base import Frame
from bridge.sandbox.altinn2.odata import BadQuery, read_query
from bridge.sandbox.altinn2.people import ORGANISATION
from bridge.sandbox.altinn2.views import local
from bridge.sandbox.core.http_system import as_json, plain

NEIGHBOURS: tuple[tuple[str, str, str], ...] = (
    ("GET", "/metadata/codelists", "list_code_lists"),
    ("GET", "/metadata/codelists/<name>/<int:version>", "get_code_list"),
    ("GET", "/organizations", "list_organisations"),
    ("GET", "/<who>/authorization/roles", "list_roles"),
    ("GET", "/<who>/lookup/<code>/<int:edition>", "look_up"),
    ("GET", "/serviceowner/events/feed", "feed_events"),
)
NO_ORGANISATION = "Authorization failed: There is no authenticated organization number set on this request."
_MOST_EVENTS = 10_000
_HAPPENED = {
    "altinn2.read": "Read",
    "altinn2.confirm": "Confirmed",
    "altinn2.archive": "Archived",
    "altinn2.delete": "Deleted",
}
_MODELS = "Altinn.SBL.AltinnWebAPI.Models"


class Neighbours(Frame):
    """
    The resources around messages and metadata.

    Their addresses and headings are published; the members that are shown here are our guess (facts/altinn2.md 6).
    """

    def list_code_lists(self, request: Request) -> Response:
        """List the code lists; open to all."""
        with self.world.altinn2.library.lock:
            known = sorted(self.world.altinn2.library.code_lists)
        lists = [
            {
                "Name": name,
                "Version": version,
                "_links": {"self": {"href": f"{self.base}/metadata/codelists/{name}/{version}"}},
            }
            for name, version in known
        ]
        kinds: Mapping[str, type] = {"Name": str, "Version": int}
        return self._paged(request, lists, "codelists", href=f"{self.base}/metadata/codelists", kinds=kinds)

    def get_code_list(self, request: Request, name: str, version: int) -> Response:
        """Show a code list with its codes; 404 for one that is unknown."""
        with self.world.altinn2.library.lock:
            found = [
                (known, codes)
                for (known, number), codes in self.world.altinn2.library.code_lists.items()
                if (known.lower(), number) == (name, version)
            ]
        if not found:
            return self.failure(404)
        known, codes = found[0]
        links = {"self": {"href": f"{self.base}/metadata/codelists/{known}/{version}"}}
        return self.shown(request, {"Name": known, "Version": version, "Codes": codes, "_links": links})

    def list_organisations(self, request: Request) -> Response:
        """List the organisations on whose behalf the caller may act."""
        caller = self.caller(request)
        found = [
            {
                "Name": each.name,
                "OrganizationNumber": each.number,
                "Type": self.world.switches.reportee_types,
                "Status": "Active",
                "_links": {"messages": {"href": f"{self.base}/{each.number}/messages"}},
            }
            for each in self.world.altinn2.people.parties()
            if each.kind == ORGANISATION and caller.may_stand_for(each)
        ]
        kinds: Mapping[str, type] = {"Name": str, "OrganizationNumber": str, "Type": str, "Status": str}
        return self._paged(request, found, "organizations", href=f"{self.base}/organizations", kinds=kinds)

    def list_roles(self, request: Request, who: str) -> Response:
        """List the roles that the caller has for *who*: one that holds all its rights."""
        act = self.act(request, who)
        party = next((each for each in self.world.altinn2.people.parties() if each.names & act.names), None)
        definition = {"roledefinition": {"href": f"{self.base}/metadata/roledefinitions/4"}}
        role = {
            "RoleId": 0 if party is None else party.reportee_id,
            "RoleType": "External",
            "RoleDefinitionId": 4,
            "RoleName": "Daglig leder" if party is None or party.kind == ORGANISATION else "Privatperson",
            "_links": definition,
        }
        kinds: Mapping[str, type] = {"RoleType": str, "RoleDefinitionId": int, "RoleName": str}
        return self._paged(request, [role], "roles", href=f"{self.base}/{who}/authorization/roles", kinds=kinds)

    def look_up(self, request: Request, who: str, code: str, *, edition: int) -> Response:
        """What a look-up service answers; 404 for one that is unknown."""
        self.check_right(request, who, "Read")
        answer = self.world.altinn2.library.lookups.get((code, edition))
        if answer is None:
            return self.failure(404)
        return plain(200, answer, content_type="application/xml", headers=self.headers())

    def feed_events(self, request: Request) -> Response:
        """List what happened to the agency's letters after ``eventOffset``, oldest first; the caller is an agency."""
        if self.caller(request).organisation is None:
            return self.failure(401, NO_ORGANISATION)
        offset, fetch = (request.args.get(name, default) for name, default in (("eventOffset", "0"), ("fetch", "1000")))
        if not offset.isdecimal() or not fetch.isdecimal() or not 0 < int(fetch) <= _MOST_EVENTS:
            return self.failure(400, f"eventOffset and fetch are whole numbers, and fetch at most {_MOST_EVENTS}")
        events = [
            {"EventOffset": number, "EventType": kind, "MessageId": message_id, "EventDateTime": local(moment)}
            for number, (moment, message_id, kind) in enumerate(self._events(), 1)
        ]
        return as_json(200, events[int(offset) : int(offset) + int(fetch)], headers=self.headers())

    def _events(self) -> list[tuple[datetime, str, str]]:
        letters = {each.original_id or each.id: each for each in self.world.altinn2.elements() if each.letter}
        known = {**{name: name for name in letters}, **{each.id: name for name, each in letters.items()}}
        # Those of one moment in the order of their numbers.
        made = sorted(letters.items(), key=lambda item: int(item[0][1:]))
        events = [(each.created, name, "Created") for name, each in made]
        for effect in self.world.ledger.effects():
            name = known.get(str(effect.facts.get("original_id") or effect.facts.get("message_id")))
            if name is not None and effect.kind in _HAPPENED:
                events.append((effect.time, name, _HAPPENED[effect.kind]))
        return sorted(events, key=lambda event: event[0])

    def _paged(
        self, request: Request, found: list[dict[str, Any]], name: str, *, href: str, kinds: Mapping[str, type]
    ) -> Response:
        try:
            query = read_query(request.args, properties=kinds, type_name=f"{_MODELS}.{name}", page=1000)
        except BadQuery as error:
            return self.failure(400, str(error))
        shown = query.page(found, lambda each: each)
        return self.shown(request, {"_links": {"self": {"href": href}}, "_embedded": {name: shown}})
