"""Who may call: clients of Maskinporten and their settings, and tokens of service owners with any scope."""

from collections.abc import Mapping
from typing import Any

from bridge.sandbox.core import identities
from bridge.sandbox.core.jose import private_jwk
from bridge.sandbox.core.members import Anything, Flag, ListOf, ObjectOf, Record, Text, Whole
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.core.world import MAY_BE_ASKED_FOR, Client, Organisation
from bridge.sandbox.world import World

_OWNER_LIFETIME, _EXCHANGED_LIFETIME = 3600, 1800
_TEN_YEARS = 315_360_000
SERVICE_OWNER = Text(
    words="a service owner's code, or its number: nine digits with a check digit",
    fits=lambda text: not text.isdecimal() or identities.is_organisation_number(text),
    longest=100,
)
NUMBER = Text(words="that of an organisation: nine digits with a check digit", fits=identities.is_organisation_number)
_SCOPE = Text(words="a scope, without blanks", fits=lambda text: not any(map(str.isspace, text)))
CLIENT = Record(members={"owner": SERVICE_OWNER, "number": NUMBER, "scopes": ListOf(_SCOPE), "id": Text()})
OWNER_TOKEN = Record(
    members={
        "owner": SERVICE_OWNER,
        "number": NUMBER,
        "scopes": ListOf(_SCOPE),
        "exchanged": Flag(),
        # A negative one is over already.
        "lifetime": Whole(low=-_TEN_YEARS, high=_TEN_YEARS, of=" of seconds"),
        "claims": ObjectOf(Anything()),
    }
)


def register_client(world: World, given: Mapping[str, Any]) -> Client:
    """
    The client that *given* describes, registered, or found by its ``id`` and let ask for more; see ``CLIENT``.

    *owner* is a service owner's code, or its number; a new code is a new service owner, with *number* or an invented
    one. Ours without it. *scopes* are added to those that every client has; ``*`` is any.
    """
    scopes = frozenset(given.get("scopes", ()))
    if given.get("id") in world.clients:
        return world.grant(given["id"], scopes)
    return world.register_client(service_owner(world, given), MAY_BE_ASKED_FOR | scopes, client_id=given.get("id"))


def service_owner(world: World, given: Mapping[str, Any]) -> Organisation:
    """The service owner that *given* names by ``owner`` or ``number``, invented where nobody has the name."""
    owner, number = given.get("owner"), given.get("number")
    known = world.owner if owner is None and number is None else world.organisation(owner or number or "")
    if known is not None:
        return known
    if owner is not None and owner.isdecimal():
        owner, number = None, owner
    made = world.new_organisation(owner or "tst")
    return world.know(made if number is None else Organisation(number=number, code=made.code))


def shown_client(client: Client) -> dict[str, Any]:
    """A client whole, its key included: nobody but this machine asks."""
    return {
        "id": client.id,
        "organisation": {"number": client.organisation.number, "code": client.organisation.code},
        "scopes": sorted(client.scopes),
        "key": private_jwk(client.key),
    }


def owner_token(world: World, base_url: str, given: Mapping[str, Any]) -> str:
    """
    A service owner's token, Maskinporten's or with *exchanged* Altinn's; see ``OWNER_TOKEN``.

    *claims* override, and a null takes one away.
    """
    organisation, scopes = service_owner(world, given), given.get("scopes", ())
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
    claims = {name: value for name, value in {**claims, **given.get("claims", {})}.items() if value is not None}
    lifetime = given.get("lifetime", _EXCHANGED_LIFETIME if exchanged else _OWNER_LIFETIME)
    return issue(world, base_url, "platform" if exchanged else "maskinporten", claims, lifetime=lifetime)
