"""What the tests of the sandbox share: a world that stands still, sessions into it, and things to put there."""

import base64
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import requests

from bridge.sandbox.core.jose import private_jwk
from bridge.sandbox.core.switches import Switches
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.core.world import SERVICE_OWNER_SCOPES, Organisation
from bridge.sandbox.in_process import BASE_URL, SandboxAdapter
from bridge.sandbox.world import World
from tests.sandbox.openapi import HeldAdapter, documents_at_hand

NOON = datetime(2026, 3, 10, 11, 0, 0, 860_000, tzinfo=UTC)
PARTY = "urn:altinn:organization:identifier-no:310000019"
RESOURCE = "urn:altinn:resource:sandkasse"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HAL = {"Content-Type": "application/hal+json"}
MAIN = {"type": "MainForm", "data_format_id": "9001", "data_format_version": "1", "xml": "<melding><a>1</a></melding>"}
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="melding"><xs:complexType><xs:sequence>
    <xs:element name="a" type="xs:integer"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


def types_of(forms: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """What a service says of *forms*: all but what is in them."""
    return [{name: value for name, value in each.items() if name != "xml"} for each in forms]


(MAIN_TYPE,) = types_of([MAIN])


class Clock:
    """Stands still until it is moved."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


class Slept:
    """Passes delays at once and remembers them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def make_world(**switches: Any) -> World:
    """A world with a still clock and delays that take no time."""
    return World(Clock(), 7, Switches(**switches), sleep=Slept())


def moved(world: World, *, seconds: float) -> None:
    """Let time pass in a world that stands still."""
    assert isinstance(world.clock, Clock)
    world.clock.forward(seconds)


def session_into(world: World, *, headers: Mapping[str, str] | None = None) -> requests.Session:
    """A session whose http:// is the sandbox, in process."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HeldAdapter(world) if documents_at_hand() else SandboxAdapter(world))
    session.headers["User-Agent"] = "sandbox-tests/1.0"
    session.headers.update(headers or {})
    return session


def owner_token(
    world: World, *, organisation: Organisation | None = None, scopes: Any = SERVICE_OWNER_SCOPES, base: str = BASE_URL
) -> str:
    """A Maskinporten token without the way to get it."""
    number = (organisation or world.owner).number
    claims = {
        "scope": " ".join(sorted(scopes)),
        "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{number}"},
    }
    return issue(world, base, "maskinporten", claims, lifetime=600)


def as_owner(world: World, **about: Any) -> requests.Session:
    """A session of the service owner."""
    return session_into(world, headers={"Authorization": f"Bearer {owner_token(world, **about)}"})


def as_altinn2_user(world: World) -> requests.Session:
    """A session that Altinn 2 lets in."""
    return session_into(
        world, headers={"Authorization": f"Bearer {owner_token(world)}", "ApiKey": world.altinn2_api_key}
    )


def seeded(world: World, **about: Any) -> str:
    """Put an element in place and give its id. ``service`` members and others by keyword."""
    service = {"code": "4711", "edition": 1, **about.pop("service", {})}
    body = {"who": ["my", "310000019"], "service": service, "forms": [MAIN], **about}
    answer = session_into(world).post(f"{BASE_URL}/_sandbox/altinn2/elements", json=body, timeout=5)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["message_id"])


def attachment(content: bytes = b"Hei", name: str = "vedlegg.pdf") -> dict[str, str]:
    """An attachment to seed."""
    return {"file_name": name, "attachment_type": "Vedlegg", "data": base64.b64encode(content).decode()}


def message(*forms: Mapping[str, Any], attachments: tuple[Mapping[str, Any], ...] = (), **extra: Any) -> dict[str, Any]:
    """The body of a PUT; without forms the bare one."""
    body: dict[str, Any] = {"Type": "FormTask", "ServiceCode": "4711", "ServiceEdition": 1}
    given = {"forms": list(forms), "attachments": list(attachments)}
    embedded = {**{name: items for name, items in given.items() if items}, **extra}
    return {**body, "_embedded": embedded} if embedded else body


def main_form(xml: str = "<melding><a>2</a></melding>", **members: Any) -> dict[str, Any]:
    """A main form as PUT has it."""
    return {"Type": "MainForm", "DataFormatId": "9001", "DataFormatVersion": "1", "FormData": xml, **members}


def texts(value: str = "Tittel") -> list[dict[str, str]]:
    """A text in bokmål."""
    return [{"languageCode": "nb", "value": value}]


def gui_action(**members: Any) -> dict[str, Any]:
    """A write action."""
    return {
        "action": "write",
        "url": "https://bro.example.no/actions/1",
        "httpMethod": "POST",
        "priority": "Primary",
        "title": texts("Send"),
        **members,
    }


def dialog(**members: Any) -> dict[str, Any]:
    """A dialog that Dialogporten takes."""
    return {
        "serviceResource": RESOURCE,
        "party": PARTY,
        "status": "RequiresAttention",
        "content": {"title": {"value": texts(), "mediaType": "text/plain"}},
        "guiActions": [gui_action()],
        **members,
    }


def dialogs_url(*parts: str) -> str:
    """An address of the service-owner API."""
    return "/".join((f"{BASE_URL}/dialogporten/api/v1/serviceowner/dialogs", *parts))


def created(session: requests.Session, **members: Any) -> str:
    """Create a dialog and give its id."""
    answer = session.post(dialogs_url(), json=dialog(**members), timeout=5)
    assert answer.status_code == 201, answer.text
    return str(answer.json())


def information(text: str = "Skjemaet er sendt.", **members: Any) -> dict[str, Any]:
    """An activity of the service owner."""
    return {"type": "Information", "performedBy": {"actorType": "ServiceOwner"}, "description": texts(text), **members}


def uuid7(world: World) -> str:
    """An id of our own choice."""
    return str(world.chance.uuid7(world.clock()))


def grant(world: World, *, base: str = BASE_URL, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A JWT grant of the sandbox's client, made by PyJWT; a claim of None is left out."""
    now = int(world.clock().timestamp())
    given = {
        "aud": f"{base}/maskinporten/",
        "iss": world.client.id,
        "scope": "digdir:dialogporten.serviceprovider",
        "iat": now,
        "exp": now + 100,
        "jti": str(world.chance.uuid4()),
        **claims,
    }
    key = jwt.PyJWK(private_jwk(world.client.key), "RS256")
    payload = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(payload, key.key, "RS256", headers=dict(header or {"kid": world.client.key.kid}))


def eventually(true: Callable[[], bool]) -> None:
    """Wait until something that another thread does has happened, at most five seconds."""
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
