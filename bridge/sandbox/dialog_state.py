"""Dialogporten's dialogs and what each write does to them (facts/dialogporten.md 2.6; no HTTP here)."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bridge.sandbox import identities
from bridge.sandbox.chance import Chance
from bridge.sandbox.dialog_labels import PLACES, UNOPENED, Assignment, assignments, relabelled
from bridge.sandbox.dialog_rules import ADMIN, CORRESPONDENCE, language
from bridge.sandbox.dialog_schema import STORED_STATUS, UPDATE_MEMBERS, moment_of, moment_text
from bridge.sandbox.dialog_streams import Streams
from bridge.sandbox.records import Faults, Ledger

Body = dict[str, Any]
# What makes a dialog unseen again (facts/dialogporten.md 2.6, Timestamps).
_CONTENT_MEMBERS = (
    "transmissions",
    "content",
    "attachments",
    "guiActions",
    "apiActions",
    "status",
    "extendedStatus",
)
_BY_PARTY = ("Submission", "Correction")
_RESTRICTED_ACTIVITIES = ("CorrespondenceOpened", "CorrespondenceConfirmed")
# Kinds of resource that dialogs may have; the last needs a scope of its own.
_RESOURCE_KINDS = ("genericaccessresource", "altinnapp", "migratedapp", "correspondenceservice")
_LONGEST_CHAIN = _MOST_SIBLINGS = 100
_MOST_TRANSMISSIONS = 32_767
_ENTITIES = {
    "attachments": "DialogAttachment",
    "guiActions": "DialogGuiAction",
    "apiActions": "DialogApiAction",
    "transmissions": "DialogTransmission",
    "activities": "DialogActivity",
}


class Problem(Exception):
    """A refusal as Dialogporten words it: *errors* by key, None where the body has none."""

    def __init__(
        self,
        status: int,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(str(status))
        self.status, self.errors, self.headers = status, errors, headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A service resource: whose it is, what kind, and the authentication level that readers need."""

    owner: str
    kind: str = "genericaccessresource"
    minimum_level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: the organisation, its short code, its scopes."""

    organisation: str
    org: str
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An end user's look at a dialog."""

    id: str
    at: str
    actor: str
    name: str
    via_owner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dialog:
    """One dialog. *body* has all members of an update, canonical; it is never changed, only replaced."""

    id: str
    owner: str
    org: str
    service_resource: str
    party: str
    idempotent_key: str | None
    visible_from: str | None
    created_at: str
    updated_at: str
    content_updated_at: str
    revision: str
    body: Body
    labels: frozenset[str]
    end_user_revision: str
    owner_labels: tuple[str, ...]
    owner_revision: str
    deleted_at: str | None = None
    frozen: bool = False
    seen: tuple[Seen, ...] = ()
    label_log: tuple[Assignment, ...] = ()
    contexts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Authorization contexts by the id of the element that they narrow; experimental, so no API sets them here."""

    @property
    def content_seen(self) -> bool:
        """Whether somebody looked at it since its content changed; marking it as unopened takes that back."""
        return UNOPENED not in self.labels and any(each.at >= self.content_updated_at for each in self.seen)


class DialogportenState:
    """All dialogs, the resources they belong to, the CloudEvents sent, and the open subscriptions."""

    def __init__(self, clock: Callable[[], datetime], chance: Chance, ledger: Ledger, faults: Faults) -> None:
        self._clock, self._chance, self._ledger, self._faults = clock, chance, ledger, faults
        self._lock = threading.RLock()
        self._dialogs: dict[str, Dialog] = {}
        self._resources: dict[str, Resource] = {}
        self._entities: dict[tuple[str, str], str] = {}
        self._names: dict[str, str] = {}
        self._events: list[dict[str, Any]] = []
        self.streams = Streams()

    def own(self, service_resource: str, resource: Resource) -> None:
        """Say whose a service resource is; one that nobody named belongs to whoever writes."""
        with self._lock:
            self._resources[service_resource] = resource

    def resource(self, service_resource: str, writer: str = "") -> Resource:
        """Find a service resource."""
        return self._resources.get(service_resource, Resource(owner=writer))

    def name(self, urn: str, name: str) -> None:
        """Put a name into the register of people and organisations."""
        with self._lock:
            self._names[urn.lower()] = name

    def name_of(self, urn: str) -> str:
        """Look a name up; whoever is not registered has an invented one."""
        known = self._names.get(urn.lower())
        invented = "SANDKASSE AS" if urn.lower().startswith(identities.ORGANISATION) else "SANDKASSE PERSON"
        return known or invented

    def find(self, dialog_id: str) -> Dialog | None:
        """Look a dialog up, whoever owns it; deleted ones as well."""
        return self._dialogs.get(dialog_id)

    def dialogs(self) -> tuple[Dialog, ...]:
        """Give all dialogs."""
        with self._lock:
            return tuple(self._dialogs.values())

    def events(self) -> tuple[Mapping[str, Any], ...]:
        """Give the CloudEvents sent so far; their ``source`` lacks the host."""
        with self._lock:
            return tuple(self._events)

    def close(self) -> None:
        """End every subscription."""
        self.streams.close()

    def owned(self, dialog_id: str, writer: Writer) -> Dialog:
        """
        Give a dialog of the writer's.

        Raises:
            Problem: 404, also where it is somebody else's.
        """
        dialog = self._dialogs.get(dialog_id)
        if dialog is None or (dialog.owner != writer.organisation and ADMIN not in writer.scopes):
            raise missing("DialogEntity", dialog_id)
        return dialog

    def create(self, dto: Mapping[str, Any], writer: Writer, *, silent: bool, lookup_fails: bool) -> Dialog:
        """
        Store a new dialog from a validated *dto*.

        Raises:
            Problem: 403, 409 or 422.
        """
        with self._lock:
            self._check_owner(dto["serviceResource"], writer)
            self._check_idempotent_key(dto, writer)
            _check_activities(dto["activities"], writer)
            _check_transmission_keys((), dto["transmissions"])
            self._check_attributes(dto, writer)
            now = self._clock()
            if not silent:
                _check_future(dto, now)
            dialog_id = dto["id"] or str(self._chance.uuid7(now))
            if dialog_id in self._dialogs:
                raise Problem(422, {"Dialog": [f"Key ('Id')=({dialog_id}) already exists."]})
            _check_related((), dto["transmissions"])
            _check_transmission_exists(dto["transmissions"], dto["activities"])
            self._check_unused(_empty_body(), dto)
            body = self._merged(_empty_body(), dto, now, lookup_fails=lookup_fails)
            created = dto["createdAt"] or moment_text(now)
            updated = dto["updatedAt"] or created
            context = dto["serviceOwnerContext"]
            labels = () if context is None else context["serviceOwnerLabels"]
            visible = dto["visibleFrom"]
            pinned = visible if visible is not None and moment_of(visible) > now else updated
            dialog = Dialog(
                id=dialog_id,
                owner=writer.organisation,
                org=writer.org,
                service_resource=dto["serviceResource"].lower(),
                party=dto["party"].lower(),
                idempotent_key=dto["idempotentKey"],
                visible_from=visible,
                created_at=created,
                updated_at=pinned,
                content_updated_at=pinned,
                revision=str(self._chance.uuid4()),
                body=body,
                labels=frozenset({dto["systemLabel"]} | _sent(body["transmissions"])),
                end_user_revision=str(self._chance.uuid4()),
                owner_labels=tuple(label["value"].strip().lower() for label in labels),
                owner_revision=str(self._chance.uuid4()),
            )
            self._dialogs[dialog_id] = dialog
            self._remember(dialog_id, _empty_body(), body)
            self._record("create", None, dialog, silent=silent)
            self._announce("created", dialog, _empty_body(), silent=silent)
            return dialog

    def update(
        self,
        dialog_id: str,
        dto: Mapping[str, Any],
        writer: Writer,
        *,
        kind: str,
        if_match: str | None,
        silent: bool,
        lookup_fails: bool,
        based_on: str | None = None,
    ) -> Dialog:
        """
        Do what PUT does with a validated *dto*, and PATCH after it was applied; *kind* names it in the ledger.

        *based_on* is the revision that a PATCH was applied to. A dialog in which nothing changes is given back as it
        was: no revision, no event, no effect.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, if_match)
            if based_on is not None and based_on != dialog.revision:
                raise _lost_race(if_match)
            _check_activities(dto["activities"], writer)
            _check_transmission_keys(dialog.body["transmissions"], dto["transmissions"])
            _check_api_only(dialog, dto)
            self._check_attributes(dto, writer)
            now = self._clock()
            self._check_domain(dialog, dto, now, silent=silent)
            body = self._merged(dialog.body, dto, now, lookup_fails=lookup_fails)
            return self._store(dialog, body, kind=kind, now=now, silent=silent)

    def add_activity(
        self,
        dialog_id: str,
        activity: Mapping[str, Any],
        writer: Writer,
        *,
        if_match: str | None,
        silent: bool,
        lookup_fails: bool,
    ) -> tuple[Dialog, str]:
        """
        Append one validated activity; gives the dialog and the activity's id.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, if_match, late_match=True)
            _check_transmission_exists(dialog.body["transmissions"], [activity])
            _check_activities([activity], writer)
            self._check_match(dialog, if_match)
            self._check_unused(dialog.body, {"activities": [activity]})
            now = self._clock()
            added = self._activity(activity, now, lookup_fails=lookup_fails)
            body = {**dialog.body, "activities": [*dialog.body["activities"], added]}
            return self._store(dialog, body, kind="activity", now=now, silent=silent), added["id"]

    def add_transmission(
        self,
        dialog_id: str,
        transmission: Mapping[str, Any],
        writer: Writer,
        *,
        if_match: str | None,
        silent: bool,
        lookup_fails: bool,
    ) -> tuple[Dialog, str]:
        """
        Append one validated transmission; gives the dialog and the transmission's id.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, if_match)
            _check_transmission_keys(dialog.body["transmissions"], [transmission])
            self._check_attributes({"transmissions": [transmission]}, writer)
            _check_related(dialog.body["transmissions"], [transmission])
            self._check_unused(dialog.body, {"transmissions": [transmission]})
            now = self._clock()
            added = self._transmission(transmission, now, lookup_fails=lookup_fails)
            body = {**dialog.body, "transmissions": [*dialog.body["transmissions"], added]}
            return self._store(dialog, body, kind="transmission", now=now, silent=silent), added["id"]

    def delete(self, dialog_id: str, writer: Writer, *, if_match: str | None, silent: bool) -> Dialog:
        """
        Delete softly.

        Raises:
            Problem: 403, 404, 409, 410 or 412.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, if_match)
            deleted = replace(dialog, deleted_at=moment_text(self._clock()), revision=str(self._chance.uuid4()))
            self._dialogs[dialog_id] = deleted
            self._record("delete", dialog, deleted, silent=silent)
            if not silent:
                self._event("deleted", deleted)
                self._publish(dialog_id, "DIALOG_DELETED")
            return deleted

    def change_transmission(
        self,
        dialog_id: str,
        transmission_id: str,
        transmission: Mapping[str, Any],
        writer: Writer,
        *,
        if_match: str | None,
        lookup_fails: bool,
    ) -> Dialog:
        """
        Correct a transmission that stands there; always silent.

        Raises:
            Problem: 403, 404, 409, 410, 412 or 422.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, if_match)
            held = dialog.body["transmissions"]
            before = next((each for each in held if each["id"] == transmission_id), None)
            if before is None:
                raise missing("DialogTransmission", transmission_id)
            others = [each for each in held if each is not before]
            _check_transmission_keys(others, [transmission])
            self._check_attributes({"transmissions": [transmission]}, writer)
            _check_related(others, [{**transmission, "id": transmission_id}])
            now = self._clock()
            given = {**transmission, "createdAt": transmission["createdAt"] or before["createdAt"]}
            after = self._transmission(given, now, lookup_fails=lookup_fails, before=before)
            body = {**dialog.body, "transmissions": [after if each is before else each for each in held]}
            return self._store(dialog, body, kind="transmission", now=now, silent=True)

    def restore(self, dialog_id: str, writer: Writer, *, if_match: str | None, silent: bool) -> Dialog:
        """
        Undo a soft deletion; a dialog that lives stays as it is.

        Raises:
            Problem: 404, 409 or 412.
        """
        with self._lock:
            dialog = self.owned(dialog_id, writer)
            self._check_match(dialog, if_match)
            if dialog.deleted_at is None:
                return dialog
            restored = replace(dialog, deleted_at=None, revision=str(self._chance.uuid4()))
            self._dialogs[dialog_id] = restored
            self._record("restore", dialog, restored, silent=silent)
            if not silent:
                self._event("restored", restored)
            return restored

    def purge(self, dialog_id: str, writer: Writer, *, if_match: str | None, silent: bool) -> None:
        """
        Remove for good, whatever its state; its ids and its key are free again.

        Raises:
            Problem: 403, 404, 409 or 412.
        """
        with self._lock:
            dialog = self.owned(dialog_id, writer)
            self._check_kind(dialog, writer)
            self._check_match(dialog, if_match)
            del self._dialogs[dialog_id]
            self._remember(dialog_id, dialog.body, _empty_body())
            self._record("purge", dialog, dialog, silent=silent)
            if not silent and dialog.deleted_at is None:
                self._event("deleted", dialog)
                self._publish(dialog_id, "DIALOG_DELETED")

    def change_labels(
        self, dialog_id: str, add: Sequence[str], remove: Sequence[str], *, actor: str, revision: str | None
    ) -> Dialog:
        """
        Change system labels for a user; *revision* is the end-user context's own.

        Raises:
            Problem: 404, 410 or 412.
        """
        with self._lock:
            dialog = self._labelable(dialog_id, revision)
            labels = relabelled(dialog.labels, add, remove)
            if labels == dialog.labels:
                return dialog
            at = moment_text(self._clock())
            log = assignments(dialog.labels, labels, at=at, actor=actor, name=self.name_of(actor))
            after = replace(
                dialog,
                labels=labels,
                label_log=(*dialog.label_log, *log),
                end_user_revision=str(self._chance.uuid4()),
            )
            self._dialogs[dialog_id] = after
            self._ledger.write(
                "dialogporten.system_label",
                dialog_id=dialog_id,
                revision_before=dialog.end_user_revision,
                revision_after=after.end_user_revision,
                labels=sorted(labels),
            )
            return after

    def change_many_labels(
        self, wanted: Sequence[tuple[str, str | None]], add: Sequence[str], remove: Sequence[str], *, actor: str
    ) -> None:
        """
        Change the labels of all of *wanted* (id and revision) or of none.

        Raises:
            Problem: 404, 410 or 412.
        """
        with self._lock:
            for dialog_id, revision in wanted:
                self._labelable(dialog_id, revision)
            for dialog_id, _ in wanted:
                self.change_labels(dialog_id, add, remove, actor=actor, revision=None)

    def add_label(self, dialog_id: str, value: str, writer: Writer, *, if_match: str | None) -> Dialog:
        """
        Add a service-owner label; the revision is the service-owner context's own.

        Raises:
            Problem: 400, 404 or 412.
        """
        label = value.strip().lower()
        with self._lock:
            dialog = self._labelled(dialog_id, writer, if_match)
            if label in dialog.owner_labels:
                raise Problem(400, {"serviceOwnerLabels": [f"Can not contain duplicate items: [{label}]."]})
            if len(dialog.owner_labels) == 20:
                raise Problem(400, {"serviceOwnerLabels": ["A dialog can have at most 20 service owner labels."]})
            return self._relabelled(dialog, (*dialog.owner_labels, label))

    def remove_label(self, dialog_id: str, value: str, writer: Writer, *, if_match: str | None) -> Dialog:
        """
        Remove a service-owner label.

        Raises:
            Problem: 404 or 412.
        """
        label = value.strip().lower()
        with self._lock:
            dialog = self._labelled(dialog_id, writer, if_match)
            if label not in dialog.owner_labels:
                raise missing("ServiceOwnerLabel", label)
            return self._relabelled(dialog, tuple(each for each in dialog.owner_labels if each != label))

    def set_system_label(self, dialog_id: str, label: str) -> None:
        """Put a dialog where its user wants it: Default, Bin or Archive."""
        with self._lock:
            dialog = self._dialogs[dialog_id]
            self.change_labels(dialog_id, [label], [UNOPENED], actor=dialog.party, revision=None)

    def narrow(self, dialog_id: str, contexts: Mapping[str, Mapping[str, Any]]) -> None:
        """Put authorization contexts on its actions, in the place of those that are there."""
        with self._lock:
            self._dialogs[dialog_id] = replace(self._dialogs[dialog_id], contexts=dict(contexts))

    def freeze(self, dialog_id: str) -> Dialog:
        """Protect a dialog from its owner, as migrated ones are."""
        with self._lock:
            dialog = self._dialogs[dialog_id]
            if dialog.frozen:
                return dialog
            frozen = replace(dialog, frozen=True, revision=str(self._chance.uuid4()))
            self._dialogs[dialog_id] = frozen
            self._record("freeze", dialog, frozen, silent=True)
            return frozen

    def freeze_as(self, dialog_id: str, writer: Writer, *, if_match: str | None) -> Dialog:
        """
        Freeze, which takes the admin scope.

        Raises:
            Problem: 403, 404, 410 or 412.
        """
        with self._lock:
            if ADMIN not in writer.scopes:
                raise Problem(403, {"Forbidden": ["Freezing a dialog requires the admin scope."]})
            dialog = self.owned(dialog_id, writer)
            if dialog.deleted_at is not None:
                raise removed(dialog_id)
            self._check_match(dialog, if_match)
            return self.freeze(dialog_id)

    def see(self, dialog_id: str, actor: str, *, via_owner: bool = False) -> Dialog:
        """Note that an end user looked at the dialog: once for each content. It counts as opened again."""
        with self._lock:
            dialog = self._dialogs[dialog_id]
            if UNOPENED in dialog.labels:
                dialog = self.change_labels(dialog_id, [], [UNOPENED], actor=actor, revision=None)
            if any(seen.actor == actor and seen.at >= dialog.content_updated_at for seen in dialog.seen):
                return dialog
            now = self._clock()
            at = max(moment_text(now), dialog.content_updated_at)
            entry = Seen(
                id=str(self._chance.uuid7(now)), at=at, actor=actor, name=self.name_of(actor), via_owner=via_owner
            )
            seen = replace(dialog, seen=(*dialog.seen, entry))
            self._dialogs[dialog_id] = seen
            self._event("seen", seen)
            return seen

    def _writable(self, dialog_id: str, writer: Writer, if_match: str | None, *, late_match: bool = False) -> Dialog:
        dialog = self.owned(dialog_id, writer)
        admin = ADMIN in writer.scopes
        if dialog.deleted_at is not None and not admin:
            raise removed(dialog_id)
        if dialog.frozen and not admin:
            raise Problem(403, {"Forbidden": ["User cannot modify frozen dialog"]})
        self._check_kind(dialog, writer)
        if not late_match:
            self._check_match(dialog, if_match)
        return dialog

    def _check_kind(self, dialog: Dialog, writer: Writer) -> None:
        """A correspondence is changed by Correspondence alone, whoever's it is (facts 13)."""
        resource = self.resource(dialog.service_resource, dialog.owner)
        if resource.kind == _RESOURCE_KINDS[-1] and not {CORRESPONDENCE, ADMIN} & writer.scopes:
            message = f"Not allowed to reference {dialog.service_resource}. Its type {resource.kind} is not supported."
            raise Problem(403, {"Forbidden": [message]})

    def _check_match(self, dialog: Dialog, if_match: str | None) -> None:
        if if_match is not None and if_match != dialog.revision:
            raise Problem(412)
        path = f"/dialogporten/api/v1/serviceowner/dialogs/{dialog.id}"
        if self._faults.take(system="dialogporten", method="WRITE", path=path, internal="concurrent_change"):
            raise _lost_race(if_match)

    def _labelable(self, dialog_id: str, revision: str | None) -> Dialog:
        dialog = self._dialogs.get(dialog_id)
        if dialog is None:
            raise missing("DialogEntity", dialog_id)
        if dialog.deleted_at is not None:
            raise removed(dialog_id)
        if revision is not None and revision != dialog.end_user_revision:
            raise Problem(412)
        return dialog

    def _check_owner(self, service_resource: str, writer: Writer) -> None:
        if ADMIN in writer.scopes:
            return
        resource = self.resource(service_resource, writer.organisation)
        restricted = resource.kind == _RESOURCE_KINDS[-1] and CORRESPONDENCE not in writer.scopes
        if resource.kind not in _RESOURCE_KINDS or restricted:
            message = f"Not allowed to reference {service_resource}. Its type {resource.kind} is not supported."
            raise Problem(403, {"Forbidden": [message]})
        if resource.owner != writer.organisation:
            message = f"Not allowed to reference {service_resource}. The service owner does not own it."
            raise Problem(403, {"Forbidden": [message]})

    def _check_attributes(self, dto: Mapping[str, Any], writer: Writer) -> None:
        """An attribute may name another resource, if that is the writer's as well."""
        for name in ("guiActions", "apiActions", "transmissions"):
            for each in dto.get(name, ()):
                attribute = (each["authorizationAttribute"] or "").lower()
                if attribute.startswith("urn:altinn:resource:"):
                    self._check_owner(attribute, writer)

    def _check_idempotent_key(self, dto: Mapping[str, Any], writer: Writer) -> None:
        key = dto["idempotentKey"]
        if key is None:
            return
        for each in self._dialogs.values():
            if (each.owner, each.idempotent_key) != (writer.organisation, key):
                continue
            if each.deleted_at is not None:
                message = f"Key ('Org', 'IdempotentKey')=({each.org}, {key}) already exists."
                raise Problem(422, {"Dialog": [message]})
            raise Problem(409, {"IdempotentKey": [f"'{key}' already exists with DialogId '{each.id}'"]})

    def _check_domain(self, dialog: Dialog, dto: Mapping[str, Any], now: datetime, *, silent: bool) -> None:
        errors: dict[str, list[str]] = {}
        for key, member in (("DueAt", "dueAt"), ("ExpiresAt", "expiresAt")):
            value, current = dto[member], dialog.body[member]
            cleared = value is None and member == "expiresAt"
            if silent or value == current or (value is None and not cleared):
                continue
            if cleared or moment_of(value) <= now:
                errors[key] = ["Must be in future or current value."]
        for entity, member in (("DialogActivity", "activities"), ("DialogTransmission", "transmissions")):
            held = {each["id"] for each in dialog.body[member]}
            repeated = [each["id"] for each in dto[member] if each["id"] in held]
            if repeated:
                keys = ", ".join(repeated)
                errors[entity] = [f"Entity '{entity}' with the following key(s) already exists: ({keys})."]
        if errors:
            raise Problem(422, errors)
        _check_transmission_exists([*dialog.body["transmissions"], *dto["transmissions"]], dto["activities"])
        _check_related(dialog.body["transmissions"], dto["transmissions"])
        self._check_unused(dialog.body, dto)

    def _check_unused(self, held: Body, dto: Mapping[str, Any]) -> None:
        """Ids are used once: merged lists may name their own again, append-only ones may not."""
        for member, entity in _ENTITIES.items():
            own = set() if member in ("activities", "transmissions") else {each["id"] for each in held[member]}
            for each in dto.get(member, ()):
                if (entity, each["id"]) in self._entities and each["id"] not in own:
                    raise Problem(422, {entity: [f"Key ('Id')=({each['id']}) already exists."]})

    def _store(self, dialog: Dialog, body: Body, *, kind: str, now: datetime, silent: bool) -> Dialog:
        changed = [name for name in body if body[name] != dialog.body[name]]
        if not changed:
            return dialog
        stamp = moment_text(now)
        pinned = dialog.visible_from is not None and moment_of(dialog.visible_from) > now
        touched = not silent and not pinned
        labels = dialog.labels if silent else (dialog.labels - {*PLACES, UNOPENED}) | {"Default"}
        labels |= _sent(body["transmissions"][len(dialog.body["transmissions"]) :])
        stored = replace(
            dialog,
            body=body,
            revision=str(self._chance.uuid4()),
            updated_at=stamp if touched else dialog.updated_at,
            content_updated_at=stamp
            if touched and any(name in _CONTENT_MEMBERS for name in changed)
            else dialog.content_updated_at,
            labels=frozenset(labels),
            end_user_revision=dialog.end_user_revision if labels == dialog.labels else str(self._chance.uuid4()),
        )
        self._dialogs[dialog.id] = stored
        self._remember(dialog.id, dialog.body, body)
        self._record(kind, dialog, stored, silent=silent)
        self._announce("updated", stored, dialog.body, silent=silent)
        return stored

    def _record(self, kind: str, before: Dialog | None, after: Dialog, *, silent: bool) -> None:
        old = _empty_body() if before is None else before.body
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

    def _announce(self, kind: str, dialog: Dialog, before: Body, *, silent: bool) -> None:
        if not silent:
            self._event(kind, dialog)
            for activity in dialog.body["activities"][len(before["activities"]) :]:
                self._activity_event(dialog, activity)
            for transmission in dialog.body["transmissions"][len(before["transmissions"]) :]:
                data = {"transmissionId": transmission["id"], "senderType": transmission["sender"]["actorType"]}
                tail = f"/transmissions/{transmission['id']}"
                self._send("dialogporten.dialog.transmission.created.v1", dialog, tail, data)
        if kind == "updated":
            self._publish(dialog.id, "DIALOG_UPDATED")

    def _publish(self, dialog_id: str, kind: str) -> None:
        path = f"/dialogporten/graphql/stream/{dialog_id}"
        if not self._faults.take(system="dialogporten", method="SSE", path=path, internal="lose_event"):
            self.streams.publish(dialog_id, kind)

    def _event(self, kind: str, dialog: Dialog) -> None:
        data = {name: dialog.body[name] for name in ("process", "precedingProcess") if dialog.body[name] is not None}
        self._send(f"dialogporten.dialog.{kind}.v1", dialog, "", data)

    def _activity_event(self, dialog: Dialog, activity: Body) -> None:
        name: str = {"DialogCreated": "Created", "DialogClosed": "Closed"}.get(activity["type"]) or activity["type"]
        kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
        data = {"activityId": activity["id"], "extendedActivityType": activity["extendedType"]}
        data = {key: value for key, value in data.items() if value is not None}
        self._send(f"dialogporten.dialog.activity.{kind}.v1", dialog, f"/activities/{activity['id']}", data)

    def _send(self, kind: str, dialog: Dialog, tail: str, data: Mapping[str, Any]) -> None:
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

    def _remember(self, dialog_id: str, before: Body, after: Body) -> None:
        for member, entity in _ENTITIES.items():
            for each in before[member]:
                self._entities.pop((entity, each["id"]), None)
            for each in after[member]:
                self._entities[entity, each["id"]] = dialog_id

    def _labelled(self, dialog_id: str, writer: Writer, if_match: str | None) -> Dialog:
        dialog = self.owned(dialog_id, writer)
        if if_match is not None and if_match != dialog.owner_revision:
            raise Problem(412)
        return dialog

    def _relabelled(self, dialog: Dialog, labels: tuple[str, ...]) -> Dialog:
        after = replace(dialog, owner_labels=labels, owner_revision=str(self._chance.uuid4()))
        self._dialogs[dialog.id] = after
        self._ledger.write(
            "dialogporten.label",
            dialog_id=dialog.id,
            revision_before=dialog.owner_revision,
            revision_after=after.owner_revision,
            labels=list(labels),
        )
        return after

    def _merged(self, held: Body, dto: Mapping[str, Any], now: datetime, *, lookup_fails: bool) -> Body:
        def new_id() -> str:
            return str(self._chance.uuid7(now))

        added = {
            "activities": [self._activity(each, now, lookup_fails=lookup_fails) for each in dto["activities"]],
            "transmissions": [
                self._transmission(each, now, lookup_fails=lookup_fails) for each in dto["transmissions"]
            ],
        }
        return {
            **{name: dto[name] for name in UPDATE_MEMBERS},
            "status": STORED_STATUS.get(dto["status"], dto["status"] or "NotApplicable"),
            "content": None if dto["content"] is None else _content(dto["content"]),
            "searchTags": _by_value(held["searchTags"], dto["searchTags"]),
            "attachments": _by_id(held["attachments"], [_attachment(a) for a in dto["attachments"]], "urls", new_id),
            "guiActions": _by_id(held["guiActions"], [_gui_action(a) for a in dto["guiActions"]], None, new_id),
            "apiActions": _by_id(held["apiActions"], dto["apiActions"], "endpoints", new_id),
            **{name: [*held[name], *items] for name, items in added.items()},
        }

    def _activity(self, given: Mapping[str, Any], now: datetime, *, lookup_fails: bool) -> Body:
        return {
            **given,
            "id": given["id"] or str(self._chance.uuid7(now)),
            "createdAt": given["createdAt"] or moment_text(now),
            "performedBy": self._actor(given["performedBy"], lookup_fails=lookup_fails),
            "description": _texts(given["description"]) or None,
        }

    def _transmission(
        self, given: Mapping[str, Any], now: datetime, *, lookup_fails: bool, before: Body | None = None
    ) -> Body:
        def new_id() -> str:
            return str(self._chance.uuid7(now))

        return {
            **given,
            "id": (given["id"] if before is None else before["id"]) or new_id(),
            "createdAt": given["createdAt"] or moment_text(now),
            "sender": self._actor(given["sender"], lookup_fails=lookup_fails),
            "content": None if given["content"] is None else _content(given["content"]),
            "attachments": _by_id(
                [] if before is None else before["attachments"],
                [_attachment(each) for each in given["attachments"]],
                "urls",
                new_id,
            ),
            "navigationalActions": [{**each, "title": _texts(each["title"])} for each in given["navigationalActions"]],
        }

    def _actor(self, given: Mapping[str, Any], *, lookup_fails: bool) -> Body:
        actor = dict(given)
        if not actor["actorId"]:
            return actor
        path = "/dialogporten/name-lookup"
        fault = self._faults.take(system="dialogporten", method="LOOKUP", path=path, internal="name_lookup_fails")
        if lookup_fails or fault is not None:
            raise Problem(422, {"ActorId": [f"Unable to look up name for actor id: {actor['actorId']}"]})
        return {**actor, "actorId": actor["actorId"].lower(), "actorName": self.name_of(actor["actorId"])}


