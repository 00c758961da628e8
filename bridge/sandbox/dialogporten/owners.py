"""Whose a service resource is, and who may refer to it (facts/dialogporten.md 2.2, 13)."""

from collections.abc import Mapping
from typing import Any

from bridge.sandbox.dialogporten.model import Dialog, Problem, Resource, Writer
from bridge.sandbox.dialogporten.rules import ADMIN, CORRESPONDENCE

# Kinds of resource that dialogs may have; the last needs a scope of its own.
_KINDS = ("genericaccessresource", "altinnapp", "migratedapp", "correspondenceservice")


class Owners:
    """The service resources that somebody named, by their names in small letters."""

    def __init__(self) -> None:
        self._resources: dict[str, Resource] = {}
        self._codes: dict[str, str] = {}

    def own(self, service_resource: str, resource: Resource) -> None:
        """Put a service resource under its owner."""
        self._resources[service_resource] = resource

    def own_unless_known(self, service_resource: str, resource: Resource) -> None:
        """Put a service resource under an owner where nobody has; a register that knows them all goes on doing so."""
        if self._resources:
            self._resources.setdefault(service_resource, resource)

    def resource(self, service_resource: str, writer: str = "") -> Resource:
        """A service resource; one that nobody named is the *writer's*."""
        return self._resources.get(service_resource, Resource(owner=writer))

    def check_known(self, service_resource: str) -> None:
        """
        Refuse a resource that nobody named, once somebody has named any: an empty register knows them all.

        Raises:
            Problem: 422.
        """
        if self._resources and service_resource not in self._resources:
            message = f"Service resource '{service_resource}' does not exist in the resource registry."
            raise Problem(422, {"ServiceResource": [message]})

    def of(self, service_resource: str, writer: Writer) -> tuple[str, str]:
        """To whom a new dialog belongs, number and code: the resource's owner, whoever writes."""
        self._codes[writer.organisation] = writer.org
        owner = self.resource(service_resource, writer.organisation).owner
        return owner, self._codes.get(owner, writer.org)

    def check(self, service_resource: str, writer: Writer, *, as_attribute: bool = False) -> None:
        """
        Hold a writer to resources of their own, of a kind that dialogs may have.

        Raises:
            Problem: 403.
        """
        if ADMIN in writer.scopes:
            return
        resource = self.resource(service_resource, writer.organisation)
        letters = resource.kind == _KINDS[-1] and not as_attribute and CORRESPONDENCE not in writer.scopes
        if resource.kind not in _KINDS or letters:
            message = f"Not allowed to reference {service_resource}. Its type {resource.kind} is not supported."
            raise Problem(403, {"Forbidden": [message]})
        if resource.owner != writer.organisation:
            message = f"Not allowed to reference {service_resource}. The service owner does not own it."
            raise Problem(403, {"Forbidden": [message]})

    def check_attributes(self, dto: Mapping[str, Any], writer: Writer) -> None:
        """An attribute may name another resource, if that is the writer's as well."""
        for name in ("guiActions", "apiActions", "transmissions"):
            for each in dto.get(name, ()):
                attribute = (each["authorizationAttribute"] or "").lower()
                if attribute.startswith("urn:altinn:resource:"):
                    self.check(attribute, writer, as_attribute=True)

    def check_kind(self, dialog: Dialog, writer: Writer) -> None:
        """A correspondence is changed by Correspondence alone, whoever's it is (facts 13)."""
        resource = self.resource(dialog.service_resource, dialog.owner)
        if resource.kind == _KINDS[-1] and not {CORRESPONDENCE, ADMIN} & writer.scopes:
            message = f"Not allowed to reference {dialog.service_resource}. Its type {resource.kind} is not supported."
            raise Problem(403, {"Forbidden": [message]})
