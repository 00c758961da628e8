"""The sandbox's own API under ``/_sandbox``, for loopback only: ledger, calls, faults, switches, seeds, tokens."""

import base64
import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox import identities
from bridge.sandbox.altinn2_state import Attachment, BadUpdate, Element, Form, FormType, Service, State, parsed_form
from bridge.sandbox.dialog_state import Resource
from bridge.sandbox.dialog_tokens import claims_for, issuer, signing_key
from bridge.sandbox.dialog_views import Reader
from bridge.sandbox.jose import private_jwk, sign
from bridge.sandbox.records import NotAFault, read_how
from bridge.sandbox.switches import UnknownSwitch
from bridge.sandbox.tokens import issue
from bridge.sandbox.wire import Handler, Refused, TooLarge, as_json, plain, read_body, refuse, route_map
from bridge.sandbox.world import World

_LIMIT = 200_000_000
END_USER_LIFETIME = 3600


class BadRequest(ValueError):
    """What was asked for makes no sense; the message says why."""


def settings(world: World, base_url: str) -> dict[str, str]:
    """Give the environment that points a bridge at this sandbox."""
    client = world.client
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
        "BRIDGE_ALLOWED_ORIGINS": base_url,
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
            ("GET", "/switches", self.get_switches),
            ("PATCH", "/switches", self.change_switches),
            ("GET", "/settings", self.get_settings),
            ("POST", "/altinn2/elements", self.seed_element),
            ("GET", "/altinn2/elements/<message_id>", self.get_element),
            ("POST", "/dialogporten/resources", self.own_resource),
            ("POST", "/dialogporten/dialogs/<uuid:dialog_id>/system-label", self.set_system_label),
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

    def get_switches(self, request: Request) -> Response:
        """Every switch: name, value, default, meaning, what it takes."""
        del request
        return as_json(200, self.world.switches.described())

    def change_switches(self, request: Request) -> Response:
        """Throw switches: ``{name: value}``."""
        self.world.change_switches(**_object(request))
        return self.get_switches(request)

    def get_settings(self, request: Request) -> Response:
        """The environment of a bridge that shall talk to this sandbox."""
        del request
        return as_json(200, settings(self.world, self.host))

    def seed_element(self, request: Request) -> Response:
        """Put an Altinn 2 element in place."""
        element = seed(self.world, _object(request))
        return as_json(201, _shown(self.world, element))

    def get_element(self, request: Request, message_id: str) -> Response:
        """Show an element whole, forms included; an a-id that was archived shows its archived element."""
        del request
        state = self.world.altinn2
        element = state.find(message_id) or state.find(state.archived_as(message_id) or "")
        return plain(404) if element is None else as_json(200, _shown(self.world, element))

    def own_resource(self, request: Request) -> Response:
        """Say whose a service resource is, and which level its readers need."""
        given = _object(request)
        resource = Resource(
            owner=_optional_text(given, "owner") or self.world.owner.number,
            kind=_optional_text(given, "kind") or "genericaccessresource",
            minimum_level=int(given.get("minimum_level", 0)),
        )
        self.world.dialogporten.own(_text(given, "service_resource"), resource)
        return plain(204)

    def set_system_label(self, request: Request, dialog_id: Any) -> Response:
        """Put a dialog into its user's Default, Bin or Archive."""
        label = _text(_object(request), "label")
        if label not in ("Default", "Bin", "Archive") or self.world.dialogporten.find(str(dialog_id)) is None:
            raise BadRequest("label is Default, Bin or Archive, and the dialog must exist")
        self.world.dialogporten.set_system_label(str(dialog_id), label)
        return plain(204)

    def end_user_token(self, request: Request) -> Response:
        """Mint an end user's bearer token: ``{party?, parties?, actor?, level?, actions?, system_user?}``."""
        reader = self._reader(_object(request))
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
        token = issue(self.world, self.host, "idporten", claims, lifetime=END_USER_LIFETIME)
        return as_json(201, {"token": token, "actor": reader.actor, "parties": sorted(reader.parties)})

    def dialog_token(self, request: Request) -> Response:
        """
        Mint a dialog token for a test: ``{dialog_id, actor?, level?, actions?, claims?, header?, key?}``.

        *claims* and *header* override; a null takes the member away. *key* is a position of ``dialog_token_key``.
        """
        given = _object(request)
        dialog = self.world.dialogporten.find(_text(given, "dialog_id"))
        if dialog is None:
            return plain(404)
        reader = self._reader({"party": dialog.party, **given})
        key = signing_key(self.world, _optional_text(given, "key"))
        claims = _overridden(claims_for(dialog, reader, self.world, self.host), given.get("claims", {}))
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
        except (BadRequest, NotAFault, UnknownSwitch, BadUpdate, KeyError, TypeError, ValueError) as error:
            return as_json(400, {"message": f"{type(error).__name__}: {error}"})
        return answer


