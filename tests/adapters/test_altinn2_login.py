"""Logging in to Altinn 2: by cookie, by certificate, by exchange, and never so often that the user is locked out."""

import base64
import io
import logging
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bridge.adapters.altinn2 import Altinn2Client
from bridge.adapters.altinn2.login import CookieLogin
from bridge.adapters.altinn2.orders import ElementKey
from bridge.adapters.http.call import call
from bridge.adapters.http.session import new_session
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.adapters.maskinporten.keys import SigningKey
from bridge.config.settings import Settings
from bridge.core.altinn2_problems import problem_for
from bridge.core.errors import CredentialsRefused, Missing, OutcomeUnknown, Rejected, Unreachable, UpstreamError
from bridge.core.mapping import AfterUpdate
from bridge.core.secret import Secret
from bridge.sandbox.altinn2.people import User
from bridge.sandbox.control import settings as sandbox_settings
from bridge.sandbox.core.ledger import Call, How
from bridge.sandbox.in_process import SandboxAdapter
from bridge.wiring import Overrides, prepare_database, wire

from .test_altinn2 import HOST, Bench, _order

LOGIN = "/authentication/authenticatewithpassword"
EXCHANGE = "/exchange/maskinporten"
NAME, PASSWORD = "bruker-sju", "Tyttebar:7/multe"
# The settings take plain http for this machine only.
HERE = "http://127.0.0.1:9"


class Wire(SandboxAdapter):
    """The sandbox, and beside it what the wire saw; a certificate is shown as TLS would show it."""

    def __init__(self, bench: Bench, host: str = HOST) -> None:
        super().__init__(bench.world, host)
        self.sent: list[requests.PreparedRequest] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        self.sent.append(request)
        if cert is not None:
            subject = x509.load_pem_x509_certificate(Path(cert).read_bytes()).subject
            number = subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value
            request.headers["X-Sandbox-Client-Certificate"] = str(number)
        return super().send(request, stream, timeout, verify, cert, proxies)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def registered(bench: Bench, *, enterprise: bool = False) -> str:
    """Register the user; the number of the organisation that it stands for."""
    number = bench.world.owner.number
    bench.world.altinn2.people.register(User(name=NAME, password=PASSWORD, party=number, enterprise=enterprise))
    return number


def element(bench: Bench) -> ElementKey:
    return replace(bench.element(), who="310000019")


def by_cookie(bench: Bench, password: str = PASSWORD, base: str = HOST) -> tuple[Altinn2Client, Wire, CookieLogin]:
    bench.world.altinn2.people.register(User(name=NAME, password=PASSWORD, party="310000019"))
    sandbox = Wire(bench)
    session = new_session(pool=8, mounts={HOST: sandbox})
    login = CookieLogin(
        session,
        f"{base}/altinn2/api",
        user=NAME,
        password=Secret(password),
        enterprise=False,
        clock=lambda: bench.now,
    )
    key = Secret(bench.world.altinn2_api_key)
    made = Altinn2Client(session, f"{base}/altinn2/api", api_key=key, auth=login, clock=lambda: bench.now)
    return made, sandbox, login


@contextmanager
def wired(bench: Bench, folder: Path, login: str, **environ: str) -> Iterator[tuple[Altinn2Client, Wire]]:
    """The client as the settings make it, and the wire under it."""
    sandbox = Wire(bench, HERE)
    settings = Settings.from_environ(
        {
            **sandbox_settings(bench.world, HERE),
            "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite",
            "BRIDGE_ALTINN2_LOGIN": login,
            "BRIDGE_ALTINN2_USER": NAME,
            "BRIDGE_ALTINN2_PASSWORD": PASSWORD,
            **environ,
        }
    )
    prepare_database(settings)
    bridge = wire(settings, Overrides(clock=lambda: bench.now, mounts={HERE: sandbox}))
    try:
        yield bridge.altinn2, sandbox
    finally:
        bridge.queue.close()
        bridge.store.engine.dispose()


