"""Which tokens open what: everything that is not known to be good is refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.adapters.dialogporten.keys import FixedKeys, read_keys
from bridge.adapters.dialogporten.reasons import LONGEST_TOKEN, REASONS, SENDER_CODES
from bridge.adapters.dialogporten.tokens import Expectation, authorize, judge, verify, www_authenticate
from bridge.core.callers import Caller
from bridge.core.mapping import Narrowed, Requirement
from bridge.core.problems import Refusal

ISSUER = "https://dialogporten.test/api/v1"
NOW = datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)
DIALOG = UUID("0198e0a2-8c1e-7a2b-9d51-3c2f6c1b7a90")
SERVICE = "urn:altinn:resource:ttd-afp"
PARTY = "urn:altinn:organization:identifier-no:310000000"
SYSTEM_OWNER = "urn:altinn:organization:identifier-no:310000019"

OLD, NEW, FOREIGN = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))

CLAIMS: Mapping[str, Any] = {
    "jti": "5d3b8c1e-38d5-4a0b-8f0f-2f8b5e0a9c11",
    "c": "urn:altinn:person:legacy-selfidentified:kari",
    "l": 3,
    "p": PARTY,
    "s": SERVICE,
    "i": str(DIALOG),
    "a": "read;write;delete,urn:altinn:task:Task_1",
    "iss": ISSUER,
    "iat": int(NOW.timestamp()),
    "nbf": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 600,
}
HEADER: Mapping[str, Any] = {"alg": "EdDSA", "typ": "JWT", "kid": "old"}


def raw_public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(payload: bytes, *, header: bytes = json.dumps(HEADER).encode(), key: Ed25519PrivateKey = OLD) -> str:
    """Sign *payload* as it stands, whatever it is."""
    message = f"{b64(header)}.{b64(payload)}"
    return f"{message}.{b64(key.sign(message.encode()))}"


def token(*, header: Mapping[str, Any] = HEADER, key: Ed25519PrivateKey = OLD, **changes: Any) -> str:
    """Make a token like Dialogporten's, with changed claims; None takes a claim away."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return signed(json.dumps(claims).encode(), header=json.dumps(header).encode(), key=key)


def jwk(kid: str, key: Ed25519PrivateKey, **changes: Any) -> dict[str, Any]:
    entry = {"kty": "OKP", "use": "sig", "kid": kid, "crv": "Ed25519", "x": b64(raw_public(key)), "alg": "EdDSA"}
    return {name: value for name, value in {**entry, **changes}.items() if value is not None}


def jwks(*entries: Any) -> bytes:
    return json.dumps({"keys": entries}).encode()


KEYS = FixedKeys(read_keys(jwks(jwk("old", OLD), jwk("new", NEW))))
WANTED = Expectation(issuer=ISSUER)


def read(text: str | None, *, now: datetime = NOW) -> Caller:
    return verify(text, KEYS, issuer=ISSUER, now=now)


def codes(text: str, wanted: Expectation = WANTED, *, now: datetime = NOW) -> list[str]:
    return [reason.code for reason in judge(text, KEYS, wanted, now=now).reasons]


def test_a_genuine_token_names_its_caller() -> None:
    """Each claim that decides anything is read into a value."""
    caller = read(token())

    assert caller == Caller(
        dialog_id=DIALOG,
        party=PARTY,
        service_resource=SERVICE,
        level=3,
        grants=frozenset(
            {
                Requirement(action="read"),
                Requirement(action="write"),
                Requirement(action="delete", attribute="urn:altinn:task:Task_1"),
            }
        ),
        entities=frozenset(),
        actor="urn:altinn:person:legacy-selfidentified:kari",
        expires_at=NOW + timedelta(minutes=10),
    )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"e": ["0198e0a2-8c1e-7a2b-9d51-3c2f6c1b7a91"]}, id="authorization contexts"),
        pytest.param({"aud": "somebody", "sub": 7, "x": {"y": [None]}}, id="unknown claims"),
        pytest.param({"i": str(DIALOG).upper()}, id="uuid in capitals"),
        pytest.param({"a": ""}, id="no grants"),
        pytest.param({"a": "skriv-på"}, id="grant with a Norwegian letter"),
        pytest.param({"l": 0}, id="lowest level"),
        pytest.param({"jti": None, "iat": None}, id="claims that nobody reads"),
    ],
)
def test_harmless_differences_are_tolerated(changes: dict[str, Any]) -> None:
    """A newer Dialogporten may say more than today's."""
    assert read(token(**changes)).dialog_id == DIALOG


