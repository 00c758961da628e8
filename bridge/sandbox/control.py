"""The sandbox's own API under ``/_sandbox``, for loopback only: ledger, calls, faults, switches, seeds, tokens."""

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder
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
)
from bridge.sandbox.apps.seed import seed_app
from bridge.sandbox.control_access import owner_token, register_client, service_owner, shown_client
from bridge.sandbox.control_cases import Case, curl
from bridge.sandbox.core import identities
from bridge.sandbox.core.http_system import Handler, Refused, TooLarge, as_json, plain, read_body, refuse, route_map
from bridge.sandbox.core.jose import private_jwk, sign
from bridge.sandbox.core.ledger import read_how
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.core.world import Client
from bridge.sandbox.dialogporten.api import OWNER_SCOPE, Dialogporten
from bridge.sandbox.dialogporten.model import Resource
from bridge.sandbox.dialogporten.tokens import claims_for, issuer, signing_key
from bridge.sandbox.dialogporten.views import Reader
from bridge.sandbox.world import World

_LIMIT = 200_000_000
END_USER_LIFETIME = 3600


class BadRequest(ValueError):
    """What was asked for makes no sense; the message says why."""


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
        routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/ledger", self.get_ledger),
            ("DELETE", "/ledger", self.clear_ledger),
            ("GET", "/calls", self.get_calls),
            ("DELETE", "/calls", self.clear_calls),
            ("GET", "/events", self.get_events),
            ("GET", "/faults", self.get_faults),
            ("POST", "/faults", self.plan_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("POST", "/faults/held", self.let_come),
            ("GET", "/switches", self.get_switches),
            ("PATCH", "/switches", self.change_switches),
            ("GET", "/settings", self.get_settings),
            ("GET", "/clients", self.get_clients),
            ("POST", "/clients", self.register_client),
            ("POST", "/apps", self.seed_app),
            ("POST", "/cases", self.seed_case),
            ("POST", "/altinn2/elements", self.seed_element),
            ("GET", "/altinn2/elements/<message_id>", self.get_element),
            ("POST", "/altinn2/services", self.seed_service),
            ("POST", "/altinn2/reportees", self.seed_reportee),
            ("POST", "/altinn2/users", self.seed_user),
            ("POST", "/altinn2/codelists", self.seed_code_list),
            ("POST", "/altinn2/lookups", self.seed_lookup),
            ("POST", "/dialogporten/resources", self.own_resource),
            ("POST", "/dialogporten/dialogs", self.seed_dialog),
            ("POST", "/dialogporten/dialogs/<uuid:dialog_id>/system-label", self.set_system_label),
            ("PUT", "/dialogporten/dialogs/<uuid:dialog_id>/authorization-contexts", self.narrow),
            ("POST", "/owner-token", self.owner_token),
            ("POST", "/enduser-token", self.end_user_token),
            ("POST", "/dialog-token", self.dialog_token),
        )
        self._handlers = tuple(handler for _, _, handler in routes)
        self._map = route_map(self.prefix, tuple((method, rule) for method, rule, _ in routes))

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer, as WSGI has it."""
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def get_ledger(self, request: Request) -> Response:
        """All effects, or those of one ``?kind=``."""
        return as_json(200, [each.as_json() for each in self.world.ledger.effects(request.args.get("kind"))])

    def clear_ledger(self, request: Request) -> Response:
        """Forget the effects."""
        del request
        self.world.ledger.clear()
        return plain(204)

    def get_calls(self, request: Request) -> Response:
        """All calls, or those to one ``?system=``, or those after a sequence ``?after=``."""
        after = request.args.get("after", 0, type=int)
        calls = self.world.calls.all(request.args.get("system"))
        return as_json(200, [each.as_json() for each in calls if each.sequence > after])

    def clear_calls(self, request: Request) -> Response:
        """Forget the calls."""
        del request
        self.world.calls.clear()
        return plain(204)

    def get_events(self, request: Request) -> Response:
        """All CloudEvents that Dialogporten would have sent."""
        del request
        events = self.world.dialogporten.events()
        return as_json(200, [{**each, "source": self.host + each["source"]} for each in events])

    def get_faults(self, request: Request) -> Response:
        """The faults that wait."""
        del request
        return as_json(200, list(self.world.faults.waiting()))

    def plan_fault(self, request: Request) -> Response:
        """Plan a fault: ``{system, match: {method, path}, times, skip, how}``."""
        given = _object(request)
        match = _mapping(given.get("match", {}), "match")
        unknown = [*(set(given) - {"system", "match", "times", "skip", "how"}), *(set(match) - {"method", "path"})]
        if unknown:
            raise BadRequest(f"unknown: {', '.join(sorted(unknown))}")
        times, skip = given.get("times", 1), given.get("skip", 0)
        if not isinstance(times, int | None) or not isinstance(skip, int):
            raise BadRequest("times and skip are whole numbers")
        planned = self.world.faults.plan(
            read_how(_mapping(given.get("how"), "how")),
            system=_optional_text(given, "system"),
            method=_optional_text(match, "method"),
            path=_optional_text(match, "path") or "",
            times=times,
            skip=skip,
        )
        return as_json(201, {"id": planned})

    def clear_faults(self, request: Request) -> Response:
        """Plan nothing any more."""
        del request
        self.world.faults.clear()
        return plain(204)

    def let_come(self, request: Request) -> Response:
        """Have the effects of calls that were cut and ``held`` come now."""
        del request
        return as_json(200, {"came": self.world.faults.let_come()})

    def get_switches(self, request: Request) -> Response:
        """Every switch: name, value, default, meaning, what it takes."""
        del request
        return as_json(200, self.world.switches_now().described())

    def change_switches(self, request: Request) -> Response:
        """Throw switches: ``{name: value}``."""
        self.world.change_switches(**_object(request))
        return self.get_switches(request)

    def get_settings(self, request: Request) -> Response:
        """The environment of a bridge that shall talk to this sandbox, as one ``?client=``."""
        name = request.args.get("client")
        client = None if name is None else self.world.clients.get(name)
        if name is not None and client is None:
            return plain(404)
        return as_json(200, settings(self.world, self.host, client))

    def get_clients(self, request: Request) -> Response:
        """All clients of Maskinporten, the bridge's own first."""
        del request
        own = self.world.client
        others = [each for each in tuple(self.world.clients.values()) if each.id != own.id]
        return as_json(200, [shown_client(each) for each in (self.world.clients[own.id], *others)])

    def register_client(self, request: Request) -> Response:
        """Register a client of any service owner with any scopes: ``{owner?, number?, scopes?, id?}``."""
        client = register_client(self.world, _object(request))
        return as_json(201, {**shown_client(client), "settings": settings(self.world, self.host, client)})

    def owner_token(self, request: Request) -> Response:
        """Mint a token of any service owner with any scopes, Maskinporten's or with ``exchanged`` Altinn's."""
        return as_json(201, {"token": owner_token(self.world, self.host, _object(request))})

    def seed_app(self, request: Request) -> Response:
        """Register an Altinn 3 app: data types with schemas, calculated by rules or by a URL."""
        app = seed_app(self.world, _object(request))
        address = f"{self.host}/apps/{app.org}/{app.name}"
        types = [each.id for each in app.data_types]
        return as_json(201, {"org": app.org, "name": app.name, "url": address, "data_types": types})

    def seed_case(self, request: Request) -> Response:
        """Make an element, its dialog, and tokens of somebody who may press its buttons, all in one."""
        given = _object(request)
        owner = service_owner(self.world, given)
        case = Case(self.world, owner, given)

        def make_dialog(body: Mapping[str, Any]) -> str:
            answer = self._dialog_by(owner.number, body, ())
            if answer.status_code != 201:
                raise BadRequest(f"Dialogporten did not take the dialog: {answer.get_data(as_text=True)}")
            return str(json.loads(answer.get_data()))

        made = case.put_in_place(make_dialog)
        # Whoever reads the dialog has the rights that its actions ask for.
        who: dict[str, Any] = {name: given[name] for name in ("level", "actor") if name in given}
        reader = self._reader({"party": case.party, "actions": ["*"], **who})
        self.world.admit(reader)
        tokens = {"actor": reader.actor, "enduser_token": self._end_user_token(reader)}
        dialog = self.world.dialogporten.find(made["dialog_id"])
        if dialog is not None:
            claims = claims_for(dialog, reader, self.world, base_url=self.host)
            if "entities" in given:
                claims["e"] = [str(each) for each in given["entities"]]
            tokens["token"] = sign(claims, signing_key(self.world, None))
        lines = {name: curl(address, tokens.get("token", "")) for name, address in made["actions"].items()}
        return as_json(201, {**made, **tokens, "curl": lines})

    def seed_element(self, request: Request) -> Response:
        """Put an Altinn 2 element in place."""
        element = seed(self.world, _object(request))
        return as_json(201, shown_element(self.world, element))

    def get_element(self, request: Request, message_id: str) -> Response:
        """Show an element whole, forms included; an a-id that was archived shows its archived element."""
        del request
        state = self.world.altinn2
        element = state.find(message_id) or state.find(state.archived_as(message_id) or "")
        return plain(404) if element is None else as_json(200, shown_element(self.world, element))

    def seed_service(self, request: Request) -> Response:
        """Register an Altinn 2 service edition, without an element."""
        service = seed_service(self.world, _object(request))
        return as_json(201, {"code": service.code, "edition": service.edition})

    def seed_reportee(self, request: Request) -> Response:
        """Register on whose behalf an Altinn 2 user may do things, and what."""
        return as_json(201, shown_party(seed_reportee(self.world, _object(request))))

    def seed_user(self, request: Request) -> Response:
        """Register somebody who logs in to Altinn 2 with a password."""
        user = seed_user(self.world, _object(request))
        return as_json(201, {"name": user.name, "level": user.level})

    def seed_code_list(self, request: Request) -> Response:
        """Put a code list of Altinn 2's metadata in place."""
        name, version = seed_code_list(self.world, _object(request))
        return as_json(201, {"name": name, "version": version})

    def seed_lookup(self, request: Request) -> Response:
        """What an Altinn 2 look-up service answers."""
        code, edition = seed_lookup(self.world, _object(request))
        return as_json(201, {"code": code, "edition": edition})

    def own_resource(self, request: Request) -> Response:
        """Whose a service resource is, and which level its readers need."""
        given = _object(request)
        resource = Resource(
            owner=_optional_text(given, "owner") or self.world.owner.number,
            kind=_optional_text(given, "kind") or "genericaccessresource",
            minimum_level=int(given.get("minimum_level", 0)),
        )
        self.world.dialogporten.own(_text(given, "service_resource"), resource)
        return plain(204)

    def seed_dialog(self, request: Request) -> Response:
        """
        Create a dialog as our service owner does, with a token made for the occasion; answers as Dialogporten.

        ``?scope=`` adds scopes to it, as Altinn's own adapter has them; ``?owner=`` is another service owner. A service
        resource that nobody named is theirs.
        """
        owner = service_owner(self.world, {"owner": request.args.get("owner")})
        body = _object(request)
        if isinstance(named := body.get("serviceResource"), str):
            self.world.dialogporten.own_unless_known(named.lower(), Resource(owner=owner.number))
        return self._dialog_by(owner.number, body, request.args.getlist("scope"))

    def _dialog_by(self, number: str, body: Mapping[str, Any], scopes: Sequence[str]) -> Response:
        identity = {"authority": "iso6523-actorid-upis", "ID": f"0192:{number}"}
        claims: dict[str, Any] = {"scope": " ".join((OWNER_SCOPE, *scopes)), "consumer": identity}
        token = issue(self.world, self.host, "maskinporten", claims, lifetime=60)
        builder = EnvironBuilder(
            path=f"{Dialogporten.prefix}/api/v1/serviceowner/dialogs",
            method="POST",
            json=body,
            headers=[("Authorization", f"Bearer {token}")],
        )
        return Response.from_app(Dialogporten(self.world, self.host), builder.get_environ())

    def set_system_label(self, request: Request, dialog_id: Any) -> Response:
        """Put a dialog into its user's Default, Bin or Archive."""
        label = _text(_object(request), "label")
        if label not in ("Default", "Bin", "Archive") or self.world.dialogporten.find(str(dialog_id)) is None:
            raise BadRequest("label is Default, Bin or Archive, and the dialog must exist")
        self.world.dialogporten.set_system_label(str(dialog_id), label)
        return plain(204)

    def narrow(self, request: Request, dialog_id: Any) -> Response:
        """
        Put authorization contexts on a dialog's actions, by their ids: ``{element: {tokenRef?, action?, …}}``.

        Through the API nobody can yet (facts/dialogporten.md 3.9).
        """
        dialog = self.world.dialogporten.find(str(dialog_id))
        contexts = _object(request)
        if dialog is None:
            return plain(404)
        known = {each["id"] for name in ("guiActions", "apiActions") for each in dialog.body[name]}
        if not set(contexts) <= known or not all(isinstance(each, dict) for each in contexts.values()):
            raise BadRequest("contexts stand by the ids of the dialog's actions")
        self.world.dialogporten.narrow(str(dialog_id), contexts)
        return plain(204)

    def end_user_token(self, request: Request) -> Response:
        """Mint an end user's bearer token: ``{party?, parties?, actor?, level?, actions?, system_user?}``."""
        reader = self._reader(_object(request))
        self.world.admit(reader)
        token = self._end_user_token(reader)
        return as_json(201, {"token": token, "actor": reader.actor, "parties": sorted(reader.parties)})

    def _end_user_token(self, reader: Reader) -> str:
        claims = {
            "sub": str(self.world.chance.uuid4()),
            "scope": "openid digdir:dialogporten altinn:enduser",
            "acr": "idporten-loa-high" if reader.level == 4 else "idporten-loa-substantial",
            "sandbox_actor": reader.actor,
            "sandbox_parties": sorted(reader.parties),
            "sandbox_grants": sorted(reader.grants),
            "sandbox_level": reader.level,
            **({"sandbox_system_user": reader.system_user} if reader.system_user else {}),
            **({"sandbox_owner": reader.owner} if reader.owner else {}),
        }
        return issue(self.world, self.host, "idporten", claims, lifetime=END_USER_LIFETIME)

    def dialog_token(self, request: Request) -> Response:
        """
        Mint a dialog token for a test: ``{dialog_id, actor?, level?, actions?, entities?, claims?, header?, key?}``.

        *entities* are claim ``e``: what the dialog's authorization contexts grant beside ``a``.

        *claims* and *header* override; a null takes the member away. *key* is a position of ``dialog_token_key``.
        """
        given = _object(request)
        dialog = self.world.dialogporten.find(_text(given, "dialog_id"))
        if dialog is None:
            return plain(404)
        reader = self._reader({"party": dialog.party, **given})
        key = signing_key(self.world, _optional_text(given, "key"))
        claims = claims_for(dialog, reader, self.world, base_url=self.host)
        if "entities" in given:
            claims["e"] = [str(each) for each in given["entities"]]
        claims = _overridden(claims, given.get("claims", {}))
        header = _overridden({"alg": "EdDSA", "typ": "JWT", "kid": key.kid}, given.get("header", {}))
        return as_json(201, {"token": sign(claims, key, header)})

    def _reader(self, given: Mapping[str, Any]) -> Reader:
        party = _optional_text(given, "party")
        actor = _optional_text(given, "actor") or identities.PERSON + self.world.new_person()
        parties = [*given.get("parties", []), *([] if party is None else [party]), actor]
        level = given.get("level", 3)
        if not isinstance(level, int) or not all(isinstance(each, str) for each in parties):
            raise BadRequest("level is a number, parties are urns")
        return Reader(
            actor=actor,
            parties=frozenset(each.lower() for each in parties),
            grants=frozenset(map(str, given.get("actions", ["*"]))),
            level=level,
            system_user=_optional_text(given, "system_user"),
            owner=_optional_text(given, "owner"),
        )

    def _answer(self, request: Request) -> Response:
        if not _is_loopback(request.remote_addr):
            return plain(403)
        try:
            index, arguments = self._map.bind("sandbox").match(request.path, request.method)
        except HTTPException as error:
            return plain(error.code or 404)
        try:
            answer: Response = self._handlers[index](request, **arguments)
        except Refused as refused:
            return refused.response
        except KeyError as error:
            return as_json(400, {"message": f"{error.args[0]} is missing, or nobody has it"})
        except (BadRequest, BadUpdate, TypeError, ValueError) as error:
            ours = type(error).__module__.startswith("bridge.")
            words = str(error) if ours else "a value is of another kind than docs/sandbox.md says of it"
            return as_json(400, {"message": words})
        return answer


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _object(request: Request) -> dict[str, Any]:
    # Any other type could be sent by a web page without a preflight.
    if request.mimetype != "application/json":
        refuse(plain(415))
    try:
        value = json.loads(read_body(request, _LIMIT))
    except TooLarge:
        refuse(plain(413))
    if not isinstance(value, dict):
        raise BadRequest("the body must be an object")
    return value


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{name} must be an object")
    return value


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} must be a text")
    return value


def _optional_text(given: Mapping[str, Any], name: str) -> str | None:
    return None if given.get(name) is None else _text(given, name)


def _overridden(members: Mapping[str, Any], changes: Any) -> dict[str, Any]:
    changed = {**members, **_mapping(changes, "claims and header")}
    return {key: value for key, value in changed.items() if value is not None}