def missing(entity: str, key: str) -> Problem:
    """Word a 404."""
    return Problem(404, {entity: [f"Entity '{entity}' with the following key(s) was not found: ({key})."]})


def removed(dialog_id: str) -> Problem:
    """Word a 410."""
    return Problem(
        410, {"DialogEntity": [f"Entity 'DialogEntity' with the following key(s) is removed: ({dialog_id})."]}
    )


def _lost_race(if_match: str | None) -> Problem:
    """Without If-Match a lost race is 409 under the empty key (facts/dialogporten.md 1.4)."""
    if if_match is not None:
        return Problem(412)
    return Problem(409, {"": ["The dialog was changed by a concurrent operation. Please try again."]})


def _check_activities(activities: Iterable[Mapping[str, Any]], writer: Writer) -> None:
    if CORRESPONDENCE in writer.scopes or all(each["type"] not in _RESTRICTED_ACTIVITIES for each in activities):
        return
    message = (
        f"Use of CorrespondenceConfirmed or CorrespondenceOpened activity types requires the scope {CORRESPONDENCE}."
    )
    raise Problem(403, {"Forbidden": [message]})


def _check_transmission_keys(held: Iterable[Mapping[str, Any]], added: Iterable[Mapping[str, Any]]) -> None:
    known = {each["idempotentKey"] for each in held if each["idempotentKey"] is not None}
    repeated: list[str] = []
    for each in added:
        key = each["idempotentKey"]
        if key is not None and key in known:
            repeated.append(f"'{key}'")
        known.add(key)
    if repeated:
        keys = ", ".join(repeated)
        message = f"Duplicate IdempotentKey detected in dialog transmissions. Conflicting keys: {keys}."
        raise Problem(409, {"IdempotentKey": [message]})


