"""What cannot be told is not sent: look whether a dialog is still there, before what cannot be undone."""

import contextvars
import threading
from uuid import UUID

import structlog

from bridge.core.dialogs import is_narrowed
from bridge.core.errors import Missing, UpstreamError
from bridge.core.ids import derived_id
from bridge.core.mapping import ActionMapping, Narrowed
from bridge.core.operations import HELD, Operation, Outcome, Stage
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.lease import set_aside

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

WITHIN = 3.0
"""Seconds that the look may take: a form does not wait longer for a Dialogporten that does not answer."""

ACTION_NARROWED = Problem(code="action_narrowed", status=403)
_IN_HISTORY = (Outcome.DONE, Outcome.REPEATED, Outcome.REFUSED)
DIALOG_GONE = Problem(code="dialog_gone", status=410)


class DialogLook:
    """One look at a dialog, beside what else is read; nobody waits for it longer than for that and ``WITHIN``."""

    def __init__(self, bridge: Bridge, dialog_id: UUID, action: ActionMapping) -> None:
        self._bridge, self._dialog_id, self._action = bridge, dialog_id, action
        self._gone = self._narrowed = False
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._look,), name="bridge-dialog-look", daemon=True)
        self._thread.start()

    def refuse_what_it_forbids(self) -> None:
        """
        Raise Refusal ``dialog_gone`` where the dialog was deleted or purged, ``action_narrowed`` where it offers the
        action only to whom an authorization context takes in, and the token's ``a`` was counted.

        Dialogporten being away, or refusing us, stops nothing: what was done is written when it answers again. That a
        dialog is frozen shows nowhere before a write (facts/dialogporten.md 15).
        """
        self._thread.join(WITHIN)
        if self._gone:
            raise Refusal.of(DIALOG_GONE)
        if self._narrowed:
            log.error("the dialog narrows a button by an authorization context, and its mapping does not say so")
            raise Refusal.of(ACTION_NARROWED)

    def _look(self) -> None:
        try:
            dialog = self._bridge.dialogporten.get(self._dialog_id, within=WITHIN)
        except Missing:
            self._gone = True
        except UpstreamError as error:
            log.warning("whether the dialog is there is not known, and stops nothing", why=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a thread's outermost frame; the write that follows is not its matter
            log.error("the look at the dialog failed unexpectedly", error=type(error).__name__)
        else:
            self._gone = dialog.deleted_at is not None
            unsaid = not isinstance(self._action.requires, Narrowed)
            self._narrowed = unsaid and is_narrowed(dialog, self._action.name)


def hold_if_in_history(bridge: Bridge, operation: Operation) -> bool:
    """
    Hold an operation that is in its dialog's history already; the result says whether it was.

    Its activity's id is nobody else's, so the store that does not know of it is older than the dialog. Asked for
    what comes to be sent late, and not for what an operator let go on; a dialog that cannot be read holds up nothing.
    """
    if operation.sending_at is not None or operation.tried_since is not None:
        return False
    try:
        dialog = bridge.dialogporten.get(operation.dialog_id)
    except UpstreamError as error:
        log.warning("a dialog was not looked at before a late press", why=error.detail)
        return False
    ids = {derived_id(operation.accepted_at, str(operation.id), each.value) for each in _IN_HISTORY}
    if not ids & dialog.activity_ids:
        return False
    log.error("the dialog tells of an operation that the store has not carried out: it was restored")
    set_aside(bridge, operation, stage=Stage.DELIVER, why=HELD)
    return True
