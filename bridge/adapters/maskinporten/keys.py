"""The private key that signs Maskinporten's grants."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from bridge.core.errors import ConfigurationError, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private RSA key and the name under which Maskinporten knows it."""

    kid: str
    private: RSAPrivateKey = field(repr=False)


def signing_key(text: str, kid: str | None = None) -> SigningKey:
    """
    The key that *text* holds: a JWK with its kid, or PEM together with *kid*.

    Raises:
        ConfigurationError: It is none of these; the text quotes nothing of the key.
    """
    stripped = text.strip()
    private, name = _from_jwk(stripped) if stripped.startswith("{") else (_from_pem(stripped), kid)
    if kid and name != kid:
        raise _bad_key("its kid differs from the one that is set beside it")
    if not name:
        raise _bad_key("a kid is missing; write it into the JWK, or set it beside the PEM")
    if not isinstance(private, RSAPrivateKey):
        raise _bad_key("it is no private RSA key; Maskinporten takes RS256 only")
    if private.key_size < 2048:
        raise _bad_key("the RSA key is shorter than 2048 bits")
    return SigningKey(kid=name, private=private)


def _from_jwk(text: str) -> tuple[object, str | None]:
    try:
        content = json.loads(text)
        kid = content.get("kid")
        key = RSAAlgorithm.from_jwk(content)
    except (ValueError, TypeError, RecursionError, jwt.InvalidKeyError):
        # No cause: its text may quote the key.
        raise _bad_key("it looks like a JWK and cannot be read as a private RSA key") from None
    if isinstance(key, RSAPrivateKey) and (why := _not_for_signing(content)):
        raise _bad_key(why)
    return key, kid if isinstance(kid, str) else None


def _not_for_signing(jwk: Mapping[str, object]) -> str | None:
    """What in *jwk* forbids RS256 signatures (RFC 7517, 4.2 to 4.4), without a word of the key."""
    if jwk.get("use") not in (None, "sig"):
        return "its use is not sig: give the key that signs"
    if jwk.get("alg") not in (None, "RS256", "RS384", "RS512"):
        return "its alg is another than RS256, which is what Maskinporten takes: give a key for that"
    operations = jwk.get("key_ops")
    if operations is not None and not (isinstance(operations, list) and "sign" in operations):
        return "its key_ops lack sign: give the key that signs"
    return None


def _from_pem(text: str) -> object:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _bad_key("it is neither a JWK nor a PEM without a password") from None


def _bad_key(message: str) -> ConfigurationError:
    return ConfigurationError([Fault(where="BRIDGE_MASKINPORTEN_KEY", message=message)])