def _check_transmission_exists(
    transmissions: Iterable[Mapping[str, Any]], activities: Iterable[Mapping[str, Any]]
) -> None:
    known = {each["id"] for each in transmissions}
    for each in activities:
        if each["transmissionId"] is not None and each["transmissionId"] not in known:
            entity = "DialogTransmission"
            message = f"Entity '{entity}' with the following key(s) does not exist: ({each['transmissionId']})."
            raise Problem(422, {entity: [message]})


def _check_related(held: Iterable[Mapping[str, Any]], added: Iterable[Mapping[str, Any]]) -> None:
    """Hold the tree of transmissions to its limits: it must exist, and not grow too deep or too wide."""
    everything = [*held, *added]
    parents = {each["id"]: each["relatedTransmissionId"] for each in everything if each["id"] is not None}
    if len(everything) > _MOST_TRANSMISSIONS:
        raise Problem(422, {"DialogTransmission": [f"A dialog can have at most {_MOST_TRANSMISSIONS} transmissions."]})
    for each in added:
        related, depth = each["relatedTransmissionId"], 1
        if related is not None and related not in parents:
            message = f"Entity 'DialogTransmission' with the following key(s) does not exist: ({related})."
            raise Problem(422, {"DialogTransmission": [message]})
        siblings = sum(1 for other in everything if related is not None and other["relatedTransmissionId"] == related)
        while related is not None and depth <= _LONGEST_CHAIN:
            related, depth = parents.get(related), depth + 1
        if depth > _LONGEST_CHAIN or siblings > _MOST_SIBLINGS:
            message = f"Transmission hierarchies are at most {_LONGEST_CHAIN} deep and {_MOST_SIBLINGS} wide."
            raise Problem(422, {"DialogTransmission": [message]})


