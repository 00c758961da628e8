"""Dialog tokens: their keys, their claims in the order of writing, and Dialogporten's own check (facts 3)."""

import hmac
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.core.jose import NotAToken, SigningKey, is_genuine, public_jwk, sign, taken_apart
from bridge.sandbox.dialogporten.model import Dialog
from bridge.sandbox.dialogporten.views import Reader, authorized_actions, authorized_entities
from bridge.sandbox.dialogporten.world import DialogportenWorld

LIFETIME = 600
_SKEW = 2
# Names of (the signing key, the keys that are published), by switch.
KEYS: Mapping[str, tuple[str, tuple[str, str]]] = {
    "first": ("dialog-1", ("dialog-1", "dialog-2")),
    "second": ("dialog-2", ("dialog-1", "dialog-2")),
    "rotated": ("dialog-3", ("dialog-2", "dialog-3")),
    "unpublished": ("dialog-3", ("dialog-1", "dialog-2")),
}


def issuer(base_url: str) -> str:
    """The ``iss`` of dialog tokens."""
    return f"{base_url}/dialogporten/api/v1"


def signing_key(world: DialogportenWorld, which: str | None = None) -> SigningKey:
    """The key that signs now, or the one that would under another position of the switch."""
    return world.key(KEYS[which or world.switches.dialog_token_key][0])


def jwks(world: DialogportenWorld) -> dict[str, Any]:
    """Publish the keys: always two."""
    return {"keys": [public_jwk(world.key(name)) for name in KEYS[world.switches.dialog_token_key][1]]}


def claims_for(dialog: Dialog, reader: Reader, world: DialogportenWorld, *, base_url: str) -> dict[str, Any]:
    """The claims for one look at a dialog, in the order of writing."""
    now = int(world.clock().timestamp())
    claims: dict[str, Any] = {"jti": str(world.chance.uuid4()), "c": reader.actor}
    if reader.system_user is not None:
        claims |= {"y": reader.system_user, "o": reader.owner}
    claims |= {
        "l": reader.level,
        "p": dialog.party,
        "s": dialog.service_resource,
        "i": dialog.id,
        "a": authorized_actions(dialog, reader),
        "iss": issuer(base_url),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
    }
    entities = authorized_entities(dialog, reader)
    return {**claims, "e": entities} if entities or world.switches.dialog_token_claim_e else claims


def mint(dialog: Dialog, reader: Reader, world: DialogportenWorld, *, base_url: str) -> str:
    """Make the token that this reader gets with this read."""
    return sign(claims_for(dialog, reader, world, base_url=base_url), signing_key(world))


def opens(text: str, dialog_id: str, world: DialogportenWorld, *, base_url: str) -> bool | None:
    """Whether a token opens a dialog's stream: None where it is no good, False where it is for another one."""
    try:
        token = taken_apart(text)
    except NotAToken:
        return None
    keys = [world.key(name) for name in KEYS[world.switches.dialog_token_key][1]]
    key = next((each for each in keys if hmac.compare_digest(each.kid, str(token.header.get("kid")))), None)
    if key is None or not is_genuine(token, key) or token.claims.get("iss") != issuer(base_url):
        return None
    now, begins, ends = world.clock().timestamp(), token.claims.get("nbf"), token.claims.get("exp")
    if not isinstance(begins, int) or not isinstance(ends, int) or not begins - _SKEW <= now <= ends + _SKEW:
        return None
    return token.claims.get("i") == dialog_id
