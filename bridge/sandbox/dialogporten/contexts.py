"""The two contexts of a dialog, each with a revision of its own: its users' labels and its owner's (facts 2.7)."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.sandbox.dialogporten.held import Held
from bridge.sandbox.dialogporten.kinds import moment_text
from bridge.sandbox.dialogporten.labels import UNOPENED, assignments, relabelled
from bridge.sandbox.dialogporten.model import Dialog, Intent, Problem, Writer, check_race, missing, removed
from bridge.sandbox.dialogporten.rules import MOST_LABELS


class Contexts(Held):
    """What changes labels."""

    def change_labels(
        self, dialog_id: str, add: Sequence[str], remove: Sequence[str], *, actor: str | None, intent: Intent
    ) -> Dialog:
        """
        Change system labels for a user, or for the owner (*actor* None); the revision is the end-user context's own.

        Raises:
            Problem: 404, 409, 410 or 412.
        """
        with self._lock:
            dialog = self._labelable(dialog_id, intent)
            labels = relabelled(dialog.labels, add, remove)
            if labels == dialog.labels:
                return dialog
            name = None if actor is None else self.name_of(actor)
            at = moment_text(self._clock())
            after = replace(
                dialog,
                labels=labels,
                label_log=(*dialog.label_log, *assignments(dialog.labels, labels, at=at, actor=actor, name=name)),
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
        self, wanted: Sequence[tuple[str, str | None]], add: Sequence[str], remove: Sequence[str], *, actor: str | None
    ) -> None:
        """
        Change the labels of all of *wanted* (id and revision) or of none.

        Raises:
            Problem: 404, 410 or 412.
        """
        with self._lock:
            for dialog_id, revision in wanted:
                self._labelable(dialog_id, Intent(if_match=revision))
            for dialog_id, _ in wanted:
                self.change_labels(dialog_id, add, remove, actor=actor, intent=Intent())

    def set_system_label(self, dialog_id: str, label: str) -> None:
        """Put a dialog where its user wants it: Default, Bin or Archive."""
        with self._lock:
            dialog = self._dialogs[dialog_id]
            self.change_labels(dialog_id, [label], [UNOPENED], actor=dialog.party, intent=Intent())

    def add_label(self, dialog_id: str, value: str, writer: Writer, *, intent: Intent) -> Dialog:
        """
        Add a service-owner label; the revision is the service-owner context's own.

        Raises:
            Problem: 400, 404, 409 or 412.
        """
        label = value.strip().lower()
        with self._lock:
            dialog = self._labelled(dialog_id, writer, intent)
            errors = []
            if label in dialog.owner_labels:
                errors.append(f"Can not contain duplicate items: [{label}].")
            if len(dialog.owner_labels) >= MOST_LABELS:
                errors.append(f"Maximum {MOST_LABELS} service owner labels are allowed.")
            if errors:
                raise Problem(400, {"dto.serviceOwnerLabels": errors})
            return self._with_labels(dialog, tuple(sorted((*dialog.owner_labels, label))))

    def remove_label(self, dialog_id: str, value: str, writer: Writer, *, intent: Intent) -> Dialog:
        """
        Remove a service-owner label.

        Raises:
            Problem: 404, 409 or 412.
        """
        label = value.strip().lower()
        with self._lock:
            dialog = self._labelled(dialog_id, writer, intent)
            if label not in dialog.owner_labels:
                raise missing("Label", label)
            return self._with_labels(dialog, tuple(each for each in dialog.owner_labels if each != label))

    def _labelled(self, dialog_id: str, writer: Writer, intent: Intent) -> Dialog:
        dialog = self.owned(dialog_id, writer)
        if dialog.deleted_at is not None:
            raise missing("DialogEntity", dialog_id)
        if intent.if_match is not None and intent.if_match != dialog.owner_revision:
            raise Problem(412)
        check_race(dialog, intent, owner=True)
        self._check_undisturbed(dialog, intent)
        return dialog

    def _with_labels(self, dialog: Dialog, labels: tuple[str, ...]) -> Dialog:
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

    def _labelable(self, dialog_id: str, intent: Intent) -> Dialog:
        dialog = self._dialogs.get(dialog_id)
        if dialog is None:
            raise missing("DialogEntity", dialog_id)
        if dialog.deleted_at is not None:
            raise removed(dialog_id)
        if intent.if_match is not None and intent.if_match != dialog.end_user_revision:
            raise Problem(412)
        check_race(dialog, intent, labels=True)
        return dialog
