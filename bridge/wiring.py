"""Settings become a Bridge, here and nowhere else."""

import base64
import hashlib
import os
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never
from uuid import UUID

import requests
import sqlalchemy as sa
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from bridge.adapters.altinn2 import Altinn2Client
from bridge.adapters.altinn2.login import CookieLogin
from bridge.adapters.altinn2.metadata import MetadataClient, MetadataFiles
from bridge.adapters.altinn2.services import KnownServices
from bridge.adapters.apps.client import AppClient
from bridge.adapters.apps.connections import app_mounts
from bridge.adapters.dialogporten.keys import KeyStore
from bridge.adapters.dialogporten.owner import DialogportenClient
from bridge.adapters.dialogporten.search import DialogSearch
from bridge.adapters.http.certificates import certificate_fault
from bridge.adapters.http.session import check_urllib3, new_session
from bridge.adapters.maskinporten.auth import MaskinportenAuth, PlatformAuth
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.adapters.maskinporten.keys import signing_key
from bridge.config.mapping_limits import beyond
from bridge.config.mappings import MappingFaults, load_mappings
from bridge.config.routes import Routes, load_routes, unguarded
from bridge.config.setting_choices import Altinn2Login, WorkerMode
from bridge.config.settings import Settings
from bridge.core.calculations import HttpDialect
from bridge.core.clock import Clock
from bridge.core.errors import ConfigurationError, Fault
from bridge.core.ids import uuid7
from bridge.core.mapping import ServiceMapping
from bridge.core.retry import RetryPolicy
from bridge.core.secret import Secret
from bridge.engine import Queue, prepare
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.metrics import Metrics
from bridge.parts import Bridge, CompletionWaiter, Uploading
from bridge.rooms import Rooms
from bridge.steps.drivers.registry import DRIVERS
from bridge.storage.alarms import Alarms
from bridge.storage.database import migrate, open_database
from bridge.storage.lockouts import StoredLockout
from bridge.storage.opening import unopened
from bridge.storage.pauses import StoredPause
from bridge.storage.store import Store
from bridge.storage.watch import StoreWatch

