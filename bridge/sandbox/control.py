"""The sandbox's own API under ``/_sandbox``, for loopback only: ledger, calls, faults, switches, seeds, tokens."""

import ipaddress
import json
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.model import BadUpdate
from bridge.sandbox.altinn2.seed import (
    seed,
    seed_code_list,
    seed_lookup,
    seed_reportee,
    seed_service,
    seed_user,
    shown_element,
    shown_party,
    shown_service,
)
from bridge.sandbox.altinn2.seed_members import CODE_LIST, ELEMENT, LOOKUP, REPORTEE, SERVICE, USER
from bridge.sandbox.apps.seed import APP, seed_app
from bridge.sandbox.control_access import CLIENT, OWNER_TOKEN, owner_token, register_client, shown_client
from bridge.sandbox.control_calls import ControlRoute, Given, Handler, NotDone, problem
from bridge.sandbox.control_dialogs import DialogControl
from bridge.sandbox.core.http_system import Refused, as_json, plain, route_map
from bridge.sandbox.core.jose import private_jwk
from bridge.sandbox.core.ledger import FAULT, SYSTEMS, NotAFault, how_of
from bridge.sandbox.core.members import Anything, BadRequest, ObjectOf, OneOf, Record, Text, Whole
from bridge.sandbox.core.switches import UnknownSwitch
from bridge.sandbox.core.world import Client
from bridge.sandbox.dialogporten.tokens import issuer
from bridge.sandbox.world import World

_KIND = Record(members={"kind": Text()})
_CALLS = Record(members={"system": OneOf(SYSTEMS), "after": Whole(low=0, high=10**15)})
_CLIENT = Record(members={"client": Text()})
_NOTHING = Record(members={})
_SWITCHES = ObjectOf(Anything(), "an object with a value for each switch")
"""What each switch takes is told by the switches themselves."""


def settings(world: World, base_url: str, client: Client | None = None) -> dict[str, str]:
    """The environment that points a bridge at this sandbox, as the client that it usually is or as another."""
    client = client or world.client
    return {
        "BRIDGE_ENVIRONMENT": "sandbox",
        "BRIDGE_ALTINN2_URL": f"{base_url}/altinn2/api",
        "BRIDGE_ALTINN2_API_KEY": world.altinn2_api_key,
        "BRIDGE_ALTINN3_APPS_URL": f"{base_url}/apps/{{org}}/{{app}}",
        "BRIDGE_PLATFORM_URL": f"{base_url}/platform",
        "BRIDGE_DIALOGPORTEN_URL": f"{base_url}/dialogporten",
        "BRIDGE_DIALOGPORTEN_ISSUER": issuer(base_url),
        "BRIDGE_MASKINPORTEN_URL": f"{base_url}/maskinporten",
        "BRIDGE_MASKINPORTEN_CLIENT_ID": client.id,
        "BRIDGE_MASKINPORTEN_KEY": json.dumps(private_jwk(client.key)),
        "BRIDGE_ALLOWED_ORIGINS": ",".join(filter(None, (base_url, world.arbeidsflate_url, *sorted(world.origins)))),
    }


