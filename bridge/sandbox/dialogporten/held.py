"""What Dialogporten holds: dialogs, names, owners, and who may touch what."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bridge.sandbox.core import identities
from bridge.sandbox.core.ledger import Faults, Ledger
from bridge.sandbox.core.rng import Chance
from bridge.sandbox.dialogporten.checks import entities
from bridge.sandbox.dialogporten.merging import empty_body
from bridge.sandbox.dialogporten.model import (
    Body,
    Dialog,
    Intent,
    Problem,
    Resource,
    Writer,
    check_race,
    lost_race,
    missing,
    removed,
)
from bridge.sandbox.dialogporten.outbox import Outbox
from bridge.sandbox.dialogporten.owners import Owners
from bridge.sandbox.dialogporten.rules import ADMIN
from bridge.sandbox.dialogporten.streams import Streams


class Held:
    """All dialogs, the resources they belong to, the names of people, and what others are told."""

    def __init__(self, clock: Callable[[], datetime], chance: Chance, ledger: Ledger, *, faults: Faults) -> None:
        self._clock, self._chance, self._ledger, self._faults = clock, chance, ledger, faults
        self._lock = threading.RLock()
        self._dialogs: dict[str, Dialog] = {}
        self._entities: dict[tuple[str, str], str] = {}
        self._names: dict[str, str] = {}
        self._owners = Owners()
        self._outbox = Outbox(clock, chance, faults)

    @property
    def streams(self) -> Streams:
        """The open subscriptions."""
        return self._outbox.streams

    def own(self, service_resource: str, resource: Resource) -> None:
        """Put a service resource under its owner; while nobody has named any, each belongs to whoever writes."""
        self._owners.own(service_resource, resource)

    def own_unless_known(self, service_resource: str, resource: Resource) -> None:
        """Put a service resource under an owner where nobody has."""
        self._owners.own_unless_known(service_resource, resource)

    def resource(self, service_resource: str, writer: str = "") -> Resource:
        """A service resource, with whose it is."""
        return self._owners.resource(service_resource, writer)

    def name(self, urn: str, name: str) -> None:
        """Put a name into the register of people and organisations."""
        with self._lock:
            self._names[urn.lower()] = name

    def name_of(self, urn: str) -> str:
        """Look a name up; whoever is not registered has an invented one, and who chose a name themselves has that."""
        urn = urn.lower()
        for prefix in (identities.SELF_IDENTIFIED, identities.EMAIL):
            if urn.startswith(prefix):
                return self._names.get(urn) or urn.removeprefix(prefix)
        invented = "SANDKASSE AS" if urn.startswith(identities.ORGANISATION) else "SANDKASSE PERSON"
        return self._names.get(urn) or invented

    def find(self, dialog_id: str) -> Dialog | None:
        """Look a dialog up, whoever owns it; deleted ones as well."""
        return self._dialogs.get(dialog_id)

    def dialogs(self) -> tuple[Dialog, ...]:
        """All dialogs."""
        with self._lock:
            return tuple(self._dialogs.values())

    def events(self) -> tuple[Mapping[str, Any], ...]:
        """The CloudEvents sent so far; their ``source`` lacks the host."""
        with self._lock:
            return self._outbox.events()

    def close(self) -> None:
        """End every subscription."""
        self._outbox.streams.close()

    def owned(self, dialog_id: str, writer: Writer) -> Dialog:
        """
        A dialog of the writer's.

        Raises:
            Problem: 404, also where it is somebody else's.
        """
        dialog = self._dialogs.get(dialog_id)
        if dialog is None or (dialog.owner != writer.organisation and ADMIN not in writer.scopes):
            raise missing("DialogEntity", dialog_id)
        return dialog

    def _writable(
        self, dialog_id: str, writer: Writer, intent: Intent, *, late_match: bool = False, admin_may: bool = False
    ) -> Dialog:
        dialog = self.owned(dialog_id, writer)
        admin = ADMIN in writer.scopes
        if dialog.deleted_at is not None and intent.read is not None and intent.read.deleted_at is None:
            raise lost_race(intent.if_match)
        if dialog.deleted_at is not None and not (admin and admin_may):
            raise removed(dialog_id)
        if dialog.frozen and not admin:
            raise Problem(403, {"Forbidden": ["User cannot modify frozen dialog"]})
        self._owners.check_kind(dialog, writer)
        if not late_match:
            self._check_match(dialog, intent)
        return dialog

    def _check_match(self, dialog: Dialog, intent: Intent) -> None:
        if intent.if_match is not None and intent.if_match != dialog.revision:
            raise Problem(412)
        # What is not silent puts users' labels back, and so loses against a user who moves the dialog meanwhile.
        check_race(dialog, intent, labels=not intent.silent)
        self._check_undisturbed(dialog, intent)

    def _record(self, kind: str, before: Dialog | None, after: Dialog, *, silent: bool) -> None:
        old = empty_body() if before is None else before.body
        activities = after.body["activities"][len(old["activities"]) :]
        self._ledger.write(
            f"dialogporten.{kind}",
            dialog_id=after.id,
            revision_before=None if before is None else before.revision,
            revision_after=after.revision,
            silent=silent,
            status_before=None if before is None else old["status"],
            status_after=after.body["status"],
            changed=sorted(name for name in after.body if after.body[name] != old[name]),
            activities=[{"id": each["id"], "type": each["type"]} for each in activities],
            gui_actions=[each["action"] for each in after.body["guiActions"]],
        )

    def _remember(self, dialog_id: str, before: Body, after: Body) -> None:
        for gone in entities(before):
            self._entities.pop(gone, None)
        for there in entities(after):
            self._entities[there] = dialog_id

    def _check_undisturbed(self, dialog: Dialog, intent: Intent) -> None:
        """Play the fault of a writer who came in between."""
        path = f"/dialogporten/api/v1/serviceowner/dialogs/{dialog.id}"
        if self._faults.take(system="dialogporten", method="WRITE", path=path, internal="concurrent_change"):
            raise lost_race(intent.if_match)
