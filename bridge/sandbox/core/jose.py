"""The little of JWS, JWT and JWK that the sandbox's own issuers need; independent of what it tests."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

_RSA_HASHES: Mapping[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "RS256": hashes.SHA256,
    "RS384": hashes.SHA384,
    "RS512": hashes.SHA512,
}


class NotAToken(ValueError):
    """Not three base64url parts with JSON objects in the first two, or not genuine."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SigningKey:
    """A private key with the id under which its public half is published."""

    kid: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Token:
    """A token taken apart, not yet found genuine."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    def __repr__(self) -> str:
        return "Token()"


def encoded(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """
    The bytes of base64url without padding.

    Raises:
        NotAToken: Other characters, or a length that cannot be.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise NotAToken("not base64url") from error


def sign(claims: Mapping[str, Any], key: SigningKey, header: Mapping[str, Any] | None = None) -> str:
    """Sign *claims* in the order given; *header* replaces the usual alg, typ and kid."""
    algorithm = "RS256" if isinstance(key.key, RSAPrivateKey) else "EdDSA"
    head = {"alg": algorithm, "typ": "JWT", "kid": key.kid} if header is None else header
    signed = f"{encoded(_json(head))}.{encoded(_json(claims))}".encode()
    match key.key:
        case RSAPrivateKey():
            signature = key.key.sign(signed, PKCS1v15(), hashes.SHA256())
        case _:
            signature = key.key.sign(signed)
    return f"{signed.decode()}.{encoded(signature)}"


def taken_apart(text: str) -> Token:
    """
    A compact token in its parts, without checking its signature.

    Raises:
        NotAToken: It is not one.
    """
    parts = text.split(".")
    if len(parts) != 3:
        raise NotAToken("not three parts")
    try:
        header, claims = json.loads(decoded(parts[0])), json.loads(decoded(parts[1]))
    except (ValueError, RecursionError) as error:
        raise NotAToken("not JSON") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotAToken("not JSON objects")
    return Token(
        header=header,
        claims=claims,
        signed=f"{parts[0]}.{parts[1]}".encode(),
        signature=decoded(parts[2]),
    )


def is_genuine(token: Token, key: SigningKey) -> bool:
    """Whether *key* signed it, by the one family of algorithms that the key is for."""
    try:
        match key.key.public_key():
            case RSAPublicKey() as public:
                algorithm = _RSA_HASHES.get(str(token.header.get("alg")))
                if algorithm is None:
                    return False
                public.verify(token.signature, token.signed, PKCS1v15(), algorithm())
            case public:
                if token.header.get("alg") != "EdDSA":
                    return False
                public.verify(token.signature, token.signed)
    except InvalidSignature:
        return False
    return True


def public_jwk(key: SigningKey) -> dict[str, str]:
    """Publish the public half as a JWKS has it."""
    match key.key.public_key():
        case RSAPublicKey() as public:
            numbers = public.public_numbers()
            return {
                "kty": "RSA",
                "use": "sig",
                "kid": key.kid,
                "alg": "RS256",
                "n": _integer(numbers.n),
                "e": _integer(numbers.e),
            }
        case public:
            return {
                "kty": "OKP",
                "use": "sig",
                "kid": key.kid,
                "crv": "Ed25519",
                "x": encoded(public.public_bytes_raw()),
                "alg": "EdDSA",
            }


def private_jwk(key: SigningKey) -> dict[str, str]:
    """An RSA key whole, as a client is given it."""
    if not isinstance(key.key, RSAPrivateKey):
        raise TypeError("only RSA keys are handed out")
    numbers = key.key.private_numbers()
    parts = {
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qi": numbers.iqmp,
    }
    return {**public_jwk(key), **{name: _integer(value) for name, value in parts.items()}}


def _integer(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
