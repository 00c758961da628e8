"""The part of the control API that is about dialogs: cases, dialogs, their contexts and labels, and who reads them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from bridge.sandbox.control_access import SERVICE_OWNER, service_owner
from bridge.sandbox.control_calls import ControlRoute, Given, Handler, NotDone
from bridge.sandbox.control_cases import CASE, Case, curl
from bridge.sandbox.control_members import CONTEXTS, DIALOG, DIALOG_TOKEN, LABEL, READER, RESOURCE
from bridge.sandbox.core import identities
from bridge.sandbox.core.http_system import as_json, plain
from bridge.sandbox.core.jose import sign
from bridge.sandbox.core.members import Kind, ListOf, Record, Text, bad
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.dialogporten.api import OWNER_SCOPE, Dialogporten
from bridge.sandbox.dialogporten.model import Dialog, Resource
from bridge.sandbox.dialogporten.tokens import claims_for, signing_key
from bridge.sandbox.dialogporten.views import Reader
from bridge.sandbox.world import World

END_USER_LIFETIME = 3600
_AS_OWNER = Record(members={"owner": SERVICE_OWNER, "scope": ListOf(Text())})


class DialogControl:
    """What the control API does with dialogs."""

    def __init__(self, world: World, base_url: str) -> None:
        self.world, self.host = world, base_url

    def routes(self) -> Iterable[ControlRoute]:
        """What is answered here."""

        def route(method: str, rule: str, handler: Handler, *, body: Kind) -> ControlRoute:
            return ControlRoute(method=method, rule=rule, handler=handler, body=body)

        dialogs = "/dialogporten/dialogs"
        one = f"{dialogs}/<uuid:dialog_id>"
        return (
            route("POST", "/cases", self.seed_case, body=CASE),
            route("POST", "/dialogporten/resources", self.own_resource, body=RESOURCE),
            ControlRoute(method="POST", rule=dialogs, handler=self.seed_dialog, body=DIALOG, query=_AS_OWNER),
            route("POST", f"{one}/system-label", self.set_system_label, body=LABEL),
            route("PUT", f"{one}/authorization-contexts", self.narrow, body=CONTEXTS),
            route("POST", "/enduser-token", self.end_user_token, body=READER),
            route("POST", "/dialog-token", self.dialog_token, body=DIALOG_TOKEN),
        )

    def seed_case(self, given: Given) -> Response:
        """A case: an element, its dialog, and tokens of somebody who may press its buttons, all in one."""
        about = given.body
        owner = service_owner(self.world, about)
        case = Case(self.world, owner, about)

        def make_dialog(body: Mapping[str, Any]) -> str:
            answer = self._dialog_by(owner.number, body, ())
            if answer.status_code != 201:
                raise bad(
                    "dialog", f"is refused: Dialogporten did not take the dialog: {answer.get_data(as_text=True)}"
                )
            return str(json.loads(answer.get_data()))

        made = case.put_in_place(make_dialog)
        # Whoever reads the dialog has the rights that its actions ask for.
        who = {name: about[name] for name in ("level", "actor") if name in about}
        reader = self._reader({"party": case.party, "actions": ["*"], **who})
        self.world.admit(reader)
        token = sign(self._claims(self._dialog(made["dialog_id"]), reader, about), signing_key(self.world))
        tokens = {"actor": reader.actor, "enduser_token": self._end_user_token(reader), "token": token}
        lines = {name: curl(address, token) for name, address in made["actions"].items()}
        return as_json(201, {**made, **tokens, "curl": lines})

    def own_resource(self, given: Given) -> Response:
        """Put a service resource under its owner, with the level that its readers need."""
        about = given.body
        resource = Resource(
            owner=about.get("owner", self.world.owner.number),
            kind=about.get("kind", "genericaccessresource"),
            minimum_level=about.get("minimum_level", 0),
        )
        self.world.dialogporten.own(about["service_resource"], resource)
        return plain(204)

    def seed_dialog(self, given: Given) -> Response:
        """
        Dialogporten's own answer to a dialog of our service owner's, sent with a token made for the occasion.

        ``?scope=`` adds scopes to it, as Altinn's own adapter has them; ``?owner=`` is another service owner. A service
        resource that nobody named is theirs.
        """
        owner = service_owner(self.world, given.query)
        if isinstance(named := given.body.get("serviceResource"), str):
            self.world.dialogporten.own_unless_known(named.lower(), Resource(owner=owner.number))
        return self._dialog_by(owner.number, given.body, given.scopes)

    def set_system_label(self, given: Given, dialog_id: UUID) -> Response:
        """Put a dialog into its user's Default, Bin or Archive."""
        dialog = self._dialog(dialog_id)
        self.world.dialogporten.set_system_label(dialog.id, given.body["label"])
        return plain(204)

    def narrow(self, given: Given, dialog_id: UUID) -> Response:
        """
        Put authorization contexts on a dialog's actions, by their ids: ``{element: context}``.

        Through the API nobody can yet (facts/dialogporten.md 3.9).
        """
        dialog = self._dialog(dialog_id)
        known = [each["id"] for name in ("guiActions", "apiActions") for each in dialog.body[name]]
        if unknown := [each for each in given.body if each not in known]:
            raise bad(unknown[0], f"is the id of none of the dialog's actions: {', '.join(known) or 'it has none'}")
        self.world.dialogporten.narrow(dialog.id, given.body)
        return plain(204)

    def end_user_token(self, given: Given) -> Response:
        """An end user's bearer token; they are known from now on."""
        reader = self._reader(given.body)
        self.world.admit(reader)
        token = self._end_user_token(reader)
        return as_json(201, {"token": token, "actor": reader.actor, "parties": sorted(reader.parties)})

    def dialog_token(self, given: Given) -> Response:
        """
        A dialog token for a test. *entities* are claim ``e``: what authorization contexts grant beside ``a``.

        *claims* and *header* override; a null takes the member away. *key* is a position of ``dialog_token_key``.
        """
        about = given.body
        dialog = self._dialog(about["dialog_id"])
        key = signing_key(self.world, about.get("key"))
        claims = self._claims(dialog, self._reader({"party": dialog.party, **about}), about)
        header = _overridden({"alg": "EdDSA", "typ": "JWT", "kid": key.kid}, about.get("header", {}))
        return as_json(201, {"token": sign(_overridden(claims, about.get("claims", {})), key, header)})

    def _dialog(self, dialog_id: UUID | str) -> Dialog:
        dialog = self.world.dialogporten.find(str(dialog_id).lower())
        if dialog is None:
            raise NotDone(404, f"no dialog has the id {dialog_id}")
        return dialog

    def _claims(self, dialog: Dialog, reader: Reader, about: Mapping[str, Any]) -> dict[str, Any]:
        claims = claims_for(dialog, reader, self.world, base_url=self.host)
        return {**claims, "e": about["entities"]} if "entities" in about else claims

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

    def _reader(self, given: Mapping[str, Any]) -> Reader:
        actor = given.get("actor") or identities.PERSON + self.world.new_person()
        parties = [*given.get("parties", ()), *filter(None, [given.get("party")]), actor]
        return Reader(
            actor=actor,
            parties=frozenset(each.lower() for each in parties),
            grants=frozenset(given.get("actions", ["*"])),
            level=given.get("level", 3),
            system_user=given.get("system_user"),
            owner=given.get("owner"),
        )


def _overridden(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**members, **changes}.items() if value is not None}
