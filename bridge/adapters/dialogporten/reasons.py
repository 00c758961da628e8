"""What speaks against a dialog token, to operators and to senders."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.core.problems import Refusal

LONGEST_TOKEN = 16 * 1024
"""In characters. A token with hundreds of grants has a few thousand."""

REASONS: Mapping[str, str] = {
    # the token is not genuine, or not now: 401
    "token_missing": "There is no token.",
    "too_long": f"The token is longer than {LONGEST_TOKEN} characters.",
    "not_three_parts": "The token is not three parts with dots between them.",
    "bad_encoding": "A part of the token is not unpadded base64url.",
    "bad_header": "The token's header is not a JSON object with every name once.",
    "bad_payload": "The token's payload is not a JSON object with every name once.",
    "wrong_algorithm": "The header's alg is not EdDSA.",
    "wrong_type": "The header's typ is not JWT.",
    "unknown_header": "The header demands or brings what dialog tokens never have.",
    "wrong_issuer": "The token was issued by another environment.",
    "bad_claim": "A claim is missing, or not of the shape that Dialogporten writes.",
    "unknown_key": "The header's kid names no published key of the issuer.",
    "bad_signature": "The signature does not fit the token and the key.",
    "not_yet_valid": "The token is not valid yet.",
    "token_expired": "The token has expired.",
    # the token could not be checked: 503
    "keys_unavailable": "The issuer's keys could not be fetched for too long.",
    # the token is genuine, but for something else: 403
    "other_dialog": "The token is for another dialog.",
    "other_service": "The token is for another service resource.",
    "other_party": "The token is for another party.",
    "action_not_granted": "The token does not grant the action.",
    "level_too_low": "The authentication level is too low.",
}
"""Each code that speaks against a token, in words for operators."""

SENDER_CODES: Mapping[str, int] = {
    "token_missing": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "keys_unavailable": 503,
    "other_dialog": 403,
    "other_service": 403,
    "other_party": 403,
    "action_not_granted": 403,
    "level_too_low": 403,
}
"""What senders are told, and its status; every other code of ``REASONS`` is ``token_invalid`` to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that speaks against a token; *note* says which claim or value, and names no person."""

    code: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {REASONS[self.code]}" + (f" ({self.note})" if self.note else "")


def refusal(reason: Reason, **facts: str) -> Refusal:
    """The exception for senders: its code is one of theirs, and the exact one stands in its facts."""
    code = reason.code if reason.code in SENDER_CODES else "token_invalid"
    return Refusal(code, SENDER_CODES[code], facts={"reason": reason.code, **facts})