def calls(bench: Bench, path: str) -> list[Call]:
    return [each for each in bench.world.calls.all() if each.path.endswith(path)]


def cookies(sandbox: Wire) -> list[str]:
    return [str(each.headers["Cookie"]) for each in sandbox.sent if "Cookie" in each.headers]


def refusals(client: Altinn2Client, key: ElementKey, times: int) -> list[tuple[str, int | None]]:
    found = []
    for _ in range(times):
        with pytest.raises(CredentialsRefused) as caught:
            client.read(key, content=False)
        found.append((caught.value.reason, caught.value.status))
    return found


# The exchange of enterprise users


def test_an_enterprise_user_reads_by_exchange(bench: Bench, tmp_path: Path) -> None:
    """As it was until mid-2026: one exchange, name and password as one header, and no cookie."""
    number = registered(bench, enterprise=True)
    bench.switch(enterprise_user_exchange="works")
    bench.world.altinn2.people.know(number)
    key = replace(bench.element(), who="my")

    with wired(bench, tmp_path, "enterprise_user") as (client, sandbox):
        found = [client.read(key, content=False).case.key for _ in range(3)]

    exchange = next(each for each in sandbox.sent if EXCHANGE in str(each.url))
    expected = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    assert found == [key.message_id] * 3
    assert [each.status for each in calls(bench, EXCHANGE)] == [200]
    assert exchange.headers["X-Altinn-EnterpriseUser-Authentication"] == expected
    assert cookies(sandbox) == []
    others = [each for each in sandbox.sent if each is not exchange]
    assert not any("X-Altinn-EnterpriseUser-Authentication" in each.headers for each in others)


def test_an_exchange_that_ended_is_gone(bench: Bench, tmp_path: Path) -> None:
    """410: asked once, no element is called missing, and the sender learns that the back end is gone."""
    registered(bench, enterprise=True)
    key = element(bench)

    with wired(bench, tmp_path, "enterprise_user") as (client, _), pytest.raises(Rejected, match="closed") as caught:
        client.read(key, content=False)

    assert not isinstance(caught.value, Missing)
    assert (caught.value.reason, caught.value.status) == ("gone", 410)
    assert (problem_for(caught.value.reason).code, len(calls(bench, EXCHANGE))) == ("upstream_gone", 1)
    assert calls(bench, key.message_id) == []


def test_an_exchange_that_ended_writes_nothing(bench: Bench, tmp_path: Path) -> None:
    """The same for an update: it is refused, not unknown."""
    registered(bench, enterprise=True)
    key = element(bench)

    with wired(bench, tmp_path, "enterprise_user") as (client, _), pytest.raises(Rejected) as caught:
        client.put(_order(key))

    assert (caught.value.reason, len(calls(bench, EXCHANGE))) == ("gone", 1)
    assert calls(bench, key.message_id) == []


def test_an_exchange_never_locks_the_user_out(bench: Bench, tmp_path: Path) -> None:
    """A wrong password is tried twice in all, whatever is called how often."""
    registered(bench, enterprise=True)
    bench.switch(enterprise_user_exchange="works")
    key = element(bench)

    with wired(bench, tmp_path, "enterprise_user", BRIDGE_ALTINN2_PASSWORD="feil") as (client, _):
        found = refusals(client, key, 4)

    assert len(calls(bench, EXCHANGE)) == 2
    assert found[-2:] == [("login_locked", None), ("login_locked", None)]
    assert bench.world.altinn2.people.proven(NAME, PASSWORD, now=bench.now).name == NAME


def test_an_exchange_that_is_busy_stays_open(bench: Bench, tmp_path: Path) -> None:
    """Answers that judge no password count for nothing."""
    registered(bench, enterprise=True)
    bench.switch(enterprise_user_exchange="works")
    key = replace(bench.element(), who="my")

    with wired(bench, tmp_path, "enterprise_user") as (client, _):
        bench.answers(503, path="exchange", times=6)
        for _ in range(3):
            with pytest.raises(Unreachable):
                client.read(key, content=False)
        found = client.read(key, content=False)

    assert found.case.key == key.message_id


