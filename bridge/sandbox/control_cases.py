"""A case in one call: an Altinn 2 element, the dialog that stands for it, and who may press its buttons."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from bridge.sandbox.altinn2.seed import seed
from bridge.sandbox.core import identities
from bridge.sandbox.core.world import Organisation
from bridge.sandbox.dialogporten.model import Resource
from bridge.sandbox.world import World

_LABEL = "urn:altinn:integration:a2:message:"
_STATUS = {"formfilling": "RequiresAttention", "signing": "RequiresAttention", "archived": "Completed"}
_MEMBERS = {
    *("service_resource", "owner", "service", "forms", "attachments", "state", "subject", "who", "title", "dialog"),
    *("bridge", "actions", "contexts", "actor", "level", "entities", "minimum_level"),
}


class BadCase(ValueError):
    """What was asked for makes no sense; the message says why."""


class Case:
    """
    Reads what a case shall be.

    ``{service_resource, owner?, service?: as for an element, forms?, attachments?, state?, subject?, who?: number,
    title?, dialog?: further members, bridge?: its address, actions?: [name] or {name: members of the button},
    contexts?: {name: context}, actor?, level?, entities?: claim e, minimum_level?}``

    Without *service* there is no element; without *who* the party is an invented organisation.
    """

    def __init__(self, world: World, owner: Organisation, given: Mapping[str, Any]) -> None:
        unknown = sorted(set(given) - _MEMBERS)
        if unknown:
            raise BadCase(f"a case has no {', '.join(unknown)}")
        self._world, self._owner, self._given = world, owner, given
        self.resource = self._text("service_resource")
        self.number = str(given.get("who") or world.new_organisation().number)
        kind = identities.PERSON if len(self.number) == 11 else identities.ORGANISATION
        self.party = f"{kind}{self.number}"
        if not identities.is_party(self.party):
            raise BadCase("who is the number of an organisation or a person")
        self.actions = self._actions()
        self._dialog_members = self._objects("dialog", inner=False)
        self._contexts = self._objects("contexts", inner=True)
        if unknown := sorted(set(self._contexts) - set(self.actions)):
            raise BadCase(f"contexts stand by the actions' names, which are not {', '.join(unknown)}")
        self._minimum_level = given.get("minimum_level", 0)
        if not isinstance(self._minimum_level, int) or isinstance(self._minimum_level, bool):
            raise BadCase("minimum_level must be a whole number")
        self.bridge = str(given.get("bridge", "http://127.0.0.1:8080")).rstrip("/")

    def put_in_place(self, make_dialog: Callable[[Mapping[str, Any]], str]) -> dict[str, Any]:
        """
        Make all of it; *make_dialog* takes the dialog's body and gives its id.

        Returns the ids, the party, and the address of each action.
        """
        world = self._world
        dialog_id = str(world.chance.uuid7(world.clock()))
        world.dialogporten.own(
            self.resource,
            Resource(
                owner=self._owner.number,
                kind="genericaccessresource",
                minimum_level=self._minimum_level,
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
        if self._given.get("service") is None:
            return None
        names = ("service", "forms", "attachments", "state", "subject")
        about = {name: self._given[name] for name in names if self._given.get(name) is not None}
        return seed(self._world, {"who": self.number, **about}).id

    def _dialog(self, dialog_id: str, message_id: str | None, addresses: Mapping[str, str]) -> dict[str, Any]:
        title = str(self._given.get("title") or self._given.get("subject") or "Sak i sandkassen")
        labels = [] if message_id is None else [{"value": f"{_LABEL}{message_id}"}]
        first, *_ = (*self.actions, None)
        body = {
            "id": dialog_id,
            "serviceResource": self.resource,
            "party": self.party,
            "status": _STATUS.get(str(self._given.get("state", "formfilling")), "RequiresAttention"),
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
        return {**body, **self._dialog_members}

    def _narrow(self, dialog_id: str) -> None:
        """Put the authorization contexts that are given by the actions' names on the actions' ids."""
        dialog = self._world.dialogporten.find(dialog_id)
        if not self._contexts or dialog is None:
            return
        ids = dict(zip(self.actions, (each["id"] for each in dialog.body["guiActions"]), strict=True))
        self._world.dialogporten.narrow(dialog_id, {ids[name]: context for name, context in self._contexts.items()})

    def _actions(self) -> dict[str, Any]:
        actions = self._given.get("actions", ["submit"])
        if isinstance(actions, list) and all(isinstance(each, str) for each in actions):
            return {name: {} for name in actions}
        if isinstance(actions, dict) and all(isinstance(each, dict) for each in actions.values()):
            return actions
        raise BadCase("actions must be a list of names, or an object with an object for each name")

    def _objects(self, name: str, *, inner: bool) -> Mapping[str, Any]:
        value = self._given.get(name, {})
        if not isinstance(value, dict) or (inner and not all(isinstance(each, dict) for each in value.values())):
            raise BadCase(f"{name} must be an object{' of objects' if inner else ''}")
        return value

    def _text(self, name: str) -> str:
        value = self._given.get(name)
        if not isinstance(value, str) or not value:
            raise BadCase(f"{name} must be a text")
        return value


def curl(address: str, token: str) -> str:
    """Write the line that presses a button."""
    header = shlex.quote(f"Authorization: Bearer {token}")
    return f"curl -i -X POST -H {header} {shlex.quote(address)}"


def _words(text: str) -> list[dict[str, str]]:
    return [{"languageCode": "nb", "value": text}]
