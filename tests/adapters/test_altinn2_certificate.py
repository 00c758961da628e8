"""Logging in with a certificate over real TLS: a server on loopback that demands one of its own authority."""

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from requests.adapters import HTTPAdapter
from werkzeug.serving import WSGIRequestHandler, make_server

from bridge.adapters.altinn2 import Altinn2Client
from bridge.config.settings import Settings
from bridge.core.errors import CredentialsRefused, Unreachable
from bridge.sandbox.altinn2.people import User
from bridge.sandbox.control import settings as sandbox_settings
from bridge.sandbox.server import create_wsgi
from bridge.wiring import Overrides, prepare_database, wire

from .test_altinn2 import Bench

LOGIN = "/authentication/authenticatewithpassword"
PASSWORD = "Blåbær:7/kjøtt"
SHOWN = "HTTP_X_SANDBOX_CLIENT_CERTIFICATE"
_KEY_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


class Authority:
    """Signs certificates; everything it makes lies in *folder*."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        # From Python 3.13 on, an authority has to say that it may sign certificates.
        signs = x509.KeyUsage(**dict.fromkeys(_KEY_USES, False) | {"key_cert_sign": True})
        made = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0), signs)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made)

    def certificate(self, name: str, *, number: str = "", host: str | None = None) -> Path:
        """Key and certificate in one file: of the organisation with *number*, or of a server at *host*."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name),
                *([x509.NameAttribute(NameOID.SERIAL_NUMBER, number)] if number else []),
            ]
        )
        use = ExtendedKeyUsageOID.CLIENT_AUTH if host is None else ExtendedKeyUsageOID.SERVER_AUTH
        more: list[x509.ExtensionType] = [x509.ExtendedKeyUsage([use])]
        if host is not None:
            more.append(x509.SubjectAlternativeName([x509.DNSName(host)]))
        made = self._signed(subject, key, x509.BasicConstraints(ca=False, path_length=None), *more)
        path = self._folder / f"{name}.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made)
        return path

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        mine, theirs = self._key.public_key(), key.public_key()
        for each in (
            *extensions,
            x509.SubjectKeyIdentifier.from_public_key(theirs),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(mine),
        ):
            builder = builder.add_extension(each, critical=isinstance(each, x509.BasicConstraints | x509.KeyUsage))
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


class Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """A refused handshake is what some tests are about."""


class Server:
    """The sandbox behind TLS; whose certificate the handshake proved is the only thing that it believes."""

    def __init__(self, bench: Bench, authority: Authority) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate("server", host="localhost"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.file)
        self.proved: list[str] = []
        self._server = make_server("localhost", 0, self._answer, True, request_handler=Quiet, ssl_context=context)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"https://localhost:{self._server.port}"
        self._app = create_wsgi(bench.world, self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        subject = x509.load_pem_x509_certificate(environ["SSL_CLIENT_CERT"].encode()).subject
        environ[SHOWN] = str(subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value)
        self.proved.append(environ[SHOWN])
        return self._app(environ, start_response)


class Trusting(HTTPAdapter):
    """As the bridge's own connections, but for the authority that they trust."""

    def __init__(self, authority: Path) -> None:
        super().__init__()
        self._authority = str(authority)

    def send(self, request: Any, *_: Any, **how: Any) -> Any:
        return super().send(request, **{**how, "verify": self._authority})


@dataclass(frozen=True, slots=True)
class Place:
    bench: Bench
    server: Server
    authority: Authority
    folder: Path

    @contextmanager
    def client(self, pem: Path) -> Iterator[Altinn2Client]:
        """The client as the settings make it, with nothing between it and the socket."""
        settings = Settings.from_environ(
            {
                **sandbox_settings(self.bench.world, self.server.url),
                "BRIDGE_DATABASE_URL": f"sqlite:///{self.folder}/bridge.sqlite",
                "BRIDGE_ALTINN2_LOGIN": "certificate",
                "BRIDGE_ALTINN2_USER": "virksomhetsbruker",
                "BRIDGE_ALTINN2_PASSWORD": PASSWORD,
                "BRIDGE_ALTINN2_CERTIFICATE": str(pem),
            }
        )
        prepare_database(settings)
        mounts = {"https://": Trusting(self.authority.file)}
        bridge = wire(settings, Overrides(clock=lambda: self.bench.now, mounts=mounts))
        try:
            yield bridge.altinn2
        finally:
            bridge.altinn2._connection._session.close()
            bridge.queue.close()
            bridge.store.engine.dispose()

    def logins(self) -> int:
        return sum(each.path.endswith(LOGIN) for each in self.bench.world.calls.all())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    bench, authority = Bench(), Authority(tmp_path, "authority")
    number = bench.world.owner.number
    user = User(name="virksomhetsbruker", password=PASSWORD, party=number, enterprise=True)
    bench.world.altinn2.people.register(user)
    server = Server(bench, authority)
    yield Place(bench, server, authority, tmp_path)
    server.stop()


def test_a_handshake_logs_an_enterprise_user_in(place: Place) -> None:
    """The server asks for a certificate, the handshake proves whose it is, and the cookie serves afterwards."""
    number = place.bench.world.owner.number
    key = replace(place.bench.element(), who="my")

    with place.client(place.authority.certificate("virksomhet", number=number)) as client:
        found = [client.read(key, content=False).case for _ in range(2)]

    assert found == [key.case, key.case]
    assert set(place.server.proved) == {number}
    assert place.logins() == 1


def test_another_organisations_certificate_is_refused(place: Place) -> None:
    """The handshake holds, and Altinn 2 says no: twice, and no more, for the next process either."""
    key = replace(place.bench.element(), who="my")
    pem = place.authority.certificate("annen", number="310000019")

    found = []
    for _ in range(3):
        with place.client(pem) as client, pytest.raises(CredentialsRefused) as caught:
            client.read(key, content=False)
        found.append(caught.value.reason)

    assert found == ["login_refused", "login_refused", "login_locked"]
    assert place.logins() == 2


@pytest.mark.parametrize("whose", ["another authority", "one that has the name of ours"])
def test_a_refused_handshake_counts_for_nothing(place: Place, whose: str) -> None:
    """What ends in the handshake never reached the login, and is tried again once it is mended."""
    number = place.bench.world.owner.number
    key = replace(place.bench.element(), who="my")
    (place.folder / "other").mkdir()
    other = Authority(place.folder / "other", "authority" if whose.startswith("one") else "another")

    for _ in range(3):
        with place.client(other.certificate("virksomhet", number=number)) as client, pytest.raises(Unreachable):
            client.read(key, content=False)
    with place.client(place.authority.certificate("virksomhet", number=number)) as client:
        found = client.read(key, content=False)

    assert found.case == key.case
    assert place.logins() == 1


def test_an_unknown_server_is_told_no_password(place: Place, tmp_path: Path) -> None:
    """A server whose certificate nobody vouches for gets no request at all."""
    (tmp_path / "ours").mkdir()
    ours = Authority(tmp_path / "ours", "ours")
    key = replace(place.bench.element(), who="my")
    pem = place.authority.certificate("virksomhet", number=place.bench.world.owner.number)

    with replace(place, authority=ours).client(pem) as client, pytest.raises(Unreachable):
        client.read(key, content=False)

    assert place.server.proved == []