DIALOGPORTEN_SCOPES = ("digdir:dialogporten.serviceprovider",)
SEARCH_SCOPES = (*DIALOGPORTEN_SCOPES, "digdir:dialogporten.serviceprovider.search")
ALTINN2_SCOPES = ("altinn:instances.read", "altinn:instances.write")
LONGEST_RETRY = timedelta(minutes=5)
ACCEPTING = {WorkerMode.EMBEDDED: 2, WorkerMode.SEPARATE: 4}
"""Presses that one process writes down at once: fewer beside a worker, and fewer than there are connections."""
METADATA_WITHIN = 5.0
"""Seconds that Altinn 2's metadata is waited for: it helps, and nothing depends on it."""


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What tests put in the place of clock, chance and network."""

    clock: Clock = utc_now
    jitter: Callable[[], float] = random.random
    entropy: Callable[[int], bytes] = os.urandom
    mounts: Mapping[str, BaseAdapter] | None = None


def prepare_database(settings: Settings) -> None:
    """
    Bring the tables, ours and the engine's, to the present version.

    Raises:
        ConfigurationError: The address is wrong, or the tables are a newer release's.
        Unreachable: The database is away.
    """
    engine = open_database(settings.database_url, pool=2)
    try:
        migrate(engine)
        prepare(engine)
    except sa.exc.SQLAlchemyError as error:
        raise unopened(error) from error
    finally:
        engine.dispose()


def wire(settings: Settings, surroundings: Overrides | None = None) -> Bridge:
    """
    Put the parts together. Nothing is called over the network yet.

    Raises:
        ConfigurationError: A mapping or schema cannot be used; every fault at once.
    """
    around = surroundings or Overrides()
    check_urllib3()
    if faults := credential_faults(settings):
        raise ConfigurationError(faults)
    schemas = SchemaRegistry(settings.schemas, _limits(settings))
    # Compiled at start, so that the first citizen does not wait for it.
    routes = _routes(settings, schemas)
    mappings = _mappings(settings, schemas, may_be_empty=bool(routes))
    schemas.prepare()
    engine = open_database(settings.database_url, pool=settings.database_pool)
    store = Store(engine)
    metrics = Metrics()
    alarms = Alarms(store, clock=around.clock)
    clients = _Clients(settings, around, store=store, metrics=metrics, alarms=alarms)
    return Bridge(
        settings=settings,
        mappings=mappings,
        schemas=schemas,
        keys=clients.keys(),
        store=store,
        watch=StoreWatch(store, clock=around.clock, worker_silent=timedelta(seconds=settings.worker_silent)),
        queue=Queue(engine),
        services=clients.services(),
        altinn2=clients.altinn2(),
        dialogporten=clients.dialogporten(),
        search=clients.search(),
        apps=clients.apps(),
        routes=routes,
        retry=_retry(settings),
        settle=timedelta(seconds=settings.altinn2_settle),
        late=timedelta(seconds=settings.altinn2_late),
        finished=CompletionWaiter(_finished_in(store), places=settings.max_waiting),
        uploading=Uploading(secrets.token_hex(8)),
        rooms=_rooms(settings, apps=len(routes)),
        metrics=metrics,
        alarms=alarms,
        clock=around.clock,
        jitter=around.jitter,
        new_id=lambda: uuid7(around.clock(), around.entropy(10)),
        new_secret=lambda: base64.urlsafe_b64encode(around.entropy(32)).rstrip(b"=").decode(),
        wake=lambda: None,
        holder=secrets.token_hex(8),
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_bytes=settings.max_form,
        max_markup=settings.max_form_markup,
        max_depth=settings.max_form_depth,
        max_findings=settings.max_findings,
        max_seconds=settings.max_form_seconds,
    )


def _retry(settings: Settings) -> RetryPolicy:
    return RetryPolicy(
        first=timedelta(seconds=settings.retry_first),
        longest=LONGEST_RETRY,
        give_up_after=timedelta(seconds=settings.give_up_after),
    )


def _rooms(settings: Settings, *, apps: int) -> Rooms:
    return Rooms(
        threads=settings.threads,
        apps=apps,
        accepting=ACCEPTING[settings.worker],
        bodies=settings.max_bodies,
    )


def _finished_in(store: Store) -> Callable[[Sequence[UUID]], set[UUID]]:
    """How those operations are found that are finished, among some that are waited for."""

    def look(waiting: Sequence[UUID]) -> set[UUID]:
        with store.reading() as tx:
            return tx.finished_among(waiting)

    return look


class _Clients:
    """The systems that the bridge calls, each with sessions of its own; the tokens are made once for all."""

    def __init__(
        self, settings: Settings, around: Overrides, *, store: Store, metrics: Metrics, alarms: Alarms
    ) -> None:
        self._settings, self._around, self._store = settings, around, store
        self._metrics, self._alarms, self._clock = metrics, alarms, around.clock
        self._maskinporten = MaskinportenClient(
            self._session(),
            authority_url=settings.maskinporten_url,
            client_id=settings.maskinporten_client_id,
            key=signing_key(settings.maskinporten_key.reveal()),
            clock=self._clock,
        )
        self._platform = PlatformTokens(
            self._session(),
            platform_url=settings.platform_url,
            maskinporten=self._maskinporten,
            clock=self._clock,
        )

    def _session(self) -> requests.Session:
        made = new_session(pool=self._settings.threads, mounts=self._around.mounts or {})
        made.hooks["response"].append(_measure(self._metrics, self._alarms, self._settings))
        return made

    def keys(self) -> KeyStore:
        """The keys with which Dialogporten signs its tokens."""
        return KeyStore(self._session(), issuer=self._settings.dialogporten_issuer, clock=self._clock)

    def services(self) -> KnownServices:
        """What is known of Altinn 2's services."""
        settings = self._settings
        return KnownServices(
            # Open to all, so that no key, token, cookie or certificate is shown for it.
            MetadataClient(self._session(), settings.altinn2_url, clock=self._clock, timeout=METADATA_WITHIN),
            MetadataFiles(settings.altinn2_metadata),
            clock=self._clock,
        )

    def altinn2(self) -> Altinn2Client:
        """Altinn 2, logged in to the way that the settings say."""
        settings, session = self._settings, self._session()
        if settings.altinn2_certificate is not None:
            session.cert = str(settings.altinn2_certificate)
        return Altinn2Client(
            session,
            base_url=settings.altinn2_url,
            api_key=settings.altinn2_api_key,
            auth=self._altinn2_auth(session),
            clock=self._clock,
            timeout=settings.upstream_timeout,
            put_timeout=settings.altinn2_put_timeout,
            pause=StoredPause(self._store, system="altinn2", url=settings.altinn2_url, clock=self._clock),
        )

    def _altinn2_auth(self, session: requests.Session) -> AuthBase:
        """What logs in to Altinn 2, of whose own calls *session* is (facts/altinn2.md 1.6)."""
        settings = self._settings
        lockout = login_lockout(settings, self._store, self._clock)
        user, password = settings.altinn2_user or "", settings.altinn2_password or Secret("")
        match settings.altinn2_login:
            case Altinn2Login.ORGANISATION:
                return PlatformAuth(self._platform, scopes=ALTINN2_SCOPES, base_url=settings.altinn2_url)
            case Altinn2Login.ENTERPRISE_USER:
                tokens = PlatformTokens(
                    self._session(),
                    platform_url=settings.platform_url,
                    maskinporten=self._maskinporten,
                    clock=self._clock,
                    enterprise_user=Secret(f"{user}:{password.reveal()}"),
                    lockout=lockout,
                )
                return PlatformAuth(tokens, scopes=ALTINN2_SCOPES, base_url=settings.altinn2_url)
            case Altinn2Login.PASSWORD | Altinn2Login.CERTIFICATE:
                return CookieLogin(
                    session,
                    settings.altinn2_url,
                    user=user,
                    password=password,
                    enterprise=settings.altinn2_login is Altinn2Login.CERTIFICATE,
                    clock=self._clock,
                    timeout=settings.upstream_timeout,
                    lockout=lockout,
                )
            case _:
                assert_never(settings.altinn2_login)

    def dialogporten(self) -> DialogportenClient:
        """Dialogporten, as the service owner calls it."""
        return DialogportenClient(
            self._session(),
            base_url=self._settings.dialogporten_url,
            auth=self._dialogporten_auth((*DIALOGPORTEN_SCOPES, *self._settings.dialogporten_scopes)),
            clock=self._clock,
            timeout=self._settings.upstream_timeout,
        )

    def search(self) -> DialogSearch:
        """Dialogporten's search, which has a scope of its own."""
        return DialogSearch(
            self._session(),
            self._settings.dialogporten_url,
            auth=self._dialogporten_auth(SEARCH_SCOPES),
            clock=self._clock,
            timeout=self._settings.upstream_timeout,
        )

    def _dialogporten_auth(self, scopes: tuple[str, ...]) -> MaskinportenAuth:
        return MaskinportenAuth(self._maskinporten, scopes=scopes, base_url=self._settings.dialogporten_url)

    def apps(self) -> AppClient:
        """The apps, each over connections of its own."""
        settings, metrics = self._settings, self._metrics
        mounts = {**app_mounts(pool=settings.threads), **(self._around.mounts or {})}
        return AppClient(
            new_session(pool=settings.threads, mounts=mounts),
            url=settings.altinn3_apps_url,
            tokens=self._platform,
            clock=self._clock,
            timeout=settings.upstream_timeout,
            verbs_seen=lambda app, verbs: _show_verbs(metrics, app, verbs),
            answered=lambda method, status, seconds: metrics.upstream.labels(
                "apps", method, f"{status // 100}xx"
            ).observe(seconds),
        )


