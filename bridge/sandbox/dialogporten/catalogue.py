"""What Dialogporten knows besides dialogs: limits, service resources, parties, and the look-up of instances."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from bridge.sandbox.core import identities
from bridge.sandbox.dialogporten import search as search
from bridge.sandbox.dialogporten.model import Dialog, Problem, missing
from bridge.sandbox.dialogporten.state import DialogportenState
from bridge.sandbox.dialogporten.views import Reader
from bridge.sandbox.dialogporten.world import DialogportenWorld

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# Forms of instanceRef, and the service-owner label that stands for each (facts/dialogporten.md 2.8).
_REFERENCES: Mapping[str, str] = {
    rf"urn:altinn:instance-id:(\d+/{_UUID})": "urn:altinn:integration:storage:",
    rf"urn:altinn:correspondence-id:({_UUID})": "urn:altinn:integration:correspondence:",
    rf"urn:altinn:dialog-id:({_UUID})": "",
}


def limits() -> dict[str, Any]:
    """How many values the filters take."""

    def named(kind: search.Kind) -> dict[str, int]:
        return {f"max{name[:1].upper()}{name[1:]}FilterValues": most for name, most in kind.limits.items()}

    return {"endUserSearch": named(search.END_USER), "serviceOwnerSearch": named(search.OWNER)}


def resources(world: DialogportenWorld, names: Iterable[str], base_url: str = "") -> list[dict[str, Any]]:
    """Describe service resources, as the catalogue at *base_url* does (*metadata*) and as a look-up (*lookup*)."""
    described: list[dict[str, Any]] = []
    for urn in names:
        resource = world.dialogporten.resource(urn, world.owner.number)
        owner = world.organisation(resource.owner)
        name = urn.removeprefix("urn:altinn:resource:")
        about = {
            "id": urn,
            "isDelegable": True,
            # Where no policy says otherwise.
            "minimumAuthenticationLevel": resource.minimum_level or 3,
            "name": _named(name),
        }
        code = "unknown" if owner is None else owner.code
        service_owner = {"orgNumber": resource.owner, "code": code, "name": _named(code)}
        more = {
            "id": name,
            "resourceType": resource.kind,
            "status": "completed",
            "links": {"metadata": f"{base_url}/resourceregistry/api/v1/resource/{name}"},
        }
        described.append(
            {
                "lookup": {"serviceResource": about, "serviceOwner": service_owner},
                "metadata": {
                    "serviceResource": {**about, **more},
                    "serviceOwner": service_owner,
                    "roles": [],
                    "accessPackages": [],
                },
            }
        )
    return described


def parties(state: DialogportenState, reader: Reader) -> list[dict[str, Any]]:
    """List whom the end user may act for."""
    listed: list[dict[str, Any]] = []
    for number, urn in enumerate(sorted(reader.parties), start=50_000_000):
        person = not urn.startswith(identities.ORGANISATION)
        listed.append(
            {
                "party": urn,
                "partyUuid": str(UUID(int=number)),
                "partyId": number,
                "name": state.name_of(urn),
                "partyType": "Person" if person else "Organization",
                "isDeleted": False,
                "hasKeyRole": True,
                "hasOnlyAccessToSubParties": False,
                "isCurrentEndUser": urn == reader.actor.lower(),
                "isMainAdministrator": False,
                "isAccessManager": False,
            }
        )
    return listed


def looked_up(state: DialogportenState, reference: str) -> tuple[Dialog, str]:
    """
    The dialog that an instance, a correspondence or a dialog id stands for, whoever's it is.

    Raises:
        Problem: 400 or 404.
    """
    reference = reference.lower()
    for form, prefix in _REFERENCES.items():
        match = re.fullmatch(form, reference)
        if match is None:
            continue
        if not prefix:
            found = state.find(match[1])
        else:
            found = next((each for each in state.dialogs() if prefix + match[1] in each.owner_labels), None)
        if found is None or found.deleted_at is not None:
            raise missing("DialogEntity", reference)
        return found, reference
    raise Problem(400, {"instanceRef": ["'InstanceRef' must be a valid instance reference."]})


def _named(text: str) -> list[dict[str, str]]:
    return [{"value": text, "languageCode": code} for code in ("nb", "en", "nn")]
