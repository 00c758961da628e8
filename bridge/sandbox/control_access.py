"""Who may call: clients of Maskinporten and their settings, and tokens of service owners with any scope."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.sandbox.core import identities
from bridge.sandbox.core.jose import private_jwk
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.core.world import MAY_BE_ASKED_FOR, Client, Organisation
from bridge.sandbox.world import World

_OWNER_LIFETIME, _EXCHANGED_LIFETIME = 3600, 1800


class BadAccess(ValueError):
    """What was asked for makes no sense; the message says why."""


def register_client(world: World, given: Mapping[str, Any]) -> Client:
    """
    Register a client, or let one ask for more: ``{owner?, number?, scopes?, id?}``.

    *owner* is a service owner's code, or its number; a new code is a new service owner, with *number* or an invented
    one. Ours without it. *scopes* are added to those that every client has; ``*`` is any.

    Raises:
        BadAccess: A member is wrong.
    """
    scopes = frozenset(_texts(given, "scopes"))
    found = world.clients.get(str(given.get("id")))
    if found is not None:
        return world.grant(found.id, scopes)
    return world.register_client(service_owner(world, given), MAY_BE_ASKED_FOR | scopes, client_id=given.get("id"))


def service_owner(world: World, given: Mapping[str, Any]) -> Organisation:
    """
    Find or invent the service owner that *given* names: ``{owner?, number?}``.

    Raises:
        BadAccess: Its number is none.
    """
    owner, number = given.get("owner"), given.get("number")
    known = world.owner if owner is None and number is None else world.organisation(str(owner or number))
    if known is not None:
        return known
    if owner is not None and str(owner).isdigit():
        owner, number = None, owner
    made = world.new_organisation(str(owner or "tst"))
    if number is None:
        return world.know(made)
    if not identities.is_organisation_number(str(number)):
        raise BadAccess("number is that of an organisation: nine digits with a check digit")
    return world.know(Organisation(number=str(number), code=made.code))


def shown_client(client: Client) -> dict[str, Any]:
    """Show a client whole, its key included: nobody but this machine asks."""
    return {
        "id": client.id,
        "organisation": {"number": client.organisation.number, "code": client.organisation.code},
        "scopes": sorted(client.scopes),
        "key": private_jwk(client.key),
    }


def owner_token(world: World, base_url: str, given: Mapping[str, Any]) -> str:
    """
    Mint a service owner's token: ``{owner?, number?, scopes, exchanged?, lifetime?, claims?}``.

    Maskinporten's, or with *exchanged* Altinn's; *claims* override, and a null takes one away.

    Raises:
        BadAccess: A member is wrong.
    """
    organisation, scopes = service_owner(world, given), _texts(given, "scopes")
    claims: dict[str, Any] = {
        "client_id": str(world.chance.uuid4()),
        "scope": " ".join(scopes),
        "token_type": "Bearer",
        "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{organisation.number}"},
        "jti": str(world.chance.uuid4()),
    }
    exchanged = given.get("exchanged", False)
    if exchanged:
        claims |= {
            "urn:altinn:orgNumber": organisation.number,
            "urn:altinn:authenticatemethod": "maskinporten",
            "urn:altinn:authlevel": 3,
        }
        if any(each.startswith("altinn:serviceowner") for each in scopes):
            claims["urn:altinn:org"] = organisation.code
    changes = given.get("claims", {})
    if not isinstance(changes, dict):
        raise BadAccess("claims must be an object")
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    lifetime = given.get("lifetime", _EXCHANGED_LIFETIME if exchanged else _OWNER_LIFETIME)
    if isinstance(lifetime, bool) or not isinstance(lifetime, int):
        raise BadAccess("lifetime is a number of seconds")
    return issue(world, base_url, "platform" if exchanged else "maskinporten", claims, lifetime=lifetime)


def _texts(given: Mapping[str, Any], name: str) -> Sequence[str]:
    value = given.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadAccess(f"{name} is a list of texts")
    return value