class Control:
    """A WSGI app beside the systems; what it does is in no call log."""

    prefix = "/_sandbox"

    def __init__(self, world: World, base_url: str) -> None:
        self.world, self.host = world, base_url
        dialogs = DialogControl(world, base_url)
        self.routes = (*self._observing(), *self._seeding(), *dialogs.routes())
        self._map = route_map(self.prefix, tuple((each.method, each.rule) for each in self.routes))

    def _observing(self) -> Iterable[ControlRoute]:
        """What tells and changes how the sandbox goes about."""

        def route(method: str, rule: str, handler: Handler, **takes: Any) -> ControlRoute:
            return ControlRoute(method=method, rule=rule, handler=handler, **takes)

        return (
            route("GET", "/ledger", self.get_ledger, query=_KIND),
            route("DELETE", "/ledger", self.clear_ledger),
            route("GET", "/calls", self.get_calls, query=_CALLS),
            route("DELETE", "/calls", self.clear_calls),
            route("GET", "/events", self.get_events),
            route("GET", "/faults", self.get_faults),
            route("POST", "/faults", self.plan_fault, body=FAULT),
            route("DELETE", "/faults", self.clear_faults),
            route("POST", "/faults/held", self.let_come, body=_NOTHING),
            route("GET", "/switches", self.get_switches),
            route("PATCH", "/switches", self.change_switches, body=_SWITCHES),
            route("GET", "/settings", self.get_settings, query=_CLIENT),
            route("GET", "/clients", self.get_clients),
            route("POST", "/clients", self.register_client, body=CLIENT),
            route("POST", "/owner-token", self.owner_token, body=OWNER_TOKEN),
        )

    def _seeding(self) -> Iterable[ControlRoute]:
        """What puts apps and Altinn 2's things in place."""

        def post(rule: str, handler: Handler, body: Record) -> ControlRoute:
            return ControlRoute(method="POST", rule=rule, handler=handler, body=body)

        element = "/altinn2/elements/<message_id>"
        return (
            post("/apps", self.seed_app, APP),
            post("/altinn2/elements", self.seed_element, ELEMENT),
            ControlRoute(method="GET", rule=element, handler=self.get_element),
            post("/altinn2/services", self.seed_service, SERVICE),
            post("/altinn2/reportees", self.seed_reportee, REPORTEE),
            post("/altinn2/users", self.seed_user, USER),
            post("/altinn2/codelists", self.seed_code_list, CODE_LIST),
            post("/altinn2/lookups", self.seed_lookup, LOOKUP),
        )

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer, as WSGI has it."""
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def get_ledger(self, given: Given) -> Response:
        """All effects, or those of one ``?kind=``."""
        return as_json(200, [each.as_json() for each in self.world.ledger.effects(given.query.get("kind"))])

    def clear_ledger(self, given: Given) -> Response:
        """Forget the effects."""
        del given
        self.world.ledger.clear()
        return plain(204)

    def get_calls(self, given: Given) -> Response:
        """All calls, or those to one ``?system=``, or those after a sequence ``?after=``."""
        after = given.query.get("after", 0)
        calls = self.world.calls.all(given.query.get("system"))
        return as_json(200, [each.as_json() for each in calls if each.sequence > after])

    def clear_calls(self, given: Given) -> Response:
        """Forget the calls."""
        del given
        self.world.calls.clear()
        return plain(204)

    def get_events(self, given: Given) -> Response:
        """All CloudEvents that Dialogporten would have sent."""
        del given
        events = self.world.dialogporten.events()
        return as_json(200, [{**each, "source": self.host + each["source"]} for each in events])

    def get_faults(self, given: Given) -> Response:
        """The faults that wait."""
        del given
        return as_json(200, list(self.world.faults.waiting()))

    def plan_fault(self, given: Given) -> Response:
        """A planned fault's id."""
        plan = given.body
        match = plan.get("match", {})
        planned = self.world.faults.plan(
            how_of(plan["how"]),
            system=plan.get("system"),
            method=match.get("method"),
            path=match.get("path", ""),
            times=plan.get("times", 1),
            skip=plan.get("skip", 0),
        )
        return as_json(201, {"id": planned})

    def clear_faults(self, given: Given) -> Response:
        """Plan nothing any more."""
        del given
        self.world.faults.clear()
        return plain(204)

    def let_come(self, given: Given) -> Response:
        """Have the effects of calls that were cut and ``held`` come now."""
        del given
        return as_json(200, {"came": self.world.faults.let_come()})

    def get_switches(self, given: Given) -> Response:
        """Every switch: name, value, default, meaning, what it takes."""
        del given
        return as_json(200, self.world.switches_now().described())

    def change_switches(self, given: Given) -> Response:
        """Throw switches: ``{name: value}``."""
        self.world.change_switches(**given.body)
        return self.get_switches(given)

    def get_settings(self, given: Given) -> Response:
        """The environment of a bridge that shall talk to this sandbox, as one ``?client=``."""
        name = given.query.get("client")
        client = None if name is None else self.world.clients.get(name)
        if name is not None and client is None:
            raise NotDone(404, f"no client has the id {name}")
        return as_json(200, settings(self.world, self.host, client))

    def get_clients(self, given: Given) -> Response:
        """All clients of Maskinporten, the bridge's own first."""
        del given
        own = self.world.client
        others = [each for each in tuple(self.world.clients.values()) if each.id != own.id]
        return as_json(200, [shown_client(each) for each in (self.world.clients[own.id], *others)])

    def register_client(self, given: Given) -> Response:
        """Register a client of any service owner with any scopes: ``{owner?, number?, scopes?, id?}``."""
        client = register_client(self.world, given.body)
        return as_json(201, {**shown_client(client), "settings": settings(self.world, self.host, client)})

    def owner_token(self, given: Given) -> Response:
        """Mint a token of any service owner with any scopes, Maskinporten's or with ``exchanged`` Altinn's."""
        return as_json(201, {"token": owner_token(self.world, self.host, given.body)})

    def seed_app(self, given: Given) -> Response:
        """Register an Altinn 3 app: data types with schemas, calculated by rules or by a URL."""
        app = seed_app(self.world, given.body)
        address = f"{self.host}/apps/{app.org}/{app.name}"
        types = [each.id for each in app.data_types]
        return as_json(201, {"org": app.org, "name": app.name, "url": address, "data_types": types})

    def seed_element(self, given: Given) -> Response:
        """Put an Altinn 2 element in place."""
        element = seed(self.world, given.body)
        return as_json(201, shown_element(self.world, element))

    def get_element(self, given: Given, message_id: str) -> Response:
        """Show an element whole, forms included; an a-id that was archived shows its archived element."""
        del given
        state = self.world.altinn2
        element = state.find(message_id) or state.find(state.archived_as(message_id) or "")
        if element is None:
            raise NotDone(404, f"no element has the id {message_id}")
        return as_json(200, shown_element(self.world, element))

    def seed_service(self, given: Given) -> Response:
        """Register an Altinn 2 service edition, without an element."""
        service = seed_service(self.world, given.body)
        return as_json(201, shown_service(service.code, service.edition))

    def seed_reportee(self, given: Given) -> Response:
        """Register on whose behalf an Altinn 2 user may do things, and what."""
        return as_json(201, shown_party(seed_reportee(self.world, given.body)))

    def seed_user(self, given: Given) -> Response:
        """Register somebody who logs in to Altinn 2 with a password."""
        user = seed_user(self.world, given.body)
        return as_json(201, {"name": user.name, "level": user.level})

    def seed_code_list(self, given: Given) -> Response:
        """Put a code list of Altinn 2's metadata in place."""
        name, version = seed_code_list(self.world, given.body)
        return as_json(201, {"name": name, "version": version})

    def seed_lookup(self, given: Given) -> Response:
        """What an Altinn 2 look-up service answers."""
        return as_json(201, shown_service(*seed_lookup(self.world, given.body)))

    def _answer(self, request: Request) -> Response:
        if not _is_loopback(request.remote_addr):
            return plain(403)
        try:
            index, arguments = self._map.bind("sandbox").match(request.path, request.method)
        except HTTPException as error:
            return problem(error.code or 404, f"the control API has no {request.method} {request.path}")
        route = self.routes[index]
        try:
            answer: Response = route.handler(route.given(request), **arguments)
        except Refused as refused:
            return refused.response
        except NotDone as error:
            return problem(error.status, str(error))
        except BadRequest as error:
            return problem(400, str(error), error.wrong)
        except (BadUpdate, NotAFault, UnknownSwitch) as error:
            return problem(400, str(error))
        return answer


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