@pytest.mark.parametrize(
    ("changes", "actor"),
    [
        ({"c": PARTY, "y": "urn:altinn:systemuser:uuid:1", "o": SYSTEM_OWNER}, SYSTEM_OWNER),
        ({"c": PARTY, "y": "urn:altinn:systemuser:uuid:1"}, PARTY),
        ({"c": "urn:altinn:systemuser:uuid:1", "o": SYSTEM_OWNER}, SYSTEM_OWNER),
        ({"o": SYSTEM_OWNER}, CLAIMS["c"]),
    ],
    ids=["system user with owner", "system user without owner", "system user as consumer", "person"],
)
def test_organisations_act_for_system_users(changes: dict[str, Any], actor: str) -> None:
    """Dialogporten takes persons and organisations as actors of an activity."""
    assert read(token(**changes)).actor == actor


def without(name: str) -> str:
    changes: dict[str, Any] = {name: None}
    return token(**changes)


def resigned(text: str, signature: bytes) -> str:
    return f"{text.rpartition('.')[0]}.{b64(signature)}"


def hs256_with_public_key() -> str:
    message = f"{b64(json.dumps({**HEADER, 'alg': 'HS256'}).encode())}.{b64(json.dumps(dict(CLAIMS)).encode())}"
    return f"{message}.{b64(hmac.digest(raw_public(OLD), message.encode(), hashlib.sha256))}"


def doubled(name: str, value: str) -> str:
    return signed(json.dumps(dict(CLAIMS)).encode()[:-1] + f', "{name}": {value}}}'.encode())


def with_literal(name: str, literal: str) -> str:
    """Put a JSON literal that json.dumps would not write."""
    return signed(json.dumps({**CLAIMS, name: "@"}).encode().replace(b'"@"', literal.encode()))


