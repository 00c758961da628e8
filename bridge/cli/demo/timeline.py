"""Who called whom: the sandbox's call log and the demo's own calls, in one row."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.sandbox.core.ledger import Call
from bridge.sandbox.world import World

ARBEIDSFLATE, SERVICE_OWNER, BRIDGE, DIALOGPORTEN = "Arbeidsflate", "service owner", "bridge", "Dialogporten"
# First words of User-Agent headers.
CALLERS: Mapping[str, str] = {
    "altinn-dialog-bridge": BRIDGE,
    "demo-arbeidsflate": ARBEIDSFLATE,
    "demo-service-owner": SERVICE_OWNER,
}
SYSTEMS: Mapping[str, str] = {
    "altinn2": "Altinn 2",
    "dialogporten": DIALOGPORTEN,
    "maskinporten": "Maskinporten",
    "platform": "platform",
}
_MESSAGE = "/altinn2/api/{who}/messages/{message_id}"
_DIALOG = "/dialogporten/api/v1/serviceowner/dialogs/{dialog_id}"
WORDS: Mapping[tuple[str, str], str] = {
    ("GET", "/altinn2/api/{who}/messages"): "archived elements",
    ("GET", "/altinn2/api/metadata/formtask/{code}/{edition}"): "what the service asks for",
    ("GET", f"{_MESSAGE}/forms"): "its forms",
    ("GET", f"{_MESSAGE}/forms/{{form_id}}/formdata"): "the form's XML",
    ("GET", f"{_MESSAGE}/attachments"): "its attachments",
    ("GET", f"{_MESSAGE}/attachments/{{attachment_id}}"): "the attachment's bytes",
    ("GET", _DIALOG): "the dialog",
    ("PATCH", _DIALOG): "the dialog",
    ("GET", "/dialogporten/api/v1/enduser/dialogs/{dialog_id}"): "the dialog, with a token",
    ("POST", "/dialogporten/graphql/stream"): "subscribe to its events",
    ("GET", "/dialogporten/api/v1/.well-known/jwks.json"): "the keys of dialog tokens",
    ("GET", "/maskinporten/.well-known/oauth-authorization-server"): "its metadata",
    ("POST", "/maskinporten/token"): "a grant for a token",
    ("GET", "/platform/authentication/api/v1/exchange/{provider}"): "an Altinn token for it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One call, or one thing heard; *at* is when it began."""

    at: datetime
    who: str
    whom: str
    what: str
    status: int | None = None
    milliseconds: float | None = None


class Timeline:
    """What happens from now on. Threads may add to it. *pressed_at* is when the press was sent, once it is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.pressed_at: datetime | None = None
        self._guard = threading.Lock()
        self._waiting: list[Line] = []
        self._seen = last_call(world)

    def now(self) -> datetime:
        """The time, by the clock of all lines."""
        return self._world.clock()

    def add(self, line: Line) -> None:
        """Put in what the sandbox cannot see."""
        with self._guard:
            self._waiting.append(line)

    def fresh(self, *, settle: timedelta = timedelta(0)) -> list[Line]:
        """
        The lines not given before, by the time they began.

        What began less than *settle* ago is held back: something that began earlier may not have ended yet.
        """
        before = self._world.clock() - settle
        with self._guard:
            calls = calls_since(self._world, self._seen)
            self._seen = calls[-1].sequence if calls else self._seen
            lines = sorted([*self._waiting, *map(line_of, calls)], key=lambda line: line.at)
            self._waiting = [line for line in lines if line.at > before]
        return [line for line in lines if line.at <= before]


def last_call(world: World) -> int:
    """The number of the sandbox's latest call."""
    return max((call.sequence for call in world.calls.all()), default=0)


def calls_since(world: World, sequence: int) -> list[Call]:
    """The sandbox's calls after number *sequence*."""
    return [call for call in world.calls.all() if call.sequence > sequence]


def line_of(call: Call) -> Line:
    """The line that tells a call in short words."""
    return Line(
        at=call.time - timedelta(milliseconds=call.milliseconds),
        who=CALLERS.get(call.caller, call.caller),
        whom=SYSTEMS.get(call.system, call.system),
        what=f"{call.method} {_words(call)}",
        status=call.status,
        milliseconds=call.milliseconds,
    )


def _words(call: Call) -> str:
    if call.template == _MESSAGE:
        flags = [f"{name}={call.query[name]}" for name in ("complete", "sign") if name in call.query]
        return " ".join(flags) or f"element {call.path.rpartition('/')[2]}"
    return WORDS.get((call.method, call.template), call.template or call.path)
