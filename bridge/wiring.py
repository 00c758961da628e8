"""Settings become a Bridge, here and nowhere else."""

import os
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import requests
from requests.adapters import BaseAdapter

from bridge.adapters.altinn2 import Altinn2Client
from bridge.adapters.dialog_tokens import KeyStore
from bridge.adapters.dialogporten import DialogportenClient
from bridge.adapters.mapping_files import load_mappings
from bridge.adapters.maskinporten import MaskinportenAuth, MaskinportenClient, PlatformAuth, PlatformTokens, signing_key
from bridge.adapters.transport import check_urllib3, new_session
from bridge.core.clock import Clock
from bridge.core.ids import uuid7
from bridge.core.retry import RetryPolicy
from bridge.engine import Queue, prepare
from bridge.forms.reading import Limits
from bridge.forms.xsd import SchemaRegistry
from bridge.metrics import Metrics
from bridge.parts import Bridge, Finished
from bridge.settings import Settings
from bridge.storage.store import Store, migrate, open_database

DIALOGPORTEN_SCOPES = ("digdir:dialogporten.serviceprovider",)
ALTINN2_SCOPES = ("altinn:instances.read", "altinn:instances.write")
LONGEST_RETRY = timedelta(minutes=5)


def utc_now() -> datetime:
    """Give the present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What tests put in the place of clock, chance and network."""

    clock: Clock = utc_now
    spread: Callable[[], float] = random.random
    entropy: Callable[[int], bytes] = os.urandom
    mounts: Mapping[str, BaseAdapter] | None = None


def prepare_database(settings: Settings) -> None:
    """Bring the tables, ours and the engine's, to the present version."""
    engine = open_database(settings.database_url, pool=2)
    try:
        migrate(engine)
        prepare(engine)
    finally:
        engine.dispose()


def wire(settings: Settings, surroundings: Surroundings | None = None) -> Bridge:
    """
    Put the parts together. Nothing is called over the network yet.

    Raises:
        ConfigurationError: A mapping or schema cannot be used; every fault at once.
    """
    around = surroundings or Surroundings()
    check_urllib3()
    schemas = SchemaRegistry(settings.schemas, Limits(max_bytes=settings.max_form))
    # Compiled at start, so that the first citizen does not wait for it.
    mappings = load_mappings(settings.mappings, settings.schemas, schema_faults=schemas.faults)
    engine = open_database(settings.database_url, pool=settings.threads)
    store = Store(engine)
    metrics = Metrics()

    def session() -> requests.Session:
        made = new_session(pool=settings.threads, mounts=around.mounts or {})
        made.hooks["response"].append(_measure(metrics, settings))
        return made

    maskinporten = MaskinportenClient(
        session(),
        authority_url=settings.maskinporten_url,
        client_id=settings.maskinporten_client_id,
        key=signing_key(settings.maskinporten_key.reveal()),
        clock=around.clock,
    )
    platform = PlatformTokens(
        session(), platform_url=settings.platform_url, maskinporten=maskinporten, clock=around.clock
    )
    issuer_session = session()

    def look(waiting: Sequence[UUID]) -> set[UUID]:
        with store.reading() as tx:
            return tx.finished_among(waiting)

    return Bridge(
        settings=settings,
        mappings=mappings,
        schemas=schemas,
        keys=KeyStore(issuer_session, issuer=settings.dialogporten_issuer, clock=around.clock),
        store=store,
        queue=Queue(engine),
        altinn2=Altinn2Client(
            session(),
            base_url=settings.altinn2_url,
            api_key=settings.altinn2_api_key,
            auth=PlatformAuth(platform, scopes=ALTINN2_SCOPES, base_url=settings.altinn2_url),
            clock=around.clock,
            timeout=settings.upstream_timeout,
            put_timeout=settings.altinn2_put_timeout,
        ),
        dialogporten=DialogportenClient(
            session(),
            base_url=settings.dialogporten_url,
            auth=MaskinportenAuth(maskinporten, scopes=DIALOGPORTEN_SCOPES, base_url=settings.dialogporten_url),
            clock=around.clock,
            timeout=settings.upstream_timeout,
        ),
        retry=RetryPolicy(
            first=timedelta(seconds=settings.retry_first),
            longest=LONGEST_RETRY,
            give_up_after=timedelta(seconds=settings.give_up_after),
        ),
        settle=timedelta(seconds=settings.altinn2_settle),
        finished=Finished(look, places=settings.max_waiting),
        metrics=metrics,
        clock=around.clock,
        spread=around.spread,
        new_id=lambda: uuid7(around.clock(), around.entropy(10)),
        wake=lambda: None,
        holder=secrets.token_hex(8),
    )


def _measure(metrics: Metrics, settings: Settings) -> Callable[..., None]:
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

    return measure