HOSTILE: dict[str, tuple[str | None, str]] = {
    "nothing": (None, "token_missing"),
    "empty": ("", "token_missing"),
    "too long": ("a" * (LONGEST_TOKEN + 1), "too_long"),
    "genuine and too long": (token(x="y" * LONGEST_TOKEN), "too_long"),
    "one part": ("abc", "not_three_parts"),
    "two parts": (token().rpartition(".")[0], "not_three_parts"),
    "four parts": (f"{token()}.abc", "not_three_parts"),
    "empty parts": ("..", "bad_header"),
    "padded": (f"{token()}==", "bad_encoding"),
    "line break at the end": (f"{token()}\n", "bad_encoding"),
    "blank inside": (token().replace(".", ". ", 1), "bad_encoding"),
    "letters of plain base64": (f"{token()[:-2]}+/", "bad_encoding"),
    "letters beyond ASCII": (f"{token()[:-1]}é", "bad_encoding"),
    "bits that mean nothing": (token()[:-1] + chr(ord(token()[-1]) + 1), "bad_encoding"),
    "header of no JSON": (signed(b"{}", header=b"{"), "bad_header"),
    "header of UTF-16": (signed(b"{}", header=json.dumps(HEADER).encode("utf-16")), "bad_header"),
    "header with a mark before": (signed(b"{}", header=b"\xef\xbb\xbf" + json.dumps(HEADER).encode()), "bad_header"),
    "header that is a list": (signed(b"{}", header=b"[]"), "bad_header"),
    "header with two kids": (
        signed(b"{}", header=b'{"alg":"EdDSA","typ":"JWT","kid":"old","kid":"new"}'),
        "bad_header",
    ),
    "payload of no JSON": (signed(b"claims"), "bad_payload"),
    "payload that is a text": (signed(b'"claims"'), "bad_payload"),
    "payload with i twice": (doubled("i", '"x"'), "bad_payload"),
    "payload with a twice inside": (doubled("x", '{"y":1,"y":2}'), "bad_payload"),
    "payload with NaN": (with_literal("x", "NaN"), "bad_payload"),
    "payload too deep": (with_literal("x", "[" * 5000 + "]" * 5000), "bad_payload"),
    "payload with an endless number": (with_literal("exp", "9" * 5000), "bad_payload"),
    "no algorithm": (token(header={**HEADER, "alg": "none"}), "wrong_algorithm"),
    "no algorithm, no signature": (resigned(token(header={**HEADER, "alg": "none"}), b""), "wrong_algorithm"),
    "algorithm missing": (token(header={"typ": "JWT", "kid": "old"}), "wrong_algorithm"),
    "algorithm in small letters": (token(header={**HEADER, "alg": "eddsa"}), "wrong_algorithm"),
    "algorithm that is a list": (token(header={**HEADER, "alg": ["EdDSA"]}), "wrong_algorithm"),
    "HS256 with the public key": (hs256_with_public_key(), "wrong_algorithm"),
    "type of a context token": (token(header={**HEADER, "typ": "dialogcontexttoken+jwt"}), "wrong_type"),
    "type missing": (token(header={"alg": "EdDSA", "kid": "old"}), "wrong_type"),
    "critical extension": (token(header={**HEADER, "crit": ["exp"]}), "unknown_header"),
    "payload that is not encoded": (token(header={**HEADER, "b64": False}), "unknown_header"),
    "own key in the header": (token(header={**HEADER, "jwk": jwk("old", FOREIGN)}, key=FOREIGN), "unknown_header"),
    "address of a key in the header": (token(header={**HEADER, "jku": "https://evil.test/"}), "unknown_header"),
    "other environment": (token(iss="https://dialogporten.example/api/v1"), "wrong_issuer"),
    "issuer with a slash more": (token(iss=f"{ISSUER}/"), "wrong_issuer"),
    "issuer missing": (without("iss"), "wrong_issuer"),
    "issuer that is a list": (token(iss=[ISSUER]), "wrong_issuer"),
    "key id missing": (token(header={"alg": "EdDSA", "typ": "JWT"}), "unknown_key"),
    "key id unknown": (token(header={**HEADER, "kid": "other"}), "unknown_key"),
    "key id that is a number": (token(header={**HEADER, "kid": 1}), "unknown_key"),
    "signed by another": (token(key=FOREIGN), "bad_signature"),
    "signed by the key beside": (token(key=NEW), "bad_signature"),
    "signature empty": (resigned(token(), b""), "bad_signature"),
    "signature cut": (resigned(token(), b"\x00" * 63), "bad_signature"),
    "signature of zeros": (resigned(token(), b"\x00" * 64), "bad_signature"),
    "signature of another token": (
        resigned(token(), base64.urlsafe_b64decode(token(l=4)[-86:] + "==")),
        "bad_signature",
    ),
    "expired": (token(exp=int(NOW.timestamp()) - 11), "token_expired"),
    "not yet valid": (token(nbf=int(NOW.timestamp()) + 11), "not_yet_valid"),
}

