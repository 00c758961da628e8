"""What is read of a JWS before anything in it is believed."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.adapters.dialogporten.reasons import LONGEST_TOKEN, Reason

# Members by which a header brings its own key or changes what is signed: RFC 7515 4.1, RFC 7797.
_FOREIGN_HEADER = ("crit", "b64", "jwk", "jku", "x5u", "x5c")

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Jws:
    """A token taken apart; nothing in it is believed yet."""

    header: Mapping[str, object]
    payload: Mapping[str, object]
    signed: bytes
    signature: bytes


def taken_apart(token: str | None) -> Jws | Reason:
    """The parts of *token*, or why it cannot be one."""
    if not token:
        return Reason(code="token_missing")
    if len(token) > LONGEST_TOKEN:
        return Reason(code="too_long", note=f"{len(token)} characters")
    parts = token.split(".")
    if len(parts) != 3:
        return Reason(code="not_three_parts", note=f"{len(parts)} parts")
    try:
        header, payload, signature = map(decoded, parts)
    except ValueError:
        return Reason(code="bad_encoding")
    objects = []
    for raw, code in ((header, "bad_header"), (payload, "bad_payload")):
        try:
            content = strict_json(raw)
        except ValueError:
            return Reason(code=code)
        if not isinstance(content, dict):
            return Reason(code=code)
        objects.append(content)
    return Jws(
        header=objects[0],
        payload=objects[1],
        signed=f"{parts[0]}.{parts[1]}".encode(),
        signature=signature,
    )


def decoded(part: str) -> bytes:
    """Decode unpadded base64url in its one canonical spelling; Python's own decoder takes many."""
    if not _BASE64URL.fullmatch(part):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise ValueError("not canonical base64url")
    return data


def strict_json(raw: bytes) -> object:
    """Parse UTF-8 JSON in which no name stands twice and every number is one."""
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("too deep") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice")
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def header_flaws(jws: Jws) -> Iterator[Reason]:
    """What in the header no dialog token has."""
    if jws.header.get("alg") != "EdDSA":
        yield Reason(code="wrong_algorithm", note=quoted(jws.header.get("alg")))
    if jws.header.get("typ") != "JWT":
        yield Reason(code="wrong_type", note=quoted(jws.header.get("typ")))
    for name in _FOREIGN_HEADER:
        if name in jws.header:
            yield Reason(code="unknown_header", note=name)


def quoted(value: object) -> str:
    """*value* as a note for operators: the beginning of a string, and nothing of anything else."""
    if value is None:
        return "missing"
    return json.dumps(value)[:100] if isinstance(value, str) else "not a string"