def _check_api_only(dialog: Dialog, dto: Mapping[str, Any]) -> None:
    """A dialog for machines stays one while a transmission has nothing to show."""
    transmissions = dialog.body["transmissions"]
    if dialog.body["isApiOnly"] and not dto["isApiOnly"] and any(each["content"] is None for each in transmissions):
        message = "This dialog is locked to IsApiOnly=true, as at least one transmission lacks content."
        raise Problem(400, {"dto.isApiOnly": [message]})


def _check_future(dto: Mapping[str, Any], now: datetime) -> None:
    errors = {
        f"{member[0].upper()}{member[1:]}": ["Must be in the future"]
        for member in ("dueAt", "expiresAt", "visibleFrom")
        if dto[member] is not None and moment_of(dto[member]) <= now
    }
    if errors:
        raise Problem(422, errors)


def _empty_body() -> Body:
    body: Body = dict.fromkeys(UPDATE_MEMBERS)
    lists = ("searchTags", "attachments", "transmissions", "guiActions", "apiActions", "activities")
    return {**body, **{name: [] for name in lists}}


def _sent(transmissions: Iterable[Mapping[str, Any]]) -> set[str]:
    return {"Sent"} if any(each["type"] in _BY_PARTY for each in transmissions) else set()


def _texts(texts: Sequence[Mapping[str, Any]]) -> list[Body]:
    """Keep localizations by language: their order is not kept, so reordering them is no change."""
    found = [{"value": each["value"], "languageCode": language(each["languageCode"])} for each in texts]
    return sorted(found, key=lambda each: each["languageCode"])


