"""What all systems of the sandbox share: time, chance, switches, keys, who may call, and what was done to them."""

import functools
import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge.sandbox.core import identities
from bridge.sandbox.core.jose import SigningKey
from bridge.sandbox.core.ledger import CallLog, Faults, Ledger
from bridge.sandbox.core.rng import Chance
from bridge.sandbox.core.switches import Switches, Value

SERVICE_OWNER_SCOPES = frozenset(
    {
        "altinn:enduser",
        "altinn:instances.meta",
        "altinn:instances.read",
        "altinn:instances.write",
        "altinn:reportees",
        "altinn:serviceowner",
        "altinn:serviceowner/instances.read",
        "altinn:serviceowner/instances.write",
        "digdir:dialogporten.serviceprovider",
        "digdir:dialogporten.serviceprovider.search",
    }
)
MAY_BE_ASKED_FOR = SERVICE_OWNER_SCOPES | {
    "digdir:dialogporten.correspondence",
    "digdir:dialogporten.serviceprovider.legacyhtml",
}
"""What a client is given who asks for it; the further ones are there to try what a setting is for."""
MAINTENANCE = frozenset({"altinn2_maintenance_seconds", "dialogporten_maintenance_seconds"})
"""The switches that count down by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A service owner: its number and its short code."""

    number: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client registered with Maskinporten: whose it is, its key, and what it may ask for."""

    id: str
    organisation: Organisation
    key: SigningKey
    scopes: frozenset[str]

    def may_have(self, scopes: Iterable[str]) -> bool:
        """Whether it may ask for all of *scopes*; ``*`` among its own is any."""
        return "*" in self.scopes or self.scopes.issuperset(scopes)


class CoreWorld:
    """
    The part of the world that no system owns; each system adds its own state in a ``world.py`` beside it.

    So a system knows its own state and this, and only ``World``, which has them all, knows all systems.
    """

    own_client_id: str
    """Set by ``World`` after the systems' own draws: a seed gives the ids that it always gave."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        seed: int,
        switches: Switches,
        *,
        sleep: Callable[[float], None],
    ) -> None:
        self.clock, self.seed, self.sleep = clock, seed, sleep
        self.switches = switches
        self._down_since = dict.fromkeys(MAINTENANCE, clock())
        self.chance = Chance(seed)
        self.ledger = Ledger(clock)
        self.calls = CallLog()
        self.faults = Faults()
        self.owner = Organisation(number=identities.organisation_number(self.chance.below), code="ttd")
        self.clients: dict[str, Client] = {}
        self.used_grants: set[tuple[str, str]] = set()
        self._organisations: list[Organisation] = []
        self._lock = threading.Lock()

    @property
    def client(self) -> Client:
        """The client that the bridge under test is."""
        return self.clients.get(self.own_client_id) or self.register_client(self.owner, client_id=self.own_client_id)

    def register_client(
        self,
        organisation: Organisation,
        scopes: frozenset[str] = MAY_BE_ASKED_FOR,
        *,
        client_id: str | None = None,
    ) -> Client:
        """Register a client of *organisation* with Maskinporten and give it a key."""
        client_id = client_id or str(self.chance.uuid4())
        # Worlds share the key of the bridge's client, for the sake of fast tests.
        own = client_id == self.own_client_id
        client = Client(
            id=client_id,
            organisation=organisation,
            key=SigningKey(kid=f"client-{client_id[:8]}", key=_rsa_key("client" if own else client_id)),
            scopes=scopes,
        )
        with self._lock:
            return self.clients.setdefault(client_id, client)

    def grant(self, client_id: str, scopes: Iterable[str]) -> Client:
        """
        Let a client ask for further *scopes*; ``*`` is any.

        Raises:
            KeyError: There is no such client.
        """
        client = self.client if client_id == self.own_client_id else self.clients[client_id]
        with self._lock:
            self.clients[client_id] = replace(client, scopes=client.scopes | frozenset(scopes))
            return self.clients[client_id]

    def organisation(self, number: str) -> Organisation | None:
        """A service owner by its number, or by its code: ours, one that has a client, or one that is known."""
        clients = (client.organisation for client in tuple(self.clients.values()))
        known = [self.owner, *clients, *tuple(self._organisations)]
        return next((each for each in known if number in (each.number, each.code)), None)

    def know(self, organisation: Organisation) -> Organisation:
        """Have a service owner be known that has no client."""
        with self._lock:
            self._organisations.append(organisation)
        return organisation

    def change_switches(self, **changes: Value) -> Switches:
        """
        Throw switches; calls under way may still see the old ones.

        Raises:
            UnknownSwitch: No such switch or value; nothing is changed.
        """
        with self._lock:
            self.switches = self.switches.changed(**changes)
            self._down_since |= dict.fromkeys(MAINTENANCE & changes.keys(), self.clock())
            return self.switches

    def down_for(self, switch: str) -> float:
        """For how many seconds more a system is down, by its switch: they count from when it was thrown."""
        passed = (self.clock() - self._down_since[switch]).total_seconds()
        return max(0.0, float(getattr(self.switches, switch)) - passed)

    def switches_now(self) -> Switches:
        """The switches with what is left of those that count down."""
        return replace(self.switches, **{each: self.down_for(each) for each in MAINTENANCE})  # type: ignore[arg-type]

    def key(self, issuer: str) -> SigningKey:
        """The key of an issuer: RSA for ``maskinporten``, ``platform`` and ``idporten``, else Ed25519."""
        if issuer in ("maskinporten", "platform", "idporten"):
            return SigningKey(kid=f"sandbox-{issuer}", key=_rsa_key(issuer))
        return _ed25519_key(self.seed, issuer)

    def use_grant(self, client_id: str, jti: str) -> bool:
        """Remember the use of a grant; true for the first one."""
        with self._lock:
            if (client_id, jti) in self.used_grants:
                return False
            self.used_grants.add((client_id, jti))
            return True

    def new_person(self) -> str:
        """Invent a national identity number that nobody can have."""
        return identities.person_number(self.chance.below)

    def new_organisation(self, code: str = "tst") -> Organisation:
        """Invent an organisation."""
        return Organisation(number=identities.organisation_number(self.chance.below), code=code)


@functools.cache
def _rsa_key(purpose: str) -> rsa.RSAPrivateKey:  # noqa: ARG001 - one key for each purpose and process
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.lru_cache(maxsize=64)
def _ed25519_key(seed: int, name: str) -> SigningKey:
    material = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return SigningKey(
        kid=f"sandbox-{name}-{material.hex()[:6]}",
        key=Ed25519PrivateKey.from_private_bytes(hashlib.sha256(material).digest()),
    )
