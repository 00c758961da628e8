"""A case in one call: an Altinn 2 element, the dialog that stands for it, and who may press its buttons."""

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from bridge.sandbox.altinn2.seed import seed
from bridge.sandbox.altinn2.seed_members import ATTACHMENTS, FORMS, SERVICE
from bridge.sandbox.control_access import NUMBER, SERVICE_OWNER
from bridge.sandbox.control_members import CONTEXT, LEVEL, PARTY, RESOURCE_NAME
from bridge.sandbox.core import identities
from bridge.sandbox.core.members import Anything, Either, ListOf, ObjectOf, OneOf, Record, Text, bad
from bridge.sandbox.core.world import Organisation
from bridge.sandbox.dialogporten.model import Resource
from bridge.sandbox.world import World

_LABEL = "urn:altinn:integration:a2:message:"
_STATUS = {"formfilling": "RequiresAttention", "signing": "RequiresAttention", "archived": "Completed"}
_URL = re.compile(r"https?://[^\s/?#]+\S*")
_BUTTONS = Either(
    first=ListOf(Text(), "a list of names"),
    second=ObjectOf(ObjectOf(Anything()), "an object with an object for each name"),
)
CASE = Record(
    members={
        "service_resource": RESOURCE_NAME,
        "owner": SERVICE_OWNER,
        "number": NUMBER,
        "service": SERVICE,
        "forms": FORMS,
        "attachments": ATTACHMENTS,
        "state": OneOf(tuple(_STATUS)),
        "subject": Text(empty=True),
        "who": Text(
            words="the number of an organisation or a person",
            fits=lambda text: identities.is_organisation_number(text) or identities.is_person_number(text),
        ),
        "title": Text(),
        # Dialogporten itself says what is wrong with these.
        "dialog": ObjectOf(Anything()),
        "bridge": Text(words="an address that begins with http:// or https://", fits=_URL.fullmatch),
        "actions": _BUTTONS,
        "contexts": ObjectOf(CONTEXT, "an object of objects"),
        "actor": PARTY,
        "level": LEVEL,
        "entities": ListOf(Text()),
        "minimum_level": LEVEL,
    },
    required=("service_resource",),
)


class Case:
    """
    What a case shall be, from what ``CASE`` read.

    Without *service* there is no element; without *who* the party is an invented organisation. *actions* are names, or
    further members of each button by its name; members of *dialog* take the place of its own.
    """

    def __init__(self, world: World, owner: Organisation, given: Mapping[str, Any]) -> None:
        self._world, self._owner, self._given = world, owner, given
        self.resource = given["service_resource"]
        self.number = given.get("who") or world.new_organisation().number
        kind = identities.PERSON if len(self.number) == 11 else identities.ORGANISATION
        self.party = f"{kind}{self.number}"
        actions = given.get("actions", ["submit"])
        self.actions: Mapping[str, Any] = actions if isinstance(actions, dict) else {name: {} for name in actions}
        self._contexts = given.get("contexts", {})
        if unknown := sorted(set(self._contexts) - set(self.actions)):
            raise bad("contexts", f"must stand by the actions' names, which are not {', '.join(unknown)}")
        if "service" not in given and (senseless := [name for name in ("forms", "attachments") if given.get(name)]):
            raise bad(senseless[0], "is about the element, and there is none without service")
        self.bridge = given.get("bridge", "http://127.0.0.1:8080").rstrip("/")

    def put_in_place(self, make_dialog: Callable[[Mapping[str, Any]], str]) -> dict[str, Any]:
        """
        The ids, the party and the address of each action, once all of it is made.

        *make_dialog* takes the dialog's body and gives its id.
        """
        world = self._world
        dialog_id = str(world.chance.uuid7(world.clock()))
        world.dialogporten.own(
            self.resource,
            Resource(
                owner=self._owner.number,
                kind="genericaccessresource",
                minimum_level=self._given.get("minimum_level", 0),
            ),
        )
        message_id = self._element()
        addresses = {name: f"{self.bridge}/actions/{dialog_id}/{name}" for name in self.actions}
        made = make_dialog(self._dialog(dialog_id, message_id, addresses))
        self._narrow(made)
        return {
            "message_id": message_id,
            "dialog_id": made,
            "party": self.party,
            "who": self.number,
            "service_resource": self.resource,
            "actions": addresses,
        }

    def _element(self) -> str | None:
        if "service" not in self._given:
            return None
        names = ("service", "forms", "attachments", "state", "subject")
        about = {name: self._given[name] for name in names if name in self._given}
        return seed(self._world, {"who": self.number, **about}).id

    def _dialog(self, dialog_id: str, message_id: str | None, addresses: Mapping[str, str]) -> dict[str, Any]:
        title = self._given.get("title") or self._given.get("subject") or "Sak i sandkassen"
        labels = [] if message_id is None else [{"value": f"{_LABEL}{message_id}"}]
        first, *_ = (*self.actions, None)
        body = {
            "id": dialog_id,
            "serviceResource": self.resource,
            "party": self.party,
            "status": _STATUS[self._given.get("state", "formfilling")],
            "content": {name: {"value": _words(title), "mediaType": "text/plain"} for name in ("title", "summary")},
            "guiActions": [
                {
                    "action": "write",
                    "url": addresses[name],
                    "httpMethod": "POST",
                    "priority": "Primary" if name == first else "Tertiary",
                    "title": _words(name),
                    **members,
                }
                for name, members in self.actions.items()
            ],
            "serviceOwnerContext": {"serviceOwnerLabels": labels},
        }
        return {**body, **self._given.get("dialog", {})}

    def _narrow(self, dialog_id: str) -> None:
        """Put the authorization contexts that are given by the actions' names on the actions' ids."""
        dialog = self._world.dialogporten.find(dialog_id)
        if not self._contexts or dialog is None:
            return
        ids = dict(zip(self.actions, (each["id"] for each in dialog.body["guiActions"]), strict=True))
        self._world.dialogporten.narrow(dialog_id, {ids[name]: context for name, context in self._contexts.items()})


def curl(address: str, token: str) -> str:
    """The line for a shell that presses a button."""
    header = shlex.quote(f"Authorization: Bearer {token}")
    return f"curl -i -X POST -H {header} {shlex.quote(address)}"


def _words(text: str) -> list[dict[str, str]]:
    return [{"languageCode": "nb", "value": text}]
