"""Tokens for calling others: asked for once, kept, renewed early, and shown to nobody else."""

import base64
import io
import itertools
import json
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from flask import Flask, Response, request
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from bridge.adapters.http.call import call
from bridge.adapters.http.session import new_session
from bridge.adapters.maskinporten.auth import MaskinportenAuth, PlatformAuth
from bridge.adapters.maskinporten.cache import Token, TokenCache, renewal
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.adapters.maskinporten.keys import SigningKey, signing_key
from bridge.core.errors import ConfigurationError, CredentialsRefused, Rejected, Unreachable

AUTHORITY = "https://maskinporten.test"
PLATFORM = "https://platform.test"
CLIENT = "2f6f4f0e-0000-4000-8000-000000000001"
NOW = datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)
CONSUMER = "310000000"
SCOPES = ("altinn:b", "altinn:a")
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Wsgi(BaseAdapter):
    """Calls an app in this process with the bytes of the request."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        answer = self.app.test_client().open(
            request.url, method=request.method, headers=list(request.headers.items()), data=request.body
        )
        response = requests.Response()
        response.status_code, response.reason = answer.status_code, answer.status.partition(" ")[2]
        response.headers = CaseInsensitiveDict(answer.headers.items())
        response.raw, response.url = io.BytesIO(answer.data), request.url or ""
        return response

    def close(self) -> None:
        """Hold nothing."""


class World:
    """Maskinporten, the platform and an API, each as small as the tests allow; *answers* replace their next ones."""

    def __init__(self) -> None:
        self.now = NOW
        self.metadata: Any = {"issuer": f"{AUTHORITY}/", "token_endpoint": f"{AUTHORITY}/token"}
        self.answers: dict[str, list[Response]] = {"token": [], "exchange": [], "api": []}
        self.calls: dict[str, list[Any]] = {"metadata": [], "token": [], "exchange": [], "api": []}
        self.before_token: Callable[[], None] = lambda: None
        self.quoted, self.lives = True, 120
        self.numbers = itertools.count(1)
        app = Flask("world")
        app.add_url_rule("/.well-known/oauth-authorization-server", view_func=self.serve_metadata)
        app.add_url_rule("/token", view_func=self.serve_token, methods=["POST"])
        app.add_url_rule("/authentication/api/v1/exchange/maskinporten", view_func=self.serve_exchange)
        app.add_url_rule("/api", view_func=self.serve_api)
        mounts = {prefix: Wsgi(app) for prefix in (AUTHORITY, PLATFORM, "https://api.test", "https://evil.test")}
        self.session = new_session(pool=20, mounts=mounts)

    def clock(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)

    def client(self) -> MaskinportenClient:
        return MaskinportenClient(
            self.session,
            authority_url=AUTHORITY,
            client_id=CLIENT,
            key=SigningKey(kid="key-1", private=PRIVATE),
            clock=self.clock,
        )

    def platform(self) -> PlatformTokens:
        return PlatformTokens(self.session, platform_url=PLATFORM, maskinporten=self.client(), clock=self.clock)

    def serve_metadata(self) -> Response:
        self.calls["metadata"].append(None)
        return answer(200 if self.metadata else 404, self.metadata)

    def serve_token(self) -> Response:
        self.calls["token"].append(dict(request.form))
        self.before_token()
        if self.answers["token"]:
            return self.answers["token"].pop(0)
        return answer(200, {"access_token": f"mp-{next(self.numbers)}", "expires_in": self.lives})

    def serve_exchange(self) -> Response:
        self.calls["exchange"].append(request.headers["Authorization"])
        if self.answers["exchange"]:
            return self.answers["exchange"].pop(0)
        exchanged = jwt.encode(
            {"exp": int(self.now.timestamp()) + 1800, "jti": next(self.numbers)}, PRIVATE, algorithm="RS256"
        )
        return answer(200, exchanged) if self.quoted else Response(exchanged, mimetype="text/plain")

    def serve_api(self) -> Response:
        self.calls["api"].append(request.headers["Authorization"])
        return self.answers["api"].pop(0) if self.answers["api"] else answer(200, {})

    def grants(self) -> list[dict[str, Any]]:
        return [jwt.decode(form["assertion"], options={"verify_signature": False}) for form in self.calls["token"]]


def answer(status: int, body: Any = None, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(content, status=status, headers=headers, mimetype="application/json")


def refusal(status: int, error: str, description: str) -> Response:
    return answer(status, {"error": error, "error_description": description})


@pytest.fixture
def world() -> World:
    return World()


# The grant


def test_a_grant_is_what_maskinporten_asks_for(world: World) -> None:
    """RS256 with the registered kid, the issuer as audience, two minutes at most, and nothing more than needed."""
    world.client().token(SCOPES)

    [form] = world.calls["token"]
    header = jwt.get_unverified_header(form["assertion"])
    claims = jwt.decode(
        form["assertion"],
        PRIVATE.public_key(),
        algorithms=["RS256"],
        audience=f"{AUTHORITY}/",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert (header["alg"], header["kid"], "x5c" in header) == ("RS256", "key-1", False)
    assert claims.keys() == {"iss", "aud", "scope", "iat", "exp", "jti"}
    assert (claims["iss"], claims["aud"], claims["scope"]) == (CLIENT, f"{AUTHORITY}/", "altinn:a altinn:b")
    assert (claims["iat"], 0 < claims["exp"] - claims["iat"] <= 120) == (int(NOW.timestamp()), True)


def test_delegation_and_resource_stand_in_the_grant(world: World) -> None:
    """A supplier names its consumer, and an audience restriction is a list."""
    world.client().token(SCOPES, resource="https://www.altinn.test/", consumer_org=CONSUMER)

    [grant] = world.grants()
    assert (grant["resource"], grant["consumer_org"]) == (["https://www.altinn.test/"], CONSUMER)


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        b"<html>",
        {"issuer": f"{AUTHORITY}/"},
        {"issuer": "https://evil.test/", "token_endpoint": "https://evil.test/token"},
        {"issuer": f"{AUTHORITY}/", "token_endpoint": "https://maskinporten.test:x/token"},
    ],
    ids=["absent", "html", "half", "another host", "no address"],
)
def test_without_metadata_the_usual_addresses_serve(world: World, metadata: Any) -> None:
    """The issuer is the authority with its slash, and no metadata sends a grant to another host."""
    world.metadata = metadata

    token = world.client().token(SCOPES)

    assert (token, world.grants()[0]["aud"]) == ("mp-1", f"{AUTHORITY}/")


def test_metadata_is_read_once_an_hour(world: World) -> None:
    """Another issuer is noticed within the hour; an outage of the metadata changes nothing."""
    world.lives = 1
    client = world.client()
    client.token(SCOPES)
    world.metadata = {"issuer": "https://issuer.test/", "token_endpoint": f"{AUTHORITY}/token"}
    client.token(SCOPES)
    world.forward(hours=1)
    client.token(SCOPES)
    world.metadata = None
    world.forward(hours=1)
    client.token(SCOPES)

    audiences = [grant["aud"] for grant in world.grants()]

    assert audiences == [f"{AUTHORITY}/", f"{AUTHORITY}/", "https://issuer.test/", "https://issuer.test/"]
    assert len(world.calls["metadata"]) == 3


# Keeping


def test_a_token_is_kept_for_its_scopes(world: World) -> None:
    """The order of scopes does not matter; whom the token is for does."""
    client = world.client()

    tokens = [
        client.token(["altinn:a", "altinn:b"]),
        client.token(["altinn:b", "altinn:a", "altinn:a"]),
        client.token(["altinn:a"]),
        client.token(["altinn:a"], consumer_org=CONSUMER),
        client.token(["altinn:a"], resource="https://www.altinn.test/"),
        client.token(["altinn:a"]),
    ]

    assert tokens == ["mp-1", "mp-1", "mp-2", "mp-3", "mp-4", "mp-2"]


@pytest.mark.parametrize(
    ("life", "renewed_before_end"),
    [(3600, 360), (600, 60), (300, 30), (120, 30), (60, 30), (40, 20), (2, 1)],
)
def test_tokens_are_renewed_before_their_end(life: int, renewed_before_end: int) -> None:
    """30 seconds or a tenth before it, and never in the first half of a short life."""
    end = NOW + timedelta(seconds=life)

    assert end - renewal(NOW, end) == timedelta(seconds=renewed_before_end)


def test_a_token_is_renewed_early(world: World) -> None:
    """A token of 120 seconds serves for 90, then the next call fetches."""
    client = world.client()

    tokens = [client.token(SCOPES)]
    world.forward(seconds=89.9)
    tokens.append(client.token(SCOPES))
    world.forward(seconds=0.1)
    tokens.append(client.token(SCOPES))

    assert tokens == ["mp-1", "mp-1", "mp-2"]


def test_a_failed_renewal_leaves_the_old_token(world: World) -> None:
    """While the old token serves, an outage of Maskinporten is not felt, and not asked about at each call."""
    client = world.client()
    client.token(SCOPES)
    world.answers["token"] = [answer(503) for _ in range(4)]

    world.forward(seconds=91)
    tokens = [client.token(SCOPES) for _ in range(3)]
    asked = len(world.calls["token"])
    world.forward(seconds=24)
    with pytest.raises(Unreachable):
        client.token(SCOPES)

    assert (tokens, asked) == (["mp-1"] * 3, 3)


@pytest.mark.parametrize("expires_in", [None, "120", -1, 0, True, 1.5, 10**9], ids=str)
def test_a_token_of_unsaid_life_serves_a_minute(world: World, expires_in: Any) -> None:
    """What does not say how long it lives is renewed soon."""
    client = world.client()
    world.answers["token"] = [answer(200, {"access_token": "mp-unsaid", "expires_in": expires_in})]

    tokens = [client.token(SCOPES)]
    world.forward(seconds=29)
    tokens.append(client.token(SCOPES))
    world.forward(seconds=1)
    tokens.append(client.token(SCOPES))

    assert tokens == ["mp-unsaid", "mp-unsaid", "mp-1"]


def together(count: int, act: Callable[[], None]) -> None:
    """Run *act* in *count* threads that start at the same moment."""
    start = threading.Barrier(count)

    def run() -> None:
        start.wait(30)
        act()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_a_crowd_without_a_token_fetches_once(world: World) -> None:
    """Sixteen threads at the first moment make one call, and all get its token."""
    client, tokens = world.client(), list[str]()

    together(16, lambda: tokens.append(client.token(SCOPES)))

    assert (tokens, len(world.calls["token"])) == (["mp-1"] * 16, 1)


def test_a_serving_token_keeps_serving_during_renewal(world: World) -> None:
    """While one thread renews, the others use what there is and do not wait."""
    client = world.client()
    client.token(SCOPES)
    entered, release = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        release.wait(30)

    world.before_token = hold
    world.forward(seconds=95)
    renewed: list[str] = []
    renewing = threading.Thread(target=lambda: renewed.append(client.token(SCOPES)))
    renewing.start()
    assert entered.wait(30)

    meanwhile: list[str] = []
    together(8, lambda: meanwhile.append(client.token(SCOPES)))
    release.set()
    renewing.join(30)

    assert (meanwhile, renewed) == (["mp-1"] * 8, ["mp-2"])
    assert len(world.calls["token"]) == 2


def test_one_set_of_scopes_does_not_wait_for_another(world: World) -> None:
    """A fetch holds back its own key only."""
    cache, release = TokenCache(world.clock), threading.Event()
    entered = threading.Event()

    def slow() -> Token:
        entered.set()
        release.wait(30)
        return Token(value="slow", expires_at=NOW + timedelta(hours=1))

    fetching = threading.Thread(target=lambda: cache.get(("slow",), slow))
    fetching.start()
    assert entered.wait(30)

    quick = cache.get(("quick",), lambda: Token(value="quick", expires_at=NOW + timedelta(hours=1)))
    release.set()
    fetching.join(30)

    assert quick == "quick"


# What goes wrong


@pytest.mark.parametrize(
    ("refused", "reason", "words"),
    [
        (refusal(400, "invalid_grant", "Invalid assertion (MP-110)"), "mp_110", "aud is not Maskinporten's issuer"),
        (refusal(403, "invalid_scope", "Scope (MP-250) for 310000019"), "mp_250", "not granted"),
        (refusal(400, "invalid_client", "no such client"), "invalid_client", "invalid_client"),
        (refusal(400, "invalid_grant", "New (MP-999)"), "mp_999", "MP-999"),
        (refusal(400, "Not A Code 310000019", ""), "no_error_code", "no error code"),
        (answer(400, b"<html>310000019</html>"), "no_error_code", "no error code"),
        (answer(302, b"", Location="https://evil.test/"), "no_error_code", "no error code"),
    ],
    ids=["audience", "scope", "client", "unknown code", "odd error", "html", "redirect"],
)
def test_a_refusal_is_told_by_its_code(world: World, refused: Response, reason: str, words: str) -> None:
    """What Maskinporten refuses is not asked again, and of its text only codes are repeated."""
    world.answers["token"] = [refused]

    with pytest.raises(CredentialsRefused) as caught:
        world.client().token(SCOPES)

    assert (caught.value.reason, words in caught.value.detail) == (reason, True)
    assert (len(world.calls["token"]), "310000019" in str(caught.value)) == (1, False)


@pytest.mark.parametrize(
    "failed",
    [answer(500, b""), answer(503, b"<html>"), answer(429), answer(200, b"<html>"), answer(200, {"access_token": 7})],
    ids=["500", "503", "429", "html", "no token"],
)
def test_a_passing_failure_is_tried_once_more(world: World, failed: Response) -> None:
    """The second try has a grant of its own, for Maskinporten takes each id once."""
    world.answers["token"] = [failed]

    token = world.client().token(SCOPES)

    assert token == "mp-1"
    assert len({grant["jti"] for grant in world.grants()}) == 2


def test_a_lasting_failure_ends_after_two_tries(world: World) -> None:
    """Nobody hammers a system that is down."""
    world.answers["token"] = [answer(503) for _ in range(9)]

    with pytest.raises(Unreachable):
        world.client().token(SCOPES)

    assert len(world.calls["token"]) == 2


def test_a_wait_that_was_asked_for_is_kept(world: World) -> None:
    """A 429 with a time is not followed by a second try at once."""
    world.answers["token"] = [answer(429, None, **{"Retry-After": "20"})]

    with pytest.raises(Unreachable) as caught:
        world.client().token(SCOPES)

    assert (caught.value.retry_after, len(world.calls["token"])) == (timedelta(seconds=20), 1)


def test_a_token_that_could_split_a_header_is_refused(world: World) -> None:
    """Nothing goes behind Bearer that does not belong there."""
    world.answers["token"] = [answer(200, {"access_token": "a\r\nX: y"}) for _ in range(2)]

    with pytest.raises(Unreachable):
        world.client().token(SCOPES)


def test_nothing_prints_a_key_or_token(world: World) -> None:
    """Neither reprs nor a printed traceback hold the key, the grant or a token."""
    client, key = world.client(), SigningKey(kid="key-1", private=PRIVATE)
    token = client.token(SCOPES)
    world.answers["token"] = [refusal(400, "invalid_grant", f"MP-012 {token}")]
    with pytest.raises(CredentialsRefused) as caught:
        client.token(["altinn:other"])

    printed = "".join(traceback.format_exception(caught.value)) + repr(
        (
            client,
            key,
            world.platform(),
            Token(value=token, expires_at=NOW),
            MaskinportenAuth(client, scopes=SCOPES, base_url=AUTHORITY),
        )
    )

    secrets = [token, "eyJ", *(form["assertion"] for form in world.calls["token"])]
    assert [secret for secret in secrets if secret in printed] == []


# The exchange


@pytest.mark.parametrize("quoted", [True, False])
def test_an_exchanged_token_is_bare(world: World, quoted: bool) -> None:
    """Altinn sends the token with quotes or without; it goes on without."""
    world.quoted = quoted

    token = world.platform().token(SCOPES)

    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    assert world.calls["exchange"] == ["Bearer mp-1"]


def test_an_exchanged_token_lives_by_its_own_claim(world: World) -> None:
    """It outlives the Maskinporten token that it was made from, and is renewed before its half hour is over."""
    tokens = world.platform()

    first = tokens.token(SCOPES)
    world.forward(minutes=26)
    second = tokens.token(SCOPES)
    world.forward(minutes=1)
    third = tokens.token(SCOPES)

    assert (first == second, second == third) == (True, False)
    assert world.calls["exchange"] == ["Bearer mp-1", "Bearer mp-3"]


def test_an_exchange_that_is_no_jwt_serves_a_minute(world: World) -> None:
    """A token whose end cannot be read is renewed soon."""
    world.answers["exchange"] = [answer(200, "opaque")]
    tokens = world.platform()

    first = tokens.token(SCOPES)
    world.forward(seconds=30)

    assert (first, tokens.token(SCOPES) == "opaque") == ("opaque", False)


def test_a_refused_token_is_replaced_once(world: World) -> None:
    """When the exchange does not take the Maskinporten token, a new one is tried, and then no more."""
    tokens = world.platform()
    world.answers["exchange"] = [answer(401)]
    tokens.token(SCOPES)
    world.forward(hours=1)
    world.answers["exchange"] = [answer(401), answer(401)]

    with pytest.raises(CredentialsRefused):
        tokens.token(SCOPES)

    assert [sent.removeprefix("Bearer ") for sent in world.calls["exchange"]] == ["mp-1", "mp-2", "mp-4", "mp-5"]


@pytest.mark.parametrize("status", [400, 403, 410])
def test_a_refused_exchange_is_final(world: World, status: int) -> None:
    """What Altinn refuses is not asked again."""
    world.answers["exchange"] = [answer(status, {"title": "Virksomhetsbruker is no longer available"})]

    with pytest.raises(CredentialsRefused) as caught:
        world.platform().token(SCOPES)

    assert (caught.value.status, caught.value.reason, len(world.calls["exchange"])) == (status, "exchange_refused", 1)


def test_a_failed_exchange_is_tried_once_more(world: World) -> None:
    """A landing page or an outage costs one more call, and no more Maskinporten tokens."""
    world.answers["exchange"] = [answer(200, b"<html>maintenance</html>")]
    tokens = world.platform()
    good = tokens.token(SCOPES)
    world.answers["exchange"] = [answer(503) for _ in range(9)]
    with pytest.raises(Unreachable):
        tokens.token(["altinn:c"])

    assert good
    assert (len(world.calls["exchange"]), len(world.calls["token"])) == (4, 2)


# On requests


def get(world: World, auth: Any, url: str = "https://api.test/api") -> int:
    return call(world.session, "GET", url, system="API", writes=False, auth=auth).status


def test_requests_carry_the_token(world: World) -> None:
    """Both kinds of tokens go where they belong."""
    get(world, MaskinportenAuth(world.client(), scopes=SCOPES, base_url="https://api.test"))
    get(world, PlatformAuth(world.platform(), scopes=SCOPES, base_url="https://api.test/api"))

    direct, exchanged = world.calls["api"]
    assert (direct, exchanged.startswith("Bearer eyJ")) == ("Bearer mp-1", True)


@pytest.mark.parametrize(
    "url",
    ["https://evil.test/api", "http://api.test/api", "https://api.test:8443/api", "https://api.test.evil.test/api"],
)
def test_no_other_host_gets_a_token(world: World, url: str) -> None:
    """A link that leads elsewhere is not followed with a token; nothing leaves us."""
    auth = MaskinportenAuth(world.client(), scopes=SCOPES, base_url="https://api.test")

    with pytest.raises(Rejected) as caught:
        get(world, auth, url)

    assert (caught.value.reason, world.calls["api"], world.calls["token"]) == ("foreign_host", [], [])


def test_a_call_after_401_has_a_new_token(world: World) -> None:
    """The token that was refused is dropped, so the same call made again carries another."""
    auth = MaskinportenAuth(world.client(), scopes=SCOPES, base_url="https://api.test")
    world.answers["api"] = [answer(401)]

    statuses = [get(world, auth), get(world, auth)]

    assert (statuses, world.calls["api"]) == ([401, 200], ["Bearer mp-1", "Bearer mp-2"])


def test_a_platform_call_after_401_has_a_new_token(world: World) -> None:
    """Only the exchange is repeated: the Maskinporten token was not what was refused."""
    auth = PlatformAuth(world.platform(), scopes=SCOPES, base_url="https://api.test")
    world.answers["api"] = [answer(401)]

    statuses = [get(world, auth), get(world, auth)]

    assert (statuses, len(set(world.calls["api"]))) == ([401, 200], 2)
    assert (len(world.calls["exchange"]), len(world.calls["token"])) == (2, 1)


def test_tokens_are_dropped_no_faster_than_it_helps(world: World) -> None:
    """An API that refuses everything does not make us flood Maskinporten."""
    auth = MaskinportenAuth(world.client(), scopes=SCOPES, base_url="https://api.test")
    world.answers["api"] = [answer(401) for _ in range(20)]

    for _ in range(10):
        get(world, auth)
    within = len(world.calls["token"])
    world.forward(seconds=30)
    for _ in range(10):
        get(world, auth)

    assert (within, len(world.calls["token"])) == (2, 3)


# The key


def pem(key: Any, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()  # type: ignore[no-any-return]


def rsa_jwk(key: rsa.RSAPrivateKey | rsa.RSAPublicKey = PRIVATE, **changes: Any) -> str:
    content = {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": "key-1", **changes}
    return json.dumps({name: value for name, value in content.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "kid"),
    [
        (rsa_jwk(), None),
        (f"\n{rsa_jwk()}\n", "key-1"),
        (pem(PRIVATE), "key-1"),
        (rsa_jwk(use="sig", alg="RS256"), None),
    ],
    ids=["jwk", "jwk and the same kid", "pem", "jwk for signing"],
)
def test_keys_come_as_jwk_or_pem(text: str, kid: str | None) -> None:
    """Both forms in which Maskinporten's own tools hand out keys are read."""
    key = signing_key(text, kid)

    assert (key.kid, key.private.private_numbers()) == ("key-1", PRIVATE.private_numbers())