BAD_CLAIMS: list[tuple[str, Any]] = [
    *((name, None) for name in ("i", "p", "s", "l", "a", "c", "nbf", "exp")),
    *((name, 7) for name in ("i", "p", "s", "a", "c")),
    *((name, [CLAIMS[name]]) for name in ("i", "p", "s", "a", "c", "l", "exp")),
    *((name, str(CLAIMS[name])) for name in ("l", "nbf", "exp")),
    *((name, float(CLAIMS[name])) for name in ("l", "nbf", "exp")),
    *((name, True) for name in ("l", "nbf", "exp")),
    *((name, -1) for name in ("l", "nbf", "exp")),
    ("l", 10),
    ("exp", 10**12),
    ("exp", 10**400),
    ("i", ""),
    ("i", DIALOG.hex),
    ("i", f"{{{DIALOG}}}"),
    ("i", f"urn:uuid:{DIALOG}"),
    ("i", f"{DIALOG} "),
    ("i", f"{str(DIALOG)[:-1]}٠"),
    ("p", ""),
    ("p", "310000000"),
    ("p", f"{PARTY}\n"),
    ("p", f"{PARTY}\ud800"),
    ("s", f"{SERVICE} "),
    ("a", " "),
    ("a", "read; write"),
    ("a", "read write"),
    ("a", "read;;write"),
    ("a", ";write"),
    ("a", "write;"),
    ("a", ",urn:altinn:task:Task_1"),
    ("a", "write,"),
    ("a", "write,a,b"),
    ("a", "read\twrite"),
    ("a", "read\u00a0"),
    ("a", "write\u200b"),
    ("a", ["read", "write"]),
]