def mapping_faults_of(schemas: SchemaRegistry, *, max_attachment: int, max_body: int) -> MappingFaults:
    """How a mapping is held against what lies around it: its schemas, and the sizes that the settings let pass."""
    sizes = beyond(max_attachment=max_attachment, max_body=max_body)
    return lambda mapping: (*schemas.mapping_faults(mapping), *sizes(mapping))


def credential_faults(settings: Settings) -> list[Fault]:
    """The faults of keys and certificates that the settings name; what these hold is told in none of them."""
    faults: list[Fault] = []
    try:
        signing_key(settings.maskinporten_key.reveal())
    except ConfigurationError as error:
        faults += error.faults
    pem = settings.altinn2_certificate
    if pem is not None and (why := certificate_fault(pem)) is not None:
        faults.append(Fault(where="BRIDGE_ALTINN2_CERTIFICATE", message=f"{pem}: {why}"))
    return faults


def login_lockout(settings: Settings, store: Store, clock: Clock) -> StoredLockout:
    """The lockout of the login that the settings say; another certificate is another login, too."""
    about = f"{settings.altinn2_login.value} at {settings.altinn2_url}"
    user, password = settings.altinn2_user or "", settings.altinn2_password or Secret("")
    pem = settings.altinn2_certificate
    shown = "" if pem is None else hashlib.sha256(pem.read_bytes()).hexdigest()
    return StoredLockout(store, about=about, secret=f"{user}:{password.reveal()}{shown}", clock=clock)


