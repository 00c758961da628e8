"""What Dialogporten tells others about a change: CloudEvents, and the subscriptions of those who look at it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bridge.sandbox.core.ledger import Faults
from bridge.sandbox.core.rng import Chance
from bridge.sandbox.dialogporten.kinds import moment_text
from bridge.sandbox.dialogporten.model import Body, Dialog
from bridge.sandbox.dialogporten.streams import Streams


class Outbox:
    """The CloudEvents sent, and the open subscriptions."""

    def __init__(self, clock: Callable[[], datetime], chance: Chance, faults: Faults) -> None:
        self._clock, self._chance, self._faults = clock, chance, faults
        self._events: list[dict[str, Any]] = []
        self.streams = Streams()

    def events(self) -> tuple[Mapping[str, Any], ...]:
        """The CloudEvents sent so far; their ``source`` lacks the host."""
        return tuple(self._events)

    def announce(self, kind: str, dialog: Dialog, before: Body, *, silent: bool) -> None:
        """Tell of a change: events unless it was *silent*, and whoever listens in any case."""
        if not silent:
            self.event(kind, dialog)
            for activity in dialog.body["activities"][len(before["activities"]) :]:
                self._activity_event(dialog, activity)
            for transmission in dialog.body["transmissions"][len(before["transmissions"]) :]:
                data = {"transmissionId": transmission["id"], "senderType": transmission["sender"]["actorType"]}
                tail = f"/transmissions/{transmission['id']}"
                self._send("dialogporten.dialog.transmission.created.v1", dialog, tail, data=data)
        if kind == "updated":
            self.publish(dialog.id, "DIALOG_UPDATED")

    def publish(self, dialog_id: str, kind: str) -> None:
        """Tell whoever listens to the dialog."""
        path = f"/dialogporten/graphql/stream/{dialog_id}"
        if not self._faults.take(system="dialogporten", method="SSE", path=path, internal="lose_event"):
            self.streams.publish(dialog_id, kind)

    def event(self, kind: str, dialog: Dialog) -> None:
        """Send one CloudEvent about the dialog itself."""
        data = {name: dialog.body[name] for name in ("process", "precedingProcess") if dialog.body[name] is not None}
        self._send(f"dialogporten.dialog.{kind}.v1", dialog, "", data=data)

    def _activity_event(self, dialog: Dialog, activity: Body) -> None:
        name: str = {"DialogCreated": "Created", "DialogClosed": "Closed"}.get(activity["type"]) or activity["type"]
        kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
        data = {"activityId": activity["id"], "extendedActivityType": activity["extendedType"]}
        data = {key: value for key, value in data.items() if value is not None}
        self._send(f"dialogporten.dialog.activity.{kind}.v1", dialog, f"/activities/{activity['id']}", data=data)

    def _send(self, kind: str, dialog: Dialog, tail: str, *, data: Mapping[str, Any]) -> None:
        self._events.append(
            {
                "specversion": "1.0",
                "id": str(self._chance.uuid4()),
                "type": kind,
                "time": moment_text(self._clock()),
                "resource": dialog.service_resource,
                "resourceinstance": dialog.id,
                "subject": dialog.party,
                "source": f"/dialogporten/api/v1/enduser/dialogs/{dialog.id}{tail}",
                "data": dict(data),
            }
        )