@pytest.mark.parametrize(("text", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_not_genuine_is_refused(text: str | None, reason: str) -> None:
    """A token that Dialogporten did not write, for us, for now, opens nothing and gets a 401."""
    with pytest.raises(Refusal) as caught:
        read(text)

    assert (caught.value.status, caught.value.facts) == (401, {"reason": reason})
    assert caught.value.code == (reason if reason in SENDER_CODES else "token_invalid")


@pytest.mark.parametrize(
    ("name", "value"), BAD_CLAIMS, ids=[f"{name}={str(value)[:20]!a}" for name, value in BAD_CLAIMS]
)
def test_a_claim_of_another_shape_is_refused(name: str, value: Any) -> None:
    """A claim that is missing, or not what Dialogporten writes there, is never guessed at."""
    with pytest.raises(Refusal) as caught:
        read(token(**{name: value}))

    assert (caught.value.code, caught.value.facts) == ("token_invalid", {"reason": "bad_claim"})


@pytest.mark.parametrize("literal", ["1e400", "1e3", "Infinity", "NaN", "-0.0"])
def test_a_time_is_a_whole_number(literal: str) -> None:
    """No float stands for a moment, however large."""
    with pytest.raises(Refusal):
        read(with_literal("exp", literal))


@pytest.mark.parametrize(
    ("moment", "good"),
    [
        (timedelta(seconds=-10, microseconds=-1), False),
        (timedelta(seconds=-10), True),
        (timedelta(minutes=10, seconds=10), True),
        (timedelta(minutes=10, seconds=10, microseconds=1), False),
    ],
    ids=["just before", "at the start", "at the end", "just after"],
)
def test_clocks_may_differ_by_ten_seconds(moment: timedelta, good: bool) -> None:
    """The life of a token includes both its ends and the skew, and not a microsecond more."""
    assert (codes(token(), now=NOW + moment) == []) is good


def test_an_expired_token_says_so() -> None:
    """A sender whose token is genuine and too old is told to fetch a new one; a forger is not."""
    late = NOW + timedelta(hours=1)

    with pytest.raises(Refusal) as genuine:
        read(token(), now=late)
    with pytest.raises(Refusal) as forged:
        read(token(key=FOREIGN), now=late)

    assert (genuine.value.code, forged.value.code) == ("token_expired", "token_invalid")


def test_refusals_hold_nothing_of_the_token() -> None:
    """Neither the caller nor the refusal prints a claim that names somebody."""
    with pytest.raises(Refusal) as caught:
        read(token(key=FOREIGN))

    assert "310000000" not in repr(caught.value) + str(caught.value.facts) + repr(read(token()))
    assert "kari" not in repr(read(token())) + repr(judge(token(), KEYS, WANTED, now=NOW))


@settings(deadline=None)
@given(data=st.data())
def test_no_mutated_token_is_accepted(data: st.DataObject) -> None:
    """Change any byte of any part, take one away or put one in: it is another token."""
    genuine = token().encode()
    at = data.draw(st.integers(0, len(genuine) - 1))
    byte = data.draw(st.binary(min_size=0, max_size=2).filter(lambda new: new != genuine[at : at + 1]))
    mutated = genuine[:at] + byte + genuine[at + 1 :]

    reasons = codes(mutated.decode("latin-1"))

    assert reasons != []


@settings(deadline=None)
@given(claims=st.dictionaries(st.sampled_from(sorted(CLAIMS)), st.none() | st.booleans() | st.floats() | st.text()))
def test_no_odd_claim_breaks_the_verifier(claims: dict[str, Any]) -> None:
    """Whatever a signed token holds, the answer is a caller or a refusal."""
    payload = json.dumps({**CLAIMS, **claims}, allow_nan=True).encode()

    judgement = judge(signed(payload), KEYS, WANTED, now=NOW)

    assert all(reason.code in REASONS for reason in judgement.reasons)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_odd_text_breaks_the_verifier(text: str) -> None:
    """Whatever stands behind Bearer, the answer is a refusal."""
    assert codes(text) != []


# Fitting

FITTING: Mapping[str, Any] = {
    "dialog_id": DIALOG,
    "service_resource": SERVICE,
    "party": PARTY,
    "requirement": Requirement(action="write"),
    "minimum_level": 3,
}


def test_a_fitting_token_passes() -> None:
    """Dialog, service, party, action and level are what the mapping and the link say."""
    authorize(read(token()), **FITTING)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dialog_id": UUID(int=DIALOG.int + 1)}, "other_dialog"),
        ({"service_resource": f"{SERVICE}2"}, "other_service"),
        ({"party": SYSTEM_OWNER}, "other_party"),
        ({"requirement": Requirement(action="sign")}, "action_not_granted"),
        ({"minimum_level": 4}, "level_too_low"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_genuine_token_for_something_else_is_refused(changes: dict[str, Any], code: str) -> None:
    """It gets a 403 that says what does not fit."""
    with pytest.raises(Refusal) as caught:
        authorize(read(token()), **{**FITTING, **changes})

    assert (caught.value.code, caught.value.status) == (code, 403)


OWN = UUID("01890000-0000-7000-8000-00000000abcd")


@pytest.mark.parametrize(
    ("claims", "token_ref", "granted"),
    [
        pytest.param({"a": "read", "e": ["send"]}, "send", True, id="held"),
        pytest.param({"a": "", "e": ["other", "send"]}, "send", True, id="among others"),
        pytest.param({"a": "read;write;send"}, "send", False, id="in a alone"),
        pytest.param({"a": "write", "e": []}, "send", False, id="nothing"),
        pytest.param({"a": "write", "e": ["SEND"]}, "send", False, id="another case"),
        pytest.param({"a": "write", "e": ["send2", "resend"]}, "send", False, id="a longer one"),
        pytest.param({"a": "write", "e": "send"}, "send", False, id="no list"),
        pytest.param({"a": "write", "e": {"send": True}}, "send", False, id="an object"),
        pytest.param({"a": "write", "e": ["send", 7]}, "send", False, id="a list of more than texts"),
        pytest.param({"a": "write", "e": [str(OWN)]}, None, True, id="the element"),
        pytest.param({"a": "write", "e": [str(OWN).upper()]}, None, True, id="the element in capitals"),
        pytest.param({"a": "write", "e": [str(UUID(int=OWN.int + 1))]}, None, False, id="another element"),
        pytest.param({"a": "write"}, None, False, id="no element"),
    ],
)
def test_a_narrowed_right_stands_in_e_alone(claims: dict[str, Any], token_ref: str | None, granted: bool) -> None:
    """Whatever a holds opens nothing, and e opens only what it names."""
    narrowed = Narrowed(token_ref=token_ref)
    caller = read(token(**claims))

    if granted:
        authorize(caller, **{**FITTING, "requirement": narrowed}, elements=(UUID(int=1), OWN))
    else:
        with pytest.raises(Refusal) as caught:
            authorize(caller, **{**FITTING, "requirement": narrowed}, elements=(UUID(int=1), OWN))
        assert (caught.value.code, caught.value.status) == ("action_not_granted", 403)


@pytest.mark.parametrize("entities", ["write", {"write": 1}, [7], [""], None, ["x"]])
def test_e_takes_nothing_from_a(entities: Any) -> None:
    """Whatever its shape: it is experimental, and most tokens have none."""
    authorize(read(token(e=entities)), **FITTING)


@pytest.mark.parametrize(
    ("grants", "requirement", "granted"),
    [
        ("write", "write", True),
        ("WRITE", "write", True),
        ("write,urn:altinn:task:Task_1", "write", False),
        ("write", "write,urn:altinn:task:Task_1", False),
        ("write,urn:altinn:task:task_1", "write,urn:altinn:task:Task_1", True),
        ("write,urn:altinn:task:Task_2", "write,urn:altinn:task:Task_1", False),
        ("rewrite", "write", False),
        ("writer", "write", False),
        ("", "write", False),
        ("ſign", "sign", False),
        ("ｓｉｇｎ", "sign", False),
    ],
)
def test_grants_match_whole_and_without_case(grants: str, requirement: str, granted: bool) -> None:
    """An entry is compared whole; only ASCII letters have case, and no attribute means the main resource."""
    action, _, attribute = requirement.partition(",")
    wanted = replace(WANTED, requires=(Requirement(action=action, attribute=attribute or None),))

    assert codes(token(a=grants), wanted) == ([] if granted else ["action_not_granted"])


def test_every_reason_is_given_at_once() -> None:
    """Who debugs a refusal sees all that speaks against the token."""
    wanted = Expectation(
        issuer=ISSUER,
        dialog_id=UUID(int=1),
        service_resource="urn:altinn:resource:other",
        party=SYSTEM_OWNER,
        requires=(Requirement(action="write"), Requirement(action="sign")),
        minimum_level=4,
    )
    text = token(header={**HEADER, "typ": "at+jwt"}, key=FOREIGN, iss="https://other.test", l="3", exp=1)

    assert codes(text, wanted) == [
        "wrong_type",
        "wrong_issuer",
        "bad_claim",
        "bad_signature",
        "token_expired",
        "other_dialog",
        "other_service",
        "other_party",
        "action_not_granted",
    ]


def test_every_reason_has_a_sentence() -> None:
    """No code reaches an operator without words, and each sender code is a reason or the general one."""
    given_codes = {reason for _, reason in HOSTILE.values()} | {"bad_claim"}

    assert given_codes <= REASONS.keys()
    assert SENDER_CODES.keys() - REASONS.keys() == {"token_invalid"}


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("token_missing", "Bearer"),
        ("token_invalid", 'Bearer error="invalid_token"'),
        ("token_expired", 'Bearer error="invalid_token", error_description='),
        ("level_too_low", 'Bearer error="insufficient_scope"'),
    ],
)
def test_the_challenge_follows_the_standard(code: str, start: str) -> None:
    """A request without a token is told the scheme alone, as RFC 6750 asks."""
    challenge = www_authenticate(code)

    assert challenge.startswith(start)
    assert ("error" in challenge) is (code != "token_missing")


def test_tokens_of_another_library_are_read() -> None:
    """What PyJWT signs with the same claims is the same token to us."""
    text = jwt.encode(dict(CLAIMS), OLD, algorithm="EdDSA", headers={"kid": "old"})

    assert codes(text) == []