def bad_keys() -> Iterator[Any]:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    curve = ec.generate_private_key(ec.SECP256R1())
    yield pytest.param("", "key-1", "neither a JWK nor a PEM", id="nothing")
    yield pytest.param("secret-text", "key-1", "neither a JWK nor a PEM", id="text")
    yield pytest.param(pem(PRIVATE), None, "a kid is missing", id="pem without kid")
    yield pytest.param(pem(PRIVATE, b"x"), "key-1", "without a password", id="pem with a password")
    yield pytest.param(pem(curve), "key-1", "no private RSA key", id="pem of a curve")
    yield pytest.param(pem(small), "key-1", "shorter than 2048", id="short")
    yield pytest.param("{secret-text", None, "looks like a JWK", id="no json")
    yield pytest.param(rsa_jwk(kid=None), None, "a kid is missing", id="jwk without kid")
    yield pytest.param(rsa_jwk(use="enc"), None, "its use is not sig", id="jwk for encryption")
    yield pytest.param(rsa_jwk(alg="HS256"), None, "its alg is another than RS256", id="jwk of another algorithm")
    yield pytest.param(rsa_jwk(key_ops=["decrypt"]), None, "its key_ops lack sign", id="jwk that may not sign")
    yield pytest.param(rsa_jwk(), "key-2", "differs", id="two kids")
    yield pytest.param(rsa_jwk(PRIVATE.public_key()), None, "no private RSA key", id="public")
    yield pytest.param(rsa_jwk(n=7), None, "looks like a JWK", id="odd number")
    yield pytest.param(ECAlgorithm.to_jwk(curve), "key-1", "looks like a JWK", id="jwk of a curve")


@pytest.mark.parametrize(("text", "kid", "words"), list(bad_keys()))
def test_a_key_that_cannot_serve_is_told_in_words(text: str, kid: str | None, words: str) -> None:
    """The start stops with a reason, and the reason quotes nothing of the key."""
    with pytest.raises(ConfigurationError) as caught:
        signing_key(text, kid)

    printed = "".join(traceback.format_exception(caught.value))
    secret = base64.urlsafe_b64encode(PRIVATE.private_numbers().d.to_bytes(256, "big"))[:40].decode()
    assert words in str(caught.value)
    assert [part for part in (secret, "secret-text") if part in printed] == []