# The certificate


def certificate(folder: Path, number: str) -> Path:
    """A key and a certificate that name the organisation, in one file."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, number)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(private, hashes.SHA256())
    )
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "virksomhet.pem"
    path.write_bytes(key + made.public_bytes(Encoding.PEM))
    return path


def test_a_certificate_logs_an_enterprise_user_in(bench: Bench, tmp_path: Path) -> None:
    """The session carries it, the query says that it counts, and the cookie alone serves afterwards."""
    number = registered(bench, enterprise=True)
    key = replace(bench.element(), who="my")
    pem = certificate(tmp_path, number)

    with wired(bench, tmp_path, "certificate", BRIDGE_ALTINN2_CERTIFICATE=str(pem)) as (client, sandbox):
        found = [client.read(key, content=False).case.key for _ in range(2)]

    login, *others = sandbox.sent
    assert found == [key.message_id] * 2
    assert str(login.url).partition("?")[2].rstrip("=") == "ForceEIAuthentication"
    assert not any("ForceEIAuthentication" in str(each.url) for each in others)
    assert len(calls(bench, LOGIN)) == 1
    assert all("Authorization" not in each.headers for each in others)


def test_a_foreign_certificate_is_tried_twice(bench: Bench, tmp_path: Path) -> None:
    """Altinn 2 answers 401; it counts like a wrong password."""
    registered(bench, enterprise=True)
    key = element(bench)
    pem = certificate(tmp_path, "310000019")

    with wired(bench, tmp_path, "certificate", BRIDGE_ALTINN2_CERTIFICATE=str(pem)) as (client, _):
        found = refusals(client, key, 3)

    assert found == [("login_refused", 401), ("login_refused", 401), ("login_locked", None)]
    assert len(calls(bench, LOGIN)) == 2


def test_a_certificate_goes_to_altinn_2_alone(bench: Bench, tmp_path: Path) -> None:
    """Maskinporten and the platform are called without it."""
    registered(bench, enterprise=True)
    bench.switch(enterprise_user_exchange="works")
    pem = certificate(tmp_path, bench.world.owner.number)
    key = replace(bench.element(), who="my")

    with wired(bench, tmp_path, "enterprise_user", BRIDGE_ALTINN2_CERTIFICATE=str(pem)) as (client, sandbox):
        client.read(key, content=False)

    shown = [each for each in sandbox.sent if "X-Sandbox-Client-Certificate" in each.headers]
    assert all("/altinn2/" in str(each.url) for each in shown)
    assert len(shown) == 1


# The cookie


@pytest.mark.parametrize("name", ["AspxAuthTT02", "ASPXAUTH", "AspxAuthProd", "AspxAuthCloud"])
@pytest.mark.parametrize("balanced", [True, False])
def test_a_renewed_cookie_is_the_next_one(bench: Bench, name: str, balanced: bool) -> None:
    """Under every environment's name, with a load balancer's cookie beside it or not: one login lasts for hours."""
    bench.switch(cookie_name=name, load_balancer_cookie=balanced)
    key = element(bench)
    client, sandbox, _ = by_cookie(bench)

    for _ in range(6):
        client.read(key, content=False)
        bench.now += timedelta(minutes=20)

    sent = cookies(sandbox)
    assert len(calls(bench, LOGIN)) == 1
    assert all(each.startswith(f".{name}=") for each in sent)
    assert len(set(sent)) > 3


@pytest.mark.parametrize(
    "header",
    [
        ".AspxAuthTT02=NEW; path=/; secure; HttpOnly",
        "BIGipServer~a~b=rd1o0; path=/; Httponly, .AspxAuthTT02=NEW; path=/; HttpOnly",
        "a=1; expires=Wed, 09 Jun 2027 10:18:14 GMT; path=/, .AspxAuthTT02=NEW; path=/",
        ".AspxAuthTT02=NEW; expires=Wed, 09 Jun 2027 10:18:14 GMT, BIGipServer~a~b=rd1o0; path=/; Httponly",
        ".ASPXAUTH=; expires=Tue, 12 Oct 1999 00:00:00 GMT; path=/, .AspxAuthTT02=NEW; path=/",
        ".AspxAuthTT02=NEW; path=/, .ASPXAUTH=; expires=Tue, 12 Oct 1999 00:00:00 GMT; path=/",
    ],
)
def test_a_cookie_is_found_among_others(bench: Bench, header: str) -> None:
    """Answers carry several; ours is taken, and one that is empty is none."""
    key = element(bench)
    client, sandbox, _ = by_cookie(bench)
    bench.answers(200, path=LOGIN, headers={"Set-Cookie": header})

    client.read(key, content=False)

    # Altinn 2 does not know it, so the same call logs in anew.
    first, second = cookies(sandbox)
    assert first == ".AspxAuthTT02=NEW"
    assert second != first


def test_an_empty_renewal_is_read_again(bench: Bench) -> None:
    """200, a new cookie and no body: the same GET once more, with the new cookie."""
    bench.switch(cookie_renewal="empty_200_bug")
    key = element(bench)
    client, sandbox, _ = by_cookie(bench)
    client.read(key, content=False)
    bench.now += timedelta(minutes=20)

    found = client.read(key, content=False)

    _, old, new = cookies(sandbox)
    assert found.case.key == key.message_id
    assert (len(calls(bench, LOGIN)), old != new) == (1, True)


def test_an_empty_renewal_is_no_receipt(bench: Bench) -> None:
    """An update that is answered so was not done, however much 200 looks like it: it has to be looked at."""
    bench.switch(cookie_renewal="empty_200_bug")
    key = element(bench)
    client, sandbox, _ = by_cookie(bench)
    client.read(key, content=False)
    bench.now += timedelta(minutes=20)

    with pytest.raises(OutcomeUnknown):
        client.put(_order(key, AfterUpdate.SEND_TO_SIGNING))

    client.read(key, content=False)
    assert len(calls(bench, LOGIN)) == 1
    assert len(set(cookies(sandbox))) == 2


def test_a_full_renewal_is_a_receipt(bench: Bench) -> None:
    """Where renewal works, an update in its time is done and reported."""
    key = element(bench)
    client, _, _ = by_cookie(bench)
    client.read(key, content=False)
    bench.now += timedelta(minutes=20)

    client.put(_order(key))

    assert len(calls(bench, LOGIN)) == 1


@pytest.mark.parametrize("failure", ["403", "302_html", "200_html"])
def test_a_login_that_ran_out_begins_anew(bench: Bench, failure: str) -> None:
    """Where it is said in so many words the same call logs in, and else the one after it."""
    bench.switch(auth_failure=failure)
    key = element(bench)
    client, _, _ = by_cookie(bench)
    client.read(key, content=False)
    bench.now += timedelta(hours=2)

    with nullcontext() if failure == "403" else pytest.raises(UpstreamError):
        client.read(key, content=False)
    found = client.read(key, content=False)

    assert (found.case.key, len(calls(bench, LOGIN))) == (key.message_id, 2)


def test_a_host_is_the_same_in_capitals(bench: Bench) -> None:
    """An address from the settings may be written otherwise than on the wire."""
    key = element(bench)
    client, _, _ = by_cookie(bench, base="http://SANDBOX.test:80")

    found = client.read(key, content=False)

    assert found.case.key == key.message_id


def test_a_cookie_never_leaves_its_scheme(bench: Bench) -> None:
    """The same host without TLS, or another port, gets nothing."""
    login = CookieLogin(
        new_session(pool=1),
        "https://a.example/api",
        user=NAME,
        password=Secret(PASSWORD),
        enterprise=False,
        clock=lambda: bench.now,
    )

    for url in ("http://a.example/api", "https://a.example:8443/api"):
        with pytest.raises(Rejected, match="another host"):
            login(requests.Request("GET", url).prepare())


# The lockout


@pytest.mark.parametrize("status", ["401", "403", "400"])
def test_refused_logins_lock_the_login(bench: Bench, status: str) -> None:
    """Whatever status a refusal has; the right password still opens afterwards, so nobody is locked out."""
    bench.switch(login_failed_status=status)
    key = element(bench)
    client, _, _ = by_cookie(bench, "feil")

    found = refusals(client, key, 12)

    assert found == [("login_refused", int(status))] * 2 + [("login_locked", None)] * 10
    assert len(calls(bench, LOGIN)) == 2
    assert bench.world.altinn2.people.proven(NAME, PASSWORD, now=bench.now).name == NAME


@pytest.mark.parametrize("password", ["feil", PASSWORD])
def test_threads_share_one_lockout(bench: Bench, password: str) -> None:
    """Sixteen at once: two failed logins in all, or one that serves all."""
    key = element(bench)
    client, _, _ = by_cookie(bench, password)
    together = threading.Barrier(16)

    def read(_: int) -> str:
        together.wait(timeout=30)
        try:
            return client.read(key, content=False).case.key
        except CredentialsRefused as error:
            return error.reason

    with ThreadPoolExecutor(16) as pool:
        found = sorted(pool.map(read, range(16)))

    if password == PASSWORD:
        assert (found, len(calls(bench, LOGIN))) == ([key.message_id] * 16, 1)
    else:
        assert (found, len(calls(bench, LOGIN))) == (["login_locked"] * 14 + ["login_refused"] * 2, 2)


def test_exchanging_threads_share_one_lockout(bench: Bench) -> None:
    """Seven at once, each for scopes of its own: two exchanges in all."""
    registered(bench, enterprise=True)
    bench.switch(enterprise_user_exchange="works")
    client = bench.world.client
    session = new_session(pool=8, mounts={HOST: Wire(bench)})
    maskinporten = MaskinportenClient(
        session,
        authority_url=f"{HOST}/maskinporten",
        client_id=client.id,
        key=SigningKey(kid=client.key.kid, private=cast("RSAPrivateKey", client.key.key)),
        clock=lambda: bench.now,
    )
    tokens = PlatformTokens(
        session,
        platform_url=f"{HOST}/platform",
        maskinporten=maskinporten,
        clock=lambda: bench.now,
        enterprise_user=Secret(f"{NAME}:feil"),
    )
    scopes = sorted(client.scopes)[:3]
    wanted = [each for size in (1, 2, 3) for each in combinations(scopes, size)]
    together = threading.Barrier(len(wanted))

    def fetch(scopes: tuple[str, ...]) -> str:
        together.wait(timeout=30)
        with pytest.raises(CredentialsRefused) as caught:
            tokens.token(scopes)
        return caught.value.reason

    with ThreadPoolExecutor(len(wanted)) as pool:
        found = set(pool.map(fetch, wanted))

    assert (len(wanted), len(calls(bench, EXCHANGE))) == (7, 2)
    assert found - {"login_refused"} == {"login_locked"}


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_login_that_is_busy_stays_open(bench: Bench, status: int) -> None:
    """Answers that judge no password count for nothing, and are asked again later."""
    key = element(bench)
    client, _, _ = by_cookie(bench)
    bench.answers(status, path=LOGIN, times=3)

    for _ in range(3):
        with pytest.raises(Unreachable):
            client.read(key, content=False)

    assert client.read(key, content=False).case.key == key.message_id


@pytest.mark.parametrize("shutdown", ["410", "html_landing"])
def test_a_login_to_the_closed_system_is_gone(bench: Bench, shutdown: str) -> None:
    """The sender learns that the back end is gone; the element is not called missing, the password not wrong."""
    key = element(bench)
    client, _, _ = by_cookie(bench)
    bench.switch(shutdown=shutdown)

    for _ in range(3):
        with pytest.raises(Rejected) as caught:
            client.read(key, content=False)
        assert not isinstance(caught.value, Missing)
        assert problem_for(caught.value.reason).code == "upstream_gone"

    bench.switch(shutdown="off")
    assert client.read(key, content=False).case.key == key.message_id


def test_a_login_not_found_is_no_missing_element(bench: Bench) -> None:
    """404 for the login speaks of the address in the settings, not of anybody's element."""
    key = element(bench)
    client, _, _ = by_cookie(bench)
    bench.answers(404, path=LOGIN)

    with pytest.raises(CredentialsRefused) as caught:
        client.read(key, content=False)

    assert not isinstance(caught.value, Missing)
    assert problem_for(caught.value.reason).code == "upstream_refused"