def _content(content: Mapping[str, Any]) -> Body:
    old, new = "frontchannelembed+json;type=markdown", "frontchannelembed-url;type=text/markdown"
    return {
        name: None
        if value is None
        else {"value": _texts(value["value"]), "mediaType": value["mediaType"].replace(old, new)}
        for name, value in content.items()
    }


def _attachment(given: Mapping[str, Any]) -> Body:
    return {**given, "displayName": _texts(given["displayName"])}


def _gui_action(given: Mapping[str, Any]) -> Body:
    return {**given, "title": _texts(given["title"]), "prompt": _texts(given["prompt"]) or None}


def _by_id(
    held: Sequence[Body], wanted: Sequence[Mapping[str, Any]], nested: str | None, new_id: Callable[[], str]
) -> list[Body]:
    """Merge lists by id: known ids stay in their place, unknown and missing ones are created, left-out ones go."""
    known = {each["id"]: each for each in held}
    kept: dict[str, Body] = {}
    created: list[Body] = []
    for each in wanted:
        before = known.get(each["id"]) if each["id"] is not None else None
        item = {**each, "id": each["id"] or new_id()}
        if nested is not None:
            item[nested] = _by_id([] if before is None else before[nested], each[nested], None, new_id)
        if before is None:
            created.append(item)
        else:
            kept[item["id"]] = item
    return [kept[each["id"]] for each in held if each["id"] in kept] + created


def _by_value(held: Sequence[Body], wanted: Sequence[Mapping[str, Any]]) -> list[Body]:
    values = {each["value"].lower(): dict(each) for each in wanted}
    stay = [each for each in held if each["value"].lower() in values]
    names = {str(each["value"]).lower() for each in stay}
    return stay + [each for name, each in values.items() if name not in names]
