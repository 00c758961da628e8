"""The life of a dialog beside its content: deleted, restored, purged, frozen, seen (facts/dialogporten.md 2.6)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.sandbox.dialogporten.contexts import Contexts
from bridge.sandbox.dialogporten.kinds import moment_text
from bridge.sandbox.dialogporten.labels import UNOPENED
from bridge.sandbox.dialogporten.merging import empty_body
from bridge.sandbox.dialogporten.model import Dialog, Intent, Problem, Seen, Writer, missing, removed
from bridge.sandbox.dialogporten.rules import ADMIN


class Lifecycle(Contexts):
    """What happens to a whole dialog."""

    def delete(self, dialog_id: str, writer: Writer, intent: Intent) -> Dialog:
        """
        Delete softly.

        Raises:
            Problem: 403, 404, 409, 410 or 412.
        """
        with self._lock:
            dialog = self._writable(dialog_id, writer, intent)
            deleted = replace(dialog, deleted_at=moment_text(self._clock()), revision=str(self._chance.uuid4()))
            self._dialogs[dialog_id] = deleted
            self._record("delete", dialog, deleted, silent=intent.silent)
            if not intent.silent:
                self._outbox.event("deleted", deleted)
                self._outbox.publish(dialog_id, "DIALOG_DELETED")
            return deleted

    def restore(self, dialog_id: str, writer: Writer, intent: Intent) -> Dialog:
        """
        Undo a soft deletion; a dialog that lives stays as it is.

        Raises:
            Problem: 404, 409 or 412.
        """
        with self._lock:
            dialog = self.owned(dialog_id, writer)
            self._check_match(dialog, intent)
            if dialog.deleted_at is None:
                return dialog
            restored = replace(dialog, deleted_at=None, revision=str(self._chance.uuid4()))
            self._dialogs[dialog_id] = restored
            self._record("restore", dialog, restored, silent=intent.silent)
            if not intent.silent:
                self._outbox.event("restored", restored)
            return restored

    def purge(self, dialog_id: str, writer: Writer, intent: Intent) -> None:
        """
        Remove for good, whatever its state; its ids and its key are free again.

        Raises:
            Problem: 403, 404, 409 or 412.
        """
        with self._lock:
            dialog = self.owned(dialog_id, writer)
            self._owners.check_kind(dialog, writer)
            self._check_match(dialog, intent)
            del self._dialogs[dialog_id]
            self._remember(dialog_id, dialog.body, empty_body())
            self._record("purge", dialog, dialog, silent=intent.silent)
            if not intent.silent and dialog.deleted_at is None:
                self._outbox.event("deleted", dialog)
                self._outbox.publish(dialog_id, "DIALOG_DELETED")

    def freeze(self, dialog_id: str) -> Dialog:
        """Protect a dialog from its owner, as migrated ones are."""
        with self._lock:
            dialog = self._dialogs[dialog_id]
            if dialog.frozen:
                return dialog
            now = moment_text(self._clock())
            frozen = replace(dialog, frozen=True, revision=str(self._chance.uuid4()), updated_at=now)
            self._dialogs[dialog_id] = frozen
            self._record("freeze", dialog, frozen, silent=True)
            return frozen

    def freeze_as(self, dialog_id: str, writer: Writer, intent: Intent) -> Dialog:
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
            self._check_match(dialog, intent)
            return self.freeze(dialog_id)

    def narrow(self, dialog_id: str, contexts: Mapping[str, Mapping[str, Any]]) -> None:
        """Put authorization contexts on its actions, in the place of those that are there."""
        with self._lock:
            self._dialogs[dialog_id] = replace(self._dialogs[dialog_id], contexts=dict(contexts))

    def see(self, dialog_id: str, actor: str, *, via_owner: bool = False) -> Dialog:
        """Note that an end user looked at the dialog: once for each update. It counts as opened again."""
        with self._lock:
            dialog = self._dialogs[dialog_id]
            if UNOPENED in dialog.labels:
                dialog = self.change_labels(dialog_id, [], [UNOPENED], actor=actor, intent=Intent())
            if any(seen.actor == actor and seen.at >= dialog.updated_at for seen in dialog.seen):
                return dialog
            now = self._clock()
            at = max(moment_text(now), dialog.updated_at)
            entry = Seen(
                id=str(self._chance.uuid7(now)), at=at, actor=actor, name=self.name_of(actor), via_owner=via_owner
            )
            seen = replace(dialog, seen=(*dialog.seen, entry))
            self._dialogs[dialog_id] = seen
            # Somebody else's look is an update to whoever listens, though nothing that they can read has changed.
            self._outbox.publish(dialog_id, "DIALOG_UPDATED")
            self._outbox.event("seen", seen)
            return seen

    def move_saved(
        self, dialog_id: str, activity_id: str, created_at: str, *, writer: Writer, intent: Intent
    ) -> Dialog:
        """
        Move the time of a FormSaved activity, which takes the admin scope; updatedAt follows it, but never back.

        Raises:
            Problem: 403, 404, 409, 412 or 422.
        """
        with self._lock:
            if ADMIN not in writer.scopes:
                raise Problem(403, {"Forbidden": ["Requires admin scope"]})
            dialog = self._dialogs.get(dialog_id)
            held = [] if dialog is None else dialog.body["activities"]
            before = next((each for each in held if each["id"] == activity_id), None)
            if dialog is None or before is None:
                raise missing("DialogActivity", activity_id)
            if before["type"] != "FormSaved":
                message = "Only FormSaved activities is allowed to be updated using admin scope."
                raise Problem(422, {"Type": [message]})
            self._check_match(dialog, intent)
            moved = {**before, "createdAt": created_at}
            body = {**dialog.body, "activities": [moved if each is before else each for each in held]}
            after = replace(
                dialog, body=body, revision=str(self._chance.uuid4()), updated_at=max(dialog.updated_at, created_at)
            )
            self._dialogs[dialog_id] = after
            self._record("activity", dialog, after, silent=True)
            return after