def _mappings(settings: Settings, schemas: SchemaRegistry, *, may_be_empty: bool) -> Mapping[str, ServiceMapping]:
    """The mappings, held against their schemas. Raises ConfigurationError."""
    return load_mappings(
        settings.mappings,
        settings.schemas,
        targets=DRIVERS,
        schema_faults=schemas.faults,
        schema_digest=schemas.digest,
        schema_root=schemas.root_fault,
        mapping_faults=mapping_faults_of(
            schemas, max_attachment=settings.altinn2_max_attachment, max_body=settings.max_body
        ),
        may_be_empty=may_be_empty,
    )


def _routes(settings: Settings, schemas: SchemaRegistry) -> Routes:
    """The routes, with their schemas compiled. Raises ConfigurationError."""
    routes = load_routes(settings.routes, schemas)
    faults = [] if settings.proxy_key else list(unguarded(routes.values()))
    if faults:
        raise ConfigurationError(faults)
    return routes


def _show_verbs(metrics: Metrics, app: str, verbs: str) -> None:
    for each in HttpDialect:
        metrics.app_verbs.labels(app, each.name_in_words).set(each.name_in_words == verbs)


_CALLED: Mapping[str, str] = {
    "altinn2": "Altinn 2",
    "dialogporten": "Dialogporten",
    "maskinporten": "Maskinporten",
    "platform": "Altinn",
}
"""What errors call the systems that metrics name."""


def _measure(metrics: Metrics, alarms: Alarms, settings: Settings) -> Callable[..., None]:
    names = {
        settings.altinn2_url: "altinn2",
        settings.dialogporten_url: "dialogporten",
        settings.maskinporten_url: "maskinporten",
        settings.platform_url: "platform",
    }

    def measure(response: requests.Response, *_: object, **__: object) -> None:
        system = next((name for url, name in names.items() if (response.url or "").startswith(url)), "other")
        metrics.upstream.labels(system, response.request.method or "", f"{response.status_code // 100}xx").observe(
            response.elapsed.total_seconds()
        )
        shown = {"Authorization", "Cookie"} & set(response.request.headers)
        if response.status_code < 300 and (shown or response.request.method == "POST"):
            alarms.taken(_CALLED.get(system, system))

    return measure
