"""Dialogporten's dialogs and what each write does to them (facts/dialogporten.md 2.6; no HTTP here)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.sandbox.dialogporten.checks import (
    check_activities,
    check_future,
    check_opened,
    check_related,
    check_storable,
    check_transmission_keys,
    entities,
    late_attachments,
    late_times,
    repeated_entities,
)
from bridge.sandbox.dialogporten.kinds import moment_of, moment_text
from bridge.sandbox.dialogporten.labels import PLACES, UNOPENED, assignments
from bridge.sandbox.dialogporten.lifecycle import Lifecycle
from bridge.sandbox.dialogporten.merging import Merging, empty_body, sent
from bridge.sandbox.dialogporten.model import Body, Dialog, Intent, Problem, Writer, missing
from bridge.sandbox.dialogporten.rules import ADMIN

# What makes a dialog unseen again (facts/dialogporten.md 2.6, Timestamps).
_CONTENT_MEMBERS = (
    *("transmissions", "content", "attachments", "guiActions", "apiActions", "status", "extendedStatus"),
)
# Dialogs from before users' looks were kept, and those that were migrated, count as seen (facts 9).
_SEEN_BEFORE = "2025-12-01"


class DialogportenState(Lifecycle):
    """All dialogs, the resources they belong to, the CloudEvents sent, and the open subscriptions."""

    def is_free(self, dto: Mapping[str, Any], writer: Writer) -> bool:
        """Whether the idempotent key of a new dialog is still to be had."""
        owner, _ = self._owners.of((dto["serviceResource"] or "").lower(), writer)
        return self._holder(dto["idempotentKey"], owner) is None

    def create(self, dto: Mapping[str, Any], writer: Writer, intent: Intent, *, key_was_free: bool) -> Dialog:
        """
        Store a new dialog from a validated *dto*; *key_was_free* when its maker looked.

        Raises:
            Problem: 403, 409 or 422.
        """
        with self._lock:
            self._owners.check_known(dto["serviceResource"].lower())
            self._owners.check(dto["serviceResource"], writer)
            owner, org = self._owners.of(dto["serviceResource"].lower(), writer)
            self._check_idempotent_key(dto, owner, was_free=key_was_free)
            check_activities(dto["activities"], writer)
            check_transmission_keys((), dto["transmissions"])
            self._owners.check_attributes(dto, writer)
            now = self._clock()
            if not intent.silent and ADMIN not in writer.scopes:
                check_future(dto, now)
            dialog_id = dto["id"] or str(self._chance.uuid7(now))
            if dialog_id in self._dialogs:
                raise Problem(422, {"Dialog": [f"Key ('Id')=({dialog_id}) already exists."]})
            check_related((), dto["transmissions"])
            self._check_unused(empty_body(), dto)
            check_storable(dto)
            body = self._merging(now, intent).body(empty_body(), dto)
            dialog = self._made(dialog_id, dto, body, owner=owner, org=org, now=now)
            self._dialogs[dialog_id] = dialog
            self._remember(dialog_id, empty_body(), body)
            self._record("create", None, dialog, silent=intent.silent)
            self._outbox.announce("created", dialog, empty_body(), silent=intent.silent)
            return dialog

    def update(self, dialog_id: str, dto: Mapping[str, Any], writer: Writer, *, intent: Intent, kind: str) -> Dialog:
        """
        Do what PUT does with a validated *dto*, and PATCH after it was applied; *kind* names it in the ledger.

        A dialog in which nothing changes is given back as it was: no revision, no event.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, intent)
            check_activities(dto["activities"], writer)
            check_transmission_keys(dialog.body["transmissions"], dto["transmissions"])
            self._owners.check_attributes(dto, writer)
            now = self._clock()
            errors = {} if intent.silent or ADMIN in writer.scopes else late_times(dialog, dto, now)
            errors |= repeated_entities(dialog.body, dto)
            if errors:
                raise Problem(422, errors)
            everything = [*dialog.body["transmissions"], *dto["transmissions"]]
            check_opened(everything, dto["activities"], key="Activities")
            check_related(dialog.body["transmissions"], dto["transmissions"])
            self._check_unused(dialog.body, dto)
            check_storable(dto)
            body = self._merging(now, intent).body(dialog.body, dto)
            return self._store(dialog, body, kind=kind, now=now, silent=intent.silent)

    def add_activity(
        self, dialog_id: str, activity: Mapping[str, Any], writer: Writer, *, intent: Intent
    ) -> tuple[Dialog, str]:
        """
        Append one validated activity; gives the dialog and the activity's id.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, intent, late_match=True, admin_may=True)
            check_opened(dialog.body["transmissions"], [activity], key="Activity.TransmissionId")
            check_activities([activity], writer)
            self._check_match(dialog, intent)
            self._check_unused(dialog.body, {"activities": [activity]})
            check_storable(activity)
            now = self._clock()
            added = self._merging(now, intent).activity(activity)
            body = {**dialog.body, "activities": [*dialog.body["activities"], added]}
            return self._store(dialog, body, kind="activity", now=now, silent=intent.silent), added["id"]

    def add_transmission(
        self, dialog_id: str, transmission: Mapping[str, Any], writer: Writer, *, intent: Intent
    ) -> tuple[Dialog, str]:
        """
        Append one validated transmission; gives the dialog and the transmission's id.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, intent)
            check_transmission_keys(dialog.body["transmissions"], [transmission])
            self._owners.check_attributes({"transmissions": [transmission]}, writer)
            check_related(dialog.body["transmissions"], [transmission])
            self._check_unused(dialog.body, {"transmissions": [transmission]})
            check_storable(transmission)
            now = self._clock()
            late = {} if intent.silent else late_attachments((), (), [transmission], now=now)
            if late:
                raise Problem(422, late)
            added = self._merging(now, intent).transmission(transmission)
            body = {**dialog.body, "transmissions": [*dialog.body["transmissions"], added]}
            return self._store(dialog, body, kind="transmission", now=now, silent=intent.silent), added["id"]

    def change_transmission(
        self, dialog_id: str, transmission_id: str, transmission: Mapping[str, Any], *, writer: Writer, intent: Intent
    ) -> Dialog:
        """
        Correct a transmission that stands there; always silent.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, intent)
            held = dialog.body["transmissions"]
            before = next((each for each in held if each["id"] == transmission_id), None)
            if before is None:
                raise missing("DialogTransmission", transmission_id)
            others = [each for each in held if each is not before]
            check_transmission_keys(others, [transmission])
            self._owners.check_attributes({"transmissions": [transmission]}, writer)
            check_related(others, [{**transmission, "id": transmission_id}])
            check_storable(transmission)
            now = self._clock()
            given = {**transmission, "createdAt": before["createdAt"]}
            after = self._merging(now, intent).transmission(given, before)
            body = {**dialog.body, "transmissions": [after if each is before else each for each in held]}
            return self._store(dialog, body, kind="transmission", now=now, silent=True)

    def _made(
        self, dialog_id: str, dto: Mapping[str, Any], body: Body, *, owner: str, org: str, now: datetime
    ) -> Dialog:
        moment, visible = moment_text(now), dto["visibleFrom"]
        later = visible if visible is not None and moment_of(visible) > now else None
        created, updated = later or dto["createdAt"] or moment, later or dto["updatedAt"] or moment
        context = dto["serviceOwnerContext"] or {"serviceOwnerLabels": ()}
        labels = frozenset({dto["systemLabel"] or "Default"} | sent(body["transmissions"]))
        resource = dto["serviceResource"].lower()
        return Dialog(
            id=dialog_id,
            owner=owner,
            org=org,
            service_resource=resource,
            party=dto["party"].lower(),
            idempotent_key=dto["idempotentKey"],
            visible_from=visible,
            created_at=created,
            updated_at=updated,
            content_updated_at=updated,
            revision=str(self._chance.uuid4()),
            body=body,
            labels=labels,
            end_user_revision=str(self._chance.uuid4()),
            owner_labels=tuple(sorted(label["value"].strip().lower() for label in context["serviceOwnerLabels"])),
            owner_revision=str(self._chance.uuid4()),
            born_seen=created < _SEEN_BEFORE or resource.startswith(f"urn:altinn:resource:app_{org}_a2"),
            label_log=assignments(frozenset(), labels, at=moment, actor=None, name=None),
        )

    def _merging(self, now: datetime, intent: Intent) -> Merging:
        return Merging(self._chance, self._faults, self.name_of, now=now, intent=intent)

    def _holder(self, key: str | None, owner: str) -> Dialog | None:
        if key is None:
            return None
        held = (each for each in self._dialogs.values() if (each.owner, each.idempotent_key) == (owner, key))
        return next(held, None)

    def _check_idempotent_key(self, dto: Mapping[str, Any], owner: str, *, was_free: bool) -> None:
        holder = self._holder(dto["idempotentKey"], owner)
        if holder is None:
            return
        key = holder.idempotent_key
        if holder.deleted_at is not None or was_free:
            # The look passes over deleted dialogs, and over those that come in between; the database does not.
            raise Problem(422, {"Dialog": [f"Key ('Org', 'IdempotentKey')=({holder.org}, {key}) already exists."]})
        raise Problem(409, {"IdempotentKey": [f"'{key}' already exists with DialogId '{holder.id}'"]})

    def _check_unused(self, held: Body, dto: Mapping[str, Any]) -> None:
        """Ids are used once: merged lists may name their own again, append-only ones may not."""
        own = set(entities({**held, "activities": (), "transmissions": ()}))
        for entity, key in entities(dto):
            if (entity, key) in self._entities and (entity, key) not in own:
                raise Problem(422, {entity: [f"Key ('Id')=({key}) already exists."]})

    def _store(self, dialog: Dialog, body: Body, *, kind: str, now: datetime, silent: bool) -> Dialog:
        changed = [name for name in body if body[name] != dialog.body[name]]
        stamp = moment_text(now)
        labels = dialog.labels if silent else (dialog.labels - {*PLACES, UNOPENED}) | {"Default"}
        labels = frozenset(labels | sent(body["transmissions"][len(dialog.body["transmissions"]) :]))
        relabelled = replace(
            dialog,
            labels=labels,
            end_user_revision=dialog.end_user_revision if labels == dialog.labels else str(self._chance.uuid4()),
            label_log=(*dialog.label_log, *assignments(dialog.labels, labels, at=stamp, actor=None, name=None)),
        )
        if not changed:
            self._dialogs[dialog.id] = relabelled
            return relabelled
        pinned = dialog.visible_from is not None and moment_of(dialog.visible_from) > now
        touched = not silent and not pinned
        renewed = touched and any(name in _CONTENT_MEMBERS for name in changed)
        stored = replace(
            relabelled,
            body=body,
            revision=str(self._chance.uuid4()),
            updated_at=stamp if touched else dialog.updated_at,
            content_updated_at=stamp if renewed else dialog.content_updated_at,
            born_seen=dialog.born_seen and not renewed,
        )
        self._dialogs[dialog.id] = stored
        self._remember(dialog.id, dialog.body, body)
        self._record(kind, dialog, stored, silent=silent)
        self._outbox.announce("updated", stored, dialog.body, silent=silent)
        return stored