def test_a_success_takes_refusals_back(bench: Bench) -> None:
    """One failure, a success and one more failure are not two in a row."""
    key = element(bench)
    client, _, _ = by_cookie(bench)
    bench.answers(401, path=LOGIN)

    first = refusals(client, key, 1)
    client.read(key, content=False)
    bench.now += timedelta(hours=2)
    bench.answers(401, path=LOGIN)
    second = refusals(client, key, 1)

    assert (first, second) == ([("login_refused", 401)], [("login_refused", 401)])
    assert client.read(key, content=False).case.key == key.message_id


# Secrets


@pytest.mark.parametrize("way", ["password", "enterprise_user"])
@pytest.mark.parametrize("trouble", ["refused", "cut", "long", "gone"])
def test_a_failed_login_tells_no_secret(bench: Bench, tmp_path: Path, way: str, trouble: str) -> None:
    """No name, password or code of both in logs, representations or exceptions, whatever goes wrong."""
    registered(bench, enterprise=way != "password")
    bench.switch(enterprise_user_exchange="works")
    path = LOGIN if way == "password" else EXCHANGE
    coded = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    match trouble:
        case "refused":
            bench.answers(401, PASSWORD, path=path, reason="Refused", times=None)
        case "cut":
            bench.world.faults.plan(How(cut="after"), path=path, times=None)
        case "long":
            bench.answers(400, f"{NAME} {PASSWORD} {coded}" * 10, path=path, reason=PASSWORD, times=None)
        case _:
            bench.answers(410, PASSWORD, path=path, times=None)
    key = element(bench)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    try:
        with (
            structlog.testing.capture_logs() as logs,
            wired(bench, tmp_path, way) as (client, _),
            pytest.raises(UpstreamError) as caught,
        ):
            client.read(key, content=False)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    told = [stream.getvalue(), repr(logs), repr(caught.value), *traceback.format_exception(caught.value)]
    cause = caught.value.__cause__
    text = "\n".join([*told, repr(vars(caught.value)), repr(cause), repr(getattr(cause, "args", ()))])
    assert not [each for each in (NAME, PASSWORD, coded) if each in text]


def test_a_login_shows_no_secret(bench: Bench) -> None:
    """Neither before nor after it has a cookie."""
    key = element(bench)
    client, sandbox, login = by_cookie(bench)
    client.read(key, content=False)

    text = f"{login!r} {login} {client!r} {vars(login)['_password']!r}"

    secret = cookies(sandbox)[0].partition("=")[2]
    assert not [each for each in (NAME, PASSWORD, secret) if each in text]


def test_a_cookie_stays_out_of_errors(bench: Bench) -> None:
    """A call that breaks off with the cookie on it says nothing of it."""
    key = element(bench)
    client, sandbox, login = by_cookie(bench)
    client.read(key, content=False)
    secret = cookies(sandbox)[0].partition("=")[2]
    bench.world.faults.plan(How(cut="after"), path=key.message_id, times=None)
    session = new_session(pool=1, mounts={HOST: sandbox})
    url = f"{HOST}/altinn2/api/310000019/messages/{key.message_id}"

    with pytest.raises(Unreachable) as caught:
        call(session, "GET", url, system="Altinn 2", writes=False, auth=login)

    text = "\n".join([*traceback.format_exception(caught.value), repr(caught.value.__cause__)])
    assert secret not in text