def seed(world: World, given: Mapping[str, Any]) -> Element:
    """
    Put an Altinn 2 element in place as JSON describes it.

    ``{who: "my" or a list, service: {code, edition, name?, owner?, signing_steps?, payment?,
    user_controlled_signing?, keeps_copy?, forms?: [{type, data_format_id, data_format_version, name?, schema?}]},
    forms: [{type?, data_format_id, data_format_version, xml}], attachments?: [{file_name, attachment_type, data}],
    state?, subject?}``. Without ``service.forms`` the forms' own keys are the form set.

    Raises:
        BadRequest: A member is missing or wrong.
        BadUpdate: A form is not well-formed XML.
    """
    who = given.get("who", "my")
    about = _mapping(given.get("service"), "service")
    forms = [_form(_mapping(each, "a form")) for each in given.get("forms", [])]
    types = [_form_type(_mapping(each, "a form type")) for each in about.get("forms", [])] or list(
        dict.fromkeys(
            FormType(kind=each.kind, data_format_id=each.data_format_id, data_format_version=each.data_format_version)
            for each in forms
        )
    )
    service = Service(
        code=_text(about, "code"),
        edition=int(about.get("edition", 1)),
        forms=tuple(types),
        signing_steps=int(about.get("signing_steps", 0)),
        name=_optional_text(about, "name") or "Sandkassetjeneste",
        owner=_optional_text(about, "owner") or "Testdepartementet",
        payment=_flag(about, "payment", default=False),
        user_controlled_signing=_flag(about, "user_controlled_signing", default=False),
        keeps_copy=_flag(about, "keeps_copy", default=True),
    )
    return world.altinn2.add(
        who=[who] if isinstance(who, str) else who,
        service=service,
        forms=forms,
        attachments=[_attachment(_mapping(each, "an attachment")) for each in given.get("attachments", [])],
        state=State(given.get("state", "formfilling")),
        subject=_optional_text(given, "subject") or "",
        now=world.clock(),
    )


def _form(given: Mapping[str, Any]) -> Form:
    xml = _text(given, "xml")
    parsed_form(xml)
    return Form(
        kind=str(given.get("type", "MainForm")),
        data_format_id=str(given["data_format_id"]),
        data_format_version=str(given["data_format_version"]),
        data=xml,
        name=str(given.get("name", "Skjema")),
    )


def _form_type(given: Mapping[str, Any]) -> FormType:
    return FormType(
        kind=str(given.get("type", "MainForm")),
        data_format_id=str(given["data_format_id"]),
        data_format_version=str(given["data_format_version"]),
        name=str(given.get("name", "Skjema")),
        schema=_optional_text(given, "schema"),
    )


def _attachment(given: Mapping[str, Any]) -> Attachment:
    return Attachment(
        file_name=_text(given, "file_name"),
        attachment_type=_text(given, "attachment_type"),
        content=base64.b64decode(_text(given, "data"), validate=True),
    )


def _shown(world: World, element: Element) -> dict[str, Any]:
    return {
        "id": element.id,
        "who": sorted(element.who),
        "state": element.state.value,
        "original_id": element.original_id,
        "archived_id": element.id if element.state is State.ARCHIVED else world.altinn2.archived_as(element.id),
        "visible": element.visible,
        "signatures": element.signatures,
        "service": {"code": element.service.code, "edition": element.service.edition},
        "changed": element.changed.isoformat(),
        "forms": [
            {
                "id": each.id,
                "type": each.kind,
                "data_format_id": each.data_format_id,
                "data_format_version": each.data_format_version,
                "sha256": each.sha256,
                "xml": each.data,
            }
            for each in element.forms
        ],
        "attachments": [
            {
                "id": each.id,
                "file_name": each.file_name,
                "attachment_type": each.attachment_type,
                "size": len(each.content),
                "sha256": each.sha256,
            }
            for each in element.attachments
        ],
    }


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


def _flag(given: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"{name} is true or false")
    return value


def _overridden(members: Mapping[str, Any], changes: Any) -> dict[str, Any]:
    changed = {**members, **_mapping(changes, "claims and header")}
    return {key: value for key, value in changed.items() if value is not None}
